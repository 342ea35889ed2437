#include "scsa/smp.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/modctl.h>
#include <sys/scsi/scsi.h>

#include "ddi/devtree.h"
#include "ddi/driver.h"

#define DRIVER_NAME	"smp"

/* what the driver keeps for an expander; smp_sd_private */
struct expander {
	kmutex_t lock;		/* held for an exchange: one at a time */
};

static int
expander_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct smp_device *smp = ddi_get_driver_private(dip);
	struct expander *e;

	if (cmd != DDI_ATTACH || smp == NULL || smp_probe(smp) != DDI_PROBE_SUCCESS)
		return DDI_FAILURE;
	e = kmem_zalloc(sizeof(*e), KM_SLEEP);
	mutex_init(&e->lock, "smp", MUTEX_DRIVER, NULL);
	smp->smp_sd_private = e;
	ddi_report_dev(dip);
	return DDI_SUCCESS;
}

static int
expander_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct smp_device *smp = ddi_get_driver_private(dip);
	struct expander *e = smp->smp_sd_private;

	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	smp->smp_sd_private = NULL;
	mutex_destroy(&e->lock);
	kmem_free(e, sizeof(*e));
	return DDI_SUCCESS;
}

static struct dev_ops ops = {
	.devo_rev = DEVO_REV,
	.devo_attach = expander_attach,
	.devo_detach = expander_detach,
};

static char driver_text[] = "SMP target driver";

static struct modldrv modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = driver_text,
	.drv_dev_ops = &ops,
};

static struct modlinkage modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &modldrv, NULL },
};

static int
module_init(void)
{
	return mod_install(&modlinkage);
}

static int
module_fini(void)
{
	return mod_remove(&modlinkage);
}

int
scsa_smp_init(void)
{
	return driver_init(DRIVER_NAME, module_init, module_fini);
}

int
scsa_smp_fini(void)
{
	return driver_unload(DRIVER_NAME);
}

static bool
size_is_valid(size_t bytes)
{
	return bytes >= SMP_MIN_REQUEST_SIZE && bytes <= SMP_MAX_REQUEST_SIZE;
}

static int
expander_exchange(struct smp_device *smp, struct smp_pkt *pkt)
{
	struct expander *e = smp->smp_sd_private;
	int r;

	mutex_enter(&e->lock);
	pkt->smp_pkt_address = &smp->smp_sd_address;
	r = smp_transport(pkt);
	mutex_exit(&e->lock);
	return r == DDI_SUCCESS ? 0 : -(int)pkt->smp_pkt_reason;
}

int
scsa_smp_command(dev_info_t *dip, const void *req, size_t req_bytes, void *rsp,
    size_t rsp_bytes, unsigned int timeout_s)
{
	uint8_t frame[SMP_MAX_REQUEST_SIZE];
	struct smp_pkt pkt = {
		.smp_pkt_req = (caddr_t)frame,
		.smp_pkt_rsp = rsp,
		.smp_pkt_reqsize = req_bytes,
		.smp_pkt_rspsize = rsp_bytes,
		.smp_pkt_timeout = SMP_DEFAULT_TIMEOUT,
	};
	int r = -ENODEV;

	if (!size_is_valid(req_bytes) || !size_is_valid(rsp_bytes) || timeout_s > INT_MAX)
		return -EINVAL;
	/* drivers may write into a request; the caller's is not touched */
	memcpy(frame, req, req_bytes);
	if (timeout_s != 0)
		pkt.smp_pkt_timeout = (int)timeout_s;
	if (dip == NULL || !devi_hold(dip))
		return -ENODEV;
	if (devi_is_attached(dip) && devi_driver(dip) == driver_find(DRIVER_NAME))
		r = expander_exchange(ddi_get_driver_private(dip), &pkt);
	devi_release(dip);
	return r;
}
