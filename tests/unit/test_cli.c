/*
 * test_cli.c - option tables against command lines; sizes and durations; suggestions.
 */
/* links: cmd_cli snapformat */
#include <criterion/criterion.h>
#include <string.h>

#include "cli/cli.h"

struct fruit_options {
	bool ripe, washed;
	const char *name;
	struct text_list tags;
	uint64_t count, weight, age;
	int color;
	const char *pattern;
};

static const char *const colors[] = {"green", "yellow", "red", NULL};

#define FIELD(member) offsetof(struct fruit_options, member)
static const struct option fruit_table[] = {
	{"ripe", 'r', OPTION_FLAG, FIELD(ripe), NULL, "is ripe", NULL},
	{"washed", 'w', OPTION_FLAG, FIELD(washed), NULL, "is washed", NULL},
	{"name", 0, OPTION_TEXT, FIELD(name), "NAME", "what it is called", NULL},
	{"tag", 't', OPTION_LIST, FIELD(tags), "TAG", "one more tag", NULL},
	{0},
};
static const struct option measure_table[] = {
	{"count", 'n', OPTION_COUNT, FIELD(count), "N", "how many", NULL},
	{"weight", 0, OPTION_SIZE, FIELD(weight), "SIZE", "how heavy", NULL},
	{"age", 0, OPTION_DURATION, FIELD(age), "DUR", "how old", NULL},
	{"color", 'c', OPTION_CHOICE, FIELD(color), "COLOR", "its colour", colors},
	{"pattern", 0, OPTION_REGEX, FIELD(pattern), "RE", "a pattern", NULL},
	{0},
};
static const struct option *const fruit_tables[] = {fruit_table, measure_table, NULL};
static const struct fruit_options fruit_defaults = {.count = 20, .color = 2};

static const struct command fruit = {
	.name = "fruit",
	.alias = "obst",
	.summary = "Describe a fruit",
	.usage = "[options] FRUIT [OTHER]",
	.options = fruit_tables,
	.options_size = sizeof(struct fruit_options),
	.defaults = &fruit_defaults,
	.operands_min = 0,
	.operands_max = 2,
};
static const struct option peel_table[] = {
	{"knife", 'k', OPTION_FLAG, 0, NULL, "with a knife", NULL},
	{0},
};
static const struct option *const peel_tables[] = {peel_table, NULL};
static const struct command peel = {
	.name = "peel",
	.usage = "COMMAND...",
	.options = peel_tables,
	.options_size = sizeof(bool),
	.operands_max = -1,
	.operands_end_options = true,
};
static const struct command mix = {
	.name = "mix",
	.usage = "A... -- B...",
	.options = fruit_tables,
	.options_size = sizeof(struct fruit_options),
	.operands_max = -1,
	.keeps_separator = true,
};

/* The program that these tests are. */
const struct command *const *cli_commands(void)
{
	static const struct command *const all[] = {&fruit, &peel, &mix, NULL};

	return all;
}

struct outcome {
	enum snap_status status;
	struct fruit_options options;
	int count, help;
	char *operands[16];
	struct snap_error err;
};

static struct outcome parse(const struct command *command, const char *line)
{
	static char text[256];
	char *argv[16] = {NULL}, *rest = NULL;
	struct outcome outcome = {0};
	int argc = 0;

	snprintf(text, sizeof(text), "command %s", line);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	outcome.status = cli_parse(command, argc, argv, &outcome.options, &outcome.count,
				   outcome.operands, &outcome.help, &outcome.err);
	return outcome;
}

static void refuses(const char *line, const char *sentence)
{
	struct outcome outcome = parse(&fruit, line);

	cr_expect_eq(outcome.status, SNAP_EUSAGE, "%s", line);
	cr_expect_str_eq(outcome.err.message, sentence);
	cli_release(&fruit, &outcome.options);
}

Test(cli, defaults_hold_where_the_line_says_nothing)
{
	struct outcome outcome = parse(&fruit, "");

	cr_expect_eq(outcome.status, SNAP_OK);
	cr_expect_eq(outcome.options.count, 20);
	cr_expect_eq(outcome.options.color, 2);
	cr_expect_not(outcome.options.ripe);
}

Test(cli, long_options_take_their_value_attached_or_apart)
{
	struct outcome outcome =
		parse(&fruit, "--name=apple --weight 1.5KiB --age=1.5s --color green");

	cr_expect_str_eq(outcome.options.name, "apple");
	cr_expect_eq(outcome.options.weight, 1536);
	cr_expect_eq(outcome.options.age, 1500000000);
	cr_expect_eq(outcome.options.color, 0);
}

