#include "mock_disks.h"

#include <string.h>

#include "base/bytes.h"
#include "scsi/cdb.h"
#include "scsi/vpd.h"

struct disks disks;
static uint8_t filled[DISKS][DISK_BLOCKS * DISK_BLOCK];

static void
answer_ident(struct scsi_pkt *pkt, uint8_t name)
{
	struct vpd_ids ids = { .naa = { 0x30, [7] = name }, .naa_len = 8 };
	uint8_t buf[VPD_PAGE_MAX];

	port_answer(pkt, buf, vpd_build_ident(0, &ids, buf, sizeof(buf)));
}

static void
answer_read(struct scsi_pkt *pkt, const uint8_t *at, size_t len)
{
	if (disks.n_attentions > 0) {
		disks.n_attentions--;
		port_refuse(pkt, SENSE_UNIT_ATTENTION, ASC_LOG_PARAMETERS_CHANGED);
		return;
	}
	disks.n_reads++;
	port_answer(pkt, at, len);
}

static void
answer_write(struct scsi_pkt *pkt, uint8_t *at, size_t len)
{
	if (disks.refuse_writes > 0 && disks.n_writes + 1 >= disks.refuse_writes) {
		port_refuse(pkt, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
		return;
	}
	disks.n_writes++;
	port_take(pkt, at, len);
}

static bool
answer(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	const uint8_t *cdb = pkt->pkt_cdbp;
	unsigned int i = ap->a_target == 1 ? 2 : ap->a_lun;
	uint8_t *at = disks.bytes[i] + be32_get(cdb + 2) % DISK_BLOCKS * DISK_BLOCK;
	size_t len = (size_t)be16_get(cdb + 7) * DISK_BLOCK;

	if (cdb[0] == 0x12 && (cdb[1] & 1) != 0 && cdb[2] == VPD_IDENT) {
		answer_ident(pkt, disks.names[i]);
		return true;
	}
	if ((cdb[0] != 0x28 && cdb[0] != 0x2a) || disks.is_stalled)
		return false;
	ck_assert_uint_le(be32_get(cdb + 2) + be16_get(cdb + 7), DISK_BLOCKS);
	if (cdb[0] == 0x28)
		answer_read(pkt, at, len);
	else
		answer_write(pkt, at, len);
	return true;
}

void
disks_fill(void)
{
	for (size_t i = 0; i < DISKS; i++) {
		for (size_t b = 0; b < sizeof(filled[i]); b++)
			filled[i][b] = (uint8_t)(b / DISK_BLOCK * 7 + b % DISK_BLOCK + i * 101);
	}
	memcpy(disks.bytes, filled, sizeof(filled));
}

void
disks_check(unsigned int from, uint64_t src_lba, unsigned int to, uint64_t dst_lba,
    size_t blocks)
{
	ck_assert_int_eq(memcmp(disks.bytes[to] + dst_lba * DISK_BLOCK,
	    filled[from] + src_lba * DISK_BLOCK, blocks * DISK_BLOCK), 0);
}

void
disks_begin(void)
{
	static const char *const paths[DISKS] = { "disk@0,0", "disk@0,1", "disk@1,0" };

	memset(&disks, 0, sizeof(disks));
	disks_fill();
	for (uint8_t i = 0; i < DISKS; i++)
		disks.names[i] = (uint8_t)(i + 1);
	port.answer = answer;
	port_begin();
	for (size_t i = 0; i < DISKS; i++)
		disks.units[i] = port_unit(paths[i]);
}

void
disks_end(void)
{
	for (size_t i = 0; i < DISKS; i++)
		lu_unref(disks.units[i]);
	port_end();
}
