#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/out.h"
#include "client/scsactl/scsi.h"
#include "client/scsactl/verbs.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/vpd.h"

#define LUNS_MAX 1024

enum { INQUIRY_HEX };

static const struct verb_opt hex_opts[] = {
	[INQUIRY_HEX] = { "hex", 'x', NULL, "the bytes as they came" },
	{ NULL, 0, NULL, NULL },
};

static const char *const probe_results[] = { "exists", "nonccs", "no response", "no memory",
	"failure", "busy", "no memory, callback" };

static void
inquiry_tell(struct ctl *ctl, const uint8_t *data, size_t len)
{
	json_object *part = doc_part(ctl->is_json ? ctl->root : NULL, "inquiry");
	struct inq_std inq;

	doc_hex(part, "raw", data, len);
	if (inq_parse_std(data, len, &inq) < 0)
		return;
	doc_text(part, "vendor", inq.vendor);
	doc_text(part, "product", inq.product);
	doc_text(part, "revision", inq.revision);
	doc_number(part, "qualifier", inq.qualifier >> 5);
	doc_number(part, "type", inq.type);
	doc_text(part, "type_name", inq_type_name(inq.type));
	doc_number(part, "version", inq.version);
	doc_bool(part, "removable", inq.is_removable);
	doc_bool(part, "cmdque", inq.has_cmdque);
	doc_bool(part, "protect", inq.has_protect);
	doc_number(part, "tpgs", inq.tpgs);
	if (ctl->is_json)
		return;
	fact("vendor", "%s", inq.vendor);
	fact("product", "%s", inq.product);
	fact("revision", "%s", inq.revision);
	fact("type", "%s (%02xh)%s", inq_type_name(inq.type), inq.type,
	    inq.is_removable ? ", removable" : "");
	if (inq.qualifier != INQ_QUAL_CONNECTED)
		fact("qualifier", "%02xh: no unit there", inq.qualifier);
	fact("version", "%02xh", inq.version);
	fact("features", "%s%s%s%s", inq.has_cmdque ? "command-queueing " : "",
	    inq.has_protect ? "protection " : "", inq.tpgs != 0 ? "alua " : "",
	    inq.has_3pc ? "third-party-copy " : "");
	for (size_t i = 0; i < inq.n_versions; i++) {
		const char *name = inq_standard_name(inq.versions[i]);

		fact("standard", "%s (%04xh)", name != NULL ? name : "?", inq.versions[i]);
	}
}

static enum ctl_exit
data_get(struct ctl *ctl, const char *name, const uint8_t *cdb, size_t cdb_len, void *data,
    size_t *len)
{
	struct scsi_io io = { .cdb = cdb, .cdb_len = cdb_len, .direction = SCSAC_IN,
		.data = data, .data_len = *len };
	enum ctl_exit status = ctl_open(ctl, name, &io.handle);

	if (status != CTL_OK)
		return status;
	status = ctl_scsi(ctl, &io);
	*len = io.result.data_len;
	return status;
}

static enum ctl_exit
inquiry_run(struct ctl *ctl, const struct args *args)
{
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t data[SCSAC_INQUIRY_MAX - 8];
	size_t len = sizeof(data);
	enum ctl_exit status = data_get(ctl, args->v[0], cdb, cdb_inquiry(cdb, sizeof(data)),
	    data, &len);

	if (status != CTL_OK)
		return status;
	if (args->opt[INQUIRY_HEX] != NULL && !ctl->is_json)
		hex_print(data, len);
	else
		inquiry_tell(ctl, data, len);
	return len < 5 ? ctl_fail(ctl, CTL_MALFORMED, "INQUIRY: %zu bytes came", len) : CTL_OK;
}

const struct verb verb_inquiry = {
	.name = "inquiry",
	.args = "UNIT",
	.summary = "who a unit says it is",
	.opts = hex_opts,
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = inquiry_run,
};

static enum ctl_exit
probe_run(struct ctl *ctl, const struct args *args)
{
	struct scsac_probe probe;
	uint64_t lun = 0;
	const char *words;
	int r;

	if (args->n == 3 && num_parse_u64(args->v[2], UINT64_MAX, &lun) < 0)
		return ctl_syntax(ctl, "'%s' is no logical unit number", args->v[2]);
	r = scsac_probe(ctl->conn, args->v[0], args->n > 1 ? args->v[1] : NULL, lun, &probe);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	words = "unknown";
	if (probe.result < ARRAY_LEN(probe_results))
		words = probe_results[probe.result];
	if (ctl->is_json) {
		doc_number(ctl->root, "result", probe.result);
		doc_text(ctl->root, "result_name", words);
		doc_text(ctl->root, "path", probe.path);
	} else {
		fact("result", "%s", words);
		if (probe.path[0] != '\0')
			fact("unit", "%s", probe.path);
	}
	if (probe.inquiry_len > 0)
		inquiry_tell(ctl, probe.inquiry, probe.inquiry_len);
	return probe.result == 0 ? CTL_OK : CTL_FALSE;
}

