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

/** The calling thread has file descriptors of its own: look for the host's standard error in /proc.
 */
void snap__message_from_private_files(void);

/** What errno value `error` means, for the few that matter here. */
const char *snap__error_text(int error);

#endif
