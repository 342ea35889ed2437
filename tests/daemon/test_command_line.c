/* options, --check, and a whole life from start to SIGTERM */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "daemon/daemon.h"
#include "daemon/demo.h"
#include "daemon/log.h"
#include "daemon/options.h"

static char text[CONFIG_ERR_LEN];

#define ARGS(...)	((char *[]){ (char *)(uintptr_t)"scsad", __VA_ARGS__, NULL })
#define A(s)		((char *)(uintptr_t)(s))

static int
parse(char **argv, struct options *o)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	return options_parse(argc, argv, o, text);
}

START_TEST(options_are_read)
{
	struct options o;

	ck_assert_int_eq(parse(ARGS(A("--disk"), A("mem:1M"), A("-d"), A("null:1T"),
	    A("--socket=/x"),
	    A("--loops"), A("3"), A("--log-level"), A("debug"), A("--foreground")), &o), 0);
	ck_assert_uint_eq(o.n_disks, 2);
	ck_assert_str_eq(o.disks[1], "null:1T");
	ck_assert_str_eq(o.socket, "/x");
	ck_assert_uint_eq(o.loops, 3);
	ck_assert(o.has_log_level && o.log_level == LOG_LEVEL_DEBUG);
	ck_assert_int_eq(parse(ARGS(A("--check"), A("--config"), A("f"), A("--demo")), &o), 0);
	ck_assert(o.want_check && o.want_demo);
	ck_assert_str_eq(o.config, "f");
}
END_TEST

START_TEST(wrong_options_are_told)
{
	struct options o;

	ck_assert_int_eq(parse(ARGS(A("--nonsense")), &o), -EINVAL);
	ck_assert_int_eq(parse(ARGS(A("--disk")), &o), -EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "value"));
	ck_assert_int_eq(parse(ARGS(A("disk.img")), &o), -EINVAL);
	ck_assert_int_eq(parse(ARGS(A("--loops"), A("0")), &o), -EINVAL);
	ck_assert_int_eq(parse(ARGS(A("--loops"), A("65")), &o), -EINVAL);
	ck_assert_int_eq(parse(ARGS(A("--log-level"), A("loud")), &o), -EINVAL);
}
END_TEST

