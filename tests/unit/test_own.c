/*
 * test_own.c - whose code a frame is, and which frame names a stack.
 */
/* links: cmd_model */
#include <criterion/criterion.h>

#include <string.h>

#include "model/own.h"

static enum own_kind kind(const char *function, const char *file, const char *module)
{
	return own_classify(NULL, function, file, module, NULL);
}

Test(own, a_module_in_a_library_directory_is_a_library_whatever_its_sources)
{
	cr_expect_eq(kind("BIO_new", "crypto/bio/bio_lib.c", "/usr/lib/x86_64-linux-gnu/libx.so.3"),
		     OWN_LIBRARY);
	cr_expect_eq(kind("libx.so.3+0x1234", "", "/lib64/libx.so.3"), OWN_LIBRARY);
	cr_expect_eq(kind("qsort_r", "./stdlib/msort.c", "libc.so.6"), OWN_LIBRARY);
	cr_expect_eq(kind("__vdso_time", "", "[vdso]"), OWN_LIBRARY);
}

Test(own, a_program_is_the_users_also_where_the_system_has_its_own)
{
	cr_expect_eq(kind("exec_simple_query", "", "/usr/lib/postgresql/15/bin/postgres"),
		     OWN_CODE);
	cr_expect_eq(kind("cmd_status", "", "/usr/bin/git"), OWN_CODE);
	cr_expect_eq(kind("plug", "/home/u/src/plug.c", "/home/u/build/plug.so"), OWN_CODE);
	cr_expect_eq(kind("server+0x1234", "", "/srv/server"), OWN_CODE);
}

Test(own, sources_of_the_language_are_a_library_in_the_users_program)
{
	cr_expect_eq(kind("std::vector<int>::push_back(int&&)",
			  "/usr/include/c++/12/bits/stl_vector.h", "/srv/app"),
		     OWN_LIBRARY);
	cr_expect_eq(
		kind("std::map<int, int>::insert", "/opt/gcc-13/include/c++/13/map", "/srv/app"),
		OWN_LIBRARY);
	cr_expect_eq(
		kind("alloc::rc::Rc<T>::new", "/rustc/9fc6b431/library/alloc/src/rc.rs", "app"),
		OWN_LIBRARY);
	cr_expect_eq(kind("serde_json::de::from_str",
			  "/home/u/.cargo/registry/src/index-1/serde_json-1.0/src/de.rs", "app"),
		     OWN_LIBRARY);
	cr_expect_eq(kind("std::vector<int>::reserve(unsigned long)", "stl_vector.h", "app"),
		     OWN_LIBRARY);
}

Test(own, a_name_alone_decides_only_where_no_file_is_known)
{
	cr_expect_eq(kind("core::mem::replace", "", "app"), OWN_LIBRARY);
	cr_expect_eq(kind("<T as core::convert::Into<U>>::into", "", "app"), OWN_LIBRARY);
	cr_expect_eq(kind("<app::Cache as core::clone::Clone>::clone", "", "app"), OWN_OBJECT);
	cr_expect_eq(kind("core::mem::Arena::grow()", "/home/u/core/mem.cpp", "app"), OWN_CODE);
	cr_expect_eq(kind("core::Engine::load()", "", "app"), OWN_CODE);
	cr_expect_eq(kind("alloc::Table::put(int)", "src/alloc.cpp", "app"), OWN_CODE);
	cr_expect_eq(
		kind("std::hash<Key>::operator()(Key const&) const", "/home/u/src/key.h", "app"),
		OWN_CODE);
}

Test(own, python_is_told_by_its_files)
{
	cr_expect_eq(kind("", "/home/u/app.py", ""), OWN_CODE);
	cr_expect_eq(kind("load", "/home/u/app.py", "/usr/bin/python3.11"), OWN_CODE);
	cr_expect_eq(kind("", "/usr/lib/python3.11/json/decoder.py", ""), OWN_LIBRARY);
	cr_expect_eq(kind("", "/opt/py/lib/python3.12/asyncio/events.py", ""), OWN_LIBRARY);
	cr_expect_eq(kind("", "/home/u/venv/lib/python3.11/site-packages/flask/app.py", ""),
		     OWN_LIBRARY);
	cr_expect_eq(kind("", "<frozen importlib._bootstrap>", ""), OWN_LIBRARY);
	cr_expect_eq(kind("", "<string>", ""), OWN_CODE);
	cr_expect_eq(kind("handle", "<string>", ""), OWN_CODE);
	cr_expect_eq(kind("Order.__init__", "<string>", ""), OWN_CODE);
	/* Written by a library for a class: SQLAlchemy, dataclasses, attrs. */
	cr_expect_eq(kind("__init__", "<string>", ""), OWN_OBJECT);
	cr_expect_eq(kind("__create_fn__.<locals>.__init__", "<string>", ""), OWN_OBJECT);
	cr_expect_eq(kind("__init__", "<attrs generated init shop.Order>", ""), OWN_OBJECT);
	cr_expect_eq(kind("root", "<template>", ""), OWN_OBJECT);
	cr_expect_eq(kind("<lambda>", "<string>", ""), OWN_OBJECT);
	cr_expect_eq(kind("handle.<locals>.<lambda>", "<string>", ""), OWN_CODE);
	cr_expect_eq(kind("__init__", "/home/u/app.py", ""), OWN_CODE);
	cr_expect_eq(kind("<module>", "/usr/bin/gunicorn", ""), OWN_LIBRARY);
	cr_expect_eq(kind("<module>", "/home/u/.local/bin/celery", ""), OWN_LIBRARY);
	cr_expect_eq(kind("<module>", "/srv/app/venv/bin/gunicorn", ""), OWN_LIBRARY);
	cr_expect_eq(kind("handle", "/usr/local/bin/report", ""), OWN_CODE);
	cr_expect_eq(kind("", "/home/u/.local/bin/report", ""), OWN_CODE);
	cr_expect_eq(kind("<module>", "/usr/local/bin/report.py", ""), OWN_CODE);
	cr_expect_eq(kind("<module>", "/srv/app/bin/report", ""), OWN_CODE);
	cr_expect_eq(kind("", "/home/u/lib/python_tools/run.py", ""), OWN_CODE);
}

