#!/usr/bin/env bash
# the filter of the systemd unit lets through every call that a daemon makes, from start to end
. "$(dirname "$0")/lib.sh"

: "${BUILD_DIR:?names the build folder}"
for tool in systemd-analyze strace setpriv; do
  if ! command -v "$tool" >/dev/null; then
    echo "SKIPPED: there is no $tool"
    exit 77
  fi
done
if instrumented; then
  echo "SKIPPED: a sanitizer makes calls of its own"
  exit 77
fi

# calls of a set of systemd's, sets in it resolved
calls_of() {
  local todo=$1 set line
  while [ -n "$todo" ]; do
    set=${todo%% *}
    todo=${todo#"$set"}
    todo=${todo# }
    case $set in
    @*) while read -r line; do
      case $line in
      '' | '#'* | "$set") ;;
      @*) todo="$line${todo:+ $todo}" ;;
      *) echo "$line" ;;
      esac
    done < <(systemd-analyze syscall-filter --no-pager "$set") ;;
    *) echo "$set" ;;
    esac
  done | sort -u
}

# the lines of the unit, in their order: the first allows, '~' takes away, others add
calls_of "@default" >"$dir/allowed"
while read -r words; do
  case $words in
  '~'*) comm -23 "$dir/allowed" <(calls_of "${words#\~}") ;;
  *) sort -u "$dir/allowed" <(calls_of "$words") ;;
  esac >"$dir/next"
  mv "$dir/next" "$dir/allowed"
done < <(sed -n 's/^SystemCallFilter=//p' "$BUILD_DIR/packaging/scsad.service")
[ "$(wc -l <"$dir/allowed")" -gt 100 ] || fail "the unit's filter cannot be read"
grep -qx mount "$dir/allowed" && fail "the unit allows mount(2)"

# without rights, as in the unit
run=() user=$(id -un)
if [ "$(id -u)" = 0 ]; then
  user=nobody
  run=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
  chmod 711 "$dir"
  lend "$user"
fi

truncate -s 8M "$dir/disk.img"
cat >"$dir/scsad.conf" <<END
state_dir: $dir/state
socket: {path: $SCSAD_SOCKET, group: $(id -gn "$user")}
hbas: [{driver: soft, disks: ["$dir/disk.img", "mem:1M"]}]
portals: [{address: "127.0.0.1:0"}]
END
chown -R "$user" "$dir"
"${run[@]}" strace -f -qq -o "$dir/calls" "$SCSAD_BIN" --config "$dir/scsad.conf" >"$dir/scsad.log" 2>&1 &
tracer=$!
if ! ctl status --wait 60 >/dev/null; then
  wait "$tracer" || true
  if [ ! -s "$dir/calls" ]; then
    echo "SKIPPED: strace may not trace here"
    exit 77
  fi
  fail "no daemon: $(cat "$dir/scsad.log")"
fi
pid=$(ctl status --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
ctl write disk@0,0 0 --in "$dir/scsad.conf" >/dev/null 2>&1 || true
ctl read disk@0,0 0 8 --out "$dir/out" >/dev/null 2>&1
ctl soft target add mem:2M >/dev/null
ctl acl add someone --addresses 192.0.2.0/24 >/dev/null
kill -HUP "$pid"
ctl reload >/dev/null
kill -TERM "$pid"
wait "$tracer" || fail "the daemon ended with $?"

sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' "$dir/calls" | sort -u >"$dir/made"
refused=$(comm -13 "$dir/allowed" "$dir/made" | tr '\n' ' ')
[ -z "$refused" ] || fail "the unit does not allow: $refused"
echo "$(wc -l <"$dir/made") different calls, all allowed"
