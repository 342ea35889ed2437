/*
 * scsi/mode.h - mode pages: MODE SENSE data made, MODE SELECT lists read and applied
 *
 * What      A device server describes its pages by an array of struct modepage: what they are
 *           by default, what may be changed, what they are now. mode_sense_build() answers MODE
 *           SENSE(6) and (10) from it; mode_select_apply() takes a parameter list, refuses it
 *           with a field pointer or changes the pages all at once. For the other side of the
 *           wire there is a header reader and a bounded walk over pages.
 * Owner     Page bytes are the caller's; nothing is kept.
 * Thread    Any; the pages are changed by the caller's thread only.
 * Limits    MODE_PAGES_MAX pages a device server; a page is at most 257 bytes (page_0) here.
 * Source    SPC-4 6.11, 6.12 (MODE SELECT, MODE SENSE), 7.5 (formats); SBC-3 6.5
 *
 * (The published SCSA headers own the names "struct mode_page" and "struct mode_header".)
 */
#ifndef SCSI_MODE_H
#define SCSI_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/sense.h"

#define MODE_HDR6_LEN		4
#define MODE_HDR10_LEN		8
#define MODE_PAGES_MAX		64
#define MODE_PAGE_LEN_MAX	257

enum mode_code {
	MODE_RW_RECOVERY	= 0x01,
	MODE_DISCONNECT		= 0x02,
	MODE_VERIFY_RECOVERY	= 0x07,
	MODE_CACHING		= 0x08,
	MODE_CONTROL		= 0x0a,
	MODE_PORT		= 0x19,
	MODE_POWER		= 0x1a,
	MODE_EXCEPTIONS		= 0x1c,
	MODE_ALL		= 0x3f,
};

enum mode_pc {
	MODE_PC_CURRENT		= 0,
	MODE_PC_CHANGEABLE	= 1,
	MODE_PC_DEFAULT		= 2,
	MODE_PC_SAVED		= 3,
};

/* device specific parameter of disks (SBC-3 6.5.1) */
#define MODE_DSP_WP		0x80	/* medium is write protected */
#define MODE_DSP_DPOFUA		0x10	/* DPO and FUA are honoured */

/* one page of a device server; byte arrays have @len bytes, page header included, PS 0 */
struct modepage {
	uint8_t code;			/* 0..3Eh */
	uint8_t subcode;		/* 0: page_0 format (2-byte header), else sub_page */
	uint16_t len;			/* whole page */
	const uint8_t *dflt;
	const uint8_t *changeable;	/* bits MODE SELECT may change; header bytes 0 */
	uint8_t *current;
	uint8_t *saved;			/* NULL: this page cannot be saved */
};

/* the header in front of both commands' data */
struct modehdr {
	size_t hdr_len;			/* 4 or 8 */
	size_t data_len;		/* all bytes by MODE DATA LENGTH; 0 in lists */
	uint8_t medium_type;
	uint8_t device_specific;	/* MODE_DSP_* */
	bool has_long_lba;		/* block descriptors of 16 bytes */
	uint16_t bd_len;		/* bytes of block descriptors */
	bool has_bd;			/* the next two were there */
	uint64_t blocks;		/* of the first descriptor; 0 or all ones: whole unit */
	uint32_t block_size;
};

/**
 * mode_hdr_parse() - read the header and the first block descriptor
 *
 * @buf      @len bytes
 * @is_10    of MODE SENSE(10) or MODE SELECT(10)
 *
 * Returns:  0
 *           -EBADMSG   the header, or what it says follows, is not there
 */
int mode_hdr_parse(const void *buf, size_t len, bool is_10, struct modehdr *ret) MUST_CHECK;

/* a page seen by the walk; offset is that of its first byte in the data walked */
struct mode_view {
	uint8_t code;
	uint8_t subcode;
	bool is_savable;		/* PS */
	size_t offset;
	size_t hdr_len;			/* 2 or 4 */
	size_t len;			/* whole page */
	const uint8_t *data;		/* the page's first byte */
};

struct mode_walk {
	const uint8_t *base;
	size_t len;
	size_t pos;
};

/* mode_walk_begin() - walk pages behind the header and descriptors; codes as mode_hdr_parse().
 * MODE SENSE: believes MODE DATA LENGTH where it is below @len */
int mode_walk_begin(const void *buf, size_t len, bool is_10, struct mode_walk *walk) MUST_CHECK;

/* mode_walk_next() - 1 and *@ret; 0 at the end; -EBADMSG at a page that runs past it, *@ret
 * then holds offset and, if its header was there, code and subcode */
