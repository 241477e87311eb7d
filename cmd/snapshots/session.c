/*
 * session.c - open a session; read one file, symbolise it, and load it into the store.
 */
#include "snapshots/session.h"
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

struct session_taken {
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
static struct store *open_cache(struct session *session)
{
	struct store *cache = NULL;
	char *path;

	if (session->options.db)
		return session->store;
	path = symbol_cache_path();
	if (path && store_open(&cache, path, STORE_CACHE, NULL) == SNAP_ECORRUPT &&
	    unlink(path) == 0)
		store_open(&cache, path, STORE_CACHE, NULL);
	free(path);
	return cache;
}

static bool shows_progress(const struct session *session)
{
	return !session->options.quiet && !session->options.no_progress &&
	       terminal_takes_codes(STDERR_FILENO);
}

static void show_symbolising(void *user, uint64_t done, uint64_t total)
{
	static struct progress symbolising = {.what = "symbolising"};

	(void)user;
	progress_show(&symbolising, done, total);
}

static enum snap_status need_symbols(struct session *session, struct snap_error *err)
{
	struct symbols_options options = {
		.cache = &session->symbol_cache,
		.progress = shows_progress(session) ? show_symbolising : NULL,
		.notice = session->options.quiet ? NULL : session->options.notice,
		.user = session->options.user,
		.ask_for_others = settings()->debuginfod,
	};

	if (session->symbols)
		return SNAP_OK;
	session->cache = open_cache(session);
	session->symbol_cache = (struct symbol_cache){.user = session->cache,
						      .begin = cache_begin,
						      .end = cache_end,
						      .get = cache_get,
						      .put = cache_put};
	if (!session->cache)
		options.cache = NULL;
	session->symbols = symbols_new(&options);
	return session->symbols ? SNAP_OK : fail_memory(err, "preparing to symbolise");
}

/* ---- opening --------------------------------------------------------------------------------- */

void session_notice(const struct session *session, const struct notice *notice)
{
	if (session->options.notice && !(session->options.quiet && !notice_is_remark(notice)))
		session->options.notice(session->options.user, notice);
}

static void say_migrated(const struct session *session)
{
	const struct notice notice = {
		.kind = NOTICE_DATABASE_MIGRATED,
		.texts = {session->options.db},
		.figures = {(uint64_t)store_migrated_from(session->store)},
	};

	session_notice(session, &notice);
}

static enum snap_status open_store(struct session *session, struct snap_error *err)
{
	enum store_mode mode = STORE_READ;
	enum snap_status status;

	if (session->store)
		return SNAP_OK;
	if (!session->options.db || session->options.write)
		mode = STORE_CREATE;
	else if (session->options.modify)
		mode = STORE_WRITE;
	status = store_open(&session->store, session->options.db, mode, err);
	if (status == SNAP_OK && store_migrated_from(session->store))
		say_migrated(session);
	return status;
}

enum snap_status session_open(struct session **out, const struct session_options *options,
			      struct snap_error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	enum snap_status status = SNAP_OK;

	*out = NULL;
	if (!session)
		return fail_memory(err, "opening snapshots");
	session->options = *options;
	/* A database to be written is made with its first snapshot, so that a mistyped name leaves
	 * none behind. */
	if (!options->write || access(options->db, F_OK) == 0)
		status = open_store(session, err);
	if (status == SNAP_OK)
		*out = session;
	else
		session_close(session);
	return status;
}

static void forget_skipped(struct session *session)
{
	for (size_t i = 0; i < session->skipped_count; i++)
		free(session->skipped[i]);
	session->skipped_count = 0;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	session_ahead_end(session);
	symbols_free(session->symbols);
	if (session->cache != session->store)
		store_close(session->cache);
	store_close(session->store);
	store_close(session->objects);
	forget_skipped(session);
	free(session->skipped);
	for (size_t i = 0; i < session->taken_count; i++)
		free(session->taken[i].path);
	free(session->taken);
	free(session);
}

void session_remember(struct session *session)
{
	session->remembers = true;
}

void session_again(struct session *session)
{
	forget_skipped(session);
	session->damaged = 0;
	session->taken_at = 0;
}

struct store *session_store(struct session *session)
{
	return session->objects ? session->objects : session->store;
}

/* ---- one file -------------------------------------------------------------------------------- */

bool session_wants(const struct session *session, uint64_t pid, const char *program)
{
	const struct session_options *options = &session->options;

	return (!options->pid || options->pid == pid) &&
	       (!options->program || (program && strcmp(options->program, program) == 0));
}

void session_note_damage(struct session *session, const char *sentence)
{
	session->damaged++;
	session_notice(session, &(struct notice){.kind = NOTICE_FILE_DAMAGED, .texts = {sentence}});
}

bool session_keep_skipped(struct session *session, const char *path)
{
	char *copy = strdup(path);

	session->damaged++;
	if (!copy || !array_reserve(&session->skipped, &session->skipped_capacity,
				    session->skipped_count, sizeof(*session->skipped))) {
		free(copy);
		return false;
	}
	session->skipped[session->skipped_count++] = copy;
	return true;
}

static bool skip(struct session *session, const char *path, const char *sentence)
{
	session_notice(session,
		       &(struct notice){.kind = NOTICE_FILE_LEFT_OUT, .texts = {sentence}});
	return session_keep_skipped(session, path);
}

static void skip_listed(void *user, const char *path, const char *sentence)
{
	struct session *session = user;

	session->skipped_lost = !skip(session, path, sentence) || session->skipped_lost;
}

enum snap_status session_list_directory(struct session *session, const char *dir, char ***paths,
					size_t *count, struct snap_error *err)
{
	enum snap_status status =
		input_list_directory(dir, skip_listed, session, paths, count, err);

	if (status == SNAP_OK && session->skipped_lost) {
		input_free_list(*paths, *count);
		*paths = NULL;
		*count = 0;
		status = fail_memory(err, "listing damaged files");
	}
	return status;
}

enum snap_status session_skip_damaged(struct session *session, const char *path,
				      enum snap_status status, const struct snap_error *problem,
				      struct snap_error *err)
{
	if (status != SNAP_ECORRUPT && status != SNAP_ETRUNCATED && status != SNAP_EVERSION &&
	    status != SNAP_EIO)
		return fail(err, status, "%s", problem->message);
	/* If it is not there, it was removed since the directory was read. */
	if (access(path, F_OK) == 0 && !skip(session, path, problem->message))
		return fail_memory(err, "listing damaged files");
	return SNAP_OK;
}

const char *session_skipped(const struct session *session, size_t index)
{
	return index < session->skipped_count ? session->skipped[index] : NULL;
}

size_t session_damaged(const struct session *session)
{
	return session->damaged;
}

void session_progress(const struct session *session, size_t done, size_t total)
{
	static struct progress loading = {.what = "loading snapshot"};

	if (total > 1 && shows_progress(session))
		progress_show(&loading, done, total);
}

static enum snap_status symbolise(struct session *session, struct model *model,
				  struct snap_error *err)
{
	enum snap_status status = need_symbols(session, err);

