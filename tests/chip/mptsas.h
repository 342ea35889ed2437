/*
 * tests/chip/mptsas.h - words that tests of the SAS1068 have in common
 *
 * What      Disk n of the model sits behind phy n and is called MPT_WWN + n; that is its iport,
 *           too. Only LUNs 0 and 1 exist there, and no event is ever sent: topology is polled.
 */
#ifndef TESTS_CHIP_MPTSAS_H
#define TESTS_CHIP_MPTSAS_H

#include <check_main.h>
#include <stdio.h>
#include <string.h>

#include "hw/mptsas/module.h"
#include "hw/mptsas/regs.h"
#include "tests/chip/chip.h"

#define MPT_WWN		0x5000c50000000a00ull
#define MPT_BAR		1
#define MPT_OPTIONS(n)	"wwn=0x5000c50000000a0" #n
#define MPT_DISK(t, ...)                                                       \
	{ .target = t, .options = MPT_OPTIONS(t), __VA_ARGS__ }
#define MPT_SPEC(...)                                                          \
	{ .device = "mptsas1068", .driver = MPTSAS_DRIVER,                     \
	    .mod_init = mptsas_mod_init, .mod_fini = mptsas_mod_fini, __VA_ARGS__ }

/* mpt_is_function() - for chip_let_go_behind(): a request to manage tasks */
static inline bool
mpt_is_function(void *chip, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	(void)width;
	return bar == MPT_BAR && off == MPT_REQUEST_FIFO &&
	    ((const uint8_t *)chip_memory(chip, value, 16))[MPT_FUNCTION] == MPT_FN_TASK_MGMT;
}

/* mpt_unit() - the unit of disk @target, or NULL */
static inline struct scsi_device *
mpt_unit(struct chip *chip, unsigned int target, unsigned int lun)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "w%016llx,%x", MPT_WWN + target, lun);
	return chip_unit_named(chip, name);
}

/* mpt_prop(), mpt_state_is() - what the driver says of the adapter on its node */
static inline int
mpt_prop(struct chip *chip, const char *name)
{
	return ddi_prop_get_int(DDI_DEV_T_ANY, chip_node(chip), DDI_PROP_DONTPASS, name, -1);
}

static inline bool
mpt_state_is(struct chip *chip, const char *want)
{
	char *state;
	bool is_so;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, chip_node(chip), DDI_PROP_DONTPASS,
	    "hba-state", &state) != DDI_PROP_SUCCESS)
		return false;
	is_so = strcmp(state, want) == 0;
	ddi_prop_free(state);
	return is_so;
}

#endif /* TESTS_CHIP_MPTSAS_H */
