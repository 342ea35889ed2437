#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "scsa/config_impl.h"
#include "scsa/maps.h"

#define LUN_HELPERS	8	/* units of one target that are looked at at the same time */

/* one unit to be configured by a helper */
struct lun_job {
	struct target_scan *scan;
	struct scsa_port *port;
	scsi_lun64_t lun;
};

/*
 * The list of REPORT LUNS, in order, each number once: what the device sent may be anything.
 */

static int
lun_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
scan_sort(struct target_scan *scan)
{
	size_t n = 0;

	if (scan->n == 0)
		return;
	qsort(scan->luns, scan->n, sizeof(*scan->luns), lun_compare);
	for (size_t i = 0; i < scan->n; i++) {
		if (n == 0 || scan->luns[i] != scan->luns[n - 1])
			scan->luns[n++] = scan->luns[i];
	}
	scan->n = n;
}

static bool
scan_has(const struct target_scan *scan, scsi_lun64_t lun)
{
	uint64_t key = (uint64_t)lun;

	return scan->n != 0 && bsearch(&key, scan->luns, scan->n, sizeof(*scan->luns),
	    lun_compare) != NULL;
}

/*
 * Units that are there.
 */

static void
lun_job_run(void *arg)
{
	struct lun_job *job = arg;

	(void)scan_unit(job->scan, job->port, job->lun, SFUNC_NONE);
}

static ddi_taskq_t *
lun_helpers(const struct scsa_port *port, size_t n)
{
	int enumeration = ddi_prop_get_int(DDI_DEV_T_ANY, port->dip, 0, "scsi-enumeration",
	    SCSI_ENUMERATION_ENABLE);

	if (n < 2 || (enumeration & SCSI_ENUMERATION_MT_LUN_DISABLE) != 0)
		return NULL;
	return ddi_taskq_create(NULL, "luns", (int)(n < LUN_HELPERS ? n : LUN_HELPERS),
	    TASKQ_DEFAULTPRI, 0);
}

static void
luns_config(struct scsa_port *port, struct target_scan *scan)
{
	size_t bytes = scan->n * sizeof(struct lun_job);
	struct lun_job *jobs = kmem_alloc(bytes, KM_SLEEP);
	ddi_taskq_t *tq = lun_helpers(port, scan->n);

	for (size_t i = 0; i < scan->n; i++) {
		if (scan->luns[i] == 0)
			continue;
		jobs[i] = (struct lun_job){ scan, port, (scsi_lun64_t)scan->luns[i] };
		if (tq == NULL ||
		    ddi_taskq_dispatch(tq, lun_job_run, &jobs[i], DDI_SLEEP) != DDI_SUCCESS)
			lun_job_run(&jobs[i]);
	}
	if (tq != NULL)
		ddi_taskq_destroy(tq);
	kmem_free(jobs, bytes);
}

/* a device older than REPORT LUNS, or one that refuses it: one LUN after the other */
static void
luns_config_old(struct scsa_port *port, struct target_scan *scan)
{
	unsigned int limit = luns_old_limit(port->dip, &scan->inq);

	for (unsigned int lun = 1; scan->inq.inq_ansi < 3 && lun < limit; lun++)
		(void)scan_unit(scan, port, lun, SFUNC_NONE);
}

/*
 * Units that are gone.
 */

/* does the child belong to the target, and as which unit? */
static bool
child_of(dev_info_t *child, const char *taddr, scsi_lun64_t *ret_lun, int *ret_sfunc)
{
	const uint_t flags = DDI_PROP_DONTPASS;
	char *text;
	bool is_mine;

	if (smp_node_is(child) || ddi_prop_lookup_string(DDI_DEV_T_ANY, child, flags,
	    "target-port", &text) != DDI_PROP_SUCCESS)
		return false;
	is_mine = strcmp(text, taddr) == 0;
	ddi_prop_free(text);
	*ret_lun = ddi_prop_get_int64(DDI_DEV_T_ANY, child, flags, "lun64", 0);
	*ret_sfunc = ddi_prop_get_int(DDI_DEV_T_ANY, child, flags, "sfunc", SFUNC_NONE);
	return is_mine;
}

