/*
 * module.c - one ELF file and its debug information, found and checked.
 *
 * libdwfl finds separate debug files by build-id and .gnu_debuglink (whose checksum it verifies),
 * asks debuginfod when DEBUGINFOD_URLS is set, and unpacks .gnu_debugdata.
 */
#include "symbols/module.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/debuginfod.h"
#include "symbols/functions.h"

enum { BUILD_ID_MAX = 64 };

struct module {
	Dwfl_Callbacks callbacks;
	char *search; /* where libdwfl looks for separate debug files */
	Dwfl *dwfl;
	Dwfl_Module *dwfl_module;
	uint64_t bias;       /* dwfl's address minus the ELF virtual address */
	uint64_t dwarf_bias; /* dwfl's address minus DWARF's */
	struct functions functions;
	struct lines *lines; /* NULL: no DWARF */
	struct texts *texts;
};

/* Which file. */

/** Next to the file, in .debug beside it, and where distributions install debug files. */
static bool prepare_search(struct module *module, const char *debug_root)
{
	if (asprintf(&module->search, ":.debug:%s", debug_root) < 0) {
		module->search = NULL;
		return false;
	}
	module->callbacks = (Dwfl_Callbacks){
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &module->search,
	};
	return true;
}

/** Open a regular file: the path comes from a snapshot, and could name a pipe or a terminal. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
		close(fd);
		errno = EINVAL;
		fd = -1;
	}
	return fd;
}

/** Give libdwfl the file; the descriptor is used up in any case. */
static bool report_file(struct module *module, const char *path, int fd)
{
	module->dwfl = dwfl_begin(&module->callbacks);
	if (module->dwfl)
		module->dwfl_module = dwfl_report_offline(module->dwfl, path, path, fd);
	if (!module->dwfl_module) {
		close(fd);
		dwfl_end(module->dwfl);
		module->dwfl = NULL;
		return false;
	}
	dwfl_report_end(module->dwfl, NULL, NULL);
	return true;
}

static void forget_file(struct module *module)
{
	dwfl_end(module->dwfl);
	module->dwfl = NULL;
	module->dwfl_module = NULL;
}

/** The build-id of the reported file as lower-case hex; "" if it has none. */
static void read_build_id(struct module *module, char hex[2 * BUILD_ID_MAX + 1])
{
	const unsigned char *bits = NULL;
	GElf_Addr address;
	GElf_Addr bias;
	int size = dwfl_module_getelf(module->dwfl_module, &bias)
			   ? dwfl_module_build_id(module->dwfl_module, &bits, &address)
			   : 0;

	hex[0] = '\0';
	for (int i = 0; i < size && i < BUILD_ID_MAX; i++)
		sprintf(hex + 2 * i, "%02x", bits[i]);
}

static bool is_build_id(const char *text)
{
	size_t size = strspn(text, "0123456789abcdef");

	return size >= 4 && size <= 2 * BUILD_ID_MAX && size % 2 == 0 && !text[size];
}

/** Use the file at `path` if its build-id is the recorded one; `*found` gets the one it has. */
static bool use_file(struct module *module, const char *path, const char *build_id, char *found)
{
	int fd = open_regular(path);

	if (fd < 0)
		return false;
	errno = 0;
	if (!report_file(module, path, fd)) {
		errno = ENOEXEC;
		return false;
	}
	read_build_id(module, found);
	if (strcmp(found, build_id) == 0)
		return true;
	forget_file(module);
	errno = ESTALE;
	return false;
}

/** Use a file that is known by its build-id: installed debug files, then debuginfod. */
static bool use_build_id(struct module *module, const struct module_request *request)
{
	const char *build_id = request->build_id;
	char found[2 * BUILD_ID_MAX + 1];
	char *path = NULL;
	bool used = false;

	if (!is_build_id(build_id))
		return false;
	if (asprintf(&path, "%s/.build-id/%.2s/%s.debug", request->debug_root, build_id,
		     build_id + 2) < 0)
		return false;
	used = use_file(module, path, build_id, found);
	free(path);
	if (used || request->offline)
		return used;
	path = debuginfod_fetch(build_id);
	used = path && use_file(module, path, build_id, found);
	free(path);
	return used;
}

