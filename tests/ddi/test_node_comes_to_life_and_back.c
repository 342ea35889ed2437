#include <string.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>
#include <sys/sunndi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "ddi/sched.h"
#include "ddi/sim.h"
#include "mock_driver.h"
#include "mock_recorder.h"

static char events[256];
static int veto;

static int
on_event(enum devi_event event, dev_info_t *dip, void *arg)
{
	static const char *const names[] = { "up", "going", "down" };
	size_t at = strlen(events);

	ck_assert_ptr_eq(arg, events);
	(void)snprintf(events + at, sizeof(events) - at, "%s:%s ", names[event],
	    ddi_node_name(dip));
	return event == DEVI_EV_DETACHING ? veto : 0;
}

static dev_info_t *
node(dev_info_t *parent, const char *name)
{
	dev_info_t *dip;

	ck_assert_int_eq(devi_alloc(parent, name, &dip), 0);
	return dip;
}

static void
life(void *arg)
{
	dev_info_t *hba, *unit, *found;
	char path[MAXPATHLEN], name[MAXNAMELEN];

	(void)arg;
	memset(events, 0, sizeof(events));
	veto = 0;
	devi_set_notify(on_event, events);
	ck_assert_int_eq(mock_driver_install("hba"), 0);
	ck_assert_int_eq(driver_alias_add("hba", "unit"), 0);
	hba = node(devi_root(), "hba");
	unit = node(hba, "unit");
	ck_assert_int_eq(devi_state(unit), DEVI_LINKED);
	ck_assert_int_eq(ddi_get_instance(unit), -1);
	ck_assert_int_eq(devi_attach(unit), -EAGAIN);	/* the parent is not attached */
	ck_assert_int_eq(devi_state(unit), DEVI_BOUND);
	ck_assert_int_eq(devi_attach(hba), 0);
	ck_assert_int_eq(devi_attach(hba), 0);
	ck_assert_ptr_eq(ddi_get_driver_private(hba), &mock);
	ck_assert_int_eq(devi_attach(unit), 0);
	ck_assert_str_eq(mock.calls, "probe:hba attach:hba init:unit probe:unit attach:unit ");
	ck_assert(i_ddi_devi_attached(unit));
	ck_assert_str_eq(ddi_pathname(unit, path), "/hba@1/unit@7");
	ck_assert_str_eq(ddi_deviname(unit, name), "/unit@7");
	ck_assert_str_eq(ddi_driver_name(unit), "hba");
	ck_assert_str_eq(ddi_binding_name(unit), "unit");
	ck_assert_str_eq(ddi_get_name(unit), "unit");
	ck_assert_uint_eq(ddi_driver_major(unit), ddi_driver_major(hba));
	ck_assert_uint_eq(devi_depth(unit), 2);
	ddi_report_dev(unit);
	found = devi_find_path("/hba@1/unit@7");
	ck_assert_ptr_eq(found, unit);
	devi_unref(found);
	ck_assert_ptr_null(devi_find_path("/hba@1/unit@8"));

	ck_assert_int_eq(devi_detach(hba, 0), -EBUSY);	/* has a child */
	ck_assert_int_eq(devi_free(unit), -EBUSY);
	ck_assert(devi_hold(unit));
	ck_assert_int_eq(devi_detach(unit, 0), -EBUSY);
	devi_release(unit);
	veto = 1;
	ck_assert_int_eq(devi_detach(unit, 0), -EBUSY);
	veto = 0;
	mock.detach_answer = DDI_FAILURE;
	ck_assert_int_eq(devi_detach(unit, 0), -EBUSY);
	ck_assert(devi_is_attached(unit));
	mock.detach_answer = DDI_SUCCESS;
	ck_assert_int_eq(devi_detach(unit, 0), 0);
	ck_assert_int_eq(devi_detach(unit, 0), 0);
	ck_assert_int_eq(devi_state(unit), DEVI_BOUND);
	ck_assert_int_eq(ddi_get_instance(unit), 0);	/* stays */
	ck_assert_ptr_null(ddi_get_driver_private(unit));
	ck_assert_int_eq(devi_attach(unit), 0);
	ck_assert_int_eq(devi_detach(hba, DEVI_DETACH_CHILDREN | DEVI_DETACH_FREE), 0);
	ck_assert_str_eq(events, "up:hba up:unit going:unit going:unit going:unit down:unit "
	    "up:unit going:unit down:unit going:hba down:hba ");
	devi_set_notify(NULL, NULL);
	driver_alias_remove("unit");
	ck_assert_int_eq(driver_unload("hba"), 0);
}

START_TEST(whole_life)
{
	life(NULL);
	for (uint64_t seed = 0; seed < 5; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 100 }, life, NULL);
}
END_TEST

