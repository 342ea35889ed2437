#include "host/use_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "host/sysfs.h"

#define ROWS_MAX	65536

/* while a table is read */
struct reading {
	const struct host *h;
	struct host_tables *tables;
	const char *name;		/* the folder that is being walked */
};

static int
row_add(struct host_tables *t, const struct host_row *row)
{
	struct host_row *rows;

	if (t->n == ROWS_MAX)
		return 0;
	rows = reallocarray(t->rows, t->n + 1, sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	t->rows = rows;
	rows[t->n++] = *row;
	return 0;
}

/* octal escapes of /proc: "\040" is a blank */
static void
unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

/* "/dev/sda1" is "sda1"; what is not below /dev has no name */
static void
device_name(char name[HOST_NAME_LEN], const char *path)
{
	if (strncmp(path, "/dev/", 5) != 0 || !text_copy(name, HOST_NAME_LEN, path + 5))
		name[0] = '\0';
}

static int
lines_read(const char *path, int (*fn)(char *line, struct host_tables *t),
    struct host_tables *t)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int r = 0;

	if (f == NULL)
		return -errno;
	while (r == 0 && (len = getline(&line, &size, f)) >= 0) {
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		r = fn(line, t);
	}
	free(line);
	(void)fclose(f);
	return r;
}

/* "22 27 8:1 / /srv rw - ext4 /dev/sda1 rw": numbers, root, folder, options; behind " - " the
 * type and what is mounted */
static int
mount_line(char *line, struct host_tables *t)
{
	struct host_row row = { .kind = HOST_MOUNTED };
	char *fields[5], *rest = line, *source;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if ((fields[i] = strsep(&rest, " ")) == NULL)
			return 0;
	source = rest == NULL ? NULL : strstr(rest, " - ");
	if (source != NULL) {
		source += 3;
		(void)strsep(&source, " ");
	}
	unescape(fields[4]);
	(void)text_copy(row.dev, sizeof(row.dev), fields[2]);
	(void)text_copy(row.by, sizeof(row.by), fields[4]);
	if (source != NULL) {
		char *path = strsep(&source, " ");

		unescape(path);
		device_name(row.device, path);
	}
	return row_add(t, &row);
}

/* "/dev/sda2 partition 1000 0 -2" below a line of headings; a file is on a mounted system */
static int
swap_line(char *line, struct host_tables *t)
{
	struct host_row row = { .kind = HOST_SWAP };

	line[strcspn(line, " \t")] = '\0';
	unescape(line);
	device_name(row.device, line);
	(void)text_copy(row.by, sizeof(row.by), row.device);
	return row.device[0] == '\0' ? 0 : row_add(t, &row);
}

static int
loop_entry(const char *name, void *arg)
{
	const struct reading *rd = arg;
	struct host_row row = { .kind = HOST_HELD };
	char path[PATH_MAX];

	if (strncmp(name, "loop", 4) != 0 || sysfs_read(path, sizeof(path),
	    "%s/class/block/%s/loop/backing_file", rd->h->sysfs, name) < 0)
		return 0;
	device_name(row.device, path);
	(void)text_copy(row.by, sizeof(row.by), name);
	return row.device[0] == '\0' ? 0 : row_add(rd->tables, &row);
}

static int
btrfs_device(const char *name, void *arg)
{
	const struct reading *rd = arg;
	struct host_row row = { .kind = HOST_HELD };

	(void)text_copy(row.device, sizeof(row.device), name);
	(void)snprintf(row.by, sizeof(row.by), "btrfs %.64s", rd->name);
	return row_add(rd->tables, &row);
}

/* a mounted btrfs has a folder, with the devices it is on */
static int
btrfs_entry(const char *name, void *arg)
{
	struct reading rd = *(const struct reading *)arg;
	char folder[PATH_MAX];
	int r;

	rd.name = name;
	(void)snprintf(folder, sizeof(folder), "%s/fs/btrfs/%.64s/devices", rd.h->sysfs, name);
	r = sysfs_each(folder, btrfs_device, &rd);
	return r == -ENOMEM ? r : 0;
}

/* files that every process has, and that no disk is */
static bool
is_common(const char *device)
{
	static const char *const names[] = { "null", "zero", "full", "random", "urandom", "tty",
		"pts/", "ptmx", "shm/", "kmsg", "console" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strncmp(device, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static int
fd_entry(const char *name, void *arg)
{
	const struct reading *rd = arg;
	struct host_row row = { .kind = HOST_OPEN };
	char path[PATH_MAX], target[PATH_MAX], comm[32];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/%.32s/fd/%.32s", rd->h->proc, rd->name, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	device_name(row.device, target);
	if (row.device[0] == '\0' || is_common(row.device))
		return 0;
	if (sysfs_read(comm, sizeof(comm), "%s/%.32s/comm", rd->h->proc, rd->name) < 0)
		comm[0] = '\0';
	(void)snprintf(row.by, sizeof(row.by), "%.32s (%s)", rd->name, comm);
	return row_add(rd->tables, &row);
}

static int
process_entry(const char *name, void *arg)
{
	struct reading rd = *(const struct reading *)arg;
	char folder[PATH_MAX];
	int r;

	if (name[strspn(name, "0123456789")] != '\0')
		return 0;
	rd.name = name;
	(void)snprintf(folder, sizeof(folder), "%s/%.32s/fd", rd.h->proc, name);
	r = sysfs_each(folder, fd_entry, &rd);
	return r == -ENOMEM ? r : 0;
}

/* folders that are missing have nothing to tell */
static int
folder_read(const struct reading *rd, const char *top, const char *below,
    int (*fn)(const char *name, void *arg))
{
	char folder[PATH_MAX];
	int r;

	(void)snprintf(folder, sizeof(folder), "%s%s", top, below);
	r = sysfs_each(folder, fn, (void *)(uintptr_t)rd);
	return r == -ENOMEM ? r : 0;
}

int
host_tables_read(const struct host *h, struct host_tables *ret)
{
	struct host_tables t = { 0 };
	const struct reading rd = { .h = h, .tables = &t };
	char path[PATH_MAX];
	int r;

	(void)snprintf(path, sizeof(path), "%s/self/mountinfo", h->proc);
	r = lines_read(path, mount_line, &t);
	(void)snprintf(path, sizeof(path), "%s/swaps", h->proc);
	if (r == 0)
		r = lines_read(path, swap_line, &t);
	if (r == -ENOENT && t.n > 0)	/* a kernel without swap */
		r = 0;
	if (r == 0)
		r = folder_read(&rd, h->sysfs, "/class/block", loop_entry);
	if (r == 0)
		r = folder_read(&rd, h->sysfs, "/fs/btrfs", btrfs_entry);
	if (r == 0)
		r = folder_read(&rd, h->proc, "", process_entry);
	if (r < 0) {
		host_tables_fini(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void
host_tables_fini(struct host_tables *tables)
{
	free(tables->rows);
	*tables = (struct host_tables){ 0 };
}

bool
host_open_find(const struct host *h, const char *name, char *by)
{
	struct host_tables t = { 0 };
	const struct reading rd = { .h = h, .tables = &t };
	bool found = false;

	if (folder_read(&rd, h->proc, "", process_entry) == 0)
		for (size_t i = 0; i < t.n && !found; i++)
			if (strcmp(t.rows[i].device, name) == 0) {
				(void)text_copy(by, HOST_NAME_LEN, t.rows[i].by);
				found = true;
			}
	host_tables_fini(&t);
	return found;
}
