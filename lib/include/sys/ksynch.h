/* sys/ksynch.h - all the ways to wait for one another */
#ifndef SYS_DDI_KSYNCH_H
#define SYS_DDI_KSYNCH_H

#include <sys/condvar.h>
#include <sys/mutex.h>
#include <sys/rwlock.h>

#endif /* SYS_DDI_KSYNCH_H */
