#define SCSA_MOD mock
#include "tests/scsa/mock_hba.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/modctl.h>

#include "base/bytes.h"
#include "ddi/dma_shadow.h"
#include "ddi/driver.h"
#include "ddi/violation.h"
#include "scsa/config.h"
#include "scsi/lun.h"

struct mock mock;

struct mock_cmd {		/* pkt_ha_private */
	uint32_t magic;		/* set by the constructor */
	bool is_setup;
	ddi_dma_handle_t handle;	/* old style */
	ddi_dma_cookie_t cookies[64];
	uint_t ncookies;
	uint_t win, nwin;
	bool is_bound;
	bool is_consistent_read;
	uchar_t cdb[16];	/* has_own_areas */
	uchar_t scb[300];
};

#define CMD_MAGIC	0x6d6f636bu
#define CMD(pkt)	((struct mock_cmd *)(pkt)->pkt_ha_private)

/*
 * The simulated device.
 */

static struct mock_target *
device_find(const struct scsi_address *ap, uint64_t *ret_lun)
{
	struct scsi_device *sd;
	char *ua, *comma;

	if (!(ap->a_hba_tran->tran_hba_flags & SCSI_HBA_ADDR_COMPLEX)) {
		*ret_lun = ap->a_lun;
		return ap->a_target < MOCK_TARGETS ? &mock.target[ap->a_target] : NULL;
	}
	sd = ap->a.a_sd;
	if (sd->sd_dev == NULL) {
		*ret_lun = 0;
		return &mock.target[0];
	}
	ua = scsi_device_unit_address(sd);
	comma = strchr(ua, ',');
	*ret_lun = (uint64_t)scsi_addr_to_lun64(comma + 1);
	for (int i = 0; i < MOCK_TARGETS; i++) {
		const char *wwn = mock.target[i].wwn;

		if (wwn != NULL && strlen(wwn) == (size_t)(comma - ua) &&
		    strncmp(wwn, ua, strlen(wwn)) == 0)
			return &mock.target[i];
	}
	return NULL;
}

static bool
device_has_lun(const struct mock_target *t, uint64_t lun)
{
	if (t->luns == NULL)
		return lun < (uint64_t)t->nluns;
	for (int i = 0; i < t->nluns; i++) {
		if (t->luns[i] == lun)
			return true;
	}
	return false;
}

static ddi_dma_cookie_t *
cookies_of(struct scsi_pkt *pkt, uint_t *ret_n)
{
	if (mock.has_init_pkt) {
		*ret_n = CMD(pkt)->ncookies;
		return CMD(pkt)->cookies;
	}
	*ret_n = pkt->pkt_numcookies;
	return pkt->pkt_cookies;
}

static size_t
data_room(struct scsi_pkt *pkt)
{
	uint_t n;
	ddi_dma_cookie_t *c = cookies_of(pkt, &n);
	size_t total = 0;

	for (uint_t i = 0; i < n; i++)
		total += c[i].dmac_size;
	return total;
}

static void *
bus_pointer(uint64_t iova, size_t len)
{
	if (mock.shadow != NULL)
		return dma_shadow_at(mock.shadow, iova, len);
	return (void *)(uintptr_t)iova;
}

