/* what is connected: at first, and while the adapter runs */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

static const char *
disk_label(const struct soft_disk_conf *conf)
{
	return conf->port[0] == '\0' ? SOFT_IPORT : conf->port;
}

/* topo held: the port by its label, or by the address of an iport that is there; NULL */
static struct soft_port *
port_called(struct soft_hba *hba, const char *name)
{
	struct soft_port *port = soft_port_by_label(hba, name);
	struct soft_link *link = port == NULL ? soft_link_find(hba, name) : NULL;

	return link == NULL ? port : link->port;
}

/* topo held: the same; one that nobody has described is plain */
static int
port_get(struct soft_hba *hba, const char *label, struct soft_port **ret, char *reterr)
{
	struct soft_port_conf conf = { .remote = 0 };
	int r;

	*ret = port_called(hba, label);
	if (*ret != NULL)
		return 0;
	if (hba->is_attached && !hba->is_dynamic)
		return soft_error(-ENOENT, reterr, "there is no port '%s', and a static "
		    "adapter gets no new ones while it runs", label);
	(void)text_copy(conf.label, sizeof(conf.label), label);
	r = soft_port_new(hba, &conf, ret, reterr);
	if (r == 0 && soft_port_appear(*ret) != DDI_SUCCESS) {
		soft_port_free(*ret);
		r = soft_error(-ENOSPC, reterr, "port '%s' could not be registered", label);
	}
	return r;
}

static int
disk_error(int err, char *reterr, const struct soft_disk_conf *conf, const char *what)
{
	const char *label = disk_label(conf);
	bool is_default = strcmp(label, SOFT_IPORT) == 0;

	if (conf->wwn != 0)
		return soft_error(err, reterr, "%s%starget w%016llx lun %d: %s",
		    is_default ? "" : label, is_default ? "" : " ",
		    (unsigned long long)conf->wwn, conf->lun, what);
	return soft_error(err, reterr, "%s%starget %d lun %d: %s", is_default ? "" : label,
	    is_default ? "" : " ", conf->target, conf->lun, what);
}

/* topo held: the lowest number that no target has, or SOFT_ANY */
static int32_t
number_free(struct soft_port *port)
{
	char taddr[SOFT_TADDR_LEN];

	for (int32_t t = 0; t < SOFT_TARGETS; t++) {
		if (soft_target_find(port, soft_taddr(t, 0, taddr)) == NULL)
			return t;
	}
	return SOFT_ANY;
}

/* topo held: the first of @n numbers in a row that no unit has, or SOFT_ANY */
static int32_t
lun_free(const struct soft_target *target, uint32_t n)
{
	uint32_t lun = 0;

	for (size_t i = 0; i < target->nluns; i++) {
		if (target->luns[i]->lun >= lun + n)
			break;
		lun = target->luns[i]->lun + 1u;
	}
	return lun + n <= SOFT_LUNS ? (int32_t)lun : SOFT_ANY;
}

static uint32_t
disk_luns(const struct soft_disk_conf *conf)
{
	return conf->luns == 0 ? 1 : conf->luns;
}

static int
disk_check(const struct soft_disk_conf *conf, char *reterr)
{
	if (conf->wwn == 0 && conf->target != SOFT_ANY &&
	    (conf->target < 0 || conf->target >= SOFT_TARGETS))
		return disk_error(-EINVAL, reterr, conf, "targets are 0 to 1023");
	if (conf->lun != SOFT_ANY && (conf->lun < 0 || conf->lun >= SOFT_LUNS))
		return disk_error(-EINVAL, reterr, conf, "luns are 0 to 16383");
	if (disk_luns(conf) > SOFT_LUNS ||
	    (conf->lun > 0 && disk_luns(conf) > SOFT_LUNS - (uint32_t)conf->lun))
		return disk_error(-EINVAL, reterr, conf, "luns are 0 to 16383; so many do not "
		    "fit");
	return 0;
}