START_TEST(failures_are_undone)
{
	dev_info_t *hba, *unit;

	ck_assert_int_eq(mock_driver_install("hba"), 0);
	hba = node(devi_root(), "hba");
	unit = node(hba, "unit");
	ck_assert_int_eq(devi_attach(hba), 0);
	ck_assert_int_eq(devi_attach(unit), -ENOENT);
	ck_assert_int_eq(devi_bind(unit), -ENOENT);
	ck_assert_int_eq(devi_state(unit), DEVI_LINKED);
	ck_assert_int_eq(devi_set_compatible(unit, (char *[]){ "x,y", "hba" }, 2), 0);
	ck_assert_int_eq(devi_bind(unit), 0);
	ck_assert_str_eq(ddi_binding_name(unit), "hba");
	ck_assert_int_eq(ddi_get_instance(unit), 1);

	mock.calls[0] = '\0';
	mock.initchild_answer = DDI_FAILURE;
	ck_assert_int_eq(devi_attach(unit), -ENODEV);
	mock.initchild_answer = DDI_NOT_WELL_FORMED;
	ck_assert_int_eq(devi_attach(unit), -EINVAL);
	mock.initchild_answer = DDI_SUCCESS;
	mock.probe_answer = DDI_PROBE_FAILURE;
	ck_assert_int_eq(devi_attach(unit), -ENXIO);
	mock.probe_answer = DDI_PROBE_PARTIAL;
	ck_assert_int_eq(devi_attach(unit), -EAGAIN);
	mock.probe_answer = DDI_PROBE_DONTCARE;
	mock.attach_answer = DDI_FAILURE;
	ck_assert_int_eq(devi_attach(unit), -EIO);
	ck_assert_str_eq(mock.calls, "init:unit init:unit init:unit probe:unit uninit:unit "
	    "init:unit probe:unit uninit:unit init:unit probe:unit attach:unit uninit:unit ");
	ck_assert_int_eq(devi_state(unit), DEVI_BOUND);
	ck_assert_ptr_null(ddi_get_name_addr(unit));
	ck_assert_ptr_null(ddi_get_driver_private(unit));

	ck_assert_int_eq(devi_init(unit), 0);		/* what another call did stays */
	ck_assert_int_eq(devi_state(unit), DEVI_INITIALIZED);
	ck_assert_int_eq(devi_attach(unit), -EIO);
	ck_assert_int_eq(devi_state(unit), DEVI_INITIALIZED);
	ck_assert_int_eq(devi_detach(hba, 0), -EBUSY);
	ck_assert_int_eq(devi_free(unit), 0);
	ck_assert_int_eq(driver_attached(driver_find("hba")), 1);
	ck_assert_int_eq(driver_unload("hba"), -EBUSY);
	ck_assert_int_eq(devi_detach(hba, DEVI_DETACH_FREE), 0);
	ck_assert_int_eq(driver_unload("hba"), 0);
	ck_assert_int_eq(driver_unload("hba"), -ENOENT);
}
END_TEST

START_TEST(numbers_are_lowest_free)
{
	dev_info_t *n[20];

	ck_assert_int_eq(mock_driver_install("hba"), 0);
	for (int i = 0; i < 20; i++) {
		n[i] = node(devi_root(), "hba");
		ck_assert_int_eq(devi_bind(n[i]), 0);
		ck_assert_int_eq(ddi_get_instance(n[i]), i);
	}
	ck_assert_int_eq(devi_free(n[3]), 0);
	ck_assert_int_eq(devi_free(n[1]), 0);
	n[1] = node(devi_root(), "hba");
	ck_assert_int_eq(devi_attach(n[1]), 0);
	ck_assert_int_eq(ddi_get_instance(n[1]), 1);
	ck_assert_str_eq(ddi_get_name_addr(n[1]), "1");
	ck_assert_int_eq(devi_detach(n[1], 0), 0);
	ck_assert_ptr_null(ddi_get_name_addr(n[1]));
	ck_assert_int_eq(driver_unload("hba"), 0);	/* unbinds them */
	ck_assert_int_eq(devi_state(n[0]), DEVI_LINKED);
	ck_assert_int_eq(ddi_get_instance(n[0]), -1);
	ck_assert_int_eq(ddi_driver_major(n[0]), DDI_MAJOR_T_NONE);
	ck_assert_ptr_null(ddi_get_driver(n[0]));
	ck_assert_str_eq(ddi_driver_name(n[0]), "hba");
	for (int i = 0; i < 20; i++)
		if (i != 3)
			ck_assert_int_eq(devi_free(n[i]), 0);
}
END_TEST

static int
attach_inside(dev_info_t *dip)
{
	ck_assert_int_eq(devi_attach(dip), -EDEADLK);
	ck_assert_int_eq(devi_detach(dip, 0), -EDEADLK);
	ck_assert_int_eq(devi_free(dip), -EBUSY);
	return DDI_SUCCESS;
}

