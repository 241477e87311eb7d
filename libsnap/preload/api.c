/*
 * preload/api.c - snap.h: the recorder's functions for programs.
 */
#include "snap/snap.h"

#include <errno.h>
#include <string.h>

#include "preload/entry.h"
#include "runtime/domains.h"
#include "runtime/lifecycle.h"
#include "runtime/record.h"
#include "runtime/trigger.h"

#define FRAME __builtin_frame_address(0)

ENTRY enum snap_status snap_start(const struct snap_config *config)
{
	int saved = errno;
	enum snap_status st = snap__process_start(config);

	errno = saved;
	return st;
}

ENTRY enum snap_status snap_stop(void)
{
	return snap__process_stop();
}

static enum snap_status take(const char *label, enum snap__holders holders)
{
	int saved = errno;
	enum snap_status st = SNAP_ESTATE;

	if (snap__recording())
		st = snap__trigger_take(SNAP__AT_API, label ? label : "", holders, NULL, 0);
	errno = saved;
	return st;
}

ENTRY enum snap_status snap_take(const char *label)
{
	return take(label, SNAP__HOLDERS_NONE);
}

ENTRY enum snap_status snap_take_holders(const char *label, int retained)
{
	return take(label, retained ? SNAP__HOLDERS_RETAINED : SNAP__HOLDERS_REACH);
}

ENTRY enum snap_status snap_take_census(const char *label)
{
	return take(label, SNAP__CENSUS);
}

ENTRY enum snap_status snap_flush(void)
{
	int saved = errno;

	if (!snap__recording())
		return SNAP_ESTATE;
	snap__trigger_flush();
	errno = saved;
	return SNAP_OK;
}

ENTRY enum snap_status snap_set_label(const char *key, const char *value)
{
	if (!key || !*key || strpbrk(key, "=\n") || (value && strchr(value, '\n')))
		return SNAP_EINVAL;
	return snap__process_set_label(key, value) ? SNAP_OK : SNAP_ENOMEM;
}

/* Nothing to do while recording is off: `*st` is then SNAP_OK; otherwise the domain's number. */
static uint32_t domain_of(const char *domain, const void *ptr, enum snap_status *st)
{
	uint32_t number = 0;

	*st = !domain || !*domain || !ptr ? SNAP_EINVAL : SNAP_OK;
	if (*st == SNAP_OK && snap__recording()) {
		number = snap__domain_number(domain);
		if (number == 0)
			*st = SNAP_ENOMEM;
	}
	return number;
}

ENTRY enum snap_status snap_record_alloc(const char *domain, const void *ptr, size_t size)
{
	enum snap_status st;
	uint32_t number = domain_of(domain, ptr, &st);

	if (number && !snap__record_domain_alloc(number, (uintptr_t)ptr, size, FRAME))
		st = SNAP_ENOMEM;
	return st;
}

ENTRY enum snap_status snap_record_realloc(const char *domain, const void *old_ptr,
					   const void *new_ptr, size_t size)
{
	enum snap_status st;
	uint32_t number = domain_of(domain, new_ptr, &st);

	if (number == 0)
		return st;
	if (!old_ptr)
		return snap__record_domain_alloc(number, (uintptr_t)new_ptr, size, FRAME)
			       ? SNAP_OK
			       : SNAP_ENOMEM;
	if (!snap__record_domain_resize(number, (uintptr_t)old_ptr, (uintptr_t)new_ptr, size,
					FRAME))
		st = SNAP_ENOMEM;
	return st;
}

ENTRY enum snap_status snap_record_free(const char *domain, const void *ptr)
{
	enum snap_status st;
	uint32_t number = domain_of(domain, ptr, &st);

	if (number && !snap__record_domain_free(number, (uintptr_t)ptr))
		st = SNAP_ENOTFOUND;
	return st;
}
