# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Which cases of an enumeration a run tries: all of them, or a sample.
#
# TEST_SAMPLE  1 tries all cases; N tries each Nth case. As many runs whose seeds
#              follow each other try every case.
# TEST_SEED    the number that chooses where the sample begins
#
# A runner sets both; a test that is run without one tries all cases.

sample_cases=0                # how many cases there were so far in this enumeration
sample_step=${TEST_SAMPLE:-1} # of as many cases as this, one is tried
sample_owed=''                # set when a case that was chosen could not be tried
sample_told=0                 # when a case was told last, in seconds of this shell
sample_first=$((${TEST_SEED:-0} + ${BATS_TEST_NUMBER:-0}))

# sample_of <number of cases>
# An enumeration of this many cases begins: at least one of them is tried.
sample_of() {
	sample_cases=0 sample_owed='' sample_step=${TEST_SAMPLE:-1}
	((sample_step <= $1 || $1 == 0)) || sample_step=$1
}

# sampled
# Is the next case of this test one that this run tries? To be called once for
# each case, in the test's own process.
sampled() {
	local chosen=$(((sample_first + sample_cases++) % sample_step == 0))
	((chosen)) || [[ $sample_owed ]] || return
	sample_owed=''
	sample_tell
}

# sample_tell
# Says, at most once a second, that this test goes on: who watches it ends one that
# has said nothing for long.
sample_tell() {
	((SECONDS > sample_told)) || return 0
	sample_told=$SECONDS
	echo "# trying $sample_cases: $BATS_TEST_DESCRIPTION" >&3
}

# sample_next
# The case that was chosen could not be tried: the next one is tried in its place.
sample_next() {
	sample_owed=1
}

# say_tried <number> <what> <least>
# Reports how many cases were tried, of how many. Fails if the enumeration is too
# small: fewer than the least were tried where all are to be, or else found; or if none
# was tried, unless the least is 0.
say_tried() {
	local cases=$((sample_cases ? sample_cases : $1)) found=$1
	((sample_step == 1)) || found=$cases
	echo "# tried $1 $cases $2: $BATS_TEST_DESCRIPTION" >&3
	((found >= $3)) || {
		echo "only $found $2, and not $3"
		return 1
	}
	(($1 || !$3)) || {
		echo "of $cases $2, none was tried"
		return 1
	}
}
