/* sys/open.h - kinds of open(9E) */
#ifndef SYS_DDI_OPEN_H
#define SYS_DDI_OPEN_H

#define OTYP_BLK	0
#define OTYP_MNT	1
#define OTYP_CHR	2
#define OTYP_SWP	3
#define OTYP_LYR	4

#endif /* SYS_DDI_OPEN_H */
