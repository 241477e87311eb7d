/*
 * symbols/texts.h - texts that live as long as the symboliser, each once.
 */
#ifndef SYMBOLS_TEXTS_H
#define SYMBOLS_TEXTS_H

#include <stdbool.h>

struct texts;

struct texts *texts_new(void);
void texts_free(struct texts *texts);

/** The kept copy of `text`; "" when memory is out, which texts_failed() then remembers. */
const char *texts_keep(struct texts *texts, const char *text);
bool texts_failed(const struct texts *texts);

/** The name that people know of a linkage name (demangle_function()), remembered. */
const char *texts_function(struct texts *texts, const char *linkage_name);

/** paths_source_name(), remembered by both texts. */
const char *texts_file(struct texts *texts, const char *file, const char *directory);

#endif
