/*
 * docs.c - the documented views: what `snapdiff schema` prints, and what scripts may rely on.
 *
 * A test compares this list with the views of a new database, column by column.
 */
#include "store/store.h"

#include <stddef.h>

/* The frame that names a site. */
#define PLACE_COLUMNS                                                                              \
	{"function", "text",                                                                       \
	 "demangled function that names the site: its newest frame of own code, or where all "     \
	 "is a library's, the newest that is not allocator plumbing; null when unknown"},          \
		{"file", "text",                                                                   \
		 "source file of that frame, as the compiler named it; null when unknown"},        \
		{"line", "integer", "line of the call in that file; null when unknown"},           \
	{                                                                                          \
		"module", "text", "path of the program or library that the frame is in"            \
	}

/* What it holds. */
#define FIGURE_COLUMNS                                                                             \
	{"live_bytes", "integer",                                                                  \
	 "bytes live at the snapshot, as requested by the caller; null when unknown"},             \
		{"live_blocks", "integer", "blocks live at the snapshot"},                         \
		{"allocated_bytes", "integer",                                                     \
		 "bytes allocated since recording began, freed or not"},                           \
	{                                                                                          \
		"allocated_blocks", "integer", "allocations since recording began"                 \
	}

/* The same where it is own code. */
#define OWN_COLUMNS                                                                                \
	{"own_function", "text", "function, where the site is named by the user's own code"},      \
		{"own_file", "text", "its file"},                                                  \
	{                                                                                          \
		"own_line", "integer", "its line"                                                  \
	}

#define TIME_COLUMNS                                                                               \
	{"seq", "integer", "number of the snapshot within its process, from 1"},                   \
	{                                                                                          \
		"time", "text", "when it was taken, UTC, ISO 8601 with nanoseconds"                \
	}

#define SNAPSHOT_COLUMN                                                                            \
	{                                                                                          \
		"snapshot_id", "integer", "the snapshot"                                           \
	}
#define SITE_COLUMN                                                                                \
	{                                                                                          \
		"site_id", "integer", "the call stack in its domain"                               \
	}
#define DOMAIN_COLUMN                                                                              \
	{                                                                                          \
		"domain", "text", "which allocator: malloc, mmap, python, ..."                     \
	}

static const struct store_column_doc snapshots_columns[] = {
	{"snapshot_id", "integer", "the snapshot: the id that other views use"},
	{"run_id", "integer", "the process; snapshots of one process share it"},
	TIME_COLUMNS,
	{"label", "text", "name given by snap --label or snap_take(); null when none"},
	{"command", "text", "command line of the process"},
	{"pid", "integer", "process id"},
	{"live_bytes", "integer",
	 "bytes live in total, as requested by the callers; null when unknown"},
	{"live_blocks", "integer", "blocks live in total"},
	{"allocated_bytes", "integer", "bytes allocated since recording began, freed or not"},
	{"allocated_blocks", "integer", "allocations since recording began"},
	{"position", "integer", "place in the order of capture: @1 is the first"},
	{"program", "text", "name of the program"},
	{"host", "text", "name of the machine"},
	{"trigger", "text", "what asked for it: timer, growth, peak, signal, request, api, exit"},
	{"sample_period", "integer", "bytes between samples; 0: every allocation was recorded"},
	{"sites", "integer", "call stacks that it holds figures of"},
	{"path", "text", "file that it was loaded from"},
	{"time_ns", "integer", "time as nanoseconds since 1970"},
	{"mono_ns", "integer", "time on the monotonic clock, nanoseconds"},
	{"start_time_ns", "integer", "start of the process, nanoseconds since 1970"},
	{0},
};

static const struct store_column_doc sites_columns[] = {
	SITE_COLUMN,   {"stack_id", "integer", "the same number: key of stacks and frames"},
	DOMAIN_COLUMN, {"depth", "integer", "frames in the stack, inlined ones included"},
	PLACE_COLUMNS, OWN_COLUMNS,
	{0},
};

static const struct store_column_doc stacks_columns[] = {
	{"stack_id", "integer", "the call stack"},
	{"depth", "integer", "frames in it, inlined ones included"},
	{"stack", "text", "functions separated by semicolons, newest frame first"},
	{0},
};

static const struct store_column_doc frames_columns[] = {
	{"stack_id", "integer", "the call stack"},
	{"position", "integer", "0 is the newest frame"},
	{"function", "text", "demangled function; null when unknown"},
	{"file", "text", "source file; null when unknown"},
	{"line", "integer", "line of the call; null when unknown"},
	{"module", "text", "path of the program or library"},
	{"inlined", "integer", "1 when inlined into the next frame"},
	{"address", "integer", "address in the module's file; null in snapshots made from text"},
	{"build_id", "text", "build-id of the module, hexadecimal; null when it has none"},
	{0},
};

