#include <sys/scsi/scsi.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "ddi/violation.h"
#include "scsa/pkt_dma.h"

#define PKT_ALIGN	16u
#define PKT_CDB_MAX	260	/* longest CDB there is: 8 + 252, SPC-4 4.2.3 */

const struct sm_state pkt_states[PKT_ST_N] = {
	[PKT_ST_FREE]   = { "free",   SM_TO(PKT_ST_IDLE) },
	[PKT_ST_IDLE]   = { "idle",   SM_TO(PKT_ST_ISSUED) | SM_TO(PKT_ST_FREE) },
	[PKT_ST_ISSUED] = { "issued", SM_TO(PKT_ST_DONE) | SM_TO(PKT_ST_IDLE) |
	                              SM_TO(PKT_ST_DOOMED) },
	[PKT_ST_DONE]   = { "done",   SM_TO(PKT_ST_ISSUED) | SM_TO(PKT_ST_FREE) },
	[PKT_ST_DOOMED] = { "doomed", SM_TO(PKT_ST_DONE) },
};

static size_t
pkt_round(size_t len)
{
	return (size_t)num_round_up(len, PKT_ALIGN);
}

/*
 * The cache. An object is scsa_pkt, HBA area, CDB (TRAN_CDB), status (TRAN_SCB), in this order.
 */

static int
pkt_construct(void *obj, void *private, int kmflag)
{
	struct scsi_hba_tran *tran = private;
	struct scsa_pkt *sp = obj;
	struct scsi_pkt *pkt = &sp->pkt;
	uchar_t *area = (uchar_t *)obj + pkt_round(sizeof(*sp));
	size_t ha_bytes = pkt_round((size_t)tran->tran_hba_len);

	memset(sp, 0, sizeof(*sp));
	memset(area, 0, ha_bytes);
	if (dma_init(&sp->dma, tran->tran_hba_dip, &tran->tran_dma_attr) != DDI_SUCCESS)
		return -1;
	atomic_init(&sp->state, PKT_ST_FREE);
	sp->is_cached = true;
	pkt->pkt_framework = sp;
	pkt->pkt_handle = &sp->dma;
	pkt->pkt_ha_private = tran->tran_hba_len > 0 ? area : NULL;
	area += ha_bytes;
	if (tran->tran_hba_flags & SCSI_HBA_TRAN_CDB) {
		sp->own_cdb = area;
		area += PKT_CDB_INLINE;
	}
	if (tran->tran_hba_flags & SCSI_HBA_TRAN_SCB)
		sp->own_scb = area;

	/* what the constructor may look at: set again for each use */
	pkt->pkt_address.a_hba_tran = tran;
	pkt->pkt_cdbp = sp->own_cdb;
	pkt->pkt_scbp = sp->own_scb;
	pkt->pkt_cdblen = PKT_CDB_INLINE;
	pkt->pkt_scblen = (uint_t)sizeof(struct scsi_arq_status);
	if (tran_call_pkt_construct(tran, pkt, kmflag) == 0)
		return 0;
	dma_fini(&sp->dma);
	return -1;
}

static void
pkt_destruct(void *obj, void *private)
{
	struct scsa_pkt *sp = obj;

	tran_call_pkt_destruct(private, &sp->pkt);
	dma_fini(&sp->dma);
}

int
pkt_cache_create(struct scsi_hba_tran *tran)
{
	size_t size = pkt_round(sizeof(struct scsa_pkt));

	if (tran->tran_hba_len < 0)
		return -EINVAL;
	size += pkt_round((size_t)tran->tran_hba_len);
	if (tran->tran_hba_flags & SCSI_HBA_TRAN_CDB)
		size += PKT_CDB_INLINE;
	if (tran->tran_hba_flags & SCSI_HBA_TRAN_SCB)
		size += pkt_round(PKT_SCB_INLINE);
	tran->tran_pkt_cache_ptr = kmem_cache_create("scsi_pkt", size, 64, pkt_construct,
	    pkt_destruct, NULL, tran, NULL, 0);
	return tran->tran_pkt_cache_ptr != NULL ? 0 : -ENOMEM;
}

void
pkt_cache_destroy(struct scsi_hba_tran *tran)
{
	kmem_cache_destroy(STEAL(tran->tran_pkt_cache_ptr));
}

static void
pkt_debug_device(struct scsa_pkt *sp, const struct scsi_address *ap)
{
#ifdef SCSAD_DEBUG
	sp->unit = unit_by_address(ap);
#else
	(void)sp;
	(void)ap;
#endif
}

