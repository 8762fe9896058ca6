# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Is what became of each call of a step explicable? A call is refused only where
# another guest, or the host, had the bytes, or may have had them at some time of
# the step; and it succeeds only where nothing was in its way all the time.

answer_had=()            # "DEVICE TARGET MODE" of all that may have been held at some time of the step
declare -A answer_steady # the targets that a guest has had for the whole step

# answers_judge
# Judges all calls of the step; sets the state of their devices.
answers_judge() {
	local at
	answers_collect
	for at in "${!call_device[@]}"; do
		answer_judge "${call_device[at]}"
		case ${next_status[at]-none} in
		none) ;;
		0) unset "judge_state[${call_device[at]}]" ;;
		*) answer_wrong "${call_device[at]}" remove "${next_status[at]}" ;;
		esac
	done
}

# answers_collect
# Sets answer_had and answer_steady. A refused call has held nothing.
answers_collect() {
	local device at
	answer_had=() answer_steady=()
	for device in "${!judge_state[@]}"; do
		! answer_is_idle "$device" || continue
		answer_add_had "$device" "${judge_target[$device]}" "${judge_mode[$device]}"
		[[ ${judge_state[$device]} != held || " ${call_device[*]} " == *" $device "* ]] ||
			answer_steady[${judge_target[$device]}]=1
	done
	for at in "${!call_device[@]}"; do
		device=${call_device[at]}
		[[ ${call_verb[at]}:${call_status[at]} != @(add|again|hide):@(0|137) ]] ||
			answer_add_had "$device" "${device_target[$device]}" "${device_mode[$device]}"
	done
}

# answer_add_had <device> <target> <mode>
# QEMU has the backing file, too. A writer of which there is no record may serve any guest
# whose server is not known; for a moment, one that starts or ends is not known either.
answer_add_had() {
	local other
	answer_had+=("$1 $2 $3")
	[[ $1:${target_kind[$2]} != *q:qcow2 ]] || answer_had+=("$1 $target_backing r")
	answer_is_unknown "$1" || return 0
	for other in "${schedule_others[@]}"; do
		! answer_is_unknown "$other" || answer_had+=("$other $2 $3")
	done
}

# answer_is_unknown <device>
# Is it QEMU's, whose process may not be known?
answer_is_unknown() {
	[[ $1 == *q && (${qemu_hidden[$1]-} || " ${call_device[*]} " == *" $1 "*) ]]
}

# answer_is_idle <device>
# Is it stale, and no call works on it? Then it is in nobody's way: one attach alone releases it.
answer_is_idle() {
	local at attaches=0
	[[ ${judge_state[$1]} == stale ]] || return
	for at in "${!call_device[@]}"; do
		[[ ${call_device[at]} != "$1" && ${call_verb[at]} != gc ]] || return
		[[ ${call_verb[at]} != @(add|again) ]] || attaches=$((attaches + 1))
	done
	((attaches < 2))
}

# answer_judge <device>
# The caller's call at number at.
answer_judge() {
	local status=${call_status[at]} target=${device_target[$1]-} mode=${device_mode[$1]-}
	case $1:${call_verb[at]}:$status in
	host:*) answer_host "$status" ;;
	*:destroy:*) [[ ! ${judge_state[$1]-} ]] || judge_state[$1]=stale ;;
	*:remove:0) unset "judge_state[$1]" ;;
	*[qx]:*:0) answer_becomes "$1" held ;;
	*[qx]:*:1) unset "judge_state[$1]" ;;
	*:0) answer_attached "$1" ;;
	*:137) answer_killed "$1" ;;
	*:remove:* | *:*:[!1]*) answer_wrong "$1" "${call_verb[at]}" "$status" ;;
	*) answer_refused "$1" ;;
	esac
}

# answer_host <exit status>
# Of the caller's call, of gc or the host's own. (That mount or umount found the disk busy is no defect.)
answer_host() {
	local device
	case ${call_verb[at]}:$1 in
	gc:0) answer_collected ;;
	gc:1) answer_left ;;
	gc:137) [[ ${call_moment[at]} != - ]] || violation 'gc was ended by SIGKILL, which the model has not sent.' ;;
	gc:*) violation "gc ended with status $1: $(<"$model_dir/said.$at.gc")" ;;
	esac
}

# answer_collected
# gc says that nothing is stale any more, which was before the step.
answer_collected() {
	local device
	for device in "${!judge_state[@]}"; do
		[[ ${judge_state[$device]} != stale || " ${call_device[*]} " == *" $device "* ]] || unset "judge_state[$device]"
	done
}

