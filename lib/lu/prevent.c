/* PREVENT ALLOW MEDIUM REMOVAL: the device knows one initiator, so it is told when the first
 * nexus prevents and when the last one allows (SPC-4 6.17; SBC-3 4.6) */
#include "lu/lu_impl.h"

#include "scsi/status.h"

#define PREVENT_TIMEOUT_MS	10000

/* ------ counting ------ */

static void
prevent_set(struct lu_nexus *nexus, bool is_preventing)
{
	if (nexus->is_preventing == is_preventing)
		return;
	nexus->is_preventing = is_preventing;
	if (is_preventing)
		nexus->unit->n_preventing++;
	else
		nexus->unit->n_preventing--;
}

/* ------ commands of our own, when nobody's is there to carry it ------ */

static void
own_done(struct lu_ask *ask)
{
	lu_ask_free(ask);
}

static void
own_send(struct lu *lu, bool is_prevent)
{
	struct lu_ask *ask = lu_ask_new(lu, 0, own_done, NULL);

	if (ask == NULL)
		return;
	ask->task.cdb[0] = 0x1e;
	ask->task.cdb[4] = is_prevent;
	ask->task.cdb_len = 6;
	ask->task.timeout_ms = PREVENT_TIMEOUT_MS;
	if (lu_ask(lu, ask) < 0)
		lu_ask_free(ask);
}

void
lu_prevent_nexus_lost(struct lu_nexus *nexus)
{
	struct lu *lu = nexus->unit;

	if (!nexus->is_preventing)
		return;
	prevent_set(nexus, false);
	if (lu->n_preventing == 0 && lu_is_active(lu))
		own_send(lu, false);
}

/* the device has forgotten it, too */
void
lu_prevent_reset(struct lu *lu)
{
	struct lu_nexus *nexus;

	LIST_FOREACH(nexus, &lu->nexuses, entry)
		prevent_set(nexus, false);
}

/* ------ the command ------ */

static void
prevent_done(struct lu *lu, struct lu_task *task)
{
	bool is_prevent = (task->cdb[4] & 0x01) != 0;

	if (task->reason != CMD_CMPLT || task->status != SAM_STAT_GOOD)
		return;
	prevent_set(task->nexus, is_prevent);
	/* it left while the device took its PREVENT */
	if (task->nexus->is_gone)
		lu_prevent_nexus_lost(task->nexus);
	/* somebody prevented while the device took the ALLOW of the last one before */
	if (!is_prevent && lu->n_preventing > 0)
		own_send(lu, true);
}

void
lu_prevent_allow(struct lu *lu, struct lu_task *task)
{
	uint8_t prevent = task->cdb[4] & 0x03;
	bool is_last = lu->n_preventing == 1 && task->nexus->is_preventing;

	if (prevent > 1 || (prevent == 1 && lu->n_preventing == 0) ||
	    (prevent == 0 && is_last)) {
		lu_local_pass_then(task, prevent_done);
		return;
	}
	prevent_set(task->nexus, prevent == 1);
	lu_local_good(task);
}
