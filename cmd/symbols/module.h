/*
 * symbols/module.h - one ELF file and its debug information, found and checked.
 */
#ifndef SYMBOLS_MODULE_H
#define SYMBOLS_MODULE_H

#include "symbols/lines.h"
#include "symbols/symbol_frame.h"
#include "symbols/texts.h"

struct module;

/** What to open: what was mapped from `path` with `build_id` ("" if it had none).  The texts must
 * outlive the module. */
struct module_request {
	const char *path;
	const char *build_id;
	const char *debug_root;         /* where separate debug files are installed */
	bool offline;                   /* do not ask debuginfod */
	void (*on_use)(uint64_t bytes); /* before a file of this size is read; may be NULL */
};

/**
 * Open the files of a module: the file itself if it is still the same, its separate debug file, or
 * a file known by build-id.  `texts` must outlive the module. Returns NULL when there is nothing.
 * If the user should know why the file at `path` does not serve, `*complaint` gets a malloc'ed
 * sentence.
 */
struct module *module_open(const struct module_request *request, struct texts *texts,
			   char **complaint);
void module_close(struct module *module);

/** Frames at an ELF virtual address, innermost first; 0 when nothing is known. */
size_t module_find(struct module *module, uint64_t address,
		   struct symbol_frame frames[LINES_FRAMES_MAX]);

/** A place in a variable. */
struct module_variable {
	const char *name; /* demangled; lives as long as `texts` */
	uint64_t offset;
};

/** The variable at an ELF virtual address, or at an offset in the block of thread-local variables;
 * false when none is known. */
bool module_find_variable(struct module *module, uint64_t address, bool thread_local_block,
			  struct module_variable *variable);

/** True if it has DWARF, so that what is not found there will not be found later either. */
bool module_is_complete(const struct module *module);

#endif
