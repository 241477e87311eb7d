/*
 * test_worker.c - the command copes with a worker that ends, or whose answers are wrong.
 *
 * The worker's side is here: worker_serve() below replaces the one that reads modules.
 */
/* links: cmd_symbols */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/lines.h"
#include "symbols/wire.h"
#include "symbols/worker.h"

static struct wire wire;
static bool is_plain; /* asked for plain names */

static void put(const void *data, size_t size)
{
	cr_assert(wire_put(&wire, data, size));
}

static void put_u32(uint32_t value)
{
	put(&value, sizeof(value));
}

static void put_answer(uint32_t texts, uint32_t frames)
{
	put_u32(texts);
	put_u32(frames);
}

static void put_text(const char *text)
{
	put_u32((uint32_t)strlen(text));
	put(text, strlen(text));
}

static void put_frame(uint32_t function, uint32_t file, uint32_t line)
{
	const struct wire_frame frame = {.function = function, .file = file, .line = line};

	put(&frame, sizeof(frame));
}

static void put_found(void)
{
	const struct wire_module found = {.found = 1, .complete = 1};

	put(&found, sizeof(found));
}

/* Modules are named after what reading them does. */

static void be_sound(void)
{
	put_found();
	put_answer(2, 1);
	put_text("main");
	put_text("main.c");
	put_frame(1, 2, 7);
}

static void say_no_such_text(void)
{
	put_found();
	put_answer(1, 1);
	put_text("main");
	put_frame(1, 2, 7);
}

static void say_the_highest_text(void)
{
	put_found();
	put_answer(0, 1);
	put_frame(UINT32_MAX, 0, 7);
}

static void say_too_many_frames(void)
{
	put_found();
	put_answer(0, LINES_FRAMES_MAX + 1);
}

static void say_too_many_texts(void)
{
	put_found();
	put_answer(3, 1);
}

static void say_a_long_text(void)
{
	put_found();
	put_answer(1, 1);
	put_u32(WIRE_TEXT_MAX + 1);
}

static void say_a_long_complaint(void)
{
	const struct wire_module module = {.complaint_size = UINT32_MAX};

	put(&module, sizeof(module));
}

static void say_half(void)
{
	put_found();
	put_answer(1, 1);
	put_u32(10);
	put("main", 4);
	wire_flush(&wire);
	_exit(0);
}

static void crash(void)
{
	raise(SIGSEGV);
}

static void run_for_ever(void)
{
	raise(SIGXCPU);
}

static void lack_memory(void)
{
	_exit(WORKER_OUT_OF_MEMORY);
}

static void take_long_for_names(void)
{
	if (is_plain)
		be_sound();
	else
		_exit(WORKER_OUT_OF_TIME);
}

static void fail_as_libdw_does(void)
{
	exit(1);
}

static const struct {
	const char *path;
	void (*act)(void);
	struct worker_loss loss;
} acts[] = {
	{"sound", be_sound, {.cause = WORKER_FINE}},
	{"no_such_text", say_no_such_text, {.cause = WORKER_LIED}},
	{"highest_text", say_the_highest_text, {.cause = WORKER_LIED}},
	{"many_frames", say_too_many_frames, {.cause = WORKER_LIED}},
	{"many_texts", say_too_many_texts, {.cause = WORKER_LIED}},
	{"long_text", say_a_long_text, {.cause = WORKER_LIED}},
	{"long_complaint", say_a_long_complaint, {.cause = WORKER_LIED}},
	{"half", say_half, {.cause = WORKER_LIED}},
	{"crash", crash, {WORKER_CRASHED, SIGSEGV}},
	{"hang", run_for_ever, {.cause = WORKER_TOOK_LONG}},
	{"memory", lack_memory, {.cause = WORKER_TOOK_MEMORY}},
	{"names", take_long_for_names, {.cause = WORKER_NAMES_TOOK_LONG}},
	{"libdw", fail_as_libdw_does, {.cause = WORKER_TOOK_MEMORY}},
};

enum { ACTS = sizeof(acts) / sizeof(*acts) };

static void get(void *data, size_t size)
{
	if (!wire_get(&wire, data, size))
		_exit(0);
}

_Noreturn void worker_serve(int fd, const char *debug_root, bool plain)
{
	struct wire_request request;
	struct wire_lookup lookups[WIRE_LOOKUPS_MAX];
	char path[64] = "", build_id[64];

	(void)debug_root;
	is_plain = plain;
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* Criterion has its own */
	wire_init(&wire, fd);
	for (;;) {
		get(&request, sizeof(request));
		get(path, request.path_size);
		path[request.path_size] = '\0';
		get(build_id, request.build_id_size);
		get(lookups, request.lookups * sizeof(*lookups));
		for (size_t i = 0; i < ACTS; i++)
			if (strcmp(path, acts[i].path) == 0)
				acts[i].act();
		wire_flush(&wire);
	}
}

