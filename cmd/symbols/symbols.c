/*
 * symbols.c - every unsymbolised location of a model gets its frames.
 *
 * Locations are sorted by module and address, so that one module is open at a time and DWARF is
 * walked forwards.  Answers are remembered: by build-id in the caller's cache, across runs; and
 * here for the next model, which mostly has the same addresses.
 */
#include "symbols/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "base/fail.h"
#include "symbols/build_id.h"
#include "symbols/lines.h"
#include "symbols/texts.h"
#include "symbols/worker.h"

enum { ASK_AT_ONCE = 512 };

/** A (file, build-id) that models refer to; read when the first address is not remembered. */
struct place {
	const char *path, *build_id;
	const char *key;   /* for the cache; "" without a build-id */
	bool tried, found; /* found is not known before it was tried */
	bool complete;     /* what it does not know now, it will not know later */
	bool lost;         /* it ended the process that read it */
	bool plain;        /* its names took so long that they stay as the linker knows them */
	bool kept_offline; /* debuginfod was not asked for this model, but may be for the next
			      one */
	bool doubted;      /* and the warning about it was given */
	bool complained;
};

/** What was looked up: an address of a place, or a variable's. */
struct subject {
	uint32_t place; /* SNAP_NONE: there is no module to ask */
	enum lookup_kind kind;
	uint64_t address;
};

/** A remembered answer; its frames are results[first .. first + count).  A variable is one frame. */
struct answer {
	struct subject subject;
	uint32_t first, count;
};

struct symbols {
	struct symbols_options options;
	struct texts *texts;

	struct model *known; /* of which only the modules matter: they number the places */
	struct place *places;
	size_t place_count, place_room;

	struct symbol_frame *results;
	size_t result_count, result_room;
	struct answer *answers;
	size_t answer_count, answer_room;
	struct hash_table answer_table; /* finds the answer about a subject */

	struct worker *worker;
	struct place *asked;     /* the place of the current question */
	struct snap_frame *rows; /* one location's, on their way into the model */
	bool online;             /* debuginfod may be asked about the current model */
	bool told_offline;
};

struct symbols *symbols_new(const struct symbols_options *options)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return NULL;
	if (options)
		symbols->options = *options;
	symbols->texts = texts_new();
	symbols->known = model_new();
	symbols->rows = calloc(LINES_FRAMES_MAX, sizeof(*symbols->rows));
	if (!symbols->options.debug_root)
		symbols->options.debug_root = "/usr/lib/debug";
	symbols->worker = worker_new(symbols->options.debug_root, symbols->texts);
	if (!symbols->texts || !symbols->known || !symbols->rows || !symbols->worker) {
		symbols_free(symbols);
		return NULL;
	}
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	worker_free(symbols->worker);
	free(symbols->places);
	free(symbols->results);
	free(symbols->answers);
	hash_table_release(&symbols->answer_table);
	free(symbols->rows);
	model_free(symbols->known);
	texts_free(symbols->texts);
	free(symbols);
}

static void give(const struct symbols *symbols, const struct notice *notice)
{
	if (symbols->options.notice)
		symbols->options.notice(symbols->options.user, notice);
}

/* Answers. */

static bool is_same(const struct subject *a, const struct subject *b)
{
	return a->place == b->place && a->kind == b->kind && a->address == b->address;
}

static bool is_answer_to(const void *context, const void *wanted, uint32_t answer)
{
	const struct symbols *symbols = context;

	return is_same(&symbols->answers[answer].subject, wanted);
}

static uint64_t hash_subject(const struct subject *subject)
{
	return hash_fold((uint64_t)subject->place << 2 | (uint64_t)subject->kind, subject->address);
}

static const struct answer *answer_find(const struct symbols *symbols,
					const struct subject *subject)
{
	uint32_t answer = hash_table_find(&symbols->answer_table, hash_subject(subject),
					  is_answer_to, symbols, subject);

	return answer == SNAP_NONE ? NULL : &symbols->answers[answer];
}

