/* persistent reservations: the nexuses that TransportIDs and port bits name (lu/pr.h) */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "lu/pr_impl.h"

bool
pr_ids_check(struct pr_op *op, size_t at)
{
	const struct pr_request *req = op->req;
	struct lu_initiator id;
	size_t len;

	if (req->list_len < at) {
		pr_op_check(op, ASC_PARAMETER_LIST_LENGTH);
		return false;
	}
	len = be32_get(req->list + at - 4);
	if (len != req->list_len - at) {
		pr_op_check(op, ASC_PARAMETER_LIST_LENGTH);
		return false;
	}
	while (at < req->list_len) {
		int n = lu_initiator_parse(req->list + at, req->list_len - at, &id);

		if (n < 0) {
			pr_op_bad_list(op, at, -1);
			return false;
		}
		at += (size_t)n;
	}
	return true;
}

bool
pr_port_is_wanted(const struct pr_op *op, uint16_t rtpi)
{
	uint16_t own = op->req->nexus->rtpi;

	return rtpi != own && (rtpi == LU_PORT_LOCAL_RTPI) == (own == LU_PORT_LOCAL_RTPI);
}

static int
nexus_register(struct pr_op *op, const struct pr_nexus *nexus)
{
	return pr_find(op->next, nexus) != PR_NOBODY ? 0 : pr_add(op, nexus, op->sa_key);
}

/* one initiator port, on the port of the command or on all */
static int
port_register(struct pr_op *op, struct pr_nexus nexus)
{
	const struct pr_world *world = op->req->world;
	int r;

	nexus.rtpi = op->req->nexus->rtpi;
	r = nexus_register(op, &nexus);
	if ((op->flags & PR_F_ALL_TG_PT) == 0)
		return r;
	for (size_t p = 0; r == 0 && p < world->n_ports; p++) {
		if (!pr_port_is_wanted(op, world->ports[p]))
			continue;
		nexus.rtpi = world->ports[p];
		r = nexus_register(op, &nexus);
	}
	return r;
}

/* a TransportID of SPEC_I_PT: an initiator port, or the known ones of an iSCSI name */
static int
id_register(struct pr_op *op, const struct lu_initiator *id)
{
	const struct pr_world *world = op->req->world;
	struct pr_nexus nexus;
	bool is_known = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < world->n_peers; i++) {
		if (!lu_initiator_covers(id, world->peers[i]))
			continue;
		is_known = true;
		pr_nexus_set(&nexus, world->peers[i], 0);
		r = port_register(op, nexus);
	}
	if (is_known)
		return r;
	pr_nexus_set(&nexus, id, 0);
	return port_register(op, nexus);
}

int
pr_ids_register(struct pr_op *op)
{
	const struct pr_request *req = op->req;
	int r = port_register(op, *req->nexus);
	struct lu_initiator id;
	size_t at = PR_AT_IDS + 4;
	uint32_t n_ids = 0;

	if ((op->flags & PR_F_SPEC_I_PT) == 0)
		return r;
	while (r == 0 && at < req->list_len) {
		int n = lu_initiator_parse(req->list + at, req->list_len - at, &id);

		if (n < 0)	/* pr_ids_check() saw it */
			break;
		at += (size_t)n;
		/* so many that there cannot be: each costs a look at all peers and ports */
		r = ++n_ids > op->next->limit ? -ENOSPC : id_register(op, &id);
	}
	return r;
}

/* ------ REGISTER AND MOVE ------ */

static bool
port_is_there(const struct pr_world *world, uint16_t rtpi)
{
	for (size_t p = 0; p < world->n_ports; p++)
		if (world->ports[p] == rtpi)
			return true;
	return false;
}

/* an iSCSI name alone is a device, not a port (SPC-4 7.6.4.6), unless somebody is called so */
static bool
id_is_port(const struct pr_op *op, const struct lu_initiator *id, const struct pr_nexus *nexus)
{
	const struct pr_world *world = op->req->world;

	if (id->id[0] != LU_PROTOCOL_ISCSI || pr_find(op->now, nexus) != PR_NOBODY)
		return true;
	for (size_t i = 0; i < world->n_peers; i++)
		if (lu_initiator_equal(id, world->peers[i]))
			return true;
	return false;
}

bool
pr_id_destination(struct pr_op *op, struct pr_nexus *ret)
{
	const struct pr_request *req = op->req;
	size_t at = PR_AT_MOVE_IDS + 4;
	uint16_t rtpi = be16_get(req->list + PR_AT_MOVE_PORT);
	struct lu_initiator id;
	int n;

	if (!port_is_there(req->world, rtpi)) {
		pr_op_bad_list(op, PR_AT_MOVE_PORT, -1);
		return false;
	}
	n = lu_initiator_parse(req->list + at, req->list_len - at, &id);
	if (n < 0 || (size_t)n != req->list_len - at) {
		pr_op_bad_list(op, PR_AT_MOVE_IDS, -1);
		return false;
	}
	pr_nexus_set(ret, &id, rtpi);
	if (!id_is_port(op, &id, ret) || pr_nexus_equal(ret, req->nexus)) {
		pr_op_bad_list(op, at, -1);
		return false;
	}
	return true;
}
