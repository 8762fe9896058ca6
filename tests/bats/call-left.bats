# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug call: what a killed worker or bash leaves running is ended, and none of it is
# waited for without a limit.

load ../lib/host
load ../lib/observe
load ../lib/call

# Code for the script: a command with a child, which it tells.
# shellcheck disable=SC2016,SC2034 # scripts expand it
branches='run sh -c '\''sleep 1000 & echo "$!" >"$1/child"; echo "$$" >"$1/pid"; wait'\'' - "$there"'

# worker_of_call
# Prints the call's process that is no bash.
worker_of_call() {
	local pid
	while read -r pid; do
		[[ /proc/$pid/exe -ef /bin/bash ]] || echo "$pid"
	done < <(children)
}

@test "a worker that is killed takes its command's children with it" {
	local signal
	for signal in KILL SEGV; do
		block_script <<<"thing_acquire() { $branches || fail \"The thing: \$reason\"; }"
		begin add
		is_at
		kill -s "$signal" "$(worker_of_call)"
		ends
		assert_undone 'The thing: xen-hotplug run ended without a word'
		gone "$(<"$there/pid")"
		gone "$(<"$there/child")"
	done
}

@test "a worker that is stopped, and has to be killed, takes its command's children with it" {
	block_script <<<"thing_acquire() { $branches; }"
	begin add
	is_at
	kill -STOP "$(worker_of_call)"
	kill -TERM "$started"
	ends
	assert_undone 'block was ended by SIGTERM before it was done'
	gone "$(<"$there/pid")"
	gone "$(<"$there/child")"
}

@test "a daemon that a command has started outlives its worker" {
	block_script <<-'END'
		thing_acquire() { run sh -c 'setsid sh -c '\''echo "$$" >"$1/child"; exec sleep 1000'\'' - "$1" >/dev/null 2>&1 & until [ -s "$1/child" ]; do sleep 0.01; done' - "$there"; }
	END
	block_add 1 51712
	run ! gone "$(<"$there/child")"
	kill "$(<"$there/child")"
	block_remove 1 51712
}

@test "a bash that has to be killed takes with it what it has started itself" {
	block_script <<<"thing_acquire() { sleep 1000 & echo \$! >\$there/child; $computes; }"
	begin add
	is_at
	kill -TERM "$started"
	ends
	assert_undone 'block was ended by SIGTERM before it was done'
	child=$(<"$there/child")
	until_true gone "$child"
}

# kept_by_debugger <process>
# A debugger has it, and stands still: nobody else can reap it. Sets debugger.
kept_by_debugger() {
	strace -qq -o /dev/null -p "$1" 3>&- &
	debugger=$!
	until_true grep -q "^TracerPid:.$debugger$" "/proc/$1/status"
	kill -STOP "$debugger"
}

# debugger_ends
debugger_ends() {
	kill -KILL "$debugger"
	wait "$debugger" || :
}

@test "a bash that does not die is left behind, with a sentence in the log" {
	local pid
	block_script <<<"thing_acquire() { $waits; }"
	begin add
	is_at
	pid=$(bash_of_call)
	kept_by_debugger "$pid"
	kill -TERM "$started"
	ends
	assert_failed "$path" error 'block was ended by SIGTERM before it was done'
	grep -q 'The bash of block does not die; look for a device or server that hangs\.' "$log"
	debugger_ends
	until_true gone "$pid"
	assert_residue_free
}

@test "a worker that does not die is left behind, with a sentence in the log" {
	local pid
	block_script <<<"thing_acquire() { $waits; }"
	begin add
	is_at
	pid=$(worker_of_call)
	kept_by_debugger "$pid"
	kill -TERM "$started"
	ends
	assert_failed "$path" error 'block was ended by SIGTERM before it was done'
	grep -q 'A process that waited for .* does not die; look for a device or server that hangs\.' "$log"
	debugger_ends
	until_true gone "$pid"
	assert_residue_free
}

@test "an attach that went on while its parent stood still is undone, if the parent is then to end" {
	# The parent has read nothing of the attach when the signal comes.
	# shellcheck disable=SC2016 # the script expands
	block_script <<<'type_stops() { kill -STOP "$PPID"; }'
	sed -i 's/^target disk /target stops /' "$scripts/block"
	begin add
	until_true test -s "$there/run/xen-hotplug/vbd-1-51712"
	kill -TERM "$started"
	kill -CONT "$started"
	ends
	assert_undone 'block was ended by SIGTERM before it was done'
}