static void
attach_main(void *arg)
{
	ck_assert_int_eq(devi_attach(arg), 0);
}

static void
two_attach(void *arg)
{
	struct sched_thread *t[2];
	dev_info_t *hba;

	(void)arg;
	ck_assert_int_eq(mock_driver_install("hba"), 0);
	hba = node(devi_root(), "hba");
	mock.attach_ticks = 50;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(sched_thread_start("attach", attach_main, hba, &t[i]), 0);
	for (int i = 0; i < 2; i++)
		sched_thread_join(t[i]);
	ck_assert_str_eq(mock.calls, "probe:hba attach:hba ");
	ck_assert_int_eq(devi_detach(hba, 0), 0);
	mock.in_attach = attach_inside;
	ck_assert_int_eq(devi_attach(hba), 0);
	ck_assert_int_eq(devi_detach(hba, DEVI_DETACH_FREE), 0);
	ck_assert_int_eq(driver_unload("hba"), 0);
}

START_TEST(one_mover_at_a_time)
{
	for (uint64_t seed = 0; seed < 10; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 200 }, two_attach,
		    NULL);
}
END_TEST

static char walked[256];

static enum devi_walk
on_walk(dev_info_t *dip, void *arg)
{
	const char *name = ddi_node_name(dip);

	(void)arg;
	(void)strncat(walked, name, sizeof(walked) - strlen(walked) - 1);
	if (name[0] == 'p')
		return DEVI_WALK_PRUNE;
	if (name[0] == 'f')
		ck_assert_int_eq(devi_free(dip), 0);
	return name[0] == 's' ? DEVI_WALK_STOP : DEVI_WALK_CONTINUE;
}

START_TEST(walk_sees_parents_first)
{
	dev_info_t *a = node(devi_root(), "a"), *p = node(a, "p"), *c;

	(void)node(p, "q");
	(void)node(a, "f");
	c = node(a, "c");
	(void)node(c, "d");
	(void)node(devi_root(), "e");
	devi_walk(devi_root(), on_walk, NULL);
	ck_assert_str_eq(walked, "apfcde");
	walked[0] = '\0';
	(void)node(c, "s");
	(void)node(c, "z");
	devi_walk(a, on_walk, NULL);
	ck_assert_str_eq(walked, "pcds");
	ck_assert_int_eq(devi_detach(a, DEVI_DETACH_CHILDREN | DEVI_DETACH_FREE), 0);
	a = devi_find(devi_root(), "e");
	ck_assert_int_eq(devi_free(a), 0);
	ck_assert_int_eq(devi_free(a), -EBUSY);		/* has left the tree */
	devi_unref(a);
	ck_assert_ptr_null(devi_find(devi_root(), "e"));
}
END_TEST

START_TEST(names_and_places)
{
	dev_info_t *bus = node(devi_root(), "bus"), *a = node(bus, "disk"), *b;
	dev_info_t *found, *none;
	char path[12];
	int circ, slot = 0;

	b = node(bus, "disk");
	ddi_set_name_addr(a, "1,0");
	ddi_set_name_addr(b, "2,0");
	found = devi_find(bus, "disk@2,0");
	ck_assert_ptr_eq(found, b);
	devi_unref(found);
	found = devi_find(bus, "@2,0");
	ck_assert_ptr_eq(found, b);
	devi_unref(found);
	ck_assert_ptr_null(devi_find(bus, "tape@2,0"));
	ck_assert_ptr_eq(ndi_devi_find(bus, "disk", "1,0"), a);
	ck_assert_ptr_null(ndi_devi_find(bus, "disk", "3,0"));
	ck_assert_str_eq(devi_path(a, path, sizeof(path)), "us/disk@1,0");
	ck_assert_str_eq(devi_path(devi_root(), path, sizeof(path)), "/");
	ck_assert_str_eq(ddi_node_name(a), "disk");
	ck_assert_ptr_eq(ddi_get_parent(a), bus);
	ndi_devi_enter(bus, &circ);
	ndi_devi_enter(bus, &circ);
	ck_assert_ptr_eq(ddi_get_child(bus), a);
	ck_assert_ptr_eq(ddi_get_next_sibling(a), b);
	ck_assert_ptr_null(ddi_get_next_sibling(b));
	ndi_devi_exit(bus, circ);
	ck_assert(DEVI_BUSY_OWNED(bus));
	ndi_devi_exit(bus, circ);
	ck_assert(!DEVI_BUSY_OWNED(bus));
	ddi_set_parent_data(a, &slot);
	ck_assert_ptr_eq(ddi_get_parent_data(a), &slot);
	devi_set_nexus(a, &slot);
	ck_assert_ptr_eq(devi_nexus(a), &slot);
	ck_assert_int_eq(ddi_create_minor_node(a, "a,raw", 0, 1, DDI_PSEUDO, 0), DDI_SUCCESS);
	ck_assert_int_eq(ddi_create_minor_node(a, "b,raw", 0, 2, DDI_PSEUDO, 0), DDI_SUCCESS);
	ddi_remove_minor_node(a, "a,raw");
	ck_assert_int_eq(devi_alloc(bus, "", &none), -EINVAL);
	ck_assert_int_eq(devi_alloc(bus, "a-name-of-more-than-31-characters", &none), -EINVAL);
	ck_assert_str_eq(devi_state_name(DEVI_INITIALIZED), "initialized");
	ck_assert_int_eq(devi_free(a), 0);
	ck_assert_int_eq(ndi_devi_free(b), NDI_SUCCESS);
	ck_assert_int_eq(devi_free(bus), 0);
	ck_assert_ptr_eq(ddi_root_node(), devi_root());
	recorder_start();
	devi_exit(devi_root());
	ck_assert(recorder_broke("devi-not-entered"));
	devi_release(devi_root());
	ck_assert(recorder_broke("devi-not-held"));
}
END_TEST

