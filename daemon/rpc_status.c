#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "daemon/isns.h"

/* ------ hello ------ */

static uint32_t
limit_of(protobuf_c_boolean has, uint32_t wanted, uint32_t ours)
{
	return has && wanted > 0 && wanted < ours ? wanted : ours;
}

static enum rpc_go
hello_refuse(const struct rpc_in *in, Scsad__ErrorCode code, const char *text, const char *hint)
{
	rpc_refuse(in->conn, rpc_in_id(in), METHOD_HELLO, &(struct rpc_refusal){
	    .code = code, .err = error_code_to_errno(code), .text = text, .hint = hint });
	rpc_conn_drop(in->conn, "hello refused, %s", text);
	return RPC_NEXT;
}

/* what the client asked for, cut to what is configured */
static void
hello_limits(struct rpc_conn *conn, const Scsad__Limits *wanted, Scsad__Limits *ret)
{
	static const Scsad__Limits nothing = SCSAD__LIMITS__INIT;
	const struct config *config = conn->server->config;

	if (wanted == NULL)
		wanted = &nothing;
	conn->limits.msg_max = PROTO_MESSAGE_MAX;
	conn->limits.data_max =
	    limit_of(wanted->has_data_bytes_max, wanted->data_bytes_max, config->data_bytes);
	conn->requests_max = limit_of(wanted->has_requests_max, wanted->requests_max,
	    config->requests);
	ret->has_message_bytes_max = ret->has_data_bytes_max = 1;
	ret->has_requests_max = ret->has_handles_max = 1;
	ret->message_bytes_max = PROTO_MESSAGE_MAX;
	ret->data_bytes_max = conn->limits.data_max;
	ret->requests_max = conn->requests_max;
	ret->handles_max = config->handles;
}

/*
 * Whose reservations are meant: a name of its own inside of what belongs to the user, or, for an
 * administrator, any iSCSI name. -EINVAL: that can be no name, -EACCES: it is somebody else's
 */
static int
hello_initiator(struct rpc_conn *conn, const char *name)
{
	static const char *const prefixes[] = { "iqn.", "eui.", "naa." };
	struct lu_initiator own, named;
	char text[PROTO_NAME_MAX + sizeof(own.name) + 1];
	bool is_whole = false;
	size_t len;
	int r;

	lu_initiator_uid(&own, conn->cred.uid);
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		is_whole = is_whole || strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0;
	(void)snprintf(text, sizeof(text), "%s%s%s", is_whole ? "" : own.name,
	    is_whole ? "" : ":", name);
	r = lu_initiator_iscsi(&named, text);
	if (r < 0)
		return r;
	len = strlen(own.name);
	if (conn->role < SCSAD__ROLE__ROLE_ADMIN && (strncmp(named.name, own.name, len) != 0 ||
	    (named.name[len] != '\0' && named.name[len] != ':')))
		return -EACCES;
	conn->initiator = named;
	return 0;
}

enum rpc_go
rpc_hello(const struct rpc_in *in)
{
	const Scsad__HelloRequest *req = (const void *)in->msg;
	struct rpc_conn *conn = in->conn;
	struct rpc_server *server = conn->server;
	Scsad__HelloReply reply = SCSAD__HELLO_REPLY__INIT;
	Scsad__Limits limits = SCSAD__LIMITS__INIT;
	int64_t minor_max = req->minor_max;	/* signed: the oldest minor is 0 now, not for
						 * ever */
	char name[96];
	int r;

	if (conn->is_greeted)
		return hello_refuse(in, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    "hello was done already", NULL);
	if (req->major != PROTO_MAJOR || minor_max < PROTO_MINOR_MIN ||
	    req->minor_min > PROTO_MINOR)
		return hello_refuse(in, SCSAD__ERROR_CODE__ERR_VERSION,
		    "no common protocol version",
		    "use a client of the same release");
	if ((req->features_required & ~PROTO_FEATURES) != 0)
		return hello_refuse(in, SCSAD__ERROR_CODE__ERR_VERSION,
		    "a feature that the client requires is missing", "use a newer daemon");
	r = req->initiator == NULL || req->initiator[0] == '\0' ? 0 :
	    hello_initiator(conn, req->initiator);
	if (r == -EACCES)
		return hello_refuse(in, SCSAD__ERROR_CODE__ERR_NOT_PERMITTED,
		    "this initiator name is not yours", "use a word without iqn. in front: it "
		    "becomes a name of your own");
	if (r < 0)
		return hello_refuse(in, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    "this can be no name of an initiator", NULL);

	hello_limits(conn, req->limits, &limits);
	conn->is_greeted = true;
	reply.daemon_name = (char *)(uintptr_t)"scsad";
	reply.version = (char *)(uintptr_t)SCSAD_VERSION;
	reply.has_major = reply.has_minor = reply.has_features = reply.has_role = 1;
	reply.major = PROTO_MAJOR;
	reply.minor = minor_max < PROTO_MINOR ? req->minor_max : PROTO_MINOR;
	reply.features = (req->features_required | req->features_optional) & PROTO_FEATURES;
	reply.limits = &limits;
	reply.role = conn->role;
	reply.has_instance = reply.has_generation = 1;
	reply.instance.data = server->instance;
	reply.instance.len = sizeof(server->instance);
	reply.generation = server->generation;
	rpc_reply(conn, rpc_in_id(in), METHOD_HELLO, &reply.base, false);
	log_info("client %llu: '%s', uid %u, role %s", (unsigned long long)conn->serial,
	    req->client_name == NULL ? "" :
	    text_escape(req->client_name, strlen(req->client_name), name, sizeof(name)),
	    conn->cred.uid, role_name(conn->role));
	return RPC_NEXT;
}