/* move data between the device and the cookies; what did not fit stays in pkt_resid */
static void
data_move(struct scsi_pkt *pkt, void *data, size_t len, bool is_write)
{
	uint_t n;
	ddi_dma_cookie_t *c = cookies_of(pkt, &n);
	size_t done = 0;

	for (uint_t i = 0; i < n && done < len; i++) {
		size_t part = c[i].dmac_size < len - done ? c[i].dmac_size : len - done;
		void *bus = bus_pointer(c[i].dmac_laddress, part);

		ck_assert_ptr_nonnull(bus);
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
answer_status(struct scsi_pkt *pkt, uchar_t status)
{
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state |= MOCK_STATE_ALL;
	if (pkt->pkt_scblen != 0)
		*pkt->pkt_scbp = status;
}

static void
answer_check(struct scsi_pkt *pkt, uint8_t key, uint8_t asc, uint8_t ascq)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;

	answer_status(pkt, STATUS_CHECK);
	if (pkt->pkt_scblen < sizeof(*arq) || mock.caps[SCSI_CAP_ARQ] != 1)
		return;
	pkt->pkt_state |= STATE_ARQ_DONE;
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_state = MOCK_STATE_ALL | STATE_XFERRED_DATA;
	arq->sts_sensedata.es_valid = 0;
	arq->sts_sensedata.es_class = CLASS_EXTENDED_SENSE;
	arq->sts_sensedata.es_key = (uchar_t)(key & 0x0f);
	arq->sts_sensedata.es_add_len = 12;
	arq->sts_sensedata.es_add_code = asc;
	arq->sts_sensedata.es_qual_code = ascq;
}

static void
device_inquiry(struct mock_target *t, uint64_t lun, struct scsi_pkt *pkt)
{
	uint8_t d[255] = { 0 };
	size_t want = be16_get(pkt->pkt_cdbp + 3), len;

	mock.n_inquiry++;
	if (pkt->pkt_cdbp[1] & 1) {
		if (t->has_no_vpd) {
			answer_check(pkt, KEY_ILLEGAL_REQUEST, 0x24, 0);
			return;
		}
		d[1] = pkt->pkt_cdbp[2];
		switch (d[1]) {
		case 0x00:
			memcpy(d + 4, "\x00\x80\x83", 3);
			d[3] = 3;
			break;
		case 0x80:
			(void)snprintf((char *)d + 4, 9, "SER%05x", (unsigned int)lun);
			d[3] = 8;
			break;
		default:
			memcpy(d + 4, "\x01\x03\x00\x08\x50\x00\xc5\x00\x12\x34\xab", 11);
			d[15] = (uint8_t)lun;
			d[3] = 12;
		}
		len = 4u + d[3];
	} else {
		d[0] = device_has_lun(t, lun) ? t->dtype : 0x7f;
		d[2] = (uint8_t)t->ansi;
		d[3] = 2;
		d[4] = 31;
		d[6] = t->has_encserv ? 0x40 : 0;
		memcpy(d + 8, "MOCK    SIMULATED DISK  0001", 28);
		len = 36;
	}
	answer_status(pkt, STATUS_GOOD);
	data_move(pkt, d, len < want ? len : want, false);
}

static void
device_report_luns(struct mock_target *t, struct scsi_pkt *pkt)
{
	size_t room = 8 + 8 * (size_t)t->nluns, want = be32_get(pkt->pkt_cdbp + 6);
	uint64_t *luns = calloc((size_t)t->nluns + 1, sizeof(*luns));
	uint8_t *data = calloc(1, room);

	if (t->has_no_report) {
		answer_check(pkt, KEY_ILLEGAL_REQUEST, 0x20, 0);
	} else {
		for (int i = 0; i < t->nluns; i++)
			luns[i] = t->luns != NULL ? t->luns[i] : (uint64_t)i;
		(void)lunfmt_report_build(luns, (size_t)t->nluns, data, room);
		answer_status(pkt, STATUS_GOOD);
		data_move(pkt, data, room < want ? room : want, false);
	}
	free(luns);
	free(data);
}

static void
device_rw(struct mock_target *t, struct scsi_pkt *pkt, bool is_write)
{
	size_t off = (size_t)be32_get(pkt->pkt_cdbp + 2) * 512;
	size_t len = (size_t)be16_get(pkt->pkt_cdbp + 7) * 512;

	if (off + len > MOCK_MEDIA) {
		answer_check(pkt, KEY_ILLEGAL_REQUEST, 0x21, 0);
		return;
	}
	answer_status(pkt, STATUS_GOOD);
	data_move(pkt, t->media + off, len, is_write);
}

static void
device_run(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	uint64_t lun;
	struct mock_target *t = device_find(ap, &lun);
	uint8_t sense[18] = { 0x70, 0, 0, 0, 0, 0, 0, 10 };

	pkt->pkt_resid = (ssize_t)data_room(pkt);
	if (t == NULL || !t->is_there) {
		pkt->pkt_reason = CMD_INCOMPLETE;
		pkt->pkt_state = STATE_GOT_BUS;
		return;
	}
	switch (pkt->pkt_cdbp[0]) {
	case SCMD_TEST_UNIT_READY:
		answer_status(pkt, STATUS_GOOD);
		break;
	case SCMD_INQUIRY:
		device_inquiry(t, lun, pkt);
		break;
	case SCMD_REPORT_LUNS:
		device_report_luns(t, pkt);
		break;
	case SCMD_REQUEST_SENSE:
		answer_status(pkt, STATUS_GOOD);
		data_move(pkt, sense, sizeof(sense), false);
		break;
	case SCMD_READ_G1:
	case SCMD_WRITE_G1:
		device_rw(t, pkt, pkt->pkt_cdbp[0] == SCMD_WRITE_G1);
		break;
	default:
		answer_check(pkt, KEY_ILLEGAL_REQUEST, 0x20, 0);
	}
}

/*
 * Entry points: commands.
 */

static void
cmd_sync(struct scsi_pkt *pkt)
{
	if (mock.has_init_pkt && CMD(pkt)->is_bound && CMD(pkt)->is_consistent_read)
		(void)ddi_dma_sync(CMD(pkt)->handle, 0, 0, DDI_DMA_SYNC_FORCPU);
}

static void
cmd_task(void *arg)
{
	struct scsi_pkt *pkt = arg;

	cmd_sync(pkt);
	scsi_hba_pkt_comp(pkt);
}

static void
cmd_finish(struct scsi_pkt *pkt)
{
	if (pkt->pkt_flags & FLAG_NOINTR)
		return;
	switch (mock.when) {
	case MOCK_INLINE:
		cmd_task(pkt);
		break;
	case MOCK_LATER:
		ck_assert_int_lt(mock.n_pending, 64);
		mock.pending[mock.n_pending++] = pkt;
		break;
	case MOCK_TASKQ:
		(void)ddi_taskq_dispatch(mock.tq, cmd_task, pkt, DDI_NOSLEEP);
		break;
	}
}

/* the next line of the script; false: none, or it says to ask the device */
static bool
script_next(struct scsi_pkt *pkt, int *ret_tran)
{
	const struct mock_script *s;

	if (mock.script_at >= mock.nscript)
		return false;
	s = &mock.script[mock.script_at++];
	*ret_tran = s->tran;
	if (s->is_pass)
		return false;
	if (s->tran != TRAN_ACCEPT)
		return true;
	if (s->has_sense)
		answer_check(pkt, s->key, s->asc, s->ascq);
	else if (pkt->pkt_scblen != 0)
		*pkt->pkt_scbp = s->status;
	pkt->pkt_reason = s->reason;
	if (!s->has_sense)
		pkt->pkt_state = s->state;
	pkt->pkt_statistics = s->statistics;
	return true;
}

static int
mock_tran_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	static _Thread_local int depth;
	int r = TRAN_ACCEPT;

	if (++depth > mock.max_depth)
		mock.max_depth = depth;
	mock.n_start++;
	mock.last_flags = pkt->pkt_flags;
	mock.n_nointr += (pkt->pkt_flags & FLAG_NOINTR) != 0;
	if (mock.on_start != NULL)
		mock.on_start(ap, pkt);
	if (mock.is_quiet)
		r = TRAN_BUSY;
	else if (!script_next(pkt, &r))
		device_run(ap, pkt);
	if (r == TRAN_ACCEPT)
		cmd_finish(pkt);
	depth--;
	return r;
}

