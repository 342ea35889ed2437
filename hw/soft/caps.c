/* capabilities: one row each */
#include "hw/soft/soft_impl.h"

#define CAP_UNDEFINED	(-1)
#define CAP_UNSET	(-1)

/* what getcap says until setcap says otherwise, and what setcap may say */
static const struct {
	int value;
	bool can_set;
	int min, max;
} cap_rows[SCSI_CAP_N] = {
	[SCSI_CAP_DMA_MAX] = { .value = DISK_XFER_MAX },
	[SCSI_CAP_MSG_OUT] = { .value = 1 },
	[SCSI_CAP_DISCONNECT] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_SYNCHRONOUS] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_WIDE_XFER] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_PARITY] = { .value = 1 },
	[SCSI_CAP_INITIATOR_ID] = { .value = SOFT_INITIATOR_ID },
	[SCSI_CAP_UNTAGGED_QING] = { .value = 1 },
	[SCSI_CAP_TAGGED_QING] = { .value = 1, .can_set = true, .max = 1 },
	/* always on; only a short status block switches it off, for one packet */
	[SCSI_CAP_ARQ] = { .value = 1, .can_set = true, .min = 1, .max = 1 },
	[SCSI_CAP_LINKED_CMDS] = { .value = 0 },
	[SCSI_CAP_SECTOR_SIZE] = { .value = 512, .can_set = true, .min = 1, .max = 65536 },
	[SCSI_CAP_TOTAL_SECTORS] = { .value = -1, .can_set = true, .max = INT32_MAX },
	[SCSI_CAP_GEOMETRY] = { .value = 255 << 16 | 63 },
	[SCSI_CAP_RESET_NOTIFICATION] = { .value = 1 },
	[SCSI_CAP_QFULL_RETRIES] = { .value = 0, .can_set = true, .max = 255 },
	[SCSI_CAP_QFULL_RETRY_INTERVAL] = { .value = 0, .can_set = true, .max = 1000 },
	[SCSI_CAP_SCSI_VERSION] = { .value = SCSI_VERSION_3 },
	[SCSI_CAP_INTERCONNECT_TYPE] = { .value = INTERCONNECT_PARALLEL },
	[SCSI_CAP_LUN_RESET] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_CDB_LEN] = { .value = SOFT_CDB_MAX },
	[SCSI_CAP_DMA_MAX_ARCH] = { .value = CAP_UNDEFINED },	/* the framework's */
	[SCSI_CAP_TRAN_LAYER_RETRIES] = { .value = 0 },
};

void
soft_caps_init(atomic_int caps[SCSI_CAP_N])
{
	for (unsigned int i = 0; i < SCSI_CAP_N; i++)
		atomic_init(&caps[i], CAP_UNSET);
}

/* where the values of @ap are: its unit; the adapter for all, and for units that are absent */
static atomic_int *
soft_caps(struct scsi_address *ap, int whom)
{
	struct soft_lu *lu = soft_lu_of(ap);

	return whom == 0 || lu->unit == NULL ? lu->target->port->hba->caps : lu->unit->caps;
}

/* what speaks of the wires of a parallel bus */
static bool
cap_is_of_bus(int index)
{
	return index == SCSI_CAP_DISCONNECT || index == SCSI_CAP_SYNCHRONOUS ||
	    index == SCSI_CAP_WIDE_XFER || index == SCSI_CAP_PARITY ||
	    index == SCSI_CAP_INITIATOR_ID;
}

int
soft_getcap(struct scsi_address *ap, char *cap, int whom)
{
	struct soft_lu *lu = soft_lu_of(ap);
	const struct soft_port *port = lu->target->port;
	int index = scsi_hba_lookup_capstr(cap), value;

	if (index < 0 || index >= SCSI_CAP_N)
		return CAP_UNDEFINED;
	if (index == SCSI_CAP_TOTAL_SECTORS)	/* told, never asked */
		return CAP_UNDEFINED;
	if (index == SCSI_CAP_INTERCONNECT_TYPE && port->kind == SOFT_PORT_PHYS)
		return INTERCONNECT_SAS;
	value = atomic_load(&soft_caps(ap, whom)[index]);
	if (value == CAP_UNSET)
		value = atomic_load(&port->hba->caps[index]);
	return value == CAP_UNSET ? cap_rows[index].value : value;
}

int
soft_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	int index = scsi_hba_lookup_capstr(cap);

	if (index < 0 || index >= SCSI_CAP_N || index == SCSI_CAP_DMA_MAX_ARCH)
		return CAP_UNDEFINED;
	if (!cap_rows[index].can_set || value < cap_rows[index].min ||
	    value > cap_rows[index].max)
		return 0;
	if (index == SCSI_CAP_SECTOR_SIZE && (value & (value - 1)) != 0)
		return 0;
	/* a value that stands is not made the unit's own: it keeps following the adapter's */
	if (soft_getcap(ap, cap, whom) != value)
		atomic_store(&soft_caps(ap, whom)[index], value);
	return 1;
}

int
soft_virtual_getcap(struct scsi_address *ap, char *cap, int whom)
{
	int index = scsi_hba_lookup_capstr(cap);

	if (cap_is_of_bus(index))
		return CAP_UNDEFINED;
	if (index == SCSI_CAP_INTERCONNECT_TYPE)
		return INTERCONNECT_FABRIC;
	return soft_getcap(ap, cap, whom);
}

int
soft_virtual_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	if (cap_is_of_bus(scsi_hba_lookup_capstr(cap)))
		return CAP_UNDEFINED;
	return soft_setcap(ap, cap, value, whom);
}
