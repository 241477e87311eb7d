/*
 * debuginfod.c - libdebuginfod, loaded only when it is needed, as libdwfl does.
 *
 * libdwfl itself asks for the debug file of a module that is on disk; this is for one that is not.
 */
#include "symbols/debuginfod.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What is used of libdebuginfod.so.1 (its ABI, from elfutils/debuginfod.h). */
struct client_api {
	void *library;
	void *(*begin)(void);
	int (*find)(void *client, const unsigned char *build_id, int size, char **path);
	void (*end)(void *client);
};

static void *symbol(void *library, const char *name)
{
	return library ? dlsym(library, name) : NULL;
}

static int api_load(struct client_api *api)
{
	void *begin, *find, *end;

	api->library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);
	begin = symbol(api->library, "debuginfod_begin");
	find = symbol(api->library, "debuginfod_find_debuginfo");
	end = symbol(api->library, "debuginfod_end");
	if (!begin || !find || !end)
		return 0;
	/* POSIX promises this works; ISO C has no cast from object to function pointers. */
	memcpy(&api->begin, &begin, sizeof(begin));
	memcpy(&api->find, &find, sizeof(find));
	memcpy(&api->end, &end, sizeof(end));
	return 1;
}

static char *fetch(const struct client_api *api, const char *build_id)
{
	void *client = api->begin();
	char *path = NULL;
	int fd;

	if (!client)
		return NULL;
	fd = api->find(client, (const unsigned char *)build_id, 0, &path); /* 0: it is hex */
	api->end(client);
	if (fd < 0)
		return NULL;
	close(fd);
	return path;
}

char *debuginfod_fetch(const char *build_id)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct client_api api = {0};
	char *path = NULL;

	if (!urls || !*urls)
		return NULL;
	if (api_load(&api))
		path = fetch(&api, build_id);
	if (api.library)
		dlclose(api.library);
	return path;
}
