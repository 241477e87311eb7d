/*
 * preload/loaded.c - which loaded object an address belongs to.
 */
#include "preload/loaded.h"

#include <dlfcn.h>
#include <link.h>

#ifdef DLFO_STRUCT_HAS_EH_DBASE
#pragma weak _dl_find_object
#endif

static bool ask_for_symbol(const void *address, struct snap__loaded *out)
{
	Dl_info info;

	if (!dladdr(address, &info))
		return false;
	*out = (struct snap__loaded){info.dli_fbase, info.dli_fname};
	return true;
}

bool snap__loaded_at(const void *address, struct snap__loaded *out)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	struct dl_find_object found;

	if (address && _dl_find_object) {
		if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
			return false;
		*out = (struct snap__loaded){found.dlfo_map_start, found.dlfo_link_map->l_name};
		return true;
	}
#endif
	return address && ask_for_symbol(address, out);
}

/* The first call tells of the failure, the second one frees the message. */
void snap__loaded_forget_errors(void)
{
	(void)dlerror();
	(void)dlerror();
}
