# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# What a script declares, and how values reach its variables.

load ../lib/library

# A disk with three parameters, as a script would declare them.
declared='
	device block "A disk for the test."
	param server host "Where it is."
	param port port 80 "And the port."
	param name word "" "Its name."
'

# takes <list> <server> <port> <name>
# The list gives these values.
takes() {
	[[ "$(library "$declared"'
		library parameter_list; parameter_list_take "$1"
		printf "%s|%s|%s" "$server" "$port" "$name"
	' "$1")" == "$2|$3|$4" ]]
}

# refuses <list> <part of the sentence>
# The list is refused, in one sentence.
refuses() {
	local said
	! said=$(library "$declared"'library parameter_list; parameter_list_take "$1"; echo no' "$1") || return
	[[ $said == "failed: "*"$2"*. && $said != *$'\n'* ]] || {
		printf 'but it says: %q\n' "$said"
		return 1
	}
}

@test "a list of parameters sets variables, and absent ones get their defaults" {
	table takes <<-'END'
		server=a a 80 ''
		server=a,port=1 a 1 ''
		port=1,server=a a 1 ''
		server=a,name=x a 80 x
		name=@x:y,server=::1,port=65535 ::1 65535 @x:y
		server=a, a 80 ''
	END
}

@test "a list that does not match the declaration is refused with a sentence" {
	table refuses <<-'END'
		'' 'Parameter server is missing; add it'
		port=1 'Parameter server is missing'
		server 'without a value; write server=VALUE'
		server= "Parameter server is ''"
		server=a,server=b 'gives the parameter server twice'
		server=a,server=a 'gives the parameter server twice'
		server=a,other=b "has 'other=b', but this disk's parameters are server, port, name;"
		server=a,,port=1 "has ''"
		,server=a "has ''"
		=a "has '=a'"
		server=a,port=0 "Parameter port is '0', which is not a port number"
		server=a,PATH=/tmp "has 'PATH=/tmp'"
		server=a,target=x "has 'target=x'"
		server=a,a[0]=x 'has'
		'server=a,x[$(touch "$BATS_TEST_TMPDIR/pwned")]=1' 'has'
		'server=$(touch "$BATS_TEST_TMPDIR/pwned")' 'Parameter server is'
		$'server=a\nb' 'Parameter server is'
		$'server=\xff\xfe' 'Parameter server is'
		'server=a b' 'Parameter server is'
		server=-a 'Parameter server is'
	END
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "a long value is truncated in the sentence that refuses it" {
	run library "$declared"'printf -v long "%04000d" 0; library parameter_list; parameter_list_take "server=-$long"'
	[[ "$status" -eq 1 ]]
	[[ ${#output} -lt 500 && $output == *"...'"* ]]
}

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

@test "an interface's parameters come from nodes, and an empty node gives the default" {
	run library '
		device vif "A test."
		param one word first "With a default."
		param two word second "With a default."
		param three word "Without one."
		store_value=([two]="" [three]=given)
		vif_parameters
		echo "$one $two $three"
	'
	[[ "$status" -eq 0 ]]
	[[ "$output" == 'first second given' ]]
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
