/*
 * replay_main.c - run a fuzz target on the files and directories named on the command line.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns how many inputs that were: 1, or 0 if it cannot be read. */
static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data = malloc(INPUT_MAX);
	int replayed = file && data;

	if (replayed)
		LLVMFuzzerTestOneInput(data, fread(data, 1, INPUT_MAX, file));
	free(data);
	if (file)
		fclose(file);
	return replayed;
}

static int replay(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int files = 0;

	if (!directory)
		return replay_file(path);
	while ((entry = readdir(directory))) {
		char child[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		files += replay_file(child);
	}
	closedir(directory);
	return files;
}

int main(int argc, char **argv)
{
	int files = 0;

	for (int i = 1; i < argc; i++)
		files += replay(argv[i]);
	printf("%d inputs replayed\n", files);
	return files == 0;
}
