/*
 * ahead.c - a second thread reads files before the owner of `struct snapshots` asks for them.
 *
 * The second thread reads files and prepares them.  It uses neither symbols nor the store.  The
 * owner takes the files one by one, in their order.  If the second thread has not begun a file yet,
 * the owner reads it itself.
 */
#include "snapshots/snapshots.h"
#include "snapshots/state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/fork_alone.h"
#include "model/bounds.h"
#include "model/census.h"

enum {
	AHEAD_FILES = 4,       /* as many wait to be taken, and no more ... */
	AHEAD_NODES = 4000000, /* ... once they hold this many nodes of stacks */
	PREPARE_NODES =
		8 * 1000 * 1000, /* larger models are prepared one at a time: it takes room */
};

struct ahead_file {
	char *path;
	enum { FILE_WAITS, FILE_IS_READ, FILE_READY, FILE_TAKEN } state;
	struct snapshots_input input;
};

struct ahead {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	const struct snapshots_options *options; /* of `struct snapshots` */
	bool stop;
	struct ahead_file *files;
	size_t count;
	size_t next;                     /* the first that was not asked for */
	size_t ready_files, ready_nodes; /* that wait to be taken */
};

/* The added sites may exceed the bounds, like those of the file. */
static enum snap_status complete_holders(struct model *model, struct snap_error *err)
{
	uint32_t sites = model->site_count;

	if (!holders_complete(model))
		return fail_memory(err, "reading who holds what");
	return model->site_count == sites ? SNAP_OK : model_check_stacks(model, err);
}

/* The facts of a snapshot stay those of its allocations. */
static void use_census(struct snapshots_input *input, bool facts_only)
{
	input->status = model_need_census(input->model, &input->err);
	input->lacks_census = input->status != SNAP_OK;
	if (input->status == SNAP_OK && !facts_only)
		input->status = model_use_census(input->model, &input->err);
}

static void read_input(struct snapshots_input *input, const char *path,
		       const struct snapshots_options *snapshots)
{
	bool facts_only = snapshots->facts_only;
	struct input_options options = {.salvage = facts_only,
					.leave_out_own = snapshots->leave_out_own};

	*input = (struct snapshots_input){0};
	input->status = input_read(&input->model, path, &options, &input->err);
	if (input->status == SNAP_OK && snapshots->census)
		use_census(input, facts_only);
	else if (input->status == SNAP_OK && !facts_only)
		input->status = complete_holders(input->model, &input->err);
	if (input->status != SNAP_OK || facts_only || !symbols_are_resolved(input->model) ||
	    input->model->node_count > PREPARE_NODES)
		return;
	input->prepared = store_prepare(input->model);
	if (!input->prepared)
		input->status = fail_memory(&input->err, "comparing call stacks");
}

void snapshots_input_release(struct snapshots_input *input)
{
	store_prepared_free(input->prepared);
	model_free(input->model);
	*input = (struct snapshots_input){0};
}

/* ---- the second thread ----------------------------------------------------------------------- */

/* The next file to read.  The owner is about to ask for the first, and reads it meanwhile. */
static struct ahead_file *file_to_read(struct ahead *ahead)
{
	if (ahead->ready_files >= AHEAD_FILES ||
	    (ahead->ready_files && ahead->ready_nodes > AHEAD_NODES))
		return NULL;
	for (size_t i = ahead->next ? ahead->next : 1; i < ahead->count; i++)
		if (ahead->files[i].state == FILE_WAITS)
			return &ahead->files[i];
	return NULL;
}

