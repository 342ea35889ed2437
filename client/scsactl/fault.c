#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

enum { FAULT_UNIT };

static const struct verb_opt fault_opts[] = {
	[FAULT_UNIT] = { "unit", 'u', "NAME", "unit or HBA; without: the only software HBA" },
	{ NULL, 0, NULL, NULL },
};

static const char *const actions[] = { "add", "list", "clear", NULL };

static enum ctl_exit
fault_add(struct ctl *ctl, const struct args *args)
{
	uint32_t id = 0;
	int r;

	if (args->n != 2)
		return ctl_syntax(ctl, "fault add wants one rule");
	r = scsac_fault_add(ctl->conn, args->opt[FAULT_UNIT], args->v[1], &id);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		doc_number(ctl->root, "id", id);
	else
		(void)printf("%" PRIu32 "\n", id);
	return CTL_OK;
}

static enum ctl_exit
fault_list(struct ctl *ctl, const struct args *args)
{
	struct libscols_table *table = NULL;
	struct scsac_faults *faults = NULL;
	json_object *list;
	int r = scsac_fault_list(ctl->conn, args->opt[FAULT_UNIT], &faults);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	list = doc_list(ctl->is_json ? ctl->root : NULL, "rules");
	if (!ctl->is_json)
		table = table_new(">ID,HBA,>HITS,RULE");
	for (size_t i = 0; i < faults->n_rules; i++) {
		const struct scsac_fault *rule = &faults->rules[i];
		json_object *item = doc_item(list);
		char id[16], hits[24];

		doc_number(item, "id", rule->id);
		doc_text(item, "hba", rule->hba);
		doc_number(item, "hits", rule->hits);
		doc_text(item, "rule", rule->text);
		(void)snprintf(id, sizeof(id), "%" PRIu32, rule->id);
		(void)snprintf(hits, sizeof(hits), "%" PRIu64, rule->hits);
		table_row(table, id, rule->hba, hits, rule->text, NULL);
	}
	table_print(table);
	scsac_faults_free(faults);
	return CTL_OK;
}

static enum ctl_exit
fault_clear(struct ctl *ctl, const struct args *args)
{
	unsigned cleared = 0;
	uint64_t id = 0;
	int r;

	if (args->n == 2 && (num_parse_u64(args->v[1], UINT32_MAX, &id) < 0 || id == 0))
		return ctl_syntax(ctl, "'%s' is no rule's id", args->v[1]);
	r = scsac_fault_clear(ctl->conn, args->opt[FAULT_UNIT], (uint32_t)id, &cleared);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (id != 0 && cleared == 0)
		return ctl_fail(ctl, CTL_NO_SUCH, "there is no rule %s", args->v[1]);
	if (ctl->is_json)
		doc_number(ctl->root, "cleared", cleared);
	else
		fact("cleared", "%u rule%s", cleared, cleared == 1 ? "" : "s");
	return CTL_OK;
}

static enum ctl_exit
fault_run(struct ctl *ctl, const struct args *args)
{
	if (strcmp(args->v[0], "add") == 0)
		return fault_add(ctl, args);
	if (strcmp(args->v[0], "list") == 0)
		return fault_list(ctl, args);
	if (strcmp(args->v[0], "clear") == 0)
		return fault_clear(ctl, args);
	return ctl_syntax(ctl, "'%s' is none of add, list, clear", args->v[0]);
}

const struct verb verb_fault = {
	.name = "fault",
	.args = "add RULE | list | clear [ID]",
	.summary = "let commands of the software HBA go wrong on purpose",
	.details =
	    "RULE is action=NAME[,WORD=VALUE]...:\n"
	    "  action   delay drop dup busy qfull check medium short bus_reset gone tran_err\n"
	    "           resid stuck\n"
	    "  target=N lun=N op=read|write|0xNN lba=N[-M]   which commands\n"
	    "  count=N prob=N seed=N                         how often (prob: of 1000)\n"
	    "  us=N ms=N s=N sense=K/ASC/ASCQ bytes=SIZE     how\n"
	    "Example: scsactl fault add action=medium,op=read,lba=100-107,count=1",
	.opts = fault_opts,
	.min = 1,
	.max = 2,
	.words = actions,
	.run = fault_run,
};
