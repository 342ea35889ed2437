/*
 * bench_scsa.c - what the framework costs: packets, and units
 *
 * usage: bench_scsa [--ms N] [--units N] [--packets N] [--check]
 *   --ms       time for each row of packets (500)
 *   --units    how many LUNs the large HBA has (16384)
 *   --packets  so many packets without data, and nothing else: for a profiler (tests/bench/run
 *              counts instructions of packets_run())
 *   --check    fail when the large HBA takes 10 s or more, or a unit more than 2 KiB
 *
 * The HBA answers inside tran_start, so that a row shows the framework alone: scsi_init_pkt()
 * -> scsi_transport() -> completion -> scsi_destroy_pkt(). Units are measured on an HBA with 16
 * of them, then on one with many: seconds and bytes of a unit stay the same when growth is
 * linear.
 */
#define SCSA_MOD bnull
#include <sys/scsi/scsi.h>

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/modctl.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/num.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "sample.h"
#include "scsa/config.h"
#include "scsi/lun.h"

#define UNITS_SMALL	16
#define UNITS_MAX	16384
#define UNIT_BYTES_GOAL	2048
#define UNIT_S_GOAL	10.0

static unsigned int n_units;		/* LUNs of the HBA that is attached next */
static uint64_t lun_list[UNITS_MAX];
static scsi_hba_tran_t *hba_tran;
static scsi_hba_tgtmap_t *hba_map;
static struct scsi_device *first_unit;
static uint64_t n_completed;

/*
 * The HBA.
 */

static void
data_put(struct scsi_pkt *pkt, const uint8_t *data, size_t len)
{
	size_t done = 0;

	for (uint_t i = 0; i < pkt->pkt_numcookies && done < len; i++) {
		const ddi_dma_cookie_t *c = &pkt->pkt_cookies[i];
		size_t part = c->dmac_size < len - done ? c->dmac_size : len - done;

		memcpy((void *)(uintptr_t)c->dmac_laddress, data + done, part);
		done += part;
	}
	pkt->pkt_state |= STATE_XFERRED_DATA;
	pkt->pkt_resid = 0;
	for (uint_t i = 0; i < pkt->pkt_numcookies; i++)
		pkt->pkt_resid += (ssize_t)pkt->pkt_cookies[i].dmac_size;
	pkt->pkt_resid -= (ssize_t)done;
}

static void
answer_inquiry(struct scsi_pkt *pkt)
{
	uint8_t data[36] = { 0, 0, 5, 2, 31 };

	if (pkt->pkt_cdbp[1] & 1) {
		*pkt->pkt_scbp = STATUS_CHECK;
		return;
	}
	memcpy(data + 8, "BENCH   NULL DISK       0001", 28);
	data_put(pkt, data, sizeof(data));
}

static void
answer_report_luns(struct scsi_pkt *pkt)
{
	size_t len = 8 + 8 * (size_t)n_units, room = be32_get(pkt->pkt_cdbp + 6);
	uint8_t *data = calloc(1, len);

	if (data == NULL)
		return;
	(void)lunfmt_report_build(lun_list, n_units, data, len);
	data_put(pkt, data, len < room ? len : room);
	free(data);
}

static int
bnull_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	*pkt->pkt_scbp = STATUS_GOOD;
	if (pkt->pkt_cdbp[0] == SCMD_INQUIRY)
		answer_inquiry(pkt);
	else if (pkt->pkt_cdbp[0] == SCMD_REPORT_LUNS)
		answer_report_luns(pkt);
	scsi_hba_pkt_comp(pkt);
	return TRAN_ACCEPT;
}

static int
bnull_none(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	(void)pkt;
	return 0;
}

static int
bnull_reset(struct scsi_address *ap, int level)
{
	(void)ap;
	(void)level;
	return 1;
}

static int
bnull_getcap(struct scsi_address *ap, char *cap, int whom)
{
	(void)ap;
	(void)whom;
	return scsi_hba_lookup_capstr(cap) == SCSI_CAP_CDB_LEN ? 16 : -1;
}

static int
bnull_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	(void)ap;
	(void)cap;
	(void)value;
	(void)whom;
	return 0;
}

static int
bnull_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

static int
iport_attach(dev_info_t *dip)
{
	if (scsi_hba_tgtmap_create(dip, SCSI_TM_FULLSET, 60000000, 1000, NULL, NULL, NULL,
	    &hba_map) != DDI_SUCCESS)
		return DDI_FAILURE;
	(void)scsi_hba_tgtmap_set_begin(hba_map);
	(void)scsi_hba_tgtmap_set_add(hba_map, SCSI_TGT_SCSI_DEVICE, (char[]){ "t0" }, NULL);
	(void)scsi_hba_tgtmap_set_end(hba_map, 0);
	return DDI_SUCCESS;
}

