/*
 * check_main.h - one main() for a test program
 *
 * What      A program is a list of START_TEST functions; CHECK_MAIN(name, tests...) runs them
 *           in one Check suite and answers with the exit status that ctest wants. They have a
 *           folder for their files: check_dir.h. A test has CHECK_SECONDS, which are there for
 *           what hangs only: ctest kills the program later than that (tests/CMakeLists.txt).
 */
#ifndef TESTS_CHECK_MAIN_H
#define TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

#include "check_dir.h"

#define CHECK_SECONDS	300

#define CHECK_MAIN(suite_name, ...)                                            \
	int main(void)                                                         \
	{                                                                      \
		const TTest *const tests[] = { __VA_ARGS__ };                  \
		Suite *suite = suite_create(suite_name);                       \
		TCase *tcase = tcase_create(suite_name);                       \
		SRunner *runner;                                               \
		int failed;                                                    \
                                                                               \
		tcase_set_timeout(tcase, CHECK_SECONDS);                       \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)  \
			tcase_add_test(tcase, tests[i]);                       \
		suite_add_tcase(suite, tcase);                                 \
		runner = srunner_create(suite);                                \
		check_dir_begin();                                             \
		srunner_run_all(runner, CK_NORMAL);                            \
		check_dir_end();                                               \
		failed = srunner_ntests_failed(runner);                        \
		srunner_free(runner);                                          \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;              \
	}

#endif /* TESTS_CHECK_MAIN_H */