int
mock_complete(void)
{
	struct scsi_pkt *list[64];
	int n = mock.n_pending;

	memcpy(list, mock.pending, sizeof(list));
	mock.n_pending = 0;
	for (int i = 0; i < n; i++)
		cmd_task(list[i]);
	return n;
}

/* end the pending packets that @want says, with this result */
static int
pending_end(struct scsi_pkt *want, uchar_t reason, uint_t statistics)
{
	struct scsi_pkt *list[64];
	int n = 0, kept = 0;

	for (int i = 0; i < mock.n_pending; i++) {
		if (want == NULL || mock.pending[i] == want)
			list[n++] = mock.pending[i];
		else
			mock.pending[kept++] = mock.pending[i];
	}
	mock.n_pending = kept;
	for (int i = 0; i < n; i++) {
		list[i]->pkt_reason = reason;
		list[i]->pkt_statistics |= statistics;
		cmd_task(list[i]);
	}
	return n;
}

static int
mock_tran_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	mock.n_abort++;
	mock.last_ap_tran = ap->a_hba_tran;
	return pending_end(pkt, CMD_ABORTED, STAT_ABORTED) != 0 || pkt == NULL;
}

static int
mock_tran_reset(struct scsi_address *ap, int level)
{
	mock.n_reset++;
	mock.last_level = level;
	mock.last_ap_tran = ap->a_hba_tran;
	(void)pending_end(NULL, CMD_RESET, level == RESET_ALL ? STAT_BUS_RESET : STAT_DEV_RESET);
	mutex_enter(&mock.lock);
	scsi_hba_reset_notify_callback(&mock.lock, &mock.notify);
	mutex_exit(&mock.lock);
	return 1;
}

