#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "scsa/config_impl.h"
#include "scsa/maps.h"

#define SMP_NODE	"smp"
#define SMP_MARK	"smp-device"	/* property: the node is an expander's */

/* longest text of an answer; answer with room for a CRC that an adapter may leave there */
#define SMP_TEXT_MAX	16
#define SMP_INFO_LEN	(SMP_FRAME_HEAD_LEN + sizeof(smp_report_manufacturer_info_resp_t) + 4)

/*
 * The vector.
 */

smp_hba_tran_t *
smp_hba_tran_alloc(dev_info_t *dip)
{
	(void)dip;
	return kmem_zalloc(sizeof(smp_hba_tran_t), KM_SLEEP);
}

void
smp_hba_tran_free(smp_hba_tran_t *tran)
{
	kmem_free(tran, tran == NULL ? 0 : sizeof(*tran));
}

int
smp_hba_attach_setup(dev_info_t *dip, smp_hba_tran_t *tran)
{
	struct scsa_port *hba = port_of(dip);

	if (hba == NULL || hba->is_iport || hba->smp_tran != NULL || tran == NULL ||
	    tran->smp_tran_start == NULL || ddi_get_child(dip) != NULL)
		return DDI_FAILURE;
	tran->smp_tran_self = dip;
	hba->smp_tran = tran;
	return DDI_SUCCESS;
}

int
smp_hba_detach(dev_info_t *dip)
{
	struct scsa_port *hba = port_of(dip);

	if (hba == NULL || hba->is_iport || hba->smp_tran == NULL || ddi_get_child(dip) != NULL)
		return DDI_FAILURE;
	hba->smp_tran->smp_tran_self = NULL;
	hba->smp_tran = NULL;
	return DDI_SUCCESS;
}

smp_hba_tran_t *
smp_hba_tran_of(dev_info_t *dip)
{
	struct scsa_port *port = port_of(dip);

	return port == NULL ? NULL : port->smp_tran;
}

void
smp_port_init(struct scsa_port *hba, struct scsa_port *port)
{
	if (hba->smp_tran == NULL)
		return;
	port->smp_tran = kmem_alloc(sizeof(*port->smp_tran), KM_SLEEP);
	memcpy(port->smp_tran, hba->smp_tran, sizeof(*port->smp_tran));
	port->smp_tran->smp_tran_self = port->dip;
}

void
smp_port_fini(struct scsa_port *port)
{
	smp_hba_tran_free(STEAL(port->smp_tran));
}

/*
 * Every call of an entry point, once.
 */

static int
smp_call_init(dev_info_t *port, dev_info_t *child, smp_hba_tran_t *tran, smp_device_t *smp)
{
	const char *ua = ddi_get_name_addr(child);
	int r = DDI_SUCCESS;

	TRACE(.kind = SCSA_EV_SMP_INIT, .tran = tran, .dip = child, .sd = smp, .text = ua);
	if (tran->smp_tran_init != NULL)
		r = tran->smp_tran_init(port, child, tran, smp);
	TRACE(.kind = SCSA_EV_SMP_INIT, .is_end = true, .tran = tran, .dip = child, .sd = smp,
	    .text = ua, .result = r);
	return r == DDI_SUCCESS ? DDI_SUCCESS : DDI_FAILURE;
}

static void
smp_call_free(dev_info_t *port, dev_info_t *child, smp_hba_tran_t *tran, smp_device_t *smp)
{
	const char *ua = ddi_get_name_addr(child);

	TRACE(.kind = SCSA_EV_SMP_FREE, .tran = tran, .dip = child, .sd = smp, .text = ua);
	if (tran->smp_tran_free != NULL)
		tran->smp_tran_free(port, child, tran, smp);
	TRACE(.kind = SCSA_EV_SMP_FREE, .is_end = true, .tran = tran, .dip = child, .sd = smp,
	    .text = ua);
}

int
smp_transport(struct smp_pkt *pkt)
{
	smp_address_t *ap = pkt->smp_pkt_address;
	smp_hba_tran_t *tran = ap->smp_a_hba_tran;
	int r;

	/* the device, when the address is that of one; a key for comparisons only */
	TRACE(.kind = SCSA_EV_SMP_START, .tran = tran, .pkt = pkt,
	    .sd = container_of(ap, struct smp_device, smp_sd_address));
	pkt->smp_pkt_reason = 0;
	r = tran->smp_tran_start(pkt);
	if (r != DDI_SUCCESS && pkt->smp_pkt_reason == 0)
		pkt->smp_pkt_reason = EIO;
	TRACE(.kind = SCSA_EV_SMP_START, .is_end = true, .tran = tran, .pkt = pkt, .result = r,
	    .sd = container_of(ap, struct smp_device, smp_sd_address));
	return r == DDI_SUCCESS ? DDI_SUCCESS : DDI_FAILURE;
}

/*
 * Nodes.
 */

bool
smp_node_is(dev_info_t *child)
{
	return ddi_prop_exists(DDI_DEV_T_ANY, child, DDI_PROP_DONTPASS, SMP_MARK) != 0;
}

