#include "daemon/ex_finish.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "daemon/config.h"
#include "iscsi/name.h"
#include "lu/lu.h"
#include "scsi/opcode.h"

#define ALIAS_MAX	255	/* RFC 7143 13.7 */

/* ------ words ------ */

static void
lower(char *word)
{
	for (; *word != '\0'; word++)
		*word = (char)tolower((unsigned char)*word);
}

/* a name of ours, for people: part of other names and of file names */
static int
plain_check(const struct ex_object *o, const char *key, size_t index, const char *word,
    struct ex_fault *f)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_.-";
	size_t len = strlen(word);

	if (len == 0 || len > EX_WORD_MAX || word[0] == '.' || strspn(word, good) != len)
		return ex_complain(f, o, -EINVAL, key, index,
		    "'%s' is no name: 1 to %d letters, digits, '_', '-' and '.'",
		    ex_shown(word), EX_WORD_MAX);
	return 0;
}

static int
plains_check(const struct ex_object *o, const char *key, const struct ex_words *words,
    struct ex_fault *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->n; i++)
		r = plain_check(o, key, i, words->v[i], f);
	return r;
}

/* a path of a unit, or what it may end with; printable, without blanks */
static int
unit_word_check(const struct ex_object *o, const char *key, size_t index, const char *word,
    struct ex_fault *f)
{
	size_t len = strlen(word), n = 0;

	while (n < len && isgraph((unsigned char)word[n]) && (word[n] & 0x80) == 0)
		n++;
	if (len == 0 || len >= LU_PATH_MAX || n != len)
		return ex_complain(f, o, -EINVAL, key, index,
		    "'%s' is no path of a unit; see: scsactl list", ex_shown(word));
	return 0;
}

/* what goes over the wire as a user's name */
static int
user_check(const struct ex_object *o, const char *key, const char *word, struct ex_fault *f)
{
	size_t len = strlen(word);
	bool is_good = len > 0 && len <= EX_NAME_MAX;

	for (size_t i = 0; is_good && i < len; i++)
		is_good = (unsigned char)word[i] > ' ' && word[i] != 0x7f;
	if (!is_good)
		return ex_complain(f, o, -EINVAL, key, 0,
		    "'%s' is no user: 1 to %d characters, no blanks", ex_shown(word),
		    EX_NAME_MAX);
	return 0;
}

/* ------ portals and groups ------ */

int
ex_portal_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_portal *p = (struct ex_portal *)o;
	char name[EX_ADDR_LEN], *copy;

	if (ex_addr_parse(o->name, &p->addr, &p->addr_len) < 0)
		return ex_complain(f, o, -EINVAL, "address", 0, "'%s' is no address: "
		    "write 192.0.2.1:3260, [2001:db8::1]:3260 or 0.0.0.0:3260; names are not "
		    "looked up", ex_shown(o->name));
	if (p->addr.ss_family == AF_INET)
		p->is_loopback = (ntohl(((struct sockaddr_in *)&p->addr)->sin_addr.s_addr) >>
		    24) == 127;
	else
		p->is_loopback =
		    IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&p->addr)->sin6_addr);
	copy = fault_hit() ? NULL : strdup(ex_addr_format((struct sockaddr *)&p->addr, name));
	if (copy == NULL)
		return -ENOMEM;
	free(o->name);
	o->name = copy;
	return 0;
}

static int
tag_read(const struct ex_object *o, const char *key, size_t index, const char *word,
    uint32_t *ret, struct ex_fault *f)
{
	uint64_t tag = 0;

	if (word[0] == '0' || num_parse_u64(word, 65535, &tag) < 0 || tag == 0)
		return ex_complain(f, o, -EINVAL, key, index,
		    "'%s' is no tag of a portal group: 1 to 65535", ex_shown(word));
	*ret = (uint32_t)tag;
	return 0;
}

