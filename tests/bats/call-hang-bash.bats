# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug call: a bash that hangs, computes, stops or does not read is ended in time.
# bats file_tags=waits

load ../lib/host
load ../lib/observe
load ../lib/call

@test "a bash that hangs in an attach is ended after 24 s" {
	block_script <<<"thing_acquire() { run touch \$there/held; read -r _ <\$there/never; }; thing_release() { run rm \$there/held; }"
	begin add timeout "$in_time"
	ends
	assert_undone 'block was not done within 24 s and was ended, as it waited for a command of its own; see what hangs, then try again.'
	[[ ! -e $there/held ]]
}

@test "a bash that computes for ever, is stopped, or hangs up is ended after 24 s" {
	local code
	quickly
	# shellcheck disable=SC2016 # the script expands
	for code in "$computes" 'kill -STOP "$$"' 'exec 3>&-; read -r _ <"$there/never"' \
		'exec 2>&-; read -r _ <"$there/never"' 'run_tell run -- cat "$there/never"; exec 3>&-; kill -STOP "$$"'; do
		block_script <<<"thing_acquire() { run touch \$there/held; $code; }; thing_release() { run rm \$there/held; }"
		begin add "${quick[@]}"
		ends
		assert_undone 'block was not done within 24 s and was ended, as it waited for'
		[[ ! -e $there/held ]]
	done
}

@test "a bash that does not read its answers is ended after 24 s" {
	quickly
	# shellcheck disable=SC2016 # the script expands
	block_script <<<'thing_acquire() { printf -v text "%01000000d" 0; run_tell run --input "$text" -- cat; while :; do :; done; }'
	begin add "${quick[@]}"
	ends
	assert_undone 'block was not done within 24 s and was ended'
}

@test "a release that hangs after a failed attach is ended after 34 s" {
	quickly
	block_script <<<"thing_acquire() { fail 'There is no thing.'; }; thing_release() { $computes; }"
	begin add "${quick[@]}"
	ends
	assert_failed "$path" error 'There is no thing.'
	grep 'was not done within 34 s' "$log"
	[[ "$(host_residue)" == *'journal vbd-1-51712'* ]]
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}
