# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # scripts expand it
# Mistakes of those who write scripts: a sentence names the file, the line and the remedy.

load ../lib/host
load ../lib/observe

setup() {
	host_start
	domain 1
	image disk.img
	vbd 1 51712 "$image"
	own=$BATS_TEST_TMPDIR/block-own
	tried=0
}

teardown() {
	host_stop
}

# own_script
# Makes the script of standard input, which has the first line and hotplug.sh, too.
own_script() {
	{
		printf '#!/bin/bash -p\n. %q/hotplug.sh\n' "$scripts"
		cat
		echo 'hotplug "$@"'
	} | program "$own"
}

# call_own <verb>
call_own() {
	run host env XENBUS_PATH=backend/vbd/1/51712 "$own" "$1"
}

# says <verb> <sentence>
# The call fails with this sentence about the script, and no other.
says() {
	call_own "$1"
	[[ $status == 1 && ${output##*$'\n'} == "$own, line $2" ]] || {
		echo "$1: status $status, $output"
		return 1
	}
}

# mistaken <sentence>
# Each verb of the script of standard input fails with it; nothing is held. A check has
# nothing to look at.
mistaken() {
	local verb
	own_script
	for verb in help plan remove add; do
		says "$verb" "$1"
	done
	assert_refused backend/vbd/1/51712 error "$1"
	assert_residue_free
	tried=$((tried + 1))
}

# resources_are <line of resources()>...
# Prints a script whose resources(), from line 6 on, has these lines.
resources_are() {
	printf '%s\n' "device block 'A disk of my own.'" "target disk 'The image.'" 'resources() {' "$@" '}' \
		'thing_acquire() { local one=$1; }' 'thing_release() { :; }'
}

@test "a verb of a resource that is called without use is refused with file and line" {
	local resource verb
	for resource in disk thing; do
		for verb in acquire release check sweep plan expect; do
			mistaken "7: resources() calls ${resource}_$verb, so a detach would not release it; write 'use $resource' instead." \
				< <(resources_are 'use disk "$target" "$mode"' "${resource}_$verb a")
		done
	done
	mistaken "6: resources() calls thing_acquire, so a detach would not release it; write 'use thing' instead." \
		< <(resources_are 'if true; then thing_acquire; fi')
	((tried == 13))
}

@test "a verb of a resource is refused wherever resources() has a shell call it" {
	local line
	while read -r line; do
		mistaken "6: resources() calls thing_acquire, so a detach would not release it; write 'use thing' instead." \
			< <(resources_are "$line" 'use disk "$target" "$mode"')
	done <<-'END'
		local x=$(thing_acquire a) || :
		[[ $(thing_acquire a) ]] || :
		thing_acquire a | cat || :
		cat <(thing_acquire a) || :
		( thing_acquire a ) || :
		thing_acquire a & wait
		use disk "$(thing_acquire a)" w
		case $(thing_acquire a) in *) ;; esac
	END
	mistaken "14: resources() calls thing_acquire, so a detach would not release it; write 'use thing' instead." < <(
		resources_are 'pick' 'use disk "$target" "$mode"'
		printf '%s\n' 'pick() {' '	deeper || :' '}' 'deeper() { thing_acquire a; }'
	)
	((tried == 9))
}

@test "a function of the script's own that is no verb of a resource may be called in resources()" {
	{
		resources_are 'pick' 'thin_check' 'use disk "$picked" "$mode"'
		echo 'pick() { printf -v there %s "$target" && picked=$_; }'
		echo 'thin_check() { [[ -e $picked ]]; }'
	} | own_script
	call_own add
	((status == 0))
	call_own remove
	assert_residue_free
}

@test "a resource that is called without use is refused with file and line" {
	resources_are 'disk "$target" "$mode"' |
		mistaken "6: resources() calls disk, which is a resource; write 'use disk' instead."
	resources_are 'use disk "$target" "$mode"' 'thing a' |
		mistaken "7: resources() calls thing, which is a resource; write 'use thing' instead."
}

@test "a resource that does not exist is refused with file and line" {
	resources_are 'use dsik "$target" "$mode"' |
		mistaken "6: there is no resource 'dsik'; correct its name, or write dsik_acquire and dsik_release."
}

@test "a mistake of the script's is told by the detach of a device that other scripts attached, after its release" {
	local loop
	loop=$(losetup --find --show "$image")
	store_set backend/vbd/1/51712/node "$loop" backend/vbd/1/51712/physical-device "$(stat -c %t:%T "$loop")"
	own_script < <(resources_are 'use disk "$target" "$mode"' 'thing_acquire a')
	says remove "7: resources() calls thing_acquire, so a detach would not release it; write 'use thing' instead."
	assert_residue_free
}

@test "check tells a mistake in resources() when all that is attached is as it was" {
	own_script < <(resources_are 'use disk "$target" "$mode"')
	call_own add
	((status == 0))
	own_script < <(resources_are 'use disk "$target" "$mode"' 'thing_acquire a')
	says check "7: resources() calls thing_acquire, so a detach would not release it; write 'use thing' instead."
	call_own remove
	((status == 0))
	assert_residue_free
}

@test "a failure that is no mistake ends neither help nor check" {
	own_script < <(resources_are '[[ $target == /* ]] || fail "No path."' 'use disk "$target" "$mode"')
	call_own help
	((status == 0))
	call_own add
	((status == 0))
	call_own check
	((status == 0))
	call_own remove
	((status == 0))
}

@test "a resource that lacks an argument is refused with file, line and its arguments" {
	resources_are 'use disk "$target"' | mistaken "6: disk lacks an argument; write 'use disk PATH MODE'."
	resources_are 'use disk' | mistaken "6: disk lacks an argument; write 'use disk PATH MODE'."
	resources_are 'use interface' | mistaken "6: interface lacks an argument; write 'use interface KERNEL-NAME WANTED-NAME'."
}

# arguments_are_named <resource> <reference>
# NAME_arguments has a word for each argument that the comment of NAME_acquire has
# outside brackets, and the reference has the same words.
arguments_are_named() {
	local file=$root/hotplug/common/resources/$1.sh words needed
	words=$(sed -n "s/^$1_arguments='\(.*\)'$/\1/p" "$file")
	needed=$(sed -n "s/^# $1_acquire//p" "$file" | sed 's/ \[[^]<>]*\]//g' | grep -o '<[^>]*>' | wc -l) || :
	[[ $(wc -w <<<"$words") == "$needed" && $2 == *"\`$1${words:+ $words}"[\`\ ]* ]]
}

@test "each resource names the arguments that it must have, as the reference does" {
	local file name reference tried=0
	reference=$(<"$root/docs/writing-a-script.md")
	for file in "$root"/hotplug/common/resources/*.sh; do
		name=${file##*/}
		name=${name%.sh}
		arguments_are_named "$name" "$reference" || {
			echo "$name"
			return 1
		}
		tried=$((tried + 1))
	done
	((tried >= 23))
}

@test "a variable that is not set is named with file and line, also in help" {
	own_script <<<"$(resources_are 'use disk "$no_such_one" "$mode"')"
	says add '6: the variable no_such_one is not set; correct its name, or declare it as a parameter.'
	says plan '6: the variable no_such_one is not set; correct its name, or declare it as a parameter.'
	says help '6: the variable no_such_one is not set; correct its name, or declare it as a parameter.'
	says remove '6: the variable no_such_one is not set; correct its name, or declare it as a parameter.'
	own_script <<<"$(resources_are 'use disk "$target" "$mode"')"$'\necho "$no_such_one"'
	says help '10: the variable no_such_one is not set; correct its name, or declare it as a parameter.'
	own_script <<<"$(resources_are 'use disk "$target" "$mode"' 'use thing')"
	says add '9: the argument $1 is missing; add it where the function or resource is called.'
	assert_residue_free
}

@test "resources that set no device are refused instead of published" {
	own_script <<<"$(resources_are 'use thing x')"
	call_own add
	[[ $status == 1 && $output == *'none of the resources has set dev'* ]]
	run ! store_has backend/vbd/1/51712/physical-device-path
	assert_residue_free
}
