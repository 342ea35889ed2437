/*
 * test_reserve_kill_9.c - the process may die at any instant: what was acknowledged is in force
 *
 * usage: lu_test_reserve_kill_9 [--commands N] [--seed N]	(1000 and 1)
 *
 * A child process has a disk of the software HBA, a state folder and four initiators. It tells
 * what it found at its start, then executes PERSISTENT RESERVE OUT commands one after the other
 * and acknowledges each over a pipe after its end. It is killed with SIGKILL after a random
 * number of acknowledgements and a random while, and started again, until enough commands have
 * been acknowledged. The parent does the same commands with the machine of lu/pr.h alone: what
 * a child finds must be what the last acknowledged command had left, or the one after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/rng.h"
#include "ddi/devtree.h"
#include "hw/soft/soft.h"
#include "lu/lu.h"
#include "lu/pr.h"
#include "lu/worker.h"
#include "mock_home.h"
#include "scsa/config.h"
#include "scsi/opcode.h"
#include "scsi/status.h"

#define CLIENTS		4
#define REPLY_MAX	2048
#define LIFE_ACKS	40	/* a child lives for fewer */
#define LINGER_US	1500	/* and at most this much longer */

static void
die(const char *what)
{
	(void)fprintf(stderr, "kill_9: %s\n", what);
	exit(1);
}

/* ------ the commands: both sides know the n-th ------ */

struct command {
	int who;
	uint8_t action, type;
	uint8_t list[PR_LIST_LEN];
};

static struct command
command_nth(uint64_t seed, uint64_t n)
{
	static const uint8_t actions[] = { PR_REGISTER_AND_IGNORE, PR_REGISTER_AND_IGNORE,
		PR_REGISTER_AND_IGNORE, PR_REGISTER, PR_RESERVE, PR_RESERVE, PR_RELEASE,
		PR_PREEMPT, PR_PREEMPT_AND_ABORT, PR_CLEAR };
	static const uint8_t types[] = { PR_WE, PR_EARO, PR_WEAR };
	struct rng rng = rng_init(seed * 1000003 + n);
	struct command c = { .who = (int)rng_below(&rng, CLIENTS) };

	c.action = actions[rng_below(&rng, ARRAY_LEN(actions))];
	c.type = types[rng_below(&rng, ARRAY_LEN(types))];
	/* keys that fit: client k always has k + 1 */
	be64_put(c.list, c.action == PR_REGISTER ? rng_below(&rng, 2) * (uint64_t)(c.who + 1) :
	    (uint64_t)(c.who + 1));
	if (c.action == PR_PREEMPT || c.action == PR_PREEMPT_AND_ABORT)
		be64_put(c.list + 8, rng_below(&rng, CLIENTS + 1));
	else if (rng_below(&rng, 8) != 0)
		be64_put(c.list + 8, (uint64_t)(c.who + 1));
	c.list[20] = rng_below(&rng, 20) != 0;	/* APTPL */
	return c;
}

static void
client_name(int who, struct lu_initiator *ret)
{
	static const uint8_t isid[LU_ISID_LEN] = { 0x80 };
	char name[40];

	(void)snprintf(name, sizeof(name), "iqn.2026-11.test:kill.%d", who);
	if (lu_initiator_isid(ret, name, isid) < 0)
		die("no name");
}

/* ------ the child ------ */

static struct lu *unit;
static struct lu_nexus nexuses[CLIENTS];
static struct lu_initiator names[CLIENTS];
static struct lu_task task;
static uint8_t reply[REPLY_MAX];

static void
nexus_gone(struct lu_nexus *nexus)
{
	(void)nexus;
}

static void
open_work(struct lu_work *w)
{
	(void)w;
	for (int i = 0; i < CLIENTS; i++) {
		client_name(i, &names[i]);
		nexuses[i].classes = LU_CLASS(OP_POLICY_N) - 1;
		nexuses[i].initiator = &names[i];
		nexuses[i].wants_sense = true;
		nexuses[i].gone = nexus_gone;
		if (lu_nexus_open(&nexuses[i], unit) < 0)
			die("no nexus");
	}
	mock_home_step_end();
}

static void
task_done(struct lu_task *t)
{
	(void)t;
	mock_home_step_end();
}

static void
submit_work(struct lu_work *w)
{
	(void)w;
	if (lu_submit(&task) < 0)
		die("refused");
}

/* unit attentions are heard and forgotten */
static void
task_run(void)
{
	do {
		mock_home_step(submit_work);
	} while (task.status == SAM_STAT_CHECK_CONDITION && task.sense_len > 2 &&
	    (task.sense[2] & 0xf) == SENSE_UNIT_ATTENTION);
}

