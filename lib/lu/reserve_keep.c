/* where the persistent reservations of a unit lie: on disk, and while it is away
 * (lu/reserve_impl.h) */
#define HASH_NONFATAL_OOM	1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/keep.h"
#include "lu/reserve_impl.h"
#include "scsi/vpd.h"

#define FILE_PREFIX	"pr-"
#define PAGE_LEN	255
#define UNIT_NAME_MAX	PR_SAVE_NAME_MAX

struct reserve_keep {
	const char *dir;			/* of the process above; lives longer. NULL: nothing
						 * is saved */
	char file[KEEP_NAME_MAX + 1];
	char unit[UNIT_NAME_MAX];		/* its identity, NUL-ended */
	struct pr *away;			/* the unit is away, and had this; keeps_lock */
	UT_hash_handle hh;			/* by file */
};

/* units that are there, or away: the oldest first. A plain mutex: nothing is called while it is
 * held */
static pthread_mutex_t keeps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct reserve_keep *keeps;
static unsigned int n_away;

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

/* 0: @name is empty if the unit has no identity; -EIO: it did not answer, so nobody knows what
 * is saved for it */
static int
identity_read(struct lu *lu, char name[UNIT_NAME_MAX])
{
	const struct lu_info *info = &lu->info;
	uint8_t page[PAGE_LEN];
	ssize_t n = lu_identify_page(lu, VPD_IDENT, page, sizeof(page));

	if (n < 0 && n != -EAGAIN)	/* that is a CHECK CONDITION: it has no such page */
		return -EIO;
	name[0] = '\0';
	if (n > 0)
		identity_of_page(page, (size_t)n, name);
	if (name[0] == '\0' && info->serial[0] != '\0')
		(void)snprintf(name, UNIT_NAME_MAX, "serial.%s.%s.%s", info->vendor,
		    info->product, info->serial);
	return 0;
}

/* ------ one unit, one name ------ */

/* keeps_lock is held */
static void
keep_free(struct reserve_keep *keep)
{
	n_away -= keep->away != NULL;
	HASH_DEL(keeps, keep);
	pr_free(keep->away);
	free(keep);
}

/* what it had when it went is *@ret; NULL: nothing. 0, -EEXIST another unit has the name,
 * -ENOMEM */
static int
keep_claim(struct reserve_keep *keep, struct pr **ret)
{
	struct reserve_keep *other;
	int r = 0;

	if (fault_hit())
		return -ENOMEM;
	(void)pthread_mutex_lock(&keeps_lock);
	HASH_FIND_STR(keeps, keep->file, other);
	if (other != NULL && other->away == NULL)
		r = -EEXIST;
	if (r == 0) {
		HASH_ADD(hh, keeps, file, strlen(keep->file), keep);
		if (keep->hh.tbl == NULL)
			r = -ENOMEM;
	}
	if (r == 0 && other != NULL) {
		*ret = STEAL(other->away);
		n_away--;
		keep_free(other);
	}
	(void)pthread_mutex_unlock(&keeps_lock);
	return r;
}

/* the one that has been away for longest is forgotten; keeps_lock is held */
static void
away_bound(void)
{
	struct reserve_keep *keep, *next;

	HASH_ITER(hh, keeps, keep, next) {
		if (n_away <= RESERVE_AWAY_MAX)
			break;
		if (keep->away != NULL)
			keep_free(keep);
	}
}

void
reserve_keep_close(struct reserve_keep *keep, struct pr *pr)
{
	if (keep == NULL) {
		pr_free(pr);
		return;
	}
	(void)pthread_mutex_lock(&keeps_lock);
	/* what survives a loss of power is on disk */
	if (pr != NULL && pr->n > 0 && !pr->is_aptpl) {
		keep->away = STEAL(pr);
		n_away++;
		away_bound();
	} else {
		keep_free(keep);
	}
	(void)pthread_mutex_unlock(&keeps_lock);
	pr_free(pr);
}

void
reserve_keep_forget(void)
{
	struct reserve_keep *keep, *next;

	(void)pthread_mutex_lock(&keeps_lock);
	HASH_ITER(hh, keeps, keep, next) {
		if (keep->away != NULL)
			keep_free(keep);
	}
	(void)pthread_mutex_unlock(&keeps_lock);
}

bool
reserve_keep_saves(const struct reserve_keep *keep)
{
	return keep != NULL && keep->dir != NULL;
}

static int
dir_open(const struct reserve_keep *keep)
{
	int fd = open(keep->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* is there a folder? 0, or -EIO: too many files are open, or it is somebody else's */
static int
dir_find(struct reserve_keep *keep, const char *state_dir)
{
	CLEANUP(close_fd) int dir = -1;

	keep->dir = state_dir;
	if (state_dir == NULL)
		return 0;
	dir = dir_open(keep);
	if (dir == -ENOENT || dir == -ENOTDIR)
		keep->dir = NULL;
	return dir < 0 && keep->dir != NULL ? -EIO : 0;
}

/* *@ret NULL: nothing can be kept; *@ret_pr: what the unit had when it went, or NULL */
static int
keep_new(struct lu *lu, struct reserve_keep **ret, struct pr **ret_pr)
{
	CLEANUP(free_ptr) struct reserve_keep *keep =
	    fault_hit() ? NULL : calloc(1, sizeof(*keep));
	int r;

	*ret = NULL;
	*ret_pr = NULL;
	if (keep == NULL)
		return -ENOMEM;
	r = dir_find(keep, lu->host->state_dir);
	if (r < 0)
		return r;
	r = identity_read(lu, keep->unit);
	if (r < 0)
		return keep->dir == NULL ? 0 : r;
	if (keep_name(FILE_PREFIX, keep->unit, strlen(keep->unit), keep->file) < 0)
		return 0;
	r = keep_claim(keep, ret_pr);
	if (r == 0)
		*ret = STEAL(keep);
	return r == -EEXIST ? 0 : r;
}

/* ------ reading, writing ------ */

/* -ENOENT: nothing was saved; is_for_a_while(); any other: something was, and it is lost */
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

/* it is there, and may be read later */
static bool
is_for_a_while(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

int
reserve_keep_open(struct lu *lu, struct reserve_keep **ret_keep, struct pr **ret_pr)
{
	struct reserve_keep *keep;
	struct pr *pr = NULL, *away;
	int r = keep_new(lu, &keep, &away);

	if (r < 0)
		return r;
	r = reserve_keep_saves(keep) ? keep_load(keep, &pr) : -ENOENT;
	if (r == -ENOENT)
		pr = away != NULL ? STEAL(away) : pr_new(PR_LIMIT_DEFAULT);
	else if (r < 0 && !is_for_a_while(r))
		pr = pr_new_lost(PR_LIMIT_DEFAULT);
	if (pr == NULL) {
		reserve_keep_close(keep, away);
		return r == -EMFILE || r == -ENFILE ? -EIO : -ENOMEM;
	}
	pr_free(away);
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
