/* the message unit: registers, doorbell, reset ladder, requests of the driver's own */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <sys/cpuvar.h>
#include <sys/pci.h>

#include "base/bytes.h"
#include "base/clock.h"

#define DOORBELL_US	5000000		/* each step of a handshake */
#define READY_US	60000000	/* firmware that boots */
#define MU_RESET_US	15000000
#define UNLOCK_TRIES	20
#define FLUSH_STEPS	600		/* of the longest request and reply */
#define STEP_MIN_US	10		/* between looks at a register */
#define STEP_MAX_US	10000

void
mptsas_bus_master(struct mptsas_hba *hba, bool is_on)
{
	uint16_t command = pci_config_get16(hba->config, PCI_CONF_COMM);

	if (command == PCI_EINVAL16)
		return;
	command = is_on ? command | PCI_COMM_ME : command & (uint16_t)~PCI_COMM_ME;
	pci_config_put16(hba->config, PCI_CONF_COMM, command);
	(void)pci_config_get16(hba->config, PCI_CONF_COMM);
}

/* a wait for a register: looks become rarer */
struct look {
	uint64_t end_ns;
	clock_t step_us;
};

static struct look
look_begin(uint64_t us)
{
	return (struct look){ clock_now_ns() + us * NS_PER_US, STEP_MIN_US };
}

/* false: the time is over */
static bool
look_again(struct look *look)
{
	if (clock_now_ns() >= look->end_ns)
		return false;
	drv_usecwait(look->step_us);
	if (look->step_us < STEP_MAX_US)
		look->step_us *= 2;
	return true;
}

/* until the bits of @mask in the interrupt status are @want; 0, -ENODEV, -ETIMEDOUT */
static int
status_wait(struct mptsas_hba *hba, uint32_t mask, uint32_t want, uint64_t us)
{
	struct look look = look_begin(us);
	uint32_t v;

	do {
		v = mptsas_get(hba, MPT_INT_STATUS);
		if (v == MPT_GONE)
			return -ENODEV;
		if ((v & mask) == want)
			return 0;
	} while (look_again(&look));
	return -ETIMEDOUT;
}

int
mptsas_wait_state(struct mptsas_hba *hba, enum mpt_state state, uint64_t us)
{
	struct look look = look_begin(us);
	uint32_t v;

	do {
		v = mptsas_get(hba, MPT_DOORBELL);
		if (v == MPT_GONE)
			return -ENODEV;
		if (MPT_DB_STATE(v) == (uint32_t)state)
			return 0;
		if (MPT_DB_STATE(v) == MPT_ST_FAULT)
			return -EIO;
		if (atomic_load(&hba->is_stopping))
			return -ETIMEDOUT;
	} while (look_again(&look));
	return -ETIMEDOUT;
}

/*
 * Resets.
 */

/* let the diagnostic register be written; false: it does not open */
static bool
diag_unlock(struct mptsas_hba *hba, unsigned int tries)
{
	static const uint8_t keys[] = { 0xff, 0x4, 0xb, 0x2, 0x7, 0xd };

	while (tries-- > 0) {
		uint32_t v;

		for (size_t i = 0; i < sizeof(keys); i++)
			mptsas_put(hba, MPT_WRITE_SEQUENCE, keys[i]);
		v = mptsas_get(hba, MPT_DIAGNOSTIC);
		if (v == MPT_GONE)
			return false;
		if ((v & MPT_DIAG_WRITABLE) != 0)
			return true;
		drv_usecwait(STEP_MIN_US);
	}
	return false;
}

static void
diag_pull(struct mptsas_hba *hba)
{
	if (hba->device == MPT_DEV_1078)
		mptsas_put(hba, MPT_RESET_1078, 7);
	else
		mptsas_put(hba, MPT_DIAGNOSTIC, MPT_DIAG_WRITABLE | MPT_DIAG_RESET);
}

/* everything from the start; the firmware boots afterwards */
static int
diag_reset(struct mptsas_hba *hba)
{
	uint32_t v;
	int r;

	if (hba->device != MPT_DEV_1078 && !diag_unlock(hba, UNLOCK_TRIES))
		return mptsas_get(hba, MPT_DIAGNOSTIC) == MPT_GONE ? -ENODEV : -EIO;
	diag_pull(hba);
	drv_usecwait(50000);
	v = mptsas_get(hba, MPT_DIAGNOSTIC);
	if (v != MPT_GONE && (v & (MPT_DIAG_BAD_FLASH | MPT_DIAG_DISABLE_ARM)) != 0)
		return -EIO;
	r = mptsas_wait_state(hba, MPT_ST_READY, READY_US);
	mptsas_put(hba, MPT_WRITE_SEQUENCE, 0);
	return r;
}

