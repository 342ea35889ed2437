/* INQUIRY data of devices, corrected: what is the layer's changes, everything else stays */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/inquiry.h"
#include "scsi/inquiry.h"
#include "scsi/vpd.h"

static const struct lu_port iscsi = {
	.rtpi = 2, .group = 5, .protocol = LU_PROTOCOL_ISCSI,
	.name = "iqn.2026-01.lan:t,t,0x0001", .device_name = "iqn.2026-01.lan:t",
};
static const struct lu_port sas = { .rtpi = 8, .group = 1, .protocol = LU_PROTOCOL_SAS };

static struct inquiry_extra extra;
static uint8_t buf[INQUIRY_MAX + VPD_PAGE_MAX];

static void
begin(const struct lu_port *port)
{
	extra = (struct inquiry_extra){
		.port = port, .vendor = "ACME", .product = "Disk", .serial = "S-1",
	};
	memset(buf, 0xa5, sizeof(buf));
}

/* ------ standard data ------ */

START_TEST(flags_are_the_layers)
{
	struct inq_std inq = { .version = INQ_VERSION_SPC3, .format = 2, .has_3pc = true,
		.has_protect = true, .has_encserv = true, .vendor = "V", .product = "P" };
	struct inq_std after;
	struct alua *alua = alua_new();

	begin(&sas);
	ck_assert_uint_eq(inquiry_standard(&extra, buf, inq_build_std(&inq, buf)), INQ_STD_LEN);
	ck_assert_int_eq(inq_parse_std(buf, INQ_STD_LEN, &after), 0);
	ck_assert_uint_eq(after.version, INQ_VERSION_SPC3);
	ck_assert(after.has_cmdque && after.has_protect && after.has_encserv);
	ck_assert(!after.has_3pc && !after.has_multip);
	ck_assert_uint_eq(after.tpgs, 3);
	ck_assert_uint_eq(after.n_versions, 0);
	ck_assert_str_eq(after.vendor, "V");

	extra.has_copy = true;
	extra.alua = alua;
	alua_set_mode(alua, ALUA_MODE_IMPLICIT);
	ck_assert_int_eq(alua_bind(alua, 1, 1), 0);
	ck_assert_int_eq(alua_bind(alua, 2, 1), 0);
	ck_assert_uint_eq(inquiry_standard(&extra, buf, INQ_STD_LEN), INQ_STD_LEN);
	ck_assert_int_eq(inq_parse_std(buf, INQ_STD_LEN, &after), 0);
	ck_assert(after.has_3pc && after.has_multip);
	ck_assert_uint_eq(after.tpgs, 1);
	alua_free(alua);
}
END_TEST

START_TEST(iscsi_is_among_the_standards)
{
	struct inq_std inq = { .version = INQ_VERSION_SPC4, .format = 2, .n_versions = 2,
		.versions = { INQ_STANDARD_SPC4, INQ_STANDARD_SBC3 } };
	struct inq_std after;

	begin(&iscsi);
	ck_assert_uint_eq(inquiry_standard(&extra, buf, inq_build_std(&inq, buf)), INQ_STD_LEN);
	ck_assert_int_eq(inq_parse_std(buf, INQ_STD_LEN, &after), 0);
	ck_assert_uint_eq(after.n_versions, 3);
	ck_assert_uint_eq(after.versions[2], INQ_STANDARD_ISCSI);
	/* once */
	ck_assert_uint_eq(inquiry_standard(&extra, buf, INQ_STD_LEN), INQ_STD_LEN);
	ck_assert_int_eq(inq_parse_std(buf, INQ_STD_LEN, &after), 0);
	ck_assert_uint_eq(after.n_versions, 3);
	/* a revision of it counts */
	inq.versions[2] = INQ_STANDARD_ISCSI + 2;
	inq.n_versions = 3;
	ck_assert_uint_eq(inquiry_standard(&extra, buf, inq_build_std(&inq, buf)), INQ_STD_LEN);
	ck_assert_int_eq(inq_parse_std(buf, INQ_STD_LEN, &after), 0);
	ck_assert_uint_eq(after.n_versions, 3);
	/* no place left */
	for (uint16_t i = 0; i < INQ_VERSIONS_MAX; i++)
		inq.versions[i] = (uint16_t)(0x20 * (i + 1));
	inq.n_versions = INQ_VERSIONS_MAX;
	ck_assert_uint_eq(inquiry_standard(&extra, buf, inq_build_std(&inq, buf)), INQ_STD_LEN);
	ck_assert_uint_eq(be16_get(buf + 58 + 14), 0x100);
}
END_TEST

