/*
 * census.c - groups of objects -> sites.
 */
#include "model/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

#define DOMAIN "python"

static bool has_types(const struct model *model)
{
	for (uint32_t i = 0; i < model->holders.group_count; i++)
		if (model->holders.groups[i].kind == SNAP_GROUP_TYPE)
			return true;
	return false;
}

enum snap_status model_need_census(const struct model *model, struct snap_error *err)
{
	const char *census = model_meta(model, "census");
	const char *name = model->source ? model->source : "the snapshot";

	if (has_types(model))
		return SNAP_OK;
	if (census && strncmp(census, "failed: ", 8) == 0)
		return fail(err, SNAP_EUSAGE, "%s has no census of objects: %s", name, census + 8);
	return fail(
		err, SNAP_EUSAGE,
		"%s has no census of objects, which --group type needs; 'snapdiff run --census' "
		"and 'snapdiff snap --census' take one",
		name);
}

/* The group gets the call stack of its site, so that holders are shown for that site. */
static bool add_site(struct model *model, struct snap_group *group, uint32_t domain)
{
	const struct snap_frame frame = {.function = group->label};
	struct snap_site site = {
		.domain = domain,
		.live_blocks = group->blocks,
		.live_bytes = group->bytes,
		.allocated_blocks = SNAP_UNKNOWN,
		.allocated_bytes = SNAP_UNKNOWN,
	};
	uint32_t location = model_symbolic_location(model, SNAP_NONE, &frame);

	if (location == SNAP_NONE)
		return false;
	site.node = model_node_intern(model, group->node, location);
	group->node = site.node;
	return site.node != SNAP_NONE && model_site_add(model, &site, NULL, NULL) != SNAP_NONE;
}

enum snap_status model_use_census(struct model *model, struct snap_error *err)
{
	uint32_t domain = model_cstring(model, DOMAIN);

	if (model_need_census(model, err) != SNAP_OK)
		return SNAP_EUSAGE;
	free(model->variances);
	model->variances = NULL;
	model->site_count = model->cohort_count = 0;
	for (uint32_t i = 0; domain != SNAP_NONE && i < model->holders.group_count; i++) {
		struct snap_group *group = &model->holders.groups[i];

		if (group->kind == SNAP_GROUP_TYPE && !add_site(model, group, domain))
			domain = SNAP_NONE;
	}
	model_end_interning(model);
	return domain == SNAP_NONE ? fail_memory(err, "counting objects") : SNAP_OK;
}
