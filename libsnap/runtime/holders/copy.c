/*
 * holders/copy.c - stop, fork, resume, wait.
 */
#include "runtime/holders/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "runtime/arena.h"
#include "runtime/holders/missing.h"
#include "runtime/holders/warm.h"
#include "runtime/process.h"
#include "runtime/mappings.h"
#include "runtime/modules.h"
#include "runtime/os_linux.h"
#include "runtime/sandbox.h"
#include "runtime/sidetable.h"
#include "runtime/text.h"
#include "write/sys.h"

#define MOST_THREADS  16384u
#define OWN_LINKS     2u         /* of a directory, without what is in it */
#define MOST_IDS      (1u << 22) /* the kernel gives no higher ones */
#define ROUNDS        20u        /* rounds of looking for new threads */
#define FEW_THREADS   64u        /* to let each go is as quick as to end */
#define STACK_BYTES   ((size_t)512 << 10)
#define STOP_LIMIT_NS 100000000ull /* other threads keep running */
#define POLL_NS       5000ull
#define SOON_NS       20000ull /* after it began */
#define TIME_LIMIT_NS 120000000000ull
#define WAIT_NS       2000000ull
#define TICK_NS       100000000ull
#define PAUSE_WAITS   100u
#define CPU_LIMIT_S   600
#define LEAST_MEMORY  ((uint64_t)64 << 20)
#define MOST_FETCHED  ((uint64_t)1 << 30) /* bytes that the copy reads from the host */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define PTRACE_STOP_OF(status) ((status) >> 16)

/* Who makes the copy, and for whom. */
struct making {
	struct snap__copy copy;
	struct snap__space before; /* what the host has mapped before the copy is made */
	snap__copy_work *work;
	void *user;
	void (*tick)(void);
	int host;          /* process id of the host */
	int child, status; /* the copy and how it ended */
	uint64_t *ids;     /* a bit for each thread that was listed */
	char *stack;       /* of the process that stops the threads, and of the copy */
	uint64_t begun_ns;
	bool late; /* it took longer than it may */
};

static struct snap__copy *in_copy; /* set in the copy only */

/* ---- stopping -------------------------------------------------------------------------------- */

/* Was this id seen before?  From now on it was. */
static bool is_known(struct making *m, int id)
{
	uint64_t *word = &m->ids[(unsigned)id % MOST_IDS / 64], bit = 1ull << (id & 63);
	bool known = (*word & bit) != 0;

	*word |= bit;
	return known;
}

static void add_threads(struct making *m, const char *buffer, long size)
{
	struct snap__copy *copy = &m->copy;

	for (long at = 0; at < size;) {
		const struct snap__entry *entry =
			(const struct snap__entry *)(const void *)(buffer + at);
		int id = (int)snap__parse_u64(entry->name, NULL);

		at += entry->length;
		if (id <= 0 || is_known(m, id))
			continue;
		if (copy->thread_count < MOST_THREADS)
			copy->threads[copy->thread_count++].id = id;
		else
			copy->threads_unread++;
	}
}

