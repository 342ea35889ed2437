/* START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL: power, and media that come and go */
#include <errno.h>

#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define SS_START	0x01	/* byte 4 */
#define SS_LOEJ		0x02
#define SS_NO_FLUSH	0x04

enum { POWER_START_VALID = 0, POWER_ACTIVE, POWER_IDLE, POWER_STANDBY };

/*
 * Power conditions by command, with their modifiers. Nothing here spins, so all that changes is
 * what REQUEST SENSE says until the next command that needs the blocks.
 */
static const struct {
	uint8_t condition, modifier;
	uint16_t asc;
} powers[] = {
	{ POWER_IDLE, 0, ASC_CODE(0x5e, 0x03) },
	{ POWER_IDLE, 1, ASC_CODE(0x5e, 0x06) },
	{ POWER_IDLE, 2, ASC_CODE(0x5e, 0x08) },
	{ POWER_STANDBY, 0, ASC_CODE(0x5e, 0x04) },
	{ POWER_STANDBY, 1, ASC_CODE(0x5e, 0x0a) },
};

/* Values that are reserved, or only for the timers that there are none of, change nothing:
 * initiators (and the test suite of libiscsi) want them to be GOOD. */
static int
disk_set_power(struct disk *disk, struct disk_cmd *cmd, uint8_t condition, uint8_t modifier)
{
	for (size_t i = 0; i < ARRAY_LEN(powers); i++) {
		if (powers[i].condition != condition || powers[i].modifier != modifier)
			continue;
		atomic_store(&disk->power_asc, powers[i].asc);
		(void)atomic_fetch_or(&disk->condition, DISK_LOW_POWER);
		return disk_good(cmd);
	}
	if (modifier != 0)
		return disk_bad_cdb(cmd, 3, 3);
	if (condition == POWER_ACTIVE)
		(void)atomic_fetch_and(&disk->condition, ~DISK_LOW_POWER);
	return disk_good(cmd);
}

static int
disk_stop_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	if ((cmd->cdb[4] & SS_LOEJ) != 0)
		(void)atomic_fetch_or(&cmd->disk->condition, DISK_EJECTED);
	return disk_good(cmd);
}

/*
 * Stopping without eject makes the data stable and nothing else: the unit stays ready, since it
 * needs no time to get ready again. A load is not news for who has asked for it, and whom else
 * to tell is known above.
 */
int
disk_do_start_stop(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t flags = cmd->cdb[4];

	if (flags >> 4 != POWER_START_VALID)
		return disk_set_power(disk, cmd, flags >> 4, cmd->cdb[3] & 0x0f);
	if ((cmd->cdb[3] & 0x0f) != 0)
		return disk_bad_cdb(cmd, 3, 3);
	if ((flags & SS_LOEJ) != 0 && !disk->is_removable)
		return disk_bad_cdb(cmd, 4, 1);
	/* a load, too: the medium stays where it is */
	if ((flags & SS_LOEJ) != 0 && atomic_load(&disk->is_prevented))
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED);
	(void)atomic_fetch_and(&disk->condition, ~DISK_LOW_POWER);
	if ((flags & SS_START) != 0) {
		(void)atomic_fetch_add(&disk->stats.starts, 1);
		if ((flags & SS_LOEJ) != 0)
			(void)atomic_fetch_add(&disk->stats.loads, 1);
		if ((flags & SS_LOEJ) != 0)
			(void)atomic_fetch_and(&disk->condition, ~DISK_EJECTED);
		return disk_good(cmd);
	}
	if ((flags & SS_NO_FLUSH) != 0)
		return disk_stop_step(cmd, 0);
	return disk_flush(cmd, disk_stop_step);
}

/* who has prevented it is lib/lu's business: the disk has one initiator */
int
disk_do_prevent_allow(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t prevent = cmd->cdb[4] & 0x03;

	if ((prevent & 0x02) != 0)	/* of media changers, obsolete */
		return disk_bad_cdb(cmd, 4, 1);
	atomic_store(&disk->is_prevented, prevent != 0);
	return disk_good(cmd);
}

int
disk_set_medium(struct disk *disk, bool is_there)
{
	unsigned int old;

	if (!disk->is_removable)
		return -ENOTSUP;
	if (is_there) {
		old = atomic_fetch_and(&disk->condition, ~DISK_EJECTED);
		if ((old & DISK_EJECTED) != 0)
			disk_attention(disk, ASC_MEDIUM_CHANGED);
		return 0;
	}
	if (atomic_load(&disk->is_prevented)) {
		disk_attention(disk, ASC_REMOVAL_REQUEST);
		return -EBUSY;
	}
	(void)atomic_fetch_or(&disk->condition, DISK_EJECTED);
	return 0;
}
