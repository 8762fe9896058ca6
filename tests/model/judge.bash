# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What has to be true after each step of a schedule. It is told from what the
# kernel and the store show, and from the model's own table of bytes, and by
# nothing that the scripts themselves use for it.

# What is known of each device after the last step:
#   held     its attach has succeeded
#   unclear  a call was killed, and no remove came after it: anything from nothing to all may be there
#   stale    the same of a guest that is gone, with its nodes; nobody holds it
#   free     none of these; it is not in the array
declare -A judge_state
declare -A judge_target judge_mode # of what is not free
declare -A judge_since             # the step in which it was attached
declare -A judge_connected         # what it has published, a block device as major:minor
declare -A judge_nodes             # of the store, below backend/vbd
judge_left=()                      # the devices that are not free, or have nodes
violations=()                      # sentences

# judge_forget
# Nothing is attached.
judge_forget() {
	judge_state=() judge_target=() judge_mode=() judge_since=() judge_connected=() judge_left=() violations=()
}

# violation <sentence>
violation() {
	violations+=("Step $step: $1")
}

# judge_step
# After the calls of a step have ended.
judge_step() {
	local device
	judge_read
	answers_judge
	play_nodes_go
	places_settle
	holders=() judge_left=()
	for device in "${schedule_devices[@]}" "${schedule_others[@]}"; do
		judge_connected[$device]=''
		judge_device "$device"
		[[ ! ${judge_state[$device]-}${device_nodes[$device]-} || ${judge_state[$device]-} == stale ]] || judge_left+=("$device")
	done
	holders_judge
	[[ " ${judge_state[*]} " == *' '@(unclear|stale)' '* ]] || holders_judge_loops
}

# judge_device <device>
judge_device() {
	case $1 in
	*q) qemu_judge "$1" ;;
	*x) judge_neighbour "$1" ;;
	*) "judge_${judge_state[$1]-free}" "$1" ;;
	esac
}

# judge_neighbour <device>
# It holds what another's script has published.
judge_neighbour() {
	local number
	judge_node number "$1" physical-device
	[[ ! $number || ! ${device_nodes[$1]-} ]] || holder_add "$1" "$number"
}

# judge_stale <device>
# What is there of it is nobody's.
judge_stale() {
	:
}

# judge_read
# Reads the nodes that the scripts have written.
judge_read() {
	local line
	judge_nodes=()
	while IFS= read -r line; do
		[[ ! $line =~ ^backend/vbd/([0-9/a-z-]+)\ =\ \"(.*)\"$ ]] || judge_nodes[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
	done < <(xenstore-ls -f backend/vbd)
}

# judge_node <out-var> <device> <key>
# Empty where there is none.
judge_node() {
	printf -v "$1" '%s' "${judge_nodes["${device_path[$2]#backend/vbd/}/$3"]-}"
}

# judge_same_vm <device> <device>
# As play_guests has it.
judge_same_vm() {
	[[ ${device_domid[$1]/4/3} == "${device_domid[$2]/4/3}" ]]
}

# judge_held <device>
# All that a backend needs is there, it is the right bytes, and the journal says the same.
judge_held() {
	local verdict number
	judge_node verdict "$1" hotplug-status
	judge_node number "$1" physical-device
	if [[ $verdict == connected && $number ]]; then
		holder_add "$1" "$number"
		judge_journal "$1" "$number"
	else
		violation "$1 was attached, but its hotplug-status is '$verdict', its physical-device '$number'."
	fi
}

# judge_journal <device> <number>
# It names the boot, the script, the disk, how it was opened, and the device that was
# published.
judge_journal() {
	local fields=() kind='device' path expected boot
	read -r boot </proc/sys/kernel/random/boot_id
	mapfile -d '' -t fields 2>/dev/null <"/run/xen-hotplug/vbd-${device_domid[$1]}-${device_devid[$1]}" || :
	judge_node path "$1" physical-device-path
	! target_is_file "${judge_target[$1]}" || kind='file'
	expected="format 1 2  attach 3 $boot ${fields[7]-} ${fields[8]-}  use 3 disk ${target_path[${judge_target[$1]}]} ${judge_mode[$1]}  "
	expected+="note 2 token ${fields[19]-}  note 6 kind $kind device $path number $2  published 2 $path $2 "
	[[ ${fields[7]-} == */block* && ${fields[19]-} && "${fields[*]}" == "$expected" ]] ||
		violation "$1 is attached, but its journal is '${fields[*]}', and not '$expected'."
}

# judge_unclear <device>
# It holds what it has published.
judge_unclear() {
	local verdict number
	judge_node verdict "$1" hotplug-status
	judge_node number "$1" physical-device
	[[ $verdict != connected || ! ${device_nodes[$1]-} ]] || holder_add "$1" "$number"
}

# judge_free <device>
# Nothing that makes a backend connect, and no journal. (The nodes of what was removed are gone.)
judge_free() {
	local verdict number
	[[ ! -e /run/xen-hotplug/vbd-${device_domid[$1]}-${device_devid[$1]} ]] ||
		violation "$1 is detached, but has a journal."
	[[ ${device_nodes[$1]-} ]] || return 0
	judge_node verdict "$1" hotplug-status
	judge_node number "$1" physical-device
	[[ $verdict != connected && ! $number ]] ||
		violation "$1 was refused, but its hotplug-status is '$verdict', its physical-device '$number'."
}

# judge_checked
# The verb check of the scripts, which has just been called, agrees.
judge_checked() {
	local at
	for at in "${!call_device[@]}"; do
		((call_status[at] == 0)) ||
			violation "${call_device[at]} is attached, but its script's check says: $(<"$model_dir/said.$at.check")"
	done
}

# judge_nothing_left
# After all was removed: no journal, no loop device of a guest's, no lock. A call that
# was killed leaves the file of Xen's lock, as Xen's scripts do, but does not hold it.
judge_nothing_left() {
	local file
	for file in /run/xen-hotplug/*; do
		[[ $file == */lock ]] || { [[ $file == */block ]] && flock --nonblock "$file" true; } || violation "All is removed, but there is still $file."
	done
	play_settle
	holders_judge_loops
}
