/*
 * t16: a host with a zstd of its own.
 * Stands for: agents whose helper library calls malloc, which is theirs, or clashes with the host's
 * copy of another version.  Whoever calls these gets an end of the program.
 */
#include "torture.h"

#define TRAP(name)                                                                                 \
	void *name(void);                                                                          \
	void *name(void)                                                                           \
	{                                                                                          \
		abort();                                                                           \
	}

TRAP(ZSTD_createCCtx)
TRAP(ZSTD_initStaticCCtx)
TRAP(ZSTD_compress2)
TRAP(ZSTD_compressStream2)
TRAP(ZSTD_CCtx_setParameter)
TRAP(ZSTD_compressCCtx)
TRAP(ZSTD_compress)
TRAP(XXH64)

int main(void)
{
	churn(1000);
	return 0;
}
