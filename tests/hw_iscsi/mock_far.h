/*
 * mock_far.h - an iSCSI target that does as it is told, and lies if it is
 *
 * What      A thread behind a port of this machine. By itself it logs everybody in, has units 0
 *           and 1 of 1 MiB of memory each (and others to order), and answers task management
 *           with "done". Orders say which commands it swallows, what it answers, and when it
 *           hangs up. One connection at a time; the next is taken when the last has ended.
 * Thread    far_*() any; hooks run in its thread.
 */
#ifndef TESTS_HW_ISCSI_MOCK_FAR_H
#define TESTS_HW_ISCSI_MOCK_FAR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAR_NAME	"iqn.2026-11.internal.test:far"
#define FAR_LUNS	4
#define FAR_BYTES	(1u << 20)
#define FAR_BLOCK	512u
#define FAR_HDR		48

struct far;

/* one PDU as it came */
struct far_pdu {
	const uint8_t *hdr;
	const uint8_t *data;
	size_t len;
};

/* far_hook_fn - true: it has been dealt with, the target itself does nothing */
typedef bool (*far_hook_fn)(struct far *far, const struct far_pdu *pdu);

struct far {
	char portal[32];
	char line[128];			/* "iscsi://PORTAL/NAME" */
	_Atomic(far_hook_fn) hook;	/* may be changed at any time; NULL */
	atomic_uint luns;		/* how many units there are */
	atomic_uint window;		/* MaxCmdSN is so far beyond ExpCmdSN */
	atomic_uint task_answer;	/* to task management; FAR_SILENT: none */
	atomic_uint swallow;		/* so many of the next READ(10) are not answered */
	atomic_bool is_away;		/* it hangs up on whoever connects */
	atomic_uint swallowed, tasks, logins, commands;
	atomic_int last_task;		/* function of the last one */

	pthread_mutex_t lock;		/* of what follows */
	const char *keys;		/* of a login answer, @keys_len bytes; NULL: usual */
	size_t keys_len;
	uint8_t memory[FAR_LUNS][FAR_BYTES];
	int fd;				/* changed by its thread alone; -1: none */

	/* its thread's */
	int listen_fd, stop_fd[2];
	uint32_t stat_sn, exp_cmd_sn;
	struct far_write {
		uint32_t tag;
		uint64_t offset, done, bytes;
		unsigned int lun;
		bool is_used;
	} write;
	pthread_t thread;
};

#define FAR_SILENT	1000u

struct far *far_open(void);
void far_close(struct far *far);

/* far_hang_up() - end the connection now */
void far_hang_up(struct far *far);

/* far_leave() - end it, and every one that follows: nobody else takes the port meanwhile */
void far_leave(struct far *far);

/* far_keys() - what its login answers say from now on */
void far_keys(struct far *far, const char *keys, size_t len);

/* far_holds() - does unit @lun begin with these bytes? */
bool far_holds(struct far *far, unsigned int lun, const uint8_t *data, size_t len);

/* for hooks: far_put() sends a PDU with opcode and flags; hdr has what else is to be in it, and
 * its sequence numbers and length are filled in */
void far_put(struct far *far, uint8_t hdr[FAR_HDR], const void *data, size_t len);
void far_answer(struct far *far, const uint8_t *request, uint8_t status, const void *sense,
    size_t sense_len);
/* far_raw() - bytes as they are */
void far_raw(struct far *far, const void *bytes, size_t len);

/* far_wait() - until *@count has reached @n */
void far_wait(atomic_uint *count, unsigned int n);

#endif /* TESTS_HW_ISCSI_MOCK_FAR_H */
