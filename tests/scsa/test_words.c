/* sense data read in bounds, names of things, compatible lists, log lines */
#include <string.h>

#include "base/log.h"
#include "check_main.h"
#include "tests/scsa/mock_hba.h"

static uint8_t fixed[] = { 0xf0, 0, 0x02, 0x01, 0x02, 0x03, 0x04, 10, 0x11, 0x12, 0x13, 0x14,
	0x04, 0x01, 0, 0x80, 0x12, 0x34 };
static uint8_t descr[] = { 0x72, 0x02, 0x04, 0x01, 0, 0, 0, 12 + 12 + 8,
	0x00, 10, 0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	0x01, 10, 0x00, 0, 8, 7, 6, 5, 4, 3, 2, 1,
	0x02, 6, 0, 0, 0x80, 0x12, 0x34, 0 };

START_TEST(sense_of_both_formats)
{
	uint64_t v;
	uint16_t p;
	int flags;

	ck_assert_int_eq(scsi_validate_sense(fixed, sizeof(fixed), &flags), SENSE_FIXED_FORMAT);
	ck_assert_int_eq(flags, 0);
	ck_assert_int_eq(scsi_validate_sense(descr, sizeof(descr), &flags), SENSE_DESCR_FORMAT);
	ck_assert_int_eq(flags, 0);
	ck_assert_uint_eq(scsi_sense_key(fixed), KEY_NOT_READY);
	ck_assert_uint_eq(scsi_sense_key(descr), KEY_NOT_READY);
	ck_assert_uint_eq(scsi_sense_asc(fixed), 4);
	ck_assert_uint_eq(scsi_sense_asc(descr), 4);
	ck_assert_uint_eq(scsi_sense_ascq(fixed), 1);
	ck_assert_uint_eq(scsi_sense_ascq(descr), 1);
	ck_assert(scsi_sense_info_uint64(fixed, sizeof(fixed), &v));
	ck_assert_uint_eq(v, 0x01020304);
	ck_assert(scsi_sense_info_uint64(descr, sizeof(descr), &v));
	ck_assert_uint_eq(v, 0x0102030405060708);
	ck_assert(scsi_sense_cmdspecific_uint64(fixed, sizeof(fixed), &v));
	ck_assert_uint_eq(v, 0x11121314);
	ck_assert(scsi_sense_cmdspecific_uint64(descr, sizeof(descr), &v));
	ck_assert_uint_eq(v, 0x0807060504030201);
	ck_assert(scsi_sense_progress_indication(fixed, sizeof(fixed), &p));
	ck_assert_uint_eq(p, 0x1234);
	ck_assert(scsi_sense_progress_indication(descr, sizeof(descr), &p));
	ck_assert_uint_eq(p, 0x1234);
	ck_assert_ptr_eq(scsi_find_sense_descr(descr, sizeof(descr), 1), descr + 20);
	ck_assert_ptr_null(scsi_find_sense_descr(descr, sizeof(descr), 9));
	ck_assert_ptr_null(scsi_find_sense_descr(fixed, sizeof(fixed), 0));
}
END_TEST

/* cut at every length, in memory of just that length */
START_TEST(sense_is_never_read_beyond_its_end)
{
	const uint8_t *all[] = { fixed, descr };
	const int lens[] = { sizeof(fixed), sizeof(descr) };

	for (int i = 0; i < 2; i++) {
		for (int len = 0; len <= lens[i]; len++) {
			uint8_t *cut = malloc((size_t)len + (len == 0));
			uint64_t v = 7;
			uint16_t p;
			int flags = 0;

			memcpy(cut, all[i], (size_t)len);
			if (scsi_validate_sense(cut, len, &flags) != SENSE_UNUSABLE && len < lens[i])
				ck_assert_int_eq(flags, SNS_BUF_OVERFLOW);
			(void)scsi_sense_info_uint64(cut, len, &v);
			(void)scsi_sense_cmdspecific_uint64(cut, len, &v);
			(void)scsi_sense_progress_indication(cut, len, &p);
			(void)scsi_find_sense_descr(cut, len, 2);
			free(cut);
		}
	}
}
END_TEST

