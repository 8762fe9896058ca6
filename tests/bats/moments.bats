# SPDX-License-Identifier: LGPL-2.1-only
# tests/moments/moments, which sends signals to processes at their system calls.

load ../lib/wait
load ../lib/untraced

setup() {
	untraced
	moments=$BATS_TEST_DIRNAME/../moments/moments log=$BATS_TEST_TMPDIR/log
	cd "$BATS_TEST_TMPDIR" || return
	# A parent that starts a worker and then a script, each of which starts a
	# command. Each writes a file of its name; the parent's output says how
	# the worker and the script ended.
	cat >toy <<-'END'
		#!/usr/bin/perl
		sub put { open my $file, '>', $_[0] or die; syswrite $file, "done\n" }
		sub begin { my $pid = fork; return $pid if $pid; $_[0]->(); exit 0 }
		sub ended { waitpid $_[0], 0; $? & 127 || $? >> 8 }
		sub command { my $name = shift; ended(begin(sub { exec $0, $name })) }
		my $name = shift // 'parent';
		put $name;
		command "$name-command" if $name eq 'script';
		exit 0 if $name ne 'parent';
		my $worker = begin(sub { put 'worker'; command 'worker-command' });
		put 'meanwhile';
		my @ends = (ended($worker), ended(begin(sub { exec $0, 'script' })));
		syswrite STDOUT, "@ends\n";
	END
	chmod +x toy
}

teardown() {
	local pid
	# What a test has stopped, or left to itself.
	while read -r _ _ _ pid; do
		[[ ! /proc/$pid/cwd -ef $BATS_TEST_TMPDIR ]] || kill -KILL "$pid" 2>/dev/null || :
	done < <(cat log* 2>/dev/null)
}

# toy [option...]
# Runs it. Sets status, and output to what it printed.
toy() {
	rm -f -- *parent *worker *script *command meanwhile
	status=0
	"$moments" --log "$log" "$@" ./toy >out 2>err 3>&- || status=$?
	output=$(<out)
	[[ ! -s err ]]
}

# begin_toy [option...]
# Starts it in the background. Sets tool to its process.
begin_toy() {
	"$moments" --log "$log" "$@" ./toy >out 2>err 3>&- &
	tool=$!
}

# ends_with <status>
# The tool that runs in the background ends so.
ends_with() {
	status=0
	wait "$tool" || status=$?
	((status == $1))
}

# in_state <state>... <process>
# Is the process in one of these?
in_state() {
	local state
	state=$(awk '/^State/ { print $2 }' "/proc/${*: -1}/status") && [[ " ${*:1:$#-1} " == *" $state "* ]]
}

# pid_of <role> <number> <what>
# Waits for that line of the log. Sets pid to its process.
pid_of() {
	until_true grep -q "^$* " "$log"
	pid=$(awk -v line="$*" '$1 " " $2 " " $3 == line { print $4 }' "$log")
}

# without_pids <log>
# In the order of roles, as those run at the same time.
without_pids() {
	cut -d ' ' -f 1-3 "$1" | sort -k 1,1 -k 2,2n
}

# has_moments <role> <name>...
# These are all of the role.
has_moments() {
	without_pids "$log" | awk -v role="$1" '$1 == role { print $3 }' | diff <(printf '%s\n' "${@:2}") -
}

@test "two runs of a command have the same moments" {
	local run
	cat >shell <<-'END'
		#!/bin/bash
		text=$(/bin/echo one)
		(echo "$text" >file; /bin/true)
		/bin/true
		read -r line <file
		[[ $line == one ]]
	END
	chmod +x shell
	for run in 1 2 3 4 5; do
		"$moments" --log "log.$run" ./shell
		without_pids "log.$run" | diff <(without_pids log.1) -
		"$moments" --log "log.toy.$run" ./toy >out
		without_pids "log.toy.$run" | diff <(without_pids log.toy.1) -
	done
	[[ $(wc -l <log.1) -gt 10 && $(wc -l <log.toy.1) == 29 ]]
}

