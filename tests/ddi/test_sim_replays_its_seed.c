#include <signal.h>
#include <string.h>
#include <sys/ddi.h>
#include <sys/cpuvar.h>
#include <sys/sunddi.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "ddi/sched.h"
#include "ddi/sim.h"

#define THREADS	5
#define STEPS	20

static char trace[THREADS * STEPS + 1];
static size_t ntrace;
static kmutex_t lock;

static void
step_main(void *arg)
{
	for (int i = 0; i < STEPS; i++) {
		mutex_enter(&lock);
		trace[ntrace++] = (char)('a' + (intptr_t)arg);
		mutex_exit(&lock);
		if (i % 7 == 6)
			delay(1 + (intptr_t)arg % 2);
	}
}

static void
scenario(void *arg)
{
	struct sched_thread *t[THREADS];

	memset(trace, 0, sizeof(trace));
	ntrace = 0;
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	for (intptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(sched_thread_start("step", step_main, (void *)i, &t[i]), 0);
	for (int i = 0; i < THREADS; i++)
		sched_thread_join(t[i]);
	mutex_destroy(&lock);
	*(uint64_t *)arg = sim_trace_hash();
}

static uint64_t
run(uint64_t seed, char *ret_trace)
{
	uint64_t hash;

	sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 300 }, scenario, &hash);
	memcpy(ret_trace, trace, sizeof(trace));
	ck_assert_uint_eq(ntrace, THREADS * STEPS);
	return hash;
}

START_TEST(same_seed_same_trace)
{
	char a[sizeof(trace)], b[sizeof(trace)];

	for (uint64_t seed = 0; seed < 20; seed++) {
		ck_assert_uint_eq(run(seed, a), run(seed, b));
		ck_assert_str_eq(a, b);
	}
}
END_TEST

START_TEST(other_seed_other_trace)
{
	char a[sizeof(trace)], b[sizeof(trace)];

	ck_assert_uint_ne(run(1, a), run(2, b));
	ck_assert_str_ne(a, b);
}
END_TEST

static void
deadlock(void *arg)
{
	kcondvar_t never;

	(void)arg;
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&never, NULL, CV_DRIVER, NULL);
	mutex_enter(&lock);
	cv_wait(&never, &lock);
}

START_TEST(deadlock_is_reported)
{
	char text[2000] = "";
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		sim_run(&(struct sim_opts){ .seed = 11 }, deadlock, NULL);
		_exit(0);
	}
	(void)close(fds[1]);
	for (size_t at = 0; at < sizeof(text) - 1;) {
		ssize_t n = read(fds[0], text + at, sizeof(text) - 1 - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_ptr_nonnull(strstr(text, "deadlock"));
	ck_assert_ptr_nonnull(strstr(text, "seed 11"));
	ck_assert_ptr_nonnull(strstr(text, "waits for condition"));
}
END_TEST

static int ended;

static void
driver_thread(void *arg)
{
	delay(500);
	ended++;
	if (arg != NULL)
		thread_exit();
	ended += 10;
}

static void
driver_threads(void *arg)
{
	kt_did_t did;

	(void)arg;
	ended = 0;
	did = thread_create(NULL, 0, driver_thread, NULL, 0, &p0, TS_RUN, minclsyspri)->t_did;
	thread_join(did);
	ck_assert_int_eq(ended, 11);
	thread_join(did);
	ck_assert_uint_ne(curthread->t_did, did);
	ck_assert_ptr_eq(curthread, threadp());
}

static void
left_alone(void *arg)
{
	(void)arg;
	ended = 0;
	(void)thread_create(NULL, 0, driver_thread, &ended, 0, &p0, TS_RUN, minclsyspri);
}

START_TEST(simulation_waits_for_its_threads)
{
	ck_assert(!sim_is_active());
	sim_run(&(struct sim_opts){ .seed = 1 }, driver_threads, NULL);
	sim_run(&(struct sim_opts){ .seed = 1 }, left_alone, NULL);
	ck_assert_int_eq(ended, 1);
	ck_assert(!sim_is_active());
	driver_threads(NULL);
}
END_TEST

static void
quiet_main(void *arg)
{
	sched_sleep_ns(5000000);
	++*(int *)arg;
}

static void
settling(void *arg)
{
	struct sched_thread *t;
	int done = 0;

	(void)arg;
	ck_assert(sim_is_active());
	ck_assert_uint_eq(sim_now_us(), 0);
	ck_assert_int_eq(sched_thread_start("quiet", quiet_main, &done, &t), 0);
	sim_settle();
	ck_assert_int_eq(done, 0);
	ck_assert_uint_eq(sim_now_us(), 0);
	sim_advance_us(4999);
	ck_assert_int_eq(done, 0);
	sim_advance_us(1);
	ck_assert_int_eq(done, 1);
	ck_assert_uint_eq(sim_now_us(), 5000);
	sched_thread_join(t);
}

START_TEST(settle_moves_no_clock)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, settling, NULL);
}
END_TEST

START_TEST(hints_belong_to_threads)
{
	sched_set_cpu_hint(3);
	ck_assert_int_eq(CPU->cpu_id, 3);
	ck_assert_int_eq(CPU_SEQID, 3);
	ck_assert_int_ge(ncpus, 1);
	sched_set_cpu_hint(0);
	ck_assert_ptr_nonnull(sched_self());
	ck_assert_int_eq(drv_priv(CRED()), geteuid() == 0 ? 0 : EPERM);
}
END_TEST

CHECK_MAIN("sim", same_seed_same_trace, other_seed_other_trace, deadlock_is_reported,
    simulation_waits_for_its_threads, settle_moves_no_clock, hints_belong_to_threads)
