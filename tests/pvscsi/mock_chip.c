#include "mock_chip.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pci.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ddi/devtree.h"

static void *
at(uint64_t iova)
{
	return (void *)(uintptr_t)iova;
}

static struct pv_ring_state *
state_of(struct mock_chip *chip)
{
	return at(chip->rings.state_ppn << PV_PAGE_SHIFT);
}

static bool
is_master(const struct mock_chip *chip)
{
	return (chip->config[PCI_CONF_COMM] & PCI_COMM_ME) != 0;
}

/*
 * Interrupts.
 */

static void
fd_signal(struct mock_chip *chip)
{
	uint64_t one = 1;

	if (chip->fd >= 0 && chip->is_enabled)
		ck_assert_int_eq(write(chip->fd, &one, sizeof(one)), sizeof(one));
}

static void
intr_raise(struct mock_chip *chip, uint32_t bits)
{
	chip->intr_status |= bits;
	if ((chip->intr_status & chip->intr_mask) != 0)
		fd_signal(chip);
}

static int
intr_types(void *arg)
{
	return ((struct mock_chip *)arg)->intr_type;
}

static int
intr_count(void *arg, int type)
{
	(void)arg;
	(void)type;
	return 1;
}

static int
intr_open(void *arg, int type, unsigned int inum, int *ret_fd)
{
	struct mock_chip *chip = arg;

	(void)type;
	(void)inum;
	chip->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ck_assert_int_ge(chip->fd, 0);
	*ret_fd = chip->fd;
	return 0;
}

static void
intr_close(void *arg, int type, unsigned int inum)
{
	(void)type;
	(void)inum;
	((struct mock_chip *)arg)->fd = -1;
}

static int
intr_enable(void *arg, int type, unsigned int inum, bool is_on)
{
	struct mock_chip *chip = arg;

	(void)type;
	(void)inum;
	mutex_enter(&chip->lock);
	chip->is_enabled = is_on;
	mutex_exit(&chip->lock);
	return 0;
}

/* a line that is still raised interrupts again */
static void
intr_rearm(void *arg, unsigned int inum, bool was_claimed)
{
	struct mock_chip *chip = arg;

	(void)inum;
	(void)was_claimed;
	mutex_enter(&chip->lock);
	if ((chip->intr_status & chip->intr_mask) != 0)
		fd_signal(chip);
	mutex_exit(&chip->lock);
}

static const struct devi_intr_ops intr_ops = {
	.types = intr_types, .count = intr_count, .open = intr_open, .close = intr_close,
	.enable = intr_enable, .rearm = intr_rearm,
};

void
mock_interrupt(struct mock_chip *chip)
{
	mutex_enter(&chip->lock);
	fd_signal(chip);
	mutex_exit(&chip->lock);
}

/*
 * Completions.
 */

static void
cmp_write(struct mock_chip *chip, const struct pv_cmp *cmp)
{
	struct pv_ring_state *state = state_of(chip);
	uint32_t entries = chip->rings.cmp_pages * PV_CMP_PER_PAGE;
	uint32_t i = chip->cmp_prod & (entries - 1);
	struct pv_cmp *page = at(chip->rings.cmp_ppn[i / PV_CMP_PER_PAGE] << PV_PAGE_SHIFT);

	if (!chip->has_rings)
		return;
	chip->stray += !is_master(chip);
	page[i % PV_CMP_PER_PAGE] = *cmp;
	chip->cmp_prod++;
	__atomic_store_n(&state->cmp_prod, chip->cmp_prod, __ATOMIC_RELEASE);
}

static void
complete(struct mock_chip *chip, const struct pv_req *req, struct pv_cmp *cmp)
{
	struct mock_lie lie = chip->lie;
	bool is_lying = lie.has_context || lie.is_twice || lie.data_len != 0 ||
	    lie.sense_len != 0 || lie.host_status != 0 || lie.scsi_status != 0 ||
	    lie.index_jump != 0;

	cmp->context = req->context;
	if (is_lying) {
		if (lie.has_context)
			cmp->context = lie.context;
		if (lie.data_len != 0)
			cmp->data_len = lie.data_len;
		if (lie.sense_len != 0)
			cmp->sense_len = lie.sense_len;
		if (lie.host_status != 0)
			cmp->host_status = lie.host_status;
		if (lie.scsi_status != 0)
			cmp->scsi_status = lie.scsi_status;
		chip->cmp_prod += lie.index_jump;
		chip->lie.index_jump = 0;
		if (chip->lie.times-- <= 1)
			chip->lie = (struct mock_lie){ .times = 0 };
	}
	cmp_write(chip, cmp);
	if (is_lying && lie.is_twice)
		cmp_write(chip, cmp);
	intr_raise(chip, 1);
}

