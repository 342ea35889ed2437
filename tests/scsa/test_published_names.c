/* C95: every field the contract names exists, with the values the manual pages give */
#include <string.h>
#include <stddef.h>

#include "check_main.h"
#include "tests/scsa/mock_hba.h"

#define HAS(type, member)	((void)offsetof(type, member))

START_TEST(c95_fields_of_the_vector)
{
	HAS(scsi_hba_tran_t, tran_hba_dip);
	HAS(scsi_hba_tran_t, tran_iport_dip);
	HAS(scsi_hba_tran_t, tran_hba_private);
	HAS(scsi_hba_tran_t, tran_tgt_private);
	HAS(scsi_hba_tran_t, tran_sd);
	HAS(scsi_hba_tran_t, tran_tgt_init);
	HAS(scsi_hba_tran_t, tran_tgt_probe);
	HAS(scsi_hba_tran_t, tran_tgt_free);
	HAS(scsi_hba_tran_t, tran_start);
	HAS(scsi_hba_tran_t, tran_reset);
	HAS(scsi_hba_tran_t, tran_abort);
	HAS(scsi_hba_tran_t, tran_getcap);
	HAS(scsi_hba_tran_t, tran_setcap);
	HAS(scsi_hba_tran_t, tran_init_pkt);
	HAS(scsi_hba_tran_t, tran_destroy_pkt);
	HAS(scsi_hba_tran_t, tran_dmafree);
	HAS(scsi_hba_tran_t, tran_sync_pkt);
	HAS(scsi_hba_tran_t, tran_setup_pkt);
	HAS(scsi_hba_tran_t, tran_teardown_pkt);
	HAS(scsi_hba_tran_t, tran_pkt_constructor);
	HAS(scsi_hba_tran_t, tran_pkt_destructor);
	HAS(scsi_hba_tran_t, tran_hba_len);
	HAS(scsi_hba_tran_t, tran_reset_notify);
	HAS(scsi_hba_tran_t, tran_get_bus_addr);
	HAS(scsi_hba_tran_t, tran_get_name);
	HAS(scsi_hba_tran_t, tran_bus_reset);
	HAS(scsi_hba_tran_t, tran_quiesce);
	HAS(scsi_hba_tran_t, tran_unquiesce);
	HAS(scsi_hba_tran_t, tran_clear_aca);
	HAS(scsi_hba_tran_t, tran_clear_task_set);
	HAS(scsi_hba_tran_t, tran_terminate_task);
	HAS(scsi_hba_tran_t, tran_add_eventcall);
	HAS(scsi_hba_tran_t, tran_get_eventcookie);
	HAS(scsi_hba_tran_t, tran_post_event);
	HAS(scsi_hba_tran_t, tran_remove_eventcall);
	HAS(scsi_hba_tran_t, tran_bus_config);
	HAS(scsi_hba_tran_t, tran_bus_unconfig);
	HAS(scsi_hba_tran_t, tran_bus_power);
	HAS(scsi_hba_tran_t, tran_interconnect_type);
	HAS(scsi_hba_tran_t, tran_dma_attr);
	HAS(scsi_hba_tran_t, tran_hba_flags);
	HAS(scsi_hba_tran_t, tran_fm_capable);
	HAS(scsi_hba_tran_t, tran_tgtmap);
	HAS(scsi_hba_tran_t, tran_iportmap);
	HAS(scsi_hba_tran_t, tran_pkt_cache_ptr);
	HAS(scsi_hba_tran_t, tran_open_lock);
	HAS(scsi_hba_tran_t, tran_open_flag);
	HAS(scsi_hba_tran_t, tran_extension);
}
END_TEST

