# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The parameters of a disk whose target is a list.

declare -gA parameter_list_given # name -> its value in the list

# parameter_list_take <name=value,name=value>
# Sets each parameter that is given, and the others to their defaults.
parameter_list_take() {
	local parameter_list_name
	parameter_list_parse "$1"
	for parameter_list_name in "${parameters[@]}"; do
		parameters_set "$parameter_list_name" "${parameter_list_given[$parameter_list_name]+y}" \
			"${parameter_list_given[$parameter_list_name]-}"
	done
}

# parameter_list_parse <name=value,name=value>
# Sets parameter_list_given.
parameter_list_parse() {
	local rest=$1
	while [[ $rest ]]; do
		parameter_list_add "${rest%%,*}"
		[[ $rest == *,* ]] || break
		rest=${rest#*,}
	done
}

# parameter_list_add <name=value>
parameter_list_add() {
	local name=${1%%=*} pair known
	quote pair "$1"
	printf -v known '%s, ' "${parameters[@]}"
	[[ $name =~ ^[a-z][a-z0-9_]*$ && ${parameter_type[$name]+set} ]] ||
		fail "The target has $pair, but this disk's parameters are ${known%, }; correct the guest's configuration."
	[[ $1 == *=* ]] || fail "The target has $pair without a value; write $name=VALUE."
	[[ ! ${parameter_list_given[$name]+set} ]] || fail "The target gives the parameter $name twice; leave one."
	parameter_list_given[$name]=${1#*=}
}
