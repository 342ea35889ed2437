#include <sys/scsi/scsi.h>

#include <errno.h>
#include <stdio.h>

#include "scsa/config_impl.h"

int
config_own(struct scsa_port *port, uint_t flags, ddi_bus_config_op_t op, const char *arg,
    dev_info_t **ret_child)
{
	dev_info_t *child = NULL;
	int r;

	port_config_enter(port);
	/* published as char *, and as read only by what it means */
	r = tran_call_bus_config(port->tran, port->dip, flags, op, (void *)(uintptr_t)arg, &child);
	port_config_exit(port);
	if (r != DDI_SUCCESS)
		return -ENXIO;
	if (op == BUS_CONFIG_ONE && child != NULL && ret_child != NULL)
		*ret_child = child;
	return 0;
}

int
config_own_one(struct scsa_port *port, const char *addr, dev_info_t **ret_child)
{
	char key[UA_LEN + 1];

	(void)snprintf(key, sizeof(key), "@%s", addr);
	return config_own(port, 0, BUS_CONFIG_ONE, key, ret_child);
}

int
unconfig_own(struct scsa_port *port, uint_t flags, ddi_bus_config_op_t op, const char *arg)
{
	int r;

	port_config_enter(port);
	r = tran_call_bus_unconfig(port->tran, port->dip, flags, op, (void *)(uintptr_t)arg);
	port_config_exit(port);
	return r == DDI_SUCCESS ? 0 : -EBUSY;
}

int
unconfig_own_one(struct scsa_port *port, const char *addr)
{
	char key[UA_LEN + 1];
	dev_info_t *child;
	int r;

	(void)snprintf(key, sizeof(key), "@%s", addr);
	child = devi_find(port->dip, key);
	if (child == NULL)
		return -ENOENT;
	r = unconfig_own(port, 0, BUS_UNCONFIG_ONE, key);
	devi_unref(child);
	return r;
}
