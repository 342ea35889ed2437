/* sense comes with the status where the packet has room for it, and while it is switched on */
#include <string.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

#define GUARD	0x5a

/* a packet with room for @statuslen bytes of status; the unit refuses its opcode */
static struct scsi_pkt *
refused_pkt(struct scsi_device *sd, int statuslen)
{
	struct scsi_pkt *pkt = scsi_init_pkt(&sd->sd_address, NULL, NULL, CDB_GROUP0, statuslen,
	    0, 0, SLEEP_FUNC, NULL);

	ck_assert_ptr_nonnull(pkt);
	pkt->pkt_cdbp[0] = SCMD_REZERO_UNIT;
	pkt->pkt_comp = mock_pkt_done;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_uint_eq(pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*pkt->pkt_scbp & STATUS_MASK, STATUS_CHECK);
	return pkt;
}

static struct scsi_device *
unit_begin(void)
{
	ck_assert_int_eq(scsa_bus_config_all(mock_start()), 1);
	return mock_unit(mock.dip, "0,0");
}

SIM_TEST(c28_a_packet_with_room_gets_sense)
{
	struct scsi_pkt *pkt = refused_pkt(unit_begin(), (int)sizeof(struct scsi_arq_status));
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;

	ck_assert_uint_ne(pkt->pkt_state & STATE_ARQ_DONE, 0);
	ck_assert_uint_eq(arq->sts_rqpkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(arq->sts_sensedata.es_key, KEY_ILLEGAL_REQUEST);
	ck_assert_uint_eq(arq->sts_sensedata.es_add_code, 0x20);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(c28_a_packet_with_one_byte_of_status_gets_none)
{
	struct scsi_pkt *pkt = refused_pkt(unit_begin(), 1);

	ck_assert_uint_eq(pkt->pkt_scblen, 1);
	ck_assert_uint_eq(pkt->pkt_state & STATE_ARQ_DONE, 0);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

/* packets of one unit, at the same time: the size decides for each */
SIM_TEST(c28_the_rule_is_one_of_packets)
{
	struct scsi_device *sd = unit_begin();
	struct scsi_pkt *one = refused_pkt(sd, 1);
	struct scsi_pkt *arq = refused_pkt(sd, (int)sizeof(struct scsi_arq_status));
	struct scsi_pkt *more = refused_pkt(sd, SCSI_ARQ_STATUS_LEN(252));

	ck_assert_uint_eq(one->pkt_state & STATE_ARQ_DONE, 0);
	ck_assert_uint_ne(arq->pkt_state & STATE_ARQ_DONE, 0);
	ck_assert_uint_ne(more->pkt_state & STATE_ARQ_DONE, 0);
	ck_assert_uint_eq(more->pkt_scblen, SCSI_ARQ_STATUS_LEN(252));
	scsi_destroy_pkt(one);
	scsi_destroy_pkt(arq);
	scsi_destroy_pkt(more);
	mock_stop();
}

SIM_TEST(c28_switched_off_there_is_none)
{
	struct scsi_device *sd = unit_begin();
	struct scsi_pkt *pkt;

	ck_assert_int_eq(scsi_ifsetcap(&sd->sd_address, (char[]){ "auto-rqsense" }, 0, 1), 1);
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, (char[]){ "auto-rqsense" }, 1), 0);
	pkt = refused_pkt(sd, (int)sizeof(struct scsi_arq_status));
	ck_assert_uint_eq(pkt->pkt_state & STATE_ARQ_DONE, 0);
	scsi_destroy_pkt(pkt);
	ck_assert_int_eq(scsi_ifsetcap(&sd->sd_address, (char[]){ "auto-rqsense" }, 1, 1), 1);
	pkt = refused_pkt(sd, (int)sizeof(struct scsi_arq_status));
	ck_assert_uint_ne(pkt->pkt_state & STATE_ARQ_DONE, 0);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

/* a driver that writes sense without looking at the size stays in memory of the packet */
static void
sense_anyway(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	memset(pkt->pkt_scbp, GUARD, SCSI_ARQ_STATUS_LEN(252));
}

SIM_TEST(c28_there_is_always_memory_for_sense)
{
	struct scsi_device *sd = unit_begin();

	mock.on_start = sense_anyway;
	scsi_destroy_pkt(refused_pkt(sd, 1));
	mock_stop();
}

CHECK_MAIN("auto sense", c28_a_packet_with_room_gets_sense,
    c28_a_packet_with_one_byte_of_status_gets_none, c28_the_rule_is_one_of_packets,
    c28_switched_off_there_is_none, c28_there_is_always_memory_for_sense)
