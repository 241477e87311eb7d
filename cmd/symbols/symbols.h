/*
 * symbols/symbols.h - (module, address) -> function, file, line and inlined frames.
 *
 * The only place that sees elfutils.  A module on disk is used only if its build-id is the one that
 * was recorded; otherwise its separate debug file, a build-id directory or debuginfod may still
 * serve.
 */
#ifndef SYMBOLS_SYMBOLS_H
#define SYMBOLS_SYMBOLS_H

#include "base/notice.h"
#include "model/model.h"
#include "symbols/symbol_frame.h"

struct symbols;

/**
 * Part of the cache's key.  Raise it whenever an address may get a different answer: other
 * spellings of names, other frames, other paths.  Otherwise users keep the old answers.
 */
#define SYMBOLS_RULES 2

/**
 * A cache of answers (the store).  Either function may be NULL.  `key` stands for a build under the
 * rules above. get: true if known; *frames (at most `max`) and *count are filled, valid until the
 * next call.
 */
struct symbol_cache {
	void *user;
	void (*begin)(void *user); /* many get() follow, up to end(); both may be NULL */
	void (*end)(void *user);
	bool (*get)(void *user, const char *key, uint64_t address, struct symbol_frame *frames,
		    size_t max, size_t *count);
	void (*put)(void *user, const char *key, uint64_t address,
		    const struct symbol_frame *frames, size_t count);
};

struct symbols_options {
	const struct symbol_cache *cache; /* may be NULL; must outlive the symboliser */
	void (*progress)(void *user, uint64_t done, uint64_t total); /* may be NULL */
	notice_fn *notice;                                           /* may be NULL */
	void *user;
	bool offline;           /* never ask debuginfod */
	bool ask_for_others;    /* ask it about snapshots of other machines, too */
	const char *debug_root; /* where separate debug files are installed; NULL: /usr/lib/debug */
};

/** NULL when memory is out. */
struct symbols *symbols_new(const struct symbols_options *options);
void symbols_free(struct symbols *symbols);

/**
 * Give every unsymbolised location of `model` its frames: at least one each (when nothing is known:
 * function "module+0xoffset", or the bare address); and the roots of its graph of holders their
 * symbols, where they are known.  Modules that could not be used are reported once each through
 * `notice`.
 */
enum snap_status symbols_resolve(struct symbols *symbols, struct model *model,
				 struct snap_error *err);

/** True if there is nothing in `model` that symbols_resolve() would look up. */
bool symbols_are_resolved(const struct model *model);

#endif
