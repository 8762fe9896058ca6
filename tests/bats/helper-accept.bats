#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # hostile values, which nobody expands
# xen-hotplug accept: a device's nodes, and the parameters of its script.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	. "$BATS_TEST_DIRNAME/../lib/library.bash"
	helper_setup
	base=$home/backend/vbd/1/51712
}

teardown() {
	helper_teardown
}

# A disk with three parameters, as a script would declare them.
declared=(server host '' 'Where it is.' port port '=80' 'And the port.' name word '=' 'Its name.')

# disk <target> [node value]...
# A disk with these nodes.
disk() {
	! store_has "$base" || xenstore-rm "$base"
	store_set "$base/frontend-id" 1 "$base/state" 2 "$base/mode" w "$base/params" "$@"
}

# accept [option]... [-- parameter word...]
# As a script would ask for the disk.
accept() {
	local options=() all=("$@")
	while (($#)) && [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	((${#all[@]} > ${#options[@]})) || set -- -- "${declared[@]}"
	call accept --device vbd/1/51712 --script block-own "${options[@]}" -- "$base" "${@:2}"
}

# variables
# Prints those of the last answer, NAME=VALUE, with the title of one that is to be checked.
variables() {
	local at
	for ((at = 3 + reply[2]; at < ${#reply[@]}; at += 3)); do
		printf '%s=%s%s ' "${reply[at]}" "${reply[at + 1]}" "${reply[at + 2]:+ ${reply[at + 2]}}"
	done
}

# takes <list> <server> <port> <name>
# The list gives these values.
takes() {
	disk "$1"
	accept
	[[ $status == 0 && ! $error && ! ${reply[0]} && ! ${reply[1]} && $(variables) == "mode=w server=$2 port=$3 name=$4 " ]]
}

# refuses <list> <part of the sentence>
# The list is refused, in one sentence.
refuses() {
	disk "$1"
	accept
	[[ $status == 0 && ! ${reply[0]} && ${reply[1]} == *"$2"*. && ${reply[1]} != *$'\n'* ]] || {
		printf 'but it says: %q\n' "${reply[1]}"
		return 1
	}
}

@test "a list of parameters gives values" {
	table takes <<-'END'
		server=a a 80 ''
		server=a,port=1 a 1 ''
		port=1,server=a a 1 ''
		server=a,name=x a 80 x
		name=@x:y,server=::1,port=65535 ::1 65535 @x:y
		server=a, a 80 ''
		own:server=a a 80 ''
	END
}

@test "a list that does not match the declaration is refused with a sentence" {
	table refuses <<-'END'
		'' 'Parameter server is missing; add it'
		port=1 'Parameter server is missing'
		server 'without a value; write server=VALUE'
		server= "Parameter server is ''"
		server=a,server=b 'gives the parameter server twice'
		server=a,server=a 'gives the parameter server twice'
		server=a,other=b "has 'other=b', but this disk's parameters are server, port, name;"
		server=a,,port=1 "has ''"
		,server=a "has ''"
		=a "has '=a'"
		server=a,port=0 "Parameter port is '0', which is not a port number"
		server=a,PATH=/tmp "has 'PATH=/tmp'"
		server=a,target=x "has 'target=x'"
		server=a,a[0]=x 'has'
		'server=a,x[$(touch "$BATS_TEST_TMPDIR/pwned")]=1' 'has'
		'server=$(touch "$BATS_TEST_TMPDIR/pwned")' 'Parameter server is'
		$'server=a\nb' 'Parameter server is'
		$'server=\xff\xfe' 'Parameter server is'
		'server=a b' 'Parameter server is'
		server=-a 'Parameter server is'
	END
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "a long value is truncated in the sentence that refuses it" {
	refuses "server=-$(printf '%04000d' 0 | head -c 3000)" "…'"
	[[ ${#reply[1]} -lt 500 ]]
}

@test "a sentence about many long names and choices has an end" {
	local names=() i name
	for ((i = 0; i < 200; i++)); do
		printf -v name 'n%0200d' "$i"
		names+=("$name" "choice:$name,$name,$name,$name,$name" '=' 'A word.')
	done
	disk "$(printf '%04000d' 0 | head -c 3000)"
	accept -- "${names[@]}"
	[[ $status == 0 && ${reply[1]} == 'The target has '*'correct the guest'*. ]]
	disk "$name=x"
	accept -- "${names[@]}"
	[[ $status == 0 && ${reply[1]} == "Parameter n"*"which is not one of n"* ]]
}

@test "a target that is one value is checked whole" {
	disk /dev/sda,x=y
	accept -- target disk '' 'The disk.'
	[[ $(variables) == 'mode=w target=/dev/sda,x=y ' ]]
	disk ''
	accept -- target disk '' 'The disk.'
	[[ ${reply[1]} == "The target is '', which is not an absolute path"* ]]
}

@test "a value whose type is the script's own is left to the script" {
	disk a=1,b=2
	accept -- a mine '' 'One.' b mine =3 'Two.' c mine =4 'Three.'
	[[ $(variables) == 'mode=w a=1 Parameter a b=2 Parameter b c=4 ' ]]
	disk x
	accept -- target mine '' 'All.'
	[[ $(variables) == 'mode=w target=x The target ' ]]
}

@test "each spelling of the access mode gives one of r, w and w!" {
	local mode tried=0
	for mode in r:r ro:r w:w rw:w 'w!:w!' 'rw!:w!'; do
		disk x
		store_set "$base/mode" "${mode%:*}"
		accept -- target word '' 'All.'
		[[ $(variables) == "mode=${mode#*:} target=x " ]]
		tried=$((tried + 1))
	done
	((tried == 6))
	xenstore-rm "$base/mode"
	accept
	[[ ${reply[0]} == "The access mode is '', which is not one of "* ]]
}

@test "a device that is about to go is not accepted, except for its detach" {
	disk server=a
	store_set "$base/state" 5
	accept
	[[ ${reply[0]} == 'The disk vbd/1/51712 is being detached (state 5), so it was not attached.' ]]
	accept --detach
	[[ ! ${reply[0]} && $(variables) == 'mode=w server=a port=80 name= ' ]]
}

@test "the nodes that there are come with their values" {
	disk server=a "$base/physical-device" 7:0 "$base/node" ''
	accept
	[[ "${reply[*]:2:13}" == "12 physical-device 7:0 frontend-id 1 state 2 params server=a mode w node " ]] || {
		echo "${reply[*]@Q}"
		false
	}
}

@test "an interface's parameters come from nodes" {
	base=$home/backend/vif/1/0
	store_set "$base/frontend-id" 1 "$base/two" '' "$base/three" given "$base/vifname" web "$base/mac" 00:16:3e:00:00:01
	call accept --device vif/1/0 --tap vif1.0-emu -- "$base" one word =first 'A.' two word =second 'B.' three word '' 'C.'
	[[ $(variables) == 'vifname=web-emu mac=00:16:3e:00:00:01 mtu= one=first two=second three=given ' ]]
	store_set "$base/vifname" abcdefghijkl
	call accept --device vif/1/0 --tap vif1.0-emu -- "$base"
	[[ ${reply[0]} == "The vifname 'abcdefghijkl' is too long for a guest with an emulated interface; use 11 bytes or fewer,"* ]]
	call accept --device vif/1/0 --vif all -- "$base"
	[[ ${reply[0]} == "The name of the interface is 'all', which is not the name of an interface for guests"* ]]
}

@test "a node that cannot be read fails the call with a sentence" {
	disk server=a
	store_fault 'read:*/mode@1=EINVAL'
	accept
	ended 1 "Cannot read the node $base/mode: Invalid argument."
	store_stop
	printf '%s %b\n' "$base/params" 'a\0b' >nodes
	store_start --load "$PWD/nodes"
	accept
	ended 1 "Cannot read the node $base/params: holds a NUL byte."
}

@test "accept whose lock is not taken reads nothing and ends with a status of its own" {
	local before
	disk server=a
	before=$(store_requests READ)
	exec 8<>lock
	"$helper" lock 8:vbd/1/51712
	accept --lock 9 --wait 0.2
	ended 6 "'vbd/1/51712' has been locked by *"
	[[ $(store_requests READ) == "$before" ]]
	exec 8>&-
	accept --lock 9 --wait 0.2
	[[ $status == 0 && ! ${reply[0]} ]]
}
