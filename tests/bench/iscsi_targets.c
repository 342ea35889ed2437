#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "bench_iscsi.h"
#include "iscsi_wire.h"

#define ARGS_MAX	32
#define READY_MS	60000
#define TGT_NAME	"iqn.2026-11.internal.bench:tgt"

static struct bench *started;

/* ------ processes ------ */

static pid_t
child_start(const char *const *argv, int cpu, const char *log)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sample_pin(cpu);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int
child_run(const char *const *argv, const char *log)
{
	int status;

	if (waitpid(child_start(argv, -1, log), &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
target_wake(const struct peer_target *t)
{
	if (t->where.pid > 0)
		(void)kill(t->where.pid, SIGCONT);
}

void
target_sleep(const struct peer_target *t)
{
	if (t->where.pid > 0)
		(void)kill(t->where.pid, SIGSTOP);
}

static void
target_end(struct peer_target *t)
{
	if (t->where.pid <= 0)
		return;
	(void)kill(t->where.pid, SIGCONT);
	(void)kill(t->where.pid, SIGKILL);
	(void)waitpid(t->where.pid, NULL, 0);
	t->where.pid = 0;
}

static void
nap(void)
{
	const struct timespec span = { 0, 20 * 1000 * 1000 };

	(void)nanosleep(&span, NULL);
}

/* ------ scsad ------ */

/* what scsad prints once it serves: "... target NAME at 127.0.0.1:PORT" */
static bool
scsad_find(struct peer_target *t, const char *log)
{
	char line[512];
	FILE *f = fopen(log, "r");
	unsigned int port = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *p = strstr(line, "target iqn.");

		if (p != NULL &&
		    sscanf(p, "target %127s at 127.0.0.1:%u", t->name, &port) == 2)
			break;
		port = 0;
	}
	if (f != NULL)
		(void)fclose(f);
	t->where.port = (uint16_t)port;
	t->where.name = t->name;
	t->where.lun = 0;
	return port != 0;
}

static void
scsad_start(struct bench *b, struct peer_target *t, const char *scsad, const char *disk,
    const char *busy_poll_us)
{
	char log[128], socket[128], conf[128];
	const char *argv[] = { scsad, "--config", conf, "--socket", socket, "--disk", disk,
		"--export", "127.0.0.1:0", NULL };
	FILE *f;

	(void)snprintf(log, sizeof(log), "%s/scsad%s.log", b->dir, busy_poll_us);
	(void)snprintf(socket, sizeof(socket), "%s/scsad%s.sock", b->dir, busy_poll_us);
	(void)snprintf(conf, sizeof(conf), "%s/scsad%s.conf", b->dir, busy_poll_us);
	f = fopen(conf, "w");
	if (f == NULL || fprintf(f, "loops: 1\nbusy_poll_us: %s\n", busy_poll_us) < 0 ||
	    fclose(f) != 0)
		die("%s: %s", conf, strerror(errno));
	t->where.pid = child_start(argv, CPU_TARGET, log);
	for (int i = 0; i < READY_MS / 20 && !scsad_find(t, log); i++) {
		if (waitpid(t->where.pid, NULL, WNOHANG) == t->where.pid)
			die("scsad did not start, see %s", log);
		nap();
	}
	if (t->where.port == 0)
		die("scsad does not say where it listens, see %s", log);
}

/* ------ tgtd ------ */

static bool
tgt_admin(const struct bench *b, const char *control, const char *const *words)
{
	const char *argv[ARGS_MAX] = { "tgtadm", "-C", control, "--lld", "iscsi" };
	char log[128];
	size_t n = 5;

	(void)snprintf(log, sizeof(log), "%s/tgt.log", b->dir);
	while (*words != NULL && n + 1 < ARGS_MAX)
		argv[n++] = *words++;
	argv[n] = NULL;
	return child_run(argv, log) == 0;
}

static bool
tgt_export(const struct bench *b, const char *control, const char *store, const char *path)
{
	static const char *const target[] = { "--op", "new", "--mode", "target", "--tid", "1", "-T",
		TGT_NAME, NULL };
	static const char *const bind[] = { "--op", "bind", "--mode", "target", "--tid", "1", "-I",
		"ALL", NULL };
	static const char *const keys[] = { "MaxRecvDataSegmentLength", "FirstBurstLength",
		"MaxBurstLength" };
	const char *unit[] = { "--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1",
		"-b", path, "-E", store, NULL };

	for (int i = 0; i < READY_MS / 20 && !tgt_admin(b, control, target); i++)
		nap();
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *update[] = { "--op", "update", "--mode", "target", "--tid", "1", "--name",
			keys[i], "--value", "262144", NULL };

		if (!tgt_admin(b, control, update))
			return false;
	}
	return tgt_admin(b, control, unit) && tgt_admin(b, control, bind);
}

/* a port that was free a moment ago: tgtd cannot choose one by itself */
static uint16_t
port_free(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		die("no free port: %s", strerror(errno));
	(void)close(fd);
	return ntohs(at.sin_port);
}

static void
tgt_start(struct bench *b, struct peer_target *t, const char *store, const char *path)
{
	char log[128], portal[64], control[16];
	const char *argv[] = { "tgtd", "-f", "-C", control, "--iscsi", portal, NULL };
	uint16_t port = port_free();

	if (access("/usr/sbin/tgtd", X_OK) < 0 || geteuid() != 0)
		return;
	(void)snprintf(log, sizeof(log), "%s/tgtd.log", b->dir);
	(void)snprintf(portal, sizeof(portal), "portal=127.0.0.1:%u", port);
	/* its control socket is named by a number: one that nobody else will have taken */
	(void)snprintf(control, sizeof(control), "%u", port % 30000 + 100);
	(void)snprintf(t->name, sizeof(t->name), "%s", TGT_NAME);
	t->where = (struct iscsi_where){ .name = t->name, .port = port, .lun = 1 };
	t->where.pid = child_start(argv, CPU_TARGET, log);
	if (!tgt_export(b, control, store, path)) {
		(void)fprintf(stderr, "bench_iscsi: tgtd cannot be set up, see %s\n", log);
		target_end(t);
	}
}

/* ------ all of them ------ */

/* The kernel shares CPUs between sessions first (autogroups), and nice counts only inside of
 * one. So that work of other sessions on this machine does not spoil the figures, ours goes
 * first while it measures; not permitted: it does not */
static void
priority_raise(void)
{
	FILE *f;

	(void)setsid();
	f = fopen("/proc/self/autogroup", "w");
	if (f == NULL)
		return;
	(void)fputs("-20", f);
	(void)fclose(f);
}

static void
ended(void)
{
	if (started != NULL)
		bench_stop(started);
}

/* is there a folder in memory, with room for as much? Containers have little */
static bool
shm_has(size_t bytes)
{
	struct statvfs fs;

	return access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &fs) == 0 &&
	    fs.f_bavail * fs.f_frsize > 2 * (uint64_t)bytes;
}

