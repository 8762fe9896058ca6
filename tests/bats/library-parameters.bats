# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# What a script declares.

load ../lib/library

# A disk with three parameters, as a script would declare them.
declared='
	device block "A disk for the test."
	param server host "Where it is."
	param port port 80 "And the port."
	param name word "" "Its name."
'

@test "a parameter whose name cannot be a variable is reported as a defect of the script" {
	local name
	for name in '' A 1a a-b 'a b' 'a[0]' '$(id)' _a; do
		run library 'device vif "A test."; param "$1" word "A sentence."' "$name"
		[[ "$status" -eq 1 ]]
		[[ $output == *'cannot be a variable'* ]]
	done
}

@test "a parameter may not have a name that the framework uses, whether it is set or read yet or not" {
	local name
	for name in failure journal_notes mode expected routed_gateway iscsi_lun_x hooks_file vif_x; do
		run library 'device block "A test."; param "$1" word "A sentence."' "$name"
		[[ "$status" -eq 1 && $output == *"the parameter $name has a name that the framework uses"* ]]
	done
}

@test "a parameter may have the name of a variable in libxl's environment, of a resource, or of another kind's node" {
	run library 'export script=a netdev=b; device block "A test."; for name in script netdev multipath mtu auth_method; do param "$name" word "" "A sentence."; done; echo "${parameters[*]}"'
	[[ "$status" -eq 0 && $output == 'script netdev multipath mtu auth_method' ]]
}

@test "a parameter that is declared before its device is refused" {
	run library 'param mtu word "A sentence."'
	[[ "$status" -eq 1 && $output == *'the parameter mtu is declared before its device'*. ]]
}

@test "a missing command that the script needs is named" {
	run library 'needs no-such-command; parameters_check_tools "${parameters_tools[@]}"; echo no'
	[[ "$status" -eq 1 ]]
	[[ $output == *"needs the command 'no-such-command'"*. ]]
}

@test "help prints a script's declarations with types and defaults" {
	run library "$declared"'needs ip; resources() { :; }; action=help; hotplug help'
	[[ "$status" -eq 0 ]]
	[[ "${lines[0]}" == 'script: A disk for the test.' ]]
	[[ $output == *$'\n  server  (host, must be given) Where it is.\n'* ]]
	[[ $output == *$'\n  port  (port, default 80) And the port.\n'* ]]
	[[ $output == *$'\n  name  (word) Its name.\n'* ]]
	[[ $output == *$'\nNeeds: ip\n'* ]]
}
