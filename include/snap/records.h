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

/** A mapped object: executable, shared library, vdso, or a name from a text form. */
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
 * A place in code that a call stack passes through.  A location without frames is still to be
 * symbolised from (module, address). One from a text form or an interpreter has its frames, and may
 * have no address.
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

/** The blocks of one call stack in one domain. In a sampled snapshot the figures are rounded
 * estimates. */
struct snap_site {
	uint32_t node;       /* node id of the newest frame, or SNAP_NONE for an empty stack */
	uint32_t domain;     /* string id: "malloc", "mmap", "python", ... */
	uint64_t live_bytes; /* as the caller asked for; each may be SNAP_UNKNOWN */
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

/*
 * Who holds what: a graph whose nodes are groups of blocks and roots.  A root is a place outside
 * all blocks that keeps alive what it refers to.  A block is unreachable if no way from a root
 * leads to it.  A snapshot has it only if it was asked for.  Any number of graphs (the native heap,
 * an interpreter's objects) share these rows; the kind of a group says which it belongs to.
 */

/** What the blocks of a group have in common. */
enum snap_group_kind {
	SNAP_GROUP_SITE = 0,  /* `node` and `label` are call stack and domain of a site */
	SNAP_GROUP_TYPE = 1,  /* objects of an interpreter; `label` is the name of their type */
	SNAP_GROUP_REUSE = 2, /* freed objects that an interpreter keeps for new ones, and names
				 that it looked up last; `label` as before */
};

/** Blocks that belong together, and their common figures. */
struct snap_group {
	uint32_t kind;  /* enum snap_group_kind, or one of a later version */
	uint32_t label; /* string id */
	uint32_t node;  /* node id of the newest frame, or SNAP_NONE */
	uint64_t blocks, bytes;
	uint64_t direct_blocks, direct_bytes; /* unreachable, and no other unreachable block refers
	                                       * to them */
	uint64_t indirect_blocks, indirect_bytes; /* unreachable, and another one refers to them */
	uint64_t ring_blocks;    /* of the indirect ones: one for each ring that nothing leads to */
	uint64_t retained_bytes; /* freed if they were freed; SNAP_UNKNOWN if not computed */
};

/** What keeps blocks alive. */
enum snap_root_kind {
	SNAP_ROOT_GLOBAL = 0, /* a variable of `module` */
	SNAP_ROOT_TLS = 1,   /* a thread's own variable of `module`; address: offset in its block */
	SNAP_ROOT_STACK = 2, /* a stack frame; module and address say where its function is */
	SNAP_ROOT_REGISTERS = 3,   /* a thread's registers */
	SNAP_ROOT_THREAD = 4,      /* what libc keeps for a thread: pthread_setspecific() ... */
	SNAP_ROOT_MAPPING = 5,     /* memory that no recorded allocator owns */
	SNAP_ROOT_LOADER = 6,      /* what the dynamic loader allocated for itself */
	SNAP_ROOT_INTERPRETER = 7, /* a module, frame or other root of an interpreter; see label */
	SNAP_ROOT_KERNEL = 8, /* what the kernel keeps for the program: epoll's data; see label */
};

struct snap_root {
	uint32_t kind;    /* enum snap_root_kind, or one of a later version */
	uint32_t label;   /* string id: name of the thread, the mapping, the interpreter's module */
	uint32_t module;  /* module id, or SNAP_NONE */
	uint32_t thread;  /* kernel's id of its thread; 0 none */
	uint64_t address; /* ELF virtual address in `module`; an offset for TLS; else absolute */
	uint64_t size;    /* bytes from the first to the last word that refers to a block */
	uint32_t symbol;  /* string id: name of variable or function; empty: look it up */
	uint64_t offset;  /* of `address` in that symbol */
	uint64_t retained_bytes; /* as in a group */
};

/** One group or root refers to blocks of a group. */
struct snap_edge {
	uint32_t from_root; /* 1: `from` is a root's id; 0: a group's */
	uint32_t from;
	uint32_t to;               /* group id */
	uint64_t references;       /* pointers */
	uint64_t blocks, bytes;    /* of `to` that are referred to, each once */
	uint64_t dominated_blocks; /* of `to`: those to which every way leads through `from` last;
				      SNAP_UNKNOWN if not computed */
	uint64_t dominated_bytes;  /* what these retain */
};

/** One way from a root, or from an unreachable block, to a block of `group`. */
struct snap_path {
	uint32_t group;
	uint32_t root;       /* root id; SNAP_NONE: nothing reaches the first step */
	uint64_t offset;     /* of the pointer in the root */
	uint64_t skipped;    /* steps left out before the last one */
	uint32_t step_count; /* how many of the steps that follow are this path's */
};

/** A block on the way. */
struct snap_step {
	uint32_t group;
	uint64_t address, size;
	uint64_t offset; /* of the pointer to the next step; 0 in the last */
};

#ifdef __cplusplus
}
#endif

#endif
