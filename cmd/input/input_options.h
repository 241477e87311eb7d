/*
 * input/input_options.h - how a file is read.
 */
#ifndef INPUT_OPTIONS_H
#define INPUT_OPTIONS_H

#include <stdbool.h>

struct input_options {
	bool salvage; /* read the part of a damaged .snap before the tear (info, dump): model->torn
		         says so */
	bool leave_out_own;     /* leave out what tracemalloc itself allocated; meta own_bytes and
			       own_blocks say how much that is */
	bool newest_frame_only; /* only the newest frame of a stack is needed; formats may ignore it
	                         */
};

#endif
