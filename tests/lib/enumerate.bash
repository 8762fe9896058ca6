# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# For tests that let one thing go wrong at each moment of an attach or detach:
# the devices that they try it on, libxl's calls of them, and what has to be
# true afterwards. Sourced by bats files, after host.bash.

# What a test is about, once subject_is or subject_make has run:
subject=''          # vif, tap or disk
subject_script=''   # the script that libxl calls
subject_type=''     # vif, vbd or vbd3
subject_id=''       # its number, as libxl gives it
subject_path=''     # its nodes
subject_link=''     # the interface, as the kernel calls it; empty for a disk
subject_settings=() # a disk's target; and, in pairs, the nodes that are not as always
moment=''           # what is being tried, for report_moment

# subject_is vif|tap|vbd|vbd3 <script> <setting>...
# From now on that is the subject; nothing is made of it yet.
subject_is() {
	subject=$1 subject_script=$2 subject_type=$1 subject_id=0 subject_link='' subject_settings=("${@:3}")
	case $1 in
	vif) subject_link=vif1.0 ;;
	tap) subject_type=vif subject_link=vif1.0-emu ;;
	*) subject=disk subject_id=51712 ;;
	esac
	subject_path=backend/$subject_type/1/$subject_id
}

# subject_make vif|tap|disk
# A device of vif-bridge or block that could be attached now. Loop devices are
# the machine's, and known by the number of their disk: no other test that runs
# now has this process id.
subject_make() {
	if [[ $1 == disk ]]; then
		image disk.img
		subject_is vbd block "$image"
		subject_id=$$ subject_path=backend/vbd/1/$$
	else
		subject_is "$1" vif-bridge bridge xenbr0 vifname web mtu 1400
		bridge xenbr0
		vif_link "$subject_link" guest1.0
	fi
	subject_nodes
}

# subject_nodes
# The nodes as libxl writes them for a new device, in the place of the old ones.
subject_nodes() {
	if [[ $subject == disk ]]; then
		xenstore-rm "$subject_path" 2>/dev/null || :
		"$subject_type" 1 "$subject_id" "${subject_settings[@]}" # a function of that name makes its nodes
		return
	fi
	xenstore-rm "$subject_path" /local/domain/1/device/vif/0 2>/dev/null || :
	vif_nodes 1 0 "${subject_settings[@]}" # whoever detached gave the interface back
}

# libxl attach|detach [command...]
# The call of a script as libxl makes it, perhaps under a command, such as
# strace. What it prints goes to a file, so that nobody waits for its children.
# Result: its exit status in ended, what it printed in the file $said.
libxl() {
	local environment call
	case $1:$subject in
	attach:disk) call=(add) ;;
	detach:disk) call=(remove) ;;
	attach:vif) call=(online type_if=vif) ;;
	detach:vif) call=(offline type_if=vif) ;;
	attach:tap) call=(add type_if=tap) ;;
	detach:tap) call=(remove type_if=tap) ;;
	esac
	libxl_environment "$subject_type" 1 "$subject_id"
	local -x "${environment[@]}"
	said=$BATS_TEST_TMPDIR/said ended=0
	host "${@:2}" "$scripts/$subject_script" "${call[@]}" </dev/null >"$said" 2>&1 ||
		ended=$?
}

# libxl_goes
# What libxl writes before it calls for a detach.
libxl_goes() {
	nodes "$subject_path" online 0 state 5
}

# assert_detaches
# The detach succeeds, without waiting long for anybody, and leaves nothing.
assert_detaches() {
	libxl_goes
	libxl detach timeout "$soon"
	assert_ended 0
	assert_nothing_held
}

# assert_ended <exit status>
assert_ended() {
	[[ $ended == "$1" ]] || {
		echo "exit status $ended, not $1; it said:"
		cat "$said"
		return 1
	}
}

# assert_nothing_held
# As assert_residue_free; and an interface has the name back that the kernel gave it.
assert_nothing_held() {
	local left
	left=$(nothing_held_but) || :
	[[ ! $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}

# nothing_held_but
# Prints what is held.
nothing_held_but() {
	host_residue
	[[ ! $subject_link || -e $host_root/sys/class/net/$subject_link ]] || echo "no interface $subject_link"
}

# assert_works_again
# After all that, the device can be attached and detached.
assert_works_again() {
	subject_nodes
	libxl attach timeout "$soon"
	assert_ended 0
	assert_attached
	assert_detaches
}

# assert_attached
# All that a guest and its backend need is there.
assert_attached() {
	case $subject in
	disk) assert_disk_attached ;;
	vif)
		assert_node "$subject_path/hotplug-status" connected
		# What the store denies is left out of the guest's own nodes.
		[[ $moment == *EACCES* ]] || assert_node /local/domain/1/device/vif/0/mtu 1400
		assert_port web
		;;
	tap) assert_port web-emu ;;
	esac
}

# assert_port <interface>
# It is up, on the bridge, and has the MTU and the address.
assert_port() {
	local link=$host_root/sys/class/net/$1 is
	mapfile -t is < <(cat "$link/mtu" "$link/address" "$link/flags")
	[[ $link/master -ef $host_root/sys/class/net/xenbr0 && "${is[*]:0:2} $((${is[2]-0} & 1))" == '1400 fe:ff:ff:ff:ff:ff 1' ]] || {
		echo "the port $1 is: ${is[*]}, or not on the bridge"
		return 1
	}
}

