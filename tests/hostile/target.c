#include "hostile/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE		"/var/tmp"	/* a file system on a disk, more often than /tmp */
#define DIRECT		",direct"
#define START_TRIES	1200	/* of 50 ms */
#define LOG_MAX		(4u << 20)
#define TAIL		4000
#define STOP_TRIES	1200	/* of 50 ms */

static void
log_path(const struct target_run *run, char path[96])
{
	(void)snprintf(path, 96, "%s/log", run->dir);
}

/* tmpfs of older kernels, and what lies over it, have none */
static bool
has_direct_access(const struct target_run *run)
{
	char path[96];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/probe", run->dir);
	fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	(void)unlink(path);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* "DIR/" at the front of @disk is the folder of this run */
static void
disk_name(struct target_run *run, const char *disk)
{
	bool is_here = strncmp(disk, "DIR/", 4) == 0;
	const char *direct = strstr(disk, DIRECT);
	size_t n = direct != NULL && is_here && !has_direct_access(run) ?
	    (size_t)(direct - disk) : strlen(disk);

	(void)snprintf(run->disk, sizeof(run->disk), "%s%.*s", is_here ? run->dir : "",
	    (int)(is_here ? n - 3 : n), is_here ? disk + 3 : disk);
}

/* all accesses are granted: what a list of rights refuses is not looked at any closer */
static bool
config_write(const struct target_run *run)
{
	char path[96];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/config", run->dir);
	f = fopen(path, "we");
	if (f == NULL)
		return false;
	(void)fprintf(f, "hbas:\n  - { driver: soft, disks: [ \"%s\" ] }\n"
	    "portals:\n  - { address: \"127.0.0.1:0\", group: 1 }\n"
	    "targets:\n  - { name: \"iqn.2026-11.internal.hostile:target\", groups: [ \"1\" ] }\n"
	    "exports:\n  - { target: \"iqn.2026-11.internal.hostile:target\", lun: 0,\n"
	    "      unit: \"soft0/iport0/disk@0,0\", access: [ all ] }\n", run->disk);
	return fclose(f) == 0;
}

static void
serve(const struct target_run *run, const char *program)
{
	char path[96], socket[96], config[96];
	int fd;

	/* whoever is killed leaves nobody behind */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	log_path(run, path);
	(void)snprintf(socket, sizeof(socket), "%s/socket", run->dir);
	(void)snprintf(config, sizeof(config), "%s/config", run->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	(void)execl(program, program, "--socket", socket, "--config", config, (char *)NULL);
	_exit(127);
}

/* the whole log, NUL at its end; NULL: there is none */
static char *
log_read(const struct target_run *run)
{
	char path[96], *text = malloc(LOG_MAX + 1);
	size_t n = 0;
	FILE *f;

	log_path(run, path);
	f = fopen(path, "re");
	if (f != NULL && text != NULL)
		n = fread(text, 1, LOG_MAX, f);
	if (f != NULL)
		(void)fclose(f);
	if (text != NULL)
		text[n] = '\0';
	return text;
}

/* "target NAME at 127.0.0.1:PORT", and a line that says it is ready */
static bool
log_tells(struct target_run *run)
{
	char *text = log_read(run);
	const char *line = text == NULL ? NULL : strstr(text, "target iqn.");
	bool is_there = line != NULL && strstr(line, "ready, socket") != NULL &&
	    sscanf(line, "target %231s at %63[0-9.]:%hu", run->where.name, run->where.host,
	    &run->where.port) == 3;

	free(text);
	return is_there;
}

static void
dir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(dir);
}

bool
target_start(struct target_run *run, const char *program, const char *disk)
{
	memset(run, 0, sizeof(*run));
	(void)snprintf(run->dir, sizeof(run->dir), BASE "/scsad-hostile.XXXXXX");
	if (mkdtemp(run->dir) == NULL) {
		(void)fprintf(stderr, "%s: %s\n", run->dir, strerror(errno));
		return false;
	}
	disk_name(run, disk);
	if (!config_write(run)) {
		(void)fprintf(stderr, "%s/config cannot be written\n", run->dir);
		dir_remove(run->dir);
		return false;
	}
	run->pid = fork();
	if (run->pid == 0)
		serve(run, program);
	for (int i = 0; run->pid > 0 && i < START_TRIES && target_is_alive(run); i++) {
		if (log_tells(run))
			return true;
		(void)poll(NULL, 0, 50);
	}
	(void)fprintf(stderr, "%s does not start\n", program);
	(void)target_stop(run);
	return false;
}

bool
target_at(struct target_run *run, const char *url)
{
	memset(run, 0, sizeof(*run));
	run->pid = -1;
	return sscanf(url, "iscsi://[%63[0-9a-f:.]]:%hu/%231[^/]/%hu", run->where.host,
	    &run->where.port, run->where.name, &run->where.lun) == 4 ||
	    sscanf(url, "iscsi://%63[0-9.]:%hu/%231[^/]/%hu", run->where.host, &run->where.port,
	    run->where.name, &run->where.lun) == 4;
}

/* WNOWAIT: the end itself is for target_stop() */
bool
target_is_alive(const struct target_run *run)
{
	siginfo_t info = { 0 };

	if (run->pid < 0)
		return true;
	return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == 0;
}

static bool
log_is_clean(const struct target_run *run)
{
	char *text = log_read(run);
	bool is_clean = text != NULL && strstr(text, "Sanitizer") == NULL &&
	    strstr(text, "runtime error") == NULL && strstr(text, "error:") == NULL;

	if (!is_clean && text != NULL)
		(void)fprintf(stderr, "the target said:\n%s\n",
		    strlen(text) > TAIL ? text + strlen(text) - TAIL : text);
	free(text);
	return is_clean;
}

bool
target_stop(struct target_run *run)
{
	int status = -1;
	bool is_well;

	if (run->pid < 0)
		return true;
	(void)kill(run->pid, SIGTERM);
	for (int i = 0; i < STOP_TRIES && target_is_alive(run); i++)
		(void)poll(NULL, 0, 50);
	if (target_is_alive(run)) {
		(void)fprintf(stderr, "the target does not end\n");
		(void)kill(run->pid, SIGABRT);
	}
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	run->pid = -1;
	is_well = log_is_clean(run);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		(void)fprintf(stderr, "the target ended with status %#x\n", (unsigned int)status);
		is_well = false;
	}
	dir_remove(run->dir);
	return is_well;
}
