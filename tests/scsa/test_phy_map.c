/*
 * Phy maps: phys form ports; a port has a name as long as it is active; the driver makes an
 * iport of that name.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "ddi/sim.h"
#include "scsa/config.h"
#include "tests/include/check_main.h"
#include "tests/scsa/mock_maps.h"

#define LOCAL	0x5000c50000000001ull
#define REMOTE	0x5000c500aaaa0000ull	/* plus the number of the remote port */

static sas_phymap_t *map;
static scsi_hba_iportmap_t *imap;
static char plog[4096];
static bool want_iports, is_ending;
static char values[16][8];
static int n_values;

static void
plog_add(char sign, const char *ua, const char *value)
{
	size_t len = strlen(plog);
	uint64_t tenths = (sim_now_us() - maps.base_us) * 10 / MAPS_SETTLE_US;

	(void)snprintf(plog + len, sizeof(plog) - len, "%s%llu.%llu %c%s(%s)",
	    len == 0 ? "" : " ", (unsigned long long)(tenths / 10),
	    (unsigned long long)(tenths % 10), sign, ua, value);
}

static void
port_activate(void *priv, char *ua, void **ua_privp)
{
	ck_assert_ptr_eq(priv, &map);
	ck_assert_ptr_null(*ua_privp);
	(void)snprintf(values[n_values % 16], sizeof(values[0]), "v%d", n_values % 100);
	*ua_privp = values[n_values++ % 16];
	plog_add('+', ua, *ua_privp);
	/* the map can be asked in here */
	(void)sas_phymap_uahasphys(map, ua);
	if (want_iports)
		ck_assert_int_eq(scsi_hba_iportmap_iport_add(imap, ua, NULL), DDI_SUCCESS);
}

static void
port_deactivate(void *priv, char *ua, void *ua_priv)
{
	ck_assert_ptr_eq(priv, &map);
	ck_assert(is_ending || sas_phymap_uahasphys(map, ua) == 0);
	plog_add('-', ua, ua_priv);
	if (want_iports)
		ck_assert_int_eq(scsi_hba_iportmap_iport_remove(imap, ua), DDI_SUCCESS);
}

static void
create_maps(dev_info_t *dip)
{
	plog[0] = '\0';
	n_values = 0;
	if (want_iports)
		ck_assert_int_eq(scsi_hba_iportmap_create(dip, 1, MAPS_SETTLE_US / 10, &imap),
		    DDI_SUCCESS);
	ck_assert_int_eq(sas_phymap_create(dip, MAPS_SETTLE_US, PHYMAP_MODE_SIMPLE, NULL, &map,
	    port_activate, port_deactivate, &map), DDI_SUCCESS);
}

static void
destroy_maps(dev_info_t *dip)
{
	(void)dip;
	is_ending = true;
	sas_phymap_destroy(map);
	map = NULL;
	if (want_iports)
		scsi_hba_iportmap_destroy(imap);
	imap = NULL;
}

static void
begin(bool with_iports)
{
	want_iports = with_iports;
	maps_setup(SCSI_TM_PERADDR);
	mock.iports[0] = NULL;
	mock.on_attached = create_maps;
	mock.on_detach = destroy_maps;
	maps.hba = mock_start();
	maps_mark();
}

static void
add(int phy, unsigned int remote)
{
	ck_assert_int_eq(sas_phymap_phy_add(map, phy, LOCAL, REMOTE + remote), DDI_SUCCESS);
}

static void
take(int phy)
{
	ck_assert_int_eq(sas_phymap_phy_rem(map, phy), DDI_SUCCESS);
}

static void
expect(const char *text)
{
	ck_assert_str_eq(plog, text);
	plog[0] = '\0';
}

