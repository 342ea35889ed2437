#include "tests/scsa/mock_maps.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "ddi/sim.h"
#include "scsa/config.h"

struct mock_maps maps;

static const char *const names[MOCK_TARGETS] = {
	"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P",
};

static void
log_add(char sign, const char *addr, scsi_tgtmap_tgt_type_t type, const char *value)
{
	size_t len = strlen(maps.log);
	uint64_t tenths = (sim_now_us() - maps.base_us) * 10 / MAPS_SETTLE_US;

	(void)snprintf(maps.log + len, sizeof(maps.log) - len, "%s%llu.%llu %c%s%s(%s)",
	    len == 0 ? "" : " ", (unsigned long long)(tenths / 10),
	    (unsigned long long)(tenths % 10), sign, type == SCSI_TGT_SMP_DEVICE ? "s" : "",
	    addr, value == NULL ? "" : value);
}

static void
activate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	ck_assert_ptr_eq(priv, &maps);
	ck_assert(!sim_is_active() || ddi_get_lbolt() >= 0);
	log_add('+', addr, type, *privp);
	if (maps.on_activate != NULL)
		maps.on_activate(addr, type, privp);
}

static boolean_t
deactivate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void *tgt_priv,
    scsi_tgtmap_deact_rsn_t why)
{
	static const char signs[] = {
		[SCSI_TGT_DEACT_RSN_GONE] = '-',
		[SCSI_TGT_DEACT_RSN_CFG_FAIL] = 'x',
		[SCSI_TGT_DEACT_RSN_UNSTBL] = '!',
	};

	ck_assert_ptr_eq(priv, &maps);
	log_add(signs[why], addr, type, tgt_priv);
	if (maps.on_deactivate != NULL)
		maps.on_deactivate(addr, type, tgt_priv, why);
	return maps.want_return ? B_TRUE : B_FALSE;
}

void
maps_iport(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)tran;
	maps.iport = dip;
	ck_assert_int_eq(scsi_hba_tgtmap_create(dip, maps.mode, maps.csync_us, MAPS_SETTLE_US,
	    &maps, maps.has_no_callbacks ? NULL : activate,
	    maps.has_no_callbacks ? NULL : deactivate, &maps.map), DDI_SUCCESS);
}

void
maps_iport_detach(dev_info_t *dip)
{
	(void)dip;
	scsi_hba_tgtmap_destroy(maps.map);
	maps.map = NULL;
}

void
maps_setup(scsi_tgtmap_mode_t mode)
{
	maps = (struct mock_maps){ .mode = mode, .csync_us = 1 };
	mock.flags |= SCSI_HBA_HBA | SCSI_HBA_ADDR_COMPLEX;
	mock.iports[0] = "iport0";
	mock.targets = 0;
	mock.on_iport = maps_iport;
	mock.on_iport_detach = maps_iport_detach;
	for (int i = 0; i < MOCK_TARGETS; i++) {
		mock.target[i].wwn = names[i];
		mock_set_luns(i, 1);
	}
}

void
maps_begin(void)
{
	dev_info_t *iport;

	maps.hba = mock_start();
	ck_assert_int_eq(scsa_bus_config_one(maps.hba, "iport0", &iport), 0);
	ck_assert_ptr_eq(iport, maps.iport);
	maps_mark();
}

void
maps_end(void)
{
	mock_stop();
}

void
maps_mark(void)
{
	maps.log[0] = '\0';
	maps.base_us = sim_now_us();
}

void
maps_until(int tenths)
{
	uint64_t at = maps.base_us + (uint64_t)tenths * MAPS_SETTLE_US / 10;
	uint64_t now = sim_now_us();

	ck_assert_uint_ge(at, now);
	/* a little behind, so that what is due at that moment has happened */
	sim_advance_us(at - now + 1);
	sim_settle();
}

void
maps_expect(const char *log)
{
	ck_assert_str_eq(maps.log, log);
}

void
maps_put(const char *addr, const char *value)
{
	ck_assert_int_eq(scsi_hba_tgtmap_set_add(maps.map, SCSI_TGT_SCSI_DEVICE,
	    (char *)(uintptr_t)addr, (void *)(uintptr_t)value), DDI_SUCCESS);
}

void
maps_set(const char *addrs)
{
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	for (const char *p = addrs; *p != '\0'; p++)
		maps_put((char[]){ *p, '\0' }, "p");
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_SUCCESS);
}

void
maps_add(const char *addr, const char *value)
{
	ck_assert_int_eq(scsi_hba_tgtmap_tgt_add(maps.map, SCSI_TGT_SCSI_DEVICE,
	    (char *)(uintptr_t)addr, (void *)(uintptr_t)value), DDI_SUCCESS);
}

void
maps_remove(const char *addr)
{
	ck_assert_int_eq(scsi_hba_tgtmap_tgt_remove(maps.map, SCSI_TGT_SCSI_DEVICE,
	    (char *)(uintptr_t)addr), DDI_SUCCESS);
}

bool
maps_has(const char *addr)
{
	char key[80];
	dev_info_t *dip;
	bool is_attached;

	(void)snprintf(key, sizeof(key), "@%s", addr);
	dip = devi_find(maps.iport, key);
	if (dip == NULL)
		return false;
	is_attached = devi_is_attached(dip);
	devi_unref(dip);
	return is_attached;
}
