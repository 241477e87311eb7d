/*
 * holders/roots.c - from the list of mappings and the threads to roots.
 */
#include "runtime/holders/roots.h"

#include <string.h>

#include "runtime/arena.h"
#include "runtime/holders/graph.h"
#include "runtime/holders/kernel.h"
#include "runtime/holders/libc.h"
#include "runtime/holders/ranges.h"
#include "runtime/holders/touched.h"
#include "runtime/process.h"
#include "runtime/modules.h"
#include "runtime/os_linux.h"
#include "runtime/stacks.h"
#include "runtime/text.h"
#include "runtime/thread.h"
#include "runtime/unwind/cfi.h"

#define WORD        ((uintptr_t)sizeof(uintptr_t))
#define PAGE        ((uintptr_t)4096)
#define RED_ZONE    128u
#define MOST_FRAMES 200u
#define GAP         ((uintptr_t)256) /* of one variable: between pointers to blocks of one site */
#define MOST_ENDED  20000u
#define LARGE       ((uintptr_t)1 << 20) /* bytes: to ask which pages were touched is worth it */
#define LOADER_NAME "/ld-linux"

struct finding {
	struct snap__copy *copy;
	struct snap__space *space;
	struct snap__ranges known; /* already scanned, or not to be scanned */
	struct snap__ranges tls;   /* the variables of one thread */
	const struct snap__module **modules;
	uint32_t module_count;
	uintptr_t *pointers;   /* of threads */
	uintptr_t main_thread; /* the pointer of the first one; 0: not known */
};

/* ---- words that refer to one site are one root ----------------------------------------------- */

/* From so many roots on, neighbouring words become one root, whatever they refer to: the remaining
   roots are for threads and mappings. */
#define MOST_OF_WORDS (SNAP__MOST_ROOTS - 50000u)

struct run {
	struct snap__root root; /* address: of the first word of the range that is cut up */
	uintptr_t base;
	uint32_t stack; /* that allocated what the words refer to */
	bool open;
};

static void end_run(struct run *run)
{
	struct snap__root root = run->root;

	if (!run->open)
		return;
	run->open = false;
	root.address = run->root.address + (run->root.low - run->base);
	snap__graph_add_root(&root);
	snap__graph_scan(root.low, root.high);
}

static void add_word(struct run *run, uintptr_t at, uint32_t block)
{
	uint32_t stack = snap__blocks.stack[block];
	bool full = snap__graph.root_count >= MOST_OF_WORDS;
	bool same = run->open && stack == run->stack && at - run->root.high <= GAP;

	if (run->open && (same || full)) {
		snap__graph.roots_merged += !same;
		run->root.high = at + WORD;
		return;
	}
	end_run(run);
	run->open = true;
	run->stack = stack;
	run->root.low = at;
	run->root.high = at + WORD;
}

static bool cut_part(void *user, uintptr_t low, uintptr_t high)
{
	for (uintptr_t at = (low + WORD - 1) & ~(WORD - 1); at + WORD <= high; at += WORD) {
		uint32_t block = snap__blocks_find(*(const uintptr_t *)at);

		if (block != SNAP__NO_BLOCK)
			add_word(user, at, block);
	}
	return true;
}

/* Add roots for the words of [low, high), which is in `area` and readable.  `root` has their common
 * fields, and the address that the file gives for `low`. */
static void cut_up(const struct snap__area *area, const struct snap__root *root, uintptr_t low,
		   uintptr_t high)
{
	struct run run = {.root = *root, .base = low};

	if (high - low < LARGE)
		cut_part(&run, low, high);
	else
		snap__touched_each(area, low, high, cut_part, &run);
	end_run(&run);
}

/* ---- global variables ------------------------------------------------------------------------ */

static uint32_t module_index(const struct finding *f, const struct snap__module *module)
{
	for (uint32_t i = 0; i < f->module_count; i++)
		if (f->modules[i] == module)
			return i;
	return SNAP_NONE;
}

static bool is_ours(const struct snap__module *module)
{
	uintptr_t here = (uintptr_t)&snap__graph;

	return here >= module->start && here < module->end;
}

