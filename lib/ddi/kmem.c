#include <sys/kmem.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__	1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#endif

#include "base/fault.h"
#include "base/log.h"
#include "base/num.h"
#include "ddi/kmem_impl.h"
#include "ddi/kmem_stats.h"
#include "ddi/sched_impl.h"
#include "ddi/violation.h"

#define RETRY_MS	10
#define RETRIES		500	/* then the host will not give any more */

static void
retry_pause(void)
{
	struct timespec ts = { .tv_nsec = RETRY_MS * 1000000 };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

void *
kmem_must(size_t size)
{
	for (int i = 0; i < RETRIES; i++) {
		void *p = calloc(1, size);

		if (p != NULL)
			return p;
		retry_pause();
	}
	log_error("memory: %zu bytes not to be had", size);
	abort();
}

/* host_alloc() - KM_SLEEP has no answer but memory */
static void *
host_alloc(size_t size, int flags)
{
	void *p;

	if ((flags & KM_NOSLEEP) != 0)
		return fault_hit() ? NULL : malloc(size);
#ifdef SCSAD_DEBUG
	if (UNLIKELY(sched_is_interrupt()))
		ddi_violation("kmem-sleep", "%zu bytes with KM_SLEEP in interrupt context",
		    size);
#endif
	p = malloc(size);
	return LIKELY(p != NULL) ? p : kmem_must(size);
}

#ifdef SCSAD_DEBUG

#define BLOCK_LIVE	0x6c697665u
#define BLOCK_FREE	0x66726565u
#define FILL_NEW	0xa5
#define FILL_FREE	0xdf
#define FENCE		0xfb
#define FENCE_LEN	16
#define KEPT_BLOCKS	256		/* freed ones kept back to catch late uses */
#define KEPT_BYTES_MAX	4096		/* of one */

struct block {
	uint64_t size;
	uint32_t magic;
	uint32_t pad;
	uint8_t data[];
};

_Static_assert(sizeof(struct block) == 16, "data stays aligned to 16");

static struct block *kept[KEPT_BLOCKS];
static size_t kept_next;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t in_use;

static void *
block_new(size_t size, int flags)
{
	struct block *b;
	uint64_t total;

	if (!num_add(size, sizeof(*b) + FENCE_LEN, &total))
		return NULL;
	b = host_alloc(total, flags);
	if (b == NULL)
		return NULL;
	b->size = size;
	b->magic = BLOCK_LIVE;
	memset(b->data, FILL_NEW, size);
	memset(b->data + size, FENCE, FENCE_LEN);
	ASAN_POISON_MEMORY_REGION(b->data + size, FENCE_LEN);
	atomic_fetch_add_explicit(&in_use, size, memory_order_relaxed);
	return b->data;
}

static bool
is_filled(const uint8_t *p, uint8_t fill, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != fill)
			return false;
	return true;
}

/* block_release() - @b has been kept back long enough */
static void
block_release(struct block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->data, b->size + FENCE_LEN);
	if (!is_filled(b->data, FILL_FREE, b->size))
		ddi_violation("kmem-use-after-free", "%llu bytes at %p",
		    (unsigned long long)b->size, (void *)b->data);
	free(b);
}

static void
block_keep(struct block *b)
{
	struct block *oldest;

	memset(b->data, FILL_FREE, b->size);
	if (b->size > KEPT_BYTES_MAX) {
		free(b);
		return;
	}
	ASAN_POISON_MEMORY_REGION(b->data, b->size + FENCE_LEN);
	(void)pthread_mutex_lock(&kept_lock);
	oldest = kept[kept_next];
	kept[kept_next] = b;
	kept_next = (kept_next + 1) % KEPT_BLOCKS;
	(void)pthread_mutex_unlock(&kept_lock);
	if (oldest != NULL)
		block_release(oldest);
}

static void
block_free(void *buf, size_t size)
{
	struct block *b = container_of(buf, struct block, data);

	if (b->magic != BLOCK_LIVE) {
		ddi_violation(b->magic == BLOCK_FREE ? "kmem-free-twice" : "kmem-foreign",
		    "%p, %zu bytes", buf, size);
		return;
	}
	if (b->size != size) {
		ddi_violation("kmem-size", "%p: allocated with %llu bytes, freed with %zu", buf,
		    (unsigned long long)b->size, size);
		size = b->size;
	}
	ASAN_UNPOISON_MEMORY_REGION(b->data + size, FENCE_LEN);
	if (!is_filled(b->data + size, FENCE, FENCE_LEN))
		ddi_violation("kmem-overrun", "%p: written behind its %zu bytes", buf, size);
	b->magic = BLOCK_FREE;
	atomic_fetch_sub_explicit(&in_use, size, memory_order_relaxed);
	block_keep(b);
}

uint64_t
kmem_in_use(void)
{
	return atomic_load_explicit(&in_use, memory_order_relaxed);
}

#else

static void *
block_new(size_t size, int flags)
{
	return host_alloc(size, flags);
}

static void
block_free(void *buf, size_t size UNUSED)
{
	free(buf);
}

uint64_t
kmem_in_use(void)
{
	return 0;
}

#endif

void *
kmem_alloc(size_t size, int flags)
{
	return size == 0 ? NULL : block_new(size, flags);
}

void *
kmem_zalloc(size_t size, int flags)
{
	void *p = kmem_alloc(size, flags);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void
kmem_free(void *buf, size_t size)
{
	if (buf != NULL)
		block_free(buf, size);
}

char *
kmem_strdup(const char *text, int flags)
{
	size_t size = strlen(text) + 1;
	char *copy = kmem_alloc(size, flags);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

void
kmem_strfree(char *text)
{
	if (text != NULL)
		kmem_free(text, strlen(text) + 1);
}

char *
kmem_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return kmem_strdup("", KM_SLEEP);

	text = kmem_alloc((size_t)len + 1, KM_SLEEP);
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}
