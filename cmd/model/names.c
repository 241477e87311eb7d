/*
 * names.c - names of functions: which functions only pass a request on to malloc, and which names
 * differ only in spelling.
 *
 * Every rule of normalisation shortens its text or leaves it, so that the work is done in place.
 */
#include "model/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

const char *name_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- allocator plumbing ---------------------------------------------------------------------- */

/*
 * C functions whose name says nothing about the code that wanted the memory; sorted for bsearch().
 * Whole names only: `leak_malloc` or `cache_realloc` may be the function that the user looks for.
 */
static const char *const plumbing[] = {
	"CRYPTO_clear_realloc",
	"CRYPTO_malloc",
	"CRYPTO_memdup",
	"CRYPTO_realloc",
	"CRYPTO_strdup",
	"CRYPTO_strndup",
	"CRYPTO_zalloc",
	"PyMem_Calloc",
	"PyMem_Malloc",
	"PyMem_RawCalloc",
	"PyMem_RawMalloc",
	"PyMem_RawRealloc",
	"PyMem_Realloc",
	"PyObject_Calloc",
	"PyObject_Malloc",
	"PyObject_Realloc",
	"_IO_vasprintf",
	"_PyMem_DebugCalloc",
	"_PyMem_DebugMalloc",
	"_PyMem_DebugRawAlloc",
	"_PyMem_DebugRawCalloc",
	"_PyMem_DebugRawMalloc",
	"_PyMem_DebugRawRealloc",
	"_PyMem_DebugRealloc",
	"_PyMem_RawCalloc",
	"_PyMem_RawMalloc",
	"_PyMem_RawRealloc",
	"_PyObject_Calloc",
	"_PyObject_GC_Alloc",
	"_PyObject_GC_Malloc",
	"_PyObject_Malloc",
	"_PyObject_Realloc",
	"__asprintf",
	"__asprintf_chk",
	"__libc_calloc",
	"__libc_malloc",
	"__libc_memalign",
	"__libc_pvalloc",
	"__libc_realloc",
	"__libc_reallocarray",
	"__libc_valloc",
	"__posix_memalign",
	"__rdl_alloc",
	"__rdl_alloc_zeroed",
	"__rdl_realloc",
	"__rg_alloc",
	"__rg_alloc_zeroed",
	"__rg_realloc",
	"__rust_alloc",
	"__rust_alloc_zeroed",
	"__rust_realloc",
	"__strdup",
	"__strndup",
	"__vasprintf_chk",
	"__vasprintf_internal",
	"__wcsdup",
	"_int_malloc",
	"_int_realloc",
	"_obstack_begin",
	"_obstack_begin_1",
	"_obstack_newchunk",
	"aligned_alloc",
	"asprintf",
	"calloc",
	"emalloc",
	"erealloc",
	"estrdup",
	"g_aligned_alloc",
	"g_aligned_alloc0",
	"g_malloc",
	"g_malloc0",
	"g_malloc0_n",
	"g_malloc_n",
	"g_memdup",
	"g_memdup2",
	"g_realloc",
	"g_realloc_n",
	"g_slice_alloc",
	"g_slice_alloc0",
	"g_slice_copy",
	"g_strdup",
	"g_strndup",
	"g_try_malloc",
	"g_try_malloc0",
	"g_try_malloc0_n",
	"g_try_malloc_n",
	"g_try_realloc",
	"g_try_realloc_n",
	"gc_alloc",
	"malloc",
	"memalign",
	"mmap",
	"mmap64",
	"mremap",
	"new_arena",
	"operator new",
	"operator new[]",
	"posix_memalign",
	"pvalloc",
	"pymalloc_alloc",
	"pymalloc_realloc",
	"realloc",
	"reallocarray",
	"reallocf",
	"safe_calloc",
	"safe_malloc",
	"safe_realloc",
	"sbrk",
	"sqlite3DbMallocRaw",
	"sqlite3DbMallocRawNN",
	"sqlite3DbMallocZero",
	"sqlite3DbRealloc",
	"sqlite3DbReallocOrFree",
	"sqlite3DbStrDup",
	"sqlite3DbStrNDup",
	"sqlite3Malloc",
	"sqlite3MallocZero",
	"sqlite3MemMalloc",
	"sqlite3MemRealloc",
	"sqlite3Realloc",
	"sqlite3_malloc",
	"sqlite3_malloc64",
	"sqlite3_realloc",
	"sqlite3_realloc64",
	"strdup",
	"strndup",
	"sysmalloc",
	"valloc",
	"vasprintf",
	"wcsdup",
	"x2nrealloc",
	"x2realloc",
	"xasprintf",
	"xcalloc",
	"xicalloc",
	"ximalloc",
	"xireallocarray",
	"xmalloc",
	"xmalloc0",
	"xmallocarray",
	"xmemdup",
	"xmemdup0",
	"xnmalloc",
	"xnrealloc",
	"xpalloc",
	"xrealloc",
	"xreallocarray",
	"xstrdup",
	"xstrndup",
	"xvasprintf",
	"xzalloc",
	"zcalloc",
	"zmalloc",
	"zrealloc",
};

