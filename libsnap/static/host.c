/*
 * static/host.c - the host of libsnap.a, a program that is linked statically.
 *
 * No library can be preloaded in front of its malloc, so malloc is not recorded.  The calls that it
 * makes of snap.h are: blocks of its own domains, labels, snapshots.
 */
#include <stddef.h>
#include <sys/single_threaded.h>

#include "runtime/lifecycle.h"

__attribute__((constructor)) static void loaded(int argc, char **argv, char **environment)
{
	const struct snap__host host = {
		.allocator = "not recorded (static program)",
		.granule_shift = 4,
		.alone = {&__libc_single_threaded, &__libc_single_threaded},
	};

	(void)argc;
	(void)argv;
	snap__process_load(environment, &host);
	snap__process_main(); /* libc is ready: it was initialised before any constructor */
}
