# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a hotplug script costs: programs started and time. Needs host,
# BATS_TEST_TMPDIR and, for libxl_environment, scripts of ../lib/host.bash.

# programs <script> <argument>...
# Runs the script with the variables in the array environment, as libxl does.
# Prints how many programs that started, the script's own among them, but not
# what a tool started that it started by the recorder; what the script prints
# goes to standard error. A daemon that it leaves is not waited for (-D), and
# goes on to be traced, into the file of before. Status: the script's.
programs() {
	local trace=$BATS_TEST_TMPDIR/strace
	rm -f -- "$trace"
	host strace -D -f -qq -v -s 4096 --seccomp-bpf -e trace=execve -e status=successful -o "$trace" \
		"${environment[@]/#/--env=}" "$@" </dev/null >&2 3>&- || return
	grep 'execve(' "$trace" | grep -c -v '"BENCH_WITHIN='
}

# timed <script> <argument>...
# Runs the script likewise, from the shell itself, and sets elapsed, the
# microseconds from its fork to its end. It reads the file that the variable
# input names, if it is set; what it prints goes to the one of output. Status:
# the script's.
timed() {
	local start status=0
	now start
	(export "${environment[@]}" && exec "$@") <"${input:-/dev/null}" >"$output" 2>&1 || status=$?
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

# maximum <out-var> <number>...
maximum() {
	local number most=$2
	for number in "${@:3}"; do
		((number <= most)) || most=$number
	done
	printf -v "$1" '%s' "$most"
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

# crowd <number>
# Makes that many other guests' interfaces, ports of xenbr0, each with the
# filter that our vif-bridge gives a guest with an address of either family.
# Their guests' ids begin at 1000.
crowd() {
	local guest
	for ((guest = 1000; guest < 1000 + $1; guest++)); do
		printf 'link add vif%s.0 type veth peer name guest%s.0\nlink set vif%s.0 master xenbr0 up\n' "$guest" "$guest" "$guest"
	done | host ip -batch -
	crowd_rules "$1" | host nft -f -
}

# crowd_rules <number>
# Prints what our scripts would have nft read for them.
crowd_rules() {
	# shellcheck disable=SC2016 # the inner shell expands
	bash -c '
		hotplug_common=$1
		. "$hotplug_common/framework.sh" help
		framework_rest
		resource_find address_filter
		. "$hotplug_common/address_filter_rules.sh"
		for ((guest = 1000; guest < 1000 + $2; guest++)); do
			chain=vif$guest.0
			printf -v mac "00:16:3e:01:%02x:%02x" $((guest / 256)) $((guest % 256))
			address_filter_rules_make "$chain" "$mac" "10.1.$((guest / 256)).$((guest % 256)) fd00::$guest"
			printf "%s" "$rules"
		done
	' - "$root/hotplug/common" "$1"
}
