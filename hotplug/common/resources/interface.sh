# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The guest's interface, under the name that its configuration gives it.

# interface_acquire <kernel's name> <wanted name, or empty>
# Sets dev.
interface_acquire() {
	dev=$1
	[[ -e /sys/class/net/$1 ]] ||
		fail "The interface $1 does not exist; the guest may be gone, or the module xen-netback missing."
	interface_remember "$1"
	[[ ! $2 || $2 == "$1" ]] || interface_rename "$1" "$2"
}

# interface_expect <kernel's name> <wanted name, or empty>
# As long as the kernel's name is there, the wanted one is another's.
interface_expect() {
	dev=$1
	[[ ! $2 || -e /sys/class/net/$1 ]] || dev=$2
}

# interface_plan <kernel's name> <wanted name, or empty>
interface_plan() {
	dev=${2:-$1}
}

# interface_release <kernel's name> <wanted name, or empty>
# Gives it back its name, so that an attach after this one finds it.
interface_release() {
	[[ $2 && $2 != "$1" && ! -e /sys/class/net/$1 ]] || return 0
	interface_is_ours "$2" || return 0
	# A port of an Open vSwitch that is down cannot be taken off it.
	run ip link set dev "$2" down nomaster name "$1" || run ip link set dev "$2" down name "$1" ||
		! interface_is_ours "$2"
}

# interface_check <kernel's name> <wanted name, or empty>
interface_check() {
	interface_is_ours "${2:-$1}" || reason="The interface ${2:-$1} is gone, or another one has its name."
	[[ ! $reason ]]
}

# interface_rename <from> <to>
# The kernel refuses a name that is taken, so that two guests who want one
# name cannot both have it.
interface_rename() {
	run ip link set dev "$1" down name "$2" || interface_rename_failed "$@"
	dev=$2
}

# interface_rename_failed <from> <to>
# Fails, with the kernel's reason or a better one.
interface_rename_failed() {
	[[ ! -e /sys/class/net/$2 ]] ||
		fail "The interface $1 cannot have the vifname '$2', because another interface has that name; give the guest another vifname."
	fail "Cannot give the interface $1 the vifname '$2': $reason"
}

# interface_remember <name>
# Which interface it is, whatever its name will be: the kernel gives no
# number twice.
interface_remember() {
	local number
	read -r number <"/sys/class/net/$1/ifindex"
	journal_remember ifindex "$number"
}

# interface_is_ours <name>
# Is the interface of this name the one that the current resource remembers?
# Names are used again, by other guests, and by the host. Where nothing is
# remembered (other scripts attached it, or the attach was refused) xenbus
# knows; a tap has only its name, which says nothing, and goes with its QEMU.
interface_is_ours() {
	local number remembered node
	read -r number 2>/dev/null <"/sys/class/net/$1/ifindex" || return 1
	journal_recall remembered ifindex
	if [[ $remembered ]]; then
		((number == remembered))
	else
		read -r node 2>/dev/null <"/sys/class/net/$1/device/nodename" && [[ $node == "$XENBUS_PATH" ]]
	fi
}

# interface_is_plain <name>
# Fails where a firewall's rule would take the name for something else: a
# pattern, as v* and v+ are, or a word of its own.
interface_is_plain() {
	[[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_.@-]*$ ]] ||
		fail "The interface's name '$1' has characters that a firewall's rules cannot have; give the guest a vifname of letters, digits and the characters . _ -."
}
