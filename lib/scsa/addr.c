#include <sys/scsi/scsi.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scsa/scsa_impl.h"
#include "scsi/lun.h"

/* hexadecimal digits only, at most @max of them */
static bool
hex_parse(const char *text, size_t len, size_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (!isxdigit(c))
			return false;
		v = v << 4 | (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*ret = v;
	return true;
}

static bool
taddr_set(struct unit_addr *ua, const char *taddr, size_t len)
{
	uint64_t target;

	if (len == 0 || len >= sizeof(ua->taddr) || memchr(taddr, '/', len) != NULL ||
	    memchr(taddr, '@', len) != NULL)
		return false;
	memcpy(ua->taddr, taddr, len);
	ua->taddr[len] = '\0';
	ua->is_numeric = hex_parse(taddr, len, 8, &target);
	ua->target = ua->is_numeric ? (uint32_t)target : 0;
	return true;
}

static int
ua_print(struct unit_addr *ua)
{
	int n;

	if (ua->sfunc == SFUNC_NONE)
		n = snprintf(ua->text, sizeof(ua->text), "%s,%llx", ua->taddr,
		    (unsigned long long)ua->lun);
	else
		n = snprintf(ua->text, sizeof(ua->text), "%s,%llx,%x", ua->taddr,
		    (unsigned long long)ua->lun, (unsigned int)ua->sfunc);
	return n > 0 && (size_t)n < sizeof(ua->text) ? 0 : -EINVAL;
}

int
unit_addr_make(const char *taddr, scsi_lun64_t lun, int sfunc, struct unit_addr *ret)
{
	struct unit_addr ua = { .lun = lun, .sfunc = sfunc };

	if (lun == SCSI_LUN64_ILLEGAL || sfunc < SFUNC_NONE || sfunc > 0xfe)
		return -EINVAL;
	if (!taddr_set(&ua, taddr, strlen(taddr)) || ua_print(&ua) < 0)
		return -EINVAL;
	*ret = ua;
	return 0;
}

int
unit_addr_parse(const char *text, struct unit_addr *ret)
{
	const char *lun_text = strchr(text, ',');
	const char *sfunc_text = lun_text != NULL ? strchr(lun_text + 1, ',') : NULL;
	struct unit_addr ua = { .sfunc = SFUNC_NONE };
	uint64_t v;
	size_t len;

	if (lun_text == NULL || !taddr_set(&ua, text, (size_t)(lun_text - text)))
		return -EINVAL;
	lun_text++;
	len = sfunc_text != NULL ? (size_t)(sfunc_text - lun_text) : strlen(lun_text);
	if (!hex_parse(lun_text, len, 16, &v) || (scsi_lun64_t)v == SCSI_LUN64_ILLEGAL)
		return -EINVAL;
	ua.lun = (scsi_lun64_t)v;
	if (sfunc_text != NULL) {
		if (!hex_parse(sfunc_text + 1, strlen(sfunc_text + 1), 2, &v) || v > 0xfe)
			return -EINVAL;
		ua.sfunc = (int)v;
	}
	if (ua_print(&ua) < 0)
		return -EINVAL;
	*ret = ua;
	return 0;
}

char *
scsi_device_unit_address(struct scsi_device *sd)
{
	return sd->sd_dev != NULL ? ddi_get_name_addr(sd->sd_dev) : NULL;
}

struct scsi_device *
scsi_address_device(struct scsi_address *ap)
{
	ASSERT(port_is_complex(ap->a_hba_tran));
	return ap->a.a_sd;
}

void *
scsi_device_hba_private_get(struct scsi_device *sd)
{
	ASSERT(port_is_complex(sd->sd_address.a_hba_tran));
	return sd->sd_hba_private;
}

void
scsi_device_hba_private_set(struct scsi_device *sd, void *data)
{
	ASSERT(port_is_complex(sd->sd_address.a_hba_tran));
	sd->sd_hba_private = data;
}

/*
 * LUNs and world wide names.
 */

scsi_lun64_t
scsi_lun_to_lun64(scsi_lun_t lun)
{
	return (scsi_lun64_t)lunfmt_get(&lun);
}

scsi_lun_t
scsi_lun64_to_lun(scsi_lun64_t lun64)
{
	scsi_lun_t lun;

	lunfmt_put(&lun, (uint64_t)lun64);
	return lun;
}

scsi_lun64_t
scsi_addr_to_lun64(char *lun)
{
	uint64_t v;

	if (lun == NULL || !hex_parse(lun, strcspn(lun, ","), 16, &v))
		return SCSI_LUN64_ILLEGAL;
	return (scsi_lun64_t)v;
}

const char *
scsi_wwnstr_skip_ua_prefix(const char *wwnstr)
{
	return wwnstr[0] == 'w' ? wwnstr + 1 : wwnstr;
}

int
scsi_wwnstr_to_wwn(const char *wwnstr, uint64_t *ret_wwn)
{
	uint64_t wwn;

	if (wwnstr == NULL || ret_wwn == NULL)
		return DDI_FAILURE;
	wwnstr = scsi_wwnstr_skip_ua_prefix(wwnstr);
	if (strlen(wwnstr) != 16 || !hex_parse(wwnstr, 16, 16, &wwn))
		return DDI_FAILURE;
	*ret_wwn = wwn;
	return DDI_SUCCESS;
}

char *
scsi_wwn_to_wwnstr(uint64_t wwn, int is_ua, char *buf)
{
	if (buf == NULL)
		buf = kmem_alloc(SCSI_WWN_BUFLEN, KM_SLEEP);
	(void)snprintf(buf, SCSI_WWN_BUFLEN, "%s%016llx", is_ua ? "w" : "",
	    (unsigned long long)wwn);
	return buf;
}

void
scsi_free_wwnstr(char *wwnstr)
{
	kmem_free(wwnstr, wwnstr != NULL ? SCSI_WWN_BUFLEN : 0);
}

void
scsi_wwnstr_hexcase(char *wwnstr, int is_lower)
{
	/* the prefix is always lower case */
	for (char *p = wwnstr + (wwnstr[0] == 'w'); *p != '\0'; p++)
		*p = (char)(is_lower ? tolower((unsigned char)*p) : toupper((unsigned char)*p));
}
