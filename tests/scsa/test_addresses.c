/* unit addresses, complex addressing, LUN numbers, world wide names */
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "scsa/scsa_impl.h"
#include "tests/scsa/mock_hba.h"

#define WWN	"w5000c5001234abcd"

static void
set_private(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	(void)tran;
	ck_assert_ptr_null(scsi_device_hba_private_get(sd));
	scsi_device_hba_private_set(sd, sd);
}

static void
check_private(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsi_device *sd = scsi_address_device(ap);

	ck_assert_ptr_eq(scsi_address_device(&pkt->pkt_address), sd);
	ck_assert_ptr_eq(scsi_device_hba_private_get(sd), sd);
	ck_assert_str_eq(strchr(scsi_device_unit_address(sd), 0) - 2, ",0");
}

SIM_TEST(c53_c54_c55_complex_addresses_are_opaque)
{
	static const char *const taddrs[] = { WWN, "d", "virt3" };

	mock.flags |= SCSI_HBA_ADDR_COMPLEX;
	mock.on_tgt_init = set_private;
	mock.on_start = check_private;
	mock.targets = 0;
	for (int i = 0; i < 3; i++) {
		mock_set_luns(i, 1);
		mock.target[i].wwn = taddrs[i];
	}
	(void)mock_start();
	/* nothing tells a complex port what to probe */
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 0);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, WWN ",0", NULL), 0);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "d,0", NULL), 0);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "virt3,*", NULL), 0);
	for (int i = 0; i < 3; i++) {
		char ua[40];
		struct scsi_device *sd;
		bool is_numeric = strcmp(taddrs[i], "d") == 0;

		(void)snprintf(ua, sizeof(ua), "%s,0", taddrs[i]);
		sd = mock_unit(mock.dip, ua);
		ck_assert_str_eq(scsi_device_unit_address(sd), ua);
		/* "target" only where the address is a number */
		ck_assert_int_eq(scsi_device_prop_get_int(sd, SCSI_DEVICE_PROP_PATH,
		    (char *)(uintptr_t)"target", -1), is_numeric ? 0xd : -1);
	}
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "other,0", NULL), -ENXIO);
	mock_stop();
}

SIM_TEST(malformed_addresses_are_refused)
{
	static const char *const bad[] = {
		"", ",", "0", "0,", ",0", "0,g", "0,0,", "0,0,fff", "x,0", "ffff,0", "0,100",
		"0,11111111111111111", "0,ffffffffffffffff", "a/b,0", "a@b,0", "0,0,0,0",
		"0123456789012345678901234567890123456789012345678901234567890123456789012345,0",
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901,0",
	};

	(void)mock_start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(scsa_bus_config_one(mock.dip, bad[i], NULL) == -EINVAL, "%s",
		    bad[i]);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "000,00", NULL), 0);
	ck_assert_str_eq(scsi_device_unit_address(mock_unit(mock.dip, "0,0")), "0,0");
	ck_assert_int_eq(scsa_bus_unconfig_one(mock.dip, "00,0"), 0);
	ck_assert_int_eq(scsa_bus_unconfig_one(mock.dip, "nonsense"), -ENOENT);
	mock_stop();
}

START_TEST(unit_addresses_parse_and_print)
{
	struct unit_addr ua;

	ck_assert_int_eq(unit_addr_parse("1f,c7", &ua), 0);
	ck_assert(ua.is_numeric);
	ck_assert_uint_eq(ua.target, 0x1f);
	ck_assert_int_eq(ua.lun, 0xc7);
	ck_assert_int_eq(ua.sfunc, SFUNC_NONE);
	ck_assert_int_eq(unit_addr_parse(WWN ",4005000000000000,d", &ua), 0);
	ck_assert(!ua.is_numeric);
	ck_assert_str_eq(ua.taddr, WWN);
	ck_assert_int_eq(ua.lun, 0x4005000000000000);
	ck_assert_int_eq(ua.sfunc, 0xd);
	ck_assert_str_eq(ua.text, WWN ",4005000000000000,d");
	ck_assert_int_eq(unit_addr_make("3", 0, 1, &ua), 0);
	ck_assert_str_eq(ua.text, "3,0,1");
	ck_assert_int_eq(unit_addr_make("3", SCSI_LUN64_ILLEGAL, 1, &ua), -EINVAL);
	ck_assert_int_eq(unit_addr_make("3", 0, 0xff, &ua), -EINVAL);
}
END_TEST

