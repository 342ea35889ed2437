#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/file.h"
#include "client/scsactl/object.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

#define SECRET_MAX	255
#define LUNS		16384
#define TRIES		8	/* when others change exports at the same time */

#define NAMES_OPT	{ "names", 'n', NULL, "only names, one a line" }

static const struct verb_opt names_opts[] = {
	NAMES_OPT,
	{ NULL, 0, NULL, NULL },
};

/* ------ lists ------ */

static const struct object_column portal_columns[] = {
	{ "ADDRESS", "name" }, { ">GROUP", "group" }, { "BOUND", "bound" },
	{ "ORIGIN", "origin" }, { NULL, NULL },
};

static const struct object_column target_columns[] = {
	{ "NAME", "name" }, { "GROUPS", "groups" }, { "CHAP", "chap" },
	{ "REDIRECT", "redirect" }, { "ALIAS", "alias" }, { "ORIGIN", "origin" },
	{ NULL, NULL },
};

static const struct object_column export_columns[] = {
	{ "TARGET", "target" }, { ">LUN", "lun" }, { "UNIT", "unit" }, { "ACL", "acl" },
	{ "ACCESS", "access" }, { "PRESENT", "present" }, { "ORIGIN", "origin" },
	{ NULL, NULL },
};

static const struct object_column acl_columns[] = {
	{ "NAME", "name" }, { "INITIATORS", "initiators" }, { "ADDRESSES", "addresses" },
	{ "ORIGIN", "origin" }, { NULL, NULL },
};

static const struct object_column chap_columns[] = {
	{ "NAME", "name" }, { "USER", "user" }, { "MUTUAL USER", "mutual_user" },
	{ "ORIGIN", "origin" }, { NULL, NULL },
};

static const struct object_column local_columns[] = {
	{ "WHO", "name" }, { "UNITS", "units" }, { "ACCESS", "access" },
	{ "ORIGIN", "origin" }, { NULL, NULL },
};

#define LIST_RUN(noun, kind, many)                                             \
	static enum ctl_exit                                                   \
	noun##_list_run(struct ctl *ctl, const struct args *args)              \
	{                                                                      \
		return objects_list(ctl, kind, many, noun##_columns,           \
		    args->n > 0 ? args->v[0] : NULL, args->opt[0] != NULL);    \
	}

LIST_RUN(portal, SCSAC_OBJECT_PORTAL, "portals")
LIST_RUN(target, SCSAC_OBJECT_TARGET, "targets")
LIST_RUN(export, SCSAC_OBJECT_EXPORT, "exports")
LIST_RUN(acl, SCSAC_OBJECT_ACL, "acls")
LIST_RUN(chap, SCSAC_OBJECT_CHAP, "accounts")
LIST_RUN(local, SCSAC_OBJECT_LOCAL, "rules")

#define LIST_VERB(noun, text)                                                  \
	const struct verb verb_##noun##_list = {                               \
		.name = #noun " list",                                         \
		.args = "[NAME]",                                              \
		.summary = text,                                               \
		.opts = names_opts,                                            \
		.max = 1,                                                      \
		.lister = #noun " list --names",                               \
		.run = noun##_list_run,                                        \
	}

LIST_VERB(portal, "addresses where initiators connect");
LIST_VERB(target, "iSCSI targets");
LIST_VERB(export, "units exported as LUNs of targets");
LIST_VERB(acl, "access lists: groups of initiators");
LIST_VERB(chap, "accounts of CHAP; never their secrets");
LIST_VERB(local, "rules about users of this machine");

/* ------ one edit of one object ------ */

#define SIMPLE_RUN(noun, what, verb, kind)                                     \
	static enum ctl_exit                                                   \
	noun##_##what##_run(struct ctl *ctl, const struct args *args)          \
	{                                                                      \
		return object_edit(ctl, args, verb, kind);                      \
	}

