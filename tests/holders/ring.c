/*
 * ring.c - requests of io_uring, and a context of aio: only the kernel knows what they refer to.
 *
 * More requests are under way than the ring has room for, so that most words are no longer in the
 * memory that the kernel shares with the program.  Ends with 77 where io_uring is not permitted.
 */
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES  8u
#define REQUESTS 40u

extern int snap_take_holders(const char *label, int retained) __attribute__((weak));

static void *new_request(void)
{
	void *made = malloc(333);

	memset(made, 1, 333);
	return made;
}

static char *map_part(int ring, size_t size, long part)
{
	char *made =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, part);

	return made == MAP_FAILED ? NULL : made;
}

static int poll_for(int ring, const struct io_uring_params *p, int fd)
{
	char *shared =
		map_part(ring, p->sq_off.array + ENTRIES * sizeof(unsigned), IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries =
		(void *)map_part(ring, ENTRIES * sizeof(*entries), IORING_OFF_SQES);
	unsigned *tail, *places;

	if (!shared || !entries)
		return 1;
	tail = (void *)(shared + p->sq_off.tail);
	places = (void *)(shared + p->sq_off.array);
	for (unsigned i = 0; i < REQUESTS; i++) {
		entries[i % ENTRIES] = (struct io_uring_sqe){.opcode = IORING_OP_POLL_ADD,
							     .fd = fd,
							     .poll_events = POLLIN,
							     .user_data = (size_t)new_request()};
		places[i % ENTRIES] = i % ENTRIES;
		__atomic_store_n(tail, i + 1, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) != 1)
			return 1;
	}
	return 0;
}

int main(void)
{
	struct io_uring_params parameters = {0};
	int ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &parameters), ends[2];
	aio_context_t context = 0;

	if (ring < 0 || syscall(SYS_io_setup, 8, &context) != 0)
		return 77;
	if (pipe(ends) != 0 || poll_for(ring, &parameters, ends[0]) != 0)
		return 1;
	if (snap_take_holders && snap_take_holders("ring", 0) != 0)
		return 1;
	return 0;
}
