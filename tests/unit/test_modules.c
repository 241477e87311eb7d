/*
 * Modules: what is mapped, what was, and which of them an address in a call stack means.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "runtime/modules.h"

static const struct snap__module *find(const char *part_of_path)
{
	for (uint32_t i = 0; i < snap__modules_count(); i++)
		if (strstr(snap__modules_get(i)->path, part_of_path))
			return snap__modules_get(i);
	return NULL;
}

Test(modules, the_program_the_vdso_and_libc_are_known)
{
	const struct snap__module *vdso, *libc;

	snap__modules_refresh();
	cr_assert_not_null(find("/test_modules"));
	libc = find("libc.so.6");
	cr_assert_not_null(libc);
	cr_assert_eq(libc->build_id_size, 20);
	vdso = find("[vdso]");
	cr_assert_not_null(vdso);
	cr_assert_eq(vdso->start, getauxval(AT_SYSINFO_EHDR));
}

Test(modules, an_address_is_located_as_the_file_has_it)
{
	uintptr_t pc = (uintptr_t)&find;
	const struct snap__module *here;
	uint32_t number;
	uint64_t address;
	Dl_info info;

	snap__modules_refresh();
	here = snap__modules_at(pc);
	cr_assert_not_null(here);
	cr_assert(snap__modules_locate(pc, &number, &address));
	cr_assert_eq(snap__modules_get(number), here);
	cr_assert_neq(dladdr((void *)pc, &info), 0);
	cr_assert_eq(address, pc - (uintptr_t)info.dli_fbase);
}

Test(modules, an_address_outside_of_all_modules_is_not_located)
{
	uint32_t number;
	uint64_t address = 0;
	uintptr_t tagged = (uintptr_t)SNAP__PC_TAG_NONE << SNAP__PC_TAG_SHIFT | 0x1234;

	snap__modules_refresh();
	cr_assert_null(snap__modules_at(0x1234));
	cr_assert_not(snap__modules_locate(tagged, &number, &address));
	cr_assert_eq(address, 0x1234);
}

/* Two libraries of one layout, so that the loader puts the second where the first one was. */
/* Each test is a process of its own, and makes a directory of its own. */
static char directory[] = "/tmp/test_modules.XXXXXX";
static char path[sizeof(directory) + 64];

static const char *path_of(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s.so", directory, name);
	return path;
}

static void build_library(const char *name)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "printf 'int %s(void);int %s(void){return 1;}' | "
		 "cc -shared -fPIC -O2 -x c - -o %s",
		 name, name, path_of(name));
	cr_assert_eq(system(command), 0);
}

static void remove_library(const char *name)
{
	cr_assert_eq(remove(path_of(name)), 0);
}

static uintptr_t open_and_close(const char *name, uintptr_t *tag)
{
	const struct snap__module *module;
	void *library, *function;

	library = dlopen(path_of(name), RTLD_NOW);
	cr_assert_not_null(library, "%s", dlerror());
	function = dlsym(library, name);
	module = snap__modules_at((uintptr_t)function);
	cr_assert_not_null(module);
	cr_assert_str_eq(module->path, path_of(name));
	*tag = (uintptr_t)module->tag << SNAP__PC_TAG_SHIFT;
	dlclose(library);
	snap__modules_refresh();
	return (uintptr_t)function;
}

Test(modules, a_library_mapped_over_a_closed_one_is_not_mistaken_for_it)
{
	uintptr_t first_tag, second_tag, again_tag, first, second, again;
	uint64_t address, retirements;
	uint32_t number;

	cr_assert(mkdtemp(directory));
	build_library("unloaded_one");
	build_library("unloaded_two");
	snap__modules_refresh();
	retirements = snap__modules_retirements();
	first = open_and_close("unloaded_one", &first_tag);
	cr_assert_gt(snap__modules_retirements(), retirements);
	cr_assert(snap__modules_retired(first));
	second = open_and_close("unloaded_two", &second_tag);
	again = open_and_close("unloaded_one", &again_tag);

	cr_assert(snap__modules_locate(first | first_tag, &number, &address));
	cr_assert_str_eq(snap__modules_get(number)->path, path_of("unloaded_one"));
	cr_assert(snap__modules_locate(second | second_tag, &number, &address));
	cr_assert_str_eq(snap__modules_get(number)->path, path_of("unloaded_two"));
	if (first == second)
		cr_assert_neq(first_tag, second_tag);
	if (first == again)
		cr_assert_eq(first_tag, again_tag,
			     "the same file at the same place is the same module");
	remove_library("unloaded_one");
	remove_library("unloaded_two");
	cr_assert_eq(rmdir(directory), 0);
}

Test(modules, opening_and_closing_in_a_loop_adds_no_modules)
{
	uintptr_t tag;
	uint32_t count;

	cr_assert(mkdtemp(directory));
	build_library("looped");
	snap__modules_refresh();
	open_and_close("looped", &tag);
	count = snap__modules_count();
	for (int i = 0; i < 100; i++)
		open_and_close("looped", &tag);
	cr_assert_leq(snap__modules_count(), count + 1);
	remove_library("looped");
	cr_assert_eq(rmdir(directory), 0);
}

Test(modules, a_library_opened_by_a_relative_path_is_found_from_another_directory)
{
	const struct snap__module *module;
	void *library;

	cr_assert(mkdtemp(directory));
	build_library("relative");
	cr_assert_eq(chdir(directory), 0);
	library = dlopen("./relative.so", RTLD_NOW);
	cr_assert_not_null(library, "%s", dlerror());
	module = snap__modules_at((uintptr_t)dlsym(library, "relative"));
	cr_assert_not_null(module);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_str_eq(module->path, "./relative.so");
	cr_assert_str_eq(module->file, path_of("relative"));
	remove_library("relative");
	cr_assert_eq(rmdir(directory), 0);
}
