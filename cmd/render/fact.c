/*
 * fact.c - format a number for people, by its name ("recorder_cpu_ns").
 */
#include "render/render.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Further figures in bytes, whose names do not say so. */
static const char *const byte_names[] = {
	"allocator.arena",
	"allocator.free",
	"allocator.free_absent",
	"allocator.in_use",
	"allocator.mapped",
	"allocator.releasable",
	"anonymous",
	"cgroup.current",
	"cgroup.limit",
	"heaps.in_use",
	"heaps.recorded",
	"heaps.resident",
	"pss",
	"pymalloc.frames",
	"pymalloc.free",
	"pymalloc.recorded",
	"pymalloc.resident",
	"rss",
	"recorder.memory",
	"resident.files",
	"resident.modules",
	"resident.recorder",
	"resident.shared",
	"resident.stacks",
	"recorder_memory",
	"swap",
	"unseen",
	"vm_hwm",
	"vm_size",
};

static bool ends_with(const char *text, const char *suffix)
{
	size_t size = strlen(text), suffix_size = strlen(suffix);

	return size > suffix_size && strcmp(text + size - suffix_size, suffix) == 0;
}

static bool is_bytes(const char *name)
{
	for (size_t i = 0; i < sizeof(byte_names) / sizeof(byte_names[0]); i++)
		if (strcmp(byte_names[i], name) == 0)
			return true;
	return ends_with(name, "_bytes");
}

const char *render_duration(uint64_t ns, char buffer[32])
{
	static const struct {
		double ns;
		const char *name;
	} units[] = {{3600e9, "h"}, {60e9, "min"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		/* 90 s are easier to read than 1.5 min, 90 min than 1.5 h. */
		double least = units[i].ns >= 60e9 ? 2 * units[i].ns : units[i].ns;

		if ((double)ns < least)
			continue;
		snprintf(buffer, 32, "%.1f %s", (double)ns / units[i].ns, units[i].name);
		return buffer;
	}
	snprintf(buffer, 32, "%" PRIu64 " ns", ns);
	return buffer;
}

const char *render_time(const char *iso, char buffer[RENDER_TIME_SIZE])
{
	char *middle;

	snprintf(buffer, RENDER_TIME_SIZE, "%s", iso);
	middle = strchr(buffer, 'T');
	if (middle)
		*middle = ' ';
	return buffer;
}

const char *render_fact(const char *name, int64_t number, char buffer[32])
{
	if (number >= 0 && ends_with(name, "_ns"))
		return render_duration((uint64_t)number, buffer);
	if (is_bytes(name))
		return render_bytes(number, false, buffer);
	snprintf(buffer, 32, "%" PRId64, number);
	return buffer;
}