START_TEST(short_data_grows_only_as_it_must)
{
	struct inq_std inq = { .version = 2, .format = 2, .vendor = "OLD" };

	begin(&sas);
	(void)inq_build_std(&inq, buf);
	buf[4] = 31;
	ck_assert_uint_eq(inquiry_standard(&extra, buf, 36), 36);
	ck_assert_uint_eq(buf[4], 31);
	ck_assert(buf[7] & 0x02);
	begin(&iscsi);
	(void)inq_build_std(&inq, buf);
	buf[4] = 31;
	memset(buf + 36, 0xa5, 60);
	ck_assert_uint_eq(inquiry_standard(&extra, buf, 36), 74);
	ck_assert_uint_eq(buf[4], 69);
	ck_assert_uint_eq(be16_get(buf + 58), INQ_STANDARD_ISCSI);
	ck_assert_uint_eq(buf[57], 0);
	/* the device gave more than it says: not believed */
	buf[4] = 31;
	buf[60] = 0x77;
	ck_assert_uint_eq(inquiry_standard(&extra, buf, 96), 74);
	ck_assert_uint_eq(buf[60], 0);
	/* nothing to correct */
	for (size_t len = 0; len < 8; len++)
		ck_assert_uint_eq(inquiry_standard(&extra, buf, len), len);
	buf[4] = 2;
	ck_assert_uint_eq(inquiry_standard(&extra, buf, 36), 7);
	/* as long as it can be */
	memset(buf, 0xff, INQUIRY_STD_MAX);
	ck_assert_uint_eq(inquiry_standard(&extra, buf, INQUIRY_STD_MAX), 260);
}
END_TEST

/* ------ pages ------ */

START_TEST(the_list_of_pages_is_merged)
{
	static const uint8_t device[] = { 0x05, 0, 0, 4, 0x00, 0x80, 0x83, 0xb0 };
	static const uint8_t want[] = { 0x05, 0, 0, 6, 0x00, 0x80, 0x83, 0x86, 0x88, 0xb0 };
	static const uint8_t alone[] = { 0x00, 0, 0, 5, 0x00, 0x83, 0x86, 0x88, 0x8f };
	uint8_t full[4 + 256] = { 0, 0, 1, 0 };

	begin(&iscsi);
	ck_assert_uint_eq(inquiry_supported(&extra, 0x05, device, sizeof(device), buf),
	    sizeof(want));
	ck_assert_mem_eq(buf, want, sizeof(want));
	extra.has_copy = true;
	ck_assert_uint_eq(inquiry_supported(&extra, 0x00, NULL, 0, buf), sizeof(alone));
	ck_assert_mem_eq(buf, alone, sizeof(alone));
	/* another page than asked for */
	ck_assert_uint_eq(inquiry_supported(&extra, 0x00, "\0\x80\0\0", 4, buf), sizeof(alone));
	for (int i = 0; i < 256; i++)
		full[4 + i] = (uint8_t)(255 - i);
	ck_assert_uint_eq(inquiry_supported(&extra, 0x00, full, sizeof(full), buf), 260);
}
END_TEST

/* what page 83h in buf[] has: a word a designator */
static const char *
ident_words(size_t len)
{
	static char words[400];
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	size_t at = 0;

	words[0] = '\0';
	ck_assert_int_eq(vpd_desig_begin(buf, len, &walk), 0);
	ck_assert_uint_eq(be16_get(buf + 2), len - 4);
	while (vpd_desig_next(&walk, &d) == 1) {
		char text[100];

		at += (size_t)snprintf(words + at, sizeof(words) - at, "%s%s:%u:%d:%s",
		    at > 0 ? " " : "", vpd_assoc_name(d.assoc), d.type,
		    d.has_protocol ? d.protocol : -1, vpd_desig_format(&d, text, sizeof(text)));
	}
	return words;
}

