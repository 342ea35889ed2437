#define SCSA_MOD rnd
#include "tests/scsa/random.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/modctl.h>

#include "ddi/sim.h"

#define LOCAL		0x5000c50000000001ull
#define REMOTE		0x5000c500aaaa0000ull
#define TICK_US		50000
#define CMD(p)		((struct random_cmd *)(p)->pkt_ha_private)

struct random_world world;

/*
 * Commands.
 */

/* take the commands that @want says off the list; world.lock is held */
static struct random_cmd *
cmds_take(bool (*want)(const struct random_cmd *cmd, const void *arg), const void *arg)
{
	struct random_cmd *cmd;

	TAILQ_FOREACH(cmd, &world.cmds, link) {
		if (!want(cmd, arg))
			continue;
		TAILQ_REMOVE(&world.cmds, cmd, link);
		cmd->is_queued = false;
		break;
	}
	return cmd;
}

/* end them all, with this result; how many */
static int
cmds_end(bool (*want)(const struct random_cmd *cmd, const void *arg), const void *arg,
    uchar_t reason, uint_t statistics)
{
	struct random_cmd *cmd;
	int n = 0;

	for (;; n++) {
		mutex_enter(&world.lock);
		cmd = cmds_take(want, arg);
		mutex_exit(&world.lock);
		if (cmd == NULL)
			return n;
		if (reason != CMD_CMPLT)
			cmd->pkt->pkt_reason = reason;
		cmd->pkt->pkt_statistics |= statistics;
		scsi_hba_pkt_comp(cmd->pkt);
	}
}

static bool
is_due(const struct random_cmd *cmd, const void *arg)
{
	return cmd->due_us != 0 && cmd->due_us <= *(const uint64_t *)arg;
}

static bool
is_expired(const struct random_cmd *cmd, const void *arg)
{
	return cmd->expires_us != 0 && cmd->expires_us <= *(const uint64_t *)arg;
}

static bool
is_of_unit(const struct random_cmd *cmd, const void *arg)
{
	return cmd->sd == arg;
}

static bool
is_packet(const struct random_cmd *cmd, const void *arg)
{
	return cmd->pkt == arg;
}

static bool
is_of_target(const struct random_cmd *cmd, const void *arg)
{
	return cmd->target == arg;
}

static bool
is_of_port(const struct random_cmd *cmd, const void *arg)
{
	return cmd->target->port == *(const int *)arg;
}

static bool
is_any(const struct random_cmd *cmd, const void *arg)
{
	(void)arg;
	return cmd != NULL;
}

/* the watchdog, and the time that devices take */
static void
tick(void *arg)
{
	uint64_t now = sim_now_us();

	(void)cmds_end(is_due, &now, CMD_CMPLT, 0);
	world.n_timeout += (uint64_t)cmds_end(is_expired, &now, CMD_TIMEOUT,
	    STAT_TIMEOUT | STAT_ABORTED);
	mutex_enter(&world.lock);
	if (!world.is_stopping)
		world.tick = timeout(tick, arg, drv_usectohz(TICK_US));
	cv_broadcast(&world.cv);
	mutex_exit(&world.lock);
}

static void
cmd_task(void *arg)
{
	(void)cmds_end(is_packet, arg, CMD_CMPLT, 0);
}

/* decide when the command will be answered; false: at once. world.lock is held */
static bool
cmd_delay(struct random_cmd *cmd, struct scsi_pkt *pkt, bool *ret_task)
{
	uint64_t now = sim_now_us(), dice = rng_below(&world.rng, 100);
	bool can_hang;

	if (dice < 45)
		return false;
	cmd->pkt = pkt;
	cmd->due_us = now + 3600 * 1000000ull;
	cmd->expires_us = pkt->pkt_time == 0 ? 0 : now + (uint64_t)pkt->pkt_time * 1000000;
	*ret_task = dice < 75;
	/* enumeration waits a minute for each command that hangs: that is rare */
	can_hang = pkt->pkt_time != 0 &&
	    (pkt->pkt_time < SCSI_POLL_TIMEOUT || random_chance(2000));
	if (dice >= 97 && can_hang)
		cmd->due_us = 0;
	else if (dice >= 75)
		cmd->due_us = now + 1 + rng_below(&world.rng, 300000);
	cmd->is_queued = true;
	TAILQ_INSERT_TAIL(&world.cmds, cmd, link);
	return true;
}

