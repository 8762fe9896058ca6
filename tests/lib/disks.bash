# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# All that disks of any script can come from. Sourced by bats files, after host.bash.

# shellcheck source=dmsetup.bash
. "$root/tests/lib/dmsetup.bash"
# shellcheck source=drbd.bash
. "$root/tests/lib/drbd.bash"
# shellcheck source=iscsi.bash
. "$root/tests/lib/iscsi.bash"
# shellcheck source=nbd.bash
. "$root/tests/lib/nbd.bash"
# shellcheck source=tap.bash
. "$root/tests/lib/tap.bash"

# disks_stop
# Ends the host, and then what its guests' disks came from, as far as a test has
# started it.
disks_stop() {
	local status=0
	host_stop || status=1
	[[ ! ${DMSETUP_LOG-} ]] || dmsetup_stop
	[[ ! ${DRBD_STATE-} ]] || drbd_stop
	[[ ! ${ISCSI-} ]] || iscsi_stop || status=1
	[[ ! ${nbd_server_pid-} ]] || nbd_serve_no_more
	[[ ! ${tap_control-} ]] || tap_stop
	return "$status"
}
