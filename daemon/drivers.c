#include "daemon/drivers.h"

#include <stdio.h>
#include <string.h>

#include "hw/iscsi/iscsi_hba.h"
#include "hw/mptsas/module.h"
#include "hw/pvscsi/module.h"
#include "hw/soft/soft.h"
#include "hw/virtio_scsi/module.h"

#define KEYS(...) \
	.keys = (const struct driver_key[]){ __VA_ARGS__ }, \
	.n_keys = sizeof((const struct driver_key[]){ __VA_ARGS__ }) / sizeof(struct driver_key)
#define IDS(...) \
	.ids = (const struct driver_id[]){ __VA_ARGS__ }, \
	.n_ids = sizeof((const struct driver_id[]){ __VA_ARGS__ }) / sizeof(struct driver_id)

_Static_assert(ISCSI_HBA_ERR_LEN <= DRIVER_ERR_LEN, "what the driver says has to fit");

static int
iscsi_check(const char *key, const char *text, char *reterr)
{
	struct iscsi_hba_target target;
	int r;

	if (strcmp(key, "initiator") == 0)
		return iscsi_hba_name_check(text, reterr);
	r = iscsi_hba_target_parse(text, &target, reterr);
	if (r == 0)
		iscsi_hba_target_wipe(&target);
	return r;
}

static const struct hba_driver rows[] = {
	{
		.name = SOFT_DRIVER, .what = "software HBA", .where = DRIVER_SOFT,
		.init = soft_mod_init, .fini = soft_mod_fini,
		KEYS({ "ports", NULL, DRIVER_OWN, 0, 0 }, { "disks", NULL, DRIVER_OWN, 0, 0 },
		    { "expanders", NULL, DRIVER_OWN, 0, 0 },
		    { "dynamic", NULL, DRIVER_OWN, 0, 0 }),
	},
	{
		.name = VIRTIO_SCSI_DRIVER, .what = "virtio SCSI", .where = DRIVER_PCI,
		.init = virtio_scsi_mod_init, .fini = virtio_scsi_mod_fini,
		IDS({ 0x1af4, 0x1048 }, { 0x1af4, 0x1004 }),
		KEYS({ "queues", "virtio-scsi-queues", DRIVER_NUMBER, 0, 64 }),
	},
	{
		.name = MPTSAS_DRIVER, .what = "Fusion-MPT SAS", .where = DRIVER_PCI,
		.init = mptsas_mod_init, .fini = mptsas_mod_fini,
		IDS({ 0x1000, 0x0050 }, { 0x1000, 0x0054 }, { 0x1000, 0x0056 },
		    { 0x1000, 0x0058 }, { 0x1000, 0x005a }, { 0x1000, 0x005e },
		    { 0x1000, 0x0062 }),
		KEYS({ "topology_poll_ms", "topology-poll-ms", DRIVER_NUMBER, 0, 3600000 }),
	},
	{
		.name = PVSCSI_DRIVER, .what = "VMware paravirtual SCSI", .where = DRIVER_PCI,
		.init = pvscsi_mod_init, .fini = pvscsi_mod_fini,
		IDS({ 0x15ad, 0x07c0 }),
		KEYS({ "ring_pages", "ring-pages", DRIVER_NUMBER, 1, 32 },
		    { "scan_interval_s", "scan-interval", DRIVER_NUMBER, 0, 86400 }),
	},
	{
		.name = ISCSI_HBA_DRIVER, .what = "iSCSI initiator", .where = DRIVER_ROOT,
		.init = iscsi_mod_init, .fini = iscsi_mod_fini, .check = iscsi_check,
		KEYS({ "targets", ISCSI_HBA_PROP_TARGETS, DRIVER_TEXTS, 0, 0 },
		    { "initiator", ISCSI_HBA_PROP_NAME, DRIVER_TEXT, 0, 0 }),
	},
};

size_t
driver_row_count(void)
{
	return ARRAY_LEN(rows);
}

const struct hba_driver *
driver_row(size_t i)
{
	return &rows[i];
}

const struct hba_driver *
driver_row_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const struct hba_driver *
driver_row_of_pci(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; k < rows[i].n_ids; k++)
			if (rows[i].ids[k].vendor == vendor && rows[i].ids[k].device == device)
				return &rows[i];
	return NULL;
}

const struct driver_key *
driver_row_key(const struct hba_driver *row, const char *key)
{
	for (size_t i = 0; i < row->n_keys; i++)
		if (strcmp(row->keys[i].key, key) == 0)
			return &row->keys[i];
	return NULL;
}

char *
driver_row_names(enum driver_where where, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((where == DRIVER_WHERE_N || rows[i].where == where) && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s",
			    len > 0 ? ", " : "", rows[i].name);
	return buf;
}
