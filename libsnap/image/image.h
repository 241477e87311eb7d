/*
 * image/image.h - may libsnap be preloaded into this program file?
 *
 * Asked before an exec: by `snapdiff run` of its command, and by libsnap itself inside a process
 * that is about to become another program.  There the caller may be a child of vfork(): nothing
 * here allocates, takes a lock, or writes to memory other than the stack.
 */
#ifndef SNAP_IMAGE_IMAGE_H
#define SNAP_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * The oldest glibc that can load libsnap.so: what its symbol versions ask for (tests/e2e checks
 * it).
 */
#define SNAP__IMAGE_GLIBC_MIN "GLIBC_2.34"

enum snap__image {
	SNAP__IMAGE_LOADS, /* nothing speaks against it; or the file is no program at all */
	/* It would not load libsnap.  LD_PRELOAD does not disturb it and may stay. */
	SNAP__IMAGE_STATIC,
	SNAP__IMAGE_PRIVILEGED,
	/* It must not load libsnap: LD_PRELOAD must not name it. */
	SNAP__IMAGE_OTHER_MACHINE,
	SNAP__IMAGE_OTHER_LIBC,
	SNAP__IMAGE_OLD_LIBC,
	SNAP__IMAGE_SANITIZER,
	SNAP__IMAGE_RECORDER,     /* another recorder is preloaded, or the program is one */
	SNAP__IMAGE_OUT_OF_REACH, /* libsnap cannot be opened from there */
	SNAP__IMAGE_CRAMPED,      /* libsnap would take the memory that its limits leave it */
	SNAP__IMAGE_FILTERED,     /* it inherits a filter that ends it for libsnap's system calls */
	SNAP__IMAGE_COUNT
};

/**
 * Look at the program at `path`, as openat() would find it from `directory`.  A script is judged by
 * its interpreter.  A file that cannot be read counts as SNAP__IMAGE_LOADS.  errno is preserved.
 */
enum snap__image snap__image_look(int directory, const char *path);

/** Does this value of LD_PRELOAD name a recorder or a sanitizer that must be the only one? */
bool snap__image_has_rival(const char *preload);

/** Can the file of libsnap that this value names be opened?  In another root or mount namespace it may
 * be missing, and the loader would complain.  errno is preserved. */
bool snap__image_reaches_libsnap(const char *preload);

/** Do the limits of the address space and of data, which an exec does not change, leave room for libsnap and a
 * small program?  errno is preserved. */
bool snap__image_has_room(void);

static inline bool snap__image_must_not_load(enum snap__image image)
{
	return image >= SNAP__IMAGE_OTHER_MACHINE;
}

/** One word for lines that programs read ("static"), and the reason in a sentence's middle. */
const char *snap__image_word(enum snap__image image);
const char *snap__image_reason(enum snap__image image);

/**
 * LD_PRELOAD's value `from` without the entries that name libsnap, written to `into`, which has
 * room for the whole of it and may be `from` itself.  False if nothing is left.
 */
bool snap__image_strip_preload(const char *from, char *into);

#endif
