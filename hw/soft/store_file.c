/*
 * store "file": what is read from it, written to it, and known of it
 *
 * A call that finds its data in the page cache is done at once (RWF_NOWAIT); what would wait
 * for the disk goes to the queue. The file is never mapped: one that shrinks gives errors and
 * no signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/num.h"
#include "hw/soft/store_file.h"

#define FILE_BOUNCE_MAX	(1u << 20)	/* direct I/O is copied in pieces of this size */
#define FILE_ALIGN	4096u		/* memory and offset of direct I/O */
#define FILE_ZEROS	(256u << 10)

/* steps of STORE_UNMAP, from the best to the one that always works, then the flush for FUA */
enum { UNMAP_PUNCH, UNMAP_ZERO, UNMAP_WRITE, UNMAP_SYNC };

static const uint8_t file_zeros[FILE_ZEROS] __attribute__((aligned(4096)));

static bool
file_is_change(const struct store_req *req)
{
	return req->op == STORE_WRITE || req->op == STORE_UNMAP || req->op == STORE_ANCHOR;
}

/* a write behind the end of a file that shrank would quietly fill the gap with zeros */
static int
file_check_end(struct file_store *file, const struct store_req *req)
{
	struct stat st;

	if (!file->is_regular || fstat(file->fd, &st) < 0 ||
	    (uint64_t)st.st_size >= req->offset + req->len)
		return 0;
	if (!atomic_exchange(&file->is_short, true))
		log_debug("store: '%s' has shrunk to %lld bytes, blocks behind that are lost",
		    file->path, (long long)st.st_size);
	return -ENODATA;
}

/* 0 for all of it, -EAGAIN for less; the queue then starts again from the first byte */
static int
file_try_result(
    struct file_store *file, const struct store_req *req, ssize_t n, atomic_bool *can)
{
	if (n == (ssize_t)req->len)
		return 0;
	/* nothing: it ends here, or something is the matter that the queue finds out */
	if (n == 0 && req->op == STORE_READ && file_check_end(file, req) < 0)
		return -ENODATA;
	if (n >= 0)
		return -EAGAIN;
	if (errno == EOPNOTSUPP) {
		atomic_store_explicit(can, false, memory_order_relaxed);
		return -EAGAIN;
	}
	return errno == EINTR ? -EAGAIN : -errno;
}

static int
file_try_read(struct file_store *file, struct store_req *req)
{
	int flags = file->never_blocks ? 0 : RWF_NOWAIT;
	ssize_t n;

	if (!atomic_load_explicit(&file->can_read_now, memory_order_relaxed))
		return -EAGAIN;
	n = preadv2(file->fd, req->iov, (int)req->niov, (off_t)req->offset, flags);
	return file_try_result(file, req, n, &file->can_read_now);
}

static int
file_try_write(struct file_store *file, struct store_req *req)
{
	int r, flags = file->never_blocks ? 0 : RWF_NOWAIT;
	ssize_t n;

	if (!atomic_load_explicit(&file->can_write_now, memory_order_relaxed) ||
	    (req->is_fua && !file->never_blocks))
		return -EAGAIN;
	r = file_check_end(file, req);
	if (r < 0)
		return r;
	n = pwritev2(file->fd, req->iov, (int)req->niov, (off_t)req->offset, flags);
	return file_try_result(file, req, n, &file->can_write_now);
}

static int
file_try(struct store *store, struct store_req *req)
{
	struct file_store *file = file_of(store);

	switch (req->op) {
	case STORE_READ:
		return file_try_read(file, req);
	case STORE_WRITE:
		return file_try_write(file, req);
	case STORE_FLUSH:
		return store->info.is_readonly || file->never_blocks ? 0 : -EAGAIN;
	case STORE_FETCH:
	case STORE_DROP:
		return store->info.has_cache ? -EAGAIN : 0;
	case STORE_UNMAP:
	case STORE_ANCHOR:
	case STORE_OP_N:
		break;
	}
	return -EAGAIN;
}

