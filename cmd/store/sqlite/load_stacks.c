/*
 * load_stacks.c - modules, frames and call stacks, each stored once.
 *
 * Rows are found by the hashes of prepare.c.  Only a site that is new to the database is identified
 * (model/identity.h) and written out frame by frame.  Sites go in by rising id, which is the order
 * of the table.
 */
#include "store/sqlite/bulk.h"
#include "base/array.h"
#include "store/sqlite/loading.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Strings may hold NUL bytes; columns get all of them.  The empty string is "unknown". */
static void bind_string(sqlite3_stmt *statement, int at, const struct model *model, uint32_t string)
{
	struct snap_text text = model->strings[string];

	if (text.size)
		sqlite3_bind_text64(statement, at, text.data, text.size, SQLITE_STATIC,
				    SQLITE_UTF8);
	else
		sqlite3_bind_null(statement, at);
}

static void bind_hash(sqlite3_stmt *statement, int at, const struct hash128 *hash)
{
	sqlite3_bind_blob(statement, at, hash, sizeof(*hash), SQLITE_STATIC);
}

/* The id of the row with this content, or 0.  A private database has no rows but those met before.
 */
static enum snap_status find_row(struct store *store, struct intern *intern, size_t position,
				 enum statement find, const struct hash128 *hash, int64_t *id,
				 struct snap_error *err)
{
	sqlite3_stmt *statement;
	int code;

	*id = intern_find_at(intern, position, *hash);
	if (*id || store->in_memory)
		return SNAP_OK;
	statement = database_statement(store, find, err);
	if (!statement)
		return err ? err->status : SNAP_ESYSTEM;
	bind_hash(statement, 1, hash);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*id = sqlite3_column_int64(statement, 0);
	else if (code != SQLITE_DONE)
		return database_fail(store, err, "cannot be read");
	sqlite3_reset(statement);
	if (*id && !intern_add(intern, *hash, *id))
		return fail_memory(err, "loading a snapshot");
	return SNAP_OK;
}

/* Run an insert and keep the id of the new row for `hash`. */
static enum snap_status insert_row(struct store *store, struct intern *intern,
				   sqlite3_stmt *statement, const struct hash128 *hash, int64_t *id,
				   struct snap_error *err)
{
	enum snap_status st = database_step(store, statement, "cannot be written", err);

	if (st != SNAP_OK)
		return st;
	*id = sqlite3_last_insert_rowid(store->db);
	return intern_add(intern, *hash, *id) ? SNAP_OK : fail_memory(err, "loading a snapshot");
}

static enum snap_status load_module(struct loading *load, uint32_t at, struct snap_error *err)
{
	const struct model *model = load->model;
	const struct snap_module *module = &model->modules[at];
	const struct hash128 *hash = &load->prepared->modules[at];
	struct store *store = load->store;
	sqlite3_stmt *statement;
	enum snap_status st;

	st = find_row(store, &store->modules, at, STATEMENT_find_module, hash,
		      &load->module_ids[at], err);
	if (st == SNAP_OK && !load->module_ids[at]) {
		statement = database_statement(store, STATEMENT_insert_module, err);
		if (!statement)
			return SNAP_ESYSTEM;
		bind_hash(statement, 1, hash);
		sqlite3_bind_text(statement, 2, model_text(model, module->path), -1, SQLITE_STATIC);
		bind_string(statement, 3, model, module->build_id);
		st = insert_row(store, &store->modules, statement, hash, &load->module_ids[at],
				err);
	}
	if (st != SNAP_OK)
		return st;
	statement = database_statement(store, STATEMENT_insert_mapping, err);
	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, load->snapshot_id);
	sqlite3_bind_int64(statement, 2, load->module_ids[at]);
	sqlite3_bind_int64(statement, 3, (int64_t)module->base);
	sqlite3_bind_int64(statement, 4, (int64_t)module->size);
	return database_step(store, statement, "cannot be written", err);
}

