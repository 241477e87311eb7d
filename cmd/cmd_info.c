/*
 * cmd_info.c - `snapdiff info`: the facts of one snapshot: header, totals, process metrics,
 * modules, and what was lost or truncated.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/sizes.h"
#include "cli/cli.h"
#include "render/output.h"
#include "render/render.h"
#include "report/resident.h"
#include "report/size_classes.h"
#include "snapshots/snapshots.h"

struct info_options {
	struct report_options report; /* first: the shared tables fill it */
	bool size_classes;
};

static const struct option info_own_table[] = {
	{"size-classes", 0, OPTION_FLAG, offsetof(struct info_options, size_classes), NULL,
	 "Python's pools by size of block: how many, and what is free in them", NULL},
	{0},
};

static const struct option *const info_tables[] = {info_own_table,      source_option_table,
						   output_option_table, cli_memory_table,
						   cli_symbols_table,   NULL};

/* One fact a row, so that every format can carry all of them; JSON has them as objects as well. */
static const struct column info_columns[] = {
	{"section", "section", COLUMN_TEXT, 0},
	{"name", "name", COLUMN_NAME, 0},
	{"value", "value", COLUMN_NAME, COLUMN_HIDDEN},
	{"shown", "value", COLUMN_NAME, COLUMN_TABLE_ONLY},
};

struct module_memory {
	const char *key;         /* the common beginning of the names of its figures */
	const char *base, *path; /* hexadecimal */
	int64_t all, own;        /* bytes in memory, and private ones among them; -1 unknown */
};

struct info {
	struct report *report;
	struct store *store;
	int64_t id;
	bool found;
	const char *section;  /* the section of the facts that arrive now */
	struct value *object; /* where they go in JSON */
	struct value modules;
	size_t module_count;
	struct resident resident;
	struct module_memory *in_memory; /* of the report's; by key, then by falling bytes */
	size_t in_memory_count, private_at;
	const char *classes; /* of pymalloc, as the snapshot has them; NULL: it has none */
};

static struct value shown_of(struct report *report, const char *name, struct value value)
{
	char buffer[32], time[RENDER_TIME_SIZE];

	if (value.kind == VALUE_TEXT && strcmp(name, "time") == 0)
		return value_text(
			report, report_text(report, "%s UTC", render_time(value.text.data, time)));
	if (value.kind != VALUE_INT)
		return value;
	return value_text(report, render_fact(name, value.integer, buffer));
}

/* A fact for the table and, under the same name, for the object. */
static void add_fact(struct info *info, const char *name, struct value value)
{
	struct value *row = report_row(info->report);
	const char *kept = report_text(info->report, "%s", name);

	row[0] = value_text(info->report, info->section);
	row[1] = value_text(info->report, kept);
	row[2] = value;
	row[3] = shown_of(info->report, name, value);
	value_field(info->report, info->object, kept, value);
}

static struct value known_text(struct report *report, const char *text)
{
	return text && *text ? value_text(report, text) : value_null();
}

static struct value known_number(uint64_t number)
{
	return number ? value_u64(number) : value_null();
}

static void add_header(struct info *info, const struct store_snapshot *row)
{
	struct report *report = info->report;

	add_fact(info, "path", known_text(report, row->path));
	add_fact(info, "label", value_text(report, row->label));
	add_fact(info, "seq", known_number(row->seq));
	add_fact(info, "time", known_text(report, row->time));
	add_fact(info, "trigger", known_text(report, row->trigger));
	add_fact(info, "program", known_text(report, row->program));
	add_fact(info, "command", known_text(report, row->command));
	add_fact(info, "pid", known_number(row->pid));
	add_fact(info, "host", known_text(report, row->host));
	add_fact(info, "sample_period", value_u64(row->sample_period));
	add_fact(info, "sites", value_u64(row->sites));
}

static void add_totals(struct info *info, const struct store_snapshot *row)
{
	add_fact(info, "live_bytes", value_u64(row->live_bytes));
	add_fact(info, "live_blocks", value_u64(row->live_blocks));
	add_fact(info, "allocated_bytes", value_u64(row->allocated_bytes));
	add_fact(info, "allocated_blocks", value_u64(row->allocated_blocks));
}

