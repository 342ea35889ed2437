/* from a chip in READY to replies that flow: all out of the driver's own copies */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define OPERATIONAL_US	60000000
#define PORT_ENABLE_US	300000000ull	/* discovery of a large topology */
#define WINDOW_SEG	0xffffffffull	/* frames, sense and replies share their high dword */
#define ADDR_1078	0x7ffffffffull	/* a 1078 reaches frames below this only */

/*
 * Memory that the chip works in.
 */

static int
pool_bind(struct mptsas_hba *hba, uint64_t addr_hi)
{
	ddi_device_acc_attr_t acc = { .devacc_attr_version = DDI_DEVICE_ATTR_V0 };
	struct mptsas_pool *pool = &hba->pool;
	ddi_dma_attr_t attr = {
		.dma_attr_version = DMA_ATTR_V0, .dma_attr_addr_hi = addr_hi,
		.dma_attr_count_max = WINDOW_SEG, .dma_attr_align = 4096,
		.dma_attr_burstsizes = 1, .dma_attr_minxfer = 1,
		.dma_attr_maxxfer = WINDOW_SEG, .dma_attr_seg = WINDOW_SEG,
		.dma_attr_sgllen = 1, .dma_attr_granular = 1,
	};
	ddi_dma_cookie_t cookie;
	caddr_t mem;
	size_t len;
	uint_t n;

	if (ddi_dma_alloc_handle(hba->dip, &attr, DDI_DMA_SLEEP, NULL, &pool->dma) !=
	    DDI_SUCCESS)
		return -ENOMEM;
	if (ddi_dma_mem_alloc(pool->dma, hba->layout.bytes, &acc, DDI_DMA_CONSISTENT,
	    DDI_DMA_DONTWAIT, NULL, &mem, &len, &pool->acc) != DDI_SUCCESS)
		return -ENOMEM;
	pool->mem = (uint8_t *)mem;
	if (ddi_dma_addr_bind_handle(pool->dma, NULL, mem, hba->layout.bytes,
	    DDI_DMA_RDWR | DDI_DMA_CONSISTENT, DDI_DMA_DONTWAIT, NULL, &cookie, &n) !=
	    DDI_DMA_MAPPED)
		return -ENOMEM;
	pool->is_bound = true;
	pool->iova = cookie.dmac_laddress;
	return 0;
}

void
mptsas_pool_close(struct mptsas_hba *hba)
{
	struct mptsas_pool *pool = &hba->pool;

	if (pool->is_bound)
		(void)ddi_dma_unbind_handle(pool->dma);
	if (pool->acc != NULL)
		ddi_dma_mem_free(&pool->acc);
	if (pool->dma != NULL)
		ddi_dma_free_handle(&pool->dma);
	*pool = (struct mptsas_pool){ .mem = NULL };
}

int
mptsas_pool_open(struct mptsas_hba *hba)
{
	/* below 4 GiB short elements do; where there is nothing, anywhere in one window */
	int r = pool_bind(hba, WINDOW_SEG);

	if (r == 0)
		return 0;
	mptsas_pool_close(hba);
	r = pool_bind(hba, hba->device == MPT_DEV_1078 ? ADDR_1078 : UINT64_MAX);
	if (r < 0)
		mptsas_pool_close(hba);
	return r;
}

/*
 * Facts.
 */

static int
learn_ioc(struct mptsas_hba *hba)
{
	uint8_t request[MPT_FACTS_REQ_LEN] = { [MPT_FUNCTION] = MPT_FN_IOC_FACTS };
	uint8_t reply[RING_REPLY_BYTES];
	size_t len;
	int r = mptsas_handshake(hba, request, sizeof(request), reply, sizeof(reply), &len);

	if (r < 0)
		return r;
	r = mpt_ring_facts_read(reply, len, &hba->facts);
	if (r < 0)
		return r;
	return hba->facts.wants_firmware ? -EIO : 0;
}

static int
learn_port(struct mptsas_hba *hba)
{
	uint8_t request[MPT_PORT_REQ_LEN] = { [MPT_FUNCTION] = MPT_FN_PORT_FACTS };
	uint8_t reply[RING_REPLY_BYTES];
	size_t len;
	int r = mptsas_handshake(hba, request, sizeof(request), reply, sizeof(reply), &len);

	if (r < 0)
		return r;
	if (len < MPT_PORT_LEN_MIN || reply[MPT_FUNCTION] != MPT_FN_PORT_FACTS)
		return -EBADMSG;
	if (reply[MPT_PORT_TYPE] != MPT_PORT_TYPE_SAS ||
	    (le16_get(reply + MPT_PORT_PROTOCOLS) & MPT_PORT_INITIATOR) == 0)
		return -ENODEV;
	return 0;
}

