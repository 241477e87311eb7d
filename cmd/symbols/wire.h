/*
 * symbols/wire.h - the messages between the command and its worker, over a socket.
 *
 * Both are one program, so structs are sent as they are in memory.  The command does not trust the
 * worker, which has read a hostile file: it checks every number.
 */
#ifndef SYMBOLS_WIRE_H
#define SYMBOLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/format.h"

enum {
	WIRE_LOOKUPS_MAX = 512,
	WIRE_TEXT_MAX = SNAP_STRING_MAX, /* bytes of a name; longer ones are cut */
};

/** A question: about one module, whose path and build-id follow, and then the lookups. */
struct wire_request {
	uint32_t module; /* the command's number of it */
	uint32_t path_size, build_id_size;
	uint32_t lookups;
	uint32_t offline;
};

struct wire_lookup {
	uint64_t address;
	uint64_t kind; /* enum lookup_kind */
};

/** First in the answer.  The complaint follows. */
struct wire_module {
	uint32_t found, complete; /* 0 or 1 */
	uint32_t complaint_size;
};

/** One for each lookup.  These texts follow, each with its size before it; then the frames. */
struct wire_answer {
	uint32_t texts;
	uint32_t frames;
};

/** Texts have numbers in the order in which they are sent, from 1; 0 is the empty text. */
struct wire_frame {
	uint64_t offset;
	uint32_t function, file;
	uint32_t line;
	uint32_t inlined; /* 0 or 1 */
};

/** A socket with a buffer for each direction. */
struct wire {
	int fd;
	size_t read_at, read_end, written;
	unsigned char in[32 * 1024], out[32 * 1024];
};

void wire_init(struct wire *wire, int fd);

/** False when the other side is gone. */
bool wire_put(struct wire *wire, const void *data, size_t size);
bool wire_flush(struct wire *wire);
bool wire_get(struct wire *wire, void *data, size_t size);

#endif