/* the unit address from the property, and as bytes; no other child of the port has it */
static int
smp_set_address(dev_info_t *port, dev_info_t *child, smp_device_t *smp)
{
	char *taddr, key[UA_LEN + 1];
	dev_info_t *twin;
	uint64_t wwn;
	int r = DDI_NOT_WELL_FORMED;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, child, DDI_PROP_DONTPASS, "target-port",
	    &taddr) != DDI_PROP_SUCCESS)
		return r;
	if (scsi_wwnstr_to_wwn(taddr, &wwn) == DDI_SUCCESS) {
		be64_put(smp->smp_sd_address.smp_a_wwn, wwn);
		(void)snprintf(key, sizeof(key), "@%s", taddr);
		twin = devi_find(port, key);
		r = twin != NULL && twin != child ? DDI_FAILURE : DDI_SUCCESS;
		if (twin != NULL)
			devi_unref(twin);
		if (r == DDI_SUCCESS)
			ddi_set_name_addr(child, taddr);
	}
	ddi_prop_free(taddr);
	return r;
}

int
smp_init(dev_info_t *port, dev_info_t *child)
{
	smp_hba_tran_t *tran = port_of(port)->smp_tran;
	smp_device_t *smp;
	int r;

	if (tran == NULL)
		return DDI_FAILURE;
	smp = kmem_zalloc(sizeof(*smp), KM_SLEEP);
	smp->smp_sd_dev = child;
	smp->smp_sd_address.smp_a_hba_tran = tran;
	r = smp_set_address(port, child, smp);
	if (r == DDI_SUCCESS) {
		ddi_set_driver_private(child, smp);
		r = smp_call_init(port, child, tran, smp);
		if (r == DDI_SUCCESS) {
			ddi_set_parent_data(child, smp);
			return DDI_SUCCESS;
		}
		ddi_set_driver_private(child, NULL);
		ddi_set_name_addr(child, NULL);
	}
	kmem_free(smp, sizeof(*smp));
	return r;
}

void
smp_fini(dev_info_t *port, dev_info_t *child)
{
	smp_device_t *smp = ddi_get_parent_data(child);

	if (smp == NULL)
		return;
	smp_call_free(port, child, smp->smp_sd_address.smp_a_hba_tran, smp);
	ddi_set_parent_data(child, NULL);
	ddi_set_driver_private(child, NULL);
	kmem_free(smp, sizeof(*smp));
}

static int
smp_node_props(dev_info_t *child, const char *taddr)
{
	char addr[SETTLE_ADDR_MAX + 1];
	int r = 0;

	(void)text_copy(addr, sizeof(addr), taddr);
	r |= ndi_prop_update_int(DDI_DEV_T_NONE, child, SMP_MARK, 1);
	r |= ndi_prop_update_string(DDI_DEV_T_NONE, child, "target-port", addr);
	r |= ndi_prop_update_string(DDI_DEV_T_NONE, child, "smp-wwn",
	    (char *)(uintptr_t)scsi_wwnstr_skip_ua_prefix(addr));
	return r == DDI_PROP_SUCCESS ? 0 : -ENOMEM;
}

/* the node of an expander: a reference, or NULL */
static dev_info_t *
smp_node_find(struct scsa_port *port, const char *taddr)
{
	char key[UA_LEN + sizeof(SMP_NODE) + 1];

	(void)snprintf(key, sizeof(key), SMP_NODE "@%s", taddr);
	return devi_find(port->dip, key);
}

int
smp_node_config(struct scsa_port *port, const char *taddr)
{
	dev_info_t *child = smp_node_find(port, taddr);
	uint64_t wwn;
	int r;

	if (child == NULL) {
		if (taddr[0] != 'w' || scsi_wwnstr_to_wwn(taddr, &wwn) != DDI_SUCCESS)
			return -EINVAL;
		if (devi_alloc(port->dip, SMP_NODE, &child) < 0)
			return -ENOMEM;
		(void)devi_ref(child);
		r = smp_node_props(child, taddr);
	} else {
		r = 0;
	}
	if (r == 0)
		r = devi_attach(child);
	if (r < 0)
		(void)devi_free(child);
	devi_unref(child);
	return r < 0 ? -ENXIO : 0;
}

int
smp_node_unconfig(struct scsa_port *port, const char *taddr)
{
	dev_info_t *child = smp_node_find(port, taddr);
	int r;

	if (child == NULL)
		return 0;
	r = child_remove(child);
	devi_unref(child);
	return r;
}

/*
 * Probe.
 */

/* a node's own property; the first definition wins */
static void
smp_prop_field(smp_device_t *smp, char *name, const char *data, size_t len)
{
	char text[SMP_TEXT_MAX + 1];

	if (ddi_prop_exists(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS, name))
		return;
	if (len > SMP_TEXT_MAX)
		len = SMP_TEXT_MAX;
	(void)text_trim_field(data, len, text);
	if (text[0] != '\0')
		(void)smp_device_prop_update_string(smp, name, text);
}

