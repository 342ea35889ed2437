#include <inttypes.h>
#include <stdio.h>

#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

#define RTPI_LOCAL	65535

/* SPC-4 table 186 */
static const char *
type_name(unsigned type)
{
	static const char *const names[] = {
		[0] = "none",
		[1] = "Write Exclusive",
		[3] = "Exclusive Access",
		[5] = "Write Exclusive, Registrants Only",
		[6] = "Exclusive Access, Registrants Only",
		[7] = "Write Exclusive, All Registrants",
		[8] = "Exclusive Access, All Registrants",
	};

	return type < ARRAY_LEN(names) && names[type] != NULL ? names[type] : "unknown";
}

static const char *
port_name(char *dst, size_t size, unsigned rtpi, const char *name)
{
	if (rtpi == RTPI_LOCAL)
		return "local socket";
	(void)snprintf(dst, size, "%u%s%s", rtpi, name[0] == '\0' ? "" : " ", name);
	return dst;
}

static void
reserve_json(json_object *root, const struct scsac_reservations *r)
{
	json_object *list = doc_list(root, "registrations");
	char key[20];

	doc_text(root, "path", r->path);
	doc_number(root, "generation", r->generation);
	doc_number(root, "type", r->type);
	doc_text(root, "type_name", type_name(r->type));
	(void)snprintf(key, sizeof(key), "%016" PRIx64, r->key);
	doc_text(root, "key", key);
	doc_bool(root, "aptpl", r->is_kept);
	doc_text(root, "reserved_by", r->owner);
	doc_number(root, "reserved_rtpi", r->owner_rtpi);
	for (size_t i = 0; i < r->n_registrations; i++) {
		const struct scsac_registration *reg = &r->registrations[i];
		json_object *item = doc_item(list);

		(void)snprintf(key, sizeof(key), "%016" PRIx64, reg->key);
		doc_text(item, "key", key);
		doc_text(item, "initiator", reg->initiator);
		doc_number(item, "rtpi", reg->rtpi);
		doc_text(item, "port", reg->port);
		doc_bool(item, "holder", reg->is_holder);
	}
}

static void
reserve_print(const struct scsac_reservations *r)
{
	struct libscols_table *table;
	char port[280], key[20];

	fact("unit", "%s", r->path);
	if (r->owner[0] != '\0')
		fact("reserved by", "%s, %s", r->owner,
		    port_name(port, sizeof(port), r->owner_rtpi, ""));
	fact("reservation", "%s", type_name(r->type));
	fact("generation", "%" PRIu32 "%s", r->generation,
	    r->is_kept ? ", kept over a restart" : "");
	if (r->n_registrations == 0)
		return;
	(void)printf("\n");
	table = table_new("KEY,HOLDER,INITIATOR,PORT");
	for (size_t i = 0; i < r->n_registrations; i++) {
		const struct scsac_registration *reg = &r->registrations[i];

		(void)snprintf(key, sizeof(key), "%016" PRIx64, reg->key);
		table_row(table, key, reg->is_holder ? "yes" : "", reg->initiator,
		    port_name(port, sizeof(port), reg->rtpi, reg->port), NULL);
	}
	table_print(table);
}

static enum ctl_exit
reserve_status_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_reservations *reservations = NULL;
	int r = scsac_reserve_status(ctl->conn, args->v[0], &reservations);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		reserve_json(ctl->root, reservations);
	else
		reserve_print(reservations);
	scsac_reservations_free(reservations);
	return CTL_OK;
}

const struct verb verb_reserve_status = {
	.name = "reserve status",
	.args = "UNIT",
	.summary = "who has reserved a unit: keys, type, holder",
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = reserve_status_run,
};
