/*
 * demangle.c - names of C++ and Rust through libiberty, clone suffixes by hand.
 */
#include "symbols/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* The demangler is too slow for longer names, and nobody reads them. */
enum { MANGLED_MAX = 1 << 16, OUTPUT_MAX = 1 << 16 };

/* Clone suffixes. */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/** True if `word` of `size` bytes names a copy that a compiler made of a function. */
static bool is_clone_word(const char *word, size_t size)
{
	static const char *const words[] = {"constprop",  "isra",    "part",   "cold",
					    "lto_priv",   "llvm",    "clone",  "ltrans",
					    "localalias", "warm",    "hot",    "unlikely",
					    "actor",      "destroy", "resume", "cleanup"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == size && memcmp(words[i], word, size) == 0)
			return true;
	return false;
}

/** Length of `name` without `.constprop.0`, `.isra.0`, `.part.0`, `.cold`, `.lto_priv.0`, ... */
static size_t base_size(const char *name, size_t size)
{
	for (;;) {
		size_t end = size;
		size_t dot;

		while (end && is_digit(name[end - 1]))
			end--;
		if (end < size && end && name[end - 1] == '.')
			end--; /* .word.123 */
		else
			end = size; /* .word */
		for (dot = end; dot && name[dot - 1] != '.'; dot--)
			;
		if (dot < 2 || !is_clone_word(name + dot, end - dot))
			return size;
		size = dot - 1;
	}
}

/* All together. */

/** Thunks and the like, "virtual thunk to f()": what precedes the name is no type. */
static bool is_special(const char *mangled)
{
	return strncmp(mangled, "_ZT", 3) == 0 || strncmp(mangled, "_ZG", 3) == 0;
}

/* What libiberty gives, piece by piece.  A name that repeats its parts may become exponentially
   long, and libiberty cannot be stopped in another way than by longjmp. */
struct output {
	char text[OUTPUT_MAX];
	size_t size;
	jmp_buf too_long;
};

static void add_piece(const char *piece, size_t size, void *opaque)
{
	struct output *output = opaque;

	if (size > OUTPUT_MAX - output->size)
		longjmp(output->too_long, 1);
	if (size) /* an empty piece may be NULL */
		memcpy(output->text + output->size, piece, size);
	output->size += size;
}

static bool write_cxx(struct output *output, const char *name)
{
	int options = DMGL_PARAMS | DMGL_ANSI | (is_special(name) ? 0 : DMGL_RET_DROP);

	output->size = 0;
	return (strncmp(name, "_Z", 2) == 0 || strncmp(name, "___Z", 4) == 0) &&
	       cplus_demangle_v3_callback(name, options, add_piece, output);
}

