#include "daemon/recovery.h"

#include <errno.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/log.h"
#include "daemon/hbas.h"
#include "ddi/devtree.h"
#include "lu/lu.h"
#include "lu/recover.h"
#include "scsa/config.h"

#define ASKED_MAX	4	/* units that may take the time of an INQUIRY each */

static int
hba_of(struct hbas *hbas, const struct lu *unit, struct hba **ret_hba)
{
	struct hba *hba;

	if (hbas == NULL)
		return -EAGAIN;
	hba = hbas_find(hbas, lu_info(unit)->hba);
	if (hba == NULL || !hba_is_attached(hba))
		return -ENODEV;
	*ret_hba = hba;
	return 0;
}

int
recovery_reset(struct hbas *hbas, const struct lu *unit)
{
	struct hba *hba;
	int r = hba_of(hbas, unit, &hba);

	if (r == 0)
		r = hba_change_begin(hba);
	if (r < 0)
		return r;
	r = scsa_hba_reset(hba->dip);
	hba_change_end(hba);
	if (r < 0)
		log_error("%s: not reset: %s", hba->name, strerror(-r));
	else
		log_warning("%s: reset", hba->name);
	return r;
}

static bool
unit_answers(struct lu *unit)
{
	uint8_t inquiry[48];
	size_t len;
	int result;

	return lu_probe(unit, &result, inquiry, &len) == 0 && result == SCSIPROBE_EXISTS;
}

/* does one of the other units of this HBA answer? */
static bool
others_answer(const struct lu *unit)
{
	unsigned int n_asked = 0;
	bool is_found = false;
	uint64_t id = 0;
	struct lu *other;

	while (!is_found && n_asked < ASKED_MAX && (other = lu_next(id)) != NULL) {
		id = lu_id(other);
		if (other != unit && !lu_is_offline(other) &&
		    strcmp(lu_info(other)->hba, lu_info(unit)->hba) == 0) {
			is_found = unit_answers(other);
			n_asked++;
		}
		lu_unref(other);
	}
	return is_found;
}

static int
hba_silence(struct hba *hba)
{
	int r = hba_change_begin(hba);

	if (r < 0)
		return r;
	if (hba->state != HBA_SILENCED) {
		r = devi_quiesce(hba->dip);
		if (r < 0)
			log_error("%s: not silenced: %s", hba->name, strerror(-r));
		else
			log_error("%s: silenced, nothing of it answers; it works again after a "
			    "restart", hba->name);
	}
	if (r == 0)
		hba->state = HBA_SILENCED;
	hba_change_end(hba);
	return r;
}

int
recovery_silence(struct hbas *hbas, const struct lu *unit)
{
	struct hba *hba;
	int r = hba_of(hbas, unit, &hba);

	if (r < 0)
		return r;
	return others_answer(unit) ? -EBUSY : hba_silence(hba);
}
