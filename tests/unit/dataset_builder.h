/*
 * dataset_builder.h - datasets from text, for tests.  A stack is "function:file:line@module <
 * caller ...", newest frame first; file, line and module may be left out.
 */
#ifndef DATASET_BUILDER_H
#define DATASET_BUILDER_H

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/dataset.h"
#include "model/names.h"

static inline uint64_t builder_hash(uint64_t hash, const char *text)
{
	return hash_fold(hash, hash_of_bytes(text, strlen(text)));
}

/* One frame of a stack: "f:f.c:12@app". Keys are what identity.h promises, built independently of
 * identity.c. */
static inline uint32_t builder_frame(struct dataset *dataset, char *text,
				     struct site_identity *identity)
{
	struct dataset_frame frame = {0};
	char *module = strchr(text, '@'), *file, *line;
	char bare[256];

	if (module)
		*module++ = 0;
	file = strchr(text, ':');
	while (file && file[1] == ':') /* a C++ path */
		file = strchr(file + 2, ':');
	if (file)
		*file++ = 0;
	line = file ? strchr(file, ':') : NULL;
	if (line)
		*line++ = 0;
	frame.function = dataset_string(dataset, text);
	frame.file = dataset_string(dataset, file ? file : "");
	frame.module = frame.module_path = dataset_string(dataset, module ? module : "");
	frame.line = line ? (uint32_t)atoi(line) : 0;
	name_normalise(text, bare, sizeof(bare));
	identity->line =
		builder_hash(builder_hash(builder_hash(identity->line, text), file ? file : ""),
			     line ? line : "");
	identity->function =
		builder_hash(builder_hash(identity->function, bare), module ? module : "");
	return dataset_frame_add(dataset, &frame);
}

/* Add a stack; the frames before the first that is no plumbing do not name it. */
static inline uint32_t builder_site(struct dataset *dataset, const char *domain, const char *stack)
{
	struct site_identity identity = {.line = 1, .function = 1};
	uint32_t frames[64], depth = 0;
	char *copy = strdup(stack), *rest = copy;
	bool named = false;
	uint32_t site;

	while (rest && *rest) {
		char *next = strstr(rest, " < ");

		if (next) {
			*next = 0;
			next += 3;
		}
		frames[depth] = builder_frame(dataset, rest, &identity);
		if (!named && !name_is_plumbing(rest, "", "")) {
			identity.named = depth;
			named = true;
		}
		depth++;
		rest = next;
	}
	identity.line = builder_hash(identity.line, domain);
	identity.function = builder_hash(identity.function, domain);
	site = dataset_site_add(dataset, domain, frames, depth, &identity);
	free(copy);
	return site;
}

static inline void builder_cell(struct dataset *dataset, size_t snapshot, uint32_t site,
				uint64_t bytes, uint64_t blocks)
{
	struct figures figures = {.value = {bytes, blocks, bytes * 2, blocks * 2}};

	cr_assert(dataset_cell_add(dataset, snapshot, site, &figures));
}

/* A stack of domain malloc with its figures in one snapshot. */
static inline uint32_t builder_add(struct dataset *dataset, size_t snapshot, const char *stack,
				   uint64_t bytes, uint64_t blocks)
{
	uint32_t site = builder_site(dataset, "malloc", stack);

	builder_cell(dataset, snapshot, site, bytes, blocks);
	return site;
}

#endif
