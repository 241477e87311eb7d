/*
 * wrapper.c - a function's name, taken apart into words.
 */
#include "model/wrapper.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "model/names.h"

enum { LONGEST_NAME = 64, LONGEST_WORD = 32 };

/* A word that ends so names the request: "malloc", "xmalloc", "safemalloc". */
static const char *const requests[] = {
	"malloc",  "mallocz", "calloc",       "callocz",    "realloc", "reallocz", "reallocarray",
	"xalloc",  "zalloc",  "palloc",       "strdup",     "strndup", "memdup",   "wcsdup",
	"wcsndup", "xstrdup", "defaultalloc", "reallocate", NULL,
};

/* "alloc" alone may make an object of the program (`node_alloc`), unless it stands with such words. */
static const char *const plain_requests[] = {"alloc", "allocate", "allocz", NULL};
static const char *const plain_words[] = {
	"aligned", "array",  "bytes",  "checked", "context", "default", "heap",   "internal",
	"l",       "mem",    "memory", "must",    "my",      "or",      "raw",    "safe",
	"std",     "system", "try",    "util",    "utils",   "zero",    "zeroed", NULL,
};

/* What may follow the request: how it is done, and what happens if it fails. */
static const char *const manners[] = {
	"abort",   "align",   "aligned", "array",   "base",  "bytes",  "callback", "cb",
	"check",   "checked", "debug",   "default", "die",   "ex",     "exit",     "fail",
	"fast",    "fatal",   "fn",      "func",    "hook",  "impl",   "inner",    "internal",
	"mem",     "memory",  "n",       "nothrow", "or",    "raw",    "rt",       "safe",
	"size",    "sized",   "slow",    "throw",   "trace", "usable", "warn",     "wrap",
	"wrapper", "zero",    "zeroed",  NULL,
};

static bool is_in(const char *word, const char *const *list)
{
	while (*list && strcmp(word, *list) != 0)
		list++;
	return *list != NULL;
}

static bool ends_as_in(const char *word, const char *const *list)
{
	size_t size = strlen(word);

	for (; *list; list++)
		if (size >= strlen(*list) && strcmp(word + size - strlen(*list), *list) == 0)
			return true;
	return false;
}

/*
 * Take the next word of a name, in small letters: "sqlite3DbMallocRaw" is sqlite, db, malloc, raw.
 * Its end is where words end in identifiers; digits are left out.  False: there is no other one.
 */
static bool next_word(const char **name, char *word)
{
	const char *p = *name;
	size_t size = 0;

	while (*p && !isalpha((unsigned char)*p))
		p++;
	for (; isalpha((unsigned char)*p) && size + 1 < LONGEST_WORD; p++) {
		if (size > 0 && isupper((unsigned char)*p) && islower((unsigned char)p[-1]))
			break;
		word[size++] = (char)tolower((unsigned char)*p);
	}
	word[size] = 0;
	*name = p;
	return size > 0;
}

static bool words_ask_for_memory(const char *name)
{
	char word[LONGEST_WORD];
	bool request = false, plain_request = false, only_plain = true;

	while (next_word(&name, word)) {
		if (ends_as_in(word, requests) && strcmp(word, "prealloc") != 0) {
			request = true;
		} else if (is_in(word, plain_requests)) {
			plain_request = true;
		} else {
			if (request && !is_in(word, manners))
				return false;
			only_plain &= is_in(word, plain_words);
		}
	}
	return request || (plain_request && only_plain);
}

/* Nothing but an identifier of C: it has no scope, no arguments, and no suffix of the compiler's. */
static bool is_identifier(const char *function)
{
	while (isalnum((unsigned char)*function) || *function == '_')
		function++;
	return *function == 0;
}

bool name_is_wrapper(const char *function)
{
	char name[LONGEST_NAME];
	const char *last = name, *next;

	/* Most names have nothing of the kind, and need not be taken apart. */
	if (!strstr(function, "lloc") && !strstr(function, "dup"))
		return false;
	if (is_identifier(function))
		return strlen(function) < sizeof(name) && words_ask_for_memory(function);
	if (name_bare(function, name, sizeof(name)) >= sizeof(name))
		return false;
	while ((next = strstr(last, "::")))
		last = next + 2;
	return words_ask_for_memory(last);
}
