/*
 * print_pairs.c - print which stacks of two snapshot files the comparison pairs. corpus.py knows
 * the right answer.
 *
 * usage: print_pairs LEVEL OLD NEW; prints "match old_bytes old_blocks new_bytes new_blocks" per
 * pair, "-" for no stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pairing/pair.h"
#include "dataset/fetch.h"
#include "report/subject.h"

static int complain(const struct snap_error *err)
{
	fprintf(stderr, "print_pairs: %s\n", err->message);
	return 1;
}

static void print_side(const struct dataset_cell *const *cells, uint32_t site)
{
	if (site == SNAP_NONE)
		printf(" - -");
	else
		printf(" %llu %llu",
		       (unsigned long long)cells[site]->figures.value[FIGURE_LIVE_BYTES],
		       (unsigned long long)cells[site]->figures.value[FIGURE_LIVE_BLOCKS]);
}

static enum snap_status print_pairs(const struct dataset *dataset, enum pair_level level,
				    struct snap_error *err)
{
	const struct dataset_cell **old = dataset_cells_by_site(dataset, 0);
	const struct dataset_cell **new = dataset_cells_by_site(dataset, 1);
	struct pair_sides sides = {.old = old, .new = new};
	struct pairing pairing = {0};
	enum snap_status st = pairing_compute(&pairing, dataset, &sides, level, err);

	for (size_t i = 0; i < pairing.count; i++) {
		const char *name = pair_level_names[pairing.pairs[i].level];

		printf("%s", name ? name : "none");
		print_side(sides.old, pairing.pairs[i].old);
		print_side(sides.new, pairing.pairs[i].new);
		putchar('\n');
	}
	pairing_release(&pairing);
	free(old);
	free(new);
	return st;
}

static bool parse_level(const char *text, enum pair_level *level)
{
	for (*level = PAIR_EXACT; *level < PAIR_NONE; ++*level)
		if (strcmp(text, pair_level_names[*level]) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct report_options options = report_option_defaults;
	struct snap_error err = {0};
	struct subject subject;
	struct dataset *dataset = NULL;
	enum pair_level level;
	enum snap_status st;

	if (argc != 4 || !parse_level(argv[1], &level)) {
		fprintf(stderr, "usage: print_pairs LEVEL OLD NEW\n");
		return 2;
	}
	options.quiet = true;
	st = subject_open(&subject, &options, false, &err);
	for (int i = 2; st == SNAP_OK && i < argc; i++)
		st = subject_add(&subject, argv[i], &err);
	if (st == SNAP_OK)
		st = fetch_dataset(&dataset, snapshots_store(subject.snapshots), subject.ids,
				   subject.count, &err);
	if (st == SNAP_OK)
		st = print_pairs(dataset, level, &err);
	dataset_free(dataset);
	subject_close(&subject);
	return st == SNAP_OK ? 0 : complain(&err);
}