static int
mock_tran_reset_notify(struct scsi_address *ap, int flag, void (*cb)(caddr_t), caddr_t arg)
{
	mock.n_notify++;
	return scsi_hba_reset_notify_setup(ap, flag, cb, arg, &mock.lock, &mock.notify);
}

static int
mock_tran_getcap(struct scsi_address *ap, char *cap, int whom)
{
	int id = scsi_hba_lookup_capstr(cap);

	(void)whom;
	mock.last_ap_tran = ap->a_hba_tran;
	return id < 0 ? -1 : mock.caps[id];
}

static int
mock_tran_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	int id = scsi_hba_lookup_capstr(cap);

	mock.last_ap_tran = ap->a_hba_tran;
	if (id < 0)
		return -1;
	if (whom != 0 && mock.setcap_answer == 1)
		mock.caps[id] = value;
	return mock.setcap_answer;
}

static int
mock_tran_quiesce(dev_info_t *dip)
{
	ck_assert_ptr_eq(dip, mock.dip);
	mock.n_quiesce++;
	mock.is_quiet = mock.quiesce_answer == 0;
	return mock.quiesce_answer;
}

static int
mock_tran_unquiesce(dev_info_t *dip)
{
	ck_assert_ptr_eq(dip, mock.dip);
	mock.n_unquiesce++;
	mock.is_quiet = false;
	return 0;
}

static int
mock_tran_bus_reset(dev_info_t *dip, int level)
{
	ck_assert_ptr_eq(dip, mock.dip);
	mock.n_bus_reset++;
	mock.last_level = level;
	return 1;
}

static int
mock_tran_clear(struct scsi_address *ap)
{
	mock.last_ap_tran = ap->a_hba_tran;
	return 1;
}

static int
mock_tran_terminate(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	mock.last_ap_tran = ap->a_hba_tran;
	return pending_end(pkt, CMD_TERMINATED, STAT_TERMINATED) != 0;
}

/*
 * Entry points: targets.
 */

static int
mock_tran_tgt_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran,
    struct scsi_device *sd)
{
	if (mock.refuse != NULL && mock.refuse(sd)) {
		mock.n_init_failed++;
		return DDI_FAILURE;
	}
	mock.n_init++;
	if (mock.on_tgt_init != NULL)
		mock.on_tgt_init(hba, tgt, tran, sd);
	return DDI_SUCCESS;
}

static void
mock_tran_tgt_free(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran,
    struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	mock.n_free++;
	if (mock.on_tgt_free != NULL)
		mock.on_tgt_free(tran, sd);
}

static int
mock_tran_tgt_probe(struct scsi_device *sd, int (*waitfunc)(void))
{
	mock.n_probe++;
	return scsi_hba_probe(sd, waitfunc);
}

