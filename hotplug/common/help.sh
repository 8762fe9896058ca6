# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The help of a script, which the helper makes of its declaration.

# help_device
help_device() {
	helper describe "$hotplug_name" "$device_kind" "$device_about" "${parameters_tools[*]}" "${parameters_declared[@]}" || fail "$reason"
	printf '%s\n' "${run_reply[@]}"
	resources_look
}
