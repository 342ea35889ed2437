/* TransportIDs: made, read back, refused when they are damaged, compared by what they mean */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/port.h"

static const uint8_t isid[LU_ISID_LEN] = { 0x40, 0x00, 0x01, 0x37, 0xab, 0xcd };

START_TEST(an_iscsi_name_is_24_bytes_at_least)
{
	static const uint8_t want[24] = { 0x05, 0, 0, 20, 'i', 'q', 'n', '.', 'x' };
	struct lu_initiator who;
	char text[64];

	ck_assert_int_eq(lu_initiator_iscsi(&who, "iqn.x"), 0);
	ck_assert_uint_eq(who.id_len, sizeof(want));
	ck_assert_mem_eq(who.id, want, sizeof(want));
	ck_assert_str_eq(who.name, "iqn.x");
	ck_assert_str_eq(lu_initiator_format(&who, text, sizeof(text)), "iqn.x");
	ck_assert_uint_eq(lu_initiator_protocol(&who), LU_PROTOCOL_ISCSI);
}
END_TEST

START_TEST(an_isid_is_part_of_the_port)
{
	struct lu_initiator who;
	char text[64];

	ck_assert_int_eq(lu_initiator_isid(&who, "iqn.2026-01.lan:A", isid), 0);
	ck_assert_uint_eq(who.id[0], 0x45);
	ck_assert_str_eq((char *)who.id + 4, "iqn.2026-01.lan:a,i,0x40000137abcd");
	ck_assert_uint_eq(be16_get(who.id + 2), 36);
	ck_assert_uint_eq(who.id_len, 40);
	ck_assert_str_eq(who.name, "iqn.2026-01.lan:a");
	ck_assert_str_eq(lu_initiator_format(&who, text, sizeof(text)),
	    "iqn.2026-01.lan:a,i,0x40000137abcd");
}
END_TEST

START_TEST(names_of_every_length_come_back)
{
	char name[LU_ISCSI_NAME_MAX + 2];
	struct lu_initiator who, again;

	for (size_t len = 1; len <= LU_ISCSI_NAME_MAX; len++) {
		memset(name, 'a' + (int)(len % 26), len);
		name[len] = '\0';
		for (int with_isid = 0; with_isid < 2; with_isid++) {
			int r = with_isid ? lu_initiator_isid(&who, name, isid) :
			    lu_initiator_iscsi(&who, name);

			ck_assert_int_eq(r, 0);
			ck_assert_uint_eq(who.id_len % 4, 0);
			ck_assert_uint_le(who.id_len, LU_TRANSPORT_ID_MAX);
			ck_assert_int_eq(lu_initiator_parse(who.id, who.id_len, &again),
			    who.id_len);
			ck_assert(lu_initiator_equal(&who, &again));
			ck_assert_str_eq(again.name, name);
			/* one byte short is cut short */
			ck_assert_int_eq(lu_initiator_parse(who.id, who.id_len - 1u, &again),
			    -EBADMSG);
		}
	}
	memset(name, 'a', sizeof(name));
	name[LU_ISCSI_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(lu_initiator_iscsi(&who, name), -EINVAL);
	ck_assert_int_eq(lu_initiator_isid(&who, name, isid), -EINVAL);
	ck_assert_int_eq(lu_initiator_iscsi(&who, ""), -EINVAL);
	ck_assert_int_eq(lu_initiator_iscsi(&who, "iqn.a b"), -EINVAL);
	ck_assert_int_eq(lu_initiator_iscsi(&who, "iqn.a,i,0x1"), -EINVAL);
	ck_assert_int_eq(lu_initiator_iscsi(&who, "iqn.\x7f"), -EINVAL);
	ck_assert_int_eq(lu_initiator_iscsi(&who, "iqn.\xc3\xa4"), 0);
	ck_assert_str_eq(who.name, "iqn.??");
}
END_TEST

START_TEST(other_spellings_are_the_same_port)
{
	/* upper case, fewer digits, more padding */
	static const uint8_t wire[48] = "\x45\0\0\x2cIQN.X,i,0x137ABCD";
	struct lu_initiator who, want;
	const uint8_t short_isid[LU_ISID_LEN] = { 0, 0, 0x01, 0x37, 0xab, 0xcd };

	ck_assert_int_eq(lu_initiator_parse(wire, sizeof(wire), &who), 48);
	ck_assert_int_eq(lu_initiator_isid(&want, "iqn.x", short_isid), 0);
	ck_assert(lu_initiator_equal(&who, &want));
}
END_TEST

struct bad_row {
	uint8_t b[28];
	size_t len;
	int want;
};

START_TEST(damaged_ones_are_refused)
{
	static const struct bad_row rows[] = {
		{ { 0x05, 0, 0, 20, 'a' }, 23, -EBADMSG },
		{ { 0x05, 0, 0, 20 }, 24, -EBADMSG },			/* no name */
		{ { 0x05, 0, 0, 16, 'a' }, 24, -EBADMSG },		/* below 20 */
		{ { 0x05, 0, 0, 21, 'a' }, 28, -EBADMSG },		/* not of four */
		{ { 0x05, 0, 0, 24, 'a' }, 27, -EBADMSG },		/* longer than there */
		{ { 0x05, 0, 1, 0, 'a' }, 28, -EBADMSG },
		{ { 0x05, 0, 0, 20, 'a', ' ' }, 24, -EBADMSG },
		{ { 0x05, 0, 0, 20, "aaaaaaaaaaaaaaaaaaaa"[0] }, 0, -EBADMSG },
		{ { 0x85, 0, 0, 20, 'a' }, 24, -ENOTSUP },		/* format 10b */
		{ { 0x45, 0, 0, 20, 'a' }, 24, -EBADMSG },		/* no ISID */
		{ { 0x45, 0, 0, 20, 'a', ',', 'i', ',', '0', 'x' }, 24, -EBADMSG },
		{ { 0x45, 0, 0, 20, 'a', ',', 'i', ',', '0', 'x', 'g' }, 24, -EBADMSG },
		{ { 0x45, 0, 0, 20, 'a', ',', 't', ',', '0', 'x', '1' }, 24, -EBADMSG },
		{ { 0x45, 0, 0, 20, ',', 'i', ',', '0', 'x', '1' }, 24, -EBADMSG },
		{ { 0x45, 0, 0, 24, 'a', ',', 'i', ',', '0', 'x', '0', '0', '0', '0', '0',
		    '0', '0', '0', '0', '0', '0', '0', '0' }, 28, -EBADMSG },	/* 13 digits */
		{ { 0x02 }, 24, -ENOTSUP },
		{ { 0x07 }, 24, -ENOTSUP },
		{ { 0x0f }, 24, -ENOTSUP },
		{ { 0x46 }, 24, -ENOTSUP },
	};
	uint8_t no_end[24] = { 0x05, 0, 0, 20 };
	struct lu_initiator who;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(lu_initiator_parse(rows[i].b, rows[i].len, &who) == rows[i].want,
		    "row %zu", i);
	memset(no_end + 4, 'a', 20);
	ck_assert_int_eq(lu_initiator_parse(no_end, sizeof(no_end), &who), -EBADMSG);
}
END_TEST

START_TEST(other_protocols_are_24_bytes)
{
	static const struct {
		uint8_t protocol, at;
		const char *name;
	} rows[] = {
		{ LU_PROTOCOL_FCP, 8, "naa.5000000000000001" },
		{ LU_PROTOCOL_SBP, 8, "eui.5000000000000001" },
		{ LU_PROTOCOL_SAS, 4, "naa.5000000000000001" },
		{ LU_PROTOCOL_SRP, 8, "srp.50000000000000010000000000000000" },
	};
	struct lu_initiator who, sas;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t wire[24] = { rows[i].protocol };

		be64_put(wire + rows[i].at, 0x5000000000000001ull);
		ck_assert_int_eq(lu_initiator_parse(wire, sizeof(wire), &who), 24);
		ck_assert_str_eq(who.name, rows[i].name);
		ck_assert_mem_eq(who.id, wire, sizeof(wire));
		/* reserved bytes do not make another port of it */
		wire[1] = 0xff;
		ck_assert_int_eq(lu_initiator_parse(wire, sizeof(wire), &sas), 24);
		ck_assert(lu_initiator_equal(&who, &sas));
	}
	lu_initiator_sas(&sas, 0x5000000000000001ull);
	ck_assert_str_eq(sas.name, "naa.5000000000000001");
	ck_assert(!lu_initiator_equal(&who, &sas));
	who = sas;
	ck_assert(lu_initiator_covers(&who, &sas));
	{
		static const uint8_t spi[24] = { 0x01, 0, 0, 7, 0xff, 0xff, 0, 1 };

		ck_assert_int_eq(lu_initiator_parse(spi, sizeof(spi), &who), 24);
		ck_assert_str_eq(who.name, "spi.00070001");
	}
}
END_TEST

