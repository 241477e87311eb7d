/*
 * model/held.h - what holds the objects of an interpreter, in words, from a snapshot's census.
 */
#ifndef MODEL_HELD_H
#define MODEL_HELD_H

#include "model/model.h"

struct held_list;

/** What the model says; NULL: nothing, or memory is out.  Keeps nothing of the model. */
struct held_list *held_collect(const struct model *model);
void held_free(struct held_list *list);

/** Its process and time, from the model's meta. */
uint64_t held_pid(const struct held_list *list);
uint64_t held_time(const struct held_list *list);

/** "`history` (module global, app.py) -> list of 4000": what holds most objects of this type; NULL if
 *  that is not known.  The list's. */
const char *held_type(const struct held_list *list, const char *type);

/** The same for objects that were allocated by a line, or by what it called. */
const char *held_line(const struct held_list *list, const char *file, uint32_t line);

#endif
