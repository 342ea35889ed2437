#!/usr/bin/env bash
# A driver that knows the installed headers only, built as an outsider does, serves its disks; one that is
# broken is refused with the reason.
. "$(dirname "$0")/lib.sh"

: "${BUILD_DIR:?names the build folder}"
source=$(cd "$(dirname "$0")/../driver" && pwd)
DESTDIR=$dir/root cmake --install "$BUILD_DIR" >"$dir/install.log" 2>&1 || fail "$(cat "$dir/install.log")"
PKG_CONFIG_PATH=$(dirname "$(find "$dir/root" -name scsa.pc)")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR=$dir/root
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD_DIR/CMakeCache.txt")

# module NAME FILE [FLAGS...] - $dir/NAME.so
module() {
  local name=$1 file=$2
  shift 2
  # shellcheck disable=SC2046
  "$compiler" -std=gnu17 -O2 -Wall -Werror -fPIC -shared $(pkg-config --cflags scsa) "$@" -o "$dir/$name.so" "$file" ||
    fail "$name does not build"
}

# refused NAME TEXT - the daemon does not start with it, and says why
refused() {
  local name=$1 text=$2 status=0
  printf 'hbas:\n- driver: %s\n  module: %s\n' "$name" "$dir/$name.so" >"$dir/$name.conf"
  timeout 60 "$SCSAD_BIN" --socket "$SCSAD_SOCKET" --config "$dir/$name.conf" >"$dir/$name.log" 2>&1 || status=$?
  { [ "$status" != 0 ] && [ "$status" -lt 124 ]; } || fail "$name: exit status $status: $(cat "$dir/$name.log")"
  grep -qF -- "$text" "$dir/$name.log" || fail "$name: '$text' is not in: $(cat "$dir/$name.log")"
}

module ram "$source/ram.c"
cat >"$dir/scsad.conf" <<EOT
hbas:
- driver: ram
  module: $dir/ram.so
- driver: soft
  disks: ["mem:16M"]
EOT
start_daemon --config "$dir/scsad.conf"
expect 0 "ram0/ram/disk@0,0" ctl list
expect 0 "ram0/ram/disk@1,0" ctl list
expect 0 "soft0/iport0/disk@0,0" ctl list
expect 0 "RAMDRV" ctl list
expect 0 "" ctl show ram0/ram/disk@1,0

head -c 4M /dev/urandom >"$dir/random"
ctl write ram0/ram/disk@0,0 --in "$dir/random" >/dev/null 2>&1
ctl read ram0/ram/disk@0,0 --out "$dir/back" >/dev/null 2>&1
same "$dir/random" "$dir/back"
ctl read ram0/ram/disk@1,0 --out - 2>/dev/null | cmp - <(head -c 4M /dev/zero) || fail "the disks share their memory"

# resets take nothing away
for level in lun target bus; do
  expect 0 "" ctl reset $level ram0/ram/disk@0,0
  ctl read ram0/ram/disk@0,0 --out "$dir/back" >/dev/null 2>&1
  same "$dir/random" "$dir/back"
done
# who comes after a reset has lost nothing by it, and is not told of it
expect 0 "" ctl cdb ram0/ram/disk@1,0 "00 00 00 00 00 00"
stop_daemon

# what is wrong with a module is said
printf 'extern int no_such_call(void);\n#include <sys/modctl.h>\nint _init(void) { return (no_such_call()); }\nint _fini(void) { return (0); }\n' >"$dir/unbound.c"
module unbound "$dir/unbound.c"
refused unbound "no_such_call"
printf 'int nothing;\n' >"$dir/empty.c"
module empty "$dir/empty.c"
refused empty "no _init and _fini"
printf '#include <sys/modctl.h>\n#include <sys/errno.h>\nint _init(void) { return (ENODEV); }\nint _fini(void) { return (0); }\n' >"$dir/unwilling.c"
module unwilling "$dir/unwilling.c"
refused unwilling "No such device"
sed 's/^ram_attach(dev_info_t \*dip, ddi_attach_cmd_t cmd)$/&\n{\n\t(void) dip;\n\t(void) cmd;\n\tdev_err(dip, CE_WARN, "does not like this place");\n\treturn (DDI_FAILURE);\n}\n\nint\nram_attach_unused(dev_info_t *dip, ddi_attach_cmd_t cmd)/' "$source/ram.c" >"$dir/sulky.c"
module sulky "$dir/sulky.c"
refused sulky "driver did not attach"
grep -qF "does not like this place" "$dir/sulky.log" || fail "the driver's own words are lost: $(cat "$dir/sulky.log")"
refused absent "cannot open shared object file"