static void set_title(struct info *info, const struct store_snapshot *row)
{
	char live[32] = "an unknown amount";

	if (row->live_bytes != SNAP_UNKNOWN)
		render_bytes((int64_t)row->live_bytes, false, live);
	info->report->title = report_text(info->report, "%s holds %s",
					  *row->program ? row->program : "snapshot", live);
}

/* Start a section: its facts go to the head's object of that name. */
static void begin_section(struct info *info, const char *section, struct value *object)
{
	*object = value_object();
	info->section = section;
	info->object = object;
}

static void end_section(struct info *info)
{
	value_field(info->report, &info->report->head, info->section, *info->object);
}

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct info *info = user;
	struct value object;

	if (row->id != info->id)
		return SNAP_OK;
	info->found = true;
	info->resident.is_sample = row->sample_period > 0;
	set_title(info, row);
	begin_section(info, "snapshot", &object);
	add_header(info, row);
	end_section(info);
	begin_section(info, "totals", &object);
	add_totals(info, row);
	end_section(info);
	return SNAP_OK;
}

/* ---- resident memory, part by part ----------------------------------------------------------- */

static enum snap_status collect_metric(void *user, const char *name, const char *text)
{
	struct info *info = user;
	char *end;
	long long number = strtoll(text, &end, 10);

	if (end != text && *end == '\0')
		resident_take(&info->resident, name, number);
	return SNAP_OK;
}

static void add_part(struct info *info, const char *key, const char *words, struct value value)
{
	struct value *row = report_row(info->report);
	char bytes[32];

	row[0] = value_text(info->report, info->section);
	row[1] = value_text(info->report, words);
	row[2] = value;
	row[3] = value_text(info->report, render_bytes(value.integer, false, bytes));
	value_field(info->report, info->object, key, value);
}

static enum snap_status add_resident(struct info *info, struct snap_error *err)
{
	enum snap_status st = store_each_metric(info->store, info->id, collect_metric, info, err);
	struct resident_sum sum;
	struct value object;

	if (st != SNAP_OK || !resident_add_up(&info->resident, &sum))
		return st;
	begin_section(info, "resident", &object);
	for (int part = 0; part < RESIDENT_PARTS; part++) {
		if (sum.known[part])
			add_part(info, resident_key(part), resident_words(part),
				 value_int(sum.parts[part]));
		else
			value_field(info->report, &object, resident_key(part), value_null());
	}
	add_part(info, "rss", "resident memory: the sum", value_int(sum.total));
	end_section(info);
	resident_say(&info->resident, &sum, info->report);
	return SNAP_OK;
}

/* ---- how much of each module is in memory ---------------------------------------------------- */

static const char module_all[] = "module_resident.", module_own[] = "module_private.";

/* The part of a figure's name that names the module; NULL: it is not a module's figure. */
static const char *module_of(const char *name, const char *prefix)
{
	size_t size = strlen(prefix);

	return strncmp(name, prefix, size) == 0 ? name + size : NULL;
}

static enum snap_status count_in_memory(void *user, const char *name, const char *text)
{
	struct info *info = user;

	(void)text;
	info->in_memory_count += module_of(name, module_all) != NULL;
	return SNAP_OK;
}

/* A file may contain anything: a value that is not a number of bytes is unknown. */
static int64_t memory_bytes(const char *text)
{
	uint64_t bytes;

	return count_parse(text, &bytes) && bytes <= INT64_MAX ? (int64_t)bytes : -1;
}

/* BASE.BUILD-ID.PATH; a file may have been made by somebody else, and have anything. */
static struct module_memory read_module(struct report *report, const char *key, int64_t all)
{
	const char *build_id = strchr(key, '.');
	const char *path = build_id ? strchr(build_id + 1, '.') : NULL;
	struct module_memory module = {
		.key = report_text(report, "%s", key), .all = all, .own = -1};

	module.path = path ? report_text(report, "%s", path + 1) : module.key;
	module.base = path ? report_text(report, "0x%.*s", (int)(build_id - key), key) : NULL;
	return module;
}

static enum snap_status take_in_memory(void *user, const char *name, const char *text)
{
	struct info *info = user;
	const char *key = module_of(name, module_all);

	if (key)
		info->in_memory[info->in_memory_count++] =
			read_module(info->report, key, memory_bytes(text));
	return SNAP_OK;
}