static void
smp_prop_component(smp_device_t *smp, const smp_report_manufacturer_info_resp_t *info)
{
	char vendor[sizeof(info->srmir_component_vendor_identification) + 1], text[32];

	if (!(info->srmir_sas_1_1_format & SMP_MANUFACTURER_SAS_1_1) ||
	    ddi_prop_exists(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS, "component"))
		return;
	(void)text_trim_field(info->srmir_component_vendor_identification, sizeof(vendor) - 1,
	    vendor);
	(void)snprintf(text, sizeof(text), "%s.%05u.%03u", vendor,
	    (unsigned int)be16_get(info->srmir_component_id),
	    (unsigned int)info->srmir_component_revision_level);
	(void)smp_device_prop_update_string(smp, "component", text);
}

static void
smp_props(smp_device_t *smp, uint8_t *frame, size_t len)
{
	const smp_response_frame_t *head = (const void *)frame;
	smp_report_manufacturer_info_resp_t info;

	if (head->srf_frame_type != SMP_FRAME_TYPE_RESPONSE ||
	    head->srf_function != SMP_FUNC_REPORT_MANUFACTURER_INFO ||
	    head->srf_result != SMP_RES_FUNCTION_ACCEPTED)
		return;
	memcpy(&info, frame + SMP_FRAME_HEAD_LEN, sizeof(info));
	smp_prop_component(smp, &info);
	smp_prop_field(smp, "inquiry-revision-id", info.srmir_product_revision_level,
	    sizeof(info.srmir_product_revision_level));
	smp_prop_field(smp, "inquiry-product-id", info.srmir_product_identification,
	    sizeof(info.srmir_product_identification));
	smp_prop_field(smp, "inquiry-vendor-id", info.srmir_vendor_identification,
	    sizeof(info.srmir_vendor_identification));
	if (!ddi_prop_exists(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS,
	    "report-manufacturer"))
		(void)smp_device_prop_update_byte_array(smp, "report-manufacturer", frame,
		    (uint_t)len);
}

int
smp_probe(struct smp_device *smp)
{
	uint8_t req[SMP_MIN_REQUEST_SIZE] = {
		SMP_FRAME_TYPE_REQUEST, SMP_FUNC_REPORT_MANUFACTURER_INFO,
	};
	uint8_t rsp[SMP_INFO_LEN] = { 0 };
	struct smp_pkt pkt = {
		.smp_pkt_address = &smp->smp_sd_address,
		.smp_pkt_req = (caddr_t)req,
		.smp_pkt_rsp = (caddr_t)rsp,
		.smp_pkt_reqsize = sizeof(req),
		.smp_pkt_rspsize = sizeof(rsp),
		.smp_pkt_timeout = SMP_DEFAULT_TIMEOUT,
	};

	if (smp_transport(&pkt) != DDI_SUCCESS && pkt.smp_pkt_reason != EOVERFLOW)
		return DDI_PROBE_FAILURE;
	if (smp->smp_sd_dev != NULL)
		smp_props(smp, rsp, sizeof(rsp));
	return DDI_PROBE_SUCCESS;
}

/*
 * Properties of a device's node.
 */

int
smp_device_prop_get_int(struct smp_device *smp, char *name, int def)
{
	return ddi_prop_get_int(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS, name, def);
}

int64_t
smp_device_prop_get_int64(struct smp_device *smp, char *name, int64_t def)
{
	return ddi_prop_get_int64(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS, name, def);
}

int
smp_device_prop_lookup_byte_array(struct smp_device *smp, char *name, uchar_t **data,
    uint_t *nelements)
{
	return ddi_prop_lookup_byte_array(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS,
	    name, data, nelements);
}

int
smp_device_prop_lookup_string(struct smp_device *smp, char *name, char **data)
{
	return ddi_prop_lookup_string(DDI_DEV_T_ANY, smp->smp_sd_dev, DDI_PROP_DONTPASS, name,
	    data);
}

int
smp_device_prop_update_byte_array(struct smp_device *smp, char *name, uchar_t *data,
    uint_t nelements)
{
	return ndi_prop_update_byte_array(DDI_DEV_T_NONE, smp->smp_sd_dev, name, data,
	    nelements);
}

int
smp_device_prop_update_int(struct smp_device *smp, char *name, int data)
{
	return ndi_prop_update_int(DDI_DEV_T_NONE, smp->smp_sd_dev, name, data);
}

int
smp_device_prop_update_int64(struct smp_device *smp, char *name, int64_t data)
{
	return ndi_prop_update_int64(DDI_DEV_T_NONE, smp->smp_sd_dev, name, data);
}

int
smp_device_prop_update_string(struct smp_device *smp, char *name, char *data)
{
	return ndi_prop_update_string(DDI_DEV_T_NONE, smp->smp_sd_dev, name, data);
}

int
smp_device_prop_remove(struct smp_device *smp, char *name)
{
	return ndi_prop_remove(DDI_DEV_T_NONE, smp->smp_sd_dev, name);
}

void
smp_device_prop_free(struct smp_device *smp, void *data)
{
	(void)smp;
	ddi_prop_free(data);
}