const struct verb verb_probe = {
	.name = "probe",
	.args = "UNIT | HBA TARGET [LUN]",
	.summary = "ask an address whether somebody is there; status 36 if not",
	.min = 1,
	.max = 3,
	.lister = LIST_UNITS,
	.run = probe_run,
};

static void
vpd_ident(const struct ctl *ctl, const uint8_t *page, size_t len)
{
	json_object *list = doc_list(ctl->is_json ? ctl->root : NULL, "designators");
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	char text[600];

	if (vpd_desig_begin(page, len, &walk) < 0)
		return;
	while (vpd_desig_next(&walk, &d) == 1) {
		json_object *item = doc_item(list);

		(void)vpd_desig_format(&d, text, sizeof(text));
		doc_text(item, "of", vpd_assoc_name(d.assoc));
		doc_text(item, "type", vpd_desig_type_name(d.type));
		doc_text(item, "text", text);
		if (!ctl->is_json)
			fact(vpd_assoc_name(d.assoc), "%s: %s",
			    vpd_desig_type_name(d.type), text);
	}
}

static void
vpd_supported(const struct ctl *ctl, const uint8_t *page, size_t len)
{
	json_object *list = doc_list(ctl->is_json ? ctl->root : NULL, "pages");
	uint8_t pages[256];
	size_t n;

	if (vpd_parse_supported(page, len, pages, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *name = vpd_page_name(pages[i]);

		if (list != NULL)
			(void)json_object_array_add(list, json_object_new_int(pages[i]));
		else
			(void)printf("%02xh  %s\n", pages[i], name != NULL ? name : "");
	}
}

/* A page that is numbers: names beside values, for people and for JSON alike. */
struct number {
	const char *key;
	uint64_t value;
};

static void
numbers_tell(const struct ctl *ctl, const struct number *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ctl->is_json)
			doc_number(ctl->root, numbers[i].key, numbers[i].value);
		else
			fact(numbers[i].key, "%" PRIu64, numbers[i].value);
	}
}

static void
vpd_limits(const struct ctl *ctl, const uint8_t *page, size_t len)
{
	struct vpd_limits l;

	if (vpd_parse_limits(page, len, &l) < 0)
		return;
	numbers_tell(ctl, (const struct number[]){
		{ "max_compare", l.max_compare },
		{ "xfer_granularity", l.xfer_granularity },
		{ "max_xfer", l.max_xfer },
		{ "opt_xfer", l.opt_xfer },
		{ "max_unmap", l.max_unmap },
		{ "max_unmap_descr", l.max_unmap_descr },
		{ "unmap_granularity", l.unmap_granularity },
		{ "max_write_same", l.max_write_same },
		{ "wsnz", l.wsnz },
	    }, 9);
}

static void
vpd_others(const struct ctl *ctl, uint8_t code, const uint8_t *page, size_t len)
{
	struct vpd_character c;
	struct vpd_thin t;

	if (code == VPD_BLOCK_CHARACTER && vpd_parse_character(page, len, &c) == 0)
		numbers_tell(ctl, (const struct number[]){
			{ "rotation_rate", c.rotation_rate },
			{ "form_factor", c.form_factor },
			{ "product_type", c.product_type },
		    }, 3);
	else if (code == VPD_THIN && vpd_parse_thin(page, len, &t) == 0)
		numbers_tell(ctl, (const struct number[]){
			{ "lbpu", t.lbpu },
			{ "lbpws", t.lbpws },
			{ "lbpws10", t.lbpws10 },
			{ "lbprz", t.lbprz },
			{ "provisioning", t.provisioning },
		    }, 5);
	else if (!ctl->is_json)
		hex_print(page, len);
}

static void
vpd_tell(const struct ctl *ctl, uint8_t code, const uint8_t *page, size_t len)
{
	char serial[VPD_SERIAL_MAX + 1];

	if (code == VPD_SUPPORTED)
		vpd_supported(ctl, page, len);
	else if (code == VPD_IDENT)
		vpd_ident(ctl, page, len);
	else if (code == VPD_BLOCK_LIMITS)
		vpd_limits(ctl, page, len);
	else if (code != VPD_SERIAL || vpd_parse_serial(page, len, serial, sizeof(serial)) < 0)
		vpd_others(ctl, code, page, len);
	else if (ctl->is_json)
		doc_text(ctl->root, "serial", serial);
	else
		fact("serial", "%s", serial);
}

