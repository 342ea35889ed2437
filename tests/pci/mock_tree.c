#include "tests/pci/mock_tree.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char tree_root[64];

const char *
tree_path(const char *path)
{
	static char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", tree_root, path);
	return full;
}

static void
folders_make(const char *path)
{
	char part[512];

	for (const char *slash = strchr(path + strlen(tree_root) + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		(void)mkdir(part, 0700);
	}
}

void
tree_begin(void)
{
	(void)snprintf(tree_root, sizeof(tree_root), "/tmp/scsad-pci-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tree_root));
}

static int
remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

void
tree_end(void)
{
	ck_assert_int_eq(nftw(tree_root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int
file_make(const char *path)
{
	int fd;

	folders_make(tree_path(path));
	fd = open(tree_path(path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	return fd;
}

void
tree_file(const char *path, const char *text)
{
	int fd = file_make(path);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close_fd(&fd);
}

void
tree_zeros(const char *path, size_t bytes)
{
	int fd = file_make(path);

	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	close_fd(&fd);
}

void
tree_fifo(const char *path)
{
	folders_make(tree_path(path));
	ck_assert_int_eq(mkfifo(tree_path(path), 0600), 0);
}

void
tree_link(const char *path, const char *to)
{
	folders_make(tree_path(path));
	ck_assert_int_eq(symlink(to, tree_path(path)), 0);
}

void
tree_remove(const char *path)
{
	ck_assert_int_eq(nftw(tree_path(path), remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
