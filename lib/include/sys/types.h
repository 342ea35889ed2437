/*
 * sys/types.h - the host's types, and those a driver written for the DDI expects beside them
 *
 * What      Passes on the host's header of the same name and adds the Solaris spellings.
 * Source    types32(7), Intro(9S)
 */
#ifndef SYS_DDI_TYPES_H
#define SYS_DDI_TYPES_H

#include_next <sys/types.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char uchar_t;
typedef unsigned short ushort_t;
typedef unsigned int uint_t;
typedef unsigned long ulong_t;
typedef long long longlong_t;
typedef unsigned long long u_longlong_t;

typedef enum { B_FALSE = 0, B_TRUE = 1 } boolean_t;

typedef void *opaque_t;
typedef long long offset_t;		/* byte position in a device */
typedef long long diskaddr_t;		/* block position */
typedef long long hrtime_t;		/* nanoseconds, see gethrtime() */
typedef unsigned long pgcnt_t;
typedef uint_t major_t;
typedef uint_t minor_t;
typedef short pri_t;
typedef int processorid_t;
typedef void *timeout_id_t;		/* from timeout(9F); NULL is never an id */
typedef uint32_t id32_t;		/* from id32_alloc(9F); 0 is never an id */

typedef struct cred cred_t;
typedef struct proc proc_t;
typedef struct kthread kthread_t;
typedef struct dev_info dev_info_t;	/* a node of the device tree; see ddi/devtree.h */

#endif /* SYS_DDI_TYPES_H */