/* per-use fields, before tran_setup_pkt looks at them */
static void
pkt_reset(struct scsa_pkt *sp, const struct scsi_address *ap, int cmdlen, int statuslen,
    int tgtlen)
{
	struct scsi_pkt *pkt = &sp->pkt;

	pkt->pkt_address = *ap;
	pkt->pkt_private = NULL;
	pkt->pkt_comp = NULL;
	pkt->pkt_flags = 0;
	pkt->pkt_time = 0;
	pkt->pkt_resid = 0;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	pkt->pkt_reason = 0;
	pkt->pkt_cdblen = (uint_t)cmdlen;
	pkt->pkt_tgtlen = (uint_t)tgtlen;
	pkt->pkt_scblen = (uint_t)statuslen;
	pkt->pkt_numcookies = 0;
	pkt->pkt_cookies = NULL;
	pkt->pkt_dma_offset = 0;
	pkt->pkt_dma_len = 0;
	pkt->pkt_dma_flags = 0;
	pkt->pkt_path_instance = 0;
	if (sp->own_cdb != NULL)
		pkt->pkt_cdbp = sp->own_cdb;
	if (sp->own_scb != NULL)
		pkt->pkt_scbp = sp->own_scb;
	sp->want_flags = 0;
	sp->waiter = NULL;
	pkt_debug_device(sp, ap);
}

/* room for what the cache object has none for; false without memory */
static bool
pkt_extend(struct scsa_pkt *sp, int kmflag)
{
	struct scsi_pkt *pkt = &sp->pkt;
	size_t cdb = sp->own_cdb != NULL && pkt->pkt_cdblen > PKT_CDB_INLINE ?
	    pkt_round(pkt->pkt_cdblen) : 0;
	size_t scb = sp->own_scb != NULL && pkt->pkt_scblen > PKT_SCB_INLINE ?
	    pkt_round(pkt->pkt_scblen) : 0;
	size_t tgt = pkt->pkt_tgtlen > PKT_TGT_INLINE ? pkt_round(pkt->pkt_tgtlen) : 0;
	uchar_t *ext;

	if (pkt->pkt_tgtlen != 0)
		pkt->pkt_private = sp->tgt;
	if (LIKELY(cdb + scb + tgt == 0))
		return true;
	ext = kmem_zalloc(cdb + scb + tgt, kmflag);
	if (ext == NULL)
		return false;
	sp->ext = ext;
	sp->ext_bytes = cdb + scb + tgt;
	if (cdb != 0)
		pkt->pkt_cdbp = ext;
	if (scb != 0)
		pkt->pkt_scbp = ext + cdb;
	if (tgt != 0)
		pkt->pkt_private = ext + cdb + scb;
	return true;
}

static void
pkt_cache_put(struct scsa_pkt *sp, struct scsi_hba_tran *tran)
{
	if (UNLIKELY(sp->ext != NULL)) {
		kmem_free(sp->ext, sp->ext_bytes);
		sp->ext = NULL;
	}
	atomic_store_explicit(&sp->state, PKT_ST_FREE, memory_order_relaxed);
	kmem_cache_free(tran->tran_pkt_cache_ptr, sp);
}

/* the areas a driver must have provided by now, zeroed; false if it has not */
static bool
pkt_zero_areas(struct scsi_pkt *pkt)
{
	if ((pkt->pkt_cdblen != 0 && pkt->pkt_cdbp == NULL) ||
	    (pkt->pkt_scblen != 0 && pkt->pkt_scbp == NULL))
		return false;
	if (LIKELY(pkt->pkt_cdblen != 0))
		memset(pkt->pkt_cdbp, 0, pkt->pkt_cdblen);
	if (LIKELY(pkt->pkt_scblen != 0))
		memset(pkt->pkt_scbp, 0, pkt->pkt_scblen);
	if (pkt->pkt_tgtlen != 0)
		memset(pkt->pkt_private, 0, pkt->pkt_tgtlen);
	return true;
}

static struct scsa_pkt *
pkt_setup_new(struct scsi_address *ap, int cmdlen, int statuslen, int tgtlen,
    int (*callback)(caddr_t))
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	int kmflag = callback == SLEEP_FUNC ? KM_SLEEP : KM_NOSLEEP;
	struct scsa_pkt *sp;

	sp = kmem_cache_alloc(tran->tran_pkt_cache_ptr, kmflag);
	if (sp == NULL)
		return NULL;
	pkt_reset(sp, ap, cmdlen, statuslen, tgtlen);
	if (!pkt_extend(sp, kmflag) || tran_call_setup_pkt(tran, &sp->pkt, callback) != 0) {
		pkt_cache_put(sp, tran);
		return NULL;
	}
	if (!pkt_zero_areas(&sp->pkt)) {
		tran_call_teardown_pkt(tran, &sp->pkt);
		pkt_cache_put(sp, tran);
		return NULL;
	}
	atomic_store_explicit(&sp->state, PKT_ST_IDLE, memory_order_relaxed);
	return sp;
}

