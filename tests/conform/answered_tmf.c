/*
 * answered_tmf - let task management requests of libiscsi wait for their answer
 *
 * iscsi-test-cu 1.19 asks in iSCSITMF.LUNResetSimpleAsync whether the answer has come before it
 * has looked at the socket, so the test fails at every target. Loaded with LD_PRELOAD, this
 * library returns from iscsi_task_mgmt_async() when the answer has been given to the test, or
 * after a minute without one: then the test fails, as it should.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define PATIENCE	60	/* waits of a second in which nothing comes */

struct iscsi_context;
typedef void (*iscsi_command_cb)(struct iscsi_context *iscsi, int status, void *data, void *arg);
typedef int tmf_fn(struct iscsi_context *iscsi, int lun, int function, uint32_t ritt,
    uint32_t rcmdsn, iscsi_command_cb cb, void *arg);

int iscsi_get_fd(struct iscsi_context *iscsi);
int iscsi_which_events(struct iscsi_context *iscsi);
int iscsi_service(struct iscsi_context *iscsi, int revents);
tmf_fn iscsi_task_mgmt_async;

struct answer {
	iscsi_command_cb cb;
	void *arg;
	bool is_there;
};

static void
answered(struct iscsi_context *iscsi, int status, void *data, void *arg)
{
	struct answer *answer = arg;

	answer->is_there = true;
	answer->cb(iscsi, status, data, answer->arg);
}

int
iscsi_task_mgmt_async(struct iscsi_context *iscsi, int lun, int function, uint32_t ritt,
    uint32_t rcmdsn, iscsi_command_cb cb, void *arg)
{
	/* the library may still call back after the wait is over */
	static struct answer answer;
	tmf_fn *real = (tmf_fn *)(uintptr_t)dlsym(RTLD_NEXT, "iscsi_task_mgmt_async");
	int r, n_empty = 0;

	answer = (struct answer){ cb, arg, false };
	r = real(iscsi, lun, function, ritt, rcmdsn, answered, &answer);
	while (r == 0 && !answer.is_there && n_empty < PATIENCE) {
		struct pollfd p = { iscsi_get_fd(iscsi), (short)iscsi_which_events(iscsi), 0 };

		if (poll(&p, 1, 1000) <= 0)
			n_empty++;
		else if (iscsi_service(iscsi, p.revents) < 0)
			break;
	}
	return r;
}
