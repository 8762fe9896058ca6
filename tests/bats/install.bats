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

@test "install replaces the scripts" {
	make_in install
	grep -qx 'hotplug_common=/usr/lib/xen-hotplug/common' "$scripts/hotplug.sh"
	grep -qx 'hotplug_helper=/usr/lib/xen-hotplug/xen-hotplug' "$scripts/hotplug.sh"
	[[ -x $scripts/vif-bridge && -x $destination/usr/lib/xen-hotplug/xen-hotplug ]]
	[[ -f $destination/usr/lib/xen-hotplug/common/resources/disk.sh ]]
}

@test "the first line of each installed device script names the installed helper" {
	local script
	make_in install
	for script in "$root"/hotplug/Linux/{block,vif}*; do
		[[ -x $scripts/${script##*/} ]]
		[[ $(head -n 1 "$scripts/${script##*/}") == '#!/usr/lib/xen-hotplug/xen-hotplug call' ]]
		cmp <(tail -n +2 "$script") <(tail -n +2 "$scripts/${script##*/}")
	done
}

@test "the units of systemd start the installed helper, and are wanted by what starts before guests" {
	local units=$destination/usr/lib/systemd/system unit
	make_in install
	for unit in rules repair; do
		grep -q '^ExecStart=/usr/lib/xen-hotplug/xen-hotplug ' "$units/xen-hotplug-$unit.service"
		[[ "$(<"$units/xen-hotplug-$unit.service")" != *@* ]]
	done
	[[ $units/multi-user.target.wants/xen-hotplug-rules.service -ef $units/xen-hotplug-rules.service ]]
	[[ $units/nftables.service.wants/xen-hotplug-repair.service -ef $units/xen-hotplug-repair.service ]]
	! type -P systemd-analyze || sed -i "s|/usr/lib|$destination&|" "$units"/xen-hotplug-*.service
	! type -P systemd-analyze || systemd-analyze verify "$units"/xen-hotplug-*.service
}

@test "install leaves all other scripts as they are" {
	make_in install
	[[ $(<"$scripts/block-common.sh") == another ]]
}

@test "uninstall restores the previous files exactly, even after two installs" {
	make_in install
	make_in install
	make_in uninstall
	rm -d "$destination/usr/lib" "$destination/usr/sbin" "$destination/usr" 2>/dev/null || :
	diff -r "$BATS_TEST_TMPDIR/before" "$destination"
}

@test "install and uninstall refuse a directory with a space" {
	local verb
	mkdir "$destination a"
	for verb in install uninstall; do
		run make -s -C "$root" "$verb" DESTDIR="$destination a"
		[[ $status -ne 0 && $output == *'DESTDIR or another directory has a space; choose one without.'* ]]
	done
	[[ -d $destination && -z $(ls -A "$destination a") ]]
}

@test "uninstall leaves nothing if there was nothing before" {
	rm "$scripts"/*
	make_in install
	make_in uninstall
	[[ -z $(find "$destination" ! -type d) ]]
}

@test "install and uninstall leave the administrator's hotplug.conf unchanged" {
	make_in install
	cmp "$root/hotplug/hotplug.conf" "$destination/etc/xen/hotplug.conf"
	echo 'firewall = none' >"$destination/etc/xen/hotplug.conf"
	make_in install
	make_in uninstall
	[[ $(<"$destination/etc/xen/hotplug.conf") == 'firewall = none' ]]
}

@test "install and uninstall bring and remove the files for the host's network managers" {
	local systemd=$destination/usr/lib/systemd/network nm=$destination/usr/lib/NetworkManager/conf.d
	mkdir -p "$systemd"
	echo other >"$systemd/80-other.link"
	make_in install
	cmp "$root/host/80-xen-vif.link" "$systemd/80-xen-vif.link"
	cmp "$root/host/80-xen-vif.network" "$systemd/80-xen-vif.network"
	cmp "$root/host/80-xen-vif.conf" "$nm/80-xen-vif.conf"
	make_in uninstall
	[[ "$(find "$destination/usr" -type f)" == "$systemd/80-other.link" ]]
}

@test "PREFIX and XEN_SCRIPT_DIR are respected" {
	make_in install PREFIX=/opt XEN_SCRIPT_DIR=/opt/scripts
	[[ -x $destination/opt/scripts/block && -x $destination/opt/lib/xen-hotplug/xen-hotplug ]]
	grep -qx 'hotplug_common=/opt/lib/xen-hotplug/common' "$destination/opt/scripts/hotplug.sh"
	[[ $(head -n 1 "$destination/opt/scripts/block") == '#!/opt/lib/xen-hotplug/xen-hotplug call' ]]
	[[ $(<"$scripts/block") == 'the old block' ]]
}

# make_there
# Installs into the test's directory, so that the paths in the scripts are real.
make_there() {
	make -s -C "$root" install PREFIX="$destination/usr" SYSCONFDIR="$destination/etc"
}

@test "install puts xen-hotplug on the path of root, and uninstall removes it" {
	make_in install
	[[ $(readlink "$destination/usr/sbin/xen-hotplug") == /usr/lib/xen-hotplug/xen-hotplug ]]
	make_in uninstall
	[[ ! -L $destination/usr/sbin/xen-hotplug ]]
	make_there
	[[ $("$destination/usr/sbin/xen-hotplug" --version) == "xen-hotplug $(<"$root/VERSION")" ]]
}

@test "every installed script runs" {
	local script
	make_there
	for script in "$scripts"/{block,vif}*; do
		[[ $script != */@(block-common.sh|block-drbd-probe) ]] || continue
		run "$script" help
		[[ $status == 0 && $output == "${script##*/}: "* ]]
	done
	run "$scripts/block-drbd-probe" ''
	[[ $status == [012] ]]
}

@test "an installed script starts the helper and bash, once each" {
	make_there
	strace -f -qq -e trace=execve -e status=successful -e signal=none -o "$BATS_TEST_TMPDIR/strace" "$scripts/block" help
	echo "$(<"$BATS_TEST_TMPDIR/strace")"
	[[ $(sed 's/^[0-9]* *//; s/,.*//' "$BATS_TEST_TMPDIR/strace") == "execve(\"$scripts/block\""$'\n''execve("/bin/bash"' ]]
}

@test "an installed script takes arguments that look like the helper's options" {
	make_there
	run "$scripts/block" --help
	[[ $status == 0 && $output == 'block: A disk from an image file'* ]]
}
