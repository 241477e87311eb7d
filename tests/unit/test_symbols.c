/* test_symbols.c - addresses of freshly compiled programs -> functions, files, lines. */
/* links: cmd_symbols */
#include <criterion/criterion.h>

#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/symbols.h"

enum { ADDRESSES_MAX = 256 };

static char directory[64];
static char warnings[4096];

static void set_up(void)
{
	strcpy(directory, "/tmp/snapdiff-test-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	warnings[0] = '\0';
}

static int remove_entry(const char *name, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(name);
}

static void tear_down(void)
{
	nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(symbols, .init = set_up, .fini = tear_down, .timeout = 1200);

/* Tools. */

/** Run a shell command in the test's directory; its output, the caller's. */
__attribute__((format(printf, 1, 2))) static char *shell(const char *format, ...)
{
	char *command = NULL, *inner = NULL, *output = NULL;
	size_t size;
	FILE *sink = open_memstream(&output, &size);
	FILE *pipe;
	va_list args;
	int c;

	va_start(args, format);
	cr_assert(vasprintf(&inner, format, args) >= 0);
	va_end(args);
	cr_assert(asprintf(&command, "cd %s && { %s; }", directory, inner) >= 0);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	while ((c = getc(pipe)) != EOF)
		putc(c, sink);
	cr_assert_eq(pclose(pipe), 0, "%s", command);
	fclose(sink);
	free(command);
	free(inner);
	return output;
}

static void write_source(const char *name, const char *text)
{
	char *path = NULL;
	FILE *out;

	cr_assert(asprintf(&path, "%s/%s", directory, name) >= 0);
	out = fopen(path, "w");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
}

/** Addresses of the calls of malloc in a binary. */
static size_t call_addresses(const char *binary, uint64_t *addresses)
{
	char *text = shell("objdump -d --no-show-raw-insn %s | "
			   "awk '/call.*<malloc@plt>/ { sub(\":\", \"\", $1); print $1 }'",
			   binary);
	size_t count = 0;

	for (char *at = strtok(text, "\n"); at && count < ADDRESSES_MAX; at = strtok(NULL, "\n"))
		addresses[count++] = strtoull(at, NULL, 16);
	free(text);
	cr_assert_gt(count, 0);
	return count;
}

static char *build_id_of(const char *binary)
{
	char *id = shell("readelf -n %s | awk '/Build ID/ { printf \"%%s\", $3 }'", binary);

	return id;
}

static void keep_warning(void *user, const struct notice *notice)
{
	char *sentence = notice_text(notice);

	(void)user;
	cr_assert(sentence);
	strncat(warnings, sentence, sizeof(warnings) - strlen(warnings) - 2);
	strcat(warnings, "\n");
	free(sentence);
}

/** A model with one module and these addresses, not symbolised. */
static struct model *make_model(const char *path, const char *build_id, const uint64_t *addresses,
				size_t count)
{
	struct model *model = model_new();
	struct snap_module module = {.path = model_cstring(model, path),
				     .build_id = model_cstring(model, build_id)};
	uint32_t id = model_module_intern(model, &module);

	for (size_t i = 0; i < count; i++) {
		struct snap_location location = {
			.module = id, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = addresses[i]};

		model_location_add(model, &location, NULL);
	}
	return model;
}

/** All frames as lines "function file:line", inlined ones with a trailing " inlined". */
static char *print_frames(const struct model *model)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (uint32_t i = 0; i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];

		for (uint32_t j = 0; j < location->frame_count; j++) {
			const struct snap_frame *frame = &model->frames[location->first_frame + j];

			fprintf(out, "%s %s:%u%s\n", model_text(model, frame->function),
				model_text(model, frame->file), frame->line,
				frame->flags & SNAP_FRAME_INLINED ? " inlined" : "");
		}
	}
	fclose(out);
	return text;
}

