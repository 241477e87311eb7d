/*
 * runtime/python/layout.c - choose a layout, and compare it with the interpreter's own offsets.
 */
#include "runtime/python/layout.h"

#include <string.h>

#include "runtime/python/layouts.h"

const struct snap__python_layout *snap__python_layout(unsigned minor)
{
	static const struct snap__python_layout *const known[] = {
		&snap__python_3_9,  &snap__python_3_10, &snap__python_3_11,
		&snap__python_3_12, &snap__python_3_13, &snap__python_3_14,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i]->minor == minor)
			return known[i];
	return NULL;
}

/* Where _Py_DebugOffsets has each offset: its own layout differs between versions. */
enum told {
	TOLD_THREAD_FRAME,
	TOLD_PREVIOUS,
	TOLD_CODE,
	TOLD_INSTRUCTION,
	TOLD_OWNER,
	TOLD_FILE,
	TOLD_NAME,
	TOLD_QUALIFIED_NAME,
	TOLD_LINE_TABLE,
	TOLD_FIRST_LINE,
	TOLD_UNITS,
	TOLD_COUNT
};

#define TOLD_VERSION       8
#define TOLD_FREE_THREADED 16

static const uint16_t told_at_3_13[TOLD_COUNT] = {184, 232, 240, 248, 264, 280,
						  288, 296, 304, 312, 344};
static const uint16_t told_at_3_14[TOLD_COUNT] = {208, 256, 264, 272, 288, 320,
						  328, 336, 344, 352, 384};

static uint64_t word_at(const void *base, size_t offset)
{
	uint64_t word;

	memcpy(&word, (const char *)base + offset, sizeof(word));
	return word;
}

static bool tells_offsets(const void *runtime)
{
	return memcmp(runtime, "xdebugpy", 8) == 0;
}

bool snap__python_is_free_threaded(const void *runtime)
{
	return tells_offsets(runtime) && word_at(runtime, TOLD_FREE_THREADED) != 0;
}

bool snap__python_layout_agrees(const struct snap__python_layout *layout, const void *runtime)
{
	const uint16_t *at = layout->minor == 13 ? told_at_3_13 : told_at_3_14;
	const uint64_t ours[TOLD_COUNT] = {
		layout->thread_frame,      layout->frame_previous,      layout->frame_code,
		layout->frame_instruction, layout->frame_owner,         layout->code_file,
		layout->code_name,         layout->code_qualified_name, layout->code_line_table,
		layout->code_first_line,   layout->code_units,
	};

	if (layout->minor < 13)
		return true;
	if (!tells_offsets(runtime) ||
	    (word_at(runtime, TOLD_VERSION) >> 16 & 0xff) != layout->minor)
		return false;
	for (size_t i = 0; i < TOLD_COUNT; i++)
		if (word_at(runtime, at[i]) != ours[i])
			return false;
	return true;
}