SIM_TEST(c40_phys_form_a_port_named_by_their_mask)
{
	begin(false);
	for (int i = 0; i < 4; i++)
		add(i, 1);
	maps_until(9);
	expect("");
	maps_until(11);
	expect("1.0 +f(v0)");
	add(8, 2);
	maps_until(30);
	expect("2.1 +100(v1)");
	maps_end();
	expect("3.0 -f(v0) 3.0 -100(v1)");
}

SIM_TEST(c40_the_name_stays_while_phys_come_and_go)
{
	begin(false);
	add(0, 1);
	add(1, 1);
	maps_until(11);
	expect("1.0 +3(v0)");
	add(2, 1);
	take(0);
	maps_until(30);
	take(1);
	maps_until(50);
	expect("");
	ck_assert_str_eq(sas_phymap_lookup_ua(map, LOCAL, REMOTE + 1), "3");
	take(2);
	maps_until(59);
	expect("");
	maps_until(61);
	expect("6.0 -3(v0)");
	ck_assert_ptr_null(sas_phymap_lookup_ua(map, LOCAL, REMOTE + 1));
	maps_end();
}

SIM_TEST(c40_what_does_not_last_is_not_told)
{
	begin(false);
	add(0, 1);
	maps_until(5);
	take(0);
	maps_until(30);
	expect("");
	add(0, 1);
	maps_until(45);
	expect("4.0 +1(v0)");
	take(0);
	maps_until(50);
	add(0, 1);
	maps_until(80);
	expect("");
	maps_end();
}

SIM_TEST(c40_every_phy_that_joins_starts_the_time_again)
{
	begin(false);
	for (int i = 0; i < 4; i++) {
		add(i, 1);
		maps_until((i + 1) * 8);
	}
	expect("");
	maps_until(50);
	expect("3.4 +f(v0)");
	maps_end();
}

SIM_TEST(c40_a_phy_is_in_one_port)
{
	begin(false);
	add(0, 1);
	ck_assert_int_eq(sas_phymap_phy_add(map, 0, LOCAL, REMOTE + 1), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_phy_add(map, 0, LOCAL, REMOTE + 2), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_phy_rem(map, 1), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_phy_add(map, -1, LOCAL, REMOTE), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_phy_add(map, 64, LOCAL, REMOTE), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_phy_rem(map, 64), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_phy_add(NULL, 1, LOCAL, REMOTE), DDI_FAILURE);
	/* the same remote behind another local address is another port */
	ck_assert_int_eq(sas_phymap_phy_add(map, 1, LOCAL + 1, REMOTE + 1), DDI_SUCCESS);
	maps_until(11);
	expect("1.0 +1(v0) 1.0 +2(v1)");
	maps_end();
}

SIM_TEST(c41_questions)
{
	sas_phymap_phys_t *phys;
	char f[] = "f", other[] = "5", *ua;

	begin(false);
	for (int i = 0; i < 4; i++)
		add(i, 1);
	/* not active yet */
	ck_assert_ptr_null(sas_phymap_lookup_ua(map, LOCAL, REMOTE + 1));
	ck_assert_ptr_null(sas_phymap_phy2ua(map, 0));
	ck_assert_int_eq(sas_phymap_uahasphys(map, f), 0);
	ck_assert_ptr_null(sas_phymap_ua2phys(map, f));
	maps_until(11);
	ck_assert_str_eq(sas_phymap_lookup_ua(map, LOCAL, REMOTE + 1), "f");
	ck_assert_str_eq(sas_phymap_lookup_uapriv(map, f), "v0");
	ck_assert_ptr_null(sas_phymap_lookup_uapriv(map, other));
	ck_assert_int_eq(sas_phymap_uahasphys(map, f), 1);
	ua = sas_phymap_phy2ua(map, 3);
	ck_assert_str_eq(ua, "f");
	sas_phymap_ua_free(ua);
	ck_assert_ptr_null(sas_phymap_phy2ua(map, 4));
	ck_assert_ptr_null(sas_phymap_phy2ua(map, 99));
	take(1);
	phys = sas_phymap_ua2phys(map, f);
	ck_assert_int_eq(sas_phymap_phys_next(phys), 0);
	ck_assert_int_eq(sas_phymap_phys_next(phys), 2);
	ck_assert_int_eq(sas_phymap_phys_next(phys), 3);
	ck_assert_int_eq(sas_phymap_phys_next(phys), -1);
	ck_assert_int_eq(sas_phymap_phys_next(phys), -1);
	sas_phymap_phys_free(phys);
	sas_phymap_phys_free(NULL);
	sas_phymap_ua_free(NULL);
	ck_assert_int_eq(sas_phymap_phys_next(NULL), -1);
	maps_end();
}