void
mock_return(struct mock_chip *chip, const struct pv_cmp *cmp)
{
	mutex_enter(&chip->lock);
	cmp_write(chip, cmp);
	intr_raise(chip, 1);
	mutex_exit(&chip->lock);
}

/*
 * The disks.
 */

/* move @len bytes to or from the request's memory; how many there was room for */
static uint32_t
move(const struct pv_req *req, uint8_t *data, uint64_t len, bool to_host)
{
	const struct pv_sge one = { req->data_iova, (uint32_t)req->data_len, 0 };
	const struct pv_sge *sge = &one;
	uint64_t done = 0, room = req->data_len;

	if ((req->flags & PV_REQ_SG_LIST) != 0)
		sge = at(req->data_iova);
	if (len > room)
		len = room;
	for (; done < len; sge++) {
		uint64_t part = sge->len < len - done ? sge->len : len - done;

		ck_assert_uint_gt(sge->len, 0);
		ck_assert_uint_eq(sge->flags, 0);
		if (to_host)
			memcpy(at(sge->iova), data + done, part);
		else
			memcpy(data + done, at(sge->iova), part);
		done += part;
	}
	return (uint32_t)done;
}

static void
check(const struct pv_req *req, struct pv_cmp *cmp, uint8_t key, uint8_t asc, uint8_t ascq)
{
	uint8_t sense[18] = { 0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq };
	uint32_t len = req->sense_len < sizeof(sense) ? req->sense_len : sizeof(sense);

	cmp->scsi_status = 2;
	cmp->sense_len = len;
	if (len > 0)
		memcpy(at(req->sense_iova), sense, len);
}

/* an answer of @len bytes: shorter than asked for is a run of another length, as in the
 * model */
static void
answer(struct mock_chip *chip, const struct pv_req *req, struct pv_cmp *cmp, uint8_t *data,
    uint32_t len)
{
	uint32_t n = move(req, data, len, true);

	if (n < req->data_len)
		cmp->host_status = PV_HS_DATARUN;
	if (chip->says_lengths)
		cmp->data_len = n;
}

static void
read_write(struct mock_chip *chip, struct mock_disk *disk, const struct pv_req *req,
    struct pv_cmp *cmp)
{
	uint64_t off = be32_get(req->cdb + 2) * (uint64_t)MOCK_BLOCK;
	uint64_t len = be16_get(req->cdb + 7) * (uint64_t)MOCK_BLOCK;
	uint32_t n;

	if (off > MOCK_DISK_BYTES || len > MOCK_DISK_BYTES - off) {
		check(req, cmp, 5, 0x21, 0);
		return;
	}
	ck_assert_uint_eq(req->data_len, len);
	n = move(req, disk->data + off, len, req->cdb[0] == 0x28);
	if (chip->says_lengths)
		cmp->data_len = n;
}

static void
disk_run(struct mock_chip *chip, struct mock_disk *disk, const struct pv_req *req,
    struct pv_cmp *cmp)
{
	uint8_t data[96] = { 0 };

	if (req->cdb[0] == 0x12) {
		data[0] = req->lun[1] == 0 ? disk->type : 0x7f;
		data[2] = 5;
		data[3] = 2;
		data[4] = 31;
		memcpy(data + 8, "MOCK    PVSCSI DISK     1.0 ", 28);
		answer(chip, req, cmp, data, 36);
		return;
	}
	if (req->cdb[0] == 0xa0) {
		data[3] = 8;
		answer(chip, req, cmp, data, 16);
		return;
	}
	if (disk->has_attention) {
		disk->has_attention = false;
		check(req, cmp, 6, 0x29, 0);
		return;
	}
	switch (req->cdb[0]) {
	case 0x00:
		break;
	case 0x25:
		be32_put(data, MOCK_DISK_BYTES / MOCK_BLOCK - 1);
		be32_put(data + 4, MOCK_BLOCK);
		answer(chip, req, cmp, data, 8);
		break;
	case 0x28:
	case 0x2a:
		read_write(chip, disk, req, cmp);
		break;
	default:
		check(req, cmp, 5, 0x20, 0);
		break;
	}
}

