#!/usr/bin/env bash
# CHAP from secret files: one way and mutual, wrong secrets refused, discovery asks by itself. Secrets
# are never shown.
. "$(dirname "$0")/iscsi.sh"
need iscsi-inq libiscsi-bin
need iscsi-ls libiscsi-bin

umask 077
printf 'initiatorsecret1' >"$dir/secret"
printf 'targetssecret002' >"$dir/mutual"
printf 'discoverysecret3' >"$dir/discovery"
{
  base_config mem:16M,serial=ONE
  cat <<EOT
    chap: [ "both" ]
chap:
  - { name: "both", user: "alice", secret_file: "$dir/secret", mutual_user: "scsad", mutual_secret_file: "$dir/mutual" }
  - { name: "finders", user: "finder", secret_file: "$dir/discovery" }
discovery:
  chap: [ "finders" ]
EOT
  export_config 0 ONE
} >"$dir/scsad.conf"
start_daemon --config "$dir/scsad.conf"
at=$(portal 0)

# inq STATUS USER SECRET [TARGET_USER TARGET_SECRET] - log in; 0 or anything else
inq() {
  local want=$1 status=0 tail=
  [ $# -lt 5 ] || tail="?target_user=$4&target_password=$5"
  iscsi-inq "iscsi://$2%$3@$at/$target/0$tail" >"$dir/inq" 2>&1 || status=$?
  if [ "$want" = 0 ]; then
    [ "$status" = 0 ] || fail "$2 is refused: $(cat "$dir/inq")"
  else
    [ "$status" != 0 ] || fail "$2 with '$3' is let in"
  fi
}
inq 0 alice initiatorsecret1
inq 1 alice initiatorsecret2
inq 1 alice initiatorsecret
inq 1 mallory initiatorsecret1
inq 1 alice targetssecret002
inq 1 finder discoverysecret3
iscsi-inq "iscsi://$at/$target/0" >"$dir/inq" 2>&1 && fail "nobody in particular is let in"

# mutual: the target proves itself, or the initiator leaves
inq 0 alice initiatorsecret1 scsad targetssecret002
inq 1 alice initiatorsecret1 scsad wrongsecret12345
inq 1 alice initiatorsecret1 other targetssecret002

# discovery has an account of its own
expect 0 "Target:$target" iscsi-ls "iscsi://finder%discoverysecret3@$at"
for who in "" alice%initiatorsecret1@ finder%wrongsecret12345@; do
  status=0
  iscsi-ls "iscsi://$who$at" >"$dir/ls" 2>&1 || status=$?
  grep -q "Target:" "$dir/ls" && fail "discovery as '$who' lists: $(cat "$dir/ls")"
done

# nothing shows a secret
ctl --json chap list >"$dir/shown"
ctl -v status >>"$dir/shown"
for secret in initiatorsecret1 targetssecret002 discoverysecret3; do
  grep -q "$secret" "$dir/shown" "$dir/scsad.log" && fail "a secret is shown"
done

# a secret that others may read is refused, and so is one that is too short
chmod 644 "$dir/secret"
expect 102 "" "$SCSAD_BIN" --config "$dir/scsad.conf" --check
chmod 600 "$dir/secret"
printf 'short' >"$dir/secret"
expect 102 "" "$SCSAD_BIN" --config "$dir/scsad.conf" --check
stop_daemon
