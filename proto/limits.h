/*
 * proto/limits.h - numbers that both ends of the socket agree on
 *
 * What      Versions, features, and the largest of everything. A limit is checked before memory
 *           is taken for what it bounds. HelloReply.limits may lower PROTO_DATA_MAX and
 *           PROTO_REQUESTS_MAX for a connection, never raise them above the MAX given here.
 * Source    scsad-protocol(7)
 */
#ifndef PROTO_LIMITS_H
#define PROTO_LIMITS_H

#include <stdint.h>

#define PROTO_MAJOR			1u	/* differs: no talk */
#define PROTO_MINOR_MIN			0u	/* oldest minor this tree still speaks */
#define PROTO_MINOR			0u	/* newest */

/* feature bits, 1 << n in HelloRequest and HelloReply */
#define PROTO_FEATURE_MEMORY		UINT64_C(0x1)	/* memory-new, memory-free */
#define PROTO_FEATURE_RINGS		UINT64_C(0x2)	/* ring-new, ring-free */
#define PROTO_FEATURES			(PROTO_FEATURE_MEMORY | PROTO_FEATURE_RINGS)

#define PROTO_SOCKET_DEFAULT		"/run/scsad/scsad.sock"
#define PROTO_SOCKET_ENV		"SCSAD_SOCKET"
/* where a daemon goes whose user may not make the default, below $XDG_RUNTIME_DIR */
#define PROTO_SOCKET_OF_USER		"scsad/scsad.sock"

#define PROTO_MESSAGE_MAX		(64u << 10)	/* bytes of one message */
#define PROTO_DATA_DEFAULT		(1u << 20)	/* bulk data of one frame */
#define PROTO_DATA_MAX			(16u << 20)	/* what a daemon may be configured to */
#define PROTO_REQUESTS_DEFAULT		256u		/* submits in flight a connection */
#define PROTO_REQUESTS_MAX		4096u
#define PROTO_HANDLES_DEFAULT		64u
#define PROTO_HANDLES_MAX		1024u
#define PROTO_MEMORIES_MAX		4u		/* shared memories a connection */
#define PROTO_RINGS_MAX			4u		/* rings a connection */

#define PROTO_HELLO_MS			5000u	/* from accept to a finished hello */
#define PROTO_FRAME_MS			5000u	/* from a frame's first byte to its last */

#define PROTO_INSTANCE_LEN		16u
#define PROTO_CDB_MIN			6u
#define PROTO_CDB_MAX			260u
#define PROTO_SENSE_MAX			252u
#define PROTO_INQUIRY_MAX		260u
#define PROTO_SMP_MIN			8u	/* an SMP frame without its CRC */
#define PROTO_SMP_MAX			1032u
#define PROTO_SECRET_MAX	255u	/* of an account */
#define PROTO_ISID_LEN		6u
#define PROTO_OBJECT_NAME_MAX	319u	/* bytes of an object's name */
#define PROTO_EDITS_MAX		256u	/* of one change */
#define PROTO_TIMEOUT_MAX_MS		(24u * 3600u * 1000u)

#define PROTO_NAME_MAX			255u	/* bytes of a client, capability, key */
#define PROTO_PATH_MAX			1023u	/* paths and names of units */
#define PROTO_TEXT_MAX			4095u	/* error texts, details, fault rules */
#define PROTO_CANDIDATES_MAX		16u
#define PROTO_ALIASES_MAX		16u
#define PROTO_ITEMS_MAX			1024u	/* repeated things in one message */

/*
 * A reply that lists things is cut into several when its message would grow past this, so that
 * no reader needs much memory at one time.
 */
#define PROTO_LIST_CHUNK		(16u << 10)

#endif /* PROTO_LIMITS_H */
