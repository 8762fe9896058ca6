# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The help of a script, from its declaration.

# help_device
help_device() {
	local name
	printf '%s: %s\n\n' "$hotplug_name" "$device_about"
	"${device_kind}_help"
	[[ ! $target_type ]] || printf '  target  (%s) %s\n' "$target_type" "$target_about"
	for name in "${parameters[@]}"; do
		help_parameter "$name"
	done
	((${#parameters_tools[@]} == 0)) || printf '\nNeeds: %s\n' "${parameters_tools[*]}"
	printf '\nFor a person, with XENBUS_PATH set: %s check, %s plan.\n' "$hotplug_name" "$hotplug_name"
}

# help_parameter <name>
help_parameter() {
	local default=', must be given'
	[[ ! ${parameter_default[$1]+set} ]] || default="${parameter_default[$1]:+, default ${parameter_default[$1]}}"
	printf '  %s  (%s%s) %s\n' "$1" "${parameter_type[$1]}" "$default" "${parameter_about[$1]}"
}
