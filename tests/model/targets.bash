# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the guests of the model are given: files, and block devices that the host
# has made of them; and which bytes each of them is, as the model knows it.

# NAME KIND ON START LENGTH, the last two in KiB of what it is on. Where a file lies
# that is inside the file system of n, only ext4 knows: two such files have ranges
# that are apart, and both are inside n. What is on an overlay may be the file of
# the upper or of the lower layer: see places.bash.
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
e-middle    mapping   e-all 1024 1024
f           upper     -     0 1024
f-over      overlay   f     0 1024
g           lower     -     0 1024
g-over      overlay   g     0 1024
g-up        copy      g     0 1024
n           file      -     0 4096
n-all       loop      n     0 4096
n-1         inner     n  1024 1024
n-2         inner     n  2048 1024
q           file      -     0 4096
q-top       qcow2     -     0  512
s           served    -     0 1024
s-fuse      silent    s     0 1024'

target_names=() # in an order in which each comes after what it is on
declare -A target_kind target_on
declare -A target_file target_start target_length # the bytes: of which file, and from where on, in KiB
declare -A target_path                            # of those that are there
declare -A target_at                              # path of a file -> target
target_backing=q                                  # the backing file of the kind qcow2

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
	[[ ${target_kind[$1]} != @(loop|readonly|partition|mapping) ]]
}

# target_is_made <target>
# Is it made for the schedules that need it? All others are there from the start.
target_is_made() {
	[[ ${target_kind[$1]} == @(loop|readonly|partition|mapping|overlay) ]]
}

# targets_abilities
# What the kernel cannot make is replaced by the same bytes in another way: says so.
targets_abilities() {
	local name loop missing=()
	truncate -s 4M "$model_dir/try"
	loop=$(losetup --find --show --partscan "$model_dir/try")
	addpart "$loop" 1 8 8 2>/dev/null || missing+=(partition)
	losetup --detach "$loop"
	rm "$model_dir/try"
	dmsetup version >/dev/null 2>&1 || missing+=(mapping)
	places_can_overlay || missing+=(overlay)
	[[ -c /dev/fuse ]] && type -P bindfs >/dev/null || missing+=(silent)
	for name in "${target_names[@]}"; do
		[[ " ${missing[*]} " != *" ${target_kind[$name]} "* ]] || target_replace "$name"
	done
	((${#missing[@]} == 0)) ||
		echo "model: this kernel makes no ${missing[*]}; loop devices or the files themselves take the place."
}

# target_replace <target>
target_replace() {
	case ${target_kind[$1]} in
	partition | mapping) target_kind[$1]=loop ;;
	overlay | silent) target_kind[$1]=hardlink ;;
	esac
}

# targets_files
# Makes all files and names of files.
targets_files() {
	local name
	places_make
	for name in "${target_names[@]}"; do
		target_place "$name"
		[[ ! ${target_path[$name]-} ]] || target_at[${target_path[$name]}]=$name
		case ${target_kind[$name]} in
		file | upper | lower | served) truncate -s "${target_length[$name]}K" "${target_path[$name]}" ;;
		hardlink) ln "${target_path[${target_on[$name]}]}" "${target_path[$name]}" ;;
		symlink) ln -s "${target_path[${target_on[$name]}]}" "${target_path[$name]}" ;;
		qcow2) target_chain "$name" ;;
		esac
	done
	places_fill
}

# target_place <target>
# Sets target_path, of what is a file. The file server's has a name of the machine's: a file
# on another mount is taken for the same if its name and size are.
target_place() {
	case ${target_kind[$1]} in
	file | hardlink | symlink | qcow2) target_path[$1]=$model_dir/$1 ;;
	upper | lower) target_path[$1]=$model_dir/${target_kind[$1]}/$1 ;;
	copy) target_path[$1]=$model_dir/upper/${target_on[$1]} ;;
	overlay) target_path[$1]=$model_dir/merged/${target_on[$1]} ;;
	inner) target_path[$1]=$model_dir/nested/$1 ;;
	served) target_path[$1]=$model_dir/real/$model_id ;;
	silent) target_path[$1]=$model_dir/served/$model_id ;;
	*) unset "target_path[$1]" ;;
	esac
}

# target_chain <target>
# An image of QEMU's, whose backing file is another target.
target_chain() {
	qemu-img create -q -f qcow2 -b "${target_path[$target_backing]}" -F raw "${target_path[$1]}"
	truncate -s "${target_length[$1]}K" "${target_path[$1]}"
}

# target_bytes_at <path>
# Sets the caller's file and start to the bytes that a file of the model's is now. A file on the
# overlay is that of the upper layer where that has it, also for those who have opened it before.
target_bytes_at() {
	local name=${target_at[$1]-}
	[[ $name ]] || return 0
	file=${target_file[$name]} start=${target_start[$name]}
	[[ ${target_kind[$name]} != copy ]] || file=$name
	[[ ${target_kind[$name]}:$name != overlay:g-over || ! -e ${target_path["g-up"]} ]] || file=g-up
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
	overlay) places_overlay ;;
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
	places_no_overlay
}
