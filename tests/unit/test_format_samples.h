/*
 * test_format_samples.h - small snapshots that the tests of format, writer and reader share.
 *
 * Each sample is a function that writes its rows.  The files of testdata/golden are these samples.
 */
#ifndef TEST_FORMAT_SAMPLES_H
#define TEST_FORMAT_SAMPLES_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "snap/format.h"
#include "snap/reader.h"
#include "write/writer.h"

#define TEXT(literal) ((struct snap_text){.data = (literal), .size = sizeof(literal) - 1})

typedef void sample_fn(struct snap__writer *w);

/** A file's bytes; free `data`. */
struct bytes {
	uint8_t *data;
	size_t size;
};

/* ---- Writing ---- */

static inline void write_strings(struct snap__writer *w, const char *const *strings)
{
	for (; *strings; strings++)
		snap__write_string(w, (struct snap_text){*strings, strlen(*strings)});
}

static inline void write_meta(struct snap__writer *w, const char *key, const char *value)
{
	snap__write_meta(
		w, &(struct snap_meta){.key = {key, strlen(key)}, .value = {value, strlen(value)}});
}

/** No rows at all. */
static inline void sample_empty(struct snap__writer *w)
{
	(void)w;
}

/** The worked example of FORMAT.md: one of everything. */
static inline void sample_tiny(struct snap__writer *w)
{
	static const char *const strings[] = {"",     "malloc", "/bin/app", "c0ffee",
					      "grow", "a.c",    NULL};
	const struct snap_location main_at = {
		.module = 0, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = 0x1234};
	const struct snap_location grow_at = {.module = 0,
					      .flags = SNAP_LOCATION_HAS_ADDRESS,
					      .address = 0x1200,
					      .frame_count = 1};
	const struct snap_frame grow = {.function = 4, .file = 5, .line = 300};
	const struct snap_site site = {.node = 1,
				       .domain = 1,
				       .live_bytes = 4096,
				       .live_blocks = 2,
				       .allocated_bytes = 5000,
				       .allocated_blocks = SNAP_UNKNOWN,
				       .cohort_count = 2};
	const struct snap_cohort cohorts[] = {{.birth_seq = 0, .blocks = 1, .bytes = 96},
					      {.birth_seq = 3, .blocks = 1, .bytes = 4000}};

	write_meta(w, "seq", "4");
	write_meta(w, "command", "/bin/app -v");
	write_strings(w, strings);
	snap__write_module(w, &(struct snap_module){
				      .path = 2, .build_id = 3, .base = 0x400000, .size = 0x2000});
	snap__write_location(w, &main_at, NULL);
	snap__write_location(w, &grow_at, &grow);
	snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = 0});
	snap__write_node(w, &(struct snap_node){.parent = 0, .location = 1});
	snap__write_site(w, &site, cohorts, NULL);
}

/** Everything that is unusual: inlined frames, no module, no stack, figures unknown or huge,
 *  characters that the text form has to escape, and bytes that are not UTF-8. */
static inline void sample_odd(struct snap__writer *w)
{
	static const char *const strings[] = {"",           "mmap",      "tab\there",   "a|b\\c",
					      "line\nfeed", "/lib/x.so", "caf\xc3\xa9", "\xff\xfe",
					      "operator()", NULL};
	const struct snap_frame inlined[] = {
		{.function = 2, .file = 3, .line = 1, .flags = SNAP_FRAME_INLINED},
		{.function = 4, .file = 0, .line = UINT32_MAX, .flags = SNAP_FRAME_INLINED},
		{.function = 6, .file = 7, .line = 0},
	};
	const struct snap_frame plain = {.function = 8, .file = 3, .line = 12};
	const struct snap_location locations[] = {
		{.module = 1,
		 .flags = SNAP_LOCATION_HAS_ADDRESS,
		 .address = UINT64_MAX,
		 .frame_count = 3},
		{.module = SNAP_NONE, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = 1},
		{.module = SNAP_NONE, .frame_count = 1},
		{.module = 0, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = 0x8000},
	};
	const struct snap_site sites[] = {
		{.node = 4, .domain = 1, .live_bytes = UINT64_MAX - 1, .allocated_blocks = 1},
		{.node = SNAP_NONE,
		 .domain = 1,
		 .live_bytes = SNAP_UNKNOWN,
		 .live_blocks = SNAP_UNKNOWN,
		 .allocated_bytes = SNAP_UNKNOWN,
		 .allocated_blocks = SNAP_UNKNOWN},
		{.node = 1, .domain = 0, .live_bytes = 7, .live_blocks = 3, .cohort_count = 3},
	};
	const struct snap_cohort cohorts[] = {{9, 1, 2}, {5, 1, 5}, {UINT64_MAX, 1, 0}};

	write_meta(w, "labels.a|b", "c\td\\");
	write_meta(w, "time_ns", "1767323045123456789");
	write_strings(w, strings);
	snap__write_module(w, &(struct snap_module){.path = 5, .base = UINT64_MAX, .size = 1});
	snap__write_module(w, &(struct snap_module){.path = 6, .build_id = 7});
	snap__write_location(w, &locations[0], inlined);
	snap__write_location(w, &locations[1], NULL);
	snap__write_location(w, &locations[2], &plain);
	snap__write_location(w, &locations[3], NULL);
	snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = 3});
	snap__write_node(w, &(struct snap_node){.parent = 0, .location = 0});
	snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = 1});
	snap__write_node(w, &(struct snap_node){.parent = 2, .location = 3});
	snap__write_node(w, &(struct snap_node){.parent = 0, .location = 2});
	snap__write_site(w, &sites[0], NULL, NULL);
	snap__write_site(w, &sites[1], NULL, NULL);
	snap__write_site(w, &sites[2], cohorts, NULL);
}

