/*
 * base/terminal.h - tell whether an output is a terminal that takes escape codes.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>

/** `fd` is a terminal, and TERM says that it understands more than plain text (not "dumb"). */
bool terminal_takes_codes(int fd);

/** Lines of the terminal that `fd` is; 0 where it is none, or does not know. */
unsigned terminal_height(int fd);

#endif