int
ex_group_finish(struct ex_object *o, struct ex_fault *f)
{
	return tag_read(o, "tag", 0, o->name, &((struct ex_group *)o)->tag, f);
}

/* ------ accounts ------ */

static int
secret_take(const struct ex_chap *chap, const char *key, const char *file,
    const char *credential, struct ex_secret *ret, struct ex_fault *f)
{
	char text[EX_ERR_LEN - 8];
	int r = ex_secret_read(file, credential, ret, text);

	return r < 0 ? ex_complain(f, &chap->o, r, key, 0, "%s", text) : 0;
}

static int
mutual_finish(struct ex_chap *chap, struct ex_fault *f)
{
	bool has_file = chap->mutual_secret_file != NULL;
	bool has_credential = chap->mutual_secret_credential != NULL;
	int r;

	if (chap->mutual_user == NULL) {
		if (!has_file && !has_credential)
			return 0;
		return ex_complain(f, &chap->o, -EINVAL, has_file ? "mutual_secret_file" :
		    "mutual_secret_credential", 0, "needs mutual_user: the name that the "
		    "target gives to the initiator");
	}
	r = user_check(&chap->o, "mutual_user", chap->mutual_user, f);
	if (r < 0)
		return r;
	if (has_file == has_credential)
		return ex_complain(f, &chap->o, -EINVAL, "mutual_user", 0,
		    "needs either mutual_secret_file or mutual_secret_credential");
	r = secret_take(chap, has_file ? "mutual_secret_file" : "mutual_secret_credential",
	    chap->mutual_secret_file, chap->mutual_secret_credential, &chap->mutual_secret, f);
	if (r < 0)
		return r;
	if (ex_secret_same(&chap->secret, &chap->mutual_secret))
		return ex_complain(f, &chap->o, -EINVAL, has_file ? "mutual_secret_file" :
		    "mutual_secret_credential", 0, "holds the secret of the other direction; "
		    "they must differ");
	return 0;
}

int
ex_chap_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_chap *chap = (struct ex_chap *)o;
	bool has_file = chap->secret_file != NULL;
	int r = plain_check(o, "name", 0, o->name, f);

	if (r == 0 && chap->user == NULL && (fault_hit() ||
	    (chap->user = strdup(o->name)) == NULL))
		return -ENOMEM;
	if (r == 0)
		r = user_check(o, "user", chap->user, f);
	if (r < 0)
		return r;
	if (has_file == (chap->secret_credential != NULL))
		return ex_complain(f, o, -EINVAL, NULL, 0,
		    "needs either secret_file or secret_credential");
	r = secret_take(chap, has_file ? "secret_file" : "secret_credential",
	    chap->secret_file, chap->secret_credential, &chap->secret, f);
	return r < 0 ? r : mutual_finish(chap, f);
}

void
ex_chap_fini(struct ex_object *o)
{
	struct ex_chap *chap = (struct ex_chap *)o;

	ex_secret_wipe(&chap->secret);
	ex_secret_wipe(&chap->mutual_secret);
}

bool
ex_chap_secrets_same(const struct ex_object *a, const struct ex_object *b)
{
	const struct ex_chap *ca = (const struct ex_chap *)a, *cb = (const struct ex_chap *)b;

	return ex_secret_same(&ca->secret, &cb->secret) &&
	    ex_secret_same(&ca->mutual_secret, &cb->mutual_secret);
}

/* ------ access lists ------ */

static int
pattern_finish(const struct ex_object *o, size_t i, char *word, struct ex_fault *f)
{
	size_t len = strlen(word);
	char *star = strchr(word, '*');
	char folded[ISCSI_NAME_LEN];

	lower(word);
	if (star == NULL && iscsi_name_fold(word, len, folded) == 0)
		return 0;
	for (size_t c = 0; star == word + len - 1 && c < len; c++)
		if ((unsigned char)word[c] <= ' ' || word[c] == 0x7f || word[c] == ',')
			star = NULL;
	if (star == word + len - 1 && len <= EX_NAME_MAX)
		return 0;
	return ex_complain(f, o, -EINVAL, "initiators", i, "'%s' is no name of an initiator "
	    "(iqn.2001-01.com.example:host, eui.0123456789abcdef), nor the beginning of one "
	    "with '*' behind it", ex_shown(word));
}

