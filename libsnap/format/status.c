/*
 * status.c - names of status codes, for messages and tests.
 */
#include "snap/status.h"

const char *snap_status_name(enum snap_status st)
{
	switch (st) {
	case SNAP_OK:
		return "ok";
	case SNAP_EINVAL:
		return "invalid argument";
	case SNAP_EIO:
		return "input/output error";
	case SNAP_ENOMEM:
		return "out of memory";
	case SNAP_EVERSION:
		return "incompatible version";
	case SNAP_ECORRUPT:
		return "corrupt";
	case SNAP_ETRUNCATED:
		return "truncated";
	case SNAP_EUNSUPPORTED:
		return "unsupported";
	case SNAP_ENOTFOUND:
		return "not found";
	case SNAP_ESTATE:
		return "wrong state";
	case SNAP_ESYSTEM:
		return "system error";
	}
	return "unknown status";
}
