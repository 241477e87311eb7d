/* test_seed.c - random bytes that cannot be guessed, also where the system refuses to give any. */
/* links: cmd_base */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/seed.h"

/* A sandbox: this one is called instead of the C library's. */
ssize_t getrandom(void *bytes, size_t size, unsigned flags)
{
	(void)bytes;
	(void)size;
	(void)flags;
	errno = EPERM;
	return -1;
}

/* One byte may be equal by chance; half of the bytes are not. */
static void assert_unlike(const unsigned char *a, const unsigned char *b, size_t size)
{
	size_t same = 0;

	for (size_t i = 0; i < size; i++)
		same += a[i] == b[i];
	cr_assert_lt(same, size / 2);
}

Test(seed, without_getrandom_bytes_differ_each_time)
{
	static const unsigned char zeros[64];
	unsigned char a[64] = {0}, b[64] = {0};

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_unlike(a, zeros, sizeof(a));
	assert_unlike(b, zeros, sizeof(b));
	assert_unlike(a, b, sizeof(a));
}
