/*
 * module.c - one ELF file and its debug information, found and checked.
 *
 * The path comes from a snapshot: a file is opened only if it is a regular one, and given to
 * libdwfl only if its build-id is the recorded one.  libdwfl unpacks .gnu_debugdata.
 */
#include "symbols/module.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "symbols/debug_files.h"
#include "symbols/debuginfod.h"
#include "symbols/functions.h"

struct module {
	struct debug_search search;
	struct alternate alternate;
	Dwfl *dwfl;
	Dwfl_Module *dwfl_module;
	uint64_t bias;       /* dwfl's address minus the ELF virtual address */
	uint64_t dwarf_bias; /* dwfl's address minus DWARF's */
	struct functions functions;
	struct functions variables[2]; /* plain, thread-local; read when first asked for */
	bool variables_read[2];
	struct lines *lines; /* NULL: no DWARF */
	struct texts *texts;
};

/* Which file. */

/** libdwfl asks for the separate debug file here, and for the file that .gnu_debugaltlink names.
 * The latter has no checksum: it is refused here, and debug_files_make_safe() looks for it. */
static int find_debug_file(Dwfl_Module *dwfl_module, void **user, const char *module_name,
			   Dwarf_Addr base, const char *file, const char *link, GElf_Word checksum,
			   char **name)
{
	const struct module *module = *user;

	(void)dwfl_module;
	(void)module_name;
	(void)base;
	(void)file;
	if (link && !checksum)
		return -1;
	return debug_file_find(&module->search, link, checksum, name);
}

/** The module's own file is given; libdwfl must not look for another. */
static int find_nothing(Dwfl_Module *dwfl_module, void **user, const char *module_name,
			Dwarf_Addr base, char **file, Elf **elf)
{
	(void)dwfl_module;
	(void)user;
	(void)module_name;
	(void)base;
	(void)file;
	(void)elf;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_nothing,
	.find_debuginfo = find_debug_file,
	.section_address = dwfl_offline_section_address,
};

/** Give libdwfl the file.  The descriptor belongs to this function, also when it fails. */
static bool report_file(struct module *module, const char *path, int fd)
{
	void **user;

	module->dwfl = dwfl_begin(&callbacks);
	if (module->dwfl)
		module->dwfl_module = dwfl_report_offline(module->dwfl, path, path, fd);
	if (!module->dwfl_module) {
		close(fd);
		dwfl_end(module->dwfl);
		module->dwfl = NULL;
		return false;
	}
	dwfl_module_info(module->dwfl_module, &user, NULL, NULL, NULL, NULL, NULL, NULL);
	*user = module;
	dwfl_report_end(module->dwfl, NULL, NULL);
	return true;
}

/** Use the file at `path` if its build-id is the recorded one; `*found` gets the one it has. */
static bool use_file(struct module *module, const char *path, char found[BUILD_ID_HEX])
{
	int fd = debug_file_open(&module->search, path, module->search.build_id, found);

	if (fd < 0)
		return false;
	if (!report_file(module, path, fd)) {
		errno = ENOEXEC;
		return false;
	}
	return true;
}

/** Use a file that is known by its build-id: installed debug files, then debuginfod. */
static bool use_build_id(struct module *module)
{
	const struct debug_search *search = &module->search;
	char *path = debug_file_of_build(search->root, search->build_id);
	char found[BUILD_ID_HEX];
	bool used = path && use_file(module, path, found);

	if (path && !used && search->online) {
		free(path);
		path = debuginfod_fetch(search->build_id);
		used = path && use_file(module, path, found);
	}
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

/** Say why the file, whose build-id is `found`, cannot be used, unless the module never was a
 * file. */
static void complain(char **complaint, const struct module_request *request, const char *found,
		     int error, bool other_names)
{
	const char *rest =
		other_names ? "its names come from a debug file" : "its frames stay without names";
	char recorded[32], present[32];
	int size;

	if (*request->path != '/')
		return; /* [vdso], or a module that was never a file */
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
	char found[BUILD_ID_HEX] = "";
	int error;
	bool used;

	if (*path == '/' && use_file(module, path, found))
		return true;
	error = errno;
	used = use_build_id(module);
	complain(complaint, request, found, error, used);
	return used;
}

/* What is in it. */

/** The debug information, if walking it opens no file but those that were checked. */
static Dwarf *find_dwarf(struct module *module, Dwarf_Addr *bias)
{
	Dwarf *dwarf = dwfl_module_getdwarf(module->dwfl_module, bias);
	const char *own, *debug = NULL;

	if (!dwarf)
		return NULL;
	dwfl_module_info(module->dwfl_module, NULL, NULL, NULL, NULL, NULL, &own, &debug);
	if (!debug)
		debug = own ? own : "";
	return debug_files_make_safe(&module->search, dwarf, debug, &module->alternate) ? dwarf
											: NULL;
}

static void read_content(struct module *module)
{
	Dwarf_Addr dwarf_bias = 0;
	Dwarf *dwarf;

	if (!dwfl_module_getelf(module->dwfl_module, &module->bias))
		return;
	dwarf = find_dwarf(module, &dwarf_bias);
	module->dwarf_bias = dwarf_bias;
	module->functions = functions_read(module->dwfl_module, module->bias, FUNCTIONS_CODE);
	if (dwarf)
		module->lines = memory_need(lines_new(dwarf, &module->functions, module->texts),
					    "reading debug information");
}

struct module *module_open(const struct module_request *request, struct texts *texts,
			   char **complaint)
{
	struct module *module = calloc(1, sizeof(*module));

	*complaint = NULL;
	if (!module)
		return NULL;
	module->texts = texts;
	module->alternate.fd = -1;
	module->search = (struct debug_search){.path = request->path,
					       .build_id = request->build_id,
					       .root = request->debug_root,
					       .online = !request->offline,
					       .on_use = request->on_use};
	if (!find_file(module, request, complaint)) {
		module_close(module);
		return NULL;
	}
	read_content(module);
	return module;
}

void module_close(struct module *module)
{
	if (!module)
		return;
	lines_free(module->lines);
	functions_free(&module->functions);
	functions_free(&module->variables[0]);
	functions_free(&module->variables[1]);
	dwfl_end(module->dwfl);
	alternate_release(&module->alternate);
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

/* "cache.1234" is a static variable of a function, as GCC calls it; "stdout@GLIBC_2.2.5" a version
 * of one. */
static const char *variable_name(struct module *module, const char *linkage_name)
{
	size_t size = strcspn(linkage_name, "@"), digits = size;
	char *plain;
	const char *name;

	while (digits > 0 && linkage_name[digits - 1] >= '0' && linkage_name[digits - 1] <= '9')
		digits--;
	if (digits > 1 && digits < size && linkage_name[digits - 1] == '.')
		size = digits - 1;
	plain = strndup(linkage_name, size);
	name = texts_function(module->texts, plain ? plain : linkage_name);
	free(plain);
	return name;
}

bool module_find_variable(struct module *module, uint64_t address, bool thread_local_block,
			  struct module_variable *variable)
{
	static const enum functions_kind kinds[2] = {FUNCTIONS_DATA, FUNCTIONS_TLS};
	struct functions *table = &module->variables[thread_local_block];
	const struct function *found;

	if (!module->variables_read[thread_local_block] && module->dwfl_module)
		*table = functions_read(module->dwfl_module, module->bias,
					kinds[thread_local_block]);
	module->variables_read[thread_local_block] = true;
	found = functions_find(table, address);
	if (!found)
		return false;
	*variable = (struct module_variable){variable_name(module, found->name),
					     address - found->begin};
	return true;
}
