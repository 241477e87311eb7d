/*
 * fuzz_reports.c - mutated snapshots, with what holds what and a census among them, under every
 * command that reads one.
 *
 * Which command is decided by a checksum of the input.  Commands come back, and say why they refuse it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "fuzz/commands.h"
#include "fuzz/patch.h"
#include "fuzz/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TO_NOWHERE "-q", "-o", "/dev/null"

static void run_one(const char *file, uint64_t which)
{
	const char *const lines[][12] = {
		{"info", TO_NOWHERE, "-f", "json", file},
		{"top", TO_NOWHERE, "-f", "json", "--all", file},
		{"top", TO_NOWHERE, "--cumulative", "-g", "stack", file},
		{"compare", TO_NOWHERE, "--all", file, FUZZ_TESTDATA "/golden/held.snap"},
		{"growth", TO_NOWHERE, "-f", "json", file, FUZZ_TESTDATA "/golden/held.snap", file},
		{"peek", TO_NOWHERE, ".", file},
		{"holders", TO_NOWHERE, "-f", "json", ".", file},
		{"leaks", TO_NOWHERE, "-f", "json", file},
		{"dump", "-o", "/dev/null", file},
		{"report", "-o", "/dev/null", file},
		{"check", TO_NOWHERE, file, "--baseline", file},
		{"ls", TO_NOWHERE, file},
	};

	(void)run_command(lines[which % (sizeof(lines) / sizeof(*lines))]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	repair(copy, size);
	scratch_write(copy, size);
	run_one(scratch_path(), snap__xxh64(data, size, 0));
	free(copy);
	return 0;
}