@test "workers that run together have their moments numbered as those of one" {
	# shellcheck disable=SC2016 # perl expands
	"$moments" --log "$log" perl -e 'for my $n (1 .. 4) { fork or do { open F, ">", $n; exit } } 1 while wait > 0'
	has_moments parent clone clone clone clone wait4 wait4 wait4 wait4 wait4 exit_group
	[[ "$(awk '$1 == "worker" { printf "%s ", $2 }' "$log")" == '1 2 3 4 5 6 7 8 ' ]]
	[[ "$(awk '$1 == "worker" { print $4 }' "$log" | sort -u | wc -l)" == 4 ]]
}

@test "each role has the calls of its processes that change something or wait" {
	local one=(openat write)
	toy
	[[ $status == 0 && $output == '0 0' ]]
	has_moments parent "${one[@]}" clone "${one[@]}" wait4 clone wait4 write exit_group
	has_moments worker "${one[@]}" clone wait4 exit_group
	has_moments script execve "${one[@]}" clone wait4 exit_group
	has_moments command execve "${one[@]}" exit_group execve "${one[@]}" exit_group
}

@test "a parent that executes another program remains the parent" {
	"$moments" --log "$log" dash -c 'exec ./toy'
	has_moments parent execve openat write clone openat write wait4 clone wait4 write exit_group
}

@test "a child made by vfork is followed" {
	"$moments" --log "$log" dash -c './toy worker; :'
	grep -q '^parent 1 vfork ' "$log"
	has_moments script execve openat write exit_group
}

@test "a process is killed before the call that is its moment" {
	toy --at worker:2:KILL
	[[ $status == 0 && $output == '9 0' ]]
	[[ -e worker && ! -s worker && ! -e worker-command && -s script-command ]]
	toy --at script:1:KILL
	[[ $status == 0 && $output == '0 9' ]]
	[[ -s worker-command && ! -e script ]]
	toy --at command:7:KILL
	[[ $status == 0 && $output == '0 0' ]]
	[[ -s worker-command && -e script-command && ! -s script-command ]]
	toy --at parent:5:KILL
	((status == 137))
	[[ -s parent && -e meanwhile && ! -s meanwhile && ! -e script ]]
}