static int
rnd_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsi_device *sd = scsi_address_device(ap);
	struct random_target *t = scsi_device_hba_private_get(sd);
	struct random_cmd *cmd = CMD(pkt);
	bool is_later, want_task = false;
	char *lun;

	ck_assert_uint_eq(pkt->pkt_flags & FLAG_NOINTR, 0);
	mutex_enter(&world.lock);
	world.n_start++;
	ck_assert(!cmd->is_queued);
	if (world.is_quiesced || random_chance(64)) {
		world.n_busy++;
		mutex_exit(&world.lock);
		return TRAN_BUSY;
	}
	cmd->target = t;
	cmd->sd = sd;
	if (!t->is_there) {
		pkt->pkt_reason = CMD_DEV_GONE;
		is_later = false;
	} else {
		lun = strchr(scsi_device_unit_address(sd), ',') + 1;
		random_device_run(t, (unsigned int)(*lun - '0') % RANDOM_LUNS, pkt);
		is_later = cmd_delay(cmd, pkt, &want_task);
	}
	mutex_exit(&world.lock);
	if (!is_later)
		scsi_hba_pkt_comp(pkt);
	else if (want_task)
		(void)ddi_taskq_dispatch(world.tq, cmd_task, pkt, DDI_SLEEP);
	return TRAN_ACCEPT;
}

static int
rnd_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	int n;

	n = pkt != NULL ? cmds_end(is_packet, pkt, CMD_ABORTED, STAT_ABORTED) :
	    cmds_end(is_of_unit, scsi_address_device(ap), CMD_ABORTED, STAT_ABORTED);
	world.n_aborted += (uint64_t)n;
	return n > 0;
}

static int
rnd_reset(struct scsi_address *ap, int level)
{
	struct scsi_device *sd = scsi_address_device(ap);
	struct random_target *t = scsi_device_hba_private_get(sd);
	int n;

	if (level == RESET_LUN)
		n = cmds_end(is_of_unit, sd, CMD_RESET, STAT_DEV_RESET);
	else if (level == RESET_TARGET)
		n = cmds_end(is_of_target, t, CMD_RESET, STAT_DEV_RESET);
	else
		n = cmds_end(is_of_port, &t->port, CMD_RESET, STAT_BUS_RESET);
	mutex_enter(&world.lock);
	world.n_reset += (uint64_t)n;
	t->was_reset = (1u << RANDOM_LUNS) - 1;
	scsi_hba_reset_notify_callback(&world.lock, &world.notify);
	mutex_exit(&world.lock);
	return 1;
}

static int
rnd_bus_reset(dev_info_t *dip, int level)
{
	(void)dip;
	(void)level;
	world.n_reset += (uint64_t)cmds_end(is_any, NULL, CMD_RESET, STAT_BUS_RESET);
	mutex_enter(&world.lock);
	scsi_hba_reset_notify_callback(&world.lock, &world.notify);
	mutex_exit(&world.lock);
	return 1;
}

static int
rnd_reset_notify(struct scsi_address *ap, int flag, void (*cb)(caddr_t), caddr_t arg)
{
	return scsi_hba_reset_notify_setup(ap, flag, cb, arg, &world.lock, &world.notify);
}

static int
rnd_quiesce(dev_info_t *dip)
{
	(void)dip;
	mutex_enter(&world.lock);
	world.is_quiesced = true;
	world.n_quiesce++;
	while (!TAILQ_EMPTY(&world.cmds))
		cv_wait(&world.cv, &world.lock);
	mutex_exit(&world.lock);
	return 0;
}

