/*
 * capture/killed.h - did memory run out while the command ran?
 *
 * The kernel counts the processes that it kills because memory is out, per cgroup and for the
 * machine.  If a command dies of SIGKILL and neither count rises, another process killed it.
 */
#ifndef CAPTURE_KILLED_H
#define CAPTURE_KILLED_H

#include <stdbool.h>
#include <stdint.h>

/** Counts and figures; UINT64_MAX where they are not known. */
struct killed {
	uint64_t group, machine; /* processes killed because memory was out: in our cgroup;
				    anywhere */
	uint64_t limit, peak;    /* of the cgroup, in bytes */
};

/** As they are now. */
void killed_read(struct killed *now);

/** What happened between `before` and `after`, as one clause for a message, in `text`. */
void killed_explain(const struct killed *before, const struct killed *after, char *text,
		    unsigned size);

/** Was a process of our cgroup killed for want of memory between the two? */
bool killed_in_group(const struct killed *before, const struct killed *after);

#endif
