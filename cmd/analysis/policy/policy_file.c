/*
 * policy_file.c - a policy in a file: keys and sections as inih reads them.
 */
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/policy/policy.h"
#include "base/array.h"
#include "base/choices.h"
#include "base/pattern.h"

/* inih splits longer lines without a message. */
enum { LINE_MAX_BYTES = 190, SCOPES_MAX = 1000 };

struct reading {
	struct policy_file *file;
	bool out_of_memory;
	char key[96];          /* the first key that is not known */
	struct snap_error why; /* the key is known: what is wrong with its value */
};

/* ---- keys ------------------------------------------------------------------------------------ */

struct key {
	const char *name;
	size_t offset; /* of a text */
};

#define TEXT(member) offsetof(struct policy_texts, member)
static const struct key top_keys[] = {
	{"max-total", TEXT(max_total)},
	{"max-site", TEXT(max_site)},
	{"max-new-sites", TEXT(max_new_sites)},
	{"max-growth", TEXT(max_growth)},
	{"fail-on", TEXT(fail_on)},
	{"max-never-freed", TEXT(max_never_freed)},
	{"max-unreachable", TEXT(max_unreachable)},
	{"max-peak", TEXT(max_peak)},
	{"max-rss", TEXT(max_rss)},
	{"min-delta", TEXT(min_delta)},
	{"require-confirm", TEXT(require_confirm)},
	{NULL, 0},
};

#define SCOPE(member) offsetof(struct policy_scope, member)
static const struct key scope_keys[] = {
	{"module", SCOPE(module)},
	{"function", SCOPE(function)},
	{"file", SCOPE(file)},
	{"max-site", SCOPE(max_site_text)},
	{"max-total", SCOPE(max_total_text)},
	{"max-new-sites", SCOPE(max_new_sites_text)},
	{NULL, 0},
};

static char *keep(struct reading *reading, const char *text)
{
	struct policy_file *file = reading->file;
	char *copy = NULL;

	if (array_reserve(&file->owned, &file->owned_capacity, file->owned_count,
			  sizeof(*file->owned)))
		copy = strdup(text);
	if (copy)
		file->owned[file->owned_count++] = copy;
	else
		reading->out_of_memory = true;
	return copy;
}

/* Where the text of the key `name` is in `into`; NULL when there is no such key. */
static char **place_of(const struct key *keys, void *into, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return (char **)(void *)((char *)into + keys->offset);
	return NULL;
}

/* A value is parsed alone, when its line is read, so that a message can name the line.  The text is
   put into a copy of the struct that has no other texts. */
static bool store_limit(struct reading *reading, const char *name, const char *value)
{
	struct policy_texts alone = {0};
	struct policy unused;
	char **text = place_of(top_keys, &reading->file->texts, name);
	char **same = place_of(top_keys, &alone, name);

	if (!text || !same)
		return false;
	*same = *text = keep(reading, value);
	return policy_parse(&unused, &alone, &reading->why) == SNAP_OK;
}

/* A mistyped glob matches nothing, so that its rule would always pass. */
static bool check_glob(struct reading *reading, const char *name, const char *value)
{
	const char *problem = glob_problem(value);

	if (problem)
		fail(&reading->why, SNAP_EUSAGE, "%s: '%s' is not a pattern: %s", name, value,
		     problem);
	return !problem;
}

static bool is_glob(const char *key)
{
	return strcmp(key, "module") == 0 || strcmp(key, "function") == 0 ||
	       strcmp(key, "file") == 0;
}

static bool store_in_scope(struct reading *reading, struct policy_scope *scope, const char *name,
			   const char *value)
{
	struct policy_scope alone = {0};
	char **text = place_of(scope_keys, scope, name);
	char **same = place_of(scope_keys, &alone, name);

	if (!text || !same)
		return false;
	*same = *text = keep(reading, value);
	if (is_glob(name))
		return check_glob(reading, name, value);
	return policy_scope_parse(&alone, &reading->why) == SNAP_OK;
}

static struct policy_scope *scope_named(struct reading *reading, const char *name)
{
	struct policy_file *file = reading->file;
	struct policy_scope *last = file->scope_count ? &file->scopes[file->scope_count - 1] : NULL;

	if (last && strcmp(last->name, name) == 0)
		return last;
	if (file->scope_count == SCOPES_MAX ||
	    !array_reserve(&file->scopes, &file->scope_capacity, file->scope_count,
			   sizeof(*file->scopes))) {
		reading->out_of_memory = true;
		return NULL;
	}
	last = &file->scopes[file->scope_count];
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_reserve() has made room */
	*last = (struct policy_scope){.name = keep(reading, name)};
	if (!last->name)
		return NULL;
	file->scope_count++;
	return last;
}

static bool add_value(struct reading *reading, struct policy_values *values, const char *value)
{
	const char *copy = keep(reading, value);

	if (copy &&
	    array_reserve(&values->items, &values->capacity, values->count, sizeof(*values->items)))
		values->items[values->count++] = copy;
	else
		reading->out_of_memory = true;
	return true;
}

