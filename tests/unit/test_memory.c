/*
 * test_memory.c - memory that is out is said to the program, which decides how it ends.
 */
/* links: cmd_base */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "base/memory.h"

static jmp_buf ended;
static const char *said;

static void end(const char *doing)
{
	said = doing;
	longjmp(ended, 1);
}

Test(memory, what_is_there_is_given_back)
{
	int object;

	memory_on_failure(end);
	cr_assert_eq(memory_need(&object, "testing"), &object);
}

Test(memory, what_is_missing_is_said_to_the_program)
{
	memory_on_failure(end);
	if (setjmp(ended) == 0) {
		memory_need(NULL, "testing");
		cr_assert_fail("it goes on without memory");
	}
	cr_assert_str_eq(said, "testing");
}

Test(memory, without_a_program_it_aborts, .signal = SIGABRT)
{
	memory_need(NULL, "testing");
}
