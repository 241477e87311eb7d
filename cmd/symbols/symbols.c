/*
 * symbols.c - every unsymbolised location of a model gets its frames.
 *
 * Locations are sorted by module and address, so that one module is open at a time and DWARF is
 * walked forwards.  What was found is remembered: by the caller's cache across runs, by build-id;
 * and here for the next model, which is mostly about the same addresses.
 */
#include "symbols/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/array.h"
#include "base/fail.h"
#include "symbols/module.h"
#include "symbols/texts.h"

/** A (file, build-id) that models refer to; opened when the first address is not remembered. */
struct place {
	const char *path, *build_id;
	const char *key; /* for the cache; "" without a build-id */
	struct module *module;
	bool tried;
	bool kept_offline; /* debuginfod was not asked: it may be for the next model */
	bool doubted;      /* and that was said */
};

/** A remembered answer; its frames are results[first .. first + count). */
struct answer {
	uint32_t place; /* of a free slot: SNAP_NONE */
	uint32_t first, count;
	uint64_t address;
};

struct symbols {
	struct symbols_options options;
	struct texts *texts;

	struct model *known; /* of which only the modules matter: they number the places */
	struct place *places;
	size_t place_count, place_room;

	struct symbol_frame *results;
	size_t result_count, result_room;
	struct answer *answers; /* open addressing */
	size_t answer_count, answer_slots;

	struct snap_frame *rows; /* one location's, on their way into the model */
	bool online;             /* debuginfod may be asked about the model in hand */
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
	if (!symbols->texts || !symbols->known || !symbols->rows) {
		symbols_free(symbols);
		return NULL;
	}
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->place_count; i++)
		module_close(symbols->places[i].module);
	free(symbols->places);
	free(symbols->results);
	free(symbols->answers);
	free(symbols->rows);
	model_free(symbols->known);
	texts_free(symbols->texts);
	free(symbols);
}

/* Answers. */

static size_t answer_slot(const struct symbols *symbols, uint32_t place, uint64_t address)
{
	uint64_t hash = (address ^ (uint64_t)place << 48) * UINT64_C(0x9e3779b97f4a7c15);
	size_t mask = symbols->answer_slots - 1;
	size_t slot = (hash ^ hash >> 32) & mask;

	while (symbols->answers[slot].place != SNAP_NONE &&
	       (symbols->answers[slot].place != place || symbols->answers[slot].address != address))
		slot = (slot + 1) & mask;
	return slot;
}

static bool answers_grow(struct symbols *symbols)
{
	size_t slots = symbols->answer_slots ? symbols->answer_slots * 2 : 4096;
	struct answer *old = symbols->answers;
	size_t old_slots = symbols->answer_slots;
	struct answer *grown;

	if (symbols->answer_count * 2 < symbols->answer_slots)
		return true;
	grown = malloc(slots * sizeof(*grown));
	if (!grown)
		return false;
	memset(grown, 0xff, slots * sizeof(*grown)); /* every place SNAP_NONE */
	symbols->answers = grown;
	symbols->answer_slots = slots;
	for (size_t i = 0; i < old_slots; i++)
		if (old[i].place != SNAP_NONE)
			grown[answer_slot(symbols, old[i].place, old[i].address)] = old[i];
	free(old);
	return true;
}

static const struct answer *answer_find(const struct symbols *symbols, uint32_t place,
					uint64_t address)
{
	const struct answer *answer;

	if (!symbols->answer_slots)
		return NULL;
	answer = &symbols->answers[answer_slot(symbols, place, address)];
	return answer->place == SNAP_NONE ? NULL : answer;
}

/** Remember frames whose texts live as long as the symboliser. */
static const struct answer *answer_add(struct symbols *symbols, uint32_t place, uint64_t address,
				       const struct symbol_frame *frames, size_t count)
{
	struct answer *answer;

	if (!array_room(&symbols->results, &symbols->result_room, symbols->result_count + count,
			sizeof(*symbols->results)))
		return NULL;
	if (!answers_grow(symbols))
		return NULL;
	if (count)
		memcpy(symbols->results + symbols->result_count, frames, count * sizeof(*frames));
	answer = &symbols->answers[answer_slot(symbols, place, address)];
	*answer = (struct answer){.place = place,
				  .first = (uint32_t)symbols->result_count,
				  .count = (uint32_t)count,
				  .address = address};
	symbols->result_count += count;
	symbols->answer_count++;
	return answer;
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

	if (symbols->told_offline || symbols->options.offline || !urls || !*urls ||
	    !symbols->options.notice)
		return;
	symbols->told_offline = true;
	symbols->options.notice(symbols->options.user,
				&(struct notice){.kind = NOTICE_DEBUGINFOD_NOT_ASKED});
}

