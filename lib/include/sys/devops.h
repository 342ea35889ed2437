/*
 * sys/devops.h - entry points of a driver: dev_ops(9S), cb_ops(9S)
 *
 * What      dev_ops is what the framework calls: probe, attach, detach. cb_ops, power and
 *           quiesce are kept for drivers that fill them in; nobody opens device files here.
 * Thread    attach, detach, probe: a thread that may sleep; for one node one at a time.
 */
#ifndef SYS_DDI_DEVOPS_H
#define SYS_DDI_DEVOPS_H

#include <sys/cred.h>
#include <sys/dditypes.h>
#include <sys/types.h>

struct bus_ops;			/* the framework's: ddi/devtree.h */
struct buf;
struct uio;
struct iovec;
struct pollhead;
struct as;
struct streamtab;

#define CB_REV		1
#define DEVO_REV	4

struct cb_ops {
	int (*cb_open)(dev_t *devp, int flag, int otyp, cred_t *credp);
	int (*cb_close)(dev_t dev, int flag, int otyp, cred_t *credp);
	int (*cb_strategy)(struct buf *bp);
	int (*cb_print)(dev_t dev, char *str);
	int (*cb_dump)(dev_t dev, caddr_t addr, daddr_t blkno, int nblk);
	int (*cb_read)(dev_t dev, struct uio *uiop, cred_t *credp);
	int (*cb_write)(dev_t dev, struct uio *uiop, cred_t *credp);
	int (*cb_ioctl)(dev_t dev, int cmd, intptr_t arg, int mode, cred_t *credp, int *rvalp);
	int (*cb_devmap)(dev_t dev, void *dhp, offset_t off, size_t len, size_t *maplen,
	    uint_t model);
	int (*cb_mmap)(dev_t dev, off_t off, int prot);
	int (*cb_segmap)(dev_t dev, off_t off, struct as *asp, caddr_t *addrp, off_t len,
	    unsigned int prot, unsigned int maxprot, unsigned int flags, cred_t *credp);
	int (*cb_chpoll)(dev_t dev, short events, int anyyet, short *reventsp,
	    struct pollhead **phpp);
	int (*cb_prop_op)(dev_t dev, dev_info_t *dip, ddi_prop_op_t op, int flags, char *name,
	    caddr_t value, int *length);
	struct streamtab *cb_str;
	int cb_flag;
	int cb_rev;
	int (*cb_aread)(dev_t dev, void *aio, cred_t *credp);
	int (*cb_awrite)(dev_t dev, void *aio, cred_t *credp);
};

struct dev_ops {
	int devo_rev;			/* DEVO_REV */
	int devo_refcnt;		/* 0 at start; framework's: attached instances */
	int (*devo_getinfo)(dev_info_t *dip, ddi_info_cmd_t cmd, void *arg, void **result);
	int (*devo_identify)(dev_info_t *dip);	/* obsolete, never called */
	int (*devo_probe)(dev_info_t *dip);	/* DDI_PROBE_*; nulldev: no probing needed */
	int (*devo_attach)(dev_info_t *dip, ddi_attach_cmd_t cmd);
	int (*devo_detach)(dev_info_t *dip, ddi_detach_cmd_t cmd);
	int (*devo_reset)(dev_info_t *dip, ddi_reset_cmd_t cmd);
	struct cb_ops *devo_cb_ops;	/* kept */
	struct bus_ops *devo_bus_ops;	/* for drivers with children; set by scsi_hba_init() */
	int (*devo_power)(dev_info_t *dip, int component, int level);
	int (*devo_quiesce)(dev_info_t *dip);
};

#define DDI_PROBE_FAILURE	ENXIO	/* no such device */
#define DDI_PROBE_DONTCARE	0	/* cannot say: attach decides */
#define DDI_PROBE_PARTIAL	1	/* not now, perhaps later */
#define DDI_PROBE_SUCCESS	2

/*
 * nodev() answers ENXIO, nulldev() 0; ddi_no_info() DDI_FAILURE; nochpoll() ENXIO. They stand
 * in members of any type, hence no parameter lists.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
int nodev();
int nulldev();
int ddi_no_info();
int nochpoll();
int ddi_prop_op();
int ddi_quiesce_not_needed();
int ddi_quiesce_not_supported();
#pragma GCC diagnostic pop

#endif /* SYS_DDI_DEVOPS_H */
