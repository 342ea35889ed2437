/*
 * sys/cpuvar.h - which processor, as a hint for drivers that keep a queue for each
 *
 * What      CPU->cpu_id is the number of the calling loop or worker (sched_cpu_hint()), not of
 *           a piece of silicon: it stays the same for a thread, which is what drivers want of
 *           it.
 */
#ifndef SYS_DDI_CPUVAR_H
#define SYS_DDI_CPUVAR_H

#include <sys/types.h>

typedef struct cpu {
	processorid_t cpu_id;
	processorid_t cpu_seqid;
} cpu_t;

cpu_t *scsad_cpu_self(void);
int scsad_ncpus(void);

/* servicing_interrupt() - is the caller in interrupt context, where it may not sleep? */
int servicing_interrupt(void);

#define CPU		(scsad_cpu_self())
#define CPU_SEQID	(CPU->cpu_seqid)
#define ncpus		(scsad_ncpus())
#define max_ncpus	(scsad_ncpus())

#endif /* SYS_DDI_CPUVAR_H */
