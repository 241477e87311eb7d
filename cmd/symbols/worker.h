/*
 * symbols/worker.h - modules are read in a process of their own.
 *
 * A module and its debug information may be made by somebody else, and elfutils was not written for
 * that: a damaged file may crash it, or take all time and memory.  So a child process reads them,
 * with limits that follow from the sizes of the files.  When it ends, the command loses the names
 * of one module and says so.
 */
#ifndef SYMBOLS_WORKER_H
#define SYMBOLS_WORKER_H

#include <stddef.h>

#include "snap/status.h"
#include "symbols/symbol_frame.h"
#include "symbols/texts.h"

struct worker;

enum lookup_kind {
	LOOKUP_CODE, /* the frames at an address */
	LOOKUP_DATA, /* the variable at an address, as one frame */
	LOOKUP_TLS,  /* the variable at an offset in the block of thread-local variables */
};

struct lookup {
	uint64_t address;
	enum lookup_kind kind;
};

/** A module, by the caller's number for it. */
struct worker_module {
	uint32_t id;
	const char *path, *build_id;
	bool offline; /* debuginfod is not asked */
	bool plain;   /* names stay as the linker knows them */
};

/** What comes back.  Texts of frames live as long as the `texts` of the worker. */
struct worker_answers {
	void *user;
	/** First.  `complete`: it has DWARF; `complaint`: why the file at the path does not serve,
	 * or NULL; said once for each time that the module is opened. */
	void (*opened)(void *user, bool found, bool complete, const char *complaint);
	/** For each lookup, in order.  False when memory is out. */
	bool (*answer)(void *user, const struct lookup *lookup, const struct symbol_frame *frames,
		       size_t count);
};

/** Why there are no names for a module. */
struct worker_loss {
	enum {
		WORKER_FINE,        /* there are */
		WORKER_LIED,        /* its answer is not sound, or it ended for an unknown reason */
		WORKER_CRASHED,     /* figure: the signal */
		WORKER_TOOK_LONG,   /* more processor time than its limit */
		WORKER_TOOK_MEMORY, /* more memory than its limit */
		WORKER_NAMES_TOOK_LONG, /* more processor time for names: ask for plain ones */
		WORKER_GAVE_UP,         /* not read after so many losses (figure) */
	} cause;
	unsigned figure;
};

/** `debug_root` and `texts` must outlive it.  No process is started yet.  NULL when memory is
 * out. */
struct worker *worker_new(const char *debug_root, struct texts *texts);
void worker_free(struct worker *worker);

/**
 * Look addresses of one module up.  If reading the module ended the process, `*loss` says why, the
 * lookups that are left get no answer, and the module must not be asked about again, or only for
 * plain names.  Fails when no
 * process can be started, or memory is out.
 */
enum snap_status worker_ask(struct worker *worker, const struct worker_module *module,
			    const struct lookup *lookups, size_t count,
			    const struct worker_answers *answers, struct worker_loss *loss,
			    struct snap_error *err);

/** In the child: answer what comes from the socket, until the command closes it. */
_Noreturn void worker_serve(int fd, const char *debug_root, bool plain);

/** How the child ends when its memory is out, and when names take too long.  libdw itself ends the
 * process with 1 when memory is out. */
enum { WORKER_OUT_OF_MEMORY = 4, WORKER_OUT_OF_TIME = 5 };

#endif
