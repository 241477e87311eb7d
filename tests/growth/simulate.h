/*
 * simulate.h - sites whose behaviour is known, simulated object by object.
 *
 * Each site allocates and frees objects over time; snapshots count what lives and when it was born.
 * Nothing in here knows the rule that is judged.
 */
#ifndef TESTS_GROWTH_SIMULATE_H
#define TESTS_GROWTH_SIMULATE_H

#include "analysis/growth/growth.h"

/** Two worlds of parameters: thresholds are tuned on the narrower one, and judged on the wider. */
enum sim_world { SIM_TUNING, SIM_HELD_OUT };

enum sim_distortion {
	SIM_MISSING = 1 << 0, /* some snapshots were lost */
	SIM_RESTART = 1 << 1, /* the process restarts once, in the second fifth */
	SIM_UNEQUAL = 1 << 2, /* the time between snapshots varies fivefold */
	SIM_SAMPLED = 1 << 3, /* one block in four is seen, weighted by four */
	SIM_IDLE = 1 << 4,    /* the load pauses, and ends before the last quarter */
	SIM_ENDS = 1 << 5,    /* the load ends halfway; then the program only uses CPU time */
};

struct sim_behaviour {
	const char *name;
	enum growth_verdict truth;
	unsigned accepted; /* bits of verdicts that are right as well as `truth` */
};

extern const struct sim_behaviour sim_behaviours[];
extern const size_t sim_behaviour_count;
extern const size_t sim_goal_count; /* the first of them, that the goals are about */

/** A simulated site: a series that owns its arrays, with its blocks by birth for every snapshot. */
struct sim_site {
	struct growth_series series;
	double *numbers;
	uint32_t *runs;
	uint64_t *seqs;
	struct growth_births *births;
	struct growth_cohort *cohorts;
	size_t cohort_count, cohort_room;
};

/** Simulate `snapshots` snapshots of sim_behaviours[behaviour]; equal arguments give equal sites.
 */
void sim_run(struct sim_site *site, size_t behaviour, size_t snapshots, enum sim_world world,
	     unsigned distortions, uint64_t seed);
void sim_release(struct sim_site *site);

#endif
