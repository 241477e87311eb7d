/*
 * simulate.c - sites whose behaviour is known, simulated object by object.
 *
 * Time is measured in typical intervals between snapshots; it advances in quarters.  A behaviour
 * adds objects with a time of death, or frees them itself.  Every site also has blocks in flight:
 * allocated shortly before a snapshot and freed shortly after.
 */
#include "growth/simulate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKS = 4, MOST_COHORTS = 64, SAMPLED_OF = 4 };
static const double forever = 1e18;
static const double two_pi = 6.283185307179586;

struct object {
	uint64_t birth_seq;
	double death, bytes;
	bool sampled; /* seen when the recorder samples */
};

struct site_sim {
	uint64_t random;
	enum sim_world world;
	double now, tick, duration; /* duration: of the whole run */
	uint64_t seq;               /* of the last snapshot */
	struct object *objects;
	size_t count, room;
	/* parameters, drawn once per site */
	double rate;       /* objects per interval */
	double size;       /* median bytes */
	double size_sigma; /* of the logarithm */
	double in_flight;  /* mean number at a snapshot */
	double start, stop, period, life, burst, capacity;
	double lag; /* what a consumer takes of what is produced */
	/* state */
	double used, level;
	bool touches_gradually; /* room of the container becomes resident when it is used */
	double seconds, work;   /* of the process: time passed, and blocks allocated */
	double cpu, cpu_after;  /* seconds of CPU time; those per second after the load ended */
	uint64_t ticks, allocated;
};

/* ---- random numbers: splitmix64, so that results do not depend on a library ---- */

static uint64_t random_bits(struct site_sim *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double uniform(struct site_sim *s, double low, double high)
{
	return low + (high - low) * ((double)(random_bits(s) >> 11) * 0x1p-53);
}

static double log_uniform(struct site_sim *s, double low, double high)
{
	return exp(uniform(s, log(low), log(high)));
}

static bool chance(struct site_sim *s, double p)
{
	return uniform(s, 0, 1) < p;
}

static double exponential(struct site_sim *s, double mean)
{
	return -mean * log(1 - uniform(s, 0, 1));
}

static double normal(struct site_sim *s)
{
	return sqrt(exponential(s, 2)) * cos(uniform(s, 0, two_pi));
}

static size_t poisson(struct site_sim *s, double mean)
{
	size_t n = 0;

	if (mean > 50) {
		double value = mean + sqrt(mean) * normal(s);

		return value < 0 ? 0 : (size_t)(value + 0.5);
	}
	for (double t = exponential(s, 1); t < mean; t += exponential(s, 1))
		n++;
	return n;
}

/* ---- objects ---- */

static void *grown(void *array, size_t bytes)
{
	void *larger = realloc(array, bytes);

	if (!larger) {
		fputs("simulate: out of memory\n", stderr);
		exit(4);
	}
	return larger;
}

static double draw_size(struct site_sim *s)
{
	double bytes = s->size_sigma > 0 ? s->size * exp(s->size_sigma * normal(s)) : s->size;

	return bytes < 1 ? 1 : floor(bytes);
}

static struct object *add(struct site_sim *s, double death, double bytes)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 256;
		s->objects = grown(s->objects, s->room * sizeof(*s->objects));
	}
	s->objects[s->count] = (struct object){.birth_seq = s->seq,
					       .death = death,
					       .bytes = bytes,
					       .sampled = random_bits(s) % SAMPLED_OF == 0};
	s->allocated++;
	return &s->objects[s->count++];
}

static void add_many(struct site_sim *s, size_t n, double life)
{
	while (n-- > 0)
		add(s, s->now + life, draw_size(s));
}

static void sweep(struct site_sim *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->objects[i].death > s->now)
			s->objects[kept++] = s->objects[i];
	s->count = kept;
}

static void free_oldest(struct site_sim *s, size_t n)
{
	n = n > s->count ? s->count : n;
	if (n == 0) /* there may be no array yet */
		return;
	memmove(s->objects, s->objects + n, (s->count - n) * sizeof(*s->objects));
	s->count -= n;
}

/* ---- behaviours: what happens in one tick ---- */

static bool snapshot_boundary(const struct site_sim *s)
{
	return s->ticks % TICKS == 0;
}