/* "192.0.2.0/24", "2001:db8::/32", "192.0.2.7" */
static bool
net_parse(const char *word, struct ex_net *ret)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(word, '/');
	size_t len = slash == NULL ? strlen(word) : (size_t)(slash - word);
	unsigned int all;
	uint64_t bits;

	if (len >= sizeof(host))
		return false;
	memcpy(host, word, len);
	host[len] = '\0';
	*ret = (struct ex_net){ .family = AF_INET };
	if (inet_pton(AF_INET, host, ret->addr) != 1) {
		ret->family = AF_INET6;
		if (inet_pton(AF_INET6, host, ret->addr) != 1)
			return false;
	}
	all = ret->family == AF_INET ? 32 : 128;
	bits = all;
	if (slash != NULL && num_parse_u64(slash + 1, all, &bits) < 0)
		return false;
	ret->bits = (uint8_t)bits;
	/* bits behind the prefix would make people think of another network */
	for (unsigned int bit = ret->bits; bit < all; bit++)
		if ((ret->addr[bit / 8] & (0x80u >> (bit % 8))) != 0)
			return false;
	return true;
}

int
ex_acl_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_acl *acl = (struct ex_acl *)o;
	int r = plain_check(o, "name", 0, o->name, f);

	for (size_t i = 0; r == 0 && i < acl->initiators.n; i++)
		r = pattern_finish(o, i, acl->initiators.v[i], f);
	if (r < 0)
		return r;
	if (acl->initiators.n == 0 && acl->addresses.n == 0)
		return ex_complain(f, o, -EINVAL, NULL, 0, "fits nobody: name initiators, "
		    "addresses, or both; '*' among the initiators is everybody");
	if (acl->addresses.n > 0) {
		acl->nets = fault_hit() ? NULL : calloc(acl->addresses.n, sizeof(*acl->nets));
		if (acl->nets == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < acl->addresses.n; i++) {
		if (!net_parse(acl->addresses.v[i], &acl->nets[i]))
			return ex_complain(f, o, -EINVAL, "addresses", i,
			    "'%s' is no address or network: 192.0.2.7, 192.0.2.0/24, "
			    "2001:db8::/32 (no bits behind the prefix)",
			    ex_shown(acl->addresses.v[i]));
		acl->n_nets++;
	}
	return 0;
}

void
ex_acl_fini(struct ex_object *o)
{
	free(((struct ex_acl *)o)->nets);
}

/* ------ targets ------ */

static int
target_groups_finish(struct ex_target *t, struct ex_fault *f)
{
	if (t->groups.n == 0) {
		t->groups.v = fault_hit() ? NULL : calloc(1, sizeof(t->groups.v[0]));
		if (t->groups.v == NULL || (t->groups.v[0] = strdup("1")) == NULL)
			return -ENOMEM;
		t->groups.n = 1;
	}
	if (t->groups.n > EX_GROUPS_MAX)
		return ex_complain(f, &t->o, -EINVAL, "groups", EX_GROUPS_MAX,
		    "are more than %d", EX_GROUPS_MAX);
	for (size_t i = 0; i < t->groups.n; i++) {
		uint32_t tag = 0;
		int r = tag_read(&t->o, "groups", i, t->groups.v[i], &tag, f);

		if (r < 0)
			return r;
		t->tags[i] = (uint16_t)tag;
		for (size_t k = 0; k < i; k++)
			if (t->tags[k] == tag)
				return ex_complain(f, &t->o, -EINVAL, "groups", i,
				    "%u is there twice", tag);
	}
	return 0;
}

