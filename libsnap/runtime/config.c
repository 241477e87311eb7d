/*
 * runtime/config.c - settings from the environment and from the API.
 */
#include "runtime/config.h"

#include <signal.h>
#include <string.h>

#include "image/image.h"
#include "runtime/holders/holders.h"
#include "runtime/text.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{"", 1},
	{"B", 1},
	{"K", 1ull << 10},
	{"KiB", 1ull << 10},
	{"kB", 1000},
	{"KB", 1000},
	{"M", 1ull << 20},
	{"MiB", 1ull << 20},
	{"MB", 1000000},
	{"G", 1ull << 30},
	{"GiB", 1ull << 30},
	{"GB", 1000000000},
	{"T", 1ull << 40},
	{"TiB", 1ull << 40},
	{NULL, 0},
};

static const struct unit durations[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000ull},
	{"min", 60000000000ull},
	{"h", 3600000000000ull},
	{NULL, 0},
};

/* A decimal number with an optional fraction and a unit: the value in the unit's smallest. */
static bool parse_quantity(const char *text, const struct unit *units, uint64_t *value)
{
	const char *rest;
	uint64_t whole = snap__parse_u64(text, &rest), fraction = 0, scale = 1;

	if (text[0] < '0' || text[0] > '9')
		return false;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++)
			if (scale < 1000000) {
				fraction = fraction * 10 + (uint64_t)(*rest - '0');
				scale *= 10;
			}
	while (*rest == ' ')
		rest++;
	for (; units->name; units++) {
		if (!snap__equal(units->name, rest))
			continue;
		if (whole > UINT64_MAX / 2 / units->factor)
			return false;
		*value = whole * units->factor + fraction * (units->factor / scale) +
			 fraction * (units->factor % scale) / scale;
		return true;
	}
	return false;
}

bool snap__parse_size(const char *text, uint64_t *bytes)
{
	return parse_quantity(text, sizes, bytes);
}

bool snap__parse_duration(const char *text, uint64_t *ns)
{
	return parse_quantity(text, durations, ns);
}

bool snap__parse_signal(const char *text, int *number)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{"HUP", SIGHUP},     {"INT", SIGINT},   {"QUIT", SIGQUIT},     {"USR1", SIGUSR1},
		{"USR2", SIGUSR2},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},     {"CONT", SIGCONT},
		{"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
		{"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
		{"WINCH", SIGWINCH}, {"IO", SIGIO},     {"PWR", SIGPWR},       {"PIPE", SIGPIPE},
		{"CHLD", SIGCHLD},
	};
	const char *rest;
	uint64_t value;

	if (snap__starts_with(text, "SIG"))
		text += 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (snap__equal(names[i].name, text)) {
			*number = names[i].number;
			return true;
		}
	if (snap__starts_with(text, "RTMIN")) {
		value = (uint64_t)SIGRTMIN;
		rest = text + 5;
		if (*rest == '+')
			value += snap__parse_u64(rest + 1, &rest);
	} else {
		value = snap__parse_u64(text, &rest);
	}
	*number = (int)(value & 0xff);
	return *rest == '\0' && value > 0 && value <= (uint64_t)SIGRTMAX && value != SIGKILL &&
	       value != SIGSTOP;
}

static bool copy(char *into, size_t capacity, const char *text)
{
	struct snap__text out = snap__text_in(into, capacity);

	snap__text_add(&out, text);
	return !out.cut;
}

static bool set_out(struct snap__config *c, const char *v)
{
	return v[0] != '\0' && copy(c->out, sizeof(c->out) / 2, v);
}

static bool set_hello(struct snap__config *c, const char *v)
{
	return copy(c->hello, sizeof(c->hello), v);
}

static bool set_labels(struct snap__config *c, const char *v)
{
	return copy(c->labels, sizeof(c->labels), v);
}

static bool set_every(struct snap__config *c, const char *v)
{
	return snap__parse_duration(v, &c->every_ns);
}