SIM_TEST(c42_the_iport_has_the_name_of_its_port)
{
	sas_phymap_phys_t *phys;

	begin(true);
	for (int i = 0; i < 4; i++)
		add(i, 1);
	maps_until(30);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	ck_assert_str_eq(scsi_hba_iport_unit_address(maps.iport), "f");
	phys = sas_phymap_ua2phys(map, scsi_hba_iport_unit_address(maps.iport));
	ck_assert_ptr_nonnull(phys);
	sas_phymap_phys_free(phys);
	for (int i = 0; i < 4; i++)
		take(i);
	maps_until(60);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	maps_end();
}

SIM_TEST(who_asks_for_everything_waits_for_phys)
{
	begin(true);
	for (int i = 0; i < 4; i++)
		add(i, 1);
	ck_assert_int_ge(scsa_bus_config_all(maps.hba), 0);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	maps_end();
}

SIM_TEST(c43_phys_that_change_sides_make_another_port)
{
	begin(false);
	add(0, 1);
	add(1, 1);
	maps_until(11);
	expect("1.0 +3(v0)");
	for (int i = 0; i < 2; i++) {
		take(i);
		add(i, 2);
	}
	maps_until(30);
	/* both exist for a moment, and are not called the same */
	expect("2.1 +5000c50000000001,5000c500aaaa0002(v1) 2.1 -3(v0)");
	maps_end();
}

SIM_TEST(c40_a_storm_is_cut_and_the_truth_wins_in_the_end)
{
	begin(false);
	add(0, 1);
	maps_until(11);
	expect("1.0 +1(v0)");
	for (int i = 0; i < 100; i++) {
		take(0);
		add(0, 1);
		maps_until(12 + i);
	}
	take(0);
	maps_until(200);
	ck_assert_str_eq(strrchr(plog, ' ') != NULL ? strrchr(plog, ' ') + 1 : "", "-1(v0)");
	plog[0] = '\0';
	maps_mark();
	add(0, 1);
	maps_until(20);
	expect("1.0 +1(v1)");
	maps_end();
}

SIM_TEST(an_hba_without_iports_has_no_phys)
{
	sas_phymap_t *other = NULL;

	(void)mock_start();
	ck_assert_int_eq(sas_phymap_create(mock.dip, 1, PHYMAP_MODE_SIMPLE, NULL, NULL, NULL,
	    NULL, &other), DDI_FAILURE);
	ck_assert_ptr_null(other);
	mock_stop();
}

