/*
 * sys/sunddi.h - device driver interface, part two: nodes, properties, state, DMA, registers
 *
 * What      The functions that drivers call, under their published names. The tree behind them
 *           is ddi/devtree.h; the DMA engine is ddi/dma.h.
 * Thread    Unless said otherwise: where sleeping is allowed.
 * Source    the manual page of each name, section 9F
 */
#ifndef SYS_DDI_SUNDDI_H
#define SYS_DDI_SUNDDI_H

#include <sys/atomic.h>
#include <sys/buf.h>
#include <sys/byteorder.h>
#include <sys/cmn_err.h>
#include <sys/conf.h>
#include <sys/ddi_intr.h>
#include <sys/dditypes.h>
#include <sys/debug.h>
#include <sys/disp.h>
#include <sys/kmem.h>
#include <sys/ksynch.h>
#include <sys/list.h>
#include <sys/modctl.h>
#include <sys/note.h>
#include <sys/systm.h>
#include <sys/taskq.h>
#include <sys/thread.h>
#include <sys/time.h>
#include <sys/types.h>

#define DDI_SUCCESS		(0)
#define DDI_FAILURE		(-1)
#define DDI_NOT_WELL_FORMED	(-2)
#define DDI_EAGAIN		(-3)
#define DDI_EINVAL		(-4)
#define DDI_ENOTSUP		(-5)
#define DDI_EPENDING		(-6)
#define DDI_EALREADY		(-7)
#define DDI_ENOMEM		(-8)
#define DDI_EBUSY		(-9)
#define DDI_ETRANSPORT		(-10)
#define DDI_ECONTEXT		(-11)

#define DDI_SLEEP		0	/* flags of ddi_ functions that may wait for memory */
#define DDI_NOSLEEP		1

#define DDI_DEV_T_NONE		((dev_t)-1)
#define DDI_DEV_T_ANY		((dev_t)-2)
#define DDI_MAJOR_T_UNKNOWN	((major_t)0)
#define DDI_MAJOR_T_NONE	((major_t)-1)

/* Nodes */

dev_info_t *ddi_root_node(void);
dev_info_t *ddi_get_parent(dev_info_t *dip);
dev_info_t *ddi_get_child(dev_info_t *dip);	/* caller holds the node's devi_enter() */
dev_info_t *ddi_get_next_sibling(dev_info_t *dip);	/* caller holds its parent's */
int ddi_get_instance(dev_info_t *dip);			/* -1 before a driver is bound */
char *ddi_node_name(dev_info_t *dip);			/* "disk" */
char *ddi_get_name(dev_info_t *dip);			/* name the driver was found by */
char *ddi_binding_name(dev_info_t *dip);		/* the same */
const char *ddi_driver_name(dev_info_t *dip);		/* "sd"; the node name when not bound */
char *ddi_get_name_addr(dev_info_t *dip);		/* unit address, or NULL */
void ddi_set_name_addr(dev_info_t *dip, const char *addr);	/* copied; NULL clears */
/* "/soft@0/iport@iport0"; path: MAXPATHLEN */
char *ddi_pathname(dev_info_t *dip, char *path);
char *ddi_deviname(dev_info_t *dip, char *name);	/* "/disk@0,0"; name: MAXNAMELEN */
struct dev_ops *ddi_get_driver(dev_info_t *dip);	/* NULL before a driver is bound */
major_t ddi_driver_major(dev_info_t *dip);
int i_ddi_devi_attached(dev_info_t *dip);		/* 1 when attach(9E) has succeeded */

/* private pointers: the driver's; the parent's about its child */
void *ddi_get_driver_private(dev_info_t *dip);
void ddi_set_driver_private(dev_info_t *dip, void *data);
void *ddi_get_parent_data(dev_info_t *dip);
void ddi_set_parent_data(dev_info_t *dip, void *data);

/* ddi_report_dev() - announce an attached node: a debug line */
void ddi_report_dev(dev_info_t *dip);

/* minor nodes: kept with the node, so that a driver can make and remove them; no files appear
 */
