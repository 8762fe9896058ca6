# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Sourced by each device script: locates the framework, and reads it.
# A caller's variable of that name would take the place of bash's own.
[[ ${BASH_SOURCE@a} != *x* ]] || exec env -u BASH_SOURCE "$BASH" -p -- "$0" "$@"
# `make install` puts the installed paths into the next three lines.
hotplug_common=${BASH_SOURCE[0]%/*}/../common
hotplug_helper=${BASH_SOURCE[0]%/*}/../../helpers/xen-hotplug
hotplug_config=${BASH_SOURCE[0]%/*}/../hotplug.conf

# The helper is the parent of every script, and hears what it asks on descriptor 3.
# A script whose first line does not name the helper starts it here, and is
# started again by it, with its process id in hotplug_parent: neither a script
# that this one calls, nor a caller's own variable, has that of its parent.
if [[ ${hotplug_parent-} != "$PPID" || ! -S /proc/self/fd/3 ]]; then
	[[ ! -x $hotplug_helper ]] || exec "$hotplug_helper" call "$0" "$@"
	printf '%s\n' "The helper $hotplug_helper cannot be started; see whether it is installed and executable." >&2
	exit 1
fi

# shellcheck source=../common/framework.sh
. "$hotplug_common/framework.sh"
