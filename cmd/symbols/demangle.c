/*
 * demangle.c - C++ names through the C++ runtime, everything around them by hand.
 */
#include "symbols/demangle.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* From the Itanium C++ ABI; libstdc++ has it, and no C header declares it. */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

/* Longer names than this take the demangler too long, and nobody reads them. */
enum { MANGLED_MAX = 1 << 16 };

/* Clone suffixes. */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/** True if `word` of `size` bytes names a copy that a compiler made of a function. */
static bool is_clone_word(const char *word, size_t size)
{
	static const char *const words[] = {"constprop",  "isra", "part",  "cold",
					    "lto_priv",   "llvm", "clone", "ltrans",
					    "localalias", "warm", "hot",   "unlikely"};

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

/* Return types. */

static bool is_name_char(char c)
{
	return c == '_' || c == '$' || is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/** Bytes of the operator's symbol at `text`, which follows the word "operator"; 0 for new, delete,
 * types. */
static size_t operator_size(const char *text)
{
	static const char *const symbols[] = {
		"->*", "<=>", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "==", "!=",
		"&&",  "||",  "++",  "--",  "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "+",
		"-",   "*",   "/",   "%",   "^",  "&",  "|",  "~",  "!",  "=",  "<",  ">",  ","};

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (strncmp(text, symbols[i], strlen(symbols[i])) == 0)
			return strlen(symbols[i]);
	return 0;
}

/** True if the space at `text[at]` begins the qualifiers of an enclosing function: `f()
 * const::...`. */
static bool begins_qualifiers(const char *text, size_t at)
{
	static const char *const words[] = {" const", " volatile", " &&",
					    " &",     " [clone",   " [abi:"};

	if (!at || text[at - 1] != ')')
		return at >= 6 && strncmp(text + at - 6, " const", 6) == 0 && text[at + 1] == '&' &&
		       (text[at + 2] == ':' || text[at + 2] == '&');
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(text + at, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/** Where the name begins in `text[0, end)`: behind the last space that separates it from its type.
 */
static size_t name_begin(const char *text, size_t end)
{
	size_t begin = 0;
	int depth = 0;

	for (size_t i = 0; i < end; i++) {
		if (strncmp(text + i, "operator", 8) == 0 && (!i || !is_name_char(text[i - 1])) &&
		    !is_name_char(text[i + 8])) {
			size_t symbol = operator_size(text + i + 8);

			if (!symbol && !depth)
				return begin; /* operator new, or a conversion: all of the rest */
			i += 7 + symbol;
			if (symbol && strncmp(text + i + 1, " <", 2) == 0)
				i++; /* operator< <int> */
			continue;
		}
		if (strchr("(<[{", text[i]))
			depth++;
		else if (strchr(")>]}", text[i]) && !(text[i] == '>' && i && text[i - 1] == '-'))
			depth--;
		else if (text[i] == ' ' && depth == 0 && !begins_qualifiers(text, i))
			begin = i + 1;
	}
	return begin;
}

/** Position of the ( that the ) at `close` belongs to, or `close` if there is none. */
static size_t matching_open(const char *text, size_t close)
{
	int depth = 0;

	for (size_t i = close + 1; i-- > 0;) {
		if (text[i] == ')')
			depth++;
		else if (text[i] == '(' && --depth == 0)
			return i;
	}
	return close;
}

/** Position of the last ) that belongs to the parameters, qualifiers behind it skipped; or
 * SIZE_MAX. */
static size_t parameters_close(const char *text)
{
	const char *last = strrchr(text, ')');

	return last ? (size_t)(last - text) : SIZE_MAX;
}

/** Cut the return type off a demangled C++ name. */
static void drop_return_type(char *demangled)
{
	size_t close = parameters_close(demangled);
	size_t open, begin;

	if (close == SIZE_MAX)
		return;
	open = matching_open(demangled, close);
	if (open == close)
		return;
	begin = name_begin(demangled, open);
	if (strncmp(demangled + begin, "(*", 2) == 0 || strncmp(demangled + begin, "(&", 2) == 0) {
		/* A function that returns a pointer to function: void (*name(int))(char) */
		size_t inner = open;

		while (inner > begin && demangled[inner - 1] != ')')
			inner--;
		if (inner > begin + 3) {
			demangled[inner - 1] = '\0';
			begin += 2;
		}
	}
	memmove(demangled, demangled + begin, strlen(demangled + begin) + 1);
}

/* All together. */

static char *demangle_cxx(const char *name)
{
	int status = 0;

	if (strncmp(name, "_Z", 2) != 0 && strncmp(name, "___Z", 4) != 0)
		return NULL;
	return __cxa_demangle(name, NULL, NULL, &status);
}

/** Thunks and the like, "virtual thunk to f()": what precedes the name is no type. */
static bool is_special(const char *mangled)
{
	return strncmp(mangled, "_ZT", 3) == 0 || strncmp(mangled, "_ZG", 3) == 0;
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
	if (size > MANGLED_MAX)
		return base;
	demangled = demangle_rust(base);
	if (!demangled) {
		demangled = demangle_cxx(base);
		if (demangled && !is_special(base))
			drop_return_type(demangled);
	}
	if (!demangled)
		return base;
	free(base);
	return demangled;
}
