#!/usr/bin/env bash
# Exit statuses are those of sg3_utils, and refusals say what to do.
. "$(dirname "$0")/lib.sh"

expect 100 "scsad" ctl --socket "$dir/none.sock" list
start_daemon --disk mem:16M --disk mem:8M,readonly=1

expect 1 "" ctl frobnicate
expect 1 "" ctl read
expect 0 "" ctl readcap disk@0,0
# no such unit: 50 + ENODEV
expect 69 "no such unit" ctl readcap disk@7,0
# opcode FFh: INVALID COMMAND OPERATION CODE
expect 9 "" ctl cdb disk@0,0 "ff 00 00 00 00 00"
# READ(10) beyond the end: LBA OUT OF RANGE
expect 22 "" ctl cdb disk@0,0 "28 00 7f ff ff ff 00 00 01 00" --length 512
# INQUIRY of a page that is not there: INVALID FIELD IN CDB
expect 5 "" ctl cdb disk@0,0 "12 01 7e 00 ff 00" --length 255
# write-protected: DATA PROTECT
head -c 512 /dev/zero >"$dir/block"
expect 7 "" ctl write disk@1,0 --in "$dir/block"
# miscompare
head -c 512 /dev/urandom >"$dir/other"
expect 14 "" ctl cdb disk@0,0 "2f 02 00 00 00 00 00 00 01 00" --in "$dir/other"
# nobody at that address: probe answers "no response", which is false, not an error
expect 36 "" ctl probe soft0/iport0 9
# injected faults, each once
ctl fault add action=busy,op=0x28,count=1 --unit disk@0,0 >/dev/null
expect 26 "" ctl cdb disk@0,0 "28 00 00 00 00 00 00 00 01 00" --length 512
ctl fault add action=qfull,op=0x28,count=1 --unit disk@0,0 >/dev/null
expect 27 "" ctl cdb disk@0,0 "28 00 00 00 00 00 00 00 01 00" --length 512
ctl fault add action=check,sense=3/11/00,op=0x28,count=1 --unit disk@0,0 >/dev/null
expect 3 "" ctl cdb disk@0,0 "28 00 00 00 00 00 00 00 01 00" --length 512
ctl fault add action=drop,op=0x28,count=1 --unit disk@0,0 >/dev/null
expect 33 "" ctl cdb disk@0,0 "28 00 00 00 00 00 00 00 01 00" --length 512 --timeout 1
expect 0 "" ctl cdb disk@0,0 "28 00 00 00 00 00 00 00 01 00" --length 512