# answer_left
# gc says that something is left: only what other calls work on, or whose server is silent.
answer_left() {
	local said
	said=$(<"$model_dir/said.$at.gc")
	[[ ${#call_device[@]} != 1 && ($said == *'kept, because another script works on it'* || $silence_was) ]] ||
		violation "gc has left what is stale: $said"
}

# answer_wrong <device> <verb> <status>
answer_wrong() {
	silence_concerns "$1" || violation "$1 $2 ended with status $3: $(<"$model_dir/said.$at.$2")"
	judge_state[$1]=unclear
}

# answer_killed <device>
# Where nothing was, a remove that is killed does not change that.
answer_killed() {
	[[ ${call_moment[at]} != - ]] ||
		violation "$1 ${call_verb[at]} was ended by SIGKILL, which the model has not sent."
	[[ ${call_verb[at]} == remove && ! ${judge_state[$1]-} ]] || answer_becomes "$1" unclear
}

# answer_becomes <device> held|unclear
# By an attach, unless it was attached before.
answer_becomes() {
	[[ ${judge_connected[$1]-} ]] || judge_since[$1]=$step
	[[ ${call_verb[at]} == remove ]] || judge_target[$1]=$target judge_mode[$1]=$mode
	judge_state[$1]=$2
}

# answer_attached <device>
# What is read-only was not given to write, and nothing over the head of the
# host. (An add again of what is attached, or perhaps is, need not look.)
answer_attached() {
	local other
	if [[ ! ${judge_state[$1]-} ]]; then
		[[ $mode == r || ${target_kind[$target]} != readonly ]] ||
			violation "$1 was given $target to write, which is read-only."
		[[ $target != n-all || $mode == 'w!' ]] || ! answer_nested_always ||
			violation "$1 was given $target ($mode), which the host has mounted."
		for other in "${target_names[@]}"; do
			[[ $mode == 'w!' || " ${answer_had[*]} " == *" $other "* ]] || ! answer_host_has "$other" ||
				violation "$1 was given $target ($mode), although the host has made $other of its bytes."
		done
	fi
	answer_becomes "$1" held
}

# answer_refused <device>
# It must be told why, and there must be somebody or something in the way.
answer_refused() {
	local verdict sentence
	! silence_concerns "$1" || {
		judge_state[$1]=unclear judge_target[$1]=$target judge_mode[$1]=$mode judge_since[$1]=$step
		return
	}
	judge_node verdict "$1" hotplug-status
	judge_node sentence "$1" hotplug-error
	unset "judge_state[$1]"
	[[ $sentence == *. ]] || violation "$1 was refused without a sentence, but '$sentence'."
	[[ $mode == r || ${target_kind[$target]} != readonly ]] || return 0
	if [[ $verdict != busy ]]; then
		answer_may_fail || violation "$1 has failed to attach $target ($mode), hotplug-status '$verdict': $sentence"
	elif [[ $mode == 'w!' ]] || ! answer_guest_had "$1" && ! answer_host_had; then
		violation "$1 was refused $target ($mode), although nobody in its way had it: $sentence"
	fi
}

# answer_guest_had <device>
# May another guest have had a part of the caller's target, in the way of its mode? Of a loop device
# on another mount of a file server nothing tells whose it is, as the server may not answer.
answer_guest_had() {
	local had device other its
	for had in "${answer_had[@]}"; do
		read -r device other its <<<"$had"
		if [[ $mode$its == *w* ]] && targets_overlap "$target" "$other" &&
			{ ! judge_same_vm "$1" "$device" || [[ ${target_kind[$target]}:${target_kind[$other]} == served:silent ]]; }; then
			return
		fi
	done
	return 1
}

# answer_may_fail
# May the caller's target be absent?
answer_may_fail() {
	case ${target_kind[$target]} in
	copy) ;;
	inner) ! answer_nested_always ;;
	*) return 1 ;;
	esac
}

# answer_nested_always
# Has the host had n mounted for all of the step?
answer_nested_always() {
	[[ $nested_before && " ${call_verb[*]} " != *' umount '* ]]
}

# answer_nested_ever
# For some of it?
answer_nested_ever() {
	[[ $nested_before || " ${call_verb[*]} " == *' mount '* ]]
}

# answer_host_had
# Or the host? What a guest has all the time is no use of the host.
answer_host_had() {
	local other
	[[ $target != @(n|n-all) ]] || ! answer_nested_ever || return 0
	for other in "${target_names[@]}"; do
		if [[ ! ${answer_steady[$other]-} ]] && answer_host_has "$other"; then
			return
		fi
	done
	return 1
}

# answer_host_has <other>
# Does that block device of the host's stand in the way of the caller's target and mode, where no
# guest has it? Not where the target is made of it; and of two mappings neither is made of the other.
answer_host_has() {
	[[ ${target_path[$1]-} && ${target_kind[$target]} != inner ]] && targets_overlap "$target" "$1" && ! target_stands_on "$target" "$1" || return
	case ${target_kind[$1]} in
	loop) ;;
	readonly) [[ $mode != r ]] ;;
	mapping) target_is_file "$target" || target_stands_on "$1" "$target" ;;
	*) return 1 ;;
	esac
}
