# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a script declares, and how the values reach its variables.

parameters=()                 # names, in the order of their declaration
declare -gA parameter_type    # name -> type, or choice:a,b
declare -gA parameter_default # name -> default; no entry: must be given
declare -gA parameter_about   # name -> one sentence
target_type=''                # the type of the whole target, where there is no list of parameters
target_about=''
tools=()

# device block|vif <sentence> [type...]
# What kind of device the script is for; the kind's file has its verbs, its
# nodes, and what is published. The types are those of the backends that it
# serves, where these are not the kind's own.
device() {
	device_kind=$1
	device_about=$2
	device_types=("${@:3}")
	library "kind-$device_kind"
}

# param <name> <type> [default] <sentence>
# A parameter, which becomes a variable of that name. A disk's come from its
# target, `name=value,name=value`; an interface's from the nodes of its backend.
# Without a default it must be given.
param() {
	[[ $1 == [a-z]*([a-z0-9_]) ]] || fail "The script declares a parameter ${1@Q}, which cannot name a variable."
	# A variable of the environment is nobody's, and may be hidden.
	[[ ! -v $1 || ${!1@a} == *x* ]] ||
		fail "The script declares a parameter ${1@Q}, a name that the framework uses; give it another."
	parameters+=("$1")
	parameter_type[$1]=$2
	(($# == 3)) || parameter_default[$1]=$3
	parameter_about[$1]=${!#}
}

# target <type> <sentence>
# The disk's whole target is one value, the variable target.
target() {
	target_type=$1
	target_about=$2
}

# needs <command>...
# Programs without which the script cannot attach.
needs() {
	tools+=("$@")
}

# parameters_check_tools
parameters_check_tools() {
	local tool
	for tool in "${tools[@]}"; do
		parameters_check_tool "$tool"
	done
}

# parameters_check_tool <command>
# For a resource, too, that needs it only sometimes.
parameters_check_tool() {
	type -P "$1" >/dev/null ||
		fail "$hotplug_name needs the command '$1', which is not in $PATH; install the package that has it."
}

# parameters_set <name> <value>
# Checks a value against the declared type and puts it into its variable.
parameters_set() {
	parameters_check "Parameter $1" "$2" "${parameter_type[$1]}"
	declare -g "$1=$2"
}

# parameters_check <what> <value> <type>
parameters_check() {
	local value expected
	"type_${3%%:*}" "$2" "${3#*:}" && return 0
	quote value "$2"
	fail "$1 is $value, which is not $expected; correct the guest's configuration."
}

# parameters_default <name>
# The default where no value is given; refused where there is none.
parameters_default() {
	[[ ${parameter_default[$1]+set} ]] ||
		fail "Parameter $1 is missing (${parameter_about[$1]}); add it to the guest's configuration."
	declare -g "$1=${parameter_default[$1]}"
}

# parameters_from_nodes
# An interface's parameters: a node each. An empty one counts as not given.
parameters_from_nodes() {
	local name value
	for name in "${parameters[@]}"; do
		store_get value "$name"
		if [[ $value ]]; then
			parameters_set "$name" "$value"
		else
			parameters_default "$name"
		fi
	done
}