static int
redirect_finish(const struct ex_target *t, struct ex_fault *f)
{
	struct iscsi_address address;

	if (t->redirect == NULL)
		return t->is_redirect_permanent ? ex_complain(f, &t->o, -EINVAL,
		    "redirect_permanent", 0, "needs redirect: where to?") : 0;
	if (iscsi_address_parse(t->redirect, &address) < 0)
		return ex_complain(f, &t->o, -EINVAL, "redirect", 0,
		    "'%s' is no address: write 192.0.2.1:3260, [2001:db8::1]:3260 or "
		    "host.example.com:3260, and ,TAG behind it if it is needed",
		    ex_shown(t->redirect));
	return 0;
}

int
ex_target_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_target *t = (struct ex_target *)o;
	int r;

	lower(o->name);
	if (iscsi_name_check(o->name) < 0)
		return ex_complain(f, o, -EINVAL, "name", 0, "'%s' is no iSCSI name: "
		    "iqn.2001-01.com.example:disks, eui. and 16 or naa. and 16 or 32 "
		    "hexadecimal digits", ex_shown(o->name));
	if (t->alias != NULL && strlen(t->alias) > ALIAS_MAX)
		return ex_complain(f, o, -EINVAL, "alias", 0, "is longer than %d bytes",
		    ALIAS_MAX);
	r = plains_check(o, "chap", &t->chap, f);
	if (r == 0)
		r = target_groups_finish(t, f);
	return r < 0 ? r : redirect_finish(t, f);
}

int
ex_discovery_finish(struct ex_object *o, struct ex_fault *f)
{
	free(o->name);
	o->name = fault_hit() ? NULL : strdup("discovery");
	if (o->name == NULL)
		return -ENOMEM;
	return plains_check(o, "chap", &((struct ex_discovery *)o)->chap, f);
}

/* ------ exports and local rules ------ */

#define CLASSES_RO	(LU_CLASS(OP_INFO) | LU_CLASS(OP_READ))
#define CLASSES_RW	(CLASSES_RO | LU_CLASS(OP_WRITE) | LU_CLASS(OP_RESERVE))
#define CLASSES_ALL	(LU_CLASS(OP_POLICY_N) - 1)

/* INQUIRY and its likes cannot be taken away: without them nobody could tell what it has got */
static int
access_finish(const struct ex_object *o, const struct ex_words *access, uint32_t *ret,
    struct ex_fault *f)
{
	*ret = access->n == 0 ? CLASSES_RW : LU_CLASS(OP_INFO);
	for (size_t i = 0; i < access->n; i++) {
		const char *word = access->v[i];
		uint32_t classes = strcmp(word, "ro") == 0 ? CLASSES_RO :
		    strcmp(word, "rw") == 0 ? CLASSES_RW :
		    strcmp(word, "all") == 0 ? CLASSES_ALL : 0;

		for (unsigned int c = 0; classes == 0 && c < OP_POLICY_N; c++)
			if (strcmp(word, op_policy_name((enum op_policy)c)) == 0)
				classes = LU_CLASS(c);
		if (classes == 0)
			return ex_complain(f, o, -EINVAL, "access", i, "'%s' is unknown: ro, "
			    "rw, all, or some of info, read, write, reserve, manage, firmware, "
			    "security", ex_shown(word));
		*ret |= classes;
	}
	return 0;
}

static int
export_name(struct ex_export *e)
{
	char *name = NULL;

	if (fault_hit() || asprintf(&name, "%s,%u%s%s", e->target, e->lun,
	    e->acl == NULL ? "" : ",", e->acl == NULL ? "" : e->acl) < 0)
		return -ENOMEM;
	free(e->o.name);
	e->o.name = name;
	return 0;
}

