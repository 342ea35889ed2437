#include "scsi/inquiry.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/text.h"

#define VENDOR_AT	8
#define PRODUCT_AT	16
#define REVISION_AT	32
#define VERSIONS_AT	58

/* flags of bytes 3, 5, 6 and 7: where they are, and which bool they are */
static const struct {
	uint8_t byte;
	uint8_t bit;
	size_t member;
} inq_flags[] = {
#define FLAG(byte, bit, name)	{ (byte), (bit), offsetof(struct inq_std, name) }
	FLAG(1, 0x80, is_removable),
	FLAG(3, 0x20, has_aca),
	FLAG(3, 0x10, has_hisup),
	FLAG(5, 0x80, has_sccs),
	FLAG(5, 0x08, has_3pc),
	FLAG(5, 0x01, has_protect),
	FLAG(6, 0x40, has_encserv),
	FLAG(6, 0x10, has_multip),
	FLAG(7, 0x02, has_cmdque),
#undef FLAG
};

static void
put_padded(uint8_t *dst, const char *src, size_t width)
{
	size_t len = strnlen(src, width);

	memset(dst, ' ', width);
	memcpy(dst, src, len);
}

size_t
inq_build_std(const struct inq_std *inq, uint8_t buf[INQ_STD_LEN])
{
	memset(buf, 0, INQ_STD_LEN);
	buf[0] = (uint8_t)((inq->qualifier & 0xe0) | (inq->type & 0x1f));
	buf[2] = inq->version;
	buf[3] = inq->format & 0x0f;
	buf[4] = INQ_STD_LEN - 5;
	buf[5] = (uint8_t)((inq->tpgs & 0x03) << 4);
	for (size_t i = 0; i < ARRAY_LEN(inq_flags); i++) {
		if (*(const bool *)((const char *)inq + inq_flags[i].member))
			buf[inq_flags[i].byte] |= inq_flags[i].bit;
	}
	put_padded(buf + VENDOR_AT, inq->vendor, 8);
	put_padded(buf + PRODUCT_AT, inq->product, 16);
	put_padded(buf + REVISION_AT, inq->revision, 4);
	for (size_t i = 0; i < inq->n_versions && i < INQ_VERSIONS_MAX; i++)
		be16_put(buf + VERSIONS_AT + 2 * i, inq->versions[i]);
	return INQ_STD_LEN;
}

int
inq_parse_std(const void *buf, size_t len, struct inq_std *ret)
{
	uint8_t b[INQ_STD_LEN] = { 0 };
	struct inq_std inq = { .n_versions = 0 };
	size_t have;

	if (len < 5)
		return -EBADMSG;
	/* what is not there reads as zero: no branches below */
	have = num_min(num_min(len, INQ_STD_LEN), 5u + ((const uint8_t *)buf)[4]);
	memcpy(b, buf, have);

	inq.qualifier = b[0] & 0xe0;
	inq.type = b[0] & 0x1f;
	inq.version = b[2];
	inq.format = b[3] & 0x0f;
	inq.tpgs = (b[5] >> 4) & 0x03;
	for (size_t i = 0; i < ARRAY_LEN(inq_flags); i++)
		*(bool *)((char *)&inq + inq_flags[i].member) =
		    (b[inq_flags[i].byte] & inq_flags[i].bit) != 0;
	text_trim_field(b + VENDOR_AT, 8, inq.vendor);
	text_trim_field(b + PRODUCT_AT, 16, inq.product);
	text_trim_field(b + REVISION_AT, 4, inq.revision);
	for (size_t i = 0; i < INQ_VERSIONS_MAX; i++) {
		uint16_t version = be16_get(b + VERSIONS_AT + 2 * i);

		if (version != 0)
			inq.versions[inq.n_versions++] = version;
	}
	*ret = inq;
	return 0;
}

struct type_row {
	const char *name;	/* for people */
	const char *node;	/* of the device tree */
};

static const struct type_row *
type_find(uint8_t type)
{
	static const struct type_row unknown = { "unknown", "unknown" };
	static const struct type_row rows[32] = {
		[INQ_TYPE_DISK] = { "disk", "disk" },
		[INQ_TYPE_TAPE] = { "tape", "tape" },
		[INQ_TYPE_PRINTER] = { "printer", "printer" },
		[INQ_TYPE_PROCESSOR] = { "processor", "processor" },
		[INQ_TYPE_WORM] = { "worm", "worm" },
		[INQ_TYPE_CD] = { "cd", "cdrom" },
		[INQ_TYPE_SCANNER] = { "scanner", "scanner" },
		[INQ_TYPE_OPTICAL] = { "optical", "optical-disk" },
		[INQ_TYPE_CHANGER] = { "changer", "medium-changer" },
		[INQ_TYPE_ARRAY] = { "array", "array-controller" },
		[INQ_TYPE_ENCLOSURE] = { "enclosure", "enclosure" },
		[INQ_TYPE_RBC] = { "simplified disk", "disk" },
		[INQ_TYPE_CARD_READER] = { "card reader", "card-reader" },
		[INQ_TYPE_BRIDGE] = { "bridge", "bridge" },
		[INQ_TYPE_OSD] = { "object store", "object-store" },
		[INQ_TYPE_ADAPTER] = { "adapter", "adapter" },
		[INQ_TYPE_ZBC] = { "zoned disk", "disk" },
		[INQ_TYPE_WLUN] = { "well known unit", "well-known-lun" },
	};
	const struct type_row *row = &rows[type & 0x1f];

	return row->name != NULL ? row : &unknown;
}

const char *
inq_type_name(uint8_t type)
{
	return type_find(type)->name;
}

const char *
inq_node_name(uint8_t type)
{
	return type_find(type)->node;
}

const char *
inq_standard_name(uint16_t version)
{
	/* the lower five bits say which revision of the standard */
	switch (version & 0xffe0) {
	case INQ_STANDARD_SAM3:
		return "SAM-3";
	case INQ_STANDARD_SAM4:
		return "SAM-4";
	case INQ_STANDARD_SAM5:
		return "SAM-5";
	case INQ_STANDARD_SPC3:
		return "SPC-3";
	case INQ_STANDARD_SBC2:
		return "SBC-2";
	case INQ_STANDARD_SPC4:
		return "SPC-4";
	case INQ_STANDARD_SBC3:
		return "SBC-3";
	case INQ_STANDARD_ISCSI:
		return "iSCSI";
	default:
		return NULL;
	}
}
