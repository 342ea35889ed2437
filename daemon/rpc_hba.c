#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hw/iscsi/iscsi_hba.h"

bool
rpc_hba_is_iscsi(const struct hba *hba)
{
	return hba != NULL && hba->dip != NULL && hba->state == HBA_READY &&
	    strcmp(hba->driver, ISCSI_HBA_DRIVER) == 0;
}

bool
rpc_hba_is_soft(const struct hba *hba)
{
	return hba->soft != NULL && hba->state == HBA_READY;
}

void
rpc_hba_ambiguous(const struct rpc_in *in, const char *text, const char *candidates)
{
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_AMBIGUOUS, .err = -ENOTUNIQ, .text = text,
	    .hint = "name one of them, or a unit (scsactl: --unit)",
	    .candidates = candidates });
}

void
rpc_hba_candidate(char *list, size_t size, const struct hba *hba)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", len > 0 ? " " : "", hba->name);
}

/* the only one there is */
static struct hba *
hba_only(const struct rpc_in *in)
{
	struct hbas *hbas = in->conn->server->hbas;
	char candidates[RPC_HBA_CANDIDATES] = "";
	struct hba *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < hbas_count(hbas); i++)
		if (rpc_hba_is_soft(hbas_get(hbas, i))) {
			found = hbas_get(hbas, i);
			rpc_hba_candidate(candidates, sizeof(candidates), found);
			n++;
		}
	if (n > 1) {
		rpc_hba_ambiguous(in, "there are several software HBAs", candidates);
		return NULL;
	}
	if (n == 0)
		rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method,
		    &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NOT_SUPPORTED, .err = -EOPNOTSUPP,
		    .text = "there is no software HBA" });
	return found;
}

struct hba *
rpc_hba_soft(const struct rpc_in *in, const char *path)
{
	struct hbas *hbas = in->conn->server->hbas;
	struct hba *found;
	struct lu *unit;

	if (path == NULL || path[0] == '\0')
		return hba_only(in);
	found = hbas_find(hbas, path);
	if (found == NULL) {
		unit = rpc_unit_of(in, 0, path);
		if (unit == NULL)
			return NULL;
		found = hbas_find(hbas, lu_info(unit)->hba);
		lu_unref(unit);
	}
	if (found != NULL && rpc_hba_is_soft(found))
		return found;
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_NOT_SUPPORTED, .err = -EOPNOTSUPP,
	    .text = "only the software HBA can do that" });
	return NULL;
}
