/*
 * holders/holders.c - the order in which the copy does its work.
 */
#include "runtime/holders/holders.h"

#include "runtime/holders/blocks.h"
#include "runtime/holders/graph.h"
#include "runtime/holders/roots.h"
#include "runtime/holders/touched.h"
#include "runtime/os_linux.h"

void snap__holders_analyse(struct snap__copy *copy, enum snap__holders wanted)
{
	snap__touched_begin(&copy->space);
	snap__blocks_collect(&copy->space);
	snap__copy_tick();
	snap__graph_begin(copy);
	snap__roots_find(copy);
	snap__graph_mark();
	snap__groups_make(wanted == SNAP__HOLDERS_RETAINED);
}

void snap__holders_each_fact(const struct snap__copy *copy, snap__holders_fact_fn *fn, void *user)
{
	fn(user, "pause_ns", snap__copy_pause_ns());
	fn(user, "cpu_ns", snap__os_thread_cpu_ns());
	fn(user, "memory", snap__copy_own_memory());
	fn(user, "threads", copy->thread_count);
	fn(user, "threads_unread", copy->threads_unread);
	fn(user, "threads_late", copy->threads_late);
	fn(user, "blocks", snap__blocks.count);
	fn(user, "unreachable_blocks", snap__graph.unreachable_blocks);
	fn(user, "unreachable_bytes", snap__graph.unreachable_bytes);
	fn(user, "rings", snap__graph.rings);
	fn(user, "roots_merged", snap__graph.roots_merged);
	fn(user, "edges_cut", snap__graph.edges_cut);
	fn(user, "pages_unreadable", copy->pages_unread + snap__graph.pages_unreadable);
}
