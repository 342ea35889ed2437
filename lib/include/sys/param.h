/*
 * sys/param.h - the host's parameters, page sizes and the tick
 *
 * Units     One tick is 1/hz second; hz is fixed for the life of the process.
 */
#ifndef SYS_DDI_PARAM_H
#define SYS_DDI_PARAM_H

#include_next <sys/param.h>
#include <sys/types.h>

#ifndef PAGESHIFT
#define PAGESHIFT	12
#define PAGESIZE	(1ul << PAGESHIFT)
#define PAGEOFFSET	(PAGESIZE - 1)
#define PAGEMASK	(~PAGEOFFSET)
#endif

#define ptob(x)		((size_t)(x) << PAGESHIFT)
#define btop(x)		((size_t)(x) >> PAGESHIFT)
#define btopr(x)	(((size_t)(x) + PAGEOFFSET) >> PAGESHIFT)

#ifndef MAXNAMELEN
#define MAXNAMELEN	256
#endif

extern const int hz;	/* ticks in a second */

#endif /* SYS_DDI_PARAM_H */
