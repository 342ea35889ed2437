#!/usr/bin/env bash
# what is started as root serves as another user: no capability, no way back, what is open stays open
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: only root can give up rights"
  exit 77
fi

user=nobody
chmod 711 "$dir"
lend "$user"
mkdir -m 700 "$dir/private"
mkdir -m 755 "$dir/run"
chown "$user" "$dir/run"
truncate -s 8M "$dir/private/disk.img" "$dir/private/other.img"
chmod 600 "$dir"/private/*.img
export SCSAD_SOCKET=$dir/run/scsad.sock

# config PORT - a portal that only root may open, state that the user will change
config() {
  cat >"$dir/scsad.conf" <<END
user: $user
state_dir: $dir/state
hbas:
  - driver: soft
    name: shelf
    disks:
      - $dir/private/disk.img,serial=KEPT
portals:
  - address: $own_address:$1
targets:
  - name: iqn.2001-01.com.example:rights
exports:
  - {target: "iqn.2001-01.com.example:rights", lun: 0, unit: "disk@0,0", allow_anyone: yes}
END
}

port=860 # below 1024, and iSCSI's
config "$port"
start_daemon --config "$dir/scsad.conf" --log-level info

# each of its threads: ids, groups, five capability sets, no new privileges, a filter
uid=$(id -u "$user") gid=$(id -g "$user")
for status in /proc/"$daemon"/task/*/status; do
  awk -v uid="$uid" -v gid="$gid" '
    function bad(what) { print "thread: " what ": " $0; failed = 1 }
    /^Uid:/ { for (i = 2; i <= 5; i++) if ($i != uid) bad("user") }
    /^Gid:/ { for (i = 2; i <= 5; i++) if ($i != gid) bad("group") }
    /^Groups:/ { for (i = 2; i <= NF; i++) if ($i == 0) bad("groups") }
    /^Cap(Inh|Prm|Eff|Bnd|Amb):/ { n++; if ($2 !~ /^0+$/) bad("capabilities") }
    /^NoNewPrivs:/ { if ($2 != 1) bad("new privileges") }
    /^Seccomp:/ { if ($2 != 2) bad("filter") }
    END { exit failed || n != 5 }' "$status" || fail "rights are left: $status"
done

# no core file, no look inside: its entries in /proc are root's
closed() { instrumented || [ "$(stat -c %u "/proc/$daemon/maps")" = 0 ] || fail "$1 can be looked into"; }
closed "who was root"

# what was opened as root is used
head -c 4096 /dev/urandom >"$dir/data"
ctl write shelf/iport0/disk@0,0 0 --in "$dir/data" >/dev/null
ctl read shelf/iport0/disk@0,0 0 8 --out "$dir/back" >/dev/null
same "$dir/data" "$dir/back"
cmp -n 4096 "$dir/data" "$dir/private/disk.img" || fail "the image does not have the data"
if command -v iscsi-inq >/dev/null; then
  iscsi-inq "iscsi://$own_address:$port/iqn.2001-01.com.example:rights/0" >/dev/null ||
    fail "the port below 1024 does not serve"
fi

# what root could open now cannot be
expect 63 "may not be opened" ctl soft target add "$dir/private/other.img"
# what it keeps belongs to it
ctl acl add later --address 192.0.2.0/24 >/dev/null
[ "$(stat -c %U "$dir/state/exports.yaml")" = "$user" ] || fail "exports.yaml is not the user's"
stop_daemon
[ ! -e "$SCSAD_SOCKET" ] || fail "the socket stays behind"

# files that root has left there are given over
chown root "$dir/state/exports.yaml"
start_daemon --config "$dir/scsad.conf" --log-level info
ctl acl remove later >/dev/null
stop_daemon

# who is that user from the start keeps to it, too
cp "$dir/scsad.conf" "$dir/mine.conf"
sed -i "s,state_dir: .*,state_dir: $dir/run,; s,$own_address:.*,$own_address:0,; s,- $dir.*,- mem:8M," "$dir/mine.conf"
setpriv --reuid="$user" --regid="$gid" --clear-groups "$SCSAD_BIN" --socket "$SCSAD_SOCKET" --config "$dir/mine.conf" \
  >>"$dir/scsad.log" 2>&1 &
daemon=$!
ctl status --wait 60 >/dev/null || fail "the user cannot start it"
closed "who was nobody else"
stop_daemon

# nobody who cannot become it, and not root
sed -i "s/^user: .*/user: root/" "$dir/scsad.conf"
"$SCSAD_BIN" --socket "$SCSAD_SOCKET" --config "$dir/scsad.conf" >>"$dir/scsad.log" 2>&1 &
daemon=$!
ctl status --wait 60 >/dev/null || fail "root may stay root"
stop_daemon
grep -q "now user '$user', with no capability" "$dir/scsad.log" || fail "nothing is told"
echo "every right given up, what was open works"
