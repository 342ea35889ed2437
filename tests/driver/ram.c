/*
 * ram.c - a SCSI HBA driver whose disks are memory
 *
 * One adapter has one port, "ram", and below it two disks of 4 MiB, at the target addresses "0"
 * and "1". A command is carried out at once, and completed later from the driver's task queue,
 * which stands for the interrupt of an adapter.
 */
#include <sys/types.h>
#include <sys/conf.h>
#include <sys/devops.h>
#include <sys/modctl.h>
#include <sys/kmem.h>
#include <sys/list.h>
#include <sys/sysmacros.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>
#include <sys/scsi/scsi.h>

#include <string.h>

#define	RAM_PORT	"ram"
#define	RAM_TARGETS	2
#define	RAM_BLOCK	512
#define	RAM_BLOCKS	8192
#define	RAM_SETTLE	10000		/* microseconds */
#define	RAM_CSYNC	5000000

typedef struct ram_target {
	char rt_addr[4];
	uint8_t *rt_data;
	boolean_t rt_attention;		/* power on, or reset: told once */
} ram_target_t;

typedef struct ram_softc {
	dev_info_t *rs_dip;
	scsi_hba_tran_t *rs_tran;
	scsi_hba_tgtmap_t *rs_tgtmap;
	ddi_taskq_t *rs_intr;
	kmutex_t rs_lock;
	list_t rs_cmds;			/* accepted, not completed */
	ram_target_t rs_targets[RAM_TARGETS];
} ram_softc_t;

typedef struct ram_cmd {
	list_node_t rc_node;
	ram_softc_t *rc_softc;
	struct scsi_pkt *rc_pkt;
} ram_cmd_t;

static void *ram_state;

static ddi_dma_attr_t ram_dma_attr = {
	.dma_attr_version =	DMA_ATTR_V0,
	.dma_attr_addr_lo =	0,
	.dma_attr_addr_hi =	0xffffffffffffffffull,
	.dma_attr_count_max =	0xffffffff,
	.dma_attr_align =	1,
	.dma_attr_burstsizes =	1,
	.dma_attr_minxfer =	1,
	.dma_attr_maxxfer =	0xffffffff,
	.dma_attr_seg =		0xffffffffffffffffull,
	.dma_attr_sgllen =	64,
	.dma_attr_granular =	1,
	.dma_attr_flags =	0
};

/*
 * The HBA node of an iport, or the node itself, has the soft state.
 */
static ram_softc_t *
ram_softc(scsi_hba_tran_t *tran)
{
	return (ddi_get_soft_state(ram_state, ddi_get_instance(tran->tran_hba_dip)));
}

/*
 * Answers of a disk.
 */
static void
ram_status(struct scsi_pkt *pkt, uchar_t status)
{
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state |= STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	*pkt->pkt_scbp = status;
}

static void
ram_check(struct scsi_pkt *pkt, uint8_t key, uint8_t asc, uint8_t ascq)
{
	struct scsi_arq_status *arq = (struct scsi_arq_status *)(void *)pkt->pkt_scbp;

	ram_status(pkt, STATUS_CHECK);
	if (pkt->pkt_scblen < sizeof (*arq))
		return;
	bzero(arq, sizeof (*arq));
	*pkt->pkt_scbp = STATUS_CHECK;
	pkt->pkt_state |= STATE_ARQ_DONE;
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD |
	    STATE_XFERRED_DATA | STATE_GOT_STATUS;
	arq->sts_sensedata.es_class = CLASS_EXTENDED_SENSE;
	arq->sts_sensedata.es_key = key & 0xf;
	arq->sts_sensedata.es_add_len = 12;
	arq->sts_sensedata.es_add_code = asc;
	arq->sts_sensedata.es_qual_code = ascq;
}

/*
 * Without hardware below, the address in a cookie is one of the process.
 */