int
ex_export_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_export *e = (struct ex_export *)o;
	int r;

	if (e->target == NULL || e->unit == NULL || e->lun == UINT32_MAX)
		return ex_complain(f, o, -EINVAL, NULL, 0,
		    "needs target, lun (0 to %d) and unit", EX_LUN_MAX);
	lower(e->target);
	r = export_name(e);
	if (r == 0)
		r = unit_word_check(o, "unit", 0, e->unit, f);
	if (r == 0 && e->acl != NULL)
		r = plain_check(o, "acl", 0, e->acl, f);
	if (r == 0 && e->acl != NULL && e->allow_anyone)
		r = ex_complain(f, o, -EINVAL, "allow_anyone", 0,
		    "contradicts acl: with an access list it is not anyone");
	return r < 0 ? r : access_finish(o, &e->access, &e->classes, f);
}

static int
who_finish(struct ex_local *l, struct ex_fault *f)
{
	static const struct {
		const char *prefix;
		bool is_group, is_number;
	} kinds[] = {
		{ "user:", false, false }, { "uid:", false, true },
		{ "group:", true, false }, { "gid:", true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *word = l->o.name + strlen(kinds[i].prefix);
		uint64_t id = 0;
		bool is_good;

		if (strncmp(l->o.name, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		l->is_group = kinds[i].is_group;
		if (kinds[i].is_number) {
			is_good = num_parse_u64(word, UINT32_MAX - 1, &id) == 0;
			l->id = (uint32_t)id;
		} else {
			is_good = l->is_group ? config_group_find(word, &l->id) :
			    config_user_find(word, &l->id);
		}
		if (is_good)
			return 0;
		return ex_complain(f, &l->o, -EINVAL, "who", 0, "'%s' is not on this system",
		    ex_shown(l->o.name));
	}
	return ex_complain(f, &l->o, -EINVAL, "who", 0,
	    "'%s' is nobody: write user:NAME, uid:N, group:NAME or gid:N",
	    ex_shown(l->o.name));
}

int
ex_local_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_local *l = (struct ex_local *)o;
	int r = who_finish(l, f);

	if (r == 0 && l->units.n == 0)
		r = ex_complain(f, o, -EINVAL, NULL, 0,
		    "needs units: paths, or '*' for all of them");
	for (size_t i = 0; r == 0 && i < l->units.n; i++)
		r = unit_word_check(o, "units", i, l->units.v[i], f);
	return r < 0 ? r : access_finish(o, &l->access, &l->classes, f);
}

int
ex_unit_finish(struct ex_object *o, struct ex_fault *f)
{
	return unit_word_check(o, "unit", 0, o->name, f);
}

int
ex_port_finish(struct ex_object *o, struct ex_fault *f)
{
	struct ex_port *p = (struct ex_port *)o;
	const char *comma = strrchr(o->name, ',');
	uint32_t tag;

	if (comma == NULL)
		return ex_complain(f, o, -EINVAL, "port", 0, "'%s' is no TARGET,TAG",
		    ex_shown(o->name));
	if (p->rtpi == UINT32_MAX)
		return ex_complain(f, o, -EINVAL, NULL, 0, "needs rtpi");
	lower(o->name);
	return tag_read(o, "port", 0, comma + 1, &tag, f);
}

/* ------ names as others write them ------ */

bool
ex_name_normal(enum ex_kind kind, const char *name, char *dst, size_t size)
{
	struct sockaddr_storage addr;
	char formatted[EX_ADDR_LEN];
	socklen_t len;

	if (kind == EX_PORTAL) {
		if (ex_addr_parse(name, &addr, &len) < 0)
			return false;
		name = ex_addr_format((struct sockaddr *)&addr, formatted);
	}
	if (strlen(name) >= size)
		return false;
	(void)memcpy(dst, name, strlen(name) + 1);
	if (kind == EX_TARGET)
		lower(dst);
	for (char *c = dst; kind == EX_EXPORT && *c != '\0' && *c != ','; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}
