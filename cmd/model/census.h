/*
 * model/census.h - replace the sites of a model by the objects of an interpreter.
 *
 * A snapshot with a census has groups of objects by type and call stack beside its sites.  Reports
 * by type are about these groups alone: each becomes a site whose newest frame is its type.
 */
#ifndef MODEL_CENSUS_H
#define MODEL_CENSUS_H

#include "model/model.h"

/** SNAP_EUSAGE: the snapshot has no census, and why.  Otherwise SNAP_OK. */
enum snap_status model_need_census(const struct model *model, struct snap_error *err);

/** The same; then replace the sites.  May be SNAP_ENOMEM, too. */
enum snap_status model_use_census(struct model *model, struct snap_error *err);

#endif