/** Remember frames whose texts live as long as the symboliser. */
static bool answer_add(struct symbols *symbols, const struct subject *subject,
		       const struct symbol_frame *frames, size_t count)
{
	if (!array_room(&symbols->results, &symbols->result_room, symbols->result_count + count,
			sizeof(*symbols->results)) ||
	    !array_room(&symbols->answers, &symbols->answer_room, symbols->answer_count + 1,
			sizeof(*symbols->answers)) ||
	    !symbols->answers)
		return false;
	if (count)
		memcpy(symbols->results + symbols->result_count, frames, count * sizeof(*frames));
	symbols->answers[symbols->answer_count++] =
		(struct answer){.subject = *subject,
				.first = (uint32_t)symbols->result_count,
				.count = (uint32_t)count};
	symbols->result_count += count;
	return hash_table_add(&symbols->answer_table, hash_subject(subject),
			      (uint32_t)symbols->answer_count - 1);
}

/* Places. */

static bool places_grow(struct symbols *symbols)
{
	return array_reserve(&symbols->places, &symbols->place_room, symbols->place_count,
			     sizeof(*symbols->places));
}

/** What answers about a build are remembered under; NULL when memory is out. */
static const char *cache_key(struct symbols *symbols, const char *build_id)
{
	uint32_t id = SNAP_NONE;
	char *key;

	if (!*build_id)
		return "";
	if (asprintf(&key, "%s/%d", build_id, SYMBOLS_RULES) >= 0) {
		id = model_cstring(symbols->known, key);
		free(key);
	}
	return id == SNAP_NONE ? NULL : model_text(symbols->known, id);
}

/** The place of a model's module; SNAP_NONE when memory is out. */
static uint32_t place_intern(struct symbols *symbols, const char *path, const char *build_id)
{
	struct snap_module module = {.path = model_cstring(symbols->known, path),
				     .build_id = model_cstring(symbols->known, build_id)};
	uint32_t id;

	if (module.path == SNAP_NONE || module.build_id == SNAP_NONE || !places_grow(symbols))
		return SNAP_NONE;
	id = model_module_intern(symbols->known, &module);
	if (id == symbols->place_count) {
		symbols->places[id] = (struct place){
			.path = model_text(symbols->known, module.path),
			.build_id = model_text(symbols->known, module.build_id),
			.key = cache_key(symbols, build_id),
		};
		if (!symbols->places[id].key)
			return SNAP_NONE;
		symbols->place_count++;
	}
	return id;
}

/** Was the snapshot taken on this machine?  One that does not say was not. */
static bool is_of_this_machine(const struct model *model)
{
	const char *host = model_meta(model, "host");
	struct utsname here;

	return host && *host && uname(&here) == 0 && strcmp(host, here.nodename) == 0;
}

/** The network is used only for snapshots of this machine, or if the user allows it. */
static void choose_online(struct symbols *symbols, const struct model *model)
{
	symbols->online = !symbols->options.offline &&
			  (symbols->options.ask_for_others || is_of_this_machine(model));
}

static void tell_offline(struct symbols *symbols)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	if (symbols->told_offline || symbols->options.offline || !urls || !*urls)
		return;
	symbols->told_offline = true;
	give(symbols, &(struct notice){.kind = NOTICE_DEBUGINFOD_NOT_ASKED});
}

/** Was the file written after the snapshot was taken?  Unknown times say nothing. */
static bool is_newer(const char *path, const struct model *model)
{
	uint64_t taken_ns =
		model_meta(model, "time_from") ? 0 : model_meta_u64(model, "time_ns", 0);
	struct stat info;

	return taken_ns && *path == '/' && stat(path, &info) == 0 &&
	       (uint64_t)info.st_mtim.tv_sec > taken_ns / 1000000000u;
}

