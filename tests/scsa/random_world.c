#include "tests/scsa/random.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "ddi/sim.h"
#include "scsa/config.h"

#define LOCAL	0x5000c50000000001ull
#define REMOTE	0x5000c500aaaa0000ull

/*
 * Steps. Each is one thing that may happen; how often is its weight.
 */

static struct random_target *
target_pick(void)
{
	return &world.target[rng_below(&world.rng, RANDOM_PORTS)]
	    [rng_below(&world.rng, RANDOM_TARGETS)];
}

/* some iport that has a map; NULL */
static struct random_iport *
iport_pick(void)
{
	struct random_iport *iport = &world.iport[rng_below(&world.rng, RANDOM_IPORTS)];

	for (int i = 0; i < RANDOM_IPORTS && iport->map == NULL; i++)
		iport = &world.iport[i];
	return iport->map == NULL ? NULL : iport;
}

static void
step_time(void)
{
	sim_advance_us(rng_below(&world.rng, 2ull * RANDOM_SETTLE));
}

static void
step_plug(void)
{
	int port = target_pick()->port;

	for (uint64_t n = 1 + rng_below(&world.rng, 8); n > 0; n--) {
		struct random_target *t =
		    &world.target[port][rng_below(&world.rng, RANDOM_TARGETS)];

		if (t->is_there && random_chance(3))
			random_unplug(t);
		else
			t->is_there = true;
	}
	random_port_report(port);
}

static void
step_luns(void)
{
	struct random_target *t = target_pick();

	t->luns = (uint8_t)(rng_below(&world.rng, 1u << RANDOM_LUNS) | !random_chance(8));
	if (random_chance(2)) {
		t->changed = t->luns;
		return;
	}
	mutex_enter(&world.lock);
	for (int i = 0; i < RANDOM_IPORTS; i++) {
		if (world.iport[i].map != NULL && world.iport[i].port == t->port)
			scsi_hba_tgtmap_scan_luns(world.iport[i].map, t->addr);
	}
	mutex_exit(&world.lock);
}

static void
step_quiesce(void)
{
	int r = scsa_bus_quiesce(world.hba);

	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(scsa_bus_quiesce(world.hba), -EALREADY);
	step_time();
	ck_assert_int_eq(scsa_bus_unquiesce(world.hba), 0);
}

static void
step_phy(void)
{
	int phy = (int)rng_below(&world.rng, RANDOM_PHYS), to;

	if (world.phy_port[phy] >= 0) {
		ck_assert_int_eq(sas_phymap_phy_rem(world.phymap, phy), DDI_SUCCESS);
		world.phy_port[phy] = -1;
		if (random_chance(3))
			return;
	}
	to = random_chance(4) ? (int)rng_below(&world.rng, RANDOM_PHYPORTS) : phy / 4;
	ck_assert_int_eq(sas_phymap_phy_add(world.phymap, phy, LOCAL,
	    REMOTE + (unsigned int)to), DDI_SUCCESS);
	world.phy_port[phy] = to;
}

static void
step_virtual(void)
{
	world.has_virtual = !world.has_virtual;
	ck_assert_int_eq(world.has_virtual ?
	    scsi_hba_iportmap_iport_add(world.iportmap, (char[]){ "v0" }, NULL) :
	    scsi_hba_iportmap_iport_remove(world.iportmap, (char[]){ "v0" }), DDI_SUCCESS);
}

/*
 * A driver takes its map back while the port stays. Nobody may be about to remove the port:
 * that is known of the virtual one only, when it has been reported for long enough; and units
 * in use would make destroy wait for as long as they are.
 */
static void
step_map(void)
{
	struct random_iport *iport = NULL;

	if (!world.has_virtual)
		return;
	random_client_release();
	sim_advance_us(10 * 1000000);
	for (int i = 0; i < RANDOM_IPORTS; i++) {
		if (world.iport[i].map != NULL && world.iport[i].port == RANDOM_PORTS - 1)
			iport = &world.iport[i];
	}
	if (iport == NULL || !devi_is_attached(iport->dip))
		return;
	random_map_destroy(iport);
	world.n_maps_destroyed++;
	random_map_create(iport);
}

