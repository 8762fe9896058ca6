# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a device script sources: where the framework is, and the framework.
# `make install` puts the installed places into the next three lines.
hotplug_common=${BASH_SOURCE[0]%/*}/../common
hotplug_helper=${BASH_SOURCE[0]%/*}/../../helpers/xen-hotplug
hotplug_config=${BASH_SOURCE[0]%/*}/../hotplug.conf

# shellcheck source=../common/framework.sh
. "$hotplug_common/framework.sh"