/** "build 1a2b3c4d" */
static const char *build_text(const char *build_id, char text[32])
{
	if (*build_id)
		snprintf(text, 32, "build %.8s", build_id);
	else
		snprintf(text, 32, "without a build-id");
	return text;
}

/** Say why the file, whose build-id is `found`, does not serve, unless it never was a file. */
static void complain(char **complaint, const struct module_request *request, const char *found,
		     int error, bool other_names)
{
	const char *rest =
		other_names ? "its names come from a debug file" : "its frames stay without names";
	char recorded[32], present[32];
	int size;

	if (*request->path != '/')
		return; /* [vdso], or a module that only a text form names */
	build_text(request->build_id, recorded);
	if (error == ESTALE)
		size = asprintf(complaint,
				"module %s was replaced since: not used, for it is %s and was %s; "
				"%s",
				request->path, build_text(found, present), recorded, rest);
	else
		size = asprintf(complaint, "module %s (%s): %s; %s", request->path, recorded,
				error == ENOEXEC ? "not a valid ELF file" : strerror(error), rest);
	if (size < 0)
		*complaint = NULL;
}

static bool find_file(struct module *module, const struct module_request *request, char **complaint)
{
	const char *path = request->path;
	char found[2 * BUILD_ID_MAX + 1] = "";
	int error;
	bool used;

	if (*path == '/' && use_file(module, path, request->build_id, found))
		return true;
	error = errno;
	used = use_build_id(module, request);
	complain(complaint, request, found, error, used);
	return used;
}

/* What is in it. */

/** Run `getdwarf` without debuginfod: libdwfl asks it whenever the variable is set. */
static Dwarf *dwarf_offline(struct module *module, Dwarf_Addr *bias)
{
	static const char variable[] = "DEBUGINFOD_URLS";
	const char *urls = getenv(variable);
	char *saved = urls ? strdup(urls) : NULL;
	Dwarf *dwarf;

	unsetenv(variable);
	dwarf = dwfl_module_getdwarf(module->dwfl_module, bias);
	if (saved)
		setenv(variable, saved, 1);
	free(saved);
	return dwarf;
}

static void read_content(struct module *module, bool offline)
{
	Dwarf_Addr dwarf_bias = 0;
	Dwarf *dwarf;

	if (!dwfl_module_getelf(module->dwfl_module, &module->bias))
		return;
	dwarf = offline ? dwarf_offline(module, &dwarf_bias)
			: dwfl_module_getdwarf(module->dwfl_module, &dwarf_bias);
	module->dwarf_bias = dwarf_bias;
	module->functions = functions_read(module->dwfl_module, module->bias);
	if (dwarf)
		module->lines = lines_new(dwarf, &module->functions, module->texts);
}

struct module *module_open(const struct module_request *request, struct texts *texts,
			   char **complaint)
{
	struct module *module = calloc(1, sizeof(*module));

	*complaint = NULL;
	if (!module)
		return NULL;
	module->texts = texts;
	if (!prepare_search(module, request->debug_root) ||
	    !find_file(module, request, complaint)) {
		module_close(module);
		return NULL;
	}
	read_content(module, request->offline);
	return module;
}

void module_close(struct module *module)
{
	if (!module)
		return;
	lines_free(module->lines);
	functions_free(&module->functions);
	dwfl_end(module->dwfl);
	free(module->search);
	free(module);
}

bool module_is_complete(const struct module *module)
{
	return module->lines != NULL;
}

size_t module_find(struct module *module, uint64_t address,
		   struct symbol_frame frames[LINES_FRAMES_MAX])
{
	uint64_t dwarf_address = address + module->bias - module->dwarf_bias;
	const struct function *function;
	size_t count = 0;

	if (module->lines)
		count = lines_find(module->lines, dwarf_address, module->bias - module->dwarf_bias,
				   frames);
	function = functions_find(&module->functions, address);
	if (count == 0 && function) {
		frames[count++] = (struct symbol_frame){
			.function = texts_function(module->texts, function->name),
			.file = "",
		};
	}
	return count;
}
