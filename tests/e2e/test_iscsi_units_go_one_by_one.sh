#!/usr/bin/env bash
# A unit that is pulled, or an export that is removed, goes alone: the others answer on, sessions stay
# and are told.
. "$(dirname "$0")/iscsi.sh"
serve_two
talk a "$(url 0)"
settle a 0
settle a 1
tur=000000000000
asked good a 1 0 $tur

# the disk behind LUN 1 is pulled
ctl soft target remove soft0/iport0/1 >/dev/null
heard a 0 "check 6/3f0e"
asked good a 0 0 $tur
asked "good*" a 0 512 28000000000000000100
asked "check 5/2500" a 1 0 $tur

# a new export comes, and is heard of
ctl soft target add mem:16M,serial=THREE >/dev/null
ctl export add "$target" THREE --lun 5 --access all >/dev/null
heard a 0 "check 6/3f0e"
asked good a 0 0 $tur
settle a 5
asked "good*" a 5 512 28000000000000000100

# and goes again
ctl export remove "$target" 5 >/dev/null
heard a 0 "check 6/3f0e"
asked good a 0 0 $tur
asked "check 5/2500" a 5 0 $tur
[ "$(ctl --json sessions list | jq '.sessions | length')" = 1 ] || fail "the session: $(ctl sessions list)"
stop_daemon
