#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool
hba_has_faults(const struct hba *hba)
{
	return hba->soft != NULL && hba->state == HBA_READY;
}

/* several HBAs fit: name them */
static void
refuse_ambiguous(const struct rpc_in *in, const char *text, const char *candidates)
{
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_AMBIGUOUS, .err = -ENOTUNIQ, .text = text,
	    .hint = "name one of them, or a unit (scsactl: --unit)",
	    .candidates = candidates });
}

/* blank-separated, for refuse_ambiguous() */
static void
candidate_add(char *list, size_t size, const struct hba *hba)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", len > 0 ? " " : "", hba->name);
}

/* the only one there is; NULL: refused already */
static struct hba *
fault_hba_only(const struct rpc_in *in)
{
	struct hbas *hbas = in->conn->server->hbas;
	char candidates[CONFIG_HBAS_MAX * sizeof(((struct hba *)0)->name)] = "";
	struct hba *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < hbas_count(hbas); i++)
		if (hba_has_faults(hbas_get(hbas, i))) {
			found = hbas_get(hbas, i);
			candidate_add(candidates, sizeof(candidates), found);
			n++;
		}
	if (n <= 1)
		return found;
	refuse_ambiguous(in, "there are several software HBAs", candidates);
	return NULL;
}

/* the software HBA that @path (an HBA, or a unit behind one) means; NULL: refused already */
static struct hba *
fault_hba(const struct rpc_in *in, const char *path)
{
	struct hba *found = hbas_find(in->conn->server->hbas, path);
	struct lu *unit;

	if (found == NULL) {
		unit = rpc_unit_of(in, 0, path);
		if (unit == NULL)
			return NULL;
		found = hbas_find(in->conn->server->hbas, lu_info(unit)->hba);
		lu_unref(unit);
	}
	if (found != NULL && hba_has_faults(found))
		return found;
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_NOT_SUPPORTED, .err = -EOPNOTSUPP,
	    .text = "faults can be injected into a software HBA only" });
	return NULL;
}

/* a rule for a unit says which one, unless its text does; false: longer than any rule is */
static bool
rule_text(const struct rpc_in *in, const char *path, const char *text, char *dst, size_t size)
{
	struct lu *unit = NULL;
	int n;

	if (path == NULL || hbas_find(in->conn->server->hbas, path) != NULL ||
	    strstr(text, "target=") != NULL || lu_find(path, &unit, NULL, 0) < 0)
		return text_copy(dst, size, text);
	n = snprintf(dst, size, "%s,target=%d,lun=%llu", text, lu_info(unit)->target,
	    (unsigned long long)lu_info(unit)->lun);
	lu_unref(unit);
	return n >= 0 && (size_t)n < size;
}

enum rpc_go
rpc_fault_add(const struct rpc_in *in)
{
	const Scsad__FaultAddRequest *req = (const void *)in->msg;
	Scsad__FaultAddReply reply = SCSAD__FAULT_ADD_REPLY__INIT;
	bool is_named = req->path != NULL && req->path[0] != '\0';
	struct hba *hba = is_named ? fault_hba(in, req->path) : fault_hba_only(in);
	char reterr[SOFT_ERR_LEN] = "", text[RPC_TEXT_MAX];
	int r;

	if (hba == NULL)
		return RPC_NEXT;
	if (!rule_text(in, is_named ? req->path : NULL, req->text == NULL ? "" : req->text,
	    text, sizeof(text))) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_FAULT_ADD, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "the rule is longer than any rule can be",
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
		struct hba *hba = fault_hba(in, req->path);

		if (hba != NULL)
			rules_send(in, hba, false);
		return RPC_NEXT;
	}
	for (size_t i = 0; i < hbas_count(hbas) && !in->conn->is_closed; i++)
		if (hba_has_faults(hbas_get(hbas, i)))
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
	char candidates[CONFIG_HBAS_MAX * sizeof(((struct hba *)0)->name)] = "";
	size_t n = 0;

	for (size_t i = 0; id != 0 && i < hbas_count(hbas); i++)
		if (hba_has_faults(hbas_get(hbas, i)) && has_rule(hbas_get(hbas, i), id)) {
			candidate_add(candidates, sizeof(candidates), hbas_get(hbas, i));
			n++;
		}
	if (n <= 1)
		return true;
	refuse_ambiguous(in, "several HBAs have a rule of that number", candidates);
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
		only = fault_hba(in, req->path);
		if (only == NULL)
			return RPC_NEXT;
	} else if (!clear_is_clear(in, req->id)) {
		return RPC_NEXT;
	}
	for (size_t i = 0; i < hbas_count(server->hbas); i++) {
		struct hba *hba = hbas_get(server->hbas, i);

		if (hba_has_faults(hba) && (only == NULL || hba == only))
			reply.cleared += rules_clear(hba, req->id);
	}
	reply.has_cleared = 1;
	rpc_reply(in->conn, rpc_in_id(in), METHOD_FAULT_CLEAR, &reply.base, false);
	if (reply.cleared > 0)
		rpc_event_publish(server, SCSAD__EVENT_KIND__EVENT_FAULT,
		    only == NULL ? "" : only->name, "rules cleared");
	return RPC_NEXT;
}
