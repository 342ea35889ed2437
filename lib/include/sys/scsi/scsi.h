/*
 * sys/scsi/scsi.h - all of SCSA for a driver: one include
 *
 * What      The published interface between SCSI target drivers, the framework and SCSI host
 *           bus adapter drivers. A driver includes this file, <sys/ddi.h> and <sys/sunddi.h>.
 * Parts     scsi_types.h, scsi_address.h, scsi_pkt.h, scsi_params.h, scsi_ctl.h: the words;
 *           conf/: devices and their configuration; generic/: SCSI as the standards have it;
 *           impl/: the HBA side and the helpers.
 * Source    Intro(9F), scsi_hba_tran(9S), scsi_device(9S), scsi_pkt(9S)
 */
#ifndef SYS_SCSI_SCSI_H
#define SYS_SCSI_SCSI_H

#include <sys/types.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/ksynch.h>
#include <sys/kmem.h>
#include <sys/buf.h>
#include <sys/dditypes.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>

#include <sys/scsi/scsi_types.h>
#include <sys/scsi/scsi_params.h>
#include <sys/scsi/scsi_address.h>
#include <sys/scsi/scsi_pkt.h>
#include <sys/scsi/scsi_ctl.h>
#include <sys/scsi/generic/commands.h>
#include <sys/scsi/generic/status.h>
#include <sys/scsi/generic/message.h>
#include <sys/scsi/generic/inquiry.h>
#include <sys/scsi/generic/sense.h>
#include <sys/scsi/generic/mode.h>
#include <sys/scsi/conf/autoconf.h>
#include <sys/scsi/conf/device.h>
#include <sys/scsi/impl/types.h>

#endif /* SYS_SCSI_SCSI_H */