static void
out_run(const struct command *c)
{
	static uint8_t list[PR_LIST_LEN];

	memcpy(list, c->list, sizeof(list));
	lu_task_init(&task);
	memcpy(task.cdb, (uint8_t[]){ 0x5f, c->action, c->type, 0, 0, 0, 0, 0, PR_LIST_LEN, 0 },
	    10);
	task.cdb_len = 10;
	task.nexus = &nexuses[c->who];
	task.dir = LU_DIR_OUT;
	task.data = list;
	task.data_len = sizeof(list);
	task.done = task_done;
	task_run();
}

/* PERSISTENT RESERVE IN into reply[]; bytes */
static uint32_t
in_run(uint8_t action)
{
	lu_task_init(&task);
	memcpy(task.cdb, (uint8_t[]){ 0x5e, action, 0, 0, 0, 0, 0, REPLY_MAX >> 8, 0, 0 }, 10);
	task.cdb_len = 10;
	task.nexus = &nexuses[0];
	task.dir = LU_DIR_IN;
	task.data = reply;
	task.data_len = sizeof(reply);
	task.done = task_done;
	task_run();
	return task.status == SAM_STAT_GOOD ? task.moved : 0;
}

static void
world_begin(const char *dir)
{
	static struct lu_host host;
	static struct lu_worker *worker;
	static struct soft_disk_conf disk;
	struct soft_hba_conf conf = { .disks = &disk, .ndisks = 1 };
	struct soft_hba *hba;
	char err[SOFT_ERR_LEN];

	if (!mock_home_start(&host) || lu_worker_new(1, &worker) < 0)
		die("no thread");
	host.worker = lu_worker_exec(worker);
	host.drain_ms = 100;
	host.state_dir = dir;
	if (soft_conf_parse("mem:1M,serial=KILL9", &disk, err) < 0 || lu_init(&host) < 0 ||
	    soft_mod_init() != 0 || soft_hba_new(&conf, &hba, err) < 0 ||
	    devi_attach(soft_hba_node(hba)) < 0 ||
	    scsa_bus_config_all(soft_hba_node(hba)) < 0 ||
	    lu_find("KILL9", &unit, NULL, 0) < 0)
		die("no disk");
	mock_home_step(open_work);
}

static void
tell(const void *data, size_t len)
{
	if (write(STDOUT_FILENO, data, len) != (ssize_t)len)
		die("pipe");
}

/* what is: u32 length and bytes, for READ RESERVATION and READ FULL STATUS; then a byte, the
 * status, for each command */
static _Noreturn void
child_main(const char *dir, uint64_t seed, uint64_t n)
{
	static const uint8_t actions[] = { 1, 3 };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	world_begin(dir);
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		uint32_t len = in_run(actions[i]);

		tell(&len, sizeof(len));
		tell(reply, len);
	}
	for (;; n++) {
		struct command c = command_nth(seed, n);

		out_run(&c);
		tell(&task.status, 1);
	}
}

/* ------ the parent ------ */

static struct pr *model, *model_next;	/* after the last acknowledged command; after the one
					 * that may be under way */
static uint64_t n_acked, n_kills, n_ahead, n_saved;

/* @from after the n-th command; *@ret_status is what it ends with */
static struct pr *
model_after(const struct pr *from, uint64_t seed, uint64_t n, uint8_t *ret_status)
{
	const struct pr_world world = { NULL, 0, NULL, 0 };
	struct command c = command_nth(seed, n);
	struct lu_initiator name;
	struct pr_nexus nexus;
	struct pr_request req = { .nexus = &nexus, .world = &world, .list = c.list,
		.list_len = sizeof(c.list), .action = c.action, .type = c.type,
		.can_persist = true };
	struct pr_result result;
	struct pr *next;

	client_name(c.who, &name);
	pr_nexus_set(&nexus, &name, LU_PORT_LOCAL_RTPI);
	if (pr_out(from, &req, &result) < 0)
		die("no memory");
	*ret_status = result.status;
	next = STEAL(result.next);
	pr_result_fini(&result);
	return next;
}

static bool
model_is(const struct pr *pr, const uint8_t *reservation, uint32_t len1, const uint8_t *status,
    uint32_t len2)
{
	static uint8_t buf[REPLY_MAX];
	struct pr *none = pr_new(PR_LIMIT_DEFAULT);
	const struct pr *is = pr->is_aptpl ? pr : none;
	bool fits = pr_in_room(is) <= sizeof(buf);

	fits = fits && pr_in_reservation(is, buf) == len1 &&
	    memcmp(buf + 4, reservation + 4, len1 - 4) == 0;
	fits = fits && pr_in_full_status(is, buf) == len2 &&
	    memcmp(buf + 4, status + 4, len2 - 4) == 0;
	pr_free(none);
	return fits;
}

static void
read_all(int fd, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			die("the child ended by itself");
		p += n;
		len -= (size_t)n;
	}
}

