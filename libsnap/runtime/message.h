/*
 * runtime/message.h - tell the user that something went wrong.
 *
 * One line on the host's standard error, prefixed "libsnap: ", by write(2) alone.  Nothing else is
 * printed.
 */
#ifndef SNAP_RUNTIME_MESSAGE_H
#define SNAP_RUNTIME_MESSAGE_H

#include <stdbool.h>

/** `what`, then ": " and the error's name if `error` is not 0, then `detail` if not NULL. */
void snap__message(const char *what, const char *detail, int error);

/**
 * Says that the calling thread is the helper, which has no standard error.  If it opened the host's
 * file again, it would have its own file position and overwrite the host's output.  So its message
 * is kept until a thread of the host calls snap__message_flush().
 */
void snap__message_defer(void);
bool snap__message_is_kept(void);
void snap__message_flush(void);

/** The meaning of errno value `error` in words, for the few that matter here. */
const char *snap__error_text(int error);

#endif
