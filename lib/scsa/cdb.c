#include <sys/scsi/scsi.h>

int
scsi_setup_cdb(union scsi_cdb *cdbp, uchar_t cmd, uint_t addr, uint_t cnt, uint_t addtl)
{
	switch (CDB_GROUPID(cmd)) {
	case CDB_GROUPID_0:
		FORMG0ADDR(cdbp, addr);
		FORMG0COUNT(cdbp, cnt);
		break;
	case CDB_GROUPID_1:
	case CDB_GROUPID_2:
		FORMG1ADDR(cdbp, addr);
		FORMG1COUNT(cdbp, cnt);
		break;
	case CDB_GROUPID_4:
		FORMG4ADDR(cdbp, addr);
		FORMG4COUNT(cdbp, cnt);
		FORMG4ADDTL(cdbp, addtl);
		break;
	case CDB_GROUPID_5:
		FORMG5ADDR(cdbp, addr);
		FORMG5COUNT(cdbp, cnt);
		break;
	default:
		return 0;
	}
	cdbp->scc_cmd = cmd;
	return 1;
}
