#include "daemon/daemon.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/num.h"
#include "daemon/demo.h"
#include "daemon/exports.h"
#include "daemon/hbas.h"
#include "daemon/isns.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/portal.h"
#include "daemon/privilege.h"
#include "daemon/recovery.h"
#include "daemon/rpc.h"
#include "daemon/rpc_socket.h"
#include "daemon/sandbox.h"
#include "daemon/tree.h"
#include "ddi/violation.h"
#include "lu/recover.h"
#include "lu/worker.h"
#include "proto/limits.h"
#include "scsa/smp.h"

#define WORKERS		4	/* calls that block at one time */
#define DETACH_DRAIN_MS	100	/* the server has waited already */
#define CLOSE_MS	2000
#define TICK_MS		1000

struct daemon {
	const struct config *conf;
	struct loops *loops;
	struct lu_worker *worker;
	struct rpc_server *rpc;
	struct lu_host lu_host;
	char state_dir[PATH_MAX];	/* room for lu_host.state_dir */
	bool has_lu;
	unsigned int next_home;
	bool has_smp;
	struct tree *tree;
	_Atomic(struct hbas *) hbas;	/* workers look at it while it is set */
	struct exports *exports;
	struct portal_server *portals;
	struct isns *isns;		/* NULL: no name server is configured */
	struct rpc_socket socket;
};

/* ------ what lib/lu asks of us ------ */

static struct lu_exec *
host_pick_home(struct lu_host *host, const struct lu *unit UNUSED)
{
	struct daemon *d = container_of(host, struct daemon, lu_host);
	unsigned int i = __atomic_fetch_add(&d->next_home, 1, __ATOMIC_RELAXED);

	return loop_exec(loops_get(d->loops, i % loops_count(d->loops)));
}

static void
media_log(const struct lu *unit)
{
	const struct lu_media_report *report = lu_media_report(unit);
	char text[SENSE_TEXT_LEN];

	(void)sense_format(&report->sense, text, sizeof(text));
	switch (report->kind) {
	case LU_MEDIA_ERROR:
		log_warning("%s: %s; commands that failed so: %llu", lu_info(unit)->path, text,
		    (unsigned long long)report->n);
		break;
	case LU_MEDIA_FULL:
		log_warning("%s: no room is left where it is stored, make some; writes that "
		    "failed so: %llu", lu_info(unit)->path, (unsigned long long)report->n);
		break;
	case LU_MEDIA_N:
		break;
	}
}

static void
recovery_log(const struct lu *unit)
{
	const char *path = lu_info(unit)->path;
	enum lu_recover_step step = lu_recover_step(unit);
	uint32_t n = lu_recover_expired(unit);

	if (step == LU_RECOVER_NONE)
		log_notice("%s: commands that had not come back are back", path);
	else if (step == LU_RECOVER_OFFLINE)
		log_error("%s: offline, %u commands did not come back", path, n);
	else
		log_warning("%s: recovery step %s, %u commands did not come back", path,
		    lu_recover_step_name(step), n);
}

static void
host_event(struct lu_host *host, enum lu_event event, struct lu *unit)
{
	struct daemon *d = container_of(host, struct daemon, lu_host);
	const struct lu_info *info = lu_info(unit);
	char size[NUM_BYTES_LEN], text[SENSE_TEXT_LEN];

	switch (event) {
	case LU_EVENT_ADDED:
		exports_units_changed(d->exports, info->path);
		log_notice("%s: unit added, %s %s, %s", info->path, info->vendor, info->product,
		    num_format_bytes(info->blocks * info->block_bytes, size));
		rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_UNIT_ADDED, info->path,
		    "unit added");
		break;
	case LU_EVENT_GONE:
		exports_units_changed(d->exports, info->path);
		log_info("%s: unit gone", info->path);
		rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_UNIT_GONE, info->path,
		    "unit gone");
		break;
	case LU_EVENT_RESET:
		log_info("%s: reset seen", info->path);
		rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_RESET, info->path, "reset");
		break;
	case LU_EVENT_MEDIA:
		media_log(unit);
		break;
	case LU_EVENT_RECOVERY:
		recovery_log(unit);
		break;
	case LU_EVENT_CHANGED:
		(void)sense_format(lu_changed_sense(unit), text, sizeof(text));
		log_info("%s: changed, %s", info->path, text);
		rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_UNIT_CHANGED, info->path,
		    text);
		break;
	case LU_EVENT_N:
		break;
	}
}