# assert_disk_attached
assert_disk_attached() {
	local loop
	loop=$(host_loops)
	loop=${loop%% *}
	[[ $loop ]] || {
		echo 'there is no loop device'
		return 1
	}
	assert_node "$subject_path/physical-device" "$(stat -c %t:%T "$loop")"
	assert_node "$subject_path/physical-device-path" "$loop"
	assert_node "$subject_path/hotplug-status" connected
}

# assert_all_or_nothing
# After an attach that was not killed: it says that it succeeded and all is
# there, or that it failed, and then nothing is held or published, and a person
# is told why. The store takes the sentence, as only one request goes wrong.
assert_all_or_nothing() {
	if ((ended == 0)); then
		assert_attached
		return
	fi
	assert_ended 1
	assert_nothing_held
	assert_sentence "$(tail -n 1 "$said")"
	[[ $subject == tap ]] || assert_node "$subject_path/hotplug-status" error
	assert_sentence "$(store_get "$subject_path/hotplug-error")"
	assert_unpublished
}

# assert_unpublished
# Nothing in the store makes a backend connect.
assert_unpublished() {
	local nodes
	nodes=" $(xenstore-list "$subject_path") "
	nodes=${nodes//$'\n'/ }
	[[ ! $nodes =~ ' '(physical-device|physical-device-path|node)' ' ]] || {
		echo "the node ${BASH_REMATCH[1]} was published, although the attach failed"
		return 1
	}
}

# assert_sentence <text>
# One sentence that a terminal can show.
assert_sentence() {
	[[ $1 == *[[:alpha:]]*. && ${#1} -le 1024 && $1 != *[[:cntrl:]]* ]] || {
		printf 'not a sentence: %q\n' "$1"
		return 1
	}
}

# killed_at attach|detach <number of a moment>
# Makes the call, and kills the script as libxl does: the process that it started alone.
killed_at() {
	signalled_at "$1" parent "$2" KILL
}

# killed_everywhere attach|detach <least number of moments>
# The script is killed so at each moment of that call for the subject; the detach
# after it leaves nothing. A kill takes as long as ten other cases, and kill.bats tries
# what all scripts have in common: here the sample has half as many.
killed_everywhere() {
	local TEST_SAMPLE=$((${TEST_SAMPLE:-1} == 1 ? 1 : 2 * TEST_SAMPLE))
	signalled_everywhere "$1" parent KILL "$2"
}

# killed_with_others <least number of moments> <command before the detach> <command after it>
# The subject's attach is killed at each moment, and the subject is detached, for tests
# of what others have meanwhile: both commands, which may be :, have to succeed.
killed_with_others() {
	local line tried=0
	subject_nodes
	moments_of attach
	libxl_goes
	libxl detach
	for line in "${moments[@]}"; do
		sampled || continue
		subject_nodes
		killed_at attach "${line%% *}"
		if ((ended == 137)); then tried=$((tried + 1)); else sample_next; fi
		"$2"
		libxl_goes
		libxl detach
		assert_ended 0
		"$3"
	done
	say_tried "$tried" moments "$1"
}

# killed_subject attach|detach
# All that comes before that call.
killed_subject() {
	subject_nodes
	[[ $1 == detach ]] || return 0
	libxl attach
	assert_ended 0
	libxl_goes
}

# tree_copy
# The scripts under test become a copy, whose helper is to be put at $tree/helpers/xen-hotplug
# by the caller; real_helper is the one that there is.
tree_copy() {
	tree=$BATS_TEST_TMPDIR/tree
	real_helper=$(realpath "$scripts/../../helpers/xen-hotplug")
	mkdir -p "$tree/helpers"
	cp -R "$scripts/.." "$tree/hotplug"
	scripts=$tree/hotplug/Linux
}

# configured <line>...
# From now on, hotplug.conf of a copy of the scripts has these lines.
configured() {
	[[ ${tree-} ]] || {
		tree_copy
		cp "$real_helper" "$tree/helpers/xen-hotplug"
	}
	printf '%s\n' "$@" >"$tree/hotplug/hotplug.conf"
}

# program_fault attach|detach <program> <number> <shell code>
# The nth start of the program does what the code says, where $real is the program.
program_fault() {
	moment="$1, $2 $3: $4"
	rm -f "$BATS_TEST_TMPDIR"/bin/*
	hash -r
	: >"$BATS_TEST_TMPDIR/starts"
	program "$BATS_TEST_TMPDIR/bin/$2" <<-END
		#!/bin/bash
		real=$(type -P "$2")
		echo x >>$BATS_TEST_TMPDIR/starts
		[[ \$(wc -l <$BATS_TEST_TMPDIR/starts) != $3 ]] || { $4; }
		exec "\$real" "\$@"
	END
	libxl "$1" timeout "$in_time" env "PATH=$BATS_TEST_TMPDIR/bin:$PATH"
	rm "$BATS_TEST_TMPDIR/bin/$2"
}

# report_moment
# For teardown: what was being tried, which only a failed test shows.
report_moment() {
	[[ ! $moment ]] || echo "at this moment: $moment; the last of the log:"
	[[ ! $moment ]] || tail -n 8 "$log"
}

# shellcheck source=moments.bash
. "$root/tests/lib/moments.bash"