/* the file goes into a folder that is ours alone and has just been made; and goes with it */
static void
demo_check(const struct config *conf)
{
	const char *path = conf->hbas[1].disks[1].path;
	struct stat st;

	ck_assert_ptr_nonnull(conf->demo_dir);
	ck_assert_int_eq(stat(conf->demo_dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert(strncmp(path, conf->demo_dir, strlen(conf->demo_dir)) == 0);
	(void)close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
	demo_remove(conf);
	ck_assert_int_lt(stat(conf->demo_dir, &st), 0);
}

START_TEST(options_go_on_top_of_the_configuration)
{
	struct options o;
	struct config conf;

	config_init(&conf);
	ck_assert_int_eq(parse(ARGS(A("-d"), A("mem:1M"), A("--socket"), A("/x"), A("--loops"),
	    A("2"), A("--log-level"), A("error"), A("--demo")), &o), 0);
	ck_assert_int_eq(setenv("TMPDIR", "/tmp", 1), 0);
	ck_assert_msg(options_apply(&o, &conf, text) == 0, "%s", text);
	ck_assert_uint_eq(conf.n_hbas, 2);
	ck_assert_uint_eq(conf.hbas[0].n_disks, 1);
	ck_assert_uint_eq(conf.hbas[1].n_disks, 2);
	demo_check(&conf);
	ck_assert_str_eq(conf.socket_path, "/x");
	ck_assert_uint_eq(conf.loops, 2);
	config_fini(&conf);

	config_init(&conf);
	ck_assert_int_eq(parse(ARGS(A("-d"), A("mem:lots")), &o), 0);
	ck_assert_int_eq(options_apply(&o, &conf, text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "lots"));
	config_fini(&conf);
}
END_TEST

START_TEST(pci_functions_by_option)
{
	static const struct {
		const char *spec;
		const char *address, *driver;
		enum config_bus bus;
	} good[] = {
		{ "0000:00:10.0", "0000:00:10.0", NULL, CONFIG_BUS_VFIO },
		{ "1f:02.7,chip", "0000:1f:02.7", "chip", CONFIG_BUS_VFIO },
		{ "10000:00:10.0,uio", "10000:00:10.0", NULL, CONFIG_BUS_UIO },
		{ "0000:FF:1F.0,chip,vfio", "0000:ff:1f.0", "chip", CONFIG_BUS_VFIO },
	};
	static const char *const bad[] = { "", "0000:00:10", "0000:00:20.0", "0000:00:10.8",
		"000:00:10.0", "00:10.0x", "0000:00:10.0,a,b", "0000:00:10.0,uio,vfio",
		"0000:00:10.0,a,vfio,b", "0000:00:1g.0", "../../x" };
	struct options o;
	struct config conf;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct config_hba hba = { 0 };

		ck_assert_msg(config_pci_parse(good[i].spec, &hba, text) == 0, "%s: %s",
		    good[i].spec, text);
		ck_assert_str_eq(hba.pci.address, good[i].address);
		ck_assert_pstr_eq(hba.driver, good[i].driver);
		ck_assert_int_eq(hba.pci.bus, good[i].bus);
		free(hba.driver);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config_hba hba = { 0 };

		ck_assert_msg(config_pci_parse(bad[i], &hba, text) == -EINVAL, "%s", bad[i]);
		free(hba.driver);
	}

	config_init(&conf);
	ck_assert_int_eq(parse(ARGS(A("--pci"), A("0000:00:10.0"), A("--pci"),
	    A("0000:00:11.0,uio"), A("--allow-unsafe-dma")), &o), 0);
	ck_assert_msg(options_apply(&o, &conf, text) == 0, "%s", text);
	ck_assert_uint_eq(conf.n_hbas, 2);
	ck_assert(conf.hbas[1].pci.allow_unsafe_dma);
	config_fini(&conf);
}
END_TEST

START_TEST(unsafe_dma_needs_a_word)
{
	struct options o;
	struct config conf;

	config_init(&conf);
	ck_assert_int_eq(parse(ARGS(A("--pci"), A("0000:00:10.0,uio")), &o), 0);
	ck_assert_int_eq(options_apply(&o, &conf, text), -EINVAL);
	ck_assert_msg(strstr(text, "allow_unsafe_dma: yes") != NULL, "%s", text);
	config_fini(&conf);
	config_init(&conf);
	ck_assert_int_eq(parse(ARGS(A("--pci"), A("0000:00:10.0"), A("--pci"),
	    A("00:10.0")), &o), 0);
	ck_assert_int_eq(options_apply(&o, &conf, text), -EINVAL);
	ck_assert_msg(strstr(text, "already") != NULL, "%s", text);
	config_fini(&conf);
}
END_TEST

static int
main_of(char **argv)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	return daemon_main(argc, argv);
}