SIMPLE_RUN(portal, add, SCSAC_EDIT_ADD, SCSAC_OBJECT_PORTAL)
SIMPLE_RUN(portal, remove, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_PORTAL)
SIMPLE_RUN(target, add, SCSAC_EDIT_ADD, SCSAC_OBJECT_TARGET)
SIMPLE_RUN(target, set, SCSAC_EDIT_SET, SCSAC_OBJECT_TARGET)
SIMPLE_RUN(acl, add, SCSAC_EDIT_ADD, SCSAC_OBJECT_ACL)
SIMPLE_RUN(acl, set, SCSAC_EDIT_SET, SCSAC_OBJECT_ACL)
SIMPLE_RUN(acl, remove, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_ACL)
SIMPLE_RUN(chap, remove, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_CHAP)
SIMPLE_RUN(export, set, SCSAC_EDIT_SET, SCSAC_OBJECT_EXPORT)
SIMPLE_RUN(local, add, SCSAC_EDIT_ADD, SCSAC_OBJECT_LOCAL)
SIMPLE_RUN(local, set, SCSAC_EDIT_SET, SCSAC_OBJECT_LOCAL)
SIMPLE_RUN(local, remove, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_LOCAL)

/* ------ portals ------ */

static const struct verb_opt portal_opts[] = {
	{ "group", 'g', "TAG", "portal group, 1 if not given" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_portal_add = {
	.name = "portal add",
	.args = "ADDRESS:PORT",
	.summary = "let initiators connect there",
	.details = "127.0.0.1:3260  [::1]:3260  0.0.0.0:3260  127.0.0.1:0 (a free port)",
	.opts = portal_opts,
	.min = 1,
	.max = 1,
	.run = portal_add_run,
};

const struct verb verb_portal_remove = {
	.name = "portal remove",
	.args = "ADDRESS:PORT",
	.summary = "no more logins there; sessions stay",
	.min = 1,
	.max = 1,
	.lister = "portal list --names",
	.run = portal_remove_run,
};

static const struct verb_opt state_opts[] = {
	{ "preferred", 'p', "yes|no", "initiators should use this group" },
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
portal_state_run(struct ctl *ctl, const struct args *args)
{
	enum scsac_edit_verb verb;
	struct object_draft d;
	enum ctl_exit status = object_verb(ctl, SCSAC_OBJECT_GROUP, args->v[0], &verb);

	if (status != CTL_OK)
		return status;
	draft_init(&d, verb, SCSAC_OBJECT_GROUP, args->v[0]);
	draft_word(&d, "state", args->v[1]);
	status = draft_opts(ctl, &d, args, 1);
	if (status == CTL_OK)
		status = draft_send(ctl, &d);
	draft_fini(&d);
	return status;
}

const struct verb verb_portal_state = {
	.name = "portal state",
	.args = "TAG STATE",
	.summary = "asymmetric access state of a portal group",
	.details = "STATE is optimized, non-optimized, standby, unavailable or offline.",
	.opts = state_opts,
	.min = 2,
	.max = 2,
	.run = portal_state_run,
};

/* ------ targets ------ */

static const struct verb_opt target_opts[] = {
	{ "alias", 'a', "TEXT", "name for people" },
	{ "groups", 'g', "TAG,...", "portal groups it is served by; 1 if not given" },
	{ "chap", 'c', "NAME,...", "accounts that may log in; none: nobody is asked" },
	{ "redirect", 0, "ADDRESS", "send initiators there instead" },
	{ "redirect-permanent", 0, "yes|no", "and they shall remember it" },
	{ "nop-interval", 0, "SECONDS", "ask a silent initiator after so long; 0: never" },
	{ "nop-timeout", 0, "SECONDS", "and give it so long for its answer" },
	{ "max-sessions", 0, "N", "sessions at one time" },
	{ "max-connections", 0, "N", "connections of one session" },
	{ "recovery-level", 0, "N", "highest ErrorRecoveryLevel, 0 to 2" },
	{ "window", 0, "N", "commands of one session in flight" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_target_add = {
	.name = "target add",
	.args = "NAME",
	.summary = "make an iSCSI target",
	.details = "NAME is an iSCSI name: iqn.2001-01.com.example:disks",
	.opts = target_opts,
	.min = 1,
	.max = 1,
	.run = target_add_run,
};

const struct verb verb_target_set = {
	.name = "target set",
	.args = "NAME",
	.summary = "change options of a target; '' gives a default back",
	.opts = target_opts,
	.min = 1,
	.max = 1,
	.lister = "target list --names",
	.run = target_set_run,
};

static enum ctl_exit
target_show_run(struct ctl *ctl, const struct args *args)
{
	return object_show(ctl, SCSAC_OBJECT_TARGET, args->v[0]);
}

const struct verb verb_target_show = {
	.name = "target show",
	.args = "NAME",
	.summary = "all options of a target",
	.min = 1,
	.max = 1,
	.lister = "target list --names",
	.run = target_show_run,
};

enum { REMOVE_FORCE };

static const struct verb_opt remove_opts[] = {
	[REMOVE_FORCE] = { "force", 'f', NULL, "with its exports" },
	{ NULL, 0, NULL, NULL },
};

/* the exports of the target first, all in one change */
static enum ctl_exit
target_remove_all(struct ctl *ctl, const char *name)
{
	struct scsac_objects *list = NULL;
	struct scsac_edit *edits;
	enum ctl_exit status;
	size_t n = 0;
	int r = scsac_export_list(ctl->conn, SCSAC_OBJECT_EXPORT, NULL, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	edits = calloc(list->n_objects + 1, sizeof(*edits));
	if (edits == NULL) {
		scsac_objects_free(list);
		return ctl_fail(ctl, CTL_OTHER, "out of memory");
	}
	for (size_t i = 0; i < list->n_objects; i++)
		if (strcasecmp(object_value(&list->objects[i], "target"), name) == 0)
			edits[n++] = (struct scsac_edit){ .verb = SCSAC_EDIT_REMOVE,
				.kind = SCSAC_OBJECT_EXPORT, .name = list->objects[i].name };
	edits[n++] = (struct scsac_edit){ .verb = SCSAC_EDIT_REMOVE,
		.kind = SCSAC_OBJECT_TARGET, .name = name };
	status = edits_send(ctl, edits, n, list->generation);
	free(edits);
	scsac_objects_free(list);
	return status;
}

static enum ctl_exit
target_remove_run(struct ctl *ctl, const struct args *args)
{
	struct object_draft d;

	if (args->opt[REMOVE_FORCE] != NULL)
		return target_remove_all(ctl, args->v[0]);
	draft_init(&d, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_TARGET, args->v[0]);
	return draft_send(ctl, &d);
}

const struct verb verb_target_remove = {
	.name = "target remove",
	.args = "NAME",
	.summary = "take a target away; its sessions end",
	.opts = remove_opts,
	.min = 1,
	.max = 1,
	.lister = "target list --names",
	.run = target_remove_run,
};

/* ------ exports ------ */

enum { EXPORT_LUN, EXPORT_ACL, EXPORT_ACCESS, EXPORT_ANYONE, EXPORT_WEIGHT, EXPORT_N };

static const struct verb_opt export_opts[] = {
	[EXPORT_LUN] = { "lun", 'l', "N", "the lowest free one if not given" },
	[EXPORT_ACL] = { "acl", 'a', "NAME", "access list: who gets it" },
	[EXPORT_ACCESS] = { "access", 'c', "WORD,...", "ro, rw, all, or classes; rw" },
	[EXPORT_ANYONE] = { "allow-anyone", 0, NULL,
	    "without access list, also from other machines" },
	[EXPORT_WEIGHT] = { "weight", 0, "N", "share when the unit is full, 1 to 64; 1" },
	[EXPORT_N] = { NULL, 0, NULL, NULL },
};

/* the lowest LUN that no export of the target has */
static enum ctl_exit
lun_free(struct ctl *ctl, const char *target, uint32_t *ret_lun, uint64_t *ret_generation)
{
	static uint8_t used[LUNS];
	struct scsac_objects *list = NULL;
	uint64_t lun;
	int r = scsac_export_list(ctl->conn, SCSAC_OBJECT_EXPORT, NULL, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	memset(used, 0, sizeof(used));
	for (size_t i = 0; i < list->n_objects; i++)
		if (strcasecmp(object_value(&list->objects[i], "target"), target) == 0 &&
		    num_parse_u64(object_value(&list->objects[i], "lun"), LUNS - 1, &lun) == 0)
			used[lun] = 1;
	*ret_generation = list->generation;
	scsac_objects_free(list);
	*ret_lun = 0;
	while (*ret_lun < LUNS && used[*ret_lun])
		(*ret_lun)++;
	return *ret_lun < LUNS ? CTL_OK : ctl_fail(ctl, CTL_LIMIT, "no LUN is free");
}

static void
export_told(struct ctl *ctl, const char *target, const char *lun)
{
	uint64_t n = 0;

	if (!ctl->is_json) {
		(void)printf("%s,%s\n", escaped(target), escaped(lun));
		return;
	}
	doc_text(ctl->root, "target", target);
	if (num_parse_u64(lun, LUNS, &n) == 0)
		doc_number(ctl->root, "lun", n);
}

/* somebody else was faster: the free LUN may be no more; -ESTALE and nothing told */
static int
export_try(struct ctl *ctl, const struct args *args, bool is_last, enum ctl_exit *ret)
{
	const char *target = args->v[0], *lun = args->opt[EXPORT_LUN];
	struct scsac_export_result result;
	struct object_draft d;
	uint64_t generation = 0;
	char text[16];
	uint32_t n = 0;
	int r = 0;

	draft_init(&d, SCSAC_EDIT_ADD, SCSAC_OBJECT_EXPORT, NULL);
	*ret = draft_opts(ctl, &d, args, EXPORT_N);
	if (*ret == CTL_OK && lun == NULL) {
		*ret = lun_free(ctl, target, &n, &generation);
		(void)snprintf(text, sizeof(text), "%u", n);
		lun = text;
		draft_word(&d, "lun", lun);
	}
	draft_word(&d, "target", target);
	draft_word(&d, "unit", args->v[1]);
	if (*ret == CTL_OK && generation != 0 && !is_last) {
		r = scsac_export_change(ctl->conn, &d.edit, 1, generation, &result);
		if (r < 0 && r != -ESTALE)
			*ret = ctl_refused(ctl, r, NULL);
		if (r == 0 && !result.is_kept && !ctl->is_json)
			(void)fprintf(stderr, "scsactl: done until scsad ends\n");
		if (r == 0 && ctl->is_json)
			doc_number(ctl->root, "generation", result.generation);
	} else if (*ret == CTL_OK) {
		*ret = edits_send(ctl, &d.edit, 1, generation);
	}
	if (r == 0 && *ret == CTL_OK)
		export_told(ctl, target, lun);
	draft_fini(&d);
	return r;
}

static enum ctl_exit
export_add_run(struct ctl *ctl, const struct args *args)
{
	enum ctl_exit status = CTL_OK;

	for (int i = 1; i <= TRIES; i++)
		if (export_try(ctl, args, i == TRIES, &status) != -ESTALE)
			break;
	return status;
}

const struct verb verb_export_add = {
	.name = "export add",
	.args = "TARGET UNIT",
	.summary = "export a unit as a LUN of a target",
	.opts = export_opts,
	.min = 2,
	.max = 2,
	.lister = "target list --names",
	.run = export_add_run,
};

static const struct verb_opt export_remove_opts[] = {
	{ "acl", 'a', "NAME", "the export for that access list" },
	{ NULL, 0, NULL, NULL },
};

static enum ctl_exit
export_remove_run(struct ctl *ctl, const struct args *args)
{
	const char *acl = args->opt[0];
	struct object_draft d;
	char name[512];

	(void)snprintf(name, sizeof(name), "%s%s%s%s%s", args->v[0], args->n > 1 ? "," : "",
	    args->n > 1 ? args->v[1] : "", acl != NULL ? "," : "", acl != NULL ? acl : "");
	draft_init(&d, SCSAC_EDIT_REMOVE, SCSAC_OBJECT_EXPORT, name);
	return draft_send(ctl, &d);
}

static const struct verb_opt export_set_opts[] = {
	{ "access", 'c', "WORD,...", "ro, rw, all, or classes; rw" },
	{ "allow-anyone", 0, "yes|no", "without access list, also from other machines" },
	{ "weight", 0, "N", "share when the unit is full, 1 to 64; 1" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_export_set = {
	.name = "export set",
	.args = "TARGET,LUN[,ACL]",
	.summary = "change options of an export; '' gives a default back",
	.opts = export_set_opts,
	.min = 1,
	.max = 1,
	.lister = "export list --names",
	.run = export_set_run,
};

const struct verb verb_export_remove = {
	.name = "export remove",
	.args = "TARGET LUN | TARGET,LUN[,ACL]",
	.summary = "a LUN is no more; others stay as they are",
	.opts = export_remove_opts,
	.min = 1,
	.max = 2,
	.lister = "export list --names",
	.run = export_remove_run,
};

/* ------ access lists ------ */

static const struct verb_opt acl_opts[] = {
	{ "initiators", 'i', "NAME,...", "iSCSI names; '*' at the end fits any rest" },
	{ "addresses", 'a', "NET,...", "192.0.2.7, 192.0.2.0/24, 2001:db8::/32" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_acl_add = {
	.name = "acl add",
	.args = "NAME",
	.summary = "make an access list",
	.details = "An initiator fits when its name does and it comes from one of the addresses.",
	.opts = acl_opts,
	.min = 1,
	.max = 1,
	.run = acl_add_run,
};

const struct verb verb_acl_set = {
	.name = "acl set",
	.args = "NAME",
	.summary = "other initiators or addresses; who fits no more is logged out",
	.opts = acl_opts,
	.min = 1,
	.max = 1,
	.lister = "acl list --names",
	.run = acl_set_run,
};

const struct verb verb_acl_remove = {
	.name = "acl remove",
	.args = "NAME",
	.summary = "take an access list away that no export uses",
	.min = 1,
	.max = 1,
	.lister = "acl list --names",
	.run = acl_remove_run,
};

/* ------ accounts ------ */

enum { CHAP_USER, CHAP_MUTUAL_USER, CHAP_KEYS, CHAP_SECRET = CHAP_KEYS, CHAP_MUTUAL_SECRET };

static const struct verb_opt chap_opts[] = {
	[CHAP_USER] = { "user", 'u', "NAME", "of the initiator; the account's if not given" },
	[CHAP_MUTUAL_USER] = { "mutual-user", 0, "NAME", "that the target answers with" },
	[CHAP_SECRET] = { "secret", 0, "FILE", "12 to 255 bytes; - is standard input" },
	[CHAP_MUTUAL_SECRET] = { "mutual-secret", 0, "FILE", "of the other direction" },
	{ NULL, 0, NULL, NULL },
};

/* bytes of a file without one line end; @ret_len 0 and NULL when none was given */
static enum ctl_exit
secret_read(struct ctl *ctl, const char *path, char bytes[SECRET_MAX + 2], const void **ret,
    size_t *ret_len)
{
	CLEANUP(file_close) int fd = -1;
	enum ctl_exit status;
	ssize_t n;

	if (path == NULL)
		return CTL_OK;
	status = file_open(ctl, path, O_RDONLY, &fd);
	if (status != CTL_OK)
		return status;
	n = file_read(fd, bytes, SECRET_MAX + 2);
	if (n < 0)
		return ctl_fail(ctl, CTL_FILE, "%s: %s", path, strerror((int)-n));
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	if (n > SECRET_MAX)
		return ctl_fail(ctl, CTL_FILE, "%s: longer than %d bytes", path, SECRET_MAX);
	*ret = bytes;
	*ret_len = (size_t)n;
	return CTL_OK;
}

static enum ctl_exit
chap_set_run(struct ctl *ctl, const struct args *args)
{
	char secret[SECRET_MAX + 2], mutual[SECRET_MAX + 2];
	enum scsac_edit_verb verb;
	struct object_draft d;
	enum ctl_exit status = object_verb(ctl, SCSAC_OBJECT_CHAP, args->v[0], &verb);

	if (status != CTL_OK)
		return status;
	draft_init(&d, verb, SCSAC_OBJECT_CHAP, args->v[0]);
	status = draft_opts(ctl, &d, args, CHAP_KEYS);
	if (status == CTL_OK)
		status = secret_read(ctl, args->opt[CHAP_SECRET], secret, &d.edit.secret,
		    &d.edit.secret_len);
	if (status == CTL_OK)
		status = secret_read(ctl, args->opt[CHAP_MUTUAL_SECRET], mutual,
		    &d.edit.mutual_secret, &d.edit.mutual_secret_len);
	if (status == CTL_OK)
		status = draft_send(ctl, &d);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(mutual, sizeof(mutual));
	draft_fini(&d);
	return status;
}

const struct verb verb_chap_set = {
	.name = "chap set",
	.args = "NAME",
	.summary = "make an account, or change it",
	.details = "Secrets come out of files or standard input, never from the command line.",
	.opts = chap_opts,
	.min = 1,
	.max = 1,
	.lister = "chap list --names",
	.run = chap_set_run,
};

const struct verb verb_chap_remove = {
	.name = "chap remove",
	.args = "NAME",
	.summary = "take an account away that no target uses",
	.min = 1,
	.max = 1,
	.lister = "chap list --names",
	.run = chap_remove_run,
};

static const struct verb_opt discovery_opts[] = {
	{ "chap", 'c', "NAME,...", "accounts; '' lets everybody discover" },
	{ NULL, 0, NULL, NULL },
};

/* nobody has said anything about it: that is an answer, too */
static enum ctl_exit
discovery_show(struct ctl *ctl)
{
	struct scsac_objects *list = NULL;
	int r = scsac_export_list(ctl->conn, SCSAC_OBJECT_DISCOVERY, "discovery", &list);
	bool is_set = r == 0 && list->n_objects > 0;

	scsac_objects_free(list);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (is_set)
		return object_show(ctl, SCSAC_OBJECT_DISCOVERY, "discovery");
	if (ctl->is_json) {
		doc_text(ctl->root, "name", "discovery");
		doc_text(ctl->root, "origin", "default");
		(void)doc_list(ctl->root, "chap");
	} else {
		fact("chap", "none, who connects may discover");
	}
	return CTL_OK;
}

static enum ctl_exit
discovery_run(struct ctl *ctl, const struct args *args)
{
	enum scsac_edit_verb verb;
	struct object_draft d;
	enum ctl_exit status;

	if (args->opt[0] == NULL)
		return discovery_show(ctl);
	status = object_verb(ctl, SCSAC_OBJECT_DISCOVERY, "discovery", &verb);
	if (status != CTL_OK)
		return status;
	draft_init(&d, verb, SCSAC_OBJECT_DISCOVERY, "discovery");
	status = draft_opts(ctl, &d, args, 1);
	if (status == CTL_OK)
		status = draft_send(ctl, &d);
	draft_fini(&d);
	return status;
}

const struct verb verb_discovery = {
	.name = "discovery",
	.args = "",
	.summary = "how discovery sessions log in",
	.opts = discovery_opts,
	.run = discovery_run,
};

/* ------ users of this machine ------ */

static const struct verb_opt local_opts[] = {
	{ "units", 'u', "PATH,...", "units; '*' at the end fits any rest" },
	{ "access", 'c', "WORD,...", "ro, rw, all, or classes; rw" },
	{ "weight", 0, "N", "share when a unit is full, 1 to 64; 1" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_local_add = {
	.name = "local add",
	.args = "WHO",
	.summary = "let a user of this machine have units",
	.details = "WHO is user:NAME, uid:N, group:NAME or gid:N. With the first rule everybody\n"
	    "who is no admin has only the units of rules.",
	.opts = local_opts,
	.min = 1,
	.max = 1,
	.run = local_add_run,
};

const struct verb verb_local_set = {
	.name = "local set",
	.args = "WHO",
	.summary = "change such a rule",
	.opts = local_opts,
	.min = 1,
	.max = 1,
	.lister = "local list --names",
	.run = local_set_run,
};

const struct verb verb_local_remove = {
	.name = "local remove",
	.args = "WHO",
	.summary = "take such a rule away",
	.min = 1,
	.max = 1,
	.lister = "local list --names",
	.run = local_remove_run,
};

/* ------ reading again ------ */

static enum ctl_exit
reload_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_export_result result;
	int r = scsac_export_reload(ctl->conn, &result);

	(void)args;
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json) {
		doc_number(ctl->root, "generation", result.generation);
		doc_bool(ctl->root, "kept", result.is_kept);
	}
	return CTL_OK;
}

const struct verb verb_reload = {
	.name = "reload",
	.args = "",
	.summary = "let scsad read the exports of its files again; only what differs changes",
	.run = reload_run,
};
