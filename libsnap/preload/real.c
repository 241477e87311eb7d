/*
 * preload/real.c - find the host's malloc, and which allocator it is.
 */
#include "preload/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/bootstrap.h"
#include "preload/entry.h"
#include "preload/nested.h"
#include "preload/loaded.h"
#include "runtime/symbols.h"

enum { NOT_FOUND, SEARCHING, FOUND };
static atomic_uint search;

/* The four most frequent functions until the search is over, so that no later call has to ask
   whether it is; and forever, if the search finds nothing. */
static void *early_malloc(size_t size)
{
	if (snap__real_find() && snap__real.malloc != early_malloc)
		return snap__real.malloc(size);
	return snap__bootstrap_alloc(size, 0);
}

static void *early_calloc(size_t count, size_t size)
{
	size_t total;

	if (snap__real_find() && snap__real.calloc != early_calloc)
		return snap__real.calloc(count, size);
	if (!__builtin_mul_overflow(count, size, &total))
		return snap__bootstrap_alloc(total, 0);
	errno = ENOMEM;
	return NULL;
}

/* Blocks of the pool never get here: realloc() and free() know them. */
static void *early_realloc(void *ptr, size_t size)
{
	if (snap__real_find() && snap__real.realloc != early_realloc)
		return snap__real.realloc(ptr, size);
	return snap__bootstrap_alloc(size, 0);
}

static void early_free(void *ptr)
{
	if (snap__real_find() && snap__real.free != early_free)
		snap__real.free(ptr);
}

struct snap__real snap__real = {
	.malloc = early_malloc,
	.calloc = early_calloc,
	.realloc = early_realloc,
	.free = early_free,
};

/* ISO C has no conversion from object to function pointers; POSIX promises that this works. */
static void look_up(void *slot, const char *name)
{
	void *address = snap__symbols_next(name);

	if (address)
		memcpy(slot, &address, sizeof(address));
}

bool snap__real_one(void *slot, const void *known, const char *name)
{
	void *address;

	memcpy(&address, known, sizeof(address));
	if (!address)
		address = snap__symbols_next(name);
	memcpy(slot, &address, sizeof(address));
	return address != NULL;
}

static void look_up_all(struct snap__real *real)
{
	look_up(&real->calloc, "calloc");
	look_up(&real->realloc, "realloc");
	look_up(&real->reallocarray, "reallocarray");
	look_up(&real->free, "free");
	look_up(&real->memalign, "memalign");
	look_up(&real->aligned_alloc, "aligned_alloc");
	look_up(&real->posix_memalign, "posix_memalign");
	look_up(&real->valloc, "valloc");
	look_up(&real->pvalloc, "pvalloc");
	look_up(&real->malloc_usable_size, "malloc_usable_size");
	look_up(&real->free_sized, "free_sized");
	look_up(&real->free_aligned_sized, "free_aligned_sized");
	look_up(&real->exit, "exit");
	look_up(&real->exit_at_once, "_exit");
	look_up(&real->fork, "fork");
	look_up(&real->fork_bare, "_Fork");
	look_up(&real->dlclose, "dlclose");
	look_up(&real->unshare, "unshare");
	look_up(&real->setns, "setns");
	look_up(&real->waitpid, "waitpid");
	look_up(&real->wait4, "wait4");
	look_up(&real->waitid, "waitid");
	look_up(&real->setuid, "setuid");
	look_up(&real->setgid, "setgid");
	look_up(&real->seteuid, "seteuid");
	look_up(&real->setegid, "setegid");
	look_up(&real->setreuid, "setreuid");
	look_up(&real->setregid, "setregid");
	look_up(&real->setresuid, "setresuid");
	look_up(&real->setresgid, "setresgid");
	look_up(&real->setgroups, "setgroups");
	look_up(&real->initgroups, "initgroups");
	look_up(&real->mmap, "mmap");
	look_up(&real->munmap, "munmap");
	look_up(&real->mremap, "mremap");
	look_up(&real->execve, "execve");
	look_up(&real->execv, "execv");
	look_up(&real->execvp, "execvp");
	look_up(&real->execvpe, "execvpe");
	look_up(&real->execveat, "execveat");
	look_up(&real->fexecve, "fexecve");
	look_up(&real->posix_spawn, "posix_spawn");
	look_up(&real->posix_spawnp, "posix_spawnp");
	look_up(&real->sbrk, "sbrk");
	look_up(&real->brk, "brk");
	look_up(&real->sigaltstack, "sigaltstack");
	look_up(&real->abort, "abort");
	look_up(&real->assert_fail, "__assert_fail");
	look_up(&real->sigaction, "sigaction");
	look_up(&real->signal, "signal");
	look_up(&real->sysv_signal, "__sysv_signal");
	look_up(&real->sigset, "sigset");
	look_up(&real->prctl, "prctl");
	look_up(&real->chroot, "chroot");
	look_up(&real->start_main, "__libc_start_main");
	look_up(&real->malloc, "malloc");
}

int snap__real_find(void)
{
	unsigned not_found = NOT_FOUND;
	struct snap__real found;

	if (atomic_load(&search) == FOUND)
		return 1;
	if (!atomic_compare_exchange_strong(&search, &not_found, SEARCHING))
		return not_found == FOUND;
	found = snap__real;
	snap__symbols_open();
	look_up_all(&found);
	snap__symbols_close();
	snap__real = found;
	atomic_store(&search, FOUND);
	return 1;
}

