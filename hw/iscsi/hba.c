/* an adapter: out of its properties, found, looked at, freed */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sunndi.h>

#include "base/text.h"

#define PROP_HBA_NAME	"hba-name"
#define NAME_FRONT	"iqn.2026-11.internal.scsad:"

static LIST_HEAD(, iscsi_hba) hbas = LIST_HEAD_INITIALIZER(hbas);
static pthread_mutex_t hbas_lock = PTHREAD_MUTEX_INITIALIZER;

static void
session_fini(struct ih_session *s)
{
	if (s->hba == NULL)
		return;
	close_fd(&s->kick_fd);
	iscsi_hba_target_wipe(&s->conf);
	cv_destroy(&s->cv);
	mutex_destroy(&s->lock);
}

static int
session_init(struct ih_session *s, struct iscsi_hba *hba, size_t index,
    const struct iscsi_hba_target *conf)
{
	s->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->kick_fd < 0)
		return -errno;
	s->hba = hba;
	s->conf = *conf;
	s->index = (uint16_t)index;
	(void)snprintf(s->addr, sizeof(s->addr), "%hx", s->index);
	mutex_init(&s->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&s->cv, NULL, CV_DRIVER, NULL);
	TAILQ_INIT(&s->queue);
	TAILQ_INIT(&s->sent);
	TAILQ_INIT(&s->orders);
	TAILQ_INIT(&s->active);
	TAILQ_INIT(&s->done);
	LIST_INIT(&s->units);
	s->state = IH_OVER;
	s->is_gone = true;
	(void)text_copy(s->info.address, sizeof(s->info.address), s->addr);
	(void)text_copy(s->info.portal, sizeof(s->info.portal), conf->portal);
	(void)text_copy(s->info.name, sizeof(s->info.name), conf->name);
	return 0;
}

/* what people read, when attach fails: they have the configuration before them */
static int
hba_refuse(const struct iscsi_hba *hba, const char *what, const char *why)
{
	cmn_err(CE_WARN, "!%s: %s: %s", hba->name, what, why);
	return DDI_FAILURE;
}

static bool
hba_has(const struct iscsi_hba *hba, size_t n, const struct iscsi_hba_target *target)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(hba->sessions[i].conf.name, target->name) == 0 &&
		    strcmp(hba->sessions[i].conf.portal, target->portal) == 0)
			return true;
	return false;
}

static int
hba_add_target(struct iscsi_hba *hba, size_t index, const char *line)
{
	struct iscsi_hba_target target;
	char err[ISCSI_HBA_ERR_LEN], what[24];
	int r = iscsi_hba_target_parse(line, &target, err);

	(void)snprintf(what, sizeof(what), "target %zu", index);
	if (r < 0)
		return hba_refuse(hba, what, err);
	r = hba_has(hba, index, &target) ? -EEXIST :
	    session_init(&hba->sessions[index], hba, index, &target);
	iscsi_hba_target_wipe(&target);
	if (r < 0)
		return hba_refuse(hba, what, r == -EEXIST ? "is there twice" : strerror(-r));
	return DDI_SUCCESS;
}

static int
hba_add_targets(struct iscsi_hba *hba)
{
	char **lines;
	uint_t n;
	int r = DDI_SUCCESS;

	if (ddi_prop_lookup_string_array(DDI_DEV_T_ANY, hba->dip, DDI_PROP_DONTPASS,
	    ISCSI_HBA_PROP_TARGETS, &lines, &n) != DDI_PROP_SUCCESS)
		return hba_refuse(hba, "no targets", "say where they are: targets");
	if (n > ISCSI_HBA_TARGETS)
		r = hba_refuse(hba, "too many targets", "make another HBA of some");
	if (r == DDI_SUCCESS)
		hba->sessions = calloc(n, sizeof(*hba->sessions));
	if (hba->sessions == NULL)
		r = DDI_FAILURE;
	for (uint_t i = 0; i < n && r == DDI_SUCCESS; i++) {
		hba->nsessions = i + 1;
		r = hba_add_target(hba, i, lines[i]);
	}
	ddi_prop_free(lines);
	return r;
}

/* our name: as configured, or made of the host's */
static int
hba_name_initiator(struct iscsi_hba *hba)
{
	char host[65] = "", err[ISCSI_HBA_ERR_LEN], *name;
	int r = 0;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, hba->dip, DDI_PROP_DONTPASS,
	    ISCSI_HBA_PROP_NAME, &name) == DDI_PROP_SUCCESS) {
		r = iscsi_hba_name_check(name, err);
		if (r == 0)
			(void)text_copy(hba->initiator, sizeof(hba->initiator), name);
		ddi_prop_free(name);
		return r < 0 ? hba_refuse(hba, "initiator", err) : DDI_SUCCESS;
	}
	(void)gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c != '\0'; c++)
		*c = isalnum((unsigned char)*c) || *c == '.' ?
		    (char)tolower((unsigned char)*c) : '-';
	(void)snprintf(hba->initiator, sizeof(hba->initiator), NAME_FRONT "%s",
	    host[0] == '\0' ? "initiator" : host);
	return DDI_SUCCESS;
}

