#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "client/scsactl/out.h"
#include "client/scsactl/settle.h"
#include "client/scsactl/verbs.h"

#define WAIT_MAX_S	3600
#define PHYS_MAX	63

enum { CHANGE_UNIT, CHANGE_WAIT, CHANGE_NO_WAIT };

#define CHANGE_OPTS                                                            \
	[CHANGE_UNIT] = { "unit", 'u', "NAME",                                 \
	    "the HBA, or a unit of it; without: the only software HBA" },      \
	[CHANGE_WAIT] = { "wait-settled", 0, "SECONDS",                        \
	    "wait so long until it can be seen, 5 if not given" },             \
	[CHANGE_NO_WAIT] = { "no-wait", 0, NULL, "do not wait until it can be seen" }

static const struct verb_opt change_opts[] = {
	CHANGE_OPTS,
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
patience(struct ctl *ctl, const struct args *args, unsigned *ret_ms)
{
	uint64_t seconds;

	*ret_ms = SETTLE_MS;
	if (args->opt[CHANGE_WAIT] != NULL) {
		if (num_parse_u64(args->opt[CHANGE_WAIT], WAIT_MAX_S, &seconds) < 0)
			return ctl_syntax(ctl, "--wait-settled takes 0 to %d seconds",
			    WAIT_MAX_S);
		*ret_ms = (unsigned)seconds * 1000;
	}
	if (args->opt[CHANGE_NO_WAIT] != NULL)
		*ret_ms = 0;
	return CTL_OK;
}

/* ------ telling ------ */

static void
change_print(const struct ctl *ctl, const struct scsac_change *change)
{
	json_object *iports;

	if (!ctl->is_json) {
		if (change->address[0] != '\0')
			(void)printf("%s/%s\n", escaped(change->hba),
			    escaped(change->address));
		return;
	}
	doc_text(ctl->root, "hba", change->hba);
	doc_text(ctl->root, "address", change->address);
	doc_number(ctl->root, "units", change->units);
	iports = doc_list(ctl->root, "iports");
	for (size_t i = 0; iports != NULL && i < change->n_iports; i++)
		(void)json_object_array_add(iports,
		    json_object_new_string(change->iports[i]));
}

/* it was done; can it be seen? */
static enum ctl_exit
settled_tell(struct ctl *ctl, const struct settle *s, bool is_settled, const char *what)
{
	if (ctl->is_json)
		doc_bool(ctl->root, "settled", is_settled);
	if (is_settled || s->ms == 0)
		return CTL_OK;
	return ctl_fail(ctl, CTL_TIMEOUT, "done, but %s after %u s", what, s->ms / 1000);
}

/* ------ targets and units ------ */

typedef int (*change_fn)(struct scsac *c, const char *path, const char *text,
    struct scsac_change **ret);

struct change_verb {
	change_fn add, remove;
	bool want_lun;
};

/* what a change is about is no unit but an expander: does it stand behind all iports? */
static size_t
expanders_seen(const struct scsac_list *list, const struct scsac_change *change)
{
	const char *slash = strchr(change->address, '/');
	size_t n = 0;

	for (size_t i = 0; slash != NULL && i < list->n_expanders; i++) {
		const struct scsac_expander *exp = &list->expanders[i];
		const char *at = strrchr(exp->path, '@');

		for (size_t p = 0; p < change->n_iports; p++)
			n += at != NULL && strcmp(at + 1, slash + 1) == 0 &&
			    strcmp(exp->hba, change->hba) == 0 &&
			    strcmp(exp->iport, change->iports[p]) == 0;
	}
	return n;
}

static bool
expander_is_there(const struct scsac_list *list, void *arg)
{
	const struct scsac_change *change = arg;

	return expanders_seen(list, change) == change->n_iports;
}

static bool
expander_is_gone(const struct scsac_list *list, void *arg)
{
	return expanders_seen(list, arg) == 0;
}

static enum ctl_exit
units_wait(struct ctl *ctl, struct settle *s, struct scsac_change *change, bool is_add)
{
	bool is_settled;

	change_print(ctl, change);
	if (change->n_iports == 0 && is_add && s->ms > 0) {
		if (!ctl->is_json)
			(void)fprintf(stderr, "scsactl: no phy leads to its port now\n");
		s->ms = 0;
	}
	is_settled = settle_units(s, change);
	if (is_settled && !is_add && change->units == 0)
		is_settled = settle_list(s, expander_is_gone, change);
	return settled_tell(ctl, s, is_settled, is_add ?
	    "not all of its units can be seen" : "it can still be seen");
}

static enum ctl_exit
units_run(struct ctl *ctl, const struct args *args, const struct change_verb *verb)
{
	bool is_add = strcmp(args->v[0], "add") == 0;
	struct scsac_change *change = NULL;
	enum ctl_exit status;
	struct settle s;
	unsigned ms;
	int r;

	if (!is_add && strcmp(args->v[0], "remove") != 0)
		return ctl_syntax(ctl, "'%s' is neither add nor remove", args->v[0]);
	status = patience(ctl, args, &ms);
	if (status == CTL_OK)
		status = settle_begin(&s, ctl, is_add ? SCSAC_EVENT_UNIT_ADDED :
		    SCSAC_EVENT_UNIT_GONE, ms);
	if (status != CTL_OK)
		return status;
	s.want_lun = verb->want_lun;
	r = (is_add ? verb->add : verb->remove)(ctl->conn, args->opt[CHANGE_UNIT], args->v[1],
	    &change);
	status = r < 0 ? ctl_refused(ctl, r, NULL) : units_wait(ctl, &s, change, is_add);
	settle_end(&s);
	scsac_change_free(change);
	return status;
}

static enum ctl_exit
target_run(struct ctl *ctl, const struct args *args)
{
	static const struct change_verb verb = { scsac_target_add, scsac_target_remove, false };

	return units_run(ctl, args, &verb);
}

static enum ctl_exit
lun_run(struct ctl *ctl, const struct args *args)
{
	static const struct change_verb verb = { scsac_lun_add, scsac_lun_remove, true };

	return units_run(ctl, args, &verb);
}

static const char *const add_remove[] = { "add", "remove", NULL };

const struct verb verb_soft_target = {
	.name = "soft target",
	.args = "add LINE | remove ADDRESS",
	.summary = "connect a target to a software HBA, or pull one",
	.details =
	    "LINE is a disk line as in scsad.conf(5): mem:1G  file:PATH,size=8G,port=iport0\n"
	    "ADDRESS is PORT/TARGET, or the path of a unit of it; of an expander, its path.",
	.opts = change_opts,
	.min = 2,
	.max = 2,
	.words = add_remove,
	.lister = LIST_UNITS,
	.run = target_run,
};

const struct verb verb_soft_lun = {
	.name = "soft lun",
	.args = "add LINE | remove ADDRESS",
	.summary = "give a target of a software HBA one more unit, or take one away",
	.details =
	    "LINE is a disk line that names the target: mem:1G,target=0  mem:1G,wwn=5000...,lun=4\n"
	    "ADDRESS is PORT/TARGET,LUN, or the path of the unit.",
	.opts = change_opts,
	.min = 2,
	.max = 2,
	.words = add_remove,
	.lister = LIST_UNITS,
	.run = lun_run,
};

/* ------ expanders ------ */

static enum ctl_exit
expander_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_change *change = NULL;
	enum ctl_exit status;
	struct settle s;
	unsigned ms;
	int r;

	if (strcmp(args->v[0], "add") != 0)
		return ctl_syntax(ctl, "'%s' is not add; 'soft target remove' takes one away",
		    args->v[0]);
	status = patience(ctl, args, &ms);
	if (status == CTL_OK)
		status = settle_begin(&s, ctl, SCSAC_EVENT_EXPANDER_ADDED, ms);
	if (status != CTL_OK)
		return status;
	r = scsac_expander_add(ctl->conn, args->opt[CHANGE_UNIT], args->v[1], &change);
	if (r < 0) {
		status = ctl_refused(ctl, r, NULL);
	} else {
		change_print(ctl, change);
		status = settled_tell(ctl, &s, settle_list(&s, expander_is_there, change),
		    "it cannot be seen");
	}
	settle_end(&s);
	scsac_change_free(change);
	return status;
}

