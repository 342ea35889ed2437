/*
 * scsac.h - talk to scsad, a SCSI transport in user space
 *
 * What      A connection to the daemon, SCSI packets sent over it, and the calls around them:
 *           list, probe, open, capabilities, reset, events. The core is asynchronous and fits
 *           into a poll loop of the caller; synchronous wrappers stand on it.
 * Life      scsac_new(), scsac_connect(), scsac_open(), packets, scsac_close(), scsac_free().
 *           When the daemon goes, every packet in flight is completed once, all handles are
 *           stale, and the same object may connect again.
 * Owner     Data buffers are the caller's and are borrowed from scsac_submit() until its
 *           callback runs. Answers (struct scsac_list ...) belong to the caller, see *_free().
 * Thread    One thread at a time a connection; connections are independent. Callbacks run
 *           inside scsac_process(), scsac_wait() and the synchronous calls, never inside
 *           scsac_submit() or scsac_cancel().
 * Blocking  scsac_submit(), scsac_cancel(), scsac_flush() and scsac_process() never block.
 *           scsac_wait() and every call whose text says "waits" do, and meanwhile finish other
 *           packets. Calls that wait are refused (-EDEADLK) inside a callback.
 *
 * Three results stay apart:
 *   call       negative errno: the daemon or this library refused; nothing was executed
 *   transport  scsac_result.reason and .statistics: how the packet fared on its way
 *   device     scsac_result.status and .sense: what the unit answered
 *
 * Guarantees for a packet that scsac_submit() took:
 *   - its callback runs exactly once: after timeout, abort, reset, removal of the HBA, and when
 *     the daemon dies (then reason is SCSAC_TRAN_ERR and is_unknown is set: it may or may not
 *     have been executed);
 *   - it is executed at most once, unless SCSAC_IDEMPOTENT is given;
 *   - packets are ordered only by SCSAC_ATTR_ORDERED and SCSAC_ATTR_HEAD, or by waiting;
 *   - a write is durable after SYNCHRONIZE CACHE or with FUA, as SCSI says.
 *
 * Strings that came from devices are printable; strings from a daemon are UTF-8.
 * Link with -lscsac (pkg-config scsac; CMake package scsac). Manual: libscsac(3).
 */
#ifndef SCSAC_H
#define SCSAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCSAC_CDB_MAX		260
#define SCSAC_SENSE_MAX		252
#define SCSAC_INQUIRY_MAX	260
#define SCSAC_INSTANCE_LEN	16

/* A connection. */
struct scsac;

/* What the daemon said when it refused; its numbers never change. */
enum scsac_code {
	SCSAC_OK = 0,
	SCSAC_UNKNOWN_METHOD = 1,	/* the daemon is older than this library */
	SCSAC_BAD_FRAME = 2,
	SCSAC_BAD_MESSAGE = 3,		/* a parameter is out of its range */
	SCSAC_LIMIT = 4,		/* a negotiated or configured limit would be passed */
	SCSAC_NOT_PERMITTED = 5,	/* the role of this client does not include that */
	SCSAC_NO_SUCH_UNIT = 6,
	SCSAC_AMBIGUOUS = 7,		/* the name fits several units, see candidates */
	SCSAC_STALE_HANDLE = 8,		/* closed, never given, or the unit is gone */
	SCSAC_BUSY = 9,
	SCSAC_VERSION = 10,
	SCSAC_IO = 11,
	SCSAC_NOT_SUPPORTED = 12,
	SCSAC_BAD_CDB = 13,		/* the CDB contradicts direction or length */
	SCSAC_NOT_READY = 14,
	SCSAC_DUPLICATE_ID = 15,
	SCSAC_NO_SUCH_REQUEST = 16,
	SCSAC_TIMEOUT = 17,
	SCSAC_NO_MEMORY = 18,
	SCSAC_INTERNAL = 19,
	SCSAC_LOCAL = 255,		/* this library, or the connection: see errno */
};

/* The last refusal of a connection. */
struct scsac_error {
	enum scsac_code code;
	int sys_errno;			/* positive, 0 if none is behind it */
	char text[512];			/* one line: what */
	char hint[512];			/* one line: what to do, or "" */
	char candidates[2048];		/* SCSAC_AMBIGUOUS: paths, one a line, or "" */
};

