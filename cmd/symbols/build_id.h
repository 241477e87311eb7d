/*
 * symbols/build_id.h - the build-id of an ELF file, read before anything else of it is looked at.
 *
 * A file that is not the recorded one is never handed to elfutils.  This reader takes a few bounded
 * pieces of the file and follows nothing.
 */
#ifndef SYMBOLS_BUILD_ID_H
#define SYMBOLS_BUILD_ID_H

#include <stddef.h>

enum { BUILD_ID_MAX = 64, BUILD_ID_HEX = 2 * BUILD_ID_MAX + 1 };

/**
 * The build-id of the ELF file behind `fd` in lower-case hex, "" if it has none.  Returns 0;
 * ENOEXEC if it is no ELF file of this machine's word size and byte order; or why it cannot be read.
 */
int build_id_read(int fd, char hex[BUILD_ID_HEX]);

/** `size` bytes in lower-case hex; what is longer than a build-id can be is cut. */
void build_id_print(const unsigned char *bytes, size_t size, char hex[BUILD_ID_HEX]);

#endif
