# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the programs cost that a script needs besides those of the floor: started
# in its place, with the arguments and the input that it gives them. Sourced by
# the driver.

tools=(nft ovs-vsctl)
tools_bin=$BATS_TEST_TMPDIR/tools/bin

# tools_of <kind>
# Sets calls to what our script started of them for the verb, in its order, as
# files without their ends .call and .input.
tools_of() {
	calls=("$BATS_TEST_TMPDIR/tools/$1/$verb"/*.call)
	calls=("${calls[@]%.call}")
}

# tools_record <kind>
# Makes an attach and a detach of ours, for tools_of.
tools_record() {
	local who=ours label=$1 verb PATH=$tools_bin:$PATH
	tools_stand_in
	"fresh_$1" 1
	for verb in "${kind_attach[$1]}" "${kind_detach[$1]}"; do
		tools_record_call "$1"
	done
}

# tools_stand_in
tools_stand_in() {
	local tool
	mkdir -p -- "$tools_bin"
	for tool in "${tools[@]}"; do
		ln -sf -- "$root/tests/bench/recorder" "$tools_bin/$tool"
	done
}

# tools_record_call <kind>
tools_record_call() {
	local line environment elapsed
	script_line "$1" 1
	environment+=("BENCH_RECORD=$BATS_TEST_TMPDIR/tools/$1/$verb")
	rm -rf -- "$BATS_TEST_TMPDIR/tools/$1/$verb"
	mkdir -p -- "$BATS_TEST_TMPDIR/tools/$1/$verb"
	timed "${line[@]}" || abort 'it failed'
}

# tools_time <kind>
# Prints the record of the time that they take, one after the other.
tools_time() {
	local calls call words input environment=(LC_ALL=C) elapsed sum=0
	tools_of "$1"
	for call in "${calls[@]}"; do
		mapfile -d '' -t words <"$call.call"
		input=$call.input
		timed "${words[@]}" || abort "${words[0]} failed"
		sum=$((sum + elapsed))
	done
	record "$verb" time "$sum"
}

# tools_programs <kind>
# Prints the record of how many different ones they are.
tools_programs() {
	local calls call name
	local -A names=()
	tools_of "$1"
	for call in "${calls[@]}"; do
		IFS= read -r -d '' name <"$call.call"
		names[$name]=1
	done
	record "$verb" programs "${#names[@]}"
}
