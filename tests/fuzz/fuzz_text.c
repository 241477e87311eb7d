/*
 * fuzz_text.c - hostile bytes for everything that a user may name as a snapshot.
 *
 * What is accepted must survive: printed, read and printed again, the text is the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/patch.h"
#include "input/input.h"

enum { PRINTED_MAX = 200000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct model *model, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out || input_write_text(model, out, NULL) != SNAP_OK)
		abort();
	fclose(out);
	return text;
}

/* The same from a file, which is read piece by piece; and what orders it in a series. */
static void read_file(const uint8_t *data, size_t size, enum snap_status wanted)
{
	const struct input_options salvage = {.salvage = true};
	struct model *model = NULL;
	struct input_time time;

	(void)input_recognise(data, size);
	scratch_write(data, size);
	if (input_read(&model, scratch_path(), &salvage, NULL) != wanted)
		abort();
	model_free(model);
	if (input_read_time(scratch_path(), &time, NULL) != SNAP_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct input_options salvage = {.salvage = true};
	struct model *model = NULL, *again = NULL;
	struct snap_error err = {0};
	char *first, *second;
	size_t first_size, second_size;

	enum snap_status st = input_read_memory(&model, data, size, "fuzz", &salvage, &err);

	if (size % 8 == 0)
		read_file(data, size, st);
	if (st != SNAP_OK) {
		if (model || !err.message[0])
			abort(); /* a refusal says why */
		return 0;
	}
	first = print(model, &first_size);
	if (first_size >
	    PRINTED_MAX) { /* inlined frames may make more columns than a text may have */
		free(first);
		model_free(model);
		return 0;
	}
	if (input_read_memory(&again, first, first_size, "again", NULL, &err) != SNAP_OK) {
		fprintf(stderr, "%s\n", err.message);
		abort();
	}
	second = print(again, &second_size);
	if (first_size != second_size || memcmp(first, second, first_size) != 0)
		abort();
	free(first);
	free(second);
	model_free(model);
	model_free(again);
	return 0;
}
