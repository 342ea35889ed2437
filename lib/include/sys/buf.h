/*
 * sys/buf.h - one data transfer: memory, direction, length, result
 *
 * What      The part of buf(9S) that block transfers in this framework use. The data is one
 *           range of memory: b_un.b_addr, b_bcount bytes.
 * Owner     The memory of the data is borrowed. A buf may be any zeroed memory, or come from
 *           getrbuf().
 * Thread    bioerror(), biodone(): any context. biowait(): where sleeping is allowed.
 * Source    buf(9S), bioerror(9F), geterror(9F), biodone(9F)
 */
#ifndef SYS_DDI_BUF_H
#define SYS_DDI_BUF_H

#include <sys/types.h>

struct buf {
	int b_flags;			/* B_READ or B_WRITE, and results */
	struct buf *b_forw, *b_back;	/* for the owner's lists */
	struct buf *av_forw, *av_back;	/* for the holder's lists */
	dev_t b_dev;
	size_t b_bcount;		/* bytes to transfer */
	union {
		caddr_t b_addr;		/* the data */
	} b_un;
	diskaddr_t b_lblkno;		/* position on the device, by the owner's rule */
	size_t b_resid;			/* bytes not transferred */
	size_t b_bufsize;		/* bytes of memory at b_addr */
	/* set: called by biodone() instead of waking biowait() */
	int (*b_iodone)(struct buf *);
	int b_error;			/* with B_ERROR: why, an errno */
	void *b_private;		/* the owner's */
	dev_t b_edev;
};

#define B_BUSY		0x0001
#define B_DONE		0x0002
#define B_ERROR		0x0004
#define B_PAGEIO	0x0010
#define B_PHYS		0x0020
#define B_READ		0x0040		/* device to memory */
#define B_WRITE		0x0100		/* memory to device */
#define B_WANTED	0x0400

/* bioinit() - make @bp a buf of zeros; bioreset(): the same for one used before; biofini(): its
 * end */
void bioinit(struct buf *bp);
void bioreset(struct buf *bp);
void biofini(struct buf *bp);

/* getrbuf() - a buf without data memory; NULL only with KM_NOSLEEP */
struct buf *getrbuf(int kmflag);
void freerbuf(struct buf *bp);

/* bioerror() - @error not 0: B_ERROR and b_error; 0: both cleared */
void bioerror(struct buf *bp, int error);

/* geterror() - 0 without B_ERROR, else b_error, or EIO when it is 0 */
int geterror(struct buf *bp);

/* biodone() - the transfer is over: call b_iodone, or mark done and wake biowait() */
void biodone(struct buf *bp);

/* biowait() - wait for biodone(); geterror() of the result */
int biowait(struct buf *bp);

/* bp_mapin(), bp_mapout() - the data has an address here already: nothing to do */
void bp_mapin(struct buf *bp);
void bp_mapout(struct buf *bp);

#endif /* SYS_DDI_BUF_H */