enum scsac_role {
	SCSAC_ROLE_NONE = 0,
	SCSAC_ROLE_MONITOR = 1,		/* look */
	SCSAC_ROLE_IO = 2,		/* packets, aborts, resets of a unit */
	SCSAC_ROLE_ADMIN = 3,		/* capabilities, wider resets, aborts of others'
					 * packets, faults */
};

enum scsac_direction {
	SCSAC_NONE = 0,
	SCSAC_IN = 1,			/* from the unit */
	SCSAC_OUT = 2,			/* to the unit */
};

enum scsac_attribute {
	SCSAC_ATTR_UNTAGGED = 0,
	SCSAC_ATTR_SIMPLE = 1,
	SCSAC_ATTR_ORDERED = 2,
	SCSAC_ATTR_HEAD = 3,
};

/* scsac_result.reason: pkt_reason of scsi_pkt(9S); the rarer values are passed on unchanged */
enum scsac_reason {
	SCSAC_CMPLT = 0,		/* the transport did its part: look at the status */
	SCSAC_INCOMPLETE = 1,		/* without SCSAC_GOT_TARGET: nobody there */
	SCSAC_TRAN_ERR = 3,
	SCSAC_RESET = 4,
	SCSAC_ABORTED = 5,
	SCSAC_TIMED_OUT = 6,
	SCSAC_DATA_OVR = 7,
	SCSAC_DEV_GONE = 24,
};

/* scsac_result.state: how far the packet got; bits of pkt_state */
#define SCSAC_GOT_BUS		0x01u
#define SCSAC_GOT_TARGET	0x02u
#define SCSAC_SENT_CMD		0x04u
#define SCSAC_XFERRED_DATA	0x08u
#define SCSAC_GOT_STATUS	0x10u	/* the status byte means something */
#define SCSAC_ARQ_DONE		0x20u	/* sense was fetched with it */

/* scsac_result.statistics: what happened to it; bits of pkt_statistics */
#define SCSAC_STAT_BUS_RESET	0x08u
#define SCSAC_STAT_DEV_RESET	0x10u
#define SCSAC_STAT_ABORTED	0x20u
#define SCSAC_STAT_TIMEOUT	0x40u
#define SCSAC_STAT_TERMINATED	0x80u

/* connection */

/**
 * scsac_new() - an unconnected connection
 *
 * @name     what the daemon's log calls this client, UTF-8, up to 255 bytes; copied
 * @ret      the connection
 *
 * Returns:  0
 *           -EINVAL   @name is too long
 *           -ENOMEM
 * Owner:    caller; scsac_free()
 */
int scsac_new(const char *name, struct scsac **ret);

/**
 * scsac_set_initiator() - as whom to appear to units: reservations belong to an initiator
 *
 * @name     a word: an initiator of this user's own; an iSCSI name (iqn., eui., naa.): that one,
 *           for the role admin only; NULL: the user itself, which is how it begins
 *
 * It counts from the next scsac_connect() on, which fails with -EPERM or -EINVAL when the daemon
 * does not like the name.
 *
 * Returns:  0, or -EINVAL: longer than 255 bytes
 */
int scsac_set_initiator(struct scsac *c, const char *name);

/**
 * scsac_free() - disconnect and free; NULL is fine
 *
 * Packets in flight are completed as in scsac_disconnect(). Not from a callback.
 */
void scsac_free(struct scsac *c);

/**
 * scsac_connect() - connect and say hello; waits
 *
 * @path     socket of the daemon; NULL or "" for $SCSAD_SOCKET, or when that is not set
 *           /run/scsad/scsad.sock, or when nobody lets us in there
 *           $XDG_RUNTIME_DIR/scsad/scsad.sock, where the daemon of an ordinary user is
 *
 * Returns:  0
 *           -EISCONN         connected already
 *           -ENAMETOOLONG    @path does not fit a socket address
 *           -ECONNREFUSED, -ENOENT, -EACCES ...  from connect(2): scsac_last_error() has words
 *           -EPROTONOSUPPORT no common version
 *           -ETIMEDOUT       no hello within the call's time limit
 *           others           as the daemon refused
 */
int scsac_connect(struct scsac *c, const char *path);