static const struct store_column_doc history_columns[] = {
	SNAPSHOT_COLUMN, TIME_COLUMNS,   SITE_COLUMN, PLACE_COLUMNS,
	DOMAIN_COLUMN,   FIGURE_COLUMNS, OWN_COLUMNS, {0},
};

static const struct store_column_doc changes_columns[] = {
	{"old_snapshot_id", "integer", "the earlier snapshot"},
	{"new_snapshot_id", "integer", "the next one of the same run"},
	SITE_COLUMN,
	PLACE_COLUMNS,
	{"old_bytes", "integer",
	 "bytes live in the earlier snapshot; 0 when the site was not there"},
	{"new_bytes", "integer", "bytes live in the later one"},
	{"delta_bytes", "integer", "new_bytes - old_bytes"},
	{"old_blocks", "integer", "blocks live in the earlier snapshot"},
	{"new_blocks", "integer", "blocks live in the later one"},
	{"delta_blocks", "integer", "new_blocks - old_blocks"},
	DOMAIN_COLUMN,
	OWN_COLUMNS,
	{0},
};

static const struct store_column_doc types_columns[] = {
	SNAPSHOT_COLUMN,
	{"type", "text", "name of the type"},
	{"bytes", "integer", "bytes of its objects"},
	{"count", "integer", "how many there were"},
	{0},
};

static const struct store_column_doc metrics_columns[] = {
	SNAPSHOT_COLUMN,
	{"name", "text", "rss, cgroup.current, heap.peak_bytes, recorder.memory, ..."},
	{"value", "any", "a number, or text where it is none"},
	{0},
};

static const struct store_column_doc losses_columns[] = {
	SNAPSHOT_COLUMN,
	{"kind", "text", "events_dropped, stacks_truncated, unknown_frees, ..."},
	{"count", "integer", "how many"},
	{0},
};

static const struct store_column_doc labels_columns[] = {
	SNAPSHOT_COLUMN,
	{"key", "text", "name of the label"},
	{"value", "text", "its value"},
	{0},
};

static const struct store_column_doc cohorts_columns[] = {
	SNAPSHOT_COLUMN,
	SITE_COLUMN,
	{"birth_seq", "integer", "seq of the last snapshot before they were allocated; 0: none"},
	{"live_blocks", "integer", "blocks of that age"},
	{"live_bytes", "integer", "their bytes"},
	{0},
};

static const struct store_column_doc modules_columns[] = {
	SNAPSHOT_COLUMN,
	{"module", "text", "path of the program or library"},
	{"build_id", "text", "its build-id, hexadecimal; null when it has none"},
	{"base", "integer", "address in memory minus address in the file"},
	{"size", "integer", "bytes of address space; 0 unknown"},
	{"resident_bytes", "integer",
	 "bytes of it in memory; null unless the snapshot was taken with --resident and it was "
	 "mapped "
	 "then, and if it is one of the losses modules_uncounted"},
	{"private_bytes", "integer", "those that were written to; null likewise"},
	{0},
};

#define GROUP_COLUMN                                                                               \
	{                                                                                          \
		"group_id", "integer", "the group of blocks, within its snapshot"                  \
	}
#define GROUP_SITE_COLUMN                                                                          \
	{                                                                                          \
		"site_id", "integer", "the call stack of its blocks; null when it has none"        \
	}
#define RETAINED_COLUMN                                                                            \
	{                                                                                          \
		"retained_bytes", "integer",                                                       \
			"what would be freed with it; null unless the snapshot was taken with "    \
			"--holders=retained"                                                       \
	}
#define UNREACHABLE_COLUMNS                                                                        \
	{"unreachable_blocks", "integer", "blocks that no plain pointer leads to from any root"},  \
	{                                                                                          \
		"unreachable_bytes", "integer", "their bytes"                                      \
	}

static const struct store_column_doc groups_columns[] = {
	SNAPSHOT_COLUMN,
	GROUP_COLUMN,
	{"kind", "text", "site: blocks of one call stack; type: an interpreter's objects"},
	{"label", "text", "the domain of a site, the name of a type"},
	GROUP_SITE_COLUMN,
	PLACE_COLUMNS,
	{"blocks", "integer", "blocks in it"},
	{"bytes", "integer", "their bytes"},
	RETAINED_COLUMN,
	UNREACHABLE_COLUMNS,
	{0},
};