/* may direct I/O use the requester's memory? */
static bool
file_is_aligned(const struct store_req *req)
{
	uintptr_t bits = 0;

	for (unsigned int i = 0; i < req->niov; i++)
		bits |= (uintptr_t)req->iov[i].iov_base | req->iov[i].iov_len;
	return (bits & (FILE_ALIGN - 1)) == 0;
}

static int
file_prepare_bounce(const struct file_store *file, struct store_req *req)
{
	size_t size = (size_t)num_min(req->len, FILE_BOUNCE_MAX);

	if (!file->is_direct || file_is_aligned(req))
		return 0;
	req->bounce =
	    fault_hit() ? NULL : aligned_alloc(FILE_ALIGN, num_round_up(size, FILE_ALIGN));
	return req->bounce == NULL ? -ENOMEM : 0;
}

static void
file_set_own(struct store_req *req, const void *base, uint64_t max)
{
	req->piece = num_min(req->len - req->moved, max);
	req->own_iov = (struct iovec){
		.iov_base = (void *)(uintptr_t)base, .iov_len = (size_t)req->piece,
	};
	req->call.iov = &req->own_iov;
	req->call.niov = 1;
}

/* req->call for what remains of a read or write */
static void
file_next_rw(struct file_store *file, struct store_req *req)
{
	bool is_write = req->op == STORE_WRITE;

	req->call = (struct aio_call){
		.op = is_write ? AIO_WRITE : AIO_READ,
		.fd = file->fd,
		.flags = is_write && req->is_fua ? RWF_DSYNC : 0,
		.iov = req->iov,
		.niov = req->niov,
		.offset = req->offset + req->moved,
	};
	if (req->bounce == NULL)
		return;
	file_set_own(req, req->bounce, FILE_BOUNCE_MAX);
	if (is_write)
		(void)iov_copy_in(
		    req->iov, req->niov, req->moved, req->bounce, (size_t)req->piece);
	else	/* the end of a read may lie inside a block, direct I/O ends between blocks */
		req->own_iov.iov_len = num_round_up(req->piece, FILE_ALIGN);
}

static void
file_next_unmap(struct file_store *file, struct store_req *req)
{
	req->call = (struct aio_call){
		.op = AIO_FALLOCATE, .fd = file->fd, .offset = req->offset, .len = req->len,
		.flags = FALLOC_FL_KEEP_SIZE |
		    (req->phase == UNMAP_PUNCH ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE),
	};
	if (req->phase == UNMAP_SYNC)
		req->call.op = AIO_SYNC;
	if (req->phase != UNMAP_WRITE)
		return;
	req->call.op = AIO_WRITE;
	req->call.flags = 0;
	req->call.offset = req->offset + req->moved;
	file_set_own(req, file_zeros, FILE_ZEROS);
}

/* whole pages of the cache: parts of one are not dropped */
static void
file_next_advise(struct file_store *file, struct store_req *req)
{
	uint64_t first = req->offset & ~(uint64_t)(FILE_ALIGN - 1);

	req->call = (struct aio_call){
		.op = AIO_ADVISE, .fd = file->fd, .offset = first,
		.len = num_round_up(req->offset + req->len, FILE_ALIGN) - first,
		.flags = req->op == STORE_FETCH ? POSIX_FADV_WILLNEED : POSIX_FADV_DONTNEED,
	};
}

static void
file_next(struct store_req *req)
{
	struct file_store *file = file_of(req->store);

	switch (req->op) {
	case STORE_READ:
	case STORE_WRITE:
		file_next_rw(file, req);
		break;
	case STORE_UNMAP:
	case STORE_ANCHOR:
		file_next_unmap(file, req);
		break;
	case STORE_FETCH:
	case STORE_DROP:
		file_next_advise(file, req);
		break;
	case STORE_FLUSH:
	case STORE_OP_N:
		req->call = (struct aio_call){ .op = AIO_SYNC, .fd = file->fd };
		break;
	}
}