static uint32_t
read_reply(int fd, uint8_t *buf)
{
	uint32_t len;

	read_all(fd, &len, sizeof(len));
	if (len < 8 || len > REPLY_MAX)
		die("a reply that cannot be");
	read_all(fd, buf, len);
	return len;
}

static void
model_set(struct pr *pr)
{
	if (pr == model)
		return;
	pr_free(model);
	model = pr;
}

/* compare what the child found; from then on that is what is */
static void
found_check(int fd)
{
	static uint8_t reservation[REPLY_MAX], status[REPLY_MAX];
	uint32_t len1 = read_reply(fd, reservation), len2 = read_reply(fd, status);

	if (be32_get(status) != 0)
		die("PRGENERATION survived");
	if (model_next != NULL && !model_is(model, reservation, len1, status, len2)) {
		n_ahead++;
		model_set(STEAL(model_next));
	}
	if (!model_is(model, reservation, len1, status, len2))
		die("neither the last acknowledged state nor the next");
	pr_free(STEAL(model_next));
	n_saved += model->n > 0 && model->is_aptpl;
	if (!model->is_aptpl)
		model_set(pr_new(PR_LIMIT_DEFAULT));
}

static pid_t
child_start(const char *self, const char *dir, uint64_t seed, uint64_t n, int *ret_fd)
{
	char texts[2][24];
	int fds[2];
	pid_t pid;

	(void)snprintf(texts[0], sizeof(texts[0]), "%llu", (unsigned long long)seed);
	(void)snprintf(texts[1], sizeof(texts[1]), "%llu", (unsigned long long)n);
	if (pipe2(fds, O_CLOEXEC) < 0)
		die("no pipe");
	pid = fork();
	if (pid < 0)
		die("no child");
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)execl("/proc/self/exe", self, "--child", dir, texts[0], texts[1],
		    (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

static void
ack_take(uint64_t seed, uint64_t n, uint8_t status)
{
	uint8_t want;
	struct pr *next = model_after(model, seed, n, &want);

	if (status != want)
		die("another status than the machine's");
	if (next != NULL)
		model_set(next);
	n_acked++;
}

/* a while of any length, without sleeping */
static void
linger(struct rng *rng)
{
	uint64_t until = clock_now_ns() + rng_below(rng, LINGER_US * 1000);

	while (clock_now_ns() < until)
		continue;
}

/* one life of a child; commands done so far */
static uint64_t
life(const char *self, const char *dir, uint64_t seed, uint64_t n, struct rng *rng)
{
	uint64_t acks = rng_below(rng, LIFE_ACKS);
	uint8_t status;
	int fd, how;
	pid_t pid = child_start(self, dir, seed, n, &fd);

	found_check(fd);
	for (; acks > 0; acks--) {
		read_all(fd, &status, 1);
		ack_take(seed, n++, status);
	}
	linger(rng);
	(void)kill(pid, SIGKILL);
	/* what it said before it died counts */
	while (read(fd, &status, 1) == 1)
		ack_take(seed, n++, status);
	(void)close(fd);
	(void)waitpid(pid, &how, 0);
	if (!WIFSIGNALED(how))
		die("the child ended by itself");
	n_kills++;
	model_next = model_after(model, seed, n, &status);
	/* the command under way may have been executed or not: go on behind it */
	return n + 1;
}

static void
folder_remove(const char *dir)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "rm -rf '%s'", dir);
	if (system(path) != 0)
		die("folder stays");
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/kill9-XXXXXX";
	uint64_t commands = 1000, seed = 1, n = 0;
	struct rng rng;

	if (argc == 5 && strcmp(argv[1], "--child") == 0) {
		if (num_parse_u64(argv[3], UINT64_MAX, &seed) < 0 ||
		    num_parse_u64(argv[4], UINT64_MAX, &n) < 0)
			die("usage");
		child_main(argv[2], seed, n);
	}
	for (int i = 1; i + 1 < argc; i += 2)
		if (num_parse_u64(argv[i + 1], UINT64_MAX,
		    strcmp(argv[i], "--commands") == 0 ? &commands : &seed) < 0)
			die("usage: [--commands N] [--seed N]");
	if (mkdtemp(dir) == NULL)
		die("no folder");
	rng = rng_init(seed);
	model = pr_new(PR_LIMIT_DEFAULT);
	while (n_acked < commands)
		n = life(argv[0], dir, seed, n, &rng);
	(void)printf("%llu commands acknowledged, %llu kills, %llu found reservations, "
	    "%llu of them one command ahead\n", (unsigned long long)n_acked,
	    (unsigned long long)n_kills, (unsigned long long)n_saved,
	    (unsigned long long)n_ahead);
	pr_free(model);
	pr_free(model_next);
	folder_remove(dir);
	return 0;
}
