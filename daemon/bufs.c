#include "daemon/bufs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fault.h"

#define BUF_ALIGN	4096u
#define CLASS_SIZE(c)	(4096u << (2 * (c)))

void
bufs_init(struct bufs *bufs)
{
	for (unsigned int c = 0; c < BUFS_CLASSES; c++)
		SLIST_INIT(&bufs->free[c]);
	bufs->free_bytes = 0;
}

uint64_t
bufs_owner(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static uint8_t
class_of(uint32_t len)
{
	uint8_t c = 0;

	while (c < BUFS_CLASSES && CLASS_SIZE(c) < len)
		c++;
	return c;
}

static struct buf_data *
buf_new(uint8_t class, uint32_t size)
{
	struct buf_data *buf = fault_hit() ? NULL : malloc(sizeof(*buf));
	void *bytes;

	if (buf == NULL)
		return NULL;
	if (posix_memalign(&bytes, BUF_ALIGN, size) != 0) {
		free(buf);
		return NULL;
	}
	*buf = (struct buf_data){ .bytes = bytes, .size = size, .class = class };
	return buf;
}

struct buf_data *
bufs_take(struct bufs *bufs, uint32_t len, uint64_t owner)
{
	uint8_t c = class_of(len);
	struct buf_data *buf = c < BUFS_CLASSES ? SLIST_FIRST(&bufs->free[c]) : NULL;

	if (LIKELY(buf != NULL)) {
		SLIST_REMOVE_HEAD(&bufs->free[c], entry);
		bufs->free_bytes -= buf->size;
	} else {
		buf = buf_new(c, c < BUFS_CLASSES ? CLASS_SIZE(c) : len);
		if (buf == NULL)
			return NULL;
	}
	/* a device that claims to have filled a buffer must not show one client another's
	 * data */
	if (buf->owner != owner) {
		memset(buf->bytes, 0, buf->size);
		buf->owner = owner;
	}
	return buf;
}

static void
buf_free(struct buf_data *buf)
{
	free(buf->bytes);
	free(buf);
}

void
bufs_give(struct bufs *bufs, struct buf_data *buf)
{
	if (buf == NULL)
		return;
	if (buf->class >= BUFS_CLASSES || bufs->free_bytes + buf->size > BUFS_KEPT_BYTES) {
		buf_free(buf);
		return;
	}
	SLIST_INSERT_HEAD(&bufs->free[buf->class], buf, entry);
	bufs->free_bytes += buf->size;
}

void
bufs_fini(struct bufs *bufs)
{
	struct buf_data *buf;

	for (unsigned int c = 0; c < BUFS_CLASSES; c++)
		while ((buf = SLIST_FIRST(&bufs->free[c])) != NULL) {
			SLIST_REMOVE_HEAD(&bufs->free[c], entry);
			buf_free(buf);
		}
	bufs->free_bytes = 0;
}
