#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# File systems that this machine cannot mount: what the helper takes each for, by its type in the
# kernel's table of mounts (docs/disks.md has the same rows; tests/unit/filesystems.c).

setup() {
	tool=${BATS_TEST_DIRNAME}/../../build/unit/filesystems
	cd "$BATS_TEST_TMPDIR" || return
	mounts=0
	mount_line / 254:0 ext4 /dev/vda
}

# mount_line <mount point> <device> <type> <source> [options]
mount_line() {
	mounts=$((mounts + 1))
	printf '%s 1 %s / %s rw,relatime - %s %s %s\n' "$mounts" "$2" "$1" "$3" "$4" "${5-rw}" >>table
}

# is <type and kind> <device> <source>...
# Each mount of that type is of that kind: "" is local, and known by its device and inodes.
is() {
	mount_line "/m$mounts" "$2" "${1%% *}" "$3"
	[[ "$("$tool" table kind "/m$((mounts - 1))/disk.img")" == "$1" ]] || {
		echo "$1 is $("$tool" table kind "/m$((mounts - 1))/disk.img")"
		return 1
	}
}

# judge alike|apart <path> <size> <path> <size>
judge() {
	[[ "$("$tool" table alike "${@:2}") $("$tool" table alike "${@:4}" "${@:2:2}")" == "$1 $1" ]] || {
		echo "$2 ($3) and $4 ($5) are not $1"
		return 1
	}
}

@test "each file system is local, remote or opaque, by its type" {
	local type
	for type in nfs nfs4 cifs smb3 ceph 9p virtiofs ecryptfs afs fuse fuse.sshfs fuse.glusterfs vboxsf orangefs lustre gpfs never-heard-of; do
		is "$type remote opaque" "0:$((50 + mounts))" server:/srv
	done
	is 'fuseblk remote' 8:1 /dev/sda1
	is 'gfs2 remote' 253:1 /dev/mapper/shared
	is 'ocfs2 remote' 253:2 /dev/mapper/other
	for type in tmpfs ramfs btrfs zfs bcachefs hugetlbfs; do
		is "$type" "0:$((50 + mounts))" none
	done
	for type in ext4 xfs f2fs ntfs3 jfs squashfs erofs iso9660 udf vfat; do
		is "$type" "8:$((50 + mounts))" /dev/sdb1
	done
}

@test "a file on eCryptfs may be the one of that name below, whose size is another" {
	mount_line /home/x/plain 0:50 ecryptfs /home/x/.secret
	judge alike /home/x/plain/vm/disk.img 1048576 /home/x/.secret/vm/disk.img 1056768
	judge apart /home/x/plain/vm/disk.img 1048576 /home/x/.secret/vm/other.img 1056768
	judge apart /home/x/plain/a/disk.img 1048576 /home/x/plain/b/disk.img 1048576
}

@test "a share that is mounted twice, or over two protocols, may show one file" {
	mount_line /nfs 0:50 nfs4 server:/srv/vm
	mount_line /nfs2 0:51 nfs4 server:/srv
	mount_line /smb 0:52 cifs //server/vm
	mount_line /9p 0:53 9p host
	mount_line /ceph 0:54 ceph 192.0.2.1:6789,192.0.2.2:6789:/vm
	judge alike /nfs/disk.img 1048576 /nfs2/vm/disk.img 1048576
	judge apart /nfs/disk.img 1048576 /nfs2/other/disk.img 1048576
	judge apart /nfs/disk.img 1048576 /nfs2/vm/disk.img 2097152
	judge alike /nfs/disk.img 0 /nfs2/vm/disk.img 2097152
	judge alike /9p/srv/vm/disk.img 1048576 /nfs/disk.img 1048576
	judge alike /ceph/disk.img 1048576 /9p/vm/disk.img 1048576
	judge alike /smb/disk.img 1048576 /9p/vm/disk.img 1048576
	judge apart /srv/disk.img 1048576 /var/disk.img 1048576
}
