/*
 * fuzz_policy.c - hostile suppression files, policy files and texts of limits.
 *
 * What is refused is refused with a message; each rule that is accepted has a pattern that can be
 * looked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/policy/policy.h"
#include "analysis/policy/suppress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_suppressions(const char *text)
{
	static const char *const names[] = {"main", "", NULL, "libc.so.6", "aaaaaaaaaaaaaaab"};
	const struct suppression_names stack = {names, sizeof(names) / sizeof(names[0])};
	struct suppressions rules = {0};
	struct snap_error err = {0};

	if (suppressions_parse(&rules, text, "fuzz", &err) != SNAP_OK) {
		if (!err.message[0])
			abort();
		return;
	}
	for (size_t i = 0; i < rules.count; i++)
		if (!rules.rules[i].pattern || !rules.rules[i].pattern[0])
			abort();
	(void)suppressions_find(&rules, &stack, 4096, 20270131);
	suppressions_release(&rules);
}

/* The text as each of the limits in turn. */
static void try_policy(const char *text)
{
	for (unsigned i = 0; i < 11; i++) {
		const char *t[11] = {NULL};
		struct policy_texts texts;
		struct policy policy;
		struct snap_error err = {0};

		t[i] = text;
		texts = (struct policy_texts){t[0], t[1], t[2], t[3], t[4], t[5],
					      t[6], t[7], t[8], t[9], t[10]};
		if (policy_parse(&policy, &texts, &err) != SNAP_OK && !err.message[0])
			abort();
	}
}

/* A file is a policy, or it is refused with the number of the line. */
static void try_file(const char *text)
{
	struct policy_file file;
	struct policy policy;
	struct snap_error err = {0};

	if (policy_file_parse(&file, text, "fuzz", &err) != SNAP_OK) {
		if (!err.message[0])
			abort();
	} else if (policy_parse(&policy, &file.texts, &err) != SNAP_OK && !err.message[0]) {
		abort();
	}
	policy_file_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size <= 65536 ? malloc(size + 1) : NULL;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_suppressions(text);
	try_file(text);
	if (size < 256)
		try_policy(text);
	free(text);
	return 0;
}