enum snap_status load_modules(struct loading *load, struct snap_error *err)
{
	uint32_t count = load->model->module_count;
	enum snap_status st = SNAP_OK;

	load->module_ids = loading_array(count, sizeof(*load->module_ids));
	if (!load->module_ids)
		return fail_memory(err, "loading a snapshot");
	for (uint32_t i = 0; st == SNAP_OK && i < count; i++)
		st = load_module(load, i, err);
	return st;
}

/* A private database has its frames in an array. */
static enum snap_status add_frame(struct loading *load, const struct model_location *location,
				  const struct snap_frame *frame, const struct hash128 *hash,
				  int64_t *id, struct snap_error *err)
{
	struct store *store = load->store;
	const struct hash128 *texts = load->prepared->strings;
	const struct snap_text *strings = load->model->strings;
	bool has_address = (location->flags & SNAP_LOCATION_HAS_ADDRESS) != 0;
	struct array_frame row = {
		.hash = *hash,
		.module_id = location->module == SNAP_NONE ? 0 : load->module_ids[location->module],
		.address = has_address ? location->address : 0,
		.line = frame->line,
		.inlined = (frame->flags & SNAP_FRAME_INLINED) != 0,
		.has_address = has_address,
	};

	*id = 0;
	if (arrays_text(&store->arrays, &texts[frame->function], strings[frame->function],
			&row.function) &&
	    arrays_text(&store->arrays, &texts[frame->file], strings[frame->file], &row.file))
		*id = arrays_add_frame(&store->arrays, &row);
	return *id && intern_add(&store->frames, *hash, *id)
		       ? SNAP_OK
		       : fail_memory(err, "loading a snapshot");
}

static enum snap_status insert_frame(struct loading *load, const struct model_location *location,
				     const struct snap_frame *frame, const struct hash128 *hash,
				     int64_t *id, struct snap_error *err)
{
	struct store *store = load->store;
	sqlite3_stmt *statement = database_statement(store, STATEMENT_insert_frame, err);

	if (!statement)
		return SNAP_ESYSTEM;
	bind_hash(statement, 1, hash);
	if (location->module != SNAP_NONE)
		sqlite3_bind_int64(statement, 2, load->module_ids[location->module]);
	if (location->flags & SNAP_LOCATION_HAS_ADDRESS)
		sqlite3_bind_int64(statement, 3, (int64_t)location->address);
	bind_string(statement, 4, load->model, frame->function);
	bind_string(statement, 5, load->model, frame->file);
	if (frame->line)
		sqlite3_bind_int64(statement, 6, frame->line);
	sqlite3_bind_int(statement, 7, (frame->flags & SNAP_FRAME_INLINED) != 0);
	return insert_row(store, &store->frames, statement, hash, id, err);
}

/* `at` counts the frames of all locations. */
static enum snap_status load_frame(struct loading *load, const struct model_location *location,
				   uint32_t position, uint32_t at, struct snap_error *err)
{
	struct store *store = load->store;
	const struct hash128 *hash = &load->prepared->frames[at];
	int64_t *id = &load->frame_ids[at];
	const struct snap_frame *frame = prepared_frame(load->model, location, position);
	enum snap_status st =
		find_row(store, &store->frames, at, STATEMENT_find_frame, hash, id, err);

	if (st == SNAP_OK && !*id && store->in_memory)
		st = add_frame(load, location, frame, hash, id, err);
	else if (st == SNAP_OK && !*id)
		st = insert_frame(load, location, frame, hash, id, err);
	return st;
}

/* The ids of a location's frames as text, so that stacks are put together without counting digits.
 */
