/*
 * mptsas/page.h - configuration pages: how they are asked for, and what they say
 *
 * What      The chip's own view of its phys and of what is behind them. Requests are written
 *           and pages read by pure functions over bytes; mptsas.h has the exchange.
 * Thread    Any; no state.
 * Source    MPI 1.5: configuration message, SAS IO Unit 0, SAS Device 0, Manufacturing 5
 */
#ifndef MPTSAS_PAGE_H
#define MPTSAS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "hw/mptsas/regs.h"

#define PAGE_PHYS_MAX	64u		/* what a phy map can hold */

/* a page by its names; lengths and version come with its head */
struct page_name {
	uint8_t type;			/* MPT_PAGE_*; 10h and above are extended types */
	uint8_t number;
	uint32_t address;
};

struct page_head {
	uint8_t version;
	uint32_t bytes;
};

#define PAGE_REQUEST_LEN	(MPT_CFG_LEN)

/**
 * mpt_page_request_write() - a configuration request
 *
 * @frame    at least PAGE_REQUEST_LEN bytes; the context is left to the caller
 * @head     NULL: ask for the head; else read that many bytes to @iova
 */
void mpt_page_request_write(uint8_t *frame, const struct page_name *name,
    const struct page_head *head, uint64_t iova);

/* mpt_page_head_read() - the reply to a request for the head: @len bytes. 0, -EBADMSG (too
 * short, or about another page), or -ENOENT: there is none */
int mpt_page_head_read(const uint8_t *reply, size_t len, uint16_t status,
    const struct page_name *name, struct page_head *ret) MUST_CHECK;

struct page_phy {
	uint8_t port;
	uint8_t rate;			/* MPT_RATE_* */
	bool is_up;			/* a device is attached and the link runs */
	uint16_t attached, own;		/* handles */
};

/* mpt_page_io_unit_read() - SAS IO Unit 0; @phys: PAGE_PHYS_MAX. 0 or -EBADMSG */
int mpt_page_io_unit_read(const uint8_t *page, size_t len, struct page_phy *phys,
    unsigned int *ret_nphys) MUST_CHECK;

struct page_device {
	uint64_t sas;
	uint16_t handle, parent;
	uint8_t phy, port, bus, target, access;
	uint32_t info;			/* MPT_INFO_* */
	bool is_present;
};

/* mpt_page_device_read() - SAS Device 0; 0 or -EBADMSG */
int mpt_page_device_read(const uint8_t *page, size_t len, struct page_device *ret) MUST_CHECK;

/* mpt_page_device_is_disk(), _is_expander() - what it is told to the framework as */
static inline bool
mpt_page_device_is_disk(const struct page_device *d)
{
	return d->is_present && MPT_INFO_TYPE(d->info) == MPT_INFO_END &&
	    (d->info & MPT_INFO_TARGETS) != 0;
}

static inline bool
mpt_page_device_is_expander(const struct page_device *d)
{
	return MPT_INFO_TYPE(d->info) == MPT_INFO_EDGE ||
	    MPT_INFO_TYPE(d->info) == MPT_INFO_FANOUT;
}

/* mpt_page_wwid_read() - Manufacturing 5: the adapter's own SAS address; 0 or -EBADMSG */
int mpt_page_wwid_read(const uint8_t *page, size_t len, uint64_t *ret_wwid) MUST_CHECK;

#endif /* MPTSAS_PAGE_H */