#define DDI_PSEUDO		"ddi_pseudo"
#define DDI_NT_SCSI_NEXUS	"ddi_ctl:devctl:scsi"
#define DDI_NT_SCSI_ATTACHMENT_POINT "ddi_ctl:attachment_point:scsi"
#define DDI_NT_NEXUS		"ddi_ctl:devctl"
int ddi_create_minor_node(dev_info_t *dip, const char *name, int spec_type, minor_t minor,
    const char *node_type, int flag);
void ddi_remove_minor_node(dev_info_t *dip, const char *name);	/* NULL: all */

/* Properties: values with names, looked up at the node and then at its ancestors */

#define DDI_PROP_SUCCESS	0
#define DDI_PROP_NOT_FOUND	1
#define DDI_PROP_UNDEFINED	2
#define DDI_PROP_NO_MEMORY	3
#define DDI_PROP_INVAL_ARG	4
#define DDI_PROP_BUF_TOO_SMALL	5
#define DDI_PROP_CANNOT_DECODE	6
#define DDI_PROP_CANNOT_ENCODE	7
#define DDI_PROP_END_OF_DATA	8

#define DDI_PROP_DONTPASS	0x0001	/* look at this node only */
#define DDI_PROP_CANSLEEP	0x0002	/* accepted: always may */
#define DDI_PROP_NOTPROM	0x0020	/* accepted: there is no PROM */
#define DDI_UNBND_DLPI2		0x0200	/* accepted */

/**
 * ddi_prop_lookup_int_array() - and its family: the value of property @name
 *
 * @dev       DDI_DEV_T_ANY, or the dev_t (or DDI_DEV_T_NONE) it was made with
 * @flags     DDI_PROP_DONTPASS: do not ask the ancestors
 * @ret_data  a copy; ddi_prop_free()
 *
 * Returns:   DDI_PROP_SUCCESS
 *            DDI_PROP_NOT_FOUND   nobody has it with this type
 *            DDI_PROP_UNDEFINED   explicitly undefined
 *            DDI_PROP_INVAL_ARG   no name
 *            DDI_PROP_NO_MEMORY
 */
int ddi_prop_lookup_int_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    int **ret_data, uint_t *ret_count);
int ddi_prop_lookup_int64_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    int64_t **ret_data, uint_t *ret_count);
int ddi_prop_lookup_string(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    char **ret_data);
int ddi_prop_lookup_string_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    char ***ret_data, uint_t *ret_count);
int ddi_prop_lookup_byte_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    uchar_t **ret_data, uint_t *ret_count);
void ddi_prop_free(void *data);		/* NULL is ignored */

/* ddi_prop_get_int() - the first integer, or @defvalue; a boolean property is 1 */
int ddi_prop_get_int(dev_t dev, dev_info_t *dip, uint_t flags, const char *name, int defvalue);
int64_t ddi_prop_get_int64(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    int64_t defvalue);
int ddi_prop_exists(dev_t dev, dev_info_t *dip, uint_t flags, const char *name);
int ddi_getprop(dev_t dev, dev_info_t *dip, int flags, const char *name, int defvalue);

/* ddi_prop_update_int() - and its family: make or replace, whatever type it had; values are
 * copied */
int ddi_prop_update_int(dev_t dev, dev_info_t *dip, const char *name, int data);
int ddi_prop_update_int_array(dev_t dev, dev_info_t *dip, const char *name, const int *data,
    uint_t count);
int ddi_prop_update_int64(dev_t dev, dev_info_t *dip, const char *name, int64_t data);
int ddi_prop_update_int64_array(dev_t dev, dev_info_t *dip, const char *name,
    const int64_t *data, uint_t count);
int ddi_prop_update_string(dev_t dev, dev_info_t *dip, const char *name, const char *data);
int ddi_prop_update_string_array(dev_t dev, dev_info_t *dip, const char *name,
    char *const *data, uint_t count);
int ddi_prop_update_byte_array(dev_t dev, dev_info_t *dip, const char *name,
    const uchar_t *data, uint_t count);

