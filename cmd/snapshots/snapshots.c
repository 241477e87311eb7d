/*
 * snapshots.c - open the store; read one file, symbolise it, and load it into the store.
 */
#include "snapshots/snapshots.h"
#include "snapshots/state.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "input/input.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/settings.h"
#include "base/progress.h"
#include "base/terminal.h"

#define CACHE_SYMBOL_FRAMES 64 /* more inlined frames at one address than any compiler makes */

struct snapshots_taken {
	char *path;
	struct stat info;
	int64_t id;
};

/* ---- the symbol cache ------------------------------------------------------------------------ */

static bool cache_get(void *user, const char *key, uint64_t address, struct symbol_frame *frames,
		      size_t max, size_t *count)
{
	struct store_symbol symbols[CACHE_SYMBOL_FRAMES];

	if (max > CACHE_SYMBOL_FRAMES)
		max = CACHE_SYMBOL_FRAMES;
	if (!store_symbol_get(user, key, address, symbols, max, count))
		return false;
	for (size_t i = 0; i < *count; i++)
		frames[i] = (struct symbol_frame){symbols[i].function, symbols[i].file,
						  symbols[i].line, symbols[i].inlined, 0};
	return true;
}

static void cache_put(void *user, const char *key, uint64_t address,
		      const struct symbol_frame *frames, size_t count)
{
	struct store_symbol symbols[CACHE_SYMBOL_FRAMES];

	if (count > CACHE_SYMBOL_FRAMES)
		return;
	for (size_t i = 0; i < count; i++)
		symbols[i] = (struct store_symbol){frames[i].function, frames[i].file,
						   frames[i].line, frames[i].inlined};
	store_symbol_put(user, key, address, symbols, count);
}

static void cache_begin(void *user)
{
	store_symbol_begin(user);
}

static void cache_end(void *user)
{
	store_symbol_end(user);
}

/* $XDG_CACHE_HOME or ~/.cache, made if need be; what cannot be made will fail to open. */
static char *symbol_cache_path(void)
{
	const char *base = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char dir[PATH_MAX], path[PATH_MAX + 32];

	if (base && *base == '/')
		snprintf(dir, sizeof(dir), "%s", base);
	else if (home && *home == '/')
		snprintf(dir, sizeof(dir), "%s/.cache", home);
	else
		return NULL;
	mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/snapdiff", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/snapdiff/symbols.db", dir);
	return strdup(path);
}

/* A private database is not kept, so its symbols are cached separately; without a cache it is
 * only slower. */
static struct store *open_cache(struct snapshots *snapshots)
{
	struct store *cache = NULL;
	char *path;

	if (snapshots->options.db)
		return snapshots->store;
	path = symbol_cache_path();
	if (path && store_open(&cache, path, STORE_CACHE, NULL) == SNAP_ECORRUPT &&
	    unlink(path) == 0)
		store_open(&cache, path, STORE_CACHE, NULL);
	free(path);
	return cache;
}

static bool shows_progress(const struct snapshots *snapshots)
{
	return !snapshots->options.quiet && !snapshots->options.no_progress &&
	       terminal_takes_codes(STDERR_FILENO);
}

static void show_symbolising(void *user, uint64_t done, uint64_t total)
{
	static struct progress symbolising = {.what = "symbolising"};

	(void)user;
	progress_show(&symbolising, done, total);
}

static enum snap_status need_symbols(struct snapshots *snapshots, struct snap_error *err)
{
	struct symbols_options options = {
		.cache = &snapshots->symbol_cache,
		.progress = shows_progress(snapshots) ? show_symbolising : NULL,
		.notice = snapshots->options.quiet ? NULL : snapshots->options.notice,
		.user = snapshots->options.user,
		.ask_for_others = settings()->debuginfod,
	};

