#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "daemon/topo.h"

#define TARGET_LEN	40	/* target part of an address */

/* one verb at work */
struct rpc_change {
	struct hba *hba;
	const char *what;		/* "target added": for events and the log; of a phy
					 * "up" */
	char *text;			/* line or address as it came; in the same memory */
	unsigned int phy;
	uint64_t local, remote;
	uint64_t bytes;			/* resize: 0 to look */
	char address[96];		/* SOFT_ADDR_LEN and more: foreign ports have longer names */
	char iports[SOFT_PHYS][sizeof(((struct soft_phy_info *)0)->iport)];
	size_t n_iports;
	uint32_t units;
	char reterr[SOFT_ERR_LEN];
};

/* ------ where something is ------ */

/* the port part of "PORT/TARGET,LUN", in either form that the driver takes */
static bool
port_part(const char *address, char *dst, size_t size)
{
	static const char prefix[] = "iport@";
	size_t len;

	if (strncmp(address, prefix, sizeof(prefix) - 1) == 0)
		address += sizeof(prefix) - 1;
	len = strcspn(address, "/");
	if (address[len] != '/' || len >= size)
		return false;
	memcpy(dst, address, len);
	dst[len] = '\0';
	return true;
}

/* "3,0" or "3" of it, without the name of a node */
static const char *
unit_part(const char *address)
{
	const char *part = strchr(address, '/');
	const char *at;

	if (part == NULL)
		return "";
	at = strchr(part, '@');
	return at == NULL ? part + 1 : at + 1;
}

/* by which iports is the port reached now? */
static void
iports_note(struct rpc_change *c, const char *port_name)
{
	CLEANUP(free_ptr) struct topo *t = topo_take(c->hba->soft);
	const struct soft_port_info *port = t == NULL ? NULL : topo_port(t, port_name);
	struct topo_iport iports[SOFT_PHYS];

	if (port == NULL)
		return;
	c->n_iports = topo_iports(t, port, iports);
	if (c->n_iports == 0 && strcmp(port->kind, "phys") != 0) {
		/* it is new, and its iport on the way */
		iports[0].name = port->label;
		c->n_iports = 1;
	}
	for (size_t i = 0; i < c->n_iports; i++)
		(void)text_copy(c->iports[i], sizeof(c->iports[i]), iports[i].name);
}

static void
iports_note_of(struct rpc_change *c, const char *address)
{
	char port[sizeof(c->iports[0])];

	if (port_part(address, port, sizeof(port)))
		iports_note(c, port);
}

/* the address as it came, in its short form */
static void
address_note(struct rpc_change *c, const char *part, size_t len)
{
	char port[sizeof(c->iports[0])];

	if (port_part(c->text, port, sizeof(port)))
		(void)snprintf(c->address, sizeof(c->address), "%s/%.*s", port, (int)len, part);
}

static bool
is_below(const struct rpc_change *c, const struct lu_info *info, const char *part, size_t len)
{
	bool is_here = false;

	if (strcmp(info->hba, c->hba->name) != 0 || strncmp(info->address, part, len) != 0 ||
	    (info->address[len] != ',' && info->address[len] != '\0'))
		return false;
	for (size_t i = 0; i < c->n_iports && !is_here; i++)
		is_here = strcmp(info->iport, c->iports[i]) == 0;
	return is_here;
}

/* published units of a target (@len bytes of @part), or of one unit: all of @part */
static uint32_t
units_below(const struct rpc_change *c, const char *part, size_t len)
{
	struct lu *unit;
	uint64_t id = 0;
	uint32_t n = 0;

	while ((unit = lu_next(id)) != NULL) {
		n += is_below(c, lu_info(unit), part, len);
		id = lu_id(unit);
		lu_unref(unit);
	}
	return n;
}

/* ------ on a worker ------ */

/* units that a disk line makes */
static uint32_t
line_units(const char *line)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];

	if (disk == NULL || soft_conf_parse(line, disk, text) < 0)
		return 0;
	return disk->luns == 0 ? 1 : disk->luns;
}