static const char *const only_add[] = { "add", NULL };

const struct verb verb_soft_expander = {
	.name = "soft expander",
	.args = "add LINE",
	.summary = "connect an expander to a port of a software HBA",
	.details = "LINE is an expander line as in scsad.conf(5): 5000c500a0000000,port=p0,phys=12",
	.opts = change_opts,
	.min = 2,
	.max = 2,
	.words = only_add,
	.run = expander_run,
};

/* ------ phys ------ */

enum { PHY_LOCAL = CHANGE_NO_WAIT + 1 };

static const struct verb_opt phy_opts[] = {
	CHANGE_OPTS,
	[PHY_LOCAL] = { "local", 'L', "WWN", "the HBA's address for it" },
	{ NULL, 0, NULL, NULL },
};

/* a phy as it should become */
struct phy_want {
	const char *hba;
	unsigned phy;
	bool is_up;
};

static bool
phy_is_settled(const struct scsac_list *list, void *arg)
{
	const struct phy_want *want = arg;
	bool is_right = !want->is_up;
	uint64_t mask = UINT64_C(1) << want->phy;

	for (size_t i = 0; i < list->n_phys; i++) {
		const struct scsac_phy *phy = &list->phys[i];

		if (phy->phy == want->phy && strcmp(phy->hba, want->hba) == 0)
			is_right = want->is_up ? phy->is_up && phy->iport[0] != '\0' :
			    !phy->is_up;
	}
	/* a port that lost its last phy goes, one that has got its first comes */
	for (size_t i = 0; i < list->n_ports; i++) {
		const struct scsac_port *port = &list->ports[i];

		if (strcmp(port->hba, want->hba) != 0 || strcmp(port->kind, "phys") != 0)
			continue;
		if (want->is_up ? (port->phys & mask) != 0 && port->iport[0] == '\0' :
		    port->phys == 0 && port->iport[0] != '\0')
			is_right = false;
	}
	/* an iport that no phy explains is about to go */
	for (size_t i = 0; i < list->n_ports; i++)
		is_right = is_right && (list->ports[i].label[0] != '\0' ||
		    strcmp(list->ports[i].hba, want->hba) != 0);
	return is_right;
}

