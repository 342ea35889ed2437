/*
 * hostile/target.h - the scsad under test: started, watched, ended
 *
 * What      Starts the build's own scsad with one thin disk behind a portal of 127.0.0.1 on a
 *           free port, in a folder of its own, and reads from its log where that is. At the end
 *           it must leave at SIGTERM with status 0, and its log must hold no sanitizer report.
 * Owner     struct target_run is the caller's.
 */
#ifndef HOSTILE_TARGET_H
#define HOSTILE_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "hostile/raw.h"

struct target_run {
	pid_t pid;		/* -1: somebody else's target, by URL */
	char dir[64];
	char disk[160];		/* what the configuration says that it serves */
	struct raw_where where;
};

/* target_start() - @program serves @disk ("DIR/name,..." lies in the folder of the run; without
 * ",direct" at its end if the file system there has no such access); false with a message on
 * stderr */
bool target_start(struct target_run *run, const char *program, const char *disk);

/* target_at() - use what iscsi://ADDRESS:PORT/NAME/LUN names; false: no such URL */
bool target_at(struct target_run *run, const char *url);

/* target_is_alive() - the process is there; always true for somebody else's */
bool target_is_alive(const struct target_run *run);

/* target_stop() - end it; false with the end of its log on stderr when it did not end with 0 or
 * a sanitizer said something. To be called once */
bool target_stop(struct target_run *run);

#endif /* HOSTILE_TARGET_H */
