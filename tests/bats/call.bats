# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug call: how a call of a device script ends, whatever the script, a
# process of it, or what it waits for does. The scripts are installed ones.

load ../lib/host
load ../lib/observe

setup_file() {
	make -s -C "$BATS_TEST_DIRNAME/../.." install PREFIX="$BATS_FILE_TMPDIR/usr" SYSCONFDIR="$BATS_FILE_TMPDIR/etc"
}

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

# Code for the script: it tells its process, and computes or waits for ever.
# shellcheck disable=SC2034,SC2016 # scripts expand it
{
	computes='echo "$$" >"$there/pid"; while :; do :; done'
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

is_at_or_ended() {
	[[ -s $there/pid ]] || gone "$started"
}

# gone <process id>
# It is dead, or only waits to be reaped.
gone() {
	[[ ! -d /proc/$1 || $(awk '/^State/ { print $2 }' "/proc/$1/status" 2>&1) != [RSDT] ]]
}

# ends
# Waits for the call; sets status and output.
ends() {
	status=0
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

# locked
# Does somebody have the device's lock?
locked() {
	! "$helper" lock --wait 0.1 9:vbd/1/51712 9<>"$there/run/xen-hotplug/lock" 2>"$there/locked"
}

@test "a script that ends without calling hotplug is told so" {
	local last
	for last in : 'exit 0'; do
		printf '#!%s call\n. %q\n%s\n' "$helper" "$scripts/hotplug.sh" "$last" | program "$scripts/block"
		run block_add 1 51712
		assert_undone 'block ended without calling hotplug; its last line has to be: hotplug "$@".'
	done
	printf '#!%s call\nexit 3\n' "$helper" | program "$scripts/block"
	run block_add 1 51712
	assert_undone 'block stopped with status 3 before it was done'
}

@test "a script that bash cannot read is told so, with bash's own words" {
	block_script <<<'if'
	run block_add 1 51712
	assert_undone 'syntax error'
}

@test "an attach whose script exits in resources() is undone, whatever the status" {
	local with
	for with in 0 1 7 255; do
		block_script <<<"thing_acquire() { run touch $there/held; exit $with; }; thing_release() { run rm $there/held; }"
		run block_add 1 51712
		assert_undone "block stopped with status $with before it was done"
		[[ ! -e $there/held ]]
	done
}

@test "an attach whose script exits between two changes undoes both" {
	block_script <<-'END'
		thing_acquire() { run touch "$there/one" && run touch "$there/two" && exit 0; }
		thing_release() { run rm -f "$there/one" && run rm -f "$there/two"; }
	END
	run block_add 1 51712
	assert_undone 'stopped with status 0 before it was done'
	[[ ! -e $there/one && ! -e $there/two ]]
}

@test "an exit behind hotplug does not change what the call says" {
	block_script </dev/null
	echo 'exit 7' >>"$scripts/block"
	block_add 1 51712
	assert_node "$path/hotplug-status" connected
	block_remove 1 51712
}

@test "a detach whose script exits in a release fails, and the next one goes on" {
	block_script </dev/null
	block_add 1 51712
	block_script <<<'thing_release() { exit 0; }'
	run block_remove 1 51712
	[[ $status == 1 && $output == *'stopped with status 0 before it was done'* ]]
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "what a script prints on standard error is shown, also where it succeeds" {
	block_script <<<"thing_acquire() { printf 'one\ntwo' >&2; }"
	run block_add 1 51712
	[[ $status == 0 && $output == $'one\ntwo' ]]
}

@test "a bash that is killed in the middle of an attach has its attach undone, and the signal is named" {
	local signal where
	for where in waits computes; do
		for signal in 9:Killed 11:'Segmentation fault' 15:Terminated; do
			block_script <<<"thing_acquire() { run touch \$there/held; ${!where}; }; thing_release() { run rm \$there/held; }"
			begin add
			is_at
			kill -s "${signal%:*}" "$(bash_of_call)"
			ends
			assert_undone "block was killed by signal ${signal%:*} (${signal#*:}) before it was done"
			[[ ! -e $there/held ]]
		done
	done
}

@test "an attach is undone under the lock that it has" {
	block_script <<<"thing_acquire() { $waits; }; thing_release() { $waits; }"
	begin add
	is_at
	locked
	[[ $(<"$there/locked") == *"locked by process $started "* ]]
	rm "$there/pid"
	kill -KILL "$(bash_of_call)"
	is_at
	locked
	[[ $(<"$there/locked") == *"locked by process $started "* ]]
	echo >"$there/never"
	ends
	assert_undone 'block was killed by signal 9 (Killed) before it was done'
	run ! locked
}

@test "a bash that is killed in the middle of a detach leaves the rest to the next one" {
	block_script </dev/null
	block_add 1 51712
	block_script <<<"thing_release() { $waits; }"
	begin remove
	is_at
	kill -KILL "$(bash_of_call)"
	ends
	[[ $status == 1 && $output == *'block was killed by signal 9 (Killed)'*. ]]
	[[ "$(host_residue)" == *'journal vbd-1-51712'* ]]
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "a parent that is killed takes bash, the worker and the command with it, and the lock goes after them" {
	local command pids pid
	block_script <<<"thing_acquire() { $waits; }"
	begin add
	is_at
	command=$(<"$there/pid")
	mapfile -t pids < <(children)
	((${#pids[@]} == 2))
	locked
	kill -KILL "$started"
	"$helper" lock --wait "$generous" 9:vbd/1/51712 9<>"$there/run/xen-hotplug/lock"
	for pid in "${pids[@]}" "$command"; do
		gone "$pid"
	done
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "a parent that is killed takes a bash with it that computes" {
	local pid
	block_script <<<"thing_acquire() { $computes; }"
	begin add
	is_at
	pid=$(<"$there/pid")
	kill -KILL "$started"
	until_true gone "$pid"
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "a worker that is killed fails its request, its command is gone, and the attach is undone" {
	local command pid
	block_script <<<"thing_acquire() { $waits || fail \"The thing: \$reason\"; }"
	begin add
	is_at
	command=$(<"$there/pid")
	while read -r pid; do
		[[ /proc/$pid/exe -ef /bin/bash ]] || kill -KILL "$pid"
	done < <(children)
	ends
	assert_undone 'The thing: xen-hotplug run ended without a word'
	gone "$command"
}

@test "a signal that asks for the end, in the middle of an attach, undoes it and is named" {
	local signal where
	for where in waits computes; do
		for signal in TERM INT HUP QUIT; do
			block_script <<<"thing_acquire() { run touch \$there/held; ${!where}; }; thing_release() { run rm \$there/held; }"
			begin add
			is_at
			kill -s "$signal" "$started"
			ends
			assert_undone "block was ended by SIG$signal before it was done"
			[[ ! -e $there/held ]]
			gone "$(<"$there/pid")"
		done
	done
}

@test "a signal that is ignored or blocked by the caller undoes an attach all the same" {
	local setting
	# shellcheck disable=SC2016 # perl expands
	for setting in '$SIG{TERM} = "IGNORE";' 'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM));'; do
		block_script <<<"thing_acquire() { $waits; }"
		begin add perl -e "$setting"' exec @ARGV'
		is_at
		kill -TERM "$started"
		ends
		assert_undone 'block was ended by SIGTERM before it was done'
	done
}

@test "a signal while an attach waits for the lock ends it, and nothing is to be undone" {
	mkdir -m 700 "$there/run/xen-hotplug"
	exec 9<>"$there/run/xen-hotplug/lock"
	"$helper" lock 9:vbd/1/51712
	block_script <<<"thing_release() { run touch $there/released; }"
	begin add 9>&-
	until_true waits_for_lock
	kill -TERM "$started"
	ends
	exec 9>&-
	assert_undone 'block was ended by SIGTERM before it was done'
	[[ ! -e $there/released ]]
}

@test "a signal ends neither a detach nor the undoing of an attach" {
	block_script <<<"thing_acquire() { fail 'There is no thing.'; }; thing_release() { $waits; }"
	begin add
	is_at
	kill -TERM "$started"
	echo >"$there/never"
	ends
	assert_undone 'There is no thing.'
	block_script </dev/null
	vbd 1 51712 "$image"
	block_add 1 51712
	block_script <<<"thing_release() { $waits; }"
	begin remove
	is_at
	kill -TERM "$started"
	echo >"$there/never"
	ends
	[[ $status == 0 ]]
	assert_residue_free
}

@test "a command that hangs and ignores signals is killed after 10 s, and the attach undone" {
	quickly
	block_script <<-'END'
		thing_acquire() {
			run sh -c 'trap "" TERM INT HUP; echo "$$" >"$1/pid"; read -r _ <"$1/never"' - "$there" || fail "$reason"
		}
	END
	begin add "${quick[@]}"
	is_at
	ends
	assert_undone 'did not end within 10 s and was killed.'
	gone "$(<"$there/pid")"
}

@test "commands that hang one after another end the attach after 24 s" {
	quickly
	block_script <<<"thing_acquire() { while :; do $waits || :; done; }"
	begin add "${quick[@]}"
	ends
	assert_undone 'block was not done within 24 s and was ended, as it waited for '
}

@test "a store that hangs at the first read ends the attach after 10 s" {
	quickly
	store_fault 'read:*/hotplug-error@1=hang'
	begin add "${quick[@]}"
	ends
	assert_undone 'The store did not answer within 10 s'
}

@test "a store that hangs for good ends the attach with a sentence on standard error" {
	quickly
	store_fault 'any@1+=hang'
	begin add "${quick[@]}"
	ends
	store_fault_none
	[[ $status == 1 && $output == *'The store did not answer within 10 s'* && $output == *. ]]
	assert_residue_free
}

@test "a store that hangs at publishing has the attach undone" {
	quickly
	block_script </dev/null
	store_fault 'transaction_end@1=hang'
	begin add "${quick[@]}"
	ends
	assert_undone 'The store did not answer within 10 s'
}

@test "a lock that another process has for good ends the attach after 12 s, and the process is named" {
	mkdir -m 700 "$there/run/xen-hotplug"
	exec 9<>"$there/run/xen-hotplug/lock"
	"$helper" lock 9:vbd/1/51712
	quickly
	begin add "${quick[@]}" 9>&-
	ends
	exec 9>&-
	assert_undone "'vbd/1/51712' has been locked by process"
	assert_refused "$path" error 'for 12 s;'
}

@test "a bash that hangs in an attach is ended after 24 s, and the attach undone" {
	block_script <<<"thing_acquire() { run touch \$there/held; read -r _ <\$there/never; }; thing_release() { run rm \$there/held; }"
	begin add timeout "$in_time"
	ends
	assert_undone 'block was not done within 24 s and was ended, as it waited for a command of its own; see what hangs, then try again.'
	[[ ! -e $there/held ]]
}

@test "a bash that computes for ever, is stopped, or hangs up is ended after 24 s, and the attach undone" {
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

@test "a bash that does not read its answers is ended after 24 s, and the attach undone" {
	quickly
	# shellcheck disable=SC2016 # the script expands
	block_script <<<'thing_acquire() { printf -v text "%01000000d" 0; run_tell run --input "$text" -- cat; while :; do :; done; }'
	begin add "${quick[@]}"
	ends
	assert_undone 'block was not done within 24 s and was ended'
}

@test "a release that hangs after a failed attach is ended after 34 s, and the next detach goes on" {
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

@test "a detach that hangs is ended after 34 s with a sentence, and the next one goes on" {
	block_script </dev/null
	block_add 1 51712
	quickly
	block_script <<<"thing_release() { $computes; }"
	begin remove "${quick[@]}"
	ends
	[[ $status == 1 && $output == *'block was not done within 34 s and was ended'*. ]]
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "a caller that does not read standard error does not keep an attach from its end" {
	local pipe
	mkfifo "$there/full"
	exec {pipe}<>"$there/full"
	# shellcheck disable=SC2016 # the script expands
	block_script <<<'thing_acquire() { printf "%01000000d\n" 0 >&2; fail "There is no thing."; }'
	quickly
	begin add "${quick[@]}" bash -c "exec \"\$@\" >$there/full 2>&1" -
	ends
	[[ $status == 1 ]]
	assert_refused "$path" error 'There is no thing.'
	assert_residue_free
	exec {pipe}>&-
}

@test "a flood on standard error is passed on, and keeps no attach from its end" {
	# shellcheck disable=SC2016 # the script expands
	block_script <<<'thing_acquire() { printf "%0100000d\n" {1..20} >&2; }'
	begin add
	ends >"$there/flood"
	[[ $status == 0 && $(wc -c <"$there/said") == 2000020 ]]
	block_remove 1 51712
}

@test "the last line that bash has written is the reason of its end" {
	# shellcheck disable=SC2016 # the script expands
	block_script <<<'thing_acquire() { echo first >&2; printf "\e[2Jsecond\n" >&2; exit 4; }'
	run block_add 1 51712
	assert_undone 'block stopped with status 4: \x1b[2Jsecond; this is a defect of the script'
}

@test "a lock directory that others can write is refused, and the device is told" {
	mkdir -m 777 "$there/run/xen-hotplug"
	run block_add 1 51712
	assert_failed "$path" error 'can be written by others than root'
	chmod 700 "$there/run/xen-hotplug"
}

@test "a lock file that is a symbolic link is refused" {
	mkdir -m 700 "$there/run/xen-hotplug"
	ln -s "$there/elsewhere" "$there/run/xen-hotplug/lock"
	run block_add 1 51712
	assert_failed "$path" error 'Cannot open /run/xen-hotplug/lock'
	[[ ! -e $there/elsewhere ]]
	rm "$there/run/xen-hotplug/lock"
}
