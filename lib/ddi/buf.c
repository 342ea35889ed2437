#include <sys/buf.h>
#include <sys/errno.h>
#include <sys/kmem.h>

#include "ddi/sched_impl.h"
#include "ddi/violation.h"

/* a buf may be plain zeroed memory: its lock is one of a few elsewhere, by its address */
#define WAIT_PLACES	16

static struct {
	kmutex_t lock;
	kcondvar_t cv;
} places[WAIT_PLACES] = {
	[0 ... WAIT_PLACES - 1] = { KMUTEX_INITIALIZER, KCV_INITIALIZER },
};

static unsigned int
place_of(const struct buf *bp)
{
	return (unsigned int)((uintptr_t)bp / sizeof(*bp)) % WAIT_PLACES;
}

void
bioinit(struct buf *bp)
{
	*bp = (struct buf){ 0 };
}

void
bioreset(struct buf *bp)
{
	*bp = (struct buf){ 0 };
}

void
biofini(struct buf *bp UNUSED)
{
}

struct buf *
getrbuf(int kmflag)
{
	return kmem_zalloc(sizeof(struct buf), kmflag);
}

void
freerbuf(struct buf *bp)
{
	kmem_free(bp, sizeof(*bp));
}

void
bioerror(struct buf *bp, int error)
{
	unsigned int i = place_of(bp);

	/* somebody may be looking at the flags in biowait() */
	mutex_enter(&places[i].lock);
	bp->b_error = error;
	if (error != 0)
		bp->b_flags |= B_ERROR;
	else
		bp->b_flags &= ~B_ERROR;
	mutex_exit(&places[i].lock);
}

int
geterror(struct buf *bp)
{
	if ((bp->b_flags & B_ERROR) == 0)
		return 0;
	return bp->b_error != 0 ? bp->b_error : EIO;
}

void
biodone(struct buf *bp)
{
	unsigned int i = place_of(bp);

	if (bp->b_iodone != NULL) {
		(void)bp->b_iodone(bp);
		return;
	}
	mutex_enter(&places[i].lock);
	if ((bp->b_flags & B_DONE) != 0)
		ddi_violation("buf-done-twice", "buf %p", (void *)bp);
	bp->b_flags |= B_DONE;
	cv_broadcast(&places[i].cv);
	mutex_exit(&places[i].lock);
}

int
biowait(struct buf *bp)
{
	unsigned int i = place_of(bp);

	mutex_enter(&places[i].lock);
	while ((bp->b_flags & B_DONE) == 0)
		cv_wait(&places[i].cv, &places[i].lock);
	mutex_exit(&places[i].lock);
	return geterror(bp);
}

void
bp_mapin(struct buf *bp UNUSED)
{
}

void
bp_mapout(struct buf *bp UNUSED)
{
}