/* ddi_prop_create() - @length 0: a boolean property; otherwise an array of bytes */
int ddi_prop_create(dev_t dev, dev_info_t *dip, int flags, const char *name, const void *value,
    int length);
int ddi_prop_undefine(dev_t dev, dev_info_t *dip, int flags, const char *name);
/* ddi_prop_remove(), ddi_prop_remove_all() - take away what ddi_prop_update_*(),
 * ddi_prop_create() and ddi_prop_undefine() made; those of ndi_prop_update_*() stay */
int ddi_prop_remove(dev_t dev, dev_info_t *dip, const char *name);
void ddi_prop_remove_all(dev_info_t *dip);

/* Soft state: zeroed structures by number */

/* ddi_soft_state_init() - 0, or EINVAL (@size 0); @nitems is a hint */
int ddi_soft_state_init(void **state_p, size_t size, size_t nitems);
void ddi_soft_state_fini(void **state_p);
/* DDI_FAILURE when it exists or is negative */
int ddi_soft_state_zalloc(void *state, int item);
/* NULL when absent; any context, no lock */
void *ddi_get_soft_state(void *state, int item);
void ddi_soft_state_free(void *state, int item);

/* Task queues of a node */

typedef struct taskq ddi_taskq_t;

#define TASKQ_DEFAULTPRI	(-1)

ddi_taskq_t *ddi_taskq_create(dev_info_t *dip, const char *name, int nthreads, pri_t pri,
    uint_t flags);
void ddi_taskq_destroy(ddi_taskq_t *tq);
int ddi_taskq_dispatch(ddi_taskq_t *tq, void (*func)(void *), void *arg, uint_t flags);
void ddi_taskq_wait(ddi_taskq_t *tq);
void ddi_taskq_suspend(ddi_taskq_t *tq);
boolean_t ddi_taskq_suspended(ddi_taskq_t *tq);
void ddi_taskq_resume(ddi_taskq_t *tq);

/* Direct memory access */

#define DDI_DMA_WRITE		0x0001	/* memory to device */
#define DDI_DMA_READ		0x0002	/* device to memory */
#define DDI_DMA_RDWR		(DDI_DMA_READ | DDI_DMA_WRITE)
#define DDI_DMA_REDZONE		0x0004
#define DDI_DMA_PARTIAL		0x0008	/* a first window is better than nothing */
#define DDI_DMA_CONSISTENT	0x0010
#define DDI_DMA_EXCLUSIVE	0x0020
#define DDI_DMA_STREAMING	0x0040

#define DDI_DMA_DONTWAIT	((int (*)(caddr_t))0)
#define DDI_DMA_SLEEP		((int (*)(caddr_t))1)

#define DDI_DMA_MAPPED		0
#define DDI_DMA_MAPOK		0
#define DDI_DMA_PARTIAL_MAP	7
#define DDI_DMA_DONE		8
#define DDI_DMA_NORESOURCES	(-1)
#define DDI_DMA_NOMAPPING	(-2)	/* the device cannot reach this memory */
#define DDI_DMA_TOOBIG		(-3)	/* more than one window, and not DDI_DMA_PARTIAL */
#define DDI_DMA_TOOSMALL	(-4)
#define DDI_DMA_LOCKED		(-5)
#define DDI_DMA_BADLIMITS	(-6)
#define DDI_DMA_STALE		(-7)
#define DDI_DMA_BADATTR		(-8)
#define DDI_DMA_INUSE		(-9)	/* the handle is bound already */

#define DDI_DMA_SYNC_FORDEV	0x0
#define DDI_DMA_SYNC_FORCPU	0x1
#define DDI_DMA_SYNC_FORKERNEL	0x2

/* ddi_dma_alloc_handle() - DDI_SUCCESS, DDI_DMA_BADATTR or DDI_DMA_NORESOURCES; @attr is copied
 */
int ddi_dma_alloc_handle(dev_info_t *dip, ddi_dma_attr_t *attr, int (*waitfp)(caddr_t),
    caddr_t arg, ddi_dma_handle_t *ret_handle);