static int
target_add(struct rpc_change *c)
{
	int r = soft_target_add(c->hba->soft, c->text, c->address, c->reterr);

	c->units = r < 0 ? 0 : line_units(c->text);
	return r;
}

static int
lun_add(struct rpc_change *c)
{
	int r = soft_lun_add(c->hba->soft, c->text, c->address, c->reterr);

	c->units = r < 0 ? 0 : line_units(c->text);
	return r;
}

static int
target_remove(struct rpc_change *c)
{
	const char *part = unit_part(c->text);

	iports_note_of(c, c->text);
	c->units = units_below(c, part, strcspn(part, ","));
	address_note(c, part, strcspn(part, ","));
	return soft_target_remove(c->hba->soft, c->text, c->reterr);
}

static int
lun_remove(struct rpc_change *c)
{
	const char *part = unit_part(c->text);

	iports_note_of(c, c->text);
	c->units = units_below(c, part, strlen(part));
	address_note(c, part, strlen(part));
	return soft_lun_remove(c->hba->soft, c->text, c->reterr);
}

static int
expander_add(struct rpc_change *c)
{
	struct soft_expander_conf exp;
	int r = soft_expander_parse(c->text, &exp, c->reterr);

	if (r == 0)
		r = soft_expander_add(c->hba->soft, c->text, c->reterr);
	if (r == 0)
		(void)snprintf(c->address, sizeof(c->address), "%s/w%016llx",
		    exp.port[0] == '\0' ? SOFT_IPORT : exp.port, (unsigned long long)exp.wwn);
	return r;
}

static int
phy_up(struct rpc_change *c)
{
	return soft_phy_up(c->hba->soft, c->phy, c->local, c->remote, c->reterr);
}

static int
phy_down(struct rpc_change *c)
{
	return soft_phy_down(c->hba->soft, c->phy, c->reterr);
}

static int
resize(struct rpc_change *c)
{
	const char *part = unit_part(c->text);

	iports_note_of(c, c->text);
	c->units = units_below(c, part, strlen(part));
	address_note(c, part, strlen(part));
	return soft_disk_resize(c->hba->soft, c->text, c->bytes, c->reterr);
}

/* what is asked for by each method */
static const struct change_verb {
	int (*run)(struct rpc_change *c);
	const char *what;
} verbs[METHOD_N] = {
	[METHOD_TARGET_ADD]    = { target_add, "target added" },
	[METHOD_TARGET_REMOVE] = { target_remove, "target removed" },
	[METHOD_LUN_ADD]       = { lun_add, "unit added" },
	[METHOD_LUN_REMOVE]    = { lun_remove, "unit removed" },
	[METHOD_EXPANDER_ADD]  = { expander_add, "expander added" },
	[METHOD_PHY_UP]        = { phy_up, "up" },
	[METHOD_PHY_DOWN]      = { phy_down, "down" },
	[METHOD_RESIZE]        = { resize, "resized" },
};

static void
change_tell(const struct rpc_call *call)
{
	const struct rpc_change *c = call->more;
	bool is_phy = c->address[0] == '\0';
	char subject[LU_PATH_MAX], text[64];

	(void)snprintf(subject, sizeof(subject), "%s%s%s", c->hba->name, is_phy ? "" : "/",
	    c->address);
	if (is_phy)
		(void)snprintf(text, sizeof(text), "phy %u %s", c->phy, c->what);
	else
		(void)text_copy(text, sizeof(text), c->what);
	log_notice("%s: %s, asked for by uid %u", subject, text, call->req.conn->cred.uid);
	rpc_event_publish(call->loop->server, SCSAD__EVENT_KIND__EVENT_TREE, subject, text);
}

static void
change_work(struct rpc_call *call)
{
	struct rpc_change *c = call->more;

	call->result = hba_change_begin(c->hba);
	if (call->result < 0)
		return;
	call->result = verbs[call->req.method].run(c);
	hba_change_end(c->hba);
	if (call->result < 0)
		return;
	if (c->n_iports == 0)
		iports_note_of(c, c->address);
	change_tell(call);
}