static int
mu_reset(struct mptsas_hba *hba)
{
	int r;

	mptsas_put(hba, MPT_DOORBELL, MPT_DB_FUNCTION(MPT_DB_MU_RESET));
	r = status_wait(hba, MPT_INT_DB_BUSY, 0, MU_RESET_US);
	return r < 0 ? r : mptsas_wait_state(hba, MPT_ST_READY, MU_RESET_US);
}

/* a handshake that somebody died in is brought to its end, whatever that is: there are models
 * whose reset does not end it, and a message cut short ends in a fault at worst */
static void
doorbell_flush(struct mptsas_hba *hba)
{
	for (int i = 0; i < FLUSH_STEPS; i++) {
		uint32_t v = mptsas_get(hba, MPT_DOORBELL), status;

		if (v == MPT_GONE || !MPT_DB_IS_ACTIVE(v))
			return;
		status = mptsas_get(hba, MPT_INT_STATUS);
		if ((status & MPT_INT_DOORBELL) != 0)
			mptsas_put(hba, MPT_INT_STATUS, 0);
		else if ((status & MPT_INT_DB_BUSY) == 0)
			mptsas_put(hba, MPT_DOORBELL, 0);
		else
			drv_usecwait(STEP_MIN_US);
	}
}

void
mptsas_halt(struct mptsas_hba *hba)
{
	if (hba->device == MPT_DEV_1078 || diag_unlock(hba, 1))
		diag_pull(hba);
	(void)mptsas_get(hba, MPT_DIAGNOSTIC);
}

static int
ready_try(struct mptsas_hba *hba)
{
	uint32_t v = mptsas_get(hba, MPT_DOORBELL);

	if (v == MPT_GONE)
		return -ENODEV;
	if (MPT_DB_IS_ACTIVE(v))
		doorbell_flush(hba);
	if (MPT_DB_IS_ACTIVE(v) || MPT_DB_STATE(v) == MPT_ST_FAULT)
		return diag_reset(hba);
	switch (MPT_DB_STATE(v)) {
	case MPT_ST_READY:
		return 0;
	case MPT_ST_OPERATIONAL:
		return mu_reset(hba);
	case MPT_ST_RESET:
		return mptsas_wait_state(hba, MPT_ST_READY, READY_US);
	default:
		return -EIO;
	}
}

int
mptsas_make_ready(struct mptsas_hba *hba)
{
	int r = ready_try(hba);

	if (r < 0 && r != -ENODEV && !atomic_load(&hba->is_stopping))
		r = diag_reset(hba);
	if (r == 0) {
		mptsas_put(hba, MPT_WRITE_SEQUENCE, 0);
		mptsas_put(hba, MPT_INT_MASK, MPT_INT_ALL);
	}
	return r;
}

/*
 * The doorbell.
 */

/* the chip has said something: take note of that */
static int
doorbell_heard(struct mptsas_hba *hba)
{
	return status_wait(hba, MPT_INT_DOORBELL, MPT_INT_DOORBELL, DOORBELL_US);
}

static int
handshake_send(struct mptsas_hba *hba, const uint8_t *request, size_t len)
{
	int r;

	mptsas_put(hba, MPT_INT_STATUS, 0);
	mptsas_put(hba, MPT_DOORBELL,
	    MPT_DB_FUNCTION(MPT_DB_HANDSHAKE) | MPT_DB_DWORDS(len / 4));
	r = doorbell_heard(hba);
	if (r < 0)
		return r;
	if (!MPT_DB_IS_ACTIVE(mptsas_get(hba, MPT_DOORBELL)))
		return -EIO;
	mptsas_put(hba, MPT_INT_STATUS, 0);
	r = status_wait(hba, MPT_INT_DB_BUSY, 0, DOORBELL_US);
	for (size_t i = 0; i < len && r == 0; i += 4) {
		mptsas_put(hba, MPT_DOORBELL, le32_get(request + i));
		r = status_wait(hba, MPT_INT_DB_BUSY, 0, DOORBELL_US);
	}
	return r;
}

static int
handshake_word(struct mptsas_hba *hba, uint16_t *ret)
{
	int r = doorbell_heard(hba);

	if (r < 0)
		return r;
	*ret = (uint16_t)MPT_DB_CODE(mptsas_get(hba, MPT_DOORBELL));
	mptsas_put(hba, MPT_INT_STATUS, 0);
	return 0;
}

/* the reply's second word says how long it is; what does not fit is read and dropped */
static int
handshake_receive(struct mptsas_hba *hba, uint8_t *reply, size_t size, size_t *ret_len)
{
	size_t words = 2;
	uint16_t word;

	for (size_t i = 0; i < words; i++) {
		int r = handshake_word(hba, &word);

		if (r < 0)
			return r;
		if (2 * i + 2 <= size)
			le16_put(reply + 2 * i, word);
		if (i == 1 && 2u * (word & 0xff) > words)
			words = 2u * (word & 0xff);
	}
	*ret_len = 2 * words < size ? 2 * words : size;
	return 0;
}