void ddi_dma_free_handle(ddi_dma_handle_t *handlep);	/* *handlep becomes NULL */

/* ddi_dma_mem_alloc() - memory that suits the handle's attributes; zeroed;
 * DDI_SUCCESS/DDI_FAILURE */
int ddi_dma_mem_alloc(ddi_dma_handle_t handle, size_t length, ddi_device_acc_attr_t *acc_attr,
    uint_t flags, int (*waitfp)(caddr_t), caddr_t arg, caddr_t *ret_kaddr,
    size_t *ret_real_length, ddi_acc_handle_t *ret_acc);
void ddi_dma_mem_free(ddi_acc_handle_t *accp);		/* *accp becomes NULL */

/**
 * ddi_dma_addr_bind_handle() - make @len bytes at @addr reachable for the device
 *
 * @as        NULL
 * @flags     direction, DDI_DMA_PARTIAL, DDI_DMA_CONSISTENT ..
 * @ret_cookie, @ret_count  first cookie and number of the first window; may be NULL both
 *
 * Returns:   DDI_DMA_MAPPED       all of it
 *            DDI_DMA_PARTIAL_MAP  the first of several windows
 *            DDI_DMA_INUSE, DDI_DMA_NORESOURCES, DDI_DMA_NOMAPPING, DDI_DMA_TOOBIG
 * Thread:    any context with DDI_DMA_DONTWAIT
 */
struct as;
int ddi_dma_addr_bind_handle(ddi_dma_handle_t handle, struct as *as, caddr_t addr, size_t len,
    uint_t flags, int (*waitfp)(caddr_t), caddr_t arg, ddi_dma_cookie_t *ret_cookie,
    uint_t *ret_count);
int ddi_dma_buf_bind_handle(ddi_dma_handle_t handle, struct buf *bp, uint_t flags,
    int (*waitfp)(caddr_t), caddr_t arg, ddi_dma_cookie_t *ret_cookie, uint_t *ret_count);
int ddi_dma_unbind_handle(ddi_dma_handle_t handle);	/* DDI_FAILURE when not bound */

/* ddi_dma_nextcookie() - the cookie behind the one given last */
void ddi_dma_nextcookie(ddi_dma_handle_t handle, ddi_dma_cookie_t *ret_cookie);
uint_t ddi_dma_ncookies(ddi_dma_handle_t handle);
const ddi_dma_cookie_t *ddi_dma_cookie_iter(ddi_dma_handle_t handle,
    const ddi_dma_cookie_t *prev);
const ddi_dma_cookie_t *ddi_dma_cookie_get(ddi_dma_handle_t handle, uint_t index);
/* there is exactly one */
const ddi_dma_cookie_t *ddi_dma_cookie_one(ddi_dma_handle_t handle);

int ddi_dma_numwin(ddi_dma_handle_t handle, uint_t *ret_nwin);
int ddi_dma_getwin(ddi_dma_handle_t handle, uint_t win, off_t *ret_off, size_t *ret_len,
    ddi_dma_cookie_t *ret_cookie, uint_t *ret_count);

/* ddi_dma_sync() - @len 0: to the end of the binding; any context */
int ddi_dma_sync(ddi_dma_handle_t handle, off_t off, size_t len, uint_t type);
int ddi_dma_burstsizes(ddi_dma_handle_t handle);

/* Registers */

int ddi_dev_nregs(dev_info_t *dip, int *ret_count);
int ddi_dev_regsize(dev_info_t *dip, uint_t rnumber, off_t *ret_size);

/* ddi_regs_map_setup() - @len 0: to the end; DDI_SUCCESS, DDI_FAILURE, DDI_REGS_ACC_CONFLICT */
#define DDI_REGS_ACC_CONFLICT	(-10)
int ddi_regs_map_setup(dev_info_t *dip, uint_t rnumber, caddr_t *ret_addr, offset_t offset,
    offset_t len, ddi_device_acc_attr_t *acc_attr, ddi_acc_handle_t *ret_acc);
