/*
 * signature.c - names of C++ functions that have no linkage name, spelled from DWARF.
 *
 * The aim is the very text that demangling would have given, so that a function has one name in a
 * build that inlined it and in one that did not.
 */
#include "symbols/signature.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/demangle.h"

enum {
	DEPTH_MAX = 32,          /* of types in types */
	SIGNATURE_MAX = 1 << 14, /* bytes; longer ones are cut */
	WORK_MAX =
		1000, /* types of one signature: a damaged file can make them refer to each other */
};

struct speller {
	struct scopes *scopes;
	char *text;
	size_t size, room;
	int depth;
	int *work; /* number of types that may still be written */
	bool failed;
};

/* Text. */

static void put_bytes(struct speller *s, const char *bytes, size_t size)
{
	if (s->failed || size > SIGNATURE_MAX - s->size)
		return;
	if (!array_room(&s->text, &s->room, s->size + size + 1, 1)) {
		s->failed = true;
		return;
	}
	memcpy(s->text + s->size, bytes, size);
	s->size += size;
	s->text[s->size] = '\0';
}

static void put(struct speller *s, const char *text)
{
	put_bytes(s, text, strlen(text));
}

/** GCC's DWARF names integers as C declares them, a demangler in their shortest form. */
static const struct {
	const char *dwarf, *demangled;
} integers[] = {
	{"long long unsigned int", "unsigned long long"}, {"long long int", "long long"},
	{"long unsigned int", "unsigned long"},           {"long int", "long"},
	{"short unsigned int", "unsigned short"},         {"short int", "short"},
	{"__int128 unsigned", "unsigned __int128"},
};

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/** A name, with integers and functions among its template arguments in the demangler's spelling. */
static void put_name(struct speller *s, const char *name)
{
	const char *at = name;

	while (*at) {
		size_t matched = 0;

		if (*at == '(' && at > name && (is_word(at[-1]) || strchr("*&>", at[-1])) &&
		    strchr(name, '<') && strchr(name, '<') < at)
			put(s, " "); /* void (int), where GCC has void(int) */

		for (size_t i = 0; i < sizeof(integers) / sizeof(*integers) && !matched; i++) {
			size_t size = strlen(integers[i].dwarf);

			if (strncmp(at, integers[i].dwarf, size) == 0 && !is_word(at[size]) &&
			    (at == name || !is_word(at[-1]))) {
				put(s, integers[i].demangled);
				matched = size;
			}
		}
		if (!matched)
			put_bytes(s, at, 1);
		at += matched ? matched : 1;
	}
}

/* DIEs. */

static bool follow(Dwarf_Die *die, unsigned name, Dwarf_Die *target)
{
	Dwarf_Attribute attribute;

	return dwarf_formref_die(dwarf_attr(die, name, &attribute), target) != NULL;
}

/** The abstract function that a concrete or inlined one is an instance of. */
static Dwarf_Die abstract_of(const Dwarf_Die *die)
{
	Dwarf_Die found = *die, target;

	for (int i = 0; i < 8 && follow(&found, DW_AT_abstract_origin, &target); i++)
		found = target;
	return found;
}

/** The declaration, which stands in the function's true scope. */
static Dwarf_Die declaration_of(const Dwarf_Die *abstract)
{
	Dwarf_Die found = *abstract, target;

	for (int i = 0; i < 8 && follow(&found, DW_AT_specification, &target); i++)
		found = target;
	return found;
}

static bool flag(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	bool set = false;

	return dwarf_formflag(dwarf_attr_integrate(die, name, &attribute), &set) == 0 && set;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) != NULL;
}

/** `type` behind its typedefs: names are mangled without them. */
static Dwarf_Die strip_typedefs(const Dwarf_Die *type)
{
	Dwarf_Die stripped = *type, target;

	for (int i = 0; i < DEPTH_MAX && dwarf_tag(&stripped) == DW_TAG_typedef; i++) {
		if (!type_of(&stripped, &target))
			break;
		stripped = target;
	}
	return stripped;
}