Test(own, an_interpreter_makes_objects_and_a_program_of_such_names_does_not)
{
	cr_expect_eq(kind("_PyObject_GC_New", "", "/usr/bin/python3.11"), OWN_OBJECT);
	cr_expect_eq(kind("PyList_New", "", "/opt/lib/libpython3.12.so.1.0"), OWN_OBJECT);
	cr_expect_eq(kind("list_append", "", "/usr/bin/python3.11"), OWN_LIBRARY);
	cr_expect_eq(kind("PyList_New", "src/mylist.c", "/srv/app"), OWN_CODE);
	cr_expect_eq(kind("g_malloc", "", "/usr/lib/libglib-2.0.so.0"), OWN_PLUMBING);
}

Test(own, what_copies_an_object_is_not_who_asked_for_the_copy)
{
	static const char *const copies[] = {
		"Order::Order(Order const&)",
		"shop::Order::Order(shop::Order&&)",
		"shop::Set<int>::Set(shop::Set<int> const&)",
		"shop::Order::operator=(shop::Order const&)",
		"<app::Event as core::clone::Clone>::clone",
		"<app::Event as alloc::borrow::ToOwned>::to_owned",
		NULL,
	};
	static const char *const others[] = {
		"Order::Order(Line const&)",
		"Order::add(Order const&)",
		"Order::Order()",
		"Order(Order const&)",
		"shop::Order::Order(Order const&)",
		"app::Event::clone",
		"(anonymous namespace)::f(int&&)",
		NULL,
	};

	for (size_t i = 0; copies[i]; i++)
		cr_expect_eq(kind(copies[i], "/home/u/src/order.cc", "/srv/app"), OWN_OBJECT, "%s",
			     copies[i]);
	for (size_t i = 0; others[i]; i++)
		cr_expect_eq(kind(others[i], "/home/u/src/order.cc", "/srv/app"), OWN_CODE, "%s",
			     others[i]);
}

Test(own, globs_of_the_user_win_and_own_wins_over_library)
{
	static const char *const own[] = {"libx.so*", "std::hash*"};
	static const char *const library[] = {"*/third_party/*", "*/third_party/ours/*",
					      "libx.so*"};
	const struct own_rules rules = {own, 2, library, 3, false};
	const char *why;

	cr_expect_eq(own_classify(&rules, "f", "", "/usr/lib/libx.so.1", &why), OWN_CODE);
	cr_expect_str_eq(why, "libx.so*");
	cr_expect_eq(own_classify(&rules, "f", "/home/u/third_party/z/z.c", "/srv/app", &why),
		     OWN_LIBRARY);
	cr_expect_str_eq(why, "*/third_party/*");
	cr_expect_eq(own_classify(&rules, "malloc", "", "/lib/libc.so.6", NULL), OWN_PLUMBING);
}

/* The names of a stack, newest frame first. */
static struct own_names names(const enum own_kind *kinds, size_t count)
{
	struct own_walk walk = OWN_WALK_START;

	for (size_t i = 0; i < count && own_step(&walk, kinds[i]);)
		i++;
	return walk.names;
}

#define NAMES(...)                                                                                 \
	names((enum own_kind[]){__VA_ARGS__},                                                      \
	      sizeof((enum own_kind[]){__VA_ARGS__}) / sizeof(enum own_kind))

Test(own, the_newest_own_frame_names_a_stack_and_the_newest_sensible_one_asked)
{
	struct own_names got =
		NAMES(OWN_PLUMBING, OWN_OBJECT, OWN_LIBRARY, OWN_LIBRARY, OWN_CODE, OWN_CODE);

	cr_expect_eq(got.named, 4);
	cr_expect_eq(got.asked, 2);
	got = NAMES(OWN_PLUMBING, OWN_CODE, OWN_LIBRARY, OWN_CODE);
	cr_expect_eq(got.named, 1);
	cr_expect_eq(got.asked, 1);
}