static void
ram_move(struct scsi_pkt *pkt, uint8_t *data, size_t len, boolean_t to_data)
{
	size_t done = 0;
	uint_t i;

	for (i = 0; i < pkt->pkt_numcookies && done < len; i++) {
		ddi_dma_cookie_t *cookie = &pkt->pkt_cookies[i];
		size_t part = MIN(cookie->dmac_size, len - done);
		uint8_t *mem = (uint8_t *)(uintptr_t)cookie->dmac_laddress;

		if (to_data)
			bcopy(mem, data + done, part);
		else
			bcopy(data + done, mem, part);
		done += part;
	}
	pkt->pkt_resid -= (ssize_t)done;
	if (done != 0)
		pkt->pkt_state |= STATE_XFERRED_DATA;
}

static void
ram_reply(struct scsi_pkt *pkt, uint8_t *data, size_t len, size_t room)
{
	ram_status(pkt, STATUS_GOOD);
	ram_move(pkt, data, MIN(len, room), B_FALSE);
}

static void
ram_inquiry(ram_target_t *rt, boolean_t is_lun0, struct scsi_pkt *pkt)
{
	uint8_t data[64];
	size_t room = (size_t)pkt->pkt_cdbp[3] << 8 | pkt->pkt_cdbp[4];

	bzero(data, sizeof (data));
	data[0] = is_lun0 ? DTYPE_DIRECT : 0x7f;
	if ((pkt->pkt_cdbp[1] & 1) == 0) {
		data[2] = 5;
		data[3] = RDF_SCSI2;
		data[4] = 31;
		bcopy("RAMDRV  MEMORY DISK     1.0 ", data + 8, 28);
		ram_reply(pkt, data, 36, room);
		return;
	}
	data[1] = pkt->pkt_cdbp[2];
	switch (pkt->pkt_cdbp[2]) {
	case 0x00:
		data[3] = 2;
		data[5] = 0x80;
		break;
	case 0x80:
		data[3] = 4;
		bcopy("RAM", data + 4, 3);
		data[7] = (uint8_t)rt->rt_addr[0];
		break;
	default:
		ram_check(pkt, KEY_ILLEGAL_REQUEST, 0x24, 0);
		return;
	}
	ram_reply(pkt, data, 4 + (size_t)data[3], room);
}

static void
ram_capacity(struct scsi_pkt *pkt)
{
	uint8_t data[32];
	boolean_t is_16 = pkt->pkt_cdbp[0] == SCMD_SVC_ACTION_IN_G4;
	int at = is_16 ? 4 : 0;

	bzero(data, sizeof (data));
	data[at + 2] = (RAM_BLOCKS - 1) >> 8;
	data[at + 3] = (RAM_BLOCKS - 1) & 0xff;
	data[at + 6] = RAM_BLOCK >> 8;
	ram_reply(pkt, data, is_16 ? 32 : 8, sizeof (data));
}

static void
ram_report_luns(struct scsi_pkt *pkt)
{
	uint8_t data[16];

	bzero(data, sizeof (data));
	data[3] = 8;
	ram_reply(pkt, data, sizeof (data), sizeof (data));
}

static void
ram_read_write(ram_target_t *rt, struct scsi_pkt *pkt, boolean_t is_write)
{
	const uchar_t *cdb = pkt->pkt_cdbp;
	uint64_t lba = 0, blocks = 0;
	int i;

	switch (CDB_GROUPID(cdb[0])) {
	case CDB_GROUPID_1:
		for (i = 2; i < 6; i++)
			lba = lba << 8 | cdb[i];
		blocks = (uint64_t)cdb[7] << 8 | cdb[8];
		break;
	default:
		for (i = 2; i < 10; i++)
			lba = lba << 8 | cdb[i];
		for (i = 10; i < 14; i++)
			blocks = blocks << 8 | cdb[i];
		break;
	}
	if (lba > RAM_BLOCKS || blocks > RAM_BLOCKS - lba) {
		ram_check(pkt, KEY_ILLEGAL_REQUEST, 0x21, 0);
		return;
	}
	ram_status(pkt, STATUS_GOOD);
	ram_move(pkt, rt->rt_data + lba * RAM_BLOCK, (size_t)blocks * RAM_BLOCK, is_write);
}