/* Figures come by name, so both kinds have their modules in the same order. */
static enum snap_status take_private(void *user, const char *name, const char *text)
{
	struct info *info = user;
	const char *key = module_of(name, module_own);
	size_t *at = &info->private_at;

	if (!key)
		return SNAP_OK;
	while (*at < info->in_memory_count && strcmp(info->in_memory[*at].key, key) < 0)
		++*at;
	if (*at < info->in_memory_count && strcmp(info->in_memory[*at].key, key) == 0)
		info->in_memory[*at].own = memory_bytes(text);
	return SNAP_OK;
}

static int compare_in_memory(const void *left, const void *right)
{
	const struct module_memory *a = left, *b = right;

	if (a->all != b->all)
		return a->all > b->all ? -1 : 1;
	return strcmp(a->path, b->path) != 0 ? strcmp(a->path, b->path) : strcmp(a->key, b->key);
}

static struct value bytes_known(int64_t bytes)
{
	return bytes < 0 ? value_null() : value_int(bytes);
}

/* "12.0 KiB, 4.0 KiB of it private" */
static const char *memory_words(struct report *report, const struct module_memory *module)
{
	char all[32] = "unknown", own[32];

	if (module->all >= 0)
		render_bytes(module->all, false, all);
	if (module->own < 0)
		return report_text(report, "%s", all);
	return report_text(report, "%s, %s of it private", all,
			   render_bytes(module->own, false, own));
}

static void add_in_memory(struct info *info, const struct module_memory *module, struct value *json)
{
	struct report *report = info->report;
	struct value *row = report_row(report);

	row[0] = value_text(report, "in memory");
	row[1] = value_text(report, module->path);
	row[2] = bytes_known(module->all);
	row[3] = value_text(report, memory_words(report, module));
	*json = value_object();
	value_field(report, json, "path", value_text(report, module->path));
	value_field(report, json, "base", known_text(report, module->base));
	value_field(report, json, "resident_bytes", bytes_known(module->all));
	value_field(report, json, "private_bytes", bytes_known(module->own));
}

/* The largest first.  An empty list: the snapshot was taken without --resident. */
static enum snap_status add_modules_in_memory(struct info *info, struct snap_error *err)
{
	enum snap_status st = store_each_metric(info->store, info->id, count_in_memory, info, err);
	struct value list = value_list(info->report, info->in_memory_count);

	info->in_memory =
		report_alloc(info->report, (info->in_memory_count + 1) * sizeof(*info->in_memory));
	info->in_memory_count = 0;
	if (st == SNAP_OK)
		st = store_each_metric(info->store, info->id, take_in_memory, info, err);
	if (st == SNAP_OK)
		st = store_each_metric(info->store, info->id, take_private, info, err);
	if (st != SNAP_OK)
		return st;
	qsort(info->in_memory, info->in_memory_count, sizeof(*info->in_memory), compare_in_memory);
	for (size_t i = 0; i < info->in_memory_count; i++)
		add_in_memory(info, &info->in_memory[i], &list.list.items[i]);
	value_field(info->report, &info->report->head, "modules_in_memory", list);
	return SNAP_OK;
}

/* ---- the other facts ------------------------------------------------------------------------- */

/* A number stays a number, so that scripts can count with it. */
static enum snap_status take_pair(void *user, const char *key, const char *text)
{
	struct info *info = user;
	char *end;
	long long number = strtoll(text, &end, 10);

	if (module_of(key, module_all) || module_of(key, module_own))
		return SNAP_OK; /* of "in memory" */
	add_fact(info, key,
		 end != text && *end == '\0' && end - text < 19 ? value_int(number)
								: value_text(info->report, text));
	return SNAP_OK;
}

static enum snap_status take_text_pair(void *user, const char *key, const char *text)
{
	struct info *info = user;

	add_fact(info, key, value_text(info->report, text));
	return SNAP_OK;
}

static enum snap_status count_module(void *user, const struct store_module *row)
{
	struct info *info = user;

	(void)row;
	info->module_count++;
	return SNAP_OK;
}

static enum snap_status take_module(void *user, const struct store_module *row)
{
	struct info *info = user;
	struct report *report = info->report;
	struct value *cells = report_row(report);
	struct value module = value_object();