static void leak_exact(struct site_sim *s)
{
	if (snapshot_boundary(s))
		add_many(s, (size_t)ceil(s->rate), forever);
}

static void leak_noisy(struct site_sim *s)
{
	add_many(s, poisson(s, s->rate * s->tick), forever);
}

static void leak_rare(struct site_sim *s)
{
	if (chance(s, s->tick / s->period))
		add_many(s, (size_t)ceil(s->burst), forever);
}

static void leak_late(struct site_sim *s)
{
	if (s->now >= s->start)
		leak_noisy(s);
}

static void fill_once(struct site_sim *s, double until)
{
	if (s->now < until)
		add_many(s, poisson(s, s->capacity / until * s->tick), forever);
}

static void leak_after_warm_up(struct site_sim *s)
{
	fill_once(s, s->start);
	leak_noisy(s);
}

/* A buffer that is emptied every `period`. */
static void saw(struct site_sim *s, double rate)
{
	double next = (floor((s->now + s->level) / s->period) + 1) * s->period - s->level;

	add_many(s, poisson(s, rate * s->tick), next - s->now);
}

static void leak_under_sawtooth(struct site_sim *s)
{
	saw(s, s->rate * s->burst);
	leak_noisy(s);
}

static void leak_under_pool(struct site_sim *s)
{
	size_t n = poisson(s, s->rate * s->burst * s->tick);

	while (n-- > 0)
		add(s, s->now + exponential(s, s->life), draw_size(s));
	leak_noisy(s);
}

static void leak_two(struct site_sim *s)
{
	leak_rare(s);
	leak_noisy(s);
}

/* A queue: the consumer takes the oldest, but fewer than the producer adds. */
static void queue_that_lags(struct site_sim *s)
{
	add_many(s, poisson(s, s->rate * s->burst * s->tick), forever);
	free_oldest(s, poisson(s, s->rate * s->burst * s->lag * s->tick));
}

static void leak_that_stops(struct site_sim *s)
{
	if (s->now < s->stop)
		leak_noisy(s);
}

/* One block, the site's first, that grows: by doubling when full, or by exactly what is appended.
 */
static void container(struct site_sim *s, bool doubling, bool new_block)
{
	if (s->ticks == 0) {
		add(s, forever, s->size)->sampled = true;
		s->used = 0;
	}
	if (s->now >= s->stop)
		return;
	s->touches_gradually = doubling && !new_block;
	s->used += (double)poisson(s, s->rate * s->tick) * s->size / (doubling ? 1 : 8);
	if (s->used <= s->objects[0].bytes)
		return;
	while (doubling && s->objects[0].bytes < s->used)
		s->objects[0].bytes *= 2;
	if (!doubling)
		s->objects[0].bytes = s->used;
	if (new_block)
		s->objects[0].birth_seq = s->seq;
}

static void container_doubling(struct site_sim *s)
{
	container(s, true, false);
}

static void container_appending(struct site_sim *s)
{
	container(s, false, false);
}

static void hash_table_doubling(struct site_sim *s)
{
	container(s, true, true);
}

static void container_that_stops(struct site_sim *s)
{
	container(s, false, false);
}

/* A vector that is filled for a part of the run, at most four fifths of it. */
static void vector_that_stops(struct site_sim *s)
{
	container(s, true, false);
}

static void hash_table_that_stops(struct site_sim *s)
{
	container(s, true, true);
}

static void flat(struct site_sim *s)
{
	if (s->ticks == 0)
		add_many(s, (size_t)s->capacity, forever);
}

static void pool(struct site_sim *s, bool log_normal)
{
	size_t n = poisson(s, s->rate * s->tick);

	if (s->ticks == 0 && s->used > 0)
		n += (size_t)(s->rate * s->life);
	while (n-- > 0) {
		double life = log_normal ? s->life * exp(0.8 * normal(s)) : exponential(s, s->life);

		add(s, s->now + life, draw_size(s));
	}
}

static void pool_exponential(struct site_sim *s)
{
	pool(s, false);
}

static void pool_log_normal(struct site_sim *s)
{
	pool(s, true);
}

static void warm_up(struct site_sim *s)
{
	fill_once(s, s->stop);
}

/* A cache of `capacity` keys asked for at random: it misses less and less. */
static void cache(struct site_sim *s)
{
	size_t asked = poisson(s, s->capacity / s->life * s->tick);

	while (asked-- > 0)
		if (uniform(s, 0, s->capacity) >= (double)s->count)
			add(s, forever, draw_size(s));
}

