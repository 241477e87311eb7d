/*
 * holders/kernel.h - words of the program that the kernel keeps, and gives back to it later.
 */
#ifndef SNAP_RUNTIME_HOLDERS_KERNEL_H
#define SNAP_RUNTIME_HOLDERS_KERNEL_H

/** In the copy: add a root for the words that process `host` gave to epoll, and one for those of
 * its timers; count its rings of io_uring and its contexts of aio.  If /proc does not show them,
 * nothing is added. */
void snap__kernel_words_find(int host);

#endif
