/*
 * test_config.c - settings from the environment and the API, and what is refused.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <string.h>

#include "runtime/config.h"

static struct snap__config config; /* large */

Test(config, sizes_and_durations_are_read_with_their_units)
{
	static const struct {
		const char *text;
		uint64_t value;
	} sizes[] = {{"4096", 4096}, {"64KiB", 65536}, {"1.5MiB", 1572864}, {"1G", 1ull << 30},
		     {"0", 0},       {"10kB", 10000},  {"0.001MiB", 1048}};
	static const struct {
		const char *text;
		uint64_t value;
	} durations[] = {{"500ms", 500000000},
			 {"10s", 10000000000},
			 {"5m", 300000000000},
			 {"1.5s", 1500000000}};
	uint64_t value;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cr_assert(snap__parse_size(sizes[i].text, &value), "%s", sizes[i].text);
		cr_expect(eq(u64, value, sizes[i].value));
	}
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		cr_assert(snap__parse_duration(durations[i].text, &value));
		cr_expect(eq(u64, value, durations[i].value));
	}
	cr_expect(not(snap__parse_size("", &value)));
	cr_expect(not(snap__parse_size("12 parsecs", &value)));
	cr_expect(not(snap__parse_size("-1", &value)));
	cr_expect(not(snap__parse_size("99999999999999999999TiB", &value)));
	cr_expect(not(snap__parse_duration("10", &value)));
}

Test(config, signals_are_named_or_numbered)
{
	int number;

	cr_assert(snap__parse_signal("USR1", &number));
	cr_expect(eq(int, number, SIGUSR1));
	cr_assert(snap__parse_signal("SIGUSR2", &number));
	cr_expect(eq(int, number, SIGUSR2));
	cr_assert(snap__parse_signal("10", &number));
	cr_expect(eq(int, number, 10));
	cr_assert(snap__parse_signal("RTMIN+3", &number));
	cr_expect(eq(int, number, SIGRTMIN + 3));
	cr_expect(not(snap__parse_signal("KILL", &number)));
	cr_expect(not(snap__parse_signal("9", &number)));
	cr_expect(not(snap__parse_signal("0", &number)));
	cr_expect(not(snap__parse_signal("nonsense", &number)));
}

Test(config, the_environment_sets_what_it_names_and_nothing_else)
{
	const char *environment[] = {
		"SNAP_OUT=/tmp/x", "PATH=/bin",     "SNAP_EVERY=2s",  "SNAP_DEPTH=7",
		"SNAP_EXIT=early", "SNAP_ACTIVE=1", "SNAP_VERIFY=12", NULL};

	cr_assert(
		zero(ptr, (void *)(uintptr_t)snap__config_from_environment(&config, environment)));
	cr_expect_str_eq(config.out, "/tmp/x");
	cr_expect(eq(u64, config.every_ns, 2000000000));
	cr_expect(eq(uint, config.depth, 7));
	cr_expect(eq(uint, config.verify, 12));
	cr_expect(eq(int, (int)config.exit, SNAP_EXIT_EARLY));
	cr_expect(config.active);
	cr_expect(config.follow);
	cr_expect(eq(u64, config.growth_bytes, 0));
}

Test(config, without_an_environment_there_are_defaults)
{
	cr_assert_null(snap__config_from_environment(&config, NULL));
	cr_expect_str_eq(config.out, "snaps");
	cr_expect(not(config.active));
	cr_expect(eq(uint, config.depth, SNAP__DEPTH_DEFAULT));
}

Test(config, a_value_that_makes_no_sense_is_told)
{
	const char *environment[] = {"SNAP_EVERY=often", NULL};
	const char *complaint = snap__config_from_environment(&config, environment);

	cr_assert(complaint != NULL);
	cr_expect(strstr(complaint, "SNAP_EVERY") != NULL);
}

Test(config, mappings_are_not_sampled)
{
	const char *both[] = {"SNAP_MMAP=1", "SNAP_SAMPLE=64KiB", NULL};
	const char *one[] = {"SNAP_MMAP=1", NULL};

	cr_expect(snap__config_from_environment(&config, both) != NULL);
	memset(&config, 0, sizeof(config));
	cr_expect_null(snap__config_from_environment(&config, one));
	cr_expect(config.mmap);
}

Test(config, the_api_changes_only_what_it_sets)
{
	const char *environment[] = {"SNAP_OUT=a", "SNAP_DEPTH=9", NULL};
	struct snap_config wanted = {.size = sizeof(wanted), .directory = "b", .every_ms = 1500};

	snap__config_from_environment(&config, environment);
	cr_assert(snap__config_apply(&config, &wanted) == NULL);
	cr_expect_str_eq(config.out, "b");
	cr_expect(eq(u64, config.every_ns, 1500000000));
	cr_expect(eq(uint, config.depth, 9));
	wanted.size = sizeof(wanted) + 8;
	cr_expect(snap__config_apply(&config, &wanted) != NULL);
	wanted = (struct snap_config){.size = sizeof(wanted), .on_signal = SIGKILL};
	cr_expect(snap__config_apply(&config, &wanted) != NULL);
}

Test(config, unfollow_takes_out_libsnap_and_leaves_other_libraries)
{
	char preload[] = "LD_PRELOAD=/a/libother.so:/b/libsnap.so.0:libthird.so";
	char alone[] = "LD_PRELOAD=/b/libsnap.so", active[] = "SNAP_ACTIVE=1", path[] = "PATH=/bin";
	char *environment[] = {preload, active, path, NULL}, *second[] = {alone, path, NULL};

	snap__config_unfollow(environment);
	cr_expect_str_eq(environment[0], "LD_PRELOAD=/a/libother.so:libthird.so");
	cr_expect_str_eq(environment[1], "PATH=/bin");
	cr_expect(environment[2] == NULL);
	snap__config_unfollow(second);
	cr_expect_str_eq(second[0], "PATH=/bin");
	cr_expect(second[1] == NULL);
}
