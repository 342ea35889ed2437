#!/usr/bin/env bash
# Out of descriptors: those who wait to be accepted cost no time, and are served when there are some again.
. "$(dirname "$0")/iscsi.sh"
serve_two --loops 1
talk first "$(url 0)"
settle first 0
address=$(portal 0)
limit=$(awk '/^Max open files/ { print $4 }' "/proc/$daemon/limits")
prlimit --pid "$daemon" --nofile="$(fds)": # and the hard limit as it is

ticks() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; }
for ((i = 0; i < 20; i++)); do exec {fd}<>"/dev/tcp/${address%:*}/${address##*:}"; waiting[i]=$fd; done
by_and_by grep -q "portal .*no connection can be accepted" "$dir/scsad.log" || fail "nothing is said about it"
before=$(ticks)
sleep 2
used=$(($(ticks) - before))
[ "$used" -lt "$(getconf CLK_TCK)" ] || fail "$used ticks of the processor in 2 s of waiting"
asked good first 0 0 000000000000

for fd in "${waiting[@]}"; do exec {fd}>&-; done
prlimit --pid "$daemon" --nofile="$limit":
talk second "$(url 0)"
settle second 0
asked good second 0 0 000000000000
stop_daemon
