# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Schedules: drawn from a seed alone, so that a seed gives the same one again.
# A schedule is lines of text, which are both printed and played:
#
#   targets NAME...    the block devices that the host makes of its files, and the overlay
#   step               what follows, up to the next step, goes on at the same time:
#   ACTOR +START VERB TARGET MODE kill +MOMENT WHOM THEN
#
# START is when the call begins after the step's start, MOMENT when it is killed after its own; both
# in percent of what an attach usually takes. WHOM is script (the process that libxl has started,
# alone) or group (with all that it has started by then). THEN is remove, what libxl does then, or
# leave. A dash means none. ACTOR is
#
# - a guest's number and a or b, for its disks of these scripts. VERB is add (with new nodes, of block,
#   or with mode w! of block-shared), again (an add with the nodes that are there), remove, or destroy
#   (the nodes go, and no script is called: the device is stale).
# - a guest's number and q, for what its QEMU has open (qemu.bash). VERB is add, hide (an add of which
#   libxl has no record of the process) or remove. An add is before the step's start.
# - a guest's number and x, for its disk of a script of another's (neighbour). VERB is add or remove.
# - host. VERB is gc, mount or umount (of n), or silence (the file server stops until all calls for
#   other disks have ended).

schedule_devices=(1a 1b 2a 2b 3a 3b 4a 4b)
schedule_others=(1q 3q 1x 2x)
# What a schedule's targets are of; what comes twice comes more often.
schedule_families=('[ab]*' '[ab]*' 'c*' 'd*' 'd*' 'e*' '[fg]*' '[fg]*' 'n*' 'n*' 'q*' 's*')

# schedule_draw <seed>
# Sets schedule to its lines.
schedule_draw() {
	local steps drawn
	local -A wanted=() # device -> present, where libxl would have the device now
	RANDOM=$1 schedule=()
	draw 1 # the first numbers of neighbouring seeds are alike
	draw 1
	schedule_targets
	draw 4
	for ((steps = drawn + 3; steps > 0; steps--)); do
		schedule+=(step)
		schedule_step
	done
}

# draw <number>
# Sets drawn to a number below it. Not to be called in a subshell, which has a RANDOM of its own.
draw() {
	drawn=$((RANDOM % $1))
}

# draw_of <out-var> <word>...
# One of them.
draw_of() {
	draw $(($# - 1))
	printf -v "$1" '%s' "${@:drawn+2:1}"
}

# schedule_targets
# A handful of targets of one or two families, into the caller's targets, and the line of
# the block devices that are needed for them.
schedule_targets() {
	local name one other needed=' ' line=targets
	targets=()
	draw_of one "${schedule_families[@]}"
	draw_of other "${schedule_families[@]}"
	for name in "${target_names[@]}"; do
		# shellcheck disable=SC2053 # they are patterns
		[[ $name != $one && $name != $other ]] || targets+=("$name")
	done
	schedule_thin_out
	for name in "${targets[@]}"; do
		while [[ $name != - ]]; do
			needed+="$name "
			name=${target_on[$name]}
		done
	done
	for name in "${target_names[@]}"; do
		! target_is_made "$name" || [[ $needed != *" $name "* ]] || line+=" $name"
	done
	schedule+=("$line")
}

# schedule_thin_out
# Leaves at most 3 to 5 of the caller's targets.
schedule_thin_out() {
	local left
	draw 3
	left=$((drawn + 3))
	while ((${#targets[@]} > left)); do
		draw ${#targets[@]}
		unset "targets[$drawn]"
		targets=("${targets[@]}")
	done
}

# schedule_step
# Two to five calls for as many devices, and perhaps one of the host's.
schedule_step() {
	local calls device devices=("${schedule_devices[@]}" "${schedule_others[@]}")
	draw 4
	for ((calls = drawn + 2; calls > 0; calls--)); do
		draw ${#devices[@]}
		device=${devices[drawn]}
		unset "devices[$drawn]"
		devices=("${devices[@]}")
		case $device in
		*q) schedule_qemu ;;
		*x) schedule_neighbour ;;
		*) schedule_call ;;
		esac
	done
	draw 2
	((drawn == 0)) || schedule_host
}

# schedule_call
# Adds the caller's device's line. A device that is there is mostly removed, another one mostly added.
schedule_call() {
	local verb target=- mode=- start killed='- - - -'
	draw_of start 0 0 20 60 100
	if [[ ${wanted[$device]-} ]]; then
		draw_of verb remove remove destroy again
	else
		draw_of verb add add add add add add remove
	fi
	[[ $verb == @(remove|destroy) ]] && wanted[$device]='' || wanted[$device]=present
	if [[ $verb == add ]]; then
		draw_of target "${targets[@]}"
		draw_of mode r r r w w w w 'w!'
	fi
	[[ $verb == destroy ]] || schedule_kill
	schedule+=("$device +$start $verb $target $mode $killed")
}

# schedule_qemu
# The same for a guest's QEMU, which begins with the step.
schedule_qemu() {
	local verb=remove target=- mode=-
	if [[ ! ${wanted[$device]-} ]]; then
		draw_of verb add add hide
		draw_of target "${targets[@]}"
		draw_of mode r w w
	fi
	[[ $verb == remove ]] && wanted[$device]='' || wanted[$device]=present
	schedule+=("$device +0 $verb $target $mode - - - -")
}

# schedule_neighbour
# The same for a disk of another's script, which gives only block devices, and looks for no mount.
schedule_neighbour() {
	local start verb=remove target=- mode=- devices=()
	for target in "${targets[@]}"; do
		target_is_file "$target" || [[ $target == n* ]] || devices+=("$target")
	done
	((${#devices[@]} > 0)) || return 0
	target=-
	draw_of start 0 0 20 60 100
	if [[ ! ${wanted[$device]-} ]]; then
		verb=add
		draw_of target "${devices[@]}"
		draw_of mode r w w
	fi
	[[ $verb == remove ]] && wanted[$device]='' || wanted[$device]=present
	schedule+=("$device +$start $verb $target $mode - - - -")
}

# schedule_host
# A line of the host's own.
schedule_host() {
	local device=host start verb verbs=(gc gc) killed='- - - -'
	[[ " ${targets[*]}" != *' s'* ]] || verbs+=(silence silence silence silence)
	[[ " ${targets[*]}" != *' n'* ]] || verbs+=(mount mount mount umount)
	draw_of start 0 0 20 60 100
	draw_of verb "${verbs[@]}"
	[[ $verb != gc ]] || schedule_kill
	schedule+=("host +$start $verb - - ${killed/%remove/leave}")
}

# schedule_kill
# Sets the caller's killed: one in four calls is. Calls that go on at the same
# time, or wait for each other, take longer than one alone.
schedule_kill() {
	local moment whom next range
	draw 4
	((drawn == 0)) || return 0
	draw_of range 150 150 400
	draw "$range"
	moment=$((drawn + 1))
	draw_of whom script script group
	draw_of next remove leave
	[[ $next == leave ]] || wanted[$device]=''
	killed="kill +$moment $whom $next"
}
