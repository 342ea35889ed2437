/* sys/note.h - notes to a lint program that nobody runs here: they vanish */
#ifndef SYS_DDI_NOTE_H
#define SYS_DDI_NOTE_H

#ifndef _NOTE
#define _NOTE(s)
#endif
#ifndef NOTE
#define NOTE(s)
#endif

#endif /* SYS_DDI_NOTE_H */