static void lru(struct site_sim *s)
{
	add_many(s, poisson(s, s->capacity / s->life * s->tick), forever);
	if ((double)s->count > s->capacity)
		free_oldest(s, s->count - (size_t)s->capacity);
}

static void sawtooth(struct site_sim *s)
{
	saw(s, s->rate);
}

static void one_off(struct site_sim *s)
{
	flat(s);
	if (s->used == 0 && s->now >= s->start) {
		s->used = 1;
		add_many(s, (size_t)(s->capacity * s->burst) + 3, forever);
	}
}

static void shrinking(struct site_sim *s)
{
	if (s->ticks == 0)
		add_many(s, (size_t)s->capacity + 4, forever);
	free_oldest(s, poisson(s, 0.7 * s->capacity / s->duration * s->tick));
}

static void daily_cycle(struct site_sim *s)
{
	double demand = s->capacity * (1.2 + sin(two_pi * (s->now + s->level) / s->period));

	add_many(s, poisson(s, demand * 4 * s->tick), 0.25);
}

/* Chunks are kept for reuse: the site holds as many as the largest demand ever seen. */
static void arena_reuse(struct site_sim *s)
{
	size_t demand = poisson(s, s->capacity);

	if (demand > s->count)
		add_many(s, demand - s->count, forever);
}

#define BIT(verdict) (1u << (verdict))
enum {
	QUIET = BIT(GROWTH_STABLE) | BIT(GROWTH_WARM_UP),
	NOISY = BIT(GROWTH_STABLE) | BIT(GROWTH_SAWTOOTH),
};

const struct sim_behaviour sim_behaviours[] = {
	{"leak, exact", GROWTH_LEAK, 0},
	{"leak, noisy", GROWTH_LEAK, 0},
	{"leak, rare", GROWTH_LEAK, 0},
	{"leak, late start", GROWTH_LEAK, 0},
	{"leak after a warm-up", GROWTH_LEAK, 0},
	{"leak under a sawtooth", GROWTH_LEAK, 0},
	{"leak under a pool", GROWTH_LEAK, 0},
	{"two leaks on one site", GROWTH_LEAK, 0},
	{"container, doubling", GROWTH_CONTAINER, 0},
	{"container, appending", GROWTH_CONTAINER, 0},
	{"hash table, doubling", GROWTH_CONTAINER, 0},
	{"container that stops", GROWTH_WARM_UP, BIT(GROWTH_ONE_OFF) | BIT(GROWTH_STABLE)},
	{"leak that stops", GROWTH_WARM_UP, BIT(GROWTH_ONE_OFF) | BIT(GROWTH_STABLE)},
	{"flat", GROWTH_STABLE, 0},
	{"pool, exponential lives", GROWTH_STABLE, QUIET | NOISY},
	{"pool, log-normal lives", GROWTH_STABLE, QUIET | NOISY},
	{"warm-up", GROWTH_WARM_UP, BIT(GROWTH_ONE_OFF)},
	{"cache that fills", GROWTH_WARM_UP, 0},
	{"LRU that fills", GROWTH_WARM_UP, QUIET},
	{"sawtooth buffer", GROWTH_SAWTOOTH, NOISY},
	{"one-off", GROWTH_ONE_OFF, 0},
	{"shrinking", GROWTH_SHRINKING, 0},
	{"daily cycle", GROWTH_SAWTOOTH, NOISY | BIT(GROWTH_SHRINKING)},
	{"arena reuse", GROWTH_WARM_UP, QUIET | BIT(GROWTH_ONE_OFF)},
	/* Kinds that were added later are looked at apart, so that the goals stay comparable. */
	{"queue that lags", GROWTH_LEAK, 0},
	{"vector that stops", GROWTH_WARM_UP, BIT(GROWTH_ONE_OFF) | BIT(GROWTH_STABLE)},
	{"hash table that stops", GROWTH_WARM_UP, BIT(GROWTH_ONE_OFF) | BIT(GROWTH_STABLE)},
};
const size_t sim_behaviour_count = sizeof(sim_behaviours) / sizeof(*sim_behaviours);
const size_t sim_goal_count = sizeof(sim_behaviours) / sizeof(*sim_behaviours) - 3;

