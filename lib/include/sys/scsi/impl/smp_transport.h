/*
 * sys/scsi/impl/smp_transport.h - SAS management protocol: HBA side and target side
 *
 * What      An SMP device is the management port of a SAS expander: one request, one response,
 *           no SCSI. Its node is "smp@w<16 digits>" below an iport, made when the iport's
 *           target map reports an address of type SCSI_TGT_SMP_DEVICE.
 * Life      HBA: smp_hba_tran_alloc(), smp_hba_attach_setup() in attach(9E) of the HBA node,
 *           after scsi_hba_attach_setup(); each iport gets a copy of the vector before its
 *           attach(9E); smp_hba_detach(), smp_hba_tran_free() in detach(9E). Device: made
 *           before smp_tran_init, freed after smp_tran_free; the driver private of its node.
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
	void *smp_tran_hba_private;	/* HBA driver; set again in an iport's attach */
	dev_info_t *smp_tran_self;	/* lib/scsa: the node the vector is registered on */
	/* optional: an expander's node comes to life; DDI_SUCCESS, or it does not */
	int (*smp_tran_init)(dev_info_t *self, dev_info_t *child, smp_hba_tran_t *tran,
	    smp_device_t *sd);
	/* optional: it is gone */
	void (*smp_tran_free)(dev_info_t *self, dev_info_t *child, smp_hba_tran_t *tran,
	    smp_device_t *sd);
	/* required: one exchange, done on return; may block. DDI_SUCCESS; DDI_FAILURE with an
	 * errno in smp_pkt_reason: EAGAIN, EOVERFLOW (the response was longer), EINVAL, EIO,
	 * ETIMEDOUT */
	int (*smp_tran_start)(struct smp_pkt *pkt);
};

/* smp_hba_tran_alloc() - a zeroed vector, never NULL; smp_hba_tran_free() after
 * smp_hba_detach() */
smp_hba_tran_t *smp_hba_tran_alloc(dev_info_t *dip);
void smp_hba_tran_free(smp_hba_tran_t *tran);

/**
 * smp_hba_attach_setup() - register the vector for an HBA node
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE: no HBA node, one with iports already or with a vector,
 *           no smp_tran_start
 */
int smp_hba_attach_setup(dev_info_t *dip, smp_hba_tran_t *tran);

/* smp_hba_detach() - unregister; DDI_FAILURE when nothing is registered, or for an iport */
int smp_hba_detach(dev_info_t *dip);

/* smp_hba_tran_of() - the vector of an iport or HBA node, or NULL: how an iport's attach(9E)
 * finds its copy */
smp_hba_tran_t *smp_hba_tran_of(dev_info_t *dip);

/**
 * smp_transport() - one exchange with an expander
 *
 * @pkt      all fields set but the reason
 *
 * Returns:  DDI_SUCCESS, or DDI_FAILURE and the errno in smp_pkt_reason
 * Thread:   blocks until the answer is there
 */
int smp_transport(struct smp_pkt *pkt);

/**
 * smp_probe() - does an expander answer?
 *
 * Asks for its manufacturer information. When @smp has a node, what it says becomes properties
 * of it, unless they are set: "inquiry-vendor-id", "inquiry-product-id", "inquiry-revision-id",
 * "component", "report-manufacturer" (the answer as it came).
 *
 * Returns:  DDI_PROBE_SUCCESS, also for an answer that was too long; DDI_PROBE_FAILURE
 * Thread:   blocks
 */
int smp_probe(struct smp_device *smp);

/* smp_device_prop_*() - properties of the device's node, as the scsi_device_prop family */
int smp_device_prop_get_int(struct smp_device *smp, char *name, int def);
int64_t smp_device_prop_get_int64(struct smp_device *smp, char *name, int64_t def);
int smp_device_prop_lookup_byte_array(struct smp_device *smp, char *name, uchar_t **data,
    uint_t *nelements);
int smp_device_prop_lookup_string(struct smp_device *smp, char *name, char **data);
int smp_device_prop_update_byte_array(struct smp_device *smp, char *name, uchar_t *data,
    uint_t nelements);
int smp_device_prop_update_int(struct smp_device *smp, char *name, int data);
int smp_device_prop_update_int64(struct smp_device *smp, char *name, int64_t data);
int smp_device_prop_update_string(struct smp_device *smp, char *name, char *data);
int smp_device_prop_remove(struct smp_device *smp, char *name);
void smp_device_prop_free(struct smp_device *smp, void *data);

#endif /* SYS_SCSI_IMPL_SMP_TRANSPORT_H */