static bool write_ids(struct loading *load, uint32_t at)
{
	size_t used = load->first_text[at];
	size_t more = (size_t)(load->first_frame[at + 1] - load->first_frame[at]) * 21 + 1;

	if (!array_room(&load->id_text, &load->id_text_capacity, used + more, 1))
		return false;
	for (uint32_t i = load->first_frame[at]; i < load->first_frame[at + 1]; i++)
		used += (size_t)snprintf(load->id_text + used, 22, "%" PRId64 ",",
					 load->frame_ids[i]);
	load->first_text[at + 1] = used;
	return true;
}

static enum snap_status load_location(struct loading *load, uint32_t at, struct snap_error *err)
{
	const struct model_location *location = &load->model->locations[at];
	uint32_t used = load->first_frame[at];
	uint32_t count = prepared_frame_count(location);
	enum snap_status st = SNAP_OK;

	for (uint32_t i = 0; st == SNAP_OK && i < count; i++, used++)
		st = load_frame(load, location, i, used, err);
	load->first_frame[at + 1] = used;
	if (st == SNAP_OK && !load->store->in_memory && !write_ids(load, at))
		return fail_memory(err, "loading a snapshot");
	return st;
}

static bool reserve(struct loading *load)
{
	const struct model *model = load->model;
	size_t frames = 0;

	for (uint32_t i = 0; i < model->location_count; i++)
		frames += prepared_frame_count(&model->locations[i]);
	load->first_frame = loading_array(model->location_count, sizeof(*load->first_frame));
	load->first_text = loading_array(model->location_count, sizeof(*load->first_text));
	load->frame_ids = loading_array(frames, sizeof(*load->frame_ids));
	load->site_ids = loading_array(model->site_count, sizeof(*load->site_ids));
	load->new_sites = loading_array(model->site_count, sizeof(*load->new_sites));
	return load->first_frame && load->first_text && load->frame_ids && load->site_ids &&
	       load->new_sites;
}

static bool stack_reserve(struct loading *load, size_t size)
{
	return array_room(&load->stack, &load->stack_capacity, size, 1);
}

/* A call stack as the database has it. */
struct stack {
	uint32_t site;     /* in the model */
	uint32_t depth;    /* frames, inlined ones included */
	int64_t named_id;  /* the frame that names it; 0 when there are no frames */
	size_t text, size; /* its JSON array, in load->stack */
};

/* New call stacks that wait to be inserted together. */
enum { WAITING_STACKS = 64 };
struct waiting {
	struct stack stacks[WAITING_STACKS];
	size_t count, text_size;
};

/* Write the stack of `node` as JSON, at stack->text.  `named` is a position in it. */
static bool write_stack(struct loading *load, uint32_t node, uint32_t named, struct stack *stack)
{
	const struct model *model = load->model;

	stack->size = 1;
	if (!stack_reserve(load, stack->text + 2))
		return false;
	load->stack[stack->text] = '[';
	for (; node != SNAP_NONE; node = model->nodes[node].parent) {
		uint32_t location = model->nodes[node].location;
		uint32_t first = load->first_frame[location];
		uint32_t count = load->first_frame[location + 1] - first;
		size_t text = load->first_text[location];
		size_t size = load->first_text[location + 1] - text;

		if (!stack_reserve(load, stack->text + stack->size + size + 1))
			return false;
		memcpy(load->stack + stack->text + stack->size, load->id_text + text, size);
		stack->size += size;
		if (stack->depth == 0)
			stack->named_id = load->frame_ids[first];
		if (named >= stack->depth && named - stack->depth < count)
			stack->named_id = load->frame_ids[first + (named - stack->depth)];
		stack->depth += count;
	}
	if (stack->depth)
		stack->size--; /* the last comma */
	load->stack[stack->text + stack->size++] = ']';
	return true;
}

/* Negative if the frame is no own code: views need this distinction. */
static int64_t named_of(const struct site_identity *identity)
{
	return identity->own ? (int64_t)identity->named : -1 - (int64_t)identity->named;
}