/* glibc's arena is in the module of its malloc. */
static bool has_main_arena(const struct snap__module *module)
{
	const struct snap__host *host = snap__process_host();

	return snap__equal(host->allocator, "glibc") &&
	       (!host->malloc_address ||
		snap__modules_at((uintptr_t)host->malloc_address) == module);
}

static void cut_up_data(const struct finding *f, const struct snap__area *area,
			const struct snap__module *module, uintptr_t low, uintptr_t high)
{
	struct snap__root root = {
		.kind = SNAP_ROOT_GLOBAL, .module = module_index(f, module), .label = ""};
	struct snap__range arena = {0, 0};

	if (has_main_arena(module))
		arena = snap__libc_main_arena(low, high);
	if (arena.high) {
		root.address = low - module->bias;
		cut_up(area, &root, low, arena.low);
		low = arena.high;
	}
	root.address = low - module->bias;
	cut_up(area, &root, low, high);
}

static void find_globals(struct finding *f)
{
	for (size_t i = 0; i < f->space->count; i++) {
		struct snap__area *area = &f->space->areas[i];
		const struct snap__module *module = snap__modules_at(area->low);
		uintptr_t low = area->low, high = area->high;

		if (!module)
			continue;
		snap__ranges_add(&f->known, area->low,
				 area->high < module->end ? area->high : module->end);
		low = low < module->data_start ? module->data_start : low;
		high = high > module->data_end ? module->data_end : high;
		if (module->data_start && low < high && !is_ours(module) && snap__area_open(area))
			cut_up_data(f, area, module, low, high);
		snap__copy_tick();
	}
}

/* ---- threads --------------------------------------------------------------------------------- */

static void read_name(struct snap__stopped *t)
{
	char path[64], name[32];
	struct snap__text text = SNAP__TEXT(path), kept = SNAP__TEXT(t->name);
	long size;

	snap__text_add(&text, "/proc/");
	snap__text_add_u64(&text, (uint64_t)snap__process_self()->pid);
	snap__text_add(&text, "/task/");
	snap__text_add_u64(&text, (uint64_t)t->id);
	snap__text_add(&text, "/comm");
	size = snap__os_read_file(path, name, sizeof(name));
	if (size > 0)
		snap__text_add_bytes(&kept, name, (size_t)size - 1);
}

static struct snap__root root_of_thread(const struct snap__stopped *t, uint32_t kind)
{
	return (struct snap__root){
		.kind = kind, .module = SNAP_NONE, .thread = (uint32_t)t->id, .label = t->name};
}

static void add_range(struct snap__root root, uintptr_t low, uintptr_t high)
{
	if (low >= high)
		return;
	root.low = low;
	root.high = high;
	snap__graph_add_root(&root);
	snap__graph_scan(low, high);
	snap__graph_drop_root();
}

static void find_registers(const struct snap__stopped *t)
{
	struct snap__root root = root_of_thread(t, SNAP_ROOT_REGISTERS);
	uintptr_t general = (uintptr_t)t->general, extended = (uintptr_t)t->extended;

	add_range(root, general, general + t->general_size);
	add_range(root, extended, extended + t->extended_size);
}

/* [low, high) is the frame of the function at `pc`. */
static void add_frame(const struct finding *f, const struct snap__stopped *t, uintptr_t pc,
		      uintptr_t low, uintptr_t high)
{
	struct snap__root root = root_of_thread(t, SNAP_ROOT_STACK);
	const struct snap__module *module = pc ? snap__modules_at(pc) : NULL;

	root.address = pc;
	if (module) {
		root.module = module_index(f, module);
		root.address = pc - module->bias;
	}
	add_range(root, low, high);
}

