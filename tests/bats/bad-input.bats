# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2030,SC2031 # a test is a subshell, and so is another
# Whatever is in a node, the environment or the arguments: it works where it is
# legal, and else fails with one sentence; it is never evaluated, and nothing
# stays of it. A detach succeeds.

load ../lib/host
load ../lib/enumerate

setup() {
	host_start
	domain 1
	bad_values
}

teardown() {
	report_moment
	host_stop
}

# bad_values
# Sets the table of values, all of which could be evaluated, split or misread.
bad_values() {
	local long
	printf -v long '%03000d' 0
	bad=('' 'a b' "a'b" 'a"b' $'a\nb' -a "\$(touch $BATS_TEST_TMPDIR/pwned)" "\`touch $BATS_TEST_TMPDIR/pwned\`"
		"a;touch $BATS_TEST_TMPDIR/pwned" 'a*' '*' @ "a[\$(touch $BATS_TEST_TMPDIR/pwned)]" "$long" $'\xff\xfe' ../.. / .
		%n%s '\n' $'\e[31m' 'a=b' '#')
}

# refused_or_done
# After an attach: done, or refused as it should be; then the detach.
refused_or_done() {
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
	if ((ended != 0)); then
		assert_ended 1
		assert_nothing_held
		assert_sentence "$(tail -n 1 "$said")"
		assert_node "$subject_path/hotplug-status" error
		assert_sentence "$(store_get "$subject_path/hotplug-error")"
		refused=$((refused + 1))
	fi
	assert_detaches
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

# bad_nodes vif|tap|disk <least number of refusals> <node>...
# Each node has each of the values.
bad_nodes() {
	local node value refused=0 tried=0
	subject_make "$1"
	for node in "${@:3}"; do
		for value in "${bad[@]}"; do
			sampled || continue
			printf -v moment '%s is %q' "$node" "${value:0:100}"
			subject_nodes
			xenstore-write -R -- "$subject_path/$node" "$value"
			libxl attach timeout "$in_time"
			refused_or_done
			tried=$((tried + 1))
		done
	done
	assert_works_again
	assert_residue_free
	say_tried "$tried" values 20
	say_tried "$refused" 'refused values' "$2"
}

@test "an invalid bridge name of a vif is refused" {
	bad_nodes vif 20 bridge
}

@test "an invalid vifname of a vif is refused" {
	bad_nodes vif 10 vifname
}

@test "an invalid MTU of a vif is refused" {
	bad_nodes vif 20 mtu
}

@test "an invalid ip or mac of a vif is refused" {
	bad_nodes vif 40 ip mac
}

@test "an invalid vifname of a tap is refused" {
	bad_nodes tap 10 vifname
}

@test "no value of a vif's other nodes does harm" {
	bad_nodes vif 0 frontend-id state
}

@test "a refusal names a disk's missing target" {
	bad_nodes disk 20 params
}

@test "an invalid mode of a disk is refused" {
	bad_nodes disk 20 mode
}

@test "no value of a disk's other nodes does harm" {
	bad_nodes disk 0 frontend-id node
}

@test "an image may have any file name" {
	local value
	subject_make disk
	for value in "${bad[@]}"; do
		[[ $value && $value != */* && $value != . && ${#value} -lt 200 ]] || continue
		sampled || continue
		printf -v moment 'the image is %q' "$value"
		truncate -s 1M -- "$BATS_TEST_TMPDIR/$value"
		image=$BATS_TEST_TMPDIR/$value
		subject_settings=("$image")
		subject_nodes
		libxl attach
		assert_ended 0
		assert_attached
		assert_detaches
		rm -- "$image"
	done
}

# bad_environment vif|disk <variable>...
# Each variable has each of the values; a detach with it, too, tells or succeeds.
bad_environment() {
	local variable value refused=0
	subject_make "$1"
	for variable in "${@:2}"; do
		for value in "${bad[@]}"; do
			sampled || continue
			printf -v moment '%s=%q' "$variable" "${value:0:100}"
			subject_nodes
			libxl attach timeout "$in_time" env "$variable=$value"
			((ended == 0)) || told
			libxl detach timeout "$in_time" env "$variable=$value"
			((ended == 0)) || told
			assert_detaches
		done
	done
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
	assert_works_again
}

# told
# It failed, and said why in one sentence.
told() {
	assert_ended 1
	assert_sentence "$(tail -n 1 "$said")"
}

@test "no value of an interface's environment does harm" {
	bad_environment vif vif XENBUS_PATH
}

@test "no value of a disk's environment does harm" {
	bad_environment disk XENBUS_PATH
}

@test "unrelated variables in the environment do no harm" {
	local value
	subject_make vif
	for value in "${bad[@]}"; do
		sampled || continue
		printf -v moment 'the environment has %q' "${value:0:100}"
		subject_nodes
		libxl attach env INTERFACE="$value" type="$value" failure="$value" bridge="$value" dev="$value" mtu="$value" \
			IFS="$value" LANG="$value" LC_ALL="$value" CDPATH="$value" \
			script="$value" XENBUS_TYPE="$value" XENBUS_BASE_PATH="$value" netdev="$value" hotplug_common="$value" \
			journal_live=1 lifecycle_phase=attach
		assert_ended 0
		assert_attached
		assert_detaches
	done
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "POSIXLY_CORRECT in the environment changes nothing" {
	subject_make vif
	libxl attach env POSIXLY_CORRECT=1
	assert_ended 0
	assert_attached
	libxl_goes
	libxl detach env POSIXLY_CORRECT=1
	assert_ended 0
	assert_nothing_held
}

@test "no argument does harm" {
	local value call
	subject_make vif
	libxl_environment vif 1 0
	for value in "${bad[@]}"; do
		sampled || continue
		printf -v moment 'the argument %q' "${value:0:100}"
		for call in vif-bridge block; do
			said=$BATS_TEST_TMPDIR/said ended=0
			host env "${environment[@]}" "$scripts/$call" "$value" </dev/null >"$said" 2>&1 || ended=$?
			# libxl's arguments may have a value, and a person may ask for help.
			[[ $value == *=* && $ended == 1 || $value == --help ]] || told
			ended=0
			host env "${environment[@]}" "$scripts/vif-bridge" online "type_if=$value" </dev/null >"$said" 2>&1 || ended=$?
			[[ $ended == 0 ]] || told
			assert_detaches
			subject_nodes
		done
	done
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

# refused_disk <part of the sentence> <target> [node value]...
refused_disk() {
	moment="disk $2"
	subject_nodes
	nodes "$subject_path" params "$2" "${@:3}"
	libxl attach timeout "$in_time"
	assert_ended 1
	assert_refused "$subject_path" error "$1"
	local refused=0
	refused_or_done
}

@test "a target that cannot be a disk is refused with its kind" {
	local there=$BATS_TEST_TMPDIR/there
	subject_make disk
	mkdir "$there"
	mkfifo "$there/fifo"
	ln -s nowhere "$there/dangling"
	ln -s loop "$there/loop"
	: >"$there/empty"
	truncate -s 100 "$there/small"
	truncate -s 1M "$there/read-only"
	chmod 0444 "$there/read-only"
	refused_disk 'does not exist' "$there/missing"
	refused_disk 'is a directory' "$there"
	refused_disk 'named pipe' "$there/fifo"
	refused_disk 'symbolic link' "$there/dangling"
	refused_disk "$there/loop" "$there/loop"
	refused_disk "$there/empty" "$there/empty"
	refused_disk "$there/small" "$there/small"
	refused_disk 'read-only' "$there/read-only" mode w
	refused_disk 'character device' /dev/null
	refused_disk "$there/small/x" "$there/small/x"
	assert_works_again
}

@test "a value with a NUL byte is refused" {
	local kind node
	for kind in vif:bridge disk:params disk:mode; do
		subject_make "${kind%:*}"
		node=$subject_path/${kind#*:}
		subject_nodes
		store_write_nul "$node"
		libxl attach
		assert_ended 1
		assert_refused "$subject_path" error 'NUL'
		libxl_goes
		libxl detach
		((ended == 0)) || told
		assert_nothing_held
		subject_nodes
		assert_detaches
	done
}

# store_write_nul <path>
# Writes a, NUL, b to the node, for which xenstore-write has no means: a WRITE
# is type 11, with four numbers of four bytes before the path and the value.
store_write_nul() {
	perl -MSocket -e '
		my ($socket, $path) = @ARGV;
		my $payload = "$path\0a\0b";
		socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
		connect($s, sockaddr_un($socket)) or die;
		syswrite($s, pack("L4", 11, 1, 0, length $payload) . $payload);
		sysread($s, my $answer, 4096) or die;
	' "$XENSTORED_PATH" "$1"
}

@test "a call with a missing or unknown verb, or without a device, says what is wrong" {
	local script path
	subject_make vif
	for script in vif-bridge block; do
		for path in unset '' / backend backend/vif/1 backend/vbd/1/ backend/vif/01/0 /backend/vif/1/0 backend/vkbd/1/0 \
			backend/vif/1/0/ ../backend/vif/1/0 backend/vif/123456/0 'backend/vif/1/0 '; do
			sampled || continue
			moment="$script with XENBUS_PATH=$path"
			said=$BATS_TEST_TMPDIR/said ended=0
			if [[ $path == unset ]]; then
				host env -u XENBUS_PATH "$scripts/$script" add </dev/null >"$said" 2>&1 || ended=$?
			else
				host env XENBUS_PATH="$path" "$scripts/$script" add </dev/null >"$said" 2>&1 || ended=$?
			fi
			told
			grep XENBUS_PATH "$said"
		done
		moment="$script without a verb"
		ended=0
		host env XENBUS_PATH=backend/vbd/1/0 "$scripts/$script" </dev/null >"$said" 2>&1 || ended=$?
		told
	done
	assert_residue_free
}

@test "without a store, attach and detach report it on standard error and in the log" {
	local kind verb
	for kind in vif disk; do
		subject_make "$kind"
		for verb in attach detach; do
			moment="$kind $verb"
			: >"$log"
			libxl "$verb" timeout "$in_time" env XENSTORED_PATH="$BATS_TEST_TMPDIR/no-store"
			told_of xenstored "$verb"
		done
		assert_detaches
	done
}

# told_of <word> <verb>
# A detach of nothing may succeed.
told_of() {
	((ended != 0)) || [[ $2 == detach ]]
	((ended == 0)) || {
		assert_ended 1
		grep "$1.*\.\$" "$said"
		grep "^err: .*$1" "$log"
	}
	assert_nothing_held
}

@test "an attach fails in time with a message if the store hangs" {
	local kind=$((RANDOM % 2)) started
	subject_make vif
	((kind)) || subject_make disk
	store_fault 'any@1+=hang'
	started=$SECONDS
	libxl attach timeout "$in_time"
	((SECONDS - started < in_time))
	told
	store_fault_none
	assert_detaches
}

@test "an attach is rolled back in time if the store hangs at publishing" {
	local started
	subject_make disk
	store_fault 'transaction_start@1+=hang'
	started=$SECONDS
	libxl attach timeout "$in_time"
	((SECONDS - started < in_time))
	told
	assert_nothing_held
	store_fault_none
	assert_detaches
}

@test "a detach continues if the journal holds garbage" {
	local kind garbage
	for kind in vif disk; do
		subject_make "$kind"
		for garbage in '' '\0' 'garbage' 'use\02\0nothing\0a\0.\0' 'use\0x\0a\0.\0' '\377\376\0' 'use\01\0../x\0.\0' \
			'use\099\0a\0.\0' "use\01\0a[\$(touch $BATS_TEST_TMPDIR/pwned)]\0.\0" 'use\00\0.\0' 'note\01\0a\0.\0'; do
			sampled || continue
			moment="journal $garbage"
			subject_nodes
			libxl attach
			libxl_goes
			libxl detach
			# shellcheck disable=SC2059 # the garbage is a format
			printf "$garbage" >"$BATS_TEST_TMPDIR/run/xen-hotplug/$(journal)"
			libxl detach timeout "$in_time"
			((ended == 0)) || told
			[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
			rm -f "$BATS_TEST_TMPDIR/run/xen-hotplug/$(journal)"
		done
		assert_works_again
	done
}

# journal
# The name of the subject's.
journal() {
	local name=${subject_path#backend/}
	echo "${name//\//-}"
}

# cut_at <bytes>
# Detaches with the journal cut there, which names all that was done by then.
# Counts in the caller's tried.
cut_at() {
	head -c "$1" "$BATS_TEST_TMPDIR/whole" >"$file"
	libxl detach timeout "$in_time"
	assert_ended 0
	assert_nothing_held
	tried=$((tried + 1))
}

# Cut at any other byte it is read as cut before (library-journal.bats).
@test "a journal truncated after any field is enough to detach everything done by then" {
	local fields bytes=0 file i tried=0
	subject_make vif
	libxl attach
	file=$BATS_TEST_TMPDIR/run/xen-hotplug/$(journal)
	cp "$file" "$BATS_TEST_TMPDIR/whole"
	assert_detaches
	mapfile -d '' -t fields <"$BATS_TEST_TMPDIR/whole"
	for ((i = 0; i < ${#fields[@]}; i++)); do
		moment="journal cut at $bytes"
		! sampled || cut_at "$bytes"
		bytes=$((bytes + ${#fields[i]} + 1))
	done
	((bytes == $(stat -c %s "$BATS_TEST_TMPDIR/whole")))
	cut_at "$bytes"
	assert_works_again
	say_tried "$tried" cuts 53
}

@test "an interface that vanishes during the attach is reported" {
	subject_make vif
	host ip link del vif1.0
	libxl attach
	told
	assert_refused "$subject_path" error 'The interface vif1.0 does not exist'
	libxl_goes
	libxl detach timeout "$soon"
	assert_ended 0
	assert_residue_free
}
