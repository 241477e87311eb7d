/*
 * symbols/debug_files.h - find the other files that contain a module's debug information.
 *
 * An ELF file names others: by .gnu_debuglink, .gnu_debugaltlink and the names of split units.
 * elfutils would open anything with such a name.  Here each file is checked first, opened only if
 * it is a regular file, and used only if its build-id (or checksum) is the expected one.
 */
#ifndef SYMBOLS_DEBUG_FILES_H
#define SYMBOLS_DEBUG_FILES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "symbols/build_id.h"

/** Most bytes of a file with code or debug information. */
#define DEBUG_FILE_MAX (UINT64_C(16) << 30)

struct debug_search {
	const char *path;               /* of the module */
	const char *build_id;           /* of the module, "" if it has none */
	const char *root;               /* where separate debug files are installed */
	bool online;                    /* debuginfod may be asked */
	void (*on_use)(uint64_t bytes); /* before a file of this size is read; may be NULL */
};

/** Open `path` if its build-id is `build_id`; `found` gets the one it has.  -1 with errno: ENOEXEC
 * if it is no ELF file, ESTALE if it is another one, or what regular_open() says. */
int debug_file_open(const struct debug_search *search, const char *path, const char *build_id,
		    char found[BUILD_ID_HEX]);

/** Path of the installed debug file with this build-id, malloc'ed; NULL when memory is out or the
 * build-id is none. */
char *debug_file_of_build(const char *root, const char *build_id);

/**
 * Find the module's separate debug file: by build-id, by the name and checksum of .gnu_debuglink
 * (`link` may be NULL), from debuginfod.  Returns a descriptor and its malloc'ed `*name`, or -1.
 */
int debug_file_find(const struct debug_search *search, const char *link, uint32_t checksum,
		    char **name);

/** The file that .gnu_debugaltlink shares strings with. */
struct alternate {
	Dwarf *dwarf;
	int fd;
};

/**
 * Make `dwarf`, from `file`, safe to walk: open its alternate file, and check that its split units
 * name regular files.  False if it must not be walked, because it names a missing file or something
 * that is not a regular file.  Release `*alternate` after `dwarf`, also when this failed.
 */
bool debug_files_make_safe(const struct debug_search *search, Dwarf *dwarf, const char *file,
			   struct alternate *alternate);
void alternate_release(struct alternate *alternate);

#endif