void ddi_regs_map_free(ddi_acc_handle_t *accp);

/* one ordered access of the given width; any context */
uint8_t ddi_get8(ddi_acc_handle_t acc, uint8_t *addr);
uint16_t ddi_get16(ddi_acc_handle_t acc, uint16_t *addr);
uint32_t ddi_get32(ddi_acc_handle_t acc, uint32_t *addr);
uint64_t ddi_get64(ddi_acc_handle_t acc, uint64_t *addr);
void ddi_put8(ddi_acc_handle_t acc, uint8_t *addr, uint8_t value);
void ddi_put16(ddi_acc_handle_t acc, uint16_t *addr, uint16_t value);
void ddi_put32(ddi_acc_handle_t acc, uint32_t *addr, uint32_t value);
void ddi_put64(ddi_acc_handle_t acc, uint64_t *addr, uint64_t value);

/* @count accesses, to one register (DDI_DEV_NO_AUTOINCR) or to following ones */
void ddi_rep_get8(ddi_acc_handle_t acc, uint8_t *host, uint8_t *dev, size_t count,
    uint_t flags);
void ddi_rep_put8(ddi_acc_handle_t acc, uint8_t *host, uint8_t *dev, size_t count,
    uint_t flags);
void ddi_rep_get32(ddi_acc_handle_t acc, uint32_t *host, uint32_t *dev, size_t count,
    uint_t flags);
void ddi_rep_put32(ddi_acc_handle_t acc, uint32_t *host, uint32_t *dev, size_t count,
    uint_t flags);

/* configuration space: register set 0 */
int pci_config_setup(dev_info_t *dip, ddi_acc_handle_t *ret_acc);
void pci_config_teardown(ddi_acc_handle_t *accp);
uint8_t pci_config_get8(ddi_acc_handle_t acc, off_t off);
uint16_t pci_config_get16(ddi_acc_handle_t acc, off_t off);
uint32_t pci_config_get32(ddi_acc_handle_t acc, off_t off);
void pci_config_put8(ddi_acc_handle_t acc, off_t off, uint8_t value);
void pci_config_put16(ddi_acc_handle_t acc, off_t off, uint16_t value);
void pci_config_put32(ddi_acc_handle_t acc, off_t off, uint32_t value);

/* Numbers from text: 0 or an errno; *@ret_end is the first character not used. It may be the
 * caller's own variable that holds @text */
int ddi_strtol(const char *text, char **ret_end, int base, long *ret_value);
int ddi_strtoul(const char *text, char **ret_end, int base, unsigned long *ret_value);
int ddi_strtoll(const char *text, char **ret_end, int base, longlong_t *ret_value);
int ddi_strtoull(const char *text, char **ret_end, int base, u_longlong_t *ret_value);

/* Time */

clock_t ddi_get_lbolt(void);		/* ticks, monotonic */
int64_t ddi_get_lbolt64(void);
time_t ddi_get_time(void);		/* seconds since 1970 */

/* id32: a pointer as a number of 32 bits that a device can carry */
id32_t id32_alloc(void *ptr, int kmflag);	/* 0 when there is none (KM_NOSLEEP) */
void *id32_lookup(id32_t id);	/* NULL for an id that is not taken; any context */
void id32_free(id32_t id);

/* User memory: the argument is ours already; 0 always */
int ddi_copyin(const void *src, void *dst, size_t len, int flags);
int ddi_copyout(const void *src, void *dst, size_t len, int flags);

/* Fault management: carried along, nothing is reported */
#define DDI_FM_NOT_CAPABLE	0x00
#define DDI_FM_EREPORT_CAPABLE	0x01
#define DDI_FM_ACCCHK_CAPABLE	0x02
#define DDI_FM_DMACHK_CAPABLE	0x04
#define DDI_FM_ERRCB_CAPABLE	0x08

#define DDI_MODEL_NONE		0
#define DDI_MODEL_NATIVE	0
#define ddi_model_convert_from(m) (DDI_MODEL_NONE)

#endif /* SYS_DDI_SUNDDI_H */
