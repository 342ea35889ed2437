/* where the persistent reservations of a unit lie on disk (lu/reserve_impl.h) */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/fault.h"
#include "base/keep.h"
#include "lu/reserve_impl.h"
#include "scsi/vpd.h"

#define FILE_PREFIX	"pr-"
#define PAGE_LEN	255
#define UNIT_NAME_MAX	PR_SAVE_NAME_MAX

struct reserve_keep {
	const char *dir;			/* of the process above; lives longer */
	char file[KEEP_NAME_MAX + 1];
	char unit[UNIT_NAME_MAX];		/* its identity, NUL-ended */
	LIST_ENTRY(reserve_keep) entry;
};

/* files in use: one unit each. A plain mutex: nothing is called while it is held */
static pthread_mutex_t keeps_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, reserve_keep) keeps = LIST_HEAD_INITIALIZER(keeps);

/* ------ identity ------ */

/* the most lasting designator first; 0: says nothing that lasts */
static unsigned int
desig_rank(const struct vpd_desig *d)
{
	static const uint8_t ranks[16] = {
		[VPD_DESIG_NAA] = 5, [VPD_DESIG_EUI64] = 4, [VPD_DESIG_UUID] = 3,
		[VPD_DESIG_NAME] = 2, [VPD_DESIG_T10] = 1,
	};

	return d->assoc == VPD_ASSOC_UNIT && d->len > 0 ? ranks[d->type & 0xf] : 0;
}

static void
identity_of_page(const uint8_t *page, size_t len, char name[UNIT_NAME_MAX])
{
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	unsigned int best = 0;

	if (vpd_desig_begin(page, len, &walk) < 0)
		return;
	while (vpd_desig_next(&walk, &d) > 0) {
		if (desig_rank(&d) <= best)
			continue;
		best = desig_rank(&d);
		(void)vpd_desig_format(&d, name, UNIT_NAME_MAX);
	}
}

/* empty: it has none */
static void
identity_read(struct lu *lu, char name[UNIT_NAME_MAX])
{
	const struct lu_info *info = &lu->info;
	uint8_t page[PAGE_LEN];
	ssize_t n = lu_identify_page(lu, VPD_IDENT, page, sizeof(page));

	name[0] = '\0';
	if (n > 0)
		identity_of_page(page, (size_t)n, name);
	if (name[0] == '\0' && info->serial[0] != '\0')
		(void)snprintf(name, UNIT_NAME_MAX, "serial.%s.%s.%s", info->vendor,
		    info->product, info->serial);
}

/* ------ one unit, one file ------ */

/* false: another unit has it */
static bool
keep_claim(struct reserve_keep *keep)
{
	struct reserve_keep *other;
	bool is_free = true;

	(void)pthread_mutex_lock(&keeps_lock);
	LIST_FOREACH(other, &keeps, entry)
		is_free = is_free && strcmp(other->file, keep->file) != 0;
	if (is_free)
		LIST_INSERT_HEAD(&keeps, keep, entry);
	(void)pthread_mutex_unlock(&keeps_lock);
	return is_free;
}

void
reserve_keep_close(struct reserve_keep *keep)
{
	if (keep == NULL)
		return;
	(void)pthread_mutex_lock(&keeps_lock);
	LIST_REMOVE(keep, entry);
	(void)pthread_mutex_unlock(&keeps_lock);
	free(keep);
}

static int
dir_open(const struct reserve_keep *keep)
{
	int fd = open(keep->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* *@ret NULL: nothing can be saved */
static int
keep_new(struct lu *lu, struct reserve_keep **ret)
{
	CLEANUP(free_ptr) struct reserve_keep *keep = NULL;
	CLEANUP(close_fd) int dir = -1;

	*ret = NULL;
	if (lu->host->state_dir == NULL)
		return 0;
	keep = fault_hit() ? NULL : calloc(1, sizeof(*keep));
	if (keep == NULL)
		return -ENOMEM;
	keep->dir = lu->host->state_dir;
	dir = dir_open(keep);
	if (dir < 0)
		return 0;
	identity_read(lu, keep->unit);
	if (keep_name(FILE_PREFIX, keep->unit, strlen(keep->unit), keep->file) == 0 &&
	    keep_claim(keep))
		*ret = STEAL(keep);
	return 0;
}

/* ------ reading, writing ------ */

/* -ENOENT: nothing was saved; -ENOMEM; any other: something was, and it is lost */
static int
keep_load(const struct reserve_keep *keep, struct pr **ret)
{
	CLEANUP(close_fd) int dir = dir_open(keep);
	CLEANUP(free_ptr) void *buf = NULL;
	size_t len;
	int r;

	if (dir < 0)
		return dir;
	buf = fault_hit() ? NULL : malloc(KEEP_LEN_MAX);
	if (buf == NULL)
		return -ENOMEM;
	r = keep_read(dir, keep->file, buf, KEEP_LEN_MAX, &len);
	if (r < 0)
		return r;
	return pr_load(buf, len, keep->unit, strlen(keep->unit), PR_LIMIT_DEFAULT, ret);
}

int
reserve_keep_open(struct lu *lu, struct reserve_keep **ret_keep, struct pr **ret_pr)
{
	struct reserve_keep *keep;
	struct pr *pr = NULL;
	int r = keep_new(lu, &keep);

	if (r == 0)
		r = keep == NULL ? -ENOENT : keep_load(keep, &pr);
	if (r == -ENOENT)
		pr = pr_new(PR_LIMIT_DEFAULT);
	else if (r < 0 && r != -ENOMEM)
		pr = pr_new_lost(PR_LIMIT_DEFAULT);
	if (pr == NULL) {
		reserve_keep_close(keep);
		return -ENOMEM;
	}
	*ret_keep = keep;
	*ret_pr = pr;
	return 0;
}

void *
reserve_keep_image(const struct reserve_keep *keep, const struct pr *pr, size_t *ret_len)
{
	void *image = fault_hit() ? NULL : malloc(pr_save_room(pr));

	if (image != NULL)
		*ret_len = pr_save(pr, keep->unit, strlen(keep->unit), image);
	return image;
}

int
reserve_keep_write(const struct reserve_keep *keep, const void *image, size_t len)
{
	CLEANUP(close_fd) int dir = dir_open(keep);

	if (dir < 0)
		return dir;
	return image != NULL ? keep_write(dir, keep->file, image, len) :
	    keep_remove(dir, keep->file);
}
