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
table_print() {
	printf '%-44s %25s   %30s   %s\n' '' 'programs started' 'median time in ms' 'times taken'
	printf '%-44s %7s %9s %7s   %9s %11s %8s   %s\n' '' ours "Xen's" floor ours "Xen's" floor "ours/Xen's/floor"
	table_row 'vif-bridge online' vif-0 online
	table_row 'vif-bridge offline' vif-0 offline
	table_row 'block add, image file' image-0 add
	table_row 'block remove, image file' image-0 remove
	table_rows_device 0
	table_rows_device 200
	table_rows_device 1000
}

# table_rows_device <other guests>
table_rows_device() {
	table_row "block add, device, $1 guests' disks" "device-$1" add
	table_row "block remove, device, $1 guests' disks" "device-$1" remove
}

# table_row <title> <label> <verb>
table_row() {
	local key="$2 $3" who time cells=()
	for who in ours upstream floor; do
		cells+=("${figure["$key $who programs"]}")
	done
	for who in ours upstream floor; do
		milliseconds time "${figure["$key $who time"]}"
		cells+=("$time")
	done
	printf '%-44s %7s %9s %7s   %9s %11s %8s   %s/%s/%s\n' "$1" "${cells[@]}" \
		"${samples["$key ours time"]}" "${samples["$key upstream time"]}" "${samples["$key floor time"]}"
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
	printf '%-56s %-20s %-22s %s\n' "$1" "$2" "at most $3" "$verdict"
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

# budgets_print <size of the burst>
budgets_print() {
	printf '\n%-56s %-20s %s\n' budget measured limit
	budget_programs 'vif-bridge online, programs' vif-0 online 6
	budget_ratio 'vif-bridge online, time' "${figure["vif-0 online ours time"]}" \
		"${figure["vif-0 online floor time"]}" 2 floor
	budget_programs 'block add of an image file, programs' image-0 add 4
	budget_hundredth
	budget_ratio "block add of a device, 1000 guests' disks, time" "${figure["device-1000 add ours time"]}" \
		"${figure["device-0 add ours time"]}" 5 'with none'
	budget_burst "$1"
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
