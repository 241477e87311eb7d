/*
 * base/notice.h - what a person is told about the figures of a report: warnings and remarks.
 *
 * Code that finds something unusual adds a notice to a list: its kind, its figures and its names.
 * All words are in notices.def, and notice_text() makes a sentence of them.  So the program can
 * compare notices without comparing sentences.
 */
#ifndef BASE_NOTICE_H
#define BASE_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum notice_kind {
#define KIND(kind, words) NOTICE_##kind,
#define WARNING           KIND
#define SENTENCE          KIND
#define REMARK            KIND
#include "base/notices.def"
#undef KIND
#undef WARNING
#undef SENTENCE
#undef REMARK
	NOTICE_KINDS
};

enum { NOTICE_TEXTS = 4, NOTICE_FIGURES = 2 };

struct notice {
	enum notice_kind kind;
	const char *who; /* a file, a module, a process; NULL: the report as a whole */
	const char *texts[NOTICE_TEXTS];
	uint64_t figures[NOTICE_FIGURES];
	size_t sharing; /* the number of processes that it is about; 0: it is about `who` */
};

/** Takes a notice.  Its texts belong to the caller, and live until the call returns. */
typedef void notice_fn(void *user, const struct notice *notice);

bool notice_is_remark(const struct notice *notice);
/** Is it about a file that is no part of the report?  That is said even if --quiet is. */
bool notice_is_of_damage(const struct notice *notice);

/** The sentence; free() it.  NULL when memory is out. */
char *notice_text(const struct notice *notice);

bool notice_equals(const struct notice *a, const struct notice *b);

/** True if both say the same of the same thing: they may differ in numbers, and in `who`. */
bool notice_is_like(const struct notice *a, const struct notice *b);

/** Notices in the order in which they were added; zeroed it is empty.  It owns their texts. */
struct notices {
	struct notice *items;
	size_t count, capacity;
	bool incomplete; /* memory was out for one */
};

void notices_add(struct notices *list, const struct notice *notice);
/** Add a notice about one of several processes.  If the same was already added about another one,
 * the two become one notice about "2 processes, each". */
void notices_join(struct notices *list, const struct notice *notice, const char *process);
void notices_release(struct notices *list);

#endif
