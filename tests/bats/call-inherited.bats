# SPDX-License-Identifier: LGPL-2.1-only
# What a caller hands down to an installed script, its environment, signals, limits,
# directory and descriptors, changes nothing of an attach and a detach, and is no code.

load ../lib/host
load ../lib/observe

setup_file() {
	make -s -C "$BATS_TEST_DIRNAME/../.." install PREFIX="$BATS_FILE_TMPDIR/usr" SYSCONFDIR="$BATS_FILE_TMPDIR/etc"
}

setup() {
	scripts=$BATS_FILE_TMPDIR/etc/xen/scripts
	host_start
	domain 1
	image disk.img
	path=backend/vbd/1/51712
	pwned=$BATS_TEST_TMPDIR/pwned
	code="touch $pwned"
	echo "$code" >"$BATS_TEST_TMPDIR/code"
	tried=0
}

teardown() {
	host_stop
}

# unchanged <command>...
# An attach and a detach under this command, which ends with exec "$@", are as ever, and none of the
# caller's code runs. Counts in tried.
unchanged() {
	attempt "$@" && return
	printf 'under: %q\n' "$@"
	cat "$BATS_TEST_TMPDIR/said"
	return 1
}

# attempt <command>...
attempt() {
	xenstore-rm "$path" 2>/dev/null || :
	vbd 1 51712 "$image"
	called add "$@" || return
	assert_node "$path/hotplug-status" connected || return
	[[ $(host_loops) == *" $image" ]] || return
	called remove "$@" || return
	assert_residue_free || return
	[[ ! -e $pwned ]] || return
	tried=$((tried + 1))
}

# called add|remove <command>...
# Calls the script so. It prints nothing.
called() {
	local environment status
	libxl_environment vbd 1 51712
	# By a pipe: the caller may limit the size of files.
	host "${@:2}" /usr/bin/env "${environment[@]}" "$scripts/block" "$1" </dev/null 2>&1 3>&- | cat >"$BATS_TEST_TMPDIR/said"
	status=${PIPESTATUS[0]}
	((status == 0)) || {
		echo "status $status"
		return 1
	}
	[[ ! -s $BATS_TEST_TMPDIR/said ]]
}

# with <NAME=value>...
# As unchanged, with these in the environment.
with() {
	unchanged env "$@"
}

# Variables by which a caller could change what bash and the programs do.
variables() {
	cat <<-END
		BASH_ENV=$BATS_TEST_TMPDIR/code
		ENV=$BATS_TEST_TMPDIR/code
		SHELLOPTS=noexec
		SHELLOPTS=onecmd
		SHELLOPTS=noglob
		SHELLOPTS=errexit:nounset:xtrace
		SHELLOPTS=posix
		SHELLOPTS=keyword:noclobber
		BASHOPTS=failglob
		BASHOPTS=nullglob:nocasematch:extdebug
		BASHOPTS=lastpipe:xpg_echo
		FUNCNEST=1
		TMOUT=1
		SECONDS=1000
		SECONDS=a[\$($code)]
		RANDOM=a[\$($code)]
		LINENO=a[\$($code)]
		EPOCHREALTIME=x
		PS4=\$($code)
		PROMPT_COMMAND=$code
		IFS=/
		IFS=0123456789
		CDPATH=/tmp
		GLOBIGNORE=*
		POSIXLY_CORRECT=1
		BASH_COMPAT=3.1
		BASH_XTRACEFD=1
		BASH_SOURCE=/etc/passwd
		BASH_ARGV0=/etc/passwd
		BASH_LINENO=a[\$($code)]
		BASH_LOADABLES_PATH=$BATS_TEST_TMPDIR
		FIGNORE=sh
		EXECIGNORE=*
		OPTIND=7
		REPLY=x
		HOME=/nonexistent
		SHELL=/bin/false
		TMPDIR=/nonexistent
		LC_ALL=tr_TR.UTF-8
		LC_ALL=no_such_locale
		LC_ALL=C.UTF-8
		LANG=de_DE.UTF-8
		LANGUAGE=de
		LC_NUMERIC=de_DE.UTF-8
		TZ=:/nonexistent
		TERM=unknown
		GREP_OPTIONS=-v
		LD_BIND_NOW=1
		MALLOC_PERTURB_=7
		POSIX_ME_HARDER=1
		hotplug_parent=1
		hotplug_undo=attach
		hotplug_undo=publish
		hotplug_seconds=1
		hotplug_seconds=a[\$($code)]
		hotplug_common=$BATS_TEST_TMPDIR
		hotplug_helper=$BATS_TEST_TMPDIR/code
		hotplug_config=/etc/passwd
		XEN_HOTPLUG=/bin/false
		XENBUS_BASE_PATH=/etc
		script=/bin/false
		vif=vif1.0
		netdev=a[\$($code)]
		INTERFACE=a[\$($code)]
	END
}