static int
rnd_unquiesce(dev_info_t *dip)
{
	(void)dip;
	mutex_enter(&world.lock);
	world.is_quiesced = false;
	mutex_exit(&world.lock);
	return 0;
}

static int
rnd_getcap(struct scsi_address *ap, char *cap, int whom)
{
	(void)ap;
	(void)whom;
	switch (scsi_hba_lookup_capstr(cap)) {
	case SCSI_CAP_CDB_LEN:
		return 16;
	case SCSI_CAP_ARQ:
	case SCSI_CAP_TAGGED_QING:
	case SCSI_CAP_LUN_RESET:
		return 1;
	default:
		return -1;
	}
}

static int
rnd_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	(void)ap;
	(void)value;
	(void)whom;
	return scsi_hba_lookup_capstr(cap) < 0 ? -1 : 0;
}

static int
rnd_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)arg;
	CMD(pkt)->is_queued = false;
	return callback == NULL_FUNC && random_chance(100) ? -1 : 0;
}

static void
rnd_teardown_pkt(struct scsi_pkt *pkt)
{
	ck_assert(!CMD(pkt)->is_queued);
}

/*
 * Targets.
 */

static int
rnd_tgt_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	const char *ua = scsi_device_unit_address(sd);
	size_t len = strcspn(ua, ",");

	(void)hba;
	(void)tgt;
	(void)tran;
	mutex_enter(&world.lock);
	for (int i = 0; i < RANDOM_PORTS * RANDOM_TARGETS; i++) {
		struct random_target *t = &world.target[i / RANDOM_TARGETS][i % RANDOM_TARGETS];

		if (strlen(t->addr) != len || strncmp(t->addr, ua, len) != 0 || !t->is_there)
			continue;
		scsi_device_hba_private_set(sd, t);
		world.n_tgt_init++;
		mutex_exit(&world.lock);
		return DDI_SUCCESS;
	}
	mutex_exit(&world.lock);
	return DDI_FAILURE;
}

static void
rnd_tgt_free(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct random_cmd *cmd;

	(void)hba;
	(void)tgt;
	(void)tran;
	mutex_enter(&world.lock);
	TAILQ_FOREACH(cmd, &world.cmds, link)
		ck_assert_msg(cmd->sd != sd, "O7: tgt_free with a command in the HBA");
	world.n_tgt_free++;
	mutex_exit(&world.lock);
}

static void
activate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	struct random_iport *iport = priv;

	(void)addr;
	(void)type;
	ck_assert_ptr_eq(*privp, &world.target);
	*privp = iport;
	world.n_activated++;
}

static boolean_t
deactivate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void *tgt_priv,
    scsi_tgtmap_deact_rsn_t why)
{
	(void)addr;
	(void)type;
	if (why == SCSI_TGT_DEACT_RSN_UNSTBL) {
		ck_assert_ptr_eq(tgt_priv, &world.target);
		return B_FALSE;
	}
	ck_assert_ptr_eq(tgt_priv, priv);
	world.n_deactivated++;
	return why == SCSI_TGT_DEACT_RSN_CFG_FAIL && random_chance(2);
}

static bool
is_full_set(const struct random_iport *iport)
{
	return iport->port % 2 == 0;
}

void
random_report(struct random_iport *iport)
{
	if (is_full_set(iport))
		ck_assert_int_eq(scsi_hba_tgtmap_set_begin(iport->map), DDI_SUCCESS);
	for (int i = 0; i < RANDOM_TARGETS; i++) {
		struct random_target *t = &world.target[iport->port][i];
		int r = DDI_SUCCESS;

		if (is_full_set(iport) && t->is_there)
			r = scsi_hba_tgtmap_set_add(iport->map, SCSI_TGT_SCSI_DEVICE, t->addr,
			    &world.target);
		else if (!is_full_set(iport) && t->is_there)
			r = scsi_hba_tgtmap_tgt_add(iport->map, SCSI_TGT_SCSI_DEVICE, t->addr,
			    &world.target);
		else if (!is_full_set(iport))
			r = scsi_hba_tgtmap_tgt_remove(iport->map, SCSI_TGT_SCSI_DEVICE,
			    t->addr);
		ck_assert_int_eq(r, DDI_SUCCESS);
	}
	if (!is_full_set(iport))
		return;
	/* some reports are taken back, some are never ended: the next one begins anew */
	if (random_chance(10))
		ck_assert_int_eq(scsi_hba_tgtmap_set_flush(iport->map), DDI_SUCCESS);
	else if (!random_chance(10))
		ck_assert_int_eq(scsi_hba_tgtmap_set_end(iport->map, 0), DDI_SUCCESS);
}

