/*
 * demangle_rust.c - Rust names, both manglings.
 *
 * v0: RFC 2603, "Rust Symbol Name Mangling v0"
 * (https://rust-lang.github.io/rfcs/2603-rust-symbol-name-mangling-v0.html).
 * Legacy: Itanium's nested names whose last part is a hash, with $..$ escapes.
 * Hashes and disambiguators are left out: they change from build to build.
 */
#include "symbols/demangle.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 200,      /* of nested paths, types and back-references */
	OUTPUT_MAX = 1 << 16, /* back-references can make names of exponential length */
	PUNYCODE_MAX = 128,   /* characters of an identifier that is not ASCII */
	BINDERS_MAX = 1 << 10,
};

struct rust {
	const char *begin; /* of what back-references count from */
	const char *at, *end;
	char *out; /* NULL: memory was out */
	size_t out_size, out_room;
	int depth;
	uint64_t bound; /* lifetimes bound by the binders around */
	bool bad;       /* not a Rust name after all, or beyond the limits */
	bool quiet;     /* parse without printing */
};

/* Output. */

static void put_bytes(struct rust *r, const char *bytes, size_t size)
{
	if (r->bad || r->quiet || !size)
		return;
	if (size > OUTPUT_MAX - r->out_size) {
		r->bad = true;
		return;
	}
	if (r->out_size + size + 1 > r->out_room) {
		size_t room = (r->out_size + size + 1) * 2;
		char *moved = realloc(r->out, room);

		if (!moved) {
			r->bad = true;
			return;
		}
		r->out = moved;
		r->out_room = room;
	}
	memcpy(r->out + r->out_size, bytes, size);
	r->out_size += size;
}

static void put(struct rust *r, const char *text)
{
	put_bytes(r, text, strlen(text));
}

static void put_number(struct rust *r, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put(r, text);
}

