/* capabilities: one row each */
#include "hw/virtio_scsi/virtio_scsi.h"

#define CAP_UNDEFINED	(-1)

/* what getcap says; what may be "set" is on already, and stays so */
static const struct {
	int value;
	bool can_set;
} cap_rows[SCSI_CAP_N] = {
	[SCSI_CAP_DMA_MAX] = { .value = CAP_UNDEFINED },	/* the adapter's */
	[SCSI_CAP_MSG_OUT] = { .value = 1 },
	[SCSI_CAP_DISCONNECT] = { .value = 1, .can_set = true },
	[SCSI_CAP_SYNCHRONOUS] = { .value = 1, .can_set = true },
	[SCSI_CAP_WIDE_XFER] = { .value = 1, .can_set = true },
	[SCSI_CAP_PARITY] = { .value = 1 },
	[SCSI_CAP_INITIATOR_ID] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_UNTAGGED_QING] = { .value = 1 },
	[SCSI_CAP_TAGGED_QING] = { .value = 1, .can_set = true },
	[SCSI_CAP_ARQ] = { .value = 1, .can_set = true },
	[SCSI_CAP_LINKED_CMDS] = { .value = 0 },
	[SCSI_CAP_SECTOR_SIZE] = { .value = 512, .can_set = true },
	[SCSI_CAP_TOTAL_SECTORS] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_GEOMETRY] = { .value = CAP_UNDEFINED },
	[SCSI_CAP_RESET_NOTIFICATION] = { .value = 1 },
	[SCSI_CAP_QFULL_RETRIES] = { .value = 0 },
	[SCSI_CAP_QFULL_RETRY_INTERVAL] = { .value = 0 },
	[SCSI_CAP_SCSI_VERSION] = { .value = SCSI_VERSION_3 },
	[SCSI_CAP_INTERCONNECT_TYPE] = { .value = INTERCONNECT_SAS },
	[SCSI_CAP_LUN_RESET] = { .value = 1, .can_set = true },
	[SCSI_CAP_CDB_LEN] = { .value = VS_CDB_BYTES },
	[SCSI_CAP_DMA_MAX_ARCH] = { .value = CAP_UNDEFINED },	/* the framework's */
	[SCSI_CAP_TRAN_LAYER_RETRIES] = { .value = 0 },
};

int
vs_getcap(struct scsi_address *ap, char *cap, int whom)
{
	int index = scsi_hba_lookup_capstr(cap);

	(void)whom;
	if (index < 0 || index >= SCSI_CAP_N)
		return CAP_UNDEFINED;
	if (index == SCSI_CAP_DMA_MAX)
		return (int)vs_lu_of(ap)->hba->limits.xfer_bytes;
	return cap_rows[index].value;
}

int
vs_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	int index = scsi_hba_lookup_capstr(cap);

	(void)ap;
	(void)whom;
	if (index < 0 || index >= SCSI_CAP_N || index == SCSI_CAP_DMA_MAX_ARCH)
		return CAP_UNDEFINED;
	/* the granularity of windows is the framework's to keep */
	if (index == SCSI_CAP_SECTOR_SIZE)
		return value >= 512 && value <= 65536 && (value & (value - 1)) == 0;
	return cap_rows[index].can_set && value == cap_rows[index].value;
}
