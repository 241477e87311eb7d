/* test_symbols_names.c - names of functions and source files. */
/* links: cmd_symbols */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "symbols/demangle.h"
#include "symbols/paths.h"

struct vector {
	const char *in, *out;
};

static void check(const struct vector *vectors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *got = demangle_function(vectors[i].in);

		cr_expect_str_eq(got, vectors[i].out);
		free(got);
	}
}

#define CHECK(vectors) check(vectors, sizeof(vectors) / sizeof(*(vectors)))

Test(names, of_c_stay_as_they_are)
{
	static const struct vector vectors[] = {
		{"main", "main"},   {"", ""},           {"_", "_"},
		{"_Z", "_Z"},       {"_Zero", "_Zero"}, {"foo.bar", "foo.bar"},
		{"x.y.z", "x.y.z"},
	};

	CHECK(vectors);
}

Test(names, lose_the_suffixes_of_compiler_clones)
{
	static const struct vector vectors[] = {
		{"f.constprop.0", "f"},
		{"f.isra.0.cold", "f"},
		{"f.part.12", "f"},
		{"f.lto_priv.0.constprop.3", "f"},
		{"f.llvm.1234567890", "f"},
		{"f.cold.7", "f"},
		{".cold", ".cold"},
		{"_Z3addii.constprop.0", "add(int, int)"},
		{"_ZL3addii.part.0.isra.0", "add(int, int)"},
	};

	CHECK(vectors);
}

/* The first ones as GCC 12 names the parts of a coroutine, the last ones as clang 14 does. */
Test(names, of_parts_of_a_coroutine_are_that_of_the_coroutine)
{
	static const struct vector vectors[] = {
		{"_Z4leafPZ4leafPKciE17_Z4leafPKci.Frame.actor", "leaf(char const*, int)"},
		{"_Z4leafPZ4leafPKciE17_Z4leafPKci.Frame.destroy", "leaf(char const*, int)"},
		{"_ZZ3mididENUliE_clEPZZ3mididENKS_clEiE27_ZZ3mididENKUliE_clEi.Frame.actor",
		 "mid(int, double)::{lambda(int)#1}::operator()(int) const"},
		{"_Z4leafPKci.resume", "leaf(char const*, int)"},
		{"_Z4leafPKci.cleanup", "leaf(char const*, int)"},
		{"_Z3oddPZ3oddvE5Frame", "odd(odd()::Frame*)"},
	};

	CHECK(vectors);
}

/* Expected values: c++filt of binutils 2.40, with the return types cut off by hand. */
Test(names, of_cxx_have_parameters_and_no_return_type)
{
	static const struct vector vectors[] = {
		{"_ZNSt6vectorIiSaIiEE7reserveEm",
		 "std::vector<int, std::allocator<int> >::reserve(unsigned long)"},
		{"_Z4makeIiEPT_RSt6vectorIS0_SaIS0_EEi",
		 "make<int>(std::vector<int, std::allocator<int> >&, int)"},
		{"_ZN12_GLOBAL__N_13addIiEET_S1_S1_", "(anonymous namespace)::add<int>(int, int)"},
		{"_ZnwmRKSt9nothrow_t", "operator new(unsigned long, std::nothrow_t const&)"},
		{"_ZdaPv", "operator delete[](void*)"},
		{"_ZN1AcvPvEv", "A::operator void*()"},
		{"_ZN1AcvT_IiEEv", "A::operator int<int>()"},
		{"_ZNK1AltERKS_", "A::operator<(A const&) const"},
		{"_ZltIiEbRK1AIT_ES4_", "operator< <int>(A<int> const&, A<int> const&)"},
		{"_ZlsIiER1AS1_RKT_", "operator<< <int>(A&, int const&)"},
		{"_ZN1AptEv", "A::operator->()"},
		{"_ZNK1AclIiEEvT_", "A::operator()<int>(int) const"},
		{"_Z3getIiEPFvcET_", "get<int>(int)"},
		{"_ZZN1A1fEvENKUliE_clEi", "A::f()::{lambda(int)#1}::operator()(int) const"},
		{"_ZZNK1A1fEvENKUlT_E_clIiEEDaS0_",
		 "A::f() const::{lambda(auto:1)#1}::operator()<int>(int) const"},
		{"_ZN1AC2Ei", "A::A(int)"},
		{"_ZN1AD0Ev", "A::~A()"},
		{"_ZThn16_N1B1fEv", "non-virtual thunk to B::f()"},
		{"_ZN1A1fEOS_", "A::f(A&&)"},
		{"_ZNO1A1gEv", "A::g() &&"},
	};

	CHECK(vectors);
}

