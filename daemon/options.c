#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "daemon/config_exports.h"
#include "daemon/demo.h"
#include "daemon/loop.h"

enum {
	OPT_CHECK = 256, OPT_DEMO, OPT_PORT, OPT_EXPANDER, OPT_EXPORT, OPT_ANYONE, OPT_SOCKET,
	OPT_STATE, OPT_LOOPS, OPT_LOG, OPT_FOREGROUND, OPT_PCI, OPT_UNSAFE, OPT_ISCSI,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "disk", required_argument, NULL, 'd' },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "expander", required_argument, NULL, OPT_EXPANDER },
	{ "pci", required_argument, NULL, OPT_PCI },
	{ "allow-unsafe-dma", no_argument, NULL, OPT_UNSAFE },
	{ "iscsi", required_argument, NULL, OPT_ISCSI },
	{ "demo", no_argument, NULL, OPT_DEMO },
	{ "export", required_argument, NULL, OPT_EXPORT },
	{ "allow-anyone", no_argument, NULL, OPT_ANYONE },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "state-dir", required_argument, NULL, OPT_STATE },
	{ "loops", required_argument, NULL, OPT_LOOPS },
	{ "log-level", required_argument, NULL, OPT_LOG },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
    "usage: scsad [OPTION]...\n"
    "Serve SCSI units to programs on this machine, and over iSCSI to others.\n"
    "\n"
    "  -d, --disk SPEC       a disk of the software HBA, repeatable:\n"
    "                          disk.img  file:PATH,size=8G  mem:1G  null:1T,block=4096\n"
    "      --port SPEC       a port of it: NAME,virtual or NAME,remote=WWN,phys=MASK\n"
    "      --expander SPEC   an expander on a port: WWN,port=NAME\n"
    "      --pci SPEC        an HBA: ADDRESS[,DRIVER][,BUS], for instance 0000:00:10.0\n"
    "      --allow-unsafe-dma  such an HBA may be on bus uio, and write to all memory\n"
    "      --iscsi URL       a target to log in to: iscsi://HOST[:PORT]/NAME[,OPTION]...\n"
    "      --export SPEC     export all units over iSCSI: ADDRESS:PORT[,TARGET]\n"
    "      --allow-anyone    such an export may leave this machine, for whoever comes\n"
    "      --demo            a memory disk and a file disk, for a first look\n"
    "  -c, --config FILE     configuration, default " OPTIONS_CONFIG_DEFAULT "\n"
    "      --check           judge the configuration and end: 0 good, 102 wrong\n"
    "      --socket PATH     where programs connect\n"
    "      --state-dir DIR   where changes made while it runs are kept\n"
    "      --loops N         threads for I/O, default one for each CPU\n"
    "      --log-level L     error, warning, notice, info or debug\n"
    "      --foreground      stay in the foreground (this is what it always does)\n"
    "  -V, --version\n"
    "  -h, --help\n"
    "\n"
    "See scsad(8), scsad.conf(5), scsactl(1).\n";

const char *
options_help(void)
{
	return help;
}

static int
complain(char *reterr, const char *option, const char *word, const char *text)
{
	char escaped[128];

	(void)snprintf(reterr, CONFIG_ERR_LEN, "--%s '%s': %s", option,
	    text_escape(word, strlen(word), escaped, sizeof(escaped)), text);
	return -EINVAL;
}

/* one more of a repeatable option */
static int
option_list(const char *list[], size_t max, size_t *n, const char *name, const char *word,
    char *reterr)
{
	if (*n == max)
		return complain(reterr, name, word, "is one more than there can be");
	list[(*n)++] = word;
	return 0;
}

static int
option_loops(struct options *o, const char *word, char *reterr)
{
	uint64_t n = 0;

	if (num_parse_u64(word, LOOP_MAX, &n) < 0 || n == 0)
		return complain(reterr, "loops", word,
		    "is no number of threads, it can be 1 to 64");
	o->loops = (unsigned int)n;
	return 0;
}

