/* ports and targets: what is where */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char label_good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "0123456789_-.";
static const char hex_digits[] = "0123456789abcdefABCDEF";

int
soft_error(int err, char *reterr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reterr, SOFT_ERR_LEN, fmt, ap);
	va_end(ap);
	return err;
}

struct soft_port *
soft_port_by_label(struct soft_hba *hba, const char *label)
{
	struct soft_port *port;

	TAILQ_FOREACH(port, &hba->ports, link) {
		if (strcmp(port->label, label) == 0)
			return port;
	}
	return NULL;
}

struct soft_port *
soft_port_by_remote(struct soft_hba *hba, uint64_t remote)
{
	struct soft_port *port;

	TAILQ_FOREACH(port, &hba->ports, link) {
		if (port->kind == SOFT_PORT_PHYS && port->remote == remote)
			return port;
	}
	return NULL;
}

/* the iport of a port without phys has the label as its address, and must not look like phys */
static int
port_check(struct soft_hba *hba, const struct soft_port_conf *conf, char *reterr)
{
	size_t len = strlen(conf->label);

	if (len == 0 || strspn(conf->label, label_good) != len)
		return soft_error(-EINVAL, reterr, "port '%s': a label is letters, digits, "
		    "'_', '-' and '.'", conf->label);
	if (conf->remote == 0 && strspn(conf->label, hex_digits) == len)
		return soft_error(-EINVAL, reterr, "port '%s': could be a mask of phys; call "
		    "it something with other letters than a to f", conf->label);
	if (conf->remote == 0 && conf->phys != 0)
		return soft_error(-EINVAL, reterr, "port '%s': its phys need remote=, the "
		    "address they lead to", conf->label);
	if (conf->remote != 0 && conf->is_virtual)
		return soft_error(-EINVAL, reterr, "port '%s': a virtual port has no address "
		    "and no phys", conf->label);
	if (soft_port_by_label(hba, conf->label) != NULL)
		return soft_error(-EINVAL, reterr, "port '%s' is described twice", conf->label);
	if (conf->remote != 0 && soft_port_by_remote(hba, conf->remote) != NULL)
		return soft_error(-EINVAL, reterr, "port '%s': another port has this address",
		    conf->label);
	if (hba->nports == SOFT_PORTS)
		return soft_error(-ENOSPC, reterr, "port '%s': there are %d ports, which is "
		    "the limit", conf->label, SOFT_PORTS);
	return 0;
}

int
soft_port_new(struct soft_hba *hba, const struct soft_port_conf *conf, struct soft_port **ret,
    char *reterr)
{
	struct soft_port *port;
	int r = port_check(hba, conf, reterr);

	if (r < 0)
		return r;
	port = kmem_zalloc(sizeof(*port), KM_NOSLEEP);
	if (port == NULL)
		return soft_error(-ENOMEM, reterr, "out of memory");
	port->hba = hba;
	(void)text_copy(port->label, sizeof(port->label), conf->label);
	port->kind = conf->remote != 0 ? SOFT_PORT_PHYS : conf->is_virtual ?
	    SOFT_PORT_VIRTUAL : SOFT_PORT_PLAIN;
	port->local = conf->local != 0 ? conf->local : hba->wwn;
	port->remote = conf->remote;
	LIST_INIT(&port->expanders);
	LIST_INIT(&port->iports);
	TAILQ_INSERT_TAIL(&hba->ports, port, link);
	hba->nports++;
	*ret = port;
	return 0;
}

void
soft_port_free(struct soft_port *port)
{
	struct soft_expander *exp;

	while ((exp = LIST_FIRST(&port->expanders)) != NULL) {
		LIST_REMOVE(exp, link);
		kmem_free(exp, sizeof(*exp));
	}
	TAILQ_REMOVE(&port->hba->ports, port, link);
	port->hba->nports--;
	kmem_free(port, sizeof(*port));
}

uint64_t
soft_port_phys(const struct soft_port *port)
{
	const struct soft_phy *phys = port->hba->phys;
	uint64_t mask = 0;

	for (unsigned int i = 0; i < SOFT_PHYS && port->kind == SOFT_PORT_PHYS; i++) {
		if (phys[i].is_up && phys[i].remote == port->remote)
			mask |= 1ull << i;
	}
	return mask;
}

static bool
port_has_link(const struct soft_port *port)
{
	struct soft_link *link;

	LIST_FOREACH(link, &port->hba->links, link) {
		if (link->port == port)
			return true;
	}
	return false;
}

void
soft_port_prune(struct soft_hba *hba)
{
	struct soft_port *port, *next;

	for (port = TAILQ_FIRST(&hba->ports); port != NULL; port = next) {
		next = TAILQ_NEXT(port, link);
		if (port->is_found && port->targets == NULL && LIST_EMPTY(&port->iports) &&
		    LIST_EMPTY(&port->expanders) && soft_port_phys(port) == 0 &&
		    !port_has_link(port))
			soft_port_free(port);
	}
}

char *
soft_taddr(int32_t number, uint64_t wwn, char taddr[SOFT_TADDR_LEN])
{
	if (wwn != 0)
		(void)scsi_wwn_to_wwnstr(wwn, 1, taddr);
	else
		(void)snprintf(taddr, SOFT_TADDR_LEN, "%x", (unsigned int)number);
	return taddr;
}

struct soft_target *
soft_target_find(struct soft_port *port, const char *taddr)
{
	struct soft_target *target;

	HASH_FIND_STR(port->targets, taddr, target);
	return target;
}

/* what REPORT LUNS says */
static size_t
target_luns(void *arg, uint64_t *luns, size_t max)
{
	struct soft_target *target = arg;
	struct soft_hba *hba = target->port->hba;
	size_t n = 0;

	mutex_enter(&hba->topo);
	for (size_t i = 0; i < target->nluns; i++) {
		if (atomic_load(&target->luns[i]->is_gone))
			continue;
		if (n < max)
			luns[n] = target->luns[i]->lun;
		n++;
	}
	mutex_exit(&hba->topo);
	return n;
}

struct soft_target *
soft_target_new(struct soft_port *port, int32_t number, uint64_t wwn)
{
	struct soft_target *target = kmem_zalloc(sizeof(*target), KM_NOSLEEP);

	if (target == NULL)
		return NULL;
	target->port = port;
	target->number = wwn != 0 ? -1 : number;
	target->wwn = wwn;
	target->refs = 1;
	target->nobody.target = target;
	target->place = (struct disk_place){ target_luns, target, port->hba->host };
	(void)soft_taddr(number, wwn, target->addr);
	HASH_ADD_STR(port->targets, addr, target);
	return target;
}

void
soft_target_unref(struct soft_target *target)
{
	if (--target->refs > 0)
		return;
	HASH_DEL(target->port->targets, target);
	kmem_free(target->luns, target->room * sizeof(struct soft_unit *));
	kmem_free(target, sizeof(*target));
}

size_t
soft_lun_index(const struct soft_target *target, uint32_t lun)
{
	size_t low = 0, high = target->nluns;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (target->luns[mid]->lun < lun)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct soft_unit *
soft_target_unit(const struct soft_target *target, uint32_t lun)
{
	size_t i = soft_lun_index(target, lun);

	return i < target->nluns && target->luns[i]->lun == lun ? target->luns[i] : NULL;
}
