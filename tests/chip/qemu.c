#include "tests/chip/qemu.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/compiler.h"
#include "tests/chip/qtest.h"

#define SKIPPED		77
#define ARGS_MAX	160
#define ARG_LEN		1024
#define FIRMWARE_BYTES	65536

struct args {
	char *v[ARGS_MAX + 1];
	unsigned int n;
};

static PRINTF_LIKE(2, 3) void
arg_add(struct args *args, const char *fmt, ...)
{
	char text[ARG_LEN];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ck_assert_uint_lt(args->n, ARGS_MAX);
	args->v[args->n++] = strdup(text);
}

static void
args_free(struct args *args)
{
	while (args->n > 0)
		free(args->v[--args->n]);
}

void
qemu_disk_path(const struct qemu *qemu, unsigned int target, unsigned int lun, char *buf,
    size_t size)
{
	(void)snprintf(buf, size, "%s/t%ul%u", qemu->dir, target, lun);
}

static uint64_t
disk_bytes(const struct chip_disk *disk)
{
	return disk->bytes == 0 ? CHIP_BYTES : disk->bytes;
}

static void
image_make(const char *path, uint64_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	close_fd(&fd);
}

static void
store_node(struct qemu *qemu, const struct chip_disk *disk, char *buf, size_t size)
{
	const unsigned long long bytes = disk_bytes(disk);
	char path[128];

	if (disk->store == CHIP_NULL) {
		(void)snprintf(buf, size, "\"driver\":\"null-co\",\"size\":%llu,"
		    "\"read-zeroes\":true,\"latency-ns\":%llu", bytes,
		    (unsigned long long)disk->latency_ms * 1000000);
		return;
	}
	qemu_disk_path(qemu, disk->target, disk->lun, path, sizeof(path));
	image_make(path, bytes);
	(void)snprintf(buf, size, "\"driver\":\"raw\",\"file\":{\"driver\":\"file\","
	    "\"filename\":\"%s\"}", path);
}

void
qemu_disk_node(struct qemu *qemu, const struct chip_disk *disk, char *buf, size_t size)
{
	const unsigned long long sector = disk->broken_sector;
	char store[512], name[32];

	store_node(qemu, disk, store, sizeof(store));
	(void)snprintf(name, sizeof(name), "n%ux%u", disk->target, disk->lun);
	if (disk->is_broken)
		(void)snprintf(buf, size, "{\"driver\":\"blkdebug\",\"node-name\":\"%s\","
		    "\"image\":{%s},\"inject-error\":["
		    "{\"event\":\"none\",\"iotype\":\"read\",\"sector\":%llu},"
		    "{\"event\":\"none\",\"iotype\":\"write\",\"sector\":%llu}]}", name, store,
		    sector, sector);
	else
		(void)snprintf(buf, size, "{\"node-name\":\"%s\",%s}", name, store);
}

void
qemu_disk_device(const struct chip_disk *disk, char *buf, size_t size)
{
	const unsigned int t = disk->target, l = disk->lun;

	(void)snprintf(buf, size, "scsi-hd,id=t%ul%u,bus=hba0.0,channel=0,scsi-id=%u,lun=%u,"
	    "drive=n%ux%u,serial=S%u-%u,wwn=0x5000c500a0%02x%02x01,rerror=report,"
	    "werror=report%s%s", t, l, t, l, t, l, t, l, t & 0xff, l & 0xff,
	    disk->options == NULL ? "" : ",", disk->options == NULL ? "" : disk->options);
}