static void
request_run(struct mock_chip *chip, const struct pv_req *req)
{
	struct mock_disk *disk = &chip->disks[req->target];
	struct pv_cmp cmp = { .context = req->context };

	if (!disk->is_there || req->lun[0] != 0)
		cmp.host_status = PV_HS_SELTIMEO;
	else
		disk_run(chip, disk, req, &cmp);
	complete(chip, req, &cmp);
}

static void
request_take(struct mock_chip *chip, const struct pv_req *req)
{
	struct mock_disk *disk = &chip->disks[req->target];

	ck_assert_uint_lt(req->target, PV_TARGETS);
	ck_assert_uint_ne(req->context, 0);
	ck_assert_uint_le(req->context, UINT32_MAX);
	chip->stray += !is_master(chip);
	chip->last = *req;
	disk->commands++;
	if (disk->is_held) {
		ck_assert_uint_lt(chip->nheld, MOCK_HELD);
		chip->held[chip->nheld++] = *req;
		return;
	}
	request_run(chip, req);
}

static void
ring_look(struct mock_chip *chip)
{
	struct pv_ring_state *state = state_of(chip);
	uint32_t entries = chip->rings.req_pages * PV_REQ_PER_PAGE;

	chip->kicks++;
	if (!chip->has_rings || chip->is_deaf)
		return;
	while (chip->req_done != __atomic_load_n(&state->req_prod, __ATOMIC_ACQUIRE)) {
		uint32_t i = chip->req_done++ & (entries - 1);
		struct pv_req *page =
		    at(chip->rings.req_ppn[i / PV_REQ_PER_PAGE] << PV_PAGE_SHIFT);
		struct pv_req req = page[i % PV_REQ_PER_PAGE];

		state->req_cons = chip->req_done;
		request_take(chip, &req);
	}
}

/* end held commands with a host status: of one context, of a target, of all */
static void
held_end(struct mock_chip *chip, uint64_t context, int target, uint16_t host_status,
    unsigned int max)
{
	unsigned int n = 0, kept = 0;

	for (unsigned int i = 0; i < chip->nheld; i++) {
		struct pv_req req = chip->held[i];
		struct pv_cmp cmp = { .host_status = host_status };

		if ((context != 0 && req.context != context) ||
		    (target >= 0 && req.target != target) || n == max) {
			chip->held[kept++] = req;
			continue;
		}
		n++;
		if (host_status == PV_HS_SUCCESS)
			request_run(chip, &req);
		else
			complete(chip, &req, &cmp);
	}
	chip->nheld = kept;
}

void
mock_release(struct mock_chip *chip, unsigned int target, unsigned int n)
{
	mutex_enter(&chip->lock);
	held_end(chip, 0, (int)target, PV_HS_SUCCESS, n);
	mutex_exit(&chip->lock);
}

/*
 * Messages.
 */

static void
message(struct mock_chip *chip, uint32_t type, uint32_t target, uint8_t lun)
{
	struct pv_msg *ring = at(chip->msg_ppn << PV_PAGE_SHIFT);

	if (!chip->has_msgs)
		return;
	ring[chip->msg_prod++ & (PV_MSG_PER_PAGE - 1)] =
	    (struct pv_msg){ .type = type, .target = target, .lun = { [1] = lun } };
	__atomic_store_n(&state_of(chip)->msg_prod, chip->msg_prod, __ATOMIC_RELEASE);
	intr_raise(chip, 4);
}

void
mock_message(struct mock_chip *chip, uint32_t type, uint32_t target, uint8_t lun)
{
	mutex_enter(&chip->lock);
	message(chip, type, target, lun);
	mutex_exit(&chip->lock);
}

void
mock_plug(struct mock_chip *chip, unsigned int target)
{
	mutex_enter(&chip->lock);
	chip->disks[target].is_there = chip->disks[target].has_attention = true;
	message(chip, PV_MSG_DEV_ADDED, target, 0);
	mutex_exit(&chip->lock);
}

