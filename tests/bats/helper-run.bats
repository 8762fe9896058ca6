#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug run: a command that ends with its script, its deadline, and keeps no lock.
# shellcheck disable=SC2016 # in single quotes stands what the command's own shell is to expand

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	cd "$BATS_TEST_TMPDIR" || return
	export XEN_HOTPLUG_LOG=$BATS_TEST_TMPDIR/log
}

# teardown
# Ends what a test that failed has left waiting.
teardown() {
	local pid
	while read -r pid; do
		[[ ! /proc/$pid/cwd -ef $BATS_TEST_TMPDIR ]] || kill -KILL "$pid" 2>/dev/null || :
	done < <(cat leader child daemon 2>/dev/null)
}

# gone_of <file>
# The process whose id is in the file is dead.
gone_of() {
	gone "$(<"$1")"
}

@test "the command has the caller's standard input and output" {
	call run -- sh -c 'read -r x; echo "got $x"; exit 7' <<<hello
	((status == 7))
	[[ $(<out) == 'got hello' ]]
	[[ $error == "'sh -c read -r x; echo \"got \$x\"; exit 7' failed with exit status 7 and said nothing about why." ]]
	call run printf '%s|' -a --help '' 'b c'
	((status == 0))
	[[ $(<out) == '-a|--help||b c|' && ! $error ]]
}

@test "the command's first line of error becomes the sentence" {
	call run -- sh -c 'echo >&2; echo "No such device." >&2; echo more >&2; exit 2'
	ended 2 "'sh -c *' failed: No such device."
}

@test "the messages of a command that succeeds go only to the log" {
	call run -- sh -c 'echo beware >&2'
	done_with
	[[ $(<log) == "debug: 'sh -c echo beware >&2' said: beware\n" ]]
}

@test "a command that is not installed is named" {
	call run no-such-command --option
	ended 127 "'no-such-command' is not installed, or not in PATH;*"
	call run ./no-such-command
	ended 127 "'./no-such-command' does not exist;*"
}

@test "a command that cannot be executed is named" {
	: >file
	call run ./file
	ended 126 "'./file' cannot be started (Permission denied);*"
	call run /
	ended 126 "'/' cannot be started (Permission denied);*"
}

@test "a signal that ends the command is named" {
	call run -- sh -c 'kill -SEGV $$'
	ended 139 "'sh -c *' was killed by signal 11 (Segmentation fault)."
}

@test "a long command line is truncated" {
	call run -- sh -c 'exit 1' "$(printf '%01000d' 0)"
	ended 1 "'sh -c exit 1 0000*0…' failed*"
	((${#error} < 400))
	call run -- sh -c 'exit 1' $'\e[2J\n'"'\\"
	ended 1 "'sh -c exit 1 \\\\x1b\[2J\\\\n\\\\'\\\\\\\\' failed*"
}

@test "after the deadline, the command and its process group are killed" {
	call run --deadline 0.3 -- sh -c 'sleep 1000 & echo $! >child; echo $$ >leader; wait'
	ended 124 "'sh -c *' did not end within 0.3 s and was killed."
	until_true gone_of leader
	until_true gone_of child
}

@test "a command that ignores signals is killed after the deadline" {
	call run --deadline 0.3 -- sh -c 'trap "" TERM INT HUP; while :; do sleep 1000; done'
	ended 124 '*did not end within 0.3 s*'
}

@test "a flood of messages neither stops the command nor fills the memory" {
	call run -- sh -c 'head -c 20000000 /dev/zero | tr "\0" x >&2; exit 3'
	((status == 3))
	[[ $error == *"failed: xxxx"*"x…." && ${#error} -lt 1000 ]]
	call run --deadline 0.3 -- sh -c 'yes >&2'
	ended 124 '*did not end within 0.3 s*'
}

@test "the command gets no descriptor above 2" {
	exec 7>>lock
	call run -- sh -c 'echo /proc/self/fd/*' 7>&7
	exec 7>&-
	[[ $(<out) == '/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2'* && $(<out) != */7* ]]
}

@test "the command gets default signal dispositions and an empty mask" {
	(
		trap '' TERM INT PIPE HUP
		call run -- grep -E '^Sig(Blk|Ign)' /proc/self/status
		echo "status $status, $(<out) $(<err)"
		((status == 0))
		# Signals 32 and 33 are the C library's own, and no program's to reset; make ignores them.
		[[ $(<out) == $'SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000' || $(<out) == $'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000' ]]
	)
}

@test "SIGTERM, SIGINT and SIGHUP kill the command, then end the supervisor" {
	local signal number
	for signal in TERM:15 INT:2 HUP:1; do
		number=${signal#*:}
		rm -f leader
		mkfifo "ready$number"
		# A job of a shell without job control would ignore SIGINT.
		env --default-signal "$helper" run --deadline 100 -- \
			sh -c "echo \$\$ >leader; echo >ready$number; sleep 1000" >out 2>err 3>&- &
		read -r -t "$generous" _ <>"ready$number"
		kill "-${signal%:*}" "$!"
		status=0
		wait "$!" || status=$?
		error=$(<err)
		ended $((128 + number)) '*was killed, because the script that started it was ended (*'
		until_true gone_of leader
	done
}

@test "after a kill of the script, the lock is free only when the command is dead" {
	cat >script <<-'END'
		exec 9>>lock
		"$helper" lock 9:name
		"$helper" run --deadline 1000 -- sh -c 'echo $$ >leader; echo >ready; sleep 1000 & wait'
		exit 1
	END
	mkfifo ready
	export helper
	bash script >/dev/null 3>&- &
	read -r -t "$generous" _ <>ready
	kill -KILL "$!"
	exec 8>>lock
	call lock --wait "$generous" 8:name
	exec 8>&-
	done_with
	gone_of leader
}

@test "a kill of the supervisor also kills the command" {
	mkfifo ready
	"$helper" run --deadline 100 -- sh -c 'echo $$ >leader; echo >ready; sleep 1000' 3>&- &
	read -r -t "$generous" _ <>ready
	kill -KILL "$!"
	wait "$!" || :
	until_true gone_of leader
}

@test "a daemon that the command starts is neither killed nor waited for" {
	call run -- sh -c 'setsid sleep 1000 >/dev/null & echo $! >daemon'
	done_with
	kill "$(<daemon)"
}

@test "the input is the command's standard input, whatever it has" {
	call run --input $'two\nlines' -- cat
	[[ $status == 0 && $(<out) == $'two\nlines' ]]
	call run --input '' -- cat <<<no
	[[ $status == 0 && ! -s out ]]
	printf '%0100000d' 0 >large
	call run --input "$(<large)" -- cmp - large
	done_with
}
