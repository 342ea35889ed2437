/* store "file": the image or block device is found or made, locked, and measured */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <sys/ddi.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "hw/soft/soft.h"
#include "hw/soft/store_file.h"

#define FILE_LOCK_LIVING_US	1000000		/* it may be about to go */
#define FILE_LOCK_DEAD_US	10000000
#define FILE_LOCK_PAUSE_US	5000

static void
file_free(struct file_store *file)
{
	if (file == NULL)
		return;
	close_fd(&file->fd);
	free(file);
}

static void
file_freep(struct file_store **file)
{
	file_free(*file);
}

void
store_file_close(struct store *store)
{
	file_free(file_of(store));
}

/* the path as a message may show it */
static const char *
file_shown(const char *path, char shown[160])
{
	return text_escape(path, strlen(path), shown, 160);
}

static int
file_open_error(const struct soft_disk_conf *conf, int err, char *reterr)
{
	char shown[160];
	const char *path = file_shown(conf->path, shown);

	switch (err) {
	case ENOENT:
		return store_error(-ENOENT, reterr,
		    "'%s' does not exist; give a size (size=8G) to "
		    "have it made, or check the path",
		    path);
	case EISDIR:
		return store_error(
		    -EISDIR, reterr, "'%s' is a directory; name a file in it", path);
	case EACCES:
	case EPERM:
		return store_error(-err, reterr,
		    "'%s' may not be opened for %s by uid %u; change its "
		    "owner or mode%s",
		    path, conf->is_readonly ? "reading" : "writing", (unsigned int)geteuid(),
		    conf->is_readonly ? "" : ", or use readonly=1");
	case EROFS:
		return store_error(
		    -EROFS, reterr, "'%s' is on a read-only file system; use readonly=1", path);
	case EBUSY:
		return store_error(-EBUSY, reterr,
		    "'%s' is in use (mounted, or held by another "
		    "driver); unmount it first",
		    path);
	case EINVAL:
		if (conf->is_direct)
			return store_error(-EINVAL, reterr,
			    "the file system of '%s' knows no direct "
			    "I/O; leave 'direct' out",
			    path);
		return store_error(-EINVAL, reterr, "'%s': %s", path, strerror(err));
	default:
		return store_error(-err, reterr, "'%s': %s", path, strerror(err));
	}
}

/* A flush of a file says nothing about its name: without that the file is not found after a loss
 * of power. Where the folder cannot be opened or flushed, it is as good as it gets */
