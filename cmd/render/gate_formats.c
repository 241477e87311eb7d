/*
 * gate_formats.c - what the formats for CI systems have in common.
 */
#include "render/gate_formats.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *gate_text(const struct report *report, size_t row, const char *name,
		      const char *otherwise)
{
	const struct value *value = report_cell(report, row, name);

	return value && value->kind == VALUE_TEXT ? value->text.data : otherwise;
}

int64_t gate_line(const struct report *report, size_t row)
{
	const struct value *value = report_cell(report, row, "line");

	return value && value->kind == VALUE_INT && value->integer > 0 ? value->integer : 1;
}

/* Services that show a finding beside its line know files by their path in the repository. */
const char *gate_file(const struct report *report, size_t row)
{
	const char *file = gate_text(report, row, "file", NULL);
	char *here = getcwd(NULL, 0);
	size_t size = here ? strlen(here) : 0;

	if (file && size > 1 && strncmp(file, here, size) == 0 && file[size] == '/')
		file += size + 1;
	free(here);
	return file;
}

void gate_json(FILE *out, const char *text)
{
	struct value value = {.kind = VALUE_TEXT, .text = {text, strlen(text)}};

	json_value(out, &value);
}
