/*
 * test_command.c - command lines as snapshots have them: secrets are masked, the rest is kept.
 */
/* links: snapruntime */
#include <criterion/criterion.h>

#include <string.h>

#include "runtime/command.h"

/* Arguments in `raw` are separated by '|'. */
static const char *shown(const char *raw, enum snap__command_wish wish)
{
	static char arguments[1024], buffer[2048];
	struct snap__text out = SNAP__TEXT(buffer);
	size_t size = strlen(raw) + 1;

	memset(arguments, 0, sizeof(arguments));
	memcpy(arguments, raw, size);
	for (char *c = arguments; *c; c++)
		if (*c == '|')
			*c = '\0';
	snap__command_add(&out, arguments, size, wish);
	return buffer;
}

Test(command, secrets_are_masked)
{
	static const char *const lines[] = {
		"p|--password=XYZ",
		"p|--PassWord=a=XYZ",
		"p|--api-token|XYZ|rest",
		"p|-passin|pass:XYZ",
		"env|DB_PASSWORD=XYZ|p",
		"p|AWS_SECRET_ACCESS_KEY=aXYZ",
		"curl|-H|Authorization: Bearer XYZ",
		"curl|-H|X-Api-Key:XYZ",
		"curl|Authorization:|XYZ",
		"p|https://host/?a=1&access_token=XYZ&b=2",
		"p|postgres://user:XYZ@host/db",
		"p|postgres://user:pa/XYZ@x@host/db",
		"p|redis://:XYZ@host:6379/0",
		"p|--proxy=http://user:XYZ@host:3128",
		"p|-x|user:XYZ@host",
		"p|http://a:1@b|http://a:XYZ@b",
		"sh|-c|TOKEN=XYZ exec p",
		"sh|-c|p --password XYZ -v",
		"sh|-c|p http://u:1@h http://u:XYZ@h",
		"p|{\"password\": \"XYZ\"}",
		"p|Server=h;Pwd=XYZ;User=u",
		"p|--credentials|XYZ",
		"p|http://u:XYZ-token=XYZ@h",
		"p|http://u:XYZ-token=XYZ@h/|http://u:XYZ@h",
		"p|password = 'XYZ'",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *command = shown(lines[i], SNAP__COMMAND_MASKED);

		cr_expect(!strstr(command, "XYZ") && strstr(command, "***"), "%s: %s", lines[i],
			  command);
		cr_expect(strstr(shown(lines[i], SNAP__COMMAND_FULL), "XYZ") != NULL);
	}
}

Test(command, the_rest_is_kept)
{
	static const struct {
		const char *raw, *shown;
	} lines[] = {
		{"./server|--port|8080|-v", "./server --port 8080 -v"},
		{"p|a b||it's", "p 'a b' '' 'it'\\''s'"},
		{"p|--password=x|--port=1", "p '--password=***' --port=1"},
		{"p|--token|x|--port=1|y", "p --token '***' --port=1 y"},
		{"p|--no-auth|--port=1", "p --no-auth --port=1"},
		{"p|--password=", "p --password="},
		{"p|http://u:x@h/p|q", "p 'http://u:***@h/p' q"},
		{"p|http://host:80/path", "p http://host:80/path"},
		{"p|git@host:dir", "p git@host:dir"},
		{"p|-cp|/opt/keys/a.jar:/b.jar", "p -cp /opt/keys/a.jar:/b.jar"},
		{"p|keyboard|tokens.txt", "p keyboard tokens.txt"},
		{"p|--password", "p --password"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_str_eq(shown(lines[i].raw, SNAP__COMMAND_MASKED), lines[i].shown);
}