	return status == SNAP_OK ? symbols_resolve(session->symbols, model, err) : status;
}

/*
 * Equal content is one snapshot.  Some files (text by hand, a tracemalloc dump) contain neither
 * their time nor their number in a series.  In a private database, equal ones are told apart by
 * their path.
 */
static void tell_apart(const struct session *session, struct model *model)
{
	const char *source = model->source ? model->source : "";

	if (session->options.db || model_meta(model, "seq") ||
	    (model_meta(model, "time_ns") && !model_meta(model, "time_from")))
		return;
	model->digest ^= hash_fnv(source, strlen(source));
}

/* Symbolising is expensive: it is skipped for content that is already loaded. */
static enum snap_status load_model(struct session *session, struct session_input *input,
				   const struct store_labels *labels, int64_t *id, bool *already,
				   struct snap_error *err)
{
	struct model *model = input->model;
	enum snap_status status = open_store(session, err);

	if (status != SNAP_OK)
		return status;
	if (session->options.facts_only)
		return store_load(session->store, model, NULL, STORE_FACTS, NULL, id, already, err);
	if (!input->prepared && !store_has_digest(session->store, model->digest, id))
		status = symbolise(session, model, err);
	if (status != SNAP_OK)
		return status;
	return store_load(session->store, model, input->prepared,
			  session->options.without_ages ? STORE_WITHOUT_AGES : STORE_ALL, labels,
			  id, already, err);
}

static bool wants_model(const struct session *session, const struct model *model)
{
	char program[STORE_PROGRAM_SIZE];

	store_program_name(model, program);
	return session_wants(session, model_meta_u64(model, "pid", 0), program);
}

/* ---- files that were read before ------------------------------------------------------------- */

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Files are asked for in the same order again: the search goes on behind the last one found. */
static struct session_taken *find_taken(struct session *session, const char *path)
{
	for (size_t i = 0; i < session->taken_count; i++) {
		size_t at = (session->taken_at + i) % session->taken_count;

		if (strcmp(session->taken[at].path, path) == 0) {
			session->taken_at = at + 1;
			return &session->taken[at];
		}
	}
	return NULL;
}

bool session_has_taken(struct session *session, const char *path, int64_t *id)
{
	const struct session_taken *taken = find_taken(session, path);
	struct stat info;

	if (!taken || stat(path, &info) != 0 || !is_unchanged(&info, &taken->info))
		return false;
	*id = taken->id;
	return true;
}

/* Without memory for it the file is read again. */
static void keep_taken(struct session *session, const char *path, const struct stat *info,
		       int64_t id)
{
	struct session_taken *taken = find_taken(session, path);
	char *copy;

	if (taken) {
		taken->info = *info;
		taken->id = id;
		return;
	}
	copy = strdup(path);
	if (!copy || !array_reserve(&session->taken, &session->taken_capacity, session->taken_count,
				    sizeof(*session->taken))) {
		free(copy);
		return;
	}
	session->taken[session->taken_count++] =
		(struct session_taken){.path = copy, .info = *info, .id = id};
}

enum snap_status session_take_file(struct session *session, const char *path,
				   const struct store_labels *labels, int64_t *id, bool *already,
				   struct snap_error *err)
{
	struct session_input input;
	enum snap_status status;
	struct stat info;
	bool keeps = session->remembers && stat(path, &info) == 0 && S_ISREG(info.st_mode);

	*id = 0;
	*already = false;
	session_read(session, path, &input);
	status = input.status;
	if (status != SNAP_OK) {
		fail(err, status, "%s", input.err.message);
	} else if (wants_model(session, input.model)) {
		if (input.model->torn)
			session_note_damage(session, input.model->torn);
		if (input.model->remark)
			session_notice(session, &(struct notice){.kind = NOTICE_FILE_NEWER,
								 .texts = {input.model->remark}});
		tell_apart(session, input.model);
		status = load_model(session, &input, labels, id, already, err);
	}
	session_input_release(&input);
	if (status == SNAP_OK && keeps)
		keep_taken(session, path, &info, *id);
	return status;
}
