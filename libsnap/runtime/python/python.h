/*
 * runtime/python/python.h - recording the lines of Python programs: what the rest of the runtime
 * calls.
 *
 * An interpreter is looked for when recording begins, and when a mapping as large as one of its
 * arenas is made by a library that may be one.  Where there is none, or none that can be read,
 * nothing here does anything.
 */
#ifndef SNAP_RUNTIME_PYTHON_PYTHON_H
#define SNAP_RUNTIME_PYTHON_PYTHON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/thread.h"

/** Is there an interpreter that can be recorded?  Looks for one if none was found. */
bool snap__python_can_start(void);

/** Recording has begun, and the recorder's tables exist.  May be called again. */
void snap__python_start(void);

/** A mapping of `size` bytes was made by the code at `caller`: the path of a library that may be an
 *  interpreter which nobody has looked at yet, or NULL. */
const char *snap__python_mapper(const void *caller, size_t size);
/** The same library has been opened: `library` is its handle. */
void snap__python_loaded(void *library);

/** Whether any stack may have Python frames: mallocs below Python get them. */
extern SNAP__HIDDEN atomic_bool snap__python_is_on;

/** The domain of the interpreter's own blocks; 0 while snap__python_is_on is false. */
extern SNAP__HIDDEN uint32_t snap__python_domain;

/** Can the frames of threads be trusted?  Finds out by checking those of the thread at `state`. */
bool snap__python_is_trusted(const char *state);

/** Is the program an interpreter that has not come to its own code yet?  Asked by a thread that
 *  allocates; while no thread could tell, the answer is yes. */
bool snap__python_is_starting(void);

/** The word there is not NULL once the interpreter is finalizing; NULL: no longer checked. */
extern SNAP__HIDDEN const void *const *_Atomic snap__python_end_flag;

void snap__python_ends(void);

/** The interpreter is about to remove its modules: take the exit snapshot now. */
static inline void snap__python_look_for_end(void)
{
	const void *const *flag =
		atomic_load_explicit(&snap__python_end_flag, memory_order_relaxed);

	if (__builtin_expect(flag && *(const void *const volatile *)flag, 0))
		snap__python_ends();
}

/** For the snapshot's meta: keys and values of what was found, and of what could not be
 * recorded. */
typedef void snap__python_say_fn(void *user, const char *key, const char *value);
void snap__python_describe(snap__python_say_fn *say, void *user);

void snap__python_before_fork(void);
void snap__python_after_fork(void);

#endif