/* The stack is divided into frames as far as there are unwind rules. */
static uintptr_t find_frames(struct finding *f, const struct snap__stopped *t, uintptr_t low,
			     uintptr_t high)
{
	struct snap__cfi_state state = t->state;

	for (unsigned depth = 0; depth < MOST_FRAMES; depth++) {
		uintptr_t pc = snap__cfi_lookup_pc(&state), end;
		const struct snap__module *module = snap__modules_at(pc);
		struct snap__cfi_row row;

		if (!module || !snap__cfi_row_at(module, pc, &row) ||
		    snap__cfi_step(&state, &row, snap__space_word, f->space) != SNAP__CFI_STEPPED)
			break;
		end = state.reg[SNAP__REG_SP];
		if (end <= low || end > high)
			break;
		add_frame(f, t, pc, low, end);
		low = end;
	}
	return low;
}

static void find_tls(struct finding *f, const struct snap__stopped *t)
{
	struct snap__root root = root_of_thread(t, SNAP_ROOT_TLS);

	f->tls.count = 0;
	for (uint32_t i = 0; i < f->module_count; i++) {
		const struct snap__module *module = f->modules[i];
		uintptr_t low = module->tls_id ? snap__libc_tls_block(f->space, t->thread_pointer,
								      module->tls_id)
					       : 0;

		root.module = i;
		if (!low || !snap__space_is_readable(f->space, low, low + module->tls_size))
			continue;
		snap__ranges_add(&f->tls, low, low + module->tls_size);
		if (!is_ours(module))
			cut_up(snap__space_at(f->space, low), &root, low, low + module->tls_size);
	}
	snap__ranges_join(&f->tls);
}

/* libc's data of a thread lie beside the thread's variables, which are roots already. */
static void find_thread_data(struct finding *f, const struct snap__stopped *t, uintptr_t low,
			     uintptr_t high)
{
	uintptr_t end;

	for (; snap__ranges_gap(&f->tls, &low, high, &end); low = end)
		add_range(root_of_thread(t, SNAP_ROOT_THREAD), low, end);
}

/* A thread may run on a stack that is a heap block: a coroutine's. */
static struct snap__range stack_of(struct finding *f, const struct snap__stopped *t)
{
	uint32_t block = snap__blocks_find(t->sp);
	uintptr_t low;

	if (block == SNAP__NO_BLOCK)
		return snap__libc_stack(f->space, t->sp, t->thread_pointer);
	low = snap__blocks.address[block];
	return (struct snap__range){low, low + snap__blocks_size(block)};
}

static bool is_main_stack(struct finding *f, uintptr_t sp)
{
	const struct snap__area *area = snap__space_at(f->space, sp);

	return area && snap__equal(area->name, "[stack]");
}

/* Memory that the program gave to pthread_attr_setstack() is the thread's stack, even if it is a
   block. */
static void leave_out_dead(struct finding *f, const struct snap__stopped *t, uintptr_t low)
{
	struct snap__range stack = snap__libc_thread_stack(f->space, t->thread_pointer);
	uint32_t block = snap__blocks_find(t->sp);

	if (block == SNAP__NO_BLOCK || t->sp < stack.low || t->sp >= stack.high)
		return;
	if (stack.low < snap__blocks.address[block])
		stack.low = snap__blocks.address[block];
	if (stack.low < low)
		snap__graph_leave_out(stack.low, low);
}

/* A thread that was stopped: its stack above the stack pointer, then what libc keeps there. */
static void find_stack(struct finding *f, const struct snap__stopped *t)
{
	struct snap__range stack = stack_of(f, t);
	struct snap__range data = snap__libc_thread_data(f->space, t->thread_pointer);
	bool has_thread = t->thread_pointer > t->sp && t->thread_pointer < stack.high;
	uintptr_t high =
		has_thread ? snap__libc_tls_low(f->space, t->thread_pointer, t->sp) : stack.high;
	uintptr_t low = (t->sp - RED_ZONE) & ~(WORD - 1);

	if (stack.high == 0)
		return;
	low = low < stack.low ? stack.low : low;
	/* Below the stack pointer, a stack that the program allocated may contain anything. */
	if (has_thread || is_main_stack(f, t->sp))
		snap__ranges_add(&f->known, stack.low, stack.high);
	leave_out_dead(f, t, low);
	low = find_frames(f, t, low, high);
	add_frame(f, t, 0, low, high);
	if (has_thread)
		find_thread_data(f, t, high, stack.high);
	else
		find_thread_data(f, t, data.low, data.high);
}

