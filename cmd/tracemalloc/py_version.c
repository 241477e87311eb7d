/*
 * py_version.c - which Pythons wrote two dumps, and what that means for comparing them.
 */
#include "tracemalloc/py_version.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Minor versions of Python 3, both inclusive. */
struct versions {
	unsigned least, most;
};

static bool parse(const char *text, struct versions *versions)
{
	if (!text || sscanf(text, "3.%u", &versions->least) != 1)
		return false;
	versions->most = versions->least;
	if (strstr(text, "or later"))
		versions->most = UINT_MAX;
	else
		sscanf(text, "3.%*u to 3.%u", &versions->most);
	return true;
}

/* Is one surely older than `minor`, the other surely not? */
static bool differ_by(struct versions older, struct versions newer, unsigned minor)
{
	return older.most < minor && newer.least >= minor;
}

bool py_version_warning(const char *a_name, const char *a, const char *b_name, const char *b,
			struct notice *notice)
{
	struct versions x, y, swap;

	if (!parse(a, &x) || !parse(b, &y) || (x.most >= y.least && y.most >= x.least))
		return false;
	if (x.least > y.least) {
		swap = x;
		x = y;
		y = swap;
	}
	*notice = (struct notice){
		.kind = NOTICE_OTHER_PYTHON,
		.texts = {a_name, a, b_name, b},
		.figures = {differ_by(x, y, 9), differ_by(x, y, 12)},
	};
	return true;
}