/** Without a build-id nothing but its time can show that a file is not the recorded one. */
static bool is_doubtful(struct symbols *symbols, struct place *place, const struct model *model)
{
	if (*place->build_id || !is_newer(place->path, model))
		return false;
	if (!place->doubted)
		give(symbols, &(struct notice){.kind = NOTICE_MODULE_TOO_NEW, .who = place->path});
	place->doubted = true;
	return true;
}

/* The cache. */

/** The cache's key for what has this kind: variables have addresses of their own.  "" for none. */
static const char *key_of(const struct symbols *symbols, const struct subject *subject,
			  char *buffer, size_t size)
{
	static const char *const ends[] = {
		[LOOKUP_CODE] = "", [LOOKUP_DATA] = "/data", [LOOKUP_TLS] = "/tls"};
	const char *key = symbols->places[subject->place].key;
	int length = snprintf(buffer, size, "%s%s", key, ends[subject->kind]);

	return *key && length > 0 && (size_t)length < size ? buffer : "";
}

/** Ask the caller's cache, and take over its texts.  A variable is a frame whose line is the offset
 * in it. */
static bool ask_cache(struct symbols *symbols, const struct subject *subject)
{
	const struct symbol_cache *cache = symbols->options.cache;
	struct symbol_frame frames[LINES_FRAMES_MAX];
	char buffer[2 * BUILD_ID_HEX];
	const char *key = key_of(symbols, subject, buffer, sizeof(buffer));
	size_t count = 0;

	if (!*key ||
	    !cache->get(cache->user, key, subject->address, frames, LINES_FRAMES_MAX, &count))
		return true;
	for (size_t i = 0; i < count; i++) {
		frames[i].function = texts_keep(symbols->texts, frames[i].function);
		frames[i].file = texts_keep(symbols->texts, frames[i].file);
		frames[i].offset = frames[i].line;
	}
	return answer_add(symbols, subject, frames, count);
}

/** Give the cache the answers that will not change any more. */
static void tell_cache(const struct symbols *symbols, const struct subject *subject,
		       const struct symbol_frame *frames, size_t count)
{
	const struct symbol_cache *cache = symbols->options.cache;
	struct symbol_frame variable;
	char buffer[2 * BUILD_ID_HEX];
	const char *key = key_of(symbols, subject, buffer, sizeof(buffer));

	if (!cache || !cache->put || !*key || !symbols->places[subject->place].complete)
		return;
	if (subject->kind != LOOKUP_CODE && count) {
		if (frames[0].offset > UINT32_MAX)
			return;
		variable = frames[0];
		variable.line = (uint32_t)variable.offset;
		frames = &variable;
	}
	cache->put(cache->user, key, subject->address, frames, count);
}

/* The worker. */

static void module_opened(void *user, bool found, bool complete, const char *complaint)
{
	struct symbols *symbols = user;
	struct place *place = symbols->asked;

	place->found = found;
	place->complete = complete && !place->plain;
	if (complaint && !place->complained) {
		place->complained = true;
		give(symbols, &(struct notice){.kind = NOTICE_MODULE_UNUSED, .texts = {complaint}});
	}
	if (!found && *place->build_id && !symbols->online)
		tell_offline(symbols);
}

static bool module_answered(void *user, const struct lookup *lookup,
			    const struct symbol_frame *frames, size_t count)
{
	struct symbols *symbols = user;
	const struct subject subject = {
		.place = (uint32_t)(symbols->asked - symbols->places),
		.kind = lookup->kind,
		.address = lookup->address,
	};

	tell_cache(symbols, &subject, frames, count);
	return answer_add(symbols, &subject, frames, count);
}

static void notice_loss(const struct symbols *symbols, const struct place *place,
			const struct worker_loss *loss)
{
	static const enum notice_kind kinds[] = {
		[WORKER_LIED] = NOTICE_MODULE_DAMAGED,
		[WORKER_CRASHED] = NOTICE_MODULE_CRASHES,
		[WORKER_TOOK_LONG] = NOTICE_MODULE_TAKES_LONG,
		[WORKER_TOOK_MEMORY] = NOTICE_MODULE_TAKES_MEMORY,
		[WORKER_NAMES_TOOK_LONG] = NOTICE_NAMES_TAKE_LONG,
		[WORKER_GAVE_UP] = NOTICE_MODULE_NOT_READ,
	};

	give(symbols, &(struct notice){.kind = kinds[loss->cause],
				       .who = place->path,
				       .figures = {loss->figure}});
}