static void *read_files(void *user)
{
	struct ahead *ahead = user;
	struct ahead_file *file;

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop) {
		file = file_to_read(ahead);
		if (!file) {
			pthread_cond_wait(&ahead->changed, &ahead->lock);
			continue;
		}
		file->state = FILE_IS_READ;
		pthread_mutex_unlock(&ahead->lock);
		fork_hold();
		read_input(&file->input, file->path, ahead->options);
		fork_permit();
		pthread_mutex_lock(&ahead->lock);
		file->state = FILE_READY;
		ahead->ready_files++;
		ahead->ready_nodes += file->input.model ? file->input.model->node_count : 0;
		pthread_cond_broadcast(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* ---- for the owner --------------------------------------------------------------------------- */

/* Pipes can be read once only, and directories are listed first. */
static bool is_plain_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static struct ahead *ahead_new(const char *const *paths, size_t count)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return NULL;
	ahead->files = calloc(count, sizeof(*ahead->files));
	for (size_t i = 0; ahead->files && i < count; i++) {
		char *path = is_plain_file(paths[i]) ? strdup(paths[i]) : NULL;

		if (path)
			ahead->files[ahead->count++].path = path;
	}
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	return ahead;
}

static void ahead_free(struct ahead *ahead)
{
	for (size_t i = 0; i < ahead->count; i++) {
		free(ahead->files[i].path);
		if (ahead->files[i].state == FILE_READY)
			snapshots_input_release(&ahead->files[i].input);
	}
	free(ahead->files);
	pthread_mutex_destroy(&ahead->lock);
	pthread_cond_destroy(&ahead->changed);
	free(ahead);
}

void snapshots_ahead_end(struct snapshots *snapshots)
{
	struct ahead *ahead = snapshots->ahead;

	if (!ahead)
		return;
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	pthread_cond_broadcast(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
	ahead_free(ahead);
	snapshots->ahead = NULL;
}

void snapshots_expect(struct snapshots *snapshots, const char *const *paths, size_t count)
{
	struct ahead *ahead;

	snapshots_ahead_end(snapshots);
	if (count < 2 || (snapshots->options.db && !snapshots->options.write))
		return;
	ahead = ahead_new(paths, count);
	if (!ahead)
		return;
	ahead->options = &snapshots->options;
	if (ahead->count < 2 || pthread_create(&ahead->thread, NULL, read_files, ahead) != 0)
		ahead_free(ahead);
	else
		snapshots->ahead = ahead;
}

void snapshots_expect_files(struct snapshots *snapshots, const struct snapshots_files *files)
{
	const char **paths = calloc(files->count + 1, sizeof(*paths));
	size_t count = 0;
	int64_t id;

	for (size_t i = 0; paths && i < files->count; i++)
		if (!snapshots_has_taken(snapshots, files->files[i].path, &id))
			paths[count++] = files->files[i].path;
	if (paths)
		snapshots_expect(snapshots, paths, count);
	free(paths);
}

static struct ahead_file *find_file(struct ahead *ahead, const char *path)
{
	for (size_t i = ahead->next; i < ahead->count; i++)
		if (strcmp(ahead->files[i].path, path) == 0)
			return &ahead->files[i];
	return NULL;
}

/* Take what the second thread has read or is reading; false when it has not begun. */
static bool take_ready(struct ahead *ahead, struct ahead_file *file, struct snapshots_input *input)
{
	bool begun = file->state != FILE_WAITS;

	ahead->next = (size_t)(file - ahead->files) + 1;
	while (file->state == FILE_IS_READ)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	if (begun) {
		*input = file->input;
		ahead->ready_files--;
		ahead->ready_nodes -= input->model ? input->model->node_count : 0;
	}
	file->state = FILE_TAKEN;
	pthread_cond_broadcast(&ahead->changed);
	return begun;
}

void snapshots_read(struct snapshots *snapshots, const char *path, struct snapshots_input *input)
{
	struct ahead *ahead = snapshots->ahead;
	struct ahead_file *file;
	bool taken = false;

	if (ahead) {
		pthread_mutex_lock(&ahead->lock);
		file = find_file(ahead, path);
		taken = file && take_ready(ahead, file, input);
		pthread_mutex_unlock(&ahead->lock);
	}
	if (!taken)
		read_input(input, path, &snapshots->options);
}