Test(cli, letters_take_their_value_attached_or_apart_and_flags_bundle)
{
	struct outcome outcome = parse(&fruit, "-rwn5 -c yellow");

	cr_expect(outcome.options.ripe);
	cr_expect(outcome.options.washed);
	cr_expect_eq(outcome.options.count, 5);
	cr_expect_eq(outcome.options.color, 1);
}

Test(cli, options_and_operands_may_be_mixed)
{
	struct outcome outcome = parse(&fruit, "apple -r pear");

	cr_expect(outcome.options.ripe);
	cr_expect_eq(outcome.count, 2);
	cr_expect_str_eq(outcome.operands[0], "apple");
	cr_expect_str_eq(outcome.operands[1], "pear");
	cr_expect_null(outcome.operands[2]);
}

Test(cli, two_dashes_end_the_options)
{
	struct outcome outcome = parse(&fruit, "-r -- -w --name");

	cr_expect_eq(outcome.status, SNAP_OK);
	cr_expect_not(outcome.options.washed);
	cr_expect_eq(outcome.count, 2);
	cr_expect_str_eq(outcome.operands[0], "-w");
}

Test(cli, one_dash_is_an_operand)
{
	struct outcome outcome = parse(&fruit, "-");

	cr_expect_eq(outcome.count, 1);
	cr_expect_str_eq(outcome.operands[0], "-");
}

Test(cli, a_list_option_collects)
{
	struct outcome outcome = parse(&fruit, "--tag=a -t b -tc");

	cr_expect_eq(outcome.options.tags.count, 3);
	cr_expect_str_eq(outcome.options.tags.items[2], "c");
	cli_release(&fruit, &outcome.options);
}

Test(cli, the_first_operand_ends_options_of_a_command_that_runs_another)
{
	struct outcome outcome = parse(&peel, "-k apple -k --version");

	cr_expect_eq(outcome.status, SNAP_OK);
	cr_expect_eq(outcome.count, 3);
	cr_expect_str_eq(outcome.operands[1], "-k");
}

Test(cli, a_command_that_separates_operands_keeps_the_dashes)
{
	struct outcome outcome = parse(&mix, "a -r b -- c");

	cr_expect_eq(outcome.count, 4);
	cr_expect_str_eq(outcome.operands[2], "--");
	cr_expect_str_eq(outcome.operands[3], "c");
}

Test(cli, a_long_option_may_be_shortened_while_it_is_the_only_one)
{
	cr_expect(parse(&fruit, "--ri").options.ripe);
	refuses("--w", "--w is short for several options: --washed, --weight");
}

Test(cli, help_is_noticed_wherever_it_stands)
{
	cr_expect_eq(parse(&fruit, "a b c d -h").help, 'h');
	cr_expect_eq(parse(&fruit, "-r --help").help, 'H');
	cr_expect_eq(parse(&peel, "apple --help").help, 0);
}

Test(cli, mistakes_are_answered_with_a_sentence)
{
	refuses("--rippe", "unknown option --rippe; did you mean --ripe?");
	refuses("--zzzzzz", "unknown option --zzzzzz; see snapdiff fruit --help");
	refuses("--knife", "this command has no option --knife; it belongs to: peel");
	refuses("-z", "unknown option -z; see snapdiff fruit --help");
	refuses("-rz", "unknown option -z; see snapdiff fruit --help");
	refuses("--ripe=yes", "--ripe takes no value");
	refuses("--name", "--name needs a value: NAME");
	refuses("-n", "--count needs a value: N");
	refuses("-n -5", "--count wants a whole number, not '-5'");
	refuses("-n 5x", "--count wants a whole number, not '5x'");
	refuses("-n 99999999999999999999",
		"--count wants a number below 2^64, not '99999999999999999999'");
	refuses("--weight heavy", "--weight wants a size like 4096, 64KiB or 1.5MiB, not 'heavy'");
	refuses("--age 5", "--age wants a unit, as in 500ms, 10s or 5m, not '5'");
	refuses("-c gren",
		"--color has no 'gren'; did you mean green?  It is one of green, yellow, red");
	refuses("-c blue", "--color has no 'blue'; it is one of green, yellow, red");
	refuses("a b c",
		"too many operands, from 'c' on; usage: snapdiff fruit [options] FRUIT [OTHER]");
	refuses("--=x", "unknown option --; see snapdiff fruit --help");
}