static int
mock_tran_get_name(struct scsi_device *sd, char *name, int len)
{
	(void)snprintf(name, (size_t)len, "n%x,%x", sd->sd_address.a_target,
	    sd->sd_address.a_lun);
	return 1;
}

static int
mock_tran_get_bus_addr(struct scsi_device *sd, char *name, int len)
{
	(void)snprintf(name, (size_t)len, "bus %x", sd->sd_address.a_target);
	return 1;
}

/*
 * Entry points: packets, new style.
 */

static int
mock_tran_ctor(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag)
{
	mock.n_ctor++;
	CMD(pkt)->magic = CMD_MAGIC;
	if (mock.on_ctor != NULL)
		mock.on_ctor(pkt, tran, kmflag);
	return 0;
}

static void
mock_tran_dtor(struct scsi_pkt *pkt, scsi_hba_tran_t *tran)
{
	(void)tran;
	mock.n_dtor++;
	ck_assert_uint_eq(CMD(pkt)->magic, CMD_MAGIC);
}

static int
mock_tran_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	if (mock.has_own_areas) {
		pkt->pkt_cdbp = CMD(pkt)->cdb;
		pkt->pkt_scbp = CMD(pkt)->scb;
	}
	if (mock.on_setup != NULL && mock.on_setup(pkt, callback, arg) != 0)
		return -1;
	mock.n_setup++;
	CMD(pkt)->is_setup = true;
	return 0;
}

static void
mock_tran_teardown_pkt(struct scsi_pkt *pkt)
{
	mock.n_teardown++;
	ck_assert(CMD(pkt)->is_setup);
	CMD(pkt)->is_setup = false;
}

/*
 * Entry points: packets, old style.
 */

static int
old_window(struct mock_cmd *cmd, struct scsi_pkt *pkt, struct buf *bp)
{
	off_t off;
	size_t len;

	if (ddi_dma_getwin(cmd->handle, cmd->win, &off, &len, &cmd->cookies[0],
	    &cmd->ncookies) != DDI_SUCCESS || cmd->ncookies > 64)
		return -1;
	for (uint_t i = 1; i < cmd->ncookies; i++)
		ddi_dma_nextcookie(cmd->handle, &cmd->cookies[i]);
	pkt->pkt_resid = (ssize_t)(bp->b_bcount - (size_t)off - len);
	return 0;
}

static int
old_bind(struct scsi_pkt *pkt, struct buf *bp, int flags, int (*callback)(caddr_t))
{
	struct mock_cmd *cmd = CMD(pkt);
	uint_t f = bp->b_flags & B_READ ? DDI_DMA_READ : DDI_DMA_WRITE;
	int r;

	f |= flags & PKT_CONSISTENT ? DDI_DMA_CONSISTENT : 0;
	f |= flags & PKT_DMA_PARTIAL ? DDI_DMA_PARTIAL : 0;
	cmd->is_consistent_read = (f & DDI_DMA_READ) && (f & DDI_DMA_CONSISTENT);
	r = ddi_dma_buf_bind_handle(cmd->handle, bp, f, callback, NULL, &cmd->cookies[0],
	    &cmd->ncookies);
	switch (r) {
	case DDI_DMA_MAPPED:
	case DDI_DMA_PARTIAL_MAP:
		break;
	case DDI_DMA_NORESOURCES:
		bioerror(bp, 0);
		return -1;
	case DDI_DMA_TOOBIG:
		bioerror(bp, EINVAL);
		return -1;
	default:
		bioerror(bp, EFAULT);
		return -1;
	}
	cmd->is_bound = true;
	cmd->win = 0;
	(void)ddi_dma_numwin(cmd->handle, &cmd->nwin);
	return old_window(cmd, pkt, bp);
}

static void
mock_tran_dmafree(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	if (CMD(pkt)->is_bound)
		(void)ddi_dma_unbind_handle(CMD(pkt)->handle);
	CMD(pkt)->is_bound = false;
	CMD(pkt)->ncookies = 0;
}

