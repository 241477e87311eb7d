/*
 * texts.c - interned texts, and the texts derived from them.
 *
 * A model interns strings already; the maps from a raw name to the name that is shown are indexed
 * by the raw name's string id.
 */
#include "symbols/texts.h"

#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "base/array.h"
#include "symbols/demangle.h"
#include "symbols/paths.h"

struct texts {
	struct model *strings;
	uint32_t *shown; /* of string i: id + 1 of what is shown for it, 0 not known yet */
	size_t room;
	bool failed;
};

struct texts *texts_new(void)
{
	struct texts *texts = calloc(1, sizeof(*texts));

	if (!texts)
		return NULL;
	texts->strings = model_new();
	if (!texts->strings) {
		free(texts);
		return NULL;
	}
	return texts;
}

void texts_free(struct texts *texts)
{
	if (!texts)
		return;
	model_free(texts->strings);
	free(texts->shown);
	free(texts);
}

bool texts_failed(const struct texts *texts)
{
	return texts->failed;
}

static uint32_t keep(struct texts *texts, const char *text, size_t size)
{
	uint32_t id = model_string(texts->strings, text, size);

	if (id == SNAP_NONE) {
		texts->failed = true;
		return 0;
	}
	return id;
}

const char *texts_keep(struct texts *texts, const char *text)
{
	return model_text(texts->strings, keep(texts, text, strlen(text)));
}

/** Where it is remembered what is shown for string `id`; NULL when memory is out. */
static uint32_t *shown_slot(struct texts *texts, uint32_t id)
{
	size_t before = texts->room;

	if (!array_room(&texts->shown, &texts->room, (size_t)id + 1, sizeof(*texts->shown))) {
		texts->failed = true;
		return NULL;
	}
	if (texts->room > before)
		memset(texts->shown + before, 0, (texts->room - before) * sizeof(*texts->shown));
	return &texts->shown[id];
}

/** Keep `made` (malloc'ed, released here) as what is shown for the string whose slot this is. */
static const char *remember(struct texts *texts, uint32_t *shown, char *made)
{
	uint32_t made_id;

	if (!made) {
		texts->failed = true;
		return "";
	}
	made_id = keep(texts, made, strlen(made));
	free(made);
	*shown = made_id + 1;
	return model_text(texts->strings, made_id);
}

const char *texts_function(struct texts *texts, const char *linkage_name)
{
	uint32_t id = keep(texts, linkage_name, strlen(linkage_name));
	uint32_t *shown = shown_slot(texts, id);

	if (!shown)
		return "";
	if (*shown)
		return model_text(texts->strings, *shown - 1);
	return remember(texts, shown, demangle_function(linkage_name));
}

const char *texts_file(struct texts *texts, const char *file, const char *directory)
{
	size_t file_size = strlen(file), directory_size = directory ? strlen(directory) : 0;
	char *both = malloc(file_size + directory_size + 3);
	uint32_t *shown;
	uint32_t id;

	if (!both) {
		texts->failed = true;
		return "";
	}
	/* A NUL and another byte in the key keep it apart from every function's name. */
	memcpy(both, file, file_size + 1);
	both[file_size + 1] = directory ? 'd' : '-';
	memcpy(both + file_size + 2, directory ? directory : "", directory_size + 1);
	id = keep(texts, both, file_size + directory_size + 2);
	free(both);
	shown = shown_slot(texts, id);
	if (!shown)
		return "";
	if (*shown)
		return model_text(texts->strings, *shown - 1);
	return remember(texts, shown, paths_source_name(file, directory));
}
