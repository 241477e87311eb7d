/*
 * keep.c - turn a finished walk into a stack of the tree, and keep it for the next capture.
 *
 * The frame pointer belongs to a frame's state only if a frame further out needs its value.  Code
 * that uses the register for other data changes it all the time; comparing it there would make
 * every walk start again.
 *
 * Deep stacks are cut at a multiple of half the limit, counted from the outermost frame.  So the
 * frames shown depend only on the stack, and a recursion adds one node for each call, not a whole
 * new stack.
 */
#include <stdatomic.h>
#include <string.h>

#include "runtime/stacks.h"
#include "runtime/unwind/walk.h"

/* From so many new frames on, look into the table of stacks first.  The nodes of fewer frames are
   mostly the ones that were found last, and in the cache: follow them. */
#define LONG_WAY 24u

SNAP__READS_STACKS uint32_t snap__kept_words_hold(const struct snap__kept *kept, uint32_t count)
{
	uint32_t words = snap__frame_words(&kept->frames[count - 1]);

	for (uint32_t i = 0; i < words; i++) {
		if (*kept->words[i].address == kept->words[i].value)
			continue;
		while (count && snap__frame_words(&kept->frames[count - 1]) > i)
			count--;
		break;
	}
	return count;
}

/* Give frames[first..count) their nodes, below `node`; returns the last one, 0 without room. */
static uint32_t link_kept(struct snap__kept *kept, uint32_t first, uint32_t count, uint32_t node)
{
	struct snap__stacks_at at = snap__stacks_start(node);

	for (uint32_t i = first; i < count; i++) {
		bool found = snap__stacks_go(&at, kept->frames[i].pc);

		kept->frames[i].node = at.id;
		if (!found)
			break;
	}
	return at.id;
}

/* The node of the first `count` kept frames, the outermost of which is the stack's; those without
 * one get theirs.  0 without room in the tree. */
static uint32_t node_of_kept(struct snap__kept *kept, uint32_t count)
{
	uint32_t first = count;

	while (first > 0 && kept->frames[first - 1].node == 0)
		first--;
	return link_kept(kept, first, count, first ? kept->frames[first - 1].node : 0);
}

/* Forget the `gone` outermost of the `count` frames; at least one stays. */
static void drop_outermost(struct snap__kept *kept, uint32_t count, uint32_t gone)
{
	/* This includes the step of the new outermost frame: frames beyond it are no longer
	 * compared. */
	uint32_t words_gone = snap__frame_words(&kept->frames[gone]);
	uint32_t words = snap__frame_words(&kept->frames[count - 1]);

	memmove(kept->frames, kept->frames + gone, (count - gone) * sizeof(kept->frames[0]));
	memmove(kept->returns, kept->returns + gone, (count - gone) * sizeof(kept->returns[0]));
	memmove(kept->words, kept->words + words_gone,
		(words - words_gone) * sizeof(kept->words[0]));
	for (uint32_t i = 0; i < count - gone; i++)
		kept->frames[i].reads -= 2 * words_gone;
	kept->base += gone;
	kept->hashed = 0;
}

/* The word from which a step read the caller's fp; it belongs to `caller`. */
static struct snap__word fp_word(const struct snap__frame *caller, snap__rule rule)
{
	return (struct snap__word){(const uintptr_t *)caller->sp + snap__rule_fp_words(rule),
				   caller->fp};
}

/* The words that a walk read and that are not kept yet, the outermost frame's last; and the value
   of `reads` for the next kept frame. */
struct reading {
	const struct snap__read_word *first, *end;
	uint32_t reads;
};

/* Keep the words that the step from frame `i` read; `frame` is where that is kept. */
static void keep_words(struct snap__kept *kept, const struct snap__frame *frame,
		       const struct snap__fresh *fresh, uint32_t i, struct reading *reading)
{
	uint32_t reads = reading->reads;

	for (; reading->end > reading->first && reading->end[-1].frame == i; reads += 2)
		kept->words[reads >> 1] = (--reading->end)->word;
	if ((reads & 1) && snap__rule_saves_fp(fresh->rule)) {
		if (frame > kept->frames) {
			kept->words[reads >> 1] = fp_word(frame - 1, fresh->rule);
			reads += 2;
		}
		reads &= ~1u;
	}
	if (snap__rule_kind(fresh->rule) != SNAP__RULE_SP &&
	    snap__rule_kind(fresh->rule) != SNAP__RULE_OUTERMOST)
		reads |= 1;
	reading->reads = reads;
}

