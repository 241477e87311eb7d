/*
 * test_names.c - plumbing and normalised names.
 */
/* links: cmd_model */
#include <criterion/criterion.h>

#include <string.h>

#include "model/names.h"

static bool plumbing(const char *function)
{
	return name_is_plumbing(function, "", "app");
}

static const char *normal(const char *function)
{
	static char out[512];

	name_normalise(function, out, sizeof(out));
	return out;
}

static const char *module(const char *path)
{
	static char out[512];

	name_normalise_module(path, out, sizeof(out));
	return out;
}

Test(names, allocators_of_c_are_plumbing)
{
	static const char *const all[] = {
		"malloc",
		"calloc",
		"PyMem_Calloc",
		"zrealloc",
		"xmalloc",
		"xmalloc.part.0",
		"xstrdup",
		"__libc_malloc",
		"strdup",
		"asprintf",
		"_IO_vasprintf",
		"g_malloc0",
		"mmap",
		"_PyObject_Realloc",
		"malloc@@GLIBC_2.2.5",
		"posix_memalign",
		"__wcsdup",
		"aligned_alloc",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect(plumbing(all[i]), "%s", all[i]);
}

Test(names, functions_that_only_mention_an_allocator_are_not_plumbing)
{
	static const char *const all[] = {
		"leak_malloc",
		"malloc_stats",
		"cache_realloc",
		"by_calloc",
		"main",
		"",
		"new",
		"xmalloc2",
		"operator_new",
		"Pool::malloc(int)",
		"std::vector<int>::reserve(unsigned long)",
		"std::vector<Foo, std::allocator<Foo> >::push_back(Foo const&)",
		"fill(std::allocator<int>)",
		"std::operator+(std::string const&, char const*)",
		"alloc::vec::Vec<T>::with_capacity",
		"parse::__hidden",
		"operator()(int)",
		"libc.so.6+0x1234",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect_not(plumbing(all[i]), "%s", all[i]);
}

Test(names, machinery_of_cxx_and_rust_is_plumbing)
{
	static const char *const all[] = {
		"operator new(unsigned long)",
		"operator new[](unsigned long, std::align_val_t)",
		"Pool::operator new(unsigned long)",
		"std::allocator<int>::allocate(unsigned long)",
		"std::__new_allocator<int>::allocate(unsigned long, void const*)",
		"__gnu_cxx::new_allocator<int>::allocate(unsigned long, void const*)",
		("std::allocator_traits<std::allocator<int> >::allocate(std::allocator<int>&, "
		 "unsigned long)"),
		"std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
		"std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)",
		"std::__cxx11::basic_string<char>::_M_create(unsigned long&, unsigned long)",
		"std::__1::allocator<int>::allocate(unsigned long)",
		"__rust_alloc",
		"alloc::alloc::exchange_malloc",
		"alloc::raw_vec::RawVec<T,A>::grow_one",
		"<alloc::alloc::Global as core::alloc::Allocator>::allocate",
		"alloc::boxed::Box<T>::new",
		"std::make_unique<Foo>()",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect(plumbing(all[i]), "%s", all[i]);
}

Test(names, frames_of_our_own_runtime_are_plumbing)
{
	cr_expect(name_is_plumbing("anything", "", "/usr/lib/libsnap.so.0"));
	cr_expect_not(name_is_plumbing("anything", "", "/usr/lib/libsnapshot.so"));
}

#define EXPECT_NORMAL(from, to) cr_expect_str_eq(normal(from), to)

Test(names, compiler_clones_are_their_original)
{
	EXPECT_NORMAL("parse.constprop.0", "parse");
	EXPECT_NORMAL("parse.isra.0.cold", "parse");
	EXPECT_NORMAL("parse.part.12", "parse");
	EXPECT_NORMAL("parse.llvm.1234567890", "parse");
	EXPECT_NORMAL("parse(int) [clone .isra.0]", "parse(int)");
	EXPECT_NORMAL("parse(int) [clone .isra.0] [clone .cold]", "parse(int)");
	EXPECT_NORMAL("parse(int) (.isra.0)", "parse(int)");
	EXPECT_NORMAL("counter.5", "counter");
	EXPECT_NORMAL("module.parse", "module.parse");
	EXPECT_NORMAL(".cold", ".cold");
	EXPECT_NORMAL("malloc@@GLIBC_2.2.5", "malloc");
}

Test(names, rust_hashes_and_disambiguators_do_not_count)
{
	EXPECT_NORMAL("app::parse::h0123456789abcdef", "app::parse");
	EXPECT_NORMAL("app::parse::hello", "app::parse::hello");
	EXPECT_NORMAL("core[846817f741e54dfd]::fmt::write", "core::fmt::write");
	EXPECT_NORMAL("app::run::{closure#3}", "app::run::{closure#}");
	EXPECT_NORMAL("app::table[3]", "app::table[3]");
}

Test(names, numbers_of_lambdas_and_unnamed_things_do_not_count)
{
	EXPECT_NORMAL("run()::{lambda(int)#2}::operator()(int) const",
		      "run()::{lambda(int)#}::operator()(int)const");
	EXPECT_NORMAL("main::$_12::operator()()", "main::$_::operator()()");
	EXPECT_NORMAL("(anonymous namespace)::init()", "{anon}::init()");
	EXPECT_NORMAL("{anonymous}::init()", "{anon}::init()");
}

Test(names, spelling_of_templates_is_canonical)
{
	EXPECT_NORMAL("std::vector<int, std::allocator<int> >::reserve(unsigned long)",
		      "std::vector<int>::reserve(unsigned long)");
	EXPECT_NORMAL("std::map<int, std::vector<int>>::size()",
		      "std::map<int,std::vector<int>>::size()");
	EXPECT_NORMAL("std::map<int, Foo, std::less<int>, std::allocator<std::pair<int const, Foo> "
		      "> >::at(int)",
		      "std::map<int,Foo>::at(int)");
	EXPECT_NORMAL("name[abi:cxx11](std::__cxx11::basic_string<char, std::char_traits<char>, "
		      "std::allocator<char> > const&)",
		      "name(std::string const&)");
	EXPECT_NORMAL("std::__1::vector<int>::size()", "std::vector<int>::size()");
	EXPECT_NORMAL("operator<<(int, Foo const&)", "operator<<(int,Foo const&)");
	EXPECT_NORMAL("f(unsigned long, char const*)", "f(unsigned long,char const*)");
}

static const char *bare(const char *function)
{
	static char out[512];

	name_bare(function, out, sizeof(out));
	return out;
}

Test(names, bare_names_are_without_parameters_and_template_arguments)
{
	cr_expect_str_eq(bare("std::vector<int, std::allocator<int> >::reserve(unsigned long)"),
			 "std::vector::reserve");
	cr_expect_str_eq(bare("send(int, char const*)"), "send");
	cr_expect_str_eq(bare("(anonymous namespace)::init()"), "{anon}::init");
	cr_expect_str_eq(bare("parse.constprop.0"), "parse");
	cr_expect_str_eq(bare("app::parse::h0123456789abcdef"), "app::parse");
	cr_expect_str_eq(bare("libfoo.so.0+0x1234"), "libfoo.so.0+0x1234");
	cr_expect_str_eq(bare(""), "");
}

Test(names, bare_names_of_methods_keep_the_type_that_they_belong_to)
{
	cr_expect_str_eq(bare("<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem"),
			 "u8::from_elem");
	cr_expect_str_eq(bare("<alloc::vec::Vec<u8>>::reserve"), "alloc::vec::Vec::reserve");
	cr_expect_str_eq(
		bare("<hashbrown::raw::RawTableInner>::new_uninitialized::<alloc::Global>"),
		"hashbrown::raw::RawTableInner::new_uninitialized");
	cr_expect_str_eq(bare("<app::Cache<K, V> as app::Store<K>>::put::<T>"), "app::Cache::put");
	cr_expect_str_eq(bare("<[u8] as app::Bytes>::to_vec"), "[u8]::to_vec");
	cr_expect_str_eq(bare("<F as core::ops::Fn(u8) -> u8>::call"), "F::call");
	cr_expect_str_eq(bare("<<T as app::A>::B as app::C<D>>::e"), "<T as app::A>::B::e");
	cr_expect_str_eq(bare("::global(int)"), "global");
	cr_expect_str_eq(bare("<unmatched"), "<unmatched");
}

Test(names, hostile_names_are_survived)
{
	static const char *const all[] = {
		">",   ">>>>",       "<",         "<<<<",       "((((",   "[abi:",
		"#1}", "::",         "operator",  "std::",      "std::<", "(",
		"@",   "[clone .x]", " ",         "<>",         "<>::",   "< as >::<>",
		"<<>", "<a as ",     "a [clone ", ",std::less>"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_expect_leq(strlen(normal(all[i])), strlen(all[i]), "%s", all[i]);
		plumbing(all[i]);
		bare(all[i]);
	}
}

Test(names, a_short_buffer_gets_a_cut_name_and_the_length_needed)
{
	char out[6];

	cr_expect_eq(name_normalise("parse_everything.cold", out, sizeof(out)), 16);
	cr_expect_str_eq(out, "parse");
	cr_expect_eq(name_normalise("parse", NULL, 0), 5);
}

Test(names, libraries_are_compared_without_versions)
{
	cr_expect_str_eq(module("/usr/lib/x86_64-linux-gnu/libfoo.so.1.2.3"), "libfoo.so");
	cr_expect_str_eq(module("/lib/libc-2.31.so"), "libc.so");
	cr_expect_str_eq(module("libbfd-2.40-system.so"), "libbfd-system.so");
	cr_expect_str_eq(module("_json.cpython-311-x86_64-linux-gnu.so"), "_json.so");
	cr_expect_str_eq(module("/opt/bin/server (deleted)"), "server");
	cr_expect_str_eq(module("python3.11"), "python3.11");
	cr_expect_str_eq(module("libx.solid"), "libx.solid");
	cr_expect_str_eq(module(""), "");
}

Test(names, what_stands_for_an_unknown_function_is_an_address)
{
	cr_expect(name_is_address("libfoo.so+0x1234"));
	cr_expect(name_is_address("0xdeadbeef"));
	cr_expect_not(name_is_address("main"));
	cr_expect_not(name_is_address(""));
	cr_expect_not(name_is_address("0x"));
	cr_expect_not(name_is_address("Vector::operator+"));
	cr_expect_not(name_is_address("operator+(0x1, int)"));
}
