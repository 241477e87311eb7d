/*
 * settings.c - settings of the whole program, whichever command runs.
 */
#include "base/settings.h"

struct settings *settings(void)
{
	static struct settings all;

	return &all;
}
