/*
 * sys/scsi/generic/commands.h - operation codes and the CDB
 *
 * What      SCMD_* opcodes, the CDB as a union, and macros that fill its address and count
 *           fields by command group.
 * Source    scsi_setup_cdb(9F); SPC-4 annex D, SBC-3
 */
#ifndef SYS_SCSI_GENERIC_COMMANDS_H
#define SYS_SCSI_GENERIC_COMMANDS_H

#include <sys/types.h>

/* the command group is in the three upper bits of the opcode; each group has one length */
#define CDB_GROUPID(cmd)	(((cmd) >> 5) & 0x7)
#define CDB_GROUPID_0		0
#define CDB_GROUPID_1		1
#define CDB_GROUPID_2		2
#define CDB_GROUPID_3		3
#define CDB_GROUPID_4		4
#define CDB_GROUPID_5		5
#define CDB_GROUPID_6		6
#define CDB_GROUPID_7		7

#define CDB_GROUP0		6	/* bytes of a CDB of the group */
#define CDB_GROUP1		10
#define CDB_GROUP2		10
#define CDB_GROUP3		0	/* variable length or reserved */
#define CDB_GROUP4		16
#define CDB_GROUP5		12
#define CDB_GROUP6		0	/* vendor specific */
#define CDB_GROUP7		0

#define SCSI_CDB_SIZE		CDB_GROUP4	/* longest CDB without variable length */

/* group 0: 6 bytes */
#define SCMD_TEST_UNIT_READY	0x00
#define SCMD_REZERO_UNIT	0x01
#define SCMD_REQUEST_SENSE	0x03
#define SCMD_FORMAT		0x04
#define SCMD_READ_BLKLIM	0x05
#define SCMD_REASSIGN_BLOCK	0x07
#define SCMD_READ		0x08
#define SCMD_WRITE		0x0a
#define SCMD_SEEK		0x0b
#define SCMD_INQUIRY		0x12
#define SCMD_MODE_SELECT	0x15
#define SCMD_RESERVE		0x16
#define SCMD_RELEASE		0x17
#define SCMD_COPY		0x18
#define SCMD_MODE_SENSE		0x1a
#define SCMD_START_STOP		0x1b
#define SCMD_GDIAG		0x1c	/* receive diagnostic results */
#define SCMD_SDIAG		0x1d	/* send diagnostic */
#define SCMD_DOORLOCK		0x1e	/* prevent or allow medium removal */

/* groups 1 and 2: 10 bytes */
#define SCMD_READ_FORMAT_CAP	0x23
#define SCMD_READ_CAPACITY	0x25
#define SCMD_READ_G1		0x28
#define SCMD_WRITE_G1		0x2a
#define SCMD_SEEK_G1		0x2b
#define SCMD_WRITE_VERIFY	0x2e
#define SCMD_VERIFY		0x2f
#define SCMD_SYNCHRONIZE_CACHE	0x35
#define SCMD_READ_DEFECT_LIST	0x37
#define SCMD_WRITE_BUFFER	0x3b
#define SCMD_READ_BUFFER	0x3c
#define SCMD_WRITE_SAME_G1	0x41
#define SCMD_UNMAP		0x42
#define SCMD_GET_CONFIGURATION	0x46
#define SCMD_LOG_SELECT_G1	0x4c
#define SCMD_LOG_SENSE_G1	0x4d
#define SCMD_MODE_SELECT_G1	0x55
#define SCMD_RESERVE_G1		0x56
#define SCMD_RELEASE_G1		0x57
#define SCMD_MODE_SENSE_G1	0x5a
#define SCMD_PERSISTENT_RESERVE_IN	0x5e
#define SCMD_PERSISTENT_RESERVE_OUT	0x5f

/* group 3: variable length */
#define SCMD_VAR_LEN		0x7f

/* group 4: 16 bytes */
#define SCMD_EXTENDED_COPY	0x83
#define SCMD_ATA_PASSTHRU_G4	0x85
#define SCMD_READ_G4		0x88
#define SCMD_COMPARE_AND_WRITE	0x89
#define SCMD_WRITE_G4		0x8a
#define SCMD_WRITE_VERIFY_G4	0x8e
#define SCMD_VERIFY_G4		0x8f
#define SCMD_SYNCHRONIZE_CACHE_G4	0x91
#define SCMD_WRITE_SAME_G4	0x93
#define SCMD_SVC_ACTION_IN_G4	0x9e
#define SCMD_SVC_ACTION_OUT_G4	0x9f

