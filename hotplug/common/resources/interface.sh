# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The guest's interface, renamed to the vifname in its configuration.

interface_patience=2 # seconds

interface_arguments='KERNEL-NAME WANTED-NAME'

# Set by interface_take: the journals of devices that had the name, whose interface is
# gone. Rules for the name remain until their detach, and would apply to the new one.
interface_former=()
interface_found='' # set by interface_find

# interface_acquire <kernel's name> <wanted name, or empty>
# Sets dev.
interface_acquire() {
	dev=$1
	[[ -e /sys/class/net/$1 ]] || interface_await "$1" ||
		fail "The interface $1 does not exist; the guest may be gone, or the module xen-netback missing."
	interface_former=()
	[[ ! $2 || $2 == "$1" ]] || interface_take "$2"
	interface_remember "$1" "$2"
	[[ ! $2 || $2 == "$1" ]] || interface_rename "$1" "$2"
}

# interface_await <name>
# In a driver domain, the script may start before the interface is there.
interface_await() {
	helper await --deadline "$interface_patience" link "$1"
}

# interface_expect <kernel's name> <wanted name, or empty>
# While the kernel's name exists, the wanted one is another interface's.
interface_expect() {
	dev=$1
	[[ ! $2 || -e /sys/class/net/$1 ]] || dev=$2
}

# interface_plan <kernel's name> <wanted name, or empty>
interface_plan() {
	[[ ! $2 || $2 == "$1" ]] || interface_take "$2"
	dev=${2:-$1}
}

# interface_release <kernel's name> <wanted name, or empty>
# Restores the kernel's name, so that the next attach finds it.
interface_release() {
	[[ $2 && $2 != "$1" && ! -e /sys/class/net/$1 ]] || return 0
	interface_is_ours "$2" || return 0
	# While ovs-vswitchd is down, a port cannot be removed from Open vSwitch.
	run ip link set dev "$2" down nomaster name "$1" || run ip link set dev "$2" down name "$1" ||
		! interface_is_ours "$2"
}

# interface_check <kernel's name> <wanted name, or empty>
interface_check() {
	interface_is_ours "${2:-$1}" || reason="The interface ${2:-$1} is gone, or another one has its name."
	[[ ! $reason ]]
}

# interface_take <name>
# Fails if another device has the name, even if its interface was renamed since: its
# rules are for the name. Releases a stale device that had it; sets interface_former.
interface_take() {
	local other
	[[ ! $1 =~ ^vif[0-9]+\.[0-9]+(-emu)?$ ]] ||
		fail "The vifname '$1' is a name that the kernel gives to interfaces itself; give the guest another vifname."
	library journal-read
	library lib/stale
	interface_former=()
	journal_others "name $1"
	for other in "${!journal_theirs[@]}"; do
		! interface_find "${journal_theirs[$other]}" ||
			fail "The vifname '$1' belongs to ${other//-//}, whose interface is called $interface_found; give one of the guests another vifname."
		stale_released "$other" || interface_former+=("$other")
	done
}

# interface_find <ifindex>
# Sets interface_found to the name of the interface; fails if there is none.
interface_find() {
	local file number
	for file in /sys/class/net/*/ifindex; do
		read -r number 2>/dev/null <"$file" || continue
		interface_found=${file%/ifindex} interface_found=${interface_found##*/}
		[[ $number != "$1" ]] || return 0
	done
	return 1
}

# interface_rename <from> <to>
# The kernel refuses a name that is taken, so two guests cannot get the same one.
interface_rename() {
	run ip link set dev "$1" down name "$2" || interface_rename_failed "$@"
	dev=$2
}

# interface_rename_failed <from> <to>
# Fails, with the kernel's reason or a clearer one.
interface_rename_failed() {
	[[ -e /sys/class/net/$1 ]] || interface_vanished "$1"
	[[ ! -e /sys/class/net/$2 ]] ||
		fail "The interface $1 cannot have the vifname '$2', because another interface has that name; give the guest another vifname."
	fail "Cannot give the interface $1 the vifname '$2': $reason"
}

# interface_remember <name> [wanted name, or empty]
# Records the ifindex, which identifies the interface under any name, because the
# kernel does not reuse the number. Others see who has the wanted name.
interface_remember() {
	local number notes
	read -r number 2>/dev/null <"/sys/class/net/$1/ifindex" || interface_vanished "$1"
	notes=(ifindex "$number")
	[[ ! ${2-} ]] || notes+=("name $2" "$number")
	journal_remember "${notes[@]}"
}

# interface_vanished <name>
# Fails: the interface existed when the attach began.
interface_vanished() {
	fail "The interface $1 vanished during the attach, probably because the guest has gone; if the guest still runs, attach the interface again."
}

# interface_takes_mtu <name> <MTU, or empty>
# Fails if it is larger than the device's maximum. Every device takes up to 1500, so
# that starts no program.
interface_takes_mtu() {
	((${2:-0} > 1500)) || return 0
	run ip -json -details link show dev "$1" || fail "Cannot read the maximum MTU of $1: $reason"
	[[ $run_output =~ \"max_mtu\":([1-9][0-9]*) ]] && ((BASH_REMATCH[1] < $2)) || return 0
	fail "$1 cannot have the MTU $2; its maximum is ${BASH_REMATCH[1]}, so set mtu=${BASH_REMATCH[1]} or less in the guest's configuration."
}

# interface_has_ipv6 <name> <MTU, or empty>
# Can it have IPv6? The kernel may have it and the interface not: by disable_ipv6, or
# because the MTU is less than 1280 (RFC 8200). Before it has its name it is vif, and
# before it is there, the default counts.
interface_has_ipv6() {
	local off=1 name=default
	[[ ! -e /sys/class/net/$vif ]] || name=$vif
	[[ ! -e /sys/class/net/$1/ifindex ]] || name=$1
	read -r off 2>/dev/null <"/proc/sys/net/ipv6/conf/$name/disable_ipv6" || return 1
	((off == 0 && (${2:-1500} >= 1280)))
}

# interface_is_ours <name>
# Is the interface of this name the one that the current resource recorded? Names
# are reused, by other guests and by the host. If nothing is recorded (another
# script attached it, or the attach was refused), xenbus identifies a vif; a tap
# cannot be identified, and goes with its QEMU.
interface_is_ours() {
	local number remembered node
	read -r number 2>/dev/null <"/sys/class/net/$1/ifindex" || return 1
	journal_recall remembered ifindex
	if [[ $remembered ]]; then
		[[ $number == "$remembered" ]]
	else
		read -r node 2>/dev/null <"/sys/class/net/$1/device/nodename" && [[ $node == "$XENBUS_PATH" ]]
	fi
}

# interface_is_plain <name>
# Fails if a firewall's rule would take the name for a pattern, such as v* or v+, or
# for a keyword.
interface_is_plain() {
	[[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_.@-]*$ ]] ||
		fail "The interface name '$1' cannot be used in firewall rules; give the guest a vifname of letters, digits and . _ @ -, beginning with a letter or digit."
}