static void
file_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	int fd;

	if (slash != NULL) {
		size_t len = slash == path ? 1 : (size_t)(slash - path);

		memcpy(folder, path, len);
		folder[len] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

/* a new, sparse file of the wanted size */
static int
file_create(const struct soft_disk_conf *conf, int flags, char *reterr)
{
	char shown[160], size[NUM_BYTES_LEN];
	int err, fd = open(conf->path, flags | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return file_open_error(conf, errno, reterr);
	/* its length, too, is there after a loss of power: an empty file could not be opened */
	if (ftruncate(fd, (off_t)conf->size_bytes) == 0 && fsync(fd) == 0) {
		file_sync_folder(conf->path);
		return fd;
	}
	err = errno;
	(void)close(fd);
	(void)unlink(conf->path);
	return store_error(-err, reterr, "'%s' cannot be made %s large: %s",
	    file_shown(conf->path, shown), num_format_bytes(conf->size_bytes, size),
	    strerror(err));
}

static int
file_check_kind(const struct soft_disk_conf *conf, const struct stat *st, char *reterr)
{
	char shown[160];

	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	return store_error(-EINVAL, reterr, "'%s' is neither a file nor a block device",
	    file_shown(conf->path, shown));
}

static int
file_open_fd(const struct soft_disk_conf *conf, char *reterr)
{
	int flags = O_CLOEXEC | O_NOCTTY | (conf->is_readonly ? O_RDONLY : O_RDWR) |
	    (conf->is_direct ? O_DIRECT : 0);
	struct stat st;
	int fd, r;

	/* looked at before it is opened: to open a FIFO would wait for its other end */
	if (stat(conf->path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return file_open_error(conf, EISDIR, reterr);
		r = file_check_kind(conf, &st, reterr);
		if (r < 0)
			return r;
		if (S_ISBLK(st.st_mode) && !conf->is_readonly)
			flags |= O_EXCL;
	}
	fd = open(conf->path, flags);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT && conf->size_bytes != 0 && !conf->is_readonly)
		return file_create(conf, flags, reterr);
	return file_open_error(conf, errno, reterr);
}

/* is there such a process, and not only what its parent has not taken yet? */
static bool
process_lives(int pid)
{
	char path[64], state = 'Z';
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	/* a name may have any character, and is 15 bytes long at most */
	(void)fscanf(f, "%*d (%*15[^)]) %c", &state);
	(void)fclose(f);
	return state != 'Z' && state != 'X';
}

/* a process that is there and has locked the file, as /proc/locks says; 0: none that we see */
static int
file_lock_owner(int fd)
{
	unsigned long long inode;
	int pid, owner = 0;
	char line[256];
	struct stat st;
	FILE *f;

	if (fstat(fd, &st) < 0)
		return 0;
	f = fopen("/proc/locks", "re");
	while (f != NULL && owner == 0 && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%*[^:]: FLOCK %*s %*s %d %*x:%*x:%llu", &pid, &inode) == 2 &&
		    inode == st.st_ino && process_lives(pid))
			owner = pid;
	}
	if (f != NULL)
		(void)fclose(f);
	return owner;
}

/* 0, EWOULDBLOCK after @us, or another errno */
static int
file_lock_wait(const struct soft_disk_conf *conf, int fd, uint32_t us)
{
	clock_t until = ddi_get_lbolt() + drv_usectohz(us);
	bool is_last;

	do {
		is_last = ddi_get_lbolt() >= until;
		if (flock(fd, (conf->is_readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return errno;
		delay(drv_usectohz(FILE_LOCK_PAUSE_US));
	} while (!is_last);
	return EWOULDBLOCK;
}

/*
 * One writer, or any number of readers, over all processes. One that was killed keeps its lock
 * until the writes it had queued in the kernel have landed, which is a moment after it is gone,
 * or seconds where a flush takes as long: that is waited for, as a write of the dead must not
 * follow one of ours.
 */
static int
file_lock(const struct soft_disk_conf *conf, int fd, char *reterr)
{
	int err = file_lock_wait(conf, fd, FILE_LOCK_LIVING_US), owner = 0;
	char shown[160], who[32] = "";

	if (err == EWOULDBLOCK)
		owner = file_lock_owner(fd);
	if (err == EWOULDBLOCK && owner == 0)
		err = file_lock_wait(conf, fd, FILE_LOCK_DEAD_US);
	if (err == 0)
		return 0;
	if (err != EWOULDBLOCK)
		return store_error(-err, reterr, "'%s' cannot be locked: %s",
		    file_shown(conf->path, shown), strerror(err));
	if (owner != 0)
		(void)snprintf(who, sizeof(who), " (process %d)", owner);
	return store_error(-EBUSY, reterr,
	    "'%s' is in use by another scsad%s; stop that one, or give each its own image%s",
	    file_shown(conf->path, shown), who,
	    conf->is_readonly ? "" : "; readers with readonly=1 may share one");
}

int
store_file_real_size(int fd, const struct stat *st, uint64_t *ret)
{
	if (S_ISBLK(st->st_mode))
		return ioctl(fd, BLKGETSIZE64, ret) < 0 ? -errno : 0;
	*ret = (uint64_t)st->st_size;
	return 0;
}

/* how large the disk is: the file, unless less was asked for */
static int
file_size(const struct soft_disk_conf *conf, int fd, const struct stat *st, uint64_t *ret,
    char *reterr)
{
	char shown[160];
	const char *path = file_shown(conf->path, shown);
	uint64_t real, size;
	int r;

	r = store_file_real_size(fd, st, &real);
	if (r < 0)
		return store_error(r, reterr, "'%s': %s", path, strerror(-r));
	size = conf->size_bytes == 0 ? real : conf->size_bytes;
	if (size > real)
		return store_error(-EINVAL, reterr,
		    "'%s' has %llu bytes, size=%llu asks for more; "
		    "grow it with 'truncate -s %llu', or leave the size out",
		    path, (unsigned long long)real, (unsigned long long)size,
		    (unsigned long long)size);
	if (size == 0)
		return store_error(-EINVAL, reterr,
		    "'%s' is empty; give it a size with 'truncate -s "
		    "8G', or remove it and use size=8G",
		    path);
	if (size % conf->block_bytes != 0)
		return store_error(-EINVAL, reterr,
		    "'%s' has %llu bytes, not a multiple of the block "
		    "of %u; round it up with 'truncate -s %%%u', or use size=%llu",
		    path, (unsigned long long)size, conf->block_bytes, conf->block_bytes,
		    (unsigned long long)(size - size % conf->block_bytes));
	*ret = size;
	return 0;
}

static int
file_check_direct(const struct soft_disk_conf *conf, int fd, char *reterr)
{
#ifdef STATX_DIOALIGN
	struct statx stx;
	char shown[160];

	if (!conf->is_direct || statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) < 0 ||
	    (stx.stx_mask & STATX_DIOALIGN) == 0)
		return 0;
	if (stx.stx_dio_offset_align == 0 || stx.stx_dio_offset_align > conf->block_bytes)
		return store_error(-EINVAL, reterr,
		    "direct I/O on '%s' needs blocks of %u; use "
		    "block=4096, or leave 'direct' out",
		    file_shown(conf->path, shown), stx.stx_dio_offset_align);
#else
	(void)conf;
	(void)fd;
	(void)reterr;
#endif
	return 0;
}

static bool
file_is_in_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

int
store_file_open(const struct soft_disk_conf *conf, struct store **ret, char *reterr)
{
	CLEANUP(file_freep) struct file_store *file = NULL;
	size_t path_size = strlen(conf->path) + 1;
	uint64_t size = 0;
	struct stat st;
	int r;

	file = fault_hit() ? NULL : calloc(1, sizeof(*file) + path_size);
	if (file == NULL)
		return store_error(-ENOMEM, reterr, "out of memory");
	memcpy(file->path, conf->path, path_size);
	file->fd = file_open_fd(conf, reterr);
	if (file->fd < 0)
		return file->fd;
	if (fstat(file->fd, &st) < 0)
		return store_error(-errno, reterr, "'%.100s': %s", conf->path, strerror(errno));
	r = file_check_kind(conf, &st, reterr);
	if (r == 0)
		r = file_lock(conf, file->fd, reterr);
	if (r == 0)
		r = file_check_direct(conf, file->fd, reterr);
	if (r == 0)
		r = file_size(conf, file->fd, &st, &size, reterr);
	if (r < 0)
		return r;

	file->is_direct = conf->is_direct;
	file->is_regular = S_ISREG(st.st_mode);
	file->never_blocks = !conf->is_direct && file_is_in_memory(file->fd);
	atomic_init(&file->can_read_now, !conf->is_direct);
	atomic_init(&file->can_write_now, !conf->is_direct);
	file->store.ops = &store_file_ops;
	file->store.info.size_bytes = size;
	file->store.info.is_readonly = conf->is_readonly;
	file->store.info.can_unmap = true;
	file->store.info.can_anchor = file->is_regular;
	file->store.info.is_memory = file->never_blocks;
	file->store.info.has_cache = !conf->is_direct && !file->never_blocks;
	file->store.info.optimal_bytes = (uint32_t)num_min((uint64_t)st.st_blksize, 1u << 20);
	atomic_init(&file->size_wanted, conf->size_bytes);
	*ret = &STEAL(file)->store;
	return 0;
}
