/*
 * query_editor.h - lines typed on a terminal: editing, history and completion, by libedit.
 */
#ifndef QUERY_EDITOR_H
#define QUERY_EDITOR_H

#include <signal.h>
#include <stdbool.h>

struct query_editor;

/**
 * `words` are what Tab completes; NULL-terminated.  `cancelled` is set by the handler of SIGINT.
 * Both must outlive the editor.
 */
struct query_editor *query_editor_open(const char *const *words, volatile sig_atomic_t *cancelled);
/** Save the history and give everything back; NULL is allowed. */
void query_editor_close(struct query_editor *editor);

/**
 * The next line with its newline, the editor's until the next call.  NULL at the end of input.
 * "\n" with *interrupted set when Ctrl-C was pressed.
 */
const char *query_editor_line(struct query_editor *editor, const char *prompt, bool *interrupted);

/** Put a statement into the history. */
void query_editor_remember(struct query_editor *editor, const char *statement);

/**
 * What Tab does at the end of `text`: how many of `words` begin with its last word, and in
 * `common` (size bytes) what all of them share beyond it.  For the tests as well.
 */
unsigned query_editor_complete(const char *const *words, const char *text, char *common,
			       unsigned size);

#endif