void
random_port_report(int port)
{
	mutex_enter(&world.lock);
	for (int i = 0; i < RANDOM_IPORTS; i++) {
		if (world.iport[i].map != NULL && world.iport[i].port == port)
			random_report(&world.iport[i]);
	}
	mutex_exit(&world.lock);
}

void
random_unplug(struct random_target *t)
{
	mutex_enter(&world.lock);
	t->is_there = false;
	mutex_exit(&world.lock);
	world.n_gone += (uint64_t)cmds_end(is_of_target, t, CMD_DEV_GONE, 0);
}

void
random_map_create(struct random_iport *iport)
{
	scsi_hba_tgtmap_t *map;

	ck_assert_int_eq(scsi_hba_tgtmap_create(iport->dip, is_full_set(iport) ?
	    SCSI_TM_FULLSET : SCSI_TM_PERADDR, RANDOM_SETTLE, RANDOM_SETTLE, iport, activate,
	    deactivate, &map), DDI_SUCCESS);
	mutex_enter(&world.lock);
	iport->map = map;
	random_report(iport);
	mutex_exit(&world.lock);
}

void
random_map_destroy(struct random_iport *iport)
{
	scsi_hba_tgtmap_t *map;

	mutex_enter(&world.lock);
	map = iport->map;
	iport->map = NULL;
	mutex_exit(&world.lock);
	scsi_hba_tgtmap_destroy(map);
}

/*
 * Phys and ports.
 */

static void
port_activate(void *priv, char *ua, void **privp)
{
	(void)priv;
	(void)privp;
	ck_assert_int_eq(scsi_hba_iportmap_iport_add(world.iportmap, ua, NULL), DDI_SUCCESS);
}

static void
port_deactivate(void *priv, char *ua, void *ua_priv)
{
	(void)priv;
	(void)ua_priv;
	ck_assert_int_eq(scsi_hba_iportmap_iport_remove(world.iportmap, ua), DDI_SUCCESS);
}

/* the remote port that an iport's name stands for; -1 when its phys are gone already */
static int
port_of_name(char *ua)
{
	if (ua[0] == 'v')
		return RANDOM_PORTS - 1;
	for (int port = 0; port < RANDOM_PHYPORTS; port++) {
		const char *name = sas_phymap_lookup_ua(world.phymap, LOCAL,
		    REMOTE + (unsigned int)port);

		if (name != NULL && strcmp(name, ua) == 0)
			return port;
	}
	return -1;
}

static int
iport_attach(dev_info_t *dip)
{
	int port = port_of_name(scsi_hba_iport_unit_address(dip));
	struct random_iport *iport = NULL;

	if (port < 0)
		return DDI_FAILURE;
	mutex_enter(&world.lock);
	for (int i = 0; i < RANDOM_IPORTS && iport == NULL; i++) {
		if (world.iport[i].dip == NULL)
			iport = &world.iport[i];
	}
	ck_assert_ptr_nonnull(iport);
	*iport = (struct random_iport){ .dip = dip, .port = port };
	world.n_iports++;
	mutex_exit(&world.lock);
	random_map_create(iport);
	return DDI_SUCCESS;
}

static int
iport_detach(dev_info_t *dip)
{
	struct random_iport *iport = NULL;

	mutex_enter(&world.lock);
	for (int i = 0; i < RANDOM_IPORTS; i++) {
		if (world.iport[i].dip == dip)
			iport = &world.iport[i];
	}
	ck_assert_ptr_nonnull(iport);
	mutex_exit(&world.lock);
	random_map_destroy(iport);
	iport->dip = NULL;
	return DDI_SUCCESS;
}

