/*
 * format/board.h - the first part of the file in which recorded processes speak to `snapdiff run`.
 *
 * A process maps this part when it starts.  So it can leave a line even if it can no longer open or
 * write the file: after a change of user, under a limit on files, after chroot().  Appended lines
 * begin behind this part.  A shorter file has no such part.
 */
#ifndef SNAP_FORMAT_BOARD_H
#define SNAP_FORMAT_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

#define SNAP__BOARD_PLACES 255
#define SNAP__BOARD_TEXT   252

struct snap__board {
	_Atomic uint32_t taken; /* places in use; if lines were lost, more than there are places */
	char unused[SNAP__BOARD_TEXT];
	struct {
		_Atomic uint32_t is_whole;
		char line[SNAP__BOARD_TEXT]; /* without a newline; ends with a NUL */
	} places[SNAP__BOARD_PLACES];
};

_Static_assert(sizeof(struct snap__board) == 65536, "whole pages");

#endif
