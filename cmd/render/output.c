/*
 * output.c - standard output, the pager, and files that are replaced as a whole.
 */
#include "render/output.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/terminal.h"
#include "render/formats.h"
#include "render/render.h"
#include "snap/format.h"

enum { WIDTH_LEAST = 40, WIDTH_MOST = 10000 };

/* ---- what the terminal can do ---------------------------------------------------------------- */

static unsigned environment_width(void)
{
	const char *columns = getenv("COLUMNS");
	uint64_t width;

	if (!columns || !count_parse(columns, &width) || width < WIDTH_LEAST || width > WIDTH_MOST)
		return 0;
	return (unsigned)width;
}

/* 0: any width. */
static unsigned terminal_width(bool terminal)
{
	struct winsize size;
	unsigned width = environment_width();

	if (width || !terminal)
		return width;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_LEAST)
		return size.ws_col;
	return 80;
}

static bool wants_color(int when, bool terminal)
{
	const char *no_color = getenv("NO_COLOR");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return terminal && !(no_color && *no_color) && terminal_takes_codes(STDOUT_FILENO);
}

static bool locale_is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8;

	if (!locale)
		return false;
	utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return utf8;
}

/* ---- the pager ------------------------------------------------------------------------------- */

static bool on_path(const char *program)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		int size = (int)strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", size, path, program);
		if (access(file, X_OK) == 0)
			return true;
		path += size;
		path += *path == ':';
	}
	return false;
}

