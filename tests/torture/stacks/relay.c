/*
 * relay.c - a module that calls back; built twice, alike but for the name, or with another
 * FRAME_BYTES as well.
 */
void *plugin_relay(void *(*function)(int), int size);

void *plugin_relay(void *(*function)(int), int size)
{
	volatile char frame[FRAME_BYTES];
	void *block;

	frame[0] = (char)size;
	block = function(size);
	frame[1] = frame[0];
	return block;
}