static void (*const steps[])(struct site_sim *) = {
	leak_exact,
	leak_noisy,
	leak_rare,
	leak_late,
	leak_after_warm_up,
	leak_under_sawtooth,
	leak_under_pool,
	leak_two,
	container_doubling,
	container_appending,
	hash_table_doubling,
	container_that_stops,
	leak_that_stops,
	flat,
	pool_exponential,
	pool_log_normal,
	warm_up,
	cache,
	lru,
	sawtooth,
	one_off,
	shrinking,
	daily_cycle,
	arena_reuse,
	queue_that_lags,
	vector_that_stops,
	hash_table_that_stops,
};

/* ---- parameters ---- */

/* A length of time: half of the sites have it as a share of the run, half as so many intervals. */
static double draw_time(struct site_sim *s, double low_share, double high_share, double low,
			double high)
{
	double most = high_share * s->duration;
	double t = chance(s, 0.5) ? uniform(s, low_share, high_share) * s->duration
				  : log_uniform(s, low, high);

	return t > most ? most : t;
}

static void draw_parameters(struct site_sim *s, size_t behaviour)
{
	bool held_out = s->world == SIM_HELD_OUT;

	s->rate = held_out ? log_uniform(s, 0.7, 40) : log_uniform(s, 1, 20);
	s->size = floor(held_out ? log_uniform(s, 9, 9000) : log_uniform(s, 16, 4096));
	s->size_sigma = chance(s, 0.5) ? 0 : uniform(s, 0.1, held_out ? 1.0 : 0.8);
	s->in_flight = chance(s, 0.4) ? 0 : log_uniform(s, 0.2, held_out ? 9 : 6);
	s->capacity = floor(held_out ? log_uniform(s, 8, 900) : log_uniform(s, 12, 500));
	s->burst = held_out ? log_uniform(s, 0.4, 7) : log_uniform(s, 0.5, 5);
	s->start = draw_time(s, 0.1, held_out ? 0.55 : 0.5, 1, 20);
	s->stop = draw_time(s, 0.15, held_out ? 0.6 : 0.55, 1, 20);
	s->period = held_out ? log_uniform(s, 1.3, 7) : log_uniform(s, 1.5, 6);
	s->life = draw_time(s, 0.03, held_out ? 0.22 : 0.2, 0.3, 12);
	if (steps[behaviour] == leak_rare || steps[behaviour] == leak_two)
		s->period = s->period > s->duration / 3 ? s->duration / 3 : s->period;
	else
		s->period = s->period > s->duration / 2.5 ? s->duration / 2.5 : s->period;
	s->level = uniform(s, 0, s->period);
	s->used = chance(s, 0.5); /* a pool that is full at the start */
	if (steps[behaviour] == container_doubling || steps[behaviour] == container_appending ||
	    steps[behaviour] == hash_table_doubling)
		s->stop = forever;
	if (steps[behaviour] == vector_that_stops || steps[behaviour] == hash_table_that_stops)
		s->stop = uniform(s, 0.15, 0.8) * s->duration;
	if (steps[behaviour] == queue_that_lags)
		s->lag = uniform(s, held_out ? 0.2 : 0.3, held_out ? 0.85 : 0.8);
	if (steps[behaviour] == lru)
		s->life *= 2;
	if (steps[behaviour] == one_off) {
		s->used = 0;
		s->start = uniform(s, 0.2, 0.8) * s->duration;
	}
	if (steps[behaviour] == daily_cycle) {
		s->period = uniform(s, held_out ? 0.22 : 0.25, held_out ? 0.85 : 0.8) * s->duration;
		s->level = uniform(s, 0, s->period);
		s->capacity = s->capacity > 100 ? 100 : s->capacity;
	}
	if (s->duration > 300) { /* long runs stay affordable */
		s->rate = s->rate > 8 ? 8 : s->rate;
		s->capacity = s->capacity > 300 ? 300 : s->capacity;
	}
}

/* ---- snapshots ---- */

static int by_birth(const void *a, const void *b)
{
	const struct object *left = a, *right = b;

	return (left->birth_seq > right->birth_seq) - (left->birth_seq < right->birth_seq);
}

