/*
 * sys/scsi/impl/commands.h - helpers over CDBs
 */
#ifndef SYS_SCSI_IMPL_COMMANDS_H
#define SYS_SCSI_IMPL_COMMANDS_H

#include <sys/scsi/generic/commands.h>

/* opcode and group of a union scsi_cdb * */
#define GETCMD(cdb)	((cdb)->scc_cmd)
#define GETGROUP(cdb)	(CDB_GROUPID((cdb)->scc_cmd))

#endif /* SYS_SCSI_IMPL_COMMANDS_H */
