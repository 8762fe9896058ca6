# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Sourced by each device script: locates the framework, and reads it.
# `make install` puts the installed paths into the next three lines.
hotplug_common=${BASH_SOURCE[0]%/*}/../common
hotplug_helper=${BASH_SOURCE[0]%/*}/../../helpers/xen-hotplug
hotplug_config=${BASH_SOURCE[0]%/*}/../hotplug.conf

# shellcheck source=../common/framework.sh
. "$hotplug_common/framework.sh"
