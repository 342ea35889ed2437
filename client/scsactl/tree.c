#include "client/scsactl/tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libsmartcols.h>

#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/out.h"
#include "scsi/inquiry.h"

enum { COLUMN_NAME, COLUMN_KIND, COLUMN_SIZE, COLUMN_STATE, COLUMN_DETAIL };

struct tree {
	struct libscols_table *table;
	const struct scsac_list *list;
};

/* ------ rows ------ */

static struct libscols_line *
row(struct tree *t, struct libscols_line *parent, const char *name, const char *kind)
{
	struct libscols_line *line = scols_table_new_line(t->table, parent);

	if (line == NULL)
		return NULL;
	(void)scols_line_set_data(line, COLUMN_NAME, escaped(name));
	(void)scols_line_set_data(line, COLUMN_KIND, escaped(kind));
	return line;
}

static void
cell(struct libscols_line *line, size_t column, const char *text)
{
	if (line != NULL)
		(void)scols_line_set_data(line, column, escaped(text));
}

/* the part of a path behind its last slash */
static const char *
leaf(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static void
unit_row(struct tree *t, struct libscols_line *parent, const struct scsac_unit *unit)
{
	struct libscols_line *line = row(t, parent, leaf(unit->path),
	    inq_type_name((uint8_t)unit->device_type));
	char size[NUM_BYTES_LEN], detail[128];
	uint64_t bytes = 0;

	(void)num_mul(unit->blocks, unit->block_bytes, &bytes);
	(void)snprintf(detail, sizeof(detail), "%s %s", unit->vendor, unit->product);
	cell(line, COLUMN_SIZE, num_format_bytes(bytes, size));
	cell(line, COLUMN_STATE, unit->state);
	cell(line, COLUMN_DETAIL, detail);
}

static void
expander_row(struct tree *t, struct libscols_line *parent, const struct scsac_expander *exp)
{
	struct libscols_line *line = row(t, parent, leaf(exp->path), "expander");
	char detail[128];

	(void)snprintf(detail, sizeof(detail), "%s %s", exp->vendor, exp->product);
	cell(line, COLUMN_DETAIL, detail);
}

/* units and expanders behind one iport; "" is the HBA itself */
static void
rows_behind(struct tree *t, struct libscols_line *parent, const char *hba, const char *iport)
{
	for (size_t i = 0; i < t->list->n_expanders; i++) {
		const struct scsac_expander *exp = &t->list->expanders[i];

		if (strcmp(exp->hba, hba) == 0 && strcmp(exp->iport, iport) == 0)
			expander_row(t, parent, exp);
	}
	for (size_t i = 0; i < t->list->n_units; i++) {
		const struct scsac_unit *unit = &t->list->units[i];

		if (strcmp(unit->iport, iport) == 0 && strcmp(unit->hba, hba) == 0)
			unit_row(t, parent, unit);
	}
}

static void
port_row(struct tree *t, struct libscols_line *parent, const struct scsac_port *port)
{
	struct libscols_line *line;
	char name[128], detail[160] = "";
	bool is_reached = port->iport[0] != '\0';

	if (is_reached)
		(void)text_copy(name, sizeof(name), port->iport);
	else
		(void)snprintf(name, sizeof(name), "(%s)", port->label);
	line = row(t, parent, name, port->kind[0] == '\0' ? "port" : port->kind);
	if (port->remote != 0 && port->phys != 0)
		(void)snprintf(detail, sizeof(detail), "%s, phys %" PRIx64 " to %016" PRIx64,
		    port->label, port->phys, port->remote);
	else if (port->remote != 0)
		(void)snprintf(detail, sizeof(detail), "no phy to %016" PRIx64, port->remote);
	cell(line, COLUMN_STATE, is_reached ? "up" : "down");
	cell(line, COLUMN_DETAIL, detail);
	if (is_reached)
		rows_behind(t, line, port->hba, port->iport);
}

static void
hba_row(struct tree *t, const struct scsac_hba *hba)
{
	struct libscols_line *line = row(t, NULL, hba->name, hba->driver);

	cell(line, COLUMN_STATE, hba->state);
	cell(line, COLUMN_DETAIL, hba->detail);
	for (size_t i = 0; i < t->list->n_ports; i++) {
		if (strcmp(t->list->ports[i].hba, hba->name) == 0)
			port_row(t, line, &t->list->ports[i]);
	}
	rows_behind(t, line, hba->name, "");
}

void
tree_print(const struct scsac_list *list)
{
	struct tree t = { table_new("NAME,KIND,>SIZE,STATE,DETAIL"), list };

	if (t.table == NULL)
		return;
	(void)scols_column_set_flags(scols_table_get_column(t.table, COLUMN_NAME),
	    SCOLS_FL_TREE);
	for (size_t i = 0; i < list->n_hbas; i++)
		hba_row(&t, &list->hbas[i]);
	table_print(t.table);
}

/* ------ JSON ------ */

static void
doc_wwn(json_object *item, const char *key, uint64_t wwn)
{
	char text[17] = "";

	if (wwn != 0)
		(void)snprintf(text, sizeof(text), "%016" PRIx64, wwn);
	doc_text(item, key, text);
}

static void
ports_json(json_object *root, const struct scsac_list *list)
{
	json_object *ports = doc_list(root, "ports");

	for (size_t i = 0; i < list->n_ports; i++) {
		const struct scsac_port *port = &list->ports[i];
		json_object *item = doc_item(ports);

		doc_text(item, "hba", port->hba);
		doc_text(item, "label", port->label);
		doc_text(item, "iport", port->iport);
		doc_text(item, "kind", port->kind);
		doc_number(item, "phys", port->phys);
		doc_wwn(item, "remote", port->remote);
		doc_number(item, "targets", port->targets);
		doc_number(item, "units", port->units);
		doc_number(item, "expanders", port->expanders);
	}
}

static void
phys_json(json_object *root, const struct scsac_list *list)
{
	json_object *phys = doc_list(root, "phys");

	for (size_t i = 0; i < list->n_phys; i++) {
		const struct scsac_phy *phy = &list->phys[i];
		json_object *item = doc_item(phys);

		doc_text(item, "hba", phy->hba);
		doc_number(item, "phy", phy->phy);
		doc_bool(item, "up", phy->is_up);
		doc_wwn(item, "local", phy->local);
		doc_wwn(item, "remote", phy->remote);
		doc_text(item, "iport", phy->iport);
	}
}

void
tree_json(json_object *root, const struct scsac_list *list)
{
	json_object *expanders;

	ports_json(root, list);
	phys_json(root, list);
	expanders = doc_list(root, "expanders");
	for (size_t i = 0; i < list->n_expanders; i++) {
		const struct scsac_expander *exp = &list->expanders[i];
		json_object *item = doc_item(expanders);

		doc_text(item, "path", exp->path);
		doc_text(item, "hba", exp->hba);
		doc_text(item, "iport", exp->iport);
		doc_wwn(item, "wwn", exp->wwn);
		doc_text(item, "vendor", exp->vendor);
		doc_text(item, "product", exp->product);
		doc_text(item, "revision", exp->revision);
	}
}
