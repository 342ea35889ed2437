#include <sys/scsi/scsi.h>

#include <errno.h>

#include "scsa/scsa_impl.h"

/* the port of an HBA node whose driver is attached */
static struct scsa_port *
control_hba(dev_info_t *dip)
{
	struct scsa_port *port = port_of(dip);

	return port != NULL && !port->is_iport && devi_is_attached(dip) ? port : NULL;
}

static int
quiesce_to(dev_info_t *hba_dip, bool want_quiet)
{
	struct scsa_port *port = control_hba(hba_dip);
	struct scsi_hba_tran *tran;
	int r = 0;

	if (port == NULL)
		return -ENODEV;
	tran = port->tran;
	if (tran->tran_quiesce == NULL || tran->tran_unquiesce == NULL ||
	    ddi_prop_exists(DDI_DEV_T_ANY, hba_dip, DDI_PROP_DONTPASS, "scsi-no-quiesce"))
		return -ENOTSUP;

	/* two at once would both find the old state: enumeration's turn-taking serves here
	 * too */
	port_config_enter(port);
	if (port->is_quiesced == want_quiet)
		r = -EALREADY;
	else if ((want_quiet ? tran_call_quiesce(tran) : tran_call_unquiesce(tran)) != 0)
		r = -EIO;
	else
		port->is_quiesced = want_quiet;
	port_config_exit(port);
	return r;
}

int
scsa_bus_quiesce(dev_info_t *hba_dip)
{
	return quiesce_to(hba_dip, true);
}

int
scsa_bus_unquiesce(dev_info_t *hba_dip)
{
	return quiesce_to(hba_dip, false);
}

int
scsa_bus_reset(dev_info_t *hba_dip)
{
	struct scsa_port *port = control_hba(hba_dip);

	if (port == NULL)
		return -ENODEV;
	if (port->tran->tran_bus_reset == NULL)
		return -ENOTSUP;
	return tran_call_bus_reset(port->tran, RESET_BUS) == 1 ? 0 : -EIO;
}

int
scsa_hba_reset(dev_info_t *hba_dip)
{
	struct scsa_port *port = control_hba(hba_dip);

	if (port == NULL)
		return -ENODEV;
	if (port->tran->tran_bus_reset == NULL)
		return -ENOTSUP;
	if (tran_call_bus_reset(port->tran, RESET_ALL) == 1)
		return 0;
	return scsa_bus_reset(hba_dip);
}

int
scsa_control_open(dev_info_t *hba_dip, bool is_excl)
{
	struct scsa_port *port = control_hba(hba_dip);
	int r = 0;

	if (port == NULL)
		return -ENODEV;
	mutex_enter(&port->tran->tran_open_lock);
	if (port->is_excl || (is_excl && port->tran->tran_open_flag != 0)) {
		r = -EBUSY;
	} else {
		port->tran->tran_open_flag++;
		port->is_excl = is_excl;
	}
	mutex_exit(&port->tran->tran_open_lock);
	return r;
}

void
scsa_control_close(dev_info_t *hba_dip)
{
	struct scsa_port *port = control_hba(hba_dip);

	if (port == NULL)
		return;
	mutex_enter(&port->tran->tran_open_lock);
	if (port->tran->tran_open_flag > 0)
		port->tran->tran_open_flag--;
	port->is_excl = false;
	mutex_exit(&port->tran->tran_open_lock);
}

int
scsa_stats_get(dev_info_t *dip, struct scsa_stats *ret)
{
	struct scsa_port *port = port_of(dip);

	if (port == NULL)
		return -ENODEV;
	*ret = (struct scsa_stats){
		.busy = atomic_load(&port->busy),
		.refused = atomic_load(&port->refused),
		.double_comp = atomic_load(&port->double_comp),
		.direct_comp = atomic_load(&port->direct_comp),
		.bad_destroy = atomic_load(&port->bad_destroy),
		.no_packet = atomic_load(&port->no_packet),
	};
	return 0;
}