static int
bnull_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	ddi_dma_attr_t attr = {
		.dma_attr_addr_hi = UINT64_MAX, .dma_attr_count_max = UINT32_MAX,
		.dma_attr_align = 1, .dma_attr_burstsizes = 1, .dma_attr_minxfer = 1,
		.dma_attr_maxxfer = UINT32_MAX, .dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = 64, .dma_attr_granular = 1,
	};

	(void)cmd;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return iport_attach(dip);
	hba_tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	hba_tran->tran_start = bnull_start;
	hba_tran->tran_abort = bnull_none;
	hba_tran->tran_reset = bnull_reset;
	hba_tran->tran_getcap = bnull_getcap;
	hba_tran->tran_setcap = bnull_setcap;
	hba_tran->tran_setup_pkt = bnull_setup;
	if (scsi_hba_attach_setup(dip, &attr, hba_tran, SCSI_HBA_HBA | SCSI_HBA_ADDR_COMPLEX |
	    SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB) != DDI_SUCCESS)
		return DDI_FAILURE;
	return scsi_hba_iport_register(dip, (char[]){ "b0" });
}

static int
bnull_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)cmd;
	if (scsi_hba_iport_unit_address(dip) != NULL) {
		scsi_hba_tgtmap_destroy(hba_map);
		return DDI_SUCCESS;
	}
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	scsi_hba_tran_free(hba_tran);
	return DDI_SUCCESS;
}

static struct dev_ops bnull_ops = {
	.devo_rev = DEVO_REV, .devo_probe = nulldev, .devo_attach = bnull_attach,
	.devo_detach = bnull_detach, .devo_reset = nodev,
};
static struct modldrv bnull_modldrv = { &mod_driverops, "bnull", &bnull_ops };
static struct modlinkage bnull_modlinkage = { MODREV_1, { &bnull_modldrv, NULL } };

int
_init(void)
{
	return scsi_hba_init(&bnull_modlinkage) != 0 ? EINVAL : mod_install(&bnull_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&bnull_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&bnull_modlinkage, modinfop);
}

/*
 * The target driver: it keeps nothing, so that units show what they cost the framework.
 */

static int
unit_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	(void)cmd;
	if (scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS)
		return DDI_FAILURE;
	if (strcmp(scsi_device_unit_address(sd), "t0,0") == 0)
		first_unit = sd;
	return DDI_SUCCESS;
}

static int
unit_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	(void)cmd;
	return DDI_SUCCESS;
}

static struct dev_ops unit_ops = {
	.devo_rev = DEVO_REV, .devo_probe = nulldev, .devo_attach = unit_attach,
	.devo_detach = unit_detach, .devo_reset = nodev,
};
static struct modldrv unit_modldrv = { &mod_driverops, "bunit", &unit_ops };
static struct modlinkage unit_modlinkage = { MODREV_1, { &unit_modldrv, NULL } };

static int
unit_init(void)
{
	return mod_install(&unit_modlinkage);
}

static int
unit_fini(void)
{
	return mod_remove(&unit_modlinkage);
}

/*
 * Packets.
 */

static void
packet_done(struct scsi_pkt *pkt)
{
	n_completed++;
	scsi_destroy_pkt(pkt);
}

/* @n packets, one after the other; a function of its own, for profilers */
static void __attribute__((noinline))
packets_run(struct scsi_device *sd, struct buf *bp, uint64_t n)
{
	while (n-- > 0) {
		struct scsi_pkt *pkt = scsi_init_pkt(&sd->sd_address, NULL, bp, CDB_GROUP1,
		    (int)sizeof(struct scsi_arq_status), 0, 0, NULL_FUNC, NULL);

		if (pkt == NULL)
			abort();
		pkt->pkt_cdbp[0] = bp == NULL ? SCMD_TEST_UNIT_READY : SCMD_READ_G1;
		pkt->pkt_comp = packet_done;
		pkt->pkt_time = 30;
		pkt->pkt_flags = FLAG_STAG;
		if (scsi_transport(pkt) != TRAN_ACCEPT)
			abort();
	}
}

static void
packets_row(const char *name, size_t len, uint64_t ms)
{
	uint64_t begin, end, n = 0;
	struct buf buf;
	char *data = calloc(1, len + 1);

	bioinit(&buf);
	buf.b_flags |= B_READ;
	buf.b_bcount = len;
	buf.b_un.b_addr = data;
	packets_run(first_unit, len == 0 ? NULL : &buf, 1000);
	begin = sample_now_ns();
	do {
		packets_run(first_unit, len == 0 ? NULL : &buf, 1000);
		n += 1000;
		end = sample_now_ns();
	} while (end - begin < ms * 1000000);
	printf("%-28s %11.0f packets/s %9.1f ns each\n", name,
	    (double)n * 1e9 / (double)(end - begin), (double)(end - begin) / (double)n);
	biofini(&buf);
	free(data);
}

