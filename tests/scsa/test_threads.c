/* C70: abort races with completion on real threads; each accepted packet completes exactly
 * once */
#define SCSA_MOD thr
#include <sys/scsi/scsi.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/modctl.h>
#include <sys/queue.h>

#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "scsa/config.h"

#define SUBMITTERS	3
#define ROUNDS		3000

/* what the HBA has not answered yet; the list is its packets' only owner */
struct cmd {
	TAILQ_ENTRY(cmd) link;
	struct scsi_pkt *pkt;
	bool is_queued;
};

static TAILQ_HEAD(, cmd) queue = TAILQ_HEAD_INITIALIZER(queue);
static kmutex_t queue_lock;
static kcondvar_t queue_cv;
static bool is_stopping;
static scsi_hba_tran_t *thr_tran;
static atomic_int n_completed, n_aborted, n_accepted;

static int
thr_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct cmd *cmd = pkt->pkt_ha_private;

	(void)ap;
	ck_assert_uint_eq(pkt->pkt_flags & FLAG_NOINTR, 0);
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	*pkt->pkt_scbp = STATUS_GOOD;
	if (pkt->pkt_cdbp[0] == SCMD_TEST_UNIT_READY) {
		scsi_hba_pkt_comp(pkt);
		return TRAN_ACCEPT;
	}
	mutex_enter(&queue_lock);
	cmd->pkt = pkt;
	cmd->is_queued = true;
	TAILQ_INSERT_TAIL(&queue, cmd, link);
	cv_signal(&queue_cv);
	mutex_exit(&queue_lock);
	return TRAN_ACCEPT;
}

static struct cmd *
queue_take(void)
{
	struct cmd *cmd = TAILQ_FIRST(&queue);

	if (cmd != NULL) {
		TAILQ_REMOVE(&queue, cmd, link);
		cmd->is_queued = false;
	}
	return cmd;
}

static int
thr_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct cmd *cmd;

	(void)ap;
	(void)pkt;
	mutex_enter(&queue_lock);
	cmd = queue_take();
	mutex_exit(&queue_lock);
	if (cmd == NULL)
		return 0;
	cmd->pkt->pkt_reason = CMD_ABORTED;
	cmd->pkt->pkt_statistics |= STAT_ABORTED;
	scsi_hba_pkt_comp(cmd->pkt);
	return 1;
}

static int
thr_getcap(struct scsi_address *ap, char *cap, int whom)
{
	(void)ap;
	(void)whom;
	return scsi_hba_lookup_capstr(cap) == SCSI_CAP_CDB_LEN ? 16 : 0;
}

static int
thr_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	(void)ap;
	(void)cap;
	(void)value;
	(void)whom;
	return 0;
}

static int
thr_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

static int
thr_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	ddi_dma_attr_t attr = {
		.dma_attr_addr_hi = UINT64_MAX, .dma_attr_count_max = UINT32_MAX,
		.dma_attr_align = 1, .dma_attr_burstsizes = 1, .dma_attr_minxfer = 1,
		.dma_attr_maxxfer = UINT32_MAX, .dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = 16, .dma_attr_granular = 1,
	};

	(void)cmd;
	thr_tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	thr_tran->tran_start = thr_start;
	thr_tran->tran_abort = thr_abort;
	thr_tran->tran_getcap = thr_getcap;
	thr_tran->tran_setcap = thr_setcap;
	thr_tran->tran_setup_pkt = thr_setup;
	thr_tran->tran_hba_len = (int)sizeof(struct cmd);
	return scsi_hba_attach_setup(dip, &attr, thr_tran, SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB);
}

static int
thr_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)cmd;
	ck_assert_int_eq(scsi_hba_detach(dip), DDI_SUCCESS);
	scsi_hba_tran_free(thr_tran);
	return DDI_SUCCESS;
}

