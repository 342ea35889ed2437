#include "lu/lu_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/text.h"
#include "lu/copy.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/mode.h"
#include "scsi/vpd.h"

#define IDENTIFY_TIMEOUT_S	10
/* a unit may have several unit attentions to tell first */
#define IDENTIFY_TRIES		5
#define READCAP10_LEN		8
#define READCAP16_LEN		32
#define VPD_LEN			255

/* texts of the unit while they are found out */
struct names {
	char path[LU_PATH_MAX];
	char hba[32];
	char iport[64];
	char address[40];
	char serial[64];
};

/* one command that reads @size bytes; bytes received, or -EIO, -EAGAIN (check condition) */
static ssize_t
ask_once(struct lu *lu, const uint8_t *cdb, size_t len, void *data, size_t size)
{
	struct scsi_pkt *pkt;
	struct buf buf;
	ssize_t n = -EIO;

	bioinit(&buf);
	buf.b_flags = B_BUSY | B_READ;
	buf.b_un.b_addr = data;
	buf.b_bcount = size;
	pkt = scsi_init_pkt(&lu->sd->sd_address, NULL, size > 0 ? &buf : NULL, (int)len,
	    LU_SCB_LEN, 0, PKT_CONSISTENT | PKT_XARQ, SLEEP_FUNC, NULL);
	if (pkt == NULL)
		return -EIO;
	memcpy(pkt->pkt_cdbp, cdb, len);
	pkt->pkt_time = IDENTIFY_TIMEOUT_S;
	pkt->pkt_flags = FLAG_SILENT;
	if (scsi_poll(pkt) == 0) {
		n = (ssize_t)size - (pkt->pkt_resid > 0 ? pkt->pkt_resid : 0);
		if (n < 0)
			n = 0;
	} else if (pkt->pkt_reason == CMD_CMPLT &&
	    (pkt->pkt_scbp[0] & STATUS_MASK) == STATUS_CHECK) {
		n = -EAGAIN;
	}
	scsi_destroy_pkt(pkt);
	return n;
}

/* unit attentions are told once each: ask again */
static ssize_t
ask(struct lu *lu, const uint8_t *cdb, size_t len, void *data, size_t size)
{
	ssize_t n = -EIO;

	for (unsigned int i = 0; i < IDENTIFY_TRIES; i++) {
		memset(data, 0, size);
		n = ask_once(lu, cdb, len, data, size);
		if (n != -EAGAIN)
			return n;
	}
	return n;
}

ssize_t
lu_identify_page(struct lu *lu, uint8_t page, void *buf, size_t size)
{
	uint8_t cdb[CDB_BUF_LEN];

	return ask(lu, cdb, cdb_inquiry_vpd(cdb, page, (uint16_t)size), buf, size);
}

static void
identify_capacity(struct lu *lu)
{
	uint8_t cdb[CDB_BUF_LEN], data[READCAP16_LEN];
	bool need16;
	ssize_t n = ask(lu, cdb, cdb_readcap10(cdb), data, READCAP10_LEN);

	lu->is_capacity_unknown = n < 0;
	lu_watch_update(lu);
	if (n < 0)
		return;
	lu_capacity_take10(lu, data, (size_t)n, &need16);
	if (!need16)
		return;
	n = ask(lu, cdb, cdb_readcap16(cdb, READCAP16_LEN), data, READCAP16_LEN);
	if (n > 0)
		lu_capacity_take16(lu, data, (size_t)n);
}

static void
identify_serial(struct lu *lu, struct names *names)
{
	uint8_t cdb[CDB_BUF_LEN], data[VPD_LEN];
	char text[VPD_LEN + 1];
	ssize_t n;
	size_t len;

	n = ask(lu, cdb, cdb_inquiry_vpd(cdb, VPD_SERIAL, sizeof(data)), data, sizeof(data));
	if (n < 4 || data[1] != VPD_SERIAL)
		return;
	len = data[3];
	if (len > (size_t)n - 4)
		len = (size_t)n - 4;
	(void)text_trim_field(data + 4, len, text);
	(void)text_copy(names->serial, sizeof(names->serial), text);
}

static void
identify_modes(struct lu *lu)
{
	/* MODE SENSE(6), no block descriptors, all pages: the header tells of write protection,
	 * also where there is no Control page */
	uint8_t all[CDB_BUF_LEN] = { 0x1a, 0x08, MODE_ALL, 0, MODE_HDR6_LEN };
	uint8_t cdb[CDB_BUF_LEN], data[LU_MODES_LEN];
	ssize_t n = ask(lu, cdb, lu_modes_cdb(cdb), data, sizeof(data));

	if (n < 3)
		n = ask(lu, all, 6, data, MODE_HDR6_LEN);
	if (n > 0)
		lu_modes_take(lu, data, (size_t)n);
}

