# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Many adds of block devices at once, each of another device to another guest.
# Sourced by the driver.

# burst <who> <others> <size> <seconds>
# Guests 1 to SIZE. What is not done after so many seconds ends with this process.
burst() {
	local who=$1 size=$3 label verb=add started last failed=0
	local -A running=() # process id -> domid
	in_store device "$2"
	label=burst-$3-$2
	scripts=${directory[$who]}
	burst_prepare
	now started
	last=$started
	burst_start
	burst_wait "$4"
	burst_report
	burst_verify
	((${#running[@]})) || burst_end
}

# burst_prepare
burst_prepare() {
	local domid
	rm -rf -- "$BATS_TEST_TMPDIR/burst"
	mkdir -- "$BATS_TEST_TMPDIR/burst"
	for ((domid = 1; domid <= size; domid++)); do
		domain "$domid"
		fresh_device "$domid"
	done
}

# burst_start
# Fills running.
burst_start() {
	local domid
	for ((domid = 1; domid <= size; domid++)); do
		burst_one "$domid" &
		running[$!]=$domid
	done
}

# burst_one <domid>
# Leaves the time in a file, and what the script printed in another.
burst_one() {
	local output=$BATS_TEST_TMPDIR/burst/$1.output line environment elapsed
	script_line device "$1"
	timed "${line[@]}" && printf '%s\n' "$elapsed" >"$BATS_TEST_TMPDIR/burst/$1"
}

# burst_wait <seconds>
# Takes out of running what has ended, and sets last to when the last one did,
# or to when it was cut.
burst_wait() {
	local ended clock
	sleep "$1" &
	clock=$!
	while ((${#running[@]})); do
		wait -n -p ended "$clock" "${!running[@]}" || burst_failed "$ended"
		now last
		((ended != clock)) || return 0
		unset "running[$ended]"
	done
	kill "$clock"
}

# burst_failed <process id>
# One that fails is no reason to stop: it shows what so many cannot do. Of Xen's
# and ours alike, it says why.
burst_failed() {
	local guest=${running[$1]}
	failed=$((failed + 1))
	printf 'bench: %s: the add for guest %s failed: ' "$label" "$guest" >&2
	cat -- "$BATS_TEST_TMPDIR/burst/$guest.output" >&2
}

# burst_verify
# Each that came to its end has left a file.
burst_verify() {
	local file
	for file in "$BATS_TEST_TMPDIR"/burst/+([0-9]); do
		verify_device_attached "${file##*/}"
	done
}

# burst_report
# libxl waits 40 s for a script. What is not done has taken at least until the cut.
burst_report() {
	local times=() time slowest=0 in_time=0
	mapfile -t times < <(cat /dev/null "$BATS_TEST_TMPDIR"/burst/+([0-9]))
	for time in "${times[@]}"; do
		((time <= slowest)) || slowest=$time
		((time > 40000000)) || in_time=$((in_time + 1))
	done
	((${#running[@]} == 0)) || slowest=$((last - started))
	record burst last $((last - started))
	record burst slowest "$slowest"
	record burst 'done' $((size - ${#running[@]} - failed))
	record burst lost $((${#running[@]} + failed))
	record burst in-time "$in_time"
}

# burst_end
burst_end() {
	local domid
	for ((domid = 1; domid <= size; domid++)); do
		burst_remove "$domid"
	done
}

# burst_remove <domid>
burst_remove() {
	local line environment elapsed verb=remove
	script_line device "$1"
	timed "${line[@]}" || abort "it failed for guest $1"
}