/* Rust paths that begin so are the allocator's: the shims, Box's construction, RawVec's growth. */
static const char *const rust_plumbing[] = {
	"alloc::alloc::",
	"alloc::boxed::Box<",
	"alloc::boxed::box_new",
	"alloc::raw_vec::",
	"<alloc::alloc::Global as ",
	"<alloc::alloc::Global>::",
	"<alloc::boxed::Box<",
	"<alloc::raw_vec::RawVec",
	"<std::alloc::System as ",
	"<std::alloc::System>::",
	"std::alloc::System::",
	"std::alloc::__default_lib_allocator::",
	"std::sys::alloc::",
	"std::sys::pal::unix::alloc::",
	"std::sys::unix::alloc::",
	"hashbrown::raw::alloc::",
	"__rustc::__r", /* __rustc::__rust_alloc, __rustc::__rdl_alloc, ... */
};

/* Components of a path of the C++ standard library which show that the function only passes a
   request on to malloc.  All reserved names (_M_allocate) do so as well. */
static const char *const std_plumbing[] = {
	"allocator",    "allocator_traits",      "allocate_shared",
	"make_shared",  "make_unique",           "memory_resource",
	"newdel_res_t", "polymorphic_allocator", "scoped_allocator_adaptor",
	"shared_ptr",
};

/* Inline namespaces of the C++ standard libraries: spelling, not structure. */
static const char *const inline_namespaces[] = {"__cxx11", "__1", "__ndk1", "_V2"};

struct span {
	const char *start;
	size_t size;
};

static bool is_identifier(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

static bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.size && memcmp(span.start, text, span.size) == 0;
}

static bool span_in(struct span span, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_is(span, list[i]))
			return true;
	return false;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The bracketed text at `p`, brackets included; the whole rest when they do not match. */
static size_t bracketed_size(const char *p)
{
	size_t depth = 0, i = 0;

	for (; p[i]; i++) {
		if (p[i] == '<' || p[i] == '(' || p[i] == '[' || p[i] == '{')
			depth++;
		else if ((p[i] == '>' && p[i - 1] != '-') || p[i] == ')' || p[i] == ']' ||
			 p[i] == '}')
			depth--;
		if (depth == 0)
			return i + 1;
	}
	return i;
}

/*
 * Take the next component of a C++ path: its bare name, without template arguments.  The last one
 * is followed by parameters or the end; then `*path` becomes NULL.
 */
static struct span next_component(const char **path)
{
	const char *p = *path;
	struct span name = {p, 0};

