#include <sys/scsi/scsi.h>

#include "ddi/violation.h"
#include "scsa/scsa_impl.h"

/* begin and end of a call through a vector; the text is the address or capability */
#define CALL_BEGIN(k, ...)	TRACE(.kind = (k), __VA_ARGS__)
#define CALL_END(k, r, ...)	TRACE(.kind = (k), .is_end = true, .result = (r), __VA_ARGS__)

int
tran_call_tgt_init(dev_info_t *port, dev_info_t *child, struct scsi_hba_tran *tran,
    struct scsi_device *sd)
{
	const char *ua = ddi_get_name_addr(child);
	int r = DDI_SUCCESS;

	CALL_BEGIN(SCSA_EV_TGT_INIT, .tran = tran, .dip = child, .sd = sd, .text = ua);
	if (tran->tran_tgt_init != NULL)
		r = tran->tran_tgt_init(port, child, tran, sd);
	CALL_END(SCSA_EV_TGT_INIT, r, .tran = tran, .dip = child, .sd = sd, .text = ua);
	return r == DDI_SUCCESS ? DDI_SUCCESS : DDI_FAILURE;
}

int
tran_call_tgt_probe(struct scsi_device *sd, int (*waitfunc)(void))
{
	struct scsi_hba_tran *tran = sd->sd_address.a_hba_tran;
	int r;

	CALL_BEGIN(SCSA_EV_TGT_PROBE, .tran = tran, .dip = sd->sd_dev, .sd = sd);
	if (tran->tran_tgt_probe != NULL)
		r = tran->tran_tgt_probe(sd, waitfunc);
	else
		r = scsi_hba_probe(sd, waitfunc);
	CALL_END(SCSA_EV_TGT_PROBE, r, .tran = tran, .dip = sd->sd_dev, .sd = sd);
	return r;
}

void
tran_call_tgt_free(dev_info_t *port, dev_info_t *child, struct scsi_hba_tran *tran,
    struct scsi_device *sd)
{
	const char *ua = ddi_get_name_addr(child);

	CALL_BEGIN(SCSA_EV_TGT_FREE, .tran = tran, .dip = child, .sd = sd, .text = ua);
	if (tran->tran_tgt_free != NULL)
		tran->tran_tgt_free(port, child, tran, sd);
	CALL_END(SCSA_EV_TGT_FREE, 0, .tran = tran, .dip = child, .sd = sd, .text = ua);
}

int
tran_call_reset(struct scsi_address *ap, int level)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_reset == NULL)
		return 0;
	CALL_BEGIN(SCSA_EV_RESET, .tran = tran, .dip = tran->tran_iport_dip, .arg = level);
	r = tran->tran_reset(ap, level);
	CALL_END(SCSA_EV_RESET, r, .tran = tran, .dip = tran->tran_iport_dip, .arg = level);
	return r == 1;
}

int
tran_call_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_abort == NULL)
		return 0;
	CALL_BEGIN(SCSA_EV_ABORT, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	r = tran->tran_abort(ap, pkt);
	CALL_END(SCSA_EV_ABORT, r, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	return r == 1;
}

int
tran_call_getcap(struct scsi_address *ap, char *cap, int whom)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_getcap == NULL)
		return -1;
	CALL_BEGIN(SCSA_EV_GETCAP, .tran = tran, .dip = tran->tran_iport_dip, .text = cap,
	    .arg = whom);
	r = tran->tran_getcap(ap, cap, whom);
	CALL_END(SCSA_EV_GETCAP, r, .tran = tran, .dip = tran->tran_iport_dip, .text = cap);
	return r;
}

int
tran_call_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_setcap == NULL)
		return -1;
	CALL_BEGIN(SCSA_EV_SETCAP, .tran = tran, .dip = tran->tran_iport_dip, .text = cap,
	    .arg = value);
	r = tran->tran_setcap(ap, cap, value, whom);
	CALL_END(SCSA_EV_SETCAP, r, .tran = tran, .dip = tran->tran_iport_dip, .text = cap,
	    .arg = value);
	return r;
}

struct scsi_pkt *
tran_call_init_pkt(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp, int cmdlen,
    int statuslen, int tgtlen, int flags, int (*callback)(caddr_t))
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	struct scsi_pkt *r;

	CALL_BEGIN(SCSA_EV_INIT_PKT, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	r = tran->tran_init_pkt(ap, pkt, bp, cmdlen, statuslen, tgtlen, flags, callback, NULL);
	CALL_END(SCSA_EV_INIT_PKT, r != NULL, .tran = tran, .dip = tran->tran_iport_dip,
	    .pkt = r);
	return r;
}

