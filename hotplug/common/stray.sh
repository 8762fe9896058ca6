# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Stands for the script of a device that is stale (undo.sh) or checked, and has none: an
# older version noted none in the journal, or it was removed, or the journal is lost. It
# knows the framework's own resources, and takes those of the device from its journal.

hotplug_common=${BASH_SOURCE[0]%/*}
# shellcheck disable=SC2034 # config.sh reads it
hotplug_config=/dev/null
# shellcheck source=framework.sh
. "$hotplug_common/framework.sh"

[[ $type ]] || fail "XENBUS_PATH is ${XENBUS_PATH@Q}, which is no device's path; start this script by xen-hotplug gc."
if [[ $type == vif ]]; then
	device vif 'A stale interface.'
else
	device block 'A stale disk.' "$type"
fi

hotplug "$@"
