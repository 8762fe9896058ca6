# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the guests of the model are given: files, and block devices that the host
# has made of them; and which bytes each of them is, as the model knows it.

# NAME KIND ON START LENGTH, the last two in KiB of what it is on.
targets_table='
a           file      -     0 4096
a-hard      hardlink  a     0 4096
a-soft      symlink   a     0 4096
b           file      -     0 4096
c           file      -     0 4096
c-all       loop      c     0 4096
c-1         loop      c     0 1536
c-2         loop      c  1536 1536
c-middle    loop      c  1024 1024
c-readonly  readonly  c     0 1536
d           file      -     0 4096
d-all       loop      d     0 4096
d-1         partition d-all  512 1024
d-2         partition d-all 1536 1024
d-1-loop    loop      d-1   0 1024
e           file      -     0 4096
e-all       loop      e     0 4096
e-1         mapping   e-all    0 1536
e-2         mapping   e-all 1536 1536
e-middle    mapping   e-all 1024 1024'

target_names=() # in an order in which each comes after what it is on
declare -A target_kind target_on
declare -A target_file target_start target_length # the bytes: of which file, and from where on, in KiB
declare -A target_path                            # of those that are there

# targets_read
# Fills the arrays from the table.
targets_read() {
	local name kind on start length
	while read -r name kind on start length; do
		[[ $name ]] || continue
		target_names+=("$name")
		target_kind[$name]=$kind
		target_on[$name]=$on
		target_file[$name]=${target_file[$on]-$name}
		target_start[$name]=$((start + ${target_start[$on]-0}))
		target_length[$name]=$length
	done <<<"$targets_table"
}

# targets_overlap <target> <target>
# Do they have a byte in common?
targets_overlap() {
	[[ ${target_file[$1]} == "${target_file[$2]}" ]] &&
		((target_start[$1] < target_start[$2] + target_length[$2])) &&
		((target_start[$2] < target_start[$1] + target_length[$1]))
}

# target_stands_on <upper> <lower>
# Is the upper one made of the lower one, or the same?
target_stands_on() {
	local at=$1
	while [[ $at != - && $at != "$2" ]]; do
		at=${target_on[$at]}
	done
	[[ $at == "$2" ]]
}

# target_is_file <target>
# By whatever name; otherwise it is a block device.
target_is_file() {
	[[ ${target_kind[$1]} == @(file|hardlink|symlink) ]]
}

# targets_abilities
# What the kernel cannot make is a loop device over the same bytes instead: says so.
targets_abilities() {
	local name loop missing=()
	truncate -s 4M "$model_dir/try"
	loop=$(losetup --find --show --partscan "$model_dir/try")
	addpart "$loop" 1 8 8 2>/dev/null || missing+=(partition)
	losetup --detach "$loop"
	rm "$model_dir/try"
	dmsetup version >/dev/null 2>&1 || missing+=(mapping)
	for name in "${target_names[@]}"; do
		[[ " ${missing[*]} " != *" ${target_kind[$name]} "* ]] || target_kind[$name]=loop
	done
	((${#missing[@]} == 0)) ||
		echo "model: this kernel makes no ${missing[*]} of loop devices; further loop devices take the place."
}

# targets_files
# Makes all files and names of files.
targets_files() {
	local name
	for name in "${target_names[@]}"; do
		target_path[$name]=$model_dir/$name
		case ${target_kind[$name]} in
		file) truncate -s "${target_length[$name]}K" "$model_dir/$name" ;;
		hardlink) ln "$model_dir/${target_on[$name]}" "$model_dir/$name" ;;
		symlink) ln -s "$model_dir/${target_on[$name]}" "$model_dir/$name" ;;
		*) unset "target_path[$name]" ;;
		esac
	done
}

# target_up <target>
# Makes the block device; what it is on is there.
target_up() {
	local on=${target_on[$1]}
	local start=$((target_start[$1] - target_start[$on])) length=${target_length[$1]}
	case ${target_kind[$1]} in
	loop) target_loop "$1" ;;
	readonly) target_loop "$1" --read-only ;;
	partition)
		addpart "${target_path[$on]}" "${1##*-}" $((start * 2)) $((length * 2))
		target_path[$1]=${target_path[$on]}p${1##*-}
		;;
	mapping)
		dmsetup create "$model_id-$1" --table "0 $((length * 2)) linear ${target_path[$on]} $((start * 2))"
		# The kernel's own name: udev makes the other one, and takes it away, when it comes to it.
		target_path[$1]=/dev/$(dmsetup info --columns --noheadings --options blkdevname "$model_id-$1")
		;;
	esac
}

# target_loop <target> [option of losetup]
# The caller's start and length say where.
target_loop() {
	target_path[$1]=$(losetup --find --show --partscan --offset "${start}K" --sizelimit "${length}K" \
		"${@:2}" "${target_path[$on]}")
}

# targets_down
# Takes away all block devices, the upper ones first; partitions go with their disk.
targets_down() {
	local at name
	for ((at = ${#target_names[@]} - 1; at >= 0; at--)); do
		name=${target_names[at]}
		if target_is_file "$name" || [[ ! ${target_path[$name]-} ]]; then continue; fi
		case ${target_kind[$name]} in
		mapping) dmsetup remove --retry "$model_id-$name" ;;
		partition) ;;
		*) losetup --detach "${target_path[$name]}" ;;
		esac
		unset "target_path[$name]"
	done
}
