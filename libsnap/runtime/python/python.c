/*
 * runtime/python/python.c - from finding an interpreter to recording its lines.
 */
#include "runtime/python/python.h"

#include <dlfcn.h>
#include <string.h>

#include "runtime/domains.h"
#include "runtime/heapmap.h"
#include "runtime/hello.h"
#include "runtime/lifecycle.h"
#include "runtime/message.h"
#include "runtime/metrics.h"
#include "runtime/modules.h"
#include "runtime/python/arenas.h"
#include "runtime/python/codes.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"
#include "runtime/python/hooks.h"
#include "runtime/python/object.h"
#include "runtime/record.h"
#include "runtime/stacks.h"
#include "runtime/symbols.h"
#include "runtime/text.h"
#include "runtime/trigger.h"
#include "runtime/unwind/unwind.h"

#define SHORTENED_MAX   8u
#define START_DEPTH_MAX 500u /* frames; while an interpreter starts, there are fewer */

/* Frames are used only after a careful first check of some. */
enum trust { UNTESTED, TRUSTED, DISTRUSTED };

atomic_bool snap__python_is_on;
uint32_t snap__python_domain;
const void *const *_Atomic snap__python_end_flag;

static atomic_uint trust;

/* Tell it once: to `snapdiff run`, or to the user on standard error. */
static void complain(const char *problem)
{
	char buffer[256];
	struct snap__text line = SNAP__TEXT(buffer);

	snap__python.problem = problem;
	if (snap__hello_is_wanted()) {
		snap__hello_python(snap__python.version, problem);
		return;
	}

	snap__text_add(&line, "lines of Python ");
	snap__text_add(&line, snap__python.version);
	snap__text_add(&line, " are not recorded:");
	snap__message(line.data, problem, 0);
}

/* ---- where a block is from ------------------------------------------------------------------- */

bool snap__python_is_trusted(const char *state)
{
	unsigned now = atomic_load_explicit(&trust, memory_order_relaxed);

	if (now != UNTESTED)
		return now == TRUSTED;
	if (!snap__python_frames_are_sane(state)) {
		atomic_store(&trust, DISTRUSTED);
		complain("its frames do not look as they should");
		return false;
	}
	atomic_store(&trust, TRUSTED);
	return true;
}

/* The tree of call stacks is full: keep only the newest frames. */
static uint32_t shortened(struct snap__thread *thread, const char *state)
{
	uintptr_t pcs[SHORTENED_MAX];
	unsigned left = snap__stacks_shortened(); /* plus one; 0: its depth is the problem */
	uint32_t most = left > 0 && left - 1 < SHORTENED_MAX ? left - 1 : SHORTENED_MAX;
	uint32_t count = snap__python_walk(state, pcs, most);
	uint32_t node = snap__stacks_child_for(0, SNAP__PC_MEMORY, SNAP__CLAIM_RESERVED);

	snap__thread_count(thread, SNAP__COUNT_SHORTENED);
	if (count == 0 && node)
		return snap__stacks_child_for(node, SNAP__PC_DOMAIN + snap__python_domain,
					      SNAP__CLAIM_RESERVED);
	while (count > 0 && node)
		node = snap__stacks_child_for(node, pcs[--count], SNAP__CLAIM_RESERVED);
	return node;
}

/*
 * An interpreter makes thousands of objects before it runs the first Python code: types, names,
 * modules.  Each would have a call stack of its own, which says only that an interpreter starts.
 * So they share one, which ends in Py_InitializeFromConfig().  A sample may miss the first Python
 * code, and has few stacks anyway.
 */
static struct {
	const struct snap__thread *_Atomic thread; /* that starts it; NULL: not known */
	uint32_t stack;
	atomic_bool is_over;
} start;

/* Like `stack`, which is native, but without the frames below Py_InitializeFromConfig(); 0: it is
   not on the stack. */
static uint32_t stack_of_start(uint32_t stack)
{
	uint32_t node = snap__stacks_parent(stack);

	while (node && !snap__python_is_in(&snap__python.initialize, snap__stacks_pc(node)))
		node = snap__stacks_parent(node);
	return node ? snap__stacks_child_for(node, SNAP__PC_DOMAIN + snap__python_domain,
					     SNAP__CLAIM_RESERVED)
		    : 0;
}