/* ------ status ------ */

/* rules that may still act */
static uint32_t
faults_armed(struct soft_hba *soft)
{
	struct fault_rule rules[FAULT_MAX];
	size_t n = soft_fault_list(soft, rules, FAULT_MAX);
	uint32_t armed = 0;

	for (size_t i = 0; i < n && i < FAULT_MAX; i++)
		armed += rules[i].count == 0 || rules[i].hits < rules[i].count;
	return armed;
}

static uint32_t
faults_count(const struct hbas *hbas)
{
	uint32_t n = 0;

	for (size_t i = 0; i < hbas_count(hbas); i++)
		if (hbas_get(hbas, i)->soft != NULL)
			n += faults_armed(hbas_get(hbas, i)->soft);
	return n;
}

#define STATUS_COUNTERS	7

static void
status_counters(Scsad__StatusReply *reply, const struct rpc_stats *st,
    Scsad__Counter counters[STATUS_COUNTERS], Scsad__Counter *list[STATUS_COUNTERS])
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[STATUS_COUNTERS] = {
		{ "connections_accepted", st->accepted },
		{ "connections_refused", st->refused },
		{ "connections_dropped", st->dropped },
		{ "requests", st->requests },
		{ "errors", st->errors },
		{ "orphans", st->orphans },
		{ "submits_busy", st->busy },
	};

	for (size_t i = 0; i < STATUS_COUNTERS; i++) {
		scsad__counter__init(&counters[i]);
		counters[i].name = (char *)(uintptr_t)rows[i].name;
		counters[i].has_value = 1;
		counters[i].value = rows[i].value;
		list[i] = &counters[i];
	}
	reply->n_counters = STATUS_COUNTERS;
	reply->counters = list;
}

static void
status_isns(struct isns *isns, const struct isns_status *st, Scsad__Isns *ret)
{
	scsad__isns__init(ret);
	ret->server = (char *)(uintptr_t)isns_server(isns);
	ret->entity = (char *)(uintptr_t)st->entity;
	ret->state = (char *)(uintptr_t)isns_state_name(st->state);
	ret->error = (char *)(uintptr_t)st->error;
	ret->has_registered = ret->has_since_ms = ret->has_targets = 1;
	ret->has_portals = ret->has_period_s = 1;
	ret->registered = st->state == ISNS_IN;
	ret->since_ms = (clock_now_ns() - st->since_ns) / NS_PER_MS;
	ret->targets = st->targets;
	ret->portals = st->portals;
	ret->period_s = st->period_s;
}

enum rpc_go
rpc_status(const struct rpc_in *in)
{
	struct rpc_server *server = in->conn->server;
	struct isns_status isns_status;
	Scsad__Isns isns;
	Scsad__StatusReply reply = SCSAD__STATUS_REPLY__INIT;
	Scsad__Counter counters[STATUS_COUNTERS];
	Scsad__Counter *list[STATUS_COUNTERS];
	struct rpc_stats st;

	rpc_server_stats(server, &st);
	reply.version = (char *)(uintptr_t)SCSAD_VERSION;
	reply.has_instance = reply.has_generation = reply.has_uptime_ms = reply.has_pid = 1;
	reply.instance.data = server->instance;
	reply.instance.len = sizeof(server->instance);
	reply.generation = server->generation;
	reply.uptime_ms = (clock_now_ns() - server->start_ns) / NS_PER_MS;
	reply.pid = (uint32_t)getpid();
	reply.has_role = reply.has_loops = reply.has_hbas = reply.has_units = 1;
	reply.role = in->conn->role;
	reply.loops = server->n_loops;
	reply.hbas = (uint32_t)hbas_count(server->hbas);
	reply.units = (uint32_t)lu_count_all();
	reply.has_connections = reply.has_packets_done = reply.has_packets_active = 1;
	reply.connections = (uint32_t)st.connections;
	reply.packets_done = st.packets_done;
	reply.packets_active = (uint32_t)st.packets_active;
	reply.has_faults = 1;
	reply.faults = faults_count(server->hbas);
	reply.state = (char *)(uintptr_t)(atomic_load(&server->is_draining) ? "draining" :
	    "running");
	status_counters(&reply, &st, counters, list);
	if (server->isns != NULL) {
		isns_status_get(server->isns, &isns_status);
		status_isns(server->isns, &isns_status, &isns);
		reply.isns = &isns;
	}
	rpc_reply(in->conn, rpc_in_id(in), METHOD_STATUS, &reply.base, false);
	return RPC_NEXT;
}
