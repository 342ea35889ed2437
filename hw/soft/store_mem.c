/* store "mem": anonymous memory, taken page by page as blocks are written */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/num.h"
#include "hw/soft/soft.h"
#include "hw/soft/store.h"

#define MEM_ROOM_MIN	(1ull << 30)
#define MEM_ROOM_LIMIT	(1ull << 42)	/* larger ones do not grow */
#define MEM_ROOM_ALIGN	(1ull << 21)

struct mem_store {
	struct store store;	/* first */
	uint8_t *base;
	uint8_t *pages;		/* enum mem_page of each, itself taken as it is needed */
	uint64_t room_bytes;	/* address space set aside, so that it can grow in place */
	uint64_t npages;	/* of that */
	size_t page_bytes;
	unsigned int page_shift;
};

/* 0: nobody has written to it since it was given back */
enum mem_page { MEM_PAGE_FREE, MEM_PAGE_WRITTEN, MEM_PAGE_ANCHORED };

static void *
mem_map(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* blocks, and the map of their pages */
static bool
mem_map_room(struct mem_store *mem, uint64_t room_bytes)
{
	mem->room_bytes = room_bytes;
	mem->npages = num_round_up(room_bytes, mem->page_bytes) >> mem->page_shift;
	mem->base = mem_map(room_bytes);
	mem->pages = mem->base == NULL ? NULL : mem_map(mem->npages);
	if (mem->pages == NULL && mem->base != NULL)
		(void)munmap(mem->base, room_bytes);
	return mem->pages != NULL;
}

/* four times the size, and a gigabyte at least */
static uint64_t
mem_room(uint64_t size)
{
	uint64_t more = size < MEM_ROOM_MIN / 3 ? MEM_ROOM_MIN : 3 * size;

	return size > MEM_ROOM_LIMIT ? size : num_round_up(size + more, MEM_ROOM_ALIGN);
}

static int
mem_open(const struct soft_disk_conf *conf, struct store **ret, char *reterr)
{
	CLEANUP(free_ptr) struct mem_store *mem = calloc(1, sizeof(*mem));
	char size[NUM_BYTES_LEN];

	if (mem == NULL)
		return store_error(-ENOMEM, reterr, "out of memory");
	mem->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	mem->page_shift = (unsigned int)__builtin_ctzl(mem->page_bytes);
	/* room to grow, where there is any */
	if (fault_hit() || (!mem_map_room(mem, mem_room(conf->size_bytes)) &&
	    !mem_map_room(mem, conf->size_bytes)))
		return store_error(-ENOMEM, reterr,
		    "no address space for %s; make it smaller, or use "
		    "a file",
		    num_format_bytes(conf->size_bytes, size));
	(void)madvise(mem->base, mem->room_bytes, MADV_DONTDUMP);

	mem->store.ops = &store_mem_ops;
	mem->store.info = (struct store_info){
		.size_bytes = conf->size_bytes,
		.is_readonly = conf->is_readonly,
		.can_unmap = true,
		.can_anchor = true,
		.is_memory = true,
		.optimal_bytes = (uint32_t)mem->page_bytes,
	};
	*ret = &STEAL(mem)->store;
	return 0;
}

static void
mem_close(struct store *store)
{
	struct mem_store *mem = container_of(store, struct mem_store, store);

	(void)munmap(mem->pages, mem->npages);
	(void)munmap(mem->base, mem->room_bytes);
	free(mem);
}

/*
 * Commands that nobody has ordered may touch the same blocks at one time; what such a block
 * holds afterwards is a mixture of them, as on any disk. memcpy() and memset() do just that. Only
 * to the thread sanitizer it has to be said that the mixture is meant.
 */
static void
mem_copy(uint8_t *dst, const uint8_t *src, size_t len)
{
#ifdef SCSAD_TSAN
	for (size_t i = 0; i < len; i++)
		__atomic_store_n(&dst[i], __atomic_load_n(&src[i], __ATOMIC_RELAXED),
		    __ATOMIC_RELAXED);
#else
	memcpy(dst, src, len);
#endif
}

static void
mem_clear(uint8_t *dst, size_t len)
{
#ifdef SCSAD_TSAN
	for (size_t i = 0; i < len; i++)
		__atomic_store_n(&dst[i], 0, __ATOMIC_RELAXED);
#else
	memset(dst, 0, len);
#endif
}

/*
 * The map of pages: relaxed bytes, written only when they change. Writes say it after the copy,
 * unmap says it before the page goes: where both meet, a page may be called written that is
 * not, but none that is called free has data.
 */
static void
mem_set_pages(struct mem_store *mem, uint64_t first, uint64_t end, uint8_t state)
{
	for (uint64_t i = first; i < end; i++) {
		if (__atomic_load_n(&mem->pages[i], __ATOMIC_RELAXED) != state)
			__atomic_store_n(&mem->pages[i], state, __ATOMIC_RELAXED);
	}
}

static void
mem_wrote(struct mem_store *mem, uint64_t offset, uint64_t len)
{
	mem_set_pages(mem, offset >> mem->page_shift,
	    (offset + len + mem->page_bytes - 1) >> mem->page_shift, MEM_PAGE_WRITTEN);
}

/* whole pages go back to the system, the ends of the range are cleared by hand */
static void
mem_unmap(struct mem_store *mem, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first = num_round_up(offset, mem->page_bytes);
	uint64_t last = end & ~(uint64_t)(mem->page_bytes - 1);

	/* the last page of the store may be cut */
	if (end == mem->store.info.size_bytes)
		last = end;
	if (first >= last) {
		mem_clear(mem->base + offset, len);
		return;
	}
	mem_set_pages(mem, first >> mem->page_shift,
	    num_round_up(last, mem->page_bytes) >> mem->page_shift, MEM_PAGE_FREE);
	if (madvise(mem->base + first, last - first, MADV_DONTNEED) < 0)
		mem_clear(mem->base + first, last - first);
	mem_clear(mem->base + offset, first - offset);
	mem_clear(mem->base + last, end - last);
}

/* the pages that reads as zeros are taken now: by touching them */
static void
mem_anchor(struct mem_store *mem, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first = num_round_up(offset, mem->page_bytes) >> mem->page_shift;
	uint64_t last = end >> mem->page_shift;

	mem_clear(mem->base + offset, len);
	if (first < last)
		mem_set_pages(mem, first, last, MEM_PAGE_ANCHORED);
}

static enum store_extent
mem_extent(struct store *store, uint64_t offset, uint64_t *len)
{
	static const enum store_extent kinds[] = {
		[MEM_PAGE_FREE] = STORE_DEALLOCATED,
		[MEM_PAGE_WRITTEN] = STORE_MAPPED,
		[MEM_PAGE_ANCHORED] = STORE_ANCHORED,
	};
	struct mem_store *mem = container_of(store, struct mem_store, store);
	uint64_t page = offset >> mem->page_shift, end = offset + *len;
	uint8_t state = __atomic_load_n(&mem->pages[page], __ATOMIC_RELAXED);

	while (page << mem->page_shift < end &&
	    __atomic_load_n(&mem->pages[page], __ATOMIC_RELAXED) == state)
		page++;
	*len = num_min(*len, (page << mem->page_shift) - offset);
	return kinds[state];
}

static int
mem_resize(struct store *store, uint64_t size_bytes)
{
	struct mem_store *mem = container_of(store, struct mem_store, store);

	if (size_bytes < store->info.size_bytes)
		return -ENOTSUP;
	return size_bytes > mem->room_bytes ? -ENOMEM : 0;
}

/* pages that were written; and what memory the host has left */
static int
mem_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_available)
{
	struct mem_store *mem = container_of(store, struct mem_store, store);
	uint64_t size = store->info.size_bytes, used = 0;
	uint64_t n = num_round_up(size, mem->page_bytes) >> mem->page_shift;

	for (uint64_t i = 0; i < n; i++) {
		if (__atomic_load_n(&mem->pages[i], __ATOMIC_RELAXED) != MEM_PAGE_FREE)
			used += mem->page_bytes;
	}
	*ret_used = num_min(used, size);
	*ret_available = num_min((uint64_t)sysconf(_SC_AVPHYS_PAGES) * mem->page_bytes,
	    size - *ret_used);
	return 0;
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
		mem_wrote(mem, req->offset, req->len);
		break;
	case STORE_UNMAP:
		mem_unmap(mem, req->offset, req->len);
		break;
	case STORE_ANCHOR:
		mem_anchor(mem, req->offset, req->len);
		break;
	case STORE_FETCH:
	case STORE_DROP:
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
	.extent = mem_extent,
	.resize = mem_resize,
	.usage = mem_usage,
};
