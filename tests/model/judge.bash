# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What has to be true after each step of a schedule. It is told from what the
# kernel and the store show, and from the model's own table of bytes, and by
# nothing that the scripts use for it themselves.

# What is known of each device, after the last step:
#   held     its attach has succeeded
#   unclear  a call was killed and left: anything from nothing to all may be there
#   free     neither (not in the array)
declare -A judge_state
declare -A judge_target judge_mode
declare -A judge_since     # the step in which it was attached
declare -A judge_connected # what it has published then, a block device as major:minor
violations=()

declare -A node # of the store, below backend/vbd

# judge_forget
# Nothing is attached.
judge_forget() {
	judge_state=() judge_target=() judge_mode=() judge_since=() judge_connected=() violations=()
	judge_lists
}

# violation <sentence>
violation() {
	violations+=("Step $step: $1")
}

# judge_step
# After the calls of a step have ended.
judge_step() {
	local maybe=() before=() holders=() at device
	local -A steady=() # target -> whether a guest has had it for the whole step
	judge_read
	judge_may_have_held
	for at in "${!call_device[@]}"; do
		judge_call "${call_device[at]}"
	done
	play_nodes_go
	judge_lists
	for device in "${schedule_devices[@]}"; do
		"judge_${judge_state[$device]-free}" "$device"
	done
	judge_pairs
	((${#judge_unclear[@]})) || judge_loops
}

# judge_read
# Reads the nodes that the scripts have written. The model's own values have no quotes.
judge_read() {
	local line
	node=()
	while IFS= read -r line; do
		[[ $line =~ ^backend/vbd/([0-9/a-z-]+)\ =\ \"(.*)\"$ ]] && node[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
	done < <(xenstore-ls -f backend/vbd)
}

# judge_node <out-var> <device> <key>
# Empty where there is none.
judge_node() {
	printf -v "$1" '%s' "${node[${device_path[$2]#backend/vbd/}/$3]-}"
}

# judge_lists
# Sets judge_held, judge_unclear, and judge_left to the devices that a remove has to be called for.
judge_lists() {
	local device
	judge_held=() judge_unclear=() judge_left=()
	for device in "${schedule_devices[@]}"; do
		case ${judge_state[$device]-free} in
		held) judge_held+=("$device") ;;
		unclear) judge_unclear+=("$device") ;;
		esac
		[[ ! ${judge_state[$device]-}${device_nodes[$device]-} ]] || judge_left+=("$device")
	done
}

# judge_may_have_held
# Sets the caller's maybe to "DEVICE TARGET MODE" for all that may have been held at some
# time of the step, and steady. A refused call has held nothing.
judge_may_have_held() {
	local device at
	for device in "${!judge_state[@]}"; do
		maybe+=("$device ${judge_target[$device]} ${judge_mode[$device]}")
		[[ ${judge_state[$device]} != held || " ${call_device[*]} " == *" $device "* ]] ||
			steady[${judge_target[$device]}]=1
	done
	for at in "${!call_device[@]}"; do
		device=${call_device[at]}
		[[ ${call_verb[at]} != remove ]] && ((call_status[at] == 0 || call_status[at] == 137)) || continue
		maybe+=("$device ${device_target[$device]} ${device_mode[$device]}")
	done
}

# judge_call <device>
# Is the outcome of the caller's call at number at explicable? Sets the device's state.
judge_call() {
	local status=${call_status[at]}
	case ${call_verb[at]}:$status in
	remove:0) judge_becomes_free "$1" ;;
	*:0) judge_attached "$1" ;;
	*:137) judge_killed "$1" ;;
	remove:*) judge_failed "$1" remove "$status" ;;
	*:1) judge_refused "$1" ;;
	*) violation "$1 ${call_verb[at]} ended with status $status: $(<"$model_dir/said.$at.${call_verb[at]}")" ;;
	esac
	case ${next_status[at]-none} in
	none) ;;
	0) judge_becomes_free "$1" ;;
	*) judge_failed "$1" remove "${next_status[at]}" ;;
	esac
}