START_TEST(nexus_names_do_the_same)
{
	dev_info_t *hba, *unit, *child = NULL;

	ck_assert_int_eq(mock_driver_install("hba"), 0);
	ck_assert_int_eq(ndi_devi_alloc(devi_root(), "hba", DEVI_SID_NODEID, &hba),
	    NDI_SUCCESS);
	ck_assert_int_eq(ndi_devi_alloc(devi_root(), "", DEVI_SID_NODEID, &unit), NDI_FAILURE);
	ck_assert_int_eq(devi_config(hba, BUS_CONFIG_ALL, NULL, NULL), -EAGAIN);
	ck_assert_int_eq(devi_unconfig(hba, BUS_UNCONFIG_ALL, NULL), -EAGAIN);
	ck_assert_int_eq(devi_config(devi_root(), BUS_CONFIG_ALL, NULL, NULL), -ENOTSUP);
	ck_assert_int_eq(devi_unconfig(devi_root(), BUS_UNCONFIG_ALL, NULL), -ENOTSUP);
	ck_assert_int_eq(ndi_devi_online(hba, NDI_ONLINE_ATTACH), NDI_SUCCESS);
	ndi_devi_alloc_sleep(hba, "unit", DEVI_SID_NODEID, &unit);
	ck_assert_int_eq(ndi_devi_online(unit, 0), NDI_UNBOUND);
	ck_assert_int_eq(devi_config(hba, BUS_CONFIG_ONE, "unit", &child), 0);
	ck_assert_ptr_eq(child, unit);
	devi_unref(child);
	ck_assert_int_eq(devi_config(hba, BUS_CONFIG_ALL, "unit", &child), -EIO);
	ck_assert_int_eq(devi_unconfig(hba, BUS_UNCONFIG_ALL, NULL), 0);
	ck_assert_int_eq(devi_unconfig(hba, BUS_UNCONFIG_ONE, NULL), -EIO);
	ndi_hold_devi(hba);
	ck_assert_int_eq(ndi_devi_offline(hba, NDI_UNCONFIG), NDI_BUSY);
	ndi_rele_devi(hba);
	ck_assert_int_eq(ndi_devi_offline(hba, NDI_UNCONFIG | NDI_DEVI_REMOVE), NDI_SUCCESS);
	ck_assert_int_eq(driver_unload("hba"), 0);
}
END_TEST

/* each_fault() - fail the n-th allocation of a life, for every n: nothing may be left behind */
START_TEST(every_shortage_is_survived)
{
	dev_info_t *hba = NULL;
	bool was_hit = true;
	int64_t n;

	ck_assert_int_eq(mock_driver_install("hba"), 0);
	for (n = 1; was_hit; n++) {
		fault_arm(n);
		if (devi_alloc(devi_root(), "hba", &hba) == 0) {
			(void)devi_set_compatible(hba, (char *[]){ "hba" }, 1);
			if (devi_attach(hba) == 0)
				ck_assert_int_eq(devi_detach(hba, 0), 0);
			ck_assert_int_eq(devi_free(hba), 0);
		}
		was_hit = fault_disarm();
		ck_assert_ptr_null(devi_find(devi_root(), "hba"));
	}
	ck_assert_int_gt(n, 3);
	ck_assert_int_eq(driver_unload("hba"), 0);
}
END_TEST

CHECK_MAIN("node", whole_life, failures_are_undone, numbers_are_lowest_free,
    one_mover_at_a_time, walk_sees_parents_first, names_and_places, nexus_names_do_the_same,
    every_shortage_is_survived)