static bool set_safety(struct snap__config *c, const char *v)
{
	return snap__parse_duration(v, &c->safety_ns);
}

static bool set_growth(struct snap__config *c, const char *v)
{
	return snap__parse_size(v, &c->growth_bytes);
}

static bool set_peak(struct snap__config *c, const char *v)
{
	c->keep_peak = false;
	return snap__parse_size(v, &c->peak_bytes);
}

static bool set_keep_peak(struct snap__config *c, const char *v)
{
	uint64_t bytes;

	if (!snap__parse_size(v, &bytes))
		return false;
	if (c->peak_bytes == 0) { /* if the user asked for peaks, every step gives a snapshot */
		c->peak_bytes = bytes;
		c->keep_peak = bytes > 0;
	}
	return true;
}

static bool set_sample(struct snap__config *c, const char *v)
{
	return snap__parse_size(v, &c->sample_bytes);
}

static bool set_memory(struct snap__config *c, const char *v)
{
	return snap__parse_size(v, &c->memory_bytes);
}

static bool set_seed(struct snap__config *c, const char *v)
{
	const char *rest;

	c->seed = snap__parse_u64(v, &rest);
	return *v != '\0' && *rest == '\0';
}

static bool set_depth(struct snap__config *c, const char *v)
{
	const char *rest;
	uint64_t depth = snap__parse_u64(v, &rest);

	c->depth = depth > SNAP__DEPTH_MAX ? SNAP__DEPTH_MAX : (unsigned)depth;
	return *rest == '\0' && depth > 0;
}

static bool parse_holders(const char *v, int *holders)
{
	*holders = SNAP__HOLDERS_NONE;
	if (snap__equal(v, "reach"))
		*holders = SNAP__HOLDERS_REACH;
	if (snap__equal(v, "retained"))
		*holders = SNAP__HOLDERS_RETAINED;
	return *holders != SNAP__HOLDERS_NONE || !*v;
}

static bool set_holders(struct snap__config *c, const char *v)
{
	return parse_holders(v, &c->holders);
}

static bool set_holders_at_exit(struct snap__config *c, const char *v)
{
	return parse_holders(v, &c->holders_at_exit);
}

static bool set_census(struct snap__config *c, const char *v)
{
	c->census = !snap__equal(v, "0") && *v;
	return true;
}

static bool set_resident(struct snap__config *c, const char *v)
{
	c->resident = !snap__equal(v, "0") && *v;
	return true;
}

static bool set_verify(struct snap__config *c, const char *v)
{
	const char *rest;
	uint64_t every = snap__parse_u64(v, &rest);

	c->verify = (unsigned)every; /* empty: off, as if it were not set */
	return *rest == '\0' && every <= UINT32_MAX;
}

static bool set_signal(struct snap__config *c, const char *v)
{
	return snap__parse_signal(v, &c->signal);
}

static bool set_exit(struct snap__config *c, const char *v)
{
	static const char *const names[] = {"late", "early", "none"};

	for (unsigned i = 0; i < 3; i++)
		if (snap__equal(names[i], v)) {
			c->exit = (enum snap_exit_snapshot)i;
			return true;
		}
	return false;
}

static bool set_follow(struct snap__config *c, const char *v)
{
	c->follow = !snap__equal(v, "0");
	return true;
}

static bool set_follow_only(struct snap__config *c, const char *v)
{
	return copy(c->follow_only, sizeof(c->follow_only), v);
}

static bool set_follow_not(struct snap__config *c, const char *v)
{
	return copy(c->follow_not, sizeof(c->follow_not), v);
}

static bool set_run(struct snap__config *c, const char *v)
{
	c->run = snap__parse_u64(v, NULL);
	return true;
}

static bool set_mmap(struct snap__config *c, const char *v)
{
	c->mmap = !snap__equal(v, "0");
	return true;
}

