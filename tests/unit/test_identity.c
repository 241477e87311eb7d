/*
 * test_identity.c - which stacks get equal keys, level by level.
 */
/* links: cmd_model */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "model/identity.h"

struct step {
	const char *function, *file;
	uint32_t line;
	const char *module, *build_id;
	uint64_t address; /* 0 none */
};

static uint32_t add_location(struct model *model, const struct step *step)
{
	struct snap_module module = {
		.path = model_cstring(model, step->module),
		.build_id = model_cstring(model, step->build_id ? step->build_id : "")};
	struct snap_frame frame = {.function = model_cstring(model, step->function),
				   .file = model_cstring(model, step->file),
				   .line = step->line};
	struct snap_location location = {.module = model_module_intern(model, &module),
					 .flags = step->address ? SNAP_LOCATION_HAS_ADDRESS : 0,
					 .address = step->address,
					 .frame_count = 1};

	return model_location_add(model, &location, &frame);
}

/* Identity of the one site of a model whose stack is `steps`, newest frame first. */
static struct site_identity identify_in(const struct step *steps, size_t count, const char *domain,
					const char *command)
{
	struct model *model = model_new();
	struct snap_site site = {.node = SNAP_NONE, .live_bytes = 1};
	struct site_identity *all, one;

	if (command)
		model_meta_set(model, "command", command);
	for (size_t i = count; i-- > 0;)
		site.node = model_node_add(model, site.node, add_location(model, &steps[i]));
	site.domain = model_cstring(model, domain);
	model_site_add(model, &site, NULL, NULL);
	all = identity_compute(model);
	cr_assert_not_null(all);
	one = all[0];
	free(all);
	model_free(model);
	return one;
}

#define IDENTIFY(...)                                                                              \
	identify_in((struct step[]){__VA_ARGS__},                                                  \
		    sizeof((struct step[]){__VA_ARGS__}) / sizeof(struct step), "malloc", NULL)

Test(identity, equal_stacks_have_equal_keys_at_every_level)
{
	struct site_identity a =
		IDENTIFY({"f", "f.c", 1, "app", "aa", 16}, {"main", "m.c", 2, "app", "aa", 32});
	struct site_identity b =
		IDENTIFY({"f", "f.c", 1, "app", "aa", 16}, {"main", "m.c", 2, "app", "aa", 32});

	cr_expect_neq(a.exact, 0);
	cr_expect_eq(a.exact, b.exact);
	cr_expect_eq(a.line, b.line);
	cr_expect_eq(a.function, b.function);
}

Test(identity, another_build_id_or_address_differs_only_at_exact)
{
	struct site_identity a = IDENTIFY({"f", "f.c", 1, "app", "aa", 16});
	struct site_identity b = IDENTIFY({"f", "f.c", 1, "app", "bb", 16});
	struct site_identity c = IDENTIFY({"f", "f.c", 1, "app", "aa", 17});

	cr_expect_neq(a.exact, b.exact);
	cr_expect_neq(a.exact, c.exact);
	cr_expect_eq(a.line, b.line);
	cr_expect_eq(a.line, c.line);
}

Test(identity, stack_without_an_address_or_build_id_has_no_exact_key)
{
	cr_expect_eq(
		IDENTIFY({"f", "f.c", 1, "app", "aa", 16}, {"main", "", 0, "app", "aa", 0}).exact,
		0);
	cr_expect_eq(IDENTIFY({"f", "f.c", 1, "app", "", 16}).exact, 0);
	cr_expect_eq(identify_in(NULL, 0, "malloc", NULL).exact, 0);
}

Test(identity, another_line_differs_at_line_and_not_at_function)
{
	struct site_identity a =
		IDENTIFY({"f", "f.c", 1, "app", "", 0}, {"main", "m.c", 2, "app", "", 0});
	struct site_identity b =
		IDENTIFY({"f", "f.c", 1, "app", "", 0}, {"main", "m.c", 3, "app", "", 0});
	struct site_identity c =
		IDENTIFY({"f", "g.c", 1, "app", "", 0}, {"main", "m.c", 2, "app", "", 0});

	cr_expect_neq(a.line, b.line);
	cr_expect_eq(a.function, b.function);
	cr_expect_neq(a.line, c.line);
	cr_expect_eq(a.function, c.function);
}

