/* the pages of a disk: what they say, and what follows when an initiator changes them */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define CACHING_WCE	0x04	/* byte 2 of page 08h */
#define CONTROL_D_SENSE	0x04	/* byte 2 of page 0Ah */
#define CONTROL_SWP	0x08	/* byte 4 of page 0Ah */
#define MODE_BUF_LEN	512

static const struct disk_modes mode_defaults = {
	.recovery = { 0x01, 0x0a, 0xc0 },		/* AWRE, ARRE */
	.caching = { 0x08, 0x12, CACHING_WCE },
	.control = { 0x0a, 0x0a, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff },
	.power = { 0x1a, 0x0a },
	.exceptions = { 0x1c, 0x0a, 0x08 },		/* DEXCPT */
};

/* bits that MODE SELECT may change */
static const struct disk_modes mode_changeable = {
	.caching = { [2] = CACHING_WCE },
	.control = { [2] = CONTROL_D_SENSE, [4] = CONTROL_SWP },
};

#define MODE_PAGE(member, page_code)                                           \
	{                                                                      \
		.code = (page_code), .len = sizeof(mode_defaults.member),      \
		.dflt = mode_defaults.member,                                  \
		.changeable = mode_changeable.member,                          \
		.current = disk->modes.member,                                 \
	}

/* the disk's pages; made when they are asked for, because there are many disks */
static void
disk_pages(struct disk *disk, struct modepage pages[PAGE_N])
{
	const struct modepage now[PAGE_N] = {
		[PAGE_RECOVERY] = MODE_PAGE(recovery, MODE_RW_RECOVERY),
		[PAGE_CACHING] = MODE_PAGE(caching, MODE_CACHING),
		[PAGE_CONTROL] = MODE_PAGE(control, MODE_CONTROL),
		[PAGE_POWER] = MODE_PAGE(power, MODE_POWER),
		[PAGE_EXCEPTIONS] = MODE_PAGE(exceptions, MODE_EXCEPTIONS),
	};

	memcpy(pages, now, sizeof(now));
}

void
disk_modes_apply(struct disk *disk)
{
	atomic_store(&disk->is_write_through, (disk->modes.caching[2] & CACHING_WCE) == 0);
	atomic_store(&disk->wants_descriptor, (disk->modes.control[2] & CONTROL_D_SENSE) != 0);
	atomic_store(&disk->is_soft_protected, (disk->modes.control[4] & CONTROL_SWP) != 0);
}

void
disk_modes_reset(struct disk *disk)
{
	disk->modes = mode_defaults;
	disk_modes_apply(disk);
}

static struct mode_unit
disk_mode_unit(struct disk *disk)
{
	bool is_protected = disk->is_readonly || atomic_load(&disk->is_soft_protected);

	return (struct mode_unit){
	    .device_specific = (uint8_t)(MODE_DSP_DPOFUA | (is_protected ? MODE_DSP_WP : 0)),
	    .has_bd = true,
	    .blocks = disk->blocks,
	    .block_size = disk->block_bytes,
	};
}

int
disk_do_mode_sense(struct disk *disk, struct disk_cmd *cmd)
{
	struct mode_request req = mode_request_decode(cmd->cdb);
	struct mode_unit unit = disk_mode_unit(disk);
	struct sense_data sense = sense_make(SENSE_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
	struct modepage pages[PAGE_N];
	uint8_t buf[MODE_BUF_LEN];
	size_t len;
	int r;

	disk_pages(disk, pages);
	mutex_enter(&disk->lock);
	r = mode_sense_build(&req, &unit, pages, PAGE_N, buf, sizeof(buf), &len, &sense);
	mutex_exit(&disk->lock);
	if (r < 0)
		return disk_sense(cmd, &sense);
	return disk_reply(cmd, buf, len, req.is_10 ? be16_get(cmd->cdb + 7) : cmd->cdb[4]);
}

/* turning write-back off promises that what was written before is stable */
static int
disk_select_flushed(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_store_failed(cmd, result) : disk_good(cmd);
}

/* the whole list is in @buf; what other initiators must hear of it is the business of lib/lu */
static int
disk_select(struct disk *disk, struct disk_cmd *cmd, const uint8_t *buf, size_t len)
{
	struct mode_unit unit = disk_mode_unit(disk);
	struct mode_select sel = {
	    .is_10 = cmd->cdb[0] == 0x55,
	    .want_save = (cmd->cdb[1] & 0x01) != 0,
	    .unit = &unit,
	};
	struct modepage pages[PAGE_N];
	struct sense_data sense;
	uint64_t changed;
	int r;

	disk_pages(disk, pages);
	mutex_enter(&disk->lock);
	r = mode_select_apply(&sel, buf, len, pages, PAGE_N, &changed, &sense);
	if (r == 0)
		disk_modes_apply(disk);
	mutex_exit(&disk->lock);
	if (r < 0)
		return disk_sense(cmd, &sense);
	if ((changed & 1u << PAGE_CACHING) == 0 || !atomic_load(&disk->is_write_through))
		return disk_good(cmd);
	cmd->step = disk_select_flushed;
	cmd->req.op = STORE_FLUSH;
	cmd->req.offset = 0;
	cmd->req.len = 0;
	return DISK_IO;
}

int
disk_do_mode_select(struct disk *disk, struct disk_cmd *cmd)
{
	size_t len = cmd->cdb[0] == 0x55 ? be16_get(cmd->cdb + 7) : cmd->cdb[4], got;
	uint8_t buf[MODE_BUF_LEN];

	if ((cmd->cdb[1] & 0x10) == 0 && len != 0)	/* PF: pages as SPC defines them */
		return disk_bad_cdb(cmd, 1, 4);
	if (len > sizeof(buf))
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	got = disk_take(cmd, buf, len);
	if (got < len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	return disk_select(disk, cmd, buf, len);
}