static struct dev_ops thr_ops = {
	.devo_rev = DEVO_REV, .devo_probe = nulldev, .devo_attach = thr_attach,
	.devo_detach = thr_detach,
};
static struct modldrv thr_modldrv = { &mod_driverops, "threads", &thr_ops };
static struct modlinkage thr_modlinkage = { MODREV_1, { &thr_modldrv, NULL } };

int
_init(void)
{
	return scsi_hba_init(&thr_modlinkage) != 0 ? EINVAL : mod_install(&thr_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&thr_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&thr_modlinkage, modinfop);
}

/* completes what is queued, until told to stop */
static void *
completer(void *arg)
{
	mutex_enter(&queue_lock);
	for (;;) {
		struct cmd *cmd = queue_take();

		if (cmd != NULL) {
			mutex_exit(&queue_lock);
			scsi_hba_pkt_comp(cmd->pkt);
			mutex_enter(&queue_lock);
		} else if (is_stopping) {
			break;
		} else {
			cv_wait(&queue_cv, &queue_lock);
		}
	}
	mutex_exit(&queue_lock);
	return arg;
}

static void *
aborter(void *arg)
{
	struct scsi_address ap = { .a_hba_tran = thr_tran };
	bool stop;

	do {
		(void)scsi_abort(&ap, NULL);
		mutex_enter(&queue_lock);
		stop = is_stopping;
		mutex_exit(&queue_lock);
	} while (!stop);
	return arg;
}

static void
count_and_free(struct scsi_pkt *pkt)
{
	atomic_fetch_add(pkt->pkt_reason == CMD_ABORTED ? &n_aborted : &n_completed, 1);
	scsi_destroy_pkt(pkt);
}

/* by turns: queued with a callback, inline with a callback, and waited for */
static void *
submitter(void *arg)
{
	struct scsi_address ap = { .a_hba_tran = thr_tran };

	for (int i = 0; i < ROUNDS; i++) {
		struct scsi_pkt *pkt = scsi_init_pkt(&ap, NULL, NULL, 6, 1, i % 3 * 50, 0,
		    SLEEP_FUNC, NULL);

		pkt->pkt_cdbp[0] = i % 3 == 1 ? SCMD_TEST_UNIT_READY : SCMD_REZERO_UNIT;
		pkt->pkt_comp = count_and_free;
		pkt->pkt_flags = i % 3 == 2 ? FLAG_NOINTR : 0;
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
		atomic_fetch_add(&n_accepted, 1);
		if (i % 3 == 2)
			count_and_free(pkt);
	}
	return arg;
}

START_TEST(c70_abort_races_with_completion)
{
	pthread_t threads[SUBMITTERS], helpers[3];
	struct scsa_stats stats;
	dev_info_t *dip;

	mutex_init(&queue_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&queue_cv, NULL, CV_DRIVER, NULL);
	ck_assert_int_eq(driver_init("thr", _init, _fini), 0);
	ck_assert_int_eq(devi_alloc(devi_root(), "thr", &dip), 0);
	ck_assert_int_eq(devi_attach(dip), 0);
	for (int i = 0; i < 3; i++)
		pthread_create(&helpers[i], NULL, i == 0 ? aborter : completer, NULL);
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_create(&threads[i], NULL, submitter, NULL);
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_join(threads[i], NULL);
	mutex_enter(&queue_lock);
	is_stopping = true;
	cv_broadcast(&queue_cv);
	mutex_exit(&queue_lock);
	for (int i = 0; i < 3; i++)
		pthread_join(helpers[i], NULL);

	ck_assert_int_eq(n_accepted, SUBMITTERS * ROUNDS);
	ck_assert_int_eq(n_completed + n_aborted, n_accepted);
	ck_assert_int_eq(scsa_stats_get(dip, &stats), 0);
	ck_assert_uint_eq(stats.double_comp + stats.direct_comp + stats.bad_destroy, 0);
	ck_assert_int_eq(devi_detach(dip, DEVI_DETACH_FREE), 0);
	ck_assert_int_eq(_fini(), 0);
}
END_TEST

CHECK_MAIN("threads", c70_abort_races_with_completion)
