/* the pages of a disk: what they say, and what follows when an initiator changes them */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define CACHING_WCE	0x04	/* byte 2 of page 08h */
#define CONTROL_TST	0xe0	/* byte 2 of page 0Ah */
#define CONTROL_D_SENSE	0x04
#define CONTROL_QERR	0x06	/* byte 3 */
#define CONTROL_SWP	0x08	/* byte 4 */
#define CONTROL_TAS	0x40	/* byte 5 */
#define EXCEPT_DEXCPT	0x08	/* byte 2 of page 1Ch */
#define EXCEPT_TEST	0x04
#define EXCEPT_TICK	10u	/* an interval counts tenths of a second; ours are whole ones */
#define THIN_ENABLED	0x80	/* byte 0 of a threshold descriptor */
#define MODE_BUF_LEN	512

static const struct disk_modes mode_defaults = {
	.recovery = { 0x01, 0x0a, 0xc0 },		/* AWRE, ARRE */
	.disconnect = { 0x02, 0x0e },
	.caching = { 0x08, 0x12, CACHING_WCE },
	/* unrestricted reordering; busy timeout: unlimited; extended self-test: a second */
	.control = { 0x0a, 0x0a, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0x01 },
	/* SCSIP: SET TIMESTAMP counts; sense data of up to 252 bytes */
	.control_ext = { 0x4a, 0x01, 0x00, 0x1c, 0x02, 0x00, SENSE_LEN_MAX },
	.power = { 0x1a, 0x26 },
	.exceptions = { 0x1c, 0x0a, EXCEPT_DEXCPT },
	.thin = { 0x5c, 0x02, 0x00, 0x1c,
		[16] = 0x00, 0x01,			/* available, armed decreasing */
		[24] = 0x01, 0x02 },			/* used, armed increasing */
};

/* bits that MODE SELECT may change */
static const struct disk_modes mode_changeable = {
	.recovery = { [2] = 0xc4 },			/* AWRE, ARRE, PER: nothing recovers here */
	.caching = { [2] = CACHING_WCE },
	.control = { [2] = CONTROL_TST | CONTROL_D_SENSE, [3] = CONTROL_QERR,
		[4] = CONTROL_SWP, [5] = CONTROL_TAS },
	.exceptions = { [2] = EXCEPT_DEXCPT | EXCEPT_TEST, 0x0f, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff },
	.thin = { [16] = THIN_ENABLED, [20] = 0xff, 0xff, 0xff, 0xff,
		[24] = THIN_ENABLED, [28] = 0xff, 0xff, 0xff, 0xff },
};

#define MODE_PAGE(member, page_code, page_subcode)                             \
	{                                                                      \
		.code = (page_code), .subcode = (page_subcode),                \
		.len = sizeof(mode_defaults.member),                           \
		.dflt = mode_defaults.member,                                  \
		.changeable = mode_changeable.member,                          \
		.current = now->member,                                        \
		.saved = saved == NULL ? NULL : saved->member,                 \
	}

/* made when they are asked for, because there are many disks */
size_t
disk_pages(const struct disk *disk, struct disk_modes *now, struct disk_modes *saved,
    struct modepage pages[PAGE_N])
{
	const struct modepage all[PAGE_N] = {
		[PAGE_RECOVERY] = MODE_PAGE(recovery, MODE_RW_RECOVERY, 0),
		[PAGE_DISCONNECT] = MODE_PAGE(disconnect, MODE_DISCONNECT, 0),
		[PAGE_CACHING] = MODE_PAGE(caching, MODE_CACHING, 0),
		[PAGE_CONTROL] = MODE_PAGE(control, MODE_CONTROL, 0),
		[PAGE_CONTROL_EXT] = MODE_PAGE(control_ext, MODE_CONTROL, 1),
		[PAGE_POWER] = MODE_PAGE(power, MODE_POWER, 0),
		[PAGE_EXCEPTIONS] = MODE_PAGE(exceptions, MODE_EXCEPTIONS, 0),
		[PAGE_THIN] = MODE_PAGE(thin, MODE_EXCEPTIONS, 2),
	};

	memcpy(pages, all, sizeof(all));
	return disk->is_thin ? PAGE_N : PAGE_THIN;
}

const struct disk_modes *
disk_modes_default(void)
{
	return &mode_defaults;
}