static int
memory_file(const char *name, size_t bytes)
{
	int fd = memfd_create(name, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

/* firmware that halts the processor: HLT all over, at the reset address CLI; HLT; JMP back */
static int
firmware_file(void)
{
	static const unsigned char reset[] = { 0xfa, 0xf4, 0xeb, 0xfd };
	unsigned char rom[FIRMWARE_BYTES];
	int fd = memory_file("firmware", sizeof(rom));

	memset(rom, 0xf4, sizeof(rom));
	memcpy(rom + sizeof(rom) - 16, reset, sizeof(reset));
	ck_assert_int_eq(write(fd, rom, sizeof(rom)), sizeof(rom));
	return fd;
}

static void
args_machine(struct args *args, int ram, int rom, const int *sockets)
{
	static const char *const names[] = { "qtest", "irq", "qmp" };
	static const char *const fixed[] = { QEMU_PROGRAM, "-nodefaults", "-no-user-config",
	    "-display", "none", "-accel", "tcg", "-machine",
	    "q35,memory-backend=ram,hpet=off,usb=off,smbus=off,sata=off" };

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		arg_add(args, "%s", fixed[i]);
	arg_add(args, "-m");
	arg_add(args, "%llu", QEMU_RAM_BYTES >> 20);
	arg_add(args, "-bios");
	arg_add(args, "/proc/self/fd/%d", rom);
	arg_add(args, "-object");
	arg_add(args,
	    "memory-backend-file,id=ram,size=%lluM,mem-path=/proc/self/fd/%d,share=on",
	    QEMU_RAM_BYTES >> 20, ram);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		arg_add(args, "-chardev");
		arg_add(args, "socket,id=%s,fd=%d", names[i], sockets[i]);
	}
	arg_add(args, "-qtest");
	arg_add(args, "chardev:qtest");
	arg_add(args, "-qtest-log");
	arg_add(args, "none");
	arg_add(args, "-mon");
	arg_add(args, "chardev=qmp,mode=control");
	arg_add(args, "-device");
	arg_add(args, "ivshmem-doorbell,chardev=irq,vectors=%d,addr=1e.0", QTEST_MESSAGES);
}

static void
args_options(struct args *args, const char *options)
{
	while (options != NULL && *options != '\0') {
		size_t n = strcspn(options, " ");

		if (n > 0)
			arg_add(args, "%.*s", (int)n, options);
		options += n + strspn(options + n, " ");
	}
}

static void
args_devices(struct args *args, struct qemu *qemu, const struct chip_spec *spec)
{
	char text[ARG_LEN];

	for (unsigned int i = 0; i <= spec->twins; i++) {
		arg_add(args, "-device");
		arg_add(args, "%s,id=hba%u,addr=%x.0", spec->device, i, QEMU_SLOT + i);
	}
	for (unsigned int i = 0; i < spec->n_disks; i++) {
		qemu_disk_node(qemu, &spec->disks[i], text, sizeof(text));
		arg_add(args, "-blockdev");
		arg_add(args, "%s", text);
		qemu_disk_device(&spec->disks[i], text, sizeof(text));
		arg_add(args, "-device");
		arg_add(args, "%s", text);
	}
	args_options(args, spec->options);
}

/* in the child: its end of the sockets and its files have no CLOEXEC */
static void
qemu_exec(struct args *args, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)execvp(args->v[0], args->v);
	_exit(SKIPPED);
}