static uint32_t native_stack(struct snap__thread *thread, const void *frame)
{
	uint32_t stack, shared;

	if (atomic_load_explicit(&start.is_over, memory_order_relaxed) || snap__sample_period())
		return snap__record_domain_stack(thread, snap__python_domain, frame);
	if (atomic_load_explicit(&start.thread, memory_order_acquire) == thread)
		return start.stack;
	stack = snap__record_domain_stack(thread, snap__python_domain, frame);
	shared = stack ? stack_of_start(stack) : 0;
	if (!shared)
		return stack;
	start.stack = shared;
	atomic_store_explicit(&start.thread, thread, memory_order_release);
	return shared;
}

/* The stack of an interpreter's block is a Python stack, or the native one before Python code
   runs. */
static uint32_t stack_of_block(struct snap__thread *thread, const void *frame)
{
	const char *state = snap__python_attached_state(thread);
	uint32_t stack;

	if (!state)
		return native_stack(thread, frame);
	if (!snap__python_is_trusted(state))
		return snap__record_domain_stack(thread, snap__python_domain, frame);
	switch (snap__python_stack(thread, state, &stack)) {
	case SNAP__PYTHON_STACK:
		if (!atomic_load_explicit(&start.is_over, memory_order_relaxed))
			atomic_store_explicit(&start.is_over, true, memory_order_relaxed);
		return stack;
	case SNAP__PYTHON_LOST:
		return shortened(thread, state);
	case SNAP__PYTHON_NO_FRAMES:
		break;
	}
	return native_stack(thread, frame);
}

/* Raw blocks come from threads with and without the GIL, and from deep inside of the
 * interpreter. */
static uint32_t stack_of_raw_block(struct snap__thread *thread, const void *frame)
{
	return snap__record_domain_stack(thread, snap__python_domain, frame);
}

/* ---- only the interpreter: libsnap was loaded after malloc was bound ------------------------- */

static struct {
	bool is_on;
	uint64_t resident, blocks; /* before recording began; blocks: 0 unknown */
} alone;

static bool holds_gil(void)
{
	const void *state = snap__python.own_thread();

	return state && state == snap__python.attached_thread();
}

/* The blocks that existed before recording.  The interpreter's count is valid only with the GIL. */
static void note_before_start(void)
{
	alone.resident = snap__metrics_resident();
	if (snap__python.allocated_blocks && holds_gil())
		alone.blocks = (uint64_t)snap__python.allocated_blocks();
}

static void say_before_start(struct snap__text *text)
{
	snap__text_add_u64(text, alone.resident / 1024);
	snap__text_add(text, " KiB resident");
	if (!alone.blocks)
		return;
	snap__text_add(text, ", ");
	snap__text_add_u64(text, alone.blocks);
	snap__text_add(text, " blocks of Python's");
}

static const char alone_text[] = "only what Python's own allocators hand out; not recorded: malloc "
				 "of native libraries, and what "
				 "was allocated before the start";

/* Without `snapdiff run`, say on standard error what is missing. */
static void begin_alone(void)
{
	char buffer[384];
	struct snap__text line = SNAP__TEXT(buffer);

	if (alone.is_on)
		return;
	alone.is_on = true;
	note_before_start();
	snap__text_add(&line, alone_text);
	snap__text_add(&line, " (");
	say_before_start(&line);
	snap__text_add(&line, "). `snapdiff run` records everything");
	snap__message("recording", line.data, 0);
}

static void describe_alone(snap__python_say_fn *say, void *user)
{
	char buffer[96];
	struct snap__text text = SNAP__TEXT(buffer);

	say(user, "python.recorded", alone_text);
	say_before_start(&text);
	say(user, "python.before_start", text.data);
}

/* ---- beginning ------------------------------------------------------------------------------- */

static void use_interpreter(void)
{
	uint32_t domain = snap__domain_number("python");
	snap__record_stack_fn *stack;

	if (domain == 0) {
		complain("the recorder has not enough memory");
		return;
	}
	snap__heapmap_init_fine(snap__process_host()->in_front != NULL); /* raw blocks */
	stack = snap__python_frames_init(stack_of_block);
	snap__unwind_keep_all();
	snap__python_domain = domain;
	atomic_store(&snap__python_end_flag, snap__python.finalizing);
	atomic_store(&snap__python_is_on, true);
	snap__python_hooks_install(stack,
				   snap__process_host()->in_front ? stack_of_raw_block : NULL);
	if (snap__process_host()->in_front)
		begin_alone();
	snap__hello_python(snap__python.version, NULL);
}

static void look_in(void *library)
{
	static atomic_flag looking = ATOMIC_FLAG_INIT;
	bool found;

	if (atomic_flag_test_and_set(&looking))
		return;
	snap__thread_internal(true); /* a look-up that fails allocates a message */
	found = snap__python_find(library);
	snap__thread_internal(false);
	if (found)
		use_interpreter();
	else if (snap__python.problem)
		complain(snap__python.problem);
	atomic_flag_clear(&looking);
}

