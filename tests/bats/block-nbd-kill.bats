# SPDX-License-Identifier: LGPL-2.1-only
# block-nbd and block-qcow2, killed at any moment, and with each of their
# programs failing: the detach that follows leaves nothing.

load ../lib/host
load ../lib/enumerate
load ../lib/nbd

setup() {
	host_start
	domain 1
	nbd_start
}

teardown() {
	report_moment
	nbd_stop
}

# disk_is nbd|relay|qcow2
# The disk that the test is about.
disk_is() {
	qemu-img create -q -f qcow2 "$nbd/base.qcow2" 4M
	qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$nbd/disk.qcow2"
	case $1 in
	nbd) subject_is vbd block-nbd host=127.0.0.1,export=disk ;;
	relay) subject_is vbd block-nbd host=127.0.0.1,export=disk,reconnect=5 ;;
	qcow2) subject_is vbd block-qcow2 "file=$nbd/disk.qcow2,backing=$nbd/base.qcow2" ;;
	esac
	[[ $1 == qcow2 ]] || nbd_serve disk
	subject_nodes
}

# What enumerate.bash does with block, it does here with these.

# assert_disk_attached
assert_disk_attached() {
	assert_node "$subject_path/physical-device" 2b:0 || return
	assert_node "$subject_path/physical-device-path" /dev/nbd0 || return
	assert_node "$subject_path/hotplug-status" connected
	[[ "$(nbd_devices)" == nbd0 ]]
}

# nothing_held_but
nothing_held_but() {
	nbd_residue
}

@test "an attach of an export killed at any moment is detached without residue" {
	disk_is nbd
	killed_everywhere attach 26
}

@test "a detach of an export killed at any moment is completed by the next one" {
	disk_is nbd
	killed_everywhere detach 26
}

@test "an attach with a qemu-nbd killed at any moment is detached without residue" {
	disk_is relay
	killed_everywhere attach 30
}

@test "a detach with a qemu-nbd killed at any moment is completed by the next one" {
	disk_is relay
	killed_everywhere detach 38
}

@test "an attach of a qcow2 killed at any moment is detached without residue" {
	disk_is qcow2
	killed_everywhere attach 44
}

@test "a detach of a qcow2 killed at any moment is completed by the next one" {
	disk_is qcow2
	killed_everywhere detach 43
}

# program_fault attach|detach <program> before|after <shell code>
# The program does what the code says, before or after its work. The process
# that connects is nbd-client itself, so that no other can do its work.
program_fault() {
	local faulty=$BATS_TEST_TMPDIR/faulty
	moment="$1, $2, $3: $4"
	mkdir -p "$faulty"
	case $3:$2 in
	after:nbd-client) printf '%s\n' "$4" >"$nbd/after" ;;
	after:*) program "$faulty/$2" <<<"#!/bin/bash"$'\n'"$(type -P "$2") \"\$@\"; $4" ;;
	before:*) program "$faulty/$2" <<<"#!/bin/bash"$'\n'"$4" ;;
	esac
	libxl "$1" timeout "$in_time" env "PATH=$faulty:$PATH"
	rm -f "$faulty/$2" "$nbd/after"
}

# faulty_everywhere <program>...
# Each fails, before and after its work; so does each that the detach needs.
faulty_everywhere() {
	local what which tried=0
	sample_of $((3 * $#))
	# shellcheck disable=SC2016 # the program expands
	for what in 'before exit 1' 'after exit 1' 'after kill -KILL $$'; do
		for which; do
			sampled || continue
			subject_nodes
			program_fault attach "$which" "${what%% *}" "${what#* }"
			assert_all_or_nothing
			assert_detaches
			killed_subject detach
			program_fault detach "$which" "${what%% *}" "${what#* }"
			((ended == 0)) || assert_sentence "$(tail -n 1 "$said")"
			assert_detaches
			tried=$((tried + 1))
		done
	done
	assert_works_again
	say_tried "$tried" programs $((3 * $#))
}

@test "if a program of an export fails, before or after its work, the next detach leaves nothing" {
	disk_is nbd
	faulty_everywhere nbd-client
}

@test "if a program of a qcow2 fails, before or after its work, the next detach leaves nothing" {
	disk_is qcow2
	faulty_everywhere qemu-nbd nbd-client
}

@test "a hanging program fails an attach in time" {
	local which
	disk_is qcow2
	for which in qemu-nbd nbd-client; do
		subject_nodes
		program_fault attach "$which" before 'exec sleep infinity'
		assert_ended 1
		assert_all_or_nothing
		assert_detaches
	done
}

@test "an attach killed just after its export was connected is detached without residue" {
	disk_is nbd
	cat >"$nbd/after" <<-'END'
		# Above this one are the worker, and the parent.
		read -r _ _ _ worker _ </proc/$$/stat
		read -r _ _ _ script _ </proc/$worker/stat
		kill -KILL "$script"
	END
	libxl attach
	rm "$nbd/after"
	[[ "$ended" == 137 && "$(nbd_devices)" == nbd0 ]]
	assert_detaches
	assert_works_again
}

@test "a detach ends a server that was still starting when its script was killed" {
	disk_is relay
	kill -STOP "$nbd_server_pid"
	libxl attach timeout --signal KILL 3
	[[ "$(nbd_servers)" ]]
	assert_detaches
	kill -CONT "$nbd_server_pid"
	subject_nodes
	assert_works_again
}
