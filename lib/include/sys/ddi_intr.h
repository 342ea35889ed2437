/*
 * sys/ddi_intr.h - interrupts: allocate a vector, add a handler, enable
 *
 * What      A vector is an eventfd of the node's bus, or, on a bus without hardware, one the
 *           framework makes. Which thread runs the handler is decided by ddi/intr.h.
 * Life      alloc → add_handler → enable ⇄ disable → remove_handler → free
 * Thread    Handlers run with sched_is_interrupt() true, one call at a time for each vector.
 *           All other functions where sleeping is allowed; disable, remove and free wait for a
 *           running handler unless called from it.
 * Source    ddi_intr_alloc(9F), ddi_intr_add_handler(9F), ddi_intr_enable(9F)
 */
#ifndef SYS_DDI_DDI_INTR_H
#define SYS_DDI_DDI_INTR_H

#include <sys/dditypes.h>
#include <sys/types.h>

#define DDI_INTR_TYPE_FIXED	0x1
#define DDI_INTR_TYPE_MSI	0x2
#define DDI_INTR_TYPE_MSIX	0x4

#define DDI_INTR_ALLOC_NORMAL	0	/* fewer than asked for are fine */
#define DDI_INTR_ALLOC_STRICT	1	/* all or DDI_INTR_NOTFOUND/DDI_EAGAIN */

#define DDI_INTR_FLAG_LEVEL	0x0001	/* capabilities */
#define DDI_INTR_FLAG_EDGE	0x0002
#define DDI_INTR_FLAG_MASKABLE	0x0010
#define DDI_INTR_FLAG_PENDING	0x0020
#define DDI_INTR_FLAG_BLOCK	0x0100

#define DDI_INTR_CLAIMED	1	/* answers of a handler */
#define DDI_INTR_UNCLAIMED	0

#define DDI_INTR_NOTFOUND	1	/* results besides DDI_SUCCESS and DDI_FAILURE */

#define DDI_INTR_PRI(pri)	((void *)(uintptr_t)(pri))
#define DDI_INTR_PRI_MIN	1
#define DDI_INTR_PRI_MAX	12

typedef uint_t (ddi_intr_handler_t)(caddr_t arg1, caddr_t arg2);

int ddi_intr_get_supported_types(dev_info_t *dip, int *ret_types);
int ddi_intr_get_nintrs(dev_info_t *dip, int type, int *ret_count);
int ddi_intr_get_navail(dev_info_t *dip, int type, int *ret_count);

/**
 * ddi_intr_alloc() - take vectors @inum .. @inum + @count - 1 of the node
 *
 * @table      room for @count handles
 * @ret_actual how many there are now, from 1 on
 *
 * Returns:    DDI_SUCCESS
 *             DDI_EINVAL         bad argument or type
 *             DDI_INTR_NOTFOUND  the node has no such type, or not this many (strict)
 *             DDI_EAGAIN         all are taken
 * Owner:      caller; ddi_intr_free() for each
 */
int ddi_intr_alloc(dev_info_t *dip, ddi_intr_handle_t *table, int type, int inum, int count,
    int *ret_actual, int behavior);
int ddi_intr_free(ddi_intr_handle_t h);

int ddi_intr_get_cap(ddi_intr_handle_t h, int *ret_flags);
int ddi_intr_set_cap(ddi_intr_handle_t h, int flags);
int ddi_intr_get_pri(ddi_intr_handle_t h, uint_t *ret_pri);
int ddi_intr_set_pri(ddi_intr_handle_t h, uint_t pri);
uint_t ddi_intr_get_hilevel_pri(void);

int ddi_intr_add_handler(ddi_intr_handle_t h, ddi_intr_handler_t *handler, void *arg1,
    void *arg2);
int ddi_intr_remove_handler(ddi_intr_handle_t h);
int ddi_intr_dup_handler(ddi_intr_handle_t org, int vector, ddi_intr_handle_t *ret_dup);

int ddi_intr_enable(ddi_intr_handle_t h);
int ddi_intr_disable(ddi_intr_handle_t h);
int ddi_intr_block_enable(ddi_intr_handle_t *table, int count);
int ddi_intr_block_disable(ddi_intr_handle_t *table, int count);
int ddi_intr_set_mask(ddi_intr_handle_t h);
int ddi_intr_clr_mask(ddi_intr_handle_t h);
int ddi_intr_get_pending(ddi_intr_handle_t h, int *ret_pending);

/**
 * scsad_intr_fd() - the eventfd behind a vector; ours, not of the manual pages
 *
 * A driver without hardware hands it to whoever shall interrupt it (io_uring). It stays open
 * until ddi_intr_free().
 *
 * Returns:  the descriptor
 *           -1  the bus's vectors have none
 */
int scsad_intr_fd(ddi_intr_handle_t h);

/**
 * scsad_intr_trigger() - interrupt a vector as its device would; ours
 *
 * The handler runs soon, on the vector's thread; several triggers may become one call.
 * Thread:   any context
 */
void scsad_intr_trigger(ddi_intr_handle_t h);

#endif /* SYS_DDI_DDI_INTR_H */