int
mptsas_handshake(struct mptsas_hba *hba, const uint8_t *request, size_t len, uint8_t *reply,
    size_t size, size_t *ret_len)
{
	int r;

	if (MPT_DB_IS_ACTIVE(mptsas_get(hba, MPT_DOORBELL)))
		return -EIO;
	r = handshake_send(hba, request, len);
	if (r == 0)
		r = handshake_receive(hba, reply, size, ret_len);
	if (r == 0)
		r = doorbell_heard(hba);
	if (r < 0)
		return r;
	mptsas_put(hba, MPT_INT_STATUS, 0);
	return MPT_DB_IS_ACTIVE(mptsas_get(hba, MPT_DOORBELL)) ? -EIO : 0;
}

/*
 * Requests of the driver's own, by the FIFO.
 */

uint8_t *
mptsas_frame(struct mptsas_hba *hba, uint32_t slot)
{
	return hba->pool.mem + mpt_ring_frame_off(&hba->layout, slot);
}

void
mptsas_post(struct mptsas_hba *hba, uint32_t slot, size_t len)
{
	uint32_t off = mpt_ring_frame_off(&hba->layout, slot);
	bool is_urgent = slot == RING_SLOT_TASK && hba->facts.has_hipri;

	(void)ddi_dma_sync(hba->pool.dma, (off_t)off, len, DDI_DMA_SYNC_FORDEV);
	mptsas_put(hba, is_urgent ? MPT_HIPRI_FIFO : MPT_REQUEST_FIFO,
	    (uint32_t)hba->pool.iova + off);
}

static int
exchange_begin(struct mptsas_hba *hba, uint32_t slot)
{
	struct mptsas_msg *msg = &hba->msgs[slot];
	struct mptsas_slot *s = &hba->slots[slot];
	int r = -EIO;

	mutex_enter(&hba->lock);
	if (hba->state == MPTSAS_READY && msg->state == MSG_IDLE) {
		s->gen = (uint16_t)(s->gen % RING_GEN_MAX + 1);
		msg->context = mpt_ring_context(hba->epoch, s->gen, slot);
		msg->state = MSG_SENT;
		r = 0;
	}
	mutex_exit(&hba->lock);
	return r;
}

/* lock held; false: the time is over */
static bool
exchange_wait(struct mptsas_hba *hba, uint64_t end_ns)
{
	uint64_t now_ns = clock_now_ns();
	unsigned int n;

	if (now_ns >= end_ns)
		return false;
	if (!servicing_interrupt()) {
		(void)cv_timedwait_hires(
		    &hba->cv, &hba->lock, (hrtime_t)(end_ns - now_ns), 0, 0);
		return true;
	}
	mutex_exit(&hba->lock);
	drv_usecwait(STEP_MIN_US);
	(void)mptsas_reap(hba, MPTSAS_REAP_BUDGET, &n);
	mutex_enter(&hba->lock);
	return true;
}

int
mptsas_exchange(struct mptsas_hba *hba, uint32_t slot, size_t len, uint64_t us)
{
	uint64_t end_ns = clock_now_ns() + us * NS_PER_US;
	struct mptsas_msg *msg = &hba->msgs[slot];
	bool is_late = false;
	int r = exchange_begin(hba, slot);

	if (r < 0)
		return r;
	if (mptsas_touch_begin(hba)) {
		le32_put(mptsas_frame(hba, slot) + MPT_CONTEXT, msg->context);
		mptsas_post(hba, slot, len);
		mptsas_touch_end(hba);
	}

	mutex_enter(&hba->lock);
	while (msg->state == MSG_SENT && hba->state == MPTSAS_READY && !is_late)
		is_late = !exchange_wait(hba, end_ns);
	if (msg->state == MSG_SENT)
		r = is_late ? -ETIMEDOUT : -EIO;
	/* without an answer the frame stays the chip's, until the reset that follows */
	msg->state = MSG_IDLE;
	mutex_exit(&hba->lock);
	if (r == -ETIMEDOUT)
		mptsas_fail(hba, MPTSAS_FAULT_SILENCE, "a message has no answer");
	return r;
}

bool
mptsas_message_done(
    struct mptsas_hba *hba, uint32_t slot, const uint8_t *reply, const struct reply_head *head)
{
	struct mptsas_msg *msg = &hba->msgs[slot];
	bool is_due;

	mutex_enter(&hba->lock);
	is_due = msg->state == MSG_SENT && msg->context == head->context &&
	    mptsas_frame(hba, slot)[MPT_FUNCTION] == head->function;
	if (is_due) {
		memcpy(msg->reply, reply, head->len);
		msg->head = *head;
		msg->state = MSG_DONE;
		cv_broadcast(&hba->cv);
	}
	mutex_exit(&hba->lock);
	return is_due;
}