void
mock_pull(struct mock_chip *chip, unsigned int target)
{
	mutex_enter(&chip->lock);
	chip->disks[target].is_there = false;
	message(chip, PV_MSG_DEV_REMOVED, target, 0);
	held_end(chip, 0, (int)target, PV_HS_ABORTQUEUE, UINT32_MAX);
	mutex_exit(&chip->lock);
}

/*
 * Commands.
 */

static uint32_t
setup_rings(struct mock_chip *chip)
{
	struct pv_ring_state *state;

	if (chip->has_no_rings)
		return PV_STATUS_FAILED;
	memcpy(&chip->rings, chip->words, sizeof(chip->rings));
	state = state_of(chip);
	state->req_log2 = (uint32_t)__builtin_ctz(chip->rings.req_pages * PV_REQ_PER_PAGE);
	state->cmp_log2 = (uint32_t)__builtin_ctz(chip->rings.cmp_pages * PV_CMP_PER_PAGE);
	if (chip->has_other_size)
		state->cmp_log2++;
	chip->req_done = chip->cmp_prod = 0;
	chip->has_rings = true;
	chip->setups++;
	return 0;
}

static uint32_t
setup_messages(struct mock_chip *chip)
{
	struct pv_setup_msg_ring desc;

	if (chip->has_no_messages)
		return PV_STATUS_FAILED;
	memcpy(&desc, chip->words, sizeof(desc));
	chip->msg_ppn = desc.ppn[0];
	chip->msg_prod = 0;
	chip->has_msgs = true;
	return 34;
}

static uint32_t
config(struct mock_chip *chip)
{
	struct pv_config desc;
	uint8_t *page;

	if (!chip->has_config)
		return PV_STATUS_FAILED;
	memcpy(&desc, chip->words, sizeof(desc));
	page = at(desc.answer_iova);
	le16_put(page + PV_CONFIG_HOST_STATUS, 0);
	le16_put(page + PV_CONFIG_SCSI_STATUS, 0);
	le32_put(page + PV_CONFIG_TARGETS, chip->config_targets);
	return 0;
}

static void
attentions(struct mock_chip *chip, int target)
{
	for (int i = 0; i < (int)PV_TARGETS; i++) {
		if (target < 0 || i == target)
			chip->disks[i].has_attention = true;
	}
}

static uint32_t
adapter_reset(struct mock_chip *chip)
{
	chip->adapter_resets++;
	held_end(chip, 0, -1, PV_HS_BUSRESET, UINT32_MAX);
	attentions(chip, -1);
	chip->has_rings = chip->has_msgs = false;
	return 0;
}

static uint32_t
reset_bus(struct mock_chip *chip)
{
	chip->bus_resets++;
	if (chip->is_deaf_to_bus)
		return 0;
	held_end(chip, 0, -1, PV_HS_BUSRESET, UINT32_MAX);
	attentions(chip, -1);
	return 0;
}

static uint32_t
reset_device(struct mock_chip *chip)
{
	uint32_t target = chip->words[0];

	chip->device_resets++;
	if (target >= PV_TARGETS || !chip->disks[target].is_there)
		return PV_STATUS_FAILED;
	chip->disks[target].resets++;
	if (chip->is_deaf_to_device)
		return 0;
	held_end(chip, 0, (int)target, PV_HS_BUSRESET, UINT32_MAX);
	attentions(chip, (int)target);
	return 0;
}

static uint32_t
abort_command(struct mock_chip *chip)
{
	uint64_t context;

	memcpy(&context, chip->words, sizeof(context));
	chip->aborts++;
	if (!chip->is_deaf_to_abort)
		held_end(chip, context, -1, PV_HS_ABORTQUEUE, UINT32_MAX);
	return 0;
}

static const struct {
	uint32_t nwords;
	uint32_t (*run)(struct mock_chip *chip);
} commands[] = {
	[PV_CMD_ADAPTER_RESET] = { 0, adapter_reset },
	[PV_CMD_SETUP_RINGS] = { 132, setup_rings },
	[PV_CMD_RESET_BUS] = { 0, reset_bus },
	[PV_CMD_RESET_DEVICE] = { 3, reset_device },
	[PV_CMD_ABORT_CMD] = { 4, abort_command },
	[PV_CMD_CONFIG] = { 6, config },
	[PV_CMD_SETUP_MSG_RING] = { 34, setup_messages },
};

