/*
 * sys/sunndi.h - what a driver with children of its own calls, under the nexus names
 *
 * What      Thin names over ddi/devtree.h, for drivers that make their child nodes themselves.
 * Thread    Where sleeping is allowed.
 */
#ifndef SYS_DDI_SUNNDI_H
#define SYS_DDI_SUNNDI_H

#include <sys/sunddi.h>

#define NDI_SUCCESS	DDI_SUCCESS
#define NDI_FAILURE	DDI_FAILURE
#define NDI_NOMEM	(-2)
#define NDI_BADHANDLE	(-3)
#define NDI_FAULT	(-4)
#define NDI_BUSY	(-5)
#define NDI_UNBOUND	(-6)
#define NDI_EINVAL	(-7)

#define NDI_CONFIG		0x00000001
#define NDI_ONLINE_ATTACH	0x00000002
#define NDI_DEVI_REMOVE		0x00000010	/* offline: free the node too */
#define NDI_UNCONFIG		0x00000100	/* offline: children first */
#define NDI_DEVI_PERSIST	0x00010000
#define NDI_DEVFS_CLEAN		0x00020000
#define NDI_NO_EVENT		0x00100000

#define DEVI_SID_NODEID		(-3)
#define DEVI_PSEUDO_NODEID	(-2)

/* ndi_devi_enter() - take the configuration lock of @dip; *@circ is 0, its name is history */
void ndi_devi_enter(dev_info_t *dip, int *circ);
void ndi_devi_exit(dev_info_t *dip, int circ);
#define DEVI_BUSY_OWNED(dip)	(ndi_devi_busy_owned(dip))
int ndi_devi_busy_owned(dev_info_t *dip);

int ndi_devi_alloc(dev_info_t *parent, const char *name, int nodeid, dev_info_t **ret_dip);
void ndi_devi_alloc_sleep(dev_info_t *parent, const char *name, int nodeid,
    dev_info_t **ret_dip);
int ndi_devi_free(dev_info_t *dip);
int ndi_devi_online(dev_info_t *dip, uint_t flags);
int ndi_devi_offline(dev_info_t *dip, uint_t flags);
dev_info_t *ndi_devi_find(dev_info_t *parent, const char *name, const char *addr);

void ndi_hold_devi(dev_info_t *dip);	/* may not be detached until ndi_rele_devi() */
void ndi_rele_devi(dev_info_t *dip);

/* ndi_prop_update_int() - and its family: as ddi_prop_update_int(), but the property belongs to
 * the framework or the parent, and the driver's ddi_prop_remove() leaves it alone. One of the
 * driver by the same name hides it */
int ndi_prop_update_int(dev_t dev, dev_info_t *dip, const char *name, int data);
int ndi_prop_update_int_array(dev_t dev, dev_info_t *dip, const char *name, const int *data,
    uint_t count);
int ndi_prop_update_int64(dev_t dev, dev_info_t *dip, const char *name, int64_t data);
int ndi_prop_update_string(dev_t dev, dev_info_t *dip, const char *name, const char *data);
int ndi_prop_update_string_array(dev_t dev, dev_info_t *dip, const char *name,
    char *const *data, uint_t count);
int ndi_prop_update_byte_array(dev_t dev, dev_info_t *dip, const char *name,
    const uchar_t *data, uint_t count);
int ndi_prop_remove(dev_t dev, dev_info_t *dip, const char *name);
void ndi_prop_remove_all(dev_info_t *dip);

#endif /* SYS_DDI_SUNNDI_H */
