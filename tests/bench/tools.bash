# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the programs cost that a script needs besides those of the floor: each
# with the arguments and the input that our script gives it, from its start to
# its end, and nothing else. Some of them are stand-ins, which start programs of
# their own: those are no program that a script starts. Sourced by the driver.

tools=(nft iptables ip6tables ovs-vsctl iscsiadm drbdadm drbdsetup nbd-client qemu-img qemu-nbd dmsetup truncate rm tap-ctl)
tools_bin=$BATS_TEST_TMPDIR/tools-bin
tools_calls=$BATS_TEST_TMPDIR/tools-calls

# tools_stand_in
# Makes tools_bin, which has the recorder under the name of each.
tools_stand_in() {
	local tool
	mkdir -p -- "$tools_bin"
	for tool in "${tools[@]}"; do
		ln -sf -- "$root/tests/bench/recorder" "$tools_bin/$tool"
	done
}

# tools_record
# Runs line as ours, and leaves its calls of them in tools_calls.
tools_record() {
	local elapsed
	environment+=("PATH=$tools_bin:$PATH" "BENCH_RECORD=$tools_calls")
	: >"$tools_calls"
	timed "${line[@]}" || abort 'it failed'
}

# tools_time
# Prints the record of the time that they take together.
tools_time() {
	local time sum=0
	tools_record
	while read -r _ time; do
		sum=$((sum + time))
	done <"$tools_calls"
	record "$verb" time "$sum"
}

# tools_programs
# Prints the record of how many different ones they are.
tools_programs() {
	local name
	local -A names=()
	tools_record
	while read -r name _; do
		names[$name]=1
	done <"$tools_calls"
	record "$verb" programs "${#names[@]}"
}