/* --match and --group: one of a few words. */
static bool take_choice(struct reading *reading, const char *name, const char *value)
{
	bool match = strcmp(name, "match") == 0;
	const char *const *choices = match ? pair_level_names : group_key_names;

	*(match ? &reading->file->match : &reading->file->group) = keep(reading, value);
	for (size_t i = 0; choices[i]; i++)
		if (strcmp(choices[i], value) == 0)
			return true;
	fail(&reading->why, SNAP_EUSAGE, "%s takes the same values as --%s, not '%s'", name, name,
	     value);
	return false;
}

/* Keys that say what is compared with what, and how. */
static bool take_input(struct reading *reading, const char *name, const char *value)
{
	struct policy_file *file = reading->file;

	if (strcmp(name, "baseline") == 0)
		return add_value(reading, &file->baseline, value);
	if (strcmp(name, "own") == 0)
		return check_glob(reading, name, value) && add_value(reading, &file->own, value);
	if (strcmp(name, "library") == 0)
		return check_glob(reading, name, value) &&
		       add_value(reading, &file->library, value);
	return false;
}

static bool take_switch(struct reading *reading, bool *out, const char *name, const char *value)
{
	*out = strcmp(value, "true") == 0;
	if (*out || strcmp(value, "false") == 0)
		return true;
	fail(&reading->why, SNAP_EUSAGE, "%s is true or false", name);
	return false;
}

static bool take_top(struct reading *reading, const char *name, const char *value)
{
	struct policy_file *file = reading->file;

	if (take_input(reading, name, value))
		return true;
	if (strcmp(name, "suppressions") == 0) {
		file->suppressions = keep(reading, value);
		return true;
	}
	if (strcmp(name, "strict") == 0)
		return take_switch(reading, &file->strict, name, value);
	if (strcmp(name, "match") == 0 || strcmp(name, "group") == 0)
		return take_choice(reading, name, value);
	return store_limit(reading, name, value);
}

/* Called by inih for each key; 0 is an error on that line. */
static int take(void *user, const char *section, const char *name, const char *value)
{
	static const char rule[] = "rule ";
	struct reading *reading = user;
	struct policy_scope *scope;
	bool known = false;

	if (*section == '\0') {
		known = take_top(reading, name, value);
	} else if (strncmp(section, rule, sizeof(rule) - 1) == 0) {
		scope = scope_named(reading, section + sizeof(rule) - 1);
		known = scope && store_in_scope(reading, scope, name, value);
	}
	if (!known && !reading->key[0])
		strncpy(reading->key, name, sizeof(reading->key) - 1);
	return known;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The first line that is too long, from 1; 0: none is. */
static unsigned long_line(const char *text)
{
	for (unsigned line = 1; *text; line++) {
		size_t size = strcspn(text, "\n");

		if (size > LINE_MAX_BYTES)
			return line;
		text += size + (text[size] == '\n');
	}
	return 0;
}

/* Checks that need the whole section. */
static enum snap_status check_scopes(struct policy_file *file, const char *name,
				     struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < file->scope_count; i++) {
		struct policy_scope *scope = &file->scopes[i];

		st = policy_scope_parse(scope, err);
		if (st == SNAP_OK && !scope->module && !scope->function && !scope->file)
			st = fail(err, SNAP_EUSAGE,
				  "%s, rule %s: it names no module, function or file", name,
				  scope->name);
	}
	return st;
}

enum snap_status policy_file_parse(struct policy_file *out, const char *text, const char *name,
				   struct snap_error *err)
{
	struct reading reading = {.file = out};
	unsigned line = long_line(text);
	int bad;

	*out = (struct policy_file){0};
	if (line)
		return fail(err, SNAP_EUSAGE, "%s, line %u: a line has at most %d bytes", name,
			    line, LINE_MAX_BYTES);
	ini_allow_multiline = false;
	ini_allow_inline_comments = false; /* a semicolon may be part of a value */
	ini_stop_on_first_error = true;
	bad = ini_parse_string(text, take, &reading);
	if (reading.out_of_memory || bad < 0)
		return fail_memory(err, "reading the policy");
	if (bad > 0 && reading.why.message[0])
		return fail(err, SNAP_EUSAGE, "%s, line %d: %s", name, bad, reading.why.message);
	if (bad > 0 && reading.key[0])
		return fail(err, SNAP_EUSAGE,
			    "%s, line %d: there is no key '%s' here; man snapdiff-check lists them",
			    name, bad, reading.key);
	if (bad > 0)
		return fail(err, SNAP_EUSAGE,
			    "%s, line %d: a line is KEY = VALUE, [rule NAME] or a comment", name,
			    bad);
	return check_scopes(out, name, err);
}

void policy_file_release(struct policy_file *file)
{
	for (size_t i = 0; i < file->owned_count; i++)
		free(file->owned[i]);
	free(file->owned);
	free(file->scopes);
	free(file->baseline.items);
	free(file->own.items);
	free(file->library.items);
	*file = (struct policy_file){0};
}
