/*
 * relay.c - a module that calls back; built as `relay_red` and `relay_blue`, which are alike but
 * for the size of a frame and of their names.
 */
void *plugin_relay(void *(*function)(int), int size);

#ifdef RELAY_BLUE
#define FRAME_BYTES 72
#else
#define FRAME_BYTES 104
#endif

void *plugin_relay(void *(*function)(int), int size)
{
	volatile char frame[FRAME_BYTES];
	void *block;

	frame[0] = (char)size;
	block = function(size);
	frame[1] = frame[0];
	return block;
}
