/*
 * hostile/fence.h - which command of a second initiator a reservation stops, as the standards
 * say
 *
 * What      A row a command, a letter a column: 'C' RESERVATION CONFLICT, '-' anything else,
 *           '?' either. The columns are RESERVE(6), then the six types of persistent
 *           reservations, each first for an initiator that has not registered, then for one
 *           that has. The rows know nothing of lib/lu: they were written from the standards.
 * Source    SPC-4 5.12.1 tables 51 and 52 and 5.12.3, SBC-3 4.17, SPC-2 5.5 (RESERVE), SBC-2
 *           5.1
 */
#ifndef HOSTILE_FENCE_H
#define HOSTILE_FENCE_H

#include <stdint.h>

#define FENCE_COLUMNS	13

/* parameter lists that depend on the column */
enum fence_list {
	FENCE_NOTHING,
	FENCE_ZEROS,		/* fence_row.out zeros */
	FENCE_OWN_KEY,		/* PERSISTENT RESERVE OUT: RESERVATION KEY is our own, if any */
	FENCE_NEW_KEY,		/* the same, and SERVICE ACTION RESERVATION KEY too */
	FENCE_OTHER_KEY,	/* the same, SERVICE ACTION RESERVATION KEY is the holder's */
	FENCE_MOVE,		/* REGISTER AND MOVE to ourselves */
};

struct fence_row {
	const char *name;
	const char *stops;	/* FENCE_COLUMNS letters */
	const char *cdb;	/* hexadecimal; TT stands for scope and type of the reservation */
	uint32_t out, in;	/* bytes of data */
	enum fence_list list;
};

/* ends with a row without name */
extern const struct fence_row fence_rows[];

#endif /* HOSTILE_FENCE_H */
