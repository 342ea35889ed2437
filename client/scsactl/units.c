/* what a unit leaves to its device, and how patient it is */
#include "client/scsactl/object.h"
#include "client/scsactl/verbs.h"

static const struct object_column unit_columns[] = {
	{ "UNIT", "name" }, { ">DEPTH", "depth" }, { ">TIMEOUT", "command_timeout" },
	{ "RESERVATIONS", "reservations" }, { "ALUA", "alua" }, { "INQUIRY", "inquiry" },
	{ "ORIGIN", "origin" }, { NULL, NULL },
};

static const struct verb_opt list_opts[] = {
	{ "names", 'n', NULL, "only names, one a line" },
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
unit_list_run(struct ctl *ctl, const struct args *args)
{
	return objects_list(ctl, SCSAC_OBJECT_UNIT, "units", unit_columns,
	    args->n > 0 ? args->v[0] : NULL, args->opt[0] != NULL);
}

const struct verb verb_unit_list = {
	.name = "unit list",
	.args = "[UNIT]",
	.summary = "units that have options of their own",
	.opts = list_opts,
	.max = 1,
	.lister = "unit list --names",
	.run = unit_list_run,
};

static enum ctl_exit
unit_show_run(struct ctl *ctl, const struct args *args)
{
	return object_show(ctl, SCSAC_OBJECT_UNIT, args->v[0]);
}

const struct verb verb_unit_show = {
	.name = "unit show",
	.args = "UNIT",
	.summary = "all options of such a unit",
	.min = 1,
	.max = 1,
	.lister = "unit list --names",
	.run = unit_show_run,
};

static const struct verb_opt unit_opts[] = {
	{ "depth", 'd', "N", "commands with its HBA at a time; 0: no limit of ours" },
	{ "command-timeout", 0, "SECONDS", "of commands whose sender gives none; 60" },
	{ "recover-grace", 0, "SECONDS", "and so long until recovery begins; 5" },
	{ "recover-abort", 0, "SECONDS", "time for aborts; 0 leaves them out, as below; 5" },
	{ "recover-lun", 0, "SECONDS", "for the reset of the unit; 10" },
	{ "recover-target", 0, "SECONDS", "for that of its target; 15" },
	{ "recover-bus", 0, "SECONDS", "for that of everything at its port; 20" },
	{ "recover-hba", 0, "SECONDS", "for that of its HBA; 30" },
	{ "reservations", 0, "WHO", "emulate or pass, as below: who answers RESERVE, PR" },
	{ "alua", 0, "WHO", "target port groups" },
	{ "inquiry", 0, "WHO", "ports and identity in INQUIRY" },
	{ "opcodes", 0, "WHO", "REPORT SUPPORTED OPERATION CODES" },
	{ "copy", 0, "WHO", "EXTENDED COPY, tokens" },
	{ "prevent", 0, "WHO", "PREVENT ALLOW MEDIUM REMOVAL" },
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
unit_set_run(struct ctl *ctl, const struct args *args)
{
	return object_put(ctl, args, SCSAC_OBJECT_UNIT);
}

const struct verb verb_unit_set = {
	.name = "unit set",
	.args = "UNIT",
	.summary = "change options of a unit; '' gives a default back",
	.details = "UNIT is its path or a tail of it; it need not be there now.",
	.opts = unit_opts,
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = unit_set_run,
};

static enum ctl_exit
unit_remove_run(struct ctl *ctl, const struct args *args)
{
	return object_edit(ctl, args, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_UNIT);
}

const struct verb verb_unit_remove = {
	.name = "unit remove",
	.args = "UNIT",
	.summary = "give a unit all defaults back; the unit stays",
	.min = 1,
	.max = 1,
	.lister = "unit list --names",
	.run = unit_remove_run,
};