void
disk_modes_apply(struct disk *disk)
{
	atomic_store(&disk->is_write_through, (disk->modes.caching[2] & CACHING_WCE) == 0);
	atomic_store(&disk->wants_descriptor, (disk->modes.control[2] & CONTROL_D_SENSE) != 0);
	atomic_store(&disk->is_soft_protected, (disk->modes.control[4] & CONTROL_SWP) != 0);
	disk_watch_modes(disk);
}

void
disk_modes_reset(struct disk *disk)
{
	const struct disk_image *image = disk_saved_image(disk);

	disk->modes = image == NULL ? mode_defaults : image->modes;
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
	struct disk_modes now, saved;
	struct modepage pages[PAGE_N];
	uint8_t buf[MODE_BUF_LEN];
	size_t len, n;
	int r;

	mutex_enter(&disk->lock);
	now = disk->modes;
	if (disk->saved != NULL)
		saved = disk_saved_image(disk)->modes;
	mutex_exit(&disk->lock);
	n = disk_pages(disk, &now, disk->saved == NULL ? NULL : &saved, pages);
	r = mode_sense_build(&req, &unit, pages, n, buf, sizeof(buf), &len, &sense);
	if (r < 0)
		return disk_sense(cmd, &sense);
	return disk_reply(cmd, buf, len, req.is_10 ? be16_get(cmd->cdb + 7) : cmd->cdb[4]);
}

/* task sets shared or one each; QERR 2 is reserved (SPC-4 7.5.9) */
static bool
check_control(const uint8_t *next, size_t *reterr_byte, int *reterr_bit)
{
	*reterr_byte = 2;
	*reterr_bit = 7;
	if ((next[2] & CONTROL_TST) > 0x20)
		return false;
	*reterr_byte = 3;
	*reterr_bit = 2;
	return (next[3] & CONTROL_QERR) != 0x04;
}

/* ways to report: not at all, by unit attention, when asked (SPC-4 7.5.11) */
static bool
check_exceptions(const uint8_t *next, size_t *reterr_byte, int *reterr_bit)
{
	uint8_t method = next[3] & 0x0f;

	*reterr_byte = 2;
	*reterr_bit = 2;
	if ((next[2] & (EXCEPT_DEXCPT | EXCEPT_TEST)) == (EXCEPT_DEXCPT | EXCEPT_TEST))
		return false;
	*reterr_byte = 3;
	*reterr_bit = 3;
	return method == 0 || method == 2 || method == 6;
}

static bool
disk_check_page(void *arg, const struct modepage *page, const uint8_t *next,
    size_t *reterr_byte, int *reterr_bit)
{
	(void)arg;
	if (page->code == MODE_CONTROL && page->subcode == 0)
		return check_control(next, reterr_byte, reterr_bit);
	if (page->code == MODE_EXCEPTIONS && page->subcode == 0)
		return check_exceptions(next, reterr_byte, reterr_bit);
	return true;
}

/* values that were taken, but not to the letter; true when there are any */
static bool
disk_round(struct disk_modes *modes)
{
	uint32_t interval = be32_get(modes->exceptions + 4);
	uint32_t up = interval % EXCEPT_TICK == 0 ? 0 : EXCEPT_TICK - interval % EXCEPT_TICK;

	if (up == 0 || interval > UINT32_MAX - EXCEPT_TICK)
		return false;
	be32_put(modes->exceptions + 4, interval + up);
	return true;
}

enum { SELECT_EXACT, SELECT_ROUNDED };	/* phase of a command whose values were taken */

/* a list, and what it makes of the pages */
struct disk_select {
	struct mode_unit unit;
	struct mode_select sel;
	struct disk_modes now, saved;	/* in: as they are; out: as they shall be */
	uint64_t changed;
	bool is_rounded;
	struct sense_data sense;	/* when it was refused */
};

static int
select_judge(struct disk *disk, const struct disk_cmd *cmd, struct disk_select *s)
{
	struct modepage pages[PAGE_N];
	size_t n = disk_pages(disk, &s->now, disk->saved == NULL ? NULL : &s->saved, pages);
	int r;

	s->unit = disk_mode_unit(disk);
	s->sel = (struct mode_select){
	    .is_10 = cmd->cdb[0] == 0x55,
	    .want_save = (cmd->cdb[1] & 0x01) != 0,
	    .unit = &s->unit,
	    .check = disk_check_page,
	};
	r = mode_select_apply(
	    &s->sel, cmd->chunk, (size_t)cmd->left, pages, n, &s->changed, &s->sense);
	if (r < 0)
		return r;
	s->is_rounded = disk_round(&s->now);
	if (s->sel.want_save)
		(void)disk_round(&s->saved);
	return 0;
}