/* Keep a frame, but for its fp, which matters only if `reads` is odd. */
static inline void keep_frame(struct snap__frame *frame, struct snap__return *back,
			      const struct snap__fresh *fresh, const uintptr_t *slot, uintptr_t pc,
			      uint32_t node, uint32_t reads)
{
	back->slot = slot;
	back->address = pc + 1;
	frame->pc = pc;
	frame->sp = fresh->sp;
	frame->node = node;
	frame->reads = reads;
}

/* Keep the frames from before `fresh` inwards to `newest`, whose steps read nothing but return
 * addresses, at `place` and behind.  With `linked`, give them their nodes below `node`.  Returns as
 * append(). */
__attribute__((always_inline)) static inline uint32_t
append_plain(struct snap__kept *kept, uint32_t place, const struct snap__fresh *fresh,
	     const struct snap__fresh *newest, uint32_t reads, uint32_t node, bool linked)
{
	struct snap__frame *frame = kept->frames + place;
	struct snap__return *back = kept->returns + place;
	struct snap__stacks_at at = snap__stacks_start(node);

	while (fresh > newest) {
		uintptr_t pc = snap__fresh_pc(--fresh);

		if (linked && !snap__stacks_go(&at, pc))
			return 0;
		keep_frame(frame++, back++, fresh, (const uintptr_t *)fresh->sp - 1, pc, at.id,
			   reads);
	}
	return at.id;
}

/* Keep the walk's fresh frames `newest`..`stored` after the first `count` of the old ones, and give
   those below `shown` their nodes below `node`.  Returns the last one, 0 without room in the tree.
 */
static uint32_t append(struct snap__walk *w, uint32_t count, uint32_t newest, uint32_t stored,
		       uint32_t shown, uint32_t node)
{
	struct snap__kept *kept = &w->thread->kept;
	const struct snap__fresh *all = w->thread->fresh, *fresh = all + stored;
	const struct snap__fresh *plain = w->unplain && w->unplain < fresh ? w->unplain : fresh;
	struct reading reading = {
		w->thread->read_words, w->thread->read_words + w->word_count,
		/* Beyond a gap, nothing is known about what the frames depend on. */
		count ? kept->frames[count - 1].reads : stored < w->count};

	while (reading.end > reading.first && reading.end[-1].frame >= stored)
		reading.end--;
	for (; fresh > all + newest &&
	       (fresh > plain || (reading.reads & 1) || (shown && fresh > all + shown));
	     count++) {
		uintptr_t pc = snap__fresh_pc(--fresh);
		const uintptr_t *slot =
			fresh < plain ? (const uintptr_t *)fresh->sp - 1 : fresh->slot;

		if (fresh < all + shown && !(node = snap__stacks_child(node, pc)))
			return 0;
		keep_words(kept, &kept->frames[count], fresh, (uint32_t)(fresh - all), &reading);
		keep_frame(&kept->frames[count], &kept->returns[count], fresh, slot, pc, node,
			   reading.reads);
		kept->frames[count].fp = fresh->fp;
	}
	if (shown)
		return append_plain(kept, count, fresh, all + newest, reading.reads, node, true);
	return append_plain(kept, count, fresh, all + newest, reading.reads, node, false);
}

/* The node of fresh frames that are not kept: the `shown` newest. */
static uint32_t link_fresh(const struct snap__walk *w, uint32_t shown, uint32_t node)
{
	struct snap__stacks_at at = snap__stacks_start(node);

	for (uint32_t i = shown; i-- > 0;)
		if (!snap__stacks_go(&at, snap__fresh_pc(&w->thread->fresh[i])))
			break;
	return at.id;
}

/* Make room for `stored` more kept frames by dropping those outside of `cut`. */
static void make_room(struct snap__walk *w, uint32_t stored, uint64_t cut)
{
	struct snap__kept *kept = &w->thread->kept;
	uint32_t outside = (uint32_t)(cut - kept->base);

	if (w->candidates + stored <= w->thread->rooms.frames)
		return;
	if (outside >= w->candidates) {
		w->joined = false; /* none of the old frames is shown any more */
		return;
	}
	drop_outermost(kept, w->candidates, outside);
	w->candidates -= outside;
}

