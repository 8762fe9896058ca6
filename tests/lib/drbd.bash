# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# DRBD resources for one test, of stand-ins/drbd-utils, which stands in
# for DRBD. Sourced by bats files, after host.bash.

# drbd_start [version]
# DRBD 8.4 or 9, for all calls from now on; on the host alpha, whose kernel has it.
drbd_start() {
	export DRBD_STATE=$BATS_TEST_TMPDIR/drbd
	mkdir -p "$DRBD_STATE" "$BATS_TEST_TMPDIR/drbd-bin"
	drbd_version "${1:-9}"
	PATH=$BATS_TEST_TMPDIR/drbd-bin:$PATH
	drbd_minors=()
	host mount -t tmpfs tmpfs /sys/module
	host mkdir /sys/module/drbd
}

# drbd_version <version>
# From now on its programs are of that one.
drbd_version() {
	local program
	export DRBD_VERSION=$1
	for program in drbdadm drbdsetup; do
		with_settings DRBD_STATE DRBD_VERSION <"$root/tests/stand-ins/drbd-utils" | program "$BATS_TEST_TMPDIR/drbd-bin/$program"
	done
}

# drbd_resource <name> [number of volumes]
# Up on both hosts, Secondary, UpToDate. Its devices have the numbers of loop
# devices, which no other test has at the same time.
drbd_resource() {
	local volume minor host
	mkdir -p "$DRBD_STATE/$1"/{alpha,beta}
	for ((volume = 0; volume < ${2:-1}; volume++)); do
		phy_device
		minor=${phy#/dev/loop}
		drbd_minors+=("$minor")
		echo "$volume $minor $phy" >>"$DRBD_STATE/$1/volumes"
	done
	for host in alpha beta; do
		: >"$DRBD_STATE/$1/$host/up"
		echo Secondary >"$DRBD_STATE/$1/$host/role"
		echo UpToDate >"$DRBD_STATE/$1/$host/disk"
	done
}

# drbd_is <resource/host/attribute> <value>
drbd_is() {
	printf '%s\n' "$2" >"$DRBD_STATE/$1"
}

# drbd_role <resource> [host]
drbd_role() {
	cat "$DRBD_STATE/$1/${2:-alpha}/role"
}

# drbd_stop
# For teardown, after host_stop.
drbd_stop() {
	local minor
	for minor in "${drbd_minors[@]}"; do
		rm -f "/dev/drbd$minor"
	done
}
