/* test_start_symbols.c - looking symbols up in the tables of loaded objects.  dlsym() is the oracle. */
/* links: snapruntime */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <stdint.h>

#include "runtime/symbols.h"

/* Of several versions, of functions that choose an implementation, of data, thread-local, of ld.so, in
 * the program's own libraries, and of nobody. */
static const char *const names[] = {
	"malloc",
	"free",
	"exit",
	"realpath",
	"posix_spawn",
	"memcpy",
	"strlen",
	"environ",
	"pthread_cond_wait",
	"dlsym",
	"_r_debug",
	"errno",
	"stdout",
	"criterion_main",
	"__libc_single_threaded",
	"free_sizedX",
	"je_mall",
	"",
	"Py_GetVersion",
	"snap__symbols_open",
	"mi_malloc",
	"fopen",
	"regexec",
	"clock_gettime",
	"__libc_start_main",
	"sem_post",
	"glob64",
	"nftw",
	"__tls_get_addr",
	"_dl_find_object",
	"gettimeofday",
	"time",
	"timer_create",
	"sched_getaffinity",
	"quick_exit",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

Test(start_symbols, are_those_that_the_loader_finds)
{
	unsigned found = 0;

	snap__symbols_open();
	for (size_t i = 0; i < NAMES; i++) {
		void *wanted = dlsym(RTLD_DEFAULT, names[i]);

		cr_expect_eq(snap__symbols_any(names[i]), wanted, "%s", names[i]);
		found += wanted != NULL;
	}
	snap__symbols_close();
	cr_expect_geq(found, 25);
}

/* The program has this one, too. */
__attribute__((visibility("default"))) int glob64(void);

int glob64(void)
{
	return 0;
}

Test(start_symbols, of_the_objects_behind_leave_out_our_own)
{
	void *next = dlsym(RTLD_NEXT, "glob64"), *own = (void *)(uintptr_t)glob64;

	cr_assert_neq(next, own);
	cr_assert_not_null(next);
	snap__symbols_open();
	cr_expect_eq(snap__symbols_next("glob64"), next);
	for (size_t i = 0; i < NAMES; i++)
		cr_expect_eq(snap__symbols_next(names[i]), dlsym(RTLD_NEXT, names[i]), "%s",
			     names[i]);
	snap__symbols_close();
}

/* A look-up of dlsym() that fails leaves a message, for which it allocates. */
Test(start_symbols, that_are_missing_leave_no_message)
{
	snap__symbols_open();
	(void)dlerror();
	cr_expect_null(snap__symbols_any("snap_nobody_has_this"));
	cr_expect_null(snap__symbols_next("snap_nobody_has_this"));
	cr_expect(snap__symbols_lack("snap_nobody_has_this"));
	cr_expect_not(snap__symbols_lack("malloc"));
	cr_expect_null(dlerror());
	snap__symbols_close();
	cr_expect_not(snap__symbols_lack("snap_nobody_has_this"), "only the loader knows");
	cr_expect_null(snap__symbols_any("snap_nobody_has_this"));
	cr_expect_not_null(dlerror());
}
