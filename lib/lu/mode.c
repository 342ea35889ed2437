/* MODE SENSE for who may not write: to it the medium is write protected */
#include "lu/lu_impl.h"

#include "scsi/inquiry.h"
#include "scsi/mode.h"
#include "scsi/status.h"

bool
lu_mode_may_write(uint32_t classes)
{
	return (classes & LU_CLASS(OP_WRITE)) != 0;
}

/* is WP a bit of the device-specific parameter? (SBC-4 6.5.1, SSC-5 8.5.1) */
static bool
has_write_protection(const struct lu *lu)
{
	switch (lu->info.type) {
	case INQ_TYPE_DISK:
	case INQ_TYPE_TAPE:
	case INQ_TYPE_WORM:
	case INQ_TYPE_OPTICAL:
	case INQ_TYPE_RBC:
	case INQ_TYPE_ZBC:
		return true;
	default:
		return false;
	}
}

static void
sense_done(struct lu *lu UNUSED, struct lu_task *task)
{
	size_t at = task->op->id == OP_MODE_SENSE_6 ? 2 : 3;	/* SPC-4 7.5.5 */

	if (task->reason == CMD_CMPLT && task->status == SAM_STAT_GOOD && task->moved > at)
		((uint8_t *)task->data)[at] |= MODE_DSP_WP;
}

void
lu_mode_sense(struct lu *lu, struct lu_task *task)
{
	if (lu_mode_may_write(task->nexus->classes) || !has_write_protection(lu))
		lu_local_pass(task);
	else
		lu_local_pass_then(task, sense_done);
}
