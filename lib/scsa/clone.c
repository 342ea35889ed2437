#include <sys/scsi/scsi.h>

#include <string.h>

#include "scsa/scsa_impl.h"

struct scsi_hba_tran *
clone_new(struct scsi_hba_tran *tran, struct scsi_device *sd)
{
	struct scsi_hba_tran *clone = kmem_alloc(sizeof(*clone), KM_SLEEP);

	/* byte for byte, padding too: drivers may compare; nothing below it is copied */
	memcpy(clone, tran, sizeof(*clone));
	clone->tran_sd = sd;
	TRACE(.kind = SCSA_EV_CLONE, .tran = clone, .dip = sd->sd_dev, .sd = sd);
	return clone;
}

void
clone_free(struct scsi_hba_tran *clone)
{
	TRACE(.kind = SCSA_EV_CLONE_FREE, .tran = clone, .sd = clone->tran_sd);
	kmem_free(clone, sizeof(*clone));
}
