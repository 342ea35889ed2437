#include "scsi/lun.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/cursor.h"

#define LIST_AT		8	/* first LUN behind the header */

uint64_t
lunfmt_get(const void *wire)
{
	uint64_t raw = be64_get(wire);

	if ((raw & 0xc000ffffffffffffull) == 0)
		return raw >> 48;
	return raw;
}

void
lunfmt_put(void *wire, uint64_t lun)
{
	be64_put(wire, lun <= LUNFMT_PERIPHERAL_MAX ? lun << 48 : lun);
}

/* the eight bytes as they go over the wire, as a number */
static uint64_t
lun_raw(uint64_t lun)
{
	return lun <= LUNFMT_PERIPHERAL_MAX ? lun << 48 : lun;
}

enum lunfmt_method
lunfmt_method(uint64_t lun)
{
	return (enum lunfmt_method)(lun_raw(lun) >> 56 & 0xc0);
}

bool
lunfmt_index(uint64_t lun, uint32_t *ret)
{
	uint64_t raw = lun_raw(lun);
	uint64_t below_16 = raw & 0x0000ffffffffffffull;

	switch (lunfmt_method(lun)) {
	case LUNFMT_PERIPHERAL:
	case LUNFMT_FLAT:
		if (below_16 != 0)
			return false;
		*ret = (uint32_t)(raw >> 48 & 0x3fff);
		return true;
	case LUNFMT_LOGICAL_UNIT:
		return false;
	case LUNFMT_EXTENDED:
		/* D2h: extended flat space, three bytes of LUN (SAM-5 4.7.7.5.3) */
		if (raw >> 56 != 0xd2 || (raw & 0xffffffffull) != 0)
			return false;
		*ret = (uint32_t)(raw >> 32 & 0xffffff);
		return true;
	}
	return false;
}

size_t
lunfmt_report_build(const uint64_t *luns, size_t n, void *buf, size_t size)
{
	uint8_t header[LIST_AT] = { 0 };
	uint8_t *out = buf;
	size_t at;

	be32_put(header, (uint32_t)(n * LUNFMT_LEN));
	for (at = 0; at < LIST_AT && at < size; at++)
		out[at] = header[at];
	for (size_t i = 0; i < n && at < size; i++) {
		uint8_t wire[LUNFMT_LEN];

		lunfmt_put(wire, luns[i]);
		for (size_t k = 0; k < LUNFMT_LEN && at < size; k++, at++)
			out[at] = wire[k];
	}
	return LIST_AT + n * LUNFMT_LEN;
}

int
lunfmt_report_parse(const void *buf, size_t len, uint64_t *luns, size_t max, size_t *ret_n,
    size_t *ret_total)
{
	struct cursor c = cursor_read_init(buf, len);
	size_t total = cursor_be32(&c) / LUNFMT_LEN;
	size_t n = 0;

	cursor_take(&c, 4);
	if (!cursor_ok(&c))
		return -EBADMSG;
	while (n < total && n < max && cursor_left(&c) >= LUNFMT_LEN)
		luns[n++] = lunfmt_get(cursor_take(&c, LUNFMT_LEN));
	*ret_n = n;
	*ret_total = total;
	return 0;
}
