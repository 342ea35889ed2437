/*
 * scsi/lun.h - the eight bytes of a logical unit number
 *
 * What      Wire form to number and back with the same mapping as scsi_lun_to_lun64(9F):
 *           peripheral single-level 0..16383 is a small number, everything else is its eight
 *           bytes read big-endian. Round trips are exact both ways. REPORT LUNS data, written
 *           and read in bounds.
 * Thread    Any; no state.
 * Source    SAM-5 4.7; SPC-4 6.33 (REPORT LUNS)
 */
#ifndef SCSI_LUN_H
#define SCSI_LUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define LUNFMT_LEN		8
#define LUNFMT_PERIPHERAL_MAX	0x3fffu		/* largest number written in peripheral form */

/* addressing method, upper two bits of the first byte */
enum lunfmt_method {
	LUNFMT_PERIPHERAL	= 0x00,
	LUNFMT_FLAT		= 0x40,
	LUNFMT_LOGICAL_UNIT	= 0x80,
	LUNFMT_EXTENDED		= 0xc0,
};

#define LUNFMT_REPORT_LUNS_WLUN	0xc101000000000000ull	/* well known unit REPORT LUNS */

/* lunfmt_get() - number of the 8 bytes at @wire */
uint64_t lunfmt_get(const void *wire);

/* lunfmt_put() - the inverse: 8 bytes at @wire */
void lunfmt_put(void *wire, uint64_t lun);

/* lunfmt_method() - addressing method of the first level of the number @lun */
enum lunfmt_method lunfmt_method(uint64_t lun);

/**
 * lunfmt_index() - which unit of a plain target a LUN names, whatever method wrote it
 *
 * @lun      as lunfmt_get() gave it
 * @ret      0..16383 (peripheral, flat), up to 2^24 - 1 (extended flat)
 *
 * Peripheral 0..255 and flat 0..16383 name the same units (SAM-5 4.7.7.2, 4.7.7.3), and
 * initiators mix them.
 *
 * Returns:  true; false for well known units, logical unit addressing and more than one level
 */
bool lunfmt_index(uint64_t lun, uint32_t *ret);

/**
 * lunfmt_report_build() - REPORT LUNS parameter data
 *
 * @luns     @n numbers
 * @buf      @size bytes; written as far as they reach. The length in the header is always that
 *           of the whole list
 *
 * Returns:  bytes of the whole list, 8 + 8 * @n
 */
size_t lunfmt_report_build(const uint64_t *luns, size_t n, void *buf, size_t size);

/**
 * lunfmt_report_parse() - the LUNs of REPORT LUNS data
 *
 * @buf        @len bytes as the device returned them
 * @luns       room for @max numbers
 * @ret_n      LUNs stored: whole entries, inside both @len and the header's length
 * @ret_total  LUNs the device has by its header (more than @ret_n: ask again with more room)
 *
 * Returns:  0
 *           -EBADMSG   @len below 8
 */
int lunfmt_report_parse(const void *buf, size_t len, uint64_t *luns, size_t max, size_t *ret_n,
    size_t *ret_total) MUST_CHECK;

#endif /* SCSI_LUN_H */
