#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

enum { SETCAP_HBA };

static const struct verb_opt setcap_opts[] = {
	[SETCAP_HBA] = { "hba", 'H', NULL, "for the whole HBA, not this unit only" },
	{ NULL, 0, NULL, NULL },
};

static void
caps_json(json_object *root, const struct scsac_caps *caps)
{
	json_object *list = doc_list(root, "capabilities");

	for (size_t i = 0; i < caps->n_caps; i++) {
		json_object *item = doc_item(list);

		doc_text(item, "name", caps->caps[i].name);
		doc_signed(item, "value", caps->caps[i].value);
		doc_bool(item, "defined", caps->caps[i].value != -1);
		doc_bool(item, "can_set", caps->caps[i].can_set);
	}
}

static void
caps_print(const struct scsac_caps *caps)
{
	struct libscols_table *table = table_new("CAPABILITY,>VALUE,SETTABLE");

	for (size_t i = 0; i < caps->n_caps; i++) {
		char value[16];

		(void)snprintf(value, sizeof(value), "%d", caps->caps[i].value);
		table_row(table, caps->caps[i].name, caps->caps[i].value == -1 ? "-" : value,
		    caps->caps[i].can_set ? "yes" : "", NULL);
	}
	table_print(table);
}

static enum ctl_exit
getcap_run(struct ctl *ctl, const struct args *args)
{
	const char *name = args->n > 1 ? args->v[1] : NULL;
	struct scsac_caps *caps = NULL;
	bool is_defined;
	int r = scsac_getcap(ctl->conn, 0, args->v[0], name, &caps);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	is_defined = name == NULL || (caps->n_caps == 1 && caps->caps[0].value != -1);
	if (ctl->is_json)
		caps_json(ctl->root, caps);
	else if (name == NULL)
		caps_print(caps);
	else if (is_defined)
		(void)printf("%d\n", caps->caps[0].value);
	scsac_caps_free(caps);
	if (!is_defined)
		return ctl_fail(ctl, CTL_FALSE, "the HBA does not define '%s'", name);
	return CTL_OK;
}

const struct verb verb_getcap = {
	.name = "getcap",
	.args = "UNIT [CAPABILITY]",
	.summary = "capabilities of the transport to a unit; status 36 if not defined",
	.min = 1,
	.max = 2,
	.lister = LIST_UNITS,
	.run = getcap_run,
};

static enum ctl_exit
setcap_run(struct ctl *ctl, const struct args *args)
{
	bool is_negative = args->v[2][0] == '-';
	uint64_t value;
	int result = 0;
	int r;

	if (num_parse_u64(args->v[2] + is_negative, INT32_MAX, &value) < 0)
		return ctl_syntax(ctl, "'%s' is no value", args->v[2]);
	r = scsac_setcap(ctl->conn, 0, args->v[0], args->v[1],
	    is_negative ? -(int)value : (int)value, args->opt[SETCAP_HBA] != NULL, &result);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		doc_signed(ctl->root, "result", result);
	if (result == 1)
		return CTL_OK;
	return ctl_fail(ctl, CTL_FALSE, result == -1 ? "the HBA does not define '%s'" :
	    "'%s' cannot be set to that", args->v[1]);
}

const struct verb verb_setcap = {
	.name = "setcap",
	.args = "UNIT CAPABILITY VALUE",
	.summary = "set a capability; status 36 if it cannot be",
	.opts = setcap_opts,
	.min = 3,
	.max = 3,
	.lister = LIST_UNITS,
	.run = setcap_run,
};