static void
command_word(struct mock_chip *chip)
{
	ck_assert_uint_lt(chip->command, sizeof(commands) / sizeof(commands[0]));
	ck_assert_ptr_nonnull(commands[chip->command].run);
	chip->status = 0xfffffffe;
	if (chip->nwords == commands[chip->command].nwords)
		chip->status = commands[chip->command].run(chip);
}

/*
 * Registers.
 */

static void
reg_write(struct mock_chip *chip, uint64_t off, uint32_t value)
{
	switch (off) {
	case PV_COMMAND:
		chip->command = value;
		chip->nwords = 0;
		command_word(chip);
		break;
	case PV_COMMAND_DATA:
		ck_assert_uint_lt(chip->nwords, 132);
		chip->words[chip->nwords++] = value;
		command_word(chip);
		break;
	case PV_INTR_STATUS:
		if (!chip->is_stuck)
			chip->intr_status &= ~value;
		break;
	case PV_INTR_MASK:
		chip->intr_mask = value;
		intr_raise(chip, 0);
		break;
	case PV_KICK_NON_RW:
	case PV_KICK_RW:
		ring_look(chip);
		break;
	default:
		ck_abort_msg("write to register %x", (unsigned int)off);
	}
}

static void
put(void *arg, unsigned int set, uint64_t off, unsigned int width, uint64_t value)
{
	struct mock_chip *chip = arg;

	mutex_enter(&chip->lock);
	if (set == 0)
		memcpy(chip->config + off, &value, width);
	else if (!chip->is_gone)
		reg_write(chip, off, (uint32_t)value);
	if (chip->has_no_master)
		chip->config[PCI_CONF_COMM] &= (uint8_t)~PCI_COMM_ME;
	mutex_exit(&chip->lock);
}

static uint64_t
get(void *arg, unsigned int set, uint64_t off, unsigned int width)
{
	struct mock_chip *chip = arg;
	uint64_t value = UINT64_MAX;

	mutex_enter(&chip->lock);
	if (set == 0) {
		value = 0;
		memcpy(&value, chip->config + off, width);
	} else if (!chip->is_gone) {
		value = off == PV_COMMAND_STATUS ? chip->status :
		    off == PV_INTR_STATUS ? chip->intr_status : 0;
	}
	mutex_exit(&chip->lock);
	return value;
}

static unsigned int
reg_count(void *arg)
{
	(void)arg;
	return 2;
}

static int
reg_size(void *arg, unsigned int set, uint64_t *ret)
{
	(void)arg;
	*ret = set == 0 ? 256 : PV_BAR_BYTES;
	return 0;
}

static int
reg_map(void *arg, unsigned int set, uint64_t off, uint64_t len, void **ret)
{
	(void)arg;
	(void)len;
	*ret = (void *)(uintptr_t)(0x10000 + set * 0x100000 + off);
	return 0;
}

static void
reg_unmap(void *arg, unsigned int set, void *addr, uint64_t len)
{
	(void)arg;
	(void)set;
	(void)addr;
	(void)len;
}

static const struct devi_reg_ops reg_ops = {
	.count = reg_count, .size = reg_size, .map = reg_map, .unmap = reg_unmap,
	.get = get, .put = put,
};

void
mock_chip_open(struct mock_chip *chip)
{
	mutex_init(&chip->lock, NULL, MUTEX_DRIVER, NULL);
	chip->fd = -1;
	if (chip->intr_type == 0)
		chip->intr_type = DDI_INTR_TYPE_MSI;
	for (unsigned int i = 0; i < PV_TARGETS; i++) {
		chip->disks[i].data = calloc(1, MOCK_DISK_BYTES);
		ck_assert_ptr_nonnull(chip->disks[i].data);
	}
	attentions(chip, -1);
	ck_assert_int_eq(devi_alloc(devi_root(), "pvscsi", &chip->dip), 0);
	devi_set_regs(chip->dip, &reg_ops, chip);
	devi_set_intr(chip->dip, &intr_ops, chip);
}

void
mock_chip_close(struct mock_chip *chip)
{
	ck_assert_int_eq(devi_free(chip->dip), 0);
	for (unsigned int i = 0; i < PV_TARGETS; i++)
		free(chip->disks[i].data);
	mutex_destroy(&chip->lock);
}
