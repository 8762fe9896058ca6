# SPDX-License-Identifier: LGPL-2.1-only
# The types of parameters: which values are one.

load ../lib/library

# values <type[:detail]> yes|no <value>...
# All of them are, or all are not, of that type.
values() {
	# shellcheck disable=SC2016 # the inner shell expands
	library '
		for value in "${@:3}"; do
			verdict=no
			! "type_${1%%:*}" "$value" "${1#*:}" || verdict=yes
			[[ $verdict == "$2" ]] || printf "%s: %q is taken as %s\n" "$1" "$value" "$verdict"
			[[ $verdict == yes || $expected ]] || printf "%s: no word on what is expected\n" "$1"
		done
	' "$@" | { ! grep .; }
}

@test "each type accepts valid values and refuses similar invalid ones" {
	local long255 long256
	printf -v long255 '%0255d' 0
	long256=${long255}0
	table values <<-'END'
		word yes a A0 a.b a_b a:b a@b +a .a a-b "$long255"
		word no '' -a 'a b' 'a/b' 'a;b' '$(a)' 'a[0]' $'a\n' $'\xff' "$long256" '*' 'a,b' 'a=b'
		uint yes 0 1 10 4294967295
		uint no '' 00 01 -1 +1 ' 1' '1 ' 0x1 1e1 4294967296 99999999999 18446744073709551617 'a[$(id)]' $'1\n'
		port yes 1 80 65535
		port no '' 0 65536 99999 080 -1 'x[$(id)]' $'80\n'
		bool yes y n
		bool no '' yes no Y 1 0 true yn
		choice:a,b,c-d yes a b c-d
		choice:a,b,c-d no '' d a,b ',' '*' 'a ' '?' ab
		ifname yes a eth0 vif1.0-emu xenbr0 abcdefghijklmno a@b '*' 'a;b' $'\xff'
		ifname no '' all default lo bonding_masters web%d % . .. .a -a a/b a:b 'a b' $'a\tb' $'a\n' abcdefghijklmnop $'\x01'
		host yes a example.org 192.0.2.1 ::1 2001:db8::1 ::ffff:192.0.2.1
		host no '' -a a- '.a' 'a b' 'a/b' 'a;b' '$(a)' 'a_b' '[::1]' $'a\n' '*'
		mtu yes 68 576 1500 9000 65535
		mtu no '' 0 67 65536 99999 1500.0 01500 -1500 'a[$(id)]' '1500 ' $'1500\n'
		path yes / /a '/a b' $'/a\nb' "/a'b\"" '/-a' '/$(a)' /a/../b $'/\xff'
		path no '' a ./a -a '~/a' "/${long256:0:0}$(printf '%04095d' 0)"
		disk yes /dev/sda /a/b sda sda1 mapper/a-b 'a b' vg/lv_1 a/b..c ... '...a/.b' 'a/b c'
		disk yes disk/by-path/ip-192.0.2.5:3260-iscsi-iqn.2026-01.org.example:a-lun-1 my.vg/lv -a/-b
		disk yes 'disk/by-label/a\x20b' disk/by-id/usb-A+B@C-0:0 disk/by-partlabel/EFI+1 md/host:0 zvol/tank@a/b
		disk no '' . .. a/../b ../a a/ './a' 'a//b' a/. a/.. a/./b ../../etc/passwd
		mode yes r ro w rw 'w!' 'rw!'
		mac yes 00:16:3e:00:00:01 FF:ff:00:aA:1b:2C
		mac no '' 00:16:3e:00:00 00:16:3e:00:00:01:02 0:16:3e:0:0:1 00-16-3e-00-00-01 00:16:3e:00:00:0g $'00:16:3e:00:00:01\n' '00:16:3e:00:00:01 drop'
		addresses yes 10.0.0.1 ' 10.0.0.1  fd00::1 ' 192.0.2.0/24 10.0.0.0/8 10.0.0.1/24 10.0.0.1/32 223.255.255.255 "$(printf '10.0.%s.1 ' {1..255})" 10.0.0.1/255.255.0.0 10.0.0.0/255.255.255.128
		addresses yes fd00::1 2001:DB8::/32 2001:db8:1:2:3:4:5:6 2001:db8:1:2:3:4:5:: 64:ff9b::1 fe80::/64 fd00:1:2:3:8000::/65 fd00::1/128 fd00::10.0.0.1 1:2:3:4:5:6:7.8.9.10 $'10.0.0.1\t10.0.0.2\n' '10.0.0.1 10.0.0.1'
		addresses no '' ' ' a 10.0.0 10.0.0.0.0 10.0.0.256 10.0.0.01 0x0a.0.0.1 10.0.0.1/ 10.0.0.1/33 10.0.0.1/08 10.0.0.1/a 10.0.0.1,10.0.0.2
		addresses no 0.0.0.0 0.0.0.0/0 127.0.0.1 224.0.0.1 255.255.255.255 10.0.0.0/7 10.0.0.0/255.0.255.0 10.0.0.0/0.0.0.255 10.0.0.0/254.0.0.0 $'10.0.0.1\x01'  "$(printf '10.0.%s.100 ' {1..255} {1..255})"
		addresses no :: ::1 ::/0 ff02::1 ::ffff:10.0.0.1 fd00::10.0.1 fd00::1:10.0.0.256 1:2:3:4:5:6:7:8.9.10.11 10.0.0.1:: fd00::1/255.255.0.0 fd00::1::1 fd00:::1 :fd00::1 fd00::1: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8: 1:2:3:4:5:6:7:8::
		addresses no 1:2:3:4:5:6:7:8:9 fd00::12345 fd00::g fd00::1/129 fd00::/31 fe80::1%eth0 '[fd00::1]' '*' '10.0.0.1 }' '10.0.0.1;' 'a[$(id)]'
		mode no '' R W '!' 'r!' x 'w ' wr '*'
	END
}

@test "each type's expected text completes the sentence of a refusal" {
	# shellcheck disable=SC2016 # the inner shell expands
	run library 'parameters_check "The access mode" "x y" mode; echo no'
	[[ "$status" -eq 1 ]]
	[[ "$output" == "failed: The access mode is 'x y', which is not one of r, ro, w, rw, w!, rw!; correct the guest's configuration." ]]
}

@test "a value is not evaluated while it is checked" {
	# shellcheck disable=SC2016 # the inner shell would evaluate it
	table values <<-'END'
		uint no 'a[$(touch "$BATS_TEST_TMPDIR/pwned")]' '$(touch "$BATS_TEST_TMPDIR/pwned")'
		port no 'a[$(touch "$BATS_TEST_TMPDIR/pwned")]' '`touch "$BATS_TEST_TMPDIR/pwned"`'
		mtu no 'a[$(touch "$BATS_TEST_TMPDIR/pwned")]' '1000+a[$(touch "$BATS_TEST_TMPDIR/pwned")]'
		choice:a,b no '$(touch "$BATS_TEST_TMPDIR/pwned")'
	END
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}
