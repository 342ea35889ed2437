/*
 * daemon/hba_words.h - the keys an HBA can have in the configuration, once
 *
 * What      W(T, key) has one word as its value, L(T, key) a list of words; T is whatever the
 *           expander passes through. The reader of files makes its struct, its schema and its
 *           list of keys from these rows; which of the keys a driver has, and what they mean,
 *           says its row in daemon/drivers.c.
 */
#ifndef DAEMON_HBA_WORDS_H
#define DAEMON_HBA_WORDS_H

/* of every HBA */
#define HBA_COMMON_WORDS(W, L, T) \
	W(T, name) W(T, driver) W(T, module)
/* of one that is a PCI function */
#define HBA_PCI_WORDS(W, L, T) \
	W(T, pci) W(T, bus) W(T, allow_unsafe_dma) W(T, identity_dma) W(T, dma_pool)
/* of the software HBA */
#define HBA_SOFT_WORDS(W, L, T) \
	L(T, ports) L(T, disks) L(T, expanders) W(T, dynamic)

/* of single drivers */
#define HBA_DRIVER_WORDS(W, L, T) \
	W(T, queues) W(T, topology_poll_ms) W(T, ring_pages) W(T, scan_interval_s) \
	L(T, targets) W(T, initiator)

#define HBA_WORDS(W, L, T) \
	HBA_COMMON_WORDS(W, L, T) \
	HBA_PCI_WORDS(W, L, T) \
	HBA_SOFT_WORDS(W, L, T) \
	HBA_DRIVER_WORDS(W, L, T)

#define HBA_KEYS_MAX	32

#endif /* DAEMON_HBA_WORDS_H */