/*
 * Units.
 */

static dev_info_t *
hba_up(unsigned int units, double *ret_s, double *ret_bytes)
{
	struct mallinfo2 before, after;
	dev_info_t *dip;
	uint64_t begin;
	int n;

	n_units = units;
	(void)malloc_trim(0);
	before = mallinfo2();
	if (devi_alloc(devi_root(), "bnull", &dip) < 0 || devi_attach(dip) < 0)
		abort();
	begin = sample_now_ns();
	n = scsa_bus_config_all(dip);
	*ret_s = (double)(sample_now_ns() - begin) / 1e9;
	after = mallinfo2();
	*ret_bytes = (double)(after.uordblks + after.hblkhd) -
	    (double)(before.uordblks + before.hblkhd);
	if (n == (int)units)
		return dip;
	fprintf(stderr, "bench_scsa: %d of %u units\n", n, units);
	exit(EXIT_FAILURE);
}

static void
hba_down(dev_info_t *dip)
{
	if (scsa_bus_unconfig_all(dip) < 0 || devi_detach(dip, DEVI_DETACH_FREE) < 0)
		abort();
	first_unit = NULL;
}

/* seconds and bytes, in all and for each unit */
static bool
units_rows(unsigned int many)
{
	const unsigned int sizes[] = { UNITS_SMALL, many / 4, many };
	double s[3], bytes[3], each;

	for (int i = 0; i < 3; i++) {
		uint64_t begin;
		dev_info_t *dip = hba_up(sizes[i], &s[i], &bytes[i]);

		begin = sample_now_ns();
		hba_down(dip);
		printf("%5u units: enumerated in %8.4f s, %6.1f us each; %8.0f KiB,"
		    " %6.0f bytes each; removed in %7.4f s\n", sizes[i], s[i],
		    s[i] * 1e6 / sizes[i],
		    bytes[i] / 1024, bytes[i] / sizes[i],
		    (double)(sample_now_ns() - begin) / 1e9);
	}
	each = (bytes[2] - bytes[0]) / (sizes[2] - sizes[0]);
	printf("one more unit: %.1f us, %.0f bytes (%.0f beyond its INQUIRY data of %zu)\n",
	    (s[2] - s[0]) * 1e6 / (sizes[2] - sizes[0]), each, each - SUN_INQSIZE,
	    (size_t)SUN_INQSIZE);
	return s[2] < UNIT_S_GOAL && each - SUN_INQSIZE <= UNIT_BYTES_GOAL;
}

static uint64_t
number(const char *text, uint64_t max)
{
	uint64_t n;

	if (text == NULL || num_parse_u64(text, max, &n) < 0) {
		fprintf(stderr, "usage: bench_scsa [--ms N] [--units N] [--packets N]"
		    " [--check]\n");
		exit(EXIT_FAILURE);
	}
	return n;
}

int
main(int argc, char **argv)
{
	uint64_t ms = 500, units = UNITS_MAX, packets = 0;
	bool want_check = false, is_fine = true;
	double s, bytes;
	dev_info_t *dip;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--check") == 0)
			want_check = true;
		else if (strcmp(argv[i], "--ms") == 0)
			ms = number(argv[++i], 100000);
		else if (strcmp(argv[i], "--packets") == 0)
			packets = number(argv[++i], UINT64_MAX);
		else if (strcmp(argv[i], "--units") == 0)
			units = number(argv[++i], UNITS_MAX);
		else
			(void)number(NULL, 0);
	}
	log_set_level(LOG_LEVEL_ERROR);
	/* mallinfo2() sees one arena: let there be no other */
	(void)mallopt(M_ARENA_MAX, 1);
	for (unsigned int i = 0; i < UNITS_MAX; i++)
		lun_list[i] = i;
	if (driver_init("bunit", unit_init, unit_fini) < 0 ||
	    driver_alias_add("bunit", "scsiclass") < 0 ||
	    driver_init("bnull", _init, _fini) < 0)
		return EXIT_FAILURE;
	dip = hba_up(1, &s, &bytes);
	if (packets != 0) {
		packets_run(first_unit, NULL, packets);
	} else {
		packets_row("no data", 0, ms);
		packets_row("read 4 KiB", 4096, ms);
		packets_row("read 128 KiB", 131072, ms);
	}
	hba_down(dip);
	if (packets == 0)
		is_fine = units_rows((unsigned int)(units < 64 ? 64 : units));
	return is_fine || !want_check ? EXIT_SUCCESS : EXIT_FAILURE;
}
