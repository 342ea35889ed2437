#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/scsactl/object.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

static void
counters_json(json_object *root, const struct scsac_counter *counters, size_t n)
{
	json_object *object = doc_part(root, "counters");

	for (size_t i = 0; i < n; i++)
		doc_number(object, counters[i].name, counters[i].value);
}

static void
counters_print(const struct scsac_counter *counters, size_t n)
{
	if (n > 0)
		(void)printf("\ncounters\n");
	for (size_t i = 0; i < n; i++)
		fact(counters[i].name, "%" PRIu64, counters[i].value);
}

static void
show_json(json_object *root, const struct scsac_show *show)
{
	json_object *details = doc_list(root, "details");

	doc_text(root, "path", show->path);
	doc_text(root, "kind", show->kind);
	for (size_t i = 0; i < show->n_details; i++) {
		json_object *item = doc_item(details);

		doc_text(item, "group", show->details[i].group);
		doc_text(item, "key", show->details[i].key);
		doc_text(item, "value", show->details[i].value);
	}
	counters_json(root, show->counters, show->n_counters);
}

static void
show_print(const struct scsac_show *show)
{
	const char *group = "";

	(void)printf("%s %s\n", escaped(show->kind), escaped(show->path));
	for (size_t i = 0; i < show->n_details; i++) {
		const struct scsac_detail *detail = &show->details[i];

		if (strcmp(group, detail->group) != 0)
			(void)printf("\n%s\n", escaped(detail->group));
		group = detail->group;
		fact(detail->key, "%s", detail->value);
	}
	counters_print(show->counters, show->n_counters);
}

static enum ctl_exit
show_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_show *show = NULL;
	int r = scsac_show(ctl->conn, args->v[0], &show);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		show_json(ctl->root, show);
	else
		show_print(show);
	scsac_show_free(show);
	return CTL_OK;
}

const struct verb verb_show = {
	.name = "show",
	.args = "OBJECT",
	.summary = "all that is known of a unit, an HBA or an iport",
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = show_run,
};

static const char *
role_name(enum scsac_role role)
{
	static const char *const names[] = { "none", "monitor", "io", "admin" };

	return (unsigned)role < ARRAY_LEN(names) ? names[role] : "unknown";
}

static void
isns_json(json_object *root, const struct scsac_isns *isns)
{
	json_object *part = isns == NULL ? NULL : doc_part(root, "isns");

	if (part == NULL)
		return;
	doc_text(part, "server", isns->server);
	doc_text(part, "entity", isns->entity);
	doc_text(part, "state", isns->state);
	doc_bool(part, "registered", isns->is_registered);
	doc_number(part, "since_ms", isns->since_ms);
	doc_number(part, "targets", isns->targets);
	doc_number(part, "portals", isns->portals);
	doc_number(part, "period_s", isns->period_s);
	doc_text(part, "error", isns->error);
}

static void
isns_print(const struct scsac_isns *isns)
{
	uint64_t s = isns->since_ms / 1000;

	fact("isns", "%s, %s for %" PRIu64 ":%02u:%02u", isns->server, isns->state,
	    s / 3600, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	if (isns->is_registered)
		fact("isns entity", "%s, %u target%s at %u portal%s", isns->entity,
		    isns->targets, isns->targets == 1 ? "" : "s", isns->portals,
		    isns->portals == 1 ? "" : "s");
	if (isns->error[0] != '\0')
		fact("isns error", "%s", isns->error);
}

static void
status_json(json_object *root, const struct scsac_status *status)
{
	doc_text(root, "version", status->version);
	doc_text(root, "state", status->state);
	doc_hex(root, "instance", status->instance, sizeof(status->instance));
	doc_number(root, "generation", status->generation);
	doc_number(root, "uptime_ms", status->uptime_ms);
	doc_number(root, "pid", status->pid);
	doc_text(root, "role", role_name(status->role));
	doc_number(root, "loops", status->loops);
	doc_number(root, "hbas", status->hbas);
	doc_number(root, "units", status->units);
	doc_number(root, "connections", status->connections);
	doc_number(root, "packets_done", status->packets_done);
	doc_number(root, "packets_active", status->packets_active);
	doc_number(root, "faults", status->faults);
	isns_json(root, status->isns);
	counters_json(root, status->counters, status->n_counters);
}

static void
status_print(const struct ctl *ctl, const struct scsac_status *status)
{
	uint64_t s = status->uptime_ms / 1000;

	fact("scsad", "%s, %s, pid %u", status->version, status->state, status->pid);
	fact("up", "%" PRIu64 " d %02u:%02u:%02u", s / 86400, (unsigned)(s / 3600 % 24),
	    (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	fact("your role", "%s", role_name(status->role));
	fact("units", "%u on %u host bus adapter%s", status->units, status->hbas,
	    status->hbas == 1 ? "" : "s");
	fact("clients", "%u on %u loop%s", status->connections, status->loops,
	    status->loops == 1 ? "" : "s");
	fact("packets", "%" PRIu64 " done, %u active", status->packets_done,
	    status->packets_active);
	if (status->faults > 0)
		fact("faults", "%u rules armed", status->faults);
	if (status->isns != NULL)
		isns_print(status->isns);
	if (ctl->verbose > 0)
		counters_print(status->counters, status->n_counters);
}

/* where initiators connect, and to what; an older daemon has none of it */
static void
exports_tell(struct ctl *ctl, enum scsac_object_kind kind, const char *member, const char *word)
{
	struct scsac_objects *objects = NULL;
	json_object *list;

	if (scsac_export_list(ctl->conn, kind, NULL, &objects) < 0)
		return;
	list = doc_list(ctl->is_json ? ctl->root : NULL, member);
	for (size_t i = 0; i < objects->n_objects; i++) {
		const struct scsac_object *o = &objects->objects[i];
		const char *bound = object_value(o, "bound");

		if (ctl->is_json)
			object_json(doc_item(list), o);
		else
			fact(word, "%s", bound[0] != '\0' ? bound : o->name);
	}
	scsac_objects_free(objects);
}

static enum ctl_exit
status_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_status *status = NULL;
	int r;

	(void)args;
	r = scsac_status(ctl->conn, &status);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		status_json(ctl->root, status);
	else
		status_print(ctl, status);
	scsac_status_free(status);
	exports_tell(ctl, SCSAC_OBJECT_PORTAL, "portals", "portal");
	exports_tell(ctl, SCSAC_OBJECT_TARGET, "targets", "target");
	return CTL_OK;
}

const struct verb verb_status = {
	.name = "status",
	.args = "",
	.summary = "the daemon at a glance (also without any verb); -v: its counters",
	.run = status_run,
};
