#include <errno.h>
#include <pciaccess.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/hba.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"
#include "host/use.h"

enum { LIST_ALL, LIST_NAMES, LIST_ROOT };

static const struct verb_opt list_opts[] = {
	[LIST_ALL]   = { "all", 'a', NULL, "all PCI functions, not only storage controllers" },
	[LIST_NAMES] = { "names", 'n', NULL, "only the addresses, one a line" },
	[LIST_ROOT]  = { "root", 0, "DIR", "the machine whose sys, proc ... are below DIR" },
	{ NULL, 0, NULL, NULL },
};

struct listing {
	struct ctl *ctl;
	const struct host *host;
	const struct scsac_list *daemon;	/* NULL: it does not run */
	bool want_all, want_names;
	struct libscols_table *functions, *disks;
	size_t n_disks;
	json_object *list;
};

/* the HBA of the daemon that is this function; NULL */
static const struct scsac_hba *
hba_of(const struct listing *l, const struct host_fn *f)
{
	for (size_t i = 0; l->daemon != NULL && i < l->daemon->n_hbas; i++)
		if (strcmp(l->daemon->hbas[i].pci, f->address) == 0)
			return &l->daemon->hbas[i];
	return NULL;
}

struct group_text {
	char *buf;
	size_t size, len;
	json_object *list;
};

static int
group_entry(const struct host_fn *other, void *arg)
{
	struct group_text *text = arg;
	json_object *item = doc_item(text->list);

	doc_text(item, "address", other->address);
	doc_text(item, "driver", other->driver);
	if (text->len < text->size)
		text->len += (size_t)snprintf(text->buf + text->len, text->size - text->len,
		    " +%s%s%s", other->address, other->driver[0] != '\0' ? "=" : "",
		    other->driver);
	return 0;
}

/* "Virtio 1.0 SCSI" of "Red Hat, Inc."; "" without a list of names (pci.ids) */
static void
names_of(const struct host_fn *f, const char **ret_vendor, const char **ret_device)
{
	const struct pci_id_match match = {
		.vendor_id = f->vendor,
		.device_id = f->device,
		.subvendor_id = PCI_MATCH_ANY,
		.subdevice_id = PCI_MATCH_ANY,
	};

	*ret_vendor = *ret_device = NULL;
	pci_get_strings(&match, ret_device, ret_vendor, NULL, NULL);
	if (*ret_vendor == NULL)
		*ret_vendor = "";
	if (*ret_device == NULL)
		*ret_device = "";
}

static void
disks_show(struct listing *l, const struct host_fn *f, const struct host_disks *disks,
    json_object *item)
{
	json_object *list = doc_list(item, "disks");
	char size[NUM_BYTES_LEN], text[800];

	for (size_t i = 0; i < disks->n; i++) {
		const struct host_disk *disk = &disks->disks[i];
		json_object *row = doc_item(list), *uses;

		doc_text(row, "name", disk->name);
		doc_text(row, "model", disk->model);
		doc_number(row, "capacity", disk->bytes);
		doc_bool(row, "used", disk->n_uses > 0);
		uses = doc_list(row, "uses");
		(void)num_format_bytes(disk->bytes, size);
		for (size_t u = 0; u < disk->n_uses || u == 0; u++) {
			bool is_used = u < disk->n_uses;
			json_object *use = is_used ? doc_item(uses) : NULL;

			if (is_used) {
				doc_text(use, "kind", host_use_kind_name(disk->uses[u].kind));
				doc_text(use, "device", disk->uses[u].device);
				doc_text(use, "by", disk->uses[u].by);
				(void)host_use_format(&disk->uses[u], text, sizeof(text));
			}
			if (l->disks != NULL)
				table_row(l->disks, u == 0 ? f->address : "",
				    u == 0 ? disk->name : "", u == 0 && disk->is_block ? size : "",
				    u == 0 ? disk->model : "", is_used ? text : "not used", NULL);
		}
		l->n_disks++;
	}
}