/**
 * scsac_start() - begin to connect; never blocks beyond connect(2) of a local socket
 *
 * The hello is finished by scsac_process(); scsac_is_ready() tells when.
 *
 * Returns:  as scsac_connect(), without the answers of the daemon
 *           -EDEADLK   inside a callback: connect again when scsac_process() has answered
 */
int scsac_start(struct scsac *c, const char *path);

/**
 * scsac_start_fd() - the same on a stream socket that is connected already
 *
 * @fd       the connection's from now on, also when the call fails; made blocking
 */
int scsac_start_fd(struct scsac *c, int fd);

/* scsac_is_ready() - hello is done and the connection stands */
bool scsac_is_ready(const struct scsac *c);

/**
 * scsac_disconnect() - close the socket; completes every packet in flight, callbacks run here
 *
 * Also what happens by itself when the daemon closes, dies, or breaks the protocol.
 */
void scsac_disconnect(struct scsac *c);

/* scsac_set_timeout() - most time a call may wait; 0 is for ever, 180,000 at first. When it has
 * passed the connection is given up (-ETIMEDOUT), as no one knows what still comes on it. */
void scsac_set_timeout(struct scsac *c, unsigned timeout_ms);

/* scsac_last_error() - details of the last call or packet that was refused; never NULL */
const struct scsac_error *scsac_last_error(const struct scsac *c);

/* What hello agreed on. Valid while scsac_is_ready(). */
struct scsac_info {
	char version[64];			/* of the daemon */
	unsigned protocol_minor;
	enum scsac_role role;			/* granted to this client */
	uint32_t data_max;			/* bytes of one packet's data */
	uint32_t packets_max;			/* in flight */
	uint8_t instance[SCSAC_INSTANCE_LEN];	/* another one: the daemon was restarted */
	uint64_t generation;			/* counts starts */
};

/* scsac_info() - what hello agreed on; all zero before */
const struct scsac_info *scsac_info(const struct scsac *c);

/* poll loop */

/* scsac_fd() - the socket, to poll for what scsac_wants() says; -1 when not connected */
int scsac_fd(const struct scsac *c);

/* scsac_wants() - POLLIN, and POLLOUT while bytes wait to be sent; 0 when not connected */
short scsac_wants(const struct scsac *c);

/**
 * scsac_flush() - send what is queued, many packets in one system call
 *
 * Returns:  0         all is sent
 *           1         the socket is full: poll for POLLOUT
 *           -ENOTCONN the connection is gone; scsac_process() completes the packets
 */
int scsac_flush(struct scsac *c);

/**
 * scsac_process() - send and receive what can be without blocking; callbacks run here
 *
 * Call it when poll(2) says so, and after a batch of scsac_submit().
 *
 * Returns:  number of packets completed
 *           -ENOTCONN  not, or no longer, connected; packets in flight have been completed
 *           -EDEADLK   inside a callback
 */
int scsac_process(struct scsac *c);

/**
 * scsac_wait() - like scsac_process(), but waits until something has been received
 *
 * @timeout_ms  most time to wait; negative for ever
 *
 * Returns:  number of packets completed; 0 also when the time is over
 *           -ENOTCONN   as scsac_process()
 *           -EINTR      a signal came
 *           -EDEADLK    inside a callback
 */
int scsac_wait(struct scsac *c, int timeout_ms);

/* packets */

#define SCSAC_IDEMPOTENT	0x1u	/* may be executed more than once */

struct scsac_cmd {
	uint64_t handle;		/* of scsac_open() */
	const void *cdb;		/* copied */
	size_t cdb_len;			/* 6 .. SCSAC_CDB_MAX */
	enum scsac_direction direction;
	void *data;			/* borrowed until the callback; SCSAC_OUT only reads */
	size_t data_len;		/* 0 exactly for SCSAC_NONE; limit: info.data_max */
	unsigned timeout_ms;		/* 0: the daemon's default */
	enum scsac_attribute attribute;
	unsigned flags;			/* SCSAC_IDEMPOTENT */
};

