# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Installed scripts for tests of xen-hotplug call, and what their calls do. Sourced by
# bats files, after host.bash and observe.bash.

# setup_file
setup_file() {
	make -s -C "$BATS_TEST_DIRNAME/../.." install PREFIX="$BATS_FILE_TMPDIR/usr" SYSCONFDIR="$BATS_FILE_TMPDIR/etc"
}

# setup
setup() {
	scripts=$BATS_FILE_TMPDIR/etc/xen/scripts
	helper=$BATS_FILE_TMPDIR/usr/lib/xen-hotplug/xen-hotplug
	host_start
	domain 1
	there=$BATS_TEST_TMPDIR
	mkfifo "$there/never"
	image disk.img
	vbd 1 51712 "$image"
	path=backend/vbd/1/51712
}

# teardown
# What is still there of a call ends; its locks would keep host_stop waiting.
teardown() {
	tail -n 12 "$log"
	[[ ! ${started-} ]] || kill -KILL "$started" 2>/dev/null || :
	[[ ! -s $there/pid ]] || kill -CONT "$(<"$there/pid")" 2>/dev/null || :
	block_script </dev/null # whose release does nothing that could hang
	host_stop
}

# block_script
# Makes the script block of a disk that has a thing, too. Standard input has functions
# of the thing's, which do nothing else; $there is the test's directory.
block_script() {
	{
		printf '#!%s call\nthere=%q\n' "$helper" "$there"
		cat <<-'END'
			. "${0%/*}/hotplug.sh"
			device block 'A disk with a thing.'
			target disk 'The image.'
			resources() {
				use disk "$target" "$mode"
				use thing
			}
			thing_acquire() { :; }
			thing_release() { :; }
		END
		cat
		echo 'hotplug "$@"'
	} | program "$scripts/block"
}

# Code for the script: it tells its process, and computes or waits for ever. What a failed test
# has left computing ends with the test's directory.
# shellcheck disable=SC2034,SC2016 # scripts expand it
{
	computes='echo "$$" >"$there/pid"; while [[ -d $there ]]; do :; done'
	waits='run sh -c '\''echo "$$" >"$1/pid"; exec cat "$1/never"'\'' - "$there"'
}

# begin add|remove [command...]
# Starts the call as libxl does, perhaps under a command. Its process is $started, what it prints is
# in the file said.
begin() {
	local environment
	libxl_environment vbd 1 51712
	rm -f "$there/pid"
	(exec nsenter --target "$host_pid" --mount --net --wd=/ -- "${@:2}" env "${environment[@]}" \
		"$scripts/block" "$1" </dev/null >"$there/said" 2>&1 3>&-) &
	started=$!
}

# quickly
# Sets quick to the command under which time passes faster for the helper: the
# faster, the faster this machine is.
quickly() {
	local factor=$((6 / TEST_PACE))
	quick=(env LD_PRELOAD="$(realpath "$root")/build/unit/quick.so" QUICK=$((factor > 2 ? factor : 2)))
}

# is_at
# The script has come to where it tells its process. Fails where it has ended before.
is_at() {
	until_true is_at_or_ended
	[[ -s $there/pid ]] || {
		cat "$there/said"
		return 1
	}
}

# is_at_or_ended
is_at_or_ended() {
	[[ -s $there/pid ]] || gone "$started"
}

# ends
# Waits for the call; sets status and output. Fails if it has not ended in time.
ends() {
	status=0
	within "$in_time" gone "$started" || {
		echo "the call has not ended within $in_time s; it said:"
		cat "$there/said"
		return 1
	}
	wait "$started" || status=$?
	output=$(<"$there/said")
	echo "$output"
}

# assert_undone <part of the sentence>
# The attach has failed with this sentence, and nothing is there of it.
assert_undone() {
	assert_failed "$path" error "$1"
	assert_refused "$path" error "$1"
	[[ ${output##*$'\n'} == "$(store_get "$path/hotplug-error")" ]]
	assert_residue_free
}

# children
# Prints the processes that the call has.
children() {
	xargs -n 1 <"/proc/$started/task/$started/children"
}

# bash_of_call
# Prints the process of the script's bash.
bash_of_call() {
	local pid
	while read -r pid; do
		[[ ! /proc/$pid/exe -ef /bin/bash ]] || echo "$pid"
	done < <(children)
}

# unlocked
# Waits until nobody has the device's lock.
unlocked() {
	"$helper" lock --wait "$generous" 9:vbd/1/51712 9<>"$there/run/xen-hotplug/lock"
}

# locked
# Does somebody have the device's lock?
locked() {
	! "$helper" lock --wait 0.1 9:vbd/1/51712 9<>"$there/run/xen-hotplug/lock" 2>"$there/locked"
}
