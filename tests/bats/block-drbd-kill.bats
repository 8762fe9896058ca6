# SPDX-License-Identifier: LGPL-2.1-only
# block-drbd, killed at any moment, and with each of its programs failing or
# hanging: the detach that follows leaves nothing, and the resource Secondary.
# bats file_tags=waits

load ../lib/host
load ../lib/enumerate
load ../lib/drbd

setup() {
	host_start
	domain 1
	drbd_start
	drbd_resource r0
	subject_is vbd block-drbd r0
	subject_nodes
	mkdir "$BATS_TEST_TMPDIR/bin"
}

teardown() {
	local status=0
	report_moment
	host_stop || status=1
	drbd_stop
	return "$status"
}

# What enumerate.bash does with an image, it does here with a DRBD resource.

# assert_disk_attached
assert_disk_attached() {
	[[ "$(drbd_role r0)" == Primary ]]
	assert_node "$subject_path/physical-device" "$(stat -c %t:%T "$phy")"
	assert_node "$subject_path/hotplug-status" connected
}

# assert_nothing_held
assert_nothing_held() {
	local left
	left=$(nothing_held_but)
	[[ ! $left && $(drbd_role r0) == Secondary ]] || {
		echo "left behind: $left, role $(drbd_role r0)"
		return 1
	}
}

@test "an attach killed at any moment is detached without residue" {
	killed_everywhere attach 33
}

@test "a detach killed at any moment is completed by the next one" {
	killed_everywhere detach 31
}

@test "if one of its programs fails, before or after its work, the next detach leaves nothing" {
	local what which tried=0
	# shellcheck disable=SC2016 # the stand-in expands
	for what in 'exit 1' '"$real" "$@"; exit 1' '"$real" "$@"; kill -KILL $$'; do
		for which in 'drbdsetup 1' 'drbdadm 1'; do
			sampled || continue
			subject_nodes
			program_fault attach "${which% *}" "${which#* }" "$what"
			assert_all_or_nothing
			assert_detaches
			subject_nodes
			libxl attach
			libxl_goes
			program_fault detach "${which% *}" "${which#* }" "$what"
			((ended == 0)) || assert_sentence "$(tail -n 1 "$said")"
			assert_detaches
			tried=$((tried + 1))
		done
	done
	assert_works_again
	say_tried "$tried" programs 6
}

@test "a hanging program of DRBD's is killed and its work is rolled back" {
	local which
	# shellcheck disable=SC2016 # the stand-in expands
	for which in 'drbdsetup 1 exec sleep 100' 'drbdadm 1 exec sleep 100' 'drbdadm 1 "$real" "$@"; exec sleep 100'; do
		subject_nodes
		program_fault attach "${which%% *}" 1 "${which#* 1 }"
		assert_ended 1
		assert_all_or_nothing
		assert_detaches
	done
	assert_works_again
}