static void
mock_tran_destroy_pkt(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	mock_tran_dmafree(ap, pkt);
	ddi_dma_free_handle(&CMD(pkt)->handle);
	scsi_hba_pkt_free(ap, pkt);
	mock.n_teardown++;
}

static struct scsi_pkt *
mock_tran_init_pkt(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp, int cmdlen,
    int statuslen, int tgtlen, int flags, int (*callback)(caddr_t), caddr_t arg)
{
	bool is_new = pkt == NULL;
	int r = 0;

	ck_assert_ptr_null(arg);
	ck_assert(callback == NULL_FUNC || callback == SLEEP_FUNC);
	if (is_new) {
		pkt = scsi_hba_pkt_alloc(mock.dip, ap, cmdlen, statuslen, tgtlen,
		    (int)sizeof(struct mock_cmd), callback, arg);
		if (pkt == NULL)
			return NULL;
		if (ddi_dma_alloc_handle(mock.dip, &ap->a_hba_tran->tran_dma_attr, callback, arg,
		    &CMD(pkt)->handle) != DDI_SUCCESS) {
			scsi_hba_pkt_free(ap, pkt);
			return NULL;
		}
		mock.n_setup++;
	}
	if (bp != NULL && bp->b_bcount != 0) {
		if (!CMD(pkt)->is_bound)
			r = old_bind(pkt, bp, flags, callback);
		else if (++CMD(pkt)->win >= CMD(pkt)->nwin)
			r = -1;
		else
			r = old_window(CMD(pkt), pkt, bp);
	}
	if (r == 0)
		return pkt;
	if (is_new)
		mock_tran_destroy_pkt(ap, pkt);
	return NULL;
}

static void
mock_tran_sync_pkt(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	if (CMD(pkt)->is_bound)
		(void)ddi_dma_sync(CMD(pkt)->handle, 0, 0, DDI_DMA_SYNC_FORCPU);
}

/*
 * attach, detach.
 */

static void
tran_fill(scsi_hba_tran_t *t)
{
	t->tran_hba_private = &mock;
	t->tran_start = mock_tran_start;
	t->tran_abort = mock_tran_abort;
	t->tran_reset = mock.has_no_reset ? NULL : mock_tran_reset;
	t->tran_getcap = mock_tran_getcap;
	t->tran_setcap = mock_tran_setcap;
	t->tran_reset_notify = mock.has_no_reset_notify ? NULL : mock_tran_reset_notify;
	t->tran_tgt_init = mock.has_no_tgt ? NULL : mock_tran_tgt_init;
	t->tran_tgt_free = mock.has_no_tgt ? NULL : mock_tran_tgt_free;
	t->tran_tgt_probe = mock.has_probe ? mock_tran_tgt_probe : NULL;
	t->tran_get_name = mock.has_names ? mock_tran_get_name : NULL;
	t->tran_get_bus_addr = mock.has_names ? mock_tran_get_bus_addr : NULL;
	t->tran_quiesce = mock.has_quiesce ? mock_tran_quiesce : NULL;
	t->tran_unquiesce = mock.has_quiesce ? mock_tran_unquiesce : NULL;
	t->tran_bus_reset = mock.has_bus_reset ? mock_tran_bus_reset : NULL;
	t->tran_clear_aca = mock.has_task_mgmt ? mock_tran_clear : NULL;
	t->tran_clear_task_set = mock.has_task_mgmt ? mock_tran_clear : NULL;
	t->tran_terminate_task = mock.has_task_mgmt ? mock_tran_terminate : NULL;
	if (mock.has_init_pkt) {
		t->tran_init_pkt = mock_tran_init_pkt;
		t->tran_destroy_pkt = mock_tran_destroy_pkt;
		t->tran_dmafree = mock_tran_dmafree;
		t->tran_sync_pkt = mock_tran_sync_pkt;
		return;
	}
	t->tran_setup_pkt = mock_tran_setup_pkt;
	t->tran_teardown_pkt = mock_tran_teardown_pkt;
	t->tran_hba_len = mock.hba_len;
	if (mock.has_ctor) {
		t->tran_pkt_constructor = mock_tran_ctor;
		t->tran_pkt_destructor = mock_tran_dtor;
	}
}

