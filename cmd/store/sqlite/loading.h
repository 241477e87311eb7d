/*
 * loading.h - one load, shared by the files that carry it out: load.c, load_stacks.c,
 * load_figures.c, load_holders.c.
 */
#ifndef STORE_LOADING_H
#define STORE_LOADING_H

#include "store/sqlite/database.h"
#include "store/prepare.h"

/* Arrays run parallel to the model's. */
struct loading {
	struct store *store;
	const struct model *model;
	const struct store_prepared *prepared;
	enum store_part part;
	int64_t snapshot_id;
	int64_t *module_ids, *site_ids;   /* row ids */
	bool *new_sites;                  /* those that the database does not have */
	struct site_identity *identities; /* of the new sites; NULL: there is none */
	int64_t *frame_ids;    /* of the frames of all locations, location after location */
	uint32_t *first_frame; /* where a location's begin in `frame_ids`; one extra at the end */
	char *id_text;         /* the same ids as text, a comma after each */
	size_t *first_text;    /* where a location's begins in `id_text`; one extra at the end */
	size_t id_text_capacity;
	char *stack; /* the stack of one site as a JSON array */
	size_t stack_capacity;
};

/** Modules and where they were mapped (load_stacks.c). */
enum snap_status load_modules(struct loading *load, struct snap_error *err);

/** Frames and sites, those that the database does not have yet; fills load->site_ids. */
enum snap_status load_stacks(struct loading *load, struct snap_error *err);

/** The figures of the sites, and the ages of their blocks (load_figures.c). */
enum snap_status load_figures(struct loading *load, struct snap_error *err);

/** Who holds what, where the snapshot says so (load_holders.c). */
enum snap_status load_holders(struct loading *load, struct snap_error *err);

/** malloc'ed zeros, one more than `count` so that none is never NULL; NULL without memory. */
void *loading_array(size_t count, size_t size);

#endif