/* The recorder keeps 64 cohorts a site: the oldest are merged under the newest birth among them. */
static void merge_oldest(struct growth_births *births, struct growth_cohort *cohorts)
{
	size_t surplus = births->count > MOST_COHORTS ? births->count - MOST_COHORTS : 0;

	for (size_t i = 0; i < surplus; i++) {
		cohorts[surplus].blocks += cohorts[i].blocks;
		cohorts[surplus].bytes += cohorts[i].bytes;
	}
	memmove(cohorts, cohorts + surplus, (births->count - surplus) * sizeof(*cohorts));
	births->count -= surplus;
}

static void take_births(struct sim_site *site, size_t index, const struct object *objects,
			size_t count, double weight)
{
	struct growth_births *births = &site->births[index];
	size_t room_needed = site->cohort_count + count + 1;
	struct growth_cohort *row = NULL;

	if (room_needed > site->cohort_room) {
		site->cohort_room = 2 * room_needed;
		site->cohorts = grown(site->cohorts, site->cohort_room * sizeof(*site->cohorts));
	}
	*births = (struct growth_births){.snapshot = index};
	for (size_t i = 0; i < count; i++) {
		if (!row || row->birth_seq != objects[i].birth_seq) {
			row = &site->cohorts[site->cohort_count + births->count++];
			*row = (struct growth_cohort){.birth_seq = objects[i].birth_seq};
		}
		row->blocks += weight;
		row->bytes += weight * objects[i].bytes;
	}
	merge_oldest(births, site->cohorts + site->cohort_count);
	site->cohort_count += births->count;
}

/* Memory that is resident and not recorded: a part that is always there, less what was not yet used of a
 * vector's room, in pages. */
static double unrecorded(const struct site_sim *s)
{
	const double page = 4096, always = 1 << 20;
	double used;

	if (!s->touches_gradually)
		return always;
	used = ceil(s->used / page) * page;
	return always + (used < s->objects[0].bytes ? used - s->objects[0].bytes : 0);
}

static void take_snapshot(struct site_sim *s, struct sim_site *site, size_t index, bool sampled,
			  double in_flight)
{
	double *blocks = site->numbers + site->series.count, *bytes = blocks + site->series.count;
	double weight = sampled ? SAMPLED_OF : 1, squares = 0;
	struct object *copy;
	size_t n = 0;

	add_many(s, poisson(s, in_flight), 0.01);
	copy = grown(NULL, (s->count + 1) * sizeof(*copy));
	for (size_t i = 0; i < s->count; i++)
		if (!sampled || s->objects[i].sampled)
			copy[n++] = s->objects[i];
	qsort(copy, n, sizeof(*copy), by_birth);
	for (size_t i = 0; i < n; i++) {
		blocks[index] += weight;
		bytes[index] += weight * copy[i].bytes;
		squares += copy[i].bytes * copy[i].bytes;
	}
	/* A block seen with probability p adds (1 - p) / p^2 times its square to the variance. */
	site->numbers[7 * site->series.count + index] = sqrt(weight * (weight - 1) * squares);
	take_births(site, index, copy, n, weight);
	free(copy);
}

static void restart(struct site_sim *s)
{
	s->count = 0;
	s->seq = 0;
	s->ticks = 0;
	s->now = 0;
	s->used = 0;
	s->seconds = 0;
	s->work = 0;
	s->cpu = 0;
}

static void prepare(struct sim_site *site, size_t snapshots)
{
	*site = (struct sim_site){0};
	site->numbers = calloc(8 * snapshots, sizeof(double));
	site->runs = calloc(snapshots, sizeof(uint32_t));
	site->seqs = calloc(snapshots, sizeof(uint64_t));
	site->births = calloc(snapshots, sizeof(*site->births));
	if (!site->numbers || !site->runs || !site->seqs || !site->births) {
		fputs("simulate: out of memory\n", stderr);
		exit(4);
	}
	site->series = (struct growth_series){.count = snapshots,
					      .x = site->numbers,
					      .blocks = site->numbers + snapshots,
					      .bytes = site->numbers + 2 * snapshots,
					      .seconds = site->numbers + 3 * snapshots,
					      .work = site->numbers + 4 * snapshots,
					      .unrecorded = site->numbers + 5 * snapshots,
					      .run = site->runs,
					      .seq = site->seqs,
					      .births = site->births,
					      .births_count = snapshots};
}

