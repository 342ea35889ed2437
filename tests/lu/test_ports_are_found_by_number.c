/* the registry of target ports: numbers, order, limits, references */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "lu/port.h"

static struct lu_port
make(uint16_t rtpi)
{
	return (struct lu_port){ .rtpi = rtpi, .group = 1, .protocol = LU_PROTOCOL_ISCSI,
		.name = "iqn.t,t,0x0001", .device_name = "iqn.t" };
}

static const struct lu_port *
add(uint16_t rtpi)
{
	struct lu_port port = make(rtpi);
	const struct lu_port *added = NULL;

	ck_assert_int_eq(lu_port_add(&port, &added), 0);
	return added;
}

static void
drop(const struct lu_port *port)
{
	lu_port_remove(port);
	lu_port_unref(port);
}

START_TEST(the_local_port_is_always_there)
{
	const struct lu_port *local = lu_port_local();

	ck_assert_ptr_eq(lu_port_or_local(NULL), local);
	ck_assert_ptr_eq(lu_port_find(LU_PORT_LOCAL_RTPI), local);
	ck_assert_ptr_eq(lu_port_next(0), local);
	ck_assert_ptr_null(lu_port_next(LU_PORT_LOCAL_RTPI));
	ck_assert_ptr_eq(lu_port_ref(local), local);
	lu_port_unref(local);
	lu_port_remove(local);
	ck_assert_ptr_eq(lu_port_find(LU_PORT_LOCAL_RTPI), local);
	lu_port_unref(NULL);
}
END_TEST

START_TEST(numbers_rise_and_gaps_are_filled)
{
	const struct lu_port *two = add(2), *one = add(0), *three = add(0), *far = add(900);
	const struct lu_port *found;
	struct lu_port again = make(2);
	uint16_t want[] = { 1, 2, 3, 900, LU_PORT_LOCAL_RTPI }, at = 0;

	ck_assert_uint_eq(one->rtpi, 1);
	ck_assert_uint_eq(three->rtpi, 3);
	ck_assert_int_eq(lu_port_add(&again, &found), -EEXIST);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		found = lu_port_next(at);
		ck_assert_uint_eq(found->rtpi, want[i]);
		at = found->rtpi;
		lu_port_unref(found);
	}
	found = lu_port_find(3);
	ck_assert_ptr_eq(found, three);
	ck_assert_ptr_null(lu_port_find(4));
	lu_port_remove(three);
	lu_port_remove(three);
	ck_assert_ptr_null(lu_port_find(3));
	/* two references are left */
	ck_assert_str_eq(found->device_name, "iqn.t");
	lu_port_unref(found);
	lu_port_unref(three);
	three = add(0);
	ck_assert_uint_eq(three->rtpi, 3);
	drop(one);
	drop(two);
	drop(three);
	drop(far);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	const struct lu_port *ports[LU_PORTS_MAX], *more;
	struct lu_port bad = make(LU_PORT_LOCAL_RTPI);

	ck_assert_int_eq(lu_port_add(&bad, &more), -EINVAL);
	bad = make(1);
	bad.protocol = 16;
	ck_assert_int_eq(lu_port_add(&bad, &more), -EINVAL);
	bad = make(1);
	memset(bad.name, 'n', sizeof(bad.name));
	ck_assert_int_eq(lu_port_add(&bad, &more), -EINVAL);
	bad = make(1);
	memset(bad.device_name, 'n', sizeof(bad.device_name));
	ck_assert_int_eq(lu_port_add(&bad, &more), -EINVAL);
	bad = make(1);
	fault_arm(1);
	ck_assert_int_eq(lu_port_add(&bad, &more), -ENOMEM);
	ck_assert(fault_disarm());

	for (size_t i = 0; i < LU_PORTS_MAX; i++)
		ports[i] = add(0);
	bad = make(0);
	ck_assert_int_eq(lu_port_add(&bad, &more), -ENOSPC);
	drop(ports[7]);
	ports[7] = add(0);
	ck_assert_uint_eq(ports[7]->rtpi, 8);
	for (size_t i = 0; i < LU_PORTS_MAX; i++)
		drop(ports[i]);
}
END_TEST

CHECK_MAIN("ports", the_local_port_is_always_there, numbers_rise_and_gaps_are_filled,
    what_cannot_be_is_refused)
