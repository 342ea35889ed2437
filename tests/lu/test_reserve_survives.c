/* APTPL: what was acknowledged is in force after the unit comes back, whatever happened to files */
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/reserve_impl.h"
#include "mock_reserve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"

#define APTPL	1
#define NAME	"pr-serial%2EMOCK%2EPORT%20DISK%2ET0L0"

static struct rclient a, b, x;
static struct lu *unit;

static void
begin(void)
{
	port_begin();
	unit = port_unit("disk@0,0");
	rc_open(&a, unit, 'a', 1);
	rc_open(&b, unit, 'b', 1);
	rc_open(&x, unit, 'x', 1);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	rc_leave(&x);
	lu_unref(unit);
	port_end();
}

/* as a loss of power does */
static void
again(void)
{
	end();
	begin();
}

static int
files(void)
{
	DIR *d = opendir(port.state_dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void
file_path(char path[128])
{
	(void)snprintf(path, 128, "%s/%s", port.state_dir, NAME);
}

static void
survives_scenario(void *arg UNUSED)
{
	static const uint8_t caps[8] = { 0, 8, 0x1d, 0x81, 0xea, 0x01, 0, 0 };

	begin();
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, APTPL), RC_GOOD);
	ck_assert_int_eq(files(), 1);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, APTPL), RC_GOOD);
	ck_assert_uint_eq(rc_out(&a, PR_RESERVE, PR_EARO, 1, 0, 0), RC_GOOD);
	again();
	ck_assert_int_eq(rc_in(&x, 2, 8), 8);
	ck_assert_mem_eq(x.t.data, caps, 8);
	ck_assert_int_eq(rc_in(&x, 0, 64), 24);
	ck_assert_uint_eq(be32_get(x.t.data), 0);	/* PRGENERATION */
	ck_assert_uint_eq(be64_get(x.t.data + 8), 1);
	ck_assert_uint_eq(be64_get(x.t.data + 16), 2);
	ck_assert_int_eq(rc_in(&x, 1, 64), 24);
	ck_assert_uint_eq(x.t.data[21], PR_EARO);
	ck_assert_uint_eq(rc_op(&a, OP_READ_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&x, OP_READ_10), RC_CONFLICT);
	/* it goes on from there */
	ck_assert_uint_eq(rc_out(&b, PR_PREEMPT, PR_WE, 2, 1, 0), RC_GOOD);
	again();
	ck_assert_int_eq(rc_in(&x, 1, 64), 24);
	ck_assert_uint_eq(x.t.data[21], PR_WE);
	ck_assert_uint_eq(rc_op(&a, OP_WRITE_10), RC_CONFLICT);
	/* until APTPL is taken back */
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 2, 2, 0), RC_GOOD);
	ck_assert_int_eq(files(), 0);
	ck_assert_uint_eq(rc_op(&a, OP_WRITE_10), RC_CONFLICT);
	again();
	ck_assert_int_eq(rc_in(&x, 0, 64), 8);
	ck_assert_uint_eq(rc_op(&a, OP_WRITE_10), RC_GOOD);
	/* and without it nothing is written */
	(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
	ck_assert_int_eq(files(), 0);
	/* other units have files of their own */
	end();
}

START_TEST(survives)
{
	rc_sim_with_dir(survives_scenario);
}
END_TEST

static void
lost_scenario(void *arg UNUSED)
{
	char path[128];
	int fd;

	begin();
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, APTPL);
	file_path(path);
	fd = open(path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 40), 1);
	(void)close(fd);
	again();
	/* fenced: whoever does not register gets nothing */
	ck_assert_uint_eq(rc_op(&a, OP_READ_10), RC_CONFLICT);
	ck_assert_uint_eq(rc_op(&b, OP_WRITE_10), RC_CONFLICT);
	ck_assert_int_eq(rc_in(&x, 1, 64), 24);
	ck_assert_uint_eq(x.t.data[21], PR_EAAR);
	/* also the next time, as nobody has done anything */
	again();
	ck_assert_uint_eq(rc_op(&a, OP_READ_10), RC_CONFLICT);
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 5, APTPL), RC_GOOD);
	ck_assert_uint_eq(rc_op(&a, OP_READ_10), RC_GOOD);
	again();
	ck_assert_uint_eq(rc_op(&a, OP_READ_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), RC_CONFLICT);
	ck_assert_uint_eq(rc_out(&a, PR_CLEAR, 0, 5, 0, 0), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), RC_GOOD);
	again();
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), RC_GOOD);
	end();
}

