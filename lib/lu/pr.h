/*
 * lu/pr.h - persistent reservations as a machine: state and command in, state and effects out
 *
 * What      struct pr is what one logical unit knows of persistent reservations: registrations,
 *           the reservation, whether it survives. A state never changes: pr_out() looks at a
 *           state and a PERSISTENT RESERVE OUT command and makes the answer, the next state,
 *           and what has to happen to others. The caller decides when the next state counts
 *           (after it has been saved, if that is due). pr_in_*() write the parameter data of
 *           PERSISTENT RESERVE IN; pr_save() and pr_load() are the state as bytes.
 * Life      pr_new() or pr_load() -> pr_out() -> result.next takes its place -> pr_free()
 * Owner     Values; a result owns its next state until the caller takes it.
 * Thread    Any; no state of its own, nothing blocks. Allocates: not for the data path.
 * Limits    registrations: the limit of the state, 1..PR_LIMIT_MAX; parameter list PR_LIST_MAX.
 * Choices   Where SPC-4 leaves a choice or is silent:
 *           - REGISTER with ALL_TG_PT is all or nothing: if the initiator is registered through
 *             another port with a key that is not the RESERVATION KEY, it conflicts. Ports that
 *             are added later are not included.
 *           - SPEC_I_PT skips I_T nexuses that are registered. An iSCSI name without ISID means
 *             every initiator port of that name that is known, and itself if none is.
 *           - REGISTER AND MOVE takes an iSCSI name without ISID only if it is known or
 *             registered exactly so (local clients are called like that).
 *           - REGISTER and REGISTER AND IGNORE that change nothing do not touch PRGENERATION
 *             and APTPL.
 *           - REPLACE LOST RESERVATION is not supported (RLR_C 0).
 * Source    SPC-4 5.12 (model), 6.15 (PERSISTENT RESERVE IN), 6.16 (OUT)
 */
#ifndef LU_PR_H
#define LU_PR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/port.h"
#include "scsi/sense.h"

#define PR_LIMIT_DEFAULT	128	/* registrations of a unit */
#define PR_LIMIT_MAX		1024
#define PR_LIST_LEN		24	/* parameter list without TransportIDs */
#define PR_LIST_MAX		32768	/* the longest parameter list taken */

/* TYPE; PR_NONE: no reservation */
enum pr_type {
	PR_NONE	= 0,
	PR_WE	= 1,	/* Write Exclusive */
	PR_EA	= 3,	/* Exclusive Access */
	PR_WERO	= 5,	/* ... Registrants Only */
	PR_EARO	= 6,
	PR_WEAR	= 7,	/* ... All Registrants: every registrant holds it */
	PR_EAAR	= 8,
};

/* service actions of PERSISTENT RESERVE OUT */
enum pr_action {
	PR_REGISTER,
	PR_RESERVE,
	PR_RELEASE,
	PR_CLEAR,
	PR_PREEMPT,
	PR_PREEMPT_AND_ABORT,
	PR_REGISTER_AND_IGNORE,
	PR_REGISTER_AND_MOVE,
	PR_REPLACE_LOST,
};

/* an I_T nexus by its names */
struct pr_nexus {
	uint16_t rtpi;			/* relative target port identifier */
	uint16_t id_len;
	uint8_t id[LU_TRANSPORT_ID_MAX];	/* TransportID, canonical (port.h) */
};

/* pr_nexus_set() - @initiator (NULL: the anonymous one) through port @rtpi */
void pr_nexus_set(struct pr_nexus *ret, const struct lu_initiator *initiator, uint16_t rtpi);
bool pr_nexus_equal(const struct pr_nexus *a, const struct pr_nexus *b);

struct pr_reg {
	uint64_t key;			/* never 0 */
	struct pr_nexus nexus;
};

#define PR_NOBODY	UINT32_MAX

struct pr {
	uint32_t generation;		/* PRGENERATION */
	uint32_t limit;			/* most registrations */
	uint32_t n;			/* registrations */
	uint32_t room;			/* of regs[] */
	uint32_t holder;		/* index; PR_NOBODY without a reservation, and for the
					 * all registrants types */
	uint8_t type;			/* enum pr_type */
	bool is_aptpl;			/* survives loss of power */
	struct pr_reg regs[];		/* in order of registration */
};

/* pr_new() - nothing registered; NULL: no memory */
struct pr *pr_new(uint32_t limit);
void pr_free(struct pr *pr);		/* NULL is fine */

/* pr_find() - index of the registration of @nexus, or PR_NOBODY */
uint32_t pr_find(const struct pr *pr, const struct pr_nexus *nexus);