/** Lines of Python, and an extension's function below one. */
static inline void sample_python(struct snap__writer *w)
{
	static const char *const strings[] = {
		"",     "malloc",          "python", "/usr/lib/_ssl.so", "<module>", "/srv/app.py",
		"load", "Client.\xc3\xa9", NULL};
	const struct snap_frame lines[] = {{.function = 4, .file = 5, .line = 12},
					   {.function = 6, .file = 5, .line = 7},
					   {.function = 7, .file = 5, .line = 0}};
	const struct snap_location native = {
		.module = 0, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = 0x5678};
	const struct snap_location line = {.module = SNAP_NONE, .frame_count = 1};
	const struct snap_site sites[] = {
		{.node = 1, .domain = 2, .live_bytes = 320, .live_blocks = 5},
		{.node = 2, .domain = 2, .live_bytes = 56, .live_blocks = 1},
		{.node = 3, .domain = 1, .live_bytes = 16384, .live_blocks = 1},
	};

	write_meta(w, "python.version", "3.11.2");
	write_strings(w, strings);
	snap__write_module(w, &(struct snap_module){.path = 3, .size = 0x10000});
	for (size_t i = 0; i < 3; i++)
		snap__write_location(w, &line, &lines[i]);
	snap__write_location(w, &native, NULL);
	snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = 0});
	snap__write_node(w, &(struct snap_node){.parent = 0, .location = 1});
	snap__write_node(w, &(struct snap_node){.parent = 1, .location = 2});
	snap__write_node(w, &(struct snap_node){.parent = 1, .location = 3});
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		snap__write_site(w, &sites[i], NULL, NULL);
}

/** Estimates with variances. */
static inline void sample_sampled(struct snap__writer *w)
{
	static const char *const strings[] = {"", "malloc", "f", "g", NULL};
	const struct snap_location bare = {.module = SNAP_NONE, .frame_count = 1};

	write_meta(w, "sample_period", "524288");
	write_strings(w, strings);
	for (uint32_t i = 0; i < 2; i++)
		snap__write_location(w, &bare, &(struct snap_frame){.function = 2 + i});
	for (uint32_t i = 0; i < 2; i++)
		snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = i});
	for (uint32_t i = 0; i < 2; i++)
		snap__write_site(w,
				 &(struct snap_site){.node = i,
						     .domain = 1,
						     .live_bytes = 600000,
						     .live_blocks = 10,
						     .allocated_bytes = 700000,
						     .allocated_blocks = 11},
				 NULL, &(struct snap_variance){1.5, 0, 1e300, 0.25});
}

