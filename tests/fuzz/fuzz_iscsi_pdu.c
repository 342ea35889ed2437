/*
 * fuzz_iscsi_pdu.c - bytes as they come over the wire of a session without digests
 *
 * The first byte chooses what was negotiated and how the bytes are cut; the rest is fed as it
 * is. Numbers count up from 0 in every session, so that seeds can be written by hand.
 */
#include <string.h>

#include "tests/iscsi/mock_initiator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS(text)	{ text, sizeof(text) - 1 }

static const struct { const char *text; size_t len; } keys[4] = {
	KEYS(MOCK_KEYS),
	KEYS("InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=1024\0MaxOutstandingR2T=4\0"),
	KEYS("ErrorRecoveryLevel=1\0InitialR2T=No\0MaxRecvDataSegmentLength=512\0"
	    "MaxBurstLength=1024\0FirstBurstLength=512\0"),
	KEYS("DataPDUInOrder=No\0DataSequenceInOrder=No\0InitialR2T=No\0MaxBurstLength=2048\0"
	    "FirstBurstLength=1024\0MaxOutstandingR2T=16\0iSCSIProtocolLevel=2\0"),
};

static uint8_t variety;

static void
prepare(struct mock_world *w)
{
	w->keys = keys[variety & 3].text;
	w->keys_len = keys[variety & 3].len;
	w->is_held = (variety & 4) != 0;
	w->limits.rx_bytes = 65536;
	w->limits.xfer_max_bytes = 65536;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mock_world *w;
	struct mock_wire *wire;
	struct mock_pdu pdu;

	if (size == 0)
		return 0;
	variety = data[0];
	w = mock_open(prepare);
	wire = mock_session(w);
	wire->chunk = (size_t)(variety >> 3);
	for (size_t at = 1; at < size && !wire->is_close_due; at += 4096) {
		mock_feed(wire, data + at, size - at < 4096 ? size - at : 4096);
		while (w->n_held > 64)
			mock_finish(w, 0);
		while (mock_recv(wire, &pdu))
			continue;
	}
	mock_close(w);
	return 0;
}