@test "a signal that ends a process comes before the call, whichever it is" {
	local signal
	for signal in TERM:15 INT:2 HUP:1; do
		toy --at "worker:2:${signal%:*}"
		[[ $status == 0 && $output == "${signal#*:} 0" ]]
		[[ -e worker && ! -s worker ]]
		toy --at "parent:2:${signal%:*}"
		((status == 128 + ${signal#*:}))
		[[ -e parent && ! -s parent ]]
	done
}

@test "a moment that does not come changes nothing" {
	toy --at worker:6:KILL
	[[ $status == 0 && $output == '0 0' ]]
}

@test "two processes are killed, each at its own moment" {
	toy --at script:3:KILL --at worker:1:KILL
	[[ $status == 0 && $output == '9 9' ]]
	[[ ! -e worker && -e script && ! -s script ]]
}

@test "a signal that is ignored, blocked or handled does not lose the call" {
	# shellcheck disable=SC2016 # perl expands
	local how=('$SIG{TERM} = "IGNORE"' '$SIG{TERM} = sub {}'
		'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM))')
	for how in "${how[@]}"; do
		"$moments" --log "$log" --at parent:1:TERM perl -e "$how; syswrite STDOUT, 'written'" >out
		[[ "$(<out)" == written ]]
		has_moments parent write exit_group
	done
}

@test "a process that is stopped stays so, while others go on, until SIGCONT" {
	local pid
	begin_toy --at worker:2:STOP
	pid_of worker 2 stopped
	until_true test -s meanwhile
	in_state t T "$pid"
	[[ -e worker && ! -s worker ]]
	kill -CONT "$pid"
	ends_with 0
	[[ -s worker && -s script-command && "$(<out)" == '0 0' ]]
	[[ "$(grep -c '^worker 2 write' "$log")" == 1 ]]
}

@test "a process that is stopped is so for its own parent, which may wait for that" {
	cat >watch <<-'END'
		#!/usr/bin/perl
		use POSIX ':sys_wait_h';
		my $child = fork // die;
		exec './toy', 'worker' if !$child;
		waitpid($child, WUNTRACED) == $child && !-s 'worker' or die;
		kill CONT => $child;
		waitpid($child, 0) == $child && $? == 0 or die;
	END
	perl -e 'alarm shift; exec @ARGV' "$generous" "$moments" --log "$log" --at script:3:STOP perl watch
	[[ -s worker ]]
}

@test "the parent being killed, a process that was stopped stays so, and can go on" {
	local pid
	begin_toy --at worker:2:STOP
	pid_of parent 6 wait4
	kill -KILL "$pid"
	ends_with 137
	pid_of worker 2 stopped
	until_true in_state T "$pid"
	[[ ! -s worker ]]
	kill -CONT "$pid"
	until_true test -s worker-command
}

@test "the parent being stopped, it can be killed" {
	local pid
	begin_toy --at parent:5:STOP
	pid_of parent 5 stopped
	in_state t T "$pid"
	[[ -e meanwhile && ! -s meanwhile ]]
	kill -KILL "$pid"
	ends_with 137
}

@test "what the parent leaves behind goes on when it ends" {
	mkfifo go
	status=0
	# shellcheck disable=SC2016 # the inner shell expands
	"$moments" bash -c '{ read -r -t "$1" _ <>go && echo done >left; } & exit 4' - "$generous" 3>&- || status=$?
	((status == 4))
	[[ ! -e left ]]
	timeout "$generous" bash -c 'echo go >go'
	until_true test -s left
}

@test "a call that the kernel or the program repeats after a signal is one moment" {
	# The child sends it when the parent waits, and ends when the parent waits again.
	cat >interrupted <<-'END'
		#!/usr/bin/perl
		$SIG{USR1} = sub { $came++ };
		my $parent = $$;
		sub parent_waits {
			my $is = '';
			until ($is =~ /^State:\tS/m && $is =~ /^SigPnd:\t0+\nShdPnd:\t0+$/m) {
				select undef, undef, undef, 0.01;
				open my $status, '<', "/proc/$parent/status" or die;
				$is = join '', <$status>;
			}
		}
		my $child = fork;
		if (!$child) {
			for (qw(WINCH USR1 USR1 CONT)) { parent_waits; kill $_ => $parent }
			parent_waits;
			exit;
		}
		waitpid($child, 0) == $child && $came == 2 or die;
	END
	"$moments" --log "$log" perl interrupted
	has_moments parent clone wait4 exit_group
}

@test "the exit status is the command's" {
	status=0
	"$moments" sh -c 'exit 7' || status=$?
	((status == 7))
	# shellcheck disable=SC2016 # the inner shell expands
	perl -e 'exit(system(@ARGV) & 127)' "$moments" sh -c 'kill -TERM $$' || status=$?
	((status == 15))
	"$moments" ./no-such-command 2>err || status=$?
	((status == 127))
	[[ "$(<err)" == *'./no-such-command: No such file or directory.' ]]
}

@test "SIGTERM, SIGINT and SIGHUP are passed on to the parent" {
	local signal pid
	# shellcheck disable=SC2016 # perl expands
	local ends='$SIG{$_} = sub { exit 5 } for qw(TERM INT HUP); syswrite STDOUT, "x"; sleep 1 while 1'
	for signal in TERM INT HUP; do
		env --default-signal=INT "$moments" --log "$log" --at parent:1:STOP \
			perl -e "$ends" >out 3>&- &
		tool=$!
		pid_of parent 1 stopped
		kill "-$signal" "$tool"
		kill -CONT "$pid"
		ends_with 5
		rm "$log"
	done
}

@test "the command has the standard streams and no descriptor more" {
	# shellcheck disable=SC2016 # perl expands
	local list=(perl -e 'print join(" ", sort glob "/proc/self/fd/*"), " ", <STDIN>')
	"$moments" --log "$log" --at parent:9:KILL "${list[@]}" <<<hello >out
	"${list[@]}" <<<hello | diff - out
	[[ "$(<out)" == *hello ]]
}

@test "what it cannot understand is refused with its usage" {
	local at
	for at in worker worker:1 worker:0:KILL worker:x:KILL nobody:1:KILL worker:1:USR1 work:1:KILL; do
		run "$moments" --at "$at" true
		[[ $status == 2 && $output == usage:* ]]
	done
	run "$moments" --log "$log"
	((status == 2))
}
