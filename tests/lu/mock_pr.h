/*
 * mock_pr.h - a unit's persistent reservations and a handful of initiators, without the unit
 *
 * What      prt.pr is the state; prt_out() gives it a command and takes the next state. Who
 *           asks is a number: initiator who % 10 ("iqn.2026-11.test:a" ... with an ISID)
 *           through port 1 + who / 10. What happened to whom is in prt.ua[] and
 *           prt.is_aborted[].
 * Life      prt_begin() -> prt_out() ... -> prt_end()
 */
#ifndef TESTS_LU_MOCK_PR_H
#define TESTS_LU_MOCK_PR_H

#include "lu/pr.h"
#include "scsi/status.h"

#define PRT_WHO		40
#define PRT_GOOD	SAM_STAT_GOOD
#define PRT_CONFLICT	SAM_STAT_RESERVATION_CONFLICT
#define PRT_CHECK	SAM_STAT_CHECK_CONDITION

/* flags of the parameter list */
#define PRT_APTPL	0x01
#define PRT_ALL_TG_PT	0x04
#define PRT_SPEC_I_PT	0x08

struct prt {
	struct pr *pr;
	bool can_persist;
	uint16_t ports[8];
	size_t n_ports;
	const struct lu_initiator *peers[16];
	size_t n_peers;

	/* of the last command */
	uint8_t status;
	struct sense_data sense;
	bool is_changed, is_save_due;
	uint16_t ua[PRT_WHO];
	bool is_aborted[PRT_WHO];
	size_t n_effects;
};

extern struct prt prt;

void prt_begin(uint32_t limit);
void prt_end(void);

/* the initiator and the nexus of a number */
const struct lu_initiator *prt_initiator(int who);
struct pr_nexus prt_nexus(int who);

/* a command with the usual 24 bytes of parameters; its status */
uint8_t prt_out(int who, enum pr_action action, uint8_t type, uint64_t key, uint64_t sa_key,
    uint8_t flags);

/* the same with a list of the test's own making */
uint8_t prt_out_list(int who, enum pr_action action, uint8_t type, const uint8_t *list,
    size_t len);

/* the usual list into 24 bytes */
void prt_list(uint8_t *list, uint64_t key, uint64_t sa_key, uint8_t flags);

/* key of the registration of a nexus, 0: none */
uint64_t prt_key(int who);
bool prt_holds(int who);

/* everyone that the last command told something, and nobody else: -1 ends the list */
void prt_told(unsigned int asc, ...);

/* what must always be so; checked after every command by prt_out() as well */
void prt_check(void);

#endif /* TESTS_LU_MOCK_PR_H */
