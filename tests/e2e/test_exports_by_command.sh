#!/usr/bin/env bash
# Exports in one line, by verbs while it runs, over a restart, and from a file that is read again.
. "$(dirname "$0")/lib.sh"

name=iqn.2001-01.com.example:disks
state=$dir/state
mkdir "$state"

refused() { # TEXT ARGUMENTS...
  local text=$1 out
  shift
  out=$("$SCSAD_BIN" --check "$@" 2>&1) && fail "scsad $* was not refused"
  grep -qF -- "$text" <<<"$out" || fail "scsad $*: '$text' is not in: $out"
}

# said TEXT - wait until the log has it
said() { by_and_by grep -q -- "$1" "$dir/scsad.log" || fail "the log does not say '$1'"; }

bound() { ctl --json status | jq -r ".portals[$1].bound"; }

# --- one line ---
refused "allow-anyone" --disk mem:1M --export 0.0.0.0:3260
refused "no address" --disk mem:1M --export nowhere:1
refused "no iSCSI name" --disk mem:1M --export 127.0.0.1:0,disks
refused "second target" --disk mem:1M --export "127.0.0.1:0,$name" --export "[::1]:0,iqn.2001-01.com.example:b"
"$SCSAD_BIN" --check --disk mem:1M --export 0.0.0.0:0 --allow-anyone >/dev/null || fail "--allow-anyone"
"$SCSAD_BIN" --socket "$dir/x.sock" --export 127.0.0.1:0 --demo --check >/dev/null || fail "--demo --export"

start_daemon --disk mem:1M --disk mem:2M --state-dir "$state" --export "127.0.0.1:0,$name"
said 'at 127.0.0.1:[1-9]'
portal=$(bound 0)
[[ $portal == 127.0.0.1:[1-9]* ]] || fail "no port was picked: $portal"
expect 0 "$portal" ctl status
[ "$(ctl --json export list | jq -r '.exports[1] | "\(.target) \(.lun) \(.path)"')" = \
  "$name 1 soft0/iport0/disk@1,0" ] || fail "the second disk is not LUN 1"

# --- by verbs ---
b=iqn.2001-01.com.example:b
expect 0 "" ctl target add $b --alias "two words" --window 16
expect 0 "$b,0" ctl export add $b disk@1,0
expect 1 "open to other machines" ctl portal add 0.0.0.0:0
expect 0 "" ctl acl add hosts --initiators 'iqn.2001-01.com.host:*' --addresses 127.0.0.0/8
expect 0 "$b,1" ctl export add $b disk@0,0 --acl hosts --access ro
expect 66 "is used by" ctl acl remove hosts
expect 51 "command line" ctl target remove $name
printf 'secret-of-sixteen' >"$dir/secret"
expect 0 "" ctl chap set bob --secret "$dir/secret"
expect 0 "" ctl chap set bob --user Bobby
grep -q secret-of < <(ctl chap list --json) && fail "a secret was told"
expect 1 "12 to 255" ctl chap set eve --secret /dev/null
[ "$(stat -c %a "$state"/secrets/*)" = 600 ] || fail "secrets can be read by others"
grep -q secret-of "$state/exports.yaml" && fail "a secret is in exports.yaml"
expect 0 "" ctl export set $b,0 --weight 4
expect 1 "1 to 64" ctl export set $b,0 --weight 65
expect 0 "" ctl unit set disk@0,0 --depth 8 --recover-bus 0
expect 0 "" ctl unit set disk@0,0 --command-timeout 90
expect 1 "0 to 65535" ctl unit set disk@0,0 --depth -1
[ "$(ctl --json unit show disk@0,0 | jq -c '[.depth, .command_timeout, .recover_bus, .recover_hba, .alua]')" = \
  '[8,90,0,30,"emulate"]' ] || fail "the unit is $(ctl --json unit show disk@0,0)"
before=$(ctl --json target show $b | jq -c 'del(.tool)')

# --- a restart ---
stop_daemon
start_daemon --disk mem:1M --disk mem:2M --state-dir "$state" --export "127.0.0.1:0,$name"
[ "$(ctl --json target show $b | jq -c 'del(.tool)')" = "$before" ] || fail "the target is another one"
[ "$(ctl export list --names | sort | sed -n 1,2p | tr '\n' ' ')" = "$b,0 $b,1,hosts " ] ||
  fail "exports: $(ctl export list --names)"
[ "$(ctl chap list --names)" = bob ] || fail "no account"
[ "$(ctl --json export list | jq -r ".exports[] | select(.name == \"$b,0\") | .weight")" = 4 ] ||
  fail "the weight is not kept"
[ "$(ctl --json unit list | jq -c '[.units[].depth]')" = "[8]" ] || fail "the depth is not kept"
expect 0 "" ctl unit remove disk@0,0
[ -z "$(ctl unit list --names)" ] || fail "the unit has options yet"

# --- initiators ---
if command -v iscsi-inq >/dev/null; then
  portal=$(bound 0)
  iscsi-inq "iscsi://$portal/$b/0" >"$dir/inq" || fail "iscsi-inq: $(cat "$dir/inq")"
  grep -q CONNECTED "$dir/inq" || fail "LUN 0 does not answer"
  ctl target set $b --chap bob
  iscsi-inq "iscsi://$portal/$b/0" >/dev/null 2>&1 && fail "a login without CHAP"
  iscsi-inq "iscsi://Bobby%secret-of-sixteen@$portal/$b/0" >/dev/null || fail "a login with CHAP"
  iscsi-inq -i iqn.2001-01.com.host:x "iscsi://Bobby%secret-of-sixteen@$portal/$b/1" >"$dir/inq" ||
    fail "LUN 1 for hosts"
  grep -q CONNECTED "$dir/inq" || fail "LUN 1 does not answer to hosts: $(cat "$dir/inq")"
  ctl discovery --chap bob
  iscsi-ls "iscsi://$portal" >/dev/null 2>&1 && fail "discovery without CHAP"
  iscsi-ls "iscsi://Bobby%secret-of-sixteen@$portal" >"$dir/ls" || fail "discovery with CHAP"
  grep -q "$b" "$dir/ls" || fail "SendTargets does not tell $b"
fi
expect 0 "" ctl target set $b --chap ''
expect 0 "" ctl target remove --force $b
stop_daemon

# --- a file, read again ---
cat >"$dir/conf" <<END
hbas:
  - driver: soft
    disks: [mem:1M]
portals:
  - address: 127.0.0.1:0
targets:
  - name: $name
exports:
  - {target: "$name", lun: 0, unit: "disk@0,0"}
END
start_daemon --config "$dir/conf"
[ "$(ctl target list --names)" = $name ] || fail "targets: $(ctl target list)"
echo "acls: [{name: all, initiators: ['*']}]" >>"$dir/conf"
expect 0 "" ctl reload
[ "$(ctl acl list --names)" = all ] || fail "the file was not read again"
expect 51 "administrator" ctl acl remove all
echo "groups: [{tag: x}]" >>"$dir/conf"
expect 1 "$dir/conf:11:16: " ctl reload
kill -HUP "$daemon"
said 'reload:.*everything stays'
expect 0 "until scsad ends" ctl target add $b
stop_daemon