Test(own, a_stack_of_libraries_is_named_by_its_newest_sensible_frame)
{
	struct own_names got = NAMES(OWN_PLUMBING, OWN_OBJECT, OWN_OBJECT, OWN_LIBRARY);

	cr_expect_eq(got.named, 3);
	got = NAMES(OWN_PLUMBING, OWN_OBJECT, OWN_OBJECT);
	cr_expect_eq(got.named, 1);
	got = NAMES(OWN_PLUMBING, OWN_PLUMBING);
	cr_expect_eq(got.named, 0);
}

Test(own, a_walk_ends_at_own_code)
{
	struct own_walk walk = OWN_WALK_START;

	cr_expect(own_step(&walk, OWN_PLUMBING));
	cr_expect(own_step(&walk, OWN_LIBRARY));
	cr_expect_not(walk.found);
	cr_expect_not(own_step(&walk, OWN_CODE));
	cr_expect(walk.found);
}

/* ---- a program's own malloc ------------------------------------------------------------------- */

Test(own, functions_that_do_what_malloc_does_name_no_site)
{
	static const char *const all[] = {
		"js_malloc",
		"js_defaultalloc",
		"jsonp_strdup",
		"expat_malloc",
		"luaM_realloc_",
		"l_alloc",
		"sq_vm_malloc(unsigned long long)",
		"sqlite3_fooMallocRaw",
		"my_calloc_or_die",
		"xmalloc2",
		"mem_alloc",
		"Perl_safesysrealloc",
		"ztrymalloc_usable_internal",
		"util::checked_malloc<int>(unsigned long)",
		"(anonymous namespace)::strndup_or_abort(char const*, unsigned long)",
		"git__reallocarray.constprop.0",
		"defaultReallocate",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_expect_eq(kind(all[i], "/home/u/src/a.c", "/srv/app"), OWN_OBJECT, "%s", all[i]);
		cr_expect_eq(kind(all[i], "", "/srv/app"), OWN_OBJECT, "%s", all[i]);
	}
}

Test(own, the_end_of_an_incomplete_stack_names_it_only_if_nothing_else_does)
{
	struct own_walk walk = OWN_WALK_START;

	own_step(&walk, kind("malloc", "", "/usr/lib/libc.so.6"));
	own_step(&walk,
		 kind("runtime.asmcgocall", "/usr/local/go/src/runtime/asm_amd64.s", "/srv/app"));
	own_step(&walk, kind("[truncated]", "", ""));
	cr_expect_eq(walk.names.named, 1);
	walk = OWN_WALK_START;
	own_step(&walk, kind("malloc", "", "/usr/lib/libc.so.6"));
	own_step(&walk, kind("[depth limit]", "", ""));
	cr_expect_eq(walk.names.named, 1);
	cr_expect_eq(kind("[lambda]", "/home/u/src/a.c", "/srv/app"), OWN_CODE);
}

Test(own, what_cgo_makes_is_a_library)
{
	cr_expect_eq(kind("main._Cfunc_CString", "_cgo_gotypes.go", "/srv/app"), OWN_LIBRARY);
	cr_expect_eq(kind("_cgo_1b2_Cfunc__Cmalloc", "_cgo_export.c", "/srv/app"), OWN_LIBRARY);
	cr_expect_eq(kind("main.call", "/home/u/src/main.go", "/srv/app"), OWN_CODE);
	cr_expect_eq(kind("parse", "/home/u/src/my_cgo_types.c", "/srv/app"), OWN_CODE);
}

Test(own, functions_that_only_mention_an_allocator_are_the_users)
{
	static const char *const all[] = {
		"node_alloc",        "malloc_stats",     "alloc_table",       "prealloc_nodes",
		"list_prealloc",     "free_all",         "duplicate",         "strdup_table_put",
		"Allocator::init()", "realloc_and_sort", "dealloc",           "find_duplicates",
		"parse(xmalloc*)",   "pool_allocate",    "handle<xmalloc>()", "cache_put",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect_eq(kind(all[i], "/home/u/src/a.c", "/srv/app"), OWN_CODE, "%s", all[i]);
	cr_expect_eq(kind("my_malloc", "/home/u/tool.py", "/usr/bin/python3.11"), OWN_CODE);
}

Test(own, a_programs_own_malloc_can_be_named_on_request_and_names_what_has_nothing_else)
{
	static const char *const own[] = {"js_malloc"};
	static const struct own_rules rules = {.own = own, .own_count = 1};
	struct own_walk walk = OWN_WALK_START;

	cr_expect_eq(own_classify(&rules, "js_malloc", "a.c", "/srv/app", NULL), OWN_CODE);
	own_step(&walk, kind("operator new(unsigned long)", "", "/usr/lib/libstdc++.so.6"));
	own_step(&walk, kind("pool_malloc", "a.c", "/srv/app"));
	cr_expect_eq(walk.names.named, 1);
	own_step(&walk, kind("parse", "a.c", "/srv/app"));
	cr_expect_eq(walk.names.named, 2);
}
