# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug call: how a call of a device script ends, whatever the script, a
# process of it, or what it waits for does. The scripts are installed ones.

load ../lib/host
load ../lib/observe
load ../lib/call

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

@test "a helper that is replaced while a script starts remains the parent of its call" {
	local replace first
	cp "$helper" "$there/helper"
	for replace in "cp $there/helper $helper.new && mv $helper.new $helper" "rm $helper"; do
		for first in "$helper call" '/bin/bash -p'; do
			block_script </dev/null
			# shellcheck disable=SC2016 # the script expands
			sed -i "1s|.*|#!$first|; 2i echo \$PPID >>$there/parents\n[[ \${hotplug_parent-} != \$PPID ]] \|\| { $replace; }" "$scripts/block"
			block_add 1 51712
			assert_node "$path/hotplug-status" connected
			cp "$there/helper" "$helper"
			block_script </dev/null
			block_remove 1 51712
			vbd 1 51712 "$image"
			xenstore-rm "$path/physical-device" "$path/physical-device-path"
		done
	done
	# With the first line of bash, the one before is the caller.
	(($(wc -l <"$there/parents") == 2 * (1 + 2)))
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

@test "a detach whose script exits in a release fails" {
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

@test "a bash that is killed in the middle of an attach has its attach undone" {
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

@test "a parent that is killed takes bash, the worker and the command with it" {
	local command pids pid
	block_script <<<"thing_acquire() { $waits; }"
	begin add
	is_at
	command=$(<"$there/pid")
	mapfile -t pids < <(children)
	((${#pids[@]} == 2))
	locked
	kill -KILL "$started"
	unlocked
	for pid in "${pids[@]}" "$command"; do
		gone "$pid"
	done
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "the lock of a parent that is killed lasts as long as bash lives" {
	local orphan pid
	orphan=$(realpath "$root")/build/unit/orphan.so
	block_script <<<"thing_acquire() { $computes; }"
	begin add env LD_PRELOAD="$orphan"
	is_at
	pid=$(<"$there/pid")
	kill -KILL "$started"
	until_true gone "$started"
	locked
	[[ $(<"$there/locked") == *"locked by process $pid "* ]]
	kill -KILL "$pid"
	unlocked
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}

@test "a program that a script has left running does not keep the lock" {
	local pid
	block_script <<<"thing_acquire() { sleep $generous 2>/dev/null & echo \$! >\$there/sleeps; }"
	block_add 1 51712
	unlocked
	pid=$(<"$there/sleeps")
	run ! gone "$pid"
	kill "$pid"
	block_remove 1 51712
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

@test "a signal while an attach waits for the lock ends it" {
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

@test "the caller's working directory can be unmounted while an attach and a detach go on" {
	local verb
	block_script <<<"thing_acquire() { $waits; }; thing_release() { $waits; }"
	for verb in add remove; do
		host mount -t tmpfs tmpfs /mnt
		# shellcheck disable=SC2016 # the inner shell expands
		begin "$verb" bash -c 'cd /mnt && exec "$@"' -
		is_at
		host umount /mnt
		echo >"$there/never"
		ends
		((status == 0))
	done
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

@test "a flood on standard error is passed on" {
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

@test "a lock directory that others can write is refused" {
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