static char *resolve(struct symbols_options *options, const char *name, const char *build_id,
		     const uint64_t *addresses, size_t count)
{
	char *path = NULL;
	struct model *model;
	struct symbols *symbols;
	char *text;

	cr_assert(asprintf(&path, "%s%s%s", *name == '/' ? "" : directory, *name == '/' ? "" : "/",
			   name) >= 0);
	options->notice = keep_warning;
	options->offline = true;
	model = make_model(path, build_id, addresses, count);
	symbols = symbols_new(options);
	cr_assert_eq(symbols_resolve(symbols, model, NULL), SNAP_OK);
	text = print_frames(model);
	symbols_free(symbols);
	model_free(model);
	free(path);
	return text;
}

/** Frames of all calls of malloc, the way a snapshot of `binary` would get them. */
static char *resolve_calls(const char *binary)
{
	struct symbols_options options = {0};
	uint64_t addresses[ADDRESSES_MAX];
	size_t count = call_addresses(binary, addresses);
	char *build_id = build_id_of(binary);
	char *text = resolve(&options, binary, build_id, addresses, count);

	free(build_id);
	return text;
}

/* Programs. */

static const char c_program[] =
	"#include <stdlib.h>\n"
	"void *volatile sink;\n"
	"static inline void deep(int n) { sink = malloc(n + 1); }\n"
	"static inline void middle(int n) {\n"
	"	if (n > 2)\n"
	"		deep(n * 3);\n"
	"}\n"
	"static __attribute__((noinline)) void cloned(int n, int k) { sink = malloc(n * 7 + k); }\n"
	"__attribute__((noinline)) void outer(int n) {\n"
	"	middle(n);\n"
	"	cloned(n, 5);\n"
	"}\n"
	"int main(int argc, char **argv) {\n"
	"	(void)argv;\n"
	"	outer(argc);\n"
	"	deep(4);\n"
	"	return 0;\n"
	"}\n";

static const char cxx_program[] =
	"#include <cstdlib>\n"
	"#include <vector>\n"
	"void *volatile sink;\n"
	"namespace n { namespace {\n"
	"template <class T, int N> struct Box {\n"
	"	__attribute__((noinline)) void put(T const &a, unsigned long b) const { sink = "
	"malloc(a + b); }\n"
	"	__attribute__((noinline)) static void many(short, ...) { sink = malloc(N); }\n"
	"};\n"
	"inline void quick(long a, const char *b) { sink = malloc(a + *b); }\n"
	"} }\n"
	"static __attribute__((noinline)) void hidden(int (*f)(char), std::vector<long> *v) { sink "
	"= malloc((long)f + v->size()); }\n"
	"template <class T> __attribute__((noinline)) T *make(int n) { return (T *)(sink = "
	"malloc(n * sizeof(T))); }\n"
	"extern \"C\" __attribute__((noinline)) void plain(int n) { sink = malloc(n * 3); }\n"
	"int main(int argc, char **argv) {\n"
	"	n::Box<int, 9> box;\n"
	"	std::vector<long> v;\n"
	"	box.put(argc, 4); box.many(1); n::quick(argc, argv[0]);\n"
	"	hidden(nullptr, &v); make<double>(argc); plain(argc);\n"
	"	auto lambda = [&](int n) __attribute__((noinline)) { sink = malloc(n + argc); };\n"
	"	lambda(3);\n"
	"}\n";

static void compile_c(const char *options, const char *output)
{
	write_source("p.c", c_program);
	free(shell("gcc -Wl,--build-id %s p.c -o %s", options, output));
}

static void compile_cxx(const char *options, const char *output)
{
	write_source("p.cc", cxx_program);
	free(shell("g++ -w -Wl,--build-id %s p.cc -o %s", options, output));
}

/* With debug information. */

Test(symbols, inlined_calls_are_frames_and_names_of_c_are_plain)
{
	char *got;

	compile_c("-O2 -g", "p");
	got = resolve_calls("p");
	cr_expect_not_null(strstr(got, "deep p.c:3 inlined\nmain p.c:16\n"), "%s", got);
	cr_expect_not_null(strstr(got, "deep p.c:3 inlined\nmiddle p.c:6 inlined\nouter p.c:10\n"),
			   "%s", got);
	cr_expect_not_null(strstr(got, "cloned p.c:8\n"), "%s", got);
	cr_expect_str_empty(warnings);
	free(got);
}

