/* test_model.c - one snapshot in memory. */
/* links: cmd_model */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "model/census.h"
#include "model/model.h"

static struct model *model;

static void set_up(void)
{
	model = model_new();
	cr_assert_not_null(model);
}

static void tear_down(void)
{
	model_free(model);
}

TestSuite(model, .init = set_up, .fini = tear_down);

Test(model, string_zero_is_the_empty_string)
{
	cr_assert_eq(model->string_count, 1);
	cr_assert_str_eq(model_text(model, 0), "");
	cr_assert_eq(model_cstring(model, ""), 0);
}

Test(model, equal_strings_have_one_id_and_nul_bytes_count)
{
	uint32_t plain = model_cstring(model, "a");
	uint32_t with_nul = model_string(model, "a\0b", 3);

	cr_assert_neq(plain, with_nul);
	cr_assert_eq(model_string(model, "a\0b", 3), with_nul);
	cr_assert_eq(model->strings[with_nul].size, 3);
	cr_assert_eq(model->strings[with_nul].data[3], '\0');
}

Test(model, texts_stay_where_they_are_while_many_more_are_added)
{
	uint32_t id = model_cstring(model, "the first");
	const char *before = model_text(model, id);
	char text[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "string %d", i);
		cr_assert_eq(model_cstring(model, text), (uint32_t)i + 2);
	}
	cr_assert_eq(model_text(model, id), before);
	cr_assert_eq(model_cstring(model, "string 77777"), 77777 + 2);
}

Test(model, a_string_longer_than_a_block_of_texts_is_kept_whole)
{
	static char big[300000];
	uint32_t id;

	memset(big, 'x', sizeof(big));
	id = model_string(model, big, sizeof(big));
	cr_assert_eq(model_cstring(model, "after"), id + 1);
	cr_assert_eq(strlen(model_text(model, id)), sizeof(big));
	cr_assert_str_eq(model_text(model, id + 1), "after");
}

Test(model, the_last_of_a_repeated_meta_key_counts_and_set_replaces_it)
{
	uint32_t key = model_cstring(model, "seq");

	model_meta_add(model, key, model_cstring(model, "1"));
	model_meta_add(model, key, model_cstring(model, "2"));
	cr_assert_eq(model_meta_u64(model, "seq", 0), 2);
	cr_assert(model_meta_set(model, "seq", "3"));
	cr_assert_eq(model->meta_count, 2);
	cr_assert_str_eq(model_meta(model, "seq"), "3");
	cr_assert_null(model_meta(model, "se"));
}

Test(model, a_meta_value_that_is_not_a_number_gives_the_alternative)
{
	const char *bad[] = {"", "x", "-1", "+1", " 1", "1x", "18446744073709551616"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert(model_meta_set(model, "k", bad[i]));
		cr_assert_eq(model_meta_u64(model, "k", 42), 42, "%s", bad[i]);
	}
	cr_assert(model_meta_set(model, "k", "18446744073709551615"));
	cr_assert_eq(model_meta_u64(model, "k", 42), UINT64_MAX);
	cr_assert_eq(model_meta_u64(model, "absent", 7), 7);
}

Test(model, equal_modules_symbolic_locations_and_nodes_have_one_id)
{
	struct snap_module module = {.path = model_cstring(model, "/lib/a.so"), .base = 4096};
	struct snap_frame frame = {.function = model_cstring(model, "f"), .line = 3};
	uint32_t m = model_module_intern(model, &module);
	uint32_t a = model_symbolic_location(model, m, &frame);
	uint32_t root = model_node_intern(model, SNAP_NONE, a);

	cr_assert_eq(model_module_intern(model, &module), m);
	cr_assert_eq(model_symbolic_location(model, m, &frame), a);
	cr_assert_neq(model_symbolic_location(model, SNAP_NONE, &frame), a);
	cr_assert_eq(model_node_intern(model, SNAP_NONE, a), root);
	cr_assert_neq(model_node_intern(model, root, a), root);
	frame.line = 4;
	cr_assert_neq(model_symbolic_location(model, m, &frame), a);
	module.base = 8192;
	cr_assert_neq(model_module_intern(model, &module), m);
}

Test(model, interning_finds_rows_that_were_added_without_it)
{
	struct snap_location location = {.module = SNAP_NONE, .frame_count = 1};
	struct snap_frame frame = {.line = 9};
	uint32_t id = model_location_add(model, &location, &frame);
	uint32_t node = model_node_add(model, SNAP_NONE, id);

	cr_assert_eq(model_symbolic_location(model, SNAP_NONE, &frame), id);
	cr_assert_eq(model_node_intern(model, SNAP_NONE, id), node);
}

Test(model, interning_can_begin_again_after_it_was_ended)
{
	struct snap_frame frame = {.line = 9};
	uint32_t id = model_symbolic_location(model, SNAP_NONE, &frame);
	uint32_t node = model_node_intern(model, SNAP_NONE, id);

	model_end_interning(model);
	cr_assert_eq(model_symbolic_location(model, SNAP_NONE, &frame), id);
	cr_assert_eq(model_node_intern(model, SNAP_NONE, id), node);
	cr_assert_eq(model_node_intern(model, node, id), node + 1);
}

