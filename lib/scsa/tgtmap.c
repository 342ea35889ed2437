#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "scsa/config_impl.h"
#include "scsa/maps.h"

/* a thread that enumerates a target, or takes it away; on that thread's stack */
struct turn {
	LIST_ENTRY(turn) link;
	const char *taddr;
};

/* one of the two sets */
struct tgtset {
	struct scsi_hba_tgtmap *map;
	scsi_tgtmap_tgt_type_t type;
	struct settle *settle;
};

struct scsi_hba_tgtmap {
	struct scsa_port *port;
	uint64_t settle_us;
	void *priv;
	scsi_tgt_activate_cb_t activate;
	scsi_tgt_deactivate_cb_t deactivate;
	struct csync csync;
	struct tgtset sets[SCSI_TGT_NTYPES];
	_Atomic bool has_gaps;		/* children of active addresses were unconfigured */
	kmutex_t lock;			/* turns */
	kcondvar_t cv;
	LIST_HEAD(, turn) turns;
};

/*
 * Turns.
 */

static void
turn_begin(struct scsi_hba_tgtmap *map, struct turn *mine, const char *taddr)
{
	struct turn *t;

	mine->taddr = taddr;
	mutex_enter(&map->lock);
	do {
		LIST_FOREACH(t, &map->turns, link) {
			if (strcmp(t->taddr, taddr) == 0)
				break;
		}
		if (t != NULL)
			cv_wait(&map->cv, &map->lock);
	} while (t != NULL);
	LIST_INSERT_HEAD(&map->turns, mine, link);
	mutex_exit(&map->lock);
}

static void
turn_end(struct scsi_hba_tgtmap *map, struct turn *mine)
{
	mutex_enter(&map->lock);
	LIST_REMOVE(mine, link);
	cv_broadcast(&map->cv);
	mutex_exit(&map->lock);
}

/*
 * What a set does with an address that has settled. The driver's callbacks take char *, and get
 * a copy: what they do to it is theirs.
 */

static bool
set_is_ready(void *arg)
{
	struct tgtset *set = arg;

	return devi_is_attached(set->map->port->dip);
}

static void
set_activate(void *arg, const char *addr, void **privp)
{
	struct tgtset *set = arg;
	struct scsi_hba_tgtmap *map = set->map;
	char text[SETTLE_ADDR_MAX + 1];

	(void)text_copy(text, sizeof(text), addr);
	TRACE(.kind = SCSA_EV_TGT_ACTIVATE, .dip = map->port->dip, .text = addr,
	    .arg = set->type);
	if (map->activate != NULL)
		map->activate(map->priv, text, set->type, privp);
	TRACE(.kind = SCSA_EV_TGT_ACTIVATE, .is_end = true, .dip = map->port->dip, .text = addr,
	    .arg = set->type, .pkt = *privp);
}

static void
set_deactivate(void *arg, const char *addr, void *priv, enum settle_end why)
{
	struct tgtset *set = arg;
	struct scsi_hba_tgtmap *map = set->map;
	char text[SETTLE_ADDR_MAX + 1];
	boolean_t will_return = B_FALSE;

	(void)text_copy(text, sizeof(text), addr);
	TRACE(.kind = SCSA_EV_TGT_DEACTIVATE, .dip = map->port->dip, .text = addr,
	    .arg = set->type, .result = why, .pkt = priv);
	if (map->deactivate != NULL)
		will_return = map->deactivate(map->priv, text, set->type, priv,
		    (scsi_tgtmap_deact_rsn_t)why);
	if (why == SETTLE_CFG_FAIL && !will_return)
		dev_err(map->port->dip, CE_NOTE, "nobody answers at reported address %s", addr);
	TRACE(.kind = SCSA_EV_TGT_DEACTIVATE, .is_end = true, .dip = map->port->dip,
	    .text = addr, .arg = set->type, .result = why, .pkt = priv);
}

static int
set_look(struct tgtset *set, const char *addr)
{
	struct scsi_hba_tgtmap *map = set->map;
	struct turn turn;
	int r;

	turn_begin(map, &turn, addr);
	r = lunmap_config(map->port, addr);
	turn_end(map, &turn);
	/* a unit that is gone is in use: look again later */
	if (r > 0)
		(void)settle_touch(set->settle, addr);
	return r;
}

