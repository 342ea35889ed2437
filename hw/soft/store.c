#include "hw/soft/store.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "hw/soft/soft.h"

static const struct store_ops *const store_kinds[SOFT_STORE_N] = {
	[SOFT_STORE_NULL] = &store_null_ops,
	[SOFT_STORE_MEM] = &store_mem_ops,
	[SOFT_STORE_FILE] = &store_file_ops,
};

int
store_error(int err, char *reterr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reterr, SOFT_ERR_LEN, fmt, ap);
	va_end(ap);
	return err;
}

/* beside the blocks, and of the same kind: eight bytes for each of them */
static int
store_open_tuples(const struct soft_disk_conf *conf, struct store *store, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *beside =
	    fault_hit() ? NULL : malloc(sizeof(*beside));
	size_t len = strlen(conf->path);

	if (beside == NULL)
		return store_error(-ENOMEM, reterr, "out of memory");
	*beside = *conf;
	if (conf->kind == SOFT_STORE_FILE &&
	    !text_copy(beside->path + len, sizeof(beside->path) - len, STORE_PI_SUFFIX))
		return store_error(-ENAMETOOLONG, reterr,
		    "the path is too long for '" STORE_PI_SUFFIX "' behind it");
	beside->size_bytes = store->info.size_bytes / conf->block_bytes * STORE_PI_BYTES;
	beside->block_bytes = STORE_PI_BYTES;
	beside->is_direct = false;	/* they are smaller than anything it could move */
	return store_kinds[conf->kind]->open(beside, &store->tuples, reterr);
}

int
store_open(const struct soft_disk_conf *conf, struct store **ret, char *reterr)
{
	struct store *store;
	int r;

	if (conf->kind >= SOFT_STORE_N)
		return store_error(-EINVAL, reterr, "no such kind of store");
	r = store_kinds[conf->kind]->open(conf, &store, reterr);
	if (r < 0)
		return r;
	store->tuples = NULL;
	if (conf->pi_type != 0)
		r = store_open_tuples(conf, store, reterr);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->tuples != NULL)
		store->tuples->ops->close(store->tuples);
	store->ops->close(store);
}

static void
store_assert(const struct store *store, const struct store_req *req)
{
	(void)store;
	(void)req;
	assert(req->op < STORE_OP_N);
	assert(req->op == STORE_FLUSH || req->offset <= store->info.size_bytes);
	assert(req->op == STORE_FLUSH || req->len <= store->info.size_bytes - req->offset);
	assert((req->op != STORE_READ && req->op != STORE_WRITE) || req->niov <= STORE_IOV_MAX);
}

int
store_try(struct store *store, struct store_req *req)
{
	store_assert(store, req);
	req->store = store;
	req->moved = 0;
	if (store->info.is_readonly &&
	    (req->op == STORE_WRITE || req->op == STORE_UNMAP || req->op == STORE_ANCHOR))
		return -EROFS;
	if (req->len == 0 && req->op != STORE_FLUSH)
		return 0;
	return store->ops->try_req(store, req);
}

static void
store_begin(struct store *store, struct store_req *req)
{
	store_assert(store, req);
	req->store = store;
	req->moved = 0;
	req->phase = 0;
	req->bounce = NULL;
	req->own_iov = (struct iovec){ NULL, 0 };
}

void
store_queue(struct store *store, struct store_req *req)
{
	store_begin(store, req);
	if (store->ops->queue == NULL)
		req->done(req, store->ops->try_req(store, req));
	else
		store->ops->queue(store, req);
}

int
store_do(struct store *store, struct store_req *req)
{
	int r = store_try(store, req);

	if (r != -EAGAIN)
		return r;
	store_begin(store, req);
	return store->ops->run(store, req);
}

enum store_extent
store_extent(struct store *store, uint64_t offset, uint64_t *len)
{
	if (store->ops->extent == NULL)
		return STORE_MAPPED;
	return store->ops->extent(store, offset, len);
}

/* the tuples of @size_bytes of blocks, as far as there is a place for them; so many bytes of
 * blocks have one */