void
tran_call_destroy_pkt(struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = pkt->pkt_address.a_hba_tran;

	CALL_BEGIN(SCSA_EV_DESTROY_PKT, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	tran->tran_destroy_pkt(&pkt->pkt_address, pkt);
	CALL_END(SCSA_EV_DESTROY_PKT, 0, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
}

void
tran_call_dmafree(struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = pkt->pkt_address.a_hba_tran;

	CALL_BEGIN(SCSA_EV_DMAFREE, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	if (tran->tran_dmafree != NULL)
		tran->tran_dmafree(&pkt->pkt_address, pkt);
	CALL_END(SCSA_EV_DMAFREE, 0, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
}

void
tran_call_sync_pkt(struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = pkt->pkt_address.a_hba_tran;

	CALL_BEGIN(SCSA_EV_SYNC_PKT, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	if (tran->tran_sync_pkt != NULL)
		tran->tran_sync_pkt(&pkt->pkt_address, pkt);
	CALL_END(SCSA_EV_SYNC_PKT, 0, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
}

int
tran_call_setup_pkt(struct scsi_hba_tran *tran, struct scsi_pkt *pkt, int (*callback)(caddr_t))
{
	int r;

	CALL_BEGIN(SCSA_EV_SETUP_PKT, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	r = tran->tran_setup_pkt(pkt, callback, NULL);
	CALL_END(SCSA_EV_SETUP_PKT, r, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	return r == 0 ? 0 : -1;
}

void
tran_call_teardown_pkt(struct scsi_hba_tran *tran, struct scsi_pkt *pkt)
{
	CALL_BEGIN(SCSA_EV_TEARDOWN_PKT, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	if (tran->tran_teardown_pkt != NULL)
		tran->tran_teardown_pkt(pkt);
	CALL_END(SCSA_EV_TEARDOWN_PKT, 0, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
}

int
tran_call_pkt_construct(struct scsi_hba_tran *tran, struct scsi_pkt *pkt, int kmflag)
{
	int r = 0;

	CALL_BEGIN(SCSA_EV_PKT_CONSTRUCT, .tran = tran, .dip = tran->tran_hba_dip, .pkt = pkt);
	if (tran->tran_pkt_constructor != NULL)
		r = tran->tran_pkt_constructor(pkt, tran, kmflag);
	CALL_END(SCSA_EV_PKT_CONSTRUCT, r, .tran = tran, .dip = tran->tran_hba_dip, .pkt = pkt);
	return r == 0 ? 0 : -1;
}

void
tran_call_pkt_destruct(struct scsi_hba_tran *tran, struct scsi_pkt *pkt)
{
	CALL_BEGIN(SCSA_EV_PKT_DESTRUCT, .tran = tran, .dip = tran->tran_hba_dip, .pkt = pkt);
	if (tran->tran_pkt_destructor != NULL)
		tran->tran_pkt_destructor(pkt, tran);
	CALL_END(SCSA_EV_PKT_DESTRUCT, 0, .tran = tran, .dip = tran->tran_hba_dip, .pkt = pkt);
}

int
tran_call_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_reset_notify == NULL)
		return DDI_FAILURE;
	CALL_BEGIN(SCSA_EV_RESET_NOTIFY, .tran = tran, .dip = tran->tran_iport_dip, .arg = flag);
	r = tran->tran_reset_notify(ap, flag, callback, arg);
	CALL_END(SCSA_EV_RESET_NOTIFY, r, .tran = tran, .dip = tran->tran_iport_dip,
	    .arg = flag);
	return r == DDI_SUCCESS ? DDI_SUCCESS : DDI_FAILURE;
}

/* the naming entries fill @len bytes and answer 1; what they left out is made good */
static int
name_result(int r, char *name, int len)
{
	name[len - 1] = '\0';
	return r == 1 && name[0] != '\0';
}

int
tran_call_get_name(struct scsi_device *sd, char *name, int len)
{
	struct scsi_hba_tran *tran = sd->sd_address.a_hba_tran;
	int r;

	CALL_BEGIN(SCSA_EV_GET_NAME, .tran = tran, .dip = sd->sd_dev, .sd = sd);
	r = tran->tran_get_name(sd, name, len);
	r = name_result(r, name, len);
	CALL_END(SCSA_EV_GET_NAME, r, .tran = tran, .dip = sd->sd_dev, .sd = sd);
	return r;
}

int
tran_call_get_bus_addr(struct scsi_device *sd, char *name, int len)
{
	struct scsi_hba_tran *tran = sd->sd_address.a_hba_tran;
	int r;

	CALL_BEGIN(SCSA_EV_GET_BUS_ADDR, .tran = tran, .dip = sd->sd_dev, .sd = sd);
	r = tran->tran_get_bus_addr(sd, name, len);
	r = name_result(r, name, len);
	CALL_END(SCSA_EV_GET_BUS_ADDR, r, .tran = tran, .dip = sd->sd_dev, .sd = sd);
	return r;
}

int
tran_call_clear_aca(struct scsi_address *ap)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_clear_aca == NULL)
		return -1;
	CALL_BEGIN(SCSA_EV_CLEAR_ACA, .tran = tran, .dip = tran->tran_iport_dip);
	r = tran->tran_clear_aca(ap);
	CALL_END(SCSA_EV_CLEAR_ACA, r, .tran = tran, .dip = tran->tran_iport_dip);
	return r;
}

int
tran_call_clear_task_set(struct scsi_address *ap)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_clear_task_set == NULL)
		return -1;
	CALL_BEGIN(SCSA_EV_CLEAR_TASK_SET, .tran = tran, .dip = tran->tran_iport_dip);
	r = tran->tran_clear_task_set(ap);
	CALL_END(SCSA_EV_CLEAR_TASK_SET, r, .tran = tran, .dip = tran->tran_iport_dip);
	return r;
}

int
tran_call_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int r;

	if (tran->tran_terminate_task == NULL)
		return -1;
	CALL_BEGIN(SCSA_EV_TERMINATE_TASK, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt);
	r = tran->tran_terminate_task(ap, pkt);
	CALL_END(SCSA_EV_TERMINATE_TASK, r, .tran = tran, .dip = tran->tran_iport_dip,
	    .pkt = pkt);
	return r;
}

int
tran_call_quiesce(struct scsi_hba_tran *tran)
{
	int r;

	CALL_BEGIN(SCSA_EV_QUIESCE, .tran = tran, .dip = tran->tran_hba_dip);
	r = tran->tran_quiesce(tran->tran_hba_dip);
	CALL_END(SCSA_EV_QUIESCE, r, .tran = tran, .dip = tran->tran_hba_dip);
	return r;
}

int
tran_call_unquiesce(struct scsi_hba_tran *tran)
{
	int r;

	CALL_BEGIN(SCSA_EV_UNQUIESCE, .tran = tran, .dip = tran->tran_hba_dip);
	r = tran->tran_unquiesce(tran->tran_hba_dip);
	CALL_END(SCSA_EV_UNQUIESCE, r, .tran = tran, .dip = tran->tran_hba_dip);
	return r;
}

int
tran_call_bus_reset(struct scsi_hba_tran *tran, int level)
{
	int r;

	CALL_BEGIN(SCSA_EV_BUS_RESET, .tran = tran, .dip = tran->tran_hba_dip, .arg = level);
	r = tran->tran_bus_reset(tran->tran_hba_dip, level);
	CALL_END(SCSA_EV_BUS_RESET, r, .tran = tran, .dip = tran->tran_hba_dip, .arg = level);
	return r;
}

int
tran_call_bus_config(struct scsi_hba_tran *tran, dev_info_t *port, uint_t flags,
    ddi_bus_config_op_t op, void *arg, dev_info_t **ret_child)
{
	int r;

	CALL_BEGIN(SCSA_EV_BUS_CONFIG, .tran = tran, .dip = port, .arg = op);
	r = tran->tran_bus_config(port, flags, op, arg, ret_child);
	CALL_END(SCSA_EV_BUS_CONFIG, r, .tran = tran, .dip = port, .arg = op);
	return r;
}

int
tran_call_bus_unconfig(struct scsi_hba_tran *tran, dev_info_t *port, uint_t flags,
    ddi_bus_config_op_t op, void *arg)
{
	int r;

	CALL_BEGIN(SCSA_EV_BUS_UNCONFIG, .tran = tran, .dip = port, .arg = op);
	r = tran->tran_bus_unconfig(port, flags, op, arg);
	CALL_END(SCSA_EV_BUS_UNCONFIG, r, .tran = tran, .dip = port, .arg = op);
	return r;
}