/* Their thread pointers, side by side, because the other data of a thread are large. */
static void list_pointers(struct finding *f)
{
	f->pointers = snap__copy_need((f->copy->thread_count + 1) * sizeof(*f->pointers));
	for (uint32_t i = 0; i < f->copy->thread_count; i++) {
		f->pointers[i] = f->copy->threads[i].thread_pointer;
		if (f->copy->threads[i].id == snap__process_self()->pid)
			f->main_thread = f->pointers[i];
	}
}

static bool is_alive(const struct finding *f, uintptr_t thread_pointer)
{
	for (uint32_t i = 0; i < f->copy->thread_count; i++)
		if (f->pointers[i] == thread_pointer)
			return true;
	return false;
}

/* The value that a thread returned is kept for the thread that joins it. */
static void find_unjoined(struct finding *f)
{
	struct snap__root root = {
		.kind = SNAP_ROOT_THREAD, .module = SNAP_NONE, .label = "(ended, not joined)"};
	struct snap__libc_threads threads;

	if (!snap__libc_threads_begin(f->space, f->main_thread, &threads))
		return;
	for (unsigned i = 0; i < MOST_ENDED; i++) {
		uintptr_t thread = snap__libc_threads_next(f->space, &threads);
		struct snap__range data = snap__libc_thread_data(f->space, thread);

		if (!thread)
			break;
		if (!is_alive(f, thread))
			add_range(root, data.low, data.high);
	}
}

/* Threads whose registers are not known have their whole stacks scanned, as mappings. */
static void find_threads(struct finding *f)
{
	for (uint32_t i = 0; i < f->copy->thread_count; i++) {
		struct snap__stopped *t = &f->copy->threads[i];

		if (!t->read)
			continue;
		read_name(t);
		if (t->thread_pointer)
			find_tls(f, t);
		find_stack(f, t);
		find_registers(t);
		if (t->id == snap__process_self()->pid && f->copy->threads_unread == 0)
			find_unjoined(f);
		snap__copy_tick();
	}
}

/* The address from which realloc() moves a block may be in no register any more, and its new one is
 * not known yet. */
static void find_moving(void)
{
	struct snap__root root = {.kind = SNAP_ROOT_REGISTERS, .module = SNAP_NONE, .label = ""};

	snap__graph_add_root(&root);
	for (struct snap__thread *t = snap__threads_first(); t; t = t->next) {
		uint32_t block = atomic_load(&t->owned)
					 ? snap__blocks_find((uintptr_t)t->moving.ptr)
					 : SNAP__NO_BLOCK;

		if (block != SNAP__NO_BLOCK)
			snap__graph_add_edge(block);
	}
	snap__graph_drop_root();
}

/* Perhaps only the kernel knows the stacks for signals. */
static void find_signal_stacks(void)
{
	struct snap__root root = {
		.kind = SNAP_ROOT_KERNEL, .module = SNAP_NONE, .label = "stacks for signals"};

	snap__graph_add_root(&root);
	for (struct snap__thread *t = snap__threads_first(); t; t = t->next) {
		uint32_t block = atomic_load(&t->owned)
					 ? snap__blocks_find(atomic_load(&t->signal_stack))
					 : SNAP__NO_BLOCK;

		if (block != SNAP__NO_BLOCK)
			snap__graph_add_edge(block);
	}
	snap__graph_drop_root();
}

/* ---- the loader ------------------------------------------------------------------------------ */

static bool is_allocated_by(const struct snap__module *module, uint32_t stack)
{
	uintptr_t pc = stack ? snap__stacks_pc(stack) : 0;

	pc &= ((uintptr_t)1 << SNAP__PC_TAG_SHIFT) - 1;
	return pc >= module->start && pc < module->end;
}

