# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The budgets, and whether the figures of table.bash are within them.

exceeded=0 # how many budgets

# budget_head
budget_head() {
	printf '\n%-56s %-20s %s\n' budget measured limit
}

# budget <what> <figure as text> <limit as text> <figure> <limit>
# Prints whether the figure is at most the limit.
budget() {
	local verdict=holds
	(($4 <= $5)) || {
		verdict=EXCEEDED
		exceeded=$((exceeded + 1))
	}
	budget_row "$1" "$2" "at most $3" "$verdict"
}

# no_budget <what> <figure as text> <limit as text> <figure> <limit>
# The same of a limit that nobody has set: it is only told.
no_budget() {
	local verdict=within
	(($4 <= $5)) || verdict='above, no budget'
	budget_row "$1" "$2" "at most $3" "$verdict"
}

# budget_least <what> <figure as text> <limit as text> <figure> <limit>
# As budget, of a figure that is to be at least the limit.
budget_least() {
	local verdict=holds
	(($4 >= $5)) || {
		verdict=EXCEEDED
		exceeded=$((exceeded + 1))
	}
	budget_row "$1" "$2" "at least $3" "$verdict"
}

# budget_row <what> <figure as text> <limit as text> <verdict>
budget_row() {
	printf '%-56s %-20s %-36s %s\n' "$@"
}

# budget_programs <what> <label> <verb> <limit>
budget_programs() {
	local started=${figure["$2 $3 ours programs"]}
	budget "$1" "$started" "$4" "$started" "$4"
}

# budget_ratio <what> <time> <time that it is compared with> <limit> <of what>
budget_ratio() {
	local times
	ratio times "$2" "$3"
	budget "$1" "$times x $5" "$4 x" "$2" $(($4 * $3))
}

# budgets_interfaces
budgets_interfaces() {
	budget_programs 'vif-bridge online, programs' vif-0 online 6
	budget_time budget 'vif-bridge online, time' 'vif-0 online' 'vif-0 online floor'
	budgets_script budget vif-bridge ', with ip=' ip-0 vif-0 online offline
	budgets_script budget vif-route ', with ip=' route-0 vif-0 online offline
	budgets_script budget vif-nat '' nat-0 vif-0 online offline
	budgets_script budget vif-openvswitch '' ovs-0 vif-0 online offline
}

# budgets_filter
budgets_filter() {
	budget_filter_attach "$filters"
	budget_filter_packets "$filters"
}

# budgets_disks
budgets_disks() {
	local kind
	budget_programs 'block add of an image file, programs' image-0 add 4
	budget_hundredth
	budget_ratio "block add of a device, 1000 guests' disks, time" "${figure["device-1000 add ours time"]}" \
		"${figure["device-0 add ours time"]}" 5 'with none'
	for kind in dummy shared iscsi drbd nbd qcow2 overlay tap; do
		budgets_script no_budget "block-$kind" '' "$kind-0" image-0 add remove
	done
}

# budgets_script budget|no_budget <script> <what it has> <label> <label of the floor> <verb>...
# Twice the floor, and for each further tool one program, in the time that the
# tool takes by itself.
budgets_script() {
	local verb
	for verb in "${@:6}"; do
		budget_tools "$1" "$2 $verb$3, programs" "$4 $verb" "$5 $verb floor"
		budget_time "$1" "$2 $verb$3, time" "$4 $verb" "$5 $verb floor"
	done
}

# budget_tools budget|no_budget <what> <label and verb> <label, verb and floor>
budget_tools() {
	local started=${figure["$3 ours programs"]} floor=${figure["$4 programs"]} tools=${figure["$3 tools programs"]-0}
	"$1" "$2" "$started" "2 x $floor + $tools" "$started" $((2 * floor + tools))
}

# budget_time budget|no_budget <what> <label and verb> <label, verb and floor>
budget_time() {
	local ours=${figure["$3 ours time"]} floor=${figure["$4 time"]} tools=${figure["$3 tools time"]-0} texts=()
	milliseconds 'texts[0]' "$ours"
	milliseconds 'texts[1]' "$floor"
	milliseconds 'texts[2]' "$tools"
	"$1" "$2" "${texts[0]} ms" "2 x ${texts[1]} + ${texts[2]} ms" "$ours" $((2 * floor + tools))
}