/* topo held: is one of the numbers that @conf wants in use? */
static int
luns_check(const struct soft_target *target, const struct soft_disk_conf *conf, int err,
    char *reterr)
{
	uint32_t first = (uint32_t)conf->lun, n = disk_luns(conf);
	size_t i = soft_lun_index(target, first);

	if (i == target->nluns || target->luns[i]->lun >= first + n)
		return 0;
	if (atomic_load(&target->luns[i]->is_gone))
		return disk_error(-EBUSY, reterr, conf, "a unit that was removed still has "
		    "this address, because it is in use; try again");
	return disk_error(err, reterr, conf, "two disks have this address; give one of them "
	    "another target or lun, or leave them out");
}

/*
 * What an adapter is made with.
 */

/* the target of a disk that says where it wants to be, so that no other disk is put there */
static int
disk_reserve(struct soft_hba *hba, const struct soft_disk_conf *conf, char *reterr)
{
	char taddr[SOFT_TADDR_LEN];
	struct soft_port *port;
	int r = disk_check(conf, reterr);

	if (r == 0)
		r = port_get(hba, disk_label(conf), &port, reterr);
	if (r < 0 || (conf->wwn == 0 && conf->target == SOFT_ANY))
		return r;
	if (soft_target_find(port, soft_taddr(conf->target, conf->wwn, taddr)) == NULL &&
	    soft_target_new(port, conf->target, conf->wwn) == NULL)
		return disk_error(-ENOMEM, reterr, conf, "out of memory");
	return 0;
}

/* the target of a disk; its address is completed in @conf */
static int
disk_place(struct soft_hba *hba, struct soft_disk_conf *conf, struct soft_target **ret,
    char *reterr)
{
	char taddr[SOFT_TADDR_LEN];
	struct soft_port *port;
	int r = port_get(hba, disk_label(conf), &port, reterr);

	if (r < 0)
		return r;
	if (conf->lun == SOFT_ANY)
		conf->lun = 0;
	if (conf->wwn == 0 && conf->target == SOFT_ANY) {
		conf->target = number_free(port);
		if (conf->target == SOFT_ANY)
			return disk_error(-EINVAL, reterr, conf, "no target number is free; "
			    "put further disks on other luns (target=0,lun=1)");
	}
	*ret = soft_target_find(port, soft_taddr(conf->target, conf->wwn, taddr));
	if (*ret == NULL)
		*ret = soft_target_new(port, conf->target, conf->wwn);
	if (*ret == NULL)
		return disk_error(-ENOMEM, reterr, conf, "out of memory");
	return luns_check(*ret, conf, -EINVAL, reterr);
}

int
soft_open_disks(
    struct soft_hba *hba, const struct soft_disk_conf *disks, size_t n, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *conf = malloc(sizeof(*conf));
	struct soft_target *target = NULL;
	int r = 0;

	if (conf == NULL)
		return soft_error(-ENOMEM, reterr, "out of memory");
	mutex_enter(&hba->topo);
	for (size_t i = 0; i < n && r == 0; i++)
		r = disk_reserve(hba, &disks[i], reterr);
	mutex_exit(&hba->topo);
	for (size_t i = 0; i < n && r == 0; i++) {
		*conf = disks[i];
		mutex_enter(&hba->topo);
		r = disk_place(hba, conf, &target, reterr);
		mutex_exit(&hba->topo);
		if (r == 0)
			r = soft_units_new(target, conf, reterr);
	}
	return r;
}

/*
 * Changes while it runs.
 */

/* a line, with where it leads; the change lock is held */
static int
line_open(struct soft_hba *hba, const char *line, struct soft_disk_conf *conf,
    struct soft_port **ret, char *reterr)
{
	int r = soft_conf_parse(line, conf, reterr);

	if (r == 0)
		r = disk_check(conf, reterr);
	if (r < 0)
		return r;
	mutex_enter(&hba->topo);
	r = port_get(hba, disk_label(conf), ret, reterr);
	mutex_exit(&hba->topo);
	return r;
}

