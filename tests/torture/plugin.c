/* plugin.c - a module to load and unload; built twice, as `red` (3000 bytes a call) and `blue`
 * (5000). */
#include <stdlib.h>

void *plugin_allocate(int depth);

void *plugin_allocate(int depth)
{
	volatile char frame[64 * PLUGIN_SIZE / 1000];

	frame[0] = (char)depth;
	return depth > 0 ? plugin_allocate(frame[0] - 1) : malloc(PLUGIN_SIZE);
}