/* requests of the process: any answer of the contract is fine, at any time */
static void
step_request(void)
{
	struct random_iport *iport = iport_pick();
	dev_info_t *dip = iport == NULL ? NULL : iport->dip;
	char ua[40];
	int r = 0;

	if (dip == NULL || !devi_hold(dip))
		return;
	(void)snprintf(ua, sizeof(ua), "%s,%u", world.target[iport->port]
	    [rng_below(&world.rng, RANDOM_TARGETS)].addr,
	    (unsigned int)rng_below(&world.rng, RANDOM_LUNS));
	switch (rng_below(&world.rng, 8)) {
	case 0:
		r = scsa_bus_unconfig_all(dip);
		ck_assert(r == 0 || r == -EBUSY);
		break;
	case 1:
		r = scsa_bus_config_all(dip);
		ck_assert(r >= 0 || r == -ENODEV);
		break;
	case 2: case 3: case 4:
		r = scsa_bus_unconfig_one(dip, ua);
		ck_assert(r == 0 || r == -EBUSY || r == -ENOENT);
		break;
	default:
		r = scsa_bus_config_one(dip, ua, NULL);
		ck_assert(r == 0 || r == -ENXIO || r == -EIO || r == -ENODEV);
	}
	devi_release(dip);
}

static void
step_bus_reset(void)
{
	ck_assert_int_eq(scsa_bus_reset(world.hba), 0);
}

static const struct {
	unsigned int weight;
	void (*fn)(void);
} steps[] = {
	{ 34, random_client_burst },
	{ 20, step_time },
	{ 10, step_plug },
	{ 8, step_luns },
	{ 6, random_client_abort },
	{ 5, random_client_reset },
	{ 5, random_client_hold },
	{ 5, step_request },
	{ 4, step_phy },
	{ 1, step_quiesce },
	{ 1, step_map },
	{ 1, step_virtual },
	{ 1, step_bus_reset },
};

static void
step(void)
{
	uint64_t total = 0, dice;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		total += steps[i].weight;
	dice = rng_below(&world.rng, total);
	for (i = 0; dice >= steps[i].weight; i++)
		dice -= steps[i].weight;
	steps[i].fn();
}

/*
 * The world.
 */

static void
world_fill(void)
{
	for (int port = 0; port < RANDOM_PORTS; port++) {
		for (int i = 0; i < RANDOM_TARGETS; i++) {
			struct random_target *t = &world.target[port][i];

			t->port = port;
			t->is_there = !random_chance(8);
			t->luns = (uint8_t)(rng_below(&world.rng, 1u << RANDOM_LUNS) | 1u);
			if (port == RANDOM_PORTS - 1)
				(void)snprintf(t->addr, sizeof(t->addr), "%x", (unsigned int)i);
			else
				(void)snprintf(t->addr, sizeof(t->addr),
				    "w5000c5000000%02x%02x", (unsigned int)port,
				    (unsigned int)i);
		}
	}
	TAILQ_INIT(&world.cmds);
	mutex_init(&world.lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&world.cv, NULL, CV_DRIVER, NULL);
}

static void
world_begin(uint64_t seed)
{
	dev_info_t *dip;

	memset(&world, 0, sizeof(world));
	world.rng = rng_init(seed);
	world_fill();
	random_client_begin();
	ck_assert_int_eq(driver_init("rtgt", random_client_init, random_client_fini), 0);
	ck_assert_int_eq(driver_alias_add("rtgt", "scsiclass"), 0);
	ck_assert_int_eq(driver_init("rnd", random_hba_init, random_hba_fini), 0);
	ck_assert_int_eq(devi_alloc(devi_root(), "rnd", &dip), 0);
	ck_assert_int_eq(devi_attach(dip), 0);
	for (int phy = 0; phy < RANDOM_PHYS; phy++) {
		world.phy_port[phy] = phy / 4;
		ck_assert_int_eq(sas_phymap_phy_add(world.phymap, phy, LOCAL,
		    REMOTE + (unsigned int)phy / 4), DDI_SUCCESS);
	}
	step_virtual();
	sim_advance_us(4ull * RANDOM_SETTLE);
}

static void
world_end(void)
{
	random_client_end();
	sim_advance_us(10 * 1000000);		/* every command has ended, or expired */
	for (int i = 0; i < RANDOM_PHYS; i++) {
		if (world.phy_port[i] >= 0)
			ck_assert_int_eq(sas_phymap_phy_rem(world.phymap, i), DDI_SUCCESS);
	}
	ck_assert_int_eq(scsa_bus_unconfig_all(world.hba), 0);
	ck_assert_int_eq(devi_detach(world.hba, DEVI_DETACH_FREE), 0);
	ck_assert_int_eq(driver_unload("rnd"), 0);
	driver_alias_remove("scsiclass");
	ck_assert_int_eq(driver_unload("rtgt"), 0);
	ck_assert_uint_eq(world.n_tgt_init, world.n_tgt_free);
	ck_assert_uint_eq(world.n_attach, world.n_detach);
	ck_assert_uint_eq(world.n_activated, world.n_deactivated);
	ck_assert_int_eq(random_client_units(), 0);
	cv_destroy(&world.cv);
	mutex_destroy(&world.lock);
}

void
random_world(uint64_t seed, uint64_t n)
{
	world_begin(seed);
	while (n-- > 0)
		step();
	world_end();
}
