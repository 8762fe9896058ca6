# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The file server stops for a part of a step: until all calls for other disks have ended.

silence_now='' # whether it is stopped
silence_was='' # whether it was, in this step

# silence_begin
silence_begin() {
	[[ $places_server ]] || return 0
	kill -STOP "$places_server"
	silence_now=1 silence_was=1
}

# silence_end
# Waits for those calls, and lets the server go on.
silence_end() {
	local end=$((SECONDS + generous)) time
	[[ $silence_now ]] || return 0
	until silence_is_over; do
		((SECONDS < end)) || {
			violation "After $generous s, a call for another disk still waits for the silent file server."
			break
		}
		now time
		play_sleep_until $((time + 2000))
	done
	kill -CONT "$places_server"
	silence_now=''
}

# silence_is_over
silence_is_over() {
	local at pid
	for at in "${!call_device[@]}"; do
		! silence_concerns "${call_device[at]}" || continue
		for pid in "${call_pid[at]-}" "${next_pid[at]-}"; do
			[[ ! $pid ]] || gone "$pid" || return
		done
	done
}

# silence_concerns <device>
# Does what becomes of its calls depend on the server, which is silent in this step?
silence_concerns() {
	[[ $silence_was && (${device_target[$1]-} == s* || ${judge_state[$1]-} && ${judge_target[$1]} == s*) ]]
}