	if (snapshots->symbols)
		return SNAP_OK;
	snapshots->cache = open_cache(snapshots);
	snapshots->symbol_cache = (struct symbol_cache){.user = snapshots->cache,
							.begin = cache_begin,
							.end = cache_end,
							.get = cache_get,
							.put = cache_put};
	if (!snapshots->cache)
		options.cache = NULL;
	snapshots->symbols = symbols_new(&options);
	return snapshots->symbols ? SNAP_OK : fail_memory(err, "preparing to symbolise");
}

/* ---- opening --------------------------------------------------------------------------------- */

void snapshots_notice(const struct snapshots *snapshots, const struct notice *notice)
{
	bool wanted = !snapshots->options.quiet || notice_is_remark(notice) ||
		      notice_is_of_damage(notice);

	if (snapshots->options.notice && wanted)
		snapshots->options.notice(snapshots->options.user, notice);
}

static void say_migrated(const struct snapshots *snapshots)
{
	const struct notice notice = {
		.kind = NOTICE_DATABASE_MIGRATED,
		.texts = {snapshots->options.db},
		.figures = {(uint64_t)store_migrated_from(snapshots->store)},
	};

	snapshots_notice(snapshots, &notice);
}

static enum snap_status open_store(struct snapshots *snapshots, struct snap_error *err)
{
	enum store_mode mode = STORE_READ;
	enum snap_status st;

	if (snapshots->store)
		return SNAP_OK;
	if (!snapshots->options.db || snapshots->options.write)
		mode = STORE_CREATE;
	else if (snapshots->options.modify)
		mode = STORE_WRITE;
	st = store_open(&snapshots->store, snapshots->options.db, mode, err);
	if (st == SNAP_OK && store_migrated_from(snapshots->store))
		say_migrated(snapshots);
	return st;
}

enum snap_status snapshots_open(struct snapshots **out, const struct snapshots_options *options,
				struct snap_error *err)
{
	struct snapshots *snapshots = calloc(1, sizeof(*snapshots));
	enum snap_status st = SNAP_OK;

	*out = NULL;
	if (!snapshots)
		return fail_memory(err, "opening snapshots");
	snapshots->options = *options;
	/* A database to be written is made with its first snapshot, so that a mistyped name leaves
	 * none behind. */
	if (!options->write || access(options->db, F_OK) == 0)
		st = open_store(snapshots, err);
	if (st == SNAP_OK)
		*out = snapshots;
	else
		snapshots_close(snapshots);
	return st;
}

static void forget_skipped(struct snapshots *snapshots)
{
	for (size_t i = 0; i < snapshots->skipped_count; i++)
		free(snapshots->skipped[i]);
	snapshots->skipped_count = 0;
}

void snapshots_close(struct snapshots *snapshots)
{
	if (!snapshots)
		return;
	snapshots_ahead_end(snapshots);
	symbols_free(snapshots->symbols);
	if (snapshots->cache != snapshots->store)
		store_close(snapshots->cache);
	store_close(snapshots->store);
	store_close(snapshots->objects);
	forget_skipped(snapshots);
	free(snapshots->skipped);
	without_census_release(&snapshots->without_census);
	for (size_t i = 0; i < snapshots->taken_count; i++)
		free(snapshots->taken[i].path);
	free(snapshots->taken);
	free(snapshots);
}

void snapshots_remember(struct snapshots *snapshots)
{
	snapshots->remembers = true;
}

void snapshots_again(struct snapshots *snapshots)
{
	forget_skipped(snapshots);
	snapshots->damaged = 0;
	snapshots->taken_at = 0;
}

struct store *snapshots_store(struct snapshots *snapshots)
{
	return snapshots->objects ? snapshots->objects : snapshots->store;
}

/* ---- one file -------------------------------------------------------------------------------- */

bool snapshots_wants(const struct snapshots *snapshots, uint64_t pid, const char *program)
{
	const struct snapshots_options *options = &snapshots->options;

	return (!options->pid || options->pid == pid) &&
	       (!options->program || (program && strcmp(options->program, program) == 0));
}

void snapshots_note_damage(struct snapshots *snapshots, const char *sentence)
{
	snapshots->damaged++;
	snapshots_notice(snapshots,
			 &(struct notice){.kind = NOTICE_FILE_DAMAGED, .texts = {sentence}});
}

