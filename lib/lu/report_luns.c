/* REPORT LUNS: what a view holds, as parameter data (lu/view.h) */
#include "lu/view.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "lu/local.h"
#include "lu/ua.h"
#include "scsi/lun.h"

#define HDR_LEN		8u
#define PERIPHERAL_END	256u	/* larger numbers are written in flat space form */
#define FLAT		(0x4000ull << 48)

/* SELECT REPORT (SPC-4 table 270): which kinds of units a code asks for */
#define WANT_UNITS	0x01u
#define WANT_WELL_KNOWN	0x02u
#define WANT_VALID	0x80u

static const uint8_t selects[] = {
	[0x00] = WANT_VALID | WANT_UNITS,
	[0x01] = WANT_VALID | WANT_WELL_KNOWN,
	[0x02] = WANT_VALID | WANT_UNITS | WANT_WELL_KNOWN,
	/* administrative units, of which there are none: alone, with those that are no
	 * subsidiaries, with the subsidiaries of the one addressed */
	[0x10] = WANT_VALID,
	[0x11] = WANT_VALID | WANT_UNITS,
	[0x12] = WANT_VALID,
};

/* what bytes [@at, @at + @len) of the list are, as far as @size reaches */
static void
put_cut(uint8_t *buf, size_t size, size_t at, const uint8_t *bytes, size_t len)
{
	if (at < size)
		memcpy(buf + at, bytes, num_min(len, size - at));
}

int
lu_view_report(const struct lu_view *view, uint8_t select, void *buf, size_t size,
    size_t *ret_len)
{
	uint8_t want = select < sizeof(selects) ? selects[select] : 0;
	size_t n = (want & WANT_UNITS) != 0 ? lu_view_count(view) : 0, at = HDR_LEN;
	uint8_t bytes[LUNFMT_LEN] = { 0 };
	bool has_well_known = (want & WANT_WELL_KNOWN) != 0;

	if ((want & WANT_VALID) == 0)
		return -EINVAL;
	be32_put(bytes, (uint32_t)((n + has_well_known) * LUNFMT_LEN));
	put_cut(buf, size, 0, bytes, HDR_LEN);
	for (size_t i = 0; i < n; i++, at += LUNFMT_LEN) {
		uint64_t lun = lu_view_at(view, i)->lun;

		lunfmt_put(bytes, lun < PERIPHERAL_END ? lun : FLAT | lun << 48);
		put_cut(buf, size, at, bytes, LUNFMT_LEN);
	}
	if (has_well_known) {
		lunfmt_put(bytes, LUNFMT_REPORT_LUNS_WLUN);
		put_cut(buf, size, at, bytes, LUNFMT_LEN);
		at += LUNFMT_LEN;
	}
	*ret_len = at;
	return 0;
}

void
lu_view_do_report_luns(struct lu *lu UNUSED, struct lu_task *task)
{
	struct lu_nexus *nexus = task->nexus;
	uint32_t alloc_len = be32_get(task->cdb + 6);
	size_t len;

	if (nexus->view == NULL) {
		lu_local_pass(task);
		return;
	}
	if (lu_view_report(nexus->view, task->cdb[2], task->data,
	    num_min(alloc_len, task->data_len), &len) < 0) {
		lu_local_bad_cdb(task, 2, -1);
		return;
	}
	/* SPC-4 6.33: who reads the list has heard that it changed */
	ua_set_drop(&nexus->ua, ASC_REPORTED_LUNS_CHANGED);
	lu_local_reply(task, task->data, len, alloc_len);
}
