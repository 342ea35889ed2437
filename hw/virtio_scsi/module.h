/*
 * virtio_scsi/module.h - the driver of virtio SCSI adapters, for who links it
 *
 * What      Entry points of the module, and the nodes it is for. Everything else goes through
 *           SCSA.
 * Node      A PCI function with "reg" (configuration space, then a set for each BAR),
 *           interrupts and DMA; named, or compatible to, one of VIRTIO_SCSI_ALIASES.
 * Device    VIRTIO 1.x over PCI, driven through its modern capabilities only; the transitional
 *           id as well.
 * Properties read from the node: "virtio-scsi-queues" (request queues at most; 0, the default:
 *           one for each loop).
 * Properties of the node that tell how it is: "hba-state" (starting, ready, held, failed,
 *           dead),
 *           "hba-failures" (how often it had to be recovered), "hba-why" (the last reason),
 *           "capacity-changes" (how often a unit has told of a new size).
 */
#ifndef VIRTIO_SCSI_MODULE_H
#define VIRTIO_SCSI_MODULE_H

#define VIRTIO_SCSI_DRIVER	"virtio_scsi"
#define VIRTIO_SCSI_ALIASES	"pci1af4,1048", "pci1af4,1004"

/* virtio_scsi_mod_init(), virtio_scsi_mod_fini() - the driver's _init(9E) and _fini(9E); 0 or
 * an errno value */
int virtio_scsi_mod_init(void);
int virtio_scsi_mod_fini(void);

#endif /* VIRTIO_SCSI_MODULE_H */
