# SPDX-License-Identifier: LGPL-2.1-only
# That the tests of defects.bats can fail: Xen's own scripts, unpacked from
# Debian's package, fail every one, in a host in which they otherwise work.

load ../lib/wait

setup() {
	root=$BATS_TEST_DIRNAME/../..
	upstream=$("$root/tests/lib/upstream.sh")
	export HOTPLUG_SCRIPTS=$upstream/etc/xen/scripts
}

@test "Xen's own scripts attach an interface and a disk in the host of these tests" {
	# They lose a race for a loop device now and then (defect 8), with other tests.
	until_true bats --jobs 2 -f '^(online makes the vif a port|add of an image file publishes)' \
		"$BATS_TEST_DIRNAME/vif-bridge.bats" "$BATS_TEST_DIRNAME/block.bats"
}

@test "Xen's own scripts fail every test of a defect" {
	BATS_TEST_TIMEOUT=60 run bats --jobs 8 --formatter tap "$BATS_TEST_DIRNAME/defects.bats"
	echo "$output"
	[[ "$status" -eq 1 ]]
	run ! grep '^ok ' <<<"$output"
}