static int
scsi_configure(void *arg, const char *addr, void *priv)
{
	int r = set_look(arg, addr);

	(void)priv;
	return r < 0 ? r : 0;
}

static void
scsi_refresh(void *arg, const char *addr, void *priv)
{
	struct tgtset *set = arg;

	(void)priv;
	TRACE(.kind = SCSA_EV_RESCAN, .dip = set->map->port->dip, .text = addr);
	(void)set_look(set, addr);
	TRACE(.kind = SCSA_EV_RESCAN, .is_end = true, .dip = set->map->port->dip, .text = addr);
}

static int
scsi_unconfigure(void *arg, const char *addr, void *priv)
{
	struct tgtset *set = arg;
	struct turn turn;
	int r;

	(void)priv;
	turn_begin(set->map, &turn, addr);
	r = lunmap_unconfig(set->map->port, addr, true);
	turn_end(set->map, &turn);
	return r;
}

static int
smp_configure(void *arg, const char *addr, void *priv)
{
	struct tgtset *set = arg;
	struct turn turn;
	int r;

	(void)priv;
	turn_begin(set->map, &turn, addr);
	r = smp_node_config(set->map->port, addr);
	turn_end(set->map, &turn);
	return r;
}

static int
smp_unconfigure(void *arg, const char *addr, void *priv)
{
	struct tgtset *set = arg;
	struct turn turn;
	int r;

	(void)priv;
	turn_begin(set->map, &turn, addr);
	r = smp_node_unconfig(set->map->port, addr);
	turn_end(set->map, &turn);
	return r;
}

static const struct settle_ops set_ops[SCSI_TGT_NTYPES] = {
	[SCSI_TGT_SCSI_DEVICE] = {
		.is_ready = set_is_ready,
		.activate = set_activate,
		.configure = scsi_configure,
		.unconfigure = scsi_unconfigure,
		.deactivate = set_deactivate,
		.refresh = scsi_refresh,
	},
	[SCSI_TGT_SMP_DEVICE] = {
		.is_ready = set_is_ready,
		.activate = set_activate,
		.configure = smp_configure,
		.unconfigure = smp_unconfigure,
		.deactivate = set_deactivate,
	},
};

/*
 * Life of a map.
 */

static int
sets_new(struct scsi_hba_tgtmap *map, scsi_tgtmap_mode_t mode)
{
	static const char *const names[SCSI_TGT_NTYPES] = { "tgtmap", "smpmap" };
	int enumeration = ddi_prop_get_int(DDI_DEV_T_ANY, map->port->dip, 0, "scsi-enumeration",
	    SCSI_ENUMERATION_ENABLE);
	bool is_serial = (enumeration & SCSI_ENUMERATION_MT_TARGET_DISABLE) != 0;
	int r = 0;

	for (int i = 0; i < SCSI_TGT_NTYPES && r == 0; i++) {
		struct settle_conf conf = {
			.name = names[i],
			.mode = mode == SCSI_TM_FULLSET ? SETTLE_FULLSET : SETTLE_PERADDR,
			.settle_us = (uint32_t)map->settle_us,
			.helpers = is_serial ? 1 : SETTLE_HELPERS_MAX,
			.ops = &set_ops[i],
			.arg = &map->sets[i],
		};

		map->sets[i].map = map;
		map->sets[i].type = (scsi_tgtmap_tgt_type_t)i;
		r = settle_new(&conf, &map->sets[i].settle);
	}
	return r;
}

static void
tgtmap_free(struct scsi_hba_tgtmap *map)
{
	for (int i = 0; i < SCSI_TGT_NTYPES; i++)
		settle_free(map->sets[i].settle);
	cv_destroy(&map->cv);
	mutex_destroy(&map->lock);
	kmem_free(map, sizeof(*map));
}

