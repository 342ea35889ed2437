/*
 * daemon/hbas.h - the HBAs this process owns
 *
 * What      Makes the HBAs of the configuration: drivers, nodes, attach, enumeration of what is
 *           behind them. An HBA that cannot be brought up is logged and kept in state
 *           "failed"; the others are tried all the same, so that one start tells all that is
 *           wrong, but a start with a failed HBA is a failure.
 * Names     That of the configuration, or driver and number: the HBAs of each driver count from
 *           0 in the order of the configuration. Instance numbers of the framework are not
 *           that: ports draw from them, too.
 * Life      hbas_attach() → ... → hbas_detach().
 * Thread    attach, detach: the main thread. The rest: any, between the two; the list stands
 *           still.
 */
#ifndef DAEMON_HBAS_H
#define DAEMON_HBAS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>

#include "base/compiler.h"
#include "daemon/config.h"
#include "lu/exec.h"

struct hbas;
struct hba;
struct pci_attach;

/* what the owner of the HBAs gives and is told */
struct hbas_conf {
	const struct config *conf;
	unsigned int queues;		/* file I/O queues of a software HBA: one for each loop */
	struct lu_exec *worker;		/* where a call may block */
	/* the state of @hba has changed by itself; any thread */
	void (*changed)(void *ctx, const struct hba *hba);
	void *ctx;
};

enum hba_state {
	HBA_READY,
	HBA_FAILED,
	HBA_DETACHED,
	HBA_SILENCED,		/* attached, but it does nothing any more (daemon/recovery.h) */
	HBA_STATE_N
};

struct hba {
	char name[32];			/* "soft0"; also the property LU_PROP_HBA_NAME */
	char *driver;
	const struct hba_driver *row;	/* NULL: the driver came as a module */
	char pci[HOST_ADDR_LEN];	/* of a PCI function; "" */
	char detail[SOFT_ERR_LEN];	/* for people: what it is, or why it failed */
	_Atomic(enum hba_state) state;
	dev_info_t *dip;		/* NULL when failed before it had a node */
	struct soft_hba *soft;		/* NULL unless it is the software HBA */
	struct pci_attach *fn;		/* NULL unless it is a PCI function that is open */
	pthread_mutex_t lock;		/* held while somebody changes what is connected, */
	bool is_ending;			/* which nobody may any more */
	/* held while it is attached, detached or given back; before lock */
	pthread_mutex_t life;
	pthread_cond_t released;
	struct lu_work release;		/* it goes back to the system, */
	bool is_releasing;		/* soon; life */
	const struct hbas_conf *owner;
};

/**
 * hbas_attach() - bring up every HBA of the configuration and attach what is behind them
 *
 * @conf     borrowed until hbas_free()
 *
 * Returns:  0
 *           -EINVAL, -EBUSY, -ENOENT ...   why the first that failed did (logged). The others
 *           are up; hbas_detach() and hbas_free() are due
 *           -ENOMEM   as before, or *@ret_hbas is untouched
 */
int hbas_attach(const struct hbas_conf *conf, struct hbas **ret_hbas) MUST_CHECK;

/* hbas_detach() - detach units and HBAs, newest first; false when one refused (logged): its
 * driver was asked to silence it (devo_quiesce) */
bool hbas_detach(struct hbas *hbas);

/* hba_detach() - the same for one, hba->life held; true also when it was detached before */
bool hba_detach(struct hba *hba);

/* hbas_free() - after hbas_detach(); NULL is fine */
void hbas_free(struct hbas *hbas);

size_t hbas_count(const struct hbas *hbas);
struct hba *hbas_get(const struct hbas *hbas, size_t i);

/* hbas_find() - by name; NULL */
struct hba *hbas_find(const struct hbas *hbas, const char *name);

/**
 * hba_change_begin() - keep the software HBA from going while it is changed; hba_change_end()
 *
 * Returns:  0, or -ESHUTDOWN: it is about to go
 * Thread:   a worker; changes of one HBA take turns
 */
int hba_change_begin(struct hba *hba) MUST_CHECK;
void hba_change_end(struct hba *hba);

/* hba_port() - the node that is the port called @iport, or the only (first) one for NULL or "";
 * a reference for devi_unref(), or NULL */
dev_info_t *hba_port(const struct hba *hba, const char *iport);

/* hba_is_attached() - is its driver attached? Whether it does anything is another question */
bool hba_is_attached(const struct hba *hba);

/* hba_state_name() - "ready", "failed", "detached", "silenced" */
const char *hba_state_name(enum hba_state state);

/* hba_state_text() - how it is: what its driver says (the property "hba-state" of its node), or
 * hba_state_name(); into @size bytes at @buf, which is returned */
char *hba_state_text(const struct hba *hba, char *buf, size_t size);

#endif /* DAEMON_HBAS_H */