static int bind_stack(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct stack *stack = row;
	const struct loading *load = context;
	const struct site_identity *identity = &load->identities[stack->site];
	const char *domain = model_text(load->model, load->model->sites[stack->site].row.domain);

	sqlite3_bind_int64(statement, at++, load->site_ids[stack->site]);
	bind_hash(statement, at++, &load->prepared->sites[stack->site]);
	sqlite3_bind_text(statement, at++, domain, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, at++, stack->depth);
	if (stack->named_id)
		sqlite3_bind_int64(statement, at++, stack->named_id);
	else
		sqlite3_bind_null(statement, at++);
	sqlite3_bind_int64(statement, at++, (int64_t)identity->exact);
	sqlite3_bind_int64(statement, at++, (int64_t)identity->line);
	sqlite3_bind_int64(statement, at++, (int64_t)identity->function);
	sqlite3_bind_int64(statement, at++, named_of(identity));
	sqlite3_bind_text64(statement, at++, load->stack + stack->text, stack->size, SQLITE_STATIC,
			    SQLITE_UTF8);
	return at;
}

static enum snap_status insert_waiting(struct loading *load, struct waiting *waiting,
				       struct snap_error *err)
{
	static const struct bulk site = {STATEMENT_insert_site, bind_stack, sizeof(struct stack),
					 false};
	enum snap_status st =
		bulk_insert(load->store, &site, waiting->stacks, waiting->count, load, err);

	waiting->count = waiting->text_size = 0;
	return st;
}

static enum snap_status insert_site(struct loading *load, uint32_t at, struct waiting *waiting,
				    struct snap_error *err)
{
	struct stack *stack = &waiting->stacks[waiting->count];

	*stack = (struct stack){.site = at, .text = waiting->text_size};
	if (!write_stack(load, load->model->sites[at].row.node, load->identities[at].named, stack))
		return fail_memory(err, "loading a snapshot");
	waiting->text_size += stack->size;
	if (++waiting->count < WAITING_STACKS)
		return SNAP_OK;
	return insert_waiting(load, waiting, err);
}

/* Write the frames of a stack behind those of the sites before it. */
static bool copy_stack(const struct loading *load, uint32_t node, uint32_t *depth)
{
	const struct model *model = load->model;
	struct arrays *arrays = &load->store->arrays;

	for (*depth = 0; node != SNAP_NONE; node = model->nodes[node].parent) {
		uint32_t location = model->nodes[node].location;
		uint32_t at = load->first_frame[location], end = load->first_frame[location + 1];

		if (!arrays_reserve_stack(arrays, (size_t)*depth + (end - at)))
			return false;
		while (at < end)
			arrays->stack[arrays->stack_count + (*depth)++] =
				(uint32_t)load->frame_ids[at++];
	}
	return true;
}

/* A private database has its sites in an array. */
static enum snap_status add_site(struct loading *load, uint32_t at, struct snap_error *err)
{
	struct arrays *arrays = &load->store->arrays;
	const struct snap_site *row = &load->model->sites[at].row;
	const struct site_identity *identity = &load->identities[at];
	struct array_site site = {
		.hash = load->prepared->sites[at],
		.exact = identity->exact,
		.line = identity->line,
		.function = identity->function,
		.named = named_of(identity),
	};

	if (!arrays_text(arrays, &load->prepared->strings[row->domain],
			 load->model->strings[row->domain], &site.domain) ||
	    !copy_stack(load, row->node, &site.depth))
		return fail_memory(err, "loading a snapshot");
	if (site.depth)
		site.named_frame =
			arrays->stack[arrays->stack_count +
				      (identity->named < site.depth ? identity->named : 0)];
	return arrays_add_site(arrays, load->site_ids[at], &site)
		       ? SNAP_OK
		       : fail_memory(err, "loading a snapshot");
}

/* Is the site in the database?  Its id is made of its hash; another site that has the same id, by
   chance or on purpose, is refused. */