/* a write or unmap that makes itself stable was told that something is lost; a flush was */
static void
file_lost(struct file_store *file, bool is_flush)
{
	(void)atomic_fetch_add(&file->n_lost, 1);
	atomic_store(&file->is_untold, !is_flush);
}

static int
file_took_flush(struct store_req *req, int res)
{
	struct file_store *file = file_of(req->store);

	if (res < 0) {
		if (res != -ECANCELED)
			file_lost(file, true);
		return res;
	}
	return atomic_exchange(&file->is_untold, false) ||
	    atomic_load(&file->n_lost) != req->lost ? -EIO : 0;
}

/* 1: more to do; 0: all done */
static int
file_took_rw(struct store_req *req, uint64_t n)
{
	if (n == 0)
		return req->op == STORE_READ ? -ENODATA : -EIO;
	if (req->own_iov.iov_base != NULL)
		n = num_min(n, req->piece);
	if (req->bounce == NULL && req->own_iov.iov_base == NULL)
		iov_advance(&req->iov, &req->niov, n);
	else if (req->op == STORE_READ)
		(void)iov_copy_out(req->iov, req->niov, req->moved, req->bounce, (size_t)n);
	req->moved += n;
	return req->moved < req->len;
}

static int
file_took_unmap(struct store_req *req, int res)
{
	int r;

	if (res < 0) {
		/* invalid to a device with longer blocks: it clears whole ones only */
		if ((res != -EOPNOTSUPP && res != -EINVAL) || req->phase >= UNMAP_WRITE)
			return res;
		req->phase++;
		return 1;
	}
	if (req->phase == UNMAP_SYNC)
		return 0;
	if (req->phase == UNMAP_WRITE) {
		r = file_took_rw(req, (uint64_t)res);
		if (r != 0)
			return r;
	}
	req->phase = UNMAP_SYNC;
	return req->is_fua;
}

/* may it be an error of writing back, of whosever data? Lack of space may be: a file system that
 * looks for it late, or lies on one that does. Not to know it costs a flush, not the data */
static bool
file_may_be_lost(int res)
{
	return res == -EIO || res == -ENOSPC || res == -EDQUOT;
}

/* what the call's answer means: 1 another call, 0 finished, or -errno */
static int
file_took(struct store_req *req, int res)
{
	if (res == -EINTR)
		return 1;
	if (req->is_fua && file_is_change(req) && file_may_be_lost(res))
		file_lost(file_of(req->store), false);
	switch (req->op) {
	case STORE_READ:
	case STORE_WRITE:
		return res < 0 ? res : file_took_rw(req, (uint64_t)res);
	case STORE_UNMAP:
	case STORE_ANCHOR:
		return file_took_unmap(req, res);
	case STORE_FLUSH:
		return file_took_flush(req, res);
	case STORE_FETCH:
	case STORE_DROP:
	case STORE_OP_N:
		break;
	}
	return 0;
}

static int
file_end(struct store_req *req, int result)
{
	free(req->bounce);
	req->bounce = NULL;
	if (result == -ENODATA)
		(void)file_check_end(file_of(req->store), req);
	return result;
}

static void
file_step(struct store_req *req, int res)
{
	int r = file_took(req, res);

	if (r <= 0) {
		req->done(req, file_end(req, r));
		return;
	}
	file_next(req);
	aio_issue(req->aio, req);
}

/* what has to be right before the first call */
static int
file_begin(struct file_store *file, struct store_req *req)
{
	int r = 0;

	if (file_is_change(req))
		r = file_check_end(file, req);
	req->lost = atomic_load(&file->n_lost);
	/* a hole would have no space */
	if (req->op == STORE_ANCHOR)
		req->phase = UNMAP_ZERO;
	if (r == 0 && (req->op == STORE_READ || req->op == STORE_WRITE))
		r = file_prepare_bounce(file, req);
	return r;
}

static int
file_run(struct store *store, struct store_req *req)
{
	int r = file_begin(file_of(store), req);

	if (r < 0)
		return r;
	do {
		file_next(req);
		r = file_took(req, aio_run(&req->call));
	} while (r > 0);
	return file_end(req, r);
}

