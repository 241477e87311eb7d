/*
 * meta.h - what the meta keys of a snapshot are to the store, for its engines.
 */
#ifndef STORE_META_H
#define STORE_META_H

enum store_meta {
	STORE_META_LABEL,  /* store_each_label() gives it */
	STORE_META_METRIC, /* store_each_metric() */
	STORE_META_LOSS,   /* store_each_loss() */
	STORE_META_FIELD,  /* a field of struct store_snapshot */
	STORE_META_OTHER,  /* store_each_meta() */
};

/** What is `*key`?  It is moved past the prefix that says so. */
enum store_meta store_meta_of(const char **key);

#endif