static bool set_durable(struct snap__config *c, const char *v)
{
	c->durable = !snap__equal(v, "0");
	return true;
}

static bool set_python(struct snap__config *c, const char *v)
{
	static const char *const names[] = {"auto", "on", "off"};

	for (unsigned i = 0; i < 3; i++)
		if (snap__equal(names[i], v)) {
			c->python = (enum snap__python_wish)i;
			return true;
		}
	return false;
}

static bool set_command(struct snap__config *c, const char *v)
{
	static const char *const names[] = {"masked", "full", "name", "none"};

	for (unsigned i = 0; i < 4; i++)
		if (snap__equal(names[i], v)) {
			c->command = (enum snap__command_wish)i;
			return true;
		}
	return false;
}

static bool set_active(struct snap__config *c, const char *v)
{
	c->active = !snap__equal(v, "0");
	return true;
}

/* The settings, and the message when a value is invalid. */
static const struct {
	const char *name; /* with its '=' */
	bool (*set)(struct snap__config *config, const char *value);
	const char *complaint;
} settings[] = {
	{"SNAP_OUT=", set_out, "SNAP_OUT is not a usable directory name"},
	{"SNAP_HELLO=", set_hello, "SNAP_HELLO is too long"},
	{"SNAP_LABELS=", set_labels, "SNAP_LABELS is too long"},
	{"SNAP_EVERY=", set_every, "SNAP_EVERY is not a duration such as 500ms or 10s"},
	{"SNAP_SAFETY=", set_safety, "SNAP_SAFETY is not a duration such as 60s or 5m"},
	{"SNAP_AT_GROWTH=", set_growth, "SNAP_AT_GROWTH is not a size such as 64KiB or 1MiB"},
	{"SNAP_AT_PEAK=", set_peak, "SNAP_AT_PEAK is not a size such as 64KiB or 1MiB"},
	{"SNAP_KEEP_PEAK=", set_keep_peak, "SNAP_KEEP_PEAK is not a size such as 1MiB"},
	{"SNAP_SAMPLE=", set_sample, "SNAP_SAMPLE is not a size such as 512KiB"},
	{"SNAP_SEED=", set_seed, "SNAP_SEED is not a number"},
	{"SNAP_MAX_MEMORY=", set_memory, "SNAP_MAX_MEMORY is not a size such as 128MiB"},
	{"SNAP_DEPTH=", set_depth, "SNAP_DEPTH is not a positive number"},
	{"SNAP_VERIFY=", set_verify, "SNAP_VERIFY is not a number"},
	{"SNAP_ON_SIGNAL=", set_signal, "SNAP_ON_SIGNAL is not a signal that can be caught"},
	{"SNAP_EXIT=", set_exit, "SNAP_EXIT is not late, early or none"},
	{"SNAP_HOLDERS=", set_holders, "SNAP_HOLDERS is not reach or retained"},
	{"SNAP_HOLDERS_AT_EXIT=", set_holders_at_exit,
	 "SNAP_HOLDERS_AT_EXIT is not reach or retained"},
	{"SNAP_CENSUS=", set_census, NULL},
	{"SNAP_RESIDENT=", set_resident, NULL},
	{"SNAP_FOLLOW=", set_follow, NULL},
	{"SNAP_FOLLOW_ONLY=", set_follow_only, "SNAP_FOLLOW_ONLY is too long"},
	{"SNAP_FOLLOW_NOT=", set_follow_not, "SNAP_FOLLOW_NOT is too long"},
	{"SNAP_RUN=", set_run, NULL},
	{"SNAP_MMAP=", set_mmap, NULL},
	{"SNAP_DURABLE=", set_durable, NULL},
	{"SNAP_PYTHON=", set_python, "SNAP_PYTHON is not auto, on or off"},
	{"SNAP_RECORD_COMMAND=", set_command,
	 "SNAP_RECORD_COMMAND is not masked, full, name or none"},
	{"SNAP_ACTIVE=", set_active, NULL},
};