START_TEST(c95_fields_of_device_address_packet)
{
	HAS(struct scsi_device, sd_address);
	HAS(struct scsi_device, sd_dev);
	HAS(struct scsi_device, sd_mutex);
	HAS(struct scsi_device, sd_inq);
	HAS(struct scsi_device, sd_sense);
	HAS(struct scsi_device, sd_private);
	HAS(struct scsi_device, sd_hba_private);
	HAS(struct scsi_device, sd_reserved);
	HAS(struct scsi_device, sd_fm_capable);
	HAS(struct scsi_device, sd_pathinfo);
	HAS(struct scsi_device, sd_uninit_prevent);
	HAS(struct scsi_device, sd_tran_safe);
	HAS(struct scsi_address, a_hba_tran);
	HAS(struct scsi_address, a_target);
	HAS(struct scsi_address, a_lun);
	HAS(struct scsi_address, a_sublun);
	HAS(struct scsi_address, a.a_sd);
	HAS(struct scsi_pkt, pkt_ha_private);
	HAS(struct scsi_pkt, pkt_address);
	HAS(struct scsi_pkt, pkt_private);
	HAS(struct scsi_pkt, pkt_comp);
	HAS(struct scsi_pkt, pkt_flags);
	HAS(struct scsi_pkt, pkt_time);
	HAS(struct scsi_pkt, pkt_scbp);
	HAS(struct scsi_pkt, pkt_cdbp);
	HAS(struct scsi_pkt, pkt_resid);
	HAS(struct scsi_pkt, pkt_state);
	HAS(struct scsi_pkt, pkt_statistics);
	HAS(struct scsi_pkt, pkt_reason);
	HAS(struct scsi_pkt, pkt_cdblen);
	HAS(struct scsi_pkt, pkt_tgtlen);
	HAS(struct scsi_pkt, pkt_scblen);
	HAS(struct scsi_pkt, pkt_handle);
	HAS(struct scsi_pkt, pkt_numcookies);
	HAS(struct scsi_pkt, pkt_cookies);
	HAS(struct scsi_pkt, pkt_dma_offset);
	HAS(struct scsi_pkt, pkt_dma_len);
	HAS(struct scsi_pkt, pkt_dma_flags);
	HAS(struct scsi_pkt, pkt_path_instance);
	HAS(struct scsi_pkt, pkt_stmp);
	HAS(struct smp_pkt, smp_pkt_will_retry);
	HAS(struct smp_device, smp_sd_hba_private);
	HAS(struct smp_address, smp_a_wwn);
	HAS(struct smp_hba_tran, smp_tran_start);
}
END_TEST

START_TEST(values_are_those_of_the_manual_pages)
{
	ck_assert_ptr_null(NULL_FUNC);
	ck_assert_ptr_eq(SLEEP_FUNC, (void *)1);
	ck_assert_ptr_eq((void *)DDI_DMA_SLEEP, SLEEP_FUNC);
	ck_assert_int_eq(TRAN_ACCEPT, 1);
	ck_assert_int_eq(TRAN_FATAL_ERROR, -2);
	ck_assert_int_eq(CMD_DEV_GONE, 24);
	ck_assert_int_eq(CMD_TAG_REJECT, 21);
	ck_assert_uint_eq(FLAG_TAGMASK, 0x7000);
	ck_assert_uint_eq(SCSI_HBA_ADDR_COMPLEX, 0x40);
	ck_assert_uint_eq(SENSE_LENGTH, 20);
	ck_assert_uint_eq(sizeof(struct scsi_arq_status), 32);
	ck_assert_uint_eq(SUN_INQSIZE, 48);
	ck_assert_int_eq(SCSI_CAP_TRAN_LAYER_RETRIES, 22);
	ck_assert_int_eq(PKT_XARQ, 0x80000);
	ck_assert_int_eq(STAT_TERMINATED, 0x80);
	ck_assert_int_eq(STATE_XARQ_DONE, 0x40);
	ck_assert_uint_eq(sizeof(scsi_lun_t), 8);
	ck_assert_int_eq(SCSI_TGT_DEACT_RSN_UNSTBL, 2);
	ck_assert_int_eq(INTERCONNECT_SAS, 11);
}
END_TEST

