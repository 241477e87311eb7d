/* test_policy.c - suppression patterns, limits and policy files, against values worked out by hand. */
/* links: cmd_analysis */
#include <criterion/criterion.h>

#include <string.h>

#include "analysis/policy/policy.h"
#include "analysis/policy/suppress.h"

/* The cases of LeakSanitizer's documentation and of its matcher. */
Test(suppressions, patterns_match_as_leak_sanitizer_matches_them)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{"foo", "my_foo_bar", true}, {"foo", "fo", false},
		{"^foo", "foobar", true},    {"^foo", "my_foo", false},
		{"foo$", "myfoo", true},     {"foo$", "foobar", false},
		{"foo$", "foofoo", true},    {"^foo$", "foo", true},
		{"^foo$", "foo2", false},    {"a*b", "xxaYYbzz", true},
		{"a*b", "ba", false},        {"^a*b$", "a1b2b", true},
		{"*", "anything", true},     {"libfoo.so*", "/usr/lib/libfoo.so.1", true},
		{"foo", "", false},          {"foo", NULL, false},
		{"^*bar$", "foobar", true},  {"Foo", "foo", false},
		{"foo$bar", "myfoo", true},  {"foo$bar", "foo$bar", false},
		{"f*$x", "foobar", true},    {"$", "foo", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_eq(suppression_matches(cases[i].pattern, cases[i].text), cases[i].matches,
			     "%s on %s", cases[i].pattern, cases[i].text ? cases[i].text : "NULL");
}

Test(suppressions, attributes_follow_the_pattern)
{
	static const char text[] =
		"# known cases\n"
		"\n"
		"leak:libcrypto.so\n"
		"leak:operator new max=64KiB expires=2027-01-31 reason=\"by design\"\n";
	const char *names[] = {NULL, "operator new(unsigned long)"};
	struct suppression_names stack = {names, 2};
	struct suppressions all = {0};

	cr_assert_eq(suppressions_parse(&all, text, "f", NULL), SNAP_OK);
	cr_assert_eq(all.count, 2);
	cr_assert_str_eq(all.rules[0].pattern, "libcrypto.so");
	cr_assert_eq(all.rules[0].max_bytes, UINT64_MAX);
	cr_assert_str_eq(all.rules[1].pattern, "operator new");
	cr_assert_eq(all.rules[1].max_bytes, 65536);
	cr_assert_eq(all.rules[1].expires, 20270131);
	cr_assert_str_eq(all.rules[1].reason, "by design");
	cr_assert_eq(all.rules[1].line, 4);
	cr_assert_eq(suppressions_find(&all, &stack, 65536, 20270131), &all.rules[1]);
	cr_assert_null(suppressions_find(&all, &stack, 65537, 20270131), "above max=");
	cr_assert_null(suppressions_find(&all, &stack, 1, 20270201), "expired");
	cr_assert_eq(all.rules[1].matches, 1);
	cr_assert_eq(all.rules[1].bytes, 65536);
	suppressions_release(&all);
}

Test(suppressions, a_wrong_line_is_named)
{
	static const char *const wrong[] = {
		"leak:x\nrace:y\n",
		"leak:x\nleak:\n",
		"leak:x\nleak:y max=many\n",
		"leak:x\nleak:y expires=2027-13-01\n",
		"leak:x\nleak:y expires=2027-02-29\n",
		"leak:x\nleak:y expires=2027-04-31\n",
		"leak:x\nleak:y reason=bare\n",
		"leak:x\nleak:y max=1 rubbish\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct snap_error err = {0};
		struct suppressions all = {0};

		cr_expect_eq(suppressions_parse(&all, wrong[i], "f", &err), SNAP_EUSAGE, "%s",
			     wrong[i]);
		cr_expect(strstr(err.message, "f, line 2: ") == err.message, "%s", err.message);
	}
}

Test(policy, a_limit_is_an_increase_or_a_level)
{
	struct policy_texts texts = {
		.max_total = "+5%", .max_site = "+64KiB", .max_peak = "64MiB", .max_rss = "10%"};
	struct policy policy;
	double allowed;

	cr_assert_eq(policy_parse(&policy, &texts, NULL), SNAP_OK);
	cr_assert(!policy_exceeds(&policy.max_total, 1000, 1050, &allowed));
	cr_assert(policy_exceeds(&policy.max_total, 1000, 1051, &allowed));
	cr_assert(!policy_exceeds(&policy.max_site, 10, 65546, &allowed));
	cr_assert(policy_exceeds(&policy.max_site, 10, 65547, &allowed));
	cr_assert(!policy_exceeds(&policy.max_peak, 0, 67108864, &allowed));
	cr_assert(policy_exceeds(&policy.max_peak, 0, 67108865, &allowed));
	cr_assert(policy_exceeds(&policy.max_rss, 100, 111, &allowed));
	cr_assert(!policy_exceeds(&policy.max_never_freed, 0, 1e18, &allowed), "not set");
}

