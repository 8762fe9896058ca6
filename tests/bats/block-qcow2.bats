# SPDX-License-Identifier: LGPL-2.1-only
# block-qcow2, with the real qemu-nbd; of the kernel's NBD there is a stand-in.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/nbd

setup() {
	host_start
	domain 1
	domain 2
	nbd_start
	dir=$BATS_TEST_TMPDIR/images
	mkdir "$dir"
	qcow2 disk
}

teardown() {
	nbd_stop
}

# The calls, each with the ids of the device.
qcow2_add() { call block-qcow2 add vbd "$1" "$2"; }
qcow2_remove() { call block-qcow2 remove vbd "$1" "$2"; }

# qcow2 <name> [file that it stands on, its format]
# Makes $dir/NAME.qcow2, of 4 MiB.
qcow2() {
	local below=()
	(($# == 1)) || below=(-b "$2" -F "$3")
	qemu-img create -q -f qcow2 "${below[@]}" "$dir/$1.qcow2" 4M
}

# disk <target> [domid] [node value]...
# The nodes of a disk 51712 of domain 1, or another.
disk() {
	xenstore-rm "backend/vbd/${2-1}/51712" 2>/dev/null || :
	vbd "${2-1}" 51712 "$1" "${@:3}"
}

# refused <target> <part of the sentence> [status] [node value]...
# The attach says why, and nothing is left of it.
refused() {
	disk "$1" 1 "${@:4}"
	run qcow2_add 1 51712
	assert_failed backend/vbd/1/51712 "${3:-error}" "$2"
	assert_sentence "$(store_get backend/vbd/1/51712/hotplug-error)"
	[[ ! "$(nbd_residue)" ]]
}

# through <command of qemu-io>
# What a guest does with its disk.
through() {
	host qemu-io -f raw -c "$1" 'nbd+unix:///?socket=/run/xen-hotplug/qemu-nbd-1-51712.socket'
}

@test "add serves the image, connects it, and publishes the kernel's device" {
	disk "file=$dir/disk.qcow2"
	nodes_remember
	qcow2_add 1 51712
	[[ "$(nbd_devices)" == nbd0 && "$(host cat /sys/block/nbd0/size)" == 8192 ]]
	assert_changed '/local/domain/0/backend/vbd/1/51712/hotplug-status = "connected"' \
		'/local/domain/0/backend/vbd/1/51712/node = "/dev/nbd0"' \
		'/local/domain/0/backend/vbd/1/51712/physical-device = "2b:0"' \
		'/local/domain/0/backend/vbd/1/51712/physical-device-path = "/dev/nbd0"'
	call block-qcow2 check vbd 1 51712
}

@test "the detach leaves the guest's writes in the image" {
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	through 'write -P 116 1M 64k'
	qcow2_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
	qemu-img check -q "$dir/disk.qcow2"
	[[ "$(qemu-io -r -f qcow2 -c 'read -P 116 1M 64k' "$dir/disk.qcow2")" == *'read 65536/65536 bytes'* ]]
	qcow2_remove 1 51712
}

@test "a vmdk is served, and an image in another format than the named one is refused" {
	qemu-img create -q -f vmdk "$dir/disk.vmdk" 4M
	disk "file=$dir/disk.vmdk,format=vmdk"
	qcow2_add 1 51712
	qcow2_remove 1 51712
	refused "file=$dir/disk.vmdk" 'is not in qcow2 format'
	refused "file=$dir/disk.qcow2,format=vmdk" 'is not in vmdk format'
	refused "file=$dir/disk.qcow2,format=raw" 'Parameter format'
}

@test "a second guest of an image is refused, whichever script attached it first" {
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	ln -s disk.qcow2 "$dir/link"
	disk "file=$dir/link" 2
	run qcow2_add 2 51712
	assert_failed backend/vbd/2/51712 busy "is in use, read-write, by guest 'guest1' (domain 1)"
	disk "$dir/disk.qcow2" 2 mode r
	run block_add 2 51712
	assert_failed backend/vbd/2/51712 busy "is in use, read-write, by guest 'guest1' (domain 1)"
	qcow2_remove 1 51712
	block_add 2 51712
	disk "file=$dir/disk.qcow2"
	run qcow2_add 1 51712
	assert_failed backend/vbd/1/51712 busy "is in use, read-only, by guest 'guest2'"
}

@test "an image that another QEMU of this host writes is refused" {
	nbd_other_qemu "$dir/disk.qcow2"
	refused "file=$dir/disk.qcow2" 'lock'
	kill "$nbd_other"
	wait "$nbd_other" || :
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
}

@test "guests whose images have one base share it" {
	truncate -s 4M "$dir/base \"ü\".img"
	qcow2 middle "base \"ü\".img" raw
	qcow2 one "$dir/middle.qcow2" qcow2
	qcow2 two middle.qcow2 qcow2
	chain=$dir/middle.qcow2:$dir/base\ \"ü\".img
	disk "file=$dir/one.qcow2,backing=$chain"
	disk "file=$dir/two.qcow2,backing=$chain" 2
	qcow2_add 1 51712
	qcow2_add 2 51712
	[[ "$(host_loops | wc -l)" == 6 ]]
	domain 3
	disk "$dir/base \"ü\".img" 3
	run block_add 3 51712
	assert_failed backend/vbd/3/51712 busy 'is in use, read-only, by guest'
	disk "file=$dir/middle.qcow2,backing=$dir/base \"ü\".img" 3
	run qcow2_add 3 51712
	assert_failed backend/vbd/3/51712 busy 'is in use, read-only, by guest'
	qcow2_remove 1 51712
	qcow2_remove 2 51712
	[[ ! "$(nbd_residue)" ]]
	disk "$dir/base \"ü\".img" 3
	block_add 3 51712
	disk "file=$dir/one.qcow2,backing=$chain"
	run qcow2_add 1 51712
	assert_failed backend/vbd/1/51712 busy "is in use, read-write, by guest 'guest3'"
}

@test "a backing file that the configuration does not name is refused" {
	local secret=$dir/secret
	truncate -s 4M "$secret"
	qcow2 disk "$secret" raw
	# Whoever opened it would wait.
	rm "$secret"
	mkfifo "$secret"
	refused "file=$dir/disk.qcow2" "has the backing file '$secret', which backing= does not name"
	refused "file=$dir/disk.qcow2,backing=$dir/other" "has the backing file '$secret', which backing= does not name"
	refused "file=$dir/disk.qcow2,backing=$secret" 'is a named pipe'
	qcow2 disk
	refused "file=$dir/disk.qcow2,backing=$secret" 'has no backing file, but backing= names'
}

@test "a backing file of a backing file that the configuration does not name is refused" {
	qcow2 base
	qcow2 middle base.qcow2 qcow2
	qcow2 top "$dir/../images//./middle.qcow2" qcow2
	refused "file=$dir/top.qcow2,backing=$dir/middle.qcow2" "The image '$dir/middle.qcow2' has the backing file '$dir/base.qcow2', which backing= does not name"
	refused "file=$dir/top.qcow2,backing=$dir/base.qcow2:$dir/middle.qcow2" 'which backing= does not name'
	truncate -s 4M "$dir/raw"
	qcow2 raw raw raw
	refused "file=$dir/raw.qcow2,backing=$dir/raw:$dir/base.qcow2" 'is raw and has no backing file'
	disk "file=$dir/top.qcow2,backing=$dir/middle.qcow2:$dir/base.qcow2"
	qcow2_add 1 51712
}

@test "a backing file on a server, or with options of QEMU in its name, is refused" {
	local name
	for name in nbd://127.0.0.1/disk 'json:{"driver":"file","filename":"/etc/shadow"}' file:/etc/shadow fat:/etc nbd:unix:/run/x host_device:/dev/vda; do
		qemu-img create -q -f qcow2 -u -F raw -b "$name" "$dir/far.qcow2" 4M
		refused "file=$dir/far.qcow2" 'which is not a local file'
		refused "file=$dir/far.qcow2,backing=/etc/shadow" 'which is not a local file'
	done
}

@test "an image that keeps its data in another file is refused" {
	qemu-img create -q -f qcow2 -o "data_file=$dir/data,data_file_raw=on" "$dir/split.qcow2" 4M
	rm "$dir/data"
	mkfifo "$dir/data"
	refused "file=$dir/split.qcow2" 'keeps its data in another file'
	qemu-img create -q -f vmdk -o subformat=monolithicFlat "$dir/split.vmdk" 4M
	printf '#%0600d\n' 0 >>"$dir/split.vmdk"
	refused "file=$dir/split.vmdk,format=vmdk" 'keeps its data in another file'
	qemu-img create -q -f vmdk "$dir/base.vmdk" 4M
	qemu-img create -q -f vmdk -b "$dir/base.vmdk" -F vmdk "$dir/top.vmdk" 4M
	refused "file=$dir/top.vmdk,format=vmdk" 'has a parent'
}

@test "backing files that are a loop, 200, or missing are refused with one sentence" {
	local i chain=/1
	qcow2 a
	qcow2 b a.qcow2 qcow2
	qemu-img rebase -u -F qcow2 -b b.qcow2 "$dir/a.qcow2"
	refused "file=$dir/a.qcow2,backing=$dir/b.qcow2" "has the backing file '$dir/a.qcow2', which backing= does not name"
	refused "file=$dir/a.qcow2,backing=$dir/b.qcow2:$dir/a.qcow2" 'are a loop'
	qemu-img create -q -f qcow2 "$dir/0.qcow2" 4M
	for ((i = 1; i < 200; i++)); do
		qemu-img create -q -u -f qcow2 -F qcow2 -b "$dir/$((i - 1)).qcow2" "$dir/$i.qcow2" 4M
	done
	refused "file=$dir/199.qcow2" 'which backing= does not name'
	for ((i = 2; i <= 17; i++)); do
		chain+=:/$i
	done
	refused "file=$dir/199.qcow2,backing=$chain" 'not a list of at most 16 absolute paths'
	qcow2 gone "$dir/disk.qcow2" qcow2
	rm "$dir/disk.qcow2"
	refused "file=$dir/gone.qcow2,backing=$dir/disk.qcow2" 'does not exist'
	phy_device
	refused "file=$phy" 'is a block device, which this script cannot keep from other guests'
	qemu-img create -q -u -f qcow2 -F raw -b "$phy" "$dir/gone.qcow2" 4M
	refused "file=$dir/gone.qcow2,backing=$phy" 'is a block device, which this script cannot keep from other guests'
}

@test "a backing file whose format is missing or odd is refused" {
	truncate -s 4M "$dir/base"
	qcow2 disk "$dir/base" raw
	printf '\0\0\0\0' | dd of="$dir/disk.qcow2" bs=1 seek=112 conv=notrunc status=none
	qemu-img info "$dir/disk.qcow2"
	refused "file=$dir/disk.qcow2,backing=$dir/base" 'does not name the format of its backing file'
	qcow2 disk "$dir/base" raw
	printf '","' | dd of="$dir/disk.qcow2" bs=1 seek=120 conv=notrunc status=none
	refused "file=$dir/disk.qcow2,backing=$dir/base" 'which is not raw, qcow2 or vmdk'
}

@test "an encrypted image and a truncated header are each refused with one sentence" {
	local length
	# QEMU makes none where a loaded machine lets it measure no time. The header's word is crypt_method.
	cp "$dir/disk.qcow2" "$dir/luks.qcow2"
	printf '\0\0\0\2' | dd of="$dir/luks.qcow2" bs=1 seek=32 conv=notrunc status=none
	refused "file=$dir/luks.qcow2" 'is encrypted'
	for length in 512 65535; do
		head -c "$length" "$dir/disk.qcow2" >"$dir/short"
		refused "file=$dir/short" "The image '$dir/short' is truncated"
	done
	printf '\0\377\377\377' | dd of="$dir/disk.qcow2" bs=1 seek=100 conv=notrunc status=none
	refused "file=$dir/disk.qcow2" 'is truncated'
}

@test "qemu-nbd serves the image that is claimed, whatever its name leads to by then" {
	local change loop
	for change in "ln -sfn B.qcow2 $dir/current" "mv $dir/B.qcow2 $dir/A.qcow2"; do
		qcow2 A
		qcow2 B
		ln -sfn A.qcow2 "$dir/current"
		program "$BATS_TEST_TMPDIR/bin/qemu-nbd" <<-END
			#!/bin/bash
			$change
			exec $(PATH=${PATH#*:} type -P qemu-nbd) "\$@"
		END
		disk "file=$dir/current"
		qcow2_add 1 51712
		loop=$(host_loops)
		[[ "$(nbd_images)" == "$(inode_of "${loop%% *}")" ]]
		qcow2_remove 1 51712
	done
}

# nbd_images
# The inodes of the images that the servers have open.
nbd_images() {
	local pid
	nbd_servers | while read -r pid; do
		find "/proc/$pid/fd/" -lname "$dir/*" -exec stat -L -c %i {} + | sort -u
	done
}

# inode_of <loop>
# That of the file that the loop device holds.
inode_of() {
	perl -e 'open my $loop, "<", $ARGV[0] or die; my $info = "\0" x 232;
		ioctl $loop, 0x4C05, $info or die; print((unpack "QQ", $info)[1])' "$1"
}

@test "a corrupt image, an empty one and a wrong path are each refused with one sentence" {
	printf garbage | dd of="$dir/garbage" bs=64k conv=sync status=none
	refused "file=$dir/garbage" 'is not in qcow2 format'
	printf '\1' | dd of="$dir/disk.qcow2" bs=1 seek=79 conv=notrunc status=none
	cp "$dir/disk.qcow2" "$dir/torn"
	truncate -s 100k "$dir/torn"
	dd if=/dev/urandom of="$dir/torn" bs=1 seek=40 count=8 conv=notrunc status=none
	refused "file=$dir/torn" 'torn'
	cp "$dir/garbage" "$dir/"$'a\n\e[31m'
	refused "file=$dir/"$'a\n\e[31m' 'is not in qcow2 format'
	: >"$dir/empty"
	refused "file=$dir/empty" 'is empty'
	refused "file=$dir/nothing" 'does not exist'
	refused "file=$dir" 'is a directory'
	refused "format=qcow2" 'Parameter file is missing'
	refused "file=images/disk.qcow2" 'Parameter file'
	qemu-img create -q -f qcow2 "$dir/small" 100
	refused "file=$dir/small" 'is smaller than a sector'
}

@test "a reader gets a read-only server" {
	disk "file=$dir/disk.qcow2" 1 mode r
	qcow2_add 1 51712
	[[ "$(host cat /sys/block/nbd0/ro)" == 1 ]]
	run through 'write 0 512'
	[[ "$output" == *'Permission denied'* ]]
}

@test "the detach succeeds if the image was deleted or the server was killed" {
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	rm "$dir/disk.qcow2"
	qcow2_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
	qcow2 disk
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	kill -KILL "$(nbd_servers)"
	qcow2_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
}

@test "plan prints what an attach would do" {
	disk "file=$dir/disk.qcow2"
	run call block-qcow2 plan vbd 1 51712
	[[ "$status" -eq 0 && "$output" == "image $dir/disk.qcow2 qcow2 w "*$'\n'"qemu_nbd w $dir/disk.qcow2" ]]
	[[ ! "$(nbd_residue)" ]]
	qcow2_add 1 51712
	disk "file=$dir/disk.qcow2" 2
	run call block-qcow2 plan vbd 2 51712
	[[ "$status" -eq 1 && "$output" == *"guest 'guest1'"* ]]
}

@test "a path may have spaces, quotes and characters special to a shell or QEMU" {
	local name
	for name in 'a b' "a'b" 'a"b' $'a\nb' -a "\$(touch pwned)" 'json:{}' 'nbd:x' 'a=b' '%n' ü; do
		sampled || continue
		moment="file $name"
		cp "$dir/disk.qcow2" "$dir/$name"
		disk "file=$dir/$name"
		qcow2_add 1 51712
		qcow2_remove 1 51712
		[[ ! "$(nbd_residue)" && ! -e /pwned ]]
	done
}

# pretend <user id>
# A process of that user which has the arguments of the server, and does not end when
# it is told to. Sets pretender.
pretend() {
	# shellcheck disable=SC2016 # for perl
	nsenter --target "$host_pid" --mount --wd=/ -- setpriv --reuid "$1" --regid "$1" --clear-groups --pdeathsig KILL \
		perl -e '$SIG{TERM} = "IGNORE"; $| = 1; print "on"; sleep shift' "$generous" --socket=/run/xen-hotplug/qemu-nbd-1-51712.socket x \
		>"$dir/pretender" 2>&1 3>&- &
	pretender=$!
	until_true test -s "$dir/pretender"
}

# killed_before_record
# The attach was killed after the server had started, and before it was recorded.
killed_before_record() {
	rm "$BATS_TEST_TMPDIR/run/xen-hotplug/qemu-nbd-1-51712.pid"
	perl -0777 -pi -e 's/\0server\0/\0absent\0/' "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
}

@test "a user's processes with the server's arguments keep no disk from being detached" {
	pretend 65534
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	killed_before_record
	qcow2_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
	kill -KILL "$pretender"
}

@test "a process of root's with the server's arguments that is not qemu-nbd is left alone" {
	pretend 0
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	killed_before_record
	qcow2_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
	kill -KILL "$pretender"
}

@test "a process that has the id of a server that ended is left alone" {
	local journal=$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712
	disk "file=$dir/disk.qcow2"
	qcow2_add 1 51712
	kill -KILL "$(nbd_servers)"
	until_true nbd_servers_gone
	pretend 0
	perl -0777 -pi -e 'BEGIN { our $pid = shift } s/\0server\0\d+/\0server\0$::pid/' "$pretender" "$journal"
	echo "$pretender" >"$BATS_TEST_TMPDIR/run/xen-hotplug/qemu-nbd-1-51712.pid"
	qcow2_remove 1 51712
	kill -KILL "$pretender"
}
