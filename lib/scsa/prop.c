#include <sys/scsi/scsi.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scsa/scsa_impl.h"

/*
 * Properties of a device. Without multipath, the path and the device are one node.
 */

#define LOOKUP	DDI_PROP_DONTPASS

int
scsi_device_prop_get_int(struct scsi_device *sd, uint_t flags, char *name, int def)
{
	(void)flags;
	return ddi_prop_get_int(DDI_DEV_T_ANY, sd->sd_dev, LOOKUP, name, def);
}

int64_t
scsi_device_prop_get_int64(struct scsi_device *sd, uint_t flags, char *name, int64_t def)
{
	(void)flags;
	return ddi_prop_get_int64(DDI_DEV_T_ANY, sd->sd_dev, LOOKUP, name, def);
}

int
scsi_device_prop_lookup_string(struct scsi_device *sd, uint_t flags, char *name, char **data)
{
	(void)flags;
	return ddi_prop_lookup_string(DDI_DEV_T_ANY, sd->sd_dev, LOOKUP, name, data);
}

int
scsi_device_prop_lookup_byte_array(struct scsi_device *sd, uint_t flags, char *name,
    uchar_t **data, uint_t *nelements)
{
	(void)flags;
	return ddi_prop_lookup_byte_array(DDI_DEV_T_ANY, sd->sd_dev, LOOKUP, name, data,
	    nelements);
}

int
scsi_device_prop_update_int(struct scsi_device *sd, uint_t flags, char *name, int data)
{
	(void)flags;
	return ndi_prop_update_int(DDI_DEV_T_NONE, sd->sd_dev, name, data);
}

int
scsi_device_prop_update_int64(struct scsi_device *sd, uint_t flags, char *name, int64_t data)
{
	(void)flags;
	return ndi_prop_update_int64(DDI_DEV_T_NONE, sd->sd_dev, name, data);
}

int
scsi_device_prop_update_string(struct scsi_device *sd, uint_t flags, char *name, char *data)
{
	(void)flags;
	return ndi_prop_update_string(DDI_DEV_T_NONE, sd->sd_dev, name, data);
}

int
scsi_device_prop_update_byte_array(struct scsi_device *sd, uint_t flags, char *name,
    uchar_t *data, uint_t nelements)
{
	(void)flags;
	return ndi_prop_update_byte_array(DDI_DEV_T_NONE, sd->sd_dev, name, data, nelements);
}

int
scsi_device_prop_remove(struct scsi_device *sd, uint_t flags, char *name)
{
	(void)flags;
	return ndi_prop_remove(DDI_DEV_T_NONE, sd->sd_dev, name);
}

void
scsi_device_prop_free(struct scsi_device *sd, uint_t flags, void *data)
{
	(void)sd;
	(void)flags;
	ddi_prop_free(data);
}

/*
 * Lists of the administrator that are keyed by device type: pairs of "vendor product" and a
 * value. A pattern is a prefix of the vendor field, blank padded to 8, followed by the product.
 */

static bool
type_matches(const struct scsi_inquiry *inq, const char *pattern)
{
	char text[sizeof(inq->inq_vid) + sizeof(inq->inq_pid)];
	size_t len = strlen(pattern);

	memcpy(text, inq->inq_vid, sizeof(inq->inq_vid));
	memcpy(text + sizeof(inq->inq_vid), inq->inq_pid, sizeof(inq->inq_pid));
	return len != 0 && len <= sizeof(text) && memcmp(text, pattern, len) == 0;
}

char *
scsi_get_device_type_string(char *prop, dev_info_t *hba_dip, struct scsi_device *sd)
{
	char **list, *value = NULL;
	uint_t n;

	if (sd->sd_inq == NULL)
		return NULL;
	if (ddi_prop_lookup_string_array(DDI_DEV_T_ANY, hba_dip, 0, prop, &list, &n) !=
	    DDI_PROP_SUCCESS)
		return NULL;
	for (uint_t i = 0; i + 1 < n && value == NULL; i += 2) {
		if (type_matches(sd->sd_inq, list[i]))
			value = kmem_strdup(list[i + 1], KM_SLEEP);
	}
	ddi_prop_free(list);
	return value;
}

