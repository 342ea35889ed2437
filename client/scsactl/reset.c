#include <string.h>

#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

static const char *const levels[] = { "lun", "target", "bus", "hba", NULL };

static enum ctl_exit
reset_run(struct ctl *ctl, const struct args *args)
{
	bool is_done = false;
	unsigned returned = 0;
	size_t level = 0;
	int r;

	while (levels[level] != NULL && strcmp(levels[level], args->v[0]) != 0)
		level++;
	if (levels[level] == NULL)
		return ctl_syntax(ctl, "'%s' is no level: lun, target, bus or hba", args->v[0]);
	r = scsac_reset(ctl->conn, 0, args->v[1], (enum scsac_level)(level + SCSAC_LEVEL_LUN),
	    &is_done, &returned);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json) {
		doc_bool(ctl->root, "done", is_done);
		doc_number(ctl->root, "returned", returned);
	} else if (is_done) {
		fact("reset", "%s done, %u packets returned", args->v[0], returned);
	}
	if (!is_done)
		return ctl_fail(ctl, CTL_FALSE, "the HBA did not do the %s reset", args->v[0]);
	return CTL_OK;
}

const struct verb verb_reset = {
	.name = "reset",
	.args = "lun|target|bus|hba UNIT",
	.summary = "reset a unit or what is around it; for bus and hba UNIT may be an HBA",
	.min = 2,
	.max = 2,
	.words = levels,
	.lister = LIST_UNITS,
	.run = reset_run,
};

static enum ctl_exit
abort_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_aborted aborted = { 0 };
	int r;

	r = scsac_abort_everyone(ctl->conn, 0, args->v[0], &aborted);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json) {
		doc_number(ctl->root, "aborted", aborted.aborted);
		doc_number(ctl->root, "finished", aborted.finished);
		doc_number(ctl->root, "failed", aborted.failed);
	} else {
		fact("abort", "%u aborted, %u had finished, %u still active", aborted.aborted,
		    aborted.finished, aborted.failed);
	}
	return aborted.failed > 0 ? CTL_FALSE : CTL_OK;
}

const struct verb verb_abort = {
	.name = "abort",
	.args = "UNIT",
	.summary = "abort all packets on a unit, whoever sent them",
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = abort_run,
};
