/* phys become ports, ports iports, devices targets of theirs; all of it follows events */
#include <string.h>
#include <sys/scsi/impl/scsi_sas.h>

#include "check_main.h"
#include "mock_ioc.h"

#define DISK	0x5000c50000000001ull
#define FAR	0x5000c50000000002ull
#define EXP	0x500e0b0000000001ull

static uint8_t out[8192], in[8192];

static void
move_data(struct scsi_device *sd)
{
	struct io io;

	memset(out, 0x5a, sizeof(out));
	memset(in, 0, sizeof(in));
	ck_assert_int_eq(io_start(&io, sd, out, sizeof(out), false, 30), TRAN_ACCEPT);
	io_end(&io, CMD_CMPLT, 0);
	ck_assert_int_eq(io_start(&io, sd, in, sizeof(in), true, 30), TRAN_ACCEPT);
	io_end(&io, CMD_CMPLT, 0);
	ck_assert_mem_eq(in, out, sizeof(in));
}

static dev_info_t *
iport(const char *name)
{
	return scsi_hba_iport_find(rig_node(), (char *)(uintptr_t)name);
}

static int
num_phys(const char *name)
{
	return ddi_prop_get_int(DDI_DEV_T_ANY, iport(name), DDI_PROP_DONTPASS, "num-phys", -1);
}

static void
one_disk_scenario(void)
{
	ck_assert_uint_eq(rig_units(), 1);
	ck_assert_ptr_nonnull(iport("1"));
	ck_assert_int_eq(num_phys("1"), 1);
	move_data(rig_unit(DISK));
	ck_assert_uint_gt(ioc.last_frame, UINT32_MAX);
	ck_assert_uint_eq(ioc.enabled_switch, 1);
	ck_assert_uint_eq(ioc.dma_refused, 0);
	ck_assert_int_eq(scsi_ifgetcap(&rig_unit(DISK)->sd_address,
	    (char *)(uintptr_t)"interconnect-type", 1), INTERCONNECT_SAS);
}

START_TEST(one_disk)
{
	rig_run(NULL, one_disk_scenario);
}
END_TEST

static void
old_prepare(void)
{
	ioc.is_old = true;
	ioc.frame_dwords = 128;
	ioc.device_id = MPT_DEV_1068;
}

START_TEST(old_firmware)
{
	rig_run(old_prepare, one_disk_scenario);
}
END_TEST

static void
nameless_prepare(void)
{
	ioc.is_nameless = true;
}

START_TEST(an_adapter_without_a_name)
{
	rig_run(nameless_prepare, one_disk_scenario);
}
END_TEST

/* phys 4 to 7 lead to an expander with two disks behind it */
static void
wide_prepare(void)
{
	for (unsigned int i = 4; i < 8; i++)
		ioc_phy(i, 2, 20);
	ioc_expander(1, EXP, 20, 2);
	ioc_disk(2, FAR, 21, 20, 2);
	ioc_disk(3, FAR + 1, 22, 20, 2);
}

static void
wide_scenario(void)
{
	static const uint8_t wide_down[8] = { 4 };
	struct io io;

	ck_assert_uint_eq(rig_units(), 3);
	ck_assert_int_eq(num_phys("f0"), 4);
	ck_assert_ptr_eq(ddi_get_parent(rig_unit(FAR)->sd_dev), iport("f0"));
	move_data(rig_unit(FAR + 1));
	/* half of the width goes; nobody but the iport notices */
	ioc_phy(4, 2, 0);
	ioc_phy(5, 2, 0);
	ioc_event(MPT_EV_PHY_LINK, wide_down, sizeof(wide_down), true);
	rig_settle();
	ck_assert_uint_eq(ioc.acked, 1);
	ck_assert_int_eq(num_phys("f0"), 2);
	ck_assert_uint_eq(rig_units(), 3);
	/* a disk behind it goes, with a command on it */
	ioc.hold = true;
	ck_assert_int_eq(io_start(&io, rig_unit(FAR), in, 512, true, 0), TRAN_ACCEPT);
	memset(&ioc.devices[2].page, 0, sizeof(ioc.devices[2].page));
	ioc_event(MPT_EV_DISCOVERY, "\0\0\0", 4, false);
	rig_settle();
	ioc.hold = false;
	io_end(&io, CMD_DEV_GONE, 0);
	ck_assert_uint_eq(rig_units(), 2);
	/* and the rest of the port */
	ioc_phy(6, 2, 0);
	ioc_phy(7, 2, 0);
	memset(&ioc.devices[3].page, 0, sizeof(ioc.devices[3].page));
	memset(&ioc.devices[1].page, 0, sizeof(ioc.devices[1].page));
	ioc_event(MPT_EV_DISCOVERY, "\0\0\0", 4, false);
	rig_settle();
	ck_assert_uint_eq(rig_units(), 1);
	ck_assert_ptr_null(iport("f0"));
	move_data(rig_unit(DISK));
}

START_TEST(wide_port)
{
	rig_run(wide_prepare, wide_scenario);
}
END_TEST