static int
host_hba_reset(struct lu_host *host, const struct lu *unit)
{
	return recovery_reset(container_of(host, struct daemon, lu_host)->hbas, unit);
}

static int
host_hba_silence(struct lu_host *host, const struct lu *unit)
{
	struct daemon *d = container_of(host, struct daemon, lu_host);
	int r = recovery_silence(d->hbas, unit);

	if (r == 0)
		rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_HBA_STATE,
		    lu_info(unit)->hba, hba_state_name(HBA_SILENCED));
	return r;
}

/* ------ ports and expanders ------ */

static void
tree_event(void *arg, const struct tree_node *node, bool is_added)
{
	static const struct {
		Scsad__EventKind added, gone;
		const char *noun;
	} rows[TREE_KIND_N] = {
		[TREE_PORT] = { SCSAD__EVENT_KIND__EVENT_PORT_ADDED,
		    SCSAD__EVENT_KIND__EVENT_PORT_GONE, "port" },
		[TREE_EXPANDER] = { SCSAD__EVENT_KIND__EVENT_EXPANDER_ADDED,
		    SCSAD__EVENT_KIND__EVENT_EXPANDER_GONE, "expander" },
	};
	struct daemon *d = arg;
	char text[32];

	(void)snprintf(text, sizeof(text), "%s %s", rows[node->kind].noun,
	    is_added ? "added" : "gone");
	log_info("%s: %s", node->path, text);
	rpc_event_publish(d->rpc, is_added ? rows[node->kind].added : rows[node->kind].gone,
	    node->path, text);
}

/* ------ up ------ */

static unsigned int
loops_default(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return CPU_COUNT(&set) > LOOP_MAX ? LOOP_MAX : (unsigned int)CPU_COUNT(&set);
}

static int
start_threads(struct daemon *d)
{
	const struct loops_conf loops = {
		.n = d->conf->loops != 0 ? d->conf->loops : loops_default(),
		.busy_poll_us = d->conf->busy_poll_us,
	};
	int r = loops_new(&loops, &d->loops);

	if (r == 0)
		r = lu_worker_new(WORKERS, &d->worker);
	if (r < 0)
		log_error("threads: cannot be started: %s", strerror(-r));
	return r;
}

static int
start_server(struct daemon *d)
{
	const struct rpc_server_conf rpc = { d->conf, d->loops, lu_worker_exec(d->worker) };
	int r = rpc_server_new(&rpc, &d->rpc);

	if (r < 0) {
		log_error("server: %s", strerror(-r));
		return r;
	}
	d->lu_host = (struct lu_host){
		.pick_home = host_pick_home,
		.event = host_event,
		.hba_reset = host_hba_reset,
		.hba_silence = host_hba_silence,
		.worker = lu_worker_exec(d->worker),
		.state_dir = config_state_dir(d->conf, d->state_dir),
		.drain_ms = d->conf->drain_ms,
	};
	r = lu_init(&d->lu_host);
	if (r < 0)
		log_error("driver of logical units: %s", strerror(-r));
	d->has_lu = r == 0;
	return r;
}

static int
start_tree(struct daemon *d)
{
	int r = tree_new(tree_event, d, &d->tree);

	if (r == 0)
		r = scsa_smp_init();
	if (r < 0)
		log_error("driver of expanders: %s", strerror(-r));
	d->has_smp = r == 0;
	return r;
}

static int
start_isns(struct daemon *d)
{
	const struct isns_conf conf = {
		.server = d->conf->isns_server,
		.entity = d->conf->isns_entity,
		.period_s = d->conf->isns_period_s,
		.exports = d->exports,
	};
	int r = conf.server == NULL ? 0 : isns_new(&conf, &d->isns);

	if (r < 0)
		log_error("isns: cannot be set up: %s", strerror(-r));
	return r;
}

static int
start_exports(struct daemon *d)
{
	const struct exports_conf conf = { d->conf, lu_worker_exec(d->worker) };
	int r = exports_new(&conf, &d->exports);

	if (r == 0)
		r = portal_server_new(d->loops, d->exports, NULL, &d->portals);
	if (r < 0)
		log_error("exports: cannot be set up: %s", strerror(-r));
	else
		portal_server_hold(d->portals);
	return r;
}

static void
hba_changed(void *ctx, const struct hba *hba)
{
	struct daemon *d = ctx;
	char state[16];

	rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_HBA_STATE, hba->name,
	    hba_state_text(hba, state, sizeof(state)));
}

