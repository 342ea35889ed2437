#!/usr/bin/env bash
# A file store on a full file system: DATA PROTECT, space allocation failed; what was written before
# stays; when space returns, writing goes on.
. "$(dirname "$0")/lib.sh"

mkdir "$dir/small"
if ! mount -t tmpfs -o size=8M none "$dir/small" 2>/dev/null; then
  # no right to mount here: do it all in namespaces of our own
  if [ "${IN_NAMESPACE:-}" = 1 ] || ! unshare -rm true 2>/dev/null; then
    echo "skipped: no file system may be mounted here, not even in a namespace"
    exit 77
  fi
  IN_NAMESPACE=1 unshare -rm "$0"
  exit
fi
mounts+=("$dir/small")

start_daemon --disk "$dir/small/disk.img,size=16M"
head -c 2M /dev/urandom >"$dir/first"
ctl write disk@0,0 --in "$dir/first" >/dev/null
head -c 5M /dev/zero >"$dir/small/ballast"
head -c 4M /dev/urandom >"$dir/more"
expect 7 "" ctl write disk@0,0 8192 --in "$dir/more"
expect 7 "SPACE ALLOCATION FAILED" ctl write disk@0,0 8192 --in "$dir/more"
ctl read disk@0,0 0 4096 --out "$dir/back" >/dev/null
same "$dir/back" "$dir/first"
rm "$dir/small/ballast"
ctl write disk@0,0 8192 --in "$dir/more" >/dev/null
ctl read disk@0,0 8192 8192 --out "$dir/back" >/dev/null
same "$dir/back" "$dir/more"
stop_daemon
