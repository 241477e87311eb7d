/*
 * runtime/python/layout.c - the layouts, and their comparison with what the interpreter says.
 */
#include "runtime/python/layout.h"

#include <string.h>

static const struct snap__python_layout layouts[] = {
	{
		.minor = 9,
		.lines = SNAP__PYTHON_LNOTAB,
		.thread_frame = 24,
		.thread_id = 176,
		.counts_instructions = true,
		.instruction_size = 1,
		.frame_code = 32,
		.frame_previous = 24,
		.frame_instruction = 104,
		.code_file = 104,
		.code_name = 112,
		.code_line_table = 120,
		.code_first_line = 40,
		.ascii_header = 48,
		.compact_header = 72,
		.runtime_thread = 568,
		.runtime_finalizing = 16,
	},
	{
		.minor = 10,
		.lines = SNAP__PYTHON_LINETABLE,
		.thread_frame = 24,
		.thread_id = 176,
		.counts_instructions = true,
		.instruction_size = 2,
		.frame_code = 32,
		.frame_previous = 24,
		.frame_instruction = 96,
		.code_file = 104,
		.code_name = 112,
		.code_line_table = 120,
		.code_first_line = 40,
		.ascii_header = 48,
		.compact_header = 72,
		.runtime_thread = 568,
		.runtime_finalizing = 16,
	},
	{
		.minor = 11,
		.lines = SNAP__PYTHON_LOCATIONS,
		.thread_cframe = 56,
		.cframe_frame = 8,
		.thread_id = 152,
		.instruction_size = 1,
		.frame_code = 32,
		.frame_previous = 48,
		.frame_instruction = 56,
		.code_units = 184,
		.code_file = 112,
		.code_name = 120,
		.code_qualified_name = 128,
		.code_line_table = 136,
		.code_first_line = 72,
		.ascii_header = 48,
		.compact_header = 72,
		.runtime_thread = 576,
		.runtime_finalizing = 24,
	},
	{
		.minor = 12,
		.lines = SNAP__PYTHON_LOCATIONS,
		.thread_cframe = 56,
		.cframe_frame = 0,
		.thread_id = 136,
		.instruction_size = 1,
		.frame_code = 0,
		.frame_previous = 8,
		.frame_instruction = 56,
		.frame_owner = 70,
		.owner_c = 3,
		.code_units = 192,
		.code_file = 112,
		.code_name = 120,
		.code_qualified_name = 128,
		.code_line_table = 136,
		.code_first_line = 68,
		.ascii_header = 40,
		.compact_header = 56,
		.runtime_finalizing = 24,
	},
	{
		.minor = 13,
		.lines = SNAP__PYTHON_LOCATIONS,
		.thread_frame = 72,
		.thread_id = 152,
		.instruction_size = 1,
		.frame_code = 0,
		.frame_previous = 8,
		.frame_instruction = 56,
		.frame_owner = 70,
		.owner_c = 3,
		.code_units = 200,
		.code_file = 112,
		.code_name = 120,
		.code_qualified_name = 128,
		.code_line_table = 136,
		.code_first_line = 68,
		.ascii_header = 40,
		.compact_header = 56,
	},
	{
		.minor = 14,
		.lines = SNAP__PYTHON_LOCATIONS,
		.thread_frame = 72,
		.instruction_size = 1,
		.frame_code = 0,
		.frame_previous = 8,
		.frame_instruction = 56,
		.frame_owner = 74,
		.owner_c = 3,
		.code_tags = 3,
		.code_units = 208,
		.code_file = 112,
		.code_name = 120,
		.code_qualified_name = 128,
		.code_line_table = 136,
		.code_first_line = 68,
		.ascii_header = 40,
		.compact_header = 56,
	},
};

const struct snap__python_layout *snap__python_layout(unsigned minor)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].minor == minor)
			return &layouts[i];
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
