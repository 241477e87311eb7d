/*
 * runtime/command.c - the command line of a process as snapshots have it.
 *
 * A secret is recognised by the name before it ("password=", "token").  In doubt we hide too much.
 * Everything after a secret in the same argument is hidden too, because any character may be part
 * of a password.
 */
#include "runtime/command.h"
#include "runtime/hidden.h"

#include <string.h>

#define MASK "***"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_part(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

/* Does `text` start with `word` (lower case), in upper or lower case? */
static bool begins_with_word(const char *text, const char *end, const char *word)
{
	for (; *word; word++, text++)
		if (text == end || (*text >= 'A' && *text <= 'Z' ? *text | ' ' : *text) != *word)
			return false;
	return true;
}

/* Most characters do not match. */
static bool begins_some_word(char c)
{
	return strchr("pstkacPSTKAC", c) != NULL;
}

static bool is_secret_name(const char *name, const char *end)
{
	static const char *const words[] = {"pass", "pwd",  "secret", "token",
					    "key",  "auth", "cred"};

	for (; name < end; name++)
		for (size_t i = 0; begins_some_word(*name) && i < sizeof(words) / sizeof(words[0]);
		     i++)
			if (begins_with_word(name, end, words[i]))
				return true;
	return false;
}

/* The start of the value that belongs to the name that ends at `end`; NULL: this argument has no
 * value. */
static const char *value_after(const char *name, const char *end)
{
	const char *at = end;

	while (is_blank(*at) || *at == '"' || *at == '\'')
		at++;
	if (*at == '=' || *at == ':') {
		at++;
		while (is_blank(*at) || *at == '"' || *at == '\'')
			at++;
		return at;
	}
	return name[0] == '-' && at > end && *at ? at : NULL; /* --name value, in a script */
}

/* The start of the first secret that a name announces; the argument's end if there is none. */
static const char *find_named_secret(const char *argument)
{
	const char *at = argument;

	while (*at) {
		const char *name = at, *value = NULL;

		while (is_name_part(*at))
			at++;
		if (at == name) {
			at++;
			continue;
		}
		if (is_secret_name(name, at))
			value = value_after(name, at);
		if (value)
			return value;
	}
	return at;
}

/* Find the password in a word of the form user:password@host, from `word` to `end`. */
static bool find_password(const char *word, const char *end, const char **from, const char **to)
{
	const char *scheme = NULL, *colon = NULL, *at_sign = NULL;

	for (const char *c = word; c + 3 <= end && !scheme; c++)
		if (memcmp(c, "://", 3) == 0)
			scheme = c + 3;
	for (const char *c = scheme ? scheme : word; c < end; c++) {
		if (*c == ':' && !colon)
			colon = c;
		if (*c == '@')
			at_sign = c;
	}
	*from = colon ? colon + 1 : NULL;
	*to = at_sign;
	return colon && at_sign && colon + 1 < at_sign;
}

/* Add the text from `from` to `end` without the passwords in addresses.  An address that continues
 * after `end` is already masked there, as a named secret. */
static void add_without_passwords(struct snap__text *out, const char *from, const char *end)
{
	while (from < end) {
		const char *word_end = from, *password, *after;

		while (*word_end && !is_blank(*word_end))
			word_end++;
		if (find_password(from, word_end, &password, &after) && password < end) {
			snap__text_add_bytes(out, from, (size_t)(password - from));
			if (after > end)
				return;
			snap__text_add(out, MASK);
			from = after;
		}
		while (word_end < end && is_blank(*word_end))
			word_end++;
		if (word_end > end)
			word_end = end;
		snap__text_add_bytes(out, from, (size_t)(word_end - from));
		from = word_end;
	}
}

static void add_masked(struct snap__text *out, const char *argument)
{
	const char *secret = find_named_secret(argument);

	add_without_passwords(out, argument, secret);
	if (*secret)
		snap__text_add(out, MASK);
}

/* --password, -token: the next argument is the secret, unless it is an option. */
static bool tells_of_next(const char *argument, const char *next)
{
	const char *end = argument;

	while (is_name_part(*end))
		end++;
	if (!is_secret_name(argument, end))
		return false;
	if (*end == '=' || *end == ':') /* `Authorization:` and its value */
		return end[1] == '\0';
	return argument[0] == '-' && *end == '\0' && next[0] != '-';
}

static void add_quoted(struct snap__text *out, const char *argument)
{
	bool plain = *argument && !argument[strcspn(argument, " \t\n\"'\\$`;&|<>()*?[]#~!{}")];

	snap__text_add(out, plain ? "" : "'");
	for (const char *c = argument; *c; c++)
		snap__text_add_bytes(out, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
	snap__text_add(out, plain ? "" : "'");
}

void snap__command_add(struct snap__text *out, const char *raw, size_t size,
		       enum snap__command_wish wish)
{
	static char large[SNAP__PATH_MAX * 2] SNAP__PAGES;
	char small[256];
	bool hidden = false;

	for (const char *at = raw; at < raw + size; at += snap__length(at) + 1) {
		const char *next = at + snap__length(at) + 1, *shown = small;
		struct snap__text masked = SNAP__TEXT(small);

		if (hidden)
			snap__text_add(&masked, MASK);
		else
			add_masked(&masked, at);
		if (masked.cut) {
			shown = large;
			masked = SNAP__TEXT(large);
			add_masked(&masked, at);
		}
		hidden = !hidden && next < raw + size && tells_of_next(at, next);
		if (at > raw)
			snap__text_add(out, " ");
		add_quoted(out, wish == SNAP__COMMAND_FULL ? at : shown);
	}
}