static int
iport_attach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	int i = mock.n_iports_attached;

	if (mock.iport_refusals > 0) {
		mock.iport_refusals--;
		return DDI_FAILURE;
	}
	mock.n_iports_attached++;
	ck_assert_ptr_nonnull(tran);
	ck_assert_ptr_ne(tran, mock.tran);
	ck_assert_ptr_null(tran->tran_hba_private);
	tran->tran_hba_private = &mock;
	mock.iport_dip[i] = dip;
	mock.iport_tran[i] = tran;
	if (mock.on_iport != NULL)
		mock.on_iport(dip, tran);
	return DDI_SUCCESS;
}

static int
mock_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	scsi_hba_tran_t *tran;

	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return iport_attach(dip);
	mutex_init(&mock.lock, NULL, MUTEX_DRIVER, NULL);
	mock.dip = dip;
	tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	tran_fill(tran);
	if (mock.on_attach != NULL && mock.on_attach(dip, tran) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return DDI_FAILURE;
	}
	if (scsi_hba_attach_setup(dip, &mock.attr, tran, mock.flags) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return DDI_FAILURE;
	}
	mock.tran = tran;
	mock.tq = ddi_taskq_create(dip, "mock", 1, TASKQ_DEFAULTPRI, 0);
	for (int i = 0; i < 40 && mock.iports[i] != NULL; i++)
		(void)scsi_hba_iport_register(dip, (char *)(uintptr_t)mock.iports[i]);
	if (mock.on_attached != NULL)
		mock.on_attached(dip);
	return DDI_SUCCESS;
}

static int
mock_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL) {
		ck_assert_int_eq(scsi_hba_detach(dip), DDI_FAILURE);
		if (mock.on_iport_detach != NULL)
			mock.on_iport_detach(dip);
		mock.n_iports_attached--;
		return DDI_SUCCESS;
	}
	if (mock.on_detach != NULL)
		mock.on_detach(dip);
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	ddi_taskq_destroy(mock.tq);
	scsi_hba_reset_notify_tear_down(mock.notify);
	mock.notify = NULL;
	scsi_hba_tran_free(mock.tran);
	mock.tran = NULL;
	mutex_destroy(&mock.lock);
	return DDI_SUCCESS;
}

static struct dev_ops mock_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = mock_attach,
	.devo_detach = mock_detach,
	.devo_reset = nodev,
};

static struct modldrv mock_modldrv = { &mod_driverops, "mock HBA", &mock_ops };
static struct modlinkage mock_modlinkage = { MODREV_1, { &mock_modldrv, NULL } };

int
_init(void)
{
	int r = scsi_hba_init(&mock_modlinkage);

	if (r != 0)
		return r;
	r = mod_install(&mock_modlinkage);
	if (r != 0)
		scsi_hba_fini(&mock_modlinkage);
	return r;
}

int
_fini(void)
{
	int r = mod_remove(&mock_modlinkage);

	if (r == 0)
		scsi_hba_fini(&mock_modlinkage);
	return r;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&mock_modlinkage, modinfop);
}

/*
 * What tests use.
 */

void
mock_set_luns(int t, int n)
{
	mock.target[t].is_there = true;
	mock.target[t].nluns = n;
	mock.target[t].ansi = 5;
}