/* The command's side. */

struct got {
	unsigned opened, answered;
	const char *function, *file;
	uint32_t line;
};

static void opened(void *user, bool found, bool complete, const char *complaint)
{
	struct got *got = user;

	(void)found;
	(void)complete;
	(void)complaint;
	got->opened++;
}

static bool answered(void *user, const struct lookup *lookup, const struct symbol_frame *frames,
		     size_t count)
{
	struct got *got = user;

	(void)lookup;
	got->answered++;
	if (count) {
		got->function = frames[0].function;
		got->file = frames[0].file;
		got->line = frames[0].line;
	}
	return true;
}

static struct worker_loss ask_in_a_way(struct worker *worker, const char *path, bool plain,
				       struct got *got)
{
	static const struct lookup lookup = {.address = 0x1000, .kind = LOOKUP_CODE};
	const struct worker_module module = {
		.path = path, .build_id = "", .offline = true, .plain = plain};
	const struct worker_answers answers = {got, opened, answered};
	struct worker_loss loss;

	*got = (struct got){0};
	cr_assert_eq(worker_ask(worker, &module, &lookup, 1, &answers, &loss, NULL), SNAP_OK);
	return loss;
}

static struct worker_loss ask(struct worker *worker, const char *path, struct got *got)
{
	return ask_in_a_way(worker, path, false, got);
}

static void assert_sound(struct worker *worker)
{
	struct got got;

	cr_assert_eq(ask(worker, "sound", &got).cause, WORKER_FINE);
	cr_assert_eq(got.opened, 1);
	cr_assert_eq(got.answered, 1);
	cr_assert_str_eq(got.function, "main");
	cr_assert_str_eq(got.file, "main.c");
	cr_assert_eq(got.line, 7);
}

static void assert_loss(const struct worker_loss *loss, const struct worker_loss *expected,
			const char *path)
{
	cr_assert_eq(loss->cause, expected->cause, "%s: %d", path, (int)loss->cause);
	cr_assert_eq(loss->figure, expected->figure, "%s: %u", path, loss->figure);
}

/** The next module has its names. */
static void assert_one_loss(size_t act)
{
	struct texts *texts = texts_new();
	struct worker *worker = worker_new("/nowhere", texts);
	struct got got;
	struct worker_loss loss = ask(worker, acts[act].path, &got);

	assert_loss(&loss, &acts[act].loss, acts[act].path);
	cr_assert_eq(got.answered, 0, "%s", acts[act].path);
	assert_sound(worker);
	worker_free(worker);
	texts_free(texts);
}

Test(worker, an_end_or_a_lie_costs_the_names_of_one_module, .timeout = 120)
{
	for (size_t i = 0; i < ACTS; i++)
		if (acts[i].loss.cause != WORKER_FINE)
			assert_one_loss(i);
}

Test(worker, after_eight_losses_no_module_is_read, .timeout = 120)
{
	struct texts *texts = texts_new();
	struct worker *worker = worker_new("/nowhere", texts);
	struct worker_loss loss;
	struct got got;

	for (int i = 0; i < 8; i++)
		ask(worker, "crash", &got);
	loss = ask(worker, "sound", &got);
	assert_loss(&loss, &(struct worker_loss){WORKER_GAVE_UP, 8}, "sound");
	cr_assert_eq(got.opened, 0);
	worker_free(worker);
	texts_free(texts);
}

Test(worker, a_module_whose_names_take_long_has_plain_ones, .timeout = 120)
{
	struct texts *texts = texts_new();
	struct worker *worker = worker_new("/nowhere", texts);
	struct got got;

	cr_assert_eq(ask(worker, "names", &got).cause, WORKER_NAMES_TOOK_LONG);
	cr_assert_eq(ask_in_a_way(worker, "names", true, &got).cause, WORKER_FINE);
	cr_assert_str_eq(got.function, "main");
	cr_assert_eq(ask(worker, "names", &got).cause, WORKER_NAMES_TOOK_LONG);
	assert_sound(worker);
	worker_free(worker);
	texts_free(texts);
}

Test(worker, its_status_need_not_be_known, .timeout = 120)
{
	struct texts *texts = texts_new();
	struct worker *worker = worker_new("/nowhere", texts);
	struct worker_loss loss;
	struct got got;

	signal(SIGCHLD, SIG_IGN); /* so the system keeps no status */
	loss = ask(worker, "crash", &got);
	assert_loss(&loss, &(struct worker_loss){.cause = WORKER_LIED}, "crash");
	assert_sound(worker);
	worker_free(worker);
	texts_free(texts);
}