static bool
is_installed(void)
{
	const char *path = getenv("PATH");
	char file[512];

	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");

		(void)snprintf(file, sizeof(file), "%.*s/" QEMU_PROGRAM, (int)n, path);
		if (access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

/*
 * A process of its own takes the folder away when the test has ended, whichever way: it waits
 * for the end of a pipe that nobody else writes to. Its own group: Check kills that of a test
 * that takes too long. No memory is allocated here: a thread of the test may have been at that
 * when it was forked.
 */
static void
janitor_main(int end_fd, const char *dir)
{
	char byte;

	(void)setpgid(0, 0);
	while (read(end_fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	(void)execlp("rm", "rm", "-rf", "--", dir, NULL);
	_exit(1);
}

static void
janitor_start(struct qemu *qemu)
{
	int pair[2];

	ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
	qemu->janitor = fork();
	ck_assert_int_ge(qemu->janitor, 0);
	if (qemu->janitor == 0) {
		(void)close(pair[1]);
		janitor_main(pair[0], qemu->dir);
	}
	close_fd(&pair[0]);
	qemu->end_fd = pair[1];
}

void
qemu_start(struct qemu *qemu, const struct chip_spec *spec)
{
	int ours[3], theirs[3], ram, rom, pair[2];
	struct args args = { .n = 0 };
	const pid_t parent = getpid();

	ck_assert_msg(is_installed(), QEMU_PROGRAM " is not installed");
	*qemu = (struct qemu){ .dir = "/tmp/scsad-chip-XXXXXX",
		.qmp_lock = PTHREAD_MUTEX_INITIALIZER };
	ck_assert_ptr_nonnull(mkdtemp(qemu->dir));
	janitor_start(qemu);
	ram = memory_file("ram", QEMU_RAM_BYTES);
	rom = firmware_file();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		ours[i] = pair[0];
		theirs[i] = pair[1];
		ck_assert_int_eq(fcntl(ours[i], F_SETFD, FD_CLOEXEC), 0);
	}
	args_machine(&args, ram, rom, theirs);
	args_devices(&args, qemu, spec);
	qemu->pid = fork();
	ck_assert_int_ge(qemu->pid, 0);
	if (qemu->pid == 0)
		qemu_exec(&args, parent);
	for (int i = 0; i < 3; i++)
		close_fd(&theirs[i]);
	close_fd(&rom);
	args_free(&args);
	qemu->ram = mmap(NULL, QEMU_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	ck_assert_ptr_ne(qemu->ram, MAP_FAILED);
	close_fd(&ram);
	qemu->qtest_fd = ours[0];
	qemu->irq_fd = ours[1];
	qemu->qmp_fd = ours[2];
}

void
qemu_kill(struct qemu *qemu)
{
	if (qemu->pid <= 0)
		return;
	(void)kill(qemu->pid, SIGKILL);
	(void)waitpid(qemu->pid, NULL, 0);
	qemu->pid = 0;
}

void
qemu_stop(struct qemu *qemu)
{
	qemu_kill(qemu);
	close_fd(&qemu->qmp_fd);
	(void)munmap(qemu->ram, QEMU_RAM_BYTES);
	close_fd(&qemu->end_fd);
	(void)waitpid(qemu->janitor, NULL, 0);
}

/* the next line into the front of the reply; NULL: QEMU is gone */
static char *
qmp_line(struct qemu *qemu)
{
	char *end;

	qemu->fill -= qemu->used;
	memmove(qemu->reply, qemu->reply + qemu->used, qemu->fill);
	qemu->used = 0;
	while ((end = memchr(qemu->reply, '\n', qemu->fill)) == NULL) {
		ssize_t n = read(qemu->qmp_fd, qemu->reply + qemu->fill,
		    sizeof(qemu->reply) - qemu->fill);

		if (n <= 0)
			return NULL;
		qemu->fill += (size_t)n;
	}
	*end = '\0';
	qemu->used = (size_t)(end - qemu->reply) + 1;
	return qemu->reply;
}

const char *
qemu_qmp(struct qemu *qemu, const char *line)
{
	const char *answer;

	(void)pthread_mutex_lock(&qemu->qmp_lock);
	if (send(qemu->qmp_fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		ck_abort_msg("QEMU does not take '%s'", line);
	do {	/* events and the greeting come in between */
		answer = qmp_line(qemu);
		if (answer == NULL)
			ck_abort_msg("QEMU ended at '%s'", line);
		if (strncmp(answer, "{\"error\"", 8) == 0)
			ck_abort_msg("QMP: '%s' was answered '%s'", line, answer);
	} while (strncmp(answer, "{\"return\"", 9) != 0);
	(void)pthread_mutex_unlock(&qemu->qmp_lock);
	return answer;
}