/* the same disk elsewhere: its address towards the chip is another, its name is not */
static void
move_scenario(void)
{
	struct scsi_device *sd = rig_unit(DISK);

	ioc_disk(5, DISK, 9, 1, 0);
	memset(&ioc.devices[0].page, 0, sizeof(ioc.devices[0].page));
	rig_settle();
	ck_assert_ptr_eq(rig_unit(DISK), sd);
	move_data(sd);
}

START_TEST(another_address)
{
	rig_run(NULL, move_scenario);
}
END_TEST

/* another disk at the same phy: a port, of the same name or not, which leads elsewhere */
static void
swap_scenario(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t sas = i % 2 == 0 ? FAR : DISK;

		ioc_disk(0, sas, 9, 1, 0);
		rig_settle();
		ck_assert_uint_eq(rig_units(), 1);
		ck_assert_ptr_nonnull(rig_unit(sas));
		/* as one port goes and the other comes, names differ */
		ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY,
		    ddi_get_parent(rig_unit(sas)->sd_dev), DDI_PROP_DONTPASS, "num-phys", -1),
		    1);
		move_data(rig_unit(sas));
	}
}

/* the old port has left, and its iport not yet: the new one takes both its name and its
 * iport */
static void
quick_scenario(void)
{
	static const uint8_t link[8] = { 0 };
	dev_info_t *before = iport("1");

	memset(&ioc.devices[0].page, 0, sizeof(ioc.devices[0].page));
	ioc_phy(0, 0, 0);
	ioc_event(MPT_EV_PHY_LINK, link, sizeof(link), false);
	sim_advance_us(MPTSAS_PHY_SETTLE_US + 3000);
	ioc_disk(0, FAR, 9, 1, 0);
	ioc_phy(0, 0, 9);
	ioc_event(MPT_EV_PHY_LINK, link, sizeof(link), false);
	rig_settle();
	ck_assert_ptr_eq(iport("1"), before);
	ck_assert_uint_eq(rig_units(), 1);
	move_data(rig_unit(FAR));
}

START_TEST(another_disk_at_once)
{
	rig_run(NULL, quick_scenario);
}
END_TEST

START_TEST(another_disk)
{
	rig_run(NULL, swap_scenario);
}
END_TEST

/* a device that does not respond: nothing starts, the firmware is told to let go of it */
static void
silent_scenario(void)
{
	uint8_t data[0x1c] = { 10, 0, MPT_EVD_NOT_RESPONDING, [6] = 9 };

	ioc_event(MPT_EV_DEVICE_STATUS, data, sizeof(data), false);
	memset(&ioc.devices[0].page, 0, sizeof(ioc.devices[0].page));
	ioc_phy(0, 0, 0);
	rig_settle();
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_TARGET_RESET], 1);
	ck_assert_uint_eq(ioc.removed, 1);
	ck_assert_uint_eq(ioc.removed_handle, 9);
	ck_assert_uint_eq(rig_units(), 0);
	ck_assert(rig_state_is("ready"));
}

START_TEST(not_responding)
{
	rig_run(NULL, silent_scenario);
}
END_TEST

/* units of a target that is there: no event says so, but the next command to any unit does */
static void
units_scenario(void)
{
	struct io io;

	ioc.devices[0].nluns = 3;
	ioc.devices[0].has_attention = true;
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), in, 512, true, 1), TRAN_ACCEPT);
	io_wait(&io);
	ck_assert_uint_eq(*io.pkt->pkt_scbp, STATUS_CHECK);
	ck_assert((io.pkt->pkt_state & STATE_ARQ_DONE) != 0);
	ck_assert_int_eq(io.pkt->pkt_resid, 512);
	io_end(&io, CMD_CMPLT, 0);
	rig_settle();
	ck_assert_uint_eq(rig_units(), 3);
	ioc.devices[0].nluns = 1;
	ioc.devices[0].has_attention = true;
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), in, 512, true, 1), TRAN_ACCEPT);
	io_end(&io, CMD_CMPLT, 0);
	rig_settle();
	ck_assert_uint_eq(rig_units(), 1);
}

START_TEST(units_of_a_target)
{
	rig_run(NULL, units_scenario);
}
END_TEST

/* more news than there is room for, and events nobody knows: the topology is read, and that is
 * all */
static void
flood_scenario(void)
{
	static const uint8_t data[8] = { 0 };

	for (uint32_t i = 0; i < 40; i++)
		ioc_event(i % 2 == 0 ? MPT_EV_DISCOVERY : 0x99, data, i % 8 & ~3u, i % 3 == 0);
	rig_settle();
	ck_assert_uint_eq(rig_units(), 1);
	ck_assert(rig_state_is("ready"));
	move_data(rig_unit(DISK));
}

START_TEST(flood)
{
	rig_run(NULL, flood_scenario);
}
END_TEST

CHECK_MAIN("ports", one_disk, old_firmware, an_adapter_without_a_name, wide_port,
    another_address, another_disk, another_disk_at_once, not_responding, units_of_a_target,
    flood)