/** "file.c:12" of every frame, one a line, as addr2line and as we see it. */
static void agree_with_addr2line(const char *binary)
{
	struct symbols_options options = {0};
	uint64_t addresses[ADDRESSES_MAX];
	size_t count = call_addresses(binary, addresses);
	char *build_id = build_id_of(binary);

	for (size_t i = 0; i < count; i++) {
		char *ours = resolve(&options, binary, build_id, &addresses[i], 1);
		char *theirs =
			shell("addr2line -i -e %s 0x%" PRIx64 " | sed 's/ (disc.*//; s,.*/,,'",
			      binary, addresses[i]);
		char *lines = NULL;

		write_source("frames", ours);
		lines = shell("sed 's/ inlined$//; s,.*[/ ],,' frames");
		cr_expect_str_eq(lines, theirs, "at 0x%" PRIx64 " of %s", addresses[i], binary);
		free(ours);
		free(theirs);
		free(lines);
	}
	free(build_id);
}

Test(symbols, lines_agree_with_addr2line)
{
	compile_c("-O2 -g", "c");
	compile_c("-O1 -gdwarf-4 -no-pie", "c4");
	compile_cxx("-O2 -g", "x");
	compile_cxx("-O0 -g -ffunction-sections", "x0");
	agree_with_addr2line("c");
	agree_with_addr2line("c4");
	agree_with_addr2line("x");
	agree_with_addr2line("x0");
}

Test(symbols, names_of_cxx_have_parameters_and_no_return_type)
{
	static const char *const expected[] = {
		"Box<int, 9>::put(int const&, unsigned long) const p.cc:6\n",
		"n::(anonymous namespace)::Box<int, 9>::many(short, ...) p.cc:7\n",
		"n::(anonymous namespace)::quick(long, char const*) p.cc:9",
		"hidden(int (*)(char), std::vector<long, std::allocator<long> >*) p.cc:11\n",
		"make<double>(int) p.cc:12\n",
		"\nplain p.cc:13\n",
		"main::{lambda(int)#1}::operator()(int) const p.cc:19\n",
	};
	char *got, *without_symbols;

	compile_cxx("-O1 -g", "p");
	got = resolve_calls("p");
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		cr_expect_not_null(strstr(got, expected[i]), "%s in\n%s", expected[i], got);
	/* The linker's symbols are removed; DWARF alone must give the same names. */
	free(shell("nm p | awk '$2 == \"t\" { print $3 }' > local; "
		   "objcopy --strip-symbols=local p"));
	without_symbols = resolve_calls("p");
	cr_expect_str_eq(without_symbols, got);
	free(got);
	free(without_symbols);
}

static const char coroutines[] =
	"#include <coroutine>\n"
	"#include <cstdlib>\n"
	"void *volatile sink;\n"
	"struct task { struct promise_type {\n"
	"	task get_return_object() { return {"
	"std::coroutine_handle<promise_type>::from_promise(*this)}; }\n"
	"	std::suspend_always initial_suspend() { return {}; }\n"
	"	std::suspend_always final_suspend() noexcept { return {}; }\n"
	"	void return_void() {}\n"
	"	void unhandled_exception() {}\n"
	"}; std::coroutine_handle<promise_type> h; };\n"
	"namespace { struct S { task run(const char *a, int n) { sink = malloc(n + *a); co_return; "
	"} "
	"}; }\n"
	"task leaf(int n) {\n"
	"	auto l = [](long k) -> task { sink = malloc(k); co_return; };\n"
	"	l(n).h.resume();\n"
	"	sink = malloc(n); co_return; }\n"
	"int main(int argc, char **argv) { S s; s.run(argv[0], argc).h.resume(); "
	"leaf(argc).h.resume(); }\n";