/** A place that is known to have nothing, and will not have more now, need not be asked. */
static bool is_worth_asking(const struct symbols *symbols, const struct place *place)
{
	if (place->lost)
		return false;
	return !place->tried || place->found || (place->kept_offline && symbols->online);
}

/** Ask for addresses of one place. */
static enum snap_status ask_place(struct symbols *symbols, uint32_t id,
				  const struct lookup *lookups, size_t count,
				  struct snap_error *err)
{
	struct place *place = &symbols->places[id];
	const struct worker_module module = {
		.id = id,
		.path = place->path,
		.build_id = place->build_id,
		.offline = !symbols->online,
		.plain = place->plain,
	};
	const struct worker_answers answers = {symbols, module_opened, module_answered};
	struct worker_loss loss;
	enum snap_status st;

	if (!is_worth_asking(symbols, place))
		return SNAP_OK;
	symbols->asked = place;
	place->tried = true;
	place->kept_offline = !symbols->online;
	st = worker_ask(symbols->worker, &module, lookups, count, &answers, &loss, err);
	if (loss.cause != WORKER_FINE) {
		place->lost = place->plain || loss.cause != WORKER_NAMES_TOOK_LONG;
		place->plain |= !place->lost;
		place->tried = place->lost;
		notice_loss(symbols, place, &loss);
	}
	return st;
}

/* Models. */

/** The placeholder for an unknown function: "libfoo.so+0x1234", or the bare address. */
static uint32_t fallback_name(struct model *model, const struct model_location *location)
{
	const char *path = location->module == SNAP_NONE
				   ? ""
				   : model_text(model, model->modules[location->module].path);
	const char *slash = strrchr(path, '/');
	const char *base = slash && slash[1] ? slash + 1 : path;
	uint32_t id = SNAP_NONE;
	char *name = NULL;

	if (!(location->flags & SNAP_LOCATION_HAS_ADDRESS))
		return model_cstring(model, base);
	if (asprintf(&name, "%s%s0x%llx", base, *base ? "+" : "",
		     (unsigned long long)location->address) >= 0) {
		id = model_cstring(model, name);
		free(name);
	}
	return id;
}

static bool put_frames(struct symbols *symbols, struct model *model, uint32_t id,
		       const struct symbol_frame *frames, size_t count)
{
	bool fine = true;

	for (size_t i = 0; i < count; i++) {
		struct snap_frame *row = &symbols->rows[i];

		*row = (struct snap_frame){
			.function = model_cstring(model, frames[i].function),
			.file = model_cstring(model, frames[i].file),
			.line = frames[i].line,
			.flags = frames[i].inlined ? SNAP_FRAME_INLINED : 0,
		};
		if (!*frames[i].function)
			row->function = fallback_name(model, &model->locations[id]);
		fine &= row->function != SNAP_NONE && row->file != SNAP_NONE;
	}
	return fine && model_location_symbolise(model, id, symbols->rows, (uint32_t)count);
}

/** The places of the model's modules, malloc'ed; SNAP_NONE where the file is not to be asked. */
static uint32_t *model_places(struct symbols *symbols, const struct model *model)
{
	uint32_t *places = calloc((size_t)model->module_count + 1, sizeof(*places));

	for (uint32_t i = 0; places && i < model->module_count; i++) {
		const struct snap_module *module = &model->modules[i];

		places[i] = place_intern(symbols, model_text(model, module->path),
					 model_text(model, module->build_id));
		if (places[i] == SNAP_NONE) {
			free(places);
			return NULL;
		}
		if (is_doubtful(symbols, &symbols->places[places[i]], model))
			places[i] = SNAP_NONE;
	}
	return places;
}