@test "no variable of the caller's changes a call" {
	local line
	while IFS= read -r line; do
		! sampled || with "$line"
	done < <(variables)
	say_tried "$tried" variables 60
}

# globals
# The names that the framework sets.
globals() {
	cat "$root"/hotplug/common/*.sh "$root"/hotplug/common/resources/*.sh "$root/hotplug/Linux/hotplug.sh" |
		sed -n -E 's/^(declare -gA )?([a-z_]+)(=.*)?( *#.*)?$/\2/p' | grep -v -x -E 'fi|done|esac|for|do' | sort -u
}

@test "no global name of the framework's changes a call, whatever its value" {
	local name value names=() settings
	mapfile -t names < <(globals)
	((${#names[@]} >= 60))
	for value in '' 1 pwned "a[\$($code)]" "\$($code)" /etc/passwd; do
		settings=()
		for name in "${names[@]}"; do settings+=("$name=$value"); done
		with "${settings[@]}"
	done
}

# functions
# Those that the framework and block define.
functions() {
	sed -n -E 's/^([a-z_0-9]+)\(\) \{.*/\1/p' "$root"/hotplug/common/*.sh "$root"/hotplug/common/resources/*.sh \
		"$root"/hotplug/Linux/*
}

@test "no exported function of the caller's runs, whether it has the name of a builtin or of ours" {
	local name names=() settings=() at
	mapfile -t names < <(compgen -b && compgen -k && functions && printf "%s\n" ip cat env)
	((${#names[@]} >= 250))
	for name in "${names[@]}"; do settings+=("BASH_FUNC_$name%%=() { $code; }"); done
	with "${settings[@]}"
	# One that shadows a word at a time might be called where all together end the script before.
	for ((at = 0; at < ${#settings[@]}; at += 25)); do
		! sampled || with "${settings[@]:at:25}"
	done
	say_tried "$((tried - 1))" 'sets of functions' 10
}

@test "no exported function of the caller's runs that is a defect of bash" {
	with "BASH_FUNC_x%%=() { :; }; $code"
	with "x=() { :; }; $code" "TERM=() { :; }; $code"
}

@test "an environment of a thousand variables and of a megabyte changes nothing" {
	local settings=() i
	for ((i = 0; i < 1000; i++)); do settings+=("name$i=$(printf '%01000d' "$i")"); done
	with "${settings[@]}"
}

@test "an empty environment changes nothing but where the store and the log are" {
	unchanged env -i XENSTORED_PATH="$XENSTORED_PATH" XEN_HOTPLUG_LOG="$log"
	unchanged env -i PATH= XENSTORED_PATH="$XENSTORED_PATH" XEN_HOTPLUG_LOG="$log"
	unchanged env -i PATH=/nonexistent XENSTORED_PATH="$XENSTORED_PATH" XEN_HOTPLUG_LOG="$log"
}

@test "no process of a call asks the host's database of users" {
	vbd 1 51712 "$image"
	libxl_environment vbd 1 51712
	host env "${environment[@]}" strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=connect,openat "$scripts/block" add
	grep -q connect "$BATS_TEST_TMPDIR/calls"
	run ! grep -E 'nscd|nsswitch|passwd' "$BATS_TEST_TMPDIR/calls"
	call block remove vbd 1 51712
}

@test "programs that the caller's PATH has first are found first" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/thing" <<<$'#!/bin/bash\necho "$PATH" >"${0%/*}/path"'
	printf '#!%s call\n. %q/hotplug.sh\n' "$BATS_FILE_TMPDIR/usr/lib/xen-hotplug/xen-hotplug" "$scripts" >"$scripts/block-path"
	cat >>"$scripts/block-path" <<-'END'
		device block 'A disk.'
		target disk 'The image.'
		resources() { use disk "$target" "$mode"; use thing; }
		thing_acquire() { run thing || fail "$reason"; }
		thing_release() { :; }
		hotplug "$@"
	END
	chmod +x "$scripts/block-path"
	vbd 1 51712 "$image"
	PATH=$BATS_TEST_TMPDIR/bin:/bin call block-path add vbd 1 51712
	[[ $(<"$BATS_TEST_TMPDIR/bin/path") == "$BATS_TEST_TMPDIR/bin:/bin:/usr/sbin:/usr/bin:/sbin:/bin" ]]
	call block-path remove vbd 1 51712
}

# perl_first <perl code>
# As unchanged, after that code.
perl_first() {
	unchanged perl -e "$1"' exec @ARGV or die'
}

@test "signals that the caller ignores change nothing" {
	local signal
	for signal in CHLD TERM INT HUP QUIT PIPE ALRM USR1 USR2 TSTP TTOU WINCH CONT RTMIN RTMAX; do
		! sampled || perl_first "\$SIG{$signal} = 'IGNORE';"
	done
	perl_first '$SIG{$_} = "IGNORE" for keys %SIG;'
	say_tried "$tried" signals 15
}

@test "signals that the caller blocks change nothing" {
	local signal
	for signal in CHLD TERM INT HUP QUIT PIPE ALRM USR1 USR2 CONT SEGV; do
		! sampled || perl_first "use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(POSIX::SIG$signal())) or die;"
	done
	perl_first 'use POSIX; my $all = POSIX::SigSet->new; $all->fillset; sigprocmask(SIG_BLOCK, $all) or die;'
	say_tried "$tried" signals 11
}

@test "a signal that is pending, and a timer that runs, change nothing" {
	perl_first 'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1, SIGCHLD)); kill USR1 => $$; kill CHLD => $$;'
	perl_first 'use Time::HiRes; $SIG{ALRM} = "IGNORE"; Time::HiRes::setitimer(0, 0.001, 0.001);'
}

# shell_first <shell code>
# As unchanged, after that code.
shell_first() {
	unchanged bash -c "$1"'; exec "$@"' -
}

# Limits that a call could come to.
limits=('f 0' 'f 1' 'n 16' 'n 6' 'u 1' 'u 0' 'v 50000' 'd 0' 'd 1000' 't 1' 's 64' 's 200' 'c 0' 'l 0' 'i 0' 'x 0' 'q 0' 'e 0' 'r 0' 'm 1000')

@test "no soft limit of the caller's changes a call" {
	local limit
	for limit in "${limits[@]}"; do
		! sampled || shell_first "ulimit -S$limit"
	done
	shell_first 'ulimit -S -f 0 -n 16 -u 1 -v 50000 -t 1 -s 200 -i 0 -x 0'
	say_tried "$tried" limits 20
}

@test "under a hard limit, which perhaps cannot be raised, an attach succeeds, or fails with a sentence" {
	local limit
	# Without any data segment the C library fails in the caller's own env(1).
	for limit in "${limits[@]/d 0/d 2000}"; do
		! sampled || succeeds_or_tells "$limit" || {
			echo "under: ulimit -$limit"
			cat "$BATS_TEST_TMPDIR/said"
			return 1
		}
	done
	say_tried "$tried" limits 20
}

# succeeds_or_tells <limit>
# Counts in tried.
succeeds_or_tells() {
	local sentence
	xenstore-rm "$path" 2>/dev/null || :
	vbd 1 51712 "$image"
	if called add bash -c "ulimit -$1; exec \"\$@\"" - >/dev/null; then
		assert_node "$path/hotplug-status" connected || return
	else
		# It may lack what it takes to tell the store, too.
		sentence=$(tail -n 1 "$BATS_TEST_TMPDIR/said")
		[[ $sentence == *[a-z]*. && $sentence != *[[:cntrl:]]* ]] || return
	fi
	called remove env || return
	assert_residue_free || return
	tried=$((tried + 1))
}

@test "children of the caller's, which end while a call goes on, change nothing" {
	shell_first 'for i in {1..20}; do /bin/true & done'
}

@test "what an attach makes is root's alone, whatever the caller's umask" {
	local mask
	for mask in 000 777 022; do
		rm -rf "$BATS_TEST_TMPDIR/run/xen-hotplug"
		vbd 1 51712 "$image"
		called add bash -c "umask $mask; exec \"\$@\"" -
		[[ $(stat -c '%a %n' "$BATS_TEST_TMPDIR"/run/xen-hotplug{,/*}) == "700 $BATS_TEST_TMPDIR/run/xen-hotplug"$'\n'"600 $BATS_TEST_TMPDIR/run/xen-hotplug/lock"$'\n'"600 $BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712" ]]
		called remove env
		xenstore-rm "$path"
	done
}

@test "a working directory that is gone or that nobody may enter changes nothing" {
	shell_first "mkdir $BATS_TEST_TMPDIR/gone; cd $BATS_TEST_TMPDIR/gone; rmdir $BATS_TEST_TMPDIR/gone"
	mkdir -p "$BATS_TEST_TMPDIR/full"
	echo "$code" | tee "$BATS_TEST_TMPDIR"/full/{block,hotplug.sh,run.sh,framework.sh,ip,nft,xen-hotplug} >/dev/null
	chmod +x "$BATS_TEST_TMPDIR"/full/*
	shell_first "cd $BATS_TEST_TMPDIR/full"
	shell_first "cd $BATS_TEST_TMPDIR/full; export PATH=:\$PATH"
}

@test "a script is found by a relative path, unless the working directory is gone" {
	local environment
	libxl_environment vbd 1 51712
	vbd 1 51712 "$image"
	mkdir "$scripts/here"
	# shellcheck disable=SC2016 # the inner shell expands
	host bash -c 'cd "$1"; shift; exec env "$@"' - "$scripts/here" "${environment[@]}" ../block add
	assert_node "$path/hotplug-status" connected
	# shellcheck disable=SC2016 # the inner shell expands
	run host bash -c 'cd "$1"; rmdir "$1"; shift; exec env "$@"' - "$scripts/here" "${environment[@]}" ../block remove
	[[ $status == 1 && $output == "The path '../block' is relative to a directory that is not known (No such file or directory); call the script by its absolute path." ]]
	host env "${environment[@]}" "$scripts/block" remove
}

@test "standard descriptors that are closed or cannot be used change nothing" {
	local how
	for how in '0<&-' '1>&-' '2>&-' '0<&- 1>&- 2>&-' '1</dev/null 2</dev/null' '0>/dev/null' '1>/dev/full 2>/dev/full' "0<$BATS_TEST_TMPDIR"; do
		! sampled || shell_first "exec $how"
	done
	say_tried "$tried" descriptors 8
}

@test "a failure with standard error closed is in the store all the same" {
	vbd 1 51712 /no/such/image
	run called add bash -c 'exec 0<&- 1>&- 2>&-; exec "$@"' -
	[[ $output == 'status 1' ]]
	assert_refused "$path" error '/no/such/image'
}

@test "descriptors 3 to 20 and a thousand more of the caller's are neither written to nor handed on" {
	local code
	# shellcheck disable=SC2016 # the inner shell expands
	code='for i in {3..20} 100 255 1022; do eval "exec $i<>$0/fd.$i"; done; exec "$@"'
	unchanged bash -c "$code" "$BATS_TEST_TMPDIR"
	[[ -z $(cat "$BATS_TEST_TMPDIR"/fd.*) ]]
	# shellcheck disable=SC2016 # the inner shell expands
	unchanged bash -c 'ulimit -n 9000; for i in 3 4 1023 1024 5000 8999; do eval "exec $i<>$0/fd.$i"; done; exec "$@"' "$BATS_TEST_TMPDIR"
	[[ -z $(cat "$BATS_TEST_TMPDIR"/fd.*) ]]
}

@test "no descriptor of the caller's reaches bash or a command" {
	printf '#!%s call\n. %q/hotplug.sh\n' "$BATS_FILE_TMPDIR/usr/lib/xen-hotplug/xen-hotplug" "$scripts" >"$scripts/block-fds"
	cat >>"$scripts/block-fds" <<-'END'
		device block 'A disk.'
		target disk 'The image.'
		resources() { use disk "$target" "$mode"; use thing; }
		thing_acquire() { ls -l "/proc/$$/fd" >&2; run ls -l /proc/self/fd || fail "$reason"; printf '%s' "$run_output" >&2; }
		thing_release() { :; }
		hotplug "$@"
	END
	chmod +x "$scripts/block-fds"
	vbd 1 51712 "$image"
	# shellcheck disable=SC2016 # the inner shell expands
	run host bash -c 'ulimit -n 9000; for i in {3..20} 1023 8999; do eval "exec $i<>$0/fd.$i"; done; exec "$@"' \
		"$BATS_TEST_TMPDIR" env XENBUS_PATH="$path" "$scripts/block-fds" add
	[[ $status == 0 && $output == *'-> '*'-> '* && $output != */fd.* ]]
	host env XENBUS_PATH="$path" "$scripts/block-fds" remove
}

@test "a script that another one starts has a call of its own, not the socket of the other" {
	{
		printf '#!/bin/bash -p\nimage=%q\n. %q/hotplug.sh\n' "$image" "$scripts"
		cat <<-'END'
			device block 'A disk that another script attaches.'
			target disk 'The image.'
			resources() { use other; }
			other_acquire() { "${0%/*}/block-inner" help >"$image.help"; fail 'There is no other.'; }
			other_release() { run touch "$image.released"; }
			hotplug "$@"
		END
	} >"$scripts/block-outer"
	sed 's|^#!.*|#!/bin/bash -p|' "$scripts/block" >"$scripts/block-inner"
	chmod +x "$scripts/block-outer" "$scripts/block-inner"
	vbd 1 51712 "$image"
	run host env XENBUS_PATH="$path" "$scripts/block-outer" add
	[[ $status == 1 && $output == 'There is no other.' ]]
	[[ -e $image.released && $(<"$image.help") == 'block-inner: '* ]]
}

@test "a lock that the caller has, and a process group that it is in, change nothing" {
	unchanged flock "$BATS_TEST_TMPDIR/own.lock"
	unchanged setsid --wait
	unchanged nice -n 19
	unchanged setpriv --pdeathsig TERM --no-new-privs
}