/* group 5: 12 bytes */
#define SCMD_REPORT_LUNS	0xa0
#define SCMD_ATA_PASSTHRU_G5	0xa1
#define SCMD_SECURITY_PROTOCOL_IN	0xa2
#define SCMD_MAINTENANCE_IN	0xa3
#define SCMD_MAINTENANCE_OUT	0xa4
#define SCMD_READ_G5		0xa8
#define SCMD_WRITE_G5		0xaa
#define SCMD_GET_PERFORMANCE	0xac
#define SCMD_WRITE_VERIFY_G5	0xae
#define SCMD_VERIFY_G5		0xaf
#define SCMD_SECURITY_PROTOCOL_OUT	0xb5

/* service actions of SCMD_SVC_ACTION_IN_G4 */
#define SSVC_ACTION_READ_CAPACITY_G4	0x10

/*
 * A CDB: all groups over each other. Fields are wire bytes, most significant first in the name
 * with the highest digit.
 */
union scsi_cdb {
	uchar_t cdb_opaque[SCSI_CDB_SIZE];
	uint_t cdb_long[SCSI_CDB_SIZE / sizeof(uint_t)];
	struct {
		uchar_t scc_cmd;
		uchar_t g0_addr2 : 5, scc_lun : 3;
		uchar_t g0_addr1;
		uchar_t g0_addr0;
		uchar_t g0_count0;
		uchar_t g0_control;
	};
	struct {
		uchar_t g1_cmd;
		uchar_t g1_reladdr : 1, g1_rsvd1 : 4, g1_lun : 3;
		uchar_t g1_addr3;
		uchar_t g1_addr2;
		uchar_t g1_addr1;
		uchar_t g1_addr0;
		uchar_t g1_rsvd0;
		uchar_t g1_count1;
		uchar_t g1_count0;
		uchar_t g1_control;
	};
	struct {
		uchar_t g5_cmd;
		uchar_t g5_reladdr : 1, g5_rsvd2 : 4, g5_lun : 3;
		uchar_t g5_addr3;
		uchar_t g5_addr2;
		uchar_t g5_addr1;
		uchar_t g5_addr0;
		uchar_t g5_count3;
		uchar_t g5_count2;
		uchar_t g5_count1;
		uchar_t g5_count0;
		uchar_t g5_rsvd1;
		uchar_t g5_control;
	};
	struct {
		uchar_t g4_cmd;
		uchar_t g4_reladdr : 1, g4_rsvd1 : 4, g4_lun : 3;
		uchar_t g4_addr3;
		uchar_t g4_addr2;
		uchar_t g4_addr1;
		uchar_t g4_addr0;
		uchar_t g4_addtl_cdb_data3;
		uchar_t g4_addtl_cdb_data2;
		uchar_t g4_addtl_cdb_data1;
		uchar_t g4_addtl_cdb_data0;
		uchar_t g4_count3;
		uchar_t g4_count2;
		uchar_t g4_count1;
		uchar_t g4_count0;
		uchar_t g4_rsvd0;
		uchar_t g4_control;
	};
};

/* address and count fields by group: @cdb is a union scsi_cdb *, evaluated more than once */
#define FORMG0ADDR(cdb, addr)                                  \
	((cdb)->g0_addr2 = ((addr) >> 16) & 0x1f,              \
	    (cdb)->g0_addr1 = (uchar_t)(((addr) >> 8) & 0xff), \
	    (cdb)->g0_addr0 = (uchar_t)((addr)&0xff))
#define FORMG0COUNT(cdb, cnt)	((cdb)->g0_count0 = (uchar_t)((cnt) & 0xff))
#define GETG0ADDR(cdb)                                                         \
	(((uint_t)(cdb)->g0_addr2 << 16) + ((uint_t)(cdb)->g0_addr1 << 8) + (cdb)->g0_addr0)
#define GETG0COUNT(cdb)		((cdb)->g0_count0)

#define FORMG1ADDR(cdb, addr)                                   \
	((cdb)->g1_addr3 = (uchar_t)(((addr) >> 24) & 0xff),    \
	    (cdb)->g1_addr2 = (uchar_t)(((addr) >> 16) & 0xff), \
	    (cdb)->g1_addr1 = (uchar_t)(((addr) >> 8) & 0xff),  \
	    (cdb)->g1_addr0 = (uchar_t)((addr)&0xff))