static void
hba_name_self(struct iscsi_hba *hba)
{
	char *name;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, hba->dip, DDI_PROP_DONTPASS, PROP_HBA_NAME,
	    &name) == DDI_PROP_SUCCESS) {
		(void)text_copy(hba->name, sizeof(hba->name), name);
		ddi_prop_free(name);
		return;
	}
	(void)snprintf(hba->name, sizeof(hba->name), ISCSI_HBA_DRIVER "%d",
	    ddi_get_instance(hba->dip));
}

int
ih_hba_new(dev_info_t *dip, struct iscsi_hba **ret_hba)
{
	struct iscsi_hba *hba = calloc(1, sizeof(*hba));

	if (hba == NULL)
		return DDI_FAILURE;
	hba->dip = dip;
	mutex_init(&hba->lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->notify_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->cv, NULL, CV_DRIVER, NULL);
	ih_caps_init(hba->caps);
	hba_name_self(hba);
	pthread_mutex_lock(&hbas_lock);
	LIST_INSERT_HEAD(&hbas, hba, link);
	pthread_mutex_unlock(&hbas_lock);
	if (hba_name_initiator(hba) != DDI_SUCCESS || hba_add_targets(hba) != DDI_SUCCESS) {
		ih_hba_free(hba);
		return DDI_FAILURE;
	}
	*ret_hba = hba;
	return DDI_SUCCESS;
}

void
ih_hba_free(struct iscsi_hba *hba)
{
	pthread_mutex_lock(&hbas_lock);
	LIST_REMOVE(hba, link);
	pthread_mutex_unlock(&hbas_lock);
	for (size_t i = 0; i < hba->nsessions; i++)
		session_fini(&hba->sessions[i]);
	free(hba->sessions);
	if (hba->tran != NULL)
		scsi_hba_tran_free(hba->tran);
	cv_destroy(&hba->cv);
	mutex_destroy(&hba->notify_lock);
	mutex_destroy(&hba->lock);
	free(hba);
}

/* hbas_lock is held */
static struct iscsi_hba *
hba_of(dev_info_t *dip)
{
	struct iscsi_hba *hba;

	LIST_FOREACH(hba, &hbas, link) {
		if (hba->dip == dip)
			break;
	}
	return hba;
}

struct iscsi_hba *
ih_hba_find(dev_info_t *dip)
{
	struct iscsi_hba *hba = NULL;

	pthread_mutex_lock(&hbas_lock);
	for (; dip != NULL && hba == NULL; dip = ddi_get_parent(dip))
		hba = hba_of(dip);
	pthread_mutex_unlock(&hbas_lock);
	return hba;
}

/* the lock of the list keeps the adapter from going meanwhile */
int
iscsi_hba_info_get(dev_info_t *dip, size_t index, struct iscsi_hba_info *ret)
{
	struct iscsi_hba *hba;
	int r = -ENOENT;

	pthread_mutex_lock(&hbas_lock);
	hba = hba_of(dip);
	if (hba != NULL && index < hba->nsessions) {
		struct ih_session *s = &hba->sessions[index];

		mutex_enter(&s->lock);
		*ret = s->info;
		ret->state = ih_states[s->state].name;
		ret->queued = s->nqueued;
		ret->sent = s->nsent;
		mutex_exit(&s->lock);
		r = 0;
	}
	pthread_mutex_unlock(&hbas_lock);
	return r;
}

void
ih_sessions_start(struct iscsi_hba *hba)
{
	for (size_t i = 0; i < hba->nsessions; i++) {
		struct ih_session *s = &hba->sessions[i];

		mutex_enter(&s->lock);
		s->state = IH_DOWN;
		s->want_stop = false;
		s->thread = thread_create(NULL, 0, ih_worker, s, 0, &p0, TS_RUN, minclsyspri)->
		    t_did;
		mutex_exit(&s->lock);
	}
}

void
ih_sessions_stop(struct iscsi_hba *hba)
{
	for (size_t i = 0; i < hba->nsessions; i++) {
		struct ih_session *s = &hba->sessions[i];

		mutex_enter(&s->lock);
		s->want_stop = true;
		ih_kick(s);
		mutex_exit(&s->lock);
	}
	for (size_t i = 0; i < hba->nsessions; i++)
		thread_join(hba->sessions[i].thread);
}
