/*
 * symbols/debuginfod.h - debug files from a debuginfod server, if the user has set DEBUGINFOD_URLS.
 */
#ifndef SYMBOLS_DEBUGINFOD_H
#define SYMBOLS_DEBUGINFOD_H

/** Path of the fetched (or cached) debug file with this build-id in hex, malloc'ed; or NULL. */
char *debuginfod_fetch(const char *build_id);

#endif
