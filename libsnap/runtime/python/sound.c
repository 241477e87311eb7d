/*
 * runtime/python/sound.c - follow the metatypes.
 */
#include "runtime/python/sound.h"

#include "runtime/python/find.h"
#include "runtime/python/objects.h"

#define MOST_METATYPES 16u /* a class, its metaclass, the metaclass of that, ... */
#define RECENT_TYPES   256u

static bool is_readable(struct snap__space *space, uintptr_t base, size_t offset)
{
	return base % sizeof(uintptr_t) == 0 && base <= UINTPTR_MAX / 2 &&
	       snap__space_is_readable(space, base + offset, base + offset + sizeof(uintptr_t));
}

static uintptr_t type_of(uintptr_t object)
{
	return (uintptr_t)snap__python_type((const void *)object);
}

bool snap__is_sound_type(struct snap__space *space, uintptr_t type)
{
	const uintptr_t type_type = (uintptr_t)snap__python.type_type;
	uintptr_t meta = type;

	for (uint32_t i = 0; i < MOST_METATYPES; i++) {
		if (!is_readable(space, meta, SNAP__PYTHON_OBJECT_TYPE) ||
		    !is_readable(space, meta, SNAP__PYTHON_TYPE_FLAGS) ||
		    (i > 0 && !(snap__type_flags((const void *)meta) & SNAP__TYPE_IS_TYPE)))
			return false;
		meta = type_of(meta);
		if (meta == type_type)
			return true;
	}
	return false;
}

bool snap__is_sound(struct snap__space *space, uintptr_t object)
{
	static uintptr_t recent[RECENT_TYPES]; /* sound ones */
	uintptr_t type, *known;

	if (!is_readable(space, object, SNAP__PYTHON_OBJECT_TYPE))
		return false;
	type = type_of(object);
	known = &recent[type / 16 % RECENT_TYPES];
	if (*known != type && snap__is_sound_type(space, type))
		*known = type;
	return type != 0 && *known == type;
}
