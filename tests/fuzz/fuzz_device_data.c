/*
 * fuzz_device_data.c - what a device says about itself: sense, INQUIRY, VPD, modes, LUN lists
 *
 * The first byte picks the reader, the rest is the device's answer. Readers must stay inside
 * it, and what they made of it must be printable.
 */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/mode.h"
#include "scsi/sense.h"
#include "scsi/vpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
text_check(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)text[i] >= 0x20 && (unsigned char)text[i] != 0x7f);
}

static void
sense_read(const uint8_t *data, size_t size)
{
	uint8_t built[SENSE_LEN_MAX];
	char text[SENSE_TEXT_LEN];
	struct sense_data s, again;
	size_t n;

	if (sense_parse(data, size, &s) < 0)
		return;
	text_check(sense_format(&s, text, sizeof(text)), sizeof(text));
	n = sense_build(&s, true, built, sizeof(built));
	assert(n <= sizeof(built));
	if (s.format != SENSE_FMT_FIXED && s.format != SENSE_FMT_DESCRIPTOR)
		return;
	assert(sense_parse(built, n, &again) == 0);
	assert(again.key == s.key && again.asc == s.asc && again.is_deferred == s.is_deferred);
	assert(!s.has_info || again.info == s.info);
}

static void
inquiry_read(const uint8_t *data, size_t size)
{
	struct inq_std inq;

	if (inq_parse_std(data, size, &inq) < 0)
		return;
	text_check(inq.vendor, sizeof(inq.vendor));
	text_check(inq.product, sizeof(inq.product));
	text_check(inq.revision, sizeof(inq.revision));
	assert(inq_node_name(inq.type) != NULL && inq_type_name(inq.type) != NULL);
	assert(inq.n_versions <= INQ_VERSIONS_MAX);
}

static void
designators_read(const uint8_t *data, size_t size)
{
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	char text[600];
	int n = 0;

	if (vpd_desig_begin(data, size, &walk) < 0)
		return;
	while (vpd_desig_next(&walk, &d) > 0) {
		text_check(vpd_desig_format(&d, text, sizeof(text)), sizeof(text));
		assert(++n <= 65536 / 4);
	}
}

static void
pages_read(const uint8_t *data, size_t size)
{
	struct vpd_extended extended;
	struct vpd_limits limits;
	struct vpd_character character;
	struct vpd_thin thin;
	char serial[256];
	uint8_t pages[256];
	size_t n = 0;

	if (vpd_parse_serial(data, size, serial, sizeof(serial)) == 0)
		text_check(serial, sizeof(serial));
	if (vpd_parse_supported(data, size, pages, &n) == 0)
		assert(n <= sizeof(pages));
	(void)!vpd_parse_extended(data, size, &extended);
	(void)!vpd_parse_limits(data, size, &limits);
	(void)!vpd_parse_character(data, size, &character);
	(void)!vpd_parse_thin(data, size, &thin);
}

static void
modes_read(const uint8_t *data, size_t size, bool is_10)
{
	struct mode_walk walk;
	struct mode_view view;

	if (mode_walk_begin(data, size, is_10, &walk) < 0)
		return;
	while (mode_walk_next(&walk, &view) > 0) {
		(void)mode_page_name(view.code, view.subcode);
		(void)mode_field_get(view.data, view.len, 3, 4, 0xffffffff);
	}
}

static void
luns_read(const uint8_t *data, size_t size)
{
	uint64_t luns[16];
	size_t n = 0, total = 0;

	if (lunfmt_report_parse(data, size, luns, 16, &n, &total) < 0)
		return;
	assert(n <= 16 && n <= size / 8);
	for (size_t i = 0; i < n; i++) {
		uint8_t wire[8];

		lunfmt_put(wire, luns[i]);
		assert(lunfmt_get(wire) == luns[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 7) {
	case 0:
		sense_read(data + 1, size - 1);
		break;
	case 1:
		inquiry_read(data + 1, size - 1);
		break;
	case 2:
		designators_read(data + 1, size - 1);
		break;
	case 3:
		pages_read(data + 1, size - 1);
		break;
	case 4:
		modes_read(data + 1, size - 1, false);
		break;
	case 5:
		modes_read(data + 1, size - 1, true);
		break;
	default:
		luns_read(data + 1, size - 1);
		break;
	}
	return 0;
}
