#include "daemon/hba_pci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "hw/pci/arena.h"
#include "hw/pci/attach.h"

static const enum pci_via vias[CONFIG_BUS_N] = {
	[CONFIG_BUS_VFIO] = PCI_VIA_VFIO,
	[CONFIG_BUS_UIO] = PCI_VIA_UIO,
};

/* on a worker: the function goes back to the system, as when the daemon ends */
static void
release_work(struct lu_work *work)
{
	struct hba *hba = container_of(work, struct hba, release);

	(void)pthread_mutex_lock(&hba->life);
	if (hba_detach(hba))
		log_notice("%s: %s given back to the system", hba->name, hba->pci);
	hba->owner->changed(hba->owner->ctx, hba);
	hba->is_releasing = false;
	(void)pthread_cond_broadcast(&hba->released);
	(void)pthread_mutex_unlock(&hba->life);
}

static void
release_begin(struct hba *hba, const char *detail)
{
	if (hba->is_releasing)
		return;
	log_notice("%s: the system wants %s back: %s", hba->name, hba->pci, detail);
	hba->is_releasing = true;
	lu_exec_post(hba->owner->worker, &hba->release, release_work);
}

static void
fn_event(enum pci_event event, const char *detail, void *arg)
{
	struct hba *hba = arg;

	switch (event) {
	case PCI_EV_REQUEST:
		/* while it is being closed, under the lock, that waits for us: it comes
		 * again */
		if (pthread_mutex_trylock(&hba->life) != 0)
			return;
		release_begin(hba, detail);
		(void)pthread_mutex_unlock(&hba->life);
		break;
	case PCI_EV_ERROR:
		log_error("%s: %s has failed: %s", hba->name, hba->pci, detail);
		hba->owner->changed(hba->owner->ctx, hba);
		break;
	case PCI_EV_N:
		break;
	}
}

int
hba_pci_open(struct hba *hba, const struct config_hba *conf)
{
	const struct pci_attach_conf fn = {
		.address = conf->pci.address,
		.driver = hba->driver,
		.via = vias[conf->pci.bus],
		.allow_unsafe_dma = conf->pci.allow_unsafe_dma,
		.is_identity = conf->pci.is_identity,
		.pool_bytes = conf->pci.pool_bytes,
		.event = fn_event,
		.arg = hba,
	};
	char text[PCI_DETAIL_LEN] = "";
	int r = pci_attach_open(&fn, &hba->fn, text);

	if (r < 0) {
		(void)snprintf(hba->detail, sizeof(hba->detail), "%s: %s", conf->pci.address,
		    text[0] != '\0' ? text : strerror(-r));
		return r;
	}
	if (pci_arena_begin(PCI_ARENA_BYTES) < 0)
		log_warning("%s: data is copied: no memory that all adapters reach", hba->name);
	hba->dip = devi_ref(pci_attach_node(hba->fn));
	pci_attach_describe(hba->fn, hba->detail, sizeof(hba->detail));
	return 0;
}

void
hba_pci_close(struct hba *hba)
{
	if (hba->fn == NULL || pci_attach_close(hba->fn) < 0)
		return;
	hba->fn = NULL;
}

void
hba_pci_wait(struct hba *hba)
{
	(void)pthread_mutex_lock(&hba->life);
	while (hba->is_releasing)
		(void)pthread_cond_wait(&hba->released, &hba->life);
	(void)pthread_mutex_unlock(&hba->life);
}
