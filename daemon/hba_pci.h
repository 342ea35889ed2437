/*
 * daemon/hba_pci.h - an HBA that is a PCI function
 *
 * What      Takes the function by vfio or uio, as the configuration says, and follows its news:
 *           when the system wants it back it is detached and closed, by a worker; when it has
 *           failed, that is logged.
 * Owner     struct hba; hba_pci_close() after its node was detached.
 * Thread    open, close: one that may block.
 * Source    hw/pci/attach.h
 */
#ifndef DAEMON_HBA_PCI_H
#define DAEMON_HBA_PCI_H

#include "daemon/hbas.h"

/**
 * hba_pci_open() - the function of @conf becomes @hba's node
 *
 * Returns:  0, and hba->dip, hba->fn, hba->detail are set
 *           -errno   hba->detail says why and what to do
 */
int hba_pci_open(struct hba *hba, const struct config_hba *conf) MUST_CHECK;

/* hba_pci_close() - no more news, the function is given back; hba->life held. Does nothing for
 * other HBAs, and when the node is attached or held */
void hba_pci_close(struct hba *hba);

/* hba_pci_wait() - until no worker has anything to do with it, after hba_pci_close() */
void hba_pci_wait(struct hba *hba);

#endif /* DAEMON_HBA_PCI_H */