void
bench_start(struct bench *b, const char *scsad, const char *disk, size_t file_bytes,
    bool is_measured)
{
	char path[128];
	int fd;

	(void)snprintf(b->dir, sizeof(b->dir), "%s/bench_iscsi.XXXXXX",
	    shm_has(file_bytes) ? "/dev/shm" : "/tmp");
	if (mkdtemp(b->dir) == NULL)
		die("%s: %s", b->dir, strerror(errno));
	started = b;
	(void)atexit(ended);
	if (is_measured)
		priority_raise();
	(void)snprintf(path, sizeof(path), "%s/tgt.img", b->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, (off_t)file_bytes) != 0)
		die("%s: %s", path, strerror(errno));
	(void)close(fd);
	scsad_start(b, &b->scsad, scsad, disk, "0");
	scsad_start(b, &b->scsad_polling, scsad, disk, "50");
	tgt_start(b, &b->tgt_null, "null", "null");
	tgt_start(b, &b->tgt_file, "rdwr", path);
	b->at_start = iscsi_usage_read(b->scsad.where.pid);
	target_sleep(&b->scsad);
	target_sleep(&b->scsad_polling);
	target_sleep(&b->tgt_null);
	target_sleep(&b->tgt_file);
}

void
bench_stop(struct bench *b)
{
	static const char *const files[] = { "tgt.img", "tgt.log", "tgtd.log", "scsad0.log",
		"scsad50.log", "scsad0.conf", "scsad50.conf", "scsad0.sock", "scsad50.sock",
		"scsad0.sock.lock", "scsad50.sock.lock" };
	char path[160];

	target_end(&b->scsad);
	target_end(&b->scsad_polling);
	target_end(&b->tgt_null);
	target_end(&b->tgt_file);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(b->dir);
	started = NULL;
}