START_TEST(designators_of_the_unit_stay_and_ports_are_ours)
{
	struct vpd_ids ids = {
		.t10_vendor = "ACME", .t10_id = "X", .naa = { 0x30, 1, 2, 3, 4, 5, 6, 7 },
		.naa_len = 8, .has_eui64 = true, .eui64 = 0x123456789abcdef0ull,
		.port_name = "of the device", .device_name = "device's", .rel_port = 9,
		.has_tpg = true, .tpg = 4, .has_port_protocol = true, .port_protocol = 6,
	};
	uint8_t device[VPD_PAGE_MAX];
	size_t len = vpd_build_ident(0, &ids, device, sizeof(device));

	begin(&iscsi);
	len = inquiry_ident(&extra, 0, device, len, buf, sizeof(buf));
	ck_assert_str_eq(ident_words(len), "unit:3:-1:naa.3001020304050607 "
	    "unit:2:-1:eui.123456789abcdef0 unit:1:-1:t10.ACME    X port:4:5:2 port:5:5:5 "
	    "port:8:5:iqn.2026-01.lan:t,t,0x0001 device:8:5:iqn.2026-01.lan:t");
	begin(lu_port_local());
	len = inquiry_ident(&extra, 0, device, 12, buf, sizeof(buf));
	/* cut inside the first designator: that one is not believed */
	ck_assert_str_eq(ident_words(len), "unit:1:-1:t10.ACME    Disk            S-1 "
	    "port:4:5:65535 port:5:5:0 port:8:5:iqn.2026-11.internal.scsad:local,t,0x0000 "
	    "device:8:5:iqn.2026-11.internal.scsad:local");
	begin(&sas);
	len = inquiry_ident(&extra, 0, NULL, 0, buf, sizeof(buf));
	ck_assert_str_eq(ident_words(len),
	    "unit:1:-1:t10.ACME    Disk            S-1 port:4:6:8 port:5:6:1");
	for (size_t size = 0; size < len; size++)
		ck_assert_uint_eq(inquiry_ident(&extra, 0, NULL, 0, buf, size), 0);
}
END_TEST

START_TEST(the_longest_page_fits)
{
	static uint8_t device[INQUIRY_MAX] = { 0, 0x83, (INQUIRY_MAX - 4) >> 8,
		(INQUIRY_MAX - 4) & 0xff };
	struct lu_port port = { .rtpi = 1, .protocol = LU_PROTOCOL_ISCSI };
	size_t len;

	for (size_t at = 4; at + 4 <= sizeof(device); at += 4)
		memcpy(device + at, "\x01\0\0\0", 4);
	memset(port.name, 'n', LU_PORT_NAME_MAX);
	memset(port.device_name, 'd', LU_ISCSI_NAME_MAX);
	begin(&port);
	len = inquiry_ident(&extra, 0, device, sizeof(device), buf, sizeof(buf));
	ck_assert_uint_eq(len, sizeof(device) + 8 + 8 + 4 + 236 + 4 + 224);
}
END_TEST

START_TEST(task_attributes_are_the_layers)
{
	struct vpd_extended e = { .grd_chk = true, .spt = 3, .v_sup = true }, after;
	uint8_t device[64];
	size_t len = vpd_build_extended(0, &e, device, sizeof(device));

	ck_assert_uint_eq(inquiry_extended(0, device, len, buf), 64);
	ck_assert_int_eq(vpd_parse_extended(buf, 64, &after), 0);
	ck_assert(after.grd_chk && after.v_sup && after.spt == 3);
	ck_assert(after.headsup && after.ordsup && after.simpsup);
	ck_assert_uint_eq(after.max_sense_len, 252);
	ck_assert_uint_eq(inquiry_extended(0, NULL, 0, buf), 64);
	ck_assert_int_eq(vpd_parse_extended(buf, 64, &after), 0);
	ck_assert(!after.grd_chk && after.simpsup);
	ck_assert_uint_eq(inquiry_extended(0x1f, "\0\x80\0\0", 4, buf), 64);
	ck_assert_uint_eq(buf[0], 0x1f);
}
END_TEST