static boolean_t
ram_is_read(uchar_t op)
{
	return (op == SCMD_READ_G1 || op == SCMD_READ_G4);
}

static boolean_t
ram_is_write(uchar_t op)
{
	return (op == SCMD_WRITE_G1 || op == SCMD_WRITE_G4);
}

/*
 * Commands that look at the medium. The lock is held.
 */
static void
ram_medium(ram_target_t *rt, struct scsi_pkt *pkt)
{
	uchar_t op = pkt->pkt_cdbp[0];

	if (rt->rt_attention) {
		rt->rt_attention = B_FALSE;
		ram_check(pkt, KEY_UNIT_ATTENTION, 0x29, 0);
	} else if (ram_is_read(op) || ram_is_write(op)) {
		ram_read_write(rt, pkt, ram_is_write(op));
	} else if (op == SCMD_READ_CAPACITY || (op == SCMD_SVC_ACTION_IN_G4 &&
	    (pkt->pkt_cdbp[1] & 0x1f) == SSVC_ACTION_READ_CAPACITY_G4)) {
		ram_capacity(pkt);
	} else if (op == SCMD_TEST_UNIT_READY || op == SCMD_SYNCHRONIZE_CACHE) {
		ram_status(pkt, STATUS_GOOD);
	} else {
		ram_check(pkt, KEY_ILLEGAL_REQUEST, 0x20, 0);
	}
}

static void
ram_execute(struct scsi_device *sd, ram_target_t *rt, struct scsi_pkt *pkt)
{
	const char *ua = scsi_device_unit_address(sd);
	boolean_t is_lun0 = strcmp(strchr(ua, ','), ",0") == 0;
	uint8_t sense[18] = { 0x70, 0, 0, 0, 0, 0, 0, 10 };
	uint_t i;

	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	pkt->pkt_resid = 0;
	for (i = 0; i < pkt->pkt_numcookies; i++)
		pkt->pkt_resid += (ssize_t)pkt->pkt_cookies[i].dmac_size;
	switch (pkt->pkt_cdbp[0]) {
	case SCMD_INQUIRY:
		ram_inquiry(rt, is_lun0, pkt);
		break;
	case SCMD_REPORT_LUNS:
		ram_report_luns(pkt);
		break;
	case SCMD_REQUEST_SENSE:
		ram_reply(pkt, sense, sizeof (sense), pkt->pkt_cdbp[4]);
		break;
	default:
		if (is_lun0)
			ram_medium(rt, pkt);
		else
			ram_check(pkt, KEY_ILLEGAL_REQUEST, 0x25, 0);
		break;
	}
}

/*
 * Completion. A command belongs to the list; who takes it off completes it.
 */
static boolean_t
ram_cmd_take(ram_softc_t *rs, ram_cmd_t *rc)
{
	boolean_t is_mine;

	mutex_enter(&rs->rs_lock);
	is_mine = list_link_active(&rc->rc_node);
	if (is_mine)
		list_remove(&rs->rs_cmds, rc);
	mutex_exit(&rs->rs_lock);
	return (is_mine);
}

static void
ram_intr(void *arg)
{
	ram_softc_t *rs = arg;
	ram_cmd_t *rc;

	mutex_enter(&rs->rs_lock);
	rc = list_remove_head(&rs->rs_cmds);
	mutex_exit(&rs->rs_lock);
	if (rc != NULL)
		scsi_hba_pkt_comp(rc->rc_pkt);
}

/*
 * SCSA entry points.
 */
static int
ram_tran_tgt_init(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
    struct scsi_device *sd)
{
	ram_softc_t *rs = ram_softc(tran);
	const char *ua = scsi_device_unit_address(sd);
	int i;