/* Expected values: c++filt, without hashes and the types of constants. */
Test(names, of_rust_have_no_hash)
{
	static const struct vector vectors[] = {
		{"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"},
		{"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
		 "3bar17h930b740aa94f1d3aE",
		 "<Test + 'static as foo::Bar<Test>>::bar"},
		{"_ZN4core3fmt5write17h0123456789abcdefE.llvm.123", "core::fmt::write"},
		{"_RNvC6_123foo3bar", "123foo::bar"},
		{"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
		{"_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"},
		{"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate",
		 "<std::path::PathBuf>::new"},
		{"_RNvXCs15kBYyAo9fc_7mycrateNtB2_7ExampleNtB2_5Trait3foo",
		 "<mycrate::Example as mycrate::Trait>::foo"},
		{"_RINvNtC3std3mem8align_ofjEC7mycrate", "std::mem::align_of::<usize>"},
		{"_RINvCs1234_7mycrate3fooFG_RL0_hEuE", "mycrate::foo::<for<'a> fn(&'a u8)>"},
		{"_RINvC1a1bDNtC1c1dp1eyEL_E", "a::b::<dyn c::d<e = u64>>"},
		{"_RINvC1a1bTlAhj4_EKb1_Kln5_Kc41_E", "a::b::<(i32, [u8; 4]), true, -5, 'A'>"},
		{"_RNvNtCskK7mfDs1mzF_1mu9gre_6ka8iu7ber_goa", "m::größe::über"},
		{"_RNvC7mycrate8GBlocks_", "mycrate::GBlocks_"},
	};

	CHECK(vectors);
}

Test(names, that_only_look_mangled_come_back_unharmed)
{
	static const struct vector vectors[] = {
		{"_R", "_R"},
		{"_RB_", "_RB_"},
		{"_RNvB_3foo", "_RNvB_3foo"},
		{"_RNvC3foo99bar", "_RNvC3foo99bar"},
		{"_RIC3fooRRRRRRRR", "_RIC3fooRRRRRRRR"},
		{"_ZN4core17h0123456789abcdef", "_ZN4core17h0123456789abcdef"},
	};

	CHECK(vectors);
}

Test(names, of_hostile_length_end)
{
	char deep[5000] = "_R";
	char *got;

	for (size_t i = 2; i + 1 < sizeof(deep); i++)
		deep[i] = 'N';
	got = demangle_function(deep);
	cr_expect_str_eq(got, deep);
	free(got);
	/* Each T doubles what the back-reference repeats. */
	got = demangle_function("_RINvC1a1bTTTTTTTTTTTTTTTTTTTTTThhEB8_EB7_EB6_EB5_EE");
	cr_expect_not_null(got);
	free(got);
}

/* Found by fuzzing: libiberty counts to 2^64. */
Test(names, that_announce_more_lifetimes_than_a_program_has_stay_as_they_are)
{
	static const char *const all[] = {"_RYYYFFFYXYFYYFFFFFFYYFFGBFFYFFFYXYFYYFFFFFFYYFFGBFF_",
					  "_RINvCs1234_7mycrate3fooFGzzzzzzzz_RL0_hEuE"};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char *name = demangle_function(all[i]);

		cr_expect_str_eq(name, all[i]);
		free(name);
	}
}

Test(names, of_source_files_lose_the_compilation_directory_and_detours)
{
	static const struct {
		const char *file, *directory, *out;
	} cases[] = {
		{"/home/me/src/a.c", "/home/me", "src/a.c"},
		{"/home/me/src/a.c", "/home/me/", "src/a.c"},
		{"/home/metoo/a.c", "/home/me", "/home/metoo/a.c"},
		{"/build/../src/a.c", "/build", "../src/a.c"},
		{"/build/./sub//../a.c", "/build", "a.c"},
		{"/usr/include/c++/12/bits/../x.h", "/b", "/usr/include/c++/12/x.h"},
		{"./a.c", "/b", "a.c"},
		{"../../a.c", NULL, "../../a.c"},
		{"x/../../a.c", NULL, "../a.c"},
		{"/../a.c", NULL, "/../a.c"},
		{"/a.c", "/", "/a.c"},
		{"", "/b", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *got = paths_source_name(cases[i].file, cases[i].directory);

		cr_expect_str_eq(got, cases[i].out);
		free(got);
	}
}

/* Each part is twice the one before: written out, the names have 2^40 parts. */
Test(names, that_would_be_exponentially_long_stay_as_they_are)
{
	static const char rust[] =
		"_RINvC1a1bTmmETB7_B7_ETBb_Bb_ETBj_Bj_ETBr_Br_ETBz_Bz_ETBH_BH_ETBP_BP_E"
		"TBX_BX_ETB15_B15_ETB1d_B1d_ETB1n_B1n_ETB1x_B1x_ETB1H_B1H_ETB1R_B1R_ETB"
		"21_B21_ETB2b_B2b_ETB2l_B2l_ETB2v_B2v_ETB2F_B2F_ETB2P_B2P_ETB2Z_B2Z_ETB"
		"39_B39_ETB3j_B3j_ETB3t_B3t_ETB3D_B3D_ETB3N_B3N_ETB3X_B3X_ETB47_B47_ETB"
		"4h_B4h_ETB4r_B4r_ETB4B_B4B_ETB4L_B4L_ETB4V_B4V_ETB55_B55_ETB5f_B5f_ETB"
		"5p_B5p_ETB5z_B5z_ETB5J_B5J_ETB5T_B5T_ETB63_B63_EE";
	char cxx[1024] = "_Z1fSt4pairIiiE", part[32];
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *name = demangle_function(rust);

	cr_expect_str_eq(name, rust);
	free(name);
	for (int i = 0; i < 36; i++) {
		snprintf(part, sizeof(part), "S_IS%c_S%c_E", digits[i], digits[i]);
		strcat(cxx, part);
	}
	name = demangle_function(cxx);
	cr_expect_str_eq(name, cxx);
	free(name);
}
