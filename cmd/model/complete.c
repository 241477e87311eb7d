/*
 * complete.c - every group of blocks of a call stack has a site.
 */
#include "model/holders.h"

#include <stdlib.h>

#include "model/model.h"

static int compare_sites(const void *a, const void *b)
{
	const struct snap_site *left = a, *right = b;

	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return (left->domain > right->domain) - (left->domain < right->domain);
}

static bool add_empty(struct model *model, struct snap_site site)
{
	static const struct snap_variance none;

	return model_site_add(model, &site, NULL, model->variances ? &none : NULL) != SNAP_NONE;
}

bool holders_complete(struct model *model)
{
	uint32_t count = model->site_count;
	struct snap_site *known = NULL;
	bool fine = true;

	if (!model->holders.group_count)
		return true;
	known = calloc((size_t)count + 1, sizeof(*known));
	for (uint32_t i = 0; known && i < count; i++)
		known[i] = model->sites[i].row;
	if (known)
		qsort(known, count, sizeof(*known), compare_sites);
	for (uint32_t i = 0; known && fine && i < model->holders.group_count; i++) {
		const struct snap_group *group = &model->holders.groups[i];
		struct snap_site wanted = {.node = group->node, .domain = group->label};

		if (group->kind == SNAP_GROUP_SITE &&
		    !bsearch(&wanted, known, count, sizeof(*known), compare_sites))
			fine = add_empty(model, wanted);
	}
	free(known);
	return known && fine;
}
