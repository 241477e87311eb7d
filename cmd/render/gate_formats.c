/*
 * gate_formats.c - what the formats for CI systems have in common.
 */
#include "render/gate_formats.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *gate_text(const struct report *report, size_t row, const char *name,
		      const char *otherwise)
{
	const struct value *value = report_cell(report, row, name);

	return value && value->kind == VALUE_TEXT ? value->text.data : otherwise;
}

int64_t gate_line(const struct report *report, size_t row)
{
	const struct value *value = report_cell(report, row, "line");

	return value && value->kind == VALUE_INT && value->integer > 0 ? value->integer : 1;
}

/* The nearest directory from `path` upwards that has a repository in it; `path` is cut. */
static bool find_repository(char *path)
{
	char git[PATH_MAX];

	for (char *slash; *path; *slash = '\0') {
		int size = snprintf(git, sizeof(git), "%s/.git", path);

		if (size > 0 && (size_t)size < sizeof(git) && access(git, F_OK) == 0)
			return true;
		slash = strrchr(path, '/');
		if (!slash)
			return false;
	}
	return false;
}

/* The root of repository paths: from the CI system, else the repository's directory, else the
 * current one. */
static char *repository_root(void)
{
	static const char *const variables[] = {"GITHUB_WORKSPACE", "CI_PROJECT_DIR"};
	char *here;

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value == '/')
			return realpath(value, NULL);
	}
	here = getcwd(NULL, 0);
	if (here && !find_repository(here)) {
		free(here);
		here = getcwd(NULL, 0);
	}
	return here;
}

/* `path` below `root`, or NULL. */
static const char *path_below(const char *path, const char *root)
{
	size_t size = root ? strlen(root) : 0;

	return size > 1 && path && strncmp(path, root, size) == 0 && path[size] == '/'
		       ? path + size + 1
		       : NULL;
}

static const char *without_dots(const char *path)
{
	for (size_t size; (size = strspn(path, ".")) > 0 && size < 3 && path[size] == '/';)
		path += size + 1;
	return path;
}

/*
 * Services that show a finding beside its line know files by their path in the repository.
 * Compilers write a path as they were given it: an absolute one, or one from the directory of the
 * build, in which tests mostly run.
 */
char *gate_file(const struct report *report, size_t row)
{
	const char *file = gate_text(report, row, "file", NULL), *below = NULL;
	char *root, *real, *copy;

	if (!file || strlen(file) >= PATH_MAX)
		return NULL;
	root = repository_root();
	real = realpath(file, NULL);
	below = path_below(real, root);
	if (!below)
		below = path_below(file, root);
	copy = strdup(below ? below : *file == '/' ? file : without_dots(file));
	free(root);
	free(real);
	return copy;
}

/* owner/name/PATH@ref */
static char *github_workflow(void)
{
	const char *reference = getenv("GITHUB_WORKFLOW_REF");
	const char *slash = reference ? strchr(reference, '/') : NULL;

	slash = slash ? strchr(slash + 1, '/') : NULL;
	return slash ? strndup(slash + 1, strcspn(slash + 1, "@")) : NULL;
}

/* A finding without a file is shown at its limit: in the policy file, or in the job that calls
 * us. */
char *gate_place(const struct report *report)
{
	const struct value *policy = value_get(&report->head, "policy");
	const char *config = getenv("CI_CONFIG_PATH");
	char *workflow;

	if (policy && policy->kind == VALUE_TEXT)
		return strdup(without_dots(policy->text.data));
	workflow = github_workflow();
	if (workflow)
		return workflow;
	return strdup(config && *config     ? config
		      : getenv("GITLAB_CI") ? ".gitlab-ci.yml"
					    : "snapdiff.conf");
}

char *gate_short(const char *text)
{
	enum { SHORT_MAX = 1000 };
	struct text_buffer copy = {0};

	text_add(&copy, text, strlen(text));
	text_limit(&copy, SHORT_MAX);
	return copy.data;
}

void gate_json_short(FILE *out, const char *text)
{
	char *copy = gate_short(text);

	gate_json(out, copy);
	free(copy);
}

void gate_json(FILE *out, const char *text)
{
	struct value value = {.kind = VALUE_TEXT, .text = {text, strlen(text)}};

	json_value(out, &value);
}

void gate_json_pair(FILE *out, const char *name, const char *text)
{
	char *both = NULL, *shown = gate_short(name);

	if (*name && asprintf(&both, "%s: %s", shown, text) < 0)
		both = NULL;
	gate_json(out, both ? both : text);
	free(shown);
	free(both);
}
