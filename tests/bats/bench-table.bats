# SPDX-License-Identifier: LGPL-2.1-only
# What make bench makes of its records: medians, tables, budgets. And how it
# knows what of the programs is a tool's.

load ../lib/host
load ../bench/measure
load ../bench/tools
load ../bench/table
load ../bench/budgets

# records <line>...
# Reads them as the driver prints them.
records() {
	figures_read < <(printf '%s\n' "$@")
}

# burst_records <size:others> <microseconds> [done] [slowest]
# Prints those of one burst of ours.
burst_records() {
	local label=burst-${1/:/-}
	printf '%s\n' "$label burst ours last $2" "$label burst ours slowest ${4-$2}" \
		"$label burst ours done ${3-${1%:*}}" "$label burst ours lost $((${1%:*} - ${3-${1%:*}}))" \
		"$label burst ours in-time ${3-${1%:*}}"
}

# bursts <size:others microseconds>...
# Reads the records of bursts, which run would have these of.
bursts() {
	local case all=()
	burst_sizes=(1 4 16 64) burst_others=(0 1000 5000) burst_cases=() burst_cut=60
	for case; do
		burst_cases+=("${case% *}")
		mapfile -t -O "${#all[@]}" all < <(burst_records "${case% *}" "${case#* }")
	done
	records "${all[@]}"
}

@test "of several records the median, the largest and their number are kept" {
	records 'image-0 add ours time 3000' 'image-0 add ours time 9000' 'image-0 add ours time 1000' 'image-0 add floor time 7'
	[[ "${figure['image-0 add ours time']}" == 3000 ]]
	[[ "${largest['image-0 add ours time']}" == 9000 ]]
	[[ "${samples['image-0 add ours time']}" == 3 ]]
	[[ "${figure['image-0 add floor time']}" == 7 ]]
}

@test "times and ratios are printed with the digits that they have, cut and not rounded" {
	local text
	milliseconds text 1099
	[[ "$text" == 1.0 ]]
	seconds text 2019999
	[[ "$text" == 2.01 ]]
	ratio text 1 3
	[[ "$text" == 0.33 ]]
}

@test "a row has a dash for what was not measured, the floor of another, and a remark" {
	records 'image-0 add floor programs 4' 'image-0 add floor time 8100' 'nbd-0 add ours programs 5' \
		'nbd-0 add ours time 31250' 'nbd-0 add tools time 12000' 'nbd-0 add upstream status 1'
	run table_row 'block-nbd add' nbd-0 add image-0 "$(table_attempt nbd 'it is old')"
	read -ra words <<<"$output"
	echo "${words[*]}"
	[[ "${words[*]}" == "block-nbd add 5 - 4 31.2 - 8.1 12.0 1/-/1/1 Xen's ends with status 1: it is old" ]]
}

@test "a script of Xen's that does not end is told from one that fails" {
	records 'tap-0 add upstream status 124'
	[[ "$(table_attempt tap 'it is old')" == "Xen's did not end in 40 s: it is old" ]]
}

@test "a budget that is exceeded counts, and a limit that nobody set does not" {
	budget one 5 5 5 5
	budget_least two 5 5 5 5
	((exceeded == 0))
	no_budget three 6 5 6 5 | grep 'above, no budget$'
	no_budget three 6 5 6 5
	((exceeded == 0))
	budget four 6 5 6 5
	budget_least five 4 5 4 5
	((exceeded == 2))
}

@test "a script may start twice the floor's programs and its tools, in the time of both" {
	records 'image-0 add floor programs 4' 'image-0 add floor time 8000' 'tap-0 add ours programs 9' \
		'tap-0 add tools programs 1' 'tap-0 add ours time 20000' 'tap-0 add tools time 4000'
	budgets_script budget block-tap '' tap-0 image-0 add
	((exceeded == 0))
	figure['tap-0 add ours programs']=10 figure['tap-0 add ours time']=20001
	budgets_script budget block-tap '' tap-0 image-0 add
	((exceeded == 2))
}