	if (*p == '(' || *p == '{')
		p += bracketed_size(p); /* (anonymous namespace), {lambda()#1} */
	while (is_identifier(*p) || *p == '~')
		p++;
	name.size = (size_t)(p - name.start);
	if (span_is(name, "operator")) {
		while (*p && *p != '(')
			p++;
		name.size = (size_t)(p - name.start);
	} else {
		while (*p == '<' || *p == '[')
			p += bracketed_size(p);
	}
	*path = p[0] == ':' && p[1] == ':' ? p + 2 : NULL;
	return name;
}

/* A path of the C++ standard library that users do not write themselves:
 * std::allocator<T>::allocate, ..._M_create. */
static bool is_std_plumbing(const char *path)
{
	while (path) {
		struct span part = next_component(&path);

		if (span_in(part, std_plumbing, COUNT(std_plumbing)))
			return true;
		if (part.size && part.start[0] == '_' &&
		    !span_in(part, inline_namespaces, COUNT(inline_namespaces)))
			return true;
	}
	return false;
}

/* The last component of `function`: "operator new" of "Pool::operator new(unsigned long)". */
static struct span last_component(const char *function)
{
	struct span name = {function, 0};

	while (function)
		name = next_component(&function);
	return name;
}

static int compare_span(const void *key, const void *element)
{
	const struct span *span = key;
	const char *name = *(const char *const *)element;
	int order = strncmp(span->start, name, span->size);

	return order ? order : -(int)(name[span->size] != 0);
}

static bool is_listed(struct span name)
{
	return bsearch(&name, plumbing, COUNT(plumbing), sizeof(plumbing[0]), compare_span) != NULL;
}

/* The C library has aliases of one name: strdup, __strdup, and ___asprintf where asprintf is meant.
 */
static bool is_listed_alias(struct span name)
{
	while (name.size > 1 && name.start[0] == '_') {
		name.start++;
		name.size--;
		if (is_listed(name))
			return true;
	}
	return false;
}

/* Our own runtime, should its frames ever be recorded. */
static bool is_own_module(const char *module)
{
	return text_starts_with(name_base(module), "libsnap.so");
}

bool name_is_plumbing(const char *function, const char *file, const char *module)
{
	struct span last;

	(void)file; /* no rule needs it so far; names have been enough */
	if (module && is_own_module(module))
		return true;
	if (!function || !*function)
		return false;
	for (size_t i = 0; i < COUNT(rust_plumbing); i++)
		if (text_starts_with(function, rust_plumbing[i]))
			return true;
	if (text_starts_with(function, "std::") && is_std_plumbing(function + strlen("std::")))
		return true;
	if (text_starts_with(function, "__gnu_cxx::") && is_std_plumbing(function))
		return true;
	last = last_component(function);
	if (last.start != function) /* a member: only class-specific operators pass on */
		return span_is(last, "operator new") || span_is(last, "operator new[]");
	return is_listed(last) || is_listed_alias(last);
}

/* ---- normalisation --------------------------------------------------------------------------- */

/* Suffixes that compilers give to copies of a function; each may carry a number (.isra.0). */
static const char *const clone_words[] = {
	"clone", "cold", "constprop", "isra", "llvm", "localalias", "lto_priv", "part",
};

static bool all_of(const char *text, size_t size, int (*is)(int))
{
	for (size_t i = 0; i < size; i++)
		if (!is((unsigned char)text[i]))
			return false;
	return size > 0;
}

/* Length of `text` without one trailing ".word" or ".123" of a compiler's copy; `size` when there
 * is none. */
static size_t without_clone(const char *text, size_t size)
{
	size_t dot = size;
	struct span word;

	while (dot > 0 && (isalnum((unsigned char)text[dot - 1]) || text[dot - 1] == '_'))
		dot--;
	if (dot < 2 || dot == size || text[dot - 1] != '.')
		return size;
	word = (struct span){text + dot, size - dot};
	if (all_of(word.start, word.size, isdigit) ||
	    span_in(word, clone_words, COUNT(clone_words)))
		return dot - 1;
	return size;
}