static enum snap_status find_site(struct store *store, size_t position, int64_t id,
				  const struct hash128 *hash, bool *known, struct snap_error *err)
{
	sqlite3_stmt *statement;
	bool same = true;
	int code;

	*known = intern_find_at(&store->sites, position, *hash) != 0;
	if (*known || store->in_memory)
		return SNAP_OK;
	statement = database_statement(store, STATEMENT_find_site, err);
	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, id);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		const void *found = sqlite3_column_blob(statement, 0);

		*known = true;
		same = sqlite3_column_bytes(statement, 0) == sizeof(*hash) &&
		       memcmp(found, hash, sizeof(*hash)) == 0;
	} else if (code != SQLITE_DONE) {
		return database_fail(store, err, "cannot be read");
	}
	sqlite3_reset(statement);
	return same ? SNAP_OK : fail(err, SNAP_ECORRUPT, "%s: " DATABASE_EQUAL_KEYS, store->name);
}

/* `position` counts the sites by rising id. */
static enum snap_status look_for_site(struct loading *load, uint32_t position,
				      struct snap_error *err)
{
	uint32_t at = load->prepared->order[position];
	const struct hash128 *hash = &load->prepared->sites[at];
	struct store *store = load->store;
	enum snap_status st;
	bool known;

	load->site_ids[at] = site_key(hash);
	st = find_site(store, position, load->site_ids[at], hash, &known, err);
	load->new_sites[at] = !known;
	if (st == SNAP_OK && known && !store->in_memory && !intern_find(&store->sites, *hash) &&
	    !intern_add(&store->sites, *hash, load->site_ids[at]))
		st = fail_memory(err, "loading a snapshot");
	return st;
}

/* A text form may have several rows of a site: the first one adds it. */
static enum snap_status load_site(struct loading *load, uint32_t at, struct waiting *waiting,
				  struct snap_error *err)
{
	const struct hash128 *hash = &load->prepared->sites[at];
	struct store *store = load->store;

	if (!load->new_sites[at] || intern_find(&store->sites, *hash))
		return SNAP_OK;
	if (!intern_add(&store->sites, *hash, load->site_ids[at]))
		return fail_memory(err, "loading a snapshot");
	return store->in_memory ? add_site(load, at, err) : insert_site(load, at, waiting, err);
}

static enum snap_status identify_new_sites(struct loading *load, struct snap_error *err)
{
	const bool *any = memchr(load->new_sites, 1, load->model->site_count);

	if (any)
		load->identities = identity_compute_of(load->model, load->new_sites);
	return !any || load->identities ? SNAP_OK : fail_memory(err, "loading a snapshot");
}

static enum snap_status sort_sites(struct store *store, struct snap_error *err)
{
	enum snap_status st = arrays_sort(&store->arrays);

	if (st == SNAP_ECORRUPT)
		return fail(err, st, "%s: " DATABASE_EQUAL_KEYS, store->name);
	return st == SNAP_OK ? SNAP_OK : fail_memory(err, "loading a snapshot");
}

enum snap_status load_stacks(struct loading *load, struct snap_error *err)
{
	const struct model *model = load->model;
	struct waiting waiting = {.count = 0};
	enum snap_status st = SNAP_OK;

	if (!reserve(load))
		return fail_memory(err, "loading a snapshot");
	for (uint32_t i = 0; st == SNAP_OK && i < model->location_count; i++)
		st = load_location(load, i, err);
	for (uint32_t i = 0; st == SNAP_OK && i < model->site_count; i++)
		st = look_for_site(load, i, err);
	if (st == SNAP_OK)
		st = identify_new_sites(load, err);
	for (uint32_t i = 0; load->identities && st == SNAP_OK && i < model->site_count; i++)
		st = load_site(load, load->prepared->order[i], &waiting, err);
	if (st != SNAP_OK)
		return st;
	return load->store->in_memory ? sort_sites(load->store, err)
				      : insert_waiting(load, &waiting, err);
}
