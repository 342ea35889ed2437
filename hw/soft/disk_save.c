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
	TAG_JOB = 4,		/* struct job_order, field by field */
	TAG_PATTERN = 5,	/* what it writes */
};

/* flags of TAG_JOB */
#define JOB_MAY_EXIT	0x01
#define JOB_IS_INVERTED	0x02
#define JOB_HAS_FAILED	0x04
#define JOB_IS_OVER	0x08

struct disk_saved {
	LIST_ENTRY(disk_saved) link;
	int dir;
	kmutex_t saving;		/* one at a time */
	struct disk_image image;	/* changed by who has saving and disk->lock */
	uint8_t *pattern;		/* of a job that goes on; a block, only until it does */
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

/* an order that cannot be is none */
static void
saved_read_job(const struct disk *disk, struct job_order *job, struct cursor *c)
{
	struct job_order now = { .kind = cursor_u8(c) };
	uint8_t flags = cursor_u8(c);

	now.may_exit = (flags & JOB_MAY_EXIT) != 0;
	now.is_inverted = (flags & JOB_IS_INVERTED) != 0;
	now.has_failed = (flags & JOB_HAS_FAILED) != 0;
	now.is_over = (flags & JOB_IS_OVER) != 0;
	now.passes = cursor_u8(c);
	now.pass = cursor_u8(c);
	now.pattern_len = cursor_be16(c);
	now.at = cursor_be64(c);
	if (cursor_ok(c) && now.kind > JOB_NONE && now.kind < JOB_KIND_N &&
	    now.pass < now.passes && now.pattern_len <= disk->block_bytes &&
	    now.at % disk->block_bytes == 0)
		*job = now;
}

static void
saved_read_pattern(const struct disk *disk, struct disk_saved *saved, struct cursor *c)
{
	if (c->len <= disk->block_bytes)
		memcpy(saved->pattern, c->base, c->len);
}

static void
saved_parse(
    const struct disk *disk, struct disk_saved *saved, const uint8_t *buf, size_t len)
{
	struct disk_image *image = &saved->image;
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
		else if (tag == TAG_JOB)
			saved_read_job(disk, &image->job, &record);
		else if (tag == TAG_PATTERN)
			saved_read_pattern(disk, saved, &record);
	}
}

int
disk_saved_resume(struct disk *disk)
{
	struct disk_saved *saved = disk->saved;
	int r = 0;

	if (saved == NULL)
		return 0;
	if (saved->image.job.kind != JOB_NONE)
		r = disk_job_restore(disk, &saved->image.job, saved->pattern);
	kmem_free(saved->pattern, disk->block_bytes);
	saved->pattern = NULL;
	return r;
}

static int
saved_load(const struct disk *disk, struct disk_saved *saved)
{
	uint8_t *buf = kmem_alloc(SAVED_LEN_MAX, KM_NOSLEEP);
	size_t len;
	int r;

	saved->pattern = kmem_zalloc(disk->block_bytes, KM_NOSLEEP);
	if (buf == NULL || saved->pattern == NULL) {
		kmem_free(buf, SAVED_LEN_MAX);
		return -ENOMEM;
	}
	saved->image.modes = *disk_modes_default();
	r = keep_read(saved->dir, saved->name, buf, SAVED_LEN_MAX, &len);
	if (r == 0)
		saved_parse(disk, saved, buf, len);
	else if (r == -EBADMSG || r == -EPROTO || r == -EMSGSIZE)
		log_debug("disk: '%s' cannot be used: %s; defaults are in force", saved->name,
		    strerror(-r));
	kmem_free(buf, SAVED_LEN_MAX);
	/* what cannot be read may say that a sanitize is at work, or has failed */
	return r == -EMFILE || r == -ENFILE || r == -EIO || r == -EACCES ? r : 0;
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
	mutex_init(&saved->saving, NULL, MUTEX_DRIVER, NULL);
	disk->saved = saved;
	return r;
}

void
disk_saved_close(struct disk *disk)
{
	struct disk_saved *saved = disk->saved;

	if (saved == NULL)
		return;
	saved_unregister(saved);
	if (saved->pattern != NULL)
		kmem_free(saved->pattern, disk->block_bytes);
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
	cursor_put_be16(c, (uint16_t)tag);
	cursor_put_be16(c, (uint16_t)len);
	cursor_put_bytes(c, bytes, len);
}

static void
saved_put_job(struct cursor *c, const struct job_order *job, const uint8_t *pattern)
{
	uint8_t bytes[14] = { job->kind,
		(uint8_t)((job->may_exit ? JOB_MAY_EXIT : 0) |
		    (job->is_inverted ? JOB_IS_INVERTED : 0) |
		    (job->has_failed ? JOB_HAS_FAILED : 0) | (job->is_over ? JOB_IS_OVER : 0)),
		job->passes, job->pass };

	be16_put(bytes + 4, job->pattern_len);
	be64_put(bytes + 6, job->at);
	saved_put(c, TAG_JOB, bytes, sizeof(bytes));
	saved_put(c, TAG_PATTERN, pattern, job->pattern_len);
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
	if (image->job.kind != JOB_NONE)
		saved_put_job(&c, &image->job, disk_job_pattern(disk));
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
	} else if (r == -EUCLEAN) {
		/* it stands there although it is refused: a restart must not obey it */
		(void)saved_write(disk, &disk->saved->image);
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
