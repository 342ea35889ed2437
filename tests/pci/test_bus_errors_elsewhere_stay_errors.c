#include <check_main.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "hw/pci/bus_error.h"

static sigjmp_buf back;
static struct pci_fn fn;

static void
mine(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	siglongjmp(back, 1);
}

/* a page behind the end of its file: the access is a bus error */
static volatile char *
trap_page(void)
{
	int fd = memfd_create("trap", MFD_CLOEXEC);
	void *va = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(va, MAP_FAILED);
	close(fd);
	return va;
}

START_TEST(who_listened_before_still_does)
{
	struct sigaction sa = { .sa_sigaction = mine, .sa_flags = SA_SIGINFO };
	volatile char *trap = trap_page(), *regs = trap_page();

	ck_assert_int_eq(sigaction(SIGBUS, &sa, NULL), 0);
	bus_error_add(&fn, (void *)(uintptr_t)regs, 4096);
	ck_assert_int_eq((unsigned char)regs[5], 0xff);
	ck_assert(pci_fn_is_failed(&fn));
	bus_error_remove((void *)(uintptr_t)regs);
	if (sigsetjmp(back, 1) == 0)
		ck_abort_msg("no bus error: %d", trap[0]);
	/* an area that was removed is no longer ours */
	bus_error_add(&fn, (void *)(uintptr_t)trap, 4096);
	bus_error_remove((void *)(uintptr_t)trap);
	if (sigsetjmp(back, 1) == 0)
		ck_abort_msg("no bus error: %d", trap[0]);
}
END_TEST

START_TEST(else_the_process_ends)
{
	volatile char *trap = trap_page();
	const struct sigaction by_default = { .sa_handler = SIG_DFL };

	ck_assert_int_eq(sigaction(SIGBUS, &by_default, NULL), 0);
	bus_error_add(&fn, (void *)(uintptr_t)(trap + 4096), 4096);
	(void)trap[0];
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bus errors");
	TCase *tcase = tcase_create("bus errors");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, who_listened_before_still_does);
	tcase_add_test_raise_signal(tcase, else_the_process_ends, SIGBUS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