	_NOTE(ARGUNUSED(hba_dip, tgt_dip));
	for (i = 0; i < RAM_TARGETS; i++) {
		const char *addr = rs->rs_targets[i].rt_addr;

		if (strncmp(ua, addr, strlen(addr)) != 0 || ua[strlen(addr)] != ',')
			continue;
		scsi_device_hba_private_set(sd, &rs->rs_targets[i]);
		return (DDI_SUCCESS);
	}
	return (DDI_FAILURE);
}

static int
ram_tran_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	ram_cmd_t *rc = pkt->pkt_ha_private;

	_NOTE(ARGUNUSED(callback, arg));
	rc->rc_pkt = pkt;
	rc->rc_softc = ram_softc(pkt->pkt_address.a_hba_tran);
	list_link_init(&rc->rc_node);
	return (0);
}

static void
ram_tran_teardown_pkt(struct scsi_pkt *pkt)
{
	ram_cmd_t *rc = pkt->pkt_ha_private;

	rc->rc_pkt = NULL;
}

static int
ram_tran_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsi_device *sd = scsi_address_device(ap);
	ram_cmd_t *rc = pkt->pkt_ha_private;
	ram_softc_t *rs = rc->rc_softc;

	mutex_enter(&rs->rs_lock);
	ram_execute(sd, scsi_device_hba_private_get(sd), pkt);
	if (pkt->pkt_flags & FLAG_NOINTR) {
		mutex_exit(&rs->rs_lock);
		return (TRAN_ACCEPT);
	}
	list_insert_tail(&rs->rs_cmds, rc);
	mutex_exit(&rs->rs_lock);
	if (ddi_taskq_dispatch(rs->rs_intr, ram_intr, rs, DDI_NOSLEEP) == DDI_SUCCESS)
		return (TRAN_ACCEPT);
	/* another's task may have completed it already */
	return (ram_cmd_take(rs, rc) ? TRAN_BUSY : TRAN_ACCEPT);
}

/*
 * End what is outstanding: one packet, or all of a target.
 */
static int
ram_flush(ram_softc_t *rs, ram_target_t *rt, struct scsi_pkt *pkt, uchar_t reason,
    uint_t statistics)
{
	ram_cmd_t *rc, *next;
	list_t ended;
	int count = 0;

	list_create(&ended, sizeof (ram_cmd_t), offsetof(ram_cmd_t, rc_node));
	mutex_enter(&rs->rs_lock);
	for (rc = list_head(&rs->rs_cmds); rc != NULL; rc = next) {
		struct scsi_device *sd = scsi_address_device(&rc->rc_pkt->pkt_address);

		next = list_next(&rs->rs_cmds, rc);
		if (pkt != NULL ? rc->rc_pkt != pkt :
		    (rt != NULL && scsi_device_hba_private_get(sd) != rt))
			continue;
		list_remove(&rs->rs_cmds, rc);
		list_insert_tail(&ended, rc);
	}
	mutex_exit(&rs->rs_lock);
	while ((rc = list_remove_head(&ended)) != NULL) {
		rc->rc_pkt->pkt_reason = reason;
		rc->rc_pkt->pkt_statistics |= statistics;
		scsi_hba_pkt_comp(rc->rc_pkt);
		count++;
	}
	list_destroy(&ended);
	return (count);
}

static int
ram_tran_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	ram_target_t *rt = scsi_device_hba_private_get(scsi_address_device(ap));

	return (ram_flush(ram_softc(ap->a_hba_tran), rt, pkt, CMD_ABORTED, STAT_ABORTED) > 0 ||
	    pkt == NULL);
}

static int
ram_tran_reset(struct scsi_address *ap, int level)
{
	ram_softc_t *rs = ram_softc(ap->a_hba_tran);
	ram_target_t *rt = scsi_device_hba_private_get(scsi_address_device(ap));
	int i;

	if (level != RESET_LUN && level != RESET_TARGET && level != RESET_ALL)
		return (0);
	if (level == RESET_ALL)
		rt = NULL;
	(void) ram_flush(rs, rt, NULL, CMD_RESET, rt == NULL ? STAT_BUS_RESET : STAT_DEV_RESET);
	mutex_enter(&rs->rs_lock);
	for (i = 0; i < RAM_TARGETS; i++) {
		if (rt == NULL || rt == &rs->rs_targets[i])
			rs->rs_targets[i].rt_attention = B_TRUE;
	}
	mutex_exit(&rs->rs_lock);
	return (1);
}