/* Whether the words of `stored` more frames fit behind those of the first `count` frames. */
static bool words_fit(const struct snap__walk *w, uint32_t count, uint32_t stored)
{
	const struct snap__kept *kept = &w->thread->kept;

	return w->word_count + stored <=
	       w->thread->rooms.words - (count ? snap__frame_words(&kept->frames[count - 1]) : 0);
}

bool snap__walk_fits(const struct snap__walk *w)
{
	const struct snap__rooms *rooms = &w->thread->rooms;
	uint32_t joined = w->joined ? w->candidates : 0;

	return w->count <= rooms->fresh && joined + w->count <= rooms->frames &&
	       w->word_count < rooms->read_words && words_fit(w, joined, (uint32_t)w->count);
}

static uint32_t root_of(const struct snap__walk *w, uint64_t cut)
{
	if (cut)
		return snap__stacks_child(0, SNAP__PC_DEPTH);
	return w->truncated ? snap__stacks_child(0, SNAP__PC_TRUNCATED) : 0;
}

/* Set `*node` to the node of the kept frames up to the joint.  Without a joint, or if all kept
 * frames are cut away, set it to the parent of the fresh frames.  False if the tree has no room. */
static bool link_joined(struct snap__walk *w, uint64_t cut, uint32_t *node)
{
	struct snap__kept *kept = &w->thread->kept;
	bool any_shown = w->joined && kept->base + w->candidates > cut;

	if (any_shown && cut == kept->cut) {
		*node = kept->frames[w->candidates - 1].node;
		if (*node == 0)
			*node = node_of_kept(kept, w->candidates);
		return *node != 0;
	}
	*node = root_of(w, cut);
	if ((cut || w->truncated) && !*node)
		return false;
	if (!any_shown)
		return true;
	*node = link_kept(kept, (uint32_t)(cut - kept->base), w->candidates, *node);
	return *node != 0;
}

/* The pc of the frame that is `i` frames out from the newest; false if that is not known. */
static bool pc_at(const struct snap__walk *w, uint64_t i, uint32_t stored, uintptr_t *pc)
{
	uint64_t kept = i - w->count;

	if (i < stored)
		*pc = snap__fresh_pc(&w->thread->fresh[i]);
	else if (i >= w->count && w->joined && kept < w->candidates)
		*pc = w->thread->kept.frames[w->candidates - 1 - kept].pc;
	else
		return false;
	return true;
}

/* There is no room for the whole stack: add a mark and its newest frames. */
static uint32_t keep_newest(const struct snap__walk *w, uint32_t stored)
{
	unsigned frames = snap__stacks_shortened();
	uint32_t node = 0;
	uintptr_t pc;

	if (frames)
		node = snap__stacks_child_for(0, SNAP__PC_MEMORY, SNAP__CLAIM_RESERVED);
	while (node && frames-- > 1)
		if (pc_at(w, frames - 1, stored, &pc))
			node = snap__stacks_child_for(node, pc, SNAP__CLAIM_RESERVED);
	return node;
}

/* Note how much of the thread's arrays was used. */
static void note_used(struct snap__unwind_thread *thread, uint32_t stored, uint32_t count)
{
	if (stored > thread->longest)
		thread->longest = stored;
	if (count > thread->deepest)
		thread->deepest = count;
}

/* The hash of the first `count` kept frames, all of the stack. */
static uint64_t hash_of_kept(struct snap__kept *kept, uint32_t count)
{
	uint32_t known = kept->hashed < count ? kept->hashed : count;
	uint64_t hash = known ? kept->hashes[known - 1] : 0;

	for (; known < count; known++)
		kept->hashes[known] = hash = snap__stacks_hash(hash, kept->frames[known].pc);
	if (kept->hashed < count)
		kept->hashed = count;
	return hash;
}

uint64_t snap__walk_hash(const struct snap__walk *w)
{
	return w->hash + w->hash_power * hash_of_kept(&w->thread->kept, w->candidates);
}

/* Is all of the stack kept and shown, and is it known how its frames were reached? */
static inline bool is_usual(const struct snap__walk *w, uint32_t joined, uint32_t stored)
{
	const struct snap__kept *kept = &w->thread->kept;

	return stored == w->count && w->count + joined <= snap__depth_limit && w->unkept == 0 &&
	       w->keepable && !w->truncated && (joined == 0 || (kept->base | kept->cut) == 0) &&
	       words_fit(w, joined, stored);
}

/* The node of a walk of many frames, which are kept.  If its stack was met before, only the newest
 * frame gets its node. */