/* ------ on the loop ------ */

/* what the driver's errno means here: not all are about names and roles of ours */
static Scsad__ErrorCode
change_code(int err)
{
	static const struct {
		int err;
		Scsad__ErrorCode code;
	} rows[] = {
		{ -EINVAL, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ -ENOENT, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
		{ -EBUSY, SCSAD__ERROR_CODE__ERR_BUSY },
		{ -ENOSPC, SCSAD__ERROR_CODE__ERR_LIMIT },
		{ -ENOMEM, SCSAD__ERROR_CODE__ERR_NO_MEMORY },
		{ -ENOTSUP, SCSAD__ERROR_CODE__ERR_NOT_SUPPORTED },
		{ -ESHUTDOWN, SCSAD__ERROR_CODE__ERR_NOT_READY },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].err == err)
			return rows[i].code;
	return SCSAD__ERROR_CODE__ERR_IO;
}

static void
change_reply(struct rpc_call *call)
{
	struct rpc_change *c = call->more;
	Scsad__ChangeReply reply = SCSAD__CHANGE_REPLY__INIT;
	char *iports[SOFT_PHYS];

	if (call->result < 0) {
		rpc_refuse(call->req.conn, call->req.id, call->req.method,
		    &(struct rpc_refusal){ .code = change_code(call->result),
		    .err = call->result,
		    .text = c->reterr[0] != '\0' ? c->reterr : strerror(-call->result) });
		return;
	}
	for (size_t i = 0; i < c->n_iports; i++)
		iports[i] = c->iports[i];
	reply.hba = c->hba->name;
	reply.address = c->address;
	reply.iports = iports;
	reply.n_iports = c->n_iports;
	reply.has_units = 1;
	reply.units = c->units;
	rpc_reply(call->req.conn, call->req.id, call->req.method, &reply.base, false);
}

/* a call to be filled and started; NULL: refused already */
static struct rpc_call *
change_new(const struct rpc_in *in, struct hba *hba, const char *text)
{
	size_t len = strlen(text) + 1;
	struct rpc_call *call;
	struct rpc_change *c;

	if (atomic_load(&in->conn->server->is_draining)) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -ESHUTDOWN,
		    NULL);
		return NULL;
	}
	call = rpc_call_new(in);
	if (call == NULL)
		return NULL;
	c = fault_hit() ? NULL : calloc(1, sizeof(*c) + len);
	if (c == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -ENOMEM,
		    NULL);
		rpc_call_free(call);
		return NULL;
	}
	c->hba = hba;
	c->what = verbs[in->frame->head.method].what;
	c->text = memcpy(c + 1, text, len);
	call->more = c;
	call->work_fn = change_work;
	call->reply_fn = change_reply;
	return call;
}

static enum rpc_go
refuse_missing(const struct rpc_in *in, const char *text)
{
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL, .text = text });
	return RPC_NEXT;
}

static enum rpc_go
add_start(const struct rpc_in *in)
{
	const Scsad__AddRequest *req = (const void *)in->msg;
	struct rpc_call *call;
	struct hba *hba;

	if (req->text == NULL || req->text[0] == '\0')
		return refuse_missing(in, "a line is needed that says what to add");
	hba = rpc_hba_soft(in, req->path);
	call = hba == NULL ? NULL : change_new(in, hba, req->text);
	if (call != NULL)
		rpc_call_work(call);
	return RPC_NEXT;
}

/* the HBA that an address itself names: "soft0/iport0/3"; @ret_rest is what is behind it */
static struct hba *
address_hba(const struct rpc_in *in, const char *address, const char **ret_rest)
{
	char name[sizeof(((struct hba *)0)->name)];
	size_t len = strcspn(address, "/");

	if (address[len] != '/' || strchr(address + len + 1, '/') == NULL ||
	    len >= sizeof(name))
		return NULL;
	memcpy(name, address, len);
	name[len] = '\0';
	*ret_rest = address + len + 1;
	return hbas_find(in->conn->server->hbas, name);
}