Test(symbols, parts_of_a_coroutine_are_called_as_the_coroutine)
{
	static const char *const expected[] = {
		"(anonymous namespace)::S::run(char const*, int) p.cc:11\n",
		"leaf(int)::{lambda(long)#1}::operator()(long) const p.cc:13\n",
		"leaf(int) p.cc:15\n",
	};
	char *got, *without_symbols;

	write_source("p.cc", coroutines);
	free(shell("g++ -std=c++20 -fcoroutines -w -O1 -g -Wl,--build-id p.cc -o p"));
	got = resolve_calls("p");
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		cr_expect_not_null(strstr(got, expected[i]), "%s in\n%s", expected[i], got);
	cr_expect_null(strstr(got, "Frame"), "%s", got);
	free(shell("objcopy --strip-symbol=main --wildcard --strip-symbol='_Z*.*' p"));
	without_symbols = resolve_calls("p");
	cr_expect_str_eq(without_symbols, got);
	free(got);
	free(without_symbols);
}

Test(symbols, clang_writes_no_aranges_and_is_read_all_the_same)
{
	if (system("command -v clang >/dev/null") != 0)
		return;
	write_source("p.c", c_program);
	free(shell("clang -O1 -g -Wl,--build-id p.c -o p"));
	agree_with_addr2line("p");
}

Test(symbols, separate_debug_files_are_found_by_link_and_by_build_id)
{
	struct symbols_options options = {0};
	uint64_t addresses[ADDRESSES_MAX];
	char *whole, *stripped, *build_id, *root;
	size_t count;

	compile_c("-O2 -g", "p");
	whole = resolve_calls("p");
	count = call_addresses("p", addresses);
	build_id = build_id_of("p");
	free(shell("objcopy --only-keep-debug p p.debug && strip p && "
		   "objcopy --add-gnu-debuglink=p.debug p"));
	stripped = resolve(&options, "p", build_id, addresses, count);
	cr_expect_str_eq(stripped, whole);
	free(stripped);

	free(shell("mkdir .debug && mv p.debug .debug"));
	stripped = resolve(&options, "p", build_id, addresses, count);
	cr_expect_str_eq(stripped, whole);
	free(stripped);

	free(shell("mkdir -p root/.build-id/%.2s && mv .debug/p.debug root/.build-id/%.2s/%s.debug",
		   build_id, build_id, build_id + 2));
	cr_assert(asprintf(&root, "%s/root", directory) >= 0);
	options.debug_root = root;
	stripped = resolve(&options, "p", build_id, addresses, count);
	cr_expect_str_eq(stripped, whole);
	cr_expect_str_empty(warnings);
	free(stripped);

	/* The file itself may even be gone. */
	free(shell("rm p"));
	stripped = resolve(&options, "p", build_id, addresses, count);
	cr_expect_str_eq(stripped, whole);
	cr_expect_not_null(strstr(warnings, "No such file"), "%s", warnings);
	free(stripped);
	free(root);
	free(whole);
	free(build_id);
}

/* Without. */

Test(symbols, without_debug_information_symbols_name_functions)
{
	char *got;

	compile_c("-O2", "p");
	got = resolve_calls("p");
	cr_expect_not_null(strstr(got, "cloned :0\n"), "%s", got);
	cr_expect_not_null(strstr(got, "outer :0\n"), "%s", got);
	cr_expect_not_null(strstr(got, "main :0\n"), "%s", got);
	free(got);
}

Test(symbols, a_static_function_of_a_stripped_library_is_not_given_to_its_neighbour)
{
	uint64_t addresses[ADDRESSES_MAX];
	char *got, *expected = NULL;
	size_t count;
	bool found = false;

	compile_c("-O2 -shared -fPIC", "libp.so");
	free(shell("strip libp.so"));
	got = resolve_calls("libp.so");
	count = call_addresses("libp.so", addresses);
	cr_expect_not_null(strstr(got, "outer :0\n"), "%s", got);
	for (size_t i = 0; i < count; i++) {
		cr_assert(asprintf(&expected, "libp.so+0x%" PRIx64 " :0\n", addresses[i]) >= 0);
		found |= strstr(got, expected) != NULL;
		free(expected);
	}
	cr_expect(found, "%s", got);
	free(got);
}