/* Tasks. */

/** What a subject is looked up for: a location, or a root of the graph of holders. */
struct task {
	struct subject subject;
	uint32_t target;
	bool is_root;
};

static int compare_tasks(const void *left, const void *right)
{
	const struct task *a = left, *b = right;
	const struct subject *x = &a->subject, *y = &b->subject;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (a->is_root != b->is_root)
		return a->is_root ? 1 : -1;
	return (a->target > b->target) - (a->target < b->target);
}

/** Does it have an address in a module of which more than the name is known (as a text form has)? */
static bool has_symbol_to_find(const struct model *model, const struct snap_root *root)
{
	const struct snap_module *module;

	if (root->symbol || root->module == SNAP_NONE || root->kind > SNAP_ROOT_STACK)
		return false;
	module = &model->modules[root->module];
	return module->size || model->strings[module->build_id].size;
}

static enum lookup_kind kind_of_root(const struct snap_root *root)
{
	if (root->kind == SNAP_ROOT_STACK)
		return LOOKUP_CODE;
	return root->kind == SNAP_ROOT_TLS ? LOOKUP_TLS : LOOKUP_DATA;
}

static size_t list_locations(const struct model *model, const uint32_t *places, struct task *tasks)
{
	size_t count = 0;

	for (uint32_t i = 0; i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];
		bool asks = location->module != SNAP_NONE &&
			    (location->flags & SNAP_LOCATION_HAS_ADDRESS);

		if (!location->frame_count)
			tasks[count++] = (struct task){
				.subject = {asks ? places[location->module] : SNAP_NONE,
					    LOOKUP_CODE, location->address},
				.target = i,
			};
	}
	return count;
}

static size_t list_roots(const struct model *model, const uint32_t *places, struct task *tasks)
{
	size_t count = 0;

	for (uint32_t i = 0; i < model->holders.root_count; i++) {
		const struct snap_root *root = &model->holders.roots[i];

		if (has_symbol_to_find(model, root) && places[root->module] != SNAP_NONE)
			tasks[count++] = (struct task){
				.subject = {places[root->module], kind_of_root(root),
					    root->address},
				.target = i,
				.is_root = true,
			};
	}
	return count;
}

/** All locations and roots without names, in the order in which to look at them: malloc'ed. */
static struct task *list_tasks(const struct model *model, const uint32_t *places, size_t *count)
{
	size_t room = (size_t)model->location_count + model->holders.root_count + 1;
	struct task *tasks = calloc(room, sizeof(*tasks));

	if (!tasks)
		return NULL;
	*count = list_locations(model, places, tasks);
	*count += list_roots(model, places, tasks + *count);
	qsort(tasks, *count, sizeof(*tasks), compare_tasks);
	return tasks;
}

/** Take over what the cache knows, all at once: asking one by one costs it a lock each. */
static bool recall(struct symbols *symbols, const struct task *tasks, size_t count)
{
	const struct symbol_cache *cache = symbols->options.cache;
	bool fine = true;

	if (!cache || !cache->get)
		return true;
	if (cache->begin)
		cache->begin(cache->user);
	for (size_t i = 0; i < count && fine; i++)
		if (tasks[i].subject.place != SNAP_NONE && !answer_find(symbols, &tasks[i].subject))
			fine = ask_cache(symbols, &tasks[i].subject);
	if (cache->end)
		cache->end(cache->user);
	return fine;
}

/** The next subjects of one place that have no answer, each once; how many tasks were passed. */
static size_t next_lookups(const struct symbols *symbols, const struct task *tasks, size_t count,
			   struct lookup lookups[ASK_AT_ONCE], size_t *found)
{
	size_t i;

	*found = 0;
	for (i = 0; i < count && *found < ASK_AT_ONCE; i++) {
		const struct subject *subject = &tasks[i].subject;

		if (subject->place != tasks[0].subject.place)
			break;
		if ((i == 0 || !is_same(subject, &tasks[i - 1].subject)) &&
		    !answer_find(symbols, subject))
			lookups[(*found)++] = (struct lookup){subject->address, subject->kind};
	}
	return i;
}

