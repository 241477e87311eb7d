/*
 * shared_heap.c - an allocator whose memory is shared, as that of Mesh is.  realloc() of a certain
 * size waits, once it has given the old place back, until the program says that it may end.  The next
 * block of another size gets that place.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM      ((size_t)256 << 20)
#define HEAD      16u
#define WAITS_FOR 123456u
#define REUSES    4080u
#define MAY_END   100

extern atomic_int shared_heap_stage; /* how many wait */
atomic_int shared_heap_stage;

static atomic_size_t used;
static _Atomic(char *) room;
static _Atomic(void *) given_back;

static char *find_room(void)
{
	char *found = atomic_load(&room), *none = NULL;

	if (found)
		return found;
	found = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (found == MAP_FAILED)
		return NULL;
	return atomic_compare_exchange_strong(&room, &none, found) ? found : none;
}

static void *take(size_t alignment, size_t size)
{
	char *base = find_room();
	size_t need = HEAD + alignment + size,
	       at = atomic_fetch_add(&used, (need + 15) & ~(size_t)15);
	uintptr_t block;

	if (!base || size > ROOM || at + need > ROOM)
		return NULL;
	block = ((uintptr_t)base + at + HEAD + alignment - 1) & ~(uintptr_t)(alignment - 1);
	memcpy((char *)block - HEAD, &size, sizeof(size));
	return (void *)block;
}

void *malloc(size_t size)
{
	void *again = size == REUSES ? atomic_exchange(&given_back, NULL) : NULL;

	if (again)
		return again;
	return take(16, size);
}

void *calloc(size_t count, size_t size)
{
	return take(16, count * size); /* it is never used again, so it is zero */
}

void *memalign(size_t alignment, size_t size)
{
	return take(alignment < 16 ? 16 : alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **made, size_t alignment, size_t size)
{
	*made = memalign(alignment, size);
	return *made ? 0 : 12;
}

size_t malloc_usable_size(void *block)
{
	size_t size = 0;

	if (block)
		memcpy(&size, (char *)block - HEAD, sizeof(size));
	return size;
}

void free(void *block)
{
	size_t size = malloc_usable_size(block);

	if (block)
		memset(block, 0xee, size); /* what an allocator keeps in free memory */
}

void *realloc(void *block, size_t size)
{
	void *made = malloc(size);
	size_t before = malloc_usable_size(block);

	if (!made)
		return NULL;
	if (block)
		memcpy(made, block, before < size ? before : size);
	free(block);
	if (size == WAITS_FOR) {
		atomic_store(&given_back, block);
		atomic_fetch_add(&shared_heap_stage, 1);
		while (atomic_load(&shared_heap_stage) < MAY_END)
			usleep(1000);
	}
	return made;
}
