#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The helper's arguments, help and exit statuses.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	cd "$BATS_TEST_TMPDIR" || return
	export XENSTORED_PATH=$BATS_TEST_TMPDIR/nothing
}

@test "the help lists every subcommand" {
	call help --all
	((status == 0))
	local name names
	mapfile -t names < <(sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' out)
	((${#names[@]} >= 16))
	for name in "${names[@]}"; do
		call "$name" --help
		((status == 0))
		[[ $error == '' && $(<out) == "Usage: xen-hotplug $name "* ]]
		cp out by-option
		call help "$name"
		cmp out by-option
	done
	call help frobnicate
	ended 2 "'frobnicate' is not a subcommand*"
}

@test "the first page of the help has nothing that only scripts call" {
	call --help
	((status == 0))
	grep -q '^  gc ' out
	! grep -E '^  (call|claim|publish) ' out || return 1
}

@test "--version prints what the file VERSION says" {
	call --version
	[[ $status == 0 && $(<out) == "xen-hotplug $(<"$root/VERSION")" ]]
}

@test "wrong arguments are a usage error of one sentence" {
	call
	ended 2 '*subcommand is missing*'
	call frobnicate
	ended 2 "'frobnicate' is not a subcommand*"
	local line words
	while read -r line; do
		read -ra words <<<"$line"
		call "${words[@]}"
		ended 2 "*see 'xen-hotplug ${line%% *} --help'." || {
			echo "arguments: $line"
			return 1
		}
	done <<-'END'
		load
		load base
		load --frobnicate base key
		lock
		lock 9
		lock 9:
		lock -- -1:x
		lock x:y
		lock --wait
		lock --wait 0 9:x
		lock --wait -1 9:x
		lock --wait 1e3 9:x
		lock --wait 1.2345 9:x
		lock --wait 99999999999999999999 9:x
		accept
		accept --device vbd/1/5
		accept base
		accept --device vbd/1/5 base name type default
		accept --device vbd/1 base
		accept --device vbd/1/5 --lock x base
		accept --device vbd/1/5 --lock -1 base
		type
		type word
		type nonsense value
		describe script block sentence
		describe script block sentence tools name
		publish
		publish base =value
		publish base ?
		fail base
		fail --status fine base sentence
		forget
		forget a b
		run
		run --deadline 0 true
		run --parent 1 true
		lock
		lock 9
		lock 9:
		lock 9:a 9:b
		lock -1:x
		lock --wait 0 9:x
		unlock
		unlock x:y
		unlock 9:a 9:b
		call
		call --frobnicate script
		claim --mode w /x
		claim --device vbd/1/2 /x
		claim --device vbd/1/2 --mode x /x
		claim --device vbd/1/2 --mode w relative
		claim --device vbd/1 --mode w /x
		claim --device vbd/1/2/3 --mode w /x
		claim --device vbd/1/-2 --mode w /x
		claim --device VBD/1/2 --mode w /x
		claim --device vbd/40000/2 --mode w /x
		claim --device vbd/1/4294967296 --mode w /x
		claim --device muchtoolongtype/1/2 --mode w /x
		claim --device vbd/1/2 --mode w --lock x /x
		release
		release --device vbd/1/2 extra
		release --device vbd/1/2 --token xyz
		release --device vbd/1/2 --token 123456789
		claim --device vbd/1/2 --mode w --token 0x1 /x
		release --device vbd/1/2 --node /dev/loop0
		release --device vbd/1/2 --token 1a --node /dev/loop0 --target /x
		identify
		identify relative
	END
}

@test "without a store the sentence says why and what to do" {
	call load base key
	ended 1 'Cannot connect to xenstored (No such file or directory); start it*'
	call publish base key=value
	ended 1 'Cannot connect to xenstored (*'
	call fail base 'All is lost.'
	((status == 1))
	[[ $error == $'All is lost.\nCannot connect to xenstored ('* ]]
}

@test "standard output that cannot be written is a failure" {
	store_start
	export XENSTORED_PATH
	status=0
	"$helper" load base key >/dev/full 2>err || status=$?
	store_stop
	((status == 1))
	[[ $(<err) == 'Cannot write the result to standard output (No space left on device)'* ]]
}

@test "help that nobody reads to its end is no sentence, and help that cannot be written is one" {
	exec {pipe}> >(:)
	wait "$!"
	status=0
	"$helper" --help 1>&"$pipe" 2>err || status=$?
	exec {pipe}>&-
	[[ $status == 1 && ! -s err ]]
	status=0
	"$helper" --help >/dev/full 2>err || status=$?
	[[ $status == 1 && $(<err) == 'Cannot write the result to standard output (No space left on device)'* ]]
}

@test "closed standard descriptors are not reused for other files" {
	status=0
	"$helper" load base key <&- >&- 2>&- || status=$?
	((status == 1))
}
