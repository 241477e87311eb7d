/*
 * worker.c - the command's side: start the child, ask it, check what it says.
 */
#include "symbols/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/fork_alone.h"
#include "symbols/lines.h"
#include "symbols/wire.h"

/** Children that may end too early, one after the other: a hostile snapshot names many modules. */
enum { LOSSES_MAX = 8 };

struct worker {
	const char *debug_root;
	struct texts *texts;
	pid_t pid;  /* 0: not running */
	bool plain; /* so it names functions */
	unsigned losses;
	const char **sent; /* texts by their numbers */
	size_t sent_count, sent_room;
	char *text; /* WIRE_TEXT_MAX + 1 bytes */
	struct symbol_frame frames[LINES_FRAMES_MAX];
	struct wire wire;
};

struct worker *worker_new(const char *debug_root, struct texts *texts)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->debug_root = debug_root;
	worker->texts = texts;
	worker->wire.fd = -1;
	worker->text = malloc(WIRE_TEXT_MAX + 1);
	if (!worker->text) {
		worker_free(worker);
		return NULL;
	}
	return worker;
}

/* The process. */

static void run_child(const struct worker *worker, int fd, int other)
{
	close(other);
	worker_serve(fd, worker->debug_root, worker->plain);
}

static enum snap_status start(struct worker *worker, struct snap_error *err)
{
	int ends[2];

	if (worker->pid)
		return SNAP_OK;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return fail(err, SNAP_ESYSTEM, "cannot make a socket to read modules: %s",
			    strerror(errno));
	worker->pid = fork_alone();
	if (worker->pid == 0)
		run_child(worker, ends[1], ends[0]);
	close(ends[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(ends[0]);
		return fail(err, SNAP_ESYSTEM, "cannot start a process to read modules: %s",
			    strerror(errno));
	}
	wire_init(&worker->wire, ends[0]);
	worker->sent_count = 0;
	return SNAP_OK;
}

/** End the child; its status, or 0 when that is not known: the command may have been started with
 * SIGCHLD ignored. */
static int stop(struct worker *worker)
{
	int status = 0;
	pid_t ended;

	if (!worker->pid)
		return 0;
	close(worker->wire.fd);
	do
		ended = waitpid(worker->pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	worker->pid = 0;
	return ended < 0 ? 0 : status;
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	stop(worker);
	free(worker->sent);
	free(worker->text);
	free(worker);
}

/* Losses. */

static struct worker_loss loss_of(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return (struct worker_loss){.cause = WORKER_TOOK_LONG};
	if (WIFSIGNALED(status))
		return (struct worker_loss){WORKER_CRASHED, (unsigned)WTERMSIG(status)};
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_OUT_OF_TIME)
		return (struct worker_loss){.cause = WORKER_NAMES_TOOK_LONG};
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return (struct worker_loss){.cause = WORKER_TOOK_MEMORY};
	return (struct worker_loss){.cause = WORKER_LIED};
}

/** The child has ended, or its answer is not sound. */
static struct worker_loss lose(struct worker *worker)
{
	shutdown(worker->wire.fd, SHUT_RDWR);
	worker->losses++;
	return loss_of(stop(worker));
}

/* Questions. */

static bool send_request(struct worker *worker, const struct worker_module *module,
			 const struct lookup *lookups, size_t count)
{
	const struct wire_request request = {
		.module = module->id,
		.path_size = (uint32_t)strlen(module->path),
		.build_id_size = (uint32_t)strlen(module->build_id),
		.lookups = (uint32_t)count,
		.offline = module->offline,
	};
	struct wire *wire = &worker->wire;
	bool fine = wire_put(wire, &request, sizeof(request)) &&
		    wire_put(wire, module->path, request.path_size) &&
		    wire_put(wire, module->build_id, request.build_id_size);

	for (size_t i = 0; i < count && fine; i++) {
		const struct wire_lookup lookup = {lookups[i].address, lookups[i].kind};

		fine = wire_put(wire, &lookup, sizeof(lookup));
	}
	return fine && wire_flush(wire);
}

/* Answers: false when they are not sound. */

static bool get_text(struct worker *worker, uint32_t size)
{
	if (size > WIRE_TEXT_MAX || !wire_get(&worker->wire, worker->text, size))
		return false;
	worker->text[size] = '\0';
	return true;
}

static bool get_module(struct worker *worker, const struct worker_answers *answers)
{
	struct wire_module module;

	if (!wire_get(&worker->wire, &module, sizeof(module)) ||
	    !get_text(worker, module.complaint_size))
		return false;
	answers->opened(answers->user, module.found, module.complete,
			module.complaint_size ? worker->text : NULL);
	return true;
}

static bool keep_text(struct worker *worker)
{
	uint32_t size;

	if (!wire_get(&worker->wire, &size, sizeof(size)) || !get_text(worker, size) ||
	    !array_reserve(&worker->sent, &worker->sent_room, worker->sent_count,
			   sizeof(*worker->sent)))
		return false;
	worker->sent[worker->sent_count++] = texts_keep(worker->texts, worker->text);
	return true;
}

/** The text with this number; NULL if none has it. */
static const char *sent_text(const struct worker *worker, uint32_t number)
{
	if (number > worker->sent_count)
		return NULL;
	return number ? worker->sent[number - 1] : "";
}

static bool get_frame(struct worker *worker, struct symbol_frame *frame)
{
	struct wire_frame sent;

	if (!wire_get(&worker->wire, &sent, sizeof(sent)))
		return false;
	*frame = (struct symbol_frame){
		.function = sent_text(worker, sent.function),
		.file = sent_text(worker, sent.file),
		.line = sent.line,
		.inlined = sent.inlined,
		.offset = sent.offset,
	};
	return frame->function && frame->file;
}

static bool get_answer(struct worker *worker, size_t *count)
{
	struct wire_answer answer;

	if (!wire_get(&worker->wire, &answer, sizeof(answer)) || answer.frames > LINES_FRAMES_MAX ||
	    answer.texts > 2 * answer.frames)
		return false;
	for (uint32_t i = 0; i < answer.texts; i++)
		if (!keep_text(worker))
			return false;
	for (uint32_t i = 0; i < answer.frames; i++)
		if (!get_frame(worker, &worker->frames[i]))
			return false;
	*count = answer.frames;
	return true;
}

/** One round: the child reads the whole question before it answers, so that neither waits for the
 * other to read. */
static enum snap_status ask(struct worker *worker, const struct worker_module *module,
			    const struct lookup *lookups, size_t count,
			    const struct worker_answers *answers, struct worker_loss *loss,
			    struct snap_error *err)
{
	bool sound = send_request(worker, module, lookups, count) && get_module(worker, answers);