static int
start_units(struct daemon *d)
{
	const struct hbas_conf hbas = {
		.conf = d->conf,
		.queues = loops_count(d->loops),
		.worker = lu_worker_exec(d->worker),
		.changed = hba_changed,
		.ctx = d,
	};
	struct hbas *list = NULL;
	int r = hbas_attach(&hbas, &list);

	d->hbas = list;
	rpc_server_set_hbas(d->rpc, d->hbas, d->tree);
	rpc_server_set_exports(d->rpc, d->exports);
	rpc_server_set_isns(d->rpc, d->isns);
	return r < 0 ? r : exports_start(d->exports, &portal_ops, d->portals);
}

static int
start_socket(struct daemon *d)
{
	char text[CONFIG_ERR_LEN];
	int r = rpc_socket_open(d->conf, &d->socket, text, sizeof(text));

	if (r < 0) {
		log_error("%s", text);
		return r;
	}
	return 0;
}

/* nobody is served by more rights than serving takes */
static int
start_serving(struct daemon *d)
{
	int r = privilege_drop(d->conf);

	if (r == 0)
		r = sandbox_enter(d->conf->seccomp, d->isns != NULL);
	if (r < 0)
		return r;
	exports_keep(d->exports);
	r = rpc_server_listen(d->rpc, STEAL_FD(d->socket.fd));
	if (r < 0) {
		log_error("socket '%s': %s", d->socket.path, strerror(-r));
		return r;
	}
	portal_server_go(d->portals);
	return d->isns == NULL ? 0 : isns_go(d->isns);
}

int
daemon_start(const struct config *conf, struct daemon **ret_daemon)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int r;

	if (d == NULL)
		return -ENOMEM;
	d->conf = conf;
	d->socket.fd = d->socket.lock_fd = -1;
	r = start_threads(d);
	if (r == 0)
		r = start_server(d);
	if (r == 0)
		r = start_tree(d);
	if (r == 0)
		r = start_exports(d);
	if (r == 0)
		r = start_isns(d);
	if (r == 0)
		r = start_units(d);
	if (r == 0)
		r = start_socket(d);
	if (r == 0)
		r = start_serving(d);
	if (r < 0) {
		daemon_stop(d);
		return r;
	}
	*ret_daemon = d;
	return 0;
}

struct rpc_server *
daemon_rpc(struct daemon *d)
{
	return d->rpc;
}

/* ------ down ------ */

static void
states_publish(struct daemon *d)
{
	for (size_t i = 0; i < hbas_count(d->hbas); i++)
		rpc_event_publish(d->rpc, SCSAD__EVENT_KIND__EVENT_HBA_STATE,
		    hbas_get(d->hbas, i)->name, hba_state_name(hbas_get(d->hbas, i)->state));
}

/* false: something below still owns memory of ours, which must then stay */
static bool
stop_units(struct daemon *d)
{
	uint32_t left = rpc_server_drain(d->rpc, d->conf->drain_ms);
	bool is_clean;

	if (left > 0)
		log_warning("%u packets did not end within %u ms, aborting them", left,
		    d->conf->drain_ms);
	d->lu_host.drain_ms = DETACH_DRAIN_MS;
	is_clean = hbas_detach(d->hbas);
	states_publish(d);
	if (!is_clean)
		return false;
	return rpc_server_close(d->rpc, CLOSE_MS);
}

void
daemon_stop(struct daemon *d)
{
	if (d == NULL)
		return;
	isns_stop(d->isns);
	exports_stop(d->exports);
	portal_server_free(d->portals);
	if (d->rpc != NULL && !stop_units(d)) {
		rpc_socket_close(&d->socket);
		log_error("stopped with packets that did not come back");
		return;
	}
	rpc_socket_close(&d->socket);
	hbas_free(d->hbas);
	tree_free(d->tree);
	if (d->has_smp)
		(void)scsa_smp_fini();
	if (d->has_lu)
		(void)lu_fini();
	lu_worker_free(d->worker);
	/* works of the loops may still point into the server: they run before it goes */
	if (d->loops != NULL)
		loops_stop(d->loops);
	rpc_server_free(d->rpc);
	isns_free(d->isns);
	exports_free(d->exports);
	loops_free(d->loops);
	free(d);
}

/* ------ main ------ */

