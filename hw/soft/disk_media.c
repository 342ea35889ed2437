/* START STOP UNIT */
#include <errno.h>

#include "hw/soft/disk_impl.h"

#define SS_START	0x01	/* byte 4 */
#define SS_LOEJ		0x02
#define SS_NO_FLUSH	0x04

static bool
is_power_condition(uint8_t condition)
{
	/* active, idle, standby, LU control, force idle and standby: nothing here spins */
	return condition <= 3 || condition == 7 || condition == 10 || condition == 11;
}

static int
disk_stop_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	if ((cmd->cdb[4] & SS_LOEJ) != 0)
		atomic_store(&cmd->disk->is_ejected, true);
	return disk_good(cmd);
}

/* Stopping without eject makes the data stable and nothing else: the unit stays ready, since it
 * needs no time to get ready again. */
int
disk_do_start_stop(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t flags = cmd->cdb[4];

	if (!is_power_condition(flags >> 4))
		return disk_bad_cdb(cmd, 4, 7);
	if (flags >> 4 != 0)
		return disk_good(cmd);
	if ((flags & SS_LOEJ) != 0 && !disk->is_removable)
		return disk_bad_cdb(cmd, 4, 1);
	if ((flags & SS_START) != 0) {
		if ((flags & SS_LOEJ) != 0)
			atomic_store(&disk->is_ejected, false);
		return disk_good(cmd);
	}
	if ((flags & SS_NO_FLUSH) != 0)
		return disk_stop_step(cmd, 0);
	cmd->step = disk_stop_step;
	cmd->req.op = STORE_FLUSH;
	cmd->req.offset = 0;
	cmd->req.len = 0;
	return DISK_IO;
}