/* topo held: a new target of the port */
static int
target_make(struct soft_port *port, struct soft_disk_conf *conf, struct soft_target **ret,
    char *reterr)
{
	char taddr[SOFT_TADDR_LEN];
	struct soft_target *target = NULL;

	if (conf->lun == SOFT_ANY)
		conf->lun = 0;
	if (conf->wwn == 0 && conf->target == SOFT_ANY)
		conf->target = number_free(port);
	if (conf->wwn == 0 && conf->target == SOFT_ANY)
		return disk_error(-ENOSPC, reterr, conf, "no target number is free");
	target = soft_target_find(port, soft_taddr(conf->target, conf->wwn, taddr));
	if (target != NULL && atomic_load(&target->is_gone))
		return disk_error(-EBUSY, reterr, conf, "a target that was removed still has "
		    "this address, because it is in use; try again");
	if (target != NULL)
		return disk_error(-EEXIST, reterr, conf, "there is such a target; add a lun to "
		    "it, or choose another number");
	*ret = soft_target_new(port, conf->target, conf->wwn);
	return *ret == NULL ? disk_error(-ENOMEM, reterr, conf, "out of memory") : 0;
}

static void
addr_tell(const struct soft_target *target, const struct soft_disk_conf *conf, char *ret_addr)
{
	if (ret_addr != NULL)
		(void)snprintf(ret_addr, SOFT_ADDR_LEN, "%s/%s,%x", target->port->label,
		    target->addr, (unsigned int)conf->lun);
}

/* the change lock is held */
static int
target_add(struct soft_hba *hba, const char *line, struct soft_disk_conf *conf, char *ret_addr,
    char *reterr)
{
	struct soft_target *target = NULL;
	struct soft_port *port;
	int r = line_open(hba, line, conf, &port, reterr);

	if (r < 0)
		return r;
	mutex_enter(&hba->topo);
	r = target_make(port, conf, &target, reterr);
	mutex_exit(&hba->topo);
	if (r < 0)
		return r;
	r = soft_units_new(target, conf, reterr);
	if (r < 0) {
		soft_target_drop(target);
		return r;
	}
	addr_tell(target, conf, ret_addr);
	mutex_enter(&hba->topo);
	soft_report_target(target, true);
	mutex_exit(&hba->topo);
	return 0;
}

int
soft_target_add(struct soft_hba *hba, const char *line, char *ret_addr, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *conf = malloc(sizeof(*conf));
	int r;

	if (conf == NULL)
		return soft_error(-ENOMEM, reterr, "out of memory");
	mutex_enter(&hba->change);
	r = target_add(hba, line, conf, ret_addr, reterr);
	mutex_exit(&hba->change);
	return r;
}

/* topo held: the target and the place for further units */
static int
lun_place(struct soft_port *port, struct soft_disk_conf *conf, struct soft_target **ret,
    char *reterr)
{
	char taddr[SOFT_TADDR_LEN];

	if (conf->wwn == 0 && conf->target == SOFT_ANY)
		return soft_error(-EINVAL, reterr, "a lun needs its target: target= or wwn=");
	*ret = soft_target_find(port, soft_taddr(conf->target, conf->wwn, taddr));
	if (*ret == NULL || atomic_load(&(*ret)->is_gone))
		return soft_error(-ENOENT, reterr, "port '%s' has no target %s; add it as a "
		    "target", port->label, taddr);
	if (conf->lun == SOFT_ANY)
		conf->lun = lun_free(*ret, disk_luns(conf));
	if (conf->lun == SOFT_ANY)
		return disk_error(-ENOSPC, reterr, conf, "no lun is free");
	return luns_check(*ret, conf, -EEXIST, reterr);
}

/* the change lock is held */
static int
lun_add(struct soft_hba *hba, const char *line, struct soft_disk_conf *conf, char *ret_addr,
    char *reterr)
{
	struct soft_target *target = NULL;
	struct soft_port *port;
	int r = line_open(hba, line, conf, &port, reterr);

	if (r < 0)
		return r;
	mutex_enter(&hba->topo);
	r = lun_place(port, conf, &target, reterr);
	mutex_exit(&hba->topo);
	if (r == 0)
		r = soft_units_new(target, conf, reterr);
	if (r < 0)
		return r;
	addr_tell(target, conf, ret_addr);
	mutex_enter(&hba->topo);
	soft_report_luns(target);
	mutex_exit(&hba->topo);
	return 0;
}

