# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The kernel's connection to an NBD server. The kernel chooses the device, and
# shows in sysfs which process connected it. That process first writes its id into
# a file, so that the device is found even after a kill, and no other device is
# disconnected.

# Seconds without an answer after which the kernel gives a server up; also the
# longest that a disconnect waits for it.
nbd_client_silence=30

nbd_client_server='' # set by nbd_client_name: the server as messages name it
nbd_client_device='' # set by nbd_client_find: the device that is connected for us (nbd0), or empty

nbd_client_arguments='HOST PORT EXPORT MODE'

# nbd_client_acquire <host, or path of a socket> <port> <export> <mode>
# Sets dev and physical_device.
nbd_client_acquire() {
	nbd_client_name "$1" "$2"
	nbd_client_open "$1" "$2" "$3" "$4" -timeout "$nbd_client_silence" ||
		nbd_client_failed "$?" "Cannot connect to the NBD server $nbd_client_server"
	nbd_client_judge "The export '$3' of the NBD server $nbd_client_server" "$4"
}

# nbd_client_name <host, or path of a socket> <port>
# Sets nbd_client_server.
nbd_client_name() {
	if [[ $1 == /* ]]; then
		quote nbd_client_server "$1"
	elif [[ $1 == *:* ]]; then
		nbd_client_server="[$1]:$2"
	else
		nbd_client_server=$1:$2
	fi
}

# nbd_client_failed <status of run> <what failed>
# Fails with the program's message, without its command line.
nbd_client_failed() {
	local said=${reason#*\' failed: }
	(($1 != 124)) || fail "$2: it does not answer; see whether it runs, and whether a firewall is in the way."
	said=${said##*\': }
	fail "$2: ${said%.}; see whether it runs, and what it exports."
}

# nbd_client_open <host, or path of a socket> <port> <export> <mode> [option of nbd-client]...
# Connects, and sets dev and physical_device. On failure run's status, with reason set.
nbd_client_open() {
	local number where=(-unix "$1")
	# nbd-client takes a name that begins with nbd for a device, but not Nbd.
	[[ $1 == /* ]] || where=("${1^}" "$2")
	[[ $4 != r ]] || where+=(-readonly)
	[[ -d /sys/module/nbd ]] || run modprobe nbd || fail "The kernel has no NBD client: $reason"
	# shellcheck disable=SC2016 # the shell that becomes nbd-client expands
	run sh -c 'echo "$$" >"$0" && exec nbd-client "$@"' "$journal_directory/nbd-$domid-$devid" "${where[@]}" -name "$3" "${@:5}" || return
	nbd_client_find
	reason='The kernel does not show which NBD device it has connected; see dmesg.'
	read -r number 2>/dev/null <"/sys/block/$nbd_client_device/dev" || return
	journal_remember device "$nbd_client_device"
	dev=/dev/$nbd_client_device
	printf -v physical_device '%x:%x' "${number%:*}" "${number#*:}"
}

# nbd_client_judge <what it is> <mode>
# Fails if the connected device cannot be the guest's disk.
nbd_client_judge() {
	local size=0 read_only=1
	read -r size 2>/dev/null <"/sys/block/${dev#/dev/}/size" || :
	((size > 0)) || fail "$1 is smaller than a sector; a disk has at least 512 bytes."
	read -r read_only 2>/dev/null <"/sys/block/${dev#/dev/}/ro" || :
	((read_only == 0)) || [[ $2 == r ]] || fail "$1 is read-only; make it writable there, or give the disk mode=r."
}

# nbd_client_release <host, or path of a socket> <port> <export> <mode>
nbd_client_release() {
	nbd_client_find
	[[ ! $nbd_client_device ]] || run nbd-client -disconnect "/dev/$nbd_client_device" || ! nbd_client_check || return
	helper forget "$journal_directory/nbd-$domid-$devid"
}

# nbd_client_sweep <host, or path of a socket> <port> <export> <mode>
nbd_client_sweep() {
	helper forget "$journal_directory/nbd-$domid-$devid"
}

# nbd_client_check <host, or path of a socket> <port> <export> <mode>
nbd_client_check() {
	nbd_client_find
	[[ $nbd_client_device ]] || reason='The NBD device is disconnected.'
	[[ $nbd_client_device ]]
}

# nbd_client_find
# Sets nbd_client_device. A device that is in the journal is not searched for again,
# because another may have the same process id later.
nbd_client_find() {
	local file pid known connected='' files=(/sys/block/nbd*/pid)
	nbd_client_device=''
	read -r pid 2>/dev/null <"$journal_directory/nbd-$domid-$devid" || return 0
	journal_recall known device
	[[ ! $known ]] || files=("/sys/block/$known/pid")
	for file in "${files[@]}"; do
		read -r connected 2>/dev/null <"$file" || continue
		file=${file%/pid}
		[[ $connected != "$pid" ]] || nbd_client_device=${file##*/}
	done
}
