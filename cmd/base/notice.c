/*
 * notice.c - kinds of notices, their words, and lists of them.
 */
#include "base/notice.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum kind_class { WARNS, QUOTES, REMARKS };

static const struct {
	enum kind_class class;
	const char *words;
} kinds[NOTICE_KINDS] = {
#define WARNING(kind, words)  [NOTICE_##kind] = {WARNS, words},
#define SENTENCE(kind, words) [NOTICE_##kind] = {QUOTES, words},
#define REMARK(kind, words)   [NOTICE_##kind] = {REMARKS, words},
#include "base/notices.def"
#undef WARNING
#undef SENTENCE
#undef REMARK
};

bool notice_is_remark(const struct notice *notice)
{
	return kinds[notice->kind].class == REMARKS;
}

bool notice_is_of_damage(const struct notice *notice)
{
	return notice->kind == NOTICE_FILE_DAMAGED || notice->kind == NOTICE_FILE_LEFT_OUT;
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char *text_of(const struct notice *notice, char name)
{
	const char *text = notice->texts[name - 'a'];

	return text ? text : "";
}

static bool is_figure(char name)
{
	return name == 'n' || name == 'm';
}

static uint64_t figure(const struct notice *notice, char name)
{
	return notice->figures[name == 'n' ? 0 : 1];
}

/* The first `mark` outside inner braces, or the end. */
static const char *find_mark(const char *at, const char *end, char mark)
{
	for (unsigned depth = 0; at < end; at++) {
		if (depth == 0 && *at == mark)
			break;
		depth += *at == '{';
		depth -= *at == '}';
	}
	return at;
}

static void write_words(FILE *out, const struct notice *notice, const char *at, const char *end);

/* What is in braces, without them. */
static void write_field(FILE *out, const struct notice *notice, const char *at, const char *end)
{
	if (end - at > 1 && at[1] == '?') {
		const char *bar = find_mark(at + 2, end, '|');

		if (is_figure(*at) ? figure(notice, *at) == 1 : *text_of(notice, *at))
			write_words(out, notice, at + 2, bar);
		else
			write_words(out, notice, bar + 1, end);
	} else if (*at == 'w') {
		fputs(notice->who ? notice->who : "", out);
	} else if (is_figure(*at)) {
		fprintf(out, "%" PRIu64, figure(notice, *at));
	} else {
		fputs(text_of(notice, *at), out);
	}
}

static void write_words(FILE *out, const struct notice *notice, const char *at, const char *end)
{
	while (at < end) {
		const char *brace = find_mark(at, end, '{');

		fwrite(at, 1, (size_t)(brace - at), out);
		at = brace;
		if (at < end) {
			const char *close = find_mark(at + 1, end, '}');

			write_field(out, notice, at + 1, close);
			at = close + 1;
		}
	}
}

char *notice_text(const struct notice *notice)
{
	const char *words = kinds[notice->kind].words;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (notice->sharing)
		fprintf(out, "%zu processes, each: ", notice->sharing);
	else if (notice->who && !strstr(words, "{who}"))
		fprintf(out, "%s: ", notice->who);
	write_words(out, notice, words, words + strlen(words));
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- which are equal ------------------------------------------------------------------------- */

static bool texts_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool says_same(const struct notice *a, const struct notice *b)
{
	if (a->kind != b->kind || memcmp(a->figures, b->figures, sizeof(a->figures)) != 0)
		return false;
	for (size_t i = 0; i < NOTICE_TEXTS; i++)
		if (!texts_equal(a->texts[i], b->texts[i]))
			return false;
	return true;
}

bool notice_equals(const struct notice *a, const struct notice *b)
{
	return says_same(a, b) && texts_equal(a->who, b->who) && a->sharing == b->sharing;
}

static size_t digits(const char *text)
{
	size_t count = 0;

	while (isdigit((unsigned char)text[count]))
		count++;
	return count;
}

/* Equal but for their numbers. */
static bool texts_are_like(const char *a, const char *b)
{
	while (*a && *b) {
		size_t a_digits = digits(a), b_digits = digits(b);

		if (!a_digits != !b_digits || (!a_digits && *a != *b))
			return false;
		a += a_digits ? a_digits : 1;
		b += b_digits ? b_digits : 1;
	}
	return *a == *b;
}

/* The text of a sentence from another part, without the name at its front. */
static const char *text_to_compare(const struct notice *notice, size_t i)
{
	const char *text = notice->texts[i] ? notice->texts[i] : "";
	const char *colon = kinds[notice->kind].class == QUOTES ? strstr(text, ": ") : NULL;

	return colon ? colon : text;
}

bool notice_is_like(const struct notice *a, const struct notice *b)
{
	if (a->kind != b->kind)
		return false;
	for (size_t i = 0; i < NOTICE_TEXTS; i++)
		if (!texts_are_like(text_to_compare(a, i), text_to_compare(b, i)))
			return false;
	return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void release_texts(struct notice *notice)
{
	free((char *)(uintptr_t)notice->who);
	for (size_t i = 0; i < NOTICE_TEXTS; i++)
		free((char *)(uintptr_t)notice->texts[i]);
}

static const char *copy_text(const char *text, bool *ok)
{
	char *copy = text ? strdup(text) : NULL;

	*ok = *ok && !copy == !text;
	return copy;
}

void notices_add(struct notices *list, const struct notice *notice)
{
	struct notice copy = *notice;
	bool ok = true;

	copy.who = copy_text(notice->who, &ok);
	for (size_t i = 0; i < NOTICE_TEXTS; i++)
		copy.texts[i] = copy_text(notice->texts[i], &ok);
	if (ok && array_reserve(&list->items, &list->capacity, list->count, sizeof(*list->items))) {
		list->items[list->count++] = copy;
		return;
	}
	release_texts(&copy);
	list->incomplete = true;
}

void notices_join(struct notices *list, const struct notice *notice, const char *process)
{
	struct notice said = *notice;

	for (size_t i = 0; i < list->count; i++) {
		struct notice *other = &list->items[i];

		if (other->who && says_same(other, notice)) {
			other->sharing = (other->sharing ? other->sharing : 1) + 1;
			return;
		}
	}
	said.who = process;
	notices_add(list, &said);
}

void notices_release(struct notices *list)
{
	for (size_t i = 0; i < list->count; i++)
		release_texts(&list->items[i]);
	free(list->items);
	*list = (struct notices){0};
}
