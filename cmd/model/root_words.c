/*
 * root_words.c - the roots of a graph of holders in words.
 */
#include "model/holders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/model.h"
#include "model/names.h"

/* " of thread 4242 (worker)", or "". */
static void thread_words(const struct model *model, const struct snap_root *root, char *out,
			 size_t size)
{
	const char *name = model_text(model, root->label);

	out[0] = '\0';
	if (root->thread && *name)
		snprintf(out, size, " of thread %" PRIu32 " (%s)", root->thread, name);
	else if (root->thread)
		snprintf(out, size, " of thread %" PRIu32, root->thread);
	else if (*name)
		snprintf(out, size, " of thread %s", name);
}

/* "g_registry+0x18 (server)"; without a symbol "server+0x4018"; without a module the address.
 * `exact`: the offset matters. */
static char *place_words(const struct model *model, const struct snap_root *root, bool exact)
{
	const char *symbol = model_text(model, root->symbol);
	const char *module =
		root->module == SNAP_NONE
			? ""
			: name_base(model_text(model, model->modules[root->module].path));
	char offset[24] = "";
	char *text = NULL;
	int size;

	if (*symbol && exact && root->offset)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64, root->offset);
	if (*symbol && *module)
		size = asprintf(&text, "%s%s (%s)", symbol, offset, module);
	else if (*symbol)
		size = asprintf(&text, "%s%s", symbol, offset);
	else
		size = asprintf(&text, "%s%s0x%" PRIx64, module, *module ? "+" : "", root->address);
	return size < 0 ? NULL : text;
}

static char *mapping_words(const struct model *model, const struct snap_root *root)
{
	const char *name = model_text(model, root->label);
	char *text = NULL;

	if (asprintf(&text, "%s%s at 0x%" PRIx64, *name ? "mapping " : "anonymous mapping", name,
		     root->address) < 0)
		return NULL;
	return text;
}

static char *stack_words(const struct model *model, const struct snap_root *root)
{
	char thread[96], *text = NULL, *place = NULL;
	bool has_place = root->module != SNAP_NONE || root->symbol;
	int size;

	thread_words(model, root, thread, sizeof(thread));
	if (has_place) {
		place = place_words(model, root, false);
		size = place ? asprintf(&text, "stack%s, %s", thread, place) : -1;
	} else {
		size = asprintf(&text, "stack%s", thread);
	}
	free(place);
	return size < 0 ? NULL : text;
}

static char *variable_words(const struct model *model, const struct snap_root *root)
{
	char thread[96], *text = NULL;
	char *place = place_words(model, root, true);
	int size;

	if (root->kind == SNAP_ROOT_GLOBAL)
		return place;
	thread_words(model, root, thread, sizeof(thread));
	size = place ? asprintf(&text, "thread-local %s%s", place, thread) : -1;
	free(place);
	return size < 0 ? NULL : text;
}

static char *other_words(const struct model *model, const struct snap_root *root)
{
	const char *label = model_text(model, root->label);
	char thread[96], *text = NULL;
	int size;

	thread_words(model, root, thread, sizeof(thread));
	if (root->kind == SNAP_ROOT_REGISTERS)
		size = asprintf(&text, "registers%s", thread);
	else if (root->kind == SNAP_ROOT_THREAD)
		size = asprintf(&text, "what libc keeps%s", thread[0] ? thread : " for a thread");
	else if (root->kind == SNAP_ROOT_LOADER)
		size = asprintf(&text, "the dynamic loader");
	else if (*label)
		size = asprintf(&text, "%s", label);
	else
		size = asprintf(&text, "a root of kind %" PRIu32, root->kind);
	return size < 0 ? NULL : text;
}

char *holders_root_words(const struct model *model, const struct snap_root *root)
{
	switch (root->kind) {
	case SNAP_ROOT_GLOBAL:
	case SNAP_ROOT_TLS:
		return variable_words(model, root);
	case SNAP_ROOT_STACK:
		return stack_words(model, root);
	case SNAP_ROOT_MAPPING:
		return mapping_words(model, root);
	default:
		return other_words(model, root);
	}
}