/* pr_is_holder() - does registration @i hold the reservation, alone or with all others? */
bool pr_is_holder(const struct pr *pr, uint32_t i);

/* pr_type_is_all(), pr_type_is_exclusive(): All Registrants; Exclusive Access of any kind.
 * pr_type_has_registrants(): Registrants Only or All Registrants */
bool pr_type_is_valid(uint8_t type);
bool pr_type_is_all(uint8_t type);
bool pr_type_is_exclusive(uint8_t type);
bool pr_type_has_registrants(uint8_t type);

/* ------ PERSISTENT RESERVE OUT ------ */

/* what the machine has to know of the world for ALL_TG_PT, SPEC_I_PT and REGISTER AND MOVE */
struct pr_world {
	const uint16_t *ports;		/* relative identifiers of the target ports that are */
	size_t n_ports;
	const struct lu_initiator *const *peers;	/* initiator ports that are known */
	size_t n_peers;
};

struct pr_request {
	const struct pr_nexus *nexus;	/* whose command it is */
	const struct pr_world *world;	/* never NULL */
	const uint8_t *list;		/* the parameter list: a private copy */
	size_t list_len;		/* PARAMETER LIST LENGTH, all of which is there */
	uint8_t action;			/* enum pr_action; others are refused */
	uint8_t scope;
	uint8_t type;
	bool can_persist;		/* there is somewhere to save: APTPL 1 is allowed */
};

/* what happens to a registered nexus */
struct pr_effect {
	uint32_t reg;			/* index in the state that the command met */
	uint16_t asc;			/* unit attention for it, or 0 */
	bool is_abort;			/* end its tasks first */
};

struct pr_result {
	uint8_t status;			/* enum sam_status */
	struct sense_data sense;	/* CHECK CONDITION */
	struct pr *next;		/* NULL: nothing changes */
	bool is_save_due;		/* next must be on stable storage, or, if it is not
					 * is_aptpl, its predecessor must be gone from there,
					 * before it counts */
	struct pr_effect *effects;	/* n_effects; the nexus that asked is never among
					 * them */
	size_t n_effects;
};

/**
 * pr_out() - execute one PERSISTENT RESERVE OUT command
 *
 * @ret      the outcome; pr_result_fini() it
 *
 * Returns:  0
 *           -ENOMEM   nothing happened, @ret is untouched
 */
int pr_out(const struct pr *now, const struct pr_request *req, struct pr_result *ret)
    MUST_CHECK;

void pr_result_fini(struct pr_result *result);

/* ------ PERSISTENT RESERVE IN ------ */

/* pr_in_room() - bytes that hold the parameter data of each of these */
size_t pr_in_room(const struct pr *pr);

/* pr_in_keys(), pr_in_reservation(), pr_in_full_status() - the whole parameter data into
 * pr_in_room() bytes; how many */
size_t pr_in_keys(const struct pr *pr, void *buf);
size_t pr_in_reservation(const struct pr *pr, void *buf);
size_t pr_in_full_status(const struct pr *pr, void *buf);

#define PR_CAPABILITIES_LEN	8

/* pr_in_capabilities() - @pr says whether persistence is active (PTPL_A) */
size_t pr_in_capabilities(const struct pr *pr, bool can_persist,
    uint8_t buf[PR_CAPABILITIES_LEN]);

/* ------ the state as bytes ------ */

#define PR_SAVE_NAME_MAX	256

/* pr_save_room() - bytes that pr_save() may need */
size_t pr_save_room(const struct pr *pr);

/**
 * pr_save() - write the state into pr_save_room() bytes; how many
 *
 * @name     of the unit, 1..PR_SAVE_NAME_MAX bytes: a file that went astray is found out
 */
size_t pr_save(const struct pr *pr, const void *name, size_t name_len, void *buf);

/**
 * pr_load() - read what pr_save() wrote
 *
 * @limit    of the new state; raised if more registrations were saved
 * @ret      generation is 0 (SPC-4 6.15.2: power on), is_aptpl is true
 *
 * Returns:  0
 *           -EBADMSG   not such bytes, or not of this unit
 *           -ENOMEM
 */
int pr_load(const void *buf, size_t len, const void *name, size_t name_len, uint32_t limit,
    struct pr **ret) MUST_CHECK;

/**
 * pr_new_lost() - the state when there was one and it cannot be read
 *
 * An Exclusive Access, All Registrants reservation without registrants: nobody gets at the
 * data before it registers, and who registers may release, preempt or clear.
 *
 * Returns:  NULL: no memory
 */
struct pr *pr_new_lost(uint32_t limit);

#endif /* LU_PR_H */
