/* what outlives a restart: a file for each serial number, records of tag, length and bytes */
#include <errno.h>
#include <string.h>
#include <sys/kmem.h>
#include <sys/queue.h>

#include "base/cursor.h"
#include "base/keep.h"
#include "base/log.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define SAVED_PREFIX	"disk-"
#define SAVED_BUCKETS	1024u
#define SAVED_LEN_MAX	8192u

enum saved_tag {
	TAG_MODE_PAGE = 1,	/* the page's bytes */
	TAG_IDENT = 2,
	TAG_TEXT = 3,
};

struct disk_saved {
	LIST_ENTRY(disk_saved) link;
	int dir;
	kmutex_t saving;		/* one at a time */
	struct disk_image image;	/* changed by who has saving and disk->lock */
	char name[KEEP_NAME_MAX + 1];
};

/* disks of this process that save: two of one name would spoil each other's file */
static LIST_HEAD(, disk_saved) saved_all[SAVED_BUCKETS];
static pthread_mutex_t saved_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned int
saved_bucket(const char *name)
{
	return keep_crc(0, name, strlen(name)) % SAVED_BUCKETS;
}

/* false: there is one of that name already */
static bool
saved_register(struct disk_saved *saved)
{
	unsigned int bucket = saved_bucket(saved->name);
	struct disk_saved *other;

	pthread_mutex_lock(&saved_lock);
	LIST_FOREACH(other, &saved_all[bucket], link) {
		if (strcmp(other->name, saved->name) == 0)
			break;
	}
	if (other == NULL)
		LIST_INSERT_HEAD(&saved_all[bucket], saved, link);
	pthread_mutex_unlock(&saved_lock);
	return other == NULL;
}

static void
saved_unregister(struct disk_saved *saved)
{
	pthread_mutex_lock(&saved_lock);
	LIST_REMOVE(saved, link);
	pthread_mutex_unlock(&saved_lock);
}

/* only bits that can be changed are believed: what the others mean may be another by now */
static void
saved_read_page(const struct modepage *pages, size_t n, struct cursor *c)
{
	const uint8_t *bytes = c->base;
	const struct modepage *page;

	if (c->len < 4)
		return;
	page = mode_find(pages, n, bytes[0] & 0x3f, (bytes[0] & 0x40) != 0 ? bytes[1] : 0);
	if (page == NULL || page->len != c->len)
		return;
	for (size_t i = 0; i < page->len; i++) {
		page->current[i] = (uint8_t)((bytes[i] & page->changeable[i]) |
		    (page->dflt[i] & ~page->changeable[i]));
	}
}

static void
saved_read_name(struct disk_name *name, size_t max, struct cursor *c)
{
	if (c->len > max)
		return;
	name->len = (uint16_t)c->len;
	memcpy(name->bytes, c->base, c->len);
}

static void
saved_parse(const struct disk *disk, struct disk_image *image, const uint8_t *buf, size_t len)
{
	struct cursor c = cursor_read_init(buf, len);
	struct modepage pages[PAGE_N];
	size_t n = disk_pages(disk, &image->modes, NULL, pages);

	while (cursor_left(&c) >= 4) {
		uint16_t tag = cursor_be16(&c), size = cursor_be16(&c);
		const uint8_t *bytes = cursor_take(&c, size);
		struct cursor record = cursor_read_init(bytes, size);

		if (bytes == NULL)
			return;
		if (tag == TAG_MODE_PAGE)
			saved_read_page(pages, n, &record);
		else if (tag == TAG_IDENT)
			saved_read_name(&image->names[DISK_NAME_IDENT], DISK_IDENT_MAX, &record);
		else if (tag == TAG_TEXT)
			saved_read_name(&image->names[DISK_NAME_TEXT], DISK_TEXT_MAX, &record);
	}
}

