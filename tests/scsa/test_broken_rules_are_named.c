/* a driver that breaks a rule ends the process, with a line that names rule and facts */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

/* what a process that does @fn says before it ends; it must end by SIGABRT */
static void
last_words(void (*fn)(void), char *text, size_t size)
{
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		(void)dup2(fds[1], STDERR_FILENO);
		mock_defaults();
		fn();
		_exit(EXIT_SUCCESS);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	    "it went on (status %x): %s", (unsigned int)status, text);
}

static void
expect_rule(void (*fn)(void), const char *rule, const char *fact)
{
	char text[4096], head[80];

	last_words(fn, text, sizeof(text));
	(void)snprintf(head, sizeof(head), "rule %s broken: ", rule);
	ck_assert_msg(strstr(text, head) != NULL, "no '%s' in: %s", head, text);
	ck_assert_msg(strstr(text, fact) != NULL, "no '%s' in: %s", fact, text);
}

static struct scsi_device *
unit(void)
{
	if (scsa_bus_config_all(mock_start()) != 1)
		_exit(EXIT_FAILURE);
	return mock_unit(mock.dip, "0,0");
}

static void
complete_twice(void)
{
	struct scsi_pkt *pkt = mock_pkt(unit(), NULL, SCMD_TEST_UNIT_READY, 0);

	(void)scsi_transport(pkt);
	scsi_hba_pkt_comp(pkt);
}

START_TEST(c33_double_completion)
{
	expect_rule(complete_twice, "pkt-double-completion", "completed while done");
}
END_TEST

static void
call_comp(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	pkt->pkt_comp(pkt);
}

static void
complete_directly(void)
{
	struct scsi_pkt *pkt = mock_pkt(unit(), NULL, SCMD_TEST_UNIT_READY, 0);

	mock.when = MOCK_LATER;
	mock.on_start = call_comp;
	(void)scsi_transport(pkt);
	mock.on_start = NULL;
	(void)scsi_transport(pkt);
}

START_TEST(c32_direct_pkt_comp)
{
	expect_rule(complete_directly, "pkt-direct-completion",
	    "did not use scsi_hba_pkt_comp");
}
END_TEST

static void
mark_free_done(void)
{
	struct scsi_device *sd = unit();

	sd->sd_tran_tgt_free_done = 1;
	ck_assert_int_le(scsa_bus_unconfig_all(mock.dip), 0);
}

START_TEST(c13_tgt_free_imbalance)
{
	expect_rule(mark_free_done, "tgt-free-imbalance", "0,0: ");
}
END_TEST

static void
set_private(void)
{
	struct scsi_device *sd = unit();

	(void)sd;
	ddi_set_driver_private(mock.dip, &mock);
	ck_assert_int_ge(scsa_bus_config_all(mock.dip), 0);
}

START_TEST(c4_private_slot_of_a_registered_node)
{
	expect_rule(set_private, "driver-private", "the private slot of a registered node");
}
END_TEST

/* what costs time is checked in debug builds */
#ifdef SCSAD_DEBUG
static void
free_with_commands(void)
{
	struct scsi_pkt *pkt = mock_pkt(unit(), NULL, SCMD_TEST_UNIT_READY, 0);

	mock.when = MOCK_LATER;
	(void)scsi_transport(pkt);
	ck_assert_int_le(scsa_bus_unconfig_all(mock.dip), 0);
}

START_TEST(c90_tgt_free_with_packets_in_transport)
{
	expect_rule(free_with_commands, "tgt-free-busy", "0,0 goes away with 1 packets");
}
END_TEST

static void
free_wrong_size(void)
{
	kmem_free(kmem_alloc(24, KM_SLEEP), 25);
}

START_TEST(wrong_kmem_free_size)
{
	expect_rule(free_wrong_size, "kmem-size", "allocated with 24 bytes, freed with 25");
}
END_TEST

static void
hold_sd_mutex(void)
{
	struct scsi_device *sd = unit();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);

	mutex_enter(&sd->sd_mutex);
	(void)scsi_transport(pkt);
}

START_TEST(c16_sd_mutex_across_scsi_transport)
{
	expect_rule(hold_sd_mutex, "sd-mutex-held",
	    "sd_mutex of 0,0 held across scsi_transport");
}
END_TEST

#define DEBUG_TESTS	, c90_tgt_free_with_packets_in_transport, wrong_kmem_free_size,        \
	c16_sd_mutex_across_scsi_transport
#else
#define DEBUG_TESTS
#endif

CHECK_MAIN("broken rules are named", c33_double_completion, c32_direct_pkt_comp,
    c13_tgt_free_imbalance, c4_private_slot_of_a_registered_node DEBUG_TESTS)
