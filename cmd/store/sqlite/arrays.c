/*
 * arrays.c - frames, sites and packed snapshots of a private database.
 */
#include "store/sqlite/arrays.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"

static void page_free(struct array_page *page)
{
	free(page->cells);
	free(page->births);
	ids_release(&page->cell_ids);
	ids_release(&page->birth_ids);
	free(page);
}

static void snapshot_release(struct array_snapshot *snapshot, struct pile *pile)
{
	packed_release(&snapshot->cells, pile);
	packed_release(&snapshot->variances, pile);
	packed_release(&snapshot->births, pile);
}

void arrays_release(struct arrays *arrays)
{
	for (size_t i = 0; i < arrays->page_count; i++)
		page_free(arrays->pages[i]);
	for (size_t i = 0; i < arrays->snapshot_count; i++)
		snapshot_release(&arrays->snapshots[i], &arrays->pile);
	for (size_t i = 0; i < arrays->text_count; i++)
		free((void *)(uintptr_t)arrays->text[i].data);
	pile_release(&arrays->pile);
	intern_clear(&arrays->texts);
	free(arrays->pages);
	free(arrays->snapshots);
	free(arrays->text);
	free(arrays->frames);
	free(arrays->stack);
	free(arrays->sites);
	free(arrays->site_ids);
	free(arrays->by_id);
	*arrays = (struct arrays){0};
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void drop_page(struct arrays *arrays, size_t at)
{
	page_free(arrays->pages[at]);
	memmove(&arrays->pages[at], &arrays->pages[at + 1],
		(arrays->page_count - at - 1) * sizeof(struct array_page *));
	arrays->page_count--;
}

/* Free unused pages, the oldest first, until `most` are left. */
static void drop_unused(struct arrays *arrays, size_t most)
{
	for (size_t i = 0; i < arrays->page_count && arrays->page_count > most;)
		if (arrays->pages[i]->users)
			i++;
		else
			drop_page(arrays, i);
}

/* ---- frames and sites ------------------------------------------------------------------------ */

bool arrays_text(struct arrays *arrays, const struct hash128 *hash, struct snap_text text,
		 struct snap_text *copy)
{
	int64_t known = intern_find(&arrays->texts, *hash);
	char *data;

	*copy = (struct snap_text){0};
	if (known)
		*copy = arrays->text[known - 1];
	if (known || text.size == 0)
		return true;
	if (!array_reserve(&arrays->text, &arrays->text_capacity, arrays->text_count,
			   sizeof(*arrays->text)))
		return false;
	data = malloc(text.size + 1);
	if (!data)
		return false;
	memcpy(data, text.data, text.size);
	data[text.size] = '\0';
	*copy = (struct snap_text){.data = data, .size = text.size};
	arrays->text[arrays->text_count++] = *copy;
	return intern_add(&arrays->texts, *hash, (int64_t)arrays->text_count);
}

int64_t arrays_add_frame(struct arrays *arrays, const struct array_frame *frame)
{
	if (arrays->frame_count >= UINT32_MAX - 1 ||
	    !array_reserve(&arrays->frames, &arrays->frame_capacity, arrays->frame_count,
			   sizeof(*frame)))
		return 0;
	arrays->frames[arrays->frame_count++] = *frame;
	return (int64_t)arrays->frame_count;
}

bool arrays_add_site(struct arrays *arrays, int64_t id, const struct array_site *site)
{
	if (arrays->site_count >= UINT32_MAX - 1 ||
	    !array_reserve(&arrays->sites, &arrays->site_capacity, arrays->site_count,
			   sizeof(*site)) ||
	    !array_reserve(&arrays->site_ids, &arrays->site_id_capacity, arrays->site_count,
			   sizeof(*arrays->site_ids)))
		return false;
	arrays->site_ids[arrays->site_count] = id;
	arrays->sites[arrays->site_count] = *site;
	arrays->sites[arrays->site_count].first = arrays->stack_count;
	arrays->site_count++;
	arrays->stack_count += site->depth;
	return true;
}

struct array_mark arrays_mark(const struct arrays *arrays)
{
	return (struct array_mark){arrays->frame_count, arrays->site_count, arrays->stack_count,
				   arrays->snapshot_count};
}

/* Texts are kept: a later load finds them again. */
void arrays_undo(struct arrays *arrays, const struct array_mark *mark)
{
	size_t kept = 0;

	drop_unused(arrays, 0);
	for (size_t i = 0; i < arrays->by_id_count; i++)
		if (arrays->by_id[i] < mark->sites)
			arrays->by_id[kept++] = arrays->by_id[i];
	arrays->by_id_count = kept;
	while (arrays->snapshot_count > mark->snapshots)
		snapshot_release(&arrays->snapshots[--arrays->snapshot_count], &arrays->pile);
	arrays->frame_count = mark->frames;
	arrays->site_count = mark->sites;
	arrays->stack_count = mark->stack;
}

/* Merge the new sites, which are sorted and lie behind the others, from the end. */
static enum snap_status merge(struct arrays *arrays)
{
	size_t old = arrays->by_id_count, new = arrays->site_count;
	const int64_t *ids = arrays->site_ids;

	for (size_t to = arrays->site_count; to-- > 0;) {
		bool is_old = new == arrays->by_id_count ||
			      (old > 0 && ids[arrays->by_id[old - 1]] > ids[new - 1]);

		arrays->by_id[to] = is_old ? arrays->by_id[--old] : (uint32_t)-- new;
	}
	arrays->by_id_count = arrays->site_count;
	for (size_t i = 1; i < arrays->by_id_count; i++)
		if (ids[arrays->by_id[i]] == ids[arrays->by_id[i - 1]])
			return SNAP_ECORRUPT;
	return SNAP_OK;
}

enum snap_status arrays_sort(struct arrays *arrays)
{
	uint32_t *by_id;

	if (arrays->by_id_count == arrays->site_count)
		return SNAP_OK;
	by_id = realloc(arrays->by_id, (arrays->site_count + 1) * sizeof(*by_id));
	if (!by_id)
		return SNAP_ENOMEM;
	arrays->by_id = by_id;
	return merge(arrays);
}

static size_t find_site_from(const struct arrays *arrays, size_t low, int64_t id)
{
	size_t high = arrays->by_id_count, at;

	for (size_t step = 1; low + step < high; step *= 2) {
		if (arrays->site_ids[arrays->by_id[low + step]] >= id) {
			high = low + step;
			break;
		}
		low += step;
	}
	SEARCH(at, low, high, arrays->site_ids[arrays->by_id[at]] < id);
	return at;
}

size_t arrays_find_site(const struct arrays *arrays, int64_t id)
{
	return find_site_from(arrays, 0, id);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* A site is written as the distance from the one before, which is 1 in most snapshots. */
struct site_walk {
	size_t by_id;
	int64_t site;
};

static void put_site(const struct arrays *arrays, struct packing *packing, struct site_walk *walk,
		     int64_t id)
{
	int64_t site;

	walk->by_id = find_site_from(arrays, walk->by_id, id);
	site = arrays->by_id[walk->by_id];
	packing_put_signed(packing, site - walk->site);
	walk->site = site;
}

static int64_t get_site(const struct arrays *arrays, struct packing *packing,
			struct site_walk *walk)
{
	walk->site += packing_get_signed(packing);
	return arrays->site_ids[walk->site];
}

/* SNAP_UNKNOWN becomes 0. */
static void put_figure(struct packing *packing, uint64_t figure)
{
	packing_put(packing, figure + 1);
}

static uint64_t get_figure(struct packing *packing)
{
	return packing_get(packing) - 1;
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static enum snap_status status_of_errno(void)
{
	return errno == ENOMEM ? SNAP_ENOMEM : SNAP_ESYSTEM;
}

static bool pack_cells(struct arrays *arrays, struct array_snapshot *snapshot,
		       const struct array_cell *cells)
{
	struct packing packing;
	struct site_walk walk = {0};

	if (!packing_reserve(&packing, (size_t)snapshot->cell_count * 5))
		return false;
	for (uint32_t i = 0; i < snapshot->cell_count; i++) {
		put_site(arrays, &packing, &walk, cells[i].site_id);
		for (int k = 0; k < FIGURES; k++)
			put_figure(&packing, cells[i].figures[k]);
	}
	return packing_keep(&packing, &arrays->pile, &snapshot->cells);
}

static bool pack_variances(struct arrays *arrays, struct array_snapshot *snapshot,
			   const struct array_cell *cells)
{
	struct packing packing;

	if (!snapshot->sampled)
		return true;
	if (!packing_reserve(&packing, (size_t)snapshot->cell_count * 4))
		return false;
	for (uint32_t i = 0; i < snapshot->cell_count; i++)
		for (int k = 0; k < FIGURES; k++)
			packing_put(&packing, bits_of(cells[i].variances[k]));
	return packing_keep(&packing, &arrays->pile, &snapshot->variances);
}

enum snap_status arrays_add_snapshot(struct arrays *arrays, int64_t id,
				     const struct array_cell *cells, size_t cell_count,
				     bool sampled)
{
	struct array_snapshot *snapshot;

	if (!array_reserve(&arrays->snapshots, &arrays->snapshot_capacity, arrays->snapshot_count,
			   sizeof(*snapshot)))
		return SNAP_ENOMEM;
	snapshot = &arrays->snapshots[arrays->snapshot_count++];
	*snapshot = (struct array_snapshot){
		.id = id, .cell_count = (uint32_t)cell_count, .sampled = sampled};
	if (!pack_cells(arrays, snapshot, cells) || !pack_variances(arrays, snapshot, cells))
		return status_of_errno();
	return SNAP_OK;
}

enum snap_status arrays_add_births(struct arrays *arrays, const struct array_birth *births,
				   size_t count)
{
	struct array_snapshot *snapshot = &arrays->snapshots[arrays->snapshot_count - 1];
	struct packing packing;
	struct site_walk walk = {0};

	if (!packing_reserve(&packing, count * 4))
		return SNAP_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		put_site(arrays, &packing, &walk, births[i].site_id);
		packing_put(&packing, births[i].seq);
		put_figure(&packing, births[i].blocks);
		put_figure(&packing, births[i].bytes);
	}
	if (!packing_keep(&packing, &arrays->pile, &snapshot->births))
		return status_of_errno();
	snapshot->birth_count = (uint32_t)count;
	return SNAP_OK;
}

size_t arrays_find_snapshot(const struct arrays *arrays, int64_t id)
{
	size_t at;

	SEARCH(at, 0, arrays->snapshot_count, arrays->snapshots[at].id < id);
	return at < arrays->snapshot_count && arrays->snapshots[at].id == id
		       ? at
		       : arrays->snapshot_count;
}

/* ---- unpacking ------------------------------------------------------------------------------- */

static bool unpack_cells(const struct arrays *arrays, struct array_page *page)
{
	const struct array_snapshot *snapshot = &arrays->snapshots[page->snapshot];
	struct packing packing;
	struct site_walk walk = {0};

	page->cells = array_zeroed(snapshot->cell_count, sizeof(*page->cells));
	if (!page->cells || !unpacking_begin(&packing, &arrays->pile, &snapshot->cells))
		return false;
	for (uint32_t i = 0; i < snapshot->cell_count; i++) {
		page->cells[i].site_id = get_site(arrays, &packing, &walk);
		for (int k = 0; k < FIGURES; k++)
			page->cells[i].figures[k] = get_figure(&packing);
	}
	unpacking_end(&packing, &snapshot->cells);
	return ids_make(&page->cell_ids, &page->cells->site_id, sizeof(*page->cells),
			snapshot->cell_count);
}

static bool unpack_variances(const struct arrays *arrays, struct array_page *page)
{
	const struct array_snapshot *snapshot = &arrays->snapshots[page->snapshot];
	struct packing packing;

	if (!snapshot->sampled)
		return true;
	if (!unpacking_begin(&packing, &arrays->pile, &snapshot->variances))
		return false;
	for (uint32_t i = 0; i < snapshot->cell_count; i++)
		for (int k = 0; k < FIGURES; k++)
			page->cells[i].variances[k] = double_of(packing_get(&packing));
	unpacking_end(&packing, &snapshot->variances);
	return true;
}

static bool unpack_births(const struct arrays *arrays, struct array_page *page)
{
	const struct array_snapshot *snapshot = &arrays->snapshots[page->snapshot];
	struct packing packing;
	struct site_walk walk = {0};

	page->births = calloc((size_t)snapshot->birth_count + 1, sizeof(*page->births));
	if (!page->births)
		return false;
	if (snapshot->birth_count) {
		if (!unpacking_begin(&packing, &arrays->pile, &snapshot->births))
			return false;
		for (uint32_t i = 0; i < snapshot->birth_count; i++) {
			page->births[i].site_id = get_site(arrays, &packing, &walk);
			page->births[i].seq = packing_get(&packing);
			page->births[i].blocks = get_figure(&packing);
			page->births[i].bytes = get_figure(&packing);
		}
		unpacking_end(&packing, &snapshot->births);
	}
	return ids_make(&page->birth_ids, &page->births->site_id, sizeof(*page->births),
			snapshot->birth_count);
}

static struct array_page *find_page(struct arrays *arrays, size_t snapshot)
{
	for (size_t i = 0; i < arrays->page_count; i++)
		if (arrays->pages[i]->snapshot == snapshot) {
			struct array_page *page = arrays->pages[i];

			memmove(&arrays->pages[i], &arrays->pages[i + 1],
				(arrays->page_count - i - 1) * sizeof(struct array_page *));
			arrays->pages[arrays->page_count - 1] = page;
			return page;
		}
	return NULL;
}

static struct array_page *make_page(struct arrays *arrays, size_t snapshot)
{
	struct array_page *page;

	drop_unused(arrays, ARRAY_PAGES - 1);
	if (!array_reserve(&arrays->pages, &arrays->page_capacity, arrays->page_count,
			   sizeof(struct array_page *)))
		return NULL;
	page = calloc(1, sizeof(*page));
	if (!page)
		return NULL;
	page->snapshot = snapshot;
	if (unpack_cells(arrays, page) && unpack_variances(arrays, page)) {
		arrays->pages[arrays->page_count++] = page;
		return page;
	}
	page_free(page);
	return NULL;
}

struct array_page *arrays_use(struct arrays *arrays, size_t snapshot, bool with_births)
{
	struct array_page *page = find_page(arrays, snapshot);

	if (!page)
		page = make_page(arrays, snapshot);
	if (page && with_births && !page->births && !unpack_births(arrays, page)) {
		free(page->births);
		page->births = NULL;
		return NULL;
	}
	if (!page)
		return NULL;
	page->users++;
	return page;
}

void arrays_leave(struct arrays *arrays, struct array_page *page)
{
	if (!page)
		return;
	page->users--;
	drop_unused(arrays, ARRAY_PAGES);
}