static enum ctl_exit
vpd_run(struct ctl *ctl, const struct args *args)
{
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t page[VPD_PAGE_MAX];
	size_t len = sizeof(page);
	uint8_t code = 0;
	size_t n = 1;
	enum ctl_exit status;

	if (args->n > 1 && (num_parse_hex(args->v[1], &code, 1, &n) < 0 || n != 1))
		return ctl_syntax(ctl, "'%s' is no page: two hex digits", args->v[1]);
	status = data_get(ctl, args->v[0], cdb, cdb_inquiry_vpd(cdb, code, sizeof(page)), page,
	    &len);
	if (status != CTL_OK)
		return status;
	if (vpd_check(page, len, code, &len) < 0)
		return ctl_fail(ctl, CTL_MALFORMED, "the unit answered with another page");
	if (ctl->is_json) {
		doc_number(ctl->root, "page", code);
		doc_hex(ctl->root, "raw", page, len);
	}
	if (args->opt[INQUIRY_HEX] != NULL && !ctl->is_json)
		hex_print(page, len);
	else
		vpd_tell(ctl, code, page, len);
	return CTL_OK;
}

const struct verb verb_vpd = {
	.name = "vpd",
	.args = "UNIT [PAGE]",
	.summary = "a page of vital product data, hex; without PAGE: which there are",
	.opts = hex_opts,
	.min = 1,
	.max = 2,
	.lister = LIST_UNITS,
	.run = vpd_run,
};

static enum ctl_exit
readcap_run(struct ctl *ctl, const struct args *args)
{
	struct capacity cap;
	uint64_t handle;
	uint64_t bytes = 0;
	char size[NUM_BYTES_LEN];
	enum ctl_exit status = ctl_open(ctl, args->v[0], &handle);

	if (status == CTL_OK)
		status = capacity_get(ctl, handle, &cap);
	if (status != CTL_OK)
		return status;
	(void)num_mul(cap.blocks, cap.block_bytes, &bytes);
	if (ctl->is_json) {
		doc_number(ctl->root, "blocks", cap.blocks);
		doc_number(ctl->root, "block_bytes", cap.block_bytes);
		doc_number(ctl->root, "capacity", bytes);
		return CTL_OK;
	}
	fact("blocks", "%" PRIu64, cap.blocks);
	fact("block size", "%" PRIu32 " bytes", cap.block_bytes);
	fact("capacity", "%" PRIu64 " bytes (%s)", bytes, num_format_bytes(bytes, size));
	return CTL_OK;
}

const struct verb verb_readcap = {
	.name = "readcap",
	.args = "UNIT",
	.summary = "how many blocks, how large",
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = readcap_run,
};

static enum ctl_exit
luns_run(struct ctl *ctl, const struct args *args)
{
	uint8_t cdb[CDB_BUF_LEN];
	static uint8_t data[8 + 8 * LUNS_MAX];
	static uint64_t luns[LUNS_MAX];
	json_object *list;
	size_t len = sizeof(data);
	size_t n, total;
	enum ctl_exit status = data_get(ctl, args->v[0], cdb,
	    cdb_report_luns(cdb, 0, sizeof(data)), data, &len);

	if (status != CTL_OK)
		return status;
	if (lunfmt_report_parse(data, len, luns, LUNS_MAX, &n, &total) < 0)
		return ctl_fail(ctl, CTL_MALFORMED, "REPORT LUNS: %zu bytes came", len);
	list = doc_list(ctl->is_json ? ctl->root : NULL, "luns");
	for (size_t i = 0; i < n; i++) {
		if (list != NULL)
			(void)json_object_array_add(list, json_object_new_uint64(luns[i]));
		else
			(void)printf("%" PRIu64 "\n", luns[i]);
	}
	if (total > n && !ctl->is_json)
		(void)fprintf(stderr, "scsactl: %zu of %zu shown\n", n, total);
	if (ctl->is_json)
		doc_number(ctl->root, "total", total);
	return CTL_OK;
}

const struct verb verb_luns = {
	.name = "luns",
	.args = "UNIT",
	.summary = "logical units of the unit's target (REPORT LUNS)",
	.min = 1,
	.max = 1,
	.lister = LIST_UNITS,
	.run = luns_run,
};