# judge_failed <device> <verb> <status>
judge_failed() {
	violation "$1 $2 ended with status $3: $(<"$model_dir/said.$at.$2")"
	judge_state[$1]=unclear
}

# judge_becomes_free <device>
judge_becomes_free() {
	unset "judge_state[$1]"
}

# judge_killed <device>
judge_killed() {
	[[ ${call_moment[at]} != - ]] || violation "$1 ${call_verb[at]} was ended by SIGKILL, which the model has not sent."
	# Where nothing was, a killed remove does not change that.
	[[ ${call_verb[at]} == remove && ! ${judge_state[$1]-} ]] || judge_becomes "$1" unclear
}

# judge_becomes <device> held|unclear
# By an attach, unless it was attached before.
judge_becomes() {
	[[ ${judge_connected[$1]-} ]] || judge_since[$1]=$step
	[[ ${call_verb[at]} == remove ]] || judge_target[$1]=${device_target[$1]} judge_mode[$1]=${device_mode[$1]}
	judge_state[$1]=$2
}

# judge_attached <device>
# Nobody can write what is read-only, and the host's own use of a disk is always in the way.
judge_attached() {
	local target=${device_target[$1]} mode=${device_mode[$1]} other
	[[ ${judge_state[$1]-} || $mode != w* || ${target_kind[$target]} != readonly ]] ||
		violation "$1 was given $target to write, which is read-only."
	for other in "${target_names[@]}"; do
		[[ ! ${judge_state[$1]-} && $mode != 'w!' ]] || continue
		[[ " ${maybe[*]} " != *" $other "* ]] && judge_host_uses "$other" || continue
		violation "$1 was given $target ($mode), although the host has made $other of its bytes."
	done
	judge_becomes "$1" held
}

# judge_refused <device>
# It must be told why, and there must be somebody or something in the way.
judge_refused() {
	local verdict sentence target=${device_target[$1]} mode=${device_mode[$1]}
	judge_node verdict "$1" hotplug-status
	judge_node sentence "$1" hotplug-error
	judge_becomes_free "$1"
	[[ $sentence == *. ]] || violation "$1 was refused without a sentence, but '$sentence'."
	[[ $mode != w* || ${target_kind[$target]} != readonly ]] || return 0
	if [[ $verdict != busy ]]; then
		violation "$1 has failed to attach $target ($mode), hotplug-status '$verdict': $sentence"
	elif ! judge_explained "$1"; then
		violation "$1 was refused $target ($mode), although nobody in its way had it: $sentence"
	fi
}

# judge_explained <device>
# May another guest, or the host, have had a part of the caller's target in its way?
judge_explained() {
	local had device other its
	[[ $mode != 'w!' ]] || return 1
	for had in "${maybe[@]}"; do
		read -r device other its <<<"$had"
		[[ $mode$its == *w* ]] && targets_overlap "$target" "$other" && ! judge_same_vm "$1" "$device" || continue
		return 0
	done
	for other in "${target_names[@]}"; do
		[[ ! ${steady[$other]-} ]] && judge_host_uses "$other" || continue
		return 0
	done
	return 1
}

# judge_same_vm <device> <device>
judge_same_vm() {
	[[ ${device_domid[$1]/4/3} == "${device_domid[$2]/4/3}" ]]
}

# judge_host_uses <other>
# Does that block device of the host's stand in the way of the caller's target and mode, where no
# guest has it? Not where the target is made of it; and of two mappings neither is made of the other.
judge_host_uses() {
	[[ ${target_path[$1]-} ]] && targets_overlap "$target" "$1" && ! target_stands_on "$target" "$1" || return
	case ${target_kind[$1]} in
	loop) ;;
	readonly) [[ $mode != r ]] ;;
	mapping) target_stands_on "$1" "$target" ;;
	*) return 1 ;;
	esac
}