Test(model, symbolising_gives_a_location_its_frames)
{
	struct snap_location bare = {
		.module = SNAP_NONE, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = 64};
	struct snap_frame frames[2] = {{.line = 1, .flags = SNAP_FRAME_INLINED}, {.line = 2}};
	uint32_t id = model_location_add(model, &bare, NULL);

	cr_assert_eq(model->locations[id].frame_count, 0);
	cr_assert(model_location_symbolise(model, id, frames, 2));
	cr_assert_eq(model->locations[id].frame_count, 2);
	cr_assert_eq(model->frames[model->locations[id].first_frame + 1].line, 2);
	cr_assert_eq(model->locations[id].address, 64);
}

static void add_site(uint64_t live_bytes, uint64_t live_blocks)
{
	struct snap_cohort cohorts[2] = {{.birth_seq = 1, .blocks = 2, .bytes = 3}, {0}};
	struct snap_site site = {.node = SNAP_NONE,
				 .live_bytes = live_bytes,
				 .live_blocks = live_blocks,
				 .allocated_bytes = 5,
				 .allocated_blocks = SNAP_UNKNOWN,
				 .cohort_count = 2};

	cr_assert_neq(model_site_add(model, &site, cohorts, NULL), SNAP_NONE);
}

Test(model, totals_are_sums_and_unknown_where_any_figure_is)
{
	struct model_totals totals;

	add_site(10, 1);
	add_site(20, SNAP_UNKNOWN);
	add_site(30, 3);
	cr_assert_eq(model_totals(model, &totals, NULL), SNAP_OK);
	cr_assert_eq(totals.live_bytes, 60);
	cr_assert_eq(totals.live_blocks, SNAP_UNKNOWN);
	cr_assert_eq(totals.allocated_bytes, 15);
	cr_assert_eq(totals.allocated_blocks, SNAP_UNKNOWN);
	cr_assert_eq(model->sites[2].first_cohort, 4);
}

Test(model, totals_beyond_64_bits_are_refused)
{
	struct model_totals totals;
	struct snap_error err = {0};

	add_site(UINT64_MAX - 1, 0);
	add_site(2, 0);
	cr_assert_eq(model_totals(model, &totals, &err), SNAP_ECORRUPT);
	cr_assert_neq(err.message[0], '\0');
}

Test(model, a_first_variance_gives_earlier_sites_zero)
{
	struct snap_site site = {.node = SNAP_NONE};
	struct snap_variance variance = {.live_bytes = 2.5};

	model_site_add(model, &site, NULL, NULL);
	model_site_add(model, &site, NULL, &variance);
	cr_assert_not_null(model->variances);
	cr_assert_float_eq(model->variances[0].live_bytes, 0, 1e-9);
	cr_assert_float_eq(model->variances[1].live_bytes, 2.5, 1e-9);
}

Test(model, the_digest_tells_contents_apart_and_not_their_history)
{
	struct model *twin = model_new();
	struct snap_site site = {.node = SNAP_NONE, .live_bytes = 1};

	cr_assert_eq(model_digest(model), model_digest(twin));
	model_site_add(model, &site, NULL, NULL);
	cr_assert_neq(model_digest(model), model_digest(twin));
	model_site_add(twin, &site, NULL, NULL);
	cr_assert_eq(model_digest(model), model_digest(twin));
	model_cstring(twin, "more");
	cr_assert_neq(model_digest(model), model_digest(twin));
	model_free(twin);
}

/* ---- objects in the place of sites ---- */

Test(model, groups_of_objects_become_sites)
{
	struct snap_site site = {.node = SNAP_NONE, .live_bytes = 7, .live_blocks = 1};
	struct snap_group group = {.kind = SNAP_GROUP_TYPE, .blocks = 3, .bytes = 120};
	struct snap_frame frame = {.line = 7};
	uint32_t line;

	frame.file = model_cstring(model, "app.py");
	line = model_node_intern(model, SNAP_NONE,
				 model_symbolic_location(model, SNAP_NONE, &frame));
	model_site_add(model, &site, NULL, NULL);
	group.label = model_cstring(model, "app.User");
	group.node = line;
	cr_assert(holders_add_group(&model->holders, &group));
	group.node = SNAP_NONE;
	cr_assert(holders_add_group(&model->holders, &group));
	group.kind = SNAP_GROUP_SITE;
	cr_assert(holders_add_group(&model->holders, &group));
	cr_assert_eq(model_use_census(model, NULL), SNAP_OK);
	cr_assert_eq(model->site_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct snap_node *node = &model->nodes[model->sites[i].row.node];
		uint32_t first = model->locations[node->location].first_frame;

		cr_assert_eq(model->sites[i].row.live_blocks, 3);
		cr_assert_eq(model->sites[i].row.live_bytes, 120);
		cr_assert_eq(model->sites[i].row.allocated_bytes, SNAP_UNKNOWN);
		cr_assert_eq(node->parent, i == 0 ? line : SNAP_NONE);
		cr_assert_str_eq(model_text(model, model->frames[first].function), "app.User");
	}
}

Test(model, a_model_without_one_is_refused_with_the_reason)
{
	struct snap_error err = {0};

	cr_assert_eq(model_use_census(model, &err), SNAP_EUSAGE);
	cr_assert(strstr(err.message, "--census"));
	model_meta_set(model, "census", "failed: no copy could be made");
	cr_assert_eq(model_use_census(model, &err), SNAP_EUSAGE);
	cr_assert(strstr(err.message, ": no copy could be made"));
}