/* Cohorts were written while their array still moved: point at them at the end. */
static void point_at_cohorts(struct sim_site *site)
{
	size_t at = 0;

	for (size_t i = 0; i < site->series.count; i++) {
		site->births[i].cohorts = site->cohorts + at;
		at += site->births[i].count;
	}
}

static void advance(struct site_sim *s, size_t behaviour, double interval)
{
	s->tick = interval / TICKS;
	for (int i = 0; i < TICKS; i++) {
		steps[behaviour](s);
		s->now += s->tick;
		s->ticks++;
		sweep(s);
	}
}

/* While nothing is asked of the program, a timer and a log line allocate a little. */
static void rest(struct site_sim *s, double interval)
{
	s->seconds += interval;
	s->work += 5 + (double)poisson(s, 5);
}

static void work(struct site_sim *s, size_t behaviour, double interval)
{
	advance(s, behaviour, interval);
	s->seconds += interval;
	s->work += interval * (4000 + (double)(s->ticks * 7919 % 2000));
	s->cpu += interval * 0.2;
}

/* Nothing is allocated, but there is work. */
static void compute(struct site_sim *s, double interval)
{
	s->seconds += interval;
	s->cpu += interval * s->cpu_after;
}

/* The number of snapshots until the load ends. */
static size_t load_end(struct site_sim *s, size_t snapshots)
{
	double end = (double)snapshots * uniform(s, 0.4, 0.6);

	s->cpu_after = log_uniform(s, 0.1, 1);
	s->duration = end;
	return (size_t)end;
}

/* Four intervals of work come first, so that there is something to compare with. */
static bool is_idle(struct site_sim *s, size_t i, size_t snapshots, unsigned distortions)
{
	if (!(distortions & SIM_IDLE) || i < 4)
		return false;
	return i >= snapshots - snapshots / 4 || chance(s, 0.1);
}

void sim_run(struct sim_site *site, size_t behaviour, size_t snapshots, enum sim_world world,
	     unsigned distortions, uint64_t seed)
{
	struct site_sim s = {.random = seed * 0x2545f4914f6cdd1du + behaviour + 1000 * snapshots,
			     .world = world,
			     .duration = (double)snapshots};
	size_t restart_at = distortions & SIM_RESTART ? snapshots * 2 / 5 : snapshots, end;

	prepare(site, snapshots);
	if (distortions & SIM_RESTART)
		s.duration = (double)(snapshots - restart_at);
	if (distortions & SIM_IDLE)
		s.duration *= 0.7;
	end = distortions & SIM_ENDS ? load_end(&s, snapshots) : snapshots;
	draw_parameters(&s, behaviour);
	for (size_t i = 0; i < snapshots; i++) {
		double interval = distortions & SIM_UNEQUAL ? log_uniform(&s, 0.45, 2.2) : 1;
		bool idle;

		if (i == restart_at)
			restart(&s);
		idle = i >= end || is_idle(&s, i, snapshots, distortions);
		if (i >= end)
			compute(&s, interval);
		else if (idle)
			rest(&s, interval);
		else
			work(&s, behaviour, interval);
		while (distortions & SIM_MISSING && chance(&s, 0.2)) {
			s.seq++;
			work(&s, behaviour, interval);
		}
		take_snapshot(&s, site, i, distortions & SIM_SAMPLED, idle ? 0 : s.in_flight);
		s.seq++;
		site->seqs[i] = s.seq;
		site->numbers[i] = (double)s.seq;
		site->numbers[3 * snapshots + i] = s.seconds;
		site->numbers[4 * snapshots + i] = s.work;
		site->numbers[5 * snapshots + i] = unrecorded(&s);
		site->numbers[6 * snapshots + i] = s.cpu;
		site->runs[i] = i >= restart_at;
	}
	if (seed % 2) /* of half of the processes it is not known */
		site->series.unrecorded = NULL;
	if (distortions & SIM_SAMPLED)
		site->series.bytes_stderr = site->numbers + 7 * snapshots;
	if (distortions & SIM_ENDS)
		site->series.cpu = site->numbers + 6 * snapshots;
	point_at_cohorts(site);
	free(s.objects);
}

void sim_release(struct sim_site *site)
{
	free(site->numbers);
	free(site->runs);
	free(site->seqs);
	free(site->births);
	free(site->cohorts);
	*site = (struct sim_site){0};
}
