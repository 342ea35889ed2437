#!/usr/bin/env bash
# CHAP one way and mutual, wrong secrets on either side, header digests that have to be. Secrets are
# never shown, and lines that cannot be meant are refused before anything is attached.
. "$(dirname "$0")/gateway.sh"

umask 077
printf 'initiatorsecret1' >"$dir/secret"
printf 'targetssecret002' >"$dir/mutual"
printf 'wrongsecret12345' >"$dir/wrong"
cat >"$dir/remote0.more" <<EOT
chap:
  - { name: "both", user: "alice", secret_file: "$dir/secret", mutual_user: "scsad", mutual_secret_file: "$dir/mutual" }
EOT
echo 'chap: [ "both" ]' | remote_config 0 mem:16M,serial=ONE
remote_start 0

# logs_in STATUS OPTIONS - 0: there is a unit; 1: there is none, and the log says why
logs_in() {
  : >"$dir/scsad.log"
  start_daemon --iscsi "$(far 0 "login=60,${2}")"
  if [ "$1" = 0 ]; then
    by_and_by units_are 1 || fail "no unit with '$2'"
  else
    by_and_by log_has "not logged in" || fail "nothing is said of '$2'"
    units_are 0 || fail "a unit with '$2'"
  fi
  stop_daemon
  ! grep -q 'secret1\|secret0\|wrongsecret1' "$dir/scsad.log" || fail "a secret is shown"
}
logs_in 0 "user=alice,secret_file=$dir/secret"
logs_in 0 "user=alice,secret_file=$dir/secret,mutual_user=scsad,mutual_secret_file=$dir/mutual"
logs_in 0 "user=alice,secret_file=$dir/secret,header_digest=crc32c"
logs_in 0 "user=alice,secret_file=$dir/secret,header_digest=prefer,data_digest=none"
logs_in 1 "user=alice,secret_file=$dir/wrong"
logs_in 1 "user=mallory,secret_file=$dir/secret"
logs_in 1 "user=alice,secret_file=$dir/secret,mutual_user=scsad,mutual_secret_file=$dir/wrong"
logs_in 1 "user=alice,secret_file=$dir/secret,mutual_user=other,mutual_secret_file=$dir/mutual"
logs_in 1 "header_digest=none"

# refused by word
refused() { expect 102 "$1" "$SCSAD_BIN" --check --iscsi "$2"; }
refused "cannot be read" "$(far 0 user=alice,secret_file="$dir"/nowhere)"
refused "belong together" "$(far 0 user=alice)"
refused "can do none only" "$(far 0 data_digest=crc32c)"
refused "names no target" iscsi://127.0.0.1
refused "is no iSCSI name" iscsi://127.0.0.1/disk
refused "a user in the URL" "iscsi://alice%secret@127.0.0.1/$target"
refused "a LUN is not named" "iscsi://127.0.0.1/$target/0"
chmod 644 "$dir/secret"
refused "open to everybody" "$(far 0 user=alice,secret_file="$dir"/secret)"