static uint32_t keep_long(struct snap__walk *w, uint32_t joined, uint32_t stored)
{
	struct snap__kept *kept = &w->thread->kept;
	uint64_t hash = hash_of_kept(kept, joined);
	uint32_t node;

	for (uint32_t i = stored; i-- > 0;)
		hash = snap__stacks_hash(hash, snap__fresh_pc(&w->thread->fresh[i]));
	__builtin_prefetch(snap__stacks_hashed_place(hash));
	append(w, joined, 0, stored, 0, 0);
	node = snap__stacks_by_hash(hash);
	if (node == 0 && (node = node_of_kept(kept, joined + stored)) != 0)
		snap__stacks_remember(hash, node);
	kept->frames[joined + stored - 1].node = node;
	return node;
}

/* Keep a usual walk, of at least one frame. */
static uint32_t keep_usual(struct snap__walk *w, uint32_t joined, uint32_t stored)
{
	struct snap__kept *kept = &w->thread->kept;
	uint32_t node = 0;

	kept->base = kept->cut = 0;
	if (stored >= LONG_WAY || w->by_hash) {
		node = keep_long(w, joined, stored);
	} else {
		if (joined)
			node = kept->frames[joined - 1].node;
		if (joined && !node && !(node = node_of_kept(kept, joined)))
			return 0;
		node = append(w, joined, 0, stored, stored, node);
	}
	note_used(w->thread, stored, joined + stored);
	atomic_signal_fence(memory_order_seq_cst);
	kept->count = node ? joined + stored : 0;
	return node;
}

/* Keep as much as possible of any other walk, of `depth` frames; `count` frames were kept
   before. */
static uint32_t keep_unusual(struct snap__walk *w, uint32_t stored, uint64_t depth, uint32_t count)
{
	struct snap__kept *kept = &w->thread->kept;
	uint32_t newest = (uint32_t)(w->unkept < stored ? w->unkept : stored);
	uint64_t cut = snap__cut_of(depth);
	uint32_t shown = depth - cut < stored ? (uint32_t)(depth - cut) : stored;
	uint32_t node, joined;

	if (w->joined)
		make_room(w, stored, cut);
	if (!link_joined(w, cut, &node))
		return 0;
	joined = w->joined ? w->candidates : 0;
	if (w->joined) {
		count = joined;
		kept->cut = cut;
	}
	if (w->keepable && !w->truncated && words_fit(w, joined, stored)) {
		if (!w->joined)
			kept->base = depth - stored;
		kept->cut = cut;
		count = joined + stored - newest;
		if (newest < stored && !(node = append(w, joined, newest, stored, shown, node)))
			return 0;
		shown = shown < newest ? shown : newest;
	}
	if (shown)
		node = link_fresh(w, shown, node);
	note_used(w->thread, stored, count);
	atomic_signal_fence(memory_order_seq_cst);
	kept->count = node ? count : 0;
	return node;
}

/* Keep the finished walk.  Returns the node of its stack; 0 if the tree has no room. */
static uint32_t keep_whole(struct snap__walk *w, uint32_t stored)
{
	struct snap__kept *kept = &w->thread->kept;
	uint64_t depth = w->count + (w->joined ? kept->base + w->candidates : 0);
	uint32_t count = kept->count, joined;

	/* A handler may leave by longjmp in the middle of this: then nothing is kept. */
	kept->count = 0;
	atomic_signal_fence(memory_order_seq_cst);
	if (stored < w->count)
		w->joined = false; /* there is a gap between the fresh frames and the kept */
	joined = w->joined ? w->candidates : 0;
	kept->hashed = joined < kept->hashed ? joined : kept->hashed;
	/* Refresh the return-address slot: the last walk may have come through another one, or have
	 * begun there. */
	if (w->joined)
		kept->returns[joined - 1].slot = w->slot;
	if (stored && is_usual(w, joined, stored))
		return keep_usual(w, joined, stored);
	return keep_unusual(w, stored, depth, count);
}

uint32_t snap__keep(struct snap__walk *w, bool *shortened)
{
	uint32_t room = w->thread->rooms.fresh;
	uint32_t stored = w->count < room ? (uint32_t)w->count : room;
	uint32_t node = keep_whole(w, stored);

	*shortened = false;
	if (__builtin_expect(!node, 0)) {
		node = keep_newest(w, stored);
		*shortened = node != 0;
	}
	return node;
}
