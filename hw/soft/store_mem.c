/* store "mem": anonymous memory, taken page by page as blocks are written */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/num.h"
#include "hw/soft/soft.h"
#include "hw/soft/store.h"

struct mem_store {
	struct store store;	/* first */
	uint8_t *base;
	size_t page_bytes;
};

static int
mem_open(const struct soft_disk_conf *conf, struct store **ret, char *reterr)
{
	CLEANUP(free_ptr) struct mem_store *mem = calloc(1, sizeof(*mem));
	char size[NUM_BYTES_LEN];

	if (mem == NULL)
		return store_error(-ENOMEM, reterr, "out of memory");
	mem->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	mem->base = fault_hit() ? MAP_FAILED
				: mmap(NULL, conf->size_bytes, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->base == MAP_FAILED)
		return store_error(-ENOMEM, reterr,
		    "no address space for %s; make it smaller, or use "
		    "a file",
		    num_format_bytes(conf->size_bytes, size));
	(void)madvise(mem->base, conf->size_bytes, MADV_DONTDUMP);

	mem->store.ops = &store_mem_ops;
	mem->store.info = (struct store_info){
		.size_bytes = conf->size_bytes,
		.is_readonly = conf->is_readonly,
		.can_unmap = true,
		.optimal_bytes = (uint32_t)mem->page_bytes,
	};
	*ret = &STEAL(mem)->store;
	return 0;
}

static void
mem_close(struct store *store)
{
	struct mem_store *mem = container_of(store, struct mem_store, store);

	(void)munmap(mem->base, store->info.size_bytes);
	free(mem);
}

/* whole pages go back to the system, the ends of the range are cleared by hand */
static void
mem_unmap(struct mem_store *mem, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first = num_round_up(offset, mem->page_bytes);
	uint64_t last = end & ~(uint64_t)(mem->page_bytes - 1);

	if (first >= last || madvise(mem->base + first, last - first, MADV_DONTNEED) < 0) {
		memset(mem->base + offset, 0, len);
		return;
	}
	memset(mem->base + offset, 0, first - offset);
	memset(mem->base + last, 0, end - last);
}

/*
 * Commands that nobody has ordered may touch the same blocks at one time; what such a block holds
 * afterwards is a mixture of them, as on any disk. memcpy() does just that. Only to the thread
 * sanitizer it has to be said that the mixture is meant.
 */
static void
mem_copy(uint8_t *dst, const uint8_t *src, size_t len)
{
#ifdef SCSAD_TSAN
	for (size_t i = 0; i < len; i++)
		__atomic_store_n(&dst[i], __atomic_load_n(&src[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
#else
	memcpy(dst, src, len);
#endif
}

static int
mem_try(struct store *store, struct store_req *req)
{
	struct mem_store *mem = container_of(store, struct mem_store, store);
	uint8_t *at = mem->base + req->offset;

	switch (req->op) {
	case STORE_READ:
		for (unsigned int i = 0; i < req->niov; i++) {
			mem_copy(req->iov[i].iov_base, at, req->iov[i].iov_len);
			at += req->iov[i].iov_len;
		}
		break;
	case STORE_WRITE:
		for (unsigned int i = 0; i < req->niov; i++) {
			mem_copy(at, req->iov[i].iov_base, req->iov[i].iov_len);
			at += req->iov[i].iov_len;
		}
		break;
	case STORE_UNMAP:
		mem_unmap(mem, req->offset, req->len);
		break;
	case STORE_FLUSH:
	case STORE_OP_N:
		break;
	}
	return 0;
}

const struct store_ops store_mem_ops = {
	.name = "mem",
	.open = mem_open,
	.close = mem_close,
	.try_req = mem_try,
};