struct scsac_result {
	int err;		/* 0, or negative errno: refused, the fields below are zero */
	bool is_unknown;	/* the daemon is gone: executed or not, nobody can say */
	uint8_t status;		/* SCSI status, with SCSAC_GOT_STATUS in state */
	uint32_t reason;	/* enum scsac_reason */
	uint32_t state;		/* SCSAC_GOT_* ... */
	uint32_t statistics;	/* SCSAC_STAT_* */
	uint32_t resid;		/* bytes of data_len not transferred */
	uint32_t overflow;	/* bytes the unit had beyond data_len */
	uint64_t duration_ns;	/* inside the daemon */
	uint32_t data_len;	/* SCSAC_IN: bytes now in the buffer */
	uint32_t sense_len;
	uint8_t sense[SCSAC_SENSE_MAX];
};

/**
 * scsac_done_fn - a packet is finished
 *
 * Runs exactly once a packet. May submit further packets and cancel others; may not wait,
 * disconnect or free the connection.
 *
 * @result   valid during the callback
 */
typedef void (*scsac_done_fn)(struct scsac *c, const struct scsac_result *result, void *arg);

/**
 * scsac_submit() - queue one packet; never blocks, sends nothing yet
 *
 * @cmd      copied, except the data buffer
 * @done     runs once if and only if the answer is 0
 * @ret_id   for scsac_cancel(); may be NULL
 *
 * Returns:  0
 *           -EINVAL     CDB length, direction and data length contradict each other
 *           -EMSGSIZE   data_len above scsac_info.data_max
 *           -EAGAIN     hello is not done
 *           -EBUSY      packets_max are in flight: try again after a completion
 *           -ENOTCONN
 *           -ENOMEM
 */
int scsac_submit(struct scsac *c, const struct scsac_cmd *cmd, scsac_done_fn done, void *arg,
    uint32_t *ret_id);

/**
 * scsac_cancel() - ask to abort one packet; never blocks
 *
 * The packet's own callback tells how it ended: aborted, or finished by itself.
 *
 * Returns:  0
 *           -ENOENT     it is finished, or was never there
 *           -EBUSY      too many aborts and calls are under way: try again after an answer
 *           -ENOTCONN   also while hello is not done
 *           -ENOMEM
 */
int scsac_cancel(struct scsac *c, uint32_t id);

/**
 * scsac_exec() - one packet from start to end; waits
 *
 * @result   filled in; its err is the return value
 *
 * Waits for the packet's timeout and 30 s more (the daemon's default: the call's time limit).
 *
 * Returns:  0         the packet was taken: look at reason, status, sense
 *           others    as scsac_submit(), -EDEADLK, or as the daemon refused
 */
int scsac_exec(struct scsac *c, const struct scsac_cmd *cmd, struct scsac_result *result);

/* scsac_in_flight() - packets submitted and not yet finished */
unsigned scsac_in_flight(const struct scsac *c);

/**
 * scsac_memory_new() - memory that the daemon has, too; waits
 *
 * The data of a packet that lies inside as a whole does not go through the socket: blocks are
 * moved there by the unit's own HBA, as far as it can reach client memory, and all else is copied
 * there by the daemon. Nothing is said with the packet: scsac_submit() sees where its data is.
 *
 * @bytes    1 and more; at most limits/client_bytes of the daemon for all of a connection, and 4
 *           memories
 * @ret      zeroed, page-aligned; until scsac_memory_free() or scsac_free(), also when the
 *           connection is lost: then it is plain memory, whose data travels again
 *
 * Returns:  0
 *           -EOPNOTSUPP  the daemon is too old for it
 *           -EMSGSIZE    more than the daemon gives to one client; what devices that do not
 *                        answer have not let go of counts
 *           -ENOMEM      here or there
 *           and what all calls return
 */
int scsac_memory_new(struct scsac *c, size_t bytes, void **ret);

/**
 * scsac_memory_free() - give it back; waits, when it is shared still
 *
 * @memory   as from scsac_memory_new(); no packet uses it
 *
 * Returns:  0
 *           -EINVAL    it is none of this connection
 *           -EBUSY     a packet does
 *           -EDEADLK   inside a callback
 */
int scsac_memory_free(struct scsac *c, void *memory);

/*
 * Calls. All wait, and besides what each one names return
 *   -ENOTCONN, -EAGAIN, -ENOMEM, -EDEADLK, -ETIMEDOUT, -EBADMSG (the daemon talks nonsense)
 *   -EPERM     the role does not include it
 *   -EINVAL, -EMSGSIZE   a parameter is out of range
 *   and whatever else the daemon answered; scsac_last_error() has words.
 */

