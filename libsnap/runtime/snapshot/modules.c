/*
 * runtime/snapshot/modules.c - how much of each module is in memory, if that is asked for.
 */
#include <stdatomic.h>

#include "runtime/hidden.h"
#include "runtime/process.h"
#include "runtime/resident.h"
#include "runtime/snapshot/job.h"
#include "snap/format.h"

#define MOST_MODULES 1024u /* whose memory is counted; the others are modules_uncounted */

/* Of modules that are mapped.  One snapshot is written at a time. */
static struct module_pages {
	const struct snap__module *module;
	struct snap__resident_module sum;
} module_pages[MOST_MODULES] SNAP__PAGES;

static _Atomic bool modules_wanted;

void snap__snapshot_want_modules(void)
{
	atomic_store(&modules_wanted, true);
}

/* It may be asked for while a snapshot is written; each snapshot decides once. */
static bool is_wanted(void)
{
	return snap__process_config()->resident || atomic_load(&modules_wanted);
}

/* They are read however long it takes, because the user asked for them. */
void snap__job_take_modules(struct snap__job *job)
{
	uint32_t count = snap__modules_count();
	bool begun;

	job->has_module_pages = is_wanted();
	if (!job->has_module_pages)
		return;
	begun = snap__resident_begin(0, true);
	for (uint32_t i = 0; i < count; i++) {
		struct module_pages it = {.module = snap__modules_get(i)};

		if (!snap__resident_of_module(it.module, &it.sum))
			continue;
		if (begun && job->module_pages < MOST_MODULES)
			module_pages[job->module_pages++] = it;
		else
			job->modules_uncounted++;
	}
	snap__resident_end();
}

void snap__job_add_build_id(struct snap__text *text, const struct snap__module *module)
{
	char digits[2 * SNAP__BUILD_ID_MAX];
	size_t size = module->build_id_size;

	for (size_t i = 0; i < 2 * size; i++)
		digits[i] = "0123456789abcdef"[module->build_id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	snap__text_add_bytes(text, digits, 2 * size);
}

/* A path may be mapped twice, and an address may have had another module before.  False: the path
 * is too long for a key. */
static bool put_module_metric(struct snap__job *job, const char *prefix,
			      const struct snap__module *module, uint64_t bytes)
{
	static char key[SNAP_META_KEY_MAX + 1] SNAP__PAGES; /* one snapshot is written at a time */
	char buffer[32];
	struct snap__text name = SNAP__TEXT(key), value = SNAP__TEXT(buffer);

	snap__text_add(&name, prefix);
	snap__text_add_hex(&name, module->bias);
	snap__text_add(&name, ".");
	snap__job_add_build_id(&name, module);
	snap__text_add(&name, ".");
	snap__text_add(&name, module->file);
	snap__text_add_u64(&value, bytes);
	if (!name.cut)
		snap__job_put_text(job, name.data, value.data);
	return !name.cut;
}

/* The first prefix is the longer one: if its key fits, so does the other. */
void snap__job_put_module_figures(struct snap__job *job)
{
	for (uint32_t i = 0; i < job->module_pages; i++) {
		const struct module_pages *it = &module_pages[i];

		if (it->sum.all == 0)
			continue;
		if (put_module_metric(job, "metrics.module_resident.", it->module, it->sum.all))
			put_module_metric(job, "metrics.module_private.", it->module, it->sum.own);
		else
			job->modules_uncounted++;
	}
}
