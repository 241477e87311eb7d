/*
 * snap/records.h - the rows of a snapshot, as plain values.
 *
 * The writer takes them, the reader gives them; libsnap/FORMAT.md says how they
 * become bytes.  A snapshot is: meta (key/value text), strings, modules,
 * locations with their frames, the tree of call stacks, and sites.
 * Ids are positions in their own section, counted from 0, unless said otherwise.
 */
#ifndef SNAP_RECORDS_H
#define SNAP_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A count or size that is not known (`-` in the text form, null in JSON). */
#define SNAP_UNKNOWN UINT64_MAX

/** "No module", "no parent": ids that refer to another section are optional this way. */
#define SNAP_NONE UINT32_MAX

/** Text with a length; may hold any byte, NUL included; not NUL-terminated. */
struct snap_text {
	const char *data;
	size_t size;
};

/** One entry of meta: `seq`, `time_ns`, `command`, `labels.K`, `metrics.rss` ... */
struct snap_meta {
	struct snap_text key;
	struct snap_text value;
};

/** A mapped object: executable, shared library, vdso, or a name that a text form gave. */
struct snap_module {
	uint32_t path;     /* string id */
	uint32_t build_id; /* string id: lower-case hex; the empty string when it has none */
	uint64_t base;     /* load bias: address in memory minus ELF virtual address */
	uint64_t size;     /* bytes of addresses, first to last segment; 0 unknown */
};

enum snap_location_flags {
	SNAP_LOCATION_HAS_ADDRESS = 1u << 0, /* `address` is meaningful */
};

/**
 * A place in code that a call stack passes through.  With no frames of its own it
 * waits to be symbolised from (module, address); a location from a text form or an
 * interpreter carries its frames instead and may have no address.
 */
struct snap_location {
	uint32_t module;  /* module id, or SNAP_NONE */
	uint32_t flags;   /* enum snap_location_flags */
	uint64_t address; /* ELF virtual address in `module` (absolute without one) of a byte inside
			     the call instruction: look it up as it is, do not subtract 1 */
	uint32_t frame_count; /* how many of the frames that follow are this location's */
};

enum snap_frame_flags {
	SNAP_FRAME_INLINED = 1u << 0, /* inlined into the next frame of the same location */
};

/** A frame with a name; the innermost inlined function of a location comes first. */
struct snap_frame {
	uint32_t function; /* string ids; the empty string where unknown */
	uint32_t file;
	uint32_t line;  /* 0 unknown */
	uint32_t flags; /* enum snap_frame_flags */
};

/** A node of the tree of call stacks: `location`, called from `parent`. */
struct snap_node {
	uint32_t parent;   /* an earlier node id, or SNAP_NONE at a root (outermost frame) */
	uint32_t location; /* location id */
};

/** What one call stack holds in one domain.  Estimates are rounded when sampled. */
struct snap_site {
	uint32_t node;       /* node id of the newest frame, or SNAP_NONE for an empty stack */
	uint32_t domain;     /* string id: "malloc", "mmap", "python", ... */
	uint64_t live_bytes; /* as requested by the caller; each may be SNAP_UNKNOWN */
	uint64_t live_blocks;
	uint64_t allocated_bytes; /* since recording started, freed or not */
	uint64_t allocated_blocks;
	uint32_t cohort_count; /* how many of the cohorts that follow are this site's */
};

/** Live blocks of a site by birth; `birth_seq` is the last snapshot's before them, 0 none. */
struct snap_cohort {
	uint64_t birth_seq;
	uint64_t blocks;
	uint64_t bytes;
};

/** Variances (squared standard errors) of a sampled site's estimates, as in snap_site. */
struct snap_variance {
	double live_bytes;
	double live_blocks;
	double allocated_bytes;
	double allocated_blocks;
};

#ifdef __cplusplus
}
#endif

#endif