Test(cli, a_pattern_must_be_a_regular_expression)
{
	struct outcome outcome = parse(&fruit, "--pattern a[");

	cr_expect_eq(outcome.status, SNAP_EUSAGE);
	cr_expect(strncmp(outcome.err.message,
			  "--pattern: 'a[' is not a regular expression: ", 45) == 0);
	cr_expect_str_eq(parse(&fruit, "--pattern ^a+$").options.pattern, "^a+$");
}

Test(cli, commands_are_found_by_name_and_alias)
{
	cr_expect_eq(cli_find("fruit"), &fruit);
	cr_expect_eq(cli_find("obst"), &fruit);
	cr_expect_null(cli_find("fru"));
}

static void size_is(const char *text, uint64_t expected)
{
	uint64_t bytes = 1;

	cr_expect(size_parse(text, &bytes), "%s", text);
	cr_expect_eq(bytes, expected, "%s is %llu", text, (unsigned long long)bytes);
}

Test(cli, sizes_read_as_people_write_them)
{
	size_is("0", 0);
	size_is("4096", 4096);
	size_is("12B", 12);
	size_is("64K", 65536);
	size_is("64KiB", 65536);
	size_is("64kib", 65536);
	size_is("64 KiB", 65536);
	size_is("64KB", 64000);
	size_is("1M", 1048576);
	size_is("1.5MiB", 1572864);
	size_is("0.1MB", 100000);
	size_is("1G", 1073741824);
	size_is("2TiB", 2199023255552);
	size_is("18446744073709551615", UINT64_MAX);
}

Test(cli, what_is_no_size_is_refused)
{
	static const char *const texts[] = {
		"",    "K",    "-1",   "1X",           "1.",
		".5M", "1..5", "0x10", "1e6",          "1KiBB",
		"nan", "+5",   " 5",   "20000000000G", "18446744073709551616",
		NULL};
	uint64_t bytes;

	for (size_t i = 0; texts[i]; i++)
		cr_expect_not(size_parse(texts[i], &bytes), "'%s'", texts[i]);
}

static void duration_is(const char *text, uint64_t expected)
{
	uint64_t nanoseconds = 1;

	cr_expect(duration_parse(text, &nanoseconds), "%s", text);
	cr_expect_eq(nanoseconds, expected, "%s is %llu", text, (unsigned long long)nanoseconds);
}

Test(cli, durations_read_as_people_write_them)
{
	duration_is("0", 0);
	duration_is("500ms", 500000000);
	duration_is("10s", 10000000000);
	duration_is("1.5s", 1500000000);
	duration_is("5m", 300000000000);
	duration_is("1h", 3600000000000);
	duration_is("1.001s", 1001000000);
	duration_is("100ns", 100);
}

Test(cli, a_duration_needs_its_unit)
{
	uint64_t nanoseconds;

	cr_expect_not(duration_parse("10", &nanoseconds));
	cr_expect_not(duration_parse("10 parsecs", &nanoseconds));
	cr_expect_not(duration_parse("600000000000h", &nanoseconds));
}

Test(cli, the_nearest_word_is_within_reason)
{
	static const char *const words[] = {"top", "compare", "growth", "peek", NULL};

	cr_expect_str_eq(cli_nearest("tpo", words), "top");
	cr_expect_str_eq(cli_nearest("comapre", words), "compare");
	cr_expect_str_eq(cli_nearest("grow", words), "growth");
	cr_expect_str_eq(cli_nearest("comp", words), "compare");
	cr_expect_null(cli_nearest("frobnicate", words));
	cr_expect_null(cli_nearest("", words));
}

Test(cli, a_hint_names_all_that_are_equally_near)
{
	static const char *const words[] = {"show", "hide", "shop", "slow", NULL};
	char hint[CLI_HINT_SIZE];

	cr_expect_str_eq(cli_hint(hint, "shw", words, "--"), "did you mean --show?");
	cr_expect_str_eq(cli_hint(hint, "shod", words, ""), "did you mean show or shop?");
	cr_expect_str_eq(cli_hint(hint, "completely", words, ""), "");
	cr_expect_str_eq(cli_command_hint(hint, "fruti"), "did you mean fruit?");
	cr_expect_str_eq(cli_command_hint(hint, "meat"), "snapdiff help --all lists them");
}