START_TEST(sense_that_is_none)
{
	uint8_t none[8] = { 0x00 }, vendor[8] = { 0x7f }, deferred[8] = { 0x71, 0, 3 };
	uint8_t no_valid[18] = { 0x70, 0, 5, 1, 2, 3, 4, 10 };
	uint64_t v = 7;
	uint16_t p = 7;
	int flags;

	ck_assert_int_eq(scsi_validate_sense(none, 8, NULL), SENSE_UNUSABLE);
	ck_assert_int_eq(scsi_validate_sense(vendor, 8, NULL), SENSE_UNUSABLE);
	ck_assert_int_eq(scsi_validate_sense(NULL, 8, NULL), SENSE_UNUSABLE);
	ck_assert_int_eq(scsi_validate_sense(deferred, 8, &flags), SENSE_FIXED_FORMAT);
	ck_assert_int_eq(flags, SNS_BUF_DEFERRED);
	deferred[0] = 0x73;
	ck_assert_int_eq(scsi_validate_sense(deferred, 8, &flags), SENSE_DESCR_FORMAT);
	ck_assert_int_eq(flags, SNS_BUF_DEFERRED);
	ck_assert(!scsi_sense_info_uint64(no_valid, 18, &v));
	ck_assert(!scsi_sense_info_uint64(none, 8, &v));
	ck_assert(!scsi_sense_cmdspecific_uint64(none, 8, &v));
	ck_assert(!scsi_sense_progress_indication(none, 8, &p));
	/* key specific bytes of another key are no progress */
	no_valid[15] = 0x80;
	ck_assert(!scsi_sense_progress_indication(no_valid, 18, &p));
	ck_assert_uint_eq(v, 7);
	ck_assert_uint_eq(p, 7);
}
END_TEST

START_TEST(names)
{
	char *vec[] = { (char *)"\x12inquiry it", NULL };

	ck_assert_str_eq(scsi_rname(CMD_CMPLT), "cmplt");
	ck_assert_str_eq(scsi_rname(CMD_UNX_BUS_FREE), "unexpected_bus_free");
	ck_assert_str_eq(scsi_rname(CMD_DEV_GONE), "gone");
	ck_assert_str_eq(scsi_rname(CMD_TLR_OFF), "");
	ck_assert_str_eq(scsi_rname(25), "unknown reason");
	for (int i = 0; i < 256; i++) {
		ck_assert_ptr_nonnull(scsi_rname((uchar_t)i));
		ck_assert_ptr_nonnull(scsi_mname((uchar_t)i));
		ck_assert_ptr_nonnull(scsi_sname((uchar_t)i));
		ck_assert_ptr_nonnull(scsi_dname(i));
		ck_assert_ptr_nonnull(scsi_cname((uchar_t)i, NULL));
	}
	ck_assert_str_eq(scsi_mname(MSG_ORDERED_QTAG), "ordered queue tag");
	ck_assert_str_eq(scsi_mname(0xc1), "identify");
	ck_assert_str_eq(scsi_sname(KEY_UNIT_ATTENTION), "Unit_Attention");
	ck_assert_str_eq(scsi_dname(DTYPE_DIRECT), "Direct Access");
	ck_assert_str_eq(scsi_cname(SCMD_INQUIRY, vec), "inquiry it");
	ck_assert_str_eq(scsi_cname(SCMD_READ_G1, vec), "READ(10)");
}
END_TEST

static bool
has_entry(char **list, const char *want)
{
	for (; *list != NULL; list++) {
		if (strcmp(*list, want) == 0)
			return true;
	}
	return false;
}

START_TEST(compatible_lists)
{
	struct scsi_inquiry inq = { .inq_dtype = DTYPE_RODIRECT, .inq_rmb = 1 };
	char *name, **list;
	int n;

	memcpy(inq.inq_vid, "A,B     ", 8);
	memcpy(inq.inq_pid, "C/D E           ", 16);
	memcpy(inq.inq_revision, "1.0 ", 4);
	scsi_hba_nodename_compatible_get(&inq, (char *)(uintptr_t)"spi", DTYPE_RODIRECT,
	    (char *)(uintptr_t)"mine", &name, &list, &n);
	ck_assert_str_eq(name, "cdrom");
	ck_assert_str_eq(list[0], "mine");
	ck_assert_str_eq(list[1], "scsiclass,05R.vA_B.pC_D_E.r1_0");
	ck_assert(has_entry(list, "scsiclass,05.vA_B.pC_D_E"));
	ck_assert(has_entry(list, "scsa,05.bspi"));
	ck_assert(has_entry(list, "scsiclass,05"));
	ck_assert_str_eq(list[n - 1], "scsiclass");
	ck_assert_ptr_null(list[n]);
	scsi_hba_nodename_compatible_free(name, list);

	/* a secondary function has the type of its node before that of the device */
	scsi_hba_nodename_compatible_get(&inq, NULL, DTYPE_ESI, NULL, &name, &list, &n);
	ck_assert_str_eq(name, "enclosure");
	ck_assert(has_entry(list, "scsiclass,0d05RS.vA_B.pC_D_E.r1_0"));
	ck_assert(has_entry(list, "scsiclass,0d"));
	ck_assert(!has_entry(list, "scsa,0d.bspi"));
	scsi_hba_nodename_compatible_free(name, list);
	scsi_hba_nodename_compatible_free(NULL, NULL);
}
END_TEST