	for (size_t i = 0; i < count && sound; i++) {
		size_t frames = 0;

		sound = get_answer(worker, &frames);
		if (sound && !answers->answer(answers->user, &lookups[i], worker->frames, frames))
			return fail_memory(err, "symbolising");
	}
	if (sound)
		return SNAP_OK;
	if (texts_failed(worker->texts))
		return fail_memory(err, "symbolising");
	*loss = lose(worker);
	return SNAP_OK;
}

enum snap_status worker_ask(struct worker *worker, const struct worker_module *module,
			    const struct lookup *lookups, size_t count,
			    const struct worker_answers *answers, struct worker_loss *loss,
			    struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	*loss = (struct worker_loss){.cause = WORKER_FINE};
	if (worker->losses == LOSSES_MAX) {
		*loss = (struct worker_loss){WORKER_GAVE_UP, LOSSES_MAX};
		return SNAP_OK;
	}
	if (worker->plain != module->plain)
		stop(worker);
	worker->plain = module->plain;
	st = start(worker, err);
	while (count && st == SNAP_OK && loss->cause == WORKER_FINE) {
		size_t part = count < WIRE_LOOKUPS_MAX ? count : WIRE_LOOKUPS_MAX;

		st = ask(worker, module, lookups, part, answers, loss, err);
		lookups += part;
		count -= part;
	}
	return st;
}
