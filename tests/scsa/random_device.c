#include "tests/scsa/random.h"

#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "scsi/lun.h"

#define BLOCK	512
#define WORDS	(BLOCK / sizeof(uint32_t))

static void
status_put(struct scsi_pkt *pkt, uchar_t status)
{
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state |= STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	*pkt->pkt_scbp = status;
}

static void
check_put(struct scsi_pkt *pkt, uint8_t key, uint8_t asc, uint8_t ascq)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;

	status_put(pkt, STATUS_CHECK);
	if (pkt->pkt_scblen < sizeof(*arq))
		return;
	pkt->pkt_state |= STATE_ARQ_DONE;
	memset(arq, 0, sizeof(*arq));
	*pkt->pkt_scbp = STATUS_CHECK;
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_state = pkt->pkt_state & 0x1fu;
	arq->sts_sensedata.es_class = CLASS_EXTENDED_SENSE;
	arq->sts_sensedata.es_key = (uchar_t)(key & 0x0f);
	arq->sts_sensedata.es_add_len = 12;
	arq->sts_sensedata.es_add_code = asc;
	arq->sts_sensedata.es_qual_code = ascq;
}

/* move between @data and the packet's cookies */
static void
data_move(struct scsi_pkt *pkt, void *data, size_t len, bool is_write)
{
	size_t done = 0;

	for (uint_t i = 0; i < pkt->pkt_numcookies && done < len; i++) {
		const ddi_dma_cookie_t *c = &pkt->pkt_cookies[i];
		size_t part = c->dmac_size < len - done ? c->dmac_size : len - done;
		void *bus = (void *)(uintptr_t)c->dmac_laddress;

		if (is_write)
			memcpy((char *)data + done, bus, part);
		else
			memcpy(bus, (char *)data + done, part);
		done += part;
	}
	pkt->pkt_resid -= (ssize_t)done;
	if (done != 0)
		pkt->pkt_state |= STATE_XFERRED_DATA;
}

static void
inquiry(const struct random_target *t, unsigned int lun, struct scsi_pkt *pkt)
{
	uint8_t d[36] = { 0 };
	size_t want = be16_get(pkt->pkt_cdbp + 3);

	if (pkt->pkt_cdbp[1] & 1) {
		check_put(pkt, KEY_ILLEGAL_REQUEST, 0x24, 0);
		return;
	}
	d[0] = t->luns & 1u << lun ? 0 : lun == 0 ? 0x3f : 0x7f;
	d[2] = 5;
	d[3] = 2;
	d[4] = 31;
	memcpy(d + 8, "RANDOM  CHANCE DISK     0001", 28);
	status_put(pkt, STATUS_GOOD);
	data_move(pkt, d, want < sizeof(d) ? want : sizeof(d), false);
}

static void
report_luns(const struct random_target *t, struct scsi_pkt *pkt)
{
	uint64_t luns[RANDOM_LUNS];
	uint8_t d[8 + 8 * RANDOM_LUNS] = { 0 };
	size_t want = be32_get(pkt->pkt_cdbp + 6), n = 0, len;

	for (unsigned int lun = 0; lun < RANDOM_LUNS; lun++) {
		if (t->luns & 1u << lun)
			luns[n++] = lun;
	}
	len = 8 + 8 * n;
	(void)lunfmt_report_build(luns, n, d, len);
	status_put(pkt, STATUS_GOOD);
	data_move(pkt, d, want < len ? want : len, false);
}

static void
read_write(struct random_target *t, unsigned int lun, struct scsi_pkt *pkt, bool is_write)
{
	uint32_t lba = be32_get(pkt->pkt_cdbp + 2);
	unsigned int blocks = be16_get(pkt->pkt_cdbp + 7);
	uint32_t data[RANDOM_BLOCKS * WORDS];

	if (lba + blocks > RANDOM_BLOCKS) {
		check_put(pkt, KEY_ILLEGAL_REQUEST, 0x21, 0);
		return;
	}
	status_put(pkt, STATUS_GOOD);
	for (size_t i = 0; !is_write && i < blocks * WORDS; i++)
		data[i] = t->media[lun][lba + i / WORDS];
	data_move(pkt, data, (size_t)blocks * BLOCK, is_write);
	for (size_t i = 0; is_write && i < blocks * WORDS; i++) {
		ck_assert_uint_eq(data[i], data[i / WORDS * WORDS]);
		t->media[lun][lba + i / WORDS] = data[i];
	}
}

/* a unit attention that is told before the command is done; false: none */
static bool
attention(struct random_target *t, unsigned int lun, struct scsi_pkt *pkt)
{
	uint8_t bit = (uint8_t)(1u << lun);

	if (t->changed & bit)
		check_put(pkt, KEY_UNIT_ATTENTION, 0x3f, 0x0e);
	else if (t->was_reset & bit)
		check_put(pkt, KEY_UNIT_ATTENTION, 0x29, 0x00);
	else
		return false;
	if (t->changed & bit)
		t->changed = (uint8_t)(t->changed & ~bit);
	else
		t->was_reset = (uint8_t)(t->was_reset & ~bit);
	return true;
}

void
random_device_run(struct random_target *t, unsigned int lun, struct scsi_pkt *pkt)
{
	pkt->pkt_resid = 0;
	for (uint_t i = 0; i < pkt->pkt_numcookies; i++)
		pkt->pkt_resid += (ssize_t)pkt->pkt_cookies[i].dmac_size;
	switch (pkt->pkt_cdbp[0]) {
	case SCMD_INQUIRY:
		inquiry(t, lun, pkt);
		return;
	case SCMD_REPORT_LUNS:
		report_luns(t, pkt);
		return;
	case SCMD_REQUEST_SENSE:
		status_put(pkt, STATUS_GOOD);
		data_move(pkt, (uint8_t[18]){ 0x70, 0, 0, 0, 0, 0, 0, 10 }, 18, false);
		return;
	default:
		break;
	}
	if (!(t->luns & 1u << lun)) {
		check_put(pkt, KEY_ILLEGAL_REQUEST, 0x25, 0);
		return;
	}
	if (attention(t, lun, pkt))
		return;
	switch (pkt->pkt_cdbp[0]) {
	case SCMD_TEST_UNIT_READY:
		status_put(pkt, STATUS_GOOD);
		break;
	case SCMD_READ_G1:
	case SCMD_WRITE_G1:
		read_write(t, lun, pkt, pkt->pkt_cdbp[0] == SCMD_WRITE_G1);
		break;
	default:
		check_put(pkt, KEY_ILLEGAL_REQUEST, 0x20, 0);
	}
}
