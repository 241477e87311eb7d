/*
 * mapped.c - memory that does not come from malloc: "mapped MIB HEAP_MIB" maps and touches MIB, and
 * allocates HEAP_MIB.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t mapped = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	size_t heap = argc > 2 ? strtoul(argv[2], NULL, 10) << 20 : 0;
	void *map = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *block = malloc(heap);

	if (map == MAP_FAILED || !block)
		return 1;
	memset(map, 1, mapped);
	memset(block, 1, heap);
	return 0;
}
