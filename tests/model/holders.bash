# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Who holds which bytes, as the kernel shows it, and whether that may be; and
# the loop devices that nobody holds.

holders=()       # DEVICE FILE START LENGTH MODE NUMBER (major:minor or -), of all that is connected
holders_loops=() # those that nobody has

# holder_add <device> <major:minor>
# A device of a guest's that has published this one.
holder_add() {
	local target=${judge_target[$1]} mode=${judge_mode[$1]} file='' start=0 length=0 read_only=0 expected
	judge_connected[$1]=$2
	holder_bytes "/sys/dev/block/$((16#${2%:*})):$((16#${2#*:}))"
	holder_expects
	[[ "$file $start $length" == "$expected" ]] ||
		violation "$1 is to have $target (file, start, length: $expected), but its device $2 is $file $start $length."
	! target_is_file "$target" || [[ $mode:$read_only == @(r:1|w:0|w!:0) ]] ||
		violation "$1 has the file $target, $mode, but whether its device $2 is read-only is $read_only."
	holders+=("$1 $file $start $length $mode $2")
}

# holder_expects
# Sets expected to what the caller's target, mode and file should be: what is to be written is no file
# of the lower layer.
holder_expects() {
	expected=${target_file[$target]}
	case ${target_kind[$target]}:$target:$mode:$file in
	copy:* | overlay:g-over:w*:* | overlay:g-over:r:g-up) expected=g-up ;;
	esac
	expected+=" ${target_start[$target]} ${target_length[$target]}"
}

# holder_bytes <directory in sysfs>
# Sets the caller's file, start and length (in KiB), and read_only, of a block device.
holder_bytes() {
	local size own_read_only
	read -r size <"$1/size" && read -r own_read_only <"$1/ro" || return 0
	if [[ -e $1/partition ]]; then
		holder_bytes_of_partition "$1"
	elif [[ -e $1/loop/backing_file ]]; then
		holder_bytes_of_loop "$1"
	elif [[ -e $1/dm/name ]]; then
		holder_bytes_of_mapping "$1"
	fi
	length=$((size / 2)) read_only=$own_read_only
}

# holder_bytes_of_partition <directory in sysfs>
holder_bytes_of_partition() {
	local offset
	read -r offset <"$1/start"
	holder_bytes "$1/.."
	start=$((start + offset / 2))
}

# holder_bytes_of_loop <directory in sysfs>
# It is over a file of the model's, or another device.
holder_bytes_of_loop() {
	local over offset
	read -r over <"$1/loop/backing_file"
	read -r offset <"$1/loop/offset"
	if [[ $over == "$model_dir"/* ]]; then
		target_bytes_at "$over"
	else
		holder_bytes "/sys/class/block/${over##*/}"
	fi
	start=$((start + offset / 1024))
}

# holder_bytes_of_mapping <directory in sysfs>
# Which has no table of them there; but they are all the model's own.
holder_bytes_of_mapping() {
	local name
	read -r name <"$1/dm/name"
	name=${name#"$model_id-"}
	file=${target_file[$name]-} start=${target_start[$name]-0}
}

# holders_judge
# No two of them that are not one machine have a byte in common that one of them
# writes, unless the later one was told to (w!), or is not ours.
holders_judge() {
	local one other
	for one in "${!holders[@]}"; do
		for ((other = one + 1; other < ${#holders[@]}; other++)); do
			holders_judge_pair "${holders[one]}" "${holders[other]}"
		done
	done
}

# holders_judge_pair <holder> <holder>
holders_judge_pair() {
	local one=() other=()
	read -ra one <<<"$1"
	read -ra other <<<"$2"
	[[ ${one[1]} == "${other[1]}" && ${one[4]}${other[4]} == *w* ]] && ! judge_same_vm "${one[0]}" "${other[0]}" &&
		((one[2] < other[2] + other[3] && other[2] < one[2] + one[3])) || return 0
	holder_was_told "${one[@]}" "${other[0]}" || holder_was_told "${other[@]}" "${one[0]}" ||
		holder_is_anothers "${one[0]}" "${one[5]}" "${other[0]}" "${other[5]}" ||
		violation "Two guests hold the same bytes: ${one[0]} has ${judge_target[${one[0]}]} (${one[4]}), ${other[0]} has ${judge_target[${other[0]}]} (${other[4]})."
}

# holder_is_anothers <device> <number> <other device> <number>
# Had the scripts no chance to prevent it? Nobody asks them before QEMU opens a file; it does
# so before the calls of its step. Another's script is asked to respect the same block device
# alone, but one that comes in the same step as a script of ours may be later.
holder_is_anothers() {
	case ${1:1}:${3:1} in
	[qx]:[qx]) ;;
	q:*) ((judge_since[$3] < judge_since[$1])) ;;
	*:q) ((judge_since[$1] < judge_since[$3])) ;;
	x:*) [[ $2 != "$4" ]] && ((judge_since[$3] <= judge_since[$1])) ;;
	*:x) [[ $2 != "$4" ]] && ((judge_since[$1] <= judge_since[$3])) ;;
	*) return 1 ;;
	esac
}

# holder_was_told <device> <file> <start> <length> <mode> <number> <other device>
# Was it attached with w!, no earlier than the other one?
holder_was_told() {
	[[ $5 == 'w!' ]] && ((judge_since[$1] >= judge_since[$7]))
}

# holders_judge_loops
# Every loop device over the model's files is the host's or a holder's. One that
# is detached goes when the last one who looks at it has closed it: that is awaited.
holders_judge_loops() {
	local left
	until_true holders_find_loops || :
	for left in "${holders_loops[@]}"; do
		violation "Nobody has it, but it is still there: $left."
	done
}

# holders_find_loops
# Sets holders_loops. Fails where one of them is about to go.
holders_find_loops() {
	local loop over autoclear number leaving=0
	local known=" ${target_path[*]} ${judge_connected[*]} $places_nested_on "
	holders_loops=()
	for loop in /sys/block/loop*; do
		{ read -r over <"$loop/loop/backing_file" && read -r autoclear <"$loop/loop/autoclear" &&
			read -r number <"$loop/dev"; } 2>/dev/null || continue
		printf -v number '%x:%x' "${number%:*}" "${number#*:}"
		[[ $over == "$model_dir"/* && $known != *" /dev/${loop##*/} "* && $known != *" $number "* ]] || continue
		((autoclear == 0)) || leaving=1
		holders_loops+=("/dev/${loop##*/} over ${over##*/}")
	done
	((leaving == 0))
}
