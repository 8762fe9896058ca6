# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# From the driver's records to lines, in columns or, with FORMAT=tsv, as records
# that a program can read: tab-separated, - for a missing figure.

declare -gA figure # "KIND:OTHERS:AT-ONCE VERB WHO WHAT" -> the median, of CPU time the mean
print_fields=(record case others at_once verb programs_{ours,xen,floor} wall_ms_{ours,xen,floor,tools}
	cpu_ms_{ours,xen,floor,tools} ours_to_floor xen_to_ours per_second measured bound limit verdict cpu_measured cpu_verdict)
print_columns='%-24s %6s %7s %-8s | %4s %5s %5s | %8s %8s %8s %7s | %8s %8s %8s %7s | %10s %8s | %8s\n'

# figures_read
# Reads the driver's records from standard input. Of CPU time, which has a
# resolution of a millisecond, only the mean is exact.
figures_read() {
	local label verb who what number key
	local -A numbers=()
	while read -r label verb who what number; do
		numbers["$label $verb $who $what"]+=" $number"
	done
	for key in "${!numbers[@]}"; do
		read -ra number <<<"${numbers[$key]}"
		median "figure[$key]" "${number[@]}"
		[[ $key != *' cpu' ]] || figure[$key]=$(((${numbers[$key]// /+}) / ${#number[@]}))
	done
}

# fraction <out-var> <dividend> <divisor> [digits]
# Cut and not rounded; "-" where a figure is missing.
fraction() {
	local digits=${4-2} scaled
	printf -v "$1" -- -
	[[ $2 && $3 ]] || return 0
	scaled=$((10 ** digits * $2 / $3))
	printf -v "$1" '%d.%0*d' $((scaled / 10 ** digits)) "$digits" $((scaled % 10 ** digits))
}

# print_head
print_head() {
	if [[ $FORMAT == tsv ]]; then
		print_record "${print_fields[@]}"
	else
		printf '%-48s | %-16s | %-34s | %-34s |\n' '' programs 'wall time, ms (median)' 'CPU time, ms (mean)'
		# shellcheck disable=SC2059 # it is the format
		printf "$print_columns" case others 'at once' verb ours "Xen's" floor ours "Xen's" floor tools \
			ours "Xen's" floor tools ours:floor "Xen:ours" per/s
	fi
}

# print_case <label> <verb>
# One line of a case's figures.
print_case() {
	local kind others at_once cells=() cell wall="$1 $2 ours wall"
	IFS=: read -r kind others at_once <<<"$1"
	cells=("${kind_title[$kind]-${kind_script[$kind]-}}" "$others" "$at_once" "$2")
	for cell in ours xen floor; do
		cells+=("${figure["$1 $2 $cell programs"]--}")
	done
	print_times wall "$1 $2"
	print_times cpu "$1 $2"
	fraction cell "${figure[$wall]-}" "${figure["$1 $2 floor wall"]-}" && cells+=("$cell")
	fraction cell "${figure["$1 $2 xen wall"]-}" "${figure[$wall]-}" && cells+=("$cell")
	cells+=("${figure["$1 $2 ours rate"]--}")
	((at_once == 1)) || fraction 'cells[-1]' $((at_once * 1000000)) "${figure[$wall]-}" 1
	print_cells "${cells[@]}"
}

# print_times wall|cpu <label and verb>
# Adds to cells, in milliseconds.
print_times() {
	local who cell
	for who in ours xen floor tools; do
		fraction cell "${figure["$2 $who $1"]-}" 1000
		cells+=("$cell")
	done
}

# print_cells <cell>...
print_cells() {
	if [[ $FORMAT == tsv ]]; then
		print_record case "$@" - - - - - -
	else
		# shellcheck disable=SC2059 # it is the format
		printf "$print_columns" "$@"
	fi
}

# print_record <field>...
print_record() {
	local IFS=$'\t'
	printf '%s\n' "$*"
}
