# SPDX-License-Identifier: LGPL-2.1-only
# How vlan= is read (xl-network-configuration(5)), and a bridge= of Open vSwitch.

load ../lib/library

# vlans <list> <PVID> <without a tag> <with a tag>
# That is what the list means.
vlans() {
	# shellcheck disable=SC2016 # the inner shell expands
	library '
		type_vlans "$1" || fail "$1 is not $expected."
		is="$vlans_pvid|${vlans_untagged[*]}|${vlans_tagged[*]}"
		[[ $is == "$2|$3|$4" ]] || fail "$1 is $is."
	' "$@"
}

# refused <list> <words of what is expected>...
refused() {
	# shellcheck disable=SC2016 # the inner shell expands
	library '
		! type_vlans "$1" || fail "$1 is taken."
		[[ $expected == *"${*:2}"* ]] || fail "$1 is not $expected."
	' "$@"
}

@test "a list of VLANs has the meaning of the manual" {
	table vlans <<-'END'
		1 1 1 ''
		10 10 10 ''
		10p 10 10 ''
		10u 10 10 ''
		4094 4094 4094 ''
		10p/20 10 10 20
		20/10p 10 10 20
		10p/20u 10 '10 20' ''
		1p/10-15/20-25u 1 '1 20-25' 10-15
		1p/10-10 1 1 10
		10p/100+10x4 10 10 '100 110 120 130 140'
		10p/100+1x1u 10 '10 100 101' ''
		2p/4090+1x4 2 2 '4090 4091 4092 4093 4094'
		1p/2-4094 1 1 2-4094
	END
}

@test "an invalid list of VLANs is refused with the expected form" {
	table refused <<-'END'
		'' 'VLANs from 1 to 4094'
		0 'VLANs from 1 to 4094'
		4095 'VLANs from 1 to 4094'
		10p/0 'VLANs from 1 to 4094'
		10p/4095 'VLANs from 1 to 4094'
		10p/4000-4095 'VLANs from 1 to 4094'
		10p/0-5 'VLANs from 1 to 4094'
		10p/4090+1x5 'VLANs from 1 to 4094'
		10p/100+10x9999 'VLANs from 1 to 4094'
		010 'VLANs from 1 to 4094'
		10p/20-15 slashes
		10p/ slashes
		/10p slashes
		10p//20 slashes
		10,20 slashes
		10p/20-30p slashes
		10p/20+5x2p slashes
		10p/20+0x2 slashes
		10p/20+2x0 slashes
		10p/20+2 slashes
		10P slashes
		10pu slashes
		-5 slashes
		' 10' slashes
		'10 ' slashes
		$'10\n' slashes
		'a[$(id)]' slashes
		99999999999999999999 slashes
		10/20 'with a PVID'
		10u/20u 'with a PVID'
		10-10 'with a PVID'
		10p/20p 'one PVID (10 and 20 are both marked with p)'
		10p/10 '10 twice'
		10p/5-12 '10 twice'
		10p/20/15-25 '20 twice'
		10p/4+3x4 '10 twice'
	END
}

# spelt <bridge> <name> <VLANs>
# That is what a bridge= of Open vSwitch means.
spelt() {
	# shellcheck disable=SC2016 # the inner shell expands
	library '
		resource_find ovs_port
		ovs_port_parse "$1" || fail "$1 is not $expected."
		[[ "$ovs_port_bridge|$ovs_port_vlans" == "$2|$3" ]] || fail "$1 is $ovs_port_bridge|$ovs_port_vlans."
	' "$@"
}

# misspelt <bridge>
misspelt() {
	# shellcheck disable=SC2016 # the inner shell expands
	library '
		resource_find ovs_port
		! ovs_port_parse "$1" || fail "$1 is $ovs_port_bridge|$ovs_port_vlans."
		[[ $expected == "a bridge with "*VLANs* ]]
	' "$@"
}

@test "the name of an Open vSwitch bridge may have brackets and be followed by VLANs" {
	table spelt <<-'END'
		ovs0 ovs0 ''
		ovs0.10 ovs0 10p
		ovs0:20 ovs0 20
		ovs0:20:30 ovs0 20/30
		ovs0.10:20:30 ovs0 10p/20/30
		'[ovs0]' ovs0 ''
		'[br.0]' br.0 ''
		'[br.0].10' br.0 10p
		'[br.0:1].10:20' br.0:1 10p/20
		'[a:b]:4094' a:b 4094
		a@b a@b ''
		$'\xff' $'\xff' ''
	END
}

@test "an invalid name of an Open vSwitch bridge with VLANs is refused" {
	table misspelt <<-'END'
		''
		ovs0.
		ovs0:
		ovs0.0
		ovs0.4095
		ovs0:0
		ovs0:4095
		ovs0.010
		ovs0.10.20
		ovs0:20.10
		ovs0:10-20
		ovs0.10p
		ovs0.10:10
		ovs0:20:20
		'.10'
		':10'
		'-a'
		'[]'
		'[]0'
		'['
		'[a'
		'a]'
		'[a]b'
		'[[a]]'
		'[-a]'
		'[.a]'
		'[a/b]'
		a/b
		'a b'
		'a"b'
		'a\b'
		$'a\nb'
		'ovs0.a[$(id)]'
	END
}