/* "5000c500a0000000", with or without the 'w' of paths */
static int
wwn_parse(const char *text, uint64_t *ret)
{
	uint8_t bytes[8];
	size_t len = 0;
	int r = num_parse_hex(text + (text[0] == 'w'), bytes, sizeof(bytes), &len);

	if (r < 0 || len != sizeof(bytes))
		return -EINVAL;
	*ret = be64_get(bytes);
	return *ret == 0 ? -EINVAL : 0;
}

static enum ctl_exit
phy_change(struct ctl *ctl, const struct args *args, unsigned phy, struct scsac_change **ret)
{
	bool is_up = strcmp(args->v[0], "up") == 0;
	uint64_t remote = 0, local = 0;
	int r;

	if (is_up && wwn_parse(args->v[2], &remote) < 0)
		return ctl_syntax(ctl, "'%s' is no address of 16 hexadecimal digits",
		    args->v[2]);
	if (args->opt[PHY_LOCAL] != NULL && wwn_parse(args->opt[PHY_LOCAL], &local) < 0)
		return ctl_syntax(ctl, "'%s' is no address of 16 hexadecimal digits",
		    args->opt[PHY_LOCAL]);
	if (is_up)
		r = scsac_phy_up(ctl->conn, args->opt[CHANGE_UNIT], phy, local, remote, ret);
	else
		r = scsac_phy_down(ctl->conn, args->opt[CHANGE_UNIT], phy, ret);
	return r < 0 ? ctl_refused(ctl, r, NULL) : CTL_OK;
}

