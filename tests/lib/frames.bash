# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Frames with and without a VLAN's tag, and who gets them. Sourced by bats
# files, after host.bash. They are of an ethertype for experiments (0x88b5).

# frame <interface> [VLAN]
# Sends one to all, from there.
frame() {
	# shellcheck disable=SC2016 # perl's own
	host perl -e '
		my ($device, $vlan) = @ARGV;
		my ($index, $mac) = map { open my $file, "<", "/sys/class/net/$device/$_" or die; my $text = <$file>; chomp $text; $text }
			"ifindex", "address";
		my $tag = $vlan ? pack("nn", 0x8100, $vlan) : "";
		socket my $socket, 17, 3, 0 or die;
		send $socket, "\xff" x 6 . pack("H*", $mac =~ s/://gr) . $tag . pack("n", 0x88b5) . "x" x 60, 0,
			pack("SnlSCCa8", 17, 0, $index, 0, 0, 6, "") or die "cannot send: $!"
	' "$@"
}

# frames_watch <VLAN> <interface>...
# From now on, what comes to each of them is counted: what has no tag, and what
# has that of one of the VLANs, a list with commas between them.
frames_watch() {
	local interface vlan vlans counters='counter untagged { }' chain='ether type 0x88b5 counter name untagged'
	IFS=, read -ra vlans <<<"$1"
	for vlan in "${vlans[@]}"; do
		counters+="; counter tag$vlan { }"
		chain+="; vlan id $vlan vlan type 0x88b5 counter name tag$vlan"
	done
	for interface in "${@:2}"; do
		host nft -f - <<-END
			table netdev frames_${interface//./_} { }
			delete table netdev frames_${interface//./_}
			table netdev frames_${interface//./_} {
				$counters
				chain in { type filter hook ingress device "$interface" priority 0; $chain; }
			}
		END
	done
}

# frames_of <interface>
# What it got since then, as in "10 20 untagged".
frames_of() {
	host nft -j list counters table netdev "frames_${1//./_}" |
		jq -r '[.nftables[].counter | select(.packets? > 0).name | ltrimstr("tag")] | sort | join(" ")'
}

# got <interface> <what frames_of says>
# Fails where it is not so.
got() {
	local frames
	frames=$(frames_of "$1")
	[[ $frames == "$2" ]] || {
		echo "$1 got '$frames', and not '$2'"
		return 1
	}
}
