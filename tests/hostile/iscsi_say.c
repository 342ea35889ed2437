/*
 * iscsi_say - one iSCSI session, commands line by line
 *
 * usage: iscsi_say URL [INITIATOR [ISID]]     iscsi://ADDRESS:PORT/NAME/LUN
 *
 * ISID is 12 hexadecimal digits: with the same one the session takes the place of another. Else it
 * is one of its own.
 *
 * Each line of standard input is "LUN BYTES CDB": room for so many bytes from the unit, and the CDB
 * in hexadecimal. The answer is one line: "good", "good HEX" (the first 32 bytes read), "check
 * K/AAQQ", "status SS", or "closed" when the session is gone. With "tmf F " in front the command
 * is sent together with task management function F (decimal), right behind it, and the answer to
 * that function, or "-", comes first in the line. The first line says "ready" once the
 * session is there; otherwise "refused" and status 1. At the end of its input it leaves.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/target.h"

#define SHOWN	32

static void
say(struct raw *raw, int status)
{
	uint32_t sense = raw_sense(raw);

	if (status < 0)
		(void)printf("closed");
	else if (status == 2)
		(void)printf("check %x/%04x", sense >> 16, sense & 0xffff);
	else if (status != 0)
		(void)printf("status %02x", (unsigned int)status);
	else
		(void)printf("good");
	if (status == 0 && raw_op(raw) == RAW_DATA_IN && raw->len > 0)
		(void)printf(" ");
	for (uint32_t i = 0; status == 0 && raw_op(raw) == RAW_DATA_IN && i < raw->len &&
	    i < SHOWN; i++)
		(void)printf("%02x", raw->data[i]);
	(void)printf("\n");
	(void)fflush(stdout);
}

/* a command in one piece with the function before it. The command's status; -1: no answer */
static int
run_behind(struct raw *raw, unsigned int function, const uint8_t cdb[16], unsigned int bytes)
{
	uint8_t pdus[2 * RAW_BHS], *cmd = pdus + RAW_BHS;
	static struct raw last;
	int response = -1, status = -1;

	raw_head(raw, pdus, RAW_TMF | RAW_IMMEDIATE, (uint8_t)(RAW_FINAL | function));
	raw_put32(pdus + 20, RAW_NO_TAG);
	raw_head(raw, cmd, RAW_CMD, RAW_FINAL | RAW_SIMPLE | (bytes > 0 ? RAW_READ : 0));
	raw_put32(cmd + 20, bytes);
	memcpy(cmd + 32, cdb, 16);
	if (!raw_bytes(raw, pdus, sizeof(pdus)))
		return -1;
	while ((response < 0 || status < 0) && raw_recv(raw, RAW_WAIT_MS) == RAW_PDU) {
		if (raw_op(raw) == RAW_TMF_RSP) {
			response = raw->bhs[2];
		} else if (raw_op(raw) == RAW_RSP || (raw->bhs[1] & 1) != 0) {
			status = raw->bhs[3];
			last = *raw;
		}
	}
	if (response < 0)
		(void)printf("- ");
	else
		(void)printf("%d ", response);
	if (status >= 0) {
		memcpy(raw->bhs, last.bhs, sizeof(raw->bhs));
		memcpy(raw->data, last.data, sizeof(raw->data));
		raw->len = last.len;
	}
	return status;
}

static int
do_line(struct raw *raw, struct raw_where *where, const char *line)
{
	uint8_t cdb[16] = { 0 };
	unsigned int function = 0, lun, bytes, byte;
	size_t n = 0;
	int used;

	if (sscanf(line, "tmf %u%n", &function, &used) == 1)
		line += used;
	if (sscanf(line, "%u %u%n", &lun, &bytes, &used) != 2)
		return -1;
	line += used;
	while (n < sizeof(cdb) && sscanf(line, " %2x%n", &byte, &used) == 1) {
		cdb[n++] = (uint8_t)byte;
		line += used;
	}
	where->lun = (uint16_t)lun;
	if (function != 0)
		return run_behind(raw, function, cdb, bytes);
	return raw_run(raw, cdb, n, NULL, 0, bytes);
}

int
main(int argc, char **argv)
{
	static struct raw raw;
	struct target_run at;
	unsigned long long isid = 0;
	char line[256];

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || argc > 4 || !target_at(&at, argv[1]) ||
	    (argc == 4 && sscanf(argv[3], "%12llx", &isid) != 1)) {
		(void)fprintf(stderr, "usage: iscsi_say URL [INITIATOR [ISID]]\n");
		return 2;
	}
	raw_init(&raw, &at.where, 1);
	if (argc > 2)
		raw.initiator = argv[2];
	for (int i = 0; argc == 4 && i < 6; i++)
		raw.isid[i] = (uint8_t)(isid >> (40 - 8 * i));
	if (raw_login(&raw, "DefaultTime2Retain=0\niSCSIProtocolLevel=2\n") != 0) {
		(void)printf("refused\n");
		return 1;
	}
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL)
		say(&raw, do_line(&raw, &at.where, line));
	raw_close(&raw);
	return 0;
}