/* INQUIRY of an attached unit: does it say that there is none any more? Silence is no answer */
static bool
unit_says_gone(dev_info_t *child)
{
	struct scsi_inquiry inq = { 0 };
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	struct buf *bp;
	bool is_gone = false;

	if (!devi_hold(child))
		return false;
	sd = devi_is_attached(child) ? ddi_get_driver_private(child) : NULL;
	if (sd != NULL && probe_alloc(sd, SUN_INQSIZE, CDB_GROUP0, SLEEP_FUNC, &bp, &pkt)) {
		pkt->pkt_cdbp[0] = SCMD_INQUIRY;
		pkt->pkt_cdbp[4] = (uchar_t)SUN_INQSIZE;
		if (probe_run(pkt) == TRAN_ACCEPT && pkt->pkt_reason == CMD_CMPLT &&
		    *pkt->pkt_scbp == STATUS_GOOD &&
		    pkt->pkt_resid <= (ssize_t)(SUN_INQSIZE - SUN_MIN_INQLEN)) {
			memcpy(&inq, bp->b_un.b_addr, SUN_INQSIZE);
			is_gone = !inq_is_unit(&inq, 0, SFUNC_NONE);
		}
		scsi_destroy_pkt(pkt);
		scsi_free_consistent_buf(bp);
	}
	devi_release(child);
	return is_gone;
}

static bool
unit_is_gone(const struct target_scan *scan, dev_info_t *child, scsi_lun64_t lun, int sfunc)
{
	if (sfunc != SFUNC_NONE)
		return !scan->inq.inq_encserv;
	/* a list without LUN 0 is legal: the unit itself knows */
	if (lun == 0)
		return scan->luns != NULL && !scan_has(scan, 0) && unit_says_gone(child);
	if (scan->luns == NULL)
		return unit_says_gone(child);
	return !scan_has(scan, lun);
}

/* 0, or 1 when something stayed that should go */
static int
luns_remove_gone(struct scsa_port *port, const struct target_scan *scan)
{
	dev_info_t **children;
	scsi_lun64_t lun;
	size_t n;
	int sfunc, r = 0;

	children = children_ref(port->dip, &n);
	for (size_t i = 0; i < n; i++) {
		bool is_gone = child_of(children[i], scan->taddr, &lun, &sfunc) &&
		    unit_is_gone(scan, children[i], lun, sfunc);

		if (is_gone && child_remove(children[i]) < 0)
			r = 1;
		devi_unref(children[i]);
	}
	kmem_free(children, n * sizeof(dev_info_t *));
	return r;
}

int
lunmap_config(struct scsa_port *port, const char *taddr)
{
	struct target_scan scan;
	int r = scan_target(&scan, port, taddr, true);

	if (r < 0)
		return r;
	/* a LUN 0 that is no unit has answered all the same, and tells of others */
	(void)scan_unit(&scan, port, 0, SFUNC_NONE);
	if (scan.inq.inq_encserv && scan.inq.inq_ansi >= 3 &&
	    (scan.inq.inq_dtype & DTYPE_MASK) != DTYPE_ESI)
		(void)scan_unit(&scan, port, 0, SFUNC_ENCLOSURE);
	scan_sort(&scan);
	if (scan.luns == NULL)
		luns_config_old(port, &scan);
	else if (scan.n != 0)
		luns_config(port, &scan);
	r = luns_remove_gone(port, &scan);
	scan_fini(&scan);
	return r;
}

/* what its target driver waits for will not come */
static void
unit_clear(dev_info_t *child)
{
	struct scsi_device *sd;

	if (!devi_hold(child))
		return;
	sd = devi_is_attached(child) ? ddi_get_driver_private(child) : NULL;
	if (sd != NULL)
		(void)scsi_clear_task_set(&sd->sd_address);
	devi_release(child);
}

int
lunmap_unconfig(struct scsa_port *port, const char *taddr, bool is_gone)
{
	dev_info_t **children;
	scsi_lun64_t lun;
	size_t n;
	int sfunc, r = 0;

	children = children_ref(port->dip, &n);
	/* LUN 0 was first, and goes last */
	for (size_t i = n; i-- > 0;) {
		bool is_mine = child_of(children[i], taddr, &lun, &sfunc);

		if (is_mine && child_remove(children[i]) < 0) {
			if (is_gone)
				unit_clear(children[i]);
			r = -EBUSY;
		}
		devi_unref(children[i]);
	}
	kmem_free(children, n * sizeof(dev_info_t *));
	return r;
}