/* Stacks of ended threads also point to the loader's tables of thread-local variables. */
static void find_loader(struct finding *f)
{
	const struct snap__module *loader = NULL;
	struct snap__root root = {
		.kind = SNAP_ROOT_LOADER, .module = SNAP_NONE, .label = "the dynamic loader"};
	uint32_t last = 0;
	bool is_its = false;

	for (uint32_t i = 0; i < f->module_count; i++)
		if (strstr(f->modules[i]->path, LOADER_NAME))
			loader = f->modules[i];
	if (!loader)
		return;
	snap__graph_add_root(&root);
	for (uint32_t b = 0; b < snap__blocks.count; b++) {
		uint32_t stack = snap__blocks.stack[b];

		if (stack != last) /* neighbours often have the same */
			is_its = is_allocated_by(loader, stack);
		last = stack;
		if (is_its)
			snap__graph_add_edge(b);
	}
}

/* ---- mappings -------------------------------------------------------------------------------- */

static void find_in_area(struct finding *f, struct snap__area *area)
{
	struct snap__root root = {
		.kind = SNAP_ROOT_MAPPING, .module = SNAP_NONE, .label = area->name};
	uintptr_t end;

	for (uintptr_t low = area->low; snap__ranges_gap(&f->known, &low, area->high, &end);
	     low = end) {
		root.address = root.low = low;
		root.high = end;
		snap__graph_add_root(&root);
		snap__graph_scan_touched(area, low, end);
		snap__graph_drop_root();
	}
}

static void pass_by_own(struct finding *f)
{
	uintptr_t base = 0;
	size_t size;

	for (uint32_t i = 0; (size = snap__own_mappings(i, &base)) != SNAP__OWN_END; i++)
		snap__ranges_add(&f->known, base, base + ((size + PAGE - 1) & ~(PAGE - 1)));
}

static void pass_by_kept(struct finding *f, struct snap__libc_threads threads)
{
	snap__libc_threads_kept(&threads);
	for (unsigned i = 0; i < MOST_ENDED; i++) {
		uintptr_t thread = snap__libc_threads_next(f->space, &threads);
		struct snap__range stack = snap__libc_thread_stack(f->space, thread);

		if (!thread)
			break;
		if (stack.high && !is_alive(f, thread))
			snap__ranges_add(&f->known, stack.low, stack.high);
	}
}

/* If libc's list was not found: recognise them by libc's data on the stack. */
static void pass_by_recognised(struct finding *f)
{
	for (size_t i = 0; i < f->space->count; i++) {
		const struct snap__area *area = &f->space->areas[i];
		uintptr_t thread = area->anonymous && area->writable && !area->shared
					   ? snap__libc_thread_in(f->space, area)
					   : 0;

		if (thread && !is_alive(f, thread))
			snap__ranges_add(&f->known, area->low, area->high);
	}
}

/* The cached stack of an ended thread contains stale values.  Unless the stacks of all threads are
   known, no stack is skipped. */
static void pass_by_ended(struct finding *f)
{
	struct snap__libc_threads threads;

	for (uint32_t i = 0; i < f->copy->thread_count; i++)
		if (!f->copy->threads[i].read && !f->copy->threads[i].ended)
			return;
	if (snap__libc_threads_begin(f->space, f->main_thread, &threads))
		pass_by_kept(f, threads);
	else
		pass_by_recognised(f);
}

static void find_mappings(struct finding *f)
{
	pass_by_own(f);
	pass_by_ended(f);
	snap__libc_allocator(&f->known, f->space);
	snap__ranges_join(&f->known);
	for (size_t i = 0; i < f->space->count; i++)
		if (snap__area_may_hold(&f->space->areas[i]))
			find_in_area(f, &f->space->areas[i]);
}

void snap__roots_find(struct snap__copy *copy)
{
	struct finding f = {.copy = copy, .space = &copy->space};

	f.module_count = snap__modules_count();
	f.modules = snap__copy_need((f.module_count + 1) * sizeof(*f.modules));
	for (uint32_t i = 0; i < f.module_count; i++)
		f.modules[i] = snap__modules_get(i);
	list_pointers(&f);
	find_globals(&f);
	find_threads(&f);
	find_moving();
	find_signal_stacks();
	find_mappings(&f);
	find_loader(&f);
	snap__kernel_words_find(snap__process_self()->pid);
}