int
scsi_get_device_type_scsi_options(dev_info_t *hba_dip, struct scsi_device *sd, int def)
{
	char *name;
	int options;

	name = scsi_get_device_type_string("device-type-scsi-options-list", hba_dip, sd);
	if (name == NULL)
		return def;
	options = ddi_prop_get_int(DDI_DEV_T_ANY, hba_dip, 0, name, def);
	kmem_strfree(name);
	return options;
}

/*
 * What a device is called.
 */

#define COMPAT_MAX	16	/* entries of a compatible list */
#define COMPAT_LEN	80

struct compat {
	char **list;		/* NULL-terminated, COMPAT_MAX + 1 places */
	int n;
};

/* INQUIRY text as part of a driver name: what would confuse a parser becomes '_' */
static void
compat_field(const char *data, size_t len, char *dst)
{
	(void)text_trim_field(data, len, dst);
	for (char *p = dst; *p != '\0'; p++) {
		if (*p == ' ' || *p == ',' || *p == '.' || *p == '/' || *p == '@' || *p == ':')
			*p = '_';
	}
}

static void __attribute__((format(printf, 2, 3)))
compat_add(struct compat *c, const char *fmt, ...)
{
	char text[COMPAT_LEN];
	va_list ap;

	if (c->n == COMPAT_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->list[c->n++] = kmem_strdup(text, KM_SLEEP);
}

void
scsi_hba_nodename_compatible_get(struct scsi_inquiry *inq, char *binding_set, int dtype_node,
    char *compat0, char **ret_nodename, char ***ret_compatible, int *ret_n)
{
	struct compat c = { kmem_zalloc((COMPAT_MAX + 1) * sizeof(char *), KM_SLEEP), 0 };
	char vid[sizeof(inq->inq_vid) + 1], pid[sizeof(inq->inq_pid) + 1];
	char rev[sizeof(inq->inq_revision) + 1], flags[4] = "", class[32];
	int dtype_dev = inq->inq_dtype & DTYPE_MASK;

	compat_field(inq->inq_vid, sizeof(inq->inq_vid), vid);
	compat_field(inq->inq_pid, sizeof(inq->inq_pid), pid);
	compat_field(inq->inq_revision, sizeof(inq->inq_revision), rev);
	(void)snprintf(flags, sizeof(flags), "%s%s", inq->inq_rmb ? "R" : "",
	    dtype_node != dtype_dev ? "S" : "");
	/* a secondary function: the type of the node, then that of the device it belongs to */
	if (dtype_node != dtype_dev)
		(void)snprintf(class, sizeof(class), "scsiclass,%02x%02x", dtype_node, dtype_dev);
	else
		(void)snprintf(class, sizeof(class), "scsiclass,%02x", dtype_node);

	if (compat0 != NULL)
		compat_add(&c, "%s", compat0);
	if (flags[0] != '\0') {
		compat_add(&c, "%s%s.v%s.p%s.r%s", class, flags, vid, pid, rev);
		compat_add(&c, "%s%s.v%s.p%s", class, flags, vid, pid);
	}
	compat_add(&c, "%s.v%s.p%s.r%s", class, vid, pid, rev);
	compat_add(&c, "%s.v%s.p%s", class, vid, pid);
	if (binding_set != NULL)
		compat_add(&c, "scsa,%02x.b%s", dtype_node, binding_set);
	if (flags[0] != '\0')
		compat_add(&c, "%s%s", class, flags);
	compat_add(&c, "%s", class);
	if (dtype_node != dtype_dev)
		compat_add(&c, "scsiclass,%02x", dtype_node);
	compat_add(&c, "scsiclass");

	*ret_nodename = kmem_strdup(scsi_node_name(dtype_node), KM_SLEEP);
	*ret_compatible = c.list;
	*ret_n = c.n;
}

void
scsi_hba_nodename_compatible_free(char *nodename, char **compatible)
{
	if (nodename != NULL)
		kmem_strfree(nodename);
	if (compatible == NULL)
		return;
	for (char **p = compatible; *p != NULL; p++)
		kmem_strfree(*p);
	kmem_free(compatible, (COMPAT_MAX + 1) * sizeof(char *));
}