struct scsac_unit {
	const char *path;		/* "soft0/iport0/disk@0,0" */
	const char *const *aliases;	/* n_aliases names that fit as well */
	size_t n_aliases;
	const char *vendor;		/* the texts are "" when unknown */
	const char *product;
	const char *revision;
	const char *serial;
	unsigned device_type;		/* peripheral device type of INQUIRY */
	const char *hba;
	const char *iport;
	const char *target;
	uint64_t lun;
	const char *store_kind;		/* "mem", "file", "null"; "" for hardware */
	const char *store_detail;
	bool is_readonly;
	uint64_t blocks;		/* 0 if unknown */
	uint32_t block_bytes;
	const char *state;		/* "active" ... */
	uint64_t transfer_max;		/* bytes; 0 if unknown */
};

struct scsac_hba {
	const char *name;
	const char *driver;
	const char *state;
	unsigned units;
	const char *detail;
	const char *pci;		/* "0000:00:10.0"; "": it is no PCI function */
};

/* a port, as it is reached by one iport or, without phys, by none */
struct scsac_port {
	const char *hba;
	const char *label;		/* what a target is added to; "" for hardware */
	const char *iport;		/* unit address of the iport, as in paths; "" for none */
	const char *kind;		/* "plain", "virtual", "phys", or "" */
	uint64_t phys;			/* mask of the phys that form it */
	uint64_t remote;		/* SAS address at the far end, or 0 */
	unsigned targets;		/* connected to it; 0 for hardware */
	unsigned units;			/* attached behind the iport */
	unsigned expanders;
};

struct scsac_phy {
	const char *hba;
	unsigned phy;
	bool is_up;
	uint64_t local, remote;		/* SAS addresses, when it is up */
	const char *iport;		/* it belongs to, or "" */
};

struct scsac_expander {
	const char *path;		/* "soft0/iport0/smp@w5000c500a0000000" */
	const char *hba;
	const char *iport;
	uint64_t wwn;
	const char *vendor;		/* the texts are "" when unknown */
	const char *product;
	const char *revision;
};

struct scsac_list {
	const struct scsac_unit *units;
	size_t n_units;
	const struct scsac_hba *hbas;
	size_t n_hbas;
	const struct scsac_port *ports;
	size_t n_ports;
	const struct scsac_phy *phys;
	size_t n_phys;
	const struct scsac_expander *expanders;
	size_t n_expanders;
};

/* scsac_list() - all units, HBAs, ports, phys and expanders */
int scsac_list(struct scsac *c, struct scsac_list **ret);
void scsac_list_free(struct scsac_list *list);

/**
 * scsac_open() - a handle for packets
 *
 * @name        path, unambiguous tail of one, alias or serial
 * @ret_handle  of this connection; never 0
 * @ret_unit    a list of exactly this unit; may be NULL
 *
 * Returns:  0
 *           -ENODEV    no such unit
 *           -ENOTUNIQ  the name fits several: scsac_error.candidates
 *           -EMSGSIZE  too many open
 */
int scsac_open(struct scsac *c, const char *name, uint64_t *ret_handle,
    struct scsac_list **ret_unit);

/* scsac_close() - give a handle back. Packets in flight on it run to their end, those that the
 * daemon had not sent on yet end aborted; their callbacks run before this returns. -ESTALE */
int scsac_close(struct scsac *c, uint64_t handle);

struct scsac_probe {
	unsigned result;		/* SCSIPROBE_*: 0 exists, 1 nonccs, 2 noresp, 3 nomem,
					 * 4 failure, 5 busy */
	size_t inquiry_len;
	uint8_t inquiry[SCSAC_INQUIRY_MAX];
	char path[1024];		/* of the unit attached there, or "" */
};

/**
 * scsac_probe() - ask an address whether somebody is there
 *
 * @path     a unit; or, with @target, an HBA or iport
 * @target   target part of the address; NULL when @path is a unit
 * @lun      with @target
 *
 * Returns:  0         also when nobody answers: look at ret->result
 *           -ENODEV   no such HBA
 */
