/*
 * base/settings.h - settings of the whole program, whichever command runs.
 *
 * The command line fills it before a command runs; nothing changes it afterwards.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct settings {
	uint64_t max_memory; /* bytes that we may take; 0: a share of the machine */
	bool debuginfod;     /* ask it for modules of any snapshot, of other machines too */
};

struct settings *settings(void);

#endif
