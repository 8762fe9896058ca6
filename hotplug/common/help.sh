# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The help of a script, from its declaration.

# help_device
help_device() {
	local name
	printf '%s: %s\n\n' "$hotplug_name" "$device_about"
	help_introduce
	[[ ! $target_type ]] || printf '  target  (%s) %s\n' "$target_type" "$target_about"
	for name in "${parameters[@]}"; do
		help_parameter "$name"
	done
	((${#parameters_tools[@]} == 0)) || printf '\nNeeds: %s\n' "${parameters_tools[*]}"
	printf '\nFor a person, with XENBUS_PATH set: %s check, %s plan.\n' "$hotplug_name" "$hotplug_name"
}

# help_introduce
# Where the values are that are printed next.
help_introduce() {
	case $device_kind:$target_type in
	vif:*) printf 'An interface with script=%s has these nodes, in addition to vifname and mtu:\n' "$hotplug_name" ;;
	block:) printf 'The target of a disk with script=%s is a list, name=value,name=value, of:\n' "$hotplug_name" ;;
	*) printf 'The target of a disk with script=%s is one value:\n' "$hotplug_name" ;;
	esac
}

# help_parameter <name>
help_parameter() {
	local default=', must be given'
	[[ ! ${parameter_default[$1]+set} ]] || default="${parameter_default[$1]:+, default ${parameter_default[$1]}}"
	printf '  %s  (%s%s) %s\n' "$1" "${parameter_type[$1]}" "$default" "${parameter_about[$1]}"
}
