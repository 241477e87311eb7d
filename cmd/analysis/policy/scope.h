/*
 * analysis/policy/scope.h - private to policy/: the limits of a rule's section.
 */
#ifndef ANALYSIS_POLICY_SCOPE_H
#define ANALYSIS_POLICY_SCOPE_H

#include "analysis/policy/policy.h"

/** Make numbers of the texts of `scope`. */
enum snap_status policy_scope_parse(struct policy_scope *scope, struct snap_error *err);

#endif
