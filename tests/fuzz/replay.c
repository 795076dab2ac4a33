/* Runs a target without the fuzzer: its seeds, then every file of the folders given.
 * `--seeds FOLDER` writes the seeds there instead. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { INPUT_BYTES_MAX = 1024 * 1024, PATH_BYTES = 4096, FILES_MAX = 65536 };

struct taken {
	struct seeds seeds;
	const char *folder; /* NULL: run them */
	size_t count;
	bool failed;
};

/* The name comes first: what fails leaves it as the last line. */
static void run(const char *name, struct bytes input)
{
	struct bytes copy = fuzz_copy(input);

	(void)fprintf(stderr, "%s\n", name);
	(void)LLVMFuzzerTestOneInput(copy.data, copy.size);
	fuzz_free(copy);
}

static bool write_file(const char *path, struct bytes content)
{
	FILE *f = fopen(path, "wb");
	bool fine = f && fwrite(content.data, 1, content.size, f) == content.size;

	if (f && fclose(f) != 0)
		fine = false;
	if (!fine)
		perror(path);
	return fine;
}

static void take(struct seeds *seeds, const char *name, struct bytes input)
{
	struct taken *to = (struct taken *)seeds; /* its first member */
	char path[PATH_BYTES];

	to->count++;
	if (!to->folder) {
		(void)snprintf(path, sizeof path, "seed %s", name);
		run(path, input);
		return;
	}
	(void)snprintf(path, sizeof path, "%s/seed-%s", to->folder, name);
	if (!write_file(path, input))
		to->failed = true;
}

static bool run_file(const char *path)
{
	static uint8_t data[INPUT_BYTES_MAX];
	FILE *f = fopen(path, "rb");
	size_t size = 0;

	if (!f) {
		perror(path);
		return false;
	}
	size = fread(data, 1, sizeof data, f);
	(void)fclose(f);
	run(path, bytes_of(data, size));
	return true;
}

/* Every file of one folder; a folder that is not there holds none. */
static bool run_folder(const char *folder, size_t *count)
{
	DIR *d = opendir(folder);
	const struct dirent *entry = NULL;
	bool fine = true;

	while (d && fine && *count < FILES_MAX && (entry = readdir(d)) != NULL) {
		char path[PATH_BYTES];
		struct stat st;

		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		fine = run_file(path);
		*count += 1;
	}
	if (d)
		(void)closedir(d);
	return fine;
}

int main(int argc, char **argv)
{
	struct taken taken = {.seeds = {take}};
	size_t files = 0;
	bool fine = true;

	if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
		taken.folder = argv[2];
	fuzz_seeds(&taken.seeds);
	for (int i = 1; !taken.folder && fine && i < argc; i++) {
		struct stat st;
		bool folder = stat(argv[i], &st) != 0 || S_ISDIR(st.st_mode);

		fine = folder ? run_folder(argv[i], &files) : run_file(argv[i]);
	}
	(void)fprintf(stderr, "%zu seeds, %zu files\n", taken.count, files);
	return fine && !taken.failed && taken.count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