static uint64_t
tuples_grow(struct store *store, uint64_t size_bytes, uint32_t block_bytes)
{
	uint64_t old = store->tuples->info.size_bytes;
	uint64_t want = size_bytes / block_bytes * STORE_PI_BYTES;

	if (want <= old)
		return size_bytes;
	if (store->info.is_readonly || store->tuples->ops->resize == NULL ||
	    store->tuples->ops->resize(store->tuples, want) < 0)
		return old / STORE_PI_BYTES * block_bytes;
	while (want > old &&
	    !atomic_compare_exchange_weak(&store->tuples->info.size_bytes, &old, want))
		;
	return size_bytes;
}

uint64_t
store_look(struct store *store, uint32_t block_bytes)
{
	uint64_t now, old = store->info.size_bytes;

	if (store->ops->look == NULL)
		return old;
	now = store->ops->look(store);
	if (store->tuples != NULL && now > old)
		now = tuples_grow(store, now, block_bytes);
	while (now > old && !atomic_compare_exchange_weak(&store->info.size_bytes, &old, now))
		;
	return now;
}

int
store_resize(struct store *store, uint64_t size_bytes, uint32_t block_bytes)
{
	uint64_t tuples = size_bytes / block_bytes * STORE_PI_BYTES;
	int r = 0;

	if (store->ops->resize == NULL)
		return -ENOTSUP;
	if (store->info.is_readonly)
		return -EROFS;
	/* those of new blocks are there before the blocks are */
	if (store->tuples != NULL && tuples > store->tuples->info.size_bytes)
		r = store->tuples->ops->resize(store->tuples, tuples);
	if (r == 0 && store->tuples != NULL && tuples > store->tuples->info.size_bytes)
		store->tuples->info.size_bytes = tuples;
	if (r == 0)
		r = store->ops->resize(store, size_bytes);
	if (r == 0 && size_bytes > store->info.size_bytes)
		store->info.size_bytes = size_bytes;
	return r;
}

int
store_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_available)
{
	return store->ops->usage == NULL ? -ENOTSUP :
	    store->ops->usage(store, ret_used, ret_available);
}

void
store_cancel(struct store_req *req)
{
	if (req->aio != NULL)
		aio_cancel(req->aio, req);
}

void
store_step(struct store_req *req, int res)
{
	req->store->ops->step(req, res);
}

void
iov_advance(struct iovec **iov, unsigned int *niov, uint64_t n)
{
	while (n > 0 && *niov > 0) {
		struct iovec *first = *iov;
		size_t part = (size_t)num_min(n, first->iov_len);

		first->iov_base = (uint8_t *)first->iov_base + part;
		first->iov_len -= part;
		n -= part;
		if (first->iov_len == 0) {
			(*iov)++;
			(*niov)--;
		}
	}
}

/* walk @len bytes from @skip on; @buf goes to the pieces or comes from them */
static size_t
iov_copy(const struct iovec *iov, unsigned int niov, uint64_t skip, uint8_t *buf, size_t len,
    bool is_out)
{
	size_t moved = 0;

	for (unsigned int i = 0; i < niov && moved < len; i++) {
		uint8_t *piece;
		size_t part;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		piece = (uint8_t *)iov[i].iov_base + skip;
		part = (size_t)num_min(iov[i].iov_len - skip, len - moved);
		if (is_out)
			memcpy(piece, buf + moved, part);
		else
			memcpy(buf + moved, piece, part);
		moved += part;
		skip = 0;
	}
	return moved;
}

size_t
iov_copy_out(
    const struct iovec *iov, unsigned int niov, uint64_t skip, const void *buf, size_t len)
{
	return iov_copy(iov, niov, skip, (uint8_t *)(uintptr_t)buf, len, true);
}

size_t
iov_copy_in(const struct iovec *iov, unsigned int niov, uint64_t skip, void *buf, size_t len)
{
	return iov_copy(iov, niov, skip, buf, len, false);
}

void
iov_zero(const struct iovec *iov, unsigned int niov)
{
	for (unsigned int i = 0; i < niov; i++)
		memset(iov[i].iov_base, 0, iov[i].iov_len);
}
