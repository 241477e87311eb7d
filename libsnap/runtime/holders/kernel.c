/*
 * holders/kernel.c - words of the program that the kernel keeps, and gives back to it later.
 *
 * A server may leave the only pointer to a connection with epoll_ctl(), and get it back from
 * epoll_wait().  The kernel shows such words in /proc: those of epoll with the descriptor, those of
 * timer_create() in a file of the process.  It does not show those of pending requests of io_uring
 * and aio: a snapshot of a program that uses these says so.
 */
#include "runtime/holders/kernel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/holders/graph.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

#define TEXT_ROOM ((size_t)16 << 20) /* about 200,000 descriptors of one epoll */
#define PATH_ROOM 64u

/* The text of one file, and the root that its words belong to, once there is one. */
struct words {
	struct snap__root root;
	bool has_root;
	char *text;
};

static void add_word(struct words *words, uintptr_t word)
{
	uint32_t block = snap__blocks_find(word);

	if (block == SNAP__NO_BLOCK)
		return;
	if (!words->has_root)
		snap__graph_add_root(&words->root);
	words->has_root = true;
	snap__graph_add_edge(block);
}

/* Each word follows `mark`, after blanks. */
static void read_words(struct words *words, const char *path, const char *mark)
{
	long size = snap__os_read_file(path, words->text, TEXT_ROOM);

	if (size > 0 && (size_t)size + 1 == TEXT_ROOM)
		snap__graph.edges_cut++;
	if (size <= 0)
		return;
	for (const char *at = words->text; (at = strstr(at, mark));) {
		at += snap__length(mark);
		at += strspn(at, " \t");
		add_word(words, (uintptr_t)snap__parse_hex(at, NULL));
	}
	snap__copy_tick();
}

/* "/proc/HOST/WHAT", and then the name if there is one. */
static struct snap__text path_of(char room[PATH_ROOM], int host, const char *what, const char *name)
{
	struct snap__text path = snap__text_in(room, PATH_ROOM);

	snap__text_add(&path, "/proc/");
	snap__text_add_u64(&path, (uint64_t)host);
	snap__text_add(&path, what);
	snap__text_add(&path, name);
	return path;
}

/* Does "/proc/HOST/fd/DESCRIPTOR" lead to a thing of this name? */
static bool leads_to(const char *path, const char *name)
{
	char target[PATH_ROOM];
	ssize_t size = snap__sys_readlink(path, target, sizeof(target));

	return size == (ssize_t)snap__length(name) && memcmp(target, name, (size_t)size) == 0;
}

static void read_descriptor(struct words *words, int host, const char *name)
{
	char path[PATH_ROOM];

	(void)path_of(path, host, "/fd/", name);
	if (leads_to(path, "anon_inode:[io_uring]"))
		snap__graph.rings++;
	if (!leads_to(path, "anon_inode:[eventpoll]"))
		return;
	(void)path_of(path, host, "/fdinfo/", name);
	read_words(words, path, "data:");
}

/* Each context of io_setup() is a mapping. */
static void count_contexts(int host, char *text)
{
	char path[PATH_ROOM];

	(void)path_of(path, host, "/maps", "");
	if (snap__os_read_file(path, text, TEXT_ROOM) <= 0)
		return;
	for (const char *at = text; (at = strstr(at, "/[aio]")); at++)
		snap__graph.rings++;
}

static void read_descriptors(struct words *words, int host, const char *buffer, long size)
{
	for (long at = 0; at < size;) {
		const struct snap__entry *entry =
			(const struct snap__entry *)(const void *)(buffer + at);

		at += entry->length;
		if (entry->name[0] != '.')
			read_descriptor(words, host, entry->name);
	}
}

static void find_epolls(struct words *words, int host)
{
	_Alignas(8) char buffer[2048];
	char path[PATH_ROOM];
	long size;
	int fd;

	(void)path_of(path, host, "/fd", "");
	fd = snap__sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && (size = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		read_descriptors(words, host, buffer, size);
	if (fd >= 0)
		snap__sys_close(fd);
}

static struct words words_of(const char *label, char *text)
{
	return (struct words){
		.root = {.kind = SNAP_ROOT_KERNEL, .module = SNAP_NONE, .label = label},
		.text = text};
}

void snap__kernel_words_find(int host)
{
	char *text = snap__copy_need(TEXT_ROOM), path[PATH_ROOM];
	struct words epolls = words_of("what epoll gives back", text);
	struct words timers = words_of("what timers give back", text);

	find_epolls(&epolls, host);
	(void)path_of(path, host, "/timers", "");
	read_words(&timers, path, "/");
	count_contexts(host, text);
	snap__copy_give_back(text, TEXT_ROOM);
}
