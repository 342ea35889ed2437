/* without a path and $SCSAD_SOCKET: the system's socket, then that of the user's daemon */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_daemon.h"

static char dir[48];
static char sub[64], sock[80];

static struct scsac *
begin(void)
{
	struct scsac *c = NULL;

	check_folder(dir, sizeof(dir));
	(void)snprintf(sub, sizeof(sub), "%s/scsad", dir);
	(void)snprintf(sock, sizeof(sock), "%s/scsad.sock", sub);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	ck_assert_int_eq(unsetenv("SCSAD_SOCKET"), 0);
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	ck_assert_int_eq(scsac_new("test", &c), 0);
	return c;
}

static void
end(struct scsac *c)
{
	scsac_free(c);
	(void)unlink(sock);
	(void)rmdir(sub);
	(void)rmdir(dir);
}

/* a daemon that really runs on this machine has precedence, and is none of ours to test */
static bool
is_served(void)
{
	return access("/run/scsad/scsad.sock", F_OK) == 0;
}

START_TEST(users_daemon)
{
	struct scsac *c = begin();
	struct mock m;

	if (!is_served()) {
		mock_init(&m);
		mock_listen(&m, sock);
		ck_assert_int_eq(scsac_connect(c, NULL), 0);
		scsac_disconnect(c);
		/* an empty variable, an empty path: as if not there */
		ck_assert_int_eq(setenv("SCSAD_SOCKET", "", 1), 0);
		ck_assert_int_eq(scsac_connect(c, ""), 0);
		scsac_disconnect(c);
		/* who names a socket means that one only */
		ck_assert_int_eq(setenv("SCSAD_SOCKET", "/nonexistent", 1), 0);
		ck_assert_int_eq(scsac_connect(c, NULL), -ENOENT);
		ck_assert_ptr_null(strstr(scsac_last_error(c)->text, dir));
		mock_stop(&m);
		mock_fini(&m);
	}
	end(c);
}
END_TEST

START_TEST(all_that_was_tried_is_named)
{
	struct scsac *c = begin();

	if (!is_served()) {
		ck_assert_int_eq(scsac_connect(c, NULL), -ENOENT);
		ck_assert_ptr_nonnull(strstr(scsac_last_error(c)->text, sock));
		ck_assert_ptr_nonnull(strstr(scsac_last_error(c)->text,
		    "/run/scsad/scsad.sock"));
		ck_assert_ptr_nonnull(strstr(scsac_last_error(c)->hint, "start scsad"));
	}
	end(c);
}
END_TEST

START_TEST(variable_that_is_no_use)
{
	struct scsac *c = begin();
	char name[300];

	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	if (!is_served()) {
		ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);
		ck_assert_int_eq(scsac_connect(c, NULL), -ENOENT);
		ck_assert_ptr_null(strstr(scsac_last_error(c)->text, "relative"));
		ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", name, 1), 0);
		ck_assert_int_eq(scsac_connect(c, NULL), -ENOENT);
		ck_assert_int_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
		ck_assert_int_eq(scsac_connect(c, NULL), -ENOENT);
	}
	ck_assert_int_eq(scsac_connect(c, name), -ENAMETOOLONG);
	end(c);
}
END_TEST

CHECK_MAIN("default socket", users_daemon, all_that_was_tried_is_named,
    variable_that_is_no_use)