static char log_line[1100];

static void
keep_line(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	(void)snprintf(log_line, sizeof(log_line), "%s", line);
}

START_TEST(driver_logging)
{
	struct scsi_key_strings words[] = { { SCMD_READ_G1, (char *)"my read" }, { -1, NULL } };
	struct scsi_extended_sense sense;
	struct scsi_device sd = { .sd_dev = devi_root() };
	uchar_t cdb[10] = { SCMD_READ_G1 };
	struct scsi_pkt pkt = { .pkt_cdbp = cdb };

	log_set_sink(keep_line, NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	memcpy(&sense, fixed, sizeof(fixed));
	scsi_errmsg(&sd, &pkt, (char *)(uintptr_t)"sd", SCSI_ERR_FATAL, 10, 12, words, &sense);
	ck_assert_ptr_nonnull(strstr(log_line, "my read"));
	ck_assert_ptr_nonnull(strstr(log_line, "Fatal"));
	ck_assert_ptr_nonnull(strstr(log_line, "error block: 12"));
	ck_assert_ptr_nonnull(strstr(log_line, "Not_Ready"));
	scsi_errmsg(&sd, &pkt, (char *)(uintptr_t)"sd", 77, 10, 12, NULL, &sense);
	ck_assert_ptr_nonnull(strstr(log_line, "READ(10)"));
	sense.es_class = 0;
	scsi_errmsg(&sd, &pkt, (char *)(uintptr_t)"sd", SCSI_ERR_INFO, 10, 12, NULL, &sense);
	ck_assert_ptr_nonnull(strstr(log_line, "Informational"));
	scsi_log(NULL, (char *)(uintptr_t)"sd", CE_WARN, "number %d", 5);
	ck_assert_ptr_nonnull(strstr(log_line, "sd: number 5"));
	scsi_log(devi_root(), (char *)(uintptr_t)"sd", SCSI_DEBUG, "number %d", 6);
	ck_assert_ptr_nonnull(strstr(log_line, "sd: number 6"));
	log_set_sink(NULL, NULL);
}
END_TEST

SIM_TEST(options_by_device_type)
{
	char *list[] = { (char *)"MOCK    SIM", (char *)"mock-options", (char *)"OTHER",
		(char *)"other-options" };
	struct scsi_inquiry inq = { 0 };
	struct scsi_device sd = { .sd_inq = NULL };
	dev_info_t *dip;

	ck_assert_int_eq(devi_alloc(devi_root(), "hba", &dip), 0);
	ck_assert_int_eq(scsi_get_device_type_scsi_options(dip, &sd, 3), 3);
	sd.sd_inq = &inq;
	memcpy(inq.inq_vid, "MOCK    SIMULATED DISK  ", 24);
	ck_assert_int_eq(scsi_get_device_type_scsi_options(dip, &sd, 3), 3);
	(void)ddi_prop_update_string_array(DDI_DEV_T_NONE, dip, "device-type-scsi-options-list",
	    list, 4);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "mock-options", 0x80);
	ck_assert_int_eq(scsi_get_device_type_scsi_options(dip, &sd, 3), 0x80);
	memcpy(inq.inq_vid, "NOBODY  ", 8);
	ck_assert_int_eq(scsi_get_device_type_scsi_options(dip, &sd, 3), 3);
	ck_assert_int_eq(devi_free(dip), 0);
}

CHECK_MAIN("words", sense_of_both_formats, sense_is_never_read_beyond_its_end,
    sense_that_is_none, names, compatible_lists, driver_logging, options_by_device_type)