# judge_held <device>
# All that a backend needs is there, it is the right bytes, and the journal says the same.
judge_held() {
	local verdict number path target=${judge_target[$1]} mode=${judge_mode[$1]}
	judge_node verdict "$1" hotplug-status
	judge_node number "$1" physical-device
	judge_node path "$1" physical-device-path
	[[ $verdict == connected && $number ]] ||
		violation "$1 was attached, but its hotplug-status is '$verdict', its physical-device '$number'."
	judge_holds "$1" "$number"
	judge_journal "$1"
}

# judge_unclear <device>
# It holds what it has published.
judge_unclear() {
	local verdict number
	judge_node verdict "$1" hotplug-status
	judge_node number "$1" physical-device
	judge_connected[$1]=''
	[[ $verdict != connected || ! ${device_nodes[$1]-} ]] || judge_holds "$1" "$number"
}

# judge_free <device>
# Nothing that makes a backend connect, and no journal. (The nodes of what was removed are gone.)
judge_free() {
	local verdict number
	judge_connected[$1]=''
	[[ ! -e /run/xen-hotplug/vbd-${device_domid[$1]}-${device_devid[$1]} ]] ||
		violation "$1 is detached, but has a journal."
	[[ ${device_nodes[$1]-} ]] || return 0
	judge_node verdict "$1" hotplug-status
	judge_node number "$1" physical-device
	[[ $verdict != connected && ! $number ]] ||
		violation "$1 was refused, but its hotplug-status is '$verdict', its physical-device '$number'."
}

# judge_holds <device> <major:minor>
# Adds it to the caller's holders, with the bytes that the kernel says it has.
judge_holds() {
	local target=${judge_target[$1]} mode=${judge_mode[$1]} file='' start=0 length=0 read_only=0 expected
	judge_connected[$1]=$2
	judge_bytes "/sys/dev/block/$((16#${2%:*})):$((16#${2#*:}))"
	expected="${target_file[$target]} ${target_start[$target]} ${target_length[$target]}"
	[[ "$file $start $length" == "$expected" ]] ||
		violation "$1 is to have $target (file, start, length: $expected), but its device $2 is $file $start $length."
	! target_is_file "$target" || [[ $mode:$read_only == @(r:1|w:0|w!:0) ]] ||
		violation "$1 has the file $target, $mode, but whether its device $2 is read-only is $read_only."
	holders+=("$1 $file $start $length $mode")
}

# judge_bytes <directory in sysfs>
# Sets the caller's file, start and length (in KiB), and read_only, of a block device.
judge_bytes() {
	local over offset size
	read -r size <"$1/size" && read -r read_only <"$1/ro" || return 0
	if [[ -e $1/partition ]]; then
		read -r offset <"$1/start"
		judge_bytes "$1/.."
		start=$((start + offset / 2))
	elif [[ -e $1/loop/backing_file ]]; then
		read -r over <"$1/loop/backing_file" && read -r offset <"$1/loop/offset"
		[[ $over == "$model_dir"/* ]] && file=${target_file[${over##*/}]-} start=0 || judge_bytes "/sys/class/block/${over##*/}"
		start=$((start + offset / 1024))
		read -r read_only <"$1/ro"
	elif [[ -e $1/dm/name ]]; then
		read -r over <"$1/dm/name"
		over=${over#"$model_id-"} file=${target_file[$over]-} start=${target_start[$over]-}
	fi
	length=$((size / 2))
}

