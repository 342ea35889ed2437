/*
 * mock_home.h - a thread that is the home of all units, and steps that run there
 *
 * What      For programs that are no Check tests and have a real disk below: the thread of a
 *           test starts something at home, and sleeps until it, or what it caused, has ended.
 * Life      mock_home_start() once; the thread stays until the process ends
 */
#ifndef TESTS_LU_MOCK_HOME_H
#define TESTS_LU_MOCK_HOME_H

#include <stdbool.h>

#include "lu/lu.h"

/* mock_home_start() - and let @host pick it for every unit, and tell of nothing. false: no thread */
bool mock_home_start(struct lu_host *host);

/* mock_home_step() - run @fn at home; it, or what it starts, calls mock_home_step_end() there. One
 * at a time */
void mock_home_step(lu_work_fn fn);
void mock_home_step_end(void);

#endif /* TESTS_LU_MOCK_HOME_H */