# budget_filter_attach <others>
budget_filter_attach() {
	local none=${figure['filter-0 online ours time']} many=${figure["filter-$1 online ours time"]} times
	ratio times "$many" "$none"
	budget "vif-bridge online, with ip=, $1 others, time" "$times x with none" '1.5 x' $((2 * many)) $((3 * none))
}

# budget_filter_packets <others>
# A packet's time is the reciprocal of the rate.
budget_filter_packets() {
	local none many times
	budget_filter_share none 0
	budget_filter_share many "$1"
	ratio times "$many" 10000
	budget "a packet's way through the filter, $1 others, time" "$times x without one" '1.25 x' $((100 * many)) 1250000
	ratio times "$many" "$none"
	budget '  and against that with no others' "$times x" '1.1 x' $((10 * many)) $((11 * none))
}

# budget_filter_share <out-var> <others>
# A packet's time through the filter, in 1/10000 of that without.
budget_filter_share() {
	local open=${figure["filter-$2 packets open rate"]} filtered=${figure["filter-$2 packets filtered rate"]}
	printf -v "$1" '%s' $((10000 * open / filtered))
}

# budget_hundredth
budget_hundredth() {
	local ours=${figure["device-200 add ours time"]} theirs=${figure["device-200 add upstream time"]} times
	ratio times "$theirs" "$ours"
	budget "block add of a device, 200 guests' disks, time" "Xen's / $times" "Xen's / 100" $((100 * ours)) "$theirs"
}

# budgets_bursts
# libxl waits 40 s for a script: a tenth of that is far enough from it.
budgets_bursts() {
	local key='burst-16-1000 burst ours' slowest
	budget_ratio "16 block adds at once, 1000 guests' disks, time" "${figure["$key last"]}" \
		"${figure["burst-1-1000 burst ours last"]}" 16 'one add'
	seconds slowest "${figure["$key slowest"]}"
	budget '  the slowest of them' "$slowest s" '4 s' "${figure["$key slowest"]}" 4000000
	budget_slowest
	budget_lost
	budgets_at_once
	budget_store
}

# budget_slowest
# Of all bursts, not their medians.
budget_slowest() {
	local case slowest=0 time text
	for case in "${burst_cases[@]}"; do
		time=${largest["burst-${case/:/-} burst ours slowest"]}
		((time <= slowest)) || slowest=$time
	done
	seconds text "$slowest"
	budget 'the slowest of all block adds, at once or not' "$text s" '40 s' "$slowest" 40000000
}

# budget_lost
# The same.
budget_lost() {
	local case lost=0
	for case in "${burst_cases[@]}"; do
		lost=$((lost + ${largest["burst-${case/:/-} burst ours lost"]}))
	done
	budget 'adds that failed, or were cut' "$lost" 0 "$lost" 0
}

# budgets_at_once
# Throughput does not fall as more are added at once, but for a fifth that may be noise.
budgets_at_once() {
	local others size before
	for others in "${burst_others[@]}"; do
		before=''
		for size in "${burst_sizes[@]}"; do
			[[ " ${burst_cases[*]} " == *" $size:$others "* ]] || continue
			[[ ! $before ]] || budget_throughput "$before" "$size" "$others"
			before=$size
		done
	done
}

# budget_throughput <fewer> <more> <others>
budget_throughput() {
	local fewer="burst-$1-$3 burst ours" more="burst-$2-$3 burst ours" rates=()
	burst_rate 'rates[0]' "$fewer"
	burst_rate 'rates[1]' "$more"
	# done/last as fractions, without rounding.
	budget_least "$2 at once, $3 guests' disks, adds/s" "${rates[1]}" "0.8 x ${rates[0]} ($1 at once)" \
		$((10 * ${figure["$more done"]} * ${figure["$fewer last"]})) \
		$((8 * ${figure["$fewer done"]} * ${figure["$more last"]}))
}

# budget_store
# An add looks at the disk of each guest in the store: so with five times as
# many, as many disks are looked at in a second if it takes five times as long.
budget_store() {
	local many=${figure["burst-64-5000 burst ours last"]} few=${figure["burst-64-1000 burst ours last"]}
	budget_ratio "64 at once, 5000 guests' disks, time" "$many" "$few" 5 'with 1000'
}
