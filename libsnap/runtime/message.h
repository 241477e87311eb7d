/*
 * runtime/message.h - telling the person that something went wrong.
 *
 * One line on the host's standard error, prefixed "libsnap: ", by write(2) alone.  Silence
 * otherwise: a guest does not talk.
 */
#ifndef SNAP_RUNTIME_MESSAGE_H
#define SNAP_RUNTIME_MESSAGE_H

/** `what`, then ": " and the error's name if `error` is not 0, then `detail` if not NULL. */
void snap__message(const char *what, const char *detail, int error);

/**
 * The calling thread is the helper, which has no standard error: a second opening of the host's
 * would have a position of its own, and one of the two would overwrite the other.  Its message is
 * kept until a thread of the host calls snap__message_flush().
 */
void snap__message_defer(void);
void snap__message_flush(void);

/** What errno value `error` means, for the few that matter here. */
const char *snap__error_text(int error);

#endif
