/*
 * runtime/python/layouts.h - the layout of each version, as constants that the compiler sees.
 *
 * Reading a frame by offsets that are known when libsnap is built costs two thirds of reading it
 * by offsets from a table.
 */
#ifndef SNAP_RUNTIME_PYTHON_LAYOUTS_H
#define SNAP_RUNTIME_PYTHON_LAYOUTS_H

#include "runtime/python/layout.h"

static const struct snap__python_layout snap__python_3_9 = {
	.minor = 9,
	.lines = SNAP__PYTHON_LNOTAB,
	.thread_frame = 24,
	.thread_id = 176,
	.counts_instructions = true,
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
};

static const struct snap__python_layout snap__python_3_10 = {
	.minor = 10,
	.lines = SNAP__PYTHON_LINETABLE,
	.thread_frame = 24,
	.thread_id = 176,
	.thread_entry = 48,
	.counts_instructions = true,
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
};

static const struct snap__python_layout snap__python_3_11 = {
	.minor = 11,
	.lines = SNAP__PYTHON_LOCATIONS,
	.thread_cframe = 56,
	.thread_entry = 56,
	.cframe_frame = 8,
	.thread_id = 152,
	.frame_code = 32,
	.frame_previous = 48,
	.frame_instruction = 56,
	.frame_owner = 69,
	.owner_c = UINT8_MAX,
	.code_units = 184,
	.code_first_traceable = 168,
	.code_file = 112,
	.code_name = 120,
	.code_qualified_name = 128,
	.code_line_table = 136,
	.code_first_line = 72,
	.ascii_header = 48,
	.compact_header = 72,
	.runtime_thread = 576,
	.runtime_finalizing = 24,
};

static const struct snap__python_layout snap__python_3_12 = {
	.minor = 12,
	.lines = SNAP__PYTHON_LOCATIONS,
	.thread_cframe = 56,
	.thread_entry = 56,
	.cframe_frame = 0,
	.thread_id = 136,
	.frame_code = 0,
	.frame_previous = 8,
	.frame_instruction = 56,
	.frame_owner = 70,
	.owner_c = 3,
	.code_units = 192,
	.code_first_traceable = 176,
	.code_file = 112,
	.code_name = 120,
	.code_qualified_name = 128,
	.code_line_table = 136,
	.code_first_line = 68,
	.ascii_header = 40,
	.compact_header = 56,
	.runtime_finalizing = 24,
};

static const struct snap__python_layout snap__python_3_13 = {
	.minor = 13,
	.lines = SNAP__PYTHON_LOCATIONS,
	.thread_frame = 72,
	.thread_id = 152,
	.frame_code = 0,
	.frame_previous = 8,
	.frame_instruction = 56,
	.frame_owner = 70,
	.owner_c = 3,
	.code_units = 200,
	.code_first_traceable = 184,
	.code_file = 112,
	.code_name = 120,
	.code_qualified_name = 128,
	.code_line_table = 136,
	.code_first_line = 68,
	.ascii_header = 40,
	.compact_header = 56,
};

static const struct snap__python_layout snap__python_3_14 = {
	.minor = 14,
	.lines = SNAP__PYTHON_LOCATIONS,
	.thread_frame = 72,
	.frame_code = 0,
	.frame_previous = 8,
	.frame_instruction = 56,
	.frame_owner = 74,
	.owner_c = 3,
	.code_tags = 3,
	.code_units = 208,
	.code_first_traceable = 192,
	.code_file = 112,
	.code_name = 120,
	.code_qualified_name = 128,
	.code_line_table = 136,
	.code_first_line = 68,
	.ascii_header = 40,
	.compact_header = 56,
};

#endif