/*
 * attach, detach.
 */

static void
tran_fill(scsi_hba_tran_t *t)
{
	t->tran_start = rnd_start;
	t->tran_abort = rnd_abort;
	t->tran_reset = rnd_reset;
	t->tran_bus_reset = rnd_bus_reset;
	t->tran_reset_notify = rnd_reset_notify;
	t->tran_quiesce = rnd_quiesce;
	t->tran_unquiesce = rnd_unquiesce;
	t->tran_getcap = rnd_getcap;
	t->tran_setcap = rnd_setcap;
	t->tran_tgt_init = rnd_tgt_init;
	t->tran_tgt_free = rnd_tgt_free;
	t->tran_setup_pkt = rnd_setup_pkt;
	t->tran_teardown_pkt = rnd_teardown_pkt;
	t->tran_hba_len = (int)sizeof(struct random_cmd);
}

static int
rnd_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	ddi_dma_attr_t attr = {
		.dma_attr_version = DMA_ATTR_V0, .dma_attr_addr_hi = UINT64_MAX,
		.dma_attr_count_max = UINT32_MAX, .dma_attr_align = 1,
		.dma_attr_burstsizes = 1, .dma_attr_minxfer = 1,
		.dma_attr_maxxfer = UINT32_MAX, .dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = 64, .dma_attr_granular = 1,
	};

	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return iport_attach(dip);
	world.hba = dip;
	world.tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	tran_fill(world.tran);
	if (scsi_hba_attach_setup(dip, &attr, world.tran, SCSI_HBA_HBA | SCSI_HBA_ADDR_COMPLEX |
	    SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB) != DDI_SUCCESS) {
		scsi_hba_tran_free(world.tran);
		return DDI_FAILURE;
	}
	world.tq = ddi_taskq_create(dip, "rnd", 2, TASKQ_DEFAULTPRI, 0);
	ck_assert_int_eq(scsi_hba_iportmap_create(dip, RANDOM_SETTLE, RANDOM_SETTLE,
	    &world.iportmap), DDI_SUCCESS);
	ck_assert_int_eq(sas_phymap_create(dip, RANDOM_SETTLE, PHYMAP_MODE_SIMPLE, NULL, NULL,
	    port_activate, port_deactivate, &world.phymap), DDI_SUCCESS);
	tick(NULL);
	return DDI_SUCCESS;
}

static int
rnd_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return iport_detach(dip);
	sas_phymap_destroy(world.phymap);
	scsi_hba_iportmap_destroy(world.iportmap);
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	mutex_enter(&world.lock);
	world.is_stopping = true;
	mutex_exit(&world.lock);
	(void)untimeout(world.tick);
	ddi_taskq_destroy(world.tq);
	ck_assert(TAILQ_EMPTY(&world.cmds));
	ck_assert_ptr_null(world.notify);
	scsi_hba_tran_free(world.tran);
	return DDI_SUCCESS;
}

static struct dev_ops rnd_ops = {
	.devo_rev = DEVO_REV, .devo_probe = nulldev, .devo_attach = rnd_attach,
	.devo_detach = rnd_detach, .devo_reset = nodev,
};
static struct modldrv rnd_modldrv = { &mod_driverops, "random HBA", &rnd_ops };
static struct modlinkage rnd_modlinkage = { MODREV_1, { &rnd_modldrv, NULL } };

int
_init(void)
{
	return scsi_hba_init(&rnd_modlinkage) != 0 ? EINVAL : mod_install(&rnd_modlinkage);
}

int
_fini(void)
{
	int r = mod_remove(&rnd_modlinkage);

	if (r == 0)
		scsi_hba_fini(&rnd_modlinkage);
	return r;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&rnd_modlinkage, modinfop);
}

int
random_hba_init(void)
{
	return _init();
}

int
random_hba_fini(void)
{
	return _fini();
}
