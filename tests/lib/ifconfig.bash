# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# ifconfig, which Xen's own scripts call, and Debian does not install.
# Sourced by bats files, after host.bash.

# ifconfig_stand_in
# From now on there is one that can do what those scripts ask for.
ifconfig_stand_in() {
	stand_in ifconfig <<-'END'
		#!/bin/sh
		case $#:$2:$3:$5 in
		2:down::) exec ip link set dev "$1" down ;;
		5:[0-9]*:netmask:up) ip address replace "$2/32" dev "$1" && exec ip link set dev "$1" up ;;
		esac
		echo "ifconfig $*: this stand-in cannot do that" >&2
		exit 1
	END
}