/* tran_init_pkt of setup_pkt drivers */
struct scsi_pkt *
pkt_setup_init(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp, int cmdlen,
    int statuslen, int tgtlen, int flags, int (*callback)(caddr_t), caddr_t arg)
{
	bool is_new = pkt == NULL;
	struct scsa_pkt *sp;
	int r;

	(void)arg;
	sp = is_new ? pkt_setup_new(ap, cmdlen, statuslen, tgtlen, callback) : pkt_framework(pkt);
	if (sp == NULL)
		return NULL;
	sp->want_flags |= flags & (PKT_CONSISTENT | PKT_DMA_PARTIAL);
	if (bp == NULL || bp->b_bcount == 0)
		return &sp->pkt;

	r = sp->dma.is_bound ? pkt_dma_next(sp, bp) : pkt_dma_bind(sp, bp, callback);
	if (LIKELY(r == 0))
		return &sp->pkt;
	bioerror(bp, r == -ENOBUFS ? 0 : r);
	if (is_new)
		pkt_setup_destroy(ap, &sp->pkt);
	return NULL;
}

/* tran_destroy_pkt of setup_pkt drivers */
void
pkt_setup_destroy(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);
	struct scsi_hba_tran *tran = ap->a_hba_tran;

	if (sp == NULL)
		return;
	tran_call_teardown_pkt(tran, pkt);
	if (sp->dma.is_bound)
		pkt_dma_unbind(sp);
	pkt_cache_put(sp, tran);
}

/*
 * Packets of init_pkt drivers: one zeroed block, the parts behind the packet.
 */

struct scsi_pkt *
scsi_hba_pkt_alloc(dev_info_t *dip, struct scsi_address *ap, int cmdlen, int statuslen,
    int tgtlen, int hbalen, int (*callback)(caddr_t), caddr_t arg)
{
	const int lens[] = { cmdlen, statuslen, tgtlen, hbalen };
	size_t total = pkt_round(sizeof(struct scsa_pkt));
	void *parts[ARRAY_LEN(lens)] = { NULL };
	struct scsa_pkt *sp;
	uchar_t *area;

	(void)dip;
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		if (lens[i] < 0)
			return NULL;
		total += pkt_round((size_t)lens[i]);
	}
	sp = kmem_zalloc(total, callback == SLEEP_FUNC ? KM_SLEEP : KM_NOSLEEP);
	if (sp == NULL)
		return NULL;
	area = (uchar_t *)sp + pkt_round(sizeof(*sp));
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		parts[i] = lens[i] != 0 ? area : NULL;
		area += pkt_round((size_t)lens[i]);
	}
	sp->alloc_bytes = total;
	atomic_init(&sp->state, PKT_ST_IDLE);
	pkt_debug_device(sp, ap);
	sp->pkt.pkt_framework = sp;
	sp->pkt.pkt_address = *ap;
	sp->pkt.pkt_cdbp = parts[0];
	sp->pkt.pkt_scbp = parts[1];
	sp->pkt.pkt_private = parts[2];
	sp->pkt.pkt_ha_private = parts[3];
	sp->pkt.pkt_cdblen = (uint_t)cmdlen;
	sp->pkt.pkt_scblen = (uint_t)statuslen;
	sp->pkt.pkt_tgtlen = (uint_t)tgtlen;
	return &sp->pkt;
}

void
scsi_hba_pkt_free(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);

	(void)ap;
	if (sp != NULL && !sp->is_cached)
		kmem_free(sp, sp->alloc_bytes);
}

/*
 * What target drivers call.
 */

/* may a packet to @ap have a CDB of @cmdlen bytes? */
static bool
pkt_cdb_fits(struct scsi_address *ap, int cmdlen)
{
	struct scsa_port *port = ap->a_hba_tran->tran_extension;
	int max;

	if (cmdlen <= CDB_GROUP1)
		return cmdlen >= 0;
	if (cmdlen <= CDB_GROUP4 && port != NULL &&
	    atomic_load_explicit(&port->has_cdb16, memory_order_relaxed))
		return true;
	max = tran_call_getcap(ap, "max-cdb-length", 1);
	if (max <= 0)
		max = CDB_GROUP4;
	if (max >= CDB_GROUP4 && port != NULL)
		atomic_store_explicit(&port->has_cdb16, true, memory_order_relaxed);
	return cmdlen <= max && cmdlen <= PKT_CDB_MAX;
}

static bool
is_function(int (*callback)(caddr_t))
{
	return callback != NULL_FUNC && callback != SLEEP_FUNC;
}

