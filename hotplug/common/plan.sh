# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What an attach would do.

# plan_device
# Fails as the attach would; prints the resources otherwise, and changes nothing.
plan_device() {
	store_load || fail "$reason"
	store_accept
	parameters_take
	parameters_check_tools "${parameters_tools[@]}"
	resources_use plan
}

# plan_print <resource> [argument...]
plan_print() {
	local line
	printf -v line ' %q' "${@:2}"
	(($# > 1)) || line=''
	printf '%s%s\n' "$1" "$line"
}