static bool is_wanted(void)
{
	return snap__process_config()->python != SNAP__PYTHON_OFF && !snap__python.problem;
}

bool snap__python_can_start(void)
{
	return is_wanted() && snap__python_find(RTLD_DEFAULT);
}

void snap__python_start(void)
{
	/* Asked here, so that other programs need not load the code that looks for more. */
	if (is_wanted() && !snap__symbols_lack("Py_GetVersion"))
		look_in(RTLD_DEFAULT);
}

/* ---- an interpreter that is loaded later ----------------------------------------------------- */

static bool is_size_of_arena(size_t size)
{
	return size == 256u * 1024 || size == 1024u * 1024;
}

static bool is_named_like_python(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && strstr(slash, "python");
}

/* The loader is asked only if the caller is most likely an interpreter: other code may hold
 * locks while it maps memory, which could deadlock with the loader's lock. */
const char *snap__python_mapper(const void *caller, size_t size)
{
	const struct snap__module *module;

	if (!is_size_of_arena(size) || atomic_load(&snap__python_is_on) || !snap__recording() ||
	    !is_wanted())
		return NULL;
	module = snap__modules_at((uintptr_t)caller);
	return module && is_named_like_python(module->path) ? module->path : NULL;
}

void snap__python_loaded(void *library)
{
	look_in(library);
}

/* ---- start of the program -------------------------------------------------------------------- */

/* Is the program the interpreter, and nothing besides? */
static bool is_program(void)
{
	const char *exe = snap__process_self()->exe, *slash = strrchr(exe, '/');

	return snap__python.is_in_program || snap__starts_with(slash ? slash + 1 : exe, "python");
}

/* Imports before the program's first line have no frame of the program around them. */
static bool is_import_of_interpreter(const char *state)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *outermost = NULL, *frame = snap__python_newest_frame(state);
	char file[64], name[32];

	for (unsigned i = 0; frame && i < START_DEPTH_MAX; i++) {
		const char *code = snap__python_frame_code(frame);

		outermost = code ? code : outermost;
		frame = snap__python_outer_frame(frame);
	}
	if (!outermost)
		return true;
	if (snap__python_text(snap__python_pointer(outermost, v->code_name), name, sizeof(name)) &&
	    snap__equal(name, "search_function"))
		return true; /* of the package `encodings`; programs come there through frames of theirs */
	return snap__python_text(snap__python_pointer(outermost, v->code_file), file,
				 sizeof(file)) &&
	       snap__starts_with(file, "<frozen importlib");
}

bool snap__python_is_starting(void)
{
	static atomic_bool has_started;
	const struct snap__thread *thread = snap__thread_self;
	const char *state;

	if (!atomic_load(&snap__python_is_on) || atomic_load(&has_started) || !is_program())
		return false;
	state = thread ? snap__python_attached_state(thread) : NULL;
	if (!state || (snap__python_is_trusted(state) && is_import_of_interpreter(state)))
		return true;
	atomic_store(&has_started, true);
	return false;
}

/* ---- the end, and what to say of it ---------------------------------------------------------- */

/* A program that embeds an interpreter continues after the interpreter ends. */
void snap__python_ends(void)
{
	atomic_store(&snap__python_end_flag, NULL);
	if (is_program())
		snap__process_exit();
	else if (snap__recording() && snap__process_config()->exit != SNAP_EXIT_NONE)
		snap__trigger_take(SNAP__AT_API, "Python ends", SNAP__HOLDERS_NONE, NULL, 0);
}

void snap__python_describe(snap__python_say_fn *say, void *user)
{
	if (!snap__python.version[0])
		return;
	say(user, "python.version", snap__python.version);
	if (snap__python.problem) {
		say(user, "python.problem", snap__python.problem);
		return;
	}
	if (alone.is_on)
		describe_alone(say, user);
	if (snap__python_hooks_lost() > 0) {
		char buffer[32];
		struct snap__text text = SNAP__TEXT(buffer);

		snap__text_add_u64(&text, snap__python_hooks_lost());
		say(user, "python.hooks_lost", text.data);
	}
}

void snap__python_before_fork(void)
{
	if (atomic_load(&snap__python_is_on))
		snap__python_codes_before_fork();
}

void snap__python_after_fork(void)
{
	snap__python_codes_after_fork();
	snap__python_arenas_after_fork();
}
