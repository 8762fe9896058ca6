# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a hotplug script costs: programs started and time. Needs host,
# BATS_TEST_TMPDIR and, for libxl_environment, scripts of ../lib/host.bash.

# programs <script> <argument>...
# Runs the script with the variables in the array environment, as libxl does.
# Prints how many programs that started, the script's own among them; what
# the script prints goes to standard error. Status: the script's.
programs() {
	local trace=$BATS_TEST_TMPDIR/strace
	host strace -f -qq --seccomp-bpf -e trace=execve -e status=successful -o "$trace" \
		"${environment[@]/#/--env=}" "$@" </dev/null >&2 || return
	grep -c 'execve(' "$trace"
}

# timed <script> <argument>...
# Runs the script likewise, from the shell itself, and sets elapsed, the
# microseconds from its fork to its end. What it prints goes to the file that
# the variable output names. Status: the script's.
timed() {
	local start status=0
	now start
	(export "${environment[@]}" && exec "$@") </dev/null >"$output" 2>&1 || status=$?
	now elapsed
	elapsed=$((elapsed - start))
	return "$status"
}

# now <out-var>
# The time in microseconds.
now() {
	printf -v "$1" '%s' "${EPOCHREALTIME//[!0-9]/}"
}

# median <out-var> <number>...
median() {
	local sorted
	mapfile -t sorted < <(printf '%s\n' "${@:2}" | sort -n)
	printf -v "$1" '%s' "${sorted[${#sorted[@]} / 2]}"
}

# other_guests <number>
# Prints the nodes of that many guests with a disk each, as the store has them
# once blkback is connected: the input of mock-xenstored --load. Their ids
# begin at 1000, and their disks are no devices of this machine.
other_guests() {
	local guest
	for ((guest = 1000; guest < 1000 + $1; guest++)); do
		other_guest "$guest" "/local/domain/0/backend/vbd/$guest/51712"
	done
}

# other_guest <domid> <path>
other_guest() {
	printf '%s %s\n' "/local/domain/$1/vm" "/vm/00000000-0000-0000-0000-$1" "/local/domain/$1/name" "guest$1" \
		"/local/domain/$1/domid" "$1" "$2/frontend" "/local/domain/$1/device/vbd/51712" \
		"$2/frontend-id" "$1" "$2/online" 1 "$2/state" 4 "$2/script" /etc/xen/scripts/block \
		"$2/params" "/dev/guests/disk$1" "$2/mode" w "$2/type" phy "$2/dev" xvda "$2/device-type" disk \
		"$2/removable" 0 "$2/bootable" 1 "$2/physical-device-path" "/dev/guests/disk$1" \
		"$2/hotplug-status" connected
	printf '%s fe:%x\n' "$2/physical-device" "$1"
}
