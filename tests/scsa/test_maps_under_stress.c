/*
 * Everything at once, from a seeded generator: targets and LUNs that come and go on four
 * iports, reports that contradict each other, units in use, commands, requests of the process.
 * The ordering checker watches, and balances are zero in the end.
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/rng.h"
#include "ddi/sim.h"
#include "scsa/config.h"
#include "tests/include/check_main.h"
#include "tests/scsa/mock_maps.h"

#define IPORTS	4
#define STEPS	300
#ifdef SCSAD_TSAN
#define WORLDS	5	/* each takes seconds there on a busy machine */
#else
#define WORLDS	20
#endif

static struct {
	dev_info_t *dip;
	scsi_hba_tgtmap_t *map;
	uint64_t active, active_seen;	/* between activate and deactivate, by target */
} ports[IPORTS];
static struct rng rng;

static int
port_index(const dev_info_t *dip)
{
	for (int i = 0; i < IPORTS; i++) {
		if (ports[i].dip == dip)
			return i;
	}
	return -1;
}

static void
activate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	int i = (int)(intptr_t)priv;
	uint64_t bit = 1ull << (addr[0] - 'A');

	(void)type;
	ck_assert_uint_eq(ports[i].active & bit, 0);
	ports[i].active |= bit;
	ports[i].active_seen |= bit;
	*privp = &ports[i];
}

static boolean_t
deactivate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void *tgt_priv,
    scsi_tgtmap_deact_rsn_t why)
{
	int i = (int)(intptr_t)priv;
	uint64_t bit = 1ull << (addr[0] - 'A');

	(void)type;
	if (why == SCSI_TGT_DEACT_RSN_UNSTBL) {
		ck_assert_ptr_eq(tgt_priv, &rng);
		return B_FALSE;
	}
	ck_assert_uint_eq(ports[i].active & bit, bit);
	ck_assert_ptr_eq(tgt_priv, &ports[i]);
	ports[i].active &= ~bit;
	return B_TRUE;
}

static void
iport(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	int i = mock.n_iports_attached - 1;

	(void)tran;
	ports[i].dip = dip;
	ck_assert_int_eq(scsi_hba_tgtmap_create(dip, i % 2 == 0 ? SCSI_TM_FULLSET :
	    SCSI_TM_PERADDR, MAPS_SETTLE_US, MAPS_SETTLE_US, (void *)(intptr_t)i, activate,
	    deactivate, &ports[i].map), DDI_SUCCESS);
}

static void
iport_detach(dev_info_t *dip)
{
	int i = port_index(dip);

	scsi_hba_tgtmap_destroy(ports[i].map);
	ports[i].map = NULL;
	ck_assert_uint_eq(ports[i].active, 0);
}

static char *
random_addr(char addr[2])
{
	addr[0] = (char)('A' + (int)rng_below(&rng, MOCK_TARGETS));
	addr[1] = '\0';
	return addr;
}

static void
step_report_full(int i)
{
	char addr[2];

	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(ports[i].map), DDI_SUCCESS);
	for (uint64_t n = rng_below(&rng, 20); n > 0; n--)
		ck_assert_int_eq(scsi_hba_tgtmap_set_add(ports[i].map, SCSI_TGT_SCSI_DEVICE,
		    random_addr(addr), &rng), DDI_SUCCESS);
	switch (rng_below(&rng, 8)) {
	case 0:
		ck_assert_int_eq(scsi_hba_tgtmap_set_flush(ports[i].map), DDI_SUCCESS);
		break;
	case 1:
		break;		/* never ended */
	default:
		ck_assert_int_eq(scsi_hba_tgtmap_set_end(ports[i].map, 0), DDI_SUCCESS);
	}
}

static void
step_report(int i)
{
	char addr[2];

	if (i % 2 == 0) {
		step_report_full(i);
		return;
	}
	for (uint64_t n = rng_below(&rng, 10); n > 0; n--) {
		if (rng_below(&rng, 3) == 0)
			ck_assert_int_eq(scsi_hba_tgtmap_tgt_remove(ports[i].map,
			    SCSI_TGT_SCSI_DEVICE, random_addr(addr)), DDI_SUCCESS);
		else
			ck_assert_int_eq(scsi_hba_tgtmap_tgt_add(ports[i].map,
			    SCSI_TGT_SCSI_DEVICE, random_addr(addr), &rng), DDI_SUCCESS);
	}
}