/* NULL if there is no pager, or none is wanted. */
static const char *pager_command(void)
{
	const char *pager = getenv("PAGER"), *term = getenv("TERM");

	if (!term || strcmp(term, "dumb") == 0)
		return NULL;
	if (!pager)
		return on_path("less") ? "less" : NULL;
	return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

/* Without a pager, standard output is used directly. */
static void open_pager(struct output *output)
{
	const char *pager = pager_command();
	FILE *stream;

	if (!pager)
		return;
	setenv("LESS", "FRX", 0);
	fflush(stdout);
	stream = popen(pager, "w");
	if (!stream)
		return;
	output->stream = stream;
	output->pager = true;
	/* close_pager() must distinguish a pager that the user left from one that never started.
	 */
	signal(SIGPIPE, SIG_IGN);
}

/* ---- a file ---------------------------------------------------------------------------------- */

static enum snap_status cannot_write(const char *path, struct snap_error *err)
{
	return fail(err, SNAP_ESYSTEM, "cannot write %s: %s", path, strerror(errno ? errno : EIO));
}

/* A device or a pipe is written to, not replaced. */
static enum snap_status open_special(struct output *output, const char *path,
				     struct snap_error *err)
{
	output->stream = fopen(path, "w");
	if (!output->stream)
		return cannot_write(path, err);
	output->path = strdup(path);
	return output->path ? SNAP_OK : fail_memory(err, "opening the output");
}

/* The permissions that a new file would get, or those that the file had before. */
static mode_t wanted_mode(const struct stat *old)
{
	mode_t mask;

	if (old)
		return old->st_mode & 07777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static const char *unfinished; /* the file that is being written */

void output_abandon(void)
{
	if (unfinished)
		unlink(unfinished);
}

static enum snap_status open_temporary(struct output *output, const struct stat *old,
				       struct snap_error *err)
{
	char *temporary;
	int fd;

	if (asprintf(&temporary, "%s.tmp.XXXXXX", output->path) < 0)
		return fail_memory(err, "opening the output");
	output->temporary = temporary;
	fd = mkstemp(output->temporary);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return cannot_write(output->path, err);
	}
	fchmod(fd, wanted_mode(old));
	output->stream = fdopen(fd, "w");
	if (output->stream) {
		unfinished = output->temporary;
		return SNAP_OK;
	}
	close(fd);
	unlink(output->temporary);
	return cannot_write(output->path, err);
}

/* A wrongly completed file name must not overwrite a recording. */
static bool is_recording(const char *path)
{
	static const char database[] = "SQLite format 3";
	char start[sizeof(database)] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is_read = fd >= 0 && read(fd, start, sizeof(start)) == (ssize_t)sizeof(start);

	if (fd >= 0)
		close(fd);
	return is_read && (memcmp(start, SNAP_FORMAT_MAGIC, sizeof(SNAP_FORMAT_MAGIC) - 1) == 0 ||
			   memcmp(start, database, sizeof(database)) == 0);
}

static enum snap_status open_file(struct output *output, const char *path, struct snap_error *err)
{
	struct stat old;
	bool exists = stat(path, &old) == 0;

	if (exists && S_ISDIR(old.st_mode))
		return fail(err, SNAP_ESYSTEM, "cannot write %s: it is a directory", path);
	if (exists && !S_ISREG(old.st_mode))
		return open_special(output, path, err);
	if (exists && is_recording(path))
		return fail(err, SNAP_EUSAGE,
			    "%s is a snapshot or a database, which output does not replace", path);
	/* A symbolic link stays one: what it names is replaced. */
	output->path = exists ? realpath(path, NULL) : strdup(path);
	if (!output->path)
		return fail_memory(err, "opening the output");
	return open_temporary(output, exists ? &old : NULL, err);
}

/* ---- the whole way --------------------------------------------------------------------------- */

enum snap_status output_open(struct output *output, const struct report_options *options, bool page,
			     struct snap_error *err)
{
	enum snap_status st;

	*output = (struct output){.stream = stdout};
	if (!options->output || strcmp(options->output, "-") == 0) {
		output->terminal = isatty(STDOUT_FILENO);
		if (output->terminal && page && !options->no_pager)
			open_pager(output);
		return SNAP_OK;
	}
	st = open_file(output, options->output, err);
	if (st != SNAP_OK)
		output_close(output, st, NULL);
	return st;
}

/* Why a stream has failed, as an errno; 0 if all of it was written. */
static int write_fault(FILE *stream)
{
	bool failed = ferror(stream);

	errno = 0;
	if (fflush(stream) != 0)
		return errno ? errno : EIO;
	if (!failed)
		return 0;
	/* An earlier write failed, and its reason is lost.  The output is useless already, so write
	   once more to get the reason. */
	return write(fileno(stream), "\n", 1) < 0 ? errno : EIO;
}

/* Did it fail?  It did not if it exited by itself, or by a signal with which users end programs. */
static bool pager_died(int status)
{
	int number = WIFSIGNALED(status)                              ? WTERMSIG(status)
		     : WIFEXITED(status) && WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128
								      : 0;

	return number && number != SIGINT && number != SIGTERM && number != SIGHUP &&
	       number != SIGQUIT && number != SIGPIPE;
}

/* The user decides when to leave the pager.  Until then, Ctrl-C is for the pager. */
static enum snap_status close_pager(struct output *output, struct snap_error *err)
{
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN);
	bool unread = write_fault(output->stream) != 0;
	int status = pclose(output->stream);

	signal(SIGINT, interrupt);
	signal(SIGPIPE, SIG_DFL);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127))
		return fail(err, SNAP_ESYSTEM, "the pager '%s' cannot be run; see --no-pager",
			    pager_command());
	if (pager_died(status))
		return fail(err, SNAP_ESYSTEM, "the pager '%s' died; see --no-pager",
			    pager_command());
	if (unread && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return fail(err, SNAP_ESYSTEM,
			    "the pager '%s' ended with status %d before it had read everything; "
			    "see --no-pager",
			    pager_command(), WEXITSTATUS(status));
	return SNAP_OK;
}

enum snap_status output_finish(struct snap_error *err)
{
	int error = write_fault(stdout);

	clearerr(stdout); /* it is said once */
	if (!error)
		return SNAP_OK;
	errno = error;
	return cannot_write("standard output", err);
}