/*
 * GCC moves the body of a coroutine into a function without linkage name, whose parameter is a
 * pointer to the frame.  That type has the coroutine's name, mangled, with ".Frame" behind it.
 */
static const char frame_suffix[] = ".Frame";

/** The name of the frame's type; NULL if `function` is no body of a coroutine. */
static const char *coroutine_frame(Dwarf_Die *function)
{
	Dwarf_Die child, type;
	const char *name = NULL;
	const char *dot;
	bool more = dwarf_child(function, &child) == 0;

	while (more && dwarf_tag(&child) != DW_TAG_formal_parameter)
		more = scopes_next_sibling(&child);
	if (more && type_of(&child, &type) && dwarf_tag(&type) == DW_TAG_pointer_type &&
	    type_of(&type, &type))
		name = dwarf_diename(&type);
	dot = name ? strrchr(name, '.') : NULL;
	return dot && strcmp(dot, frame_suffix) == 0 ? name : NULL;
}

/* Types, scopes and functions call each other. */

static void put_type(struct speller *s, Dwarf_Die *type, const char *declarator);
static void put_function(struct speller *s, Dwarf_Die *function);

/** `(int, char const*)`; objects' own pointers are not written. */
static void put_parameters(struct speller *s, Dwarf_Die *function)
{
	Dwarf_Die child, type;
	int count = 0;
	bool more = dwarf_child(function, &child) == 0;

	put(s, "(");
	for (; more; more = scopes_next_sibling(&child)) {
		int tag = dwarf_tag(&child);

		if ((tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters) ||
		    flag(&child, DW_AT_artificial))
			continue;
		put(s, count++ ? ", " : "");
		if (tag == DW_TAG_unspecified_parameters) {
			put(s, "...");
		} else if (type_of(&child, &type)) {
			type = strip_typedefs(&type);
			if (dwarf_tag(&type) == DW_TAG_const_type && !type_of(&type, &type))
				continue; /* const of a parameter is not part of the signature */
			put_type(s, &type, "");
		}
	}
	put(s, ")");
}

/** " const" and " volatile" of a member function: those of the object that it may be called for. */
static void put_qualifiers(struct speller *s, Dwarf_Die *function)
{
	Dwarf_Die child, type;
	bool more = dwarf_child(function, &child) == 0;
	bool is_const = false, is_volatile = false;

	while (more && dwarf_tag(&child) != DW_TAG_formal_parameter)
		more = scopes_next_sibling(&child);
	if (!more || !flag(&child, DW_AT_artificial) || !type_of(&child, &type))
		return;
	if (dwarf_tag(&type) == DW_TAG_const_type && !type_of(&type, &type))
		return;
	if (dwarf_tag(&type) != DW_TAG_pointer_type || !type_of(&type, &type))
		return;
	for (int i = 0; i < 2; i++) {
		is_const |= dwarf_tag(&type) == DW_TAG_const_type;
		is_volatile |= dwarf_tag(&type) == DW_TAG_volatile_type;
		if (!type_of(&type, &type))
			break;
	}
	put(s, is_const ? " const" : "");
	put(s, is_volatile ? " volatile" : "");
}

/** The call operator of a class without name, which makes it a lambda's. */
static bool find_call_operator(Dwarf_Die *type, Dwarf_Die *function)
{
	bool more = dwarf_child(type, function) == 0;

	for (; more; more = scopes_next_sibling(function)) {
		const char *name =
			dwarf_tag(function) == DW_TAG_subprogram ? dwarf_diename(function) : NULL;

		if (name && strcmp(name, "operator()") == 0 && !coroutine_frame(function))
			return true;
	}
	return false;
}

/** A class by its name.  Lambdas have none, or `<lambda(int)>`: they are written as demanglers do.
 */