# judge_journal <device>
# The journal names the disk, how it was opened, and the device that was published.
judge_journal() {
	local fields=() kind=device path expected
	local journal=/run/xen-hotplug/vbd-${device_domid[$1]}-${device_devid[$1]}
	mapfile -d '' -t fields 2>/dev/null <"$journal" || :
	judge_node path "$1" physical-device-path
	! target_is_file "${judge_target[$1]}" || kind=file
	expected="use 3 disk ${target_path[${judge_target[$1]}]} ${judge_mode[$1]} . note 2 token ${fields[9]-} . "
	expected+="note 4 kind $kind device $path ."
	[[ ${fields[9]-} && "${fields[*]}" == "$expected" ]] ||
		violation "$1 is attached, but its journal is '${fields[*]}', and not '$expected'."
}

# judge_pairs
# No two of the caller's holders that are not one machine have a byte in common that one of them
# writes, unless the later one was told to (w!).
judge_pairs() {
	local one other
	for one in "${!holders[@]}"; do
		for ((other = one + 1; other < ${#holders[@]}; other++)); do
			judge_pair "${holders[one]}" "${holders[other]}"
		done
	done
}

# judge_pair <holder> <holder>
judge_pair() {
	local one=() other=()
	read -ra one <<<"$1"
	read -ra other <<<"$2"
	# DEVICE FILE START LENGTH MODE
	[[ ${one[1]} == "${other[1]}" && ${one[4]}${other[4]} == *w* ]] && ! judge_same_vm "${one[0]}" "${other[0]}" &&
		((one[2] < other[2] + other[3] && other[2] < one[2] + one[3])) || return 0
	! judge_shared "${one[@]}" "${other[0]}" && ! judge_shared "${other[@]}" "${one[0]}" || return 0
	violation "Two guests hold the same bytes: ${one[0]} has ${judge_target[${one[0]}]} (${one[4]}), ${other[0]} has ${judge_target[${other[0]}]} (${other[4]})."
}

# judge_shared <device> <file> <start> <length> <mode> <other device>
# Was it attached with w!, no earlier than the other one?
judge_shared() {
	[[ $5 == 'w!' ]] && ((${judge_since[$1]} >= ${judge_since[$6]}))
}

# judge_loops
# Every loop device over the model's files is the host's or a holder's.
judge_loops() {
	local left
	until_true judge_loops_settled || :
	for left in "${judge_loops_left[@]}"; do
		violation "Nobody has it, but it is still there: $left."
	done
}

# judge_loops_settled
# Sets judge_loops_left. Fails where one of them is about to go.
judge_loops_settled() {
	local loop file autoclear leaving=0 known
	judge_loops_left=()
	known=" ${target_path[*]} "
	for loop in "${judge_connected[@]}"; do
		known+="$loop "
	done
	for loop in /sys/block/loop*/loop; do
		{ read -r file <"$loop/backing_file" && read -r autoclear <"$loop/autoclear"; } 2>/dev/null || continue
		judge_loop "${loop%/loop}"
	done
	((leaving == 0))
}

# judge_loop <directory in sysfs>
# Is the caller's file, below that loop device, its own business?
judge_loop() {
	local number
	[[ $file == "$model_dir"/* && $known != *" /dev/${1##*/} "* ]] || return 0
	read -r number 2>/dev/null <"$1/dev" || return 0
	printf -v number '%x:%x' "${number%:*}" "${number#*:}"
	[[ $known != *" $number "* ]] || return 0
	leaving=$((leaving | autoclear))
	judge_loops_left+=("/dev/${1##*/} over ${file##*/}")
}

# judge_checked
# The verb check of the scripts, which play_end has called, agrees.
judge_checked() {
	local at
	for at in "${!call_device[@]}"; do
		((call_status[at] == 0)) ||
			violation "${call_device[at]} is attached, but its script's check says: $(<"$model_dir/said.$at.check")"
	done
}

# judge_nothing_left
# After all was removed: no journal, no loop device of a guest's, no lock.
judge_nothing_left() {
	local file
	for file in /run/xen-hotplug/*; do
		[[ $file == */lock ]] || violation "All is removed, but there is still $file."
	done
	play_settle
	judge_loops
}
