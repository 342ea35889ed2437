/*
 * sys/scsi/conf/autoconf.h - words of configuration
 *
 * What      Bits of the node properties "scsi-options" and "scsi-enumeration".
 * Source    scsi(4), scsi_hba_attach_setup(9F)
 */
#ifndef SYS_SCSI_CONF_AUTOCONF_H
#define SYS_SCSI_CONF_AUTOCONF_H

/* property "scsi-options" */
#define SCSI_DEBUG_TGT		0x00000001
#define SCSI_DEBUG_LIB		0x00000002
#define SCSI_DEBUG_HA		0x00000004
#define SCSI_OPTIONS_DR		0x00000008	/* disconnect and reselect */
#define SCSI_OPTIONS_LINK	0x00000010
#define SCSI_OPTIONS_SYNC	0x00000020
#define SCSI_OPTIONS_PARITY	0x00000040
#define SCSI_OPTIONS_TAG	0x00000080
#define SCSI_OPTIONS_FAST	0x00000100
#define SCSI_OPTIONS_WIDE	0x00000200
#define SCSI_OPTIONS_FAST20	0x00000400
#define SCSI_OPTIONS_FAST40	0x00000800
#define SCSI_OPTIONS_FAST80	0x00001000
#define SCSI_OPTIONS_FAST160	0x00002000
#define SCSI_OPTIONS_FAST320	0x00004000
#define SCSI_OPTIONS_QAS	0x00100000

/* how many LUNs are probed one by one on a target that has no REPORT LUNS: a field */
#define SCSI_OPTIONS_NLUNS_MASK		0x00070000
#define SCSI_OPTIONS_NLUNS_DEFAULT	0x00000000
#define SCSI_OPTIONS_NLUNS_1		0x00010000
#define SCSI_OPTIONS_NLUNS_8		0x00020000
#define SCSI_OPTIONS_NLUNS_16		0x00030000
#define SCSI_OPTIONS_NLUNS_32		0x00040000
#define SCSI_OPTIONS_NLUNS_64		0x00050000
#define SCSI_OPTIONS_NLUNS_128		0x00060000
#define SCSI_OPTIONS_NLUNS_256		0x00070000
#define SCSI_OPTIONS_NLUNS(options)	((options) & SCSI_OPTIONS_NLUNS_MASK)

#define SCSI_OPTIONS_DEFAULT                                                   \
	(SCSI_OPTIONS_PARITY | SCSI_OPTIONS_SYNC | SCSI_OPTIONS_LINK |         \
	    SCSI_OPTIONS_TAG | SCSI_OPTIONS_DR | SCSI_OPTIONS_FAST |           \
	    SCSI_OPTIONS_FAST20 | SCSI_OPTIONS_FAST40 | SCSI_OPTIONS_FAST80 |  \
	    SCSI_OPTIONS_FAST160 | SCSI_OPTIONS_FAST320 | SCSI_OPTIONS_QAS |   \
	    SCSI_OPTIONS_WIDE)

/* property "scsi-enumeration" */
#define SCSI_ENUMERATION_ENABLE			0x1
#define SCSI_ENUMERATION_MT_LUN_DISABLE		0x2	/* LUNs of a target one after another */
#define SCSI_ENUMERATION_MT_TARGET_DISABLE	0x4	/* targets one after another */

#endif /* SYS_SCSI_CONF_AUTOCONF_H */
