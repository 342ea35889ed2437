#!/usr/bin/env bash
# A target says that it is elsewhere, for now or for good: the session is made there. Targets that send
# one another around are not followed for ever.
. "$(dirname "$0")/gateway.sh"

remote_config 1 mem:16M,serial=ONE </dev/null
remote_start 1
sed -i "s/${target}1/${target}0/" "$dir/remote1.conf"
remote_stop 1
remote_start 1

for permanent in no yes; do
  printf 'redirect: "%s"\nredirect_permanent: %s\n' "${remote_at[1]}" "$permanent" |
    remote_config 0 mem:16M,serial=DECOY
  remote_start 0
  start_daemon --iscsi "$(far 0)"
  until_true units_are 1
  expect 0 "" ctl cdb ONE 00 00 00 00 00 00
  stop_daemon
  remote_stop 0
done

# round and round
printf 'redirect: "%s"\n' "${remote_at[0]}" | remote_config 0 mem:16M,serial=DECOY
remote_start 0
start_daemon --iscsi "$(far 0)"
until_true log_has "redirected"
units_are 0 || fail "there is a unit"
stop_daemon
