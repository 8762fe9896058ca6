# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The tools that a script needs besides the programs of the floor. The recorder
# starts them: it counts a tool as one program, also a stand-in that starts
# others, and records the tool's own time.

tools=(nft ip{,6}tables{,-restore} ovs-vsctl iscsiadm drbdadm drbdsetup nbd-client qemu-nbd dmsetup truncate rm tap-ctl)
tools_bin=$BATS_TEST_TMPDIR/tools-bin
tools_calls=$BATS_TEST_TMPDIR/tools-calls

# tools_stand_in
# Makes the directory tools_bin, with the recorder under each tool's name.
tools_stand_in() {
	local tool BENCH_RECORD=$tools_calls BENCH_MEASURE=$root/tests/bench/measure.bash
	mkdir -p -- "$tools_bin"
	for tool in "${tools[@]}"; do
		with_settings BENCH_RECORD BENCH_MEASURE <"$root/tests/bench/recorder" | program "$tools_bin/$tool"
	done
}

# tools_sum <out-var of wall time> <out-var of CPU time>
# Adds up all calls in the file tools_calls.
tools_sum() {
	local one sums=(0 0)
	while read -ra one; do
		sums=($((sums[0] + one[1])) $((sums[1] + one[2])))
	done <"$tools_calls"
	printf -v "$1" '%s' "${sums[0]}"
	printf -v "$2" '%s' "${sums[1]}"
}
