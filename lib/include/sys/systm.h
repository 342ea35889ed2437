/* sys/systm.h - memory and string helpers that kernel code takes for granted */
#ifndef SYS_DDI_SYSTM_H
#define SYS_DDI_SYSTM_H

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#endif /* SYS_DDI_SYSTM_H */
