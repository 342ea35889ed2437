/*
 * base/sm.h - state machines as tables
 *
 * What      A machine is a table of states, each with its name and the set of states it may go
 *           to. A move that the table does not list is our own bug: sm_move() refuses it and
 *           debug builds stop. Events from outside are judged before a move is asked for.
 * Thread    The owner's lock or thread.
 * Limits    32 states.
 *
 *	static const struct sm_state unit_states[UNIT_NSTATES] = {
 *		[UNIT_ACTIVE]   = { "active",   SM_TO(UNIT_QUIESCED) | SM_TO(UNIT_GONE) },
 *		[UNIT_QUIESCED] = { "quiesced", SM_TO(UNIT_ACTIVE)   | SM_TO(UNIT_GONE) },
 *		[UNIT_GONE]     = { "gone",     0 },
 *	};
 */
#ifndef BASE_SM_H
#define BASE_SM_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define SM_TO(s)	(1u << (s))

struct sm_state {
	const char *name;	/* for logs: one word, lower case */
	uint32_t to;		/* SM_TO() of every state that may follow */
};

/* sm_can() - may a machine in @from go to @to? */
static inline bool
sm_can(const struct sm_state *states, unsigned int from, unsigned int to)
{
	return (states[from].to & SM_TO(to)) != 0;
}

/* sm_move() - go from *@state to @to; false, and nothing changed, if the table has no such
 * move */
static inline bool
sm_move(const struct sm_state *states, unsigned int *state, unsigned int to)
{
	bool can = sm_can(states, *state, to);

#ifdef SCSAD_DEBUG
	assert(can);
#endif
	if (can)
		*state = to;
	return can;
}

#endif /* BASE_SM_H */
