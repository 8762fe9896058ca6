# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Plays a schedule: makes libxl's calls at their times, kills, and waits for the
# end of all that a step has started.

# What libxl would know of each device, once play_forget has run.
declare -A device_domid device_devid device_path # its nodes
declare -A device_nodes                          # whether it has nodes
declare -A device_script device_target device_mode

# The calls of a step, by their number.
call_device=() call_verb=() call_target=() call_mode=()
call_start=() call_moment=() call_whom=() call_next=() # as in the schedule
call_pid=() call_status=()
next_pid=() next_status=() # of the remove that follows a kill

nested_before='' # whether the host had mounted n before the step
played=()        # the schedule's lines, those of calls with what became of them
step=0

# play_devices
# The devices have numbers that no other test's have, as the tags of loop
# devices, which are the machine's, name them.
play_devices() {
	local device number letters=abqx index type
	number=$(cksum <<<"$model_dir")
	number=$((${number%% *} % 2 ** 26 * 4))
	for device in "${schedule_devices[@]}" "${schedule_others[@]}"; do
		index=${letters%"${device:1}"*} type=vbd
		[[ $device != *q ]] || type=qdisk
		device_domid[$device]=${device:0:1}
		device_devid[$device]=$((number + ${#index}))
		device_path[$device]=backend/$type/${device:0:1}/${device_devid[$device]}
	done
}

# play_own_devices
# Sets model_devices to the names that gc has for ours: it must look at no other test's loop devices,
# whose guests the model's store does not have.
play_own_devices() {
	local device
	model_devices=()
	for device in "${schedule_devices[@]}"; do
		model_devices+=("${device_path[$device]#backend/}")
	done
}

# play_guests
# Guest 4 is guest 3 while it moves to this host, from this host: one virtual machine.
play_guests() {
	local domid
	for domid in 1 2 3; do
		domain "$domid"
	done
	domain 4 0000-3
}

# play_measure
# Sets usual to the microseconds that an attach takes where nothing else goes
# on, and lock_inode to the file that all locks are bytes of.
play_measure() {
	local began ended
	usual=1000000
	play_forget
	for _ in 1 2 3 4 5; do
		now began
		play_alone add '1a +0 add b w - - - -'
		now ended
		play_alone remove '1a +0 remove - - - - - -'
		((ended - began > usual)) || usual=$((ended - began))
	done
	lock_inode=$(stat -c %i /run/xen-hotplug/lock)
}

# play_alone <verb> <line>
# One call that has to succeed.
play_alone() {
	play_calls "$2"
	play_nodes
	play_start 0 "$1" call_pid
	play_wait
	((call_status[0] == 0)) || {
		printf 'model: the first %s has failed:\n%s\n' "$1" "$(<"$model_dir/said.0.$1")"
		exit 1
	}
	play_nodes_go
}

# play_forget
# No device is there.
play_forget() {
	local device
	device_nodes=() device_script=() device_target=() device_mode=() device_target[host]=- device_mode[host]=-
	for device in "${schedule_devices[@]}"; do
		device_script[$device]=block
	done
}

# play_schedule
# Plays the lines of the array schedule and judges after each step, up to the
# one in which the invariant is found broken: violations says so.
play_schedule() {
	local line lines=()
	play_begin
	for line in "${schedule[@]:2}" step; do
		if [[ $line != step ]]; then
			lines+=("$line")
			continue
		fi
		play_step "${lines[@]}"
		((${#violations[@]} == 0)) || return 0
		lines=()
	done
	play_end
}

# play_begin
# All is as after a boot, but for the block devices that the host makes for this schedule.
play_begin() {
	local names name
	: >"$log"
	play_forget
	judge_forget
	played=("${schedule[0]}") step=0
	read -ra names <<<"${schedule[0]}"
	for name in "${names[@]:1}"; do
		target_up "$name"
	done
}

# play_step <line>...
play_step() {
	play_next_step
	play_calls "$@"
	play_nodes
	# bash says of each job that it was killed.
	{
		play_events
		play_wait
	} 2>>"$model_dir/bash"
	play_settle
	play_tell
	judge_step
}

# play_next_step
play_next_step() {
	step=$((step + 1)) silence_was='' nested_before=''
	! places_are_nested || nested_before=1
}

# play_calls <line>...
# Takes the calls of a step from their lines.
play_calls() {
	local line device start verb target mode moment whom next
	call_device=() call_verb=() call_target=() call_mode=() call_start=() call_moment=() call_whom=() call_next=()
	call_pid=() call_status=() next_pid=() next_status=()
	for line; do
		read -r device start verb target mode _ moment whom next <<<"$line"
		call_device+=("$device") call_verb+=("$verb") call_target+=("$target") call_mode+=("$mode")
		call_start+=("$start") call_moment+=("$moment") call_whom+=("$whom") call_next+=("$next")
	done
}

# play_nodes
# What libxl writes before the step's calls.
play_nodes() {
	local at device path pairs=()
	for at in "${!call_device[@]}"; do
		device=${call_device[at]} path=${device_path[${call_device[at]}]-}
		case $device:${call_verb[at]} in
		*q:add | *q:hide) qemu_start ;;
		host:mount) places_nested_loop ;;
		*:add)
			play_nodes_of_add
			device_nodes[$device]=1
			;;
		*:remove) [[ ! ${device_nodes[$device]-} ]] || pairs+=("$path/online" 0 "$path/state" 5) ;;
		esac
	done
	((${#pairs[@]} == 0)) || store_set "${pairs[@]}"
}

# play_nodes_of_add
# Of the caller's call; adds to its pairs.
play_nodes_of_add() {
	local mode=${call_mode[at]} target=${call_target[at]} domid=${device_domid[$device]}
	device_target[$device]=$target device_mode[$device]=$mode device_script[$device]=block
	[[ $mode != 'w!' ]] || device_script[$device]=block-shared
	pairs+=("$path/frontend" "/local/domain/$domid/device/vbd/${device_devid[$device]}" "$path/frontend-id" "$domid"
		"$path/online" 1 "$path/state" 2 "$path/script" "$scripts/${device_script[$device]}"
		"$path/params" "${target_path[$target]}" "$path/mode" "${mode%!}" "$path/type" phy
		"$path/dev" "xvd${device:1}" "$path/device-type" disk "$path/removable" 0 "$path/bootable" 1)
}

# play_nodes_go
# What libxl deletes behind a remove.
play_nodes_go() {
	local at gone=()
	for at in "${!call_device[@]}"; do
		[[ ${call_verb[at]} == @(remove|destroy) || ${next_pid[at]-} ]] || continue
		[[ ! ${device_nodes[${call_device[at]}]-} || ${call_verb[at]} == destroy ]] || gone+=("${device_path[${call_device[at]}]}")
		[[ ${call_device[at]} != *q ]] || qemu_forgets "${call_device[at]}"
		device_nodes[${call_device[at]}]=''
	done
	((${#gone[@]} == 0)) || xenstore-rm "${gone[@]}"
}

# play_events
# Starts and kills the calls, each at its time.
play_events() {
	local at begun events=() event what
	now begun
	for at in "${!call_device[@]}"; do
		event=$((begun + call_start[at] * usual / 100))
		events+=("$event start $at")
		[[ ${call_moment[at]} == - ]] || events+=("$((event + call_moment[at] * usual / 100)) kill $at")
	done
	((${#events[@]} > 0)) || return 0
	mapfile -t events < <(printf '%s\n' "${events[@]}" | sort -n)
	for event in "${events[@]}"; do
		read -r event what at <<<"$event"
		play_sleep_until "$event"
		case $what in
		start) play_start "$at" "${call_verb[at]}" call_pid ;;
		kill) play_kill "$at" ;;
		esac
	done
}

# play_sleep_until <microseconds>
play_sleep_until() {
	local time seconds
	now time
	(($1 > time)) || return 0
	printf -v seconds '%d.%06d' $((($1 - time) / 1000000)) $((($1 - time) % 1000000))
	# Nobody writes there.
	read -r -t "$seconds" -u "$never" || :
}

# play_start <call> <verb> <array of process ids>
# As libxl does, in a process group of its own.
play_start() {
	local device=${call_device[$1]} environment=() command=()
	play_command "$@"
	((${#command[@]} > 0)) || return 0
	set -m
	(export "${environment[@]}" && exec "${command[@]}") </dev/null >"$model_dir/said.$1.$2" 2>&1 &
	set +m
	printf -v "$3[$1]" '%s' "$!"
}

# play_command <call> <verb>
# Sets the caller's command, and environment if it is a script's. What is no process
# happens here. An again is an add.
play_command() {
	case $device:$2 in
	*q:remove) qemu_kill ;;
	*q:* | *x:remove) ;;
	host:silence) silence_begin ;;
	host:gc) command=("$helper" gc "${model_devices[@]}") ;;
	host:mount) command=(mount "$places_nested_on" "$model_dir/nested") ;;
	host:umount) command=(umount "$model_dir/nested") ;;
	*:destroy) command=(xenstore-rm "${device_path[$device]}") ;;
	*x:add) command=("$root/tests/model/neighbour" "${device_path[$device]}" "${target_path[${call_target[$1]}]}" "${call_mode[$1]}") ;;
	*)
		libxl_environment vbd "${device_domid[$device]}" "${device_devid[$device]}"
		command=("$scripts/${device_script[$device]}" "${2/again/add}")
		;;
	esac
}

# play_kill <call>
# And libxl's next call, at once.
play_kill() {
	local pid=${call_pid[$1]} started=()
	[[ ${call_whom[$1]} == script ]] || read -ra started 2>/dev/null <"/proc/$pid/task/$pid/children" || :
	kill -KILL "$pid" "${started[@]}" 2>/dev/null || :
	[[ ${call_next[$1]} == leave ]] || play_start "$1" remove next_pid
}

# play_wait
# Waits for the step's calls; sets call_status and next_status. What is no process has
# succeeded, or has its status.
play_wait() {
	local at
	silence_end
	for at in "${!call_device[@]}"; do
		call_status[at]=${call_status[at]-0}
		[[ ! ${call_pid[at]-} ]] || wait "${call_pid[at]}" || call_status[at]=$?
	done
	qemu_reap
	for at in "${!next_pid[@]}"; do
		next_status[at]=0
		wait "${next_pid[at]}" || next_status[at]=$?
	done
}

# play_settle
# What a killed script had started ends a moment after it; until then it has its locks.
play_settle() {
	until_true play_unlocked || violation "Locks are held $generous s after all scripts have ended."
}

# play_unlocked
play_unlocked() {
	local locks
	mapfile -t locks </proc/locks
	[[ "${locks[*]}" != *":$lock_inode "* ]]
}

# play_tell
# Adds the step to what was played.
play_tell() {
	local at line
	played+=(step)
	for at in "${!call_device[@]}"; do
		play_outcome "${call_verb[at]}" "${call_status[at]}"
		line="${call_device[at]} ${call_start[at]} ${call_verb[at]} ${call_target[at]} ${call_mode[at]}"
		[[ ${call_moment[at]} == - ]] || line+=" kill ${call_moment[at]} ${call_whom[at]} ${call_next[at]}"
		line+=": $outcome"
		if [[ ${next_status[at]-} ]]; then
			play_outcome remove "${next_status[at]}"
			line+=", then $outcome"
		fi
		played+=("$line")
	done
}

# play_outcome <verb> <exit status>
# Sets outcome to a word for it, and counts it.
play_outcome() {
	case $1:$2 in
	*:137) outcome=killed ;;
	remove:0) outcome=removed ;;
	destroy:*) outcome=destroyed ;;
	add:0 | again:0 | hide:0) outcome=attached ;;
	add:* | again:*) outcome=refused ;;
	*:0) outcome='done' ;;
	*) outcome=failed ;;
	esac
	counted["$outcome"]=$((${counted["$outcome"]-0} + 1))
}

# play_end
# Every device is checked where it is attached, and removed; gc has the stale ones. Nothing stays.
play_end() {
	local device held=()
	for device in "${schedule_devices[@]}"; do
		[[ ${judge_state[$device]-} != held ]] || held+=("$device")
	done
	play_all check "${held[@]}"
	judge_checked
	play_last remove "${judge_left[@]}"
	[[ " ${judge_state[*]} " != *' stale '* ]] || play_last gc host
	! places_are_nested || play_last umount host
	judge_nothing_left
	targets_down
}

# play_last <verb> <device>...
# A step at the end.
play_last() {
	play_next_step
	play_all "$@"
	play_tell
	judge_step
}

# play_all <verb> <device>...
# The verb for all of them at once.
play_all() {
	local at device lines=()
	for device in "${@:2}"; do
		lines+=("$device +0 $1 - - - - - -")
	done
	play_calls "${lines[@]}"
	play_nodes
	for at in "${!call_device[@]}"; do
		play_start "$at" "$1" call_pid
	done
	play_wait
}