int
soft_lun_add(struct soft_hba *hba, const char *line, char *ret_addr, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *conf = malloc(sizeof(*conf));
	int r;

	if (conf == NULL)
		return soft_error(-ENOMEM, reterr, "out of memory");
	mutex_enter(&hba->change);
	r = lun_add(hba, line, conf, ret_addr, reterr);
	mutex_exit(&hba->change);
	return r;
}

/*
 * Addresses as texts: "PORT/TARGET[,LUN]", the port may be left out.
 */

struct addr {
	char port[64], target[SOFT_TADDR_LEN];
	scsi_lun64_t lun;		/* SCSI_LUN64_ILLEGAL: none given */
};

/* what is behind the '@' of a part, if there is one */
static const char *
part_skip_name(const char *part, const char *end)
{
	const char *at = memchr(part, '@', (size_t)(end - part));

	return at == NULL ? part : at + 1;
}

static bool
part_copy(char *dst, size_t size, const char *part, const char *end)
{
	part = part_skip_name(part, end);
	if (part == end || (size_t)(end - part) >= size)
		return false;
	memcpy(dst, part, (size_t)(end - part));
	dst[end - part] = '\0';
	return true;
}

static int
addr_parse(const char *text, struct addr *ret, char *reterr)
{
	const char *slash = strchr(text, '/');
	const char *rest = slash == NULL ? text : slash + 1;
	const char *comma = strchr(rest, ',');
	bool is_good = true;

	(void)text_copy(ret->port, sizeof(ret->port), SOFT_IPORT);
	if (slash != NULL)
		is_good = part_copy(ret->port, sizeof(ret->port), text, slash);
	is_good = is_good && part_copy(ret->target, sizeof(ret->target), rest,
	    comma == NULL ? rest + strlen(rest) : comma);
	ret->lun = SCSI_LUN64_ILLEGAL;
	if (comma != NULL) {
		ret->lun = scsi_addr_to_lun64((char *)(uintptr_t)comma + 1);
		is_good = is_good && ret->lun != SCSI_LUN64_ILLEGAL;
	}
	if (!is_good)
		return soft_error(-EINVAL, reterr, "'%.64s' is no address, which are like "
		    "iport0/0,3 or iport0/w5000c50012345678,0", text);
	return 0;
}

/* topo held: the target at an address. -ENOENT: none; *@ret_port is the port, or NULL */
static int
addr_find(struct soft_hba *hba, const struct addr *addr, struct soft_port **ret_port,
    struct soft_target **ret, char *reterr)
{
	*ret_port = port_called(hba, addr->port);
	if (*ret_port == NULL)
		return soft_error(-ENOENT, reterr, "there is no port '%s'", addr->port);
	*ret = soft_target_find(*ret_port, addr->target);
	if (*ret == NULL || atomic_load(&(*ret)->is_gone))
		return soft_error(-ENOENT, reterr, "port '%s' has no target %s", addr->port,
		    addr->target);
	return 0;
}

int
soft_target_remove(struct soft_hba *hba, const char *text, char *reterr)
{
	struct soft_target *target = NULL;
	struct soft_port *port;
	struct addr addr;
	int r = addr_parse(text, &addr, reterr);

	if (r < 0)
		return r;
	mutex_enter(&hba->change);
	mutex_enter(&hba->topo);
	r = addr_find(hba, &addr, &port, &target, reterr);
	if (r == 0)
		soft_report_target(target, false);
	else if (port != NULL && soft_expander_remove(port, addr.target) == 0)
		r = 1;
	mutex_exit(&hba->topo);
	if (r == 0)
		soft_target_drop(target);
	mutex_exit(&hba->change);
	return r < 0 ? r : 0;
}