static void place_open(struct symbols *symbols, struct place *place)
{
	const char *debug_root = symbols->options.debug_root;
	struct module_request request = {
		.path = place->path,
		.build_id = place->build_id,
		.debug_root = debug_root ? debug_root : "/usr/lib/debug",
		.offline = !symbols->online,
	};
	char *complaint = NULL;

	place->tried = true;
	place->kept_offline = !symbols->online;
	place->module = module_open(&request, symbols->texts, &complaint);
	if (complaint && symbols->options.notice)
		symbols->options.notice(
			symbols->options.user,
			&(struct notice){.kind = NOTICE_MODULE_UNUSED, .texts = {complaint}});
	free(complaint);
	if (!place->module && *place->build_id && !symbols->online)
		tell_offline(symbols);
}

static struct module *place_module(struct symbols *symbols, struct place *place)
{
	if (!place->tried || (!place->module && place->kept_offline && symbols->online))
		place_open(symbols, place);
	return place->module;
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
	if (!place->doubted && symbols->options.notice)
		symbols->options.notice(
			symbols->options.user,
			&(struct notice){.kind = NOTICE_MODULE_TOO_NEW, .who = place->path});
	place->doubted = true;
	return true;
}

/** Ask the caller's cache, and take over its texts. */
static void ask_cache(struct symbols *symbols, uint32_t place, uint64_t address)
{
	const struct symbol_cache *cache = symbols->options.cache;
	const char *key = symbols->places[place].key;
	struct symbol_frame frames[LINES_FRAMES_MAX];
	size_t count = 0;

	if (!*key || !cache->get(cache->user, key, address, frames, LINES_FRAMES_MAX, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		frames[i].function = texts_keep(symbols->texts, frames[i].function);
		frames[i].file = texts_keep(symbols->texts, frames[i].file);
	}
	answer_add(symbols, place, address, frames, count);
}

/** Ask the module, and tell the cache what will not change any more. */
static const struct answer *ask_module(struct symbols *symbols, uint32_t place, uint64_t address)
{
	const struct symbol_cache *cache = symbols->options.cache;
	const char *key = symbols->places[place].key;
	struct module *module = place_module(symbols, &symbols->places[place]);
	struct symbol_frame frames[LINES_FRAMES_MAX];
	size_t count = module ? module_find(module, address, frames) : 0;

	if (cache && cache->put && *key && module && module_is_complete(module))
		cache->put(cache->user, key, address, frames, count);
	return answer_add(symbols, place, address, frames, count);
}

/** Skip locations that the cache answered. */
static const struct answer *answer_get(struct symbols *symbols, uint32_t place, uint64_t address)
{
	const struct answer *answer = answer_find(symbols, place, address);

	return answer ? answer : ask_module(symbols, place, address);
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

/** An address to resolve. */
struct task {
	uint32_t place; /* SNAP_NONE: there is no module to ask */
	uint32_t location;
	uint64_t address;
};

static int compare_tasks(const void *left, const void *right)
{
	const struct task *a = left, *b = right;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->location > b->location) - (a->location < b->location);
}

/** Take over what the cache knows, all at once: asking one by one costs it a lock each. */
static void recall(struct symbols *symbols, const struct task *tasks, size_t count)
{
	const struct symbol_cache *cache = symbols->options.cache;

	if (!cache || !cache->get)
		return;
	if (cache->begin)
		cache->begin(cache->user);
	for (size_t i = 0; i < count; i++)
		if (tasks[i].place != SNAP_NONE &&
		    !answer_find(symbols, tasks[i].place, tasks[i].address))
			ask_cache(symbols, tasks[i].place, tasks[i].address);
	if (cache->end)
		cache->end(cache->user);
}

static bool resolve_one(struct symbols *symbols, struct model *model, const struct task *task)
{
	static const struct symbol_frame nothing = {.function = "", .file = ""};
	const struct answer *answer = NULL;

	if (task->place != SNAP_NONE) {
		answer = answer_get(symbols, task->place, task->address);
		if (!answer)
			return false;
	}
	if (!answer || !answer->count)
		return put_frames(symbols, model, task->location, &nothing, 1);
	return put_frames(symbols, model, task->location, symbols->results + answer->first,
			  answer->count);
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

/** All locations without frames, in the order in which to look at them. */
static struct task *list_tasks(const struct model *model, const uint32_t *places, size_t *count)
{
	struct task *tasks = calloc((size_t)model->location_count + 1, sizeof(*tasks));

	*count = 0;
	for (uint32_t i = 0; tasks && i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];
		bool asks = location->module != SNAP_NONE &&
			    (location->flags & SNAP_LOCATION_HAS_ADDRESS);

		if (!location->frame_count)
			tasks[(*count)++] = (struct task){
				.place = asks ? places[location->module] : SNAP_NONE,
				.location = i,
				.address = location->address,
			};
	}
	if (tasks)
		qsort(tasks, *count, sizeof(*tasks), compare_tasks);
	return tasks;
}

/* ---- roots of the graph of holders ----------------------------------------------------------- */

/** Does it have an address in a module of which more than the name is known (as a text form has)? */
static bool has_symbol_to_find(const struct model *model, const struct snap_root *root)
{
	const struct snap_module *module;

	if (root->symbol || root->module == SNAP_NONE || root->kind > SNAP_ROOT_STACK)
		return false;
	module = &model->modules[root->module];
	return module->size || model->strings[module->build_id].size;
}

/** The function that owns a stack frame; what is inlined into it has no frame. */
static bool resolve_frame(struct symbols *symbols, struct model *model, struct snap_root *root,
			  uint32_t place)
{
	const struct symbol_cache *cache = symbols->options.cache;
	const struct answer *answer;

	if (cache && cache->get && !answer_find(symbols, place, root->address))
		ask_cache(symbols, place, root->address);
	answer = answer_get(symbols, place, root->address);
	if (answer && answer->count)
		root->symbol = model_cstring(
			model, symbols->results[answer->first + answer->count - 1].function);
	return answer && root->symbol != SNAP_NONE;
}

/** The cache's key for variables, which have addresses of their own; "" for none. */
static const char *variable_key(const struct symbols *symbols, const struct snap_root *root,
				uint32_t place, char *buffer, size_t size)
{
	const char *key = symbols->places[place].key;
	int length =
		snprintf(buffer, size, "%s/%s", key, root->kind == SNAP_ROOT_TLS ? "tls" : "data");

	return *key && length > 0 && (size_t)length < size ? buffer : "";
}

/** From the cache, where a variable is a frame whose line is the offset in it. */
static bool recall_variable(const struct symbols *symbols, const struct snap_root *root,
			    uint32_t place, struct module_variable *variable)
{
	const struct symbol_cache *cache = symbols->options.cache;
	struct symbol_frame frames[2]; /* one more: a full answer may have been cut */
	size_t count = 0;
	char buffer[128];
	const char *key = variable_key(symbols, root, place, buffer, sizeof(buffer));

	if (!cache || !cache->get || !*key ||
	    !cache->get(cache->user, key, root->address, frames, 2, &count) || count == 0)
		return false;
	variable->name = texts_keep(symbols->texts, frames[0].function);
	variable->offset = frames[0].line;
	return true;
}

static void remember_variable(const struct symbols *symbols, const struct snap_root *root,
			      uint32_t place, const struct module_variable *variable)
{
	const struct symbol_cache *cache = symbols->options.cache;
	const struct symbol_frame frame = {
		.function = variable->name, .file = "", .line = (uint32_t)variable->offset};
	char buffer[128];
	const char *key = variable_key(symbols, root, place, buffer, sizeof(buffer));

	if (cache && cache->put && *key && variable->offset <= UINT32_MAX)
		cache->put(cache->user, key, root->address, &frame, 1);
}

static bool find_variable(struct symbols *symbols, const struct snap_root *root, uint32_t place,
			  struct module_variable *variable)
{
	struct module *module;

	if (recall_variable(symbols, root, place, variable))
		return true;
	module = place_module(symbols, &symbols->places[place]);
	if (!module ||
	    !module_find_variable(module, root->address, root->kind == SNAP_ROOT_TLS, variable))
		return false;
	if (module_is_complete(module))
		remember_variable(symbols, root, place, variable);
	return true;
}

static bool resolve_variable(struct symbols *symbols, struct model *model, struct snap_root *root,
			     uint32_t place)
{
	struct module_variable variable;

	if (!find_variable(symbols, root, place, &variable))
		return true;
	root->symbol = model_cstring(model, variable.name);
	root->offset = variable.offset;
	return root->symbol != SNAP_NONE;
}

static bool resolve_roots(struct symbols *symbols, struct model *model, const uint32_t *places)
{
	bool fine = true;

	for (uint32_t i = 0; fine && i < model->holders.root_count; i++) {
		struct snap_root *root = &model->holders.roots[i];

		if (!has_symbol_to_find(model, root) || places[root->module] == SNAP_NONE)
			continue;
		fine = root->kind == SNAP_ROOT_STACK
			       ? resolve_frame(symbols, model, root, places[root->module])
			       : resolve_variable(symbols, model, root, places[root->module]);
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
	bool fine = tasks != NULL;

	choose_online(symbols, model);
	if (fine)
		recall(symbols, tasks, count);
	for (size_t i = 0; i < count && fine; i++) {
		fine = resolve_one(symbols, model, &tasks[i]);
		if (symbols->options.progress && (i % 256 == 0 || i + 1 == count))
			symbols->options.progress(symbols->options.user, i + 1, count);
	}
	fine = fine && resolve_roots(symbols, model, places);
	free(tasks);
	free(places);
	return fine && !texts_failed(symbols->texts) ? SNAP_OK : fail_memory(err, "symbolising");
}
