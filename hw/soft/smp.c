/* expanders: what they say of themselves and of what is connected to their phys */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/scsi/generic/sas.h>
#include <sys/scsi/generic/smp_frames.h>

#include "base/bytes.h"

#define EXP_FRAME_MAX	64	/* bytes of the longest answer */
#define EXP_RATES	0x8b	/* 1.5 to 12 Gbit/s */
#define EXP_DISCOVER_REQ	12	/* bytes of the request with its phy, less the CRC */

/* an answer being made: the head, and what is behind it */
struct exp_answer {
	uint8_t frame[EXP_FRAME_MAX];
	size_t len;
};

static struct soft_expander *
expander_find(struct soft_port *port, uint64_t wwn)
{
	struct soft_expander *exp;

	LIST_FOREACH(exp, &port->expanders, link) {
		if (exp->conf.wwn == wwn)
			return exp;
	}
	return NULL;
}

static void
answer_put(struct exp_answer *a, const void *data, size_t len)
{
	memcpy(a->frame + SMP_FRAME_HEAD_LEN, data, len);
	a->len = SMP_FRAME_HEAD_LEN + len;
	a->frame[3] = (uint8_t)(len / 4);
}

static uint8_t
report_general(const struct soft_hba *hba, const struct soft_expander *exp,
    struct exp_answer *a)
{
	smp_report_general_resp_t resp = { .srgr_number_of_phys = exp->conf.phys };

	be16_put(resp.srgr_exp_change_count, hba->nchanges);
	be64_put(resp.srgr_enclosure_logical_id, exp->conf.wwn);
	answer_put(a, &resp, sizeof(resp));
	return SMP_RES_FUNCTION_ACCEPTED;
}

static void
text_pad(char *field, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(field, ' ', size);
	memcpy(field, text, len);
}

static uint8_t
report_manufacturer(const struct soft_hba *hba, const struct soft_expander *exp,
    struct exp_answer *a)
{
	smp_report_manufacturer_info_resp_t resp = {
		.srmir_sas_1_1_format = SMP_MANUFACTURER_SAS_1_1,
		.srmir_component_id = { 0x00, 0x01 },
		.srmir_component_revision_level = 1,
	};

	be16_put(resp.srmir_exp_change_count, hba->nchanges);
	text_pad(resp.srmir_vendor_identification, 8, exp->conf.vendor);
	text_pad(resp.srmir_product_identification, 16, exp->conf.product);
	text_pad(resp.srmir_product_revision_level, 4, exp->conf.revision);
	text_pad(resp.srmir_component_vendor_identification, 8, "SCSAD");
	answer_put(a, &resp, sizeof(resp));
	return SMP_RES_FUNCTION_ACCEPTED;
}

/* the first phys lead to the adapter, one for each of its phys that lead here */
static bool
phy_is_upstream(const struct soft_port *port, unsigned int phy, uint64_t *ret_remote,
    uint8_t *ret_phy)
{
	const struct soft_hba *hba = port->hba;
	unsigned int n = 0;

	for (unsigned int i = 0; i < SOFT_PHYS && port->kind == SOFT_PORT_PHYS; i++) {
		if (!hba->phys[i].is_up || hba->phys[i].remote != port->remote || n++ != phy)
			continue;
		*ret_remote = hba->phys[i].local;
		*ret_phy = (uint8_t)i;
		return true;
	}
	if (port->kind == SOFT_PORT_PHYS || phy != 0)
		return false;
	*ret_remote = hba->wwn;
	*ret_phy = 0;
	return true;
}

/* behind them, the port's targets that have a name, in order of appearance */
static bool
phy_is_target(const struct soft_port *port, unsigned int phy, uint64_t *ret_remote)
{
	struct soft_target *target, *next;
	unsigned int n = 1;

	if (port->kind == SOFT_PORT_PHYS)
		n = (unsigned int)__builtin_popcountll(soft_port_phys(port));
	HASH_ITER(hh, port->targets, target, next) {
		if (target->wwn == 0 || atomic_load(&target->is_gone) || n++ != phy)
			continue;
		*ret_remote = target->wwn;
		return true;
	}
	return false;
}

static uint8_t
discover(const struct soft_port *port, const struct soft_expander *exp, unsigned int phy,
    struct exp_answer *a)
{
	smp_discover_resp_t resp = {
		.sdr_phy_identifier = (uint8_t)phy,
		.sdr_link_rates = { EXP_RATES, EXP_RATES },
	};
	uint64_t remote = 0;
	uint8_t remote_phy = 0;

	if (phy >= exp->conf.phys)
		return SMP_RES_PHY_DOES_NOT_EXIST;
	be16_put(resp.sdr_exp_change_count, port->hba->nchanges);
	be64_put(resp.sdr_sas_addr, exp->conf.wwn);
	if (phy_is_upstream(port, phy, &remote, &remote_phy)) {
		resp.sdr_attached_device_type = SAS_DEVICE_TYPE_END << 4;
		resp.sdr_initiator_bits = SAS_IF_DTYPE_SSP | SAS_IF_DTYPE_SMP;
	} else if (phy_is_target(port, phy, &remote)) {
		resp.sdr_attached_device_type = SAS_DEVICE_TYPE_END << 4;
		resp.sdr_target_bits = SAS_IF_DTYPE_SSP;
	}
	if (remote != 0)
		resp.sdr_negotiated_logical_link_rate = SAS_LINK_RATE_12GBIT;
	be64_put(resp.sdr_attached_sas_addr, remote);
	resp.sdr_attached_phy_identifier = remote_phy;
	answer_put(a, &resp, sizeof(resp));
	return SMP_RES_FUNCTION_ACCEPTED;
}

