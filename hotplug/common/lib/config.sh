# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The host-wide settings, hotplug.conf. Read when a resource first asks for one,
# and only for an attach, because a release uses its journal.

config_names='firewall, bind_mac, protocols, serves'
declare -gA config_type=([firewall]="choice:auto,nftables,iptables,none" [bind_mac]=bool) # of those with a type
# The defaults, replaced by what the file has. For protocols, these are numbers.
declare -gA config_value=([firewall]=auto [bind_mac]=n [protocols]='50 132' [serves]='')
config_known='' # set once the file has been read
config_given='' # a value, which the function that checks it may replace by another form

# The IP protocols that have a name here (IANA's).
declare -gA config_protocol=([ipip]=4 [ipv6]=41 [gre]=47 [esp]=50 [ah]=51 [ospf]=89 [pim]=103 [vrrp]=112
	[l2tp]=115 [sctp]=132 [mobility]=135 [udplite]=136 [hip]=139)

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
	local shown
	[[ $2 == *[![:space:]]* ]] || return 0
	quote shown "$2"
	[[ $2 =~ ^[[:space:]]*([a-z_]+)[[:space:]]*=[[:space:]]*(.*[^[:space:]])?[[:space:]]*$ ]] ||
		fail "$1 is $shown, which is not 'NAME = VALUE'; correct it."
	config_given=${BASH_REMATCH[2]}
	set -- "$1" "${BASH_REMATCH[1]}"
	[[ ${config_value[$2]+set} ]] || fail "$1 sets $2, which is none of: $config_names; correct it."
	quote shown "$config_given"
	config_accepts "$2" "$config_given" ||
		fail "$1 sets $2 to $shown, which is not $expected; correct it."
	config_value[$2]=$config_given
}

# config_accepts <name> <value>
# Is it valid? Otherwise sets expected, like a type. May set config_given.
config_accepts() {
	case $1 in
	protocols) config_protocols "$2" ;;
	serves) config_interfaces "$2" ;;
	*) "type_${config_type[$1]%%:*}" "$2" "${config_type[$1]#*:}" ;;
	esac
}

# config_protocols <value>
# Names or numbers of IP protocols, or none. TCP, UDP, ICMP and IGMP are judged by
# other rules, and the headers that IPv6 may have before the last one are no protocols.
# Sets config_given to the numbers.
config_protocols() {
	local words word number numbers=()
	expected="none or a list such as 'esp gre 112'"
	read -ra words <<<"$1"
	((${#words[@]})) || return
	[[ $1 != none ]] || words=()
	for word in "${words[@]}"; do
		expected="none or a list such as 'esp gre 112' ($word is not one of the other IP protocols)"
		number=$word
		[[ $word != [a-z]* ]] || number=${config_protocol[$word]-}
		[[ $number =~ ^[1-9][0-9]{0,2}$ && $number != @(1|2|6|17|43|44|58|59|60) ]] && ((number <= 255)) || return
		numbers+=("$number")
	done
	config_given=${numbers[*]}
}

# config_interfaces <value>
# Names of interfaces and bridges, and MAC addresses, or none. Sets config_given.
config_interfaces() {
	local words word
	expected='none, or a list of vifnames, MAC addresses and bridges'
	read -ra words <<<"$1"
	((${#words[@]})) || return
	[[ $1 != none ]] || words=()
	for word in "${words[@]}"; do
		type_mac "$word" || type_ifname "$word" || {
			expected="none, or a list of vifnames, MAC addresses and bridges ($word is none of these)"
			return 1
		}
	done
	config_given=${words[*]}
}