static void put_utf8(struct rust *r, uint32_t c)
{
	char bytes[4];
	size_t size = 0;

	if (c < 0x80) {
		bytes[size++] = (char)c;
	} else if (c < 0x800) {
		bytes[size++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		bytes[size++] = (char)(0xe0 | c >> 12);
		bytes[size++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		bytes[size++] = (char)(0xf0 | c >> 18);
		bytes[size++] = (char)(0x80 | (c >> 12 & 0x3f));
		bytes[size++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		bytes[size++] = (char)(0x80 | (c & 0x3f));
	put_bytes(r, bytes, size);
}

/** Finish: the text, or NULL when it was not a Rust name. */
static char *finish(struct rust *r)
{
	if (!r->bad)
		put_bytes(r, "", 1);
	if (r->bad) {
		free(r->out);
		return NULL;
	}
	return r->out;
}

/* Legacy. */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_legacy_hash(const char *part, size_t size)
{
	if (size != 17 || *part != 'h')
		return false;
	for (size_t i = 1; i < size; i++)
		if (!is_hex(part[i]))
			return false;
	return true;
}

/** The $..$ escape at `part`; its size, 0 if it is none. */
static size_t legacy_escape(struct rust *r, const char *part, size_t size)
{
	static const struct {
		const char *code, *text;
	} escapes[] = {{"$SP$", "@"}, {"$BP$", "*"}, {"$RF$", "&"}, {"$LT$", "<"},
		       {"$GT$", ">"}, {"$LP$", "("}, {"$RP$", ")"}, {"$C$", ","}};
	uint32_t c = 0;
	size_t i = 2;

	for (size_t e = 0; e < sizeof(escapes) / sizeof(*escapes); e++) {
		size_t code = strlen(escapes[e].code);

		if (size >= code && memcmp(part, escapes[e].code, code) == 0) {
			put(r, escapes[e].text);
			return code;
		}
	}
	if (size < 4 || part[1] != 'u')
		return 0;
	for (; i < size && i < 8 && is_hex(part[i]); i++)
		c = c * 16 + (uint32_t)(part[i] <= '9' ? part[i] - '0' : part[i] - 'a' + 10);
	if (i == 2 || i == size || part[i] != '$' || c < 0x20 || c > 0x10ffff)
		return 0;
	put_utf8(r, c);
	return i + 1;
}

static void legacy_part(struct rust *r, const char *part, size_t size)
{
	size_t i = 0;

	if (size > 1 && part[0] == '_' && part[1] == '$')
		i = 1; /* identifiers cannot begin with $ */
	while (i < size) {
		size_t escape = part[i] == '$' ? legacy_escape(r, part + i, size - i) : 0;

		if (escape) {
			i += escape;
		} else if (part[i] == '.' && i + 1 < size && part[i + 1] == '.') {
			put(r, "::");
			i += 2;
		} else {
			put_bytes(r, part + i++, 1);
		}
	}
}

/** The next `<length><bytes>` of a nested name. */
static bool legacy_next(struct rust *r, const char **part, size_t *size)
{
	size_t length = 0;

	if (r->at == r->end || *r->at < '1' || *r->at > '9')
		return false;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		length = length * 10 + (size_t)(*r->at - '0');
		if (length > OUTPUT_MAX)
			return false;
	}
	if (length > (size_t)(r->end - r->at))
		return false;
	*part = r->at;
	*size = length;
	r->at += length;
	return true;
}

/** `_ZN`, parts, a hash, `E`. */
static char *demangle_legacy(const char *name)
{
	struct rust r = {.at = name + 3, .end = name + strlen(name)};
	const char *part, *last = NULL;
	size_t size, last_size = 0, printed = 0;

	while (legacy_next(&r, &part, &size)) {
		if (last) {
			if (printed++)
				put(&r, "::");
			legacy_part(&r, last, last_size);
		}
		last = part;
		last_size = size;
	}
	r.bad |= r.at == r.end || *r.at != 'E' || r.at + 1 != r.end || !printed ||
		 !is_legacy_hash(last, last_size);
	return finish(&r);
}

/* v0: the small parts. */

static char peek(const struct rust *r)
{
	if (r->at == r->end)
		return '\0';
	return *r->at;
}

static bool eat(struct rust *r, char c)
{
	if (peek(r) != c || !c)
		return false;
	r->at++;
	return true;
}

static char next(struct rust *r)
{
	if (r->at == r->end) {
		r->bad = true;
		return '\0';
	}
	return *r->at++;
}

/** `_` is 0, `<digits>_` is one more than the base-62 number. */
static uint64_t base62(struct rust *r)
{
	uint64_t value = 0;

	if (eat(r, '_'))
		return 0;
	for (;;) {
		char c = next(r);
		uint64_t digit;

		if (r->bad)
			return 0;
		if (c == '_')
			break;
		if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'z')
			digit = (uint64_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'Z')
			digit = (uint64_t)(c - 'A') + 36;
		else
			digit = UINT64_MAX;
		if (digit > 61 || value > (UINT64_MAX - digit - 1) / 62) {
			r->bad = true;
			return 0;
		}
		value = value * 62 + digit;
	}
	return value + 1;
}

/** An optional `s<base62>`: 0 when absent. */
static uint64_t disambiguator(struct rust *r)
{
	return eat(r, 's') ? base62(r) + 1 : 0;
}

struct identifier {
	const char *bytes;
	size_t size;
	bool punycode;
	uint64_t disambiguator;
};

static struct identifier identifier(struct rust *r)
{
	struct identifier id = {.disambiguator = disambiguator(r)};
	size_t size = 0;

	id.punycode = eat(r, 'u');
	if (peek(r) < '0' || peek(r) > '9')
		r->bad = true;
	if (!eat(r, '0'))
		for (; peek(r) >= '0' && peek(r) <= '9' && size <= OUTPUT_MAX; r->at++)
			size = size * 10 + (size_t)(*r->at - '0');
	eat(r, '_');
	if (r->bad || size > (size_t)(r->end - r->at)) {
		r->bad = true;
		return id;
	}
	id.bytes = r->at;
	id.size = size;
	r->at += size;
	return id;
}

/** Punycode (RFC 3492), with `_` where the RFC has `-`; characters into `out`; their count, 0 if
 * wrong. */
static size_t punycode(const struct identifier *id, uint32_t *out)
{
	const char *at = id->bytes, *end = id->bytes + id->size;
	const char *split = id->size ? memrchr(id->bytes, '_', id->size) : NULL;
	uint64_t i = 0, n = 128, bias = 72, count = 0;
	bool first = true;

	for (; split && at < split; at++) {
		if (count == PUNYCODE_MAX)
			return 0;
		out[count++] = (unsigned char)*at;
	}
	at = split ? split + 1 : id->bytes;
	while (at < end) {
		uint64_t old = i, weight = 1, delta, k;

		for (k = 36;; k += 36) {
			uint64_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
			uint64_t digit;

			if (at == end)
				return 0;
			if (*at >= 'a' && *at <= 'z')
				digit = (uint64_t)(*at - 'a');
			else if (*at >= '0' && *at <= '9')
				digit = (uint64_t)(*at - '0') + 26;
			else
				return 0;
			at++;
			i += digit * weight;
			if (i > UINT32_MAX || weight > UINT32_MAX)
				return 0;
			if (digit < t)
				break;
			weight *= 36 - t;
		}
		if (count == PUNYCODE_MAX)
			return 0;
		count++;
		delta = (i - old) / (first ? 700 : 2);
		first = false;
		delta += delta / count;
		for (k = 0; delta > 455; k += 36)
			delta /= 35;
		bias = k + 36 * delta / (delta + 38);
		n += i / count;
		i %= count;
		if (n > 0x10ffff)
			return 0;
		memmove(out + i + 1, out + i, (size_t)(count - 1 - i) * sizeof(*out));
		out[i++] = (uint32_t)n;
	}
	return (size_t)count;
}

static void put_identifier(struct rust *r, const struct identifier *id)
{
	uint32_t characters[PUNYCODE_MAX];
	size_t count;

	if (!id->punycode) {
		put_bytes(r, id->bytes, id->size);
		return;
	}
	count = r->bad ? 0 : punycode(id, characters);
	if (!count)
		r->bad = true;
	for (size_t i = 0; i < count; i++)
		put_utf8(r, characters[i]);
}

/** Lifetime number `index`, counted from the innermost binder; 0 is the erased one. */
static void put_lifetime(struct rust *r, uint64_t index)
{
	uint64_t depth;
	char letter[2] = {0};

	if (!index) {
		put(r, "'_");
		return;
	}
	if (index > r->bound) {
		r->bad = true;
		return;
	}
	depth = r->bound - index;
	put(r, "'");
	if (depth < 26) {
		letter[0] = (char)('a' + depth);
		put(r, letter);
	} else {
		put(r, "_");
		put_number(r, depth);
	}
}

/** An optional `G<base62>`: `for<'a, 'b> `; returns how many lifetimes it binds. */
static uint64_t binder(struct rust *r)
{
	uint64_t count = eat(r, 'G') ? base62(r) + 1 : 0;

	if (count > BINDERS_MAX) {
		r->bad = true;
		return 0;
	}
	for (uint64_t i = 0; i < count; i++) {
		put(r, i ? ", " : "for<");
		r->bound++;
		put_lifetime(r, 1);
	}
	if (count)
		put(r, "> ");
	return count;
}

/* v0: paths, types, constants call each other. */

static void path(struct rust *r, bool in_value);
static void type(struct rust *r);
static void constant(struct rust *r, bool in_value);

typedef void part_fn(struct rust *r, bool in_value);

static void type_part(struct rust *r, bool in_value)
{
	(void)in_value;
	type(r);
}

/** Enter one more level; false when that is too deep. */
static bool enter(struct rust *r)
{
	if (r->bad || ++r->depth > DEPTH_MAX)
		r->bad = true;
	return !r->bad;
}

/** `B<base62>`, B eaten: print what stands at that earlier position. */
static void back_reference(struct rust *r, part_fn *part, bool in_value)
{
	const char *here = r->at - 1;
	uint64_t offset = base62(r);
	const char *resume = r->at;

	if (r->bad || offset >= (uint64_t)(here - r->begin)) {
		r->bad = true;
		return;
	}
	if (r->quiet)
		return;
	r->at = r->begin + offset;
	part(r, in_value);
	r->at = resume;
}

static void generic_argument(struct rust *r)
{
	if (eat(r, 'L'))
		put_lifetime(r, base62(r));
	else if (eat(r, 'K'))
		constant(r, false);
	else
		type(r);
}

/** Arguments up to E, with commas; how many there were. */
static size_t generic_arguments(struct rust *r)
{
	size_t count = 0;

	for (; !r->bad && !eat(r, 'E'); count++) {
		if (count)
			put(r, ", ");
		generic_argument(r);
	}
	return count;
}

/** `N<namespace><path><identifier>`, N eaten. */
static void nested_path(struct rust *r, bool in_value)
{
	char space = next(r);
	struct identifier id;

	path(r, in_value);
	id = identifier(r);
	if (r->bad)
		return;
	if (space >= 'A' && space <= 'Z') {
		put(r, "::{");
		if (space == 'C')
			put(r, "closure");
		else if (space == 'S')
			put(r, "shim");
		else
			put_bytes(r, &space, 1);
		if (id.size) {
			put(r, ":");
			put_identifier(r, &id);
		}
		put(r, "#");
		put_number(r, id.disambiguator);
		put(r, "}");
	} else if (id.size) {
		put(r, "::");
		put_identifier(r, &id);
	}
}

/** The path of an impl block: it only tells blocks apart, and is not shown. */
static void impl_path(struct rust *r)
{
	bool quiet = r->quiet;

	disambiguator(r);
	r->quiet = true;
	path(r, false);
	r->quiet = quiet;
}

static void path_inside(struct rust *r, bool in_value)
{
	char tag = next(r);
	struct identifier id;

	switch (tag) {
	case 'C':
		id = identifier(r);
		put_identifier(r, &id);
		break;
	case 'N':
		nested_path(r, in_value);
		break;
	case 'M':
	case 'X':
	case 'Y':
		if (tag != 'Y')
			impl_path(r);
		put(r, "<");
		type(r);
		if (tag != 'M') {
			put(r, " as ");
			path(r, false);
		}
		put(r, ">");
		break;
	case 'I':
		path(r, in_value);
		put(r, in_value ? "::<" : "<");
		generic_arguments(r);
		put(r, ">");
		break;
	case 'B':
		back_reference(r, path, in_value);
		break;
	default:
		r->bad = true;
	}
}

static void path(struct rust *r, bool in_value)
{
	if (enter(r))
		path_inside(r, in_value);
	r->depth--;
}

static const char *basic_type(char tag)
{
	static const char *const names[26] = {
		['a' - 'a'] = "i8",   ['b' - 'a'] = "bool",  ['c' - 'a'] = "char",
		['d' - 'a'] = "f64",  ['e' - 'a'] = "str",   ['f' - 'a'] = "f32",
		['h' - 'a'] = "u8",   ['i' - 'a'] = "isize", ['j' - 'a'] = "usize",
		['l' - 'a'] = "i32",  ['m' - 'a'] = "u32",   ['n' - 'a'] = "i128",
		['o' - 'a'] = "u128", ['p' - 'a'] = "_",     ['s' - 'a'] = "i16",
		['t' - 'a'] = "u16",  ['u' - 'a'] = "()",    ['v' - 'a'] = "...",
		['x' - 'a'] = "i64",  ['y' - 'a'] = "u64",   ['z' - 'a'] = "!",
	};

	return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : NULL;
}

/** `F[binder][U][K<abi>]<arguments>E<result>`, F eaten. */
static void function_type(struct rust *r)
{
	uint64_t outer = r->bound;
	size_t count = 0;

	binder(r);
	if (eat(r, 'U'))
		put(r, "unsafe ");
	if (eat(r, 'K')) {
		put(r, "extern \"");
		if (eat(r, 'C')) {
			put(r, "C");
		} else {
			struct identifier id = identifier(r);

			for (size_t i = 0; !r->bad && i < id.size; i++)
				put_bytes(r, id.bytes[i] == '_' ? "-" : id.bytes + i, 1);
		}
		put(r, "\" ");
	}
	put(r, "fn(");
	for (; !r->bad && !eat(r, 'E'); count++) {
		if (count)
			put(r, ", ");
		type(r);
	}
	put(r, ")");
	if (!eat(r, 'u')) {
		put(r, " -> ");
		type(r);
	}
	r->bound = outer;
}

/** A trait's path; true if its argument list was left open for bindings. */
static bool open_trait_path(struct rust *r)
{
	bool open = false;

	if (!enter(r)) {
		r->depth--;
		return false;
	}
	if (eat(r, 'B')) {
		const char *here = r->at - 1;
		uint64_t offset = base62(r);
		const char *resume = r->at;

		r->bad |= offset >= (uint64_t)(here - r->begin);
		if (!r->bad && !r->quiet) {
			r->at = r->begin + offset;
			open = open_trait_path(r);
			r->at = resume;
		}
	} else if (eat(r, 'I')) {
		path(r, false);
		put(r, "<");
		generic_arguments(r);
		open = true;
	} else {
		path(r, false);
	}
	r->depth--;
	return open;
}

/** A trait of `dyn`, with its bindings `p<name><type>` inside the brackets of its arguments. */
static void dyn_trait(struct rust *r)
{
	bool open = open_trait_path(r);

	while (eat(r, 'p')) {
		struct identifier id = identifier(r);

		put(r, open ? ", " : "<");
		open = true;
		if (!r->bad)
			put_identifier(r, &id);
		put(r, " = ");
		type(r);
	}
	if (open)
		put(r, ">");
}

/** `D[binder]<traits>E<lifetime>`, D eaten. */
static void dyn_type(struct rust *r)
{
	uint64_t outer = r->bound;
	uint64_t lifetime;

	put(r, "dyn ");
	binder(r);
	for (size_t count = 0; !r->bad && !eat(r, 'E'); count++) {
		if (count)
			put(r, " + ");
		dyn_trait(r);
	}
	r->bound = outer;
	if (!eat(r, 'L')) {
		r->bad = true;
		return;
	}
	lifetime = base62(r);
	if (lifetime) {
		put(r, " + ");
		put_lifetime(r, lifetime);
	}
}

static void reference_type(struct rust *r, bool is_mutable)
{
	uint64_t lifetime = eat(r, 'L') ? base62(r) : 0;

	put(r, "&");
	if (lifetime) {
		put_lifetime(r, lifetime);
		put(r, " ");
	}
	if (is_mutable)
		put(r, "mut ");
	type(r);
}

static void tuple_type(struct rust *r)
{
	size_t count = 0;

	put(r, "(");
	for (; !r->bad && !eat(r, 'E'); count++) {
		if (count)
			put(r, ", ");
		type(r);
	}
	put(r, count == 1 ? ",)" : ")");
}

static void type_inside(struct rust *r)
{
	const char *basic = basic_type(peek(r));
	char tag = next(r);

	if (basic) {
		put(r, basic);
		return;
	}
	switch (tag) {
	case 'A':
	case 'S':
		put(r, "[");
		type(r);
		if (tag == 'A') {
			put(r, "; ");
			constant(r, true);
		}
		put(r, "]");
		break;
	case 'T':
		tuple_type(r);
		break;
	case 'R':
	case 'Q':
		reference_type(r, tag == 'Q');
		break;
	case 'P':
	case 'O':
		put(r, tag == 'P' ? "*const " : "*mut ");
		type(r);
		break;
	case 'F':
		function_type(r);
		break;
	case 'D':
		dyn_type(r);
		break;
	case 'B':
		back_reference(r, type_part, false);
		break;
	default:
		r->at--;
		path(r, false);
	}
}

static void type(struct rust *r)
{
	if (enter(r))
		type_inside(r);
	r->depth--;
}

/** Hexadecimal digits up to `_`. */
static struct identifier hex_digits(struct rust *r)
{
	struct identifier digits = {.bytes = r->at};

	while (is_hex(peek(r)))
		r->at++;
	digits.size = (size_t)(r->at - digits.bytes);
	if (!eat(r, '_'))
		r->bad = true;
	return digits;
}

static uint64_t hex_value(struct rust *r, struct identifier digits)
{
	uint64_t value = 0;

	if (digits.size > 16)
		r->bad = true;
	for (size_t i = 0; !r->bad && i < digits.size; i++) {
		char c = digits.bytes[i];

		value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return value;
}

static void integer_constant(struct rust *r)
{
	struct identifier digits;

	if (eat(r, 'n'))
		put(r, "-");
	digits = hex_digits(r);
	if (digits.size > 16) {
		put(r, "0x");
		put_bytes(r, digits.bytes, digits.size);
	} else {
		put_number(r, hex_value(r, digits));
	}
}

static void put_quoted(struct rust *r, uint32_t c, char quote)
{
	char text[16];

	if (c == '\t' || c == '\n' || c == '\r' || c == '\\' || c == (unsigned char)quote) {
		put(r, "\\");
		put_utf8(r, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
	} else if (c < 0x20 || c == 0x7f) {
		snprintf(text, sizeof(text), "\\u{%x}", (unsigned)c);
		put(r, text);
	} else {
		put_utf8(r, c);
	}
}

static void char_constant(struct rust *r)
{
	uint64_t c = hex_value(r, hex_digits(r));

	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		r->bad = true;
	put(r, "'");
	if (!r->bad)
		put_quoted(r, (uint32_t)c, '\'');
	put(r, "'");
}

/** A string's bytes are printed as they are: names are UTF-8. */
static void str_constant(struct rust *r)
{
	struct identifier digits = hex_digits(r);

	if (digits.size % 2)
		r->bad = true;
	put(r, "\"");
	for (size_t i = 0; !r->bad && i + 1 < digits.size; i += 2) {
		struct identifier pair = {.bytes = digits.bytes + i, .size = 2};
		char byte = (char)hex_value(r, pair);

		if ((unsigned char)byte < 0x80)
			put_quoted(r, (uint32_t)byte, '"');
		else
			put_bytes(r, &byte, 1);
	}
	put(r, "\"");
}

static void constants_until_end(struct rust *r)
{
	for (size_t count = 0; !r->bad && !eat(r, 'E'); count++) {
		if (count)
			put(r, ", ");
		constant(r, true);
	}
}

/** `V<path>` and then U (no fields), T (a tuple's) or S (named ones), V eaten. */
static void variant_constant(struct rust *r)
{
	path(r, true);
	switch (next(r)) {
	case 'U':
		break;
	case 'T':
		put(r, "(");
		constants_until_end(r);
		put(r, ")");
		break;
	case 'S':
		put(r, " { ");
		for (size_t count = 0; !r->bad && !eat(r, 'E'); count++) {
			struct identifier id;

			put(r, count ? ", " : "");
			id = identifier(r);
			if (!r->bad)
				put_identifier(r, &id);
			put(r, ": ");
			constant(r, true);
		}
		put(r, " }");
		break;
	default:
		r->bad = true;
	}
}

static void constant_inside(struct rust *r)
{
	char tag = next(r);

	switch (tag) {
	case 'p':
		put(r, "_");
		break;
	case 'b':
		put(r, hex_value(r, hex_digits(r)) ? "true" : "false");
		break;
	case 'c':
		char_constant(r);
		break;
	case 'e':
		put(r, "*");
		str_constant(r);
		break;
	case 'R':
	case 'Q':
		if (tag == 'R' && eat(r, 'e')) {
			str_constant(r);
			break;
		}
		put(r, tag == 'R' ? "&" : "&mut ");
		constant(r, true);
		break;
	case 'A':
	case 'T':
		put(r, tag == 'A' ? "[" : "(");
		constants_until_end(r);
		put(r, tag == 'A' ? "]" : ")");
		break;
	case 'V':
		variant_constant(r);
		break;
	case 'B':
		back_reference(r, constant, true);
		break;
	default:
		if (tag && strchr("ahijlmnostxy", tag))
			integer_constant(r);
		else
			r->bad = true;
	}
}

/** Expressions that are not plain values stand in braces, except inside another value. */
static void constant(struct rust *r, bool in_value)
{
	bool braces = !in_value &&
		      (peek(r) == 'R' || peek(r) == 'Q' || peek(r) == 'V' || peek(r) == 'A' ||
		       peek(r) == 'T' || peek(r) == 'e') &&
		      !(peek(r) == 'R' && r->at + 1 < r->end && r->at[1] == 'e');

	if (braces)
		put(r, "{");
	if (enter(r))
		constant_inside(r);
	r->depth--;
	if (braces)
		put(r, "}");
}

/** `_R<path>[<instantiating crate>]`, perhaps with a vendor's suffix behind a dot. */
static char *demangle_v0(const char *name)
{
	struct rust r = {.begin = name + 2, .at = name + 2, .end = name + strcspn(name, ".$")};

	if (*r.at < 'A' || *r.at > 'Z')
		return NULL; /* a later version of the encoding, or no Rust at all */
	path(&r, true);
	if (!r.bad && r.at < r.end) {
		r.quiet = true;
		path(&r, false);
	}
	r.quiet = false;
	r.bad |= r.at != r.end;
	return finish(&r);
}

char *demangle_rust(const char *name)
{
	if (strncmp(name, "_R", 2) == 0)
		return demangle_v0(name);
	if (strncmp(name, "_ZN", 3) == 0)
		return demangle_legacy(name);
	return NULL;
}
