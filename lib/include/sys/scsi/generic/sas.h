/*
 * sys/scsi/generic/sas.h - SAS in numbers
 *
 * What      Link rates, device types and discovery results of the SAS protocol, and the names
 *           of node properties that describe phys.
 * Source    SPL-3 (phy layer and SMP DISCOVER)
 */
#ifndef SYS_SCSI_GENERIC_SAS_H
#define SYS_SCSI_GENERIC_SAS_H

/* negotiated link rate */
#define SAS_LINK_RATE_UNKNOWN		0x0
#define SAS_LINK_RATE_DISABLED		0x1
#define SAS_LINK_RATE_FAILED		0x2	/* speed negotiation failed */
#define SAS_LINK_RATE_SATASPINUP	0x3	/* spin-up hold */
#define SAS_LINK_RATE_PORTSEL		0x4	/* port selector */
#define SAS_LINK_RATE_RESETTING		0x5
#define SAS_LINK_RATE_PHY_UNSUPP	0x6
#define SAS_LINK_RATE_RESERVED		0x7
#define SAS_LINK_RATE_1_5GBIT		0x8
#define SAS_LINK_RATE_3GBIT		0x9
#define SAS_LINK_RATE_6GBIT		0xA
#define SAS_LINK_RATE_12GBIT		0xB

/* attached device type of DISCOVER */
#define SAS_DEVICE_TYPE_NONE		0x0
#define SAS_DEVICE_TYPE_END		0x1
#define SAS_DEVICE_TYPE_EXPANDER	0x2
#define SAS_DEVICE_TYPE_FANOUT		0x3	/* obsolete */

/* protocols of a port: bits */
#define SAS_IF_DTYPE_SATA		0x1	/* target side only */
#define SAS_IF_DTYPE_SMP		0x2
#define SAS_IF_DTYPE_STP		0x4
#define SAS_IF_DTYPE_SSP		0x8

/* node properties of iports and their phys; set by drivers */
#define SAS_PHY_INFO			"phy-info"
#define SAS_PHY_ID			"PhyIdentifier"
#define SAS_NUM_PHYS			"num-phys"
#define SAS_NEG_LINK_RATE		"NegotiatedLinkRate"
#define SAS_PROG_MIN_LINK_RATE		"ProgrammedMinLinkRate"
#define SAS_HW_MIN_LINK_RATE		"HardwareMinLinkRate"
#define SAS_PROG_MAX_LINK_RATE		"ProgrammedMaxLinkRate"
#define SAS_HW_MAX_LINK_RATE		"HardwareMaxLinkRate"

#endif /* SYS_SCSI_GENERIC_SAS_H */