static void put_class_name(struct speller *s, Dwarf_Die *type)
{
	const char *name = dwarf_diename(type);
	size_t size = name ? strlen(name) : 0;
	Dwarf_Die call;

	if (!name && find_call_operator(type, &call)) {
		put(s, "{lambda");
		put_parameters(s, &call);
		put(s, "#1}");
	} else if (!name) {
		put(s, "{unnamed type#1}");
	} else if (strncmp(name, "<lambda", 7) == 0 && name[size - 1] == '>') {
		put(s, "{");
		put_bytes(s, name + 1, size - 2);
		put(s, "#1}");
	} else {
		put_name(s, name);
	}
}

/** `std::vector<int>::` for what encloses `die`. */
static void put_scopes(struct speller *s, Dwarf_Die *die)
{
	Dwarf_Die around[SCOPES_MAX];
	size_t count = scopes_around(s->scopes, die, around);

	while (count-- > 0) {
		Dwarf_Die *scope = &around[count];
		const char *name = dwarf_diename(scope);

		switch (dwarf_tag(scope)) {
		case DW_TAG_namespace:
		case DW_TAG_module:
			put(s, name ? name : "(anonymous namespace)");
			break;
		case DW_TAG_subprogram:
			/* Its own scopes come with its name. */
			s->size = 0;
			put_function(s, scope);
			break;
		case DW_TAG_lexical_block:
			continue;
		default:
			put_class_name(s, scope);
		}
		put(s, "::");
	}
}

/** A name inside its scopes, written to a separate buffer so that put_scopes() may start again. */
static void put_scoped_class(struct speller *s, Dwarf_Die *type)
{
	struct speller inner = {.scopes = s->scopes, .depth = s->depth, .work = s->work};

	put_scopes(&inner, type);
	put_class_name(&inner, type);
	if (inner.text)
		put_bytes(s, inner.text, inner.size);
	s->failed |= inner.failed;
	free(inner.text);
}

static char *concatenate(const char *a, const char *b, const char *c)
{
	char *text;

	return asprintf(&text, "%s%s%s", a, b, c) < 0 ? NULL : text;
}

/** The type that `type` is made of, with `before` and `after` around the declarator. */
static void put_target(struct speller *s, Dwarf_Die *type, const char *before,
		       const char *declarator, const char *after)
{
	char *wrapped = concatenate(before, declarator, after);
	Dwarf_Die target;

	if (!wrapped)
		s->failed = true;
	else if (type_of(type, &target))
		put_type(s, &target, wrapped);
	else {
		put(s, "void");
		put(s, wrapped);
	}
	free(wrapped);
}

/** `T*`, `T&`; around functions and arrays, parentheses hold the declarator together. */
static void put_pointer(struct speller *s, Dwarf_Die *type, const char *mark,
			const char *declarator)
{
	Dwarf_Die target;
	bool parentheses = false;
	char *marked;

	if (type_of(type, &target)) {
		target = strip_typedefs(&target);
		parentheses = dwarf_tag(&target) == DW_TAG_subroutine_type ||
			      dwarf_tag(&target) == DW_TAG_array_type;
	}
	if (parentheses && *declarator == ' ')
		declarator++;
	marked = concatenate(parentheses ? " (" : "", mark, "");
	if (marked)
		put_target(s, type, marked, declarator, parentheses ? ")" : "");
	else
		s->failed = true;
	free(marked);
}

/** `T Class::*`. */
static void put_member_pointer(struct speller *s, Dwarf_Die *type, const char *declarator)
{
	struct speller mark = {.scopes = s->scopes, .depth = s->depth, .work = s->work};
	Dwarf_Die target, owner;

	if (type_of(type, &target) && dwarf_tag(&target) != DW_TAG_subroutine_type)
		put(&mark, " ");
	if (follow(type, DW_AT_containing_type, &owner))
		put_scoped_class(&mark, &owner);
	put(&mark, "::*");
	if (mark.text)
		put_pointer(s, type, mark.text, declarator);
	s->failed |= mark.failed;
	free(mark.text);
}

/** `int (char)`, or `int (*)(char)` when `declarator` says so. */
static void put_subroutine(struct speller *s, Dwarf_Die *type, const char *declarator)
{
	struct speller inner = {.scopes = s->scopes, .depth = s->depth, .work = s->work};

	put_parameters(&inner, type);
	if (inner.text)
		put_target(s, type, *declarator ? "" : " ", declarator, inner.text);
	s->failed |= inner.failed;
	free(inner.text);
}