static enum snap_status close_file(struct output *output, const char *name, struct snap_error *err)
{
	int error = write_fault(output->stream);

	if (!error && output->temporary && fsync(fileno(output->stream)) != 0)
		error = errno;
	if (fclose(output->stream) != 0 && !error)
		error = errno;
	output->stream = NULL;
	errno = error;
	if (error)
		return cannot_write(name, err);
	if (output->temporary && rename(output->temporary, output->path) != 0)
		return cannot_write(name, err);
	return SNAP_OK;
}

enum snap_status output_close(struct output *output, enum snap_status st, struct snap_error *err)
{
	enum snap_status closing = SNAP_OK;
	const char *name = output->path ? output->path : "the output";

	if (output->pager)
		closing = close_pager(output, st == SNAP_OK ? err : NULL);
	else if (output->stream == stdout)
		closing = output_finish(st == SNAP_OK ? err : NULL);
	else if (output->stream && (st == SNAP_OK || !output->temporary))
		closing = close_file(output, name, st == SNAP_OK ? err : NULL);
	else if (output->stream)
		fclose(output->stream);
	if (output->temporary && (st != SNAP_OK || closing != SNAP_OK))
		unlink(output->temporary);
	if (unfinished == output->temporary)
		unfinished = NULL;
	free(output->temporary);
	free(output->path);
	*output = (struct output){0};
	return st != SNAP_OK ? st : closing;
}

static void say_warning(void *user, const char *text)
{
	(void)user;
	cli_warn("%s", text);
}

void output_warnings(const struct report *report, const struct report_options *options)
{
	enum warnings_wanted wanted = options->quiet     ? WARNINGS_OF_DAMAGE
				      : options->verbose ? WARNINGS_ALL
							 : WARNINGS_ALIKE_ONCE;

	if (!options->warned)
		warnings_each(report, wanted, say_warning, NULL);
}

enum snap_status output_left_out(const struct report *report, struct snap_error *err)
{
	if (!report->damaged)
		return SNAP_OK;
	return fail(err, SNAP_ECORRUPT, "%zu damaged file%s %s no part of this report",
		    report->damaged, report->damaged == 1 ? "" : "s",
		    report->damaged == 1 ? "is" : "are");
}

enum snap_status output_report(const struct report *report, const struct report_options *options,
			       struct snap_error *err)
{
	const struct renderer *renderer = render_find(report_format(options));
	struct render_options look = {
		.exact = options->verbose, .quiet = options->quiet, .height = options->height};
	struct output output;
	enum snap_status st = output_open(&output, options, true, err);
	bool late;

	if (st != SNAP_OK)
		return st;
	/* The reader of a pipe may close it early, which ends this program, so warnings come first.
	   A user at a terminal wants the answer first. */
	late = output.terminal;
	if (!late)
		output_warnings(report, options);
	look.terminal = output.terminal;
	look.raw_cells = options->raw_cells;
	look.width = terminal_width(output.terminal);
	look.color = wants_color(options->color, output.terminal);
	look.unicode = locale_is_utf8();
	look.series = output.terminal && look.unicode;
	st = renderer->render(report, output.stream, &look);
	if (st == SNAP_ENOMEM)
		st = fail_memory(err, "rendering the report");
	else if (st == SNAP_EUSAGE)
		st = fail(err, st, "-f folded is for top, compare and growth");
	else
		st = SNAP_OK;
	st = output_close(&output, st, err); /* which notices write errors */
	if (late)
		output_warnings(report, options);
	return st == SNAP_OK ? output_left_out(report, err) : st;
}

enum snap_status output_text(const char *text, const struct report_options *options,
			     struct snap_error *err)
{
	size_t size = strlen(text);
	struct output output;
	enum snap_status st = output_open(&output, options, true, err);

	if (st != SNAP_OK)
		return st;
	fwrite(text, 1, size, output.stream);
	if (size && text[size - 1] != '\n')
		putc('\n', output.stream);
	return output_close(&output, SNAP_OK, err);
}
