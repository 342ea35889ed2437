/*
 * sys/scsi/generic/smp_frames.h - frames of the serial management protocol
 *
 * What      Codes of requests and results, and the layout of the frames every expander knows.
 *           The CRC at the end of a frame is the adapter's business and is not part of a
 *           buffer.
 * Wire      Fields of more than one byte are big endian and given as bytes.
 * Source    SPL-3, section SMP application layer
 */
#ifndef SYS_SCSI_GENERIC_SMP_FRAMES_H
#define SYS_SCSI_GENERIC_SMP_FRAMES_H

#include <sys/types.h>

#define SMP_FRAME_TYPE_REQUEST		0x40
#define SMP_FRAME_TYPE_RESPONSE		0x41

/* functions */
#define SMP_FUNC_REPORT_GENERAL		0x00
#define SMP_FUNC_REPORT_MANUFACTURER_INFO	0x01
#define SMP_FUNC_DISCOVER		0x10
#define SMP_FUNC_REPORT_PHY_ERROR_LOG	0x11
#define SMP_FUNC_REPORT_PHY_SATA	0x12
#define SMP_FUNC_REPORT_ROUTE_INFO	0x13
#define SMP_FUNC_CONFIG_ROUTE_INFO	0x90
#define SMP_FUNC_PHY_CONTROL		0x91

/* function results */
#define SMP_RES_FUNCTION_ACCEPTED	0x00
#define SMP_RES_UNKNOWN_FUNCTION	0x01
#define SMP_RES_FUNCTION_FAILED		0x02
#define SMP_RES_INVALID_REQUEST_FRAME_LEN	0x03
#define SMP_RES_PHY_DOES_NOT_EXIST	0x10
#define SMP_RES_PHY_VACANT		0x16

/* head of every request */
typedef struct smp_request_frame {
	uint8_t srf_frame_type;
	uint8_t srf_function;
	uint8_t srf_allocated_response_len;	/* dwords after the head; 0: SAS 1.1 form */
	uint8_t srf_request_len;		/* dwords after the head, less the CRC */
	uint8_t srf_data[];
} smp_request_frame_t;

/* head of every response */
typedef struct smp_response_frame {
	uint8_t srf_frame_type;
	uint8_t srf_function;
	uint8_t srf_result;
	uint8_t srf_response_len;		/* dwords after the head, less the CRC */
	uint8_t srf_data[];
} smp_response_frame_t;

#define SMP_FRAME_HEAD_LEN	4

/* REPORT GENERAL response, after the head */
typedef struct smp_report_general_resp {
	uint8_t srgr_exp_change_count[2];
	uint8_t srgr_exp_route_indexes[2];
	uint8_t srgr_flags;			/* bit 7: long response */
	uint8_t srgr_number_of_phys;
	uint8_t srgr_config;			/* bit 0: externally configurable route table */
	uint8_t srgr_reserved[1];
	uint8_t srgr_enclosure_logical_id[8];
	uint8_t srgr_reserved2[8];
} smp_report_general_resp_t;

/* REPORT MANUFACTURER INFORMATION response, after the head; text is blank padded */
typedef struct smp_report_manufacturer_info_resp {
	uint8_t srmir_exp_change_count[2];
	uint8_t srmir_reserved[2];
	uint8_t srmir_sas_1_1_format;		/* bit 0: the component fields are valid */
	uint8_t srmir_reserved2[3];
	char srmir_vendor_identification[8];
	char srmir_product_identification[16];
	char srmir_product_revision_level[4];
	char srmir_component_vendor_identification[8];
	uint8_t srmir_component_id[2];
	uint8_t srmir_component_revision_level;
	uint8_t srmir_reserved3;
	uint8_t srmir_vendor_specific[8];
} smp_report_manufacturer_info_resp_t;

#define SMP_MANUFACTURER_SAS_1_1	0x01

/* DISCOVER request, after the head */
typedef struct smp_discover_req {
	uint8_t sdr_reserved[4];
	uint8_t sdr_flags;
	uint8_t sdr_phy_identifier;
	uint8_t sdr_reserved2[2];
} smp_discover_req_t;

/* DISCOVER response, after the head: the part of SAS 1.1 */
typedef struct smp_discover_resp {
	uint8_t sdr_exp_change_count[2];
	uint8_t sdr_reserved[3];
	uint8_t sdr_phy_identifier;
	uint8_t sdr_reserved2[2];
	uint8_t sdr_attached_device_type;	/* bits 4..6 */
	uint8_t sdr_negotiated_logical_link_rate;	/* bits 0..3 */
	uint8_t sdr_initiator_bits;		/* attached initiator protocols */
	uint8_t sdr_target_bits;		/* attached target protocols */
	uint8_t sdr_sas_addr[8];
	uint8_t sdr_attached_sas_addr[8];
	uint8_t sdr_attached_phy_identifier;
	uint8_t sdr_reserved3[7];
	uint8_t sdr_link_rates[2];		/* programmed, hardware; minimum, maximum */
	uint8_t sdr_phy_change_count;
	uint8_t sdr_reserved4;
	uint8_t sdr_routing_attribute;		/* bits 0..3 */
	uint8_t sdr_connector[3];
} smp_discover_resp_t;

#endif /* SYS_SCSI_GENERIC_SMP_FRAMES_H */