int scsac_probe(struct scsac *c, const char *path, const char *target, uint64_t lun,
    struct scsac_probe *ret);

struct scsac_detail {
	const char *group;
	const char *key;
	const char *value;
};

struct scsac_counter {
	const char *name;
	uint64_t value;
};

struct scsac_show {
	const char *path;
	const char *kind;		/* "unit", "hba", "iport", "expander" */
	const struct scsac_detail *details;
	size_t n_details;
	const struct scsac_counter *counters;
	size_t n_counters;
};

/* scsac_show() - all that is known of a unit, HBA or iport; names as for scsac_open() */
int scsac_show(struct scsac *c, const char *path, struct scsac_show **ret);
void scsac_show_free(struct scsac_show *show);

/* the registration of the daemon's targets with a name server (iSNS) */
struct scsac_isns {
	const char *server;		/* as configured */
	const char *entity;		/* "": not decided yet */
	const char *state;		/* "registered", "not registered", "nothing to register" */
	bool is_registered;
	uint64_t since_ms;		/* in this state for so long */
	unsigned targets, portals;	/* registered */
	unsigned period_s;		/* the server forgets them after that; 0: not known */
	const char *error;		/* of the last try; "": it went well */
};

struct scsac_status {
	const char *version;
	const char *state;		/* "running", "draining" */
	uint8_t instance[SCSAC_INSTANCE_LEN];
	uint64_t generation;
	uint64_t uptime_ms;
	unsigned pid;
	enum scsac_role role;
	unsigned loops, hbas, units, connections;
	uint64_t packets_done;
	unsigned packets_active;
	unsigned faults;		/* rules of the fault injector that may still act */
	const struct scsac_counter *counters;
	size_t n_counters;
	const struct scsac_isns *isns;	/* NULL: no name server is configured */
};

/* scsac_status() - the daemon at a glance */
int scsac_status(struct scsac *c, struct scsac_status **ret);
void scsac_status_free(struct scsac_status *status);

struct scsac_cap {
	const char *name;
	int value;			/* -1: not defined by this HBA */
	bool can_set;			/* the HBA takes a set of it; see scsac_getcap() */
};

struct scsac_caps {
	const struct scsac_cap *caps;
	size_t n_caps;
};

/**
 * scsac_getcap() - capabilities, scsi_ifgetcap(9F)
 *
 * @handle   an open unit, or 0 and a @path
 * @name     one capability; NULL for all
 *
 * SCSA has no question for "can it be set". The daemon has the HBA set the present value, once,
 * and can_set is whether it did. Not asked, so false, are sector-size and what has no value.
 *
 * Returns:  0; a capability the HBA does not define has value -1
 */
int scsac_getcap(struct scsac *c, uint64_t handle, const char *path, const char *name,
    struct scsac_caps **ret);
void scsac_caps_free(struct scsac_caps *caps);

/**
 * scsac_setcap() - set one, scsi_ifsetcap(9F)
 *
 * @is_hba_wide  whom = 0: for the HBA, not this unit only
 * @ret_result   1 set, 0 cannot be set to that, -1 not defined
 */
int scsac_setcap(struct scsac *c, uint64_t handle, const char *path, const char *name,
    int value, bool is_hba_wide, int *ret_result);

enum scsac_level {
	SCSAC_LEVEL_LUN = 1,
	SCSAC_LEVEL_TARGET = 2,
	SCSAC_LEVEL_BUS = 3,
	SCSAC_LEVEL_HBA = 4,
};

/**
 * scsac_reset() - reset a unit, or what is around it
 *
 * @handle        an open unit, or 0 and a @path (for the wider levels: of an HBA)
 * @ret_is_done   scsi_reset(9F) answered 1; may be NULL
 * @ret_returned  packets that came back by it; may be NULL
 *
 * When it returns, every packet in its scope has been completed.
 */
int scsac_reset(struct scsac *c, uint64_t handle, const char *path, enum scsac_level level,
    bool *ret_is_done, unsigned *ret_returned);

struct scsac_aborted {
	unsigned aborted;	/* ended by this call */
	unsigned finished;	/* had finished by themselves */
	unsigned failed;	/* still active: the HBA could not */
};

