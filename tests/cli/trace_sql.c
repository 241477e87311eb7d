/*
 * trace_sql.c - preloaded into a program that uses SQLite: writes every statement that it executes,
 * with the values that are bound, to the file $SQL_TRACE.
 */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

typedef int open_fn(const char *, sqlite3 **, int, const char *);

static int tell(unsigned event, void *log, void *statement, void *text)
{
	char *sql = sqlite3_expanded_sql(statement);

	(void)event;
	(void)text;
	if (sql)
		fprintf(log, "%s\n", sql);
	sqlite3_free(sql);
	fflush(log);
	return 0;
}

int sqlite3_open_v2(const char *name, sqlite3 **db, int flags, const char *vfs)
{
	open_fn *open_v2 = NULL;
	const char *path = getenv("SQL_TRACE");
	FILE *log;
	int code;

	/* A function pointer does not fit a void pointer in ISO C; POSIX says that it does. */
	*(void **)&open_v2 = dlsym(RTLD_NEXT, "sqlite3_open_v2");
	code = open_v2(name, db, flags, vfs);
	/* The private database has no name. The symbol cache is left out. */
	if (code == SQLITE_OK && path && !*name) {
		log = fopen(path, "ae");
		if (log)
			sqlite3_trace_v2(*db, SQLITE_TRACE_STMT, tell, log);
	}
	return code;
}