static void
file_queue(struct store *store, struct store_req *req)
{
	int r = file_begin(file_of(store), req);

	if (r < 0) {
		req->done(req, r);
		return;
	}
	file_next(req);
	aio_issue(req->aio, req);
}

/*
 * The hole of @len bytes at @offset: space that was taken and not written to (ext4, xfs, btrfs
 * tell by FIEMAP) is anchored. A file system that tells nothing has none. One that was read is
 * no hole any more, but a page in the cache: it is called mapped.
 */
static enum store_extent
file_hole(struct file_store *file, uint64_t offset, uint64_t *len)
{
	union {
		struct fiemap map;
		uint8_t room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} u = { .map = { .fm_start = offset, .fm_length = *len, .fm_extent_count = 1 } };
	const struct fiemap_extent *first = u.map.fm_extents;

	if (ioctl(file->fd, FS_IOC_FIEMAP, &u.map) < 0 || u.map.fm_mapped_extents == 0)
		return STORE_DEALLOCATED;
	if (first->fe_logical > offset) {
		*len = num_min(*len, first->fe_logical - offset);
		return STORE_DEALLOCATED;
	}
	if (first->fe_logical + first->fe_length <= offset)
		return STORE_DEALLOCATED;
	*len = num_min(*len, first->fe_logical + first->fe_length - offset);
	return (first->fe_flags & FIEMAP_EXTENT_UNWRITTEN) != 0 ? STORE_ANCHORED :
	    STORE_DEALLOCATED;
}

static enum store_extent
file_extent(struct store *store, uint64_t offset, uint64_t *len)
{
	struct file_store *file = file_of(store);
	off_t data, hole;

	if (!file->is_regular)
		return STORE_MAPPED;
	data = lseek(file->fd, (off_t)offset, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		return STORE_MAPPED;
	/* no data up to the end of the file */
	if (data < 0 || (uint64_t)data > offset) {
		*len = data < 0 ? *len : num_min(*len, (uint64_t)data - offset);
		return file_hole(file, offset, len);
	}
	hole = lseek(file->fd, (off_t)offset, SEEK_HOLE);
	if (hole > data)
		*len = num_min(*len, (uint64_t)hole - offset);
	return STORE_MAPPED;
}

/* what cannot be looked at stays as it was */
static uint64_t
file_look(struct store *store)
{
	struct file_store *file = file_of(store);
	uint64_t real, wanted = atomic_load(&file->size_wanted);
	struct stat st;

	if (fstat(file->fd, &st) < 0 || store_file_real_size(file->fd, &st, &real) < 0)
		return store->info.size_bytes;
	if (real >= store->info.size_bytes)
		atomic_store(&file->is_short, false);
	return wanted == 0 ? real : num_min(real, wanted);
}

static int
file_resize(struct store *store, uint64_t size_bytes)
{
	struct file_store *file = file_of(store);

	if (!file->is_regular)
		return -ENOTSUP;
	if (ftruncate(file->fd, (off_t)size_bytes) < 0)
		return -errno;
	if (atomic_load(&file->size_wanted) != 0)
		atomic_store(&file->size_wanted, size_bytes);
	return 0;
}

/* of block devices only they themselves know */
static int
file_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_available)
{
	struct file_store *file = file_of(store);
	uint64_t size = store->info.size_bytes;
	struct statfs fs;
	struct stat st;

	if (!file->is_regular)
		return -ENOTSUP;
	if (fstat(file->fd, &st) < 0 || fstatfs(file->fd, &fs) < 0)
		return -errno;
	*ret_used = num_min((uint64_t)st.st_blocks * 512, size);
	*ret_available =
	    num_min((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize, size - *ret_used);
	return 0;
}

const struct store_ops store_file_ops = {
	.name = "file",
	.open = store_file_open,
	.close = store_file_close,
	.try_req = file_try,
	.run = file_run,
	.queue = file_queue,
	.step = file_step,
	.look = file_look,
	.resize = file_resize,
	.usage = file_usage,
	.extent = file_extent,
};