START_TEST(exit_statuses)
{
	char path[64], never[64];
	int fd = check_file(path, sizeof(path));

	(void)snprintf(never, sizeof(never), "%s/never", check_dir());
	ck_assert_int_eq(main_of(ARGS(A("--version"))), 0);
	ck_assert_int_eq(main_of(ARGS(A("--help"))), 0);
	ck_assert_int_eq(main_of(ARGS(A("--nonsense"))), EXIT_USAGE);
	ck_assert_int_eq(main_of(ARGS(A("--check"), A("--disk"), A("mem:1M"))), 0);
	ck_assert_int_eq(setenv("TMPDIR", "/nonexistent", 1), 0);
	ck_assert_int_eq(main_of(ARGS(A("--check"), A("--demo"))), 0);
	ck_assert_int_eq(main_of(ARGS(A("--demo"))), EXIT_CONFIG);
	if (access(OPTIONS_CONFIG_DEFAULT, F_OK) < 0) {
		ck_assert_int_eq(main_of((char *[]){ A("scsad"), NULL }), EXIT_CONFIG);
		ck_assert_int_eq(main_of(ARGS(A("--check"))), EXIT_CONFIG);
	}
	ck_assert_int_eq(main_of(ARGS(A("--check"), A("--disk"), A("mem:x"))), EXIT_CONFIG);
	ck_assert_int_eq(write(fd, "loops: x\n", 9), 9);
	ck_assert_int_eq(main_of(ARGS(A("--check"), A("--config"), path)), EXIT_CONFIG);
	ck_assert_int_eq(main_of(ARGS(A("--config"), A("/no/such/file"))), EXIT_CONFIG);
	ck_assert_int_eq(main_of(ARGS(A("--disk"), A("/no/such/image"), A("--socket"),
	    never)), EXIT_START);
	(void)close(fd);
	(void)unlink(path);
}
END_TEST

/* the service manager's end: waits for @want */
static void
notify_wait(int fd, const char *want)
{
	char buf[512];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		ck_assert_int_gt(n, 0);
		buf[n] = '\0';
	} while (strstr(buf, want) == NULL);
}

START_TEST(a_whole_life)
{
	char dir[48], socket_path[64], notify_path[64];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), status;
	pid_t pid;

	check_folder(dir, sizeof(dir));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	(void)snprintf(notify_path, sizeof(notify_path), "%s/n", dir);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", notify_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", notify_path, 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "20000", 1), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		exit(main_of(ARGS(A("--disk"), A("mem:1M"), A("--socket"), socket_path,
		    A("--loops"), A("2"))));
#ifdef HAVE_SYSTEMD
	notify_wait(fd, "READY=1");
	notify_wait(fd, "WATCHDOG=1");
#else
	/* without libsystemd: ready is when it answers */
	{
		struct sockaddr_un to = { .sun_family = AF_UNIX };
		int c = socket(AF_UNIX, SOCK_STREAM, 0);

		(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", socket_path);
		while (connect(c, (struct sockaddr *)&to, sizeof(to)) < 0)
			(void)sched_yield();
		(void)close(c);
		(void)notify_wait;
	}
#endif
	/* who does not read what it is told keeps it waiting: from here on there is nobody to tell */
	(void)close(fd);
	ck_assert_int_eq(kill(pid, SIGHUP), 0);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_int_lt(access(socket_path, F_OK), 0);
}
END_TEST

START_TEST(log_lines_have_their_form)
{
	char line[64], value[64];
	int fds[2];
	struct stat st;

	ck_assert_uint_eq(log_format(LOG_LEVEL_WARNING, false, "x: y", line, sizeof(line)), 14);
	ck_assert_str_eq(line, "warning: x: y\n");
	(void)log_format(LOG_LEVEL_WARNING, true, "x: y", line, sizeof(line));
	ck_assert_str_eq(line, "<4>x: y\n");
	ck_assert_uint_eq(log_format(LOG_LEVEL_ERROR, false, "0123456789", line, 10), 9);
	ck_assert_str_eq(line, "error: 0\n");
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fstat(fds[1], &st), 0);
	(void)snprintf(value, sizeof(value), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	ck_assert(log_is_journal(value, fds[1]));
	ck_assert(!log_is_journal("1:2", fds[1]));
	ck_assert(!log_is_journal("nonsense", fds[1]));
	ck_assert(!log_is_journal(NULL, fds[1]));
}
END_TEST

CHECK_MAIN("command line", options_are_read, wrong_options_are_told,
    options_go_on_top_of_the_configuration, pci_functions_by_option,
    unsafe_dma_needs_a_word, exit_statuses, a_whole_life,
    log_lines_have_their_form)