/* " [clone .isra.0]" and " (.isra.0)": how demanglers write the same. */
static size_t without_clone_note(const char *text, size_t size)
{
	size_t open = size;

	if (size == 0 || (text[size - 1] != ']' && text[size - 1] != ')'))
		return size;
	while (open > 0 && text[open - 1] != '[' && text[open - 1] != '(')
		open--;
	if (open < 2 || text[open - 2] != ' ')
		return size;
	if (text_starts_with(text + open, "clone ") || text[open] == '.')
		return open - 2;
	return size;
}

/* "::h0123456789abcdef": the hash that Rust's legacy mangling ends with. */
static size_t without_rust_hash(const char *text, size_t size)
{
	const size_t length = strlen("::h0123456789abcdef");

	if (size > length && text_starts_with(text + size - length, "::h") &&
	    all_of(text + size - 16, 16, isxdigit))
		return size - length;
	return size;
}

/* "malloc@@GLIBC_2.2.5", "read@plt": the version of a symbol, or the way it is reached. */
static size_t without_version(const char *text, size_t size)
{
	const char *at = memchr(text, '@', size);

	for (const char *p = text; at && p < at; p++)
		if (!is_identifier(*p))
			return size;
	return at && at > text ? (size_t)(at - text) : size;
}

static void cut_suffixes(char *text)
{
	size_t size = strlen(text), before;

	do {
		before = size;
		size = without_clone_note(text, size);
		size = without_clone(text, size);
		size = without_rust_hash(text, size);
		text[size] = 0;
	} while (size != before);
	text[without_version(text, size)] = 0;
}

/* Spellings of one thing; the second is never the longer one. */
static const struct {
	const char *spelling, *canonical;
} spellings[] = {
	{"(anonymous namespace)", "{anon}"},
	{"{anonymous}", "{anon}"},
	{"<unnamed>", "{anon}"},
	{"`anonymous namespace'", "{anon}"},
	{"_GLOBAL__N_1", "{anon}"},
	{"std::__cxx11::", "std::"},
	{"std::__1::", "std::"},
	{"std::__ndk1::", "std::"},
};

/* The length of the text at `p` that differs between builds without meaning; 0 if there is none. */
static size_t noise_size(const char *start, const char *p)
{
	size_t size;

	if (*p == '[') {
		size = bracketed_size(p);
		if (text_starts_with(p, "[abi:"))
			return size;
		if (size >= 10 && p > start && is_identifier(p[-1]) &&
		    all_of(p + 1, size - 2, isxdigit))
			return size; /* Rust's crate disambiguator: core[846817f741e54dfd] */
		return 0;
	}
	if (!isdigit((unsigned char)*p) || p == start)
		return 0;
	size = strspn(p, "0123456789");
	if (p[-1] == '#' && (p[size] == '}' || !p[size]))
		return size; /* {lambda(int)#2}, {closure#0}, {unnamed type#1} */
	if (p - start >= 2 && p[-1] == '_' && p[-2] == '$')
		return size; /* $_0: a lambda, as clang names it */
	if (p - start >= 7 && p[size] == '\'' && strncmp(p - 7, "'lambda", 7) == 0)
		return size;
	return 0;
}

/* A space is kept only where it parts two words. */
static bool space_is_needed(const char *out, size_t written, const char *rest)
{
	while (*rest == ' ')
		rest++;
	return written > 0 && is_identifier(out[written - 1]) && is_identifier(*rest);
}

/* Most characters begin nothing that is dropped or spelt otherwise. */
static bool may_be_noise(char c)
{
	switch (c) {
	case ' ':
	case '(':
	case '<':
	case '[':
	case '_':
	case '`':
	case 's':
	case '{':
		return true;
	default:
		return c >= '0' && c <= '9';
	}
}

