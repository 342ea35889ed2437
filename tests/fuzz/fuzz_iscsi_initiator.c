/*
 * What an iSCSI target sends to the initiator, once it has let it in; and lines that name a target.
 *
 * An input is records: a header of 48 bytes, two bytes of length, so much data. A task tag below
 * 256 stands for that of the login plus as much, so that records can speak of commands that are there.
 * Between records the initiator takes its turn: new commands, functions, NOP-Outs.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hw/iscsi/wire.h"

#define HDR	48
#define DEPTH	4
#define TURNS	64

static int listener = -1;
static char portal[32];
static uint8_t buf[16384];
static struct wire *wire;
static struct wire_slot *slots[DEPTH];
static struct wire_tmf tmf;
static bool is_asked;

static void
answered(void *arg, void *cmd, const struct wire_answer *answer)
{
	struct wire_slot **slot = cmd;

	(void)arg;
	assert(*slot != NULL);
	assert(answer->is_failed || answer->moved_bytes <= sizeof(buf));
	assert(answer->sense_len <= WIRE_SENSE_MAX);
	for (size_t i = 0; i < answer->sense_len; i++)
		buf[0] ^= answer->sense[i];
	*slot = NULL;
}

static void
tmf_answered(void *arg, struct wire_tmf *which, uint8_t response)
{
	(void)arg;
	(void)response;
	assert(which == &tmf && is_asked);
	is_asked = false;
}

static const struct wire_ops ops = { answered, tmf_answered };

static void
listen_once(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	if (listener >= 0)
		return;
	(void)signal(SIGPIPE, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	assert(bind(listener, (struct sockaddr *)&sin, len) == 0);
	assert(listen(listener, 8) == 0);
	assert(getsockname(listener, (struct sockaddr *)&sin, &len) == 0);
	(void)snprintf(portal, sizeof(portal), "127.0.0.1:%u", ntohs(sin.sin_port));
}

static void
serve(short force)
{
	struct pollfd fd = { .fd = wire_fd(wire), .events = wire_events(wire) };

	(void)poll(&fd, 1, 0);
	wire_service(wire, (short)(fd.revents | force));
}

/* one of each kind, when there is room */
static void
command(unsigned int i)
{
	static const enum wire_dir dirs[DEPTH] = { WIRE_IN, WIRE_OUT, WIRE_NONE, WIRE_OUT };
	static const size_t bytes[DEPTH] = { 4096, 16384, 0, 512 };
	static const uint8_t ops_of[DEPTH] = { 0x28, 0x2a, 0x00, 0x2a };
	uint8_t cdb[10] = { ops_of[i] };
	struct iovec iov = { buf, bytes[i] };
	struct wire_command c = { .cmd = &slots[i], .lun = 1, .cdb = cdb,
		.cdb_len = sizeof(cdb), .dir = dirs[i], .iov = &iov, .niov = bytes[i] > 0,
		.bytes = bytes[i] };

	if (slots[i] == NULL && wire_can_send(wire))
		slots[i] = wire_send(wire, &c);
}

/* what the initiator does of its own, as a byte of the input says */
static void
act(uint8_t what)
{
	for (unsigned int i = 0; i < DEPTH; i++)
		command(i);
	if (wire_state(wire) != WIRE_UP)
		return;
	if ((what & 1) != 0 && !is_asked)
		is_asked = wire_task(wire, &tmf, WIRE_LUN_RESET, 1, NULL) == 0;
	if ((what & 2) != 0 && wire_ping(wire) < 0)
		return;
	if ((what & 4) != 0 && slots[1] != NULL && wire_is_sent(wire, slots[1])) {
		wire_forget(wire, slots[1]);
		slots[1] = NULL;
	}
	if (what == 0xff)
		wire_logout(wire);
}

/* the login, as the other side has it; its task tag */
static uint32_t
log_in(int fd)
{
	uint8_t request[HDR + 1024] = { 0 }, hdr[HDR] = { 0x23, 0x87 };
	uint32_t sn;

	for (int i = 0; i < TURNS && recv(fd, request, sizeof(request), MSG_DONTWAIT) < HDR; i++)
		serve(0);
	memcpy(hdr + 8, request + 8, 12);
	sn = be32_get(request + 24);
	be32_put(hdr + 28, sn);
	be32_put(hdr + 32, sn + 16);
	(void)send(fd, hdr, HDR, MSG_NOSIGNAL);
	for (int i = 0; i < TURNS && wire_state(wire) == WIRE_LOGIN; i++)
		serve(0);
	return be32_get(request + 16);
}

/* what the initiator has sent is not looked at */
static void
drain(int fd)
{
	static uint8_t away[65536];

	while (recv(fd, away, sizeof(away), MSG_DONTWAIT) > 0)
		continue;
}

static void
talk(int fd, uint32_t tag, const uint8_t *data, size_t size)
{
	while (size >= HDR + 2 && wire_state(wire) == WIRE_UP) {
		uint8_t hdr[HDR];
		size_t len = (size_t)data[HDR] << 8 | data[HDR + 1];

		memcpy(hdr, data, HDR);
		data += HDR + 2;
		size -= HDR + 2;
		if (be32_get(hdr + 16) < 256)
			be32_put(hdr + 16, tag + be32_get(hdr + 16));
		if (len > size)
			len = size;
		act(hdr[HDR - 1]);
		(void)send(fd, hdr, HDR, MSG_NOSIGNAL);
		(void)send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		data += len;
		size -= len;
		serve(0);
		serve(0);
		drain(fd);
	}
}

static void
fuzz_session(const uint8_t *data, size_t size)
{
	struct iscsi_hba_target target;
	struct wire_conf conf = { .portal = portal, .initiator = "iqn.2026-11.test:me",
		.target = &target, .ops = &ops };
	char err[WIRE_ERR_LEN];
	int fd;

	listen_once();
	iscsi_hba_target_init(&target);
	memcpy(target.name, "iqn.t", 6);
	target.depth = DEPTH;
	memset(slots, 0, sizeof(slots));
	is_asked = false;
	if (wire_open(&conf, &wire, err) < 0)
		return;
	fd = accept(listener, NULL, NULL);
	for (int i = 0; i < TURNS && wire_state(wire) == WIRE_CONNECTING; i++)
		serve(0);
	talk(fd, log_in(fd), data, size);
	/* no ports in TIME-WAIT: there are many of these connections */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
	    sizeof(struct linger));
	(void)close(fd);
	for (int i = 0; i < TURNS && wire_state(wire) == WIRE_UP; i++)
		serve(0);
	wire_close(wire);
}

static void
fuzz_line(const uint8_t *data, size_t size)
{
	struct iscsi_hba_target target;
	char line[1024], err[ISCSI_HBA_ERR_LEN] = "";

	if (size >= sizeof(line))
		size = sizeof(line) - 1;
	memcpy(line, data, size);
	line[size] = '\0';
	/* files are not what is looked at here */
	if (strstr(line, "secret_file") != NULL)
		return;
	if (iscsi_hba_target_parse(line, &target, err) < 0) {
		assert(err[0] != '\0');
		return;
	}
	assert(target.depth >= 1 && target.depth <= ISCSI_HBA_DEPTH_MAX);
	assert(strchr(target.portal, ':') != NULL);
	assert(iscsi_hba_name_check(target.name, err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 'i')
		fuzz_line(data, size);
	else if (size <= 16384)
		fuzz_session(data, size);
	return 0;
}