static int
option_take(struct options *o, int c, const char *word, char *reterr)
{
	switch (c) {
	case 'c':
		o->config = word;
		return 0;
	case 'd':
		return option_list(o->disks, OPTIONS_DISKS_MAX, &o->n_disks, "disk", word,
		    reterr);
	case OPT_PORT:
		return option_list(o->ports, SOFT_PORTS, &o->n_ports, "port", word, reterr);
	case OPT_EXPANDER:
		return option_list(o->expanders, OPTIONS_EXPANDERS_MAX, &o->n_expanders,
		    "expander", word, reterr);
	case OPT_ISCSI:
		return option_list(o->iscsi, OPTIONS_ISCSI_MAX, &o->n_iscsi, "iscsi", word,
		    reterr);
	case OPT_EXPORT:
		return option_list(o->exports, OPTIONS_EXPORTS_MAX, &o->n_exports, "export",
		    word, reterr);
	case OPT_PCI:
		return option_list(o->pci, CONFIG_HBAS_MAX, &o->n_pci, "pci", word, reterr);
	case OPT_UNSAFE:
		o->allow_unsafe_dma = true;
		return 0;
	case OPT_ANYONE:
		o->allow_anyone = true;
		return 0;
	case OPT_CHECK:
		o->want_check = true;
		return 0;
	case OPT_DEMO:
		o->want_demo = true;
		return 0;
	case OPT_SOCKET:
		o->socket = word;
		return 0;
	case OPT_STATE:
		o->state_dir = word;
		return word[0] == '/' ? 0 : complain(reterr, "state-dir", word,
		    "is not an absolute path");
	case OPT_LOOPS:
		return option_loops(o, word, reterr);
	case OPT_LOG:
		o->has_log_level = log_level_parse(word, &o->log_level);
		return o->has_log_level ? 0 : complain(reterr, "log-level", word,
		    "is not a level, there are error, warning, notice, info and debug");
	case OPT_FOREGROUND:
		return 0;
	case 'V':
		o->want_version = true;
		return 0;
	case 'h':
		o->want_help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int
options_parse(int argc, char **argv, struct options *ret_options, char *reterr)
{
	struct options o = { 0 };
	int c, r;

	optind = 0;	/* start anew: a test calls this more than once */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:d:Vh", long_options, NULL)) != -1) {
		if (c == '?' || c == ':') {
			(void)snprintf(reterr, CONFIG_ERR_LEN, "'%.100s': %s; try --help",
			    argv[optind > 0 ? optind - 1 : 0],
			    c == ':' ? "needs a value" : "no such option");
			return -EINVAL;
		}
		r = option_take(&o, c, optarg, reterr);
		if (r < 0)
			return r;
	}
	if (optind < argc) {
		(void)snprintf(reterr, CONFIG_ERR_LEN,
		    "'%.100s': not an option; a disk is named by "
		    "--disk", argv[optind]);
		return -EINVAL;
	}
	*ret_options = o;
	return 0;
}

/* ------ onto a configuration ------ */

static int
apply_complain(char *reterr, const char *option, const char *word, const char *text)
{
	(void)snprintf(reterr, CONFIG_ERR_LEN, "--%s '%.200s': %.700s", option, word, text);
	return -EINVAL;
}

static int
apply_disks(const struct options *o, struct config_hba *hba, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];

	if (disk == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_disks; i++) {
		if (soft_conf_parse(o->disks[i], disk, text) < 0)
			return apply_complain(reterr, "disk", o->disks[i], text);
		if (config_add_disk(hba, disk) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
apply_ports(const struct options *o, struct config_hba *hba, char *reterr)
{
	struct soft_expander_conf exp;
	struct soft_port_conf port;
	char text[SOFT_ERR_LEN];

	for (size_t i = 0; i < o->n_ports; i++) {
		if (soft_port_parse(o->ports[i], &port, text) < 0)
			return apply_complain(reterr, "port", o->ports[i], text);
		if (config_add_port(hba, &port) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < o->n_expanders; i++) {
		if (soft_expander_parse(o->expanders[i], &exp, text) < 0)
			return apply_complain(reterr, "expander", o->expanders[i], text);
		if (config_add_expander(hba, &exp) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* does the command line itself say what to serve? */
static bool
has_soft_hba(const struct options *o)
{
	return o->n_disks > 0 || o->n_ports > 0 || o->n_expanders > 0;
}

static int
apply_hba(const struct options *o, struct config *conf, char *reterr)
{
	struct config_hba *hba = config_add_hba(conf, SOFT_DRIVER);
	int r;

	if (hba == NULL) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "no room for one more HBA");
		return -ENOMEM;
	}
	r = apply_disks(o, hba, reterr);
	return r < 0 ? r : apply_ports(o, hba, reterr);
}

static int
apply_pci(const struct options *o, const char *word, struct config *conf, char *reterr)
{
	struct config_hba *hba = config_add_hba(conf, NULL);
	char text[CONFIG_ERR_LEN];
	const char *key;
	int r;

	if (hba == NULL) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "no room for one more HBA");
		return -ENOMEM;
	}
	r = config_pci_parse(word, hba, text);
	hba->pci.allow_unsafe_dma = o->allow_unsafe_dma;
	if (r == 0)
		r = config_hba_check(conf, &key, text);
	return r == -EINVAL ? apply_complain(reterr, "pci", word, text) : r;
}

/* all targets of the command line are behind one HBA */
static int
apply_iscsi(const struct options *o, struct config *conf, char *reterr)
{
	struct config_hba *hba = config_add_hba(conf, ISCSI_HBA_DRIVER);
	char text[DRIVER_ERR_LEN];
	int r;

	if (hba == NULL) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "no room for one more HBA");
		return -ENOMEM;
	}
	r = config_add_texts(hba, "targets", o->iscsi, o->n_iscsi, text);
	if (r < 0 && r != -ENOMEM)
		(void)snprintf(reterr, CONFIG_ERR_LEN, "--iscsi: %s", text);
	return r;
}

/* ------ --export ------ */

static int
export_object(struct config *conf, enum ex_kind kind, size_t at, const char *name,
    const char *word, char *reterr)
{
	struct ex_fault fault;
	struct ex_object *o;
	int r;

	if (conf->exports == NULL)
		conf->exports = ex_set_new(1);
	if (conf->exports == NULL)
		return -ENOMEM;
	r = ex_object_new(kind, EX_FROM_OPTION, at, name, NULL, NULL, 0, &o, &fault);
	if (r == -EINVAL)
		return apply_complain(reterr, "export", word, fault.text);
	return r < 0 ? r : ex_set_add(conf->exports, o);
}

/* "127.0.0.1:3260,iqn.2001-01.com.example:disks": the portal here, the target noted */
static int
apply_export(struct config *conf, const char *word, size_t at, char *reterr)
{
	size_t len = strcspn(word, ",");
	char address[EX_ADDR_LEN];
	const char *target = word[len] == ',' ? word + len + 1 : NULL;

	if (len >= sizeof(address))
		return apply_complain(reterr, "export", word, "is not ADDRESS:PORT[,TARGET]");
	memcpy(address, word, len);
	address[len] = '\0';
	if (target != NULL && conf->export_target != NULL &&
	    strcasecmp(target, conf->export_target) != 0)
		return apply_complain(reterr, "export", word, "names a second target; all units "
		    "are one target's, further ones need a file");
	if (target != NULL && conf->export_target == NULL) {
		conf->export_target = strdup(target);
		if (conf->export_target == NULL)
			return -ENOMEM;
	}
	return export_object(conf, EX_PORTAL, at, address, word, reterr);
}

static int
apply_exports(const struct options *o, struct config *conf, char *reterr)
{
	struct ex_fault fault;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n_exports; i++)
		r = apply_export(conf, o->exports[i], i, reterr);
	if (r == 0 && conf->export_target == NULL &&
	    (conf->export_target = strdup(OPTIONS_TARGET_DEFAULT)) == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = export_object(conf, EX_TARGET, 0, conf->export_target, conf->export_target,
		    reterr);
	if (r < 0)
		return r;
	conf->export_anyone = o->allow_anyone;
	r = config_exports_check(conf->exports, &fault);
	if (r < 0)
		ex_fault_format(&fault, reterr, CONFIG_ERR_LEN);
	return r;
}

/* without an access list nothing leaves this machine, unless somebody says so */
static int
check_exports(const struct options *o, const struct config *conf, char *reterr)
{
	for (size_t i = 0; !o->allow_anyone && i < ex_set_count(conf->exports, EX_PORTAL);
	    i++) {
		const struct ex_portal *p = (const struct ex_portal *)ex_set_at(conf->exports,
		    EX_PORTAL, i);

		if (p->group == 1 && !p->is_loopback)
			return apply_complain(reterr, "export", p->o.name, "can be reached from "
			    "other machines: say --allow-anyone if anyone may come, or write "
			    "access lists into a file");
	}
	return 0;
}

static int
apply_file(const struct options *o, struct config *conf, char *reterr)
{
	if (o->config != NULL)
		return config_load(conf, o->config, reterr);
	if (has_soft_hba(o) || o->n_pci > 0 || o->n_iscsi > 0 || o->want_demo)
		return 0;
	if (access(OPTIONS_CONFIG_DEFAULT, F_OK) < 0) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "nothing to serve: there is no "
		    OPTIONS_CONFIG_DEFAULT "; name a disk (--disk disk.img, --disk mem:1G), or "
		    "take a first look with --demo");
		return -ENOENT;
	}
	return config_load(conf, OPTIONS_CONFIG_DEFAULT, reterr);
}

