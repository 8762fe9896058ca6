# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a script declares, and how the values reach its variables.

parameters=()              # names, in the order of their declaration
declare -gA parameter_type # name -> type, or choice:a,b; also of target
declare -gA parameter_line # name -> the line of the script that declares it
parameters_declared=()     # name, type, =DEFAULT or nothing, and sentence of each, and of target
parameters_tools=()        # the programs that the script needs
device_kind=''             # block or vif
device_about=''
device_verbs='' # what libxl calls it with, for a sentence
device_types=()

# device block|vif <sentence> [type...]
# What kind of device the script is for; the kind's file has its verbs, its
# nodes, and what is published. The types are those of the backends that it
# serves, where these are not the kind's own.
device() {
	[[ ${1-} == @(block|vif) && $# -ge 2 ]] ||
		failure_author "a device is declared by: device block|vif 'SENTENCE' [TYPE…]; 'device ${*@Q}' is not that."
	device_kind=$1
	device_about=$2
	device_types=("${@:3}")
	(($# > 2)) || device_types=("${1/block/vbd}")
	library "kind-$device_kind"
}

# param <name> <type> [default] <sentence>
# A parameter, which becomes a variable of that name. A disk's come from its
# target, `name=value,name=value`; an interface's from the nodes of its backend.
# Without a default it must be given.
param() {
	(($# == 3 || $# == 4)) ||
		failure_author "a parameter is declared by: param NAME TYPE [DEFAULT] 'SENTENCE'; 'param ${*@Q}' is not that."
	[[ $1 == [a-z]*([a-z0-9_]) ]] ||
		failure_author "the parameter ${1@Q} cannot be a variable; its name has to be of small letters, digits and _."
	[[ $device_kind ]] || failure_author "the parameter $1 is declared before its device; begin with: device block|vif 'SENTENCE'."
	! parameters_is_taken "$1" ||
		failure_author "the parameter $1 has a name that the framework uses for something else; give it another."
	parameters+=("$1")
	parameter_line[$1]=${BASH_LINENO[0]}
	parameter_type[$1]=$2
	parameters_declared+=("$1" "$2" "${4+=$3}" "${!#}")
}

# parameters_is_taken <name>
# Does the framework use the name, or is it that of one of its files and a word?
# libxl's environment has netdev and script, which no one reads.
parameters_is_taken() {
	local parameters_stem=$1 parameters_file
	[[ $1 == @(netdev|script) ]] && return 1
	declare -p "$1" &>/dev/null && return 0
	while [[ $parameters_stem == *_* ]]; do
		parameters_stem=${parameters_stem%_*}
		for parameters_file in "$hotplug_common"/{,kind-,lib/,resources/}"${parameters_stem%s}"{,s}.sh; do
			[[ ! -e $parameters_file ]] || return 0
		done
	done
	return 1
}

# target <type> <sentence>
# The disk's whole target is one value, the variable target.
target() {
	(($# == 2)) || failure_author "a target is declared by: target TYPE 'SENTENCE'; 'target ${*@Q}' is not that."
	parameter_line[target]=${BASH_LINENO[0]}
	parameter_type[target]=$1
	parameters_declared+=(target "$1" '' "$2")
}

# parameters_check_types
# When all of the script is read, as its own types may come last.
parameters_check_types() {
	local name kind
	for name in "${!parameter_type[@]}"; do
		kind=${parameter_type[$name]}
		declare -F "type_${kind%%:*}" >/dev/null ||
			failure_author "the type ${kind@Q} of $name is none of: $types_known; choose one, or write a function type_${kind%%:*}." "${parameter_line[$name]}"
	done
}

# needs <command>...
# Programs without which the script cannot attach.
needs() {
	parameters_tools+=("$@")
}

# parameters_check_tools <command>...
# For a resource, too, that needs them only sometimes.
parameters_check_tools() {
	while (($#)); do
		type -P "$1" >/dev/null ||
			fail "$hotplug_name needs the command '$1'; install the package that provides it."
		shift
	done
}

# parameters_take
# Gives the script its variables; fails where a parameter is not accepted.
parameters_take() {
	local parameters_at
	[[ ! $store_refused ]] || fail "$store_refused"
	for ((parameters_at = 0; parameters_at < ${#store_variables[@]}; parameters_at += 3)); do
		parameters_set "${store_variables[@]:parameters_at:3}"
	done
}

# parameters_set <name> <value> <what to call it if it is still to be checked, or empty>
parameters_set() {
	accepted=$2
	[[ ! $3 ]] || parameters_check "$3" "$2" "${parameter_type[$1]}"
	declare -g "$1=$accepted"
}

# parameters_check <what> <value> <type>
# Fails unless it is of the type, which says in expected why not.
parameters_check() {
	local parameters_shown
	"type_${3%%:*}" "$2" "${3#*:}" && return 0
	quote parameters_shown "$2"
	fail "$1 is $parameters_shown, which is not $expected; correct the guest's configuration."
}