START_TEST(a_spoilt_file_fences)
{
	rc_sim_with_dir(lost_scenario);
}
END_TEST

/* the folder is gone: the command says so, and nothing has changed */
static void
unwritable_scenario(void *arg UNUSED)
{
	char away[128], path[128];

	begin();
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, APTPL);
	(void)snprintf(away, sizeof(away), "%s.away", port.state_dir);
	ck_assert_int_eq(rename(port.state_dir, away), 0);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, APTPL), RC_CHECK);
	ck_assert_uint_eq(b.sense.key, SENSE_HARDWARE_ERROR);
	ck_assert_uint_eq(b.sense.asc, ASC_INTERNAL_FAILURE);
	ck_assert_uint_eq(rc_out(&a, PR_CLEAR, 0, 1, 0, 0), RC_CHECK);
	rc_told(&b, 0);
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	ck_assert_int_eq(rename(away, port.state_dir), 0);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, APTPL), RC_GOOD);
	again();
	ck_assert_int_eq(rc_in(&x, 0, 64), 24);
	/* taken back, but the file cannot go */
	ck_assert_int_eq(rename(port.state_dir, away), 0);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 2, 2, 0), RC_CHECK);
	ck_assert_int_eq(rename(away, port.state_dir), 0);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 2, 2, 0), RC_GOOD);
	file_path(path);
	ck_assert_int_eq(access(path, F_OK), -1);
	end();
}

START_TEST(what_cannot_be_saved_does_not_happen)
{
	rc_sim_with_dir(unwritable_scenario);
}
END_TEST

/* every step of the saving fails once */
static void
steps_scenario(void *arg UNUSED)
{
	int n_hard = 0;
	uint64_t key = 1;

	begin();
	(void)rc_out(&a, PR_REGISTER, 0, 0, key, APTPL);
	for (int i = 1;; i++) {
		uint8_t status;

		fault_arm(i);
		status = rc_out(&a, PR_REGISTER, 0, key, key + 1, APTPL);
		if (!fault_disarm()) {
			ck_assert_uint_eq(status, RC_GOOD);
			break;
		}
		ck_assert_uint_eq(status, RC_CHECK);
		n_hard += a.sense.key == SENSE_HARDWARE_ERROR;
		/* also when the new one has reached the disk */
		if (a.sense.key == SENSE_HARDWARE_ERROR)
			again();
		/* the old key is the key */
		ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, key + 1, 9, APTPL), RC_CONFLICT);
		ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, key, key, APTPL), RC_GOOD);
	}
	ck_assert_int_eq(n_hard, 6);	/* of keep_write() */
	/* the same in the first save of all: what was refused is not there */
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, key + 1, 0, 0), RC_GOOD);
	ck_assert_int_eq(files(), 0);
	for (int i = 1; files() == 0; i++) {
		uint8_t status;

		fault_arm(i);
		status = rc_out(&a, PR_REGISTER, 0, 0, 7, APTPL);
		ck_assert_uint_eq(status, fault_disarm() ? RC_CHECK : RC_GOOD);
	}
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 7, 7, 0), RC_GOOD);
	ck_assert_int_eq(files(), 0);
	end();
}

START_TEST(every_step_of_saving_may_fail)
{
	rc_sim_with_dir(steps_scenario);
}
END_TEST

/* many at once: each is saved before it is answered, in the order of the answers */
static void
together_scenario(void *arg UNUSED)
{
	static struct rclient many[20];
	uint64_t last = 0;
	int order = 0;

	begin();
	for (int i = 0; i < 20; i++)
		rc_open(&many[i], unit, 'a', 1);	/* one I_T nexus */
	for (int i = 0; i < 20; i++)
		rc_out_send(&many[i], PR_REGISTER_AND_IGNORE, 0, 0, 100 + (uint64_t)i, APTPL);
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(rc_wait(&many[i]), RC_GOOD);
		if (many[i].t.order > order) {
			order = many[i].t.order;
			last = 100 + (uint64_t)i;
		}
	}
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	ck_assert_uint_eq(be32_get(x.t.data), 20);
	ck_assert_uint_eq(be64_get(x.t.data + 8), last);
	for (int i = 0; i < 20; i++)
		rc_leave(&many[i]);
	again();
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	ck_assert_uint_eq(be64_get(x.t.data + 8), last);
	end();
}

START_TEST(together)
{
	rc_sim_with_dir(together_scenario);
}
END_TEST

