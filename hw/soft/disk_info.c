/* who are you, how large are you, what is wrong */
#include <string.h>
#include <sys/kmem.h>

#include "base/bytes.h"
#include "hw/soft/disk_impl.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/vpd.h"

static const uint8_t vpd_pages[] = {
    VPD_SUPPORTED,
    VPD_SERIAL,
    VPD_IDENT,
    VPD_EXTENDED,
    VPD_BLOCK_LIMITS,
    VPD_BLOCK_CHARACTER,
    VPD_THIN,
};

int
disk_do_test_unit_ready(struct disk *disk, struct disk_cmd *cmd)
{
	(void)disk;
	return disk_good(cmd);
}

static int
disk_inquiry_std(const struct disk *disk, struct disk_cmd *cmd, uint64_t alloc_len)
{
	struct inq_std inq = {
		.type = INQ_TYPE_DISK,
		.version = INQ_VERSION_SPC4,
		.format = 2,
		.is_removable = disk->is_removable,
		.has_cmdque = true,
		.has_protect = disk->pi_type != 0,
		.n_versions = 3,
		.versions = { INQ_STANDARD_SAM5, INQ_STANDARD_SPC4, INQ_STANDARD_SBC3 },
	};
	uint8_t buf[INQ_STD_LEN];

	memcpy(inq.vendor, disk->vendor, sizeof(disk->vendor));
	memcpy(inq.product, disk->product, sizeof(disk->product));
	memcpy(inq.revision, disk->revision, sizeof(disk->revision));
	return disk_reply(cmd, buf, inq_build_std(&inq, buf), alloc_len);
}

/* the same disk has the same number wherever and whenever it is plugged in: FNV-1a */
static uint64_t
disk_identity(const struct disk *disk)
{
	const char *const texts[] = { disk->vendor, disk->product, disk->serial };
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (const char *p = texts[i]; *p != '\0'; p++)
			hash = (hash ^ (uint8_t)*p) * 0x100000001b3ull;
		hash = (hash ^ 0xff) * 0x100000001b3ull;
	}
	return hash;
}

static size_t
disk_vpd_ident(const struct disk *disk, uint8_t *buf, size_t size)
{
	struct vpd_ids ids = {.t10_vendor = disk->vendor, .t10_id = disk->serial, .naa_len = 8};

	vpd_naa3(ids.naa, disk_identity(disk));
	return vpd_build_ident(INQ_TYPE_DISK, &ids, buf, size);
}

static size_t
disk_vpd_limits(const struct disk *disk, uint8_t *buf, size_t size)
{
	uint32_t grain = disk->physical_bytes / disk->block_bytes;
	struct vpd_limits limits = {
		.xfer_granularity = (uint16_t)grain,
		.max_xfer = DISK_XFER_MAX / disk->block_bytes,
		.opt_xfer = (1u << 20) / disk->block_bytes,
		.max_compare = DISK_COMPARE_MAX,
		.max_write_same = DISK_WRITE_SAME_MAX,
		.max_atomic = DISK_ATOMIC_MAX / disk->block_bytes,
		.atomic_alignment = disk_atomic_grain(disk),
		.atomic_granularity = disk_atomic_grain(disk),
	};

	if (disk->is_thin) {
		uint32_t unit = disk->store->info.optimal_bytes / disk->block_bytes;

		limits.max_unmap = DISK_UNMAP_BLOCKS_MAX;
		limits.max_unmap_descr = DISK_UNMAP_DESCR_MAX;
		limits.unmap_granularity = unit > grain ? unit : grain;
		limits.has_unmap_alignment = true;
	}
	return vpd_build_limits(INQ_TYPE_DISK, &limits, buf, size);
}

static size_t
disk_vpd_thin(const struct disk *disk, uint8_t *buf, size_t size)
{
	struct vpd_thin thin = {
		.lbpu = disk->is_thin,
		.lbpws = disk->is_thin,
		.lbpws10 = disk->is_thin,
		.lbprz = disk->is_thin,
		.anc_sup = disk->is_thin && disk->store->info.can_anchor,
		.provisioning = disk->is_thin ? 2 : 0,
		.threshold_exponent = disk->is_thin ? disk_threshold_exponent(disk) : 0,
	};

	return vpd_build_thin(INQ_TYPE_DISK, &thin, buf, size);
}

/* bytes of the page in @buf, 0 when there is no such page */
static size_t
disk_vpd(const struct disk *disk, uint8_t page, uint8_t *buf, size_t size)
{
	struct vpd_character character = {
		.rotation_rate = 1, .fuab = true,
		/* after a sanitize blocks read as zeros, without a write */
		.wabereq = disk->is_thin, .wacereq = 1,
	};
	struct vpd_extended extended = {
		.headsup = true, .ordsup = true, .simpsup = true, .v_sup = disk->has_cache,
		.max_sense_len = SENSE_LEN_MAX,
		.spt = disk->pi_type == 3 ? 4 : 0, .grd_chk = disk->pi_type != 0,
		.app_chk = disk->pi_type != 0 && disk->app_tag >= 0,
		.ref_chk = disk->pi_type == 1,
	};

	switch (page) {
	case VPD_SUPPORTED:
		return vpd_build_supported(
		    INQ_TYPE_DISK, vpd_pages, sizeof(vpd_pages), buf, size);
	case VPD_SERIAL:
		return vpd_build_serial(INQ_TYPE_DISK, disk->serial, buf, size);
	case VPD_IDENT:
		return disk_vpd_ident(disk, buf, size);
	case VPD_EXTENDED:
		return vpd_build_extended(INQ_TYPE_DISK, &extended, buf, size);
	case VPD_BLOCK_LIMITS:
		return disk_vpd_limits(disk, buf, size);
	case VPD_BLOCK_CHARACTER:
		return vpd_build_character(INQ_TYPE_DISK, &character, buf, size);
	case VPD_THIN:
		return disk_vpd_thin(disk, buf, size);
	default:
		return 0;
	}
}