/** A graph of holders: a global holds a table, the table sessions; two blocks form a ring. */
static inline void sample_held(struct snap__writer *w)
{
	static const char *const strings[] = {"",       "malloc",     "/bin/app", "grow", "put",
					      "worker", "g_registry", "dict",     NULL};
	const struct snap_location bare = {.module = 0, .frame_count = 1};
	const struct snap_group groups[] = {
		{.label = 1, .node = 0, .blocks = 1, .bytes = 8192, .retained_bytes = 8392},
		{.label = 1,
		 .node = 1,
		 .blocks = 5,
		 .bytes = 500,
		 .direct_blocks = 1,
		 .direct_bytes = 100,
		 .indirect_blocks = 2,
		 .indirect_bytes = 200,
		 .ring_blocks = 1,
		 .retained_bytes = SNAP_UNKNOWN},
		{.kind = SNAP_GROUP_TYPE, .label = 7, .node = SNAP_NONE, .blocks = UINT64_MAX},
	};
	const struct snap_root roots[] = {
		{.module = 0, .address = 0x4018, .size = 8, .retained_bytes = SNAP_UNKNOWN},
		{.kind = SNAP_ROOT_STACK,
		 .label = 5,
		 .module = SNAP_NONE,
		 .thread = 4711,
		 .address = UINT64_MAX,
		 .symbol = 6,
		 .offset = 24},
	};
	const struct snap_edge edges[] = {
		{.from_root = 1, .from = 0, .to = 0, .references = 1, .blocks = 1, .bytes = 8192},
		{.from = 0,
		 .to = 1,
		 .references = 9,
		 .blocks = 2,
		 .bytes = 200,
		 .dominated_blocks = SNAP_UNKNOWN,
		 .dominated_bytes = SNAP_UNKNOWN},
		{.from = 1,
		 .to = 1,
		 .references = 2,
		 .blocks = 2,
		 .bytes = UINT64_MAX,
		 .dominated_blocks = 1,
		 .dominated_bytes = 100},
	};
	const struct snap_step steps[] = {
		{.group = 0, .address = 0x1000, .size = 8192, .offset = 16},
		{.group = 1, .address = 0x800, .size = 100}};

	write_meta(w, "holders", "retained");
	write_strings(w, strings);
	snap__write_module(w, &(struct snap_module){.path = 2});
	for (uint32_t i = 0; i < 2; i++)
		snap__write_location(w, &bare, &(struct snap_frame){.function = 3 + i});
	for (uint32_t i = 0; i < 2; i++)
		snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = i});
	for (uint32_t i = 0; i < 3; i++)
		snap__write_group(w, &groups[i]);
	for (uint32_t i = 0; i < 2; i++)
		snap__write_root(w, &roots[i]);
	for (uint32_t i = 0; i < 3; i++)
		snap__write_edge(w, &edges[i]);
	snap__write_path(
		w, &(struct snap_path){.group = 1, .root = 0, .offset = 3, .step_count = 2}, steps);
	snap__write_path(w, &(struct snap_path){.group = 1, .root = SNAP_NONE, .skipped = 7}, NULL);
}

/** Several chunks in a section, and zstd at work: long strings, and many equal roots. */
static inline void sample_chunks(struct snap__writer *w)
{
	static char filler[SNAP_STRING_MAX];
	struct snap_site site = {.domain = 1, .live_blocks = 1, .allocated_blocks = 1};

	memset(filler, 'x', sizeof(filler));
	write_meta(w, "seq", "1");
	snap__write_string(w, TEXT(""));
	snap__write_string(w, TEXT("malloc"));
	for (size_t i = 0; i < 5; i++)
		snap__write_string(w, (struct snap_text){filler, sizeof(filler) - i});
	snap__write_location(w, &(struct snap_location){.module = SNAP_NONE}, NULL);
	for (uint32_t i = 0; i < 600000; i++)
		snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = 0});
	for (uint32_t i = 0; i < 3; i++) {
		site.node = i * 290000;
		site.live_bytes = site.allocated_bytes = i + 1;
		snap__write_site(w, &site, NULL, NULL);
	}
}

/** What `sample` writes to `fd`; returns the writer's status. */
static inline enum snap_status write_sample(sample_fn *sample, int fd)
{
	size_t size = snap__writer_workspace_size();
	void *workspace = aligned_alloc(64, size);
	struct snap__writer *w;
	enum snap_status st;

	memset(workspace, 0xa5, size);
	w = snap__writer_begin(workspace, size, fd);
	sample(w);
	st = snap__writer_finish(w, NULL);
	free(workspace);
	return st;
}

static inline struct bytes read_fd(int fd)
{
	struct stat about;
	struct bytes bytes = {0};

	cr_assert(fstat(fd, &about) == 0);
	bytes.size = (size_t)about.st_size;
	bytes.data = malloc(bytes.size + 1);
	cr_assert(pread(fd, bytes.data, bytes.size, 0) == (ssize_t)bytes.size);
	return bytes;
}

/** The bytes of a sample. */
static inline struct bytes sample_bytes(sample_fn *sample)
{
	int fd = memfd_create("sample", MFD_CLOEXEC);
	struct bytes bytes;

	cr_assert(write_sample(sample, fd) == SNAP_OK);
	bytes = read_fd(fd);
	close(fd);
	return bytes;
}

/* ---- Reading: every row as a line of text ---- */

static inline enum snap_status print_meta(void *user, const struct snap_meta *meta)
{
	fprintf(user, "meta %.*s=%.*s\n", (int)meta->key.size, meta->key.data,
		(int)meta->value.size, meta->value.data);
	return SNAP_OK;
}

static inline enum snap_status print_string(void *user, uint32_t id, struct snap_text text)
{
	fprintf(user, "string %u %zu %.*s\n", id, text.size, text.size > 99 ? 0 : (int)text.size,
		text.data);
	return SNAP_OK;
}

static inline enum snap_status print_module(void *user, uint32_t id, const struct snap_module *m)
{
	fprintf(user, "module %u %u %u %#" PRIx64 " %#" PRIx64 "\n", id, m->path, m->build_id,
		m->base, m->size);
	return SNAP_OK;
}