static const struct store_column_doc roots_columns[] = {
	SNAPSHOT_COLUMN,
	{"root_id", "integer", "the root, within its snapshot"},
	{"kind", "text",
	 "global, thread-local, stack, registers, thread, mapping, loader, interpreter"},
	{"name", "text", "the root in words"},
	{"label", "text", "name of its thread, of the mapping or of the interpreter's module"},
	{"module", "text", "path of the program or library that it is in"},
	{"thread", "integer", "the kernel's id of its thread"},
	{"symbol", "text", "variable, or function that owns the stack frame; null when unknown"},
	{"offset", "integer", "bytes from the begin of the symbol"},
	{"address", "integer", "address in the module's file; absolute without a module"},
	{"size", "integer", "bytes from the first to the last pointer"},
	RETAINED_COLUMN,
	{0},
};

static const struct store_column_doc holders_columns[] = {
	SNAPSHOT_COLUMN,
	{"group_id", "integer", "the group that is held"},
	GROUP_SITE_COLUMN,
	PLACE_COLUMNS,
	{"holder_kind", "text", "site or type for a group, else the kind of root"},
	{"holder", "text", "who holds it, in words"},
	{"holder_root_id", "integer", "the root that holds it; null when a group does"},
	{"holder_group_id", "integer", "the group that holds it; null when a root does"},
	{"holder_site_id", "integer", "the call stack of the blocks that hold it"},
	{"refs", "integer", "pointers"},
	{"blocks", "integer", "blocks that are pointed to, each once"},
	{"bytes", "integer", "their bytes"},
	{"dominated_blocks", "integer",
	 "blocks to which every way leads through the holder last; null without retained sizes"},
	{"dominated_bytes", "integer", "what these retain"},
	{0},
};

static const struct store_column_doc leaks_columns[] = {
	SNAPSHOT_COLUMN,
	GROUP_COLUMN,
	GROUP_SITE_COLUMN,
	PLACE_COLUMNS,
	{"label", "text", "the domain of a site, the name of a type"},
	UNREACHABLE_COLUMNS,
	{"direct_blocks", "integer", "those that no other unreachable block points to"},
	{"direct_bytes", "integer", "their bytes"},
	{"indirect_blocks", "integer", "those that another unreachable block points to"},
	{"indirect_bytes", "integer", "their bytes"},
	{"ring_blocks", "integer",
	 "of the indirect ones: one for each ring that no block outside of it points to"},
	{0},
};

static const struct store_column_doc paths_columns[] = {
	SNAPSHOT_COLUMN,
	{"path_id", "integer", "the path, within its snapshot"},
	{"group_id", "integer", "the group of the block that it leads to"},
	{"root_id", "integer", "where it begins; null: at a block that nothing reaches"},
	{"root_offset", "integer", "where in the root the pointer lies"},
	{"skipped", "integer", "blocks left out before the last one"},
	{"position", "integer", "0 is next to the root"},
	{"step_group_id", "integer", "the group of this block"},
	{"address", "integer", "its address"},
	{"size", "integer", "its size"},
	{"offset", "integer", "where in it the pointer to the next block lies"},
	{0},
};

const struct store_view_doc *store_views(void)
{
	static const struct store_view_doc views[] = {
		{"snapshots", "the snapshots, one row each", snapshots_columns},
		{"sites", "the call stacks, each in its domain", sites_columns},
		{"stacks", "each call stack as one text", stacks_columns},
		{"frames", "the frames of each call stack", frames_columns},
		{"history",
		 "what each site held in each snapshot; the sums over a snapshot are its totals",
		 history_columns},
		{"top",
		 "what holds the most in the newest snapshot: its rows of history, largest first",
		 history_columns},
		{"changes",
		 "what changed between each snapshot and its predecessor of the same run",
		 changes_columns},
		{"types", "objects by type (the Python census)", types_columns},
		{"metrics", "what the process, the allocator and the system said at each snapshot",
		 metrics_columns},
		{"losses", "what was dropped, truncated or recovered in each snapshot",
		 losses_columns},
		{"labels", "the key-value labels of each snapshot", labels_columns},
		{"cohorts", "when the live blocks of each site were born", cohorts_columns},
		{"modules", "what was mapped into each process", modules_columns},
		{"groups", "blocks that belong together in the graph of holders", groups_columns},
		{"roots", "the places that keep blocks alive", roots_columns},
		{"holders", "who points to the blocks of each group", holders_columns},
		{"leaks", "the groups that have blocks that nothing reaches", leaks_columns},
		{"paths", "example paths from a root to a block of each group", paths_columns},
		{0},
	};

	return views;
}
