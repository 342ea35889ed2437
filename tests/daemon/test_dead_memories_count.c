/* shared memory that a device does not let go of counts as its client's, whatever that does */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "check_main.h"
#include "client/scsac.h"
#include "hw/pci/attach.h"
#include "mock_client.h"

#define MIB	(1u << 20)

/* ------ in place of hw/pci/attach.c: a device that keeps what it has ------ */

static atomic_bool is_stuck;
static atomic_uint n_asked;

int
pci_attach_open(const struct pci_attach_conf *conf, struct pci_attach **ret_attach, char *reterr)
{
	(void)conf;
	(void)ret_attach;
	(void)reterr;
	return -ENOTSUP;
}

int
pci_attach_close(struct pci_attach *attach)
{
	(void)attach;
	return 0;
}

dev_info_t *
pci_attach_node(struct pci_attach *attach)
{
	(void)attach;
	return NULL;
}

struct nexus *
pci_attach_nexus(struct pci_attach *attach)
{
	(void)attach;
	return NULL;
}

void
pci_attach_describe(struct pci_attach *attach, char *buf, size_t size)
{
	(void)attach;
	(void)buf;
	(void)size;
}

int
pci_memory_add(void *va, size_t bytes)
{
	(void)va;
	(void)bytes;
	return 0;
}

int
pci_memory_remove(void *va)
{
	(void)va;
	atomic_fetch_add(&n_asked, 1);
	return atomic_load(&is_stuck) ? -EBUSY : 0;
}

/* ------ the client ------ */

START_TEST(dead_memories_count)
{
	struct fixture f;
	struct scsac *c;
	void *memory, *other;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M");
	f.conf.client_bytes = 4 * MIB;
	fixture_start(&f);
	c = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_memory_new(c, 3 * MIB, &memory), 0);
	atomic_store(&is_stuck, true);
	ck_assert_int_eq(scsac_memory_free(c, memory), 0);
	/* a worker is at it; who asks for more waits until it is done */
	while (atomic_load(&n_asked) == 0)
		(void)sched_yield();
	/* neither the connection gets as much again, nor the next one of this user */
	ck_assert_int_eq(scsac_memory_new(c, 2 * MIB, &memory), -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(scsac_last_error(c)->text, "do not answer"));
	ck_assert_int_eq(scsac_memory_new(c, MIB, &memory), 0);
	ck_assert_int_eq(scsac_memory_new(c, 4096, &other), -EMSGSIZE);
	scsac_free(c);
	c = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_memory_new(c, 2 * MIB, &memory), -EMSGSIZE);
	ck_assert_int_eq(scsac_last_error(c)->sys_errno, EDQUOT);
	/* the device lets go */
	atomic_store(&is_stuck, false);
	ck_assert_int_eq(scsac_memory_new(c, 4 * MIB, &memory), 0);
	scsac_free(c);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("dead memories", dead_memories_count)
