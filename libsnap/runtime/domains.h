/*
 * runtime/domains.h - named kinds of memory other than malloc's.
 *
 * A domain is a number in the runtime and a name in the snapshot.  The domain of a block in the
 * side table is part of its call stack: the newest "frame" is SNAP__PC_DOMAIN + number.
 */
#ifndef SNAP_RUNTIME_DOMAINS_H
#define SNAP_RUNTIME_DOMAINS_H

#include <stdint.h>

#define SNAP__PC_DOMAIN  256u /* above enum snap__pc_mark, below any code */
#define SNAP__DOMAIN_MAX 240u

/** The number (1 ...) of the domain `name`, registered if it is new; 0 if there are too many. */
uint32_t snap__domain_number(const char *name);

/** Domains are numbered 0 ("malloc") to count - 1. */
uint32_t snap__domain_count(void);
const char *snap__domain_name(uint32_t number);

#endif