/* the tail of a unit's path, or its serial: as if its whole address had been given */
static struct hba *
unit_hba(const struct rpc_in *in, const char *name, char *address, size_t size)
{
	struct lu *unit;
	struct hba *hba;

	if (lu_find(name, &unit, NULL, 0) < 0)
		return NULL;
	hba = hbas_find(in->conn->server->hbas, lu_info(unit)->hba);
	(void)snprintf(address, size, "%s/%s", lu_info(unit)->iport, lu_info(unit)->address);
	lu_unref(unit);
	return hba;
}

/* a call about what is at @address; NULL: refused already */
static struct rpc_call *
address_start(const struct rpc_in *in, const char *path, const char *address)
{
	char of_unit[LU_PATH_MAX];
	struct hba *hba;

	if (address == NULL || address[0] == '\0') {
		(void)refuse_missing(in,
		    "an address is needed: PORT/TARGET or PORT/TARGET,LUN");
		return NULL;
	}
	hba = address_hba(in, address, &address);
	if (hba == NULL && strchr(address, '/') == NULL) {
		hba = unit_hba(in, address, of_unit, sizeof(of_unit));
		address = hba == NULL ? address : of_unit;
	}
	if (hba == NULL || !rpc_hba_is_soft(hba))
		hba = rpc_hba_soft(in, hba == NULL ? path : hba->name);
	return hba == NULL ? NULL : change_new(in, hba, address);
}

static enum rpc_go
remove_start(const struct rpc_in *in)
{
	const Scsad__RemoveRequest *req = (const void *)in->msg;
	struct rpc_call *call = address_start(in, req->path, req->address);

	if (call != NULL)
		rpc_call_work(call);
	return RPC_NEXT;
}

enum rpc_go
rpc_resize(const struct rpc_in *in)
{
	const Scsad__ResizeRequest *req = (const void *)in->msg;
	struct rpc_call *call = address_start(in, req->path, req->address);
	struct rpc_change *c;

	if (call == NULL)
		return RPC_NEXT;
	c = call->more;
	c->bytes = req->bytes;
	rpc_call_work(call);
	return RPC_NEXT;
}

enum rpc_go
rpc_target_add(const struct rpc_in *in)
{
	return add_start(in);
}

enum rpc_go
rpc_target_remove(const struct rpc_in *in)
{
	return remove_start(in);
}

enum rpc_go
rpc_lun_add(const struct rpc_in *in)
{
	return add_start(in);
}

enum rpc_go
rpc_lun_remove(const struct rpc_in *in)
{
	return remove_start(in);
}

enum rpc_go
rpc_expander_add(const struct rpc_in *in)
{
	return add_start(in);
}

enum rpc_go
rpc_phy_up(const struct rpc_in *in)
{
	const Scsad__PhyUpRequest *req = (const void *)in->msg;
	struct rpc_call *call;
	struct rpc_change *c;
	struct hba *hba;

	if (!req->has_phy || req->phy >= SOFT_PHYS || req->remote == 0)
		return refuse_missing(in, "a phy, 0 to 63, and the address it leads to are needed");
	hba = rpc_hba_soft(in, req->path);
	call = hba == NULL ? NULL : change_new(in, hba, "");
	if (call == NULL)
		return RPC_NEXT;
	c = call->more;
	c->phy = req->phy;
	c->local = req->local;
	c->remote = req->remote;
	rpc_call_work(call);
	return RPC_NEXT;
}

enum rpc_go
rpc_phy_down(const struct rpc_in *in)
{
	const Scsad__PhyDownRequest *req = (const void *)in->msg;
	struct rpc_call *call;
	struct rpc_change *c;
	struct hba *hba;

	if (!req->has_phy || req->phy >= SOFT_PHYS)
		return refuse_missing(in, "a phy, 0 to 63, is needed");
	hba = rpc_hba_soft(in, req->path);
	call = hba == NULL ? NULL : change_new(in, hba, "");
	if (call == NULL)
		return RPC_NEXT;
	c = call->more;
	c->phy = req->phy;
	rpc_call_work(call);
	return RPC_NEXT;
}