static void
identify_limits(struct lu *lu)
{
	struct scsi_address *ap = &lu->sd->sd_address;
	char dma_max[] = "dma-max", cdb_length[] = "max-cdb-length";
	int v;

	v = scsi_ifgetcap(ap, dma_max, 1);
	lu->info.xfer_max_bytes =
	    v > 0 && (uint32_t)v < LU_XFER_MAX ? (uint32_t)v : LU_XFER_MAX;
	v = scsi_ifgetcap(ap, cdb_length, 1);
	lu->info.cdb_max = v <= 0 ? 16 : v > LU_CDB_MAX ? LU_CDB_MAX : (uint32_t)v;
}

static void
identify_hba(struct names *names, dev_info_t *hba)
{
	char *name = NULL;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, hba, DDI_PROP_DONTPASS, LU_PROP_HBA_NAME,
	    &name) == DDI_PROP_SUCCESS)
		(void)text_copy(names->hba, sizeof(names->hba), name);
	else
		(void)snprintf(names->hba, sizeof(names->hba), "%s%d",
		    ddi_driver_name(hba), ddi_get_instance(hba));
	ddi_prop_free(name);
}

dev_info_t *
lu_hba_node(const struct lu *lu)
{
	dev_info_t *port = ddi_get_parent(lu->dip);

	return scsi_hba_iport_unit_address(port) != NULL ? ddi_get_parent(port) : port;
}

/* "soft0/iport0/disk@0,0" */
static void
identify_path(struct lu *lu, struct names *names)
{
	struct lu_info *info = &lu->info;
	dev_info_t *port = ddi_get_parent(lu->dip);
	const char *iport = scsi_hba_iport_unit_address(port);
	dev_info_t *hba = lu_hba_node(lu);
	const char *address = ddi_get_name_addr(lu->dip);

	identify_hba(names, hba);
	(void)text_copy(names->address, sizeof(names->address), address == NULL ? "" : address);
	if (iport != NULL)
		(void)text_copy(names->iport, sizeof(names->iport), iport);
	(void)snprintf(names->path, sizeof(names->path), "%s/%s%s%s@%s", names->hba,
	    iport == NULL ? "" : iport, iport == NULL ? "" : "/", ddi_node_name(lu->dip),
	    names->address);
	info->target = ddi_prop_get_int(DDI_DEV_T_ANY, lu->dip, DDI_PROP_DONTPASS, "target",
	    -1);
	info->lun = (uint64_t)ddi_prop_get_int64(DDI_DEV_T_ANY, lu->dip, DDI_PROP_DONTPASS,
	    "lun64", 0);
}

static int
identify_inquiry(struct lu *lu)
{
	struct lu_info *info = &lu->info;
	struct inq_std inq;

	if (lu->sd->sd_inq == NULL)
		return -EIO;
	memcpy(info->inquiry, lu->sd->sd_inq, sizeof(info->inquiry));
	info->inquiry_len = sizeof(info->inquiry);
	if (inq_parse_std(info->inquiry, sizeof(info->inquiry), &inq) < 0)
		return -EIO;
	info->type = inq.type;
	info->is_removable = inq.is_removable;
	(void)text_copy(info->vendor, sizeof(info->vendor), inq.vendor);
	(void)text_copy(info->product, sizeof(info->product), inq.product);
	(void)text_copy(info->revision, sizeof(info->revision), inq.revision);
	return 0;
}

/* one piece of memory for all, as short as it can be: there may be very many units */
static int
names_keep(struct lu *lu, const struct names *names)
{
	const struct {
		const char *from;
		const char **to;
	} rows[] = {
		{ names->path, &lu->info.path },
		{ names->hba, &lu->info.hba },
		{ names->iport, &lu->info.iport },
		{ names->address, &lu->info.address },
		{ names->serial, &lu->info.serial },
	};
	size_t size = 0, at = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		size += strlen(rows[i].from) + 1;
	lu->texts = fault_hit() ? NULL : malloc(size);
	if (lu->texts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].from) + 1;

		*rows[i].to = memcpy(lu->texts + at, rows[i].from, len);
		at += len;
	}
	return 0;
}

/* copies name disks by their designators */
static int
identify_designators(struct lu *lu)
{
	uint8_t cdb[CDB_BUF_LEN], data[VPD_LEN];
	ssize_t n = ask(lu, cdb, cdb_inquiry_vpd(cdb, VPD_IDENT, sizeof(data)), data,
	    sizeof(data));

	return lu_copy_identify(lu, data, n < 0 ? 0 : (size_t)n);
}

int
lu_identify(struct lu *lu)
{
	struct names names = { .path = "" };
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t none[1];
	int r;

	identify_path(lu, &names);
	r = identify_inquiry(lu);
	if (r < 0)
		return r;
	identify_limits(lu);
	/* takes the unit attentions of power-on off the way; the answer itself does not
	 * matter */
	(void)ask(lu, cdb, cdb_tur(cdb), none, 0);
	identify_serial(lu, &names);
	if (lu_has_blocks(lu)) {
		identify_capacity(lu);
		identify_modes(lu);
		r = identify_designators(lu);
		if (r < 0)
			return r;
	}
	return names_keep(lu, &names);
}
