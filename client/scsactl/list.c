#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "client/scsactl/out.h"
#include "client/scsactl/tree.h"
#include "client/scsactl/verbs.h"
#include "scsi/inquiry.h"

enum { LIST_NAMES, LIST_LONG, LIST_HBAS, LIST_TREE };

static const struct verb_opt list_opts[] = {
	[LIST_NAMES] = { "names", 'n', NULL, "only the paths, one a line" },
	[LIST_LONG]  = { "long", 'l', NULL, "serial, revision and store as well" },
	[LIST_HBAS]  = { "hbas", 'H', NULL, "host bus adapters instead of units" },
	[LIST_TREE]  = { "tree", 'T', NULL, "adapters, their ports, and what is behind each" },
	{ NULL, 0, NULL, NULL },
};

static uint64_t
unit_bytes(const struct scsac_unit *unit)
{
	uint64_t bytes = 0;

	(void)num_mul(unit->blocks, unit->block_bytes, &bytes);
	return bytes;
}

static void
unit_json(json_object *item, const struct scsac_unit *unit)
{
	json_object *aliases;

	doc_text(item, "path", unit->path);
	doc_text(item, "vendor", unit->vendor);
	doc_text(item, "product", unit->product);
	doc_text(item, "revision", unit->revision);
	doc_text(item, "serial", unit->serial);
	doc_number(item, "type", unit->device_type);
	doc_text(item, "type_name", inq_type_name((uint8_t)unit->device_type));
	doc_number(item, "blocks", unit->blocks);
	doc_number(item, "block_bytes", unit->block_bytes);
	doc_number(item, "capacity", unit_bytes(unit));
	doc_text(item, "state", unit->state);
	doc_text(item, "hba", unit->hba);
	doc_text(item, "iport", unit->iport);
	doc_text(item, "target", unit->target);
	doc_number(item, "lun", unit->lun);
	doc_text(item, "store", unit->store_kind);
	doc_text(item, "store_detail", unit->store_detail);
	doc_bool(item, "readonly", unit->is_readonly);
	doc_number(item, "transfer_max", unit->transfer_max);
	aliases = doc_list(item, "aliases");
	for (size_t i = 0; aliases != NULL && i < unit->n_aliases; i++)
		(void)json_object_array_add(aliases, json_object_new_string(unit->aliases[i]));
}

static void
list_json(json_object *root, const struct scsac_list *list)
{
	json_object *units = doc_list(root, "units");
	json_object *hbas = doc_list(root, "hbas");

	for (size_t i = 0; i < list->n_units; i++)
		unit_json(doc_item(units), &list->units[i]);
	for (size_t i = 0; i < list->n_hbas; i++) {
		json_object *item = doc_item(hbas);

		doc_text(item, "name", list->hbas[i].name);
		doc_text(item, "driver", list->hbas[i].driver);
		doc_text(item, "state", list->hbas[i].state);
		doc_number(item, "units", list->hbas[i].units);
		doc_text(item, "detail", list->hbas[i].detail);
		doc_text(item, "pci", list->hbas[i].pci);
	}
	tree_json(root, list);
}

static void
list_units(const struct scsac_list *list, bool is_long)
{
	struct libscols_table *table = table_new(is_long ?
	    "PATH,TYPE,VENDOR,PRODUCT,>SIZE,>BLOCK,STATE,REV,SERIAL,STORE,DETAIL" :
	    "PATH,TYPE,VENDOR,PRODUCT,>SIZE,>BLOCK,STATE");

	for (size_t i = 0; i < list->n_units; i++) {
		const struct scsac_unit *unit = &list->units[i];
		const char *type = inq_type_name((uint8_t)unit->device_type);
		char size[NUM_BYTES_LEN];
		char block[16];

		(void)num_format_bytes(unit_bytes(unit), size);
		(void)snprintf(block, sizeof(block), "%" PRIu32, unit->block_bytes);
		if (is_long)
			table_row(table, unit->path, type, unit->vendor, unit->product, size,
			    block, unit->state, unit->revision, unit->serial, unit->store_kind,
			    unit->store_detail, NULL);
		else
			table_row(table, unit->path, type, unit->vendor, unit->product, size,
			    block, unit->state, NULL);
	}
	table_print(table);
}

static void
list_hbas(const struct scsac_list *list)
{
	struct libscols_table *table = table_new("NAME,DRIVER,STATE,>UNITS,DETAIL");

	for (size_t i = 0; i < list->n_hbas; i++) {
		char units[16];

		(void)snprintf(units, sizeof(units), "%u", list->hbas[i].units);
		table_row(table, list->hbas[i].name, list->hbas[i].driver, list->hbas[i].state,
		    units, list->hbas[i].detail, NULL);
	}
	table_print(table);
}

static void
list_names(const struct scsac_list *list)
{
	for (size_t i = 0; i < list->n_units; i++)
		(void)printf("%s\n", escaped(list->units[i].path));
}

/* shorter is smaller: "a" comes before "10" */
static int
number_compare(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	return a_len != b_len ? (a_len < b_len ? -1 : 1) : strcmp(a, b);
}

static int
unit_compare(const void *a, const void *b)
{
	const struct scsac_unit *x = a, *y = b;
	int r = number_compare(x->hba, y->hba);

	if (r == 0)
		r = strcmp(x->iport, y->iport);
	if (r == 0)
		r = number_compare(x->target, y->target);
	if (r == 0)
		r = x->lun < y->lun ? -1 : x->lun > y->lun;
	return r;
}

static enum ctl_exit
list_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_list *list = NULL;
	int r = scsac_list(ctl->conn, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	/* the daemon tells them in the order in which they came */
	qsort((void *)(uintptr_t)list->units, list->n_units, sizeof(*list->units), unit_compare);
	if (ctl->is_json)
		list_json(ctl->root, list);
	else if (args->opt[LIST_NAMES] != NULL)
		list_names(list);
	else if (args->opt[LIST_HBAS] != NULL)
		list_hbas(list);
	else if (args->opt[LIST_TREE] != NULL)
		tree_print(list);
	else
		list_units(list, args->opt[LIST_LONG] != NULL);
	scsac_list_free(list);
	return CTL_OK;
}

const struct verb verb_list = {
	.name = "list",
	.args = "",
	.summary = "units, host bus adapters, and the tree of both",
	.opts = list_opts,
	.run = list_run,
};