#define FORMG1COUNT(cdb, cnt)                               \
	((cdb)->g1_count1 = (uchar_t)(((cnt) >> 8) & 0xff), \
	    (cdb)->g1_count0 = (uchar_t)((cnt)&0xff))
#define GETG1ADDR(cdb)                                                         \
	(((uint_t)(cdb)->g1_addr3 << 24) + ((uint_t)(cdb)->g1_addr2 << 16) +   \
	    ((uint_t)(cdb)->g1_addr1 << 8) + (cdb)->g1_addr0)
#define GETG1COUNT(cdb)		(((uint_t)(cdb)->g1_count1 << 8) + (cdb)->g1_count0)

#define FORMG4ADDR(cdb, addr)                                   \
	((cdb)->g4_addr3 = (uchar_t)(((addr) >> 24) & 0xff),    \
	    (cdb)->g4_addr2 = (uchar_t)(((addr) >> 16) & 0xff), \
	    (cdb)->g4_addr1 = (uchar_t)(((addr) >> 8) & 0xff),  \
	    (cdb)->g4_addr0 = (uchar_t)((addr)&0xff))
#define FORMG4ADDTL(cdb, data)                                                 \
	((cdb)->g4_addtl_cdb_data3 = (uchar_t)(((data) >> 24) & 0xff),                    \
	    (cdb)->g4_addtl_cdb_data2 = (uchar_t)(((data) >> 16) & 0xff),                 \
	    (cdb)->g4_addtl_cdb_data1 = (uchar_t)(((data) >> 8) & 0xff),                  \
	    (cdb)->g4_addtl_cdb_data0 = (uchar_t)((data) & 0xff))
#define FORMG4LONGADDR(cdb, addr)                                              \
	(FORMG4ADDR((cdb), (uint64_t)(addr) >> 32),                            \
	    FORMG4ADDTL((cdb), (uint64_t)(addr) & 0xffffffffu))
#define FORMG4COUNT(cdb, cnt)                                   \
	((cdb)->g4_count3 = (uchar_t)(((cnt) >> 24) & 0xff),    \
	    (cdb)->g4_count2 = (uchar_t)(((cnt) >> 16) & 0xff), \
	    (cdb)->g4_count1 = (uchar_t)(((cnt) >> 8) & 0xff),  \
	    (cdb)->g4_count0 = (uchar_t)((cnt)&0xff))

#define FORMG5ADDR(cdb, addr)                                   \
	((cdb)->g5_addr3 = (uchar_t)(((addr) >> 24) & 0xff),    \
	    (cdb)->g5_addr2 = (uchar_t)(((addr) >> 16) & 0xff), \
	    (cdb)->g5_addr1 = (uchar_t)(((addr) >> 8) & 0xff),  \
	    (cdb)->g5_addr0 = (uchar_t)((addr)&0xff))
#define FORMG5COUNT(cdb, cnt)                                   \
	((cdb)->g5_count3 = (uchar_t)(((cnt) >> 24) & 0xff),    \
	    (cdb)->g5_count2 = (uchar_t)(((cnt) >> 16) & 0xff), \
	    (cdb)->g5_count1 = (uchar_t)(((cnt) >> 8) & 0xff),  \
	    (cdb)->g5_count0 = (uchar_t)((cnt)&0xff))

/**
 * scsi_setup_cdb() - fill opcode, address and length of a CDB by the group of its opcode
 *
 * @cdbp     room for the group's length, zeroed by the caller
 * @cmd      opcode; groups 0, 1, 2, 4 and 5
 * @addr     logical block address; 21 bits of it in group 0
 * @cnt      transfer length; 8 bits of it in group 0, 16 in groups 1 and 2
 * @addtl    group 4 only: bytes 6 to 9; for a 64-bit address its lower half
 *
 * Returns:  1, or 0 and nothing written for another group
 * Source:   scsi_setup_cdb(9F)
 */
int scsi_setup_cdb(union scsi_cdb *cdbp, uchar_t cmd, uint_t addr, uint_t cnt, uint_t addtl);

#endif /* SYS_SCSI_GENERIC_COMMANDS_H */
