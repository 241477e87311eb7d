/*
 * fuzz_build.c - text form -> snapshot -> text form.
 *
 * A text that is accepted comes back unchanged, and writing it twice gives the same bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/patch.h"
#include "input/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static char *print(const struct model *model, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	must(out && input_write_text(model, out, NULL) == SNAP_OK);
	fclose(out);
	return text;
}

/* The bytes of the snapshot that is made of `model`; NULL: it is refused. */
static uint8_t *write_snapshot(const struct model *model, size_t *size)
{
	struct snap_error err = {0};

	if (input_write_snap(model, scratch_path(), &err) != SNAP_OK) {
		must(err.message[0] != '\0');
		return NULL;
	}
	return file_content(scratch_path(), size);
}

static void comes_back(const struct model *model, const uint8_t *bytes, size_t size)
{
	struct snap_error err = {0};
	struct model *again = NULL;
	size_t before_size, after_size;
	char *before = print(model, &before_size), *after;

	must(input_read_memory(&again, bytes, size, "written", NULL, &err) == SNAP_OK);
	after = print(again, &after_size);
	must(before_size == after_size && memcmp(before, after, after_size) == 0);
	free(before);
	free(after);
	model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snap_error err = {0};
	struct model *model = NULL;
	uint8_t *first, *second;
	size_t first_size, second_size;

	if (input_read_memory(&model, data, size, "fuzz", NULL, &err) != SNAP_OK)
		return 0; /* fuzz_text.c looks at refusals */
	first = write_snapshot(model, &first_size);
	second = first ? write_snapshot(model, &second_size) : NULL;
	if (first) {
		must(second && first_size == second_size && memcmp(first, second, first_size) == 0);
		comes_back(model, first, first_size);
	}
	free(first);
	free(second);
	model_free(model);
	return 0;
}
