#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* the software HBA that @path (an HBA, or a unit behind one) means; NULL: refused already */
static struct hba *
fault_hba(const struct rpc_in *in, const char *path)
{
	struct hbas *hbas = in->conn->server->hbas;
	struct hba *found = NULL;
	struct lu *unit;

	if (path == NULL || path[0] == '\0') {
		for (size_t i = 0; i < hbas_count(hbas) && found == NULL; i++)
			if (hbas_get(hbas, i)->soft != NULL)
				found = hbas_get(hbas, i);
	} else {
		found = hbas_find(hbas, path);
		if (found == NULL) {
			unit = rpc_unit_of(in, 0, path);
			if (unit == NULL)
				return NULL;
			found = hbas_find(hbas, lu_info(unit)->hba);
			lu_unref(unit);
		}
	}
	if (found != NULL && found->soft != NULL && found->state == HBA_READY)
		return found;
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_NOT_SUPPORTED, .err = -EOPNOTSUPP,
	    .text = "faults can be injected into a software HBA only" });
	return NULL;
}

/* a rule for a unit says which one, unless its text does */
static void
rule_text(const struct rpc_in *in, const char *path, const char *text, char *dst, size_t size)
{
	struct lu *unit = NULL;

	(void)snprintf(dst, size, "%s", text);
	if (path == NULL || hbas_find(in->conn->server->hbas, path) != NULL ||
	    strstr(text, "target=") != NULL || lu_find(path, &unit, NULL, 0) < 0)
		return;
	(void)snprintf(dst, size, "%s,target=%d,lun=%llu", text, lu_info(unit)->target,
	    (unsigned long long)lu_info(unit)->lun);
	lu_unref(unit);
}

enum rpc_go
rpc_fault_add(const struct rpc_in *in)
{
	const Scsad__FaultAddRequest *req = (const void *)in->msg;
	Scsad__FaultAddReply reply = SCSAD__FAULT_ADD_REPLY__INIT;
	struct hba *hba = fault_hba(in, req->path);
	char reterr[SOFT_ERR_LEN] = "", text[RPC_TEXT_MAX];
	int r;

	if (hba == NULL)
		return RPC_NEXT;
	rule_text(in, req->path, req->text == NULL ? "" : req->text, text, sizeof(text));
	r = soft_fault_add(hba->soft, text, &reply.id, reterr);
	if (r < 0) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_FAULT_ADD, &(struct rpc_refusal){
		    .code = r == -ENOSPC ? SCSAD__ERROR_CODE__ERR_LIMIT :
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    .err = r, .text = r == -ENOSPC ? "too many rules are armed" : reterr,
		    .hint = r == -ENOSPC ? "clear some" : "see FAULTS in scsactl(1)" });
		return RPC_NEXT;
	}
	reply.has_id = 1;
	rpc_reply(in->conn, rpc_in_id(in), METHOD_FAULT_ADD, &reply.base, false);
	rpc_event_publish(in->conn->server, SCSAD__EVENT_KIND__EVENT_FAULT, hba->name, text);
	return RPC_NEXT;
}

/* ------ list ------ */

static void
rules_send(const struct rpc_in *in, const struct hba *hba, bool has_more)
{
	Scsad__FaultListReply reply = SCSAD__FAULT_LIST_REPLY__INIT;
	struct fault_rule rules[FAULT_MAX];
	Scsad__FaultRule msgs[FAULT_MAX];
	Scsad__FaultRule *list[FAULT_MAX];
	char texts[FAULT_MAX][FAULT_TEXT_LEN];

	reply.rules = list;
	if (hba != NULL)
		reply.n_rules = soft_fault_list(hba->soft, rules, FAULT_MAX);
	if (reply.n_rules > FAULT_MAX)
		reply.n_rules = FAULT_MAX;
	for (size_t i = 0; i < reply.n_rules; i++) {
		scsad__fault_rule__init(&msgs[i]);
		list[i] = &msgs[i];
		msgs[i].has_id = msgs[i].has_hits = 1;
		msgs[i].id = rules[i].id;
		msgs[i].hits = rules[i].hits;
		msgs[i].hba = (char *)(uintptr_t)hba->name;
		msgs[i].text = fault_format(&rules[i], texts[i]);
	}
	rpc_reply(in->conn, rpc_in_id(in), METHOD_FAULT_LIST, &reply.base, has_more);
}

enum rpc_go
rpc_fault_list(const struct rpc_in *in)
{
	const Scsad__FaultListRequest *req = (const void *)in->msg;
	struct hbas *hbas = in->conn->server->hbas;

	if (req->path != NULL && req->path[0] != '\0') {
		struct hba *hba = fault_hba(in, req->path);

		if (hba != NULL)
			rules_send(in, hba, false);
		return RPC_NEXT;
	}
	for (size_t i = 0; i < hbas_count(hbas) && !in->conn->is_closed; i++)
		if (hbas_get(hbas, i)->soft != NULL)
			rules_send(in, hbas_get(hbas, i), true);
	if (!in->conn->is_closed)
		rules_send(in, NULL, false);
	return RPC_NEXT;
}

/* ------ clear ------ */

/* rules that went */
static uint32_t
rules_clear(const struct hba *hba, uint32_t id)
{
	struct fault_rule rules[FAULT_MAX];
	size_t before = soft_fault_list(hba->soft, rules, FAULT_MAX);

	if (soft_fault_remove(hba->soft, id) < 0)
		return 0;
	return id == 0 ? (uint32_t)before : 1;
}

enum rpc_go
rpc_fault_clear(const struct rpc_in *in)
{
	const Scsad__FaultClearRequest *req = (const void *)in->msg;
	Scsad__FaultClearReply reply = SCSAD__FAULT_CLEAR_REPLY__INIT;
	struct rpc_server *server = in->conn->server;
	struct hba *only = NULL;

	if (req->path != NULL && req->path[0] != '\0') {
		only = fault_hba(in, req->path);
		if (only == NULL)
			return RPC_NEXT;
	}
	for (size_t i = 0; i < hbas_count(server->hbas); i++) {
		struct hba *hba = hbas_get(server->hbas, i);

		if (hba->soft != NULL && (only == NULL || hba == only))
			reply.cleared += rules_clear(hba, req->id);
	}
	reply.has_cleared = 1;
	rpc_reply(in->conn, rpc_in_id(in), METHOD_FAULT_CLEAR, &reply.base, false);
	if (reply.cleared > 0)
		rpc_event_publish(server, SCSAD__EVENT_KIND__EVENT_FAULT,
		    only == NULL ? "" : only->name, "rules cleared");
	return RPC_NEXT;
}
