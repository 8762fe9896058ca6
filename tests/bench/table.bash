# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What is made of the driver's records: the table, and the budgets.

declare -A figure  # "label verb who what" -> the number, or the median of the times
declare -A samples # "label verb who what" -> how many times there are
exceeded=0         # how many budgets

# figures_read
# Reads the driver's records from standard input.
figures_read() {
	local label verb who what number key
	local -A numbers=()
	while read -r label verb who what number; do
		numbers["$label $verb $who $what"]+=" $number"
	done
	for key in "${!numbers[@]}"; do
		read -ra number <<<"${numbers[$key]}"
		samples[$key]=${#number[@]}
		median "figure[$key]" "${number[@]}"
	done
}

# milliseconds <out-var> <microseconds>
milliseconds() {
	printf -v "$1" '%d.%d' $(($2 / 1000)) $(($2 % 1000 / 100))
}

# seconds <out-var> <microseconds>
seconds() {
	printf -v "$1" '%d.%02d' $(($2 / 1000000)) $(($2 % 1000000 / 10000))
}

# ratio <out-var> <dividend> <divisor>
ratio() {
	local hundredths=$((100 * $2 / $3))
	printf -v "$1" '%d.%02d' $((hundredths / 100)) $((hundredths % 100))
}

# table_print
# The floor of all interfaces is vif-bridge's.
table_print() {
	printf '%-44s %25s   %39s   %s\n' '' 'programs started' 'median time in ms' 'times taken'
	printf '%-44s %7s %9s %7s   %9s %11s %8s %8s   %s\n' '' ours "Xen's" floor ours "Xen's" floor tools "ours/Xen's/floor/tools"
	table_rows_interface vif-bridge '' vif-0
	table_rows_interface vif-bridge ', with ip=' ip-0
	table_rows_interface vif-route ', with ip=' route-0
	table_rows_interface vif-nat '' nat-0
	table_rows_interface vif-openvswitch '' ovs-0
	table_row 'block add, image file' image-0 add
	table_row 'block remove, image file' image-0 remove
	table_rows_device 0
	table_rows_device 200
	table_rows_device 1000
	table_notes
}

# table_rows_interface <script> <what it has> <label>
table_rows_interface() {
	table_row "$1 online$2" "$3" online vif-0
	table_row "$1 offline$2" "$3" offline vif-0
}

# table_rows_device <other guests>
table_rows_device() {
	table_row "block add, device, $1 guests' disks" "device-$1" add
	table_row "block remove, device, $1 guests' disks" "device-$1" remove
}

# table_row <title> <label> <verb> [label of the floor]
# What was not measured is a dash.
table_row() {
	local who key cells=() counts='' time
	for who in ours upstream floor; do
		table_key "$@"
		cells+=("${figure["$key programs"]--}")
	done
	for who in ours upstream floor tools; do
		table_key "$@"
		time=-
		[[ ! ${figure["$key time"]-} ]] || milliseconds time "${figure["$key time"]}"
		cells+=("$time")
		counts+=/${samples["$key time"]--}
	done
	printf '%-44s %7s %9s %7s   %9s %11s %8s %8s   %s\n' "$1" "${cells[@]}" "${counts#/}"
}

# table_key <title> <label> <verb> [label of the floor]
# Sets the caller's key to that of the caller's who.
table_key() {
	key="$2 $3 $who"
	[[ $who != floor ]] || key="${4:-$2} $3 $who"
}

# table_notes
table_notes() {
	printf "\nXen's vif-bridge, as Debian has it, does not enforce ip=. Open vSwitch switches in user space here.\n"
	[[ ${figure["route-0 online upstream time"]-} ]] ||
		printf "Xen's vif-route and vif-nat fail on this host, which has no ifconfig (docs/defects.md, 22).\n"
}

# filter_print <others>
filter_print() {
	local none many verb who
	printf '\n%-51s %12s %12s %8s\n' 'the filter of ip=, with other guests that have one:' none "$1" ratio
	for verb in online offline; do
		milliseconds none "${figure["filter-0 $verb ours time"]}"
		milliseconds many "${figure["filter-$1 $verb ours time"]}"
		filter_row "vif-bridge $verb, with ip=, median time in ms" "$verb ours time" "$none" "$many" "$1"
	done
	for who in open filtered; do
		filter_row "packets/s through a vif, ${who/open/not filtered}" "packets $who rate" \
			"${figure["filter-0 packets $who rate"]}" "${figure["filter-$1 packets $who rate"]}" "$1"
	done
}

# filter_row <title> <verb, who and what> <with none as text> <with others> <others>
filter_row() {
	local times
	ratio times "${figure["filter-$5 $2"]}" "${figure["filter-0 $2"]}"
	printf '%-51s %12s %12s %8s\n' "$1" "$3" "$4" "$times"
}

# burst_print <how many> <seconds after which it was cut>
burst_print() {
	printf "\n%s block adds at once, of different devices, 1000 guests' disks in the store, medians:\n" "$1"
	burst_row ours ours "$1" "$2"
	burst_row "Xen's" upstream "$1" "$2"
}

# burst_row <title> <who> <how many> <seconds after which it was cut>
burst_row() {
	local key="device-1000 burst $2" time finished outcome
	finished=${figure["$key done"]}
	if ((finished < $3)); then
		outcome="cut at $4 s, $finished of $3 done"
	else
		seconds time "${figure["$key last"]}"
		outcome="all done after $time s"
		seconds time "${figure["$key slowest"]}"
		outcome+=", the slowest took $time s"
	fi
	printf "  %-6s %s; %s in the 40 s that libxl waits (%s times)\n" "$1" "$outcome" \
		"${figure["$key in-time"]}" "${samples["$key last"]}"
}

# budget <what> <figure as text> <limit as text> <figure> <limit>
# Prints whether the figure is at most the limit.
budget() {
	local verdict=holds
	(($4 <= $5)) || {
		verdict=EXCEEDED
		exceeded=$((exceeded + 1))
	}
	printf '%-56s %-20s %-36s %s\n' "$1" "$2" "at most $3" "$verdict"
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

# budgets_print <size of the burst> <other guests with a filter>
budgets_print() {
	printf '\n%-56s %-20s %s\n' budget measured limit
	budget_programs 'vif-bridge online, programs' vif-0 online 6
	budget_interface_time 'vif-bridge online, time' 'vif-0 online' 'vif-0 online floor'
	budgets_interface vif-bridge ', with ip=' ip-0
	budgets_interface vif-route ', with ip=' route-0
	budgets_interface vif-nat '' nat-0
	budgets_interface vif-openvswitch '' ovs-0
	budget_filter_attach "$2"
	budget_filter_packets "$2"
	budget_programs 'block add of an image file, programs' image-0 add 4
	budget_hundredth
	budget_ratio "block add of a device, 1000 guests' disks, time" "${figure["device-1000 add ours time"]}" \
		"${figure["device-0 add ours time"]}" 5 'with none'
	budget_burst "$1"
}

# budgets_interface <script> <what it has> <label>
# Twice the floor, and for each further tool one program, in the time that the
# tool takes by itself.
budgets_interface() {
	local verb
	for verb in online offline; do
		budget_interface_programs "$1 $verb$2, programs" "$3 $verb" "vif-0 $verb floor"
		budget_interface_time "$1 $verb$2, time" "$3 $verb" "vif-0 $verb floor"
	done
}

# budget_interface_programs <what> <label and verb> <label, verb and floor>
budget_interface_programs() {
	local started=${figure["$2 ours programs"]} floor=${figure["$3 programs"]} tools=${figure["$2 tools programs"]-0}
	budget "$1" "$started" "2 x $floor + $tools" "$started" $((2 * floor + tools))
}

# budget_interface_time <what> <label and verb> <label, verb and floor>
budget_interface_time() {
	local ours=${figure["$2 ours time"]} floor=${figure["$3 time"]} tools=${figure["$2 tools time"]-0} texts=()
	milliseconds 'texts[0]' "$ours"
	milliseconds 'texts[1]' "$floor"
	milliseconds 'texts[2]' "$tools"
	budget "$1" "${texts[0]} ms" "2 x ${texts[1]} + ${texts[2]} ms" "$ours" $((2 * floor + tools))
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

# budget_burst <size>
# libxl waits 40 s for a script: a tenth of that is far enough from it.
budget_burst() {
	local key='device-1000 burst ours' slowest
	budget_ratio "$1 block adds at once, 1000 guests' disks, time" "${figure["$key last"]}" \
		"${figure["$key one"]}" "$1" 'one add'
	seconds slowest "${figure["$key slowest"]}"
	budget '  the slowest of them' "$slowest s" '4 s' "${figure["$key slowest"]}" 4000000
}