int
scsi_hba_tgtmap_create(dev_info_t *iport_dip, scsi_tgtmap_mode_t mode, int csync_usec,
    int settle_usec, void *tgtmap_priv, scsi_tgt_activate_cb_t activate_cb,
    scsi_tgt_deactivate_cb_t deactivate_cb, scsi_hba_tgtmap_t **ret_map)
{
	struct scsa_port *port = port_of(iport_dip);
	struct scsi_hba_tgtmap *map;

	if (port == NULL || !port->is_iport || port->tran->tran_tgtmap != NULL ||
	    ret_map == NULL || csync_usec <= 0 || settle_usec <= 0)
		return DDI_FAILURE;
	if (mode != SCSI_TM_FULLSET && mode != SCSI_TM_PERADDR)
		return DDI_FAILURE;
	map = kmem_zalloc(sizeof(*map), KM_SLEEP);
	map->port = port;
	map->settle_us = (uint32_t)settle_usec;
	map->priv = tgtmap_priv;
	map->activate = activate_cb;
	map->deactivate = deactivate_cb;
	csync_open(&map->csync, (uint32_t)csync_usec);
	mutex_init(&map->lock, "tgtmap", MUTEX_DRIVER, NULL);
	cv_init(&map->cv, "tgtmap", CV_DRIVER, NULL);
	if (sets_new(map, mode) < 0) {
		tgtmap_free(map);
		return DDI_FAILURE;
	}
	/* names of targets are no SPI numbers: compatible names of the general form are
	 * right */
	(void)ndi_prop_remove(DDI_DEV_T_NONE, iport_dip, "scsi-binding-set");
	TRACE(.kind = SCSA_EV_MAP_CREATE, .tran = port->tran, .dip = iport_dip);
	port->tran->tran_tgtmap = map;
	*ret_map = map;
	return DDI_SUCCESS;
}

void
scsi_hba_tgtmap_destroy(scsi_hba_tgtmap_t *map)
{
	struct scsa_port *port;

	if (map == NULL)
		return;
	port = map->port;
	/* both are closed before either is freed: reports may still come, and are refused */
	for (int i = 0; i < SCSI_TGT_NTYPES; i++) {
		if (settle_close(map->sets[i].settle) < 0)
			return;
	}
	port->tran->tran_tgtmap = NULL;
	TRACE(.kind = SCSA_EV_MAP_DESTROY, .tran = port->tran, .dip = port->dip);
	tgtmap_free(map);
}

/*
 * Reports.
 */

static int
report_result(int r)
{
	return r < 0 ? DDI_FAILURE : DDI_SUCCESS;
}

/* one action on both sets */
static int
both_sets(scsi_hba_tgtmap_t *map, int (*fn)(struct settle *s))
{
	int r = 0;

	if (map == NULL)
		return DDI_FAILURE;
	for (int i = 0; i < SCSI_TGT_NTYPES && r == 0; i++)
		r = fn(map->sets[i].settle);
	return report_result(r);
}

/* can @addr be part of a unit address, and is there a set for it? */
static bool
report_is_valid(const scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t type, const char *addr)
{
	if (map == NULL || addr == NULL)
		return false;
	if (type != SCSI_TGT_SCSI_DEVICE && type != SCSI_TGT_SMP_DEVICE)
		return false;
	return addr[0] != '\0' && strpbrk(addr, "/@,") == NULL;
}

int
scsi_hba_tgtmap_set_begin(scsi_hba_tgtmap_t *map)
{
	return both_sets(map, settle_begin);
}

int
scsi_hba_tgtmap_set_add(scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t tgt_type, char *tgt_addr,
    void *tgt_priv)
{
	if (!report_is_valid(map, tgt_type, tgt_addr))
		return DDI_FAILURE;
	return report_result(settle_add(map->sets[tgt_type].settle, tgt_addr, tgt_priv));
}

int
scsi_hba_tgtmap_set_end(scsi_hba_tgtmap_t *map, uint_t flags)
{
	return flags != 0 ? DDI_FAILURE : both_sets(map, settle_end);
}

int
scsi_hba_tgtmap_set_flush(scsi_hba_tgtmap_t *map)
{
	return both_sets(map, settle_flush);
}