/* a command to some unit, if it is there */
static void
step_command(int i)
{
	char addr[2], key[16];
	struct scsi_pkt *pkt;
	dev_info_t *dip;

	(void)snprintf(key, sizeof(key), "@%s,%x", random_addr(addr),
	    (unsigned int)rng_below(&rng, 3));
	dip = devi_find(ports[i].dip, key);
	if (dip == NULL)
		return;
	if (devi_hold(dip)) {
		if (devi_is_attached(dip)) {
			pkt = mock_pkt(ddi_get_driver_private(dip), NULL, SCMD_TEST_UNIT_READY,
			    0);
			(void)scsi_poll(pkt);
			scsi_destroy_pkt(pkt);
		}
		devi_release(dip);
	}
	devi_unref(dip);
}

static void
step_request(int i)
{
	char addr[2], ua[16];
	int r;

	(void)snprintf(ua, sizeof(ua), "%s,%x", random_addr(addr),
	    (unsigned int)rng_below(&rng, 3));
	switch (rng_below(&rng, 4)) {
	case 0:
		r = scsa_bus_config_one(ports[i].dip, ua, NULL);
		ck_assert(r == 0 || r == -ENXIO || r == -EIO);
		break;
	case 1:
		r = scsa_bus_unconfig_one(ports[i].dip, ua);
		ck_assert(r == 0 || r == -ENOENT || r == -EBUSY);
		break;
	case 2:
		r = scsa_bus_unconfig_all(ports[i].dip);
		ck_assert(r == 0 || r == -EBUSY);
		break;
	default:
		ck_assert_int_ge(scsa_bus_config_all(ports[i].dip), 0);
	}
}

static void
step(void)
{
	int i = (int)rng_below(&rng, IPORTS), t = (int)rng_below(&rng, MOCK_TARGETS);
	char addr[2];

	switch (rng_below(&rng, 12)) {
	case 0: case 1: case 2: case 3:
		step_report(i);
		break;
	case 4: case 5:
		step_command(i);
		break;
	case 6:
		mock.target[t].is_there = rng_below(&rng, 4) != 0;
		break;
	case 7:
		mock.target[t].nluns = (int)rng_below(&rng, 4);
		break;
	case 8:
		scsi_hba_tgtmap_scan_luns(ports[i].map, random_addr(addr));
		break;
	case 9:
		mock_tgt.refuses_detach = rng_below(&rng, 2) != 0;
		break;
	case 10:
		step_request(i);
		break;
	default:
		sim_advance_us(rng_below(&rng, 2 * MAPS_SETTLE_US));
	}
}

static void
run(void *arg)
{
	static const char *const iports[] = { "p0", "p1", "p2", "p3" };

	rng = rng_init(*(uint64_t *)arg);
	memset(ports, 0, sizeof(ports));
	maps_setup(SCSI_TM_FULLSET);
	mock.when = MOCK_TASKQ;
	mock.on_iport = iport;
	mock.on_iport_detach = iport_detach;
	for (int i = 0; i < IPORTS; i++)
		mock.iports[i] = iports[i];
	maps.hba = mock_start();
	for (int i = 0; i < IPORTS; i++)
		ck_assert_int_eq(scsa_bus_config_one(maps.hba, iports[i], NULL), 0);
	for (int n = 0; n < STEPS; n++)
		step();
	mock_tgt.refuses_detach = false;
	for (int i = 0; i < IPORTS; i++)
		ck_assert_uint_ne(ports[i].active_seen, 0);
	mock_stop();
}

static uint64_t last_hash;

static void
run_and_remember(void *arg)
{
	run(arg);
	last_hash = sim_trace_hash();
}

static void
run_seed(uint64_t seed)
{
	const struct sim_opts opts = { .seed = seed, .yield_per_1024 = 128 };

	mock_defaults();
	mock_order_begin();
	sim_run(&opts, run_and_remember, &seed);
	mock_order_end();
}

START_TEST(c84_many_worlds)
{
	run_seed((uint64_t)_i + 1);
}
END_TEST

START_TEST(c84_the_same_seed_is_the_same_world)
{
	uint64_t hash;

	run_seed(99);
	hash = last_hash;
	run_seed(99);
	ck_assert_uint_eq(hash, last_hash);
	run_seed(100);
	ck_assert_uint_ne(hash, last_hash);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("maps under stress");
	TCase *tcase = tcase_create("maps under stress");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, CHECK_SECONDS);
	tcase_add_loop_test(tcase, c84_many_worlds, 0, WORLDS);
	tcase_add_test(tcase, c84_the_same_seed_is_the_same_world);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
