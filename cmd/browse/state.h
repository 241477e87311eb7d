/*
 * browse/state.h - what the two halves of the screen share.  Private to browse/.
 */
#ifndef BROWSE_STATE_H
#define BROWSE_STATE_H

#include "browse/subject.h"
#include "browse/tree.h"
#include "render/formats.h"

enum { TEXT_SIZE = 128, NARROW_COLUMNS = 72 };
enum { PAIR_GREW = 1, PAIR_SHRANK, PAIR_SOFT, PAIR_AGES };
enum { AGES = 8 };
enum view { VIEW_ROWS, VIEW_TREE };

struct list_place {
	size_t at, top; /* the line under the cursor, and the first that is shown */
};

struct browse {
	const struct browse_source *source;
	struct browse_wish wish;
	struct page subject;
	struct browse_tree tree;
	enum view view;
	struct list_place rows, stacks;
	size_t figure;
	enum browse_order order;
	size_t snapshot; /* of a series: the snapshot whose figures are shown */
	size_t marked;   /* an input; SIZE_MAX: none */
	struct browse_pattern pattern;
	char message[TEXT_SIZE];
	struct text_buffer text;
	bool unicode;
};

const struct value *browse_cell(const struct browse *b, size_t row, const char *name);
const char *browse_string(const struct value *value);
/** The verdict of a growth's row, the status of a compare's; NULL. */
const char *browse_verdict(const struct browse *b, size_t row);
/** Print at most `room` columns of `text` at the cursor, with control characters replaced. */
void browse_put(struct browse *b, const char *text, int room);
int browse_left_width(void);
size_t browse_count(const struct browse *b);

/** Draw the details of the line under the cursor in the right half. */
void browse_draw_detail(struct browse *b);

#endif
