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
	recall->segments[recall->last].next = (uint16_t)(segment - recall->segments);
	recall->last = (uint32_t)(segment - recall->segments);
	__builtin_prefetch(&recall->segments[segment->next]);
	return segment;
}

static const struct snap__segment *missed(struct snap__recall *recall)
{
	if (recall->misses < MOST_MISSES)
		recall->misses++;
	return NULL;
}

static inline const uintptr_t *address_of(const struct snap__segment *segment, uint32_t word)
{
	return (const uintptr_t *)(segment->sp + (uintptr_t)segment->words[word].offset);
}

static inline uintptr_t value_of(const struct snap__segment_word *word)
{
	return word->value_low | (uintptr_t)word->value_high << 32;
}

/* How many of the segment's words are unchanged. */
SNAP__READS_STACKS static inline uint32_t words_unchanged(const struct snap__segment *segment)
{
	uint32_t i = 0;

	while (i < segment->word_count && *address_of(segment, i) == value_of(&segment->words[i]))
		i++;
	return i;
}

/* Whether the segment ends at a frame that may be joined. */
static inline bool ends_at_joint(const struct snap__segment *segment, const struct snap__kept *kept,
				 uint32_t joinable)
{
	const struct snap__frame *joint = &kept->frames[segment->joint];

	return segment->joint < joinable && joint->node == segment->joint_node &&
	       joint->sp == segment->sp + segment->joint_above &&
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
		key = (key ^ same ^ *address_of(segment, same)) * 0x9e3779b97f4a7c15u;
	}
}

static bool put_word(struct snap__segment *segment, const uintptr_t *address, uintptr_t value)
{
	intptr_t offset = (intptr_t)((uintptr_t)address - segment->sp);

	segment->words[segment->word_count++] = (struct snap__segment_word){
		(int32_t)offset, (uint32_t)value, (uint32_t)(value >> 32)};
	return offset == (int32_t)offset;
}

/* The words that lead from the newest kept frame to `joint`, newest first; false if they are too
 * many, or too far away. */
SNAP__READS_STACKS static bool copy_words(struct snap__segment *segment,
					  const struct snap__kept *kept, uint32_t joint)
{
	uint32_t newest = kept->count - 1;
	uint32_t first_word = snap__frame_words(&kept->frames[joint]);
	uint32_t words = snap__frame_words(&kept->frames[newest]) - first_word;
	bool near = true;

	segment->word_count = 0;
	if (newest - joint + words > SNAP__SEGMENT_WORDS)
		return false;
	for (uint32_t i = newest; i-- > joint;)
		near &= put_word(segment, kept->returns[i].slot, *kept->returns[i].slot);
	for (uint32_t i = first_word; i < first_word + words; i++)
		near &= put_word(segment, kept->words[i].address, kept->words[i].value);
	return near;
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
	place->sp = at->sp;
	if (end->node == 0 || end->sp - at->sp > UINT32_MAX || joint > UINT16_MAX ||
	    !copy_words(place, kept, joint))
		return;
	place->pc = at->pc - 1;
	place->fp = at->fp;
	place->joint_above = (uint32_t)(end->sp - at->sp);
	place->joint_fp = end->fp;
	place->joint = (uint16_t)joint;
	place->joint_node = end->node;
	place->node = node;
	place->frames = (uint16_t)(kept->count - 1 - joint);
	place->needs_fp = snap__frame_needs_fp(&kept->frames[kept->count - 1]);
	place->joint_needs_fp = snap__frame_needs_fp(end);
	atomic_signal_fence(memory_order_seq_cst);
	place->epoch = recall->epoch;
}