int mode_walk_next(struct mode_walk *walk, struct mode_view *ret) MUST_CHECK;

/* mode_find() - the page @code/@subcode in @pages; NULL if there is none */
const struct modepage *mode_find(const struct modepage *pages, size_t n, uint8_t code,
    uint8_t subcode);

/**
 * mode_field_get(), mode_field_put() - a field of page bytes, big-endian
 *
 * @page     the page, @len bytes
 * @byte     first byte; @width bytes, 1..8
 * @mask     of the right-aligned field, its lowest set bit is the field's bit 0
 *
 * Returns:  the value; put: false when the field lies outside the page or the value outside the
 *           mask. get: 0 outside the page
 */
uint64_t mode_field_get(const uint8_t *page, size_t len, size_t byte, size_t width,
    uint64_t mask);
bool mode_field_put(uint8_t *page, size_t len, size_t byte, size_t width, uint64_t mask,
    uint64_t value);

struct mode_request {
	bool is_10;
	bool want_dbd;			/* DBD: no block descriptors */
	bool want_long_lba;		/* LLBAA, MODE SENSE(10) only */
	uint8_t pc;			/* enum mode_pc */
	uint8_t page;			/* 3Fh: all */
	uint8_t subpage;		/* FFh: all subpages too */
};

struct mode_unit {
	uint8_t medium_type;
	uint8_t device_specific;	/* MODE_DSP_* */
	bool has_bd;			/* a disk: a block descriptor is due */
	uint64_t blocks;
	uint32_t block_size;
};

/* mode_request_decode() - MODE SENSE(6) or (10) CDB, checked before to be one and whole */
struct mode_request mode_request_decode(const uint8_t *cdb);

/**
 * mode_sense_build() - parameter data of MODE SENSE
 *
 * @pages    @n of them, rising by code and subcode
 * @buf      @size bytes; the caller cuts at the allocation length
 * @ret_len  bytes written
 * @reterr   what to answer
 *
 * Returns:  0
 *           -EINVAL      no such page (INVALID FIELD IN CDB, field pointer), or saved values
 *                        asked for where none can be saved (39h/00h): *@reterr is filled in
 *           -ENOSPC      @size too small, or more than the header can tell (MODE SENSE(6): 256)
 */
int mode_sense_build(const struct mode_request *req, const struct mode_unit *unit,
    const struct modepage *pages, size_t n, void *buf, size_t size, size_t *ret_len,
    struct sense_data *reterr) MUST_CHECK;

/**
 * mode_check_fn - asked once per page of a list before anything changes
 *
 * @page     the page as it is; @next the @page->len bytes it would become
 * @reterr_byte, @reterr_bit   offset in the page and bit (-1 none) of what is refused
 *
 * Returns:  true to accept
 */
typedef bool mode_check_fn(void *arg, const struct modepage *page, const uint8_t *next,
    size_t *reterr_byte, int *reterr_bit);

struct mode_select {
	bool is_10;
	bool want_save;			/* SP */
	const struct mode_unit *unit;	/* block descriptor sent must say what the unit is */
	mode_check_fn *check;		/* NULL: the changeable mask decides alone */
	void *check_arg;
};

/**
 * mode_select_apply() - check a MODE SELECT parameter list, then do all of it or none
 *
 * @list     @len bytes; the PARAMETER LIST LENGTH, already transferred and copied
 * @pages    @n of them (at most MODE_PAGES_MAX); ->current, and with SP ->saved, is written
 * @ret_changed  bit i: pages[i].current differs from before. 0: nobody needs a unit attention
 * @reterr   sense to answer when refused
 *
 * Shape:    an empty list is good and changes nothing. Bits outside the changeable mask must be
 *           as they are now. A page sent twice: the later one wins, both must be good.
 * Returns:  0
 *           -EINVAL   refused, *@reterr: PARAMETER LIST LENGTH ERROR for lists cut inside a
 *                     header, descriptor or page, INVALID FIELD IN PARAMETER LIST with a field
 *                     pointer for everything else, SAVING PARAMETERS NOT SUPPORTED is INVALID
 *                     FIELD IN CDB byte 1 bit 0
 */
int mode_select_apply(const struct mode_select *sel, const void *list, size_t len,
    const struct modepage *pages, size_t n, uint64_t *ret_changed,
    struct sense_data *reterr) MUST_CHECK;

/* mode_page_name() - "Caching", "Control" ...; NULL if unknown */
const char *mode_page_name(uint8_t code, uint8_t subcode);

#endif /* SCSI_MODE_H */
