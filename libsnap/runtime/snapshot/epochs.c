/*
 * runtime/snapshot/epochs.c - when blocks were born, in snapshots.
 */
#include "runtime/snapshot/epochs.h"

#include "runtime/heapmap.h"
#include "runtime/hidden.h"
#include "runtime/record.h"

#define EPOCHS_KEPT   (SNAP__EPOCHS - 256u)
#define EPOCHS_MERGED 2048u

/* The last snapshot before that epoch began. */
static uint64_t seq_before[SNAP__EPOCHS] SNAP__PAGES;
static uint32_t oldest_epoch = 1;

static void merge_oldest(uint32_t closed)
{
	if ((closed + 1 - oldest_epoch) % SNAP__EPOCHS > EPOCHS_KEPT) {
		snap__heapmap_merge_epochs(oldest_epoch, EPOCHS_MERGED);
		oldest_epoch = (oldest_epoch + EPOCHS_MERGED) % SNAP__EPOCHS;
	}
}

uint32_t snap__epochs_close(uint64_t seq)
{
	uint32_t next = (snap__record_epoch() + 1) % SNAP__EPOCHS, closed;

	seq_before[next] = seq;
	closed = snap__record_close_epoch();
	merge_oldest(closed);
	return closed;
}

void snap__epochs_fail(uint32_t closed, uint64_t seq)
{
	seq_before[(closed + 1) % SNAP__EPOCHS] = seq;
}

uint32_t snap__epochs_age(uint32_t epoch)
{
	return (epoch - oldest_epoch) % SNAP__EPOCHS;
}

uint64_t snap__epochs_seq_before(uint32_t age)
{
	return seq_before[(oldest_epoch + age) % SNAP__EPOCHS];
}

void snap__epochs_after_fork(void)
{
	for (uint32_t i = 0; i < SNAP__EPOCHS; i++)
		seq_before[i] = 0;
}
