/*
 * meta.c - what the meta keys of a snapshot are to the store; the name of its program.
 */
#include "store/meta.h"

#include <stdio.h>
#include <string.h>

#include "store/store.h"

static bool is_field(const char *key)
{
	static const char *const keys[] = {"command", "host",    "label",         "mono_ns",
					   "pid",     "program", "sample_period", "seq",
					   "time_ns", "trigger", "start_time_ns"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

enum store_meta store_meta_of(const char **key)
{
	static const struct {
		const char *prefix;
		enum store_meta kind;
	} prefixes[] = {
		{"labels.", STORE_META_LABEL},
		{"metrics.", STORE_META_METRIC},
		{"losses.", STORE_META_LOSS},
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t size = strlen(prefixes[i].prefix);

		if (strncmp(*key, prefixes[i].prefix, size) == 0) {
			*key += size;
			return prefixes[i].kind;
		}
	}
	return is_field(*key) ? STORE_META_FIELD : STORE_META_OTHER;
}

/* Otherwise, the last part of the command's first word. */
void store_program_name(const struct model *model, char out[STORE_PROGRAM_SIZE])
{
	const char *program = model_meta(model, "program");
	const char *command = model_meta(model, "command");
	const char *end;

	out[0] = '\0';
	if (program) {
		snprintf(out, STORE_PROGRAM_SIZE, "%s", program);
		return;
	}
	if (!command)
		return;
	end = command + strcspn(command, " \t");
	for (const char *at = command; at < end; at++)
		if (*at == '/')
			command = at + 1;
	snprintf(out, STORE_PROGRAM_SIZE, "%.*s", (int)(end - command), command);
}
