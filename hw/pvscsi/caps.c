/* capabilities: one row each */
#include "hw/pvscsi/pvscsi.h"

#define CAP_UNDEFINED	(-1)
#define CAP_UNSET	(-1)

/* what getcap says until setcap says otherwise, and what setcap may say */
static const struct {
	int value;
	bool can_set;
	int min, max;
} cap_rows[SCSI_CAP_N] = {
	[SCSI_CAP_DMA_MAX] = { .value = PVSCSI_XFER_MAX },
	[SCSI_CAP_MSG_OUT] = { .value = 1 },
	[SCSI_CAP_DISCONNECT] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_SYNCHRONOUS] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_WIDE_XFER] = { .value = 1, .can_set = true, .max = 1 },
	[SCSI_CAP_PARITY] = { .value = 1 },
	[SCSI_CAP_INITIATOR_ID] = { .value = PVSCSI_INITIATOR_ID },
	[SCSI_CAP_UNTAGGED_QING] = { .value = 1 },
	[SCSI_CAP_TAGGED_QING] = { .value = 1, .can_set = true, .max = 1 },
	/* always on */
	[SCSI_CAP_ARQ] = { .value = 1, .can_set = true, .min = 1, .max = 1 },
	[SCSI_CAP_LINKED_CMDS] = { .value = 0 },
	[SCSI_CAP_SECTOR_SIZE] = { .value = 512, .can_set = true, .min = 1, .max = 65536 },
	[SCSI_CAP_TOTAL_SECTORS] = { .value = CAP_UNDEFINED, .can_set = true,
		.max = INT32_MAX },
	[SCSI_CAP_GEOMETRY] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_RESET_NOTIFICATION] = { .value = 1 },
	[SCSI_CAP_QFULL_RETRIES] = { .value = 0 },
	[SCSI_CAP_QFULL_RETRY_INTERVAL] = { .value = 0 },
	[SCSI_CAP_SCSI_VERSION] = { .value = SCSI_VERSION_3 },
	[SCSI_CAP_INTERCONNECT_TYPE] = { .value = INTERCONNECT_PARALLEL },
	/* targets have one unit as a rule, and its reset is the target's */
	[SCSI_CAP_LUN_RESET] = { .value = 0 },
	[SCSI_CAP_CDB_LEN] = { .value = PV_CDB_MAX },
	[SCSI_CAP_DMA_MAX_ARCH] = { .value = CAP_UNDEFINED },	/* the framework's */
	[SCSI_CAP_TRAN_LAYER_RETRIES] = { .value = 0 },
};

void
pvscsi_caps_init(atomic_int caps[SCSI_CAP_N])
{
	for (uint_t i = 0; i < SCSI_CAP_N; i++)
		atomic_init(&caps[i], CAP_UNSET);
}

/* where the values of @ap are: its target's, or the adapter's for all */
static atomic_int *
caps_of(struct scsi_address *ap, int whom)
{
	struct pvscsi_lu *lu = pvscsi_lu_of(ap);

	return whom == 0 ? lu->hba->caps : lu->target->caps;
}

int
pvscsi_getcap(struct scsi_address *ap, char *cap, int whom)
{
	int index = scsi_hba_lookup_capstr(cap), value;

	/* total-sectors is told, never asked */
	if (index < 0 || index >= SCSI_CAP_N || index == SCSI_CAP_TOTAL_SECTORS)
		return CAP_UNDEFINED;
	value = atomic_load(&caps_of(ap, whom)[index]);
	if (value == CAP_UNSET)
		value = atomic_load(&pvscsi_lu_of(ap)->hba->caps[index]);
	return value == CAP_UNSET ? cap_rows[index].value : value;
}

int
pvscsi_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	int index = scsi_hba_lookup_capstr(cap);

	if (index < 0 || index >= SCSI_CAP_N || index == SCSI_CAP_DMA_MAX_ARCH ||
	    index == SCSI_CAP_GEOMETRY)
		return CAP_UNDEFINED;
	if (!cap_rows[index].can_set || value < cap_rows[index].min ||
	    value > cap_rows[index].max)
		return 0;
	if (index == SCSI_CAP_SECTOR_SIZE && (value & (value - 1)) != 0)
		return 0;
	/* a value that stands is not made the target's own: it keeps following the adapter's */
	if (pvscsi_getcap(ap, cap, whom) != value)
		atomic_store(&caps_of(ap, whom)[index], value);
	return 1;
}