/* topo is held */
static uint8_t
expander_answer(struct soft_port *port, const struct soft_expander *exp, const uint8_t *req,
    size_t len, struct exp_answer *a)
{
	switch (req[1]) {
	case SMP_FUNC_REPORT_GENERAL:
		return report_general(port->hba, exp, a);
	case SMP_FUNC_REPORT_MANUFACTURER_INFO:
		return report_manufacturer(port->hba, exp, a);
	case SMP_FUNC_DISCOVER:
		if (len < EXP_DISCOVER_REQ)
			return SMP_RES_INVALID_REQUEST_FRAME_LEN;
		return discover(port, exp, req[9], a);
	default:
		return SMP_RES_UNKNOWN_FUNCTION;
	}
}

static int
smp_fail(struct smp_pkt *pkt, int err)
{
	pkt->smp_pkt_reason = (uchar_t)err;
	return DDI_FAILURE;
}

static int
soft_smp_start(struct smp_pkt *pkt)
{
	struct soft_iport *iport = pkt->smp_pkt_address->smp_a_hba_tran->smp_tran_hba_private;
	const uint8_t *req = (const uint8_t *)pkt->smp_pkt_req;
	struct exp_answer a = { .frame = { SMP_FRAME_TYPE_RESPONSE },
		.len = SMP_FRAME_HEAD_LEN };
	struct soft_hba *hba = iport->port->hba;
	struct soft_expander *exp;

	if (pkt->smp_pkt_reqsize < SMP_FRAME_HEAD_LEN || req[0] != SMP_FRAME_TYPE_REQUEST)
		return smp_fail(pkt, EINVAL);
	a.frame[1] = req[1];
	mutex_enter(&hba->topo);
	exp = expander_find(iport->port, be64_get(pkt->smp_pkt_address->smp_a_wwn));
	if (exp != NULL)
		a.frame[2] = expander_answer(iport->port, exp, req, pkt->smp_pkt_reqsize, &a);
	mutex_exit(&hba->topo);
	if (exp == NULL)	/* nobody opens the connection */
		return smp_fail(pkt, ETIMEDOUT);
	if (pkt->smp_pkt_rspsize < a.len) {
		memcpy(pkt->smp_pkt_rsp, a.frame, pkt->smp_pkt_rspsize);
		return smp_fail(pkt, EOVERFLOW);
	}
	memset(pkt->smp_pkt_rsp, 0, pkt->smp_pkt_rspsize);
	memcpy(pkt->smp_pkt_rsp, a.frame, a.len);
	return DDI_SUCCESS;
}

int
soft_smp_attach(struct soft_hba *hba)
{
	smp_hba_tran_t *tran = smp_hba_tran_alloc(hba->dip);

	tran->smp_tran_start = soft_smp_start;
	if (smp_hba_attach_setup(hba->dip, tran) != DDI_SUCCESS) {
		smp_hba_tran_free(tran);
		return DDI_FAILURE;
	}
	hba->smp_tran = tran;
	return DDI_SUCCESS;
}

void
soft_smp_detach(struct soft_hba *hba)
{
	(void)smp_hba_detach(hba->dip);
	smp_hba_tran_free(hba->smp_tran);
	hba->smp_tran = NULL;
}

/* topo is held */
static int
expander_link(struct soft_hba *hba, struct soft_expander *exp, char *reterr)
{
	struct soft_port *port = soft_port_by_label(hba, exp->conf.port);

	if (port == NULL)
		return soft_error(-ENOENT, reterr, "there is no port '%s'", exp->conf.port);
	if (expander_find(port, exp->conf.wwn) != NULL)
		return soft_error(-EEXIST, reterr, "port '%s' has an expander of this name",
		    port->label);
	LIST_INSERT_HEAD(&port->expanders, exp, link);
	hba->nchanges++;
	soft_report_expander(port, exp, true);
	return 0;
}

int
soft_expander_new(struct soft_hba *hba, const struct soft_expander_conf *conf, char *reterr)
{
	struct soft_expander *exp = kmem_zalloc(sizeof(*exp), KM_NOSLEEP);
	int r;

	if (exp == NULL)
		return soft_error(-ENOMEM, reterr, "out of memory");
	exp->conf = *conf;
	mutex_enter(&hba->topo);
	r = expander_link(hba, exp, reterr);
	mutex_exit(&hba->topo);
	if (r < 0)
		kmem_free(exp, sizeof(*exp));
	return r;
}

int
soft_expander_remove(struct soft_port *port, const char *taddr)
{
	struct soft_expander *exp;
	uint64_t wwn;

	if (scsi_wwnstr_to_wwn(taddr, &wwn) != DDI_SUCCESS)
		return -ENOENT;
	exp = expander_find(port, wwn);
	if (exp == NULL)
		return -ENOENT;
	soft_report_expander(port, exp, false);
	LIST_REMOVE(exp, link);
	kmem_free(exp, sizeof(*exp));
	port->hba->nchanges++;
	return 0;
}
