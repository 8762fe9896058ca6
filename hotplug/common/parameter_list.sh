# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The parameters of a disk whose target is a list.

# parameter_list_take <name=value,name=value>
# Sets each parameter that is given, and the others to their defaults.
parameter_list_take() {
	local -A given=()
	local rest=$1 name
	while [[ $rest ]]; do
		parameter_list_take_pair "${rest%%,*}"
		[[ $rest == *,* ]] || break
		rest=${rest#*,}
	done
	for name in "${parameters[@]}"; do
		[[ ${given[$name]+set} ]] || parameters_default "$name"
	done
}

# parameter_list_take_pair <name=value>
# Adds it to given (declared by the caller).
parameter_list_take_pair() {
	local name=${1%%=*} pair known
	quote pair "$1"
	printf -v known '%s, ' "${parameters[@]}"
	[[ $name =~ ^[a-z][a-z0-9_]*$ && ${parameter_type[$name]+set} ]] ||
		fail "The target has $pair, but this disk's parameters are ${known%, }; correct the guest's configuration."
	[[ $1 == *=* ]] || fail "The target has $pair without a value; write $name=VALUE."
	[[ ! ${given[$name]+set} ]] || fail "The target gives the parameter $name twice; leave one."
	given[$name]=1
	parameters_set "$name" "${1#*=}"
}
