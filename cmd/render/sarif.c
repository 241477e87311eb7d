/*
 * sarif.c - findings in the Static Analysis Results Interchange Format 2.1.0
 * (https://docs.oasis-open.org/sarif/sarif/v2.1.0/): a rule for each limit, a result for each
 * finding, with partial fingerprints that other builds of the same program share.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "render/gate_formats.h"

/* GitHub refuses a run with more results. */
enum { RULES_MAX = 256, RESULTS_MAX = 25000 };

struct sarif {
	const struct report *report;
	FILE *out;
	const char *rules[RULES_MAX]; /* ids, in the order of the first finding of each */
	size_t rule_count;
};

/* The index of a rule; -1 when there are too many, which SARIF permits to leave out. */
static int rule_index(const struct sarif *sarif, const char *id)
{
	for (size_t i = 0; i < sarif->rule_count; i++)
		if (strcmp(sarif->rules[i], id) == 0)
			return (int)i;
	return -1;
}

static void collect_rules(struct sarif *sarif)
{
	for (size_t row = 0; row < sarif->report->row_count; row++) {
		const char *id = gate_text(sarif->report, row, "rule", "memory");

		if (rule_index(sarif, id) < 0 && sarif->rule_count < RULES_MAX)
			sarif->rules[sarif->rule_count++] = id;
	}
}

static void write_rules(const struct sarif *sarif)
{
	for (size_t i = 0; i < sarif->rule_count; i++) {
		fputs(i ? ",\n    {\"id\":" : "\n    {\"id\":", sarif->out);
		gate_json(sarif->out, sarif->rules[i]);
		fputs(",\"shortDescription\":{\"text\":", sarif->out);
		gate_json(sarif->out, sarif->rules[i]);
		fputs("},\"defaultConfiguration\":{\"level\":\"error\"}}", sarif->out);
	}
}

/* A file's path as a relative URI reference; every byte that has a meaning there is escaped. */
static void write_uri(FILE *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";

	fputs(*path == '/' ? "\"file://" : "\"", out);
	for (; *path; path++)
		if (strchr(plain, *path))
			putc(*path, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*path);
	putc('"', out);
}

/* Code scanning of GitHub refuses a result without a place. */
static void write_location(const struct sarif *sarif, size_t row)
{
	char *file = gate_file(sarif->report, row);
	char *place = file ? NULL : gate_place(sarif->report);
	const char *function = gate_text(sarif->report, row, "function", NULL);

	fputs(",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":", sarif->out);
	write_uri(sarif->out, file ? file : place ? place : "");
	fprintf(sarif->out, "},\"region\":{\"startLine\":%lld}}",
		(long long)gate_line(sarif->report, row));
	if (function) {
		fputs(",\"logicalLocations\":[{\"fullyQualifiedName\":", sarif->out);
		gate_json_short(sarif->out, function);
		fputs(",\"kind\":\"function\"}]", sarif->out);
	}
	fputs("}]", sarif->out);
	free(file);
	free(place);
}

static void write_result(const struct sarif *sarif, size_t row)
{
	const char *id = gate_text(sarif->report, row, "rule", "memory");
	int index = rule_index(sarif, id);

	fputs(row ? ",\n   {\"ruleId\":" : "\n   {\"ruleId\":", sarif->out);
	gate_json(sarif->out, id);
	if (index >= 0)
		fprintf(sarif->out, ",\"ruleIndex\":%d", index);
	fputs(",\"level\":\"error\",\"message\":{\"text\":", sarif->out);
	gate_json_pair(sarif->out, gate_text(sarif->report, row, "key", ""),
		       gate_text(sarif->report, row, "message", id));
	putc('}', sarif->out);
	write_location(sarif, row);
	fputs(",\"partialFingerprints\":{\"snapdiff/v1\":", sarif->out);
	gate_json(sarif->out, gate_text(sarif->report, row, "fingerprint", ""));
	fputs("}}", sarif->out);
}

/* Facts that are not in the results.  The first text opens the list. */
static void write_notification(FILE *out, const char *text, bool *any)
{
	fputs(*any ? ",\n   "
		   : ",\n  \"invocations\":[{\"executionSuccessful\":true,"
		     "\"toolExecutionNotifications\":[\n   ",
	      out);
	fputs("{\"level\":\"warning\",\"message\":{\"text\":", out);
	gate_json_short(out, text);
	fputs("}}", out);
	*any = true;
}

static void write_notifications(const struct sarif *sarif)
{
	const struct value *all = value_get(&sarif->report->head, "inconclusive");
	size_t count = all && all->kind == VALUE_LIST ? all->list.count : 0;
	char text[96];
	bool any = false;

	if (sarif->report->row_count > RESULTS_MAX) {
		snprintf(text, sizeof(text), "%zu more findings are not in this file",
			 sarif->report->row_count - RESULTS_MAX);
		write_notification(sarif->out, text, &any);
	}
	for (size_t i = 0; i < count; i++) {
		char *line = NULL;

		if (asprintf(&line, "not judged: %s", all->list.items[i].text.data) >= 0)
			write_notification(sarif->out, line, &any);
		free(line);
	}
	if (any)
		fputs("]}]", sarif->out);
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	struct sarif sarif = {.report = report, .out = out};

	(void)options;
	collect_rules(&sarif);
	fprintf(out,
		"{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\n"
		" \"version\":\"2.1.0\",\n \"runs\":[{\n"
		"  \"tool\":{\"driver\":{\"name\":\"snapdiff\",\"version\":\"%s\",\"rules\":[",
		cli_version());
	write_rules(&sarif);
	fputs("]}},\n  \"results\":[", out);
	for (size_t row = 0; row < report->row_count && row < RESULTS_MAX; row++)
		write_result(&sarif, row);
	putc(']', out);
	write_notifications(&sarif);
	fputs("\n }]}\n", out);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_sarif = {"sarif", render};