static int
saved_load(const struct disk *disk, struct disk_saved *saved)
{
	uint8_t *buf = kmem_alloc(SAVED_LEN_MAX, KM_NOSLEEP);
	size_t len;
	int r;

	if (buf == NULL)
		return -ENOMEM;
	saved->image.modes = *disk_modes_default();
	r = keep_read(saved->dir, saved->name, buf, SAVED_LEN_MAX, &len);
	if (r == 0)
		saved_parse(disk, &saved->image, buf, len);
	else if (r != -ENOENT)
		log_debug("disk: '%s' cannot be used: %s; defaults are in force", saved->name,
		    strerror(-r));
	kmem_free(buf, SAVED_LEN_MAX);
	return 0;
}

int
disk_saved_open(struct disk *disk)
{
	int r, dir = disk_host_dir(disk->place.host);
	struct disk_saved *saved;

	if (dir < 0)
		return 0;
	saved = kmem_zalloc(sizeof(*saved), KM_NOSLEEP);
	if (saved == NULL)
		return -ENOMEM;
	saved->dir = dir;
	if (keep_name(SAVED_PREFIX, disk->serial, strlen(disk->serial), saved->name) < 0 ||
	    !saved_register(saved)) {
		kmem_free(saved, sizeof(*saved));
		return 0;
	}
	r = saved_load(disk, saved);
	if (r < 0) {
		saved_unregister(saved);
		kmem_free(saved, sizeof(*saved));
		return r;
	}
	mutex_init(&saved->saving, NULL, MUTEX_DRIVER, NULL);
	disk->saved = saved;
	return 0;
}

void
disk_saved_close(struct disk *disk)
{
	struct disk_saved *saved = disk->saved;

	if (saved == NULL)
		return;
	saved_unregister(saved);
	mutex_destroy(&saved->saving);
	kmem_free(saved, sizeof(*saved));
}

const struct disk_image *
disk_saved_image(const struct disk *disk)
{
	return disk->saved == NULL ? NULL : &disk->saved->image;
}

static void
saved_put(struct cursor *c, enum saved_tag tag, const void *bytes, size_t len)
{
	cursor_put_be16(c, tag);
	cursor_put_be16(c, (uint16_t)len);
	cursor_put_bytes(c, bytes, len);
}

/* pages that are as they always were are left out, so that later defaults reach them */
static size_t
saved_build(const struct disk *disk, const struct disk_image *image, uint8_t *buf)
{
	struct cursor c = cursor_write_init(buf, SAVED_LEN_MAX);
	struct disk_modes modes = image->modes;
	struct modepage pages[PAGE_N];
	size_t n = disk_pages(disk, &modes, NULL, pages);

	for (size_t i = 0; i < n; i++) {
		if (memcmp(pages[i].current, pages[i].dflt, pages[i].len) != 0)
			saved_put(&c, TAG_MODE_PAGE, pages[i].current, pages[i].len);
	}
	for (size_t i = 0; i < DISK_NAME_N; i++) {
		const struct disk_name *name = &image->names[i];

		if (name->len > 0)
			saved_put(&c, i == DISK_NAME_IDENT ? TAG_IDENT : TAG_TEXT, name->bytes,
			    name->len);
	}
	return c.pos;
}

void
disk_save_begin(struct disk *disk, struct disk_image *image)
{
	mutex_enter(&disk->saved->saving);
	*image = disk->saved->image;
}

static int
saved_write(const struct disk *disk, const struct disk_image *image)
{
	uint8_t *buf = kmem_alloc(SAVED_LEN_MAX, KM_NOSLEEP);
	int r;

	if (buf == NULL)
		return -ENOMEM;
	r = keep_write(
	    disk->saved->dir, disk->saved->name, buf, saved_build(disk, image, buf));
	kmem_free(buf, SAVED_LEN_MAX);
	return r;
}

int
disk_save_end(struct disk *disk, const struct disk_image *image)
{
	int r = saved_write(disk, image);

	if (r == 0) {
		mutex_enter(&disk->lock);
		disk->saved->image = *image;
		mutex_exit(&disk->lock);
	}
	mutex_exit(&disk->saved->saving);
	return r;
}

void
disk_save_cancel(struct disk *disk)
{
	mutex_exit(&disk->saved->saving);
}

int
disk_save_failed(struct disk_cmd *cmd)
{
	return disk_check(cmd, SENSE_HARDWARE_ERROR, ASC_WRITE_FAULT);
}
