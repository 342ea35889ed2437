#!/usr/bin/env bash
# What cmake --install puts down is what others build against: headers, pkg-config, CMake package.
. "$(dirname "$0")/lib.sh"

: "${BUILD_DIR:?names the build folder}"
DESTDIR=$dir/root cmake --install "$BUILD_DIR" >"$dir/install.log" 2>&1 || fail "$(cat "$dir/install.log")"
prefix=$dir/root$(sed -n 's/^CMAKE_INSTALL_PREFIX:[A-Z]*=//p' "$BUILD_DIR/CMakeCache.txt")

for file in sbin/scsad bin/scsactl include/scsac.h include/scsac_export.h include/scsac_ring.h share/man/man8/scsad.8 share/man/man5/scsad.conf.5 \
  share/man/man1/scsactl.1 share/man/man3/libscsac.3 share/man/man3/scsac_ring.3 share/man/man7/scsad-protocol.7 \
  share/man/man7/scsad-architecture.7 lib/systemd/system/scsad.service lib/systemd/system/scsad-iscsi.socket \
  lib/udev/rules.d/60-scsad.rules lib/sysusers.d/scsad.conf share/doc/scsad/scsad-uio.conf \
  share/bash-completion/completions/scsactl share/zsh/site-functions/_scsactl \
  include/scsa/sys/scsi/scsi.h; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done

# a client, by pkg-config
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name scsac.pc)")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR=$dir/root
cat >"$dir/client.c" <<'EOT'
#include <scsac_ring.h>
#include <stdio.h>
int main(void)
{
	struct scsac *c;
	struct scsac_list *list;
	if (scsac_new("outsider", &c) < 0 || scsac_connect(c, NULL) < 0 || scsac_list(c, &list) < 0)
		return 1;
	printf("%s\n", list->units[0].path);
	scsac_list_free(list);
	scsac_free(c);
	return 0;
}
EOT
sanitize=$(sed -n 's/^SCSAD_SANITIZE:[A-Z]*=\(..*\)/-fsanitize=\1/p' "$BUILD_DIR/CMakeCache.txt")
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD_DIR/CMakeCache.txt")
coverage=$(grep -q '^SCSAD_COVERAGE:BOOL=ON' "$BUILD_DIR/CMakeCache.txt" && echo --coverage || true)
# shellcheck disable=SC2046,SC2086
"$compiler" -Wall -Werror $sanitize $coverage -o "$dir/client" "$dir/client.c" $(pkg-config --cflags --libs scsac) ||
  fail "a client does not build"
start_daemon --disk mem:16M
library=$(dirname "$(find "$prefix" -name libscsac.so.0)")
[ "$(LD_LIBRARY_PATH=$library "$dir/client")" = soft0/iport0/disk@0,0 ] || fail "the client does not work"

# a driver's source, against the published headers
cat >"$dir/driver.c" <<'EOT'
#include <sys/scsi/scsi.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>
static int
drv_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	pkt->pkt_reason = CMD_DEV_GONE;
	(void)ap;
	scsi_hba_pkt_comp(pkt);
	return (TRAN_ACCEPT);
}
int
drv_setup(dev_info_t *dip, ddi_dma_attr_t *attr)
{
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);

	tran->tran_start = drv_start;
	return (scsi_hba_attach_setup(dip, attr, tran, SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB));
}
EOT
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name scsa.pc)")
# shellcheck disable=SC2046
"$compiler" -std=gnu17 -Wall -Werror -fPIC -shared -o "$dir/driver.so" "$dir/driver.c" $(pkg-config --cflags scsa) ||
  fail "a driver does not build"

# a project of CMake
mkdir "$dir/project"
cat >"$dir/project/CMakeLists.txt" <<'EOT'
cmake_minimum_required(VERSION 3.25)
project(outsider C)
find_package(scsac REQUIRED)
add_executable(client ../client.c)
target_link_libraries(client scsac::scsac)
EOT
cmake -G Ninja -S "$dir/project" -B "$dir/project/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler" \
  -DCMAKE_C_FLAGS="$sanitize $coverage" >"$dir/cmake.log" 2>&1 &&
  cmake --build "$dir/project/build" >>"$dir/cmake.log" 2>&1 || fail "$(tail -20 "$dir/cmake.log")"
stop_daemon
