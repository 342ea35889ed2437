#include "mock_gate.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sunndi.h>

#include "base/bytes.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "listener.h"
#include "scsa/config.h"

#define LINES_MAX	8
#define UNITS_MAX	16

dev_info_t *gate_dip;

static kmutex_t lock;		/* of the units, and of completions */
static kcondvar_t cv;
static struct unit {
	char address[32];
	struct scsi_device *sd;	/* NULL: the place is free */
} units[UNITS_MAX];

static struct unit *
unit_find(const char *address)
{
	for (size_t i = 0; i < UNITS_MAX; i++)
		if (units[i].sd != NULL && strcmp(units[i].address, address) == 0)
			return &units[i];
	return NULL;
}

static void
unit_came(struct scsi_device *sd)
{
	size_t i = 0;

	mutex_enter(&lock);
	while (units[i].sd != NULL)
		ck_assert_uint_lt(++i, UNITS_MAX);
	units[i].sd = sd;
	(void)snprintf(units[i].address, sizeof(units[i].address), "%s",
	    scsi_device_unit_address(sd));
	cv_broadcast(&cv);
	mutex_exit(&lock);
}

static void
unit_left(struct scsi_device *sd)
{
	mutex_enter(&lock);
	unit_find(scsi_device_unit_address(sd))->sd = NULL;
	cv_broadcast(&cv);
	mutex_exit(&lock);
}

int
gate_up(const char *line, ...)
{
	char *lines[LINES_MAX];
	unsigned int n = 0;
	va_list ap;
	int r;

	va_start(ap, line);
	for (; line != NULL; line = va_arg(ap, const char *)) {
		ck_assert_uint_lt(n, LINES_MAX);
		lines[n++] = (char *)(uintptr_t)line;
	}
	va_end(ap);
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&cv, NULL, CV_DRIVER, NULL);
	listener_load(unit_came, unit_left);
	ck_assert_int_eq(driver_init(ISCSI_HBA_DRIVER, iscsi_mod_init, iscsi_mod_fini), 0);
	ck_assert_int_eq(devi_alloc(devi_root(), ISCSI_HBA_DRIVER, &gate_dip), 0);
	if (n > 0)
		ck_assert_int_eq(ndi_prop_update_string_array(DDI_DEV_T_NONE, gate_dip,
		    ISCSI_HBA_PROP_TARGETS, lines, n), DDI_PROP_SUCCESS);
	r = devi_attach(gate_dip);
	return r < 0 ? r : scsa_bus_config_all(gate_dip) < 0;
}

void
gate_down(void)
{
	if (devi_is_attached(gate_dip)) {
		ck_assert_int_eq(scsa_bus_unconfig_all(gate_dip), 0);
		ck_assert_int_eq(devi_detach(gate_dip, 0), 0);
	}
	ck_assert_int_eq(devi_free(gate_dip), 0);
	for (size_t i = 0; i < UNITS_MAX; i++)
		ck_assert_ptr_null(units[i].sd);
	ck_assert_int_eq(driver_unload(ISCSI_HBA_DRIVER), 0);
	listener_unload();
	cv_destroy(&cv);
	mutex_destroy(&lock);
}

void
gate_far_up(const struct far *far, const char *options)
{
	char line[GATE_LINE];

	(void)snprintf(line, sizeof(line), "%s%s%s", far->line, options[0] == '\0' ? "" : ",",
	    options);
	ck_assert_int_eq(gate_up(line, NULL), 0);
}

struct scsi_device *
gate_find(const char *address)
{
	struct unit *unit;

	mutex_enter(&lock);
	unit = unit_find(address);
	mutex_exit(&lock);
	return unit == NULL ? NULL : unit->sd;
}

struct scsi_device *
gate_sd(const char *address)
{
	struct scsi_device *sd;

	mutex_enter(&lock);
	while (unit_find(address) == NULL)
		cv_wait(&cv, &lock);
	sd = unit_find(address)->sd;
	mutex_exit(&lock);
	return sd;
}

void
gate_gone(const char *address)
{
	mutex_enter(&lock);
	while (unit_find(address) != NULL)
		cv_wait(&cv, &lock);
	mutex_exit(&lock);
}

struct iscsi_hba_info
gate_info(size_t index)
{
	struct iscsi_hba_info info;

	ck_assert_int_eq(iscsi_hba_info_get(gate_dip, index, &info), 0);
	return info;
}

static void
io_comp(struct scsi_pkt *pkt)
{
	struct io *io = pkt->pkt_private;

	mutex_enter(&lock);
	atomic_fetch_add(&io->done, 1);
	cv_broadcast(&cv);
	mutex_exit(&lock);
}

void
io_init(struct io *io, struct scsi_device *sd, bool is_read, uint32_t lba, uint16_t blocks,
    uint8_t *data)
{
	uint8_t cdb[10] = { is_read ? 0x28 : 0x2a };

	atomic_store(&io->done, 0);
	bioinit(&io->buf);
	io->data = data;
	io->buf.b_flags = is_read ? B_READ : B_WRITE;
	io->buf.b_bcount = blocks * FAR_BLOCK;
	io->buf.b_un.b_addr = (caddr_t)data;
	io->pkt = scsi_init_pkt(&sd->sd_address, NULL, blocks == 0 ? NULL : &io->buf,
	    blocks == 0 ? 6 : 10, (int)sizeof(struct scsi_arq_status), 0, 0, NULL_FUNC, NULL);
	ck_assert_ptr_nonnull(io->pkt);
	be32_put(cdb + 2, lba);
	be16_put(cdb + 7, blocks);
	if (blocks > 0)
		memcpy(io->pkt->pkt_cdbp, cdb, sizeof(cdb));
	io->pkt->pkt_private = io;
	io->pkt->pkt_comp = io_comp;
	io->pkt->pkt_flags = FLAG_STAG;
	io->pkt->pkt_time = 30;
}

void
io_fini(struct io *io)
{
	scsi_destroy_pkt(io->pkt);
	biofini(&io->buf);
}

int
io_send(struct io *io)
{
	atomic_store(&io->done, 0);
	return scsi_transport(io->pkt);
}

bool
io_ended(struct io *io, uint8_t reason, uint_t stats)
{
	mutex_enter(&lock);
	while (atomic_load(&io->done) == 0)
		cv_wait(&cv, &lock);
	mutex_exit(&lock);
	return atomic_load(&io->done) == 1 && io->pkt->pkt_reason == reason &&
	    io->pkt->pkt_statistics == stats;
}

bool
io_run(struct scsi_device *sd, bool is_read, uint32_t lba, uint16_t blocks, uint8_t *data)
{
	struct io io;
	bool is_good;

	io_init(&io, sd, is_read, lba, blocks, data);
	ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
	is_good = io_ended(&io, CMD_CMPLT, 0) && *io.pkt->pkt_scbp == STATUS_GOOD;
	io_fini(&io);
	return is_good;
}