static void put_array(struct speller *s, Dwarf_Die *type, const char *declarator)
{
	char bound[32] = " []";
	Dwarf_Attribute attribute;
	Dwarf_Word last;
	Dwarf_Die range;

	if (dwarf_child(type, &range) == 0 &&
	    dwarf_formudata(dwarf_attr(&range, DW_AT_upper_bound, &attribute), &last) == 0)
		snprintf(bound, sizeof(bound), " [%llu]", (unsigned long long)last + 1);
	put_target(s, type, "", declarator, bound);
}

static void put_type_inside(struct speller *s, Dwarf_Die *type, const char *declarator)
{
	switch (dwarf_tag(type)) {
	case DW_TAG_pointer_type:
		put_pointer(s, type, "*", declarator);
		break;
	case DW_TAG_reference_type:
		put_pointer(s, type, "&", declarator);
		break;
	case DW_TAG_rvalue_reference_type:
		put_pointer(s, type, "&&", declarator);
		break;
	case DW_TAG_ptr_to_member_type:
		put_member_pointer(s, type, declarator);
		break;
	case DW_TAG_const_type:
		put_target(s, type, " const", declarator, "");
		break;
	case DW_TAG_volatile_type:
		put_target(s, type, " volatile", declarator, "");
		break;
	case DW_TAG_restrict_type:
		put_target(s, type, " __restrict", declarator, "");
		break;
	case DW_TAG_typedef:
	case DW_TAG_atomic_type:
		put_target(s, type, "", declarator, "");
		break;
	case DW_TAG_subroutine_type:
		put_subroutine(s, type, declarator);
		break;
	case DW_TAG_array_type:
		put_array(s, type, declarator);
		break;
	case DW_TAG_unspecified_type:
		put(s, "decltype(nullptr)");
		put(s, declarator);
		break;
	case DW_TAG_base_type:
		put_name(s, dwarf_diename(type) ? dwarf_diename(type) : "?");
		put(s, declarator);
		break;
	default:
		put_scoped_class(s, type);
		put(s, declarator);
	}
}

static void put_type(struct speller *s, Dwarf_Die *type, const char *declarator)
{
	if (++s->depth <= DEPTH_MAX && s->size < SIGNATURE_MAX && --*s->work > 0)
		put_type_inside(s, type, declarator);
	s->depth--;
}

static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));
}

/** Malloc'ed; NULL if `function` is no body of a coroutine. */
static char *coroutine_name(Dwarf_Die *function)
{
	const char *frame = coroutine_frame(function);
	char *mangled = frame ? strndup(frame, strlen(frame) - strlen(frame_suffix)) : NULL;
	char *shown = mangled ? demangle_function(mangled) : NULL;

	free(mangled);
	return shown;
}

static void put_function(struct speller *s, Dwarf_Die *function)
{
	Dwarf_Die abstract = abstract_of(function);
	Dwarf_Die declaration = declaration_of(&abstract);
	const char *mangled = linkage_name(function);
	const char *name = dwarf_diename(&declaration);
	char *demangled = mangled ? demangle_function(mangled) : coroutine_name(&declaration);

	if (demangled) {
		put(s, demangled);
	} else if (++s->depth <= DEPTH_MAX) {
		put_scopes(s, &declaration);
		put_name(s, name ? name : "?");
		if (!signature_is_plain(function)) {
			put_parameters(s, &declaration);
			put_qualifiers(s, &declaration);
		}
		s->depth--;
	}
	free(demangled);
}

bool signature_is_plain(Dwarf_Die *function)
{
	return flag(function, DW_AT_external);
}

char *signature_of(struct scopes *scopes, Dwarf_Die *function)
{
	int work = WORK_MAX;
	struct speller s = {.scopes = scopes, .work = &work};

	if (dwarf_diename(function))
		put_function(&s, function);
	if (s.failed) {
		free(s.text);
		return NULL;
	}
	return s.text;
}