static int
ram_tran_getcap(struct scsi_address *ap, char *cap, int whom)
{
	_NOTE(ARGUNUSED(ap, whom));
	switch (scsi_hba_lookup_capstr(cap)) {
	case SCSI_CAP_ARQ:
	case SCSI_CAP_TAGGED_QING:
	case SCSI_CAP_UNTAGGED_QING:
	case SCSI_CAP_LUN_RESET:
		return (1);
	case SCSI_CAP_CDB_LEN:
		return (CDB_GROUP4);
	case SCSI_CAP_DMA_MAX:
		return (1 << 20);
	case SCSI_CAP_INTERCONNECT_TYPE:
		return (INTERCONNECT_SAS);
	default:
		return (-1);
	}
}

static int
ram_tran_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	_NOTE(ARGUNUSED(ap, value, whom));
	return (scsi_hba_lookup_capstr(cap) < 0 ? -1 : 0);
}

/*
 * Autoconfiguration.
 */
static int
ram_iport_attach(dev_info_t *dip)
{
	ram_softc_t *rs = ddi_get_soft_state(ram_state, ddi_get_instance(ddi_get_parent(dip)));
	int i;

	if (scsi_hba_tgtmap_create(dip, SCSI_TM_FULLSET, RAM_CSYNC, RAM_SETTLE, rs, NULL, NULL,
	    &rs->rs_tgtmap) != DDI_SUCCESS) {
		dev_err(dip, CE_WARN, "no target map");
		return (DDI_FAILURE);
	}
	(void) scsi_hba_tgtmap_set_begin(rs->rs_tgtmap);
	for (i = 0; i < RAM_TARGETS; i++)
		(void) scsi_hba_tgtmap_set_add(rs->rs_tgtmap, SCSI_TGT_SCSI_DEVICE,
		    rs->rs_targets[i].rt_addr, NULL);
	(void) scsi_hba_tgtmap_set_end(rs->rs_tgtmap, 0);
	return (DDI_SUCCESS);
}

static void
ram_free(ram_softc_t *rs)
{
	int i;

	if (rs->rs_intr != NULL)
		ddi_taskq_destroy(rs->rs_intr);
	for (i = 0; i < RAM_TARGETS; i++) {
		if (rs->rs_targets[i].rt_data != NULL)
			kmem_free(rs->rs_targets[i].rt_data, RAM_BLOCKS * RAM_BLOCK);
	}
	list_destroy(&rs->rs_cmds);
	mutex_destroy(&rs->rs_lock);
	ddi_soft_state_free(ram_state, ddi_get_instance(rs->rs_dip));
}

