/* store "null": writes are thrown away, reads are zeros; to measure everything else */
#include <errno.h>

#include "hw/soft/soft.h"
#include "hw/soft/store.h"

static int
null_open(const struct soft_disk_conf *conf, struct store **ret, char *reterr)
{
	struct store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return store_error(-ENOMEM, reterr, "out of memory");
	store->ops = &store_null_ops;
	store->info = (struct store_info){
		.size_bytes = conf->size_bytes,
		.is_readonly = conf->is_readonly,
		.can_unmap = true,
		.is_memory = true,
	};
	*ret = store;
	return 0;
}

static void
null_close(struct store *store)
{
	free(store);
}

static int
null_try(UNUSED struct store *store, struct store_req *req)
{
	if (req->op == STORE_READ)
		iov_zero(req->iov, req->niov);
	return 0;
}

/* what was written is gone at once */
static enum store_extent
null_extent(UNUSED struct store *store, UNUSED uint64_t offset, UNUSED uint64_t *len)
{
	return STORE_DEALLOCATED;
}

static int
null_resize(UNUSED struct store *store, UNUSED uint64_t size_bytes)
{
	return 0;
}

static int
null_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_available)
{
	*ret_used = 0;
	*ret_available = store->info.size_bytes;
	return 0;
}

const struct store_ops store_null_ops = {
	.name = "null",
	.open = null_open,
	.close = null_close,
	.try_req = null_try,
	.extent = null_extent,
	.resize = null_resize,
	.usage = null_usage,
};
