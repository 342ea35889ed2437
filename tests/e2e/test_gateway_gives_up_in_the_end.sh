#!/usr/bin/env bash
# Two targets. One goes for good: its units go when its grace is over, those of the other are not
# touched. It comes back: so do they. One that is not there at the start appears later.
. "$(dirname "$0")/gateway.sh"

remote_config 0 mem:16M,serial=ONE </dev/null
remote_config 1 mem:16M,serial=TWO </dev/null
remote_start 0
remote_start 1
remote_stop 1
start_daemon --iscsi "$(far 0 grace=1,retry=200ms)" --iscsi "$(far 1 grace=1,retry=200ms)"
until_true log_has "not logged in"
until_true units_are 1
expect 0 "${remote_at[0]}: up" ctl show iscsi0
expect 0 "refused" ctl show iscsi0
expect 0 "hba.logins" ctl show ONE
remote_start 1
until_true units_are 2
expect 0 "" ctl cdb TWO 00 00 00 00 00 00

remote_kill 0
head -c 4194304 /dev/urandom >"$dir/data"
ctl write TWO -i "$dir/data"
until_true units_are 1
until_true log_has "given up"
ctl read TWO 0 8192 -o "$dir/back"
same "$dir/data" "$dir/back"
expect 69 "no such unit" ctl inquiry ONE
remote_start 0
until_true units_are 2
expect 0 "" ctl cdb ONE 00 00 00 00 00 00
ctl read TWO 0 8192 -o "$dir/back"
same "$dir/data" "$dir/back"

# the end comes at once, whatever is there
remote_kill 0
stop_daemon
