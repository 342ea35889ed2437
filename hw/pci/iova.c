#include "hw/pci/iova.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/fault.h"
#include "base/num.h"

#define RANGES_MAX	32
#define PAGE		4096ull
#define ANY_FIRST	0x01000000ull	/* nothing that old hardware decodes by itself */
#define ANY_LAST	0xfedfffffull	/* above are interrupts of x86 */

struct piece {
	TAILQ_ENTRY(piece) link;	/* by address */
	uint64_t first, last;		/* with its gap */
};

struct iova {
	struct iova_range range[RANGES_MAX];
	unsigned int count;
	TAILQ_HEAD(, piece) pieces;
};

/* the parts of @ranges between @first and @last */
static void
ranges_cut(struct iova *iova, const struct iova_range *ranges, unsigned int count,
    uint64_t first, uint64_t last)
{
	iova->count = 0;
	for (unsigned int i = 0; i < count && iova->count < RANGES_MAX; i++) {
		uint64_t begin = ranges[i].first > first ? ranges[i].first : first;
		uint64_t from = num_round_up(begin, PAGE);
		uint64_t to = num_min(ranges[i].last, last);

		if (from < to && to - from >= PAGE)
			iova->range[iova->count++] = (struct iova_range){ from, to };
	}
}

int
iova_new(const struct iova_range *ranges, unsigned int count, struct iova **ret_iova)
{
	static const struct iova_range all = { 0, UINT64_MAX };
	CLEANUP(free_ptr) struct iova *iova = fault_hit() ? NULL : calloc(1, sizeof(*iova));

	if (iova == NULL)
		return -ENOMEM;
	TAILQ_INIT(&iova->pieces);
	if (count == 0) {
		ranges = &all;
		count = 1;
	}
	ranges_cut(iova, ranges, count, IOVA_FIRST, IOVA_LAST);
	if (iova->count == 0)
		ranges_cut(iova, ranges, count, ANY_FIRST, ANY_LAST);
	if (iova->count == 0)
		return -ENOSPC;
	*ret_iova = STEAL(iova);
	return 0;
}

void
iova_free(struct iova *iova)
{
	struct piece *p;

	if (iova == NULL)
		return;
	while ((p = TAILQ_FIRST(&iova->pieces)) != NULL) {
		TAILQ_REMOVE(&iova->pieces, p, link);
		free(p);
	}
	free(iova);
}

/* the first place in @r; @ret_before: the piece to insert behind, NULL for the front */
static bool
place_find(const struct iova *iova, const struct iova_range *r, uint64_t bytes, uint64_t align,
    uint64_t *ret_at, struct piece **ret_before)
{
	uint64_t at = num_round_up(r->first, align);
	struct piece *p, *before = NULL;

	TAILQ_FOREACH(p, &iova->pieces, link) {
		if (p->first > at && p->first - at >= bytes + IOVA_GAP_BYTES)
			break;
		if (p->last >= at)
			at = num_round_up(p->last + 1, align);
		before = p;
	}
	if (at > r->last || r->last - at < bytes + IOVA_GAP_BYTES - 1)
		return false;
	*ret_at = at;
	*ret_before = before;
	return true;
}

int
iova_take(struct iova *iova, uint64_t bytes, uint64_t align, uint64_t *ret_at)
{
	struct piece *before, *p;
	uint64_t at;

	for (unsigned int i = 0; i < iova->count; i++) {
		if (bytes > iova->range[i].last ||
		    !place_find(iova, &iova->range[i], bytes, align, &at, &before))
			continue;
		p = fault_hit() ? NULL : malloc(sizeof(*p));
		if (p == NULL)
			return -ENOMEM;
		p->first = at;
		p->last = at + bytes + IOVA_GAP_BYTES - 1;
		if (before == NULL)
			TAILQ_INSERT_HEAD(&iova->pieces, p, link);
		else
			TAILQ_INSERT_AFTER(&iova->pieces, before, p, link);
		*ret_at = at;
		return 0;
	}
	return -ENOSPC;
}

void
iova_give(struct iova *iova, uint64_t at)
{
	struct piece *p;

	TAILQ_FOREACH(p, &iova->pieces, link)
		if (p->first == at)
			break;
	assert(p != NULL);
	TAILQ_REMOVE(&iova->pieces, p, link);
	free(p);
}
