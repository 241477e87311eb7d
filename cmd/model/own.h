/*
 * model/own.h - which frames are the user's own code, and so which frame names a call stack.
 *
 * Modules and paths decide: the system's library directories, the prefixes under which compilers
 * and languages keep their sources, the runtimes of interpreters.  A function's name decides only
 * where no file is known and the name belongs to the language (`std::`).
 */
#ifndef MODEL_OWN_H
#define MODEL_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum own_kind {
	OWN_PLUMBING, /* passes a request on to the allocator */
	OWN_OBJECT, /* makes, copies or calls an object, or is the program's own malloc: did not want the
			memory itself */
	OWN_LIBRARY, /* other people's code */
	OWN_CODE,    /* the user's */
};

/** Globs, each matched against a frame's function, file, module path and module base name. */
struct own_rules {
	const char *const *own;
	size_t own_count;
	const char *const *library; /* `own` wins where both match */
	size_t library_count;
	bool native; /* no line of Python names what native code below it allocated */
};

/** The kind of a frame.  Unknown parts are "".  `why` (may be NULL) gets the rule that decided. */
enum own_kind own_classify(const struct own_rules *rules, const char *function, const char *file,
			   const char *module, const char **why);

/**
 * The rules of this process: those of the options and the configuration, beyond the built-in ones.
 * Set them before anything is loaded; `rules` and its globs must stay.
 */
void own_set_rules(const struct own_rules *rules);
const struct own_rules *own_rules(void);

/** Is a frame with this file one of Python? */
bool own_is_script(const char *file);

/** Which frames name a stack, as positions in it (0 = newest). */
struct own_names {
	uint32_t named; /* the newest frame of own code; where there is none, `asked` */
	uint32_t asked; /* the newest frame that neither passes a request on nor makes objects */
};

/** Feed a stack's frames to own_step(), newest first, while it says so; begin with
 * OWN_WALK_START. */
struct own_walk {
	struct own_names names;
	uint32_t depth;
	enum own_kind best; /* of the frame at names.asked */
	bool found;         /* own code was met */
};
#define OWN_WALK_START ((struct own_walk){.best = OWN_PLUMBING})
/** False: own code was met, so that no other frame names the stack. */
bool own_step(struct own_walk *walk, enum own_kind kind);

#endif