int
scsi_hba_tgtmap_tgt_add(scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t tgt_type, char *tgt_addr,
    void *tgt_priv)
{
	if (!report_is_valid(map, tgt_type, tgt_addr))
		return DDI_FAILURE;
	return report_result(settle_report(map->sets[tgt_type].settle, tgt_addr, tgt_priv));
}

int
scsi_hba_tgtmap_tgt_remove(scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t tgt_type,
    char *tgt_addr)
{
	if (!report_is_valid(map, tgt_type, tgt_addr))
		return DDI_FAILURE;
	return report_result(settle_withdraw(map->sets[tgt_type].settle, tgt_addr));
}

void
scsi_hba_tgtmap_scan_luns(scsi_hba_tgtmap_t *map, char *tgt_addr)
{
	if (map == NULL || tgt_addr == NULL)
		return;
	TRACE(.kind = SCSA_EV_SCAN_LUNS, .dip = map->port->dip, .text = tgt_addr);
	(void)settle_touch(map->sets[SCSI_TGT_SCSI_DEVICE].settle, tgt_addr);
	TRACE(.kind = SCSA_EV_SCAN_LUNS, .is_end = true, .dip = map->port->dip,
	    .text = tgt_addr);
}

/*
 * Completions that tell of changed LUNs.
 */

/* 3F/0E: reported LUNs data has changed. 25/00: no such logical unit; from the framework's own
 * commands that is an answer, not news */
static bool
sense_tells(struct scsi_pkt *pkt)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;
	uint8_t *sense = (uint8_t *)&arq->sts_sensedata;
	struct scsa_pkt *sp = pkt_framework(pkt);
	uint8_t key, asc, ascq;

	if (pkt->pkt_scblen < sizeof(*arq) || arq->sts_rqpkt_reason != CMD_CMPLT ||
	    scsi_validate_sense(sense, SENSE_LENGTH, NULL) == SENSE_UNUSABLE)
		return false;
	key = scsi_sense_key(sense);
	asc = scsi_sense_asc(sense);
	ascq = scsi_sense_ascq(sense);
	if (key == KEY_UNIT_ATTENTION && asc == 0x3f && ascq == 0x0e)
		return true;
	return key == KEY_ILLEGAL_REQUEST && asc == 0x25 && ascq == 0x00 && sp != NULL &&
	    sp->waiter == NULL;
}

void
tgtmap_watch(struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = pkt->pkt_address.a_hba_tran;
	struct scsi_device *sd;
	char taddr[UA_LEN], *comma;

	if (tran->tran_tgtmap == NULL || !port_is_complex(tran) || pkt->pkt_scbp == NULL ||
	    pkt->pkt_reason != CMD_CMPLT || *pkt->pkt_scbp != STATUS_CHECK || !sense_tells(pkt))
		return;
	sd = pkt->pkt_address.a.a_sd;
	if (sd->sd_dev == NULL || ddi_get_name_addr(sd->sd_dev) == NULL)
		return;
	(void)text_copy(taddr, sizeof(taddr), ddi_get_name_addr(sd->sd_dev));
	comma = strchr(taddr, ',');
	if (comma != NULL)
		*comma = '\0';
	scsi_hba_tgtmap_scan_luns(tran->tran_tgtmap, taddr);
}

/*
 * Requests of the process for devices.
 */

void
tgtmap_config_all(struct scsa_port *port)
{
	struct scsi_hba_tgtmap *map = port->tran->tran_tgtmap;
	struct settle *scsi = map->sets[SCSI_TGT_SCSI_DEVICE].settle;

	csync_wait_all(&map->csync, scsi, map->settle_us);
	if (!atomic_exchange(&map->has_gaps, false))
		return;
	settle_touch_all(scsi);
	csync_wait_all(&map->csync, scsi, map->settle_us);
}

/* the target part of "taddr,lun" */
static int
taddr_of(const char *addr, char *taddr, size_t size)
{
	size_t len = strcspn(addr, ",");

	if (len == 0 || len >= size)
		return -EINVAL;
	memcpy(taddr, addr, len);
	taddr[len] = '\0';
	return 0;
}