static int open_tasks(const struct making *m)
{
	char path[64];
	struct snap__text text = SNAP__TEXT(path);

	snap__text_add(&text, "/proc/");
	snap__text_add_u64(&text, (uint64_t)m->host);
	snap__text_add(&text, "/task");
	return snap__sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void list_threads(struct making *m)
{
	_Alignas(8) char buffer[2048];
	int fd = open_tasks(m);
	long size;

	while (fd >= 0 && (size = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		add_threads(m, buffer, size);
	if (fd >= 0)
		snap__sys_close(fd);
}

/* A new thread stops a little later; so does a thread that another signal stopped. */
static bool has_stopped(struct snap__stopped *t)
{
	int status = 0;
	long found = syscall(SYS_wait4, t->id, &status, __WALL | WNOHANG, NULL);

	if (found == 0)
		return false;
	if (found != t->id || !WIFSTOPPED(status)) {
		t->seized = false;
		t->ended = true;
		return true;
	}
	t->stopped = true;
	if (PTRACE_STOP_OF(status) != PTRACE_EVENT_STOP)
		t->signal = WSTOPSIG(status);
	return true;
}

/* A thread can only stop if it gets a processor, perhaps this one.  The kernel wakes a sleeper 20 us
 * late; a thread that runs elsewhere stops sooner. */
static void give_way(bool soon)
{
	if (soon)
		syscall(SYS_sched_yield);
	else
		snap__os_sleep(POLL_NS);
}

static void await_stops(struct making *m, uint32_t from)
{
	uint64_t end = m->begun_ns + STOP_LIMIT_NS, soon = m->begun_ns + SOON_NS;
	uint64_t now = m->begun_ns;

	for (uint32_t i = from; i < m->copy.thread_count; i++) {
		struct snap__stopped *t = &m->copy.threads[i];

		while (t->seized && !t->stopped && !has_stopped(t) && now < end) {
			give_way(now < soon);
			now = snap__os_mono_ns();
		}
	}
}

/* How late the kernel may wake us; 0: as by default. */
static void allow_lateness(unsigned long ns)
{
	syscall(SYS_prctl, PR_SET_TIMERSLACK, ns, 0, 0, 0);
}

static void seize_from(struct making *m, uint32_t from)
{
	for (uint32_t i = from; i < m->copy.thread_count; i++) {
		struct snap__stopped *t = &m->copy.threads[i];

		t->seized = syscall(SYS_ptrace, PTRACE_SEIZE, (long)t->id, 0, 0) == 0;
		t->ended = !t->seized && errno == ESRCH;
		if (t->seized)
			syscall(SYS_ptrace, PTRACE_INTERRUPT, (long)t->id, 0, 0);
	}
}

/* The directory of the threads has a link for each thread, and reading that number is faster than
   listing them.  It proves nothing if a thread did not stop: that thread may have ended after it
   made another one. */
static bool all_have_stopped(const struct making *m)
{
	uint32_t stopped = 0, ended = 0;
	int fd = open_tasks(m);
	struct stat st = {0};

	for (uint32_t i = 0; i < m->copy.thread_count; i++) {
		stopped += m->copy.threads[i].stopped;
		ended += m->copy.threads[i].ended;
	}
	if (fd >= 0) {
		(void)snap__sys_stat(fd, "", &st); /* or there are no links */
		snap__sys_close(fd);
	}
	return stopped + ended == m->copy.thread_count && st.st_nlink == stopped + OWN_LINKS;
}

/* Repeat until no new thread appears. */
static void stop_all(struct making *m)
{
	for (uint32_t round = 0, from = 0; round < ROUNDS; round++) {
		seize_from(m, from);
		await_stops(m, from);
		if (all_have_stopped(m))
			return;
		from = m->copy.thread_count;
		list_threads(m);
		if (from == m->copy.thread_count)
			return;
	}
}

static void stop_threads(struct making *m)
{
	list_threads(m);
	snap__sys_madvise(m->copy.threads, m->copy.thread_count * sizeof(*m->copy.threads),
			  MADV_POPULATE_WRITE);
	allow_lateness(1);
	m->begun_ns = snap__os_mono_ns();
	stop_all(m);
	allow_lateness(0);
}

static void read_registers(struct making *m)
{
	for (uint32_t i = 0; i < m->copy.thread_count; i++) {
		struct snap__stopped *t = &m->copy.threads[i];

		t->read = t->stopped && snap__registers_read(t);
		m->copy.threads_unread += !t->read && !t->ended;
		m->copy.threads_late += t->seized && !t->stopped;
		m->copy.was_stopped |= t->read;
	}
}

static void let_go(const struct snap__stopped *t)
{
	syscall(SYS_ptrace, PTRACE_DETACH, (long)t->id, 0, (long)t->signal);
}

static void note_pause(const struct making *m)
{
	atomic_store(&m->copy.page->pause_ns, snap__os_mono_ns() - m->begun_ns);
}

/*
 * The threads go on when the process that stopped them ends: the kernel lets them all go at once, where
 * one that is let go alone takes the processor from those that still wait.  But a signal that was
 * being delivered would be lost.
 */
static void resume_threads(const struct making *m)
{
	bool few = m->copy.thread_count <= FEW_THREADS;

	for (uint32_t i = 0; i < m->copy.thread_count; i++)
		if (m->copy.threads[i].stopped && (few || m->copy.threads[i].signal))
			let_go(&m->copy.threads[i]);
	if (few)
		note_pause(m);
}

/* ---- the copy -------------------------------------------------------------------------------- */

/* Bytes that the system could give without swapping, as it estimates it. */
static uint64_t available_memory(void)
{
	char text[2048];
	const char *line;

	if (snap__os_read_file("/proc/meminfo", text, sizeof(text)) <= 0)
		return 0;
	line = strstr(text, "MemAvailable:");
	return line ? snap__parse_u64(line + 13, NULL) * 1024 : 0;
}

/* A line of /proc/self/status in bytes; 0 if it is not there. */
static uint64_t status_bytes(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? snap__parse_u64(line + strlen(name), NULL) * 1024 : 0;
}

/* `what`, and pages of files, which belong to no process alone. */
static uint64_t resident_bytes(const char *what)
{
	char text[3072]; /* the lines that matter are in the first 1500 bytes */
	uint64_t all, files;

	if (snap__os_read_file("/proc/self/status", text, sizeof(text)) <= 0)
		return 0;
	all = status_bytes(text, what);
	files = status_bytes(text, "RssFile:") + status_bytes(text, "RssShmem:");
	return all > files ? all - files : 0;
}

static void limit(int what, uint64_t most)
{
	const struct rlimit value = {most, most};

	syscall(SYS_prlimit64, 0, what, &value, NULL);
}

static void give_locks_back(void)
{
	snap__side_after_fork();
	snap__mappings_after_fork();
}

/* The copy must never compete with other processes. */
static void become_copy(struct making *m)
{
	static const char last_to_live[] = "1000";
	int fd = snap__sys_open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		snap__sys_write(fd, last_to_live, sizeof(last_to_live) - 1);
		snap__sys_close(fd);
	}
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	syscall(SYS_prctl, PR_SET_NAME, "snapdiff-copy", 0, 0, 0);
	syscall(SYS_setpriority, PRIO_PROCESS, 0, 10);
	limit(RLIMIT_CORE, 1); /* no core dump, not even through a program: see core(5) */
	limit(RLIMIT_CPU, CPU_LIMIT_S);
	give_locks_back();
	snap__sandbox_end_at_waits();
	in_copy = &m->copy;
}

/* The mappings of the copy, and what only the host has. */
static void complete_space(struct making *m)
{
	struct snap__space *space = &m->copy.space;
	uint64_t most = m->copy.memory_limit / 4;

	if (!snap__space_read(space))
		snap__copy_fail("the list of its mappings cannot be read");
	m->copy.memory_used += snap__missing_fetch(space, &m->before, m->host,
						   most < MOST_FETCHED ? most : MOST_FETCHED,
						   &m->copy.pages_unread);
	if (!snap__space_read(space))
		snap__copy_fail("the list of its mappings cannot be read");
	snap__space_lift_guards(space);
}

static _Noreturn void be_the_copy(struct making *m)
{
	become_copy(m);
	m->copy.memory_limit = available_memory() / 2;
	if (m->copy.memory_limit < LEAST_MEMORY)
		m->copy.memory_limit = LEAST_MEMORY;
	m->copy.inherited = resident_bytes("VmRSS:");
	complete_space(m);
	m->work(&m->copy, m->user);
	atomic_store(&m->copy.page->done, 1);
	for (;;)
		syscall(SYS_exit, 0);
}

static void charge(size_t size)
{
	in_copy->memory_used += size;
	if (in_copy->memory_used > in_copy->memory_limit)
		snap__copy_fail("it takes more than half of the memory that is free");
}

void *snap__copy_need(size_t size)
{
	void *memory = snap__map(size);

	if (!memory)
		snap__copy_fail("there is not enough memory");
	charge(size);
	return memory;
}

/*
 * To get many pages at once costs half as much as a fault for each.  Huge pages are not used: the
 * kernel makes them from memory that was free for long, and a virtual machine has to get such
 * memory from its host first.
 */
void *snap__copy_need_now(size_t size, size_t used)
{
	void *memory = snap__copy_need(size);

	snap__copy_will_write(memory, used);
	return memory;
}

void snap__copy_will_write(void *memory, size_t size)
{
	snap__sys_madvise(memory, size, MADV_POPULATE_WRITE); /* from Linux 5.14 on */
}

void snap__copy_give_back(void *memory, size_t size)
{
	snap__unmap(memory, size);
	in_copy->memory_used -= size;
}

void *snap__copy_grow(void *memory, size_t size, size_t new_size)
{
	void *moved = snap__os_mremap(memory, size, new_size, MREMAP_MAYMOVE, NULL);

	if (moved == MAP_FAILED)
		snap__copy_fail("there is not enough memory");
	charge(new_size - size);
	return moved;
}

/* The parent may not have written it yet. */
uint64_t snap__copy_pause_ns(void)
{
	for (unsigned i = 0; i < PAUSE_WAITS && !atomic_load(&in_copy->page->pause_ns); i++)
		snap__os_sleep(WAIT_NS);
	return atomic_load(&in_copy->page->pause_ns);
}

uint64_t snap__copy_own_memory(void)
{
	uint64_t most = resident_bytes("VmHWM:");

	return most > in_copy->inherited ? most - in_copy->inherited : in_copy->memory_used;
}

void snap__copy_tick(void)
{
	atomic_fetch_add_explicit(&in_copy->page->progress, 1, memory_order_relaxed);
}

_Noreturn void snap__copy_fail(const char *reason)
{
	struct snap__text text = SNAP__TEXT(in_copy->page->reason);

	snap__text_add(&text, reason);
	for (;;)
		syscall(SYS_exit, 1);
}

/* ---- making it ------------------------------------------------------------------------------- */

static void await_copy(struct making *m)
{
	uint64_t begun = snap__os_mono_ns(), ticked = begun, now;

	while (syscall(SYS_wait4, m->child, &m->status, __WALL | WNOHANG, NULL) != m->child) {
		now = snap__os_mono_ns();
		if (now - begun > TIME_LIMIT_NS) {
			m->late = true;
			syscall(SYS_kill, m->child, SIGKILL);
		}
		if (now - ticked > TICK_NS) {
			m->tick();
			ticked = now;
		}
		snap__os_sleep(WAIT_NS);
	}
}

/* In a process of its own, which shares the memory: the copy is the child of the one that waits for
 * both.  A thread that did not stop in time is not in the copy, and is let go with the others. */
static void stop_and_copy(void *making)
{
	struct making *m = making;

	stop_threads(m);
	read_registers(m);
	m->child = (int)syscall(SYS_clone, (unsigned long)CLONE_PARENT, NULL, NULL, NULL, NULL);
	if (m->child == 0)
		be_the_copy(m);
	if (m->child < 0)
		m->status = errno;
	resume_threads(m);
	for (;;)
		syscall(SYS_exit, 0);
}

/*
 * Two tables have locks.  No thread may be changing these tables when the copy is made.  So the
 * locks, which have no owner, are taken before the stop and released here.
 */
static void make_copy(struct making *m)
{
	const unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES;
	long stopper;

	m->child = -1;
	stopper =
		snap__arch_clone(flags, m->stack + STACK_BYTES, NULL, NULL, NULL, stop_and_copy, m);
	if (stopper < 0)
		m->status = (int)-stopper;
	else
		syscall(SYS_wait4, stopper, NULL, __WALL, NULL);
	if (!atomic_load(&m->copy.page->pause_ns))
		note_pause(m);
	give_locks_back();
}

static bool prepare(struct making *m)
{
	m->copy.page = snap__map_shared(sizeof(*m->copy.page));
	m->copy.threads = snap__map_passing(MOST_THREADS * sizeof(*m->copy.threads));
	m->ids = snap__map_passing(MOST_IDS / 8);
	m->stack = snap__map_passing(STACK_BYTES);
	return snap__space_prepare(&m->copy.space) &&
	       snap__space_prepare_second(&m->before, &m->copy.space) && m->copy.page &&
	       m->copy.threads && m->ids && m->stack;
}

static void release(struct making *m)
{
	snap__space_release(&m->before);
	snap__space_release(&m->copy.space);
	snap__unmap(m->stack, STACK_BYTES);
	snap__unmap(m->ids, MOST_IDS / 8);
	snap__unmap(m->copy.threads, MOST_THREADS * sizeof(*m->copy.threads));
	snap__unmap(m->copy.page, sizeof(*m->copy.page));
}

/* Whether the copy has done its work; if not, get the reason. */
static bool judge(const struct making *m, char *reason)
{
	struct snap__text text = snap__text_in(reason, SNAP__COPY_REASON_SIZE);

	if (m->child < 0) {
		snap__text_add(&text, "no copy could be made (error ");
		snap__text_add_u64(&text, (uint64_t)m->status);
		snap__text_add(&text, ")");
	} else if (m->late) {
		snap__text_add(&text, "it took longer than 120 seconds");
	} else if (WIFSIGNALED(m->status)) {
		snap__text_add(&text, "the copy was ended by signal ");
		snap__text_add_u64(&text, (uint64_t)WTERMSIG(m->status));
		if (WTERMSIG(m->status) == SIGSYS)
			snap__text_add(&text, ": it would have waited for a lock that a stopped "
					      "thread had taken");
	} else if (!atomic_load(&m->copy.page->done)) {
		snap__text_add(&text, m->copy.page->reason[0] ? m->copy.page->reason
							      : "the copy ended early");
	}
	return text.size == 0;
}

static bool run(struct making *m, char *reason)
{
	(void)snap__space_read(&m->before); /* an empty list: nothing is fetched */
	snap__warm_pages(&m->before);
	snap__mappings_before_fork();
	snap__side_before_fork();
	make_copy(m);
	if (m->child > 0)
		await_copy(m);
	return judge(m, reason);
}

bool snap__copy_run(snap__copy_work *work, void *user, void (*tick)(void),
		    char reason[SNAP__COPY_REASON_SIZE], struct snap__copy_page *result)
{
	struct making m = {
		.work = work,
		.user = user,
		.tick = tick,
		.host = snap__process_self()->pid,
	};
	struct snap__text text = snap__text_in(reason, SNAP__COPY_REASON_SIZE);
	bool done = false;

	if (snap__sys_getpid() == m.host)
		snap__text_add(&text, "there is no process to make the copy");
	else if (snap__sandbox_is_filtered())
		snap__text_add(&text, "a system call filter is in place");
	else if (!prepare(&m))
		snap__text_add(&text, "there is not enough memory");
	else
		done = run(&m, reason);
	if (done)
		*result = *m.copy.page;
	release(&m);
	return done;
}
