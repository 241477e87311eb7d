/*
 * snap_write.c - model -> snapshot file, whole or not at all.
 */
#include "input/input.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "write/writer.h"

/** Where the bytes go: a new file next to the target, or the target itself when it is a device. */
struct target {
	char *path;      /* with symbolic links resolved, if it exists */
	char *temporary; /* NULL for a device or pipe, which is written directly */
	int fd;
};

static enum snap_status target_fail(const char *path, struct snap_error *err)
{
	return fail(err, fail_status_of_file(errno), "%s: %s", path, strerror(errno));
}

static enum snap_status target_open(struct target *target, const char *path, struct snap_error *err)
{
	struct stat info;
	bool exists = stat(path, &info) == 0;
	char *temporary;

	target->path = exists ? realpath(path, NULL) : strdup(path);
	if (!target->path)
		return target_fail(path, err);
	if (exists && S_ISDIR(info.st_mode))
		return fail(err, SNAP_EIO, "%s: is a directory", path);
	if (exists && !S_ISREG(info.st_mode)) {
		target->fd = open(target->path, O_WRONLY | O_CLOEXEC);
		return target->fd < 0 ? target_fail(path, err) : SNAP_OK;
	}
	if (asprintf(&temporary, "%s.%ld.tmp", target->path, (long)getpid()) < 0)
		return fail_memory(err, "writing a snapshot");
	target->temporary = temporary;
	target->fd = open(target->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (target->fd < 0) {
		free(target->temporary);
		target->temporary = NULL;
		return target_fail(path, err);
	}
	return SNAP_OK;
}

/** Make the rename itself durable; file systems that cannot sync a directory are left alone. */
static void sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

/** Publish what was written, or remove it when `st` is an error; returns the first error. */
static enum snap_status target_close(struct target *target, enum snap_status st, const char *path,
				     struct snap_error *err)
{
	if (target->fd >= 0) {
		if (st == SNAP_OK && target->temporary && fsync(target->fd) != 0)
			st = target_fail(path, err);
		if (close(target->fd) != 0 && st == SNAP_OK)
			st = target_fail(path, err);
	}
	if (target->temporary) {
		if (st == SNAP_OK && rename(target->temporary, target->path) != 0)
			st = target_fail(path, err);
		if (st == SNAP_OK)
			sync_directory(target->path);
		else
			unlink(target->temporary);
	}
	free(target->temporary);
	free(target->path);
	return st;
}

static void write_tables(struct snap__writer *w, const struct model *model)
{
	for (uint32_t i = 0; i < model->meta_count; i++) {
		struct snap_meta meta = {model->strings[model->meta[i].key],
					 model->strings[model->meta[i].value]};

		snap__write_meta(w, &meta);
	}
	for (uint32_t i = 0; i < model->string_count; i++)
		snap__write_string(w, model->strings[i]);
	for (uint32_t i = 0; i < model->module_count; i++)
		snap__write_module(w, &model->modules[i]);
	for (uint32_t i = 0; i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];
		struct snap_location row = {.module = location->module,
					    .flags = location->flags,
					    .address = location->address,
					    .frame_count = location->frame_count};

		snap__write_location(
			w, &row, row.frame_count ? &model->frames[location->first_frame] : NULL);
	}
}

static void write_stacks(struct snap__writer *w, const struct model *model)
{
	for (uint32_t i = 0; i < model->node_count; i++)
		snap__write_node(w, &model->nodes[i]);
	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct model_site *site = &model->sites[i];

		snap__write_site(w, &site->row,
				 site->row.cohort_count ? &model->cohorts[site->first_cohort]
							: NULL,
				 model->variances ? &model->variances[i] : NULL);
	}
}

static void write_holders(struct snap__writer *w, const struct model_holders *holders)
{
	for (uint32_t i = 0; i < holders->group_count; i++)
		snap__write_group(w, &holders->groups[i]);
	for (uint32_t i = 0; i < holders->root_count; i++)
		snap__write_root(w, &holders->roots[i]);
	for (uint32_t i = 0; i < holders->edge_count; i++)
		snap__write_edge(w, &holders->edges[i]);
	for (uint32_t i = 0; i < holders->path_count; i++)
		snap__write_path(w, &holders->paths[i].row,
				 holders->steps + holders->paths[i].first_step);
}

/** The writer keeps its first error, so that only the end has to be looked at. */
static enum snap_status write_rows(const struct model *model, int fd, const char *path,
				   struct snap_error *err)
{
	size_t size = snap__writer_workspace_size();
	void *workspace = aligned_alloc(64, (size + 63) / 64 * 64);
	struct snap__writer *w;
	enum snap_status st;

	if (!workspace)
		return fail_memory(err, "writing a snapshot");
	w = snap__writer_begin(workspace, size, fd);
	write_tables(w, model);
	write_stacks(w, model);
	write_holders(w, &model->holders);
	st = snap__writer_finish(w, NULL);
	if (st == SNAP_EIO)
		target_fail(path, err);
	else if (st != SNAP_OK)
		fail(err, st, "%s: this snapshot does not fit the file format (%s)", path,
		     snap_status_name(st));
	free(workspace);
	return st;
}

enum snap_status input_write_snap(const struct model *model, const char *path,
				  struct snap_error *err)
{
	struct target target = {.fd = -1};
	enum snap_status st = target_open(&target, path, err);

	if (st == SNAP_OK)
		st = write_rows(model, target.fd, path, err);
	return target_close(&target, st, path, err);
}