/** Ask about one place, again for plain names what had no answer before its names took too long. */
static enum snap_status ask_in_turn(struct symbols *symbols, const struct task *tasks, size_t count,
				    size_t *passed, struct snap_error *err)
{
	const struct place *place = &symbols->places[tasks[0].subject.place];
	struct lookup lookups[ASK_AT_ONCE];
	bool plain;
	size_t found;
	enum snap_status st = SNAP_OK;

	do {
		plain = place->plain;
		*passed = next_lookups(symbols, tasks, count, lookups, &found);
		if (found)
			st = ask_place(symbols, tasks[0].subject.place, lookups, found, err);
	} while (st == SNAP_OK && place->plain != plain);
	return st;
}

/** Get answers for what the cache does not know. */
static enum snap_status ask_modules(struct symbols *symbols, const struct task *tasks, size_t count,
				    struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	size_t passed;

	/* Those without a place are the last. */
	for (size_t i = 0; i < count && st == SNAP_OK && tasks[i].subject.place != SNAP_NONE;
	     i += passed) {
		st = ask_in_turn(symbols, tasks + i, count - i, &passed, err);
		if (symbols->options.progress)
			symbols->options.progress(symbols->options.user, i + passed, count);
	}
	return st;
}

/* Models get what was found. */

static bool name_location(struct symbols *symbols, struct model *model, uint32_t id,
			  const struct answer *answer)
{
	static const struct symbol_frame nothing = {.function = "", .file = ""};

	if (!answer || !answer->count)
		return put_frames(symbols, model, id, &nothing, 1);
	return put_frames(symbols, model, id, symbols->results + answer->first, answer->count);
}

/** The function that owns a stack frame is the last: what is inlined into it has no frame. */
static bool name_root(const struct symbols *symbols, struct model *model, struct snap_root *root,
		      const struct answer *answer)
{
	const struct symbol_frame *frame;

	if (!answer || !answer->count)
		return true;
	frame = &symbols->results[answer->first + answer->count - 1];
	root->symbol = model_cstring(model, frame->function);
	if (root->kind != SNAP_ROOT_STACK)
		root->offset = frame->offset;
	return root->symbol != SNAP_NONE;
}

static bool name_all(struct symbols *symbols, struct model *model, const struct task *tasks,
		     size_t count)
{
	bool fine = true;

	for (size_t i = 0; i < count && fine; i++) {
		const struct answer *answer = answer_find(symbols, &tasks[i].subject);
		uint32_t target = tasks[i].target;

		fine = tasks[i].is_root
			       ? name_root(symbols, model, &model->holders.roots[target], answer)
			       : name_location(symbols, model, target, answer);
	}
	return fine;
}

bool symbols_are_resolved(const struct model *model)
{
	for (uint32_t i = 0; i < model->location_count; i++)
		if (!model->locations[i].frame_count)
			return false;
	for (uint32_t i = 0; i < model->holders.root_count; i++)
		if (has_symbol_to_find(model, &model->holders.roots[i]))
			return false;
	return true;
}

enum snap_status symbols_resolve(struct symbols *symbols, struct model *model,
				 struct snap_error *err)
{
	uint32_t *places = model_places(symbols, model);
	size_t count = 0;
	struct task *tasks = places ? list_tasks(model, places, &count) : NULL;
	enum snap_status st = SNAP_OK;
	bool fine = tasks && recall(symbols, tasks, count);

	choose_online(symbols, model);
	if (fine)
		st = ask_modules(symbols, tasks, count, err);
	fine = fine && st == SNAP_OK && name_all(symbols, model, tasks, count);
	free(tasks);
	free(places);
	if (st != SNAP_OK)
		return st;
	return fine && !texts_failed(symbols->texts) ? SNAP_OK : fail_memory(err, "symbolising");
}