static enum ctl_exit
phy_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_change *change = NULL;
	struct phy_want want;
	enum ctl_exit status;
	struct settle s;
	uint64_t phy;
	unsigned ms;

	want.is_up = strcmp(args->v[0], "up") == 0;
	if (!want.is_up && strcmp(args->v[0], "down") != 0)
		return ctl_syntax(ctl, "'%s' is neither up nor down", args->v[0]);
	if (args->n != (want.is_up ? 3 : 2))
		return ctl_syntax(ctl, want.is_up ? "soft phy up wants a phy and an address" :
		    "soft phy down wants a phy");
	if (num_parse_u64(args->v[1], PHYS_MAX, &phy) < 0)
		return ctl_syntax(ctl, "'%s' is no phy, they are 0 to %d", args->v[1],
		    PHYS_MAX);
	status = patience(ctl, args, &ms);
	if (status == CTL_OK)
		status = settle_begin(&s, ctl, SCSAC_EVENT_PORT_ADDED, ms);
	if (status != CTL_OK)
		return status;
	status = phy_change(ctl, args, (unsigned)phy, &change);
	if (status == CTL_OK) {
		want.hba = change->hba;
		want.phy = (unsigned)phy;
		change_print(ctl, change);
		status = settled_tell(ctl, &s, settle_list(&s, phy_is_settled, &want),
		    "its port has not followed");
	}
	settle_end(&s);
	scsac_change_free(change);
	return status;
}

static const char *const up_down[] = { "up", "down", NULL };

const struct verb verb_soft_phy = {
	.name = "soft phy",
	.args = "up N REMOTE | down N",
	.summary = "plug a cable from a phy of a software HBA to an address, or pull it",
	.details = "REMOTE is the SAS address at the far end, 16 hexadecimal digits. Its port comes\n"
	    "with the first phy that leads there, and goes with the last.",
	.opts = phy_opts,
	.min = 2,
	.max = 3,
	.words = up_down,
	.run = phy_run,
};

/* ------ disks ------ */

static const struct verb_opt resize_opts[] = {
	[CHANGE_UNIT] = { "unit", 'u', "NAME",
	    "the HBA, or a unit of it; without: the only software HBA" },
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
resize_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_change *change = NULL;
	uint64_t bytes = 0;
	int r;

	if (args->n > 1 && (num_parse_bytes(args->v[1], INT64_MAX, &bytes) < 0 || bytes == 0))
		return ctl_syntax(ctl, "'%s' is no size", args->v[1]);
	r = scsac_resize(ctl->conn, args->opt[CHANGE_UNIT], args->v[0], bytes, &change);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	change_print(ctl, change);
	scsac_change_free(change);
	return CTL_OK;
}

const struct verb verb_soft_resize = {
	.name = "soft resize",
	.args = "ADDRESS [SIZE]",
	.summary = "give a disk of a software HBA another size",
	.details = "ADDRESS is PORT/TARGET,LUN, or the path of the unit. Without SIZE the disk "
	    "looks at\nits file.",
	.opts = resize_opts,
	.min = 1,
	.max = 2,
	.lister = LIST_UNITS,
	.run = resize_run,
};

static enum ctl_exit
rescan_run(struct ctl *ctl, const struct args *args)
{
	unsigned units = 0;
	int r = scsac_rescan(ctl->conn, args->n > 0 ? args->v[0] : NULL, &units);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		doc_number(ctl->root, "units", units);
	else
		fact("units", "%u attached", units);
	return CTL_OK;
}

const struct verb verb_soft_rescan = {
	.name = "soft rescan",
	.args = "[HBA]",
	.summary = "look for units that have come",
	.max = 1,
	.run = rescan_run,
};