static int is_libc(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && strncmp(slash, "/libc.so", 8) == 0;
}

/* Libraries whose malloc never calls the family itself, by a symbol that they alone have. */
static const struct {
	const char *symbol, *name;
} known[] = {
	{"mallctl", "jemalloc"},          {"mi_version", "mimalloc"},
	{"tc_version", "tcmalloc"},       {"MallocExtension_Internal_GetStatsInPbtxt", "tcmalloc"},
	{"scalable_malloc", "tbbmalloc"},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* The facts of the allocator that answers malloc.  `of_libc`: calls that reach libsnap go on to
   libc. */
static const char *allocator_name(int of_libc, const char *in_front)
{
#ifdef __GLIBC__
	const char *otherwise = of_libc ? "glibc" : "unknown";
#else
	const char *otherwise = "unknown";
#endif

	if (of_libc && !in_front)
		return otherwise;
	for (size_t i = 0; i < KNOWN; i++)
		if (snap__symbols_any(known[i].symbol))
			return known[i].name;
	return otherwise;
}

/* The object that defines a function at `address`; NULL if there is only an entry of a procedure
   linkage table. */
static const char *definer_of(void *address)
{
	Dl_info info;
#ifdef __GLIBC__
	const ElfW(Sym) *symbol = NULL;
	void *entry = NULL;

	if (!dladdr1(address, &info, &entry, RTLD_DL_SYMENT))
		return NULL;
	symbol = entry;
	return symbol && symbol->st_shndx != SHN_UNDEF ? info.dli_fname : NULL;
#else
	return dladdr(address, &info) && info.dli_saddr == address ? info.dli_fname : NULL;
#endif
}

struct order {
	const void *ours, *theirs; /* where the two objects are */
	int found;                 /* the first of the two: 1 ours, 2 theirs */
};

static int see_object(struct dl_phdr_info *info, size_t size, void *user)
{
	struct order *order = user;
	const void *base = (const void *)info->dlpi_addr;

	(void)size;
	order->found = base == order->ours ? 1 : base == order->theirs ? 2 : 0;
	return order->found;
}

/* The path of the object that defines `theirs` if it was loaded before us; else NULL. */
static const char *loaded_before_us(void *theirs, void *ours)
{
	Dl_info info, own;
	struct order order;

	if (!dladdr(theirs, &info) || !dladdr(ours, &own))
		return NULL;
	order = (struct order){.ours = own.dli_fbase, .theirs = info.dli_fbase};
	(void)dl_iterate_phdr(see_object, &order);
	return order.found == 2 ? info.dli_fname : NULL;
}

/* Which object answers the program's calls of malloc?  It is libsnap, unless a library in front of
   it in the search order, or the program itself, has a malloc.  An address in the program is no
   proof: if the program takes malloc's address, it gets that of its own entry in the procedure
   linkage table, which leads to the first object in the order of loading. */
static const char *in_front(void)
{
	void *answering = snap__symbols_any("malloc"), *theirs;
	void *(*our_malloc)(size_t) = snap__entry_malloc();
	const char *definer;
	void *ours;

	memcpy(&ours, &our_malloc, sizeof(ours));
	memcpy(&theirs, &snap__real.malloc, sizeof(theirs));
	if (!answering || answering == ours)
		return NULL;
	definer = definer_of(answering);
	return definer ? definer : loaded_before_us(theirs, ours);
}

/* Is the object at `base` one of those whose malloc never calls the family? */
static int is_known(const void *base)
{
	struct snap__loaded other;

	for (size_t i = 0; i < KNOWN; i++)
		if (snap__loaded_at(snap__symbols_any(known[i].symbol), &other) &&
		    other.base == base)
			return 1;
	return 0;
}

/* `slot` becomes what answers the program's calls of `name`, unless that is ours. */
static void look_in_front(void *slot, const char *name)
{
	void *address = snap__symbols_any(name);
	struct snap__loaded theirs, own;

	if (snap__loaded_at(address, &theirs) && snap__loaded_at(&snap__real, &own) &&
	    theirs.base != own.base)
		memcpy(slot, &address, sizeof(address));
}

/* An allocator in front of libsnap may lack a function of the family (tcmalloc has no
   reallocarray()).  Then libsnap's function is called with that allocator's blocks, and passes them
   to it, as libc's would. */
static void follow_front(void)
{
	look_in_front(&snap__real.realloc, "realloc");
	look_in_front(&snap__real.free, "free");
}

void snap__real_describe(struct snap__host *host)
{
	struct snap__loaded object = {NULL, NULL};
	void *malloc_address;
	int of_libc;

	memcpy(&malloc_address, &snap__real.malloc, sizeof(malloc_address));
	(void)snap__loaded_at(malloc_address, &object);
	of_libc = is_libc(object.path);
	host->in_front = in_front();
	if (host->in_front)
		follow_front();
	host->allocator = allocator_name(of_libc, host->in_front);
	/* Chunks of glibc's malloc are at least 32 bytes, and 16-aligned. */
	host->granule_shift = strcmp(host->allocator, "glibc") == 0 && sizeof(void *) == 8 ? 5 : 4;
	host->malloc_address = malloc_address;
	if (object.base && !of_libc && !is_known(object.base))
		snap__nested_guard();
	host->alone[0] = snap__symbols_next("__libc_single_threaded");
	host->alone[1] = snap__symbols_any("__libc_single_threaded");
}
