/*
 * recall.c - a small table of ways, found by their first state and by what differs.
 */
#include <stdatomic.h>

#include "runtime/unwind/recall.h"

#define SEGMENT_BITS 9u
#define FIRST_BITS   4u /* the part of the table in use at first */
#define PROVEN_HITS  32u
#define MOST_PROBES  8u
#define MOST_MISSES  64u
#define TRIED_ONE_IN 16u
#define PAGE_BYTES   4096u

size_t snap__recall_table_size(void)
{
	return sizeof(struct snap__segment) << SEGMENT_BITS;
}

/* The upper bits of the key pick a segment: with fewer of them, the first ones. */
static unsigned bits_used(const struct snap__recall *recall)
{
	return recall->hits < PROVEN_HITS ? FIRST_BITS : SEGMENT_BITS;
}

#define PAGES ((sizeof(struct snap__segment) << SEGMENT_BITS) / PAGE_BYTES)

_Static_assert(PAGES *PAGE_BYTES == sizeof(struct snap__segment) << SEGMENT_BITS && PAGES < 64,
	       "the table's pages have a bit each");

size_t snap__recall_untouched(const struct snap__recall *recall)
{
	return (PAGES - (size_t)__builtin_popcountll(recall->written)) * PAGE_BYTES;
}

static void note_written(struct snap__recall *recall, const struct snap__segment *segment)
{
	size_t at = (size_t)(segment - recall->segments) * sizeof(*segment);

	recall->written |=
		1ull << at / PAGE_BYTES | 1ull << (at + sizeof(*segment) - 1) / PAGE_BYTES;
}

bool snap__recall_is_worth_it(struct snap__recall *recall)
{
	return recall->misses < MOST_MISSES || ++recall->skipped % TRIED_ONE_IN == 0;
}

static const struct snap__segment *found(struct snap__recall *recall,
					 const struct snap__segment *segment)
{
	recall->misses = recall->misses > 4 ? recall->misses - 4 : 0;
	recall->hits += recall->hits < PROVEN_HITS;
	recall->segments[recall->last].next = (uint32_t)(segment - recall->segments);
	recall->last = (uint32_t)(segment - recall->segments);
	return segment;
}

static const struct snap__segment *missed(struct snap__recall *recall)
{
	if (recall->misses < MOST_MISSES)
		recall->misses++;
	return NULL;
}

/* How many of the segment's words are unchanged. */
SNAP__READS_STACKS static inline uint32_t words_unchanged(const struct snap__segment *segment)
{
	uint32_t i = 0;

	while (i < segment->word_count && *segment->words[i].address == segment->words[i].value)
		i++;
	return i;
}

/* Whether the segment ends at a frame that may be joined. */
static inline bool ends_at_joint(const struct snap__segment *segment, const struct snap__kept *kept,
				 uint32_t joinable)
{
	const struct snap__frame *joint = &kept->frames[segment->joint];

	return segment->joint < joinable && joint->node == segment->joint_node &&
	       joint->pc == segment->joint_pc && joint->sp == segment->joint_sp &&
	       snap__frame_needs_fp(joint) == segment->joint_needs_fp &&
	       (!segment->joint_needs_fp || joint->fp == segment->joint_fp);
}

/* Whether a capture may begin at `segment`, as far as its registers say. */
static inline bool begins_at(const struct snap__recall *recall, const struct snap__segment *segment,
			     const struct snap__regs *at)
{
	return segment->pc == at->pc - 1 && segment->sp == at->sp &&
	       segment->epoch == recall->epoch && (!segment->needs_fp || segment->fp == at->fp);
}

SNAP__READS_STACKS const struct snap__segment *
snap__recall_find(struct snap__recall *recall, const struct snap__kept *kept, uint32_t joinable,
		  const struct snap__regs *at, struct snap__segment **place)
{
	unsigned bits = bits_used(recall);
	uint64_t key = (at->pc ^ at->sp << 8) * 0x9e3779b97f4a7c15u;
	struct snap__segment *segment = recall->segments + recall->segments[recall->last].next;

	/* The segment that followed this one the last time. */
	if (begins_at(recall, segment, at) && words_unchanged(segment) == segment->word_count &&
	    ends_at_joint(segment, kept, joinable))
		return found(recall, segment);
	for (unsigned probe = 0;; probe++) {
		uint32_t same;

		segment = recall->segments + (key >> (64 - bits));
		*place = segment;
		if (!begins_at(recall, segment, at))
			return missed(recall);
		same = words_unchanged(segment);
		if (same == segment->word_count)
			return ends_at_joint(segment, kept, joinable) ? found(recall, segment)
								      : missed(recall);
		if (probe == MOST_PROBES)
			return missed(recall);
		key = (key ^ same ^ *segment->words[same].address) * 0x9e3779b97f4a7c15u;
	}
}

/* The words that lead from the newest kept frame to `joint`, newest first; false if they are too
 * many. */
SNAP__READS_STACKS static bool copy_words(struct snap__segment *segment,
					  const struct snap__kept *kept, uint32_t joint)
{
	uint32_t newest = kept->count - 1;
	uint32_t first_word = snap__frame_words(&kept->frames[joint]);
	uint32_t words = snap__frame_words(&kept->frames[newest]) - first_word;
	struct snap__word *to = segment->words;

	if (newest - joint + words > SNAP__SEGMENT_WORDS)
		return false;
	for (uint32_t i = newest; i-- > joint;) {
		const uintptr_t *slot = kept->returns[i].slot;

		*to++ = (struct snap__word){slot, *slot};
	}
	for (uint32_t i = 0; i < words; i++)
		*to++ = kept->words[first_word + i];
	segment->word_count = (uint16_t)(to - segment->words);
	return true;
}

void snap__recall_keep(struct snap__recall *recall, struct snap__segment *place,
		       const struct snap__kept *kept, const struct snap__regs *at, uint32_t joint,
		       uint32_t node)
{
	const struct snap__frame *end = &kept->frames[joint];

	note_written(recall, place);
	/* If a handler leaves by longjmp in the middle, the half-written entry does not count. */
	place->epoch = recall->epoch - 1;
	atomic_signal_fence(memory_order_seq_cst);
	if (end->node == 0 || !copy_words(place, kept, joint))
		return;
	place->pc = at->pc - 1;
	place->sp = at->sp;
	place->fp = at->fp;
	place->joint_pc = end->pc;
	place->joint_sp = end->sp;
	place->joint_fp = end->fp;
	place->joint = joint;
	place->joint_node = end->node;
	place->node = node;
	place->frames = kept->count - 1 - joint;
	place->needs_fp = snap__frame_needs_fp(&kept->frames[kept->count - 1]);
	place->joint_needs_fp = snap__frame_needs_fp(end);
	atomic_signal_fence(memory_order_seq_cst);
	place->epoch = recall->epoch;
}
