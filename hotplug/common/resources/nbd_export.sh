# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An export of an NBD server for one writing guest, or for several readers. Two
# connections are two devices to the kernel; only the other devices' journals show
# that they are the same disk.

# shellcheck source=nbd_client.sh
resource_find nbd_client
library journal-read
library lib/stale

nbd_export_server='' # the host, or the path of the socket

# Set by nbd_export_identify:
nbd_export_key=''  # the export's identity
nbd_export_what='' # the export, as messages name it

nbd_export_machine='' # set by nbd_export_vm

nbd_export_arguments='HOST PORT SOCKET EXPORT MODE y|n'

# nbd_export_acquire <host, or empty> <port> <path of a socket, or empty> <export> <mode> <shared: y or n>
# Sets nbd_export_server.
nbd_export_acquire() {
	nbd_export_identify "$@"
	lock "nbd $nbd_export_key" || fail "$reason"
	[[ $6 == y || $5 == 'w!' ]] || nbd_export_ask "$nbd_export_key" "$nbd_export_what" "$5"
	# Ours from here on, because others read it under the lock.
	journal_remember "nbd $nbd_export_key" "$5"
}

# nbd_export_plan <host> <port> <path of a socket> <export> <mode> <shared>
nbd_export_plan() {
	nbd_export_identify "$@"
	[[ $6 == y || $5 == 'w!' ]] || nbd_export_ask "$nbd_export_key" "$nbd_export_what" "$5"
}

# nbd_export_expect <host> <port> <path of a socket> <export> <mode> <shared>
nbd_export_expect() {
	nbd_export_server=$1$3
}

# nbd_export_release <host> <port> <path of a socket> <export> <mode> <shared>
# Nothing to do: the claim goes with the journal.
nbd_export_release() {
	:
}

# nbd_export_identify <host> <port> <path of a socket> <export> <mode> <shared>
# Sets nbd_export_server, nbd_export_what and nbd_export_key.
nbd_export_identify() {
	[[ ! $1 || ! $3 ]] || fail "Both host= and socket= are given; leave one of them in the guest's configuration."
	[[ $1 || $3 ]] || fail "Neither host= nor socket= is given, so there is no NBD server; add one of them to the guest's configuration."
	nbd_export_server=$1$3
	nbd_client_name "$nbd_export_server" "$2"
	nbd_export_what="The NBD export '$4' of $nbd_client_server"
	# Host names are case-insensitive; a socket has no port.
	if [[ $3 ]]; then printf -v nbd_export_key '%q %q' "$3" "$4"; else printf -v nbd_export_key '%s %s %q' "${1,,}" "$2" "$4"; fi
}

# nbd_export_ask <key> <export, as messages name it> <mode>
# Fails if another guest has it, unless both only read.
nbd_export_ask() {
	local device other has
	journal_others "nbd $1"
	for device in "${!journal_theirs[@]}"; do
		IFS=- read -r _ other _ <<<"$device"
		has=${journal_theirs[$device]%!}
		[[ $other == "$domid" || $has$3 == rr ]] || nbd_export_same_vm "$other" || stale_released "$device" ||
			nbd_export_refuse "$2" "$has" "$other"
	done
}

# nbd_export_same_vm <domid>
# Is that domain a part of this guest (its device model's, or the other end of its
# migration)?
nbd_export_same_vm() {
	local ours
	nbd_export_vm "$domid"
	ours=$nbd_export_machine
	nbd_export_vm "$1"
	[[ $ours && $ours == "$nbd_export_machine" ]]
}

# nbd_export_vm <domid>
# Sets nbd_export_machine to the virtual machine that the domain is, or serves; empty
# if the store has none.
nbd_export_vm() {
	helper load "/local/domain/$1" vm target || fail "$reason"
	[[ ! ${run_reply[1]} =~ ^=([0-9]+)$ ]] || helper load "/local/domain/${BASH_REMATCH[1]}" vm || fail "$reason"
	nbd_export_machine=''
	[[ ${run_reply[0]} != =* ]] || nbd_export_machine=${run_reply[0]#=}
}

# nbd_export_refuse <export, as messages name it> <mode of the other> <domid of the other>
# Fails, after stale_released of the other's.
nbd_export_refuse() {
	[[ ! $stale_kept ]] || fail "$1 $stale_kept." busy
	local how=read-write name='a guest'
	[[ $2 != r ]] || how=read-only
	if helper load "/local/domain/$3" name && [[ ${run_reply[0]} == =* ]]; then
		quote name "${run_reply[0]#=}"
		name="guest $name"
	fi
	fail "$1 is in use, $how, by $name (domain $3); detach it there first, or share it deliberately with shared=y." busy
}