Test(symbols, a_module_that_was_replaced_is_not_used_and_said_once)
{
	struct symbols_options options = {0};
	uint64_t addresses[2] = {0x1234, 0x1180};
	char *got;

	compile_c("-O2 -g", "p");
	got = resolve(&options, "p", "0123456789abcdef0123456789abcdef01234567", addresses, 2);
	cr_expect_str_eq(got, "p+0x1234 :0\np+0x1180 :0\n");
	cr_expect_not_null(strstr(warnings, "/p was replaced since: not used"), "%s", warnings);
	cr_expect_eq(strchr(warnings, '\n'), strrchr(warnings, '\n'));
	free(got);
}

Test(symbols, a_module_without_build_id_is_used_if_it_still_has_none)
{
	struct symbols_options options = {0};
	uint64_t addresses[ADDRESSES_MAX];
	size_t count;
	char *got;

	write_source("p.c", c_program);
	free(shell("gcc -O2 -g -Wl,--build-id=none p.c -o p"));
	count = call_addresses("p", addresses);
	got = resolve(&options, "p", "", addresses, count);
	cr_expect_not_null(strstr(got, "cloned p.c:8\n"), "%s", got);
	cr_expect_str_empty(warnings);
	free(got);
}

Test(symbols, a_module_without_build_id_that_is_younger_than_the_snapshot_is_not_used)
{
	struct symbols_options options = {.notice = keep_warning, .offline = true};
	uint64_t addresses[ADDRESSES_MAX];
	struct symbols *symbols;
	struct model *model;
	char *path = NULL, *got;

	write_source("p.c", c_program);
	free(shell("gcc -O2 -g -Wl,--build-id=none p.c -o p"));
	call_addresses("p", addresses);
	cr_assert(asprintf(&path, "%s/p", directory) >= 0);
	model = make_model(path, "", addresses, 1);
	cr_assert(model_meta_set(model, "time_ns", "1767323045000000000")); /* 2026-01-02 */
	free(shell("touch -d 2026-01-03 p"));
	symbols = symbols_new(&options);
	cr_assert_eq(symbols_resolve(symbols, model, NULL), SNAP_OK);
	got = print_frames(model);
	cr_expect_eq(strncmp(got, "p+0x", 4), 0, "%s", got);
	cr_expect_not_null(strstr(warnings, "/p has no build-id and was written after"), "%s",
			   warnings);
	free(got);
	symbols_free(symbols);
	model_free(model);
	free(path);
}

Test(symbols, files_that_are_no_modules_are_said_and_do_no_harm)
{
	struct symbols_options options = {0};
	uint64_t address = 0x1234;
	char *got;

	write_source("text", "hello");
	free(shell("mkfifo fifo; mkdir dir; printf '\\177ELF' > short"));
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = {"text", "fifo", "dir", "short", "absent"};
		char expected[64];

		warnings[0] = '\0';
		got = resolve(&options, names[i], "00112233", &address, 1);
		snprintf(expected, sizeof(expected), "%s+0x1234 :0\n", names[i]);
		cr_expect_str_eq(got, expected);
		cr_expect_not_null(strstr(warnings, names[i]));
		free(got);
	}
	warnings[0] = '\0';
	got = resolve(&options, "/", "", &address, 1);
	free(got);
}

Test(symbols, what_has_no_module_is_called_by_its_address)
{
	struct model *model = model_new();
	struct snap_location location = {
		.module = SNAP_NONE, .flags = SNAP_LOCATION_HAS_ADDRESS, .address = 0xabc};
	struct snap_frame frame = {.function = model_cstring(model, "given"), .line = 3};
	struct symbols *symbols = symbols_new(NULL);
	char *got;

	model_location_add(model, &location, NULL);
	model_symbolic_location(model, SNAP_NONE, &frame);
	cr_assert_eq(symbols_resolve(symbols, model, NULL), SNAP_OK);
	got = print_frames(model);
	cr_expect_str_eq(got, "0xabc :0\ngiven :3\n");
	free(got);
	symbols_free(symbols);
	model_free(model);
}

/* The cache. */

