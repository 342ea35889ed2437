#!/usr/bin/env bash
# A real name server (isnsd) hears of targets, portals and changes, loses nothing by a kill, and
# forgets all of it when the daemon stops.
. "$(dirname "$0")/iscsi.sh"
PATH=$PATH:/usr/local/lib/scsad-tests # see packaging/install-deps
need isnsd open-isns-server
need isnsadm open-isns-utils

isnsd=
# a name, where there is one
host=127.0.0.1
if grep -q '^127\.0\.0\.1 ' < <(getent ahostsv4 localhost); then host=localhost; fi
# none that the kernel gives to those who ask for any: it must be free when the server comes back
isns_port=$((20000 + $$ % 10000))
end_isnsd() {
  [ -z "$isnsd" ] || { kill "$isnsd" && wait "$isnsd"; } 2>/dev/null || true
  isnsd=
}
trap 'status=$?; set +e; end_isnsd; (exit $status); cleanup' EXIT

has_isnsd() { (exec 3<>"/dev/tcp/127.0.0.1/$isns_port"); }
is_settled() { has_isnsd || ! kill -0 "$isnsd"; }

# start_isnsd - an empty one, always at the same port
start_isnsd() {
  rm -rf "$dir/isns"
  mkdir "$dir/isns"
  cat >"$dir/isnsd.conf" <<EOT
SourceName = iqn.2026-11.internal.e2e:isnsd
Database = $dir/isns
BindAddress = 127.0.0.1:$isns_port
ControlSocket = $dir/isnsd.control
PIDFile = $dir/isnsd.pid
RegistrationPeriod = 12
DefaultDiscoveryDomain = 1
SLPRegister = 0
Security = 0
ESIRetries = 0
EOT
  isnsd -f -4 -c "$dir/isnsd.conf" >>"$dir/isnsd.log" 2>&1 &
  isnsd=$!
  until_true is_settled
  if ! kill -0 "$isnsd" 2>/dev/null && grep -q 'Cannot resolve address' "$dir/isnsd.log"; then
    echo "skipped: isnsd takes no address of a machine that is in no network"
    exit 77
  fi
  has_isnsd || fail "isnsd does not listen: $(cat "$dir/isnsd.log")"
  cat >"$dir/isnsadm.conf" <<EOT
SourceName = iqn.2026-11.internal.e2e:looker
ServerAddress = 127.0.0.1:$isns_port
ControlSocket = $dir/isnsd.control
Security = 0
EOT
}

adm() { timeout 60 isnsadm -c "$dir/isnsadm.conf" "$@" 2>&1; }

# whoever wants to look has to be known; and it is forgotten, too
looked() { # WHAT
  adm --list "$1" >"$dir/$1"
  grep -q 'Object 0' "$dir/$1" || adm --register entity=looker initiator=iqn.2026-11.internal.e2e:looker >/dev/null || true
}

# seen WHAT TEXT / unseen WHAT TEXT - by and by
sees() { looked "$1" && grep -qF -- "$2" "$dir/$1"; }
seen() {
  by_and_by sees "$@" || fail "isnsd has no '$2' among its $1: $(cat "$dir/$1"); $(ctl status | grep isns)"
}
misses() { looked "$1" && grep -q 'Object 0' "$dir/$1" && ! grep -qF -- "$2" "$dir/$1"; }
unseen() {
  by_and_by misses "$@" || fail "isnsd still has '$2' among its $1"
}

status_is() { ctl --json status | jq -e ".isns | $1"; }
is_in() { # JQ-EXPRESSION - what status says, by and by
  by_and_by status_is "$1" || fail "$1: $(ctl --json status | jq .isns)"
}

serve() {
  { base_config mem:16M,serial=ONE && export_config 0 ONE && echo "isns: { server: \"$host:$isns_port\", entity: e2e.scsad, period_s: 12 }" &&
    echo "state_dir: $dir/state" && echo "log: { level: info }"; } >"$dir/scsad.conf"
  start_daemon --config "$dir/scsad.conf"
}

mkdir "$dir/state"
start_isnsd
serve
is_in '.registered and .entity == "e2e.scsad" and .targets == 1 and .portals == 2 and .error == ""'
expect 0 "isns" ctl status
expect 0 "1 target at 2 portals" ctl status
seen nodes "$target"
seen portals "${port0:=$(portal 0 | sed 's/.*://')}/tcp"
seen portals "$(portal 1 | sed 's/.*://')/tcp"
seen entities '"e2e.scsad"'
adm --query iscsi-name="$target" >"$dir/query"
grep -q 'Portal group tag = 1' "$dir/query" || fail "no group 1: $(cat "$dir/query")"
grep -q 'Portal group tag = 2' "$dir/query" || fail "no group 2: $(cat "$dir/query")"

# changes follow
ctl target add "$target-more" --alias More >/dev/null
ctl export add "$target-more" ONE --lun 0 >/dev/null
seen nodes "\"$target-more\""
seen nodes '"More"'
ctl export remove "$target-more,0" >/dev/null
ctl target remove "$target-more" >/dev/null
unseen nodes "\"$target-more\""
seen nodes "\"$target\""

# a daemon that was killed leaves its entity; the next one puts its own in that place
kill -KILL "$daemon"
wait "$daemon" || true
daemon=
seen portals "$port0/tcp"
serve
is_in .registered
seen portals "$(portal 0 | sed 's/.*://')/tcp"
[ "$(portal 0)" = "127.0.0.1:$port0" ] || unseen portals "$port0/tcp"

# a server that comes back with nothing hears it again
end_isnsd
is_in '.registered | not'
is_in '.error | contains("cannot be reached")'
start_isnsd
is_in .registered
seen nodes "\"$target\""

# longer than a registration lives
is_in '.since_ms > 15000'
seen nodes "\"$target\""

stop_daemon
unseen nodes "\"$target\""
grep -q "taken back" "$dir/scsad.log" || fail "the log does not tell of the end"

# the filter of calls stops nothing of it: names, interfaces, sockets
! grep -qi 'not permitted' "$dir/scsad.log" || fail "something is not permitted"
