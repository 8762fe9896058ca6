# SPDX-License-Identifier: LGPL-2.1-only
# Two signals at two moments of one call, to the same process of it or to two: what is
# published is there, the call says how it ended, and the detach that follows leaves nothing.

load ../lib/host
load ../lib/enumerate

setup() {
	host_start
	domain 1
}

teardown() {
	report_moment
	host_stop
}

# What gets a signal first, and second; each enumeration tries each of them.
pairs='
	parent:TERM parent:TERM
	parent:TERM parent:KILL
	parent:TERM script:KILL
	parent:TERM worker:KILL
	parent:TERM command:KILL
	script:KILL parent:KILL
	script:KILL worker:KILL
	script:KILL command:TERM
	worker:KILL parent:KILL
	worker:KILL script:KILL
	worker:TERM parent:TERM
	command:KILL parent:KILL
	command:KILL script:KILL
'

# moments_count attach|detach
# Sets how_many[ROLE] to the number of its moments in that call.
moments_count() {
	local role
	killed_subject "$1"
	moments_of "$1"
	assert_detaches
	for role in parent script worker command; do
		how_many[$role]=$(grep -c "^$role " "$moments_log") || : # a disk has no command
	done
}

# cases
# Prints each pair, with the first signal at each moment, and the second one at one that the
# seed chooses: up to twice as late as there are moments, since undoing has some, too.
cases() {
	local one other number second
	while read -r one other; do
		[[ $one ]] || continue
		((how_many[${other%:*}])) || continue
		for ((number = 1; number <= how_many[${one%:*}]; number++)); do
			second=$((1 + (sample_first * 7919 + number * 104729) % (2 * how_many[${other%:*}])))
			echo "${one/:/:$number:}" "${other/:/:$second:}"
		done
	done <<<"$pairs"
}

# paired_everywhere attach|detach
# Tries them.
paired_everywhere() {
	local all one
	local -A how_many
	moments_count "$1"
	mapfile -t all < <(cases)
	sample_of "${#all[@]}"
	for one in "${all[@]}"; do
		! sampled || paired "$1" "${one% *}" "${one#* }"
	done
}

# paired attach|detach <role:number:signal> <role:number:signal>
# Counts in tried, where the first moment came.
paired() {
	killed_subject "$1"
	moment="$1, $2 and $3"
	rm -f "$moments_log"
	libxl "$1" timeout "$in_time" "$moments_tool" --log "$moments_log" --at "$2" --at "$3"
	grep -qs "^$(tr : ' ' <<<"${2%:*}") " "$moments_log" || {
		sample_next
		return
	}
	tried=$((tried + 1))
	assert_ended_as_signalled "$1"
	[[ $1 == detach ]] || assert_published_is_there
	assert_detaches
}

# assert_ended_as_signalled attach|detach
# The call succeeded, says why it failed, or was killed: by SIGTERM only before it
# expects that.
assert_ended_as_signalled() {
	case $ended in
	0) [[ $1 == detach ]] || assert_attached ;;
	1)
		assert_sentence "$(tail -n 1 "$said")"
		# Whoever undoes is not told to end by a second SIGTERM.
		[[ $1 == detach || $moment != *parent:*:TERM*parent:*:TERM* ]] || assert_all_or_nothing
		;;
	137) assert_lock_outlasts ;;
	*)
		assert_ended 143
		[[ $moment == *parent:*:TERM* ]]
		;;
	esac
}

# assert_published_is_there
# A disk's number is published only as long as the disk is attached.
assert_published_is_there() {
	local number loop
	[[ $subject == disk ]] || return 0
	number=$(store_get "$subject_path/physical-device" 2>/dev/null) || return 0
	loop=$(host_loops)
	[[ $(stat -c %t:%T "${loop%% *}") == "$number" ]]
}

# everywhere vif|disk attach|detach <least number of pairs>
# A sampled run tries every 80th pair where it tries every fifth case elsewhere.
everywhere() {
	local tried=0
	((${TEST_SAMPLE:-1} == 1)) || TEST_SAMPLE=$((16 * TEST_SAMPLE))
	subject_make "$1"
	libxl attach # makes the directory under /run, which only the first does
	assert_detaches
	paired_everywhere "$2"
	assert_works_again
	say_tried "$tried" pairs "$3"
}

@test "a vif is detached without residue after any two signals to its attach" {
	everywhere vif attach 340
}

@test "a vif is detached without residue after any two signals to its detach" {
	everywhere vif detach 270
}

@test "a disk is detached without residue after any two signals to its attach" {
	everywhere disk attach 190
}

@test "a disk is detached without residue after any two signals to its detach" {
	everywhere disk detach 190
}