int
mptsas_learn(struct mptsas_hba *hba)
{
	int r = learn_ioc(hba);

	return r < 0 ? r : learn_port(hba);
}

/*
 * Bring-up.
 */

static int
tell_ioc(struct mptsas_hba *hba)
{
	uint8_t request[MPT_INIT_LEN] = {
		[MPT_INIT_WHO] = MPT_WHO_HOST, [MPT_FUNCTION] = MPT_FN_IOC_INIT,
		[MPT_INIT_DEVICES] = (uint8_t)hba->facts.max_devices,	/* 256 is 0 */
		[MPT_INIT_BUSES] = hba->facts.max_buses,
	};
	uint8_t reply[RING_REPLY_BYTES];
	struct reply_head head;
	size_t len;
	int r;

	le16_put(request + MPT_INIT_REPLY_BYTES, RING_REPLY_BYTES);
	le32_put(request + MPT_INIT_FRAME_HIGH, (uint32_t)(hba->pool.iova >> 32));
	le32_put(request + MPT_INIT_SENSE_HIGH, (uint32_t)(hba->pool.iova >> 32));
	le16_put(request + MPT_INIT_VERSION, MPT_VERSION_1_5);
	r = mptsas_handshake(hba, request, sizeof(request), reply, sizeof(reply), &len);
	if (r < 0)
		return r;
	if (mpt_reply_head_read(reply, len, &head) < 0 || head.function != MPT_FN_IOC_INIT ||
	    head.status != MPT_S_OK)
		return -EIO;
	return mptsas_wait_state(hba, MPT_ST_OPERATIONAL, OPERATIONAL_US);
}

static void
lend_replies(struct mptsas_hba *hba)
{
	for (uint32_t i = 0; i < hba->layout.nreplies; i++) {
		uint32_t off = hba->layout.replies_off + i * RING_REPLY_BYTES;

		mptsas_put(hba, MPT_REPLY_FIFO, (uint32_t)hba->pool.iova + off);
	}
}

int
mptsas_bring_up(struct mptsas_hba *hba)
{
	int r;

	mptsas_bus_master(hba, true);
	r = tell_ioc(hba);
	if (r < 0) {
		mptsas_bus_master(hba, false);
		return r;
	}
	mutex_enter(&hba->lock);
	for (size_t i = 0; i < ARRAY_LEN(hba->msgs); i++)
		hba->msgs[i].state = MSG_IDLE;
	hba->nacks = 0;
	hba->nstale = 0;
	hba->fault = MPTSAS_FAULT_NONE;
	atomic_store(&hba->idle, 0);
	mutex_exit(&hba->lock);
	lend_replies(hba);
	mutex_enter(&hba->lock);
	(void)sm_move(mptsas_states, &hba->state, MPTSAS_READY);
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
	atomic_store(&hba->can_touch, true);
	mptsas_put(hba, MPT_INT_MASK, MPT_INT_DOORBELL);
	return 0;
}

static int
ask(struct mptsas_hba *hba, uint32_t slot, const uint8_t *request, size_t len, uint64_t us)
{
	int r;

	memcpy(mptsas_frame(hba, slot), request, len);
	r = mptsas_exchange(hba, slot, len, us);
	if (r < 0)
		return r;
	return hba->msgs[slot].head.status == MPT_S_OK ? 0 : -EIO;
}

int
mptsas_open_ports(struct mptsas_hba *hba)
{
	uint8_t events[MPT_EVENTS_LEN] = {
		[MPT_EVENTS_SWITCH] = 1, [MPT_FUNCTION] = MPT_FN_EVENTS,
	};
	uint8_t enable[MPT_PORT_ENABLE_LEN] = { [MPT_FUNCTION] = MPT_FN_PORT_ENABLE };
	int r;

	/* events first: the ports tell by them what they find */
	r = ask(hba, RING_SLOT_EVENTS, events, sizeof(events), MPTSAS_MESSAGE_US);
	if (r < 0)
		return r;
	mutex_enter(&hba->message);
	r = ask(hba, RING_SLOT_MESSAGE, enable, sizeof(enable), PORT_ENABLE_US);
	mutex_exit(&hba->message);
	return r;
}