static void drop_noise(char *text)
{
	const char *p = text;
	size_t written = 0;

	while (*p) {
		size_t skip, i = 0;

		if (!may_be_noise(*p)) {
			text[written++] = *p++;
			continue;
		}
		skip = noise_size(text, p);
		for (; !skip && i < COUNT(spellings); i++) {
			size_t size;

			if (!text_starts_with(p, spellings[i].spelling))
				continue;
			size = strlen(spellings[i].canonical);
			memcpy(text + written, spellings[i].canonical, size);
			written += size;
			skip = strlen(spellings[i].spelling);
		}
		if (!skip && *p == ' ' && !space_is_needed(text, written, p))
			skip = 1;
		if (skip)
			p += skip;
		else
			text[written++] = *p++;
	}
	text[written] = 0;
}

/* Template arguments that standard templates default to: std::vector<int, std::allocator<int>> is
 * std::vector<int>. */
static const char *const default_arguments[] = {
	",std::allocator", ",std::char_traits", ",std::default_delete",
	",std::equal_to",  ",std::hash",        ",std::less",
};

/* `text` ends with a last template argument; its length without those that are defaults. */
static size_t without_default_arguments(const char *text, size_t size)
{
	while (size > 0 && text[size - 1] == '>') {
		size_t depth = 0, open = size, before = size;

		do {
			open--;
			depth += text[open] == '>';
			depth -= text[open] == '<';
		} while (depth > 0 && open > 0);
		for (size_t i = 0; i < COUNT(default_arguments); i++) {
			size_t length = strlen(default_arguments[i]);

			if (depth == 0 && open > length &&
			    memcmp(text + open - length, default_arguments[i], length) == 0)
				size = open - length;
		}
		if (size == before)
			break;
	}
	return size;
}

/* To look back at every '>' takes quadratic time at worst, so longer names than this keep their
   arguments. */
enum { LONGEST_TEMPLATE = 8192 };

static void drop_default_arguments(char *text)
{
	static const char long_string[] = "std::basic_string<char", string[] = "std::string";
	size_t written = 0;

	if (!strchr(text, '<') || strlen(text) > LONGEST_TEMPLATE)
		return;
	for (const char *p = text; *p; p++) {
		if (*p == '>')
			written = without_default_arguments(text, written);
		text[written++] = *p;
		if (*p == '>' && written >= sizeof(long_string) &&
		    memcmp(text + written - sizeof(long_string), long_string,
			   sizeof(long_string) - 1) == 0) {
			written -= sizeof(long_string);
			memcpy(text + written, string, sizeof(string) - 1);
			written += sizeof(string) - 1;
			if (is_identifier(p[1]))
				text[written++] = ' ';
		}
	}
	text[written] = 0;
}

static void normalise_in_place(char *text)
{
	cut_suffixes(text);
	drop_noise(text);
	drop_default_arguments(text);
}

static size_t copy_out(const char *text, char *out, size_t size)
{
	size_t length = strlen(text);

	if (size) {
		size_t fits = length < size ? length : size - 1;

		memcpy(out, text, fits);
		out[fits] = 0;
	}
	return length;
}

size_t name_normalise(const char *function, char *out, size_t size)
{
	size_t length = strlen(function);
	char *scratch;

	if (length < size) {
		memcpy(out, function, length + 1);
		normalise_in_place(out);
		return strlen(out);
	}
	scratch = memory_need(strdup(function), "reading names");
	normalise_in_place(scratch);
	length = copy_out(scratch, out, size);
	free(scratch);
	return length;
}

/* Normalising may have taken the space before it. */
static bool is_word_as(const char *text, size_t at)
{
	return text_starts_with(text + at, "as ") && !is_identifier(text[at - 1]);
}

/*
 * Rust's "<Type as Trait>::method" and "<Type>::method" begin with a type: its size at `text` + 1,
 * and where the rest begins.
 */
