/* capabilities: one row each */
#include "hw/mptsas/mptsas.h"

#define CAP_UNDEFINED	(-1)
#define CAP_UNSET	(-1)

/* what getcap says until setcap says otherwise, and what setcap may say. What speaks of the
 * wires of a parallel bus has no row: there are none */
static const struct {
	int value;
	bool is_defined, can_set;
	int min, max;
} cap_rows[SCSI_CAP_N] = {
	[SCSI_CAP_DMA_MAX] = { .value = MPTSAS_XFER_MAX, .is_defined = true },
	[SCSI_CAP_UNTAGGED_QING] = { .value = 1, .is_defined = true },
	[SCSI_CAP_TAGGED_QING] = { .value = 1, .is_defined = true, .can_set = true, .max = 1 },
	/* always on; only a short status block switches it off, for one packet */
	[SCSI_CAP_ARQ] = { .value = 1, .is_defined = true, .can_set = true, .min = 1,
	    .max = 1 },
	[SCSI_CAP_LINKED_CMDS] = { .value = 0, .is_defined = true },
	[SCSI_CAP_SECTOR_SIZE] = { .value = 512, .is_defined = true, .can_set = true, .min = 1,
	    .max = 65536 },
	/* told, never asked */
	[SCSI_CAP_TOTAL_SECTORS] = { .value = CAP_UNDEFINED, .is_defined = true,
	    .can_set = true, .max = INT32_MAX },
	[SCSI_CAP_GEOMETRY] = { .value = 255 << 16 | 63, .is_defined = true },
	[SCSI_CAP_RESET_NOTIFICATION] = { .value = 1, .is_defined = true },
	[SCSI_CAP_QFULL_RETRIES] = { .value = 0, .is_defined = true, .can_set = true,
	    .max = 255 },
	[SCSI_CAP_QFULL_RETRY_INTERVAL] = { .value = 0, .is_defined = true, .can_set = true,
	    .max = 1000 },
	[SCSI_CAP_SCSI_VERSION] = { .value = SCSI_VERSION_3, .is_defined = true },
	[SCSI_CAP_INTERCONNECT_TYPE] = { .value = INTERCONNECT_SAS, .is_defined = true },
	[SCSI_CAP_LUN_RESET] = { .value = 1, .is_defined = true, .can_set = true, .max = 1 },
	[SCSI_CAP_CDB_LEN] = { .value = MPT_IO_CDB_MAX, .is_defined = true },
	[SCSI_CAP_TRAN_LAYER_RETRIES] = { .value = 0, .is_defined = true },
};

void
mptsas_caps_init(atomic_int caps[SCSI_CAP_N])
{
	for (unsigned int i = 0; i < SCSI_CAP_N; i++)
		atomic_init(&caps[i], CAP_UNSET);
}

static atomic_int *
caps_of(struct scsi_address *ap, int whom)
{
	struct mptsas_lu *lu = mptsas_lu_of(ap);

	return whom == 0 ? lu->target->hba->caps : lu->caps;
}

int
mptsas_getcap(struct scsi_address *ap, char *cap, int whom)
{
	int index = scsi_hba_lookup_capstr(cap), value;

	if (index < 0 || index >= SCSI_CAP_N || !cap_rows[index].is_defined ||
	    index == SCSI_CAP_TOTAL_SECTORS)
		return CAP_UNDEFINED;
	value = atomic_load(&caps_of(ap, whom)[index]);
	if (value == CAP_UNSET)
		value = atomic_load(&caps_of(ap, 0)[index]);
	return value == CAP_UNSET ? cap_rows[index].value : value;
}

int
mptsas_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	int index = scsi_hba_lookup_capstr(cap);

	if (index < 0 || index >= SCSI_CAP_N || !cap_rows[index].is_defined)
		return CAP_UNDEFINED;
	if (!cap_rows[index].can_set || value < cap_rows[index].min ||
	    value > cap_rows[index].max)
		return 0;
	if (index == SCSI_CAP_SECTOR_SIZE && (value & (value - 1)) != 0)
		return 0;
	/* a value that stands is not made the unit's own: it keeps following the adapter's */
	if (mptsas_getcap(ap, cap, whom) != value)
		atomic_store(&caps_of(ap, whom)[index], value);
	return 1;
}
