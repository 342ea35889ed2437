/* capabilities: one row each */
#include "hw/iscsi/iscsi_hba_impl.h"

#define CAP_UNDEFINED	(-1)
#define CAP_UNSET	(-1)

/* what getcap says until setcap says otherwise, and what setcap may say */
static const struct {
	int value;
	bool can_set;
	int min, max;
} cap_rows[SCSI_CAP_N] = {
	[SCSI_CAP_DMA_MAX] = { .value = WIRE_XFER_MAX },
	[SCSI_CAP_MSG_OUT] = { .value = CAP_UNDEFINED },	/* of the wires of a bus */
	[SCSI_CAP_DISCONNECT] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_SYNCHRONOUS] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_WIDE_XFER] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_PARITY] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_INITIATOR_ID] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_UNTAGGED_QING] = { .value = 1 },
	[SCSI_CAP_TAGGED_QING] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_ARQ] = { .value = 1, .can_set = true, .min = 1, .max = 1 },
	[SCSI_CAP_LINKED_CMDS] = { .value = 0 },
	[SCSI_CAP_SECTOR_SIZE] = { .value = 512, .can_set = true, .min = 1, .max = 65536 },
	[SCSI_CAP_TOTAL_SECTORS] = { .value = -1, .can_set = true, .max = INT32_MAX },
	[SCSI_CAP_GEOMETRY] = { .value = 255 << 16 | 63 },
	[SCSI_CAP_RESET_NOTIFICATION] = { .value = 1 },
	[SCSI_CAP_QFULL_RETRIES] = { .value = 0, .can_set = true, .max = 255 },
	[SCSI_CAP_QFULL_RETRY_INTERVAL] = { .value = 0, .can_set = true, .max = 1000 },
	[SCSI_CAP_SCSI_VERSION] = { .value = SCSI_VERSION_3 },
	[SCSI_CAP_INTERCONNECT_TYPE] = { .value = INTERCONNECT_ISCSI },
	[SCSI_CAP_LUN_RESET] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_CDB_LEN] = { .value = WIRE_CDB_MAX },
	[SCSI_CAP_DMA_MAX_ARCH] = { .value = CAP_UNDEFINED },	/* the framework's */
	[SCSI_CAP_TRAN_LAYER_RETRIES] = { .value = 0 },
};

void
ih_caps_init(atomic_int caps[SCSI_CAP_N])
{
	for (unsigned int i = 0; i < SCSI_CAP_N; i++)
		atomic_init(&caps[i], CAP_UNSET);
}

int
ih_getcap(struct scsi_address *ap, char *cap, int whom)
{
	struct ih_unit *unit = ih_unit_of(ap);
	int index = scsi_hba_lookup_capstr(cap), value = CAP_UNSET;

	if (index < 0 || index >= SCSI_CAP_N || index == SCSI_CAP_TOTAL_SECTORS)
		return CAP_UNDEFINED;
	if (whom != 0)
		value = atomic_load(&unit->caps[index]);
	if (value == CAP_UNSET)
		value = atomic_load(&unit->session->hba->caps[index]);
	return value == CAP_UNSET ? cap_rows[index].value : value;
}

int
ih_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	struct ih_unit *unit = ih_unit_of(ap);
	int index = scsi_hba_lookup_capstr(cap);
	atomic_int *caps = whom == 0 ? unit->session->hba->caps : unit->caps;

	if (index < 0 || index >= SCSI_CAP_N ||
	    (cap_rows[index].value == CAP_UNDEFINED && !cap_rows[index].can_set))
		return CAP_UNDEFINED;
	if (!cap_rows[index].can_set || value < cap_rows[index].min ||
	    value > cap_rows[index].max)
		return 0;
	if (index == SCSI_CAP_SECTOR_SIZE && (value & (value - 1)) != 0)
		return 0;
	/* a value that stands is not made the unit's own: it keeps following the adapter's */
	if (ih_getcap(ap, cap, whom) != value)
		atomic_store(&caps[index], value);
	return 1;
}
