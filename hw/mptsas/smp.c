/* expanders: one exchange of the SAS management protocol, passed through the firmware */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

#define SMP_PART_BYTES	(RING_BUFFER_BYTES / 2)	/* request and response share the buffer */
#define SMP_TIMEOUT_S	60

static int
smp_refuse(struct smp_pkt *pkt, int err)
{
	pkt->smp_pkt_reason = (uchar_t)err;
	return DDI_FAILURE;
}

/* the port that leads to an expander of that name; false: there is none */
static bool
expander_port(const struct mptsas_iport *iport, uint64_t sas, uint8_t *ret_port)
{
	struct mptsas_hba *hba = iport->hba;
	struct mptsas_target *target;
	bool has = false;

	mutex_enter(&hba->topo);
	LIST_FOREACH(target, &hba->targets, link) {
		if (target->sas != sas || !target->is_expander ||
		    atomic_load(&target->is_gone))
			continue;
		*ret_port = target->page.port;
		has = true;
	}
	mutex_exit(&hba->topo);
	return has;
}

/* message held. Out element, then in element; the first is not the end of the list */
static void
smp_write(struct mptsas_hba *hba, uint8_t port, uint64_t sas, const struct smp_pkt *pkt)
{
	uint8_t *frame = mptsas_frame(hba, RING_SLOT_MESSAGE);
	uint8_t *out = frame + MPT_SMP_REQ_LEN;
	uint64_t iova = hba->pool.iova + hba->layout.buffer_off;

	memset(frame, 0, MPT_SMP_REQ_LEN);
	memcpy(hba->pool.mem + hba->layout.buffer_off, pkt->smp_pkt_req, pkt->smp_pkt_reqsize);
	memset(hba->pool.mem + hba->layout.buffer_off + SMP_PART_BYTES, 0, SMP_PART_BYTES);
	frame[MPT_SMP_PORT] = port;
	frame[MPT_FUNCTION] = MPT_FN_SMP;
	le16_put(frame + MPT_SMP_REQ_BYTES, (uint16_t)pkt->smp_pkt_reqsize);
	le64_put(frame + MPT_SMP_SAS, sas);
	mpt_ring_sge_put(out, iova, (uint32_t)pkt->smp_pkt_reqsize, MPT_SGE_TO_DEVICE);
	le32_put(out, le32_get(out) & ~(MPT_SGE_LAST | MPT_SGE_END_LIST));
	mpt_ring_sge_put(out + MPT_SGE64_BYTES, iova + SMP_PART_BYTES, SMP_PART_BYTES, 0);
}

/* message held: what came back is in the buffer */
static int
smp_read(struct mptsas_hba *hba, struct smp_pkt *pkt)
{
	const struct mptsas_msg *msg = &hba->msgs[RING_SLOT_MESSAGE];
	uint32_t off = hba->layout.buffer_off + SMP_PART_BYTES, n;
	bool is_long;

	switch (mpt_reply_smp_read(msg->reply, &msg->head, SMP_PART_BYTES, &n)) {
	case 0:
		break;
	case -EIO:
		return smp_refuse(pkt, msg->head.status == MPT_S_BUSY ? EAGAIN : EIO);
	default:
		mptsas_fail(hba, MPTSAS_FAULT_LIE, "a management reply cut short");
		return smp_refuse(pkt, EIO);
	}
	(void)ddi_dma_sync(hba->pool.dma, (off_t)off, n, DDI_DMA_SYNC_FORCPU);
	is_long = n > pkt->smp_pkt_rspsize;
	memset(pkt->smp_pkt_rsp, 0, pkt->smp_pkt_rspsize);
	memcpy(pkt->smp_pkt_rsp, hba->pool.mem + off, is_long ? pkt->smp_pkt_rspsize : n);
	return is_long ? smp_refuse(pkt, EOVERFLOW) : DDI_SUCCESS;
}

static int
smp_start(struct smp_pkt *pkt)
{
	struct mptsas_iport *iport = pkt->smp_pkt_address->smp_a_hba_tran->smp_tran_hba_private;
	struct mptsas_hba *hba = iport->hba;
	uint64_t sas = be64_get(pkt->smp_pkt_address->smp_a_wwn);
	/* a shorter time would say that the firmware is dead, not the expander */
	uint64_t s = pkt->smp_pkt_timeout > SMP_TIMEOUT_S ? (uint64_t)pkt->smp_pkt_timeout :
	    SMP_TIMEOUT_S;
	uint8_t port;
	int r;

	if (pkt->smp_pkt_reqsize == 0 || pkt->smp_pkt_reqsize > SMP_PART_BYTES)
		return smp_refuse(pkt, EINVAL);
	if (!expander_port(iport, sas, &port))
		return smp_refuse(pkt, ETIMEDOUT);	/* nobody opens the connection */
	mutex_enter(&hba->message);
	smp_write(hba, port, sas, pkt);
	r = mptsas_exchange(hba, RING_SLOT_MESSAGE, MPT_SMP_REQ_LEN + 2 * MPT_SGE64_BYTES,
	    s * NS_PER_S / NS_PER_US);
	if (r == 0)
		r = smp_read(hba, pkt);
	else
		r = smp_refuse(pkt, r == -ETIMEDOUT ? ETIMEDOUT : EIO);
	mutex_exit(&hba->message);
	return r;
}

int
mptsas_smp_open(struct mptsas_hba *hba)
{
	smp_hba_tran_t *tran = smp_hba_tran_alloc(hba->dip);

	tran->smp_tran_start = smp_start;
	if (smp_hba_attach_setup(hba->dip, tran) != DDI_SUCCESS) {
		smp_hba_tran_free(tran);
		return -EIO;
	}
	hba->smp_tran = tran;
	return 0;
}

void
mptsas_smp_close(struct mptsas_hba *hba)
{
	if (hba->smp_tran == NULL)
		return;
	(void)smp_hba_detach(hba->dip);
	smp_hba_tran_free(hba->smp_tran);
	hba->smp_tran = NULL;
}
