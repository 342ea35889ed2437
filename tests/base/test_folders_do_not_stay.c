/* what a test keeps in its folder goes with it: when it fails, when it is killed, and what a program
 * that was killed as a whole has left goes when the next one begins */
#include <signal.h>
#include <sys/wait.h>

#include "check_main.h"

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
leave_things(char *path, size_t size)
{
	char folder[48];
	int fd;

	check_folder(folder, sizeof(folder));
	(void)snprintf(path, size, "%s/inside", folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	(void)close(check_file(path, size));
}

/* a program as check_main.h makes it, which dies before its end or not; its folder */
static void
program(bool is_killed, char *path, size_t size)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		check_dir_begin();
		(void)!write(fds[1], check_dir(), strlen(check_dir()) + 1);
		leave_things(path, size);
		if (is_killed)
			(void)raise(SIGKILL);
		check_dir_end();
		_exit(0);
	}
	(void)close(fds[1]);
	n = read(fds[0], path, size);
	ck_assert_int_gt(n, 0);
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(is_killed ? WIFSIGNALED(status) : WIFEXITED(status));
}

START_TEST(all_of_it_goes_at_the_end)
{
	char path[64];

	program(false, path, sizeof(path));
	ck_assert(!is_there(path));
}
END_TEST

START_TEST(the_next_program_clears_up)
{
	char path[64];
	int fd;

	program(true, path, sizeof(path));
	check_dir_sweep();
	/* another program that begins now may be at work on it */
	fd = open(path, O_RDONLY | O_DIRECTORY);
	ck_assert(fd < 0 || flock(fd, LOCK_EX) == 0);
	ck_assert(!is_there(path));
}
END_TEST

START_TEST(what_is_in_use_stays)
{
	char path[64];

	leave_things(path, sizeof(path));
	check_dir_sweep();
	ck_assert(is_there(path));
}
END_TEST

CHECK_MAIN("folders of tests", all_of_it_goes_at_the_end, the_next_program_clears_up,
    what_is_in_use_stays)
