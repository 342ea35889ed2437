/*
 * sys/scsi/impl/types.h - the implementation side of SCSA, in one include
 */
#ifndef SYS_SCSI_IMPL_TYPES_H
#define SYS_SCSI_IMPL_TYPES_H

#include <sys/scsi/impl/commands.h>
#include <sys/scsi/impl/inquiry.h>
#include <sys/scsi/impl/sense.h>
#include <sys/scsi/impl/status.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/services.h>
#include <sys/scsi/impl/scsi_sas.h>
#include <sys/scsi/impl/smp_transport.h>
#include <sys/scsi/impl/tgtmap.h>
#include <sys/scsi/impl/transport.h>

#endif /* SYS_SCSI_IMPL_TYPES_H */
