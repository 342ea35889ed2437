#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

static enum ctl_exit
id_parse(struct ctl *ctl, const char *word, uint64_t *ret)
{
	if (num_parse_u64(word, UINT64_MAX, ret) == 0 && *ret > 0)
		return CTL_OK;
	return ctl_syntax(ctl, "'%s' is no number of a session", word);
}

static void
conns_json(json_object *item, const struct scsac_session *s)
{
	json_object *list = doc_list(item, "connections");

	for (size_t i = 0; i < s->n_conns; i++) {
		const struct scsac_session_conn *c = &s->conns[i];
		json_object *conn = doc_item(list);

		doc_number(conn, "cid", c->cid);
		doc_text(conn, "peer", c->peer);
		doc_text(conn, "local", c->local);
		doc_text(conn, "state", c->state);
		doc_bool(conn, "header_digest", c->header_digest);
		doc_bool(conn, "data_digest", c->data_digest);
		doc_number(conn, "rx_bytes", c->rx_bytes);
		doc_number(conn, "tx_bytes", c->tx_bytes);
	}
}

static void
session_json(json_object *item, const struct scsac_session *s)
{
	doc_number(item, "id", s->id);
	doc_text(item, "target", s->target);
	doc_text(item, "initiator", s->initiator);
	doc_text(item, "alias", s->alias);
	doc_text(item, "user", s->user);
	doc_hex(item, "isid", s->isid, sizeof(s->isid));
	doc_number(item, "tsih", s->tsih);
	doc_number(item, "group", s->group);
	doc_text(item, "state", s->state);
	doc_number(item, "recovery_level", s->recovery_level);
	doc_number(item, "age_ms", s->age_ms);
	doc_number(item, "commands", s->commands);
	doc_number(item, "in_flight", s->in_flight);
	doc_number(item, "read_bytes", s->read_bytes);
	doc_number(item, "written_bytes", s->written_bytes);
	conns_json(item, s);
}

static void
session_row(struct libscols_table *table, const struct scsac_session *s)
{
	char id[24], commands[24], read_bytes[NUM_BYTES_LEN], written[NUM_BYTES_LEN];

	(void)snprintf(id, sizeof(id), "%" PRIu64, s->id);
	(void)snprintf(commands, sizeof(commands), "%" PRIu64, s->commands);
	table_row(table, id, s->target[0] == '\0' ? "(discovery)" : s->target, s->initiator,
	    s->n_conns == 0 ? "" : s->conns[0].peer, s->state, commands,
	    num_format_bytes(s->read_bytes, read_bytes),
	    num_format_bytes(s->written_bytes, written), NULL);
}

static void
session_print(const struct scsac_session *s)
{
	fact("session", "%" PRIu64 ", %s", s->id, s->state);
	fact("target", "%s", s->target[0] == '\0' ? "(discovery)" : s->target);
	fact("initiator", "%s", s->initiator);
	fact("alias", "%s", s->alias);
	fact("user", "%s", s->user);
	fact("isid", "%02x%02x%02x%02x%02x%02x", s->isid[0], s->isid[1], s->isid[2],
	    s->isid[3], s->isid[4], s->isid[5]);
	fact("tsih", "%u", s->tsih);
	fact("portal group", "%u", s->group);
	fact("recovery level", "%u", s->recovery_level);
	fact("up", "%" PRIu64 " s", s->age_ms / 1000);
	fact("commands", "%" PRIu64 ", %u in flight", s->commands, s->in_flight);
	fact("read", "%" PRIu64 " bytes", s->read_bytes);
	fact("written", "%" PRIu64 " bytes", s->written_bytes);
	for (size_t i = 0; i < s->n_conns; i++) {
		const struct scsac_session_conn *c = &s->conns[i];

		fact("connection", "%u, %s to %s, %s%s%s", c->cid, c->peer, c->local, c->state,
		    c->header_digest ? ", header digest" : "",
		    c->data_digest ? ", data digest" : "");
	}
}

static const struct verb_opt list_opts[] = {
	{ "names", 'n', NULL, "only numbers, one a line" },
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
sessions_list_run(struct ctl *ctl, const struct args *args)
{
	bool want_names = args->opt[0] != NULL && !ctl->is_json;
	struct libscols_table *table = NULL;
	struct scsac_sessions *list = NULL;
	json_object *items;
	int r = scsac_session_list(ctl->conn, 0, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	items = doc_list(ctl->is_json ? ctl->root : NULL, "sessions");
	if (!ctl->is_json && !want_names)
		table = table_new(">ID,TARGET,INITIATOR,PEER,STATE,>COMMANDS,>READ,>WRITTEN");
	for (size_t i = 0; i < list->n_sessions; i++) {
		if (ctl->is_json)
			session_json(doc_item(items), &list->sessions[i]);
		else if (want_names)
			(void)printf("%" PRIu64 "\n", list->sessions[i].id);
		else
			session_row(table, &list->sessions[i]);
	}
	table_print(table);
	scsac_sessions_free(list);
	return CTL_OK;
}

const struct verb verb_sessions_list = {
	.name = "sessions list",
	.args = "",
	.summary = "initiators that are logged in",
	.opts = list_opts,
	.run = sessions_list_run,
};

static enum ctl_exit
sessions_show_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_sessions *list = NULL;
	uint64_t id = 0;
	enum ctl_exit status = id_parse(ctl, args->v[0], &id);
	int r;

	if (status != CTL_OK)
		return status;
	r = scsac_session_list(ctl->conn, id, &list);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (list->n_sessions == 0)
		status = ctl_fail(ctl, CTL_NO_SUCH, "there is no session %s", args->v[0]);
	else if (ctl->is_json)
		session_json(ctl->root, &list->sessions[0]);
	else
		session_print(&list->sessions[0]);
	scsac_sessions_free(list);
	return status;
}

const struct verb verb_sessions_show = {
	.name = "sessions show",
	.args = "ID",
	.summary = "all of one session and its connections",
	.min = 1,
	.max = 1,
	.lister = "sessions list --names",
	.run = sessions_show_run,
};

static enum ctl_exit
sessions_close_run(struct ctl *ctl, const struct args *args)
{
	uint64_t id = 0;
	enum ctl_exit status = id_parse(ctl, args->v[0], &id);
	int r;

	if (status != CTL_OK)
		return status;
	r = scsac_session_close(ctl->conn, id);
	return r < 0 ? ctl_refused(ctl, r, NULL) : CTL_OK;
}

const struct verb verb_sessions_close = {
	.name = "sessions close",
	.args = "ID",
	.summary = "log an initiator out; it may come again",
	.min = 1,
	.max = 1,
	.lister = "sessions list --names",
	.run = sessions_close_run,
};
