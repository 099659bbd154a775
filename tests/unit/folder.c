/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_open(struct folder *folder)
{
	const char *below = getenv("TMPDIR");
	snprintf(folder->path, sizeof folder->path, "%s/fcgi-auth-test-XXXXXX", below ? below : "/tmp");
	if (!mkdtemp(folder->path)) {
		perror(folder->path);
		exit(99);
	}
}

/* The name of the next file, or NULL. */
static const char *next_name(DIR *dir)
{
	struct dirent *entry;
	while ((entry = readdir(dir)))
		if (!str_eq(str_of(entry->d_name), STR(".")) && !str_eq(str_of(entry->d_name), STR("..")))
			return entry->d_name;
	return NULL;
}

void folder_close(struct folder *folder)
{
	DIR *dir = opendir(folder->path);
	const char *name;
	while (dir && (name = next_name(dir)))
		if (unlink(folder_file(folder, name)) != 0)
			rmdir(folder->file);
	if (dir)
		closedir(dir);
	rmdir(folder->path);
}

const char *folder_file(struct folder *folder, const char *name)
{
	snprintf(folder->file, sizeof folder->file, "%s/%s", folder->path, name);
	return folder->file;
}

void folder_write(struct folder *folder, const char *name, struct str bytes)
{
	FILE *file = fopen(folder_file(folder, name), "w");
	if (!file || fwrite(bytes.p, 1, bytes.n, file) != bytes.n || fclose(file) != 0) {
		perror(folder->file);
		exit(99);
	}
}

unsigned folder_mode(struct folder *folder, const char *name)
{
	struct stat st;
	return stat(folder_file(folder, name), &st) == 0 ? (unsigned)st.st_mode & 07777 : 0;
}

bool folder_has(struct folder *folder, const char *name)
{
	struct stat st;
	return lstat(folder_file(folder, name), &st) == 0;
}

unsigned folder_count(struct folder *folder)
{
	DIR *dir = opendir(folder->path);
	unsigned n = 0;
	while (dir && next_name(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

uint64_t folder_generation(struct folder *folder)
{
	uint64_t number = 0;
	int fd = open(folder_file(folder, "generation.page"), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &number, sizeof number, 16) != sizeof number)
		number = 0;
	close(fd);
	return number;
}
