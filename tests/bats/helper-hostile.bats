#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The helper against a store that answers nonsense: no crash, no hang, a documented exit status, and
# one sentence.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	b=backend/vbd/3/$devid
	device 4
	image disk.img
}

teardown() {
	helper_teardown
}

# survives <statuses> <command>...
# The helper ends with one of these, with nothing or one sentence.
survives() {
	status=0
	timeout --signal KILL "$generous" "$helper" "${@:2}" >out 2>err 3>&- || status=$?
	((status != 137)) || {
		echo "hangs: ${*:2}"
		return 1
	}
	mapfile -d '' -t reply <out
	error=$(<err)
	[[ $1 == *"$status"* ]] || {
		echo "status $status of ${*:2}: $error"
		return 1
	}
	((status == 0)) || ended "$status" '*'
}

# each <request> <statuses> <command>...
# The command survives each fault in that request. Counts in the caller's tried.
each() {
	local fault faults=(garbage badtype badid oversize short drop drop-after delay:20
		EIO EACCES EINVAL E2BIG ENOSYS EISCONN ENOSPC EEXIST)
	[[ ! ${empty-yes} ]] || faults+=(empty)
	for fault in "${faults[@]}"; do
		sampled || continue
		echo "fault $1=$fault"
		store_fault "$1=$fault"
		survives "${@:2}"
		tried=$((tried + 1))
	done
	echo "fault $1=hang"
	store_fault "$1=hang"
	# Requests that were sent ahead may be answered all the same, which makes no sense then.
	survives '1 5' "$3" --deadline 0.3 "${@:4}"
}

@test "load survives every fault in any answer" {
	local tried=0
	each read@1 '0 1 5' load "$b" frontend frontend-id mode
	each read@2 '0 1 5' load "$b" frontend frontend-id mode
	each read@3 '0 1 5' load "$b" frontend frontend-id mode
	say_tried "$tried" faults 51
}

@test "publish survives every fault in any answer, and reports success only if it succeeded" {
	local request tried=0
	for request in transaction_start@1 read@1 write@1 write@2 rm@1 transaction_end@1; do
		each "$request" '0 1 3 5' publish "$b" one=1 two=2 three
		store_fault_none
	done
	say_tried "$tried" faults 102
}

@test "a publish cut off before its commit has written nothing" {
	local fault
	for fault in write@2=drop write@2=garbage transaction_end@1=drop; do
		store_fault "$fault"
		survives 1 publish "$b" one=1 two=2
		store_fault_none
		lacks "$home/$b/one"
	done
}

@test "claim survives every fault in any answer, and claims nothing" {
	local loop request tried=0
	loop=$(losetup -f --show disk.img)
	give 3 "$loop"
	local empty= # an empty directory, or an empty value, is a good answer
	for request in directory@1 directory@2 read@1 read@2 read@3 read:*/vm@1; do
		each "$request" '1 4 5' claim --device "vbd/4/$devid" --mode w "$loop"
	done
	say_tried "$tried" faults 96
}

@test "hostile names and values of the store are escaped in the sentence" {
	claim 3 w "$PWD/disk.img"
	store_set /local/domain/3/name "$(printf 'a\n\x1b[2J\xff%%n%%s')" "$home/$b/dev" "$(printf 'x\tb\n%04000d' 0)"
	claim 4 w "$PWD/disk.img"
	ended 4 "*by guest 'a\\\\n\\\\x1b\[2J\\\\xff%n%s' (domain 3) as x\\\\tb\\\\n000*…;*"
	((${#error} <= 1100))
}

@test "hostile names of nodes count as no guest" {
	local loop name
	loop=$(losetup -f --show disk.img)
	for name in -1 0x5 99999999999999999999 5x abc 40000 @x; do
		store_set "$home/backend/vbd/$name/$devid/physical-device" "$(stat -c %t:%T "$loop")" \
			"$home/backend/vbd/7/$name/physical-device" "$(stat -c %t:%T "$loop")"
	done 2>err || :
	xenstore-rm "$home/backend/vbd/7/40000"
	claim 3 w "$loop"
	((status == 0))
}

@test "hostile tags of loop devices count as no owner" {
	local tag loop
	loop=$(losetup -f --show disk.img)
	for tag in xen-hotplug: "xen-hotplug:vbd/3/$devid" "xen-hotplug:vbd/3/$devid:1:2" \
		"xen-hotplug:vbd/3/$devid:1:2:3:4" xen-hotplug:vbd/99999/1:0:1:2 \
		"xen-hotplug:vbd/3/$devid:0:g:1" "xen-hotplug:vbd/3/$devid:0:fffffffffffffffff:1" \
		"xen-hotplug:vbd/3/$devid:123456789:1:1" "$(printf 'xen-hotplug:%063d' 0)"; do
		tag "$loop" "$tag"
		[[ $(tag_of "$loop") == xen-hotplug* ]]
		call release --device "vbd/3/$devid"
		done_with
		claim 3 w "$PWD/disk.img"
		ended 4 "*is attached to '$loop' in this host*"
	done
}

@test "load and fail pass values with every byte and of the largest size" {
	local bytes
	bytes=$(printf '%b' "$(printf '\\x%02x' {1..255})")
	survives 0 fail "$b" "$bytes" "$bytes" || ((status == 0))
	[[ $(store_get "$home/$b/hotplug-error") == *'\x01'*'\xff'* ]]
	survives '0 1' publish "$b" "key=$bytes" || :
	call load "$b" key
	((status == 0))
	[[ ${reply[0]} == "=$bytes" ]]
}

@test "a store that closes the connection before any answer is a failure" {
	store_fault 'any@1+=drop'
	survives 1 load "$b" x
	survives 1 publish "$b" x=y
}

@test "a deadline after a reported failure does not report another one" {
	local ms
	for ms in {10..100..5}; do
		# Or what the one before it had still asked for meets the fault: then this is done.
		store_fault read@1=drop
		survives '0 1 5' load --deadline "$(printf '0.%03d' "$ms")" "$b" mode
	done
}
