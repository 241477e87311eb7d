/*
 * t27 heap|cache FILE: fills the control group that it is in.
 * Stands for: services whose memory is limited.  "heap" takes memory until the kernel kills it.  "cache"
 * writes a file of 64 MiB, so that a smaller group is full of its pages, which the kernel can drop;
 * then it holds 40,000 blocks, and ends.
 */
#include "torture.h"

#include <fcntl.h>

#define PIECE   ((size_t)1 << 20)
#define PIECES  64
#define BLOCKS  40000
#define FOREVER 100000 /* 100 GB: no group of the test is that large */

FAR static void fill_heap(void)
{
	for (int i = 0; i < FOREVER; i++) {
		char *volatile block = malloc(PIECE);

		NEED(block);
		memset(block, 1, PIECE);
	}
}

static void fill_cache(const char *path)
{
	static char piece[PIECE];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	NEED(fd >= 0);
	for (int i = 0; i < PIECES; i++)
		NEED(write(fd, piece, sizeof(piece)) == (ssize_t)sizeof(piece));
	close(fd);
}

FAR static void hold_blocks(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		char *volatile block = malloc(200);

		NEED(block);
		memset(block, 1, 200);
	}
}

int main(int argc, char **argv)
{
	NEED(argc > 1);
	if (strcmp(argv[1], "heap") == 0) {
		fill_heap();
		return 1;
	}
	NEED(argc > 2);
	fill_cache(argv[2]);
	hold_blocks();
	puts("done");
	return 0;
}
