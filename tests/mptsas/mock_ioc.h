/*
 * mock_ioc.h - the firmware of a Fusion-MPT SAS controller, in memory
 *
 * What      Registers of a node as functions; behind them a doorbell, FIFOs, pages, disks of
 *           64 KiB, expanders, events. Bus addresses are those of the process, so frames lie
 *           above 4 GiB, which no emulator shows. rig_run() puts the real driver and the
 *           framework on top, in a simulation: time is virtual, and nothing sleeps.
 * Life      rig_run(prepare, scenario): ioc is set up as after power on with one disk; @prepare
 *           may change it; the driver is attached; @scenario; all is taken down.
 * Thread    The driver's; ioc.lock inside.
 */
#ifndef TESTS_MPTSAS_MOCK_IOC_H
#define TESTS_MPTSAS_MOCK_IOC_H

#include <check.h>
#include <sys/scsi/scsi.h>

#include "ddi/sim.h"
#include "hw/mptsas/mptsas.h"

#define IOC_DEVICES	8
#define IOC_PHYS	8
#define IOC_HELD	64
#define IOC_WWID	0x500a0b0000000000ull
#define IOC_DISK_BYTES	65536u

/* what task management of a kind does */
enum ioc_task { IOC_DO, IOC_REFUSE, IOC_IGNORE, IOC_SILENT };

struct ioc_device {
	struct page_device page;	/* sas 0 and handle 0: no such device */
	uint8_t *mem;
	uint8_t status;			/* not 0: what it answers to everything */
	uint8_t nluns;
	bool has_attention;		/* its next command hears that units have changed */
};

struct ioc {
	/* before attach */
	uint16_t device_id;
	uint16_t frame_dwords, credits;
	bool is_old;			/* shorter facts */
	bool has_hipri;
	bool is_nameless;		/* no manufacturing page 5 */
	struct page_phy phys[IOC_PHYS];
	unsigned int nphys;
	struct ioc_device devices[IOC_DEVICES];

	/* at any time */
	bool hold;			/* commands are kept, until they are ended */
	bool is_circular;		/* devices follow each other in a circle */
	bool is_mute;			/* configuration requests are not answered */
	bool is_stuck;			/* the state does not become READY */
	enum ioc_task tasks[8];		/* by type */
	uint16_t status;		/* not 0: IOC status of the next command */
	uint32_t loginfo;
	uint32_t smp_bytes;		/* of the next response; 0: 12 */
	uint8_t smp_status;		/* SAS status of it */

	/* to look at */
	unsigned int requests[256];	/* by function */
	unsigned int resets;		/* of any kind */
	unsigned int tasks_seen[8];
	unsigned int acked, removed, urgent;
	uint16_t removed_handle;
	unsigned int nheld;
	uint32_t enabled_switch;
	uint64_t last_frame;		/* where the last request was */
	unsigned int dma_refused;	/* without bus mastering */
};

extern struct ioc ioc;

void rig_run(void (*prepare)(void), void (*scenario)(void));
void rig_attach_fails(void (*prepare)(void));	/* attach is refused, and all is undone */
dev_info_t *rig_node(void);
struct mptsas_hba *rig_hba(void);

/* for the rig */
void ioc_power_on(dev_info_t *dip);
void ioc_power_off(void);

/* ioc_disk(), ioc_expander() - put a device at slot @i of the table */
void ioc_disk(unsigned int i, uint64_t sas, uint16_t handle, uint16_t parent, uint8_t port);
void ioc_expander(unsigned int i, uint64_t sas, uint16_t handle, uint8_t port);
void ioc_phy(unsigned int phy, uint8_t port, uint16_t attached);	/* 0: down */

/* ioc_event() - send one; @len bytes of data */
void ioc_event(uint32_t event, const void *data, uint32_t len, bool wants_ack);
void ioc_fault(uint16_t code);
/* ioc_say() - a word into the reply FIFO, with an interrupt */
void ioc_say(uint32_t word);
/* ioc_release() - carry out the commands that are held */
void ioc_release(void);
/* ioc_context() - of held command @i */
uint32_t ioc_context(unsigned int i);

/* units are attached by name: "iport/w..,0" */
struct scsi_device *rig_unit(uint64_t sas);
unsigned int rig_units(void);
void rig_settle(void);			/* maps and polls have had their time */
bool rig_state_is(const char *want);

/* one packet */
struct io {
	struct scsi_pkt *pkt;
	struct buf buf;
	unsigned int done;
};

/* io_start() - READ(10) or WRITE(10) of @len bytes at block 0; what scsi_transport() says */
int io_start(struct io *io, struct scsi_device *sd, void *buf, size_t len, bool is_read,
    unsigned int time);
void io_wait(struct io *io);
void io_end(struct io *io, uint8_t reason, uint_t stats);	/* waits, checks, frees */

#endif /* TESTS_MPTSAS_MOCK_IOC_H */