/* scsac_abort() - abort all packets of this connection on a unit; their callbacks run first;
 * @ret may be NULL */
int scsac_abort(struct scsac *c, uint64_t handle, struct scsac_aborted *ret);

/**
 * scsac_abort_everyone() - abort all packets on a unit, of all clients; scsi_abort(9F)
 *
 * @handle   an open unit, or 0 and a @path
 * @ret      may be NULL
 *
 * A packet that is submitted meanwhile may end aborted, too. Takes role admin.
 */
int scsac_abort_everyone(struct scsac *c, uint64_t handle, const char *path,
    struct scsac_aborted *ret);

/* events */

enum scsac_event_kind {
	SCSAC_EVENT_UNIT_ADDED = 1,
	SCSAC_EVENT_UNIT_GONE = 2,
	SCSAC_EVENT_UNIT_CHANGED = 3,
	SCSAC_EVENT_RESET = 4,
	SCSAC_EVENT_FAULT = 5,
	SCSAC_EVENT_HBA_STATE = 6,
	SCSAC_EVENT_STOPPING = 7,
	SCSAC_EVENT_LOST = 8,		/* events did not fit: read the state anew */
	SCSAC_EVENT_PORT_ADDED = 9,
	SCSAC_EVENT_PORT_GONE = 10,
	SCSAC_EVENT_EXPANDER_ADDED = 11,
	SCSAC_EVENT_EXPANDER_GONE = 12,
	SCSAC_EVENT_TREE = 13,		/* a client changed what is connected */
	SCSAC_EVENT_EXPORTS = 14,	/* what is exported to whom has changed */
};

#define SCSAC_EVENTS_ALL	0x7ffeu	/* 1 << kind for every kind above */

struct scsac_event {
	unsigned kind;			/* enum scsac_event_kind, or a later one */
	uint32_t lost;			/* SCSAC_EVENT_LOST: how many */
	uint64_t seq;			/* counts from 1, lost ones too */
	uint64_t time_us;		/* since 1970 */
	const char *subject;		/* path */
	const char *text;
};

/* scsac_event_fn - one event; valid during the callback; rules as for scsac_done_fn */
typedef void (*scsac_event_fn)(struct scsac *c, const struct scsac_event *event, void *arg);

/**
 * scsac_subscribe() - be told of events
 *
 * @mask     1 << kind of those wanted; 0 ends it
 * @fn       runs for each until the mask is changed or the connection ends
 */
int scsac_subscribe(struct scsac *c, unsigned mask, scsac_event_fn fn, void *arg);

/* fault injector of the software HBA */

struct scsac_fault {
	uint32_t id;
	const char *hba;
	const char *text;		/* the rule; scsactl(1) has the words */
	uint64_t hits;
};

struct scsac_faults {
	const struct scsac_fault *rules;
	size_t n_rules;
};

/* scsac_fault_add() - arm a rule; @path is a unit or HBA, NULL for the only software HBA
 * (-ENOTUNIQ: there are several) */
int scsac_fault_add(struct scsac *c, const char *path, const char *text, uint32_t *ret_id);

/* scsac_fault_list() - the rules of @path, NULL for all */
int scsac_fault_list(struct scsac *c, const char *path, struct scsac_faults **ret);
void scsac_faults_free(struct scsac_faults *faults);

/* scsac_fault_clear() - disarm one rule, or all with @id 0; @path NULL: wherever it is
 * (-ENOTUNIQ: several HBAs have one of that number) */
int scsac_fault_clear(struct scsac *c, const char *path, uint32_t id, unsigned *ret_cleared);

/*
 * Changes of what is connected to a software HBA. All take the role admin. They return when the
 * HBA has changed; units come and go a little later, as events tell: subscribe before, and wait.
 *
 * An HBA is told by @path, its name or a unit of it; NULL for the only software HBA (-ENOTUNIQ:
 * there are several). Lines are those of scsad.conf(5). An address is "PORT/TARGET" or
 * "PORT/TARGET,LUN"; the path of a unit or expander is one, too, and needs no @path.
 */

struct scsac_change {
	const char *hba;
	const char *address;		/* of what came or went, "iport0/3,0"; of several units
					 * the first; "" for a phy */
	const char *const *iports;	/* n_iports by which its port is reached now: units
					 * appear behind each */
	size_t n_iports;
	unsigned units;			/* so many come, or go */
};

