/*
 * symbols/scopes.h - what encloses a DIE: namespaces, classes, functions.
 *
 * DWARF has no links from a DIE to its parent.  The last few units asked about are kept as lists of
 * nested offsets.
 */
#ifndef SYMBOLS_SCOPES_H
#define SYMBOLS_SCOPES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct scopes;

/** Most scopes around anything; deeper ones lose their outermost. */
enum { SCOPES_MAX = 64 };

/** NULL when memory is out. */
struct scopes *scopes_new(void);
void scopes_free(struct scopes *scopes);

/** What encloses `die`, innermost first, the unit itself left out.  Returns how many. */
size_t scopes_around(struct scopes *scopes, Dwarf_Die *die, Dwarf_Die around[SCOPES_MAX]);

/** Move to the next sibling; false at the end, or where a damaged file leads backwards. */
bool scopes_next_sibling(Dwarf_Die *die);

#endif
