# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The host-wide settings, hotplug.conf. Read when a resource first asks for one,
# and only for an attach, because a release uses its journal.

config_names='firewall, bind_mac'
declare -gA config_type=([firewall]="choice:auto,nftables,iptables,none" [bind_mac]=bool)
declare -gA config_value=([firewall]=auto [bind_mac]=n) # the defaults, replaced by what the file has
config_known=''                                         # set once the file has been read

# config_get <out-var> <name>
# Fails the attach if the file has an error.
config_get() {
	[[ $config_known ]] || config_read
	config_known=1
	printf -v "$1" '%s' "${config_value[$2]}"
}

# config_read
# A missing file is the same as an empty one.
config_read() {
	local lines number
	[[ -e $hotplug_config ]] || return 0
	[[ -f $hotplug_config && -r $hotplug_config ]] || fail "$hotplug_config exists, but is not a readable regular file; fix or remove it."
	mapfile -t lines <"$hotplug_config"
	lines=("${lines[@]%%#*}")
	# Most hosts set nothing.
	[[ ${lines[*]} == *[![:space:]]* ]] || return 0
	for ((number = 1; number <= ${#lines[@]}; number++)); do
		config_take "Line $number of $hotplug_config" "${lines[number - 1]}"
	done
}

# config_take <which line> <line without its comment>
config_take() {
	local shown value
	[[ $2 == *[![:space:]]* ]] || return 0
	quote shown "$2"
	[[ $2 =~ ^[[:space:]]*([a-z_]+)[[:space:]]*=[[:space:]]*([^[:space:]]*)[[:space:]]*$ ]] ||
		fail "$1 is $shown, which is not 'NAME = VALUE'; correct it."
	value=${BASH_REMATCH[2]}
	set -- "$1" "${BASH_REMATCH[1]}"
	[[ ${config_type[$2]+set} ]] || fail "$1 sets $2, which is none of: $config_names; correct it."
	"type_${config_type[$2]%%:*}" "$value" "${config_type[$2]#*:}" || {
		quote shown "$value"
		fail "$1 sets $2 to $shown, which is not $expected; correct it."
	}
	config_value[$2]=$value
}