const char *snap__config_from_environment(struct snap__config *config,
					  const char *const *environment)
{
	const char *complaint = NULL;

	copy(config->out, sizeof(config->out), "snaps");
	config->depth = SNAP__DEPTH_DEFAULT;
	config->follow = true;
	for (; environment && *environment; environment++) {
		if (!snap__starts_with(*environment, "SNAP_"))
			continue;
		for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
			const char *name = settings[i].name;
			size_t n;

			if (name[5] != (*environment)[5])
				continue;
			n = snap__length(name);
			if (strncmp(*environment, name, n) != 0)
				continue;
			if (!settings[i].set(config, *environment + n) && !complaint)
				complaint = settings[i].complaint;
		}
	}
	/* In sampled mode a mapping cannot lose a part: its weight would be unknown. */
	if (config->mmap && config->sample_bytes && !complaint)
		complaint = "SNAP_MMAP does not go with SNAP_SAMPLE";
	return complaint;
}

/* `*` stands for any text, `?` for one byte.  The pattern ends at `end`. */
static bool matches(const char *pattern, const char *end, const char *name)
{
	const char *star = NULL, *again = NULL;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = pattern++;
			again = name;
		} else if (pattern < end && (*pattern == '?' || *pattern == *name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++again;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* One pattern a line. */
static bool matches_any(const char *patterns, const char *name)
{
	while (*patterns) {
		const char *end = patterns;

		while (*end && *end != '\n')
			end++;
		if (end > patterns && matches(patterns, end, name))
			return true;
		patterns = *end ? end + 1 : end;
	}
	return false;
}

bool snap__config_follows(const struct snap__config *config, const char *name)
{
	return (!config->follow_only[0] || matches_any(config->follow_only, name)) &&
	       !matches_any(config->follow_not, name);
}

const char *snap__config_apply(struct snap__config *config, const struct snap_config *wanted)
{
	struct snap_config given;

	if (wanted->size < sizeof(size_t) + sizeof(char *) || wanted->size > sizeof(given))
		return "struct snap_config has a size that this version does not know";
	memset(&given, 0, sizeof(given));
	memcpy(&given, wanted, wanted->size);
	if (given.directory && !set_out(config, given.directory))
		return "the directory's name is empty or too long";
	if (given.every_ms > UINT64_MAX / 2000000)
		return "every_ms is too large";
	if (given.exit_snapshot < SNAP_EXIT_LATE || given.exit_snapshot > SNAP_EXIT_NONE)
		return "exit_snapshot is not one of enum snap_exit_snapshot";
	if (given.on_signal < 0 || given.on_signal > SIGRTMAX || given.on_signal == SIGKILL ||
	    given.on_signal == SIGSTOP)
		return "on_signal is not a signal that can be caught";
	if (given.every_ms)
		config->every_ns = given.every_ms * 1000000;
	if (given.growth_bytes)
		config->growth_bytes = given.growth_bytes;
	if (given.peak_bytes) {
		config->peak_bytes = given.peak_bytes;
		config->keep_peak = false;
	}
	if (given.sample_bytes)
		config->sample_bytes = given.sample_bytes;
	if (given.depth)
		config->depth = given.depth > SNAP__DEPTH_MAX ? SNAP__DEPTH_MAX : given.depth;
	if (given.on_signal)
		config->signal = given.on_signal;
	if (given.exit_snapshot)
		config->exit = (enum snap_exit_snapshot)given.exit_snapshot;
	return NULL;
}

void snap__config_unfollow(char **environment)
{
	char **keep = environment;

	for (; environment && *environment; environment++) {
		if (snap__starts_with(*environment, "LD_PRELOAD=")) {
			char *value = *environment + 11;

			if (!snap__image_strip_preload(value, value))
				continue;
		}
		if (!snap__starts_with(*environment, "SNAP_ACTIVE="))
			*keep++ = *environment;
	}
	if (keep)
		*keep = NULL;
}
