/*
 * query_editor.c - line editing by libedit.  The only file that includes histedit.h.
 */
#include "query_editor.h"

#include <ctype.h>
#include <histedit.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 1000, COMMON_SIZE = 256 };

struct query_editor {
	EditLine *line;
	History *history;
	const char *const *words;
	const char *prompt;
	volatile sig_atomic_t *cancelled;
	sigset_t waiting;            /* the signals that are blocked while a key is waited for */
	char history_path[PATH_MAX]; /* "": nowhere */
};

/* ---- completion ------------------------------------------------------------------------------ */

/* Where the last word of `text` begins. */
static const char *last_word(const char *text, size_t size)
{
	size_t at = size;

	while (at > 0 &&
	       (isalnum((unsigned char)text[at - 1]) || text[at - 1] == '_' || text[at - 1] == '.'))
		at--;
	return text + at;
}

static size_t shared_length(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	return length;
}

unsigned query_editor_complete(const char *const *words, const char *text, char *common,
			       unsigned size)
{
	const char *typed = last_word(text, strlen(text));
	size_t length = strlen(typed);
	unsigned count = 0;

	*common = '\0';
	for (; length && *words; words++) {
		if (strncasecmp(*words, typed, length) != 0)
			continue;
		if (count++ == 0)
			snprintf(common, size, "%s", *words + length);
		else
			common[shared_length(common, *words + length)] = '\0';
	}
	return count;
}

/* All words that begin as the last one does, as a shell lists them. */
static void list_words(const struct query_editor *editor, const char *text)
{
	const char *typed = last_word(text, strlen(text));

	putchar('\n');
	for (const char *const *word = editor->words; *word; word++)
		if (strncasecmp(*word, typed, strlen(typed)) == 0)
			printf("%s  ", *word);
	putchar('\n');
}

static unsigned char complete(EditLine *line, int key)
{
	const LineInfo *info = el_line(line);
	struct query_editor *editor;
	char common[COMMON_SIZE], *text;
	unsigned count;

	(void)key;
	el_get(line, EL_CLIENTDATA, &editor);
	text = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
	if (!text)
		return CC_ERROR;
	count = query_editor_complete(editor->words, text, common, sizeof(common));
	if (count > 1 && !*common)
		list_words(editor, text);
	free(text);
	if (count == 0 || el_insertstr(line, common) == -1)
		return CC_REFRESH_BEEP;
	if (count == 1)
		el_insertstr(line, " ");
	return count > 1 && !*common ? CC_REDISPLAY : CC_REFRESH;
}

/* ---- history --------------------------------------------------------------------------------- */

/* The directory that XDG defines for files that should survive but are no configuration. */
static void find_history(char path[PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int size = 0;

	if (state && *state == '/')
		size = snprintf(path, PATH_MAX, "%s/snapdiff", state);
	else if (home && *home == '/')
		size = snprintf(path, PATH_MAX, "%s/.local/state/snapdiff", home);
	if (size <= 0 || size > PATH_MAX - 32) {
		*path = '\0';
		return;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
	snprintf(path + size, PATH_MAX - (size_t)size, "/query_history");
}

void query_editor_remember(struct query_editor *editor, const char *statement)
{
	HistEvent event;
	char *line = strdup(statement);

	if (!line)
		return;
	for (char *c = line; *c; c++) /* the file has a line for each statement */
		if (*c == '\n')
			*c = c[1] ? ' ' : '\0';
	if (*line)
		history(editor->history, &event, H_ENTER, line);
	free(line);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static char *prompt_of(EditLine *line)
{
	struct query_editor *editor;

	el_get(line, EL_CLIENTDATA, &editor);
	return (char *)(uintptr_t)editor->prompt;
}

/*
 * The next character.  SIGINT comes only while one is waited for, so that none is missed between
 * two; libedit itself would take the first of them for a failed read, and read again.
 */
static int read_key(EditLine *line, wchar_t *key)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	struct query_editor *editor;
	mbstate_t state = {0};
	char byte;
	size_t taken = (size_t)-2;

	el_get(line, EL_CLIENTDATA, &editor);
	while (taken == (size_t)-2) {
		int ready = ppoll(&input, 1, NULL, &editor->waiting);

		if (*editor->cancelled)
			return -1;
		if (ready < 0)
			continue; /* another signal */
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 0;
		taken = mbrtowc(key, &byte, 1, &state);
	}
	if (taken == (size_t)-1)
		*key = (unsigned char)byte; /* no text in this locale */
	return 1;
}

struct query_editor *query_editor_open(const char *const *words, volatile sig_atomic_t *cancelled)
{
	struct query_editor *editor = calloc(1, sizeof(*editor));
	HistEvent event;

	if (!editor)
		return NULL;
	editor->words = words;
	editor->cancelled = cancelled;
	editor->line = el_init("snapdiff", stdin, stdout, stderr);
	editor->history = history_init();
	if (!editor->line || !editor->history) {
		query_editor_close(editor);
		return NULL;
	}
	history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
	history(editor->history, &event, H_SETUNIQUE, 1);
	find_history(editor->history_path);
	if (editor->history_path[0])
		history(editor->history, &event, H_LOAD, editor->history_path);
	el_set(editor->line, EL_CLIENTDATA, editor);
	el_set(editor->line, EL_GETCFN, read_key);
	el_set(editor->line, EL_EDITOR, "emacs");
	el_set(editor->line, EL_PROMPT, prompt_of);
	el_set(editor->line, EL_HIST, history, editor->history);
	el_set(editor->line, EL_ADDFN, "complete-word", "Complete a name", complete);
	el_set(editor->line, EL_BIND, "^I", "complete-word", NULL);
	el_set(editor->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_source(editor->line, NULL);
	return editor;
}

void query_editor_close(struct query_editor *editor)
{
	HistEvent event;
	mode_t mask;

	if (!editor)
		return;
	mask = umask(0077);
	if (editor->history && editor->history_path[0])
		history(editor->history, &event, H_SAVE, editor->history_path);
	umask(mask);
	if (editor->history)
		history_end(editor->history);
	if (editor->line)
		el_end(editor->line);
	free(editor);
}

const char *query_editor_line(struct query_editor *editor, const char *prompt, bool *interrupted)
{
	sigset_t interrupt;
	const char *line;
	int count = 0;

	editor->prompt = prompt;
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, &editor->waiting);
	*editor->cancelled = 0;
	el_resize(editor->line);
	line = el_gets(editor->line, &count);
	*interrupted = *editor->cancelled != 0;
	sigprocmask(SIG_SETMASK, &editor->waiting, NULL);
	if (!*interrupted)
		return count > 0 ? line : NULL;
	el_reset(editor->line);
	putchar('\n');
	return "\n";
}