int
options_apply(const struct options *o, struct config *conf, char *reterr)
{
	int r = apply_file(o, conf, reterr);

	if (r < 0)
		return r;
	if (has_soft_hba(o)) {
		r = apply_hba(o, conf, reterr);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < o->n_pci; i++) {
		r = apply_pci(o, o->pci[i], conf, reterr);
		if (r < 0)
			return r;
	}
	if (o->n_iscsi > 0) {
		r = apply_iscsi(o, conf, reterr);
		if (r < 0)
			return r;
	}
	if (o->want_demo) {
		r = demo_add(conf, !o->want_check, reterr);
		if (r < 0)
			return r;
	}
	if (o->n_exports > 0) {
		r = apply_exports(o, conf, reterr);
		if (r == 0)
			r = check_exports(o, conf, reterr);
		if (r < 0)
			return r;
	}
	if (o->state_dir != NULL) {
		free(conf->state_dir);
		conf->state_dir = strdup(o->state_dir);
		if (conf->state_dir == NULL)
			return -ENOMEM;
	}
	if (o->socket != NULL) {
		free(conf->socket_path);
		conf->socket_path = strdup(o->socket);
		if (conf->socket_path == NULL)
			return -ENOMEM;
	}
	if (o->loops != 0)
		conf->loops = o->loops;
	if (o->has_log_level)
		conf->log_level = o->log_level;
	return 0;
}
