/*
 * sys/scsi/generic/message.h - messages of the parallel bus that outlived it
 *
 * What      Task attribute codes, which later transports kept, and a few more by name.
 * Source    SPI-5, scsi_mname(9F)
 */
#ifndef SYS_SCSI_GENERIC_MESSAGE_H
#define SYS_SCSI_GENERIC_MESSAGE_H

#define MSG_COMMAND_COMPLETE	0x00
#define MSG_EXTENDED		0x01
#define MSG_SAVE_DATA_PTR	0x02
#define MSG_RESTORE_PTRS	0x03
#define MSG_DISCONNECT		0x04
#define MSG_INITIATOR_ERROR	0x05
#define MSG_ABORT		0x06
#define MSG_REJECT		0x07
#define MSG_NOP			0x08
#define MSG_MSG_PARITY		0x09
#define MSG_LINK_CMPLT		0x0a
#define MSG_LINK_CMPLT_FLAG	0x0b
#define MSG_DEVICE_RESET	0x0c
#define MSG_ABORT_TAG		0x0d
#define MSG_CLEAR_QUEUE		0x0e
#define MSG_INITIATE_RECOVERY	0x0f
#define MSG_RELEASE_RECOVERY	0x10
#define MSG_TERMINATE_PROCESS	0x11
#define MSG_SIMPLE_QTAG		0x20
#define MSG_HEAD_QTAG		0x21
#define MSG_ORDERED_QTAG	0x22
#define MSG_IGNORE_WIDE_RESID	0x23
#define MSG_IDENTIFY		0x80

#endif /* SYS_SCSI_GENERIC_MESSAGE_H */