/* it has no node, but its target is active: it was unconfigured, or is no unit */
static int
tgtmap_look_for(struct scsi_hba_tgtmap *map, const char *addr, dev_info_t **ret_dip)
{
	char taddr[UA_LEN];
	struct turn turn;
	int r = taddr_of(addr, taddr, sizeof(taddr));

	if (r < 0)
		return r;
	if (!settle_is_up(map->sets[SCSI_TGT_SCSI_DEVICE].settle, taddr))
		return -ENXIO;
	turn_begin(map, &turn, taddr);
	if (strcmp(addr + strlen(taddr), ",*") == 0)
		r = lunmap_config(map->port, taddr);
	else
		r = port_config_one(map->port, addr, ret_dip);
	turn_end(map, &turn);
	return r < 0 ? r : 0;
}

int
tgtmap_config_one(struct scsa_port *port, const char *addr, dev_info_t **ret_dip)
{
	struct scsi_hba_tgtmap *map = port->tran->tran_tgtmap;
	bool is_smp = strchr(addr, ',') == NULL;
	struct settle *set = map->sets[is_smp ? SCSI_TGT_SMP_DEVICE :
	    SCSI_TGT_SCSI_DEVICE].settle;
	char key[UA_LEN + 1];
	dev_info_t *child;

	if (addr[0] == '\0' || strlen(addr) >= UA_LEN)
		return -EINVAL;
	(void)snprintf(key, sizeof(key), "@%s", addr);
	child = csync_wait_one(&map->csync, set, map->settle_us, port->dip, key);
	if (child == NULL)
		return is_smp ? -ENXIO : tgtmap_look_for(map, addr, ret_dip);
	if (ret_dip != NULL)
		*ret_dip = child;
	devi_unref(child);
	return 0;
}

int
tgtmap_unconfig_one(struct scsa_port *port, const char *addr)
{
	struct scsi_hba_tgtmap *map = port->tran->tran_tgtmap;
	char taddr[UA_LEN], key[UA_LEN + 1];
	struct turn turn;
	dev_info_t *child;
	int r = -ENOENT;

	if (taddr_of(addr, taddr, sizeof(taddr)) < 0)
		return -ENOENT;
	(void)snprintf(key, sizeof(key), "@%s", addr);
	turn_begin(map, &turn, taddr);
	child = devi_find(port->dip, key);
	if (child != NULL) {
		atomic_store(&map->has_gaps, true);
		r = child_remove(child);
		devi_unref(child);
	}
	turn_end(map, &turn);
	return r;
}

/* all children of a target, of both kinds */
static int
target_unconfig(struct scsi_hba_tgtmap *map, const char *taddr)
{
	struct turn turn;
	int r, r_smp;

	turn_begin(map, &turn, taddr);
	r = lunmap_unconfig(map->port, taddr, false);
	r_smp = smp_node_unconfig(map->port, taddr);
	turn_end(map, &turn);
	return r < 0 ? r : r_smp;
}

int
tgtmap_unconfig_all(struct scsa_port *port)
{
	struct scsi_hba_tgtmap *map = port->tran->tran_tgtmap;
	char addr[SETTLE_ADDR_MAX + 1];
	int r = 0;

	atomic_store(&map->has_gaps, true);
	for (int i = 0; i < SCSI_TGT_NTYPES; i++) {
		const char *after = NULL;

		while (settle_next_up(map->sets[i].settle, after, addr)) {
			if (target_unconfig(map, addr) < 0)
				r = -EBUSY;
			after = addr;
		}
	}
	return r;
}

int
tgtmap_clear(struct scsa_port *port)
{
	struct scsi_hba_tgtmap *map = port->tran->tran_tgtmap;
	int r = 0;

	for (int i = 0; i < SCSI_TGT_NTYPES; i++) {
		if (settle_clear(map->sets[i].settle) < 0)
			r = -EBUSY;
	}
	return r;
}

void
tgtmap_pause(struct scsa_port *port, bool is_paused)
{
	struct scsi_hba_tgtmap *map = port->tran->tran_tgtmap;

	for (int i = 0; i < SCSI_TGT_NTYPES; i++)
		settle_pause(map->sets[i].settle, is_paused);
}