static void
select_begin(struct disk *disk, struct disk_select *s)
{
	const struct disk_image *image = disk_saved_image(disk);

	s->now = disk->modes;
	s->saved = image == NULL ? mode_defaults : image->modes;
}

static int
disk_select_done(struct disk_cmd *cmd)
{
	return cmd->phase == SELECT_ROUNDED ?
	    disk_check(cmd, SENSE_RECOVERED_ERROR, ASC_ROUNDED_PARAMETER) : disk_good(cmd);
}

/* turning write-back off promises that what was written before is stable */
static int
disk_select_flushed(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_store_failed(cmd, result) : disk_select_done(cmd);
}

static int
disk_select_drained(struct disk_cmd *cmd, int result)
{
	(void)result;
	return disk_flush(cmd, disk_select_flushed);
}

/* writes that began with write-back on are over before: who hears of their end behind this one's
 * takes them for stable */
static int
disk_select_stable(struct disk_cmd *cmd)
{
	if (disk_lock_all(cmd->disk, cmd))
		return disk_select_drained(cmd, 0);
	cmd->step = disk_select_drained;
	return DISK_WAIT;
}

/* the pages are in force; what other initiators must hear of it is the business of lib/lu */
static int
disk_selected(struct disk_cmd *cmd, const struct disk_select *s)
{
	cmd->phase = s->is_rounded ? SELECT_ROUNDED : SELECT_EXACT;
	if ((s->changed & 1u << PAGE_CACHING) != 0 &&
	    atomic_load(&cmd->disk->is_write_through))
		return disk_select_stable(cmd);
	return disk_select_done(cmd);
}

static int
disk_select_now(struct disk *disk, struct disk_cmd *cmd)
{
	struct disk_select s;
	int r;

	mutex_enter(&disk->lock);
	select_begin(disk, &s);
	r = select_judge(disk, cmd, &s);
	if (r == 0) {
		disk->modes = s.now;
		disk_modes_apply(disk);
	}
	mutex_exit(&disk->lock);
	return r < 0 ? disk_sense(cmd, &s.sense) : disk_selected(cmd, &s);
}

/* With SP: nothing is in force before it is saved. Meanwhile somebody else may have changed
 * current values, and not saved them, so the list is applied once more to those of then. */
static int
disk_select_save(struct disk_cmd *cmd)
{
	struct disk *disk = cmd->disk;
	struct disk_image image;
	struct disk_select s;
	int r;

	disk_save_begin(disk, &image);
	mutex_enter(&disk->lock);
	select_begin(disk, &s);
	mutex_exit(&disk->lock);
	r = select_judge(disk, cmd, &s);
	if (r < 0) {
		disk_save_cancel(disk);
		cmd->sense = s.sense;
		return r;
	}
	image.modes = s.saved;
	r = disk_save_end(disk, &image);
	if (r < 0) {
		cmd->sense = sense_make(SENSE_HARDWARE_ERROR, ASC_WRITE_FAULT);
		return r;
	}
	return 0;
}

static int
disk_select_saved(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_sense(cmd, &cmd->sense) : disk_select_now(cmd->disk, cmd);
}

int
disk_do_mode_select(struct disk *disk, struct disk_cmd *cmd)
{
	size_t len = cmd->cdb[0] == 0x55 ? be16_get(cmd->cdb + 7) : cmd->cdb[4], got;
	bool want_save = (cmd->cdb[1] & 0x01) != 0;

	if ((cmd->cdb[1] & 0x10) == 0 && len != 0)	/* PF: pages as SPC defines them */
		return disk_bad_cdb(cmd, 1, 4);
	if (want_save && disk->saved == NULL)
		return disk_bad_cdb(cmd, 1, 0);
	if (len == 0)
		return disk_good(cmd);
	if (len > MODE_BUF_LEN)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	if (!disk_get_chunk(cmd, MODE_BUF_LEN))
		return disk_busy(cmd);
	got = disk_take(cmd, cmd->chunk, len);
	if (got < len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	cmd->left = len;
	if (!want_save)
		return disk_select_now(disk, cmd);
	cmd->work = disk_select_save;
	cmd->step = disk_select_saved;
	return DISK_WORK;
}
