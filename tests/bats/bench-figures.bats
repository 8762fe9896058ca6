# SPDX-License-Identifier: LGPL-2.1-only
# make bench: figures of its records, lines, budgets, and how it measures CPU
# time and the programs of tools.

load ../lib/host
load ../bench/measure
load ../bench/tools
load ../bench/cases
load ../bench/print
load ../bench/budgets

setup() {
	FORMAT=text BENCH=''
}

# records <line>...
# Reads them as the driver prints them.
records() {
	figures_read < <(printf '%s\n' "$@")
}

# all_records
# Reads one of each figure that the budgets of BENCH=all need.
all_records() {
	local label who what lines=()
	for label in {vif,ip,filter,iptables}:{0,1000}:1\ online {image,device}:{0,200,1000}:1\ add device:5000:{1,16}\ add; do
		for who in ours xen floor; do
			for what in programs wall cpu; do
				lines+=("$label $who $what 2000")
			done
		done
	done
	records "${lines[@]}" packets:{0,1000}:1\ {open,filtered}\ ours\ rate\ 1000
}

@test "several records give the median of wall time and the mean of CPU time" {
	records 'image:0:1 add ours wall 3000' 'image:0:1 add ours wall 9000' 'image:0:1 add ours wall 1000' \
		'image:0:1 add ours cpu 3000' 'image:0:1 add ours cpu 9000' 'image:0:1 add ours cpu 0'
	[[ "${figure['image:0:1 add ours wall']}" == 3000 ]]
	[[ "${figure['image:0:1 add ours cpu']}" == 4000 ]]
}

@test "a fraction is truncated, and is a dash if a figure is missing" {
	local text
	fraction text 1099 1000
	[[ "$text" == 1.09 ]]
	fraction text 2 300 3
	[[ "$text" == 0.006 ]]
	fraction text '' 1000
	[[ "$text" == - ]]
}

@test "a line has the figures of all parties and two ratios, with dashes for missing figures" {
	records 'nbd:0:1 add ours programs 5' 'nbd:0:1 add floor programs 4' 'nbd:0:1 add ours wall 12000' \
		'nbd:0:1 add floor wall 8000' 'nbd:0:1 add tools wall 1500' 'nbd:0:1 add ours cpu 7000'
	run print_case nbd:0:1 add
	read -ra words <<<"${output//|/}"
	echo "${words[*]}"
	[[ "${words[*]}" == 'block-nbd 0 1 add 5 - 4 12.00 - 8.00 1.50 7.00 - - - 1.50 - -' ]]
}

@test "the line of a burst has its adds per second" {
	records 'device:5000:16 add ours wall 200000'
	[[ "$(print_case device:5000:16 add)" == *' 80.0' ]]
}

@test "a budget is exceeded only beyond its limit, and never by CPU time" {
	budget one 150 'at most' 150 | grep ' holds *$'
	budget two 6000 'at least' 6000 | grep ' holds *$'
	budget three 150 'at most' 150 151 | grep ' holds .* 1.51 EXCEEDED$'
	budget three 150 'at most' 150 151
	((exceeded == 0))
	budget four 151 'at most' 150
	budget five 5999 'at least' 6000
	((exceeded == 2))
}

@test "a time budget excludes the tools' own time" {
	records 'ip:0:1 online ours wall 20000' 'ip:0:1 online tools wall 5000' 'ip:0:1 online floor wall 10000' \
		'ip:0:1 online ours cpu 20000' 'ip:0:1 online tools cpu 4999' 'ip:0:1 online floor cpu 10000'
	run budget_time 'with ip=' 'ip:0:1 online ours' 'ip:0:1 online floor' 'at most' 150
	read -ra words <<<"$output"
	echo "${words[*]}"
	[[ "${words[*]}" == 'with ip= 1.50 at most 1.50 holds 1.50 holds' ]]
}

@test "with FORMAT=tsv, each line has as many fields as the header" {
	FORMAT=tsv BENCH=all
	all_records
	{
		print_head
		print_case device:5000:16 add
		print_case packets:0:1 open
		budgets
		unset "figure[iptables:0:1 online ours programs]"
		budgets
	} >"$BATS_TEST_TMPDIR/records"
	cat "$BATS_TEST_TMPDIR/records"
	awk -F '\t' '
		NR == 1 { fields = NF }
		NF != fields || /\t\t|\t$/ { exit 1 }
		{ kinds[$1]++ }
		END { exit !(kinds["record"] == 1 && kinds["case"] == 2 && kinds["budget"] >= 28) }' "$BATS_TEST_TMPDIR/records"
}

@test "without br_netfilter, its budget counts as not measured" {
	all_records
	budget_interfaces_exceeded=$(budgets_interfaces >/dev/null && echo "$exceeded")
	unset "figure[iptables:0:1 online ours programs]"
	budgets_interfaces >"$BATS_TEST_TMPDIR/budgets"
	grep 'not measured: this kernel has no br_netfilter' "$BATS_TEST_TMPDIR/budgets"
	[[ "$exceeded" == $((budget_interfaces_exceeded - 1)) ]]
}

# tool <name>
# A tool, from standard input, and the recorder under its name.
tool() {
	tools=("$1")
	tools_stand_in
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/$1"
	chmod +x "$BATS_TEST_TMPDIR/bin/$1"
	PATH=$tools_bin:$BATS_TEST_TMPDIR/bin:$PATH
}

@test "the recorder passes arguments, input and status on" {
	tool sometool <<-'END'
		#!/bin/bash
		echo "$# $2 $(cat)"
		exit 7
	END
	run -7 sometool one 'two words' <<<input
	[[ "$output" == '2 two words input' ]]
	read -r name wall cpu <"$tools_calls"
	[[ "$name" == sometool && "$wall" =~ ^[1-9][0-9]*$ && "$cpu" =~ ^[0-9]+$ ]]
	printf 'other 100 10\n' >>"$tools_calls"
	tools_sum both times
	[[ "$both $times" == "$((wall + 100)) $((cpu + 10))" ]]
}

@test "the recorder neither counts a tool's children nor waits for its daemons" {
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

@test "the CPU time of a process that outlives its script counts, without a wait for daemons" {
	# The script leaves a process that computes for a while once the script has ended, and one that sleeps.
	cat >"$BATS_TEST_TMPDIR/script" <<-'END'
		#!/bin/bash
		sleep 3600 &
		(while kill -0 $$; do :; done; for ((i = 0; i < 300000; i++)); do :; done) &
	END
	# shellcheck disable=SC2016 # the inner shell expands
	run -0 unshare --pid --fork --kill-child --mount-proc bash -c '
		. "$0/tests/lib/wait.bash" && . "$0/tests/bench/measure.bash"
		bash "$BATS_TEST_TMPDIR/script" >/dev/null 2>&1 3>&- && cpu_used script
		settled sleep && cpu_used all
		echo "$script $all"' "$root"
	read -r script all <<<"$output"
	echo "microseconds: $script until the script ended, $all in all"
	((all > 5 * script))
}

@test "an argument and an unknown BENCH or FORMAT are refused with the usage" {
	run -2 "$root/tests/bench/run" everything
	[[ "$output" == 'usage: [BENCH=all] [FORMAT=tsv] tests/bench/run' ]]
	BENCH=some run -2 "$root/tests/bench/run"
	[[ "$output" == 'usage: '* ]]
	FORMAT=json run -2 "$root/tests/bench/run"
	[[ "$output" == 'usage: '* ]]
}