/* who was not told a port finds it here */
static void
exports_tell(struct exports *exports)
{
	struct ex_set *set = exports_set(exports);
	char at[EX_ADDR_LEN];

	for (size_t t = 0; t < ex_set_count(set, EX_TARGET); t++)
		for (size_t p = 0; p < ex_set_count(set, EX_PORTAL); p++) {
			const struct ex_target *target = (const void *)ex_set_at(set, EX_TARGET, t);
			const struct ex_portal *portal = (const void *)ex_set_at(set, EX_PORTAL, p);

			if (ex_target_rtpi(set, target, (uint16_t)portal->group) != 0 &&
			    exports_portal_bound(exports, portal->o.name, at))
				log_notice("target %s at %s", target->o.name, at);
		}
	ex_set_unref(set);
}

#ifndef SCSAD_DEBUG
/* A driver broke a rule. Debug builds stop right there; here its HBA's units suffer for it, and not
 * everybody else's: the framework goes on as far as that is safe. */
static void
rule_broken(const char *rule, const char *text, void *arg UNUSED)
{
	log_error("driver broke rule %s: %s", rule, text);
}
#endif

static void
signals_block(sigset_t *ret_set)
{
	(void)sigemptyset(ret_set);
	(void)sigaddset(ret_set, SIGTERM);
	(void)sigaddset(ret_set, SIGINT);
	(void)sigaddset(ret_set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, ret_set, NULL);
}

static void
reload(struct daemon *d)
{
	struct ex_result result;

	notify_reloading();
	if (exports_reload(d->exports, &result) < 0)
		log_error("reload: %s; everything stays as it was", result.text);
	else
		log_notice("reload: exports are those of the file now, generation %llu",
		    (unsigned long long)result.generation);
	notify_ready();
}

/* until a signal ends it; the watchdog hears from us only while every loop turns */
static void
serve(struct daemon *d, const sigset_t *set)
{
	uint64_t watchdog_us = notify_watchdog_us();
	uint64_t wait_us = watchdog_us != 0 && watchdog_us < TICK_MS * 1000 ? watchdog_us :
	    TICK_MS * 1000;
	const struct timespec tick = { (time_t)(wait_us / 1000000),
	    (long)(wait_us % 1000000) * 1000 };

	for (;;) {
		int sig = watchdog_us != 0 ? sigtimedwait(set, NULL, &tick) :
		    sigwaitinfo(set, NULL);

		if (sig == SIGTERM || sig == SIGINT) {
			log_notice("stopping");
			return;
		}
		if (sig == SIGHUP)
			reload(d);
		if (watchdog_us != 0 && loops_are_alive(d->loops))
			notify_watchdog();
	}
}

static int
run(const struct config *conf)
{
	struct daemon *d;
	sigset_t set;
	int r;

	signals_block(&set);
	notify_status("starting");
	r = daemon_start(conf, &d);
	if (r < 0)
		return EXIT_START;
	exports_tell(d->exports);
	log_notice("ready, socket %s", d->socket.path);
	notify_status("serving %s", d->socket.path);
	notify_ready();

	serve(d, &set);
	notify_stopping();
	notify_status("stopping");
	daemon_stop(d);
	log_notice("stopped");
	return 0;
}

static int
configured(const struct options *options, struct config *conf)
{
	char text[CONFIG_ERR_LEN] = "";
	int r = options_apply(options, conf, text);

	if (r < 0) {
		log_error("%s", text[0] != '\0' ? text : strerror(-r));
		return EXIT_CONFIG;
	}
	if (options->want_check) {
		(void)printf("configuration is good: %zu HBA%s\n", conf->n_hbas,
		    conf->n_hbas == 1 ? "" : "s");
		return 0;
	}
	log_open(STDERR_FILENO, conf->log_level);
#ifndef SCSAD_DEBUG
	ddi_violation_hook(rule_broken, NULL);
#endif
	return run(conf);
}

int
daemon_main(int argc, char **argv)
{
	struct options options;
	struct config conf;
	char text[CONFIG_ERR_LEN];
	int status;

	privilege_prepare();
	log_open(STDERR_FILENO, LOG_LEVEL_NOTICE);
	if (options_parse(argc, argv, &options, text) < 0) {
		log_error("%s", text);
		return EXIT_USAGE;
	}
	if (options.want_help || options.want_version) {
		(void)printf("%s", options.want_help ? options_help() :
		    "scsad " SCSAD_VERSION "\n");
		return 0;
	}
	config_init(&conf);
	status = configured(&options, &conf);
	demo_remove(&conf);
	config_fini(&conf);
	return status;
}
