/*
 * fuzz_elf.c - mutated programs and libraries, with their debug information.
 *
 * The input is an ELF file, or changes of a sound one: which (1 byte), and patches.  Naming
 * addresses must return, and so must the check that libsnap makes of a program before it is
 * executed.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/patch.h"
#include "image/image.h"
#include "symbols/build_id.h"
#include "symbols/module.h"
#include "symbols/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const samples[] = {FUZZ_ELF_SAMPLES};
enum { SAMPLES = sizeof(samples) / sizeof(*samples) };

static void touch(const char *text)
{
	if (!text)
		abort();
	(void)strlen(text);
}

static void look_up(struct module *module)
{
	struct symbol_frame frames[LINES_FRAMES_MAX];
	struct module_variable variable;

	for (uint64_t address = 0; address < 0x6000; address += 0x3d) {
		size_t count = module_find(module, address, frames);

		for (size_t i = 0; i < count; i++) {
			touch(frames[i].function);
			touch(frames[i].file);
		}
		if (module_find_variable(module, address, address % 5 == 0, &variable))
			touch(variable.name);
	}
}

static void read_module(const char *path, const char *build_id)
{
	const struct module_request request = {
		.path = path, .build_id = build_id, .debug_root = "/nowhere", .offline = true};
	struct texts *texts = texts_new();
	char *complaint;
	struct module *module = module_open(&request, texts, &complaint);

	if (module)
		look_up(module);
	module_close(module);
	texts_free(texts);
	free(complaint);
}

static void read_file(const char *path)
{
	char build_id[BUILD_ID_HEX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (snap__image_look(AT_FDCWD, path) >= SNAP__IMAGE_COUNT)
		abort();
	if (build_id_read(fd, build_id) == 0)
		read_module(path, build_id);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes from = {data, size};
	size_t sample_size;
	uint8_t *sample;

	if (size > 4 && memcmp(data, "\177ELF", 4) == 0) {
		scratch_write(data, size);
	} else {
		sample = file_content(samples[take(&from, 1) % SAMPLES], &sample_size);
		patch(sample, sample_size, &from);
		scratch_write(sample, sample_size);
		free(sample);
	}
	read_file(scratch_path());
	return 0;
}
