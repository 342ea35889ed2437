/*
 * tests/iscsi/mock_login.h - both sides of a login without a wire
 *
 * What      login_peer is an initiator and the host below the login machine in one: it sends
 *           requests whose text is written with '\n' between the pairs, keeps the last answer,
 *           and answers the machine's questions from its fields.
 */
#ifndef TESTS_MOCK_LOGIN_H
#define TESTS_MOCK_LOGIN_H

#include <check.h>
#include <stdbool.h>

#include "iscsi/login.h"

#define PEER_TEXT_MAX	(128u << 10)
#define NO_T		(-1)
#define NAMES		"InitiatorName=iqn.2026-01.lan.test:i1\nTargetName=iqn.2026-01.lan.test:t1\n"
#define DISCOVERY	"InitiatorName=iqn.2026-01.lan.test:i1\nSessionType=Discovery\n"

struct login_peer {
	/* the host: what it answers */
	struct iscsi_login_conf conf;
	struct iscsi_login_target target;	/* copied over the presets, when use_target */
	bool use_target;
	uint16_t find_status, lookup_status, commit_status;
	struct iscsi_login_bind bind;		/* tsih of commit(); other fields if not 0 */
	const char *user, *secret;		/* CHAP of the initiator */
	const char *own_name, *own_secret;	/* CHAP of the target; NULL: none */
	int random_error;
	uint8_t random_next;			/* the bytes that random() gives: counting up */
	unsigned int finds, lookups, commits, secrets;
	/* the initiator */
	uint8_t isid[6];
	uint16_t tsih, cid;
	uint32_t itt, cmd_sn, exp_stat_sn;
	uint8_t version_max, version_min;
	/* the machine and its last answer */
	struct iscsi_login *login;
	enum iscsi_login_state state;
	const struct iscsi_login_pdu *pdu;
	char text[PEER_TEXT_MAX];		/* of the last answer, NUL between pairs */
	size_t text_len;
};

/* peer_new() - no authentication, success everywhere, tsih 1; fields may be changed before the
 * first request */
struct login_peer *peer_new(void);
void peer_free(struct login_peer *peer);

/* peer_send() - one request in stage @csg; @nsg NO_T: no T bit. The answer's state */
enum iscsi_login_state peer_send(struct login_peer *peer, int csg, int nsg, const char *text);

/* peer_send_flags() - the same with all of byte 1 given, and @len bytes of text as they are */
enum iscsi_login_state peer_send_flags(struct login_peer *peer, uint8_t flags, const void *text,
	size_t len);

/* peer_resume() - the host's late answer */
enum iscsi_login_state peer_resume(struct login_peer *peer, uint16_t status);

/* peer_value() - of a key in the last answer, or NULL */
const char *peer_value(const struct login_peer *peer, const char *key);

/* peer_fetch() - take an answer in pieces, asking with empty requests; text is the whole */
void peer_fetch(struct login_peer *peer, int csg, int nsg);

/* fields of the last answer */
uint16_t peer_status(const struct login_peer *peer);
uint8_t peer_flags(const struct login_peer *peer);

/* peer_login() - straight through in one request: the result, or NULL with peer_status() */
const struct iscsi_login_result *peer_login(struct login_peer *peer, const char *text);

/* peer_chap_answer() - "CHAP_N=..\nCHAP_R=0x..\n" to the challenge in the last answer */
const char *peer_chap_answer(struct login_peer *peer, const char *user, const char *secret);

#define peer_assert_value(peer, key, value)					\
	do {									\
		const char *value_ = peer_value(peer, key);			\
		ck_assert_msg(value_ != NULL, "no answer to %s", key);		\
		ck_assert_str_eq(value_, value);				\
	} while (0)

#define peer_assert_failed(peer, want)						\
	do {									\
		ck_assert_int_eq((peer)->state, ISCSI_LOGIN_FAILED);		\
		ck_assert_uint_eq(peer_status(peer), want);			\
		ck_assert_uint_eq(iscsi_login_result((peer)->login)->status, want);	\
		ck_assert_ptr_nonnull(iscsi_login_result((peer)->login)->why);	\
	} while (0)

#endif /* TESTS_MOCK_LOGIN_H */
