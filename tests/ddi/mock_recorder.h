/*
 * mock_recorder.h - catches what lib/ddi would abort for, and what it would log
 *
 * Thread    Any; kept under a lock.
 */
#ifndef TESTS_DDI_MOCK_RECORDER_H
#define TESTS_DDI_MOCK_RECORDER_H

#include <stdbool.h>

/* recorder_start() - from now on violations and log lines (all levels) come here; forgets old
 * ones */
void recorder_start(void);

unsigned int recorder_violations(void);		/* how many */
bool recorder_broke(const char *rule);		/* was @rule among them? */
bool recorder_logged(const char *text);		/* did a line "level: .." contain @text? */

#endif /* TESTS_DDI_MOCK_RECORDER_H */