START_TEST(a_name_covers_all_ports_of_its_device)
{
	struct lu_initiator device, port, other, longer, uid;

	ck_assert_int_eq(lu_initiator_iscsi(&device, "iqn.host"), 0);
	ck_assert_int_eq(lu_initiator_isid(&port, "iqn.HOST", isid), 0);
	ck_assert_int_eq(lu_initiator_isid(&other, "iqn.hos", isid), 0);
	ck_assert_int_eq(lu_initiator_isid(&longer, "iqn.hosts", isid), 0);
	ck_assert(lu_initiator_covers(&device, &port));
	ck_assert(lu_initiator_covers(&device, &device));
	ck_assert(lu_initiator_covers(&port, &port));
	ck_assert(!lu_initiator_covers(&port, &device));
	ck_assert(!lu_initiator_covers(&device, &other));
	ck_assert(!lu_initiator_covers(&device, &longer));
	ck_assert(!lu_initiator_equal(&device, &port));
	lu_initiator_uid(&uid, 1000);
	ck_assert_str_eq(uid.name, "iqn.2026-11.internal.scsad:uid.1000");
	ck_assert(!lu_initiator_equal(&uid, NULL));
	ck_assert(lu_initiator_equal(NULL, lu_initiator_anonymous()));
}
END_TEST

START_TEST(the_anonymous_one_is_canonical)
{
	const struct lu_initiator *who = lu_initiator_anonymous();
	struct lu_initiator made;

	ck_assert_int_eq(lu_initiator_iscsi(&made, who->name), 0);
	ck_assert_uint_eq(made.id_len, who->id_len);
	ck_assert(lu_initiator_equal(&made, NULL));
}
END_TEST

CHECK_MAIN("initiators", an_iscsi_name_is_24_bytes_at_least, an_isid_is_part_of_the_port,
    names_of_every_length_come_back, other_spellings_are_the_same_port,
    damaged_ones_are_refused, other_protocols_are_24_bytes,
    a_name_covers_all_ports_of_its_device, the_anonymous_one_is_canonical)