static int
ram_hba_setup(ram_softc_t *rs)
{
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(rs->rs_dip, SCSI_HBA_CANSLEEP);

	tran->tran_hba_private = rs;
	tran->tran_tgt_init = ram_tran_tgt_init;
	tran->tran_start = ram_tran_start;
	tran->tran_abort = ram_tran_abort;
	tran->tran_reset = ram_tran_reset;
	tran->tran_getcap = ram_tran_getcap;
	tran->tran_setcap = ram_tran_setcap;
	tran->tran_setup_pkt = ram_tran_setup_pkt;
	tran->tran_teardown_pkt = ram_tran_teardown_pkt;
	tran->tran_hba_len = sizeof (ram_cmd_t);
	if (scsi_hba_attach_setup(rs->rs_dip, &ram_dma_attr, tran, SCSI_HBA_HBA |
	    SCSI_HBA_ADDR_COMPLEX | SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return (DDI_FAILURE);
	}
	rs->rs_tran = tran;
	return (DDI_SUCCESS);
}

static int
ram_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	int instance = ddi_get_instance(dip);
	ram_softc_t *rs;
	int i;

	if (cmd != DDI_ATTACH)
		return (DDI_FAILURE);
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return (ram_iport_attach(dip));

	if (ddi_soft_state_zalloc(ram_state, instance) != DDI_SUCCESS)
		return (DDI_FAILURE);
	rs = ddi_get_soft_state(ram_state, instance);
	rs->rs_dip = dip;
	mutex_init(&rs->rs_lock, NULL, MUTEX_DRIVER, NULL);
	list_create(&rs->rs_cmds, sizeof (ram_cmd_t), offsetof(ram_cmd_t, rc_node));
	for (i = 0; i < RAM_TARGETS; i++) {
		ram_target_t *rt = &rs->rs_targets[i];

		(void) snprintf(rt->rt_addr, sizeof (rt->rt_addr), "%d", i);
		rt->rt_data = kmem_zalloc(RAM_BLOCKS * RAM_BLOCK, KM_SLEEP);
		rt->rt_attention = B_TRUE;
	}
	rs->rs_intr = ddi_taskq_create(dip, "intr", 1, TASKQ_DEFAULTPRI, 0);
	if (rs->rs_intr == NULL || ram_hba_setup(rs) != DDI_SUCCESS) {
		ram_free(rs);
		return (DDI_FAILURE);
	}
	if (scsi_hba_iport_register(dip, RAM_PORT) != DDI_SUCCESS) {
		(void) scsi_hba_detach(dip);
		scsi_hba_tran_free(rs->rs_tran);
		ram_free(rs);
		return (DDI_FAILURE);
	}
	ddi_report_dev(dip);
	return (DDI_SUCCESS);
}

static int
ram_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	ram_softc_t *rs;

	if (cmd != DDI_DETACH)
		return (DDI_FAILURE);
	if (scsi_hba_iport_unit_address(dip) != NULL) {
		rs = ddi_get_soft_state(ram_state, ddi_get_instance(ddi_get_parent(dip)));
		scsi_hba_tgtmap_destroy(rs->rs_tgtmap);
		rs->rs_tgtmap = NULL;
		return (DDI_SUCCESS);
	}
	rs = ddi_get_soft_state(ram_state, ddi_get_instance(dip));
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return (DDI_FAILURE);
	scsi_hba_tran_free(rs->rs_tran);
	ram_free(rs);
	return (DDI_SUCCESS);
}

static struct dev_ops ram_dev_ops = {
	.devo_rev =	DEVO_REV,
	.devo_refcnt =	0,
	.devo_getinfo =	nodev,
	.devo_identify = nulldev,
	.devo_probe =	nulldev,
	.devo_attach =	ram_attach,
	.devo_detach =	ram_detach,
	.devo_reset =	nodev,
	.devo_quiesce =	ddi_quiesce_not_needed
};

static struct modldrv ram_modldrv = {
	.drv_modops =	&mod_driverops,
	.drv_linkinfo =	"memory HBA",
	.drv_dev_ops =	&ram_dev_ops
};

static struct modlinkage ram_modlinkage = {
	.ml_rev =	MODREV_1,
	.ml_linkage =	{ &ram_modldrv, NULL }
};

int
_init(void)
{
	int err;

	err = ddi_soft_state_init(&ram_state, sizeof (ram_softc_t), 1);
	if (err != 0)
		return (err);
	err = scsi_hba_init(&ram_modlinkage);
	if (err != 0) {
		ddi_soft_state_fini(&ram_state);
		return (err);
	}
	err = mod_install(&ram_modlinkage);
	if (err != 0) {
		scsi_hba_fini(&ram_modlinkage);
		ddi_soft_state_fini(&ram_state);
	}
	return (err);
}

int
_fini(void)
{
	int err = mod_remove(&ram_modlinkage);

	if (err != 0)
		return (err);
	scsi_hba_fini(&ram_modlinkage);
	ddi_soft_state_fini(&ram_state);
	return (0);
}

int
_info(struct modinfo *modinfop)
{
	return (mod_info(&ram_modlinkage, modinfop));
}
