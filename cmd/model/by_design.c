/*
 * by_design.c - the libraries and functions whose blocks stay until a process ends, on purpose.
 */
#include "model/by_design.h"

#include <stddef.h>
#include <string.h>

static const char *const modules[] = {
	"libc.so",      "libc-2.", "ld-linux",  "ld-2.",        "ld-musl",  "libpthread",
	"libdl.so",     "libnss_", "libresolv", "libstdc++.so", "libgcc_s", "libc++.so",
	"libc++abi.so", "libm.so", "libnsl.so", "libidn2.so",   NULL,
};

/* Whole names, which a version may follow. */
static const char *const interpreters[] = {
	"perl",   "libperl.so", "bash",       "dash",    "zsh",    "ksh",     "busybox",
	"python", "libpython",  "ruby",       "libruby", "lua",    "liblua",  "luajit",
	"php",    "node",       "libnode.so", "tclsh",   "libtcl", "Rscript", "libR.so",
	"guile",  "libguile",   "gawk",       "mawk",    "awk",    NULL,
};

/* Whole names.  A leading "__" is cut before they are compared. */
static const char *const functions[] = {
	/* the name service, which also loads modules; their results are static */
	"getpwnam",
	"getpwuid",
	"getpwent",
	"getpwnam_r",
	"getpwuid_r",
	"getgrnam",
	"getgrgid",
	"getgrent",
	"getgrnam_r",
	"getgrgid_r",
	"getspnam",
	"initgroups",
	"getgrouplist",
	"gethostbyname",
	"gethostbyname2",
	"gethostbyaddr",
	"gethostent",
	"getservbyname",
	"getservbyport",
	"getservent",
	"getprotobyname",
	"getprotobynumber",
	"getnetbyname",
	"res_init",
	"res_ninit",
	"res_vinit",
	"gethostbyname_r",
	"getservbyname_r",
	"getservbyport_r",
	/* locales, messages, character sets, time zones */
	"setlocale",
	"textdomain",
	"bindtextdomain",
	"bind_textdomain_codeset",
	"dcgettext",
	"dcigettext",
	"gettext",
	"dgettext",
	"tzset",
	"tzfile_read",
	"localtime",
	"localtime_r",
	"mktime",
	"strftime",
	"tz_convert",
	/* buffers of streams, which live as long as the stream: if something leaks, it is the
	   stream */
	"IO_file_doallocate",
	"_IO_file_doallocate",
	"_IO_wfile_doallocate",
	"_IO_doallocbuf",
	"_IO_wdoallocbuf",
	"IO_doallocbuf",
	/* lists of functions to call at the exit, the environment, the log */
	"atexit",
	"cxa_atexit",
	"new_exitfn",
	"on_exit",
	"at_quick_exit",
	"cxa_thread_atexit_impl",
	"setenv",
	"putenv",
	"add_to_environ",
	"openlog",
	"syslog",
	"vsyslog_internal",
	/* the loader, and storage of threads */
	"_dl_init",
	"call_init",
	"_dl_open",
	"dl_open_worker",
	"libc_dlopen_mode",
	"tls_get_addr",
	"tls_get_addr_slow",
	"_dl_new_object",
	"_dl_map_object",
	"_dl_allocate_tls",
	"pthread_create",
	"pthread_setspecific",
	"ttyname",
	"getlogin",
	"ctermid",
	NULL,
};

static const char *const prefixes[] = {"nss_", "_nss_",   "gconv_", "res_context_",
				       "_nl_", "resolv_", NULL};

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool begins_with_any(const char *text, const char *const *list)
{
	while (*list && !begins_with(text, *list))
		list++;
	return *list != NULL;
}

bool by_design_module(const char *module)
{
	return begins_with_any(module, modules);
}

bool by_design_interpreter(const char *module)
{
	for (size_t i = 0; interpreters[i]; i++) {
		size_t size = strlen(interpreters[i]);

		if (strncmp(module, interpreters[i], size) == 0 &&
		    strspn(module + size, "0123456789.-so") == strlen(module + size))
			return true;
	}
	return false;
}

bool by_design_function(const char *function)
{
	size_t size = strcspn(function, "@ ");

	if (begins_with(function, "__")) {
		function += 2;
		size -= size > 2 ? 2 : size;
	}
	for (size_t i = 0; functions[i]; i++)
		if (strlen(functions[i]) == size && strncmp(functions[i], function, size) == 0)
			return true;
	return begins_with_any(function, prefixes);
}
