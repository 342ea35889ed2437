#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "scsa/scsa_impl.h"
#include "scsi/lun.h"

#define REPORT_LUNS_TIME	3	/* s */
#define REPORT_LUNS_FIRST	256u	/* LUNs there is room for at first */
#define REPORT_LUNS_TRIES	3	/* the list may grow between two commands */
#define VPD_ROOM		255u	/* bytes of a VPD page that are read */

bool
inq_is_unit(const struct scsi_inquiry *inq, scsi_lun64_t lun, int sfunc)
{
	uint_t dtype = inq->inq_dtype & DTYPE_MASK;
	uint_t qualifier = inq->inq_dtype & DPQ_MASK;

	if (sfunc != SFUNC_NONE)
		return true;
	if (dtype == DTYPE_UNKNOWN)
		return false;
	if (qualifier & DPQ_VUNIQ)
		return lun == 0;
	return qualifier == DPQ_POSSIBLE;
}

unsigned int
luns_old_limit(dev_info_t *port, const struct scsi_inquiry *inq)
{
	static const unsigned int limits[] = { 0, 1, 8, 16, 32, 64, 128, 256 };
	int options = ddi_prop_get_int(DDI_DEV_T_ANY, port, 0, "scsi-options",
	    SCSI_OPTIONS_DEFAULT);
	unsigned int limit = limits[SCSI_OPTIONS_NLUNS(options) >> 16];

	if (limit == 0)
		limit = inq->inq_ansi < 3 ? 8 : 16;
	if (inq->inq_ansi < 2 && limit > 8)
		limit = 8;
	return limit;
}

/* one command without retries beyond those of a busy adapter; bytes that arrived, or -EIO */
static int
luns_command(struct scsi_pkt *pkt, const struct buf *bp)
{
	/* a unit attention that was pending is gone after it was told */
	for (int i = 0; i < 2; i++) {
		if (probe_run(pkt) != TRAN_ACCEPT || pkt->pkt_reason != CMD_CMPLT)
			return -EIO;
		if (*pkt->pkt_scbp == STATUS_GOOD)
			break;
		if (*pkt->pkt_scbp != STATUS_CHECK)
			return -EIO;
	}
	if (*pkt->pkt_scbp != STATUS_GOOD || pkt->pkt_resid < 0 ||
	    (size_t)pkt->pkt_resid > bp->b_bcount)
		return -EIO;
	return (int)(bp->b_bcount - (size_t)pkt->pkt_resid);
}

/* one REPORT LUNS with room for @room numbers */
static int
luns_report_once(struct scsi_device *sd, uint64_t *luns, size_t room, size_t *ret_n,
    size_t *ret_total)
{
	size_t bytes = LUNFMT_LEN * (room + 1);
	struct scsi_pkt *pkt;
	struct buf *bp;
	int r;

	/* whoever may sleep is refused for good: an HBA without 12-byte CDBs, for instance */
	if (!probe_alloc(sd, bytes, CDB_GROUP5, SLEEP_FUNC, &bp, &pkt))
		return -EIO;
	pkt->pkt_time = REPORT_LUNS_TIME;
	pkt->pkt_cdbp[0] = SCMD_REPORT_LUNS;
	be32_put(&pkt->pkt_cdbp[6], (uint32_t)bytes);
	r = luns_command(pkt, bp);
	if (r >= 0 && lunfmt_report_parse(bp->b_un.b_addr, (size_t)r, luns, room, ret_n,
	    ret_total) < 0)
		r = -EIO;
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(bp);
	return r < 0 ? r : 0;
}

int
luns_report(struct scsi_device *sd, uint64_t **ret_luns, size_t *ret_n, size_t *ret_room)
{
	size_t room = REPORT_LUNS_FIRST, n = 0, total = 0;
	uint64_t *luns;
	int r = -EIO;

	for (int i = 0; i < REPORT_LUNS_TRIES; i++) {
		luns = kmem_alloc(room * sizeof(*luns), KM_SLEEP);
		r = luns_report_once(sd, luns, room, &n, &total);
		if (r == 0 && (total <= room || i == REPORT_LUNS_TRIES - 1 || room == LUNS_MAX)) {
			*ret_luns = luns;
			*ret_n = n;
			*ret_room = room;
			return 0;
		}
		kmem_free(luns, room * sizeof(*luns));
		if (r < 0)
			break;
		room = total < LUNS_MAX ? total : LUNS_MAX;
	}
	return r < 0 ? r : -EIO;
}

/*
 * Identity: the pages 80h (serial number) and 83h (designators), as the device sends them.
 */

/* a VPD page, cut to what is there; length or -EIO */
static int
luns_vpd(struct scsi_device *sd, uchar_t page, uchar_t *data, size_t room)
{
	struct scsi_pkt *pkt;
	struct buf *bp;
	size_t len;
	int r;

	if (!probe_alloc(sd, room, CDB_GROUP0, SLEEP_FUNC, &bp, &pkt))
		return -EIO;
	pkt->pkt_cdbp[0] = SCMD_INQUIRY;
	pkt->pkt_cdbp[1] = 0x01;
	pkt->pkt_cdbp[2] = page;
	be16_put(&pkt->pkt_cdbp[3], (uint16_t)room);
	r = luns_command(pkt, bp);
	if (r >= 4) {
		memcpy(data, bp->b_un.b_addr, (size_t)r);
		len = 4u + be16_get(data + 2);
		r = data[1] != page ? -EIO : len < (size_t)r ? (int)len : r;
	} else if (r >= 0) {
		r = -EIO;
	}
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(bp);
	return r;
}

static void
luns_vpd_prop(struct scsi_device *sd, uchar_t page, const char *name)
{
	uchar_t data[VPD_ROOM];
	int len;

	if (ddi_prop_exists(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS, name))
		return;
	len = luns_vpd(sd, page, data, sizeof(data));
	if (len > 0)
		(void)ndi_prop_update_byte_array(DDI_DEV_T_NONE, sd->sd_dev, name, data,
		    (uint_t)len);
}

void
luns_identity(struct scsi_device *sd)
{
	uchar_t pages[VPD_ROOM];
	int len;

	/* before SPC a device may take the page bit amiss */
	if (sd->sd_inq == NULL || sd->sd_inq->inq_ansi < 3)
		return;
	len = luns_vpd(sd, 0x00, pages, sizeof(pages));
	for (int i = 4; i < len; i++) {
		if (pages[i] == 0x80)
			luns_vpd_prop(sd, 0x80, "inquiry-page-80");
		else if (pages[i] == 0x83)
			luns_vpd_prop(sd, 0x83, "inquiry-page-83");
	}
}
