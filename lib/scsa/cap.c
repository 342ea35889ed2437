#include <sys/scsi/scsi.h>

#include <string.h>

#include "scsa/scsa_impl.h"

static const char *const cap_names[SCSI_CAP_N] = {
	[SCSI_CAP_DMA_MAX] = "dma-max",
	[SCSI_CAP_MSG_OUT] = "msg-out",
	[SCSI_CAP_DISCONNECT] = "disconnect",
	[SCSI_CAP_SYNCHRONOUS] = "synchronous",
	[SCSI_CAP_WIDE_XFER] = "wide-xfer",
	[SCSI_CAP_PARITY] = "parity",
	[SCSI_CAP_INITIATOR_ID] = "initiator-id",
	[SCSI_CAP_UNTAGGED_QING] = "untagged-qing",
	[SCSI_CAP_TAGGED_QING] = "tagged-qing",
	[SCSI_CAP_ARQ] = "auto-rqsense",
	[SCSI_CAP_LINKED_CMDS] = "linked-cmds",
	[SCSI_CAP_SECTOR_SIZE] = "sector-size",
	[SCSI_CAP_TOTAL_SECTORS] = "total-sectors",
	[SCSI_CAP_GEOMETRY] = "geometry",
	[SCSI_CAP_RESET_NOTIFICATION] = "reset-notification",
	[SCSI_CAP_QFULL_RETRIES] = "qfull-retries",
	[SCSI_CAP_QFULL_RETRY_INTERVAL] = "qfull-retry-interval",
	[SCSI_CAP_SCSI_VERSION] = "scsi-version",
	[SCSI_CAP_INTERCONNECT_TYPE] = "interconnect-type",
	[SCSI_CAP_LUN_RESET] = "lun-reset",
	[SCSI_CAP_CDB_LEN] = "max-cdb-length",
	[SCSI_CAP_DMA_MAX_ARCH] = "dma-max-arch",
	[SCSI_CAP_TRAN_LAYER_RETRIES] = "tran-layer-retries",
};

/* spellings of old drivers */
static const struct {
	const char *name;
	int cap;
} cap_aliases[] = {
	{ "dma_max", SCSI_CAP_DMA_MAX },
	{ "msg_out", SCSI_CAP_MSG_OUT },
	{ "wide_xfer", SCSI_CAP_WIDE_XFER },
};

int
scsi_hba_lookup_capstr(char *capstr)
{
	if (capstr == NULL)
		return -1;
	for (int i = 0; i < SCSI_CAP_N; i++) {
		if (strcmp(capstr, cap_names[i]) == 0)
			return i;
	}
	for (size_t i = 0; i < ARRAY_LEN(cap_aliases); i++) {
		if (strcmp(capstr, cap_aliases[i].name) == 0)
			return cap_aliases[i].cap;
	}
	return -1;
}

static int
cap_round_down(int64_t bytes, const ddi_dma_attr_t *attr)
{
	if (bytes > SCSI_DMA_MAX_ARCH)
		bytes = SCSI_DMA_MAX_ARCH;
	if (attr->dma_attr_granular > 1 && bytes > 0)
		bytes -= bytes % attr->dma_attr_granular;
	return (int)bytes;
}

/* what one packet can carry whatever the device: the limits that the driver gave for DMA */
static int
cap_dma_max_arch(const ddi_dma_attr_t *attr)
{
	uint64_t max = SCSI_DMA_MAX_ARCH;
	uint64_t all;

	if (attr->dma_attr_maxxfer != 0 && attr->dma_attr_maxxfer < max)
		max = attr->dma_attr_maxxfer;
	if (attr->dma_attr_sgllen > 0 && attr->dma_attr_count_max < max &&
	    !__builtin_mul_overflow(attr->dma_attr_count_max + 1,
	        (uint64_t)attr->dma_attr_sgllen, &all) && all < max)
		max = all;
	return cap_round_down((int64_t)max, attr);
}

int
scsi_ifgetcap(struct scsi_address *ap, char *cap, int whom)
{
	const ddi_dma_attr_t *attr = &ap->a_hba_tran->tran_dma_attr;
	int id = scsi_hba_lookup_capstr(cap);
	int value;

	if (cap == NULL)
		return -1;
	if (id == SCSI_CAP_DMA_MAX_ARCH)
		return cap_dma_max_arch(attr);
	value = tran_call_getcap(ap, cap, whom);
	if (id == SCSI_CAP_DMA_MAX && value > 0)
		return cap_round_down(value, attr);
	return value;
}

int
scsi_ifsetcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	int id = scsi_hba_lookup_capstr(cap);
	int r;

	if (cap == NULL || id == SCSI_CAP_DMA_MAX_ARCH)
		return -1;
	r = tran_call_setcap(ap, cap, value, whom);
	/* later bindings through this vector are cut at sectors */
	if (id == SCSI_CAP_SECTOR_SIZE && r == 1 && value > 0)
		ap->a_hba_tran->tran_dma_attr.dma_attr_granular = (uint32_t)value;
	return r;
}
