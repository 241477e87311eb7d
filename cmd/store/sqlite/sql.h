/*
 * sql.h - the statements of cmd/store/sqlite/sql, as the string literals sql_<name>.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

/* Some are longer than the 4095 bytes that C11 promises; every compiler we support takes them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "sql_embedded.h"
#pragma GCC diagnostic pop

#endif
