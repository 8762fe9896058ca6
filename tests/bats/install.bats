# SPDX-License-Identifier: LGPL-2.1-only
# make install and make uninstall, into a directory of the test's own.

setup() {
	root=$BATS_TEST_DIRNAME/../..
	destination=$BATS_TEST_TMPDIR/destination
	scripts=$destination/etc/xen/scripts
	mkdir -p "$scripts"
	echo 'the old block' >"$scripts/block"
	echo 'the old vif-bridge' >"$scripts/vif-bridge"
	echo 'another' >"$scripts/block-common.sh"
	cp -R "$destination" "$BATS_TEST_TMPDIR/before"
}

# make_in <target> [setting...]
make_in() {
	make -s -C "$root" "$@" DESTDIR="$destination"
}

@test "install replaces the scripts, and hotplug.sh has the installed paths" {
	make_in install
	cmp "$root/hotplug/Linux/block" "$scripts/block"
	grep -qx 'hotplug_common=/usr/lib/xen-hotplug/common' "$scripts/hotplug.sh"
	grep -qx 'hotplug_helper=/usr/lib/xen-hotplug/xen-hotplug' "$scripts/hotplug.sh"
	[[ -x $scripts/vif-bridge && -x $destination/usr/lib/xen-hotplug/xen-hotplug ]]
	[[ -f $destination/usr/lib/xen-hotplug/common/resources/disk.sh ]]
}

@test "install leaves all other scripts as they are" {
	make_in install
	[[ $(<"$scripts/block-common.sh") == another ]]
}

@test "uninstall restores the previous files exactly, even after two installs" {
	make_in install
	make_in install
	make_in uninstall
	rm -d "$destination/usr/lib" "$destination/usr" 2>/dev/null || :
	diff -r "$BATS_TEST_TMPDIR/before" "$destination"
}

@test "uninstall leaves nothing if there was nothing before" {
	rm "$scripts"/*
	make_in install
	make_in uninstall
	[[ -z $(find "$destination" -type f) ]]
}

@test "install and uninstall leave the administrator's hotplug.conf unchanged" {
	make_in install
	cmp "$root/hotplug/hotplug.conf" "$destination/etc/xen/hotplug.conf"
	echo 'firewall = none' >"$destination/etc/xen/hotplug.conf"
	make_in install
	make_in uninstall
	[[ $(<"$destination/etc/xen/hotplug.conf") == 'firewall = none' ]]
}

@test "PREFIX and XEN_SCRIPT_DIR are respected" {
	make_in install PREFIX=/opt XEN_SCRIPT_DIR=/opt/scripts
	[[ -x $destination/opt/scripts/block && -x $destination/opt/lib/xen-hotplug/xen-hotplug ]]
	grep -qx 'hotplug_common=/opt/lib/xen-hotplug/common' "$destination/opt/scripts/hotplug.sh"
	[[ $(<"$scripts/block") == 'the old block' ]]
}

@test "an installed script runs" {
	make -s -C "$root" install PREFIX="$destination/usr" SYSCONFDIR="$destination/etc"
	run "$scripts/block" help
	[[ $status == 0 && $output == *'A disk from an image file'* ]]
}
