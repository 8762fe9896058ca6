# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The budgets, judged by the figures of print.bash. Measures and limits are in
# hundredths. CPU time is judged by the same limit, for information.

exceeded=0 # how many budgets

# budgets
budgets() {
	budget_head
	budgets_interfaces
	budgets_disks
	[[ $BENCH != all ]] || budgets_filter
}

# budgets_interfaces
budgets_interfaces() {
	budget_programs 'vif-bridge online' 'vif:0:1 online' 3
	budget_time 'vif-bridge online: time / floor' 'vif:0:1 online ours' 'vif:0:1 online floor' 'at most' 150
	if [[ ${figure['iptables:0:1 online ours programs']-} ]]; then
		budget_programs 'vif-bridge online, br_netfilter' 'iptables:0:1 online' 4
	else
		budget_print 'vif-bridge online, br_netfilter: programs' - 'at most' 4.00 'not measured: this kernel has no br_netfilter' - -
	fi
	budget_time "vif-bridge online with ip=: time without nft's / floor" 'ip:0:1 online ours' 'ip:0:1 online floor' 'at most' 150
}

# budgets_disks
budgets_disks() {
	local kind
	for kind in image device; do
		budget_programs "block add, ${kind/image/file}" "$kind:0:1 add" 2
		budget_time "block add, ${kind/image/file}: time / floor" "$kind:0:1 add ours" "$kind:0:1 add floor" 'at most' 140
	done
	budget_time "block add, 200 guests' disks: Xen's time / ours" 'device:200:1 add xen' 'device:200:1 add ours' 'at least' 8000
	for kind in image device; do
		budget_time "block add, ${kind/image/file}, 1,000 guests' disks: time / time with none" \
			"$kind:1000:1 add ours" "$kind:0:1 add ours" 'at most' 150
		budget_time "block add, ${kind/image/file}, 5,000 guests' disks: time / time with none" \
			"$kind:5000:1 add ours" "$kind:0:1 add ours" 'at most' 250
	done
	budget "16 block adds at once, 5,000 guests' disks: adds a second" \
		$((1600000000 / ${figure['device:5000:16 add ours wall']})) 'at least' 6000
}

# budgets_filter
# docs/network.md promises these. A packet's time is the reciprocal of the rate.
budgets_filter() {
	local none=$((10000 * ${figure['packets:0:1 open ours rate']} / ${figure['packets:0:1 filtered ours rate']}))
	local many=$((10000 * ${figure['packets:1000:1 open ours rate']} / ${figure['packets:1000:1 filtered ours rate']}))
	budget_time "vif-bridge online with ip=, 1,000 others: time / time with none" 'filter:1000:1 online ours' 'filter:0:1 online ours' 'at most' 150
	budget "a packet through a filter, 1,000 others: time / without filter" $((many / 100)) 'at most' 125
	if [[ ${figure['forward:1:1 open ours rate']-} ]]; then
		budget "a packet past iptables, 1,000 others: time / that with one" \
			$((100 * ${figure['forward:1:1 open ours rate']} / ${figure['forward:1000:1 open ours rate']})) 'at most' 110
	else
		budget_print 'a packet past iptables, 1,000 others: time / that with one' - 'at most' 1.10 'not measured: this kernel has no br_netfilter' - -
	fi
	budget "the same quotient / that with no others" $((100 * many / none)) 'at most' 110
}

# budget_programs <what> <label and verb> <limit>
budget_programs() {
	budget "$1: programs" $((100 * ${figure["$2 ours programs"]})) 'at most' $((100 * $3))
}

# budget_time <what> <label, verb and party> <of the divisor> <bound> <limit>
# A quotient of times, without the time that tools take by themselves.
budget_time() {
	local what quotients=()
	for what in wall cpu; do
		quotients+=($((100 * (${figure["$2 $what"]} - ${figure["${2% *} tools $what"]-0}) / ${figure["$3 $what"]})))
	done
	budget "$1" "${quotients[0]}" "$4" "$5" "${quotients[1]}"
}

# budget <what> <measure> 'at most'|'at least' <limit> [measure of CPU time]
# Prints whether it holds, and counts it where it does not.
budget() {
	local verdict cpu_verdict=- measured limit cpu
	budget_verdict verdict "$2" "$3" "$4"
	[[ $verdict == holds ]] || exceeded=$((exceeded + 1))
	[[ ! ${5-} ]] || budget_verdict cpu_verdict "$5" "$3" "$4"
	fraction measured "$2" 100
	fraction limit "$4" 100
	fraction cpu "${5-}" 100
	budget_print "$1" "$measured" "$3" "$limit" "$verdict" "$cpu" "$cpu_verdict"
}

# budget_verdict <out-var> <measure> 'at most'|'at least' <limit>
budget_verdict() {
	printf -v "$1" holds
	case $3 in
	'at most') (($2 <= $4)) || printf -v "$1" EXCEEDED ;;
	*) (($2 >= $4)) || printf -v "$1" EXCEEDED ;;
	esac
}

# budget_head
budget_head() {
	[[ $FORMAT == tsv ]] || printf '\n%-64s %9s   %-16s %-9s %s\n' budget measured limit '' 'CPU time'
}

# budget_print <what> <measured> <bound> <limit> <verdict> <measured CPU time> <verdict of CPU time>
budget_print() {
	if [[ $FORMAT == tsv ]]; then
		print_record budget "$1" - - - - - - - - - - - - - - - - - "${@:2}"
	else
		printf '%-64s %9s   %-8s %7s %-9s %7s %s\n' "$1" "$2" "$3" "$4" "$5" "${6/#-/}" "${7/#-/}"
	fi
}
