/* targets come, go, and come again as others; units of a target come and go; news that was lost
 * is made up for */
#include "virtio_ring.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = { { .target = 0, .lun = 0 }, { .target = 2, .lun = 0 } },
	.n_disks = 2,
};

static const struct chip_disk third = { .target = 3, .lun = 0 };

START_TEST(a_target_comes_and_goes)
{
	struct chip *chip = chip_start(&spec);
	uint8_t out[512], in[512];

	chip_disk_add(chip, &third);
	memset(out, 0x33, sizeof(out));
	chip_write(chip, chip_await_unit(chip, 3, 0), 9, 1, out);
	chip_read(chip, chip_await_unit(chip, 3, 0), 9, 1, in);
	ck_assert_mem_eq(in, out, sizeof(in));
	chip_disk_remove(chip, 3, 0);
	chip_await_no_unit(chip, 3, 0);
	ck_assert_uint_eq(chip_units(chip), 2);
	chip_stop(chip);
}
END_TEST

START_TEST(a_unit_comes_and_goes)
{
	static const struct chip_disk second = { .target = 2, .lun = 4 };
	struct chip *chip = chip_start(&spec);
	struct scsi_device *before = chip_await_unit(chip, 2, 0);

	chip_disk_add(chip, &second);
	(void)chip_tur(chip, chip_await_unit(chip, 2, 4));
	/* its neighbour is the same object as before */
	ck_assert_ptr_eq(chip_await_unit(chip, 2, 0), before);
	chip_disk_remove(chip, 2, 4);
	chip_await_no_unit(chip, 2, 4);
	ck_assert_ptr_eq(chip_await_unit(chip, 2, 0), before);
	chip_stop(chip);
}
END_TEST

struct another {
	struct chip *chip;
	unsigned int serial;
};

static bool
is_another(void *arg)
{
	const struct another *a = arg;
	struct scsi_device *sd = chip_unit(a->chip, 2, 0);
	uchar_t *page;
	uint_t n;
	bool is;

	if (sd == NULL || scsi_device_prop_lookup_byte_array(sd, SCSI_DEVICE_PROP_PATH,
	    (char[]){ "inquiry-page-80" }, &page, &n) != DDI_PROP_SUCCESS)
		return false;
	is = n >= 5 && memcmp(page + 4, "OTHER", 5) == 0;
	scsi_device_prop_free(sd, SCSI_DEVICE_PROP_PATH, page);
	return is;
}

START_TEST(the_same_address_with_another_disk)
{
	struct chip *chip = chip_start(&spec);
	struct another a = { .chip = chip };

	(void)chip_await_unit(chip, 2, 0);
	chip_disk_remove(chip, 2, 0);
	/* the emulator needs the guest to let go of nothing: it is out when this is answered */
	(void)chip_qmp(chip, "{\"execute\":\"blockdev-add\",\"arguments\":{"
	    "\"driver\":\"null-co\","
	    "\"node-name\":\"other\",\"size\":1048576,\"read-zeroes\":true}}");
	(void)chip_qmp(chip, "{\"execute\":\"device_add\",\"arguments\":{"
	    "\"driver\":\"scsi-hd\","
	    "\"id\":\"other\",\"bus\":\"hba0.0\",\"channel\":0,\"scsi-id\":2,\"lun\":0,"
	    "\"drive\":\"other\",\"serial\":\"OTHER\"}}");
	chip_await(chip, is_another, &a, "the other disk");
	chip_stop(chip);
}
END_TEST

/* a chip that sends no news of disks, but says in one event that others were lost */
START_TEST(events_that_were_lost)
{
	struct chip_spec silent = spec;
	struct virtio_ring events;
	struct chip *chip;
	uint16_t head;

	silent.device = VIRTIO_DEVICE ",hotplug=off";
	chip = chip_start(&silent);
	chip_disk_add(chip, &third);
	events = virtio_ring_of(chip, VS_EVENT_QUEUE);
	head = events.avail[2];
	le32_put(chip_memory(chip, events.desc[head].iova, VS_EVENT_BYTES), VS_EVENT_MISSED);
	virtio_ring_return(&events, head);
	for (unsigned int i = 0; i < 4; i++)
		chip_interrupt(chip, i);
	(void)chip_tur(chip, chip_await_unit(chip, 3, 0));
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio hot plug", a_target_comes_and_goes, a_unit_comes_and_goes,
    the_same_address_with_another_disk, events_that_were_lost)