START_TEST(no_transfer_is_told_that_the_hba_cannot_do)
{
	static const uint8_t list[] = { 0, 0, 0, 5, 0x00, 0x83, 0x86, 0x88, 0xb0 };
	struct vpd_limits l = { .max_xfer = 0, .opt_xfer = 4096, .max_unmap = 77, .wsnz = true };
	uint8_t device[64];

	begin(&sas);
	extra.xfer_max_blocks = 2048;
	ck_assert_uint_eq(inquiry_supported(&extra, 0, NULL, 0, buf), sizeof(list));
	ck_assert_mem_eq(buf, list, sizeof(list));
	ck_assert_uint_eq(vpd_build_limits(0, &l, device, sizeof(device)), 64);
	ck_assert_uint_eq(inquiry_limits(&extra, 0, device, 64, buf), 64);
	ck_assert_int_eq(vpd_parse_limits(buf, 64, &l), 0);
	ck_assert_uint_eq(l.max_xfer, 2048);
	ck_assert_uint_eq(l.opt_xfer, 2048);
	ck_assert_uint_eq(l.max_unmap, 77);
	ck_assert(l.wsnz);
	/* a device that does less says so */
	l.max_xfer = 1024;
	l.opt_xfer = 8;
	(void)vpd_build_limits(0, &l, device, sizeof(device));
	ck_assert_uint_eq(inquiry_limits(&extra, 0, device, 16, buf), 16);
	ck_assert_uint_eq(be32_get(buf + 8), 1024);
	ck_assert_uint_eq(be32_get(buf + 12), 8);
	/* one that has no such page, or a useless one, gets one */
	for (size_t len = 0; len < 16; len += 15) {
		ck_assert_uint_eq(inquiry_limits(&extra, 0, device, len, buf), 64);
		ck_assert_int_eq(vpd_parse_limits(buf, 64, &l), 0);
		ck_assert_uint_eq(l.max_xfer, 2048);
		ck_assert_uint_eq(l.opt_xfer + l.max_unmap, 0);
	}
}
END_TEST

START_TEST(every_port_of_the_unit_is_listed)
{
	static const uint8_t want[] = {
		0, 0x88, 0, 52,
		0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16,
		0x53, 0x98, 0, 12, 'i', 'q', 'n', '.', 'a', ',', 't', ',', '0', 'x', '1', 0,
		0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0,	/* no longer known */
		0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0,	/* has no name */
	};
	struct lu_port named = { .rtpi = 1, .group = 1, .protocol = LU_PROTOCOL_ISCSI,
		.name = "iqn.a,t,0x1" };
	struct alua *alua = alua_new();
	const struct lu_port *port = NULL;

	ck_assert_int_eq(lu_port_add(&named, &port), 0);
	ck_assert_int_eq(alua_bind(alua, 1, 1), 0);
	ck_assert_int_eq(alua_bind(alua, 7, 1), 0);
	begin(&sas);
	extra.alua = alua;
	ck_assert_uint_eq(inquiry_ports(&extra, 0, buf, sizeof(buf)), 56);
	ck_assert_mem_eq(buf, want, 56);
	for (size_t size = 0; size < 56; size++) {
		memset(buf, 0xa5, sizeof(buf));
		ck_assert_uint_eq(inquiry_ports(&extra, 0, buf, size), 56);
		ck_assert_mem_eq(buf, want, size);
		ck_assert_uint_eq(buf[size], 0xa5);
	}
	/* the asker's is not listed twice */
	extra.port = port;
	ck_assert_uint_eq(inquiry_ports(&extra, 0, buf, sizeof(buf)), 44);
	lu_port_remove(port);
	lu_port_unref(port);
	alua_free(alua);
}
END_TEST

CHECK_MAIN("INQUIRY", flags_are_the_layers, iscsi_is_among_the_standards,
    short_data_grows_only_as_it_must, the_list_of_pages_is_merged,
    designators_of_the_unit_stay_and_ports_are_ours, the_longest_page_fits,
    task_attributes_are_the_layers, no_transfer_is_told_that_the_hba_cannot_do,
    every_port_of_the_unit_is_listed)
