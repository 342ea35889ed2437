/* the socket's place: another server is respected, leftovers are replaced, mistakes are told */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"
#include "daemon/rpc_socket.h"

static char dir[48];
static char path[64];
static struct config conf;
static char text[CONFIG_ERR_LEN];

static void
begin(void)
{
	check_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/sub/s", dir);
	config_init(&conf);
	conf.socket_path = strdup(path);
}

static void
end(void)
{
	char cmd[100];

	config_fini(&conf);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static bool
has_lock(void)
{
	char lock[80];

	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	return access(lock, F_OK) == 0;
}

START_TEST(second_server_is_refused)
{
	struct rpc_socket one, two;
	struct stat st;

	begin();
	ck_assert_int_eq(rpc_socket_open(&conf, &one, text, sizeof(text)), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	ck_assert_int_eq(rpc_socket_open(&conf, &two, text, sizeof(text)), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(text, "another scsad"));
	ck_assert(has_lock());
	rpc_socket_close(&one);
	ck_assert_int_lt(stat(path, &st), 0);
	ck_assert_int_eq(rpc_socket_open(&conf, &two, text, sizeof(text)), 0);
	rpc_socket_close(&two);
	end();
}
END_TEST

START_TEST(leftover_is_replaced)
{
	struct rpc_socket s;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char sub[64];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	begin();
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	ck_assert_int_eq(mkdir(sub, 0755), 0);
	memcpy(addr.sun_path, path, sizeof(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	(void)close(fd);
	ck_assert_int_eq(rpc_socket_open(&conf, &s, text, sizeof(text)), 0);
	rpc_socket_close(&s);
	end();
}
END_TEST

START_TEST(live_stranger_is_respected)
{
	struct rpc_socket s;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char sub[64];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	begin();
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	ck_assert_int_eq(mkdir(sub, 0755), 0);
	memcpy(addr.sun_path, path, sizeof(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(rpc_socket_open(&conf, &s, text, sizeof(text)), -EADDRINUSE);
	ck_assert(!has_lock());
	(void)close(fd);
	end();
}
END_TEST

START_TEST(no_socket_is_not_touched)
{
	struct rpc_socket s;
	struct stat st;

	begin();
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	free(conf.socket_path);
	conf.socket_path = strdup(path);
	(void)close(open(path, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(rpc_socket_open(&conf, &s, text, sizeof(text)), -EEXIST);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(!has_lock());
	end();
}
END_TEST

START_TEST(impossible_paths)
{
	struct rpc_socket s;

	begin();
	free(conf.socket_path);
	conf.socket_path = malloc(200);
	memset(conf.socket_path, 'x', 199);
	conf.socket_path[0] = '/';
	conf.socket_path[199] = '\0';
	ck_assert_int_eq(rpc_socket_open(&conf, &s, text, sizeof(text)), -ENAMETOOLONG);
	strcpy(conf.socket_path, "/proc/no/socket/here");
	ck_assert_int_lt(rpc_socket_open(&conf, &s, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "--socket"));
	end();
}
END_TEST

START_TEST(environment_names_it)
{
	struct rpc_socket s;

	begin();
	free(conf.socket_path);
	conf.socket_path = NULL;
	ck_assert_int_eq(setenv("SCSAD_SOCKET", path, 1), 0);
	ck_assert_int_eq(rpc_socket_open(&conf, &s, text, sizeof(text)), 0);
	ck_assert_str_eq(s.path, path);
	rpc_socket_close(&s);
	end();
}
END_TEST

/* root makes the folder, another user will have to remove the socket */
START_TEST(folder_belongs_to_the_user)
{
	struct rpc_socket s;
	struct stat st;
	char sub[64];

	begin();
	conf.user = strdup("nobody");
	ck_assert_int_eq(rpc_socket_open(&conf, &s, text, sizeof(text)), 0);
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	ck_assert_int_eq(stat(sub, &st), 0);
	if (geteuid() == 0)
		ck_assert_uint_ne(st.st_uid, 0);
	rpc_socket_close(&s);
	end();
}
END_TEST

/* an ordinary user without rights in /run gets one of its own */
START_TEST(user_gets_its_runtime_directory)
{
	struct rpc_socket s;

	begin();
	free(conf.socket_path);
	conf.socket_path = NULL;
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(check_dir(), 0711), 0);
		ck_assert_int_eq(chmod(dir, 0777), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	(void)unsetenv("SCSAD_SOCKET");
	ck_assert_msg(rpc_socket_open(&conf, &s, text, sizeof(text)) == 0, "%s", text);
	ck_assert(strncmp(s.path, dir, strlen(dir)) == 0 || strcmp(s.path,
	    "/run/scsad/scsad.sock") == 0);
	rpc_socket_close(&s);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	end();
}
END_TEST

CHECK_MAIN("socket", second_server_is_refused, leftover_is_replaced, live_stranger_is_respected,
    no_socket_is_not_touched, impossible_paths, environment_names_it,
    folder_belongs_to_the_user,
    user_gets_its_runtime_directory)