struct memory {
	char *lines[ADDRESSES_MAX]; /* "address function file line inlined" of what was put */
	size_t count;
	struct symbol_frame given;
	char key[128]; /* of the last that was put */
	int gets;
};

static void memory_put(void *user, const char *key, uint64_t address,
		       const struct symbol_frame *frames, size_t count)
{
	struct memory *memory = user;

	snprintf(memory->key, sizeof(memory->key), "%s", key);
	cr_assert(asprintf(&memory->lines[memory->count++], "%" PRIx64 " %s %zu", address,
			   count ? frames[0].function : "", count) >= 0);
}

static bool memory_get(void *user, const char *key, uint64_t address, struct symbol_frame *frames,
		       size_t max, size_t *count)
{
	struct memory *memory = user;

	(void)key;
	(void)address;
	(void)max;
	memory->gets++;
	if (!memory->given.function)
		return false;
	frames[0] = memory->given;
	*count = 1;
	return true;
}

Test(symbols, answers_are_put_into_the_cache_and_taken_from_it)
{
	struct memory memory = {0};
	struct symbol_cache cache = {.user = &memory, .get = memory_get, .put = memory_put};
	struct symbols_options options = {.cache = &cache};
	uint64_t addresses[ADDRESSES_MAX];
	size_t count;
	char *build_id, *got;

	compile_c("-O2 -g", "p");
	count = call_addresses("p", addresses);
	build_id = build_id_of("p");
	got = resolve(&options, "p", build_id, addresses, count);
	cr_expect_eq(memory.count, count);
	cr_expect_eq((size_t)memory.gets, count);
	cr_expect_eq(strncmp(memory.key, build_id, strlen(build_id)), 0);
	cr_expect_eq(atoi(memory.key + strlen(build_id) + 1), SYMBOLS_RULES, "%s", memory.key);
	free(got);
	memory.given = (struct symbol_frame){.function = "cached", .file = "c.c", .line = 7};
	got = resolve(&options, "absent", build_id, addresses, 1);
	cr_expect_str_eq(got, "cached c.c:7\n");
	cr_expect_str_empty(warnings);
	free(got);
	for (size_t i = 0; i < memory.count; i++)
		free(memory.lines[i]);
	free(build_id);
}

Test(symbols, what_better_debug_information_may_improve_is_not_put_into_the_cache)
{
	struct memory memory = {0};
	struct symbol_cache cache = {.user = &memory, .get = memory_get, .put = memory_put};
	struct symbols_options options = {.cache = &cache};
	uint64_t addresses[ADDRESSES_MAX];
	size_t count;
	char *build_id, *got;

	compile_c("-O2", "p");
	count = call_addresses("p", addresses);
	build_id = build_id_of("p");
	got = resolve(&options, "p", build_id, addresses, count);
	cr_expect_eq(memory.count, 0);
	free(got);
	free(build_id);
}

/* Hostile files. */

/** A small generator, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

Test(symbols, a_damaged_module_never_ends_the_program)
{
	static unsigned char whole[1 << 20], damaged[1 << 20];
	struct symbols_options options = {0};
	uint64_t addresses[ADDRESSES_MAX];
	char *build_id, *path;
	size_t count, size;
	FILE *file;

	compile_cxx("-O2 -g", "p");
	count = call_addresses("p", addresses);
	build_id = build_id_of("p");
	cr_assert(asprintf(&path, "%s/p", directory) >= 0);
	file = fopen(path, "r");
	size = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	cr_assert_lt(size, sizeof(whole));
	for (uint32_t round = 0; round < 300; round++) {
		uint32_t state = round;

		memcpy(damaged, whole, size);
		for (uint32_t i = 0; i < 1 + round % 40; i++)
			damaged[next_random(&state) % size] = (unsigned char)next_random(&state);
		unlink(path); /* the file before may still be mapped */
		file = fopen(path, "w");
		fwrite(damaged, 1, round % 10 ? size : next_random(&state) % size, file);
		fclose(file);
		free(resolve(&options, "p", build_id, addresses, count));
	}
	free(path);
	free(build_id);
}