bool snapshots_keep_skipped(struct snapshots *snapshots, const char *path)
{
	char *copy = strdup(path);

	snapshots->damaged++;
	if (!copy || !array_reserve(&snapshots->skipped, &snapshots->skipped_capacity,
				    snapshots->skipped_count, sizeof(*snapshots->skipped))) {
		free(copy);
		return false;
	}
	snapshots->skipped[snapshots->skipped_count++] = copy;
	return true;
}

static bool skip(struct snapshots *snapshots, const char *path, const char *sentence)
{
	snapshots_notice(snapshots,
			 &(struct notice){.kind = NOTICE_FILE_LEFT_OUT, .texts = {sentence}});
	return snapshots_keep_skipped(snapshots, path);
}

static void skip_listed(void *user, const char *path, const char *sentence)
{
	struct snapshots *snapshots = user;

	snapshots->skipped_lost = !skip(snapshots, path, sentence) || snapshots->skipped_lost;
}

enum snap_status snapshots_list_directory(struct snapshots *snapshots, const char *dir,
					  char ***paths, size_t *count, struct snap_error *err)
{
	enum snap_status st = input_list_directory(dir, skip_listed, snapshots, paths, count, err);

	if (st == SNAP_OK && snapshots->skipped_lost) {
		input_free_list(*paths, *count);
		*paths = NULL;
		*count = 0;
		st = fail_memory(err, "listing damaged files");
	}
	return st;
}

enum snap_status snapshots_skip_damaged(struct snapshots *snapshots, const char *path,
					enum snap_status st, const struct snap_error *problem,
					struct snap_error *err)
{
	if (st != SNAP_ECORRUPT && st != SNAP_ETRUNCATED && st != SNAP_EVERSION && st != SNAP_EIO)
		return fail(err, st, "%s", problem->message);
	/* If it is not there, it was removed since the directory was read. */
	if (access(path, F_OK) == 0 && !skip(snapshots, path, problem->message))
		return fail_memory(err, "listing damaged files");
	return SNAP_OK;
}

const char *snapshots_skipped(const struct snapshots *snapshots, size_t index)
{
	return index < snapshots->skipped_count ? snapshots->skipped[index] : NULL;
}

size_t snapshots_damaged(const struct snapshots *snapshots)
{
	return snapshots->damaged;
}

void snapshots_progress(const struct snapshots *snapshots, size_t done, size_t total)
{
	static struct progress loading = {.what = "loading snapshot"};

	if (total > 1 && shows_progress(snapshots))
		progress_show(&loading, done, total);
}

static enum snap_status symbolise(struct snapshots *snapshots, struct model *model,
				  struct snap_error *err)
{
	enum snap_status st = need_symbols(snapshots, err);

	return st == SNAP_OK ? symbols_resolve(snapshots->symbols, model, err) : st;
}

/*
 * Equal content is one snapshot.  Some files (text by hand, a tracemalloc dump) contain neither
 * their time nor their number in a series.  In a private database, equal ones are told apart by
 * their path.
 */
static void tell_apart(const struct snapshots *snapshots, struct model *model)
{
	const char *source = model->source ? model->source : "";

	if (snapshots->options.db || model_meta(model, "seq") ||
	    (model_meta(model, "time_ns") && !model_meta(model, "time_from")))
		return;
	model->digest ^= hash_fnv(source, strlen(source));
}

/* Symbolising is expensive: it is skipped for content that is already loaded. */
static enum snap_status load_model(struct snapshots *snapshots, struct snapshots_input *input,
				   const struct store_labels *labels, int64_t *id, bool *already,
				   struct snap_error *err)
{
	struct model *model = input->model;
	enum snap_status st = open_store(snapshots, err);