Test(identity, module_counts_at_function_without_its_directory_and_version)
{
	struct site_identity a = IDENTIFY({"f", "f.c", 1, "/usr/lib/libx.so.1.2", "", 0});
	struct site_identity b = IDENTIFY({"f", "f.c", 1, "/opt/libx.so.2", "", 0});
	struct site_identity c = IDENTIFY({"f", "f.c", 1, "/opt/liby.so.2", "", 0});

	cr_expect_eq(a.function, b.function);
	cr_expect_neq(a.function, c.function);
	cr_expect_eq(a.line, c.line);
}

Test(identity, the_program_is_itself_under_another_file_name)
{
	struct step old = {"f", "f.c", 1, "/tmp/build1/app-old", "", 0};
	struct step new = {"f", "f.c", 9, "/tmp/build2/app-new", "", 0};

	cr_expect_eq(identify_in(&old, 1, "malloc", "./app-old -x").function,
		     identify_in(&new, 1, "malloc", "/tmp/build2/app-new").function);
	cr_expect_neq(identify_in(&old, 1, "malloc", NULL).function,
		      identify_in(&new, 1, "malloc", NULL).function);
}

Test(identity, domain_counts_at_every_level)
{
	struct step step = {"f", "f.c", 1, "app", "aa", 16};
	struct site_identity a = identify_in(&step, 1, "malloc", NULL);
	struct site_identity b = identify_in(&step, 1, "mmap", NULL);

	cr_expect_neq(a.exact, b.exact);
	cr_expect_neq(a.line, b.line);
	cr_expect_neq(a.function, b.function);
}

Test(identity, order_and_number_of_frames_count)
{
	struct site_identity ab = IDENTIFY({"a", "", 0, "app", "", 0}, {"b", "", 0, "app", "", 0});
	struct site_identity ba = IDENTIFY({"b", "", 0, "app", "", 0}, {"a", "", 0, "app", "", 0});
	struct site_identity aab = IDENTIFY({"a", "", 0, "app", "", 0}, {"a", "", 0, "app", "", 0},
					    {"b", "", 0, "app", "", 0});

	cr_expect_neq(ab.function, ba.function);
	cr_expect_neq(ab.function, aab.function);
}

Test(identity, frames_without_a_name_are_told_by_file)
{
	struct site_identity a = IDENTIFY({"", "a.py", 1, "", "", 0});
	struct site_identity b = IDENTIFY({"", "b.py", 1, "", "", 0});
	struct site_identity c = IDENTIFY({"", "a.py", 7, "", "", 0});

	cr_expect_neq(a.function, b.function);
	cr_expect_eq(a.function, c.function);
}

Test(identity, an_address_without_a_name_is_the_same_only_in_the_same_build)
{
	struct site_identity a = IDENTIFY({"app+0x10", "", 0, "app", "aa", 16});
	struct site_identity again = IDENTIFY({"", "", 0, "app", "aa", 16});
	struct site_identity rebuilt = IDENTIFY({"app+0x10", "", 0, "app", "bb", 16});

	cr_expect_eq(a.function, again.function);
	cr_expect_eq(a.line, again.line);
	cr_expect_neq(a.function, rebuilt.function);
	cr_expect_neq(a.line, rebuilt.line);
}

Test(identity, clones_are_the_function_they_were_made_from)
{
	cr_expect_eq(IDENTIFY({"f.constprop.0", "f.c", 1, "app", "", 0}).function,
		     IDENTIFY({"f", "f.c", 1, "app", "", 0}).function);
}

Test(identity, naming_skips_plumbing_and_falls_back_to_the_newest_frame)
{
	cr_expect_eq(IDENTIFY({"malloc", "", 0, "libc.so.6", "", 0},
			      {"xmalloc", "", 0, "app", "", 0}, {"parse", "", 0, "app", "", 0},
			      {"main", "", 0, "app", "", 0})
			     .named,
		     2);
	cr_expect_eq(
		IDENTIFY({"parse", "", 0, "app", "", 0}, {"malloc", "", 0, "app", "", 0}).named, 0);
	cr_expect_eq(
		IDENTIFY({"malloc", "", 0, "app", "", 0}, {"xmalloc", "", 0, "app", "", 0}).named,
		0);
}

Test(identity, an_empty_model_is_no_failure)
{
	struct model *model = model_new();
	struct site_identity *all = identity_compute(model);

	cr_expect_not_null(all);
	free(all);
	model_free(model);
}