START_TEST(c56_lun_conversions)
{
	static const struct {
		const char wire[9];
		scsi_lun64_t lun64;
	} rows[] = {
		{ "\x00\x00\x00\x00\x00\x00\x00\x00", 0 },
		{ "\x00\xff\x00\x00\x00\x00\x00\x00", 255 },
		{ "\x01\x00\x00\x00\x00\x00\x00\x00", 256 },
		{ "\x3f\xff\x00\x00\x00\x00\x00\x00", 0x3fff },
		{ "\x40\x05\x00\x00\x00\x00\x00\x00", 0x4005000000000000 },
		{ "\x40\x00\x00\x00\x00\x00\x00\x00", 0x4000000000000000 },
		{ "\x01\x02\x03\x04\x00\x00\x00\x00", 0x0102030400000000 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", -1 },
	};
	struct rng rng = rng_init(56);
	scsi_lun_t lun;

	ck_assert_uint_eq(sizeof(lun), 8);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(&lun, rows[i].wire, 8);
		ck_assert_int_eq(scsi_lun_to_lun64(lun), rows[i].lun64);
		lun = scsi_lun64_to_lun(rows[i].lun64);
		ck_assert_mem_eq(&lun, rows[i].wire, 8);
	}
	for (int i = 0; i < 10000; i++) {
		uint64_t v = rng_next(&rng);
		scsi_lun_t back;

		memcpy(&lun, &v, 8);
		back = scsi_lun64_to_lun(scsi_lun_to_lun64(lun));
		ck_assert_mem_eq(&back, &lun, 8);
		v = rng_below(&rng, 0x4000);
		ck_assert_int_eq(scsi_lun_to_lun64(scsi_lun64_to_lun((scsi_lun64_t)v)),
		    (scsi_lun64_t)v);
	}
	ck_assert_int_eq(scsi_addr_to_lun64((char *)(uintptr_t)"1f"), 0x1f);
	ck_assert_int_eq(scsi_addr_to_lun64((char *)(uintptr_t)"1f,d"), 0x1f);
	ck_assert_int_eq(scsi_addr_to_lun64((char *)(uintptr_t)"x"), SCSI_LUN64_ILLEGAL);
	ck_assert_int_eq(scsi_addr_to_lun64(NULL), SCSI_LUN64_ILLEGAL);
}
END_TEST

START_TEST(world_wide_names)
{
	char buf[SCSI_WWN_BUFLEN], *text;
	uint64_t wwn = 7;

	ck_assert_int_eq(scsi_wwnstr_to_wwn(WWN, &wwn), DDI_SUCCESS);
	ck_assert_uint_eq(wwn, 0x5000c5001234abcd);
	ck_assert_int_eq(scsi_wwnstr_to_wwn("5000C5001234ABCD", &wwn), DDI_SUCCESS);
	ck_assert_int_eq(scsi_wwnstr_to_wwn("5000c5001234abc", &wwn), DDI_FAILURE);
	ck_assert_int_eq(scsi_wwnstr_to_wwn("5000c5001234abcde", &wwn), DDI_FAILURE);
	ck_assert_int_eq(scsi_wwnstr_to_wwn("5000c5001234abcg", &wwn), DDI_FAILURE);
	ck_assert_int_eq(scsi_wwnstr_to_wwn(NULL, &wwn), DDI_FAILURE);
	ck_assert_uint_eq(wwn, 0x5000c5001234abcd);
	ck_assert_str_eq(scsi_wwn_to_wwnstr(wwn, 1, buf), WWN);
	ck_assert_str_eq(scsi_wwn_to_wwnstr(0x1, 0, buf), "0000000000000001");
	text = scsi_wwn_to_wwnstr(wwn, 1, NULL);
	scsi_wwnstr_hexcase(text, 0);
	ck_assert_str_eq(text, "w5000C5001234ABCD");
	scsi_wwnstr_hexcase(text, 1);
	ck_assert_str_eq(text, WWN);
	ck_assert_str_eq(scsi_wwnstr_skip_ua_prefix(text), &WWN[1]);
	ck_assert_str_eq(scsi_wwnstr_skip_ua_prefix(&WWN[1]), &WWN[1]);
	scsi_free_wwnstr(text);
	scsi_free_wwnstr(NULL);
}
END_TEST

/* C85: before any node exists a driver may use a device on its stack */
SIM_TEST(c85_a_faked_device_works)
{
	struct scsi_device fake;
	struct scsi_pkt *pkt;
	struct buf *bp;

	mock.flags |= SCSI_HBA_ADDR_COMPLEX;
	(void)mock_start();
	memset(&fake, 0, sizeof(fake));
	fake.sd_address.a_hba_tran = mock.tran;
	fake.sd_address.a.a_sd = &fake;
	scsi_device_hba_private_set(&fake, &mock);
	ck_assert_ptr_null(scsi_device_unit_address(&fake));
	bp = scsi_alloc_consistent_buf(&fake.sd_address, NULL, 36, B_READ, SLEEP_FUNC, NULL);
	pkt = scsi_init_pkt(&fake.sd_address, NULL, bp, 6, sizeof(struct scsi_arq_status), 0,
	    PKT_CONSISTENT, SLEEP_FUNC, NULL);
	ck_assert_int_eq(scsi_setup_cdb((union scsi_cdb *)(void *)pkt->pkt_cdbp, SCMD_INQUIRY, 0,
	    36, 0), 1);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	ck_assert_mem_eq(bp->b_un.b_addr + 8, "MOCK", 4);
	ck_assert_ptr_eq(scsi_device_hba_private_get(scsi_address_device(&pkt->pkt_address)),
	    &mock);
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(bp);
	ck_assert_int_eq(scsi_probe(&fake, NULL_FUNC), SCSIPROBE_EXISTS);
	scsi_unprobe(&fake);
	mock_stop();
}

CHECK_MAIN("addresses", c53_c54_c55_complex_addresses_are_opaque,
    malformed_addresses_are_refused, unit_addresses_parse_and_print, c56_lun_conversions,
    world_wide_names, c85_a_faked_device_works)
