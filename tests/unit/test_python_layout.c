/*
 * test_python_layout.c - layouts of CPython are used only where the interpreter agrees with them.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "runtime/python/find.h"

/* _Py_DebugOffsets of CPython 3.13.0, as its own header lays it out: the fields that matter. */
static void tell_3_13(uint64_t *told)
{
	memset(told, 0, 100 * sizeof(*told));
	memcpy(told, "xdebugpy", 8);
	told[1] = 0x030d00f0;
	told[184 / 8] = 72;
	told[232 / 8] = 8;
	told[248 / 8] = 56;
	told[264 / 8] = 70;
	told[280 / 8] = 112;
	told[288 / 8] = 120;
	told[296 / 8] = 128;
	told[304 / 8] = 136;
	told[312 / 8] = 68;
	told[344 / 8] = 200;
}

Test(python_layout, offsets_that_the_interpreter_tells_are_compared)
{
	const struct snap__python_layout *layout = snap__python_layout(13);
	uint64_t told[100];

	cr_assert(layout != NULL);
	tell_3_13(told);
	cr_expect(snap__python_layout_agrees(layout, told));
	told[264 / 8]++;
	cr_expect(not(snap__python_layout_agrees(layout, told)));
}

Test(python_layout, another_minor_version_does_not_agree)
{
	uint64_t told[100];

	tell_3_13(told);
	cr_expect(not(snap__python_layout_agrees(snap__python_layout(14), told)));
	told[0]++;
	cr_expect(not(snap__python_layout_agrees(snap__python_layout(13), told)));
}

Test(python_layout, builds_without_a_gil_are_known)
{
	uint64_t told[100];

	tell_3_13(told);
	cr_expect(not(snap__python_is_free_threaded(told)));
	told[2] = 1;
	cr_expect(snap__python_is_free_threaded(told));
}

Test(python_layout, versions_that_nobody_checked_have_none)
{
	cr_expect(snap__python_layout(8) == NULL);
	cr_expect(snap__python_layout(SNAP__PYTHON_LATEST_MINOR + 1) == NULL);
}

Test(python_layout, a_program_without_python_has_none)
{
	cr_expect(not(snap__python_find(RTLD_DEFAULT)));
	cr_expect(snap__python.problem == NULL);
}