static void
function_json(const struct host_fn *f, const struct scsac_hba *hba, const char *saved,
    json_object *item)
{
	char ids[16], class[8];
	const char *vendor, *device;

	names_of(f, &vendor, &device);
	(void)snprintf(ids, sizeof(ids), "%04x:%04x", f->vendor, f->device);
	(void)snprintf(class, sizeof(class), "%06x", f->class);
	doc_text(item, "address", f->address);
	doc_text(item, "id", ids);
	doc_text(item, "vendor_name", vendor);
	doc_text(item, "device_name", device);
	(void)snprintf(ids, sizeof(ids), "%04x:%04x", f->sub_vendor, f->sub_device);
	doc_text(item, "subsystem", ids);
	doc_number(item, "revision", f->revision);
	doc_text(item, "class", class);
	doc_text(item, "class_name", host_fn_class_name(f));
	doc_text(item, "driver", f->driver);
	doc_text(item, "override", f->override);
	doc_text(item, "saved", saved);
	if (f->iommu_group >= 0)
		doc_number(item, "iommu_group", (uint64_t)f->iommu_group);
	doc_text(item, "hba", hba == NULL ? "" : hba->name);
	doc_text(item, "hba_state", hba == NULL ? "" : hba->state);
}

static int
function_show(struct listing *l, const struct host_fn *f)
{
	json_object *item = doc_item(l->list);
	const struct scsac_hba *hba = hba_of(l, f);
	char ids[16], group[256] = "-", saved[HOST_DRIVER_LEN], used[48] = "-";
	struct group_text text = { group, sizeof(group), 0, NULL };
	const char *vendor, *device;
	struct host_disks disks;
	int r = host_disks_read(l->host, f->address, &disks);

	if (r < 0)
		return r;
	(void)!host_saved_read(l->host, f->address, saved);
	function_json(f, hba, saved, item);
	if (f->iommu_group >= 0)
		text.len = (size_t)snprintf(group, sizeof(group), "%d", f->iommu_group);
	text.list = doc_list(item, "group");
	(void)!host_group_each(l->host, f, group_entry, &text);
	doc_bool(item, "used", disks.n_used > 0);
	if (disks.n > 0)
		(void)snprintf(used, sizeof(used), "%zu, %zu in use", disks.n, disks.n_used);
	disks_show(l, f, &disks, item);
	host_disks_fini(&disks);
	(void)snprintf(ids, sizeof(ids), "%04x:%04x", f->vendor, f->device);
	names_of(f, &vendor, &device);
	if (l->functions != NULL)
		table_row(l->functions, f->address, ids, host_fn_class_name(f), device,
		    f->driver[0] != '\0' ? f->driver : "-", saved[0] != '\0' ? saved : "-", group,
		    hba == NULL ? "-" : hba->name, hba == NULL ? "-" : hba->state, used, NULL);
	return 0;
}

static int
function_entry(const struct host_fn *f, void *arg)
{
	struct listing *l = arg;

	if (!l->want_all && !host_fn_is_storage(f))
		return 0;
	if (!l->want_names)
		return function_show(l, f);
	(void)printf("%s\n", f->address);
	return 0;
}

static enum ctl_exit
list_show(struct listing *l)
{
	int r;

	if (l->ctl->is_json) {
		l->list = doc_list(l->ctl->root, "functions");
		doc_bool(l->ctl->root, "daemon", l->daemon != NULL);
	} else if (!l->want_names) {
		l->functions = table_new("ADDRESS,ID,CLASS,NAME,DRIVER,SAVED,"
		    "IOMMU GROUP,HBA,STATE,DISKS");
		l->disks = table_new("ADDRESS,DISK,>SIZE,MODEL,USE");
	}
	r = host_fn_each(l->host->sysfs, function_entry, l);
	table_print(l->functions);
	if (l->n_disks > 0 && l->disks != NULL)
		(void)printf("\n");
	table_print(l->disks);
	if (r < 0)
		return ctl_fail(l->ctl, hba_exit(r),
		    "the machine's PCI functions cannot be read: %s", strerror(-r));
	return CTL_OK;
}

static enum ctl_exit
list_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_list *daemon = NULL;
	struct hba_machine m;
	struct listing l = {
		.ctl = ctl,
		.host = &m.host,
		.want_all = args->opt[LIST_ALL] != NULL,
		.want_names = args->opt[LIST_NAMES] != NULL,
	};
	enum ctl_exit status = hba_machine(ctl, args->opt[LIST_ROOT], &m);

	if (status != CTL_OK)
		return status;
	if (args->opt[LIST_ROOT] == NULL && !l.want_names && ctl_reach(ctl) == 0 &&
	    scsac_list(ctl->conn, &daemon) == 0)
		l.daemon = daemon;
	status = list_show(&l);
	scsac_list_free(daemon);
	return status;
}

const struct verb verb_hba_list = {
	.name = "hba list",
	.args = "",
	.summary = "the storage controllers of this machine, and who has them",
	.details =
	    "Works without the daemon. Where it runs, the column HBA tells what it drives. Root\n"
	    "sees which processes have a disk open; others do not.\n",
	.opts = list_opts,
	.is_offline = true,
	.run = list_run,
};