static bool is_base_62(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t base_62_size(const char *text)
{
	size_t size = 0;

	while (is_base_62(text[size]))
		size++;
	return size;
}

/* What follows an identifier of the name, whose first character is the first digit of its size. */
static const char *after_identifier(const char *at, const char *end)
{
	size_t size = 0;

	for (; is_digit(*at) && size <= MANGLED_MAX; at++)
		size = size * 10 + (size_t)(*at - '0');
	if (*at == '_')
		at++;
	return size < (size_t)(end - at) ? at + size : end;
}

/*
 * Does a Rust name (v0) announce more lifetimes than a program has?  libiberty makes a step for
 * each, prints nothing meanwhile, and the number may be 2^64.  `G NUMBER _` announces them; B, s
 * and L stand before numbers as well, and K before a type and a number.  This is no parser: a name
 * that is made to deceive it passes, and then the time limit below ends it.
 */
static bool announces_too_much(const char *name)
{
	static const size_t digits_max = 2; /* 3,844 lifetimes */
	const char *at = name, *end = name + strlen(name);

	if (strncmp(name, "_R", 2) != 0)
		return false;
	for (at += 2; at < end;) {
		size_t size = strchr("GBsLK", *at) ? base_62_size(at + 1) : 0;

		if (is_digit(*at))
			at = after_identifier(at, end);
		else if (size > 0 && at[1 + size] == '_' && *at == 'G' && size > digits_max)
			return true;
		else
			at += at[1 + size] == '_' ? 1 + size : 1;
	}
	return false;
}

/* Some Rust names look like names of C++. */
static bool write_name(struct output *output, const char *name)
{
	if (setjmp(output->too_long) != 0)
		return false;
	return rust_demangle_callback(name, 0, add_piece, output) || write_cxx(output, name);
}

/*
 * The watch.  A name of 200 characters can keep libiberty busy for years without a piece of text: it
 * looks for packs in all copies of repeated parts, and reads nested conversions twice at each level.
 */

enum {
	NAME_US = 300000,   /* of processor time for one name */
	NAMES_US = 2000000, /* for all, and NAME_MORE_US for each of them */
	NAME_MORE_US = 100,
};

static struct {
	bool plain, on;
	int64_t names, spent_us;
} watch;

void demangle_plain(void)
{
	watch.plain = true;
}

void demangle_watch(void (*late)(int signal))
{
	watch.on = signal(SIGVTALRM, late) != SIG_ERR;
}

/** What the next name may spend. */
static int64_t time_for_a_name(void)
{
	int64_t left_us = NAMES_US + NAME_MORE_US * ++watch.names - watch.spent_us;

	if (left_us < 1)
		return 1;
	return left_us < NAME_US ? left_us : NAME_US;
}

static bool watched(struct output *output, const char *name)
{
	static const struct itimerval none;
	struct itimerval limit = {.it_value.tv_usec = time_for_a_name()}, left;
	bool found;

	if (!watch.on || setitimer(ITIMER_VIRTUAL, &limit, NULL) != 0)
		return write_name(output, name);
	found = write_name(output, name);
	setitimer(ITIMER_VIRTUAL, &none, &left);
	if (left.it_value.tv_usec < limit.it_value.tv_usec)
		watch.spent_us += limit.it_value.tv_usec - left.it_value.tv_usec;
	return found;
}

/* Where the parenthesis that ends `text` of `size` bytes was opened; NULL if nowhere. */
static char *opening_of_last(char *text, size_t size)
{
	size_t open = 0;

	while (size-- > 0) {
		if (text[size] == ')')
			open++;
		else if (text[size] == '(' && --open == 0)
			return text + size;
	}
	return NULL;
}

/* GCC moves the body of a coroutine f(int) into a function whose name is that of f with the frame
   as its parameter, f(f(int)::_Z1fi.Frame*): the name is then that of the coroutine itself. */
static void unwrap_coroutine(char *text)
{
	static const char frame[] = ".Frame*)";
	size_t size = strlen(text), tail = sizeof(frame) - 1;
	char *open, *end = NULL;

	if (size < tail || strcmp(text + size - tail, frame) != 0)
		return;
	open = opening_of_last(text, size);
	for (char *at = open ? strstr(open, "::_Z") : NULL; at; at = strstr(at + 1, "::_Z"))
		end = at;
	if (!end)
		return;
	memmove(text, open + 1, (size_t)(end - open - 1));
	text[end - open - 1] = '\0';
}

/** Malloc'ed; NULL if it is no name of C++ or Rust, or too long. */
static char *demangle(const char *name)
{
	struct output *output = malloc(sizeof(*output));
	char *text = NULL;

	if (!output)
		return NULL;
	output->size = 0;
	if (watched(output, name))
		text = strndup(output->text, output->size);
	if (text)
		unwrap_coroutine(text);
	free(output);
	return text;
}

/** glibc's own calls go to aliases such as __GI_strdup, which nobody wrote. */
static const char *without_alias_mark(const char *name)
{
	static const char mark[] = "__GI_";
	size_t size = sizeof(mark) - 1;

	return strncmp(name, mark, size) == 0 && name[size] ? name + size : name;
}

char *demangle_function(const char *linkage_name)
{
	const char *name = without_alias_mark(linkage_name);
	size_t size = strlen(name);
	char *base = strndup(name, base_size(name, size));
	char *demangled = NULL;

	if (!base)
		return NULL;
	if (watch.plain || size > MANGLED_MAX || announces_too_much(base))
		return base;
	demangled = demangle(base);
	if (!demangled)
		return base;
	free(base);
	return demangled;
}