/* two ways to one device: the second has no file, and says so */
static bool
answer_ident(struct scsi_address *ap UNUSED, struct scsi_pkt *pkt)
{
	static const uint8_t page[] = { 0, 0x83, 0, 28,
		1, 0x14, 0, 4, 0, 0, 0, 1,		/* of the port: not it */
		2, 1, 0, 4, 'V', 'E', 'N', 'D',		/* T10 */
		1, 3, 0, 8, 0x50, 0, 0, 0, 0, 0, 0, 7,	/* NAA: it */
	};

	if (pkt->pkt_cdbp[0] != 0x12 || (pkt->pkt_cdbp[1] & 1) == 0 || pkt->pkt_cdbp[2] != 0x83)
		return false;
	port_answer(pkt, page, sizeof(page));
	return true;
}

static void
twins_scenario(void *arg UNUSED)
{
	static const char *const names[] = { "disk@0,0", "disk@0,1", "disk@1,0" };
	char path[128];
	int n_can = 0;

	port.answer = answer_ident;
	port_begin();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unit = port_unit(names[i]);
		rc_open(&a, unit, 'a', 1);
		n_can += rc_out(&a, PR_REGISTER, 0, 0, 1, APTPL) == RC_GOOD;
		rc_leave(&a);
		lu_unref(unit);
	}
	ck_assert_int_eq(n_can, 1);
	(void)snprintf(path, sizeof(path), "%s/pr-naa%%2E5000000000000007", port.state_dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	port_end();
}

START_TEST(two_ways_to_one_device)
{
	rc_sim_with_dir(twins_scenario);
}
END_TEST

/* a unit whose saved state cannot be looked for does not come: it would come unfenced */
static bool
answer_nothing(struct scsi_address *ap UNUSED, struct scsi_pkt *pkt)
{
	if (pkt->pkt_cdbp[0] != 0x12 || (pkt->pkt_cdbp[1] & 1) == 0)
		return false;
	pkt->pkt_reason = CMD_TRAN_ERR;
	return true;
}

/* @n more files may be opened; the limit before */
static struct rlimit
few_files(unsigned int n)
{
	int next = dup(STDERR_FILENO);
	struct rlimit limit, old;

	ck_assert_int_ge(next, 0);
	(void)close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = (rlim_t)next + n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return old;
}

static void
attach_scenario(void *arg UNUSED)
{
	int n_failed = 0;

	begin();
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, APTPL);
	(void)rc_out(&a, PR_RESERVE, PR_EA, 1, 0, 0);
	end();
	port_begin();
	unit = port_unit("disk@0,0");
	for (int i = 1;; i++) {
		int r;

		lu_reserve_fini(unit);
		lu_reserve_fini(unit);
		fault_arm(i);
		r = lu_reserve_init(unit);
		if (r == 0) {
			ck_assert_uint_eq(unit->reservations->pr->type, PR_EA);
			if (!fault_disarm())
				break;
			continue;	/* of somebody who tries again */
		}
		(void)fault_disarm();
		ck_assert(r == -ENOMEM || r == -EIO);
		ck_assert_ptr_null(unit->reservations);
		n_failed++;
	}
	ck_assert_int_ge(n_failed, 5);
	lu_reserve_fini(unit);
	port.answer = answer_nothing;
	ck_assert_int_eq(lu_reserve_init(unit), -EIO);
	port.answer = NULL;
	/* neither the folder, nor the file in it, can be opened: too many are */
	for (unsigned int files_left = 0; files_left < 2; files_left++) {
		struct rlimit old = few_files(files_left);

		ck_assert_int_eq(lu_reserve_init(unit), -EIO);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	}
	ck_assert_int_eq(lu_reserve_init(unit), 0);
	rc_open(&x, unit, 'x', 1);
	ck_assert_uint_eq(rc_op(&x, OP_READ_10), RC_CONFLICT);
	rc_leave(&x);
	lu_unref(unit);
	port_end();
}

START_TEST(what_cannot_be_known_stays_away)
{
	rc_sim_with_dir(attach_scenario);
}
END_TEST

/* no folder: as if none had been named; no memory: the unit does not come */
static void
no_folder_scenario(void *arg UNUSED)
{
	port.state_dir = "/nonexistent/folder";
	begin();
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, APTPL), RC_CHECK);
	ck_assert_uint_eq(a.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, 0), RC_GOOD);
	end();
}

START_TEST(no_folder)
{
	port_sim(no_folder_scenario);
}
END_TEST

CHECK_MAIN("survives", survives, a_spoilt_file_fences, what_cannot_be_saved_does_not_happen,
    every_step_of_saving_may_fail, together, two_ways_to_one_device,
    what_cannot_be_known_stays_away, no_folder)