void
mock_defaults(void)
{
	memset(&mock, 0, sizeof(mock));
	memset(&mock_tgt, 0, sizeof(mock_tgt));
	mock.flags = SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB;
	mock.has_ctor = true;
	mock.hba_len = (int)sizeof(struct mock_cmd);
	mock.targets = 3;
	mock.setcap_answer = 1;
	for (int i = 0; i < SCSI_CAP_N; i++)
		mock.caps[i] = 0;
	mock.caps[SCSI_CAP_ARQ] = 1;
	mock.caps[SCSI_CAP_CDB_LEN] = 16;
	mock.caps[SCSI_CAP_TAGGED_QING] = 1;
	mock.caps[SCSI_CAP_LUN_RESET] = 1;
	mock.attr = (ddi_dma_attr_t){
		.dma_attr_version = DMA_ATTR_V0,
		.dma_attr_addr_hi = UINT64_MAX,
		.dma_attr_count_max = UINT32_MAX,
		.dma_attr_align = 1,
		.dma_attr_burstsizes = 1,
		.dma_attr_minxfer = 1,
		.dma_attr_maxxfer = UINT32_MAX,
		.dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = 64,
		.dma_attr_granular = 512,
	};
	mock_set_luns(0, 1);
}

dev_info_t *
mock_start(void)
{
	dev_info_t *dip;

	ck_assert_int_eq(driver_init("mock", _init, _fini), 0);
	ck_assert_int_eq(mock_tgt_init(), 0);
	ck_assert_int_eq(devi_alloc(devi_root(), "mock", &dip), 0);
	if (mock.targets != 0)
		(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-max-targets", mock.targets);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-initiator-id", 255);
	if (mock.shadow != NULL)
		devi_set_dma(dip, &dma_shadow_ops, mock.shadow);
	ck_assert_int_eq(devi_attach(dip), 0);
	return dip;
}

void
mock_stop(void)
{
	int r;

	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
	ck_assert_int_eq(devi_detach(mock.dip, DEVI_DETACH_FREE), 0);
	r = _fini();
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(mock_tgt_fini(), 0);
	ck_assert_int_eq(mock.n_init, mock.n_free);
	ck_assert_int_eq(mock.n_setup, mock.n_teardown);
	ck_assert_int_eq(mock.n_ctor, mock.n_dtor);
	ck_assert_int_eq(mock.n_pending, 0);
}

dev_info_t *
mock_port(void)
{
	return mock.iports[0] != NULL ? mock.iport_dip[0] : mock.dip;
}

struct scsi_device *
mock_unit(dev_info_t *port, const char *addr)
{
	char key[64];
	dev_info_t *dip;

	(void)snprintf(key, sizeof(key), "@%s", addr);
	dip = devi_find(port, key);
	ck_assert_msg(dip != NULL, "no unit %s", addr);
	devi_unref(dip);
	ck_assert_ptr_nonnull(ddi_get_driver_private(dip));
	return ddi_get_driver_private(dip);
}

void
mock_pkt_done(struct scsi_pkt *pkt)
{
	(void)pkt;
	mock.n_comp++;
}

struct scsi_pkt *
mock_pkt(struct scsi_device *sd, struct buf *bp, uchar_t op, int flags)
{
	struct scsi_pkt *pkt = scsi_init_pkt(&sd->sd_address, NULL, bp, op >= 0x20 ? 10 : 6,
	    (int)sizeof(struct scsi_arq_status), 0, flags, NULL_FUNC, NULL);

	if (pkt == NULL)
		return NULL;
	pkt->pkt_cdbp[0] = op;
	pkt->pkt_comp = mock_pkt_done;
	pkt->pkt_time = 5;
	return pkt;
}

void
mock_pkt_rw(struct scsi_pkt *pkt, bool is_write, uint32_t lba, uint16_t blocks)
{
	pkt->pkt_cdbp[0] = is_write ? SCMD_WRITE_G1 : SCMD_READ_G1;
	be32_put(pkt->pkt_cdbp + 2, lba);
	be16_put(pkt->pkt_cdbp + 7, blocks);
}

static int violation_count;
static char violation_rule[64];

static void
violation_record(const char *rule, const char *text, void *arg)
{
	(void)text;
	(void)arg;
	violation_count++;
	(void)snprintf(violation_rule, sizeof(violation_rule), "%s", rule);
}

void
mock_violations(void)
{
	violation_count = 0;
	ddi_violation_hook(violation_record, NULL);
}

int
mock_violation_count(void)
{
	return violation_count;
}

const char *
mock_violation_rule(void)
{
	return violation_rule;
}