int
disk_do_inquiry(struct disk *disk, struct disk_cmd *cmd)
{
	uint16_t alloc_len = be16_get(cmd->cdb + 3);
	uint8_t buf[VPD_PAGE_MAX];
	size_t len;

	if ((cmd->cdb[1] & 0x01) == 0) {
		if (cmd->cdb[2] != 0)
			return disk_bad_cdb(cmd, 2, 7);
		return disk_inquiry_std(disk, cmd, alloc_len);
	}
	len = disk_vpd(disk, cmd->cdb[2], buf, sizeof(buf));
	if (len == 0)
		return disk_bad_cdb(cmd, 2, 7);
	return disk_reply(cmd, buf, len, alloc_len);
}

static int
disk_reply_sense(struct disk_cmd *cmd, const struct sense_data *sense)
{
	uint8_t buf[SENSE_LEN_MAX];
	size_t len = sense_build(sense, (cmd->cdb[1] & 0x01) != 0, buf, sizeof(buf));

	return disk_reply(cmd, buf, len, cmd->cdb[4]);
}

int
disk_do_request_sense(struct disk *disk, struct disk_cmd *cmd)
{
	struct sense_data sense = disk_take_sense(disk);

	return disk_reply_sense(cmd, &sense);
}

/* numbers and reply share a piece of memory: a target may have very many units */
static int
disk_build_luns(const struct disk_place *place, struct disk_cmd *cmd, size_t n)
{
	size_t bytes = n * sizeof(uint64_t), room = LUNFMT_LEN * (n + 1), len, now;
	uint64_t *luns = kmem_alloc(bytes + room, KM_NOSLEEP);
	uint8_t *buf = (uint8_t *)luns + bytes;
	int r;

	if (luns == NULL)
		return disk_busy(cmd);
	now = n == 0 ? 0 : place->luns(place->arg, luns, n);
	/* units may have come meanwhile: the attention that tells of them is still to come */
	n = now < n ? now : n;
	len = lunfmt_report_build(luns, n, buf, room);
	r = disk_reply(cmd, buf, len, be32_get(cmd->cdb + 6));
	kmem_free(luns, bytes + room);
	return r;
}

static int
disk_reply_luns(const struct disk_place *place, struct disk_cmd *cmd)
{
	uint8_t select = cmd->cdb[2];

	if (select > 2)
		return disk_bad_cdb(cmd, 2, 7);
	/* less than the header and one entry is refused (SPC-4 6.33) */
	if (be32_get(cmd->cdb + 6) < 16)
		return disk_bad_cdb(cmd, 6, 7);
	/* 1: well known units only, there are none */
	return disk_build_luns(place, cmd, select == 1 ? 0 : place->luns(place->arg, NULL, 0));
}

int
disk_do_report_luns(struct disk *disk, struct disk_cmd *cmd)
{
	return disk_reply_luns(&disk->place, cmd);
}

int
disk_do_read_capacity_10(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t last = disk->blocks - 1;
	uint8_t buf[8];

	be32_put(buf, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
	be32_put(buf + 4, disk->block_bytes);
	return disk_reply(cmd, buf, sizeof(buf), sizeof(buf));
}

int
disk_do_read_capacity_16(struct disk *disk, struct disk_cmd *cmd)
{
	uint32_t ratio = disk->physical_bytes / disk->block_bytes;
	uint8_t buf[32] = { 0 };

	be64_put(buf, disk->blocks - 1);
	be32_put(buf + 8, disk->block_bytes);
	if (disk->pi_type != 0)			/* P_TYPE is one less; PROT_EN */
		buf[12] = (uint8_t)((disk->pi_type - 1) << 1 | 0x01);
	buf[13] = (uint8_t)__builtin_ctz(ratio);
	buf[14] = disk->is_thin ? 0xc0 : 0;	/* LBPME, LBPRZ */
	return disk_reply(cmd, buf, sizeof(buf), be32_get(cmd->cdb + 10));
}

static int
absent_inquiry(struct disk_cmd *cmd)
{
	struct inq_std inq = {
		.qualifier = INQ_QUAL_IMPOSSIBLE, .type = INQ_TYPE_UNKNOWN,
		.version = INQ_VERSION_SPC4, .format = 2,
	};
	uint8_t buf[INQ_STD_LEN];

	if ((cmd->cdb[1] & 0x01) != 0 || cmd->cdb[2] != 0)
		return disk_bad_cdb(cmd, 1, 0);
	return disk_reply(cmd, buf, inq_build_std(&inq, buf), be16_get(cmd->cdb + 3));
}

void
disk_absent_execute(const struct disk_place *place, struct disk_cmd *cmd)
{
	struct sense_data sense = sense_make(SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
	enum op_id id = OP_N;

	disk_cmd_prepare(NULL, cmd);
	if (cdb_decode(cmd->cdb, cmd->cdb_len, 0, &cmd->info) == 0 && cmd->info.op != NULL)
		id = cmd->info.op->id;
	if (id == OP_INQUIRY)
		(void)absent_inquiry(cmd);
	else if (id == OP_REPORT_LUNS)
		(void)disk_reply_luns(place, cmd);
	else if (id == OP_REQUEST_SENSE)
		(void)disk_reply_sense(cmd, &sense);
	else
		(void)disk_sense(cmd, &sense);
}