Test(policy, verdicts_fail_from_a_confidence_on)
{
	struct policy_texts texts = {.fail_on = "leak:high,sawtooth"};
	struct policy policy;

	cr_assert_eq(policy_parse(&policy, &texts, NULL), SNAP_OK);
	cr_assert_eq(policy.fail_on[GROWTH_LEAK], GROWTH_HIGH);
	cr_assert_eq(policy.fail_on[GROWTH_SAWTOOTH], GROWTH_MEDIUM);
	cr_assert_eq(policy.fail_on[GROWTH_CONTAINER], -1);
	texts.fail_on = NULL;
	cr_assert_eq(policy_parse(&policy, &texts, NULL), SNAP_OK);
	cr_assert_eq(policy.fail_on[GROWTH_LEAK], GROWTH_MEDIUM);
	cr_assert_eq(policy.fail_on[GROWTH_CONTAINER], GROWTH_MEDIUM);
	cr_assert_eq(policy.fail_on[GROWTH_WARM_UP], -1);
}

Test(policy, rates_are_per_hour)
{
	struct policy_texts texts = {.max_growth = "1MiB/min"};
	struct policy policy;

	cr_assert_eq(policy_parse(&policy, &texts, NULL), SNAP_OK);
	cr_assert_eq(policy.max_growth, 60.0 * 1048576);
	texts.max_growth = "1MiB";
	cr_assert_eq(policy_parse(&policy, &texts, NULL), SNAP_EUSAGE);
}

Test(policy, what_cannot_be_read_is_refused)
{
	static const struct policy_texts wrong[] = {
		{.max_total = "lots"},      {.max_site = "+"},         {.max_site = "-5%"},
		{.max_new_sites = "+1"},    {.fail_on = "leek:high"},  {.fail_on = "leak:certain"},
		{.min_delta = "x"},         {.max_never_freed = "+1"}, {.max_unreachable = "+5%"},
		{.max_unreachable = "few"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct policy policy;
		struct snap_error err = {0};

		cr_expect_eq(policy_parse(&policy, &wrong[i], &err), SNAP_EUSAGE, "%zu", i);
		cr_expect_neq(err.message[0], '\0');
	}
}

Test(policy_file, keys_are_the_options_and_sections_are_rules)
{
	static const char text[] = "# the gate\n"
				   "max-total = +5%\n"
				   "strict = true\n"
				   "suppressions = lsan.supp\n"
				   "[rule codec]\n"
				   "module = libcodec*\n"
				   "max-site = 0\n"
				   "[rule parser]\n"
				   "function = parse_*\n"
				   "max-new-sites = 2\n";
	struct policy_file file;

	cr_assert_eq(policy_file_parse(&file, text, "f", NULL), SNAP_OK);
	cr_assert_str_eq(file.texts.max_total, "+5%");
	cr_assert(file.strict);
	cr_assert_str_eq(file.suppressions, "lsan.supp");
	cr_assert_eq(file.scope_count, 2);
	cr_assert_str_eq(file.scopes[0].name, "codec");
	cr_assert_str_eq(file.scopes[0].module, "libcodec*");
	cr_assert(!file.scopes[0].max_site.is_increase);
	cr_assert_eq(file.scopes[0].max_site.bytes, 0);
	cr_assert_eq(file.scopes[1].max_new_sites, 2);
	policy_file_release(&file);
}

Test(policy_file, a_wrong_line_is_named)
{
	static const char *const wrong[] = {
		"max-total = 5%\nmax-totl = 5%\n",
		"max-total = 5%\n[rule x\n",
		"[rule x]\nmax-total = 5%\nmodul = y\n",
		"max-total = 5%\nstrict = maybe\n",
		"max-total = 5%\nmax-site = lots\n",
		"max-total = 5%\nmax-growth = 1MiB\n",
		"max-total = 5%\nfail-on = leek\n",
		"max-total = 5%\nfail-on =\n",
		"max-total = 5%\nmax-never-freed = +5%\n",
		"max-total = 5%\nmin-delta = small\n",
		"max-total = 5%\nrequire-confirm = -1\n",
		"max-total = 5%\nmatch = nearly\n",
		"max-total = 5%\ngroup = town\n",
		"[rule x]\nmax-site = +\nfile = a\n",
		"[rule x]\nmax-new-sites = few\nfile = a\n",
		"[rule x]\nmodule =\nmax-site = 1\n",
		"[rule x]\nfunction = [\nmax-site = 1\n",
		"[rule x]\nfile = src/[ab\nmax-site = 1\n",
		"[rule x]\nmodule = lib\\\nmax-site = 1\n",
		"max-total = 5%\nown = [\n",
		"max-total = 5%\nlibrary =\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct snap_error err = {0};
		struct policy_file file;

		cr_expect_eq(policy_file_parse(&file, wrong[i], "f", &err), SNAP_EUSAGE, "%s",
			     wrong[i]);
		cr_expect(strstr(err.message, i == 2 ? "line 3" : "line 2"), "%s", err.message);
		policy_file_release(&file);
	}
}

Test(policy_file, a_line_that_the_library_would_cut_is_refused)
{
	char text[400];
	struct snap_error err = {0};
	struct policy_file file;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(policy_file_parse(&file, text, "f", &err), SNAP_EUSAGE);
	policy_file_release(&file);
}
