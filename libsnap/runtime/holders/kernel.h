/*
 * holders/kernel.h - words of the program that the kernel keeps, and gives back to it later.
 */
#ifndef SNAP_RUNTIME_HOLDERS_KERNEL_H
#define SNAP_RUNTIME_HOLDERS_KERNEL_H

/** In the copy: add a root for what process `host` has left with epoll, and one for its timers, and
 *  count its rings of io_uring and contexts of aio.  Where /proc does not show them, nothing. */
void snap__kernel_words_find(int host);

#endif
