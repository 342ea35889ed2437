/*
 * scsactl/exit.h - exit statuses
 *
 * What      0 to 99 mean what they mean in sg3_utils, so that scripts carry over: a status a
 *           category of sense, 51..96 is 50 + errno. Ours begin at 100. What the status says is
 *           about the last thing that went wrong.
 * Source    sg3_utils(8), section EXIT STATUS; scsactl(1)
 */
#ifndef SCSACTL_EXIT_H
#define SCSACTL_EXIT_H

#include "client/scsac.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_SYNTAX = 1,			/* command line cannot be understood, here or by the
					 * daemon */
	CTL_NOT_READY = 2,		/* sense key NOT READY */
	CTL_MEDIUM_HARD = 3,		/* MEDIUM ERROR, HARDWARE ERROR, BLANK CHECK */
	CTL_ILLEGAL_REQUEST = 5,	/* ILLEGAL REQUEST that is none of 9, 22 */
	CTL_UNIT_ATTENTION = 6,
	CTL_DATA_PROTECT = 7,
	CTL_INVALID_OPCODE = 9,		/* ILLEGAL REQUEST, 20h/00h */
	CTL_COPY_ABORTED = 10,
	CTL_ABORTED = 11,		/* ABORTED COMMAND, or the packet was aborted */
	CTL_MISCOMPARE = 14,
	CTL_FILE = 15,			/* a file or stream given could not be used */
	CTL_NO_SENSE = 20,
	CTL_RECOVERED = 21,
	CTL_LBA_RANGE = 22,		/* ILLEGAL REQUEST, 21h/00h */
	CTL_RESERVATION = 24,		/* status RESERVATION CONFLICT */
	CTL_CONDITION_MET = 25,
	CTL_BUSY = 26,			/* status BUSY */
	CTL_TASK_SET_FULL = 27,
	CTL_ACA_ACTIVE = 28,
	CTL_TASK_ABORTED = 29,
	CTL_TIMEOUT = 33,		/* the packet's, or the daemon's, time was up */
	CTL_TRANSPORT = 35,		/* any other pkt_reason */
	CTL_FALSE = 36,			/* no error; the answer is no (nobody there, not set) */
	CTL_ERRNO = 50,			/* + errno, for errno 1..46 */
	CTL_NO_SUCH = 69,		/* 50 + ENODEV: nothing has that name */
	CTL_MALFORMED = 97,		/* the answer of unit or daemon makes no sense */
	CTL_SENSE = 98,			/* a sense key that is none of these */
	CTL_OTHER = 99,
	CTL_UNREACHABLE = 100,		/* no daemon, or it went away */
	CTL_NOT_PERMITTED = 101,	/* the role does not include it */
	CTL_CONFIG = 102,		/* scsad only: bad configuration */
	CTL_VERSION = 103,		/* no common protocol version */
	CTL_LIMIT = 104,		/* a limit of the daemon, or it has no room now */
};

/* exit_of_error() - for a call that was refused with @err (negative) and @error's words */
enum ctl_exit exit_of_error(const struct scsac_error *error, int err);

/* exit_of_result() - for a packet that was taken: transport, status, sense */
enum ctl_exit exit_of_result(const struct scsac_result *result);

#endif /* SCSACTL_EXIT_H */