START_TEST(bit_fields_lie_where_the_wire_has_them)
{
	uint8_t inq[sizeof(struct scsi_inquiry)] = { 0x25, 0x80, 0x06, 0x12, 31, 0x31, 0x40, 0x02 };
	const uint8_t fixed[20] = { 0xf0, 0, 0x65, 1, 2, 3, 4, 10 };
	struct scsi_inquiry copy, *i = &copy;
	const struct scsi_extended_sense *s = (const void *)fixed;
	const uint8_t status = 0x28;

	memcpy(&copy, inq, sizeof(copy));
	ck_assert_uint_eq(i->inq_dtype & DTYPE_MASK, DTYPE_RODIRECT);
	ck_assert_uint_eq(i->inq_dtype & DPQ_MASK, DPQ_SUPPORTED);
	ck_assert_uint_eq(i->inq_rmb, 1);
	ck_assert_uint_eq(i->inq_ansi, 6);
	ck_assert_uint_eq(i->inq_rdf, 2);
	ck_assert_uint_eq(i->inq_hisup, 1);
	ck_assert_uint_eq(i->inq_protect, 1);
	ck_assert_uint_eq(i->inq_tpgs, 3);
	ck_assert_uint_eq(i->inq_encserv, 1);
	ck_assert_uint_eq(i->inq_cmdque, 1);
	ck_assert_uint_eq(s->es_valid, 1);
	ck_assert_uint_eq(s->es_class, CLASS_EXTENDED_SENSE);
	ck_assert_uint_eq(s->es_code, CODE_FMT_FIXED_CURRENT);
	ck_assert_uint_eq(s->es_key, KEY_ILLEGAL_REQUEST);
	ck_assert_uint_eq(s->es_ili, 1);
	ck_assert_uint_eq(s->es_eom, 1);
	ck_assert_uint_eq(((const struct scsi_status *)(const void *)&status)->sts_scsi2, 1);
}
END_TEST

START_TEST(cdb_is_filled_by_group)
{
	union scsi_cdb cdb = { 0 };

	ck_assert_int_eq(scsi_setup_cdb(&cdb, SCMD_READ, 0x123456, 8, 0), 1);
	ck_assert_mem_eq(cdb.cdb_opaque, "\x08\x12\x34\x56\x08\x00", 6);
	ck_assert_uint_eq(GETG0ADDR(&cdb), 0x123456);
	cdb = (union scsi_cdb){ 0 };
	ck_assert_int_eq(scsi_setup_cdb(&cdb, SCMD_WRITE_G1, 0x12345678, 0x1234, 0), 1);
	ck_assert_mem_eq(cdb.cdb_opaque, "\x2a\x00\x12\x34\x56\x78\x00\x12\x34\x00", 10);
	ck_assert_uint_eq(GETG1ADDR(&cdb), 0x12345678);
	ck_assert_uint_eq(GETG1COUNT(&cdb), 0x1234);
	cdb = (union scsi_cdb){ 0 };
	ck_assert_int_eq(scsi_setup_cdb(&cdb, SCMD_MODE_SENSE_G1, 0, 255, 0), 1);
	ck_assert_mem_eq(cdb.cdb_opaque, "\x5a\x00\x00\x00\x00\x00\x00\x00\xff\x00", 10);
	cdb = (union scsi_cdb){ 0 };
	ck_assert_int_eq(scsi_setup_cdb(&cdb, SCMD_READ_G4, 1, 0x11223344, 0x55667788), 1);
	ck_assert_mem_eq(cdb.cdb_opaque,
	    "\x88\x00\x00\x00\x00\x01\x55\x66\x77\x88\x11\x22\x33\x44\x00\x00", 16);
	FORMG4LONGADDR(&cdb, 0x0102030405060708ull);
	ck_assert_mem_eq(cdb.cdb_opaque + 2, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	cdb = (union scsi_cdb){ 0 };
	ck_assert_int_eq(scsi_setup_cdb(&cdb, SCMD_READ_G5, 0xa1b2c3d4, 0x11223344, 0), 1);
	ck_assert_mem_eq(cdb.cdb_opaque, "\xa8\x00\xa1\xb2\xc3\xd4\x11\x22\x33\x44\x00\x00", 12);
	ck_assert_int_eq(scsi_setup_cdb(&cdb, SCMD_VAR_LEN, 0, 0, 0), 0);
	ck_assert_int_eq(scsi_setup_cdb(&cdb, 0xc0, 0, 0, 0), 0);
	ck_assert_uint_eq(GETCMD(&cdb), SCMD_READ_G5);
	ck_assert_int_eq(GETGROUP(&cdb), CDB_GROUPID_5);
}
END_TEST

CHECK_MAIN("published names", c95_fields_of_the_vector, c95_fields_of_device_address_packet,
    values_are_those_of_the_manual_pages, bit_fields_lie_where_the_wire_has_them,
    cdb_is_filled_by_group)