/**
 * scsac_target_add() - connect a target; scsac_target_remove() - pull one, or an expander;
 * scsac_lun_add(), scsac_lun_remove() - units of a target that is there;
 * scsac_expander_add() - connect an expander
 *
 * @ret      what has changed; may be NULL
 *
 * Returns:  0
 *           -EINVAL      the line or address is wrong; scsac_last_error() says how
 *           -ENODEV      no such HBA, port, target or unit
 *           -ENOTUNIQ    several HBAs could be meant
 *           -EEXIST      there is such a target, unit or expander
 *           -EBUSY       its address or file is still in use
 *           -EMSGSIZE    no number is free
 *           -EOPNOTSUPP  not a software HBA
 */
int scsac_target_add(struct scsac *c, const char *path, const char *line,
    struct scsac_change **ret);
int scsac_target_remove(struct scsac *c, const char *path, const char *address,
    struct scsac_change **ret);
int scsac_lun_add(struct scsac *c, const char *path, const char *line,
    struct scsac_change **ret);
int scsac_lun_remove(struct scsac *c, const char *path, const char *address,
    struct scsac_change **ret);
int scsac_expander_add(struct scsac *c, const char *path, const char *line,
    struct scsac_change **ret);

/**
 * scsac_phy_up() - a cable leads from @phy to @remote; scsac_phy_down() - it does not any more
 *
 * @local    the HBA's address for it; 0: its own
 *
 * Returns:  as above; -EEXIST it is up already, -ENODEV it is not up, -EOPNOTSUPP the ports of this
 *           HBA do not come and go
 */
int scsac_phy_up(struct scsac *c, const char *path, unsigned phy, uint64_t local, uint64_t remote,
    struct scsac_change **ret);
int scsac_phy_down(struct scsac *c, const char *path, unsigned phy, struct scsac_change **ret);
/**
 * scsac_resize() - give a disk of a software HBA another size; @bytes 0: that of its file now
 *
 * Returns:  as above; -EOPNOTSUPP the store of the disk cannot
 */
int scsac_resize(struct scsac *c, const char *path, const char *address, uint64_t bytes,
    struct scsac_change **ret);
void scsac_change_free(struct scsac_change *change);

/**
 * scsac_rescan() - let HBAs look for devices; waits until they have
 *
 * @path       name of an HBA; NULL: all of them
 * @ret_units  units that are attached behind them now; may be NULL
 *
 * Returns:  0, or -ENODEV: no such HBA, or one that is not up
 */
int scsac_rescan(struct scsac *c, const char *path, unsigned *ret_units);

#define SCSAC_SMP_MIN	8
#define SCSAC_SMP_MAX	1032

struct scsac_smp {
	const void *request;		/* a frame without its CRC */
	size_t request_len;		/* SCSAC_SMP_MIN .. SCSAC_SMP_MAX */
	unsigned timeout_s;		/* 0: 60 */
	uint8_t *response;		/* room for the answer */
	size_t response_size;		/* SCSAC_SMP_MIN .. SCSAC_SMP_MAX */
	size_t response_len;		/* set: bytes of it. An answer that does not tell its
					 * length fills the room, zeros behind it */
};

/**
 * scsac_smp() - one exchange with an expander, smp_transport(9F); role admin
 *
 * @path     of the expander, or an unambiguous tail of it
 *
 * Returns:  0           also when the function result is an error: look at the response
 *           -ENODEV     no such expander
 *           -EOVERFLOW  the answer is longer than the room
 *           others      as the HBA said
 */
int scsac_smp(struct scsac *c, const char *path, struct scsac_smp *smp);

/* words */

/* scsac_strerror() - "no such unit"; for SCSAC_LOCAL "local error" */
const char *scsac_strerror(enum scsac_code code);

/* scsac_reason_name() - "cmplt", "tran_err" ... as scsi_rname(9F); "unknown" otherwise */
const char *scsac_reason_name(uint32_t reason);

/* scsac_event_name() - "unit-added" ...; "event" if unknown */
const char *scsac_event_name(unsigned kind);

#ifdef __cplusplus
}
#endif

#include "scsac_export.h"

#endif /* SCSAC_H */
