#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* a rule for a unit says which one, unless its text does; NULL, or what is wrong */
static const char *
rule_text(const struct rpc_in *in, const char *path, const char *text, char *dst, size_t size)
{
	static const char too_long[] = "the rule is longer than any rule can be";
	struct lu *unit = NULL;
	int target, n;

	if (path == NULL || hbas_find(in->conn->server->hbas, path) != NULL ||
	    strstr(text, "target=") != NULL || lu_find(path, &unit, NULL, 0) < 0)
		return text_copy(dst, size, text) ? NULL : too_long;
	target = lu_info(unit)->target;
	n = snprintf(dst, size, "%s,target=%d,lun=%llu", text, target,
	    (unsigned long long)lu_info(unit)->lun);
	lu_unref(unit);
	if (target < 0)
		return "rules tell targets by number, and this one has a name";
	return n >= 0 && (size_t)n < size ? NULL : too_long;
}

enum rpc_go
rpc_fault_add(const struct rpc_in *in)
{
	const Scsad__FaultAddRequest *req = (const void *)in->msg;
	Scsad__FaultAddReply reply = SCSAD__FAULT_ADD_REPLY__INIT;
	bool is_named = req->path != NULL && req->path[0] != '\0';
	struct hba *hba = rpc_hba_soft(in, req->path);
	char reterr[SOFT_ERR_LEN] = "", text[RPC_TEXT_MAX];
	const char *wrong;
	int r;

	if (hba == NULL)
		return RPC_NEXT;
	wrong = rule_text(in, is_named ? req->path : NULL, req->text == NULL ? "" : req->text,
	    text, sizeof(text));
	if (wrong != NULL) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_FAULT_ADD, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL, .text = wrong,
		    .hint = "see FAULTS in scsactl(1)" });
		return RPC_NEXT;
	}
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
		struct hba *hba = rpc_hba_soft(in, req->path);

		if (hba != NULL)
			rules_send(in, hba, false);
		return RPC_NEXT;
	}
	for (size_t i = 0; i < hbas_count(hbas) && !in->conn->is_closed; i++)
		if (rpc_hba_is_soft(hbas_get(hbas, i)))
			rules_send(in, hbas_get(hbas, i), true);
	if (!in->conn->is_closed)
		rules_send(in, NULL, false);
	return RPC_NEXT;
}

/* ------ clear ------ */

static bool
has_rule(const struct hba *hba, uint32_t id)
{
	struct fault_rule rules[FAULT_MAX];
	size_t n = soft_fault_list(hba->soft, rules, FAULT_MAX);

	for (size_t i = 0; i < n && i < FAULT_MAX; i++)
		if (rules[i].id == id)
			return true;
	return false;
}

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

/* a number counts rules of one HBA: without a path it may mean several. false: refused */
static bool
clear_is_clear(const struct rpc_in *in, uint32_t id)
{
	struct hbas *hbas = in->conn->server->hbas;
	char candidates[RPC_HBA_CANDIDATES] = "";
	size_t n = 0;

	for (size_t i = 0; id != 0 && i < hbas_count(hbas); i++)
		if (rpc_hba_is_soft(hbas_get(hbas, i)) && has_rule(hbas_get(hbas, i), id)) {
			rpc_hba_candidate(candidates, sizeof(candidates), hbas_get(hbas, i));
			n++;
		}
	if (n <= 1)
		return true;
	rpc_hba_ambiguous(in, "several HBAs have a rule of that number", candidates);
	return false;
}

enum rpc_go
rpc_fault_clear(const struct rpc_in *in)
{
	const Scsad__FaultClearRequest *req = (const void *)in->msg;
	Scsad__FaultClearReply reply = SCSAD__FAULT_CLEAR_REPLY__INIT;
	struct rpc_server *server = in->conn->server;
	struct hba *only = NULL;

	if (req->path != NULL && req->path[0] != '\0') {
		only = rpc_hba_soft(in, req->path);
		if (only == NULL)
			return RPC_NEXT;
	} else if (!clear_is_clear(in, req->id)) {
		return RPC_NEXT;
	}
	for (size_t i = 0; i < hbas_count(server->hbas); i++) {
		struct hba *hba = hbas_get(server->hbas, i);

		if (rpc_hba_is_soft(hba) && (only == NULL || hba == only))
			reply.cleared += rules_clear(hba, req->id);
	}
	reply.has_cleared = 1;
	rpc_reply(in->conn, rpc_in_id(in), METHOD_FAULT_CLEAR, &reply.base, false);
	if (reply.cleared > 0)
		rpc_event_publish(server, SCSAD__EVENT_KIND__EVENT_FAULT,
		    only == NULL ? "" : only->name, "rules cleared");
	return RPC_NEXT;
}