SIM_TEST(c40_create_checks_its_arguments)
{
	sas_phymap_t *other = NULL;

	begin(false);
	ck_assert_int_eq(sas_phymap_create(NULL, 1, PHYMAP_MODE_SIMPLE, NULL, NULL, NULL, NULL,
	    &other), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_create(maps.hba, 0, PHYMAP_MODE_SIMPLE, NULL, NULL, NULL,
	    NULL, &other), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_create(maps.hba, 1, (sas_phymap_mode_t)3, NULL, NULL, NULL,
	    NULL, &other), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_create(maps.hba, 1, PHYMAP_MODE_SIMPLE, &maps, NULL, NULL,
	    NULL, &other), DDI_FAILURE);
	ck_assert_int_eq(sas_phymap_create(maps.hba, 1, PHYMAP_MODE_SIMPLE, NULL, NULL, NULL,
	    NULL, NULL), DDI_FAILURE);
	/* callbacks may be missing */
	ck_assert_int_eq(sas_phymap_create(maps.hba, 1, PHYMAP_MODE_SIMPLE, NULL, NULL, NULL,
	    NULL, &other), DDI_SUCCESS);
	ck_assert_int_eq(sas_phymap_phy_add(other, 0, 1, 2), DDI_SUCCESS);
	maps_until(11);
	ck_assert_str_eq(sas_phymap_lookup_ua(other, 1, 2), "1");
	sas_phymap_destroy(other);
	sas_phymap_destroy(NULL);
	maps_end();
}

/* a map for each of three iports */
static scsi_hba_tgtmap_t *three[3];
static dev_info_t *three_dip[3];

static void
three_attach(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	int i = mock.n_iports_attached - 1;

	(void)tran;
	three_dip[i] = dip;
	ck_assert_int_eq(scsi_hba_tgtmap_create(dip, SCSI_TM_FULLSET, 1, MAPS_SETTLE_US, NULL,
	    NULL, NULL, &three[i]), DDI_SUCCESS);
}

static void
three_detach(dev_info_t *dip)
{
	for (int i = 0; i < 3; i++) {
		if (three_dip[i] == dip)
			scsi_hba_tgtmap_destroy(three[i]);
	}
}

static void
three_set(int i, const char *addr)
{
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(three[i]), DDI_SUCCESS);
	if (addr != NULL)
		ck_assert_int_eq(scsi_hba_tgtmap_set_add(three[i], SCSI_TGT_SCSI_DEVICE,
		    (char *)(uintptr_t)addr, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(three[i], 0), DDI_SUCCESS);
}

static int
three_units(int i)
{
	int n = 0;

	devi_enter(three_dip[i]);
	for (dev_info_t *c = devi_first_child(three_dip[i]); c != NULL; c = devi_next(c))
		n += devi_is_attached(c);
	devi_exit(three_dip[i]);
	return n;
}

SIM_TEST(c91_wide_narrow_and_virtual_ports_are_independent)
{
	maps_setup(SCSI_TM_FULLSET);
	mock.iports[0] = "f";
	mock.iports[1] = "10";
	mock.iports[2] = "v0";
	mock.target[0].wwn = "w5000c50012345678";	/* physical: world wide names */
	mock.target[1].wwn = "7";			/* virtual: numbers */
	mock.on_iport = three_attach;
	mock.on_iport_detach = three_detach;
	maps.hba = mock_start();
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(scsa_bus_config_one(maps.hba, mock.iports[i], NULL), 0);
	maps_mark();
	three_set(0, "w5000c50012345678");
	three_set(1, "w5000c50012345678");
	three_set(2, "7");
	maps_until(11);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(three_units(i), 1);
	three_set(1, NULL);
	maps_until(30);
	ck_assert_int_eq(three_units(0), 1);
	ck_assert_int_eq(three_units(1), 0);
	ck_assert_int_eq(three_units(2), 1);
	maps_end();
}

CHECK_MAIN("phy map",
    c40_phys_form_a_port_named_by_their_mask,
    c40_the_name_stays_while_phys_come_and_go,
    c40_what_does_not_last_is_not_told,
    c40_every_phy_that_joins_starts_the_time_again,
    c40_a_phy_is_in_one_port,
    c41_questions,
    c42_the_iport_has_the_name_of_its_port,
    who_asks_for_everything_waits_for_phys,
    c43_phys_that_change_sides_make_another_port,
    c40_a_storm_is_cut_and_the_truth_wins_in_the_end,
    an_hba_without_iports_has_no_phys,
    c40_create_checks_its_arguments,
    c91_wide_narrow_and_virtual_ports_are_independent)