static size_t self_type(const char *text, const char **rest)
{
	size_t size = bracketed_size(text), end = 1;

	*rest = text + size;
	if (size < 2 || text[size - 1] != '>')
		return 0;
	while (end < size - 1 && !is_word_as(text, end))
		end += strchr("<([{", text[end]) ? bracketed_size(text + end) : 1;
	if (end > size - 1)
		end = size - 1;
	while (end > 1 && text[end - 1] == ' ')
		end--;
	return end - 1;
}

/*
 * Append the names of the components of `path`, which lies behind them in `text`: what is kept
 * never overtakes what is read.  If nothing looks like a component, `text` stays.
 */
static size_t keep_components(char *text, size_t written, const char *path)
{
	while (path) {
		struct span part = next_component(&path);

		if (part.size == 0 && !path && !written)
			return strlen(text);
		if (part.size == 0)
			continue;
		if (written) {
			memcpy(text + written, "::", 2);
			written += 2;
		}
		memmove(text + written, part.start, part.size);
		written += part.size;
	}
	text[written] = 0;
	return written;
}

static void bare_in_place(char *text)
{
	const char *path = text;
	size_t written = 0;

	if (!strpbrk(text, "(<"))
		return; /* nothing to leave out; also "libfoo.so+0x1234" */
	if (*text == '<')
		written = self_type(text, &path);
	if (written) {
		memmove(text, text + 1, written);
		text[written] = 0;
		if (*text != '<') /* a type's type is left as it is: names may be nested for ever */
			written = keep_components(text, 0, text);
		path = text_starts_with(path, "::") ? path + 2 : NULL;
	}
	keep_components(text, written, path);
}

size_t name_bare(const char *function, char *out, size_t size)
{
	char *scratch = memory_need(strdup(function), "reading names");
	size_t length;

	normalise_in_place(scratch);
	bare_in_place(scratch);
	length = copy_out(scratch, out, size);
	free(scratch);
	return length;
}

/* End of a run of digits and dots that starts at `p` ("1.2.3", ".6"). */
static size_t version_size(const char *p)
{
	return strspn(p, "0123456789.");
}

/* "libbfd-2.40-system": the first "-<digit>..." of a library's stem is its version. */
static void cut_stem_version(char *stem)
{
	for (char *dash = strchr(stem, '-'); dash; dash = strchr(dash + 1, '-')) {
		size_t size = version_size(dash + 1);

		if (isdigit((unsigned char)dash[1]) &&
		    (dash[1 + size] == 0 || dash[1 + size] == '-')) {
			memmove(dash, dash + 1 + size, strlen(dash + 1 + size) + 1);
			return;
		}
	}
}

bool name_is_address(const char *function)
{
	const char *digits = strrchr(function, '+');

	digits = digits ? digits + 1 : function;
	return strncmp(digits, "0x", 2) == 0 && digits[2] &&
	       digits[2 + strspn(digits + 2, "0123456789abcdef")] == 0;
}

bool name_is_of_another_build(const char *function)
{
	size_t size = strlen(function);

	return size > strlen("+?") && strcmp(function + size - strlen("+?"), "+?") == 0;
}

size_t name_normalise_module(const char *path, char *out, size_t size)
{
	static const char deleted[] = " (deleted)";
	char name[256], *so, *tag;
	size_t length;

	/* A name that long is no file name; the first bytes tell it apart well enough. */
	length = copy_out(name_base(path), name, sizeof(name));
	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	if (length > strlen(deleted) && strcmp(name + length - strlen(deleted), deleted) == 0)
		name[length - strlen(deleted)] = 0;
	so = strstr(name, ".so");
	if (so && so > name && version_size(so + 3) == strlen(so + 3)) {
		*so = 0;
		tag = strstr(name, ".cpython-");
		if (tag && tag > name)
			*tag = 0;
		cut_stem_version(name);
		memcpy(name + strlen(name), ".so", sizeof(".so")); /* no longer than it was */
	}
	return copy_out(name, out, size);
}
