/*
 * runtime/filename.c - file names that are not taken.
 */
#include "runtime/filename.h"

#include "runtime/process.h"

enum { VARIANTS = 20, RUN_DIGITS = 8 };

/* 0: plain names; 1: names with the run; 2 and more: with a letter as well. */
static unsigned variant;

/* Milliseconds since 1970 in base 36: eight digits until the year 2059. */
static void add_run(struct snap__text *name)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t rest = snap__process_self()->start_time_ns / 1000000;
	char text[RUN_DIGITS], letter = (char)('a' + variant - 1);

	for (unsigned i = RUN_DIGITS; i-- > 0; rest /= 36)
		text[i] = digits[rest % 36];
	snap__text_add(name, "_"); /* sorts after the dot of plain names */
	snap__text_add_bytes(name, text, sizeof(text));
	snap__text_add_bytes(name, &letter, variant > 1);
}

void snap__filename_final(struct snap__text *name, const char *directory, uint64_t seq,
			  const char *word)
{
	const struct snap__process *who = snap__process_self();

	if (directory) {
		snap__text_add(name, directory);
		snap__text_add(name, "/");
	}
	snap__text_add(name, who->program);
	snap__text_add(name, ".");
	snap__text_add_u64(name, (uint64_t)who->pid);
	if (variant)
		add_run(name);
	snap__text_add(name, ".");
	snap__text_add_padded(name, seq, 6);
	if (word) {
		snap__text_add(name, "_");
		snap__text_add(name, word);
	}
	snap__text_add(name, ".snap");
}

bool snap__filename_next(void)
{
	variant++;
	if (variant < VARIANTS)
		return true;
	variant = 0;
	return false;
}

void snap__filename_after_fork(void)
{
	variant = 0;
}