/* topo held: the unit at an address */
static int
addr_find_unit(struct soft_hba *hba, const struct addr *addr, struct soft_unit **ret,
    char *reterr)
{
	struct soft_target *target = NULL;
	struct soft_port *port;
	int r = addr_find(hba, addr, &port, &target, reterr);

	if (r < 0)
		return r;
	*ret = NULL;
	if (addr->lun >= 0 && addr->lun < SOFT_LUNS)
		*ret = soft_target_unit(target, (uint32_t)addr->lun);
	if (*ret == NULL || atomic_load(&(*ret)->is_gone))
		return soft_error(-ENOENT, reterr, "target %s of port '%s' has no lun %llx",
		    addr->target, addr->port, (unsigned long long)addr->lun);
	return 0;
}

int
soft_lun_remove(struct soft_hba *hba, const char *text, char *reterr)
{
	struct soft_target *target = NULL;
	struct soft_unit *unit;
	struct addr addr;
	int r = addr_parse(text, &addr, reterr);

	if (r == 0 && addr.lun == SCSI_LUN64_ILLEGAL)
		r = soft_error(
		    -EINVAL, reterr, "'%.64s' names no lun, as iport0/0,3 does", text);
	if (r < 0)
		return r;
	mutex_enter(&hba->change);
	mutex_enter(&hba->topo);
	r = addr_find_unit(hba, &addr, &unit, reterr);
	if (r == 0) {
		target = unit->lu.target;
		target->refs++;
	}
	mutex_exit(&hba->topo);
	if (r == 0) {
		soft_unit_drop(unit);
		mutex_enter(&hba->topo);
		soft_report_luns(target);
		soft_target_unref(target);
		mutex_exit(&hba->topo);
	}
	mutex_exit(&hba->change);
	return r;
}

/* the unit at an address, with a reference; -EINVAL, -ENOENT */
static int
unit_hold(struct soft_hba *hba, const char *text, struct soft_unit **ret, char *reterr)
{
	struct addr addr;
	int r = addr_parse(text, &addr, reterr);

	if (r < 0)
		return r;
	if (addr.lun == SCSI_LUN64_ILLEGAL)
		addr.lun = 0;
	mutex_enter(&hba->topo);
	r = addr_find_unit(hba, &addr, ret, reterr);
	if (r == 0)
		(*ret)->refs++;
	mutex_exit(&hba->topo);
	return r;
}

int
soft_disk_resize(struct soft_hba *hba, const char *text, uint64_t size_bytes, char *reterr)
{
	char size[NUM_BYTES_LEN];
	struct soft_unit *unit;
	int r = unit_hold(hba, text, &unit, reterr);

	if (r < 0)
		return r;
	r = disk_resize(unit->disk, size_bytes);
	if (r == -ENOTSUP)
		r = soft_error(r, reterr, "'%.64s' cannot have another size; a file can, and "
		    "memory can grow", text);
	else if (r < 0)
		r = soft_error(r, reterr, "'%.64s' cannot be made %s large: %s", text,
		    num_format_bytes(size_bytes, size), strerror(-r));
	soft_unit_unref(unit);
	return r;
}

int
soft_disk_medium(struct soft_hba *hba, const char *text, bool is_there, char *reterr)
{
	struct soft_unit *unit;
	int r = unit_hold(hba, text, &unit, reterr);

	if (r < 0)
		return r;
	r = disk_set_medium(unit->disk, is_there);
	if (r == -ENOTSUP)
		r = soft_error(r, reterr, "'%.64s' has no removable medium; 'removable' in its "
		    "line gives it one", text);
	else if (r < 0)
		r = soft_error(r, reterr, "an initiator keeps the medium of '%.64s' in; it has "
		    "been told of the wish", text);
	soft_unit_unref(unit);
	return r;
}

int
soft_expander_add(struct soft_hba *hba, const char *line, char *reterr)
{
	struct soft_expander_conf conf;
	int r = soft_expander_parse(line, &conf, reterr);

	if (r < 0)
		return r;
	mutex_enter(&hba->change);
	r = soft_expander_new(hba, &conf, reterr);
	mutex_exit(&hba->change);
	return r;
}