@test "throughput that holds is within the budgets, and one that falls is not" {
	bursts '1:0 100000' '4:0 200000' '16:0 800000' '64:0 4000000'
	budgets_at_once
	((exceeded == 0))
	bursts '1:0 100000' '4:0 200000' '16:0 800000' '64:0 4000001'
	budgets_at_once | grep "64 at once, 0 guests' disks, adds/s .* 15.9 .* at least 0.8 x 20.0 (16 at once) .*EXCEEDED"
}

@test "one add of all that takes more than 40 s exceeds its budget, whatever the median" {
	bursts '64:0 1000000'
	budget_slowest
	((exceeded == 0))
	mapfile -t all < <(burst_records 64:0 1000000 && burst_records 64:0 1000000 && burst_records 64:0 45000000 64 40000001)
	records "${all[@]}"
	((figure['burst-64-0 burst ours slowest'] == 1000000))
	budget_slowest
	((exceeded == 1))
}

@test "one add that fails in one of the bursts exceeds a budget" {
	bursts '16:0 1000000'
	budget_lost
	((exceeded == 0))
	mapfile -t all < <(burst_records 16:0 1000000 && burst_records 16:0 1000000 && burst_records 16:0 1000000 15)
	records "${all[@]}"
	budget_lost
	((exceeded == 1))
}

@test "a burst that was cut is shown with what was done, and one that ended with its rate" {
	bursts '16:1000 2000000' '64:1000 60000000'
	figure['burst-64-1000 burst ours done']=7 figure['burst-64-1000 burst ours in-time']=3
	run burst_row ours ours 16:1000
	read -ra words <<<"$output"
	[[ "${words[*]}" == 'ours 16 1000 2.00 2.00 8.0 1' ]]
	run burst_row ours ours 64:1000
	[[ "$output" == *'not all'*'7 done when it was cut at 60 s or all had ended, 3 of them in the 40 s that libxl waits' ]]
}

@test "with five times the guests' disks an add may take five times as long" {
	bursts '64:1000 1000000' '64:5000 5000000'
	budget_store
	((exceeded == 0))
	figure['burst-64-5000 burst ours last']=5000001
	budget_store
	((exceeded == 1))
}

# tool <name>
# A tool that starts two programs, beside the recorder.
tool() {
	tools=("$1")
	tools_stand_in
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/$1"
	chmod +x "$BATS_TEST_TMPDIR/bin/$1"
	PATH=$tools_bin:$BATS_TEST_TMPDIR/bin:$PATH
}

@test "the recorder hands on arguments, input and status, and leaves the tool's time" {
	tool sometool <<-'END'
		#!/bin/bash
		echo "$# $2 $(cat)"
		exit 7
	END
	BENCH_RECORD=$tools_calls run -7 sometool one 'two words' <<<input
	[[ "$output" == '2 two words input' ]]
	read -r name time <"$tools_calls"
	[[ "$name" == sometool && "$time" =~ ^[1-9][0-9]*$ ]]
}

@test "what a tool starts is not counted, and a daemon that it leaves is not waited for" {
	local daemon=$BATS_TEST_TMPDIR/daemon environment
	host() { "$@"; }
	tool sometool <<-'END'
		#!/bin/bash
		/bin/true
		setsid -f bash -c 'echo $$ >"$0"; exec sleep infinity' "$1" </dev/null >/dev/null 2>&1 3>&-
	END
	environment=("PATH=$PATH")
	# shellcheck disable=SC2016 # the inner shell expands
	number=$(programs bash -c '/bin/true; sometool "$0"; /bin/true' "$daemon" 3>&-)
	until_true test -s "$daemon"
	kill "$(<"$daemon")"
	echo "programs: $number"
	[[ "$number" == 4 ]]
}

@test "the bench measures the parts that it is asked for, and knows no others" {
	run -2 "$root/tests/bench/run" bursts everything
	[[ "$output" == 'usage: '* ]]
}
