/*
 * iscsi/cmd.h - one SCSI command of an initiator (part of iscsi/iscsi.h)
 *
 * What      What the initiator sent, the buffer of its data, and how far it has come.
 * Life      chart above cmd_states[] in cmd.c: waiting (for its CmdSN) -> collecting (write
 *           data) -> ready (for its turn) -> given (to the host) -> answering -> retained
 *           (until the initiator acknowledged the status, ErrorRecoveryLevel 1 and 2) -> free.
 * Owner     The host from command() until iscsi_cmd_done(); otherwise the room.
 * Limits    ISCSI_EXT_CDB_LEN_MAX, ISCSI_SENSE_MAX, 16 requests for data in flight.
 * Source    RFC 7143 11.3, 11.4, 11.7, 11.8
 */
#ifndef ISCSI_CMD_H
#define ISCSI_CMD_H

#ifndef ISCSI_ISCSI_H
#error "include iscsi/iscsi.h"
#endif

#define ISCSI_R2T_MAX	16

/* data that was asked for, or that comes unasked: one sequence of Data-Out PDUs */
struct iscsi_burst {
	uint32_t ttt;		/* ISCSI_TAG_NONE: unsolicited */
	uint32_t offset;	/* in the command's data */
	uint32_t len;		/* 0: the place is free */
	uint32_t got;		/* bytes that arrived */
	uint32_t next_sn;	/* DataSN that comes next */
	uint32_t r2t_sn;
	bool is_broken;		/* something was lost: ask again when the sequence ends */
};

/* a PDU or a run of PDUs in the queue of a connection */
struct iscsi_tx_item {
	STAILQ_ENTRY(iscsi_tx_item) entry;
	bool is_cmd;		/* inside a struct iscsi_cmd, else a struct iscsi_ctl */
	bool is_queued;
};

struct iscsi_ranges;

struct iscsi_cmd {
	/* --- what was asked for: read by the host from admit()/command() on --- */
	struct iscsi_session *session;
	const uint8_t *cdb;
	const uint8_t *lun;		/* 8 bytes */
	uint32_t edtl;			/* Expected Data Transfer Length */
	uint32_t itt;
	uint32_t cmd_sn;
	uint16_t cdb_len;		/* 16, or more with an AHS */
	bool is_immediate;
	enum iscsi_dir dir;
	enum iscsi_attr attr;

	/* --- data --- */
	uint8_t *data;			/* write: what was wanted; read: set by the host */
	uint32_t data_len;		/* bytes there */
	/* host: called once when data is not needed any more, for memory that did not come from
	 * iscsi_cmd_buf(); the room forgets data then */
	void (*release)(struct iscsi_cmd *cmd);

	/* --- facts; read by the host --- */
	bool is_aborted; /* by task management, or the session ended: no answer */
	bool is_finished;		/* iscsi_cmd_done() or iscsi_cmd_drop() was called */

	/* --- lib/iscsi only --- */
	bool is_hashed;			/* found by its task tag */
	bool is_listed;			/* on the session's list of tasks */
	bool is_owed;			/* it holds a place in the command window */
	bool is_filling;		/* data that came with it is still being received */
	bool has_turn;			/* every CmdSN before it has come */
	bool is_ready;			/* had its turn and waits, for data or for its order */
	bool is_collapsed;		/* its status rides in the last Data-In */
	bool is_resp_due;		/* a SCSI Response is still to be made */
	bool is_retained;		/* on its connection's list, by StatSN */
	bool is_answered;		/* its last PDU was made: stat_sn holds */
	bool is_failure;		/* iSCSI response "target failure" */
	bool is_refused;		/* it ends with refusal instead of going to the host */
	bool is_hungry;			/* it waits until its session may hold its data */
	uint8_t status;
	uint8_t resid_bits;		/* as in byte 1 of SCSI Response */
	uint8_t n_bursts;		/* places of burst[] in use */
	uint8_t pins;			/* tmfs and receivers that look at it */
	uint16_t cid;			/* of the connection it belongs or belonged to */
	uint16_t refusal_asc;		/* is_refused: 0 is status BUSY, else sense */
	uint16_t sense_len;		/* of sense[], length field included */
	uint16_t slots;			/* transmit slots that point into it */
	unsigned int sm;		/* enum cmd_state */
	uint32_t buf_bytes;		/* what buf_get() gave; 0: memory of the host */
	uint32_t held_bytes;		/* of them: counted against the share of its session */
	uint32_t resid;
	uint32_t bidi_resid;
	uint32_t stat_sn;
	uint32_t wanted;		/* write: bytes that the host wants */
	uint32_t solicited;		/* write: bytes covered by bursts so far */
	uint32_t data_sn;		/* read: next DataSN; write: next R2TSN */
	uint32_t acked_sn;		/* read: first DataSN not acknowledged */
	uint32_t sent;			/* read: bytes put into PDUs */
	uint32_t to_send;		/* read: bytes to send */
	uint32_t resend_sn;		/* first DataSN of a run to be sent again */
	uint32_t resend_end;		/* behind its last; equal: none */
	uint32_t arrival;		/* immediate: how many came, it included */
	uint32_t snack_tag;		/* R-Data SNACK that the answer is about; else 0 */
	uint32_t segment;		/* MaxRecvDataSegmentLength its Data-In was cut by */
	struct iscsi_conn *conn;	/* allegiance; NULL when that is lost */
	struct iscsi_ranges *ranges;	/* Data-Out in any order: what is there */
	struct iscsi_tx_item tx;
	uint64_t data_ns;		/* write: when data last came or was asked for */
	/* behind this line nothing is cleared when a slot is taken */
	TAILQ_ENTRY(iscsi_cmd) entry;	/* session: tasks in order of arrival */
	TAILQ_ENTRY(iscsi_cmd) conn_entry;	/* conn: retained, in order of StatSN */
	TAILQ_ENTRY(iscsi_cmd) hungry_entry;
	LIST_ENTRY(iscsi_cmd) hash_entry;
	struct iscsi_burst burst[ISCSI_R2T_MAX];
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t long_cdb[ISCSI_EXT_CDB_LEN_MAX];
	uint8_t sense[2 + ISCSI_SENSE_MAX + 2];	/* as in the data segment: length first */
};

/* iscsi_cmd_priv() - limits.cmd_priv_bytes of the caller's, aligned to 64; zero when made, then
 * left alone: it keeps its contents from one command in this slot to the next */
static inline void *
iscsi_cmd_priv(struct iscsi_cmd *cmd)
{
	return (uint8_t *)cmd + (sizeof(*cmd) + 63) / 64 * 64;
}

/* iscsi_cmd_of_priv() - the command that @priv belongs to */
static inline struct iscsi_cmd *
iscsi_cmd_of_priv(void *priv)
{
	size_t offset = (sizeof(struct iscsi_cmd) + 63) / 64 * 64;

	return (struct iscsi_cmd *)((uint8_t *)priv - offset);
}

#endif /* ISCSI_CMD_H */