	if (st != SNAP_OK)
		return st;
	if (snapshots->options.facts_only)
		return store_load(snapshots->store, model, NULL, STORE_FACTS, NULL, id, already,
				  err);
	if (!input->prepared && !store_has_digest(snapshots->store, model->digest, id))
		st = symbolise(snapshots, model, err);
	if (st != SNAP_OK)
		return st;
	return store_load(snapshots->store, model, input->prepared,
			  snapshots->options.without_ages ? STORE_WITHOUT_AGES : STORE_ALL, labels,
			  id, already, err);
}

static bool wants_model(const struct snapshots *snapshots, const struct model *model)
{
	char program[STORE_PROGRAM_SIZE];

	store_program_name(model, program);
	return snapshots_wants(snapshots, model_meta_u64(model, "pid", 0), program);
}

static enum snap_status leave_out(struct snapshots *snapshots, const struct snapshots_input *input,
				  struct snap_error *err)
{
	char program[STORE_PROGRAM_SIZE];

	store_program_name(input->model, program);
	if (wants_model(snapshots, input->model) &&
	    !without_census_add(
		    &snapshots->without_census, program, model_meta_u64(input->model, "pid", 0),
		    model_meta_u64(input->model, "start_time_ns", 0), input->err.message))
		return fail_memory(err, "listing snapshots");
	return SNAP_OK;
}

/* ---- files that were read before ------------------------------------------------------------- */

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Files are asked for in the same order again: the search goes on behind the last one found. */
static struct snapshots_taken *find_taken(struct snapshots *snapshots, const char *path)
{
	for (size_t i = 0; i < snapshots->taken_count; i++) {
		size_t at = (snapshots->taken_at + i) % snapshots->taken_count;

		if (strcmp(snapshots->taken[at].path, path) == 0) {
			snapshots->taken_at = at + 1;
			return &snapshots->taken[at];
		}
	}
	return NULL;
}

bool snapshots_has_taken(struct snapshots *snapshots, const char *path, int64_t *id)
{
	const struct snapshots_taken *taken = find_taken(snapshots, path);
	struct stat info;

	if (!taken || stat(path, &info) != 0 || !is_unchanged(&info, &taken->info))
		return false;
	*id = taken->id;
	return true;
}

/* Without memory for it the file is read again. */
static void keep_taken(struct snapshots *snapshots, const char *path, const struct stat *info,
		       int64_t id)
{
	struct snapshots_taken *taken = find_taken(snapshots, path);
	char *copy;

	if (taken) {
		taken->info = *info;
		taken->id = id;
		return;
	}
	copy = strdup(path);
	if (!copy || !array_reserve(&snapshots->taken, &snapshots->taken_capacity,
				    snapshots->taken_count, sizeof(*snapshots->taken))) {
		free(copy);
		return;
	}
	snapshots->taken[snapshots->taken_count++] =
		(struct snapshots_taken){.path = copy, .info = *info, .id = id};
}

enum snap_status snapshots_take_file(struct snapshots *snapshots, const char *path,
				     const struct store_labels *labels, int64_t *id, bool *already,
				     struct snap_error *err)
{
	struct snapshots_input input;
	enum snap_status st;
	struct stat info;
	bool keeps = snapshots->remembers && stat(path, &info) == 0 && S_ISREG(info.st_mode);

	*id = 0;
	*already = false;
	snapshots_read(snapshots, path, &input);
	st = input.status;
	if (input.lacks_census) {
		keeps = false; /* the next question leaves it out, too */
		st = leave_out(snapshots, &input, err);
	} else if (st != SNAP_OK) {
		fail(err, st, "%s", input.err.message);
	} else if (wants_model(snapshots, input.model)) {
		if (input.model->torn)
			snapshots_note_damage(snapshots, input.model->torn);
		if (input.model->remark)
			snapshots_notice(snapshots,
					 &(struct notice){.kind = NOTICE_FILE_NEWER,
							  .texts = {input.model->remark}});
		tell_apart(snapshots, input.model);
		st = load_model(snapshots, &input, labels, id, already, err);
	}
	snapshots_input_release(&input);
	if (st == SNAP_OK && keeps)
		keep_taken(snapshots, path, &info, *id);
	return st;
}
