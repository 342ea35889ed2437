/*
 * sys/scsi/impl/smp_transport.h - SAS management protocol: the structures
 *
 * What      An SMP device is the management port of a SAS expander: one request, one response,
 *           no SCSI.
 * Source    smp_hba_tran(9S), smp_pkt(9S)
 */
#ifndef SYS_SCSI_IMPL_SMP_TRANSPORT_H
#define SYS_SCSI_IMPL_SMP_TRANSPORT_H

#include <sys/types.h>
#include <sys/dditypes.h>

#define SAS_WWN_BYTE_SIZE	8

struct smp_pkt;
typedef struct smp_hba_tran smp_hba_tran_t;

typedef struct smp_address {
	struct smp_hba_tran *smp_a_hba_tran;
	uint8_t smp_a_wwn[SAS_WWN_BYTE_SIZE];	/* SAS address, wire order */
} smp_address_t;

typedef struct smp_device {
	dev_info_t *smp_sd_dev;
	smp_address_t smp_sd_address;
	void *smp_sd_private;		/* target driver */
	void *smp_sd_hba_private;	/* HBA driver */
} smp_device_t;

typedef struct smp_pkt {
	smp_address_t *smp_pkt_address;
	caddr_t smp_pkt_req;
	caddr_t smp_pkt_rsp;
	size_t smp_pkt_reqsize;
	size_t smp_pkt_rspsize;
	int smp_pkt_timeout;		/* s */
	uchar_t smp_pkt_reason;		/* errno; set by HBA driver */
	uchar_t smp_pkt_will_retry;	/* the client retries: HBA driver need not complain */
} smp_pkt_t;

struct smp_hba_tran {
	void *smp_tran_hba_private;	/* set by HBA driver */
	dev_info_t *smp_tran_self;	/* lib/scsa only */
	int (*smp_tran_init)(dev_info_t *self, dev_info_t *child, smp_hba_tran_t *tran,
	    smp_device_t *sd);
	void (*smp_tran_free)(dev_info_t *self, dev_info_t *child, smp_hba_tran_t *tran,
	    smp_device_t *sd);
	int (*smp_tran_start)(struct smp_pkt *pkt);
};

#endif /* SYS_SCSI_IMPL_SMP_TRANSPORT_H */