static inline enum snap_status print_location(void *user, uint32_t id,
					      const struct snap_location *l,
					      const struct snap_frame *frames)
{
	fprintf(user, "location %u %d %u %#" PRIx64, id, (int)l->module, l->flags, l->address);
	for (uint32_t i = 0; i < l->frame_count; i++)
		fprintf(user, " [%u %u %u %u]", frames[i].function, frames[i].file, frames[i].line,
			frames[i].flags);
	fputc('\n', user);
	return SNAP_OK;
}

static inline enum snap_status print_node(void *user, uint32_t id, const struct snap_node *node)
{
	const uint32_t most_printed = 1000000; /* a file made to inflate has many millions */

	if (id < most_printed)
		fprintf(user, "node %u %d %u\n", id, (int)node->parent, node->location);
	return SNAP_OK;
}

static inline enum snap_status print_site(void *user, uint32_t id, const struct snap_site *s,
					  const struct snap_cohort *cohorts,
					  const struct snap_variance *v)
{
	fprintf(user, "site %u %d %u %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, id,
		(int)s->node, s->domain, (int64_t)s->live_bytes, (int64_t)s->live_blocks,
		(int64_t)s->allocated_bytes, (int64_t)s->allocated_blocks);
	for (uint32_t i = 0; i < s->cohort_count; i++)
		fprintf(user, " %" PRIu64 ":%" PRIu64 ":%" PRIu64, cohorts[i].birth_seq,
			cohorts[i].blocks, cohorts[i].bytes);
	if (v)
		fprintf(user, " +- %g %g %g %g", v->live_bytes, v->live_blocks, v->allocated_bytes,
			v->allocated_blocks);
	fputc('\n', user);
	return SNAP_OK;
}

static inline enum snap_status print_group(void *user, uint32_t id, const struct snap_group *g)
{
	fprintf(user, "group %u %u %u %d", id, g->kind, g->label, (int)g->node);
	for (const uint64_t *at = &g->blocks; at <= &g->retained_bytes; at++)
		fprintf(user, " %" PRId64, (int64_t)*at);
	fputc('\n', user);
	return SNAP_OK;
}

static inline enum snap_status print_root(void *user, uint32_t id, const struct snap_root *r)
{
	fprintf(user, "root %u %u %u %d %u %#" PRIx64 " %" PRIu64 " %u %" PRIu64 " %" PRId64 "\n",
		id, r->kind, r->label, (int)r->module, r->thread, r->address, r->size, r->symbol,
		r->offset, (int64_t)r->retained_bytes);
	return SNAP_OK;
}

static inline enum snap_status print_edge(void *user, const struct snap_edge *e)
{
	fprintf(user, "edge %u %u %u", e->from_root, e->from, e->to);
	for (const uint64_t *at = &e->references; at <= &e->dominated_bytes; at++)
		fprintf(user, " %" PRId64, (int64_t)*at);
	fputc('\n', user);
	return SNAP_OK;
}

static inline enum snap_status print_path(void *user, const struct snap_path *p,
					  const struct snap_step *steps)
{
	fprintf(user, "path %u %d %" PRIu64 " %" PRIu64, p->group, (int)p->root, p->offset,
		p->skipped);
	for (uint32_t i = 0; i < p->step_count; i++)
		fprintf(user, " [%u %#" PRIx64 " %" PRIu64 " %" PRIu64 "]", steps[i].group,
			steps[i].address, steps[i].size, steps[i].offset);
	fputc('\n', user);
	return SNAP_OK;
}

/** All rows in file order into `*text` (free it); the status of the first iteration that fails. */
static inline enum snap_status print_rows(struct snap_reader *reader, char **text,
					  struct snap_error *err)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	enum snap_status st = snap_reader_each_meta(reader, print_meta, out, err);

	if (st == SNAP_OK)
		st = snap_reader_each_string(reader, print_string, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_module(reader, print_module, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_location(reader, print_location, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_node(reader, print_node, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_site(reader, print_site, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_group(reader, print_group, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_root(reader, print_root, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_edge(reader, print_edge, out, err);
	if (st == SNAP_OK)
		st = snap_reader_each_path(reader, print_path, out, err);
	fclose(out);
	return st;
}

/** Open, print, close.  `*text` is NULL when the file could not be opened. */
static inline enum snap_status print_file(struct bytes file, enum snap_reader_mode mode,
					  char **text, struct snap_error *err)
{
	struct snap_reader *reader;
	enum snap_status st =
		snap_reader_open_memory(&reader, file.data, file.size, "sample", mode, err);

	*text = NULL;
	if (st == SNAP_OK)
		st = print_rows(reader, text, err);
	snap_reader_close(reader);
	return st;
}

#endif
