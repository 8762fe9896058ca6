# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What is made of the driver's records: the tables.

declare -gA figure  # "label verb who what" -> the number, or the median of the times
declare -gA largest # the same -> the largest one
declare -gA samples # the same -> how many there are

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
		maximum "largest[$key]" "${number[@]}"
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

# header_print
header_print() {
	local version=${BENCH_UPSTREAM%/etc/xen/scripts}
	printf "bash %s, Xen's scripts %s, Linux %s, %s CPUs\n" \
		"${BASH_VERSION%%(*}" "${version##*/upstream-}" "$(uname -r)" "$(nproc)"
	printf 'in turn: ours, Xen'"'"'s, floor or tools; who is first changes from round to round\n'
	printf 'floor: a bash that runs one xenstore-read, one ip -batch and one xenstore-write\n'
	printf 'tools: the further programs that ours starts (nft, iscsiadm, ...), each from its start to its end, and nothing else\n'
}

# table_head
table_head() {
	printf '\n%-44s %25s   %39s   %s\n' '' 'programs started' 'median time in ms' 'times taken'
	printf '%-44s %7s %9s %7s   %9s %11s %8s %8s   %s\n' '' ours "Xen's" floor ours "Xen's" floor tools "ours/Xen's/floor/tools"
}

# print_interfaces
# The floor of all interfaces is vif-bridge's.
print_interfaces() {
	table_head
	table_rows_interface vif-bridge '' vif-0
	table_rows_interface vif-bridge ', with ip=' ip-0
	table_rows_interface vif-route ', with ip=' route-0
	table_rows_interface vif-nat '' nat-0
	table_rows_interface vif-openvswitch '' ovs-0
	printf "\nXen's vif-bridge, as Debian has it, does not enforce ip=. Open vSwitch switches in user space here.\n"
	[[ ${figure["route-0 online upstream time"]-} ]] ||
		printf "Xen's vif-route and vif-nat fail on this host, which has no ifconfig (docs/defects.md, 22).\n"
}

# table_rows_interface <script> <what it has> <label>
table_rows_interface() {
	table_row "$1 online$2" "$3" online vif-0
	table_row "$1 offline$2" "$3" offline vif-0
}

# print_disks
# The floor of all disks is that of an image file. Why a script of Xen's is not
# beside ours stands behind it.
print_disks() {
	local others none="Xen has no such script"
	table_head
	table_rows_disk block ', image file' image-0
	for others in 0 200 1000 5000; do
		table_rows_disk block ", device, $others guests' disks" "device-$others" "$(table_without "$others")"
	done
	table_rows_disk block-dummy '' dummy-0
	table_rows_disk block-shared '' shared-0 "$none"
	table_rows_disk block-iscsi '' iscsi-0
	table_rows_disk block-drbd '' drbd-0 "$none"
	table_row block-drbd-probe probe-0 probe
	table_rows_disk block-nbd '' nbd-0 "$(table_attempt nbd 'it expects the server in arguments that libxl never gives')"
	table_rows_disk block-qcow2 '' qcow2-0 "$none"
	table_rows_disk block-overlay '' overlay-0 "$none"
	table_rows_disk block-tap '' tap-0 "$(table_attempt tap 'it wants a kernel with blktap 2')"
	printf "\nThe servers of iSCSI and DRBD, tapdisk, dmsetup and the kernel's NBD are stand-ins of the tests, which cost what\n"
	printf "they cost (tools) and wait for nothing; Xen's block-iscsi finds udev's link at once. NBD servers are real.\n"
}

# table_rows_disk <script> <what it has> <label> [why Xen's is not beside it]
table_rows_disk() {
	table_row "$1 add$2" "$3" add image-0 "${4-}"
	table_row "$1 remove$2" "$3" remove image-0 "${4-}"
}

# table_without <other guests>
# Prints why a number of guests is for ours alone, if it is.
table_without() {
	[[ $1 != 5000 ]] || printf "Xen's not measured, since its time grows with the guests"
}

# table_attempt <kind> <why it fails>
# Prints how Xen's script has ended.
table_attempt() {
	local status=${figure["$1-0 add upstream status"]}
	if ((status == 124)); then
		printf "Xen's did not end in 40 s: %s" "$2"
	else
		printf "Xen's ends with status %s: %s" "$status" "$2"
	fi
}

# table_row <title> <label> <verb> [label of the floor] [remark]
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
	printf '%-44s %7s %9s %7s   %9s %11s %8s %8s   %s\n' "$1" "${cells[@]}" "${counts#/}${5:+  $5}"
}

# table_key <title> <label> <verb> [label of the floor]
# Sets the caller's key to that of the caller's who.
table_key() {
	key="$2 $3 $who"
	[[ $who != floor ]] || key="${4:-$2} $3 $who"
}

# print_filter
print_filter() {
	local none many verb who
	printf '\n%-51s %12s %12s %8s\n' 'the filter of ip=, with other guests that have one:' none "$filters" ratio
	for verb in online offline; do
		milliseconds none "${figure["filter-0 $verb ours time"]}"
		milliseconds many "${figure["filter-$filters $verb ours time"]}"
		filter_row "vif-bridge $verb, with ip=, median time in ms" "$verb ours time" "$none" "$many" "$filters"
	done
	for who in open filtered; do
		filter_row "packets/s through a vif, ${who/open/not filtered}" "packets $who rate" \
			"${figure["filter-0 packets $who rate"]}" "${figure["filter-$filters packets $who rate"]}" "$filters"
	done
}

# filter_row <title> <verb, who and what> <with none as text> <with others> <others>
filter_row() {
	local times
	ratio times "${figure["filter-$5 $2"]}" "${figure["filter-0 $2"]}"
	printf '%-51s %12s %12s %8s\n' "$1" "$3" "$4" "$times"
}

# print_bursts
print_bursts() {
	local case
	printf '\nblock adds at once, of different devices, medians\n'
	printf "%-6s %8s %15s %16s %12s %10s   %s\n" '' 'at once' "guests' disks" 'all done, in s' 'slowest, s' 'adds/s' 'times taken'
	for case in "${burst_cases[@]}"; do
		burst_row ours ours "$case"
	done
	burst_row "Xen's" upstream "$burst_upstream"
}

# burst_row <title> <who> <size:others>
burst_row() {
	local key="burst-${3/:/-} burst $2" finished time slowest='' rate='' remark
	remark=${samples["$key last"]}
	finished=${figure["$key done"]}
	if ((finished < ${3%:*})); then
		time='not all'
		remark+="  $finished done when it was cut at $burst_cut s or all had ended, ${figure["$key in-time"]} of them in the 40 s that libxl waits"
	else
		seconds time "${figure["$key last"]}"
		seconds slowest "${figure["$key slowest"]}"
		burst_rate rate "$key"
	fi
	printf "%-6s %8s %15s %16s %12s %10s   %s\n" "$1" "${3%:*}" "${3#*:}" "$time" "$slowest" "$rate" "$remark"
}

# burst_rate <out-var> <burst's label, verb and who>
# How many adds were done in a second.
burst_rate() {
	local tenths=$((10000000 * ${figure["$2 done"]} / ${figure["$2 last"]}))
	printf -v "$1" '%d.%d' $((tenths / 10)) $((tenths % 10))
}
