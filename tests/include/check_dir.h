/*
 * check_dir.h - a folder on a real file system for each test program, and never left behind
 *
 * What      main() (check_main.h) makes a folder before the first test and removes it with all
 *           that is in it after the last one, whether tests passed, failed, or were killed. What a killed
 *           program leaves goes when the next one begins: it is nobody's that nobody has locked.
 * Owner     The parent of Check's processes; tests are its children, and find the folder by
 *           the environment.
 */
#ifndef TESTS_CHECK_DIR_H
#define TESTS_CHECK_DIR_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK_DIR_BASE	"/var/tmp"
#define CHECK_DIR_NAME	"scsad-test-"
#define CHECK_DIR_ENV	"SCSAD_TEST_DIR"

/* check_dir() - its path, shorter than 40 bytes */
static inline const char *
check_dir(void)
{
	const char *dir = getenv(CHECK_DIR_ENV);

	ck_assert_ptr_nonnull(dir);
	return dir;
}

/* check_file() - a new, empty file in it: path, descriptor */
static inline int
check_file(char *path, size_t size)
{
	int fd;

	ck_assert_int_lt(snprintf(path, size, "%s/file-XXXXXX", check_dir()), (int)size);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* check_folder() - a new folder in it */
static inline void
check_folder(char *path, size_t size)
{
	ck_assert_int_lt(snprintf(path, size, "%s/dir-XXXXXX", check_dir()), (int)size);
	ck_assert_ptr_nonnull(mkdtemp(path));
}

/* ------ main() only ------ */

static inline int
check_dir_visit(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	(void)remove(path);
	return 0;
}

/* not FTW_MOUNT: on an overlay files are of another device than their folder */
static inline void
check_dir_remove(const char *path)
{
	(void)nftw(path, check_dir_visit, 16, FTW_DEPTH | FTW_PHYS);
}

/* the folder locked, or -1; with @is_theirs only if it is ours and nobody has it locked */
static inline int
check_dir_lock(const char *path, bool is_theirs)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return -1;
	if (flock(fd, is_theirs ? LOCK_EX | LOCK_NB : LOCK_SH) == 0 && fstat(fd, &st) == 0 &&
	    st.st_nlink > 0 && st.st_uid == geteuid())
		return fd;
	(void)close(fd);
	return -1;
}

/* what programs have left that were killed */
static inline void
check_dir_sweep(void)
{
	DIR *base = opendir(CHECK_DIR_BASE);
	struct dirent *e;
	char path[sizeof(CHECK_DIR_BASE) + 256];
	int fd;

	while (base != NULL && (e = readdir(base)) != NULL) {
		if (strncmp(e->d_name, CHECK_DIR_NAME, strlen(CHECK_DIR_NAME)) != 0)
			continue;
		(void)snprintf(path, sizeof(path), CHECK_DIR_BASE "/%s", e->d_name);
		fd = check_dir_lock(path, true);
		if (fd < 0)
			continue;
		check_dir_remove(path);
		(void)close(fd);
	}
	if (base != NULL)
		(void)closedir(base);
}

/* the children inherit the lock. One that was swept before it was locked is made again */
static inline void
check_dir_begin(void)
{
	char path[] = CHECK_DIR_BASE "/" CHECK_DIR_NAME "XXXXXX";

	check_dir_sweep();
	for (int i = 0; i < 100; i++) {
		memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
		if (mkdtemp(path) != NULL && check_dir_lock(path, false) >= 0) {
			(void)setenv(CHECK_DIR_ENV, path, 1);
			return;
		}
	}
}

static inline void
check_dir_end(void)
{
	const char *path = getenv(CHECK_DIR_ENV);

	if (path != NULL)
		check_dir_remove(path);
}

#endif /* TESTS_CHECK_DIR_H */