/* is it data for a packet that the framework has made, and that has none now, in one piece that
 * nobody maps? What target drivers do that keep their packets. (Granularity does not matter to
 * what is not divided) */
static inline bool
is_again(const struct scsi_address *ap, struct scsi_pkt *pkt, const struct buf *bp, int flags)
{
	return pkt != NULL && bp != NULL && ap->a_hba_tran->tran_init_pkt == pkt_setup_init &&
	    !scsa_trace_is_on && (flags & PKT_CONSISTENT_OLD) == 0 &&
	    (void *)pkt->pkt_framework == (void *)pkt &&
	    dma_is_simple(&pkt->pkt_framework->dma, bp->b_un.b_addr, bp->b_bcount);
}

static inline void
init_pkt_again(struct scsa_pkt *sp, struct buf *bp, int flags)
{
	bp->b_error = 0;
	bp->b_flags &= ~B_ERROR;
	sp->want_flags |= flags & (PKT_CONSISTENT | PKT_DMA_PARTIAL);
	pkt_dma_bind_simple(sp, bp);
}

static struct scsi_pkt * __attribute__((noinline))
init_pkt(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp, int cmdlen,
    int statuslen, int privatelen, int flags, int (*callback)(caddr_t), caddr_t arg)
{
	int (*wait)(caddr_t) = is_function(callback) ? NULL_FUNC : callback;
	struct scsi_pkt *r = NULL;

	if (pkt != NULL && (bp == NULL || bp->b_bcount == 0))
		return pkt;
	if (flags & PKT_CONSISTENT_OLD)
		flags = (flags & ~PKT_CONSISTENT_OLD) | PKT_CONSISTENT;
	if (bp != NULL)
		bioerror(bp, 0);
	if (pkt == NULL && (statuslen < 0 || privatelen < 0 || !pkt_cdb_fits(ap, cmdlen))) {
		if (bp != NULL)
			bioerror(bp, EINVAL);
		PORT_COUNT(ap->a_hba_tran, no_packet);
		return NULL;
	}

	r = tran_call_init_pkt(ap, pkt, bp, cmdlen, statuslen, privatelen, flags, wait);
	if (LIKELY(r != NULL))
		return r;
	PORT_COUNT(ap->a_hba_tran, no_packet);
	if (is_function(callback))
		runout_add(callback, arg);
	return NULL;
}

struct scsi_pkt *
scsi_init_pkt(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp, int cmdlen,
    int statuslen, int privatelen, int flags, int (*callback)(caddr_t), caddr_t arg)
{
	if (LIKELY(is_again(ap, pkt, bp, flags))) {
		init_pkt_again(pkt->pkt_framework, bp, flags);
		return pkt;
	}
	return init_pkt(ap, pkt, bp, cmdlen, statuslen, privatelen, flags, callback, arg);
}

/* a packet that the HBA driver still has is freed when it comes back; false then */
bool
pkt_release(struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);
	unsigned int issued = PKT_ST_ISSUED;

	if (sp == NULL || !port_has_setup(pkt->pkt_address.a_hba_tran))
		return true;
	if (LIKELY(atomic_load_explicit(&sp->state, memory_order_acquire) != PKT_ST_ISSUED))
		return true;
	if (!atomic_compare_exchange_strong(&sp->state, &issued, PKT_ST_DOOMED))
		return true;
	PORT_COUNT(pkt->pkt_address.a_hba_tran, bad_destroy);
	ddi_violation("pkt-destroy-issued",
	    "packet destroyed in transport, or completed without scsi_hba_pkt_comp");
	return false;
}

void
scsi_destroy_pkt(struct scsi_pkt *pkt)
{
	if (!pkt_release(pkt))
		return;
	tran_call_destroy_pkt(pkt);
	runout_run();
}

void
scsi_dmafree(struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = pkt->pkt_address.a_hba_tran;

	if (LIKELY(tran->tran_dmafree == pkt_setup_dmafree && !scsa_trace_is_on))
		pkt_setup_dmafree(&pkt->pkt_address, pkt);
	else
		tran_call_dmafree(pkt);
	runout_run();
}

struct scsi_pkt *
scsi_dmaget(struct scsi_pkt *pkt, opaque_t token, int (*callback)(void))
{
	int (*wait)(caddr_t) = callback == SLEEP_FUNC ? SLEEP_FUNC : NULL_FUNC;

	return scsi_init_pkt(&pkt->pkt_address, pkt, token, 0, 0, 0, 0, wait, NULL);
}

void
scsi_sync_pkt(struct scsi_pkt *pkt)
{
	tran_call_sync_pkt(pkt);
}

int
scsi_hba_in_panic(void)
{
	return 0;
}