	cells[0] = value_text(report, "modules");
	cells[1] = value_text(report, row->path);
	cells[2] = cells[3] = known_text(report, row->build_id);
	value_field(report, &module, "path", value_text(report, row->path));
	value_field(report, &module, "build_id", known_text(report, row->build_id));
	value_field(report, &module, "base",
		    value_text(report, report_text(report, "0x%" PRIx64, row->base)));
	value_field(report, &module, "size", known_number(row->size));
	info->modules.list.items[info->module_count++] = module;
	return SNAP_OK;
}

static enum snap_status add_modules(struct info *info, struct snap_error *err)
{
	enum snap_status st = store_each_module(info->store, info->id, count_module, info, err);

	if (st != SNAP_OK)
		return st;
	info->modules = value_list(info->report, info->module_count);
	info->module_count = 0;
	st = store_each_module(info->store, info->id, take_module, info, err);
	value_field(info->report, &info->report->head, "modules", info->modules);
	return st;
}

typedef enum snap_status each_pair_fn(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				      void *user, struct snap_error *err);

static enum snap_status fill(struct info *info, struct snap_error *err)
{
	static const struct {
		const char *section;
		each_pair_fn *each;
		store_pair_fn *take;
	} sections[] = {
		{"labels", store_each_label, take_text_pair},
		{"metrics", store_each_metric, take_pair},
		{"losses", store_each_loss, take_pair},
		{"meta", store_each_meta, take_text_pair},
	};
	enum snap_status st = store_each_snapshot(info->store, take_snapshot, info, err);

	if (st == SNAP_OK)
		st = add_resident(info, err);
	if (st == SNAP_OK)
		st = add_modules_in_memory(info, err);
	for (size_t i = 0; st == SNAP_OK && i < sizeof(sections) / sizeof(*sections); i++) {
		struct value object;

		begin_section(info, sections[i].section, &object);
		st = sections[i].each(info->store, info->id, sections[i].take, info, err);
		end_section(info);
	}
	return st == SNAP_OK ? add_modules(info, err) : st;
}

static void collect(void *user, const struct notice *notice)
{
	report_notice(user, notice);
}

static enum snap_status find_classes(void *user, const char *key, const char *text)
{
	struct info *info = user;

	if (strcmp(key, "pymalloc.classes") == 0)
		info->classes = report_text(info->report, "%s", text);
	return SNAP_OK;
}

static enum snap_status fill_classes(struct info *info, struct snap_error *err)
{
	enum snap_status st = store_each_meta(info->store, info->id, find_classes, info, err);

	return st == SNAP_OK ? size_classes_fill(info->report, info->classes, err) : st;
}

static enum snap_status info_run(const struct invocation *call, int *exit_code,
				 struct snap_error *err)
{
	const struct info_options *own = call->options;
	const struct report_options *options = &own->report;
	struct info info = {.report = own->size_classes
					      ? size_classes_report_new()
					      : report_new("snapdiff.info/1", info_columns, 4)};
	const struct snapshots_options how = {
		.db = options->db,
		.pid = options->pid,
		.program = options->program,
		.quiet = options->quiet,
		.facts_only = true,
		.notice = collect,
		.user = info.report,
	};
	struct snapshots *snapshots = NULL;
	enum snap_status st = snapshots_open(&snapshots, &how, err);

	if (st == SNAP_OK)
		st = snapshots_one(snapshots, call->argv[0], &info.id, err);
	if (st == SNAP_OK) {
		info.store = snapshots_store(snapshots);
		st = own->size_classes ? fill_classes(&info, err) : fill(&info, err);
	}
	if (st == SNAP_OK)
		st = output_report(info.report, options, err);
	if (st == SNAP_OK && snapshots_damaged(snapshots))
		*exit_code = EXIT_INPUT;
	snapshots_close(snapshots);
	report_free(info.report);
	return st;
}

static const struct info_options info_defaults = {
	.report = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

const struct command cmd_info = {
	.name = "info",
	.summary = "Show what a snapshot says about itself",
	.usage = "[options] [SNAP]",
	.group = "store",
	.details = "Header, totals, resident memory as a sum of parts, labels, process metrics, "
		   "losses and\n"
		   "modules.  Of a damaged file, what precedes the damage is shown, with a "
		   "warning, and the\n"
		   "exit code is 3.",
	.options = info_tables,
	.options_size = sizeof(struct info_options),
	.defaults = &info_defaults,
	.operands_min = 0,
	.operands_max = 1,
	.run = info_run,
};
