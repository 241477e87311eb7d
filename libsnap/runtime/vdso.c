/*
 * runtime/vdso.c - find the kernel's clock_gettime() in the object that it maps into each process.
 */
#include "runtime/vdso.h"

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"

typedef int clock_fn(clockid_t, struct timespec *);

/* Until it is looked for; afterwards the function, or NULL. */
#define UNKNOWN ((uintptr_t)1)
static _Atomic uintptr_t found = UNKNOWN;

struct vdso {
	uintptr_t bias;
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu_hash, *sysv_hash;
};

static bool read_dynamic(struct vdso *vdso, const ElfW(Dyn) * tag)
{
	for (; tag->d_tag != DT_NULL; tag++) {
		const void *at = (const void *)(vdso->bias + tag->d_un.d_ptr);

		if (tag->d_tag == DT_SYMTAB)
			vdso->symbols = at;
		else if (tag->d_tag == DT_STRTAB)
			vdso->strings = at;
		else if (tag->d_tag == DT_GNU_HASH)
			vdso->gnu_hash = at;
		else if (tag->d_tag == DT_HASH)
			vdso->sysv_hash = at;
	}
	return vdso->symbols && vdso->strings && (vdso->gnu_hash || vdso->sysv_hash);
}

static bool read_segments(struct vdso *vdso, uintptr_t base)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)base;
	const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(base + header->e_phoff);
	const ElfW(Dyn) *dynamic = NULL;
	bool is_mapped = false;

	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_LOAD && !is_mapped) {
			vdso->bias = base + segments[i].p_offset - segments[i].p_vaddr;
			is_mapped = true;
		}
		if (segments[i].p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)(base + segments[i].p_offset);
	}
	return is_mapped && dynamic && read_dynamic(vdso, dynamic);
}

/* There are few symbols, so only their number is read from the hash tables. */
static uint32_t count_symbols(const struct vdso *vdso)
{
	const uint32_t *table = vdso->gnu_hash, *buckets, *chains;
	uint32_t last = 0;

	if (vdso->sysv_hash)
		return vdso->sysv_hash[1];
	buckets = table + 4 + table[2] * (sizeof(uintptr_t) / sizeof(uint32_t));
	chains = buckets + table[0];
	for (uint32_t i = 0; i < table[0]; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < table[1])
		return 0;
	while (!(chains[last - table[1]] & 1))
		last++;
	return last + 1;
}

static uintptr_t find_clock(void)
{
	uintptr_t base = (uintptr_t)getauxval(AT_SYSINFO_EHDR);
	struct vdso vdso = {0};
	uint32_t count;

	if (!base || !read_segments(&vdso, base))
		return 0;
	count = count_symbols(&vdso);
	for (uint32_t i = 0; i < count; i++)
		if (vdso.symbols[i].st_shndx != SHN_UNDEF &&
		    strcmp(vdso.strings + vdso.symbols[i].st_name, SNAP__ARCH_VDSO_CLOCK) == 0)
			return vdso.bias + vdso.symbols[i].st_value;
	return 0;
}

static atomic_bool has_no_counter;

static clockid_t without_counter(clockid_t clock)
{
	if (!atomic_load_explicit(&has_no_counter, memory_order_relaxed))
		return clock;
	if (clock == CLOCK_MONOTONIC)
		return CLOCK_MONOTONIC_COARSE;
	return clock == CLOCK_REALTIME ? CLOCK_REALTIME_COARSE : clock;
}

/* Time does not go back: wait for the tick after now. */
void snap__vdso_without_counter(void)
{
	struct timespec now = {0}, tick = {0};

	if (atomic_load(&has_no_counter))
		return;
	snap__vdso_clock(CLOCK_MONOTONIC, &now);
	do
		snap__vdso_clock(CLOCK_MONOTONIC_COARSE, &tick);
	while (tick.tv_sec < now.tv_sec ||
	       (tick.tv_sec == now.tv_sec && tick.tv_nsec < now.tv_nsec));
	atomic_store(&has_no_counter, true);
}

void snap__vdso_clock(clockid_t clock, struct timespec *now)
{
	uintptr_t function = atomic_load_explicit(&found, memory_order_relaxed);

	if (__builtin_expect(function == UNKNOWN, 0)) {
		function = find_clock();
		atomic_store_explicit(&found, function, memory_order_relaxed);
	}
	clock = without_counter(clock);
	if (!function || ((clock_fn *)function)(clock, now) != 0)
		syscall(SYS_clock_gettime, clock, now);
}
