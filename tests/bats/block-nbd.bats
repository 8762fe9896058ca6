# SPDX-License-Identifier: LGPL-2.1-only
# block-nbd, with real servers; of the kernel's NBD there is a stand-in.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/nbd

setup() {
	host_start
	domain 1
	domain 2
	nbd_start
	nbd_serve disk other
}

teardown() {
	nbd_stop
}

# The calls, each with the ids of the device.
nbd_add() { call block-nbd add vbd "$1" "$2"; }
nbd_remove() { call block-nbd remove vbd "$1" "$2"; }

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
	run nbd_add 1 51712
	assert_failed backend/vbd/1/51712 "${3:-error}" "$2"
	assert_sentence "$(store_get backend/vbd/1/51712/hotplug-error)"
	[[ ! "$(nbd_residue)" ]]
}

@test "add connects the export" {
	disk host=127.0.0.1,export=disk
	nodes_remember
	nbd_add 1 51712
	[[ "$(nbd_devices)" == nbd0 && "$(<"$nbd/arguments")" == '127.0.0.1 10809 -name disk -timeout 30 ' ]]
	assert_changed '/local/domain/0/backend/vbd/1/51712/hotplug-status = "connected"' \
		'/local/domain/0/backend/vbd/1/51712/node = "/dev/nbd0"' \
		'/local/domain/0/backend/vbd/1/51712/physical-device = "2b:0"' \
		'/local/domain/0/backend/vbd/1/51712/physical-device-path = "/dev/nbd0"'
}

@test "remove disconnects the device" {
	disk host=127.0.0.1,export=disk
	nbd_add 1 51712
	nbd_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
	nbd_remove 1 51712
}

@test "remove leaves other programs' connections alone, even on the device that was ours" {
	host nbd-client 127.0.0.1 -name other
	disk host=127.0.0.1,export=disk
	nbd_add 1 51712
	[[ "$(store_get backend/vbd/1/51712/node)" == /dev/nbd1 ]]
	host nbd-client -disconnect /dev/nbd1
	host nbd-client 127.0.0.1 -name disk
	nbd_remove 1 51712
	[[ "$(nbd_devices)" == $'nbd0\nnbd1' ]]
	host nbd-client -disconnect /dev/nbd0
	host nbd-client -disconnect /dev/nbd1
}

@test "remove disconnects nothing if two devices have the recorded process number" {
	disk host=127.0.0.1,export=disk
	nbd_add 1 51712
	host cp -r /sys/block/nbd0 /sys/block/nbd1
	nbd_remove 1 51712
	[[ "$(nbd_devices)" == nbd1 ]]
	host rm -r /sys/block/nbd1
}

@test "a server is reached by its Unix socket, and by a host name that begins with nbd" {
	disk "socket=$nbd/socket,export=disk"
	nbd_add 1 51712
	[[ "$(<"$nbd/arguments")" == "-unix $nbd/socket -name disk -timeout 30 " ]]
	nbd_remove 1 51712
	disk host=nbd.invalid,export=disk
	run nbd_add 1 51712
	assert_failed backend/vbd/1/51712 error 'getaddrinfo failed'
}

@test "a reader gets a read-only device" {
	disk host=127.0.0.1,export=disk 1 mode r
	nbd_add 1 51712
	[[ "$(host cat /sys/block/nbd0/ro)" == 1 ]]
	nbd_remove 1 51712
	: >"$nbd/ro"
	refused host=127.0.0.1,export=disk 'is read-only; make it writable there'
}

@test "with reconnect, a qemu-nbd serves the device until the detach" {
	local server
	disk host=127.0.0.1,export=disk,reconnect=20
	nbd_add 1 51712
	server=$(nbd_servers)
	[[ "$server" == +([0-9]) && "$(nbd_devices)" == nbd0 ]]
	call block-nbd check vbd 1 51712
	nbd_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
}

@test "with reconnect, a read waits for a restarted server" {
	local socket=/run/xen-hotplug/qemu-nbd-1-51712.socket reader
	printf 'the bytes' | dd of="$nbd/disk.disk" conv=notrunc status=none
	disk host=127.0.0.1,export=disk,reconnect=60
	nbd_add 1 51712
	nbd_serve_no_more
	host qemu-io -f raw -r -c 'read -P 116 0 1' "nbd+unix:///?socket=$socket" >"$BATS_TEST_TMPDIR/read" 2>&1 3>&- &
	reader=$!
	nbd_serve disk
	wait "$reader"
	grep -F 'read 1/1 bytes' "$BATS_TEST_TMPDIR/read"
	run ! grep -F 'verification failed' "$BATS_TEST_TMPDIR/read"
}

@test "a qemu-nbd that does not end is killed" {
	disk host=127.0.0.1,export=disk,reconnect=600
	nbd_add 1 51712
	kill -STOP "$(nbd_servers)"
	nbd_remove 1 51712
	[[ ! "$(nbd_residue)" ]]
}

@test "the detach succeeds when the server is gone" {
	local way
	for way in '' ,reconnect=600; do
		disk "host=127.0.0.1,export=disk$way"
		nbd_add 1 51712
		nbd_serve_no_more
		nbd_remove 1 51712
		[[ ! "$(nbd_residue)" ]]
		nbd_serve disk
	done
}

@test "a second writer of an export is refused" {
	disk host=127.0.0.1,export=disk
	nbd_add 1 51712
	disk host=127.0.0.1,export=disk 2
	run nbd_add 2 51712
	assert_failed backend/vbd/2/51712 busy "The NBD export 'disk' of 127.0.0.1:10809 is in use, read-write, by guest 'guest1' (domain 1); detach it there first, or share it deliberately with shared=y."
	disk host=127.0.0.1,export=disk 2 mode r
	run nbd_add 2 51712
	assert_failed backend/vbd/2/51712 busy 'is in use, read-write'
	disk host=127.0.0.1,export=other 2
	nbd_add 2 51712
	nbd_remove 2 51712
	nbd_remove 1 51712
	disk host=127.0.0.1,export=disk 2
	nbd_add 2 51712
}

@test "guests that only read share an export" {
	disk host=127.0.0.1,export=disk 1 mode r
	disk host=127.0.0.1,export=disk 2 mode r
	nbd_add 1 51712
	nbd_add 2 51712
	[[ "$(nbd_devices)" == $'nbd0\nnbd1' ]]
	nbd_remove 2 51712
	disk host=127.0.0.1,export=disk 2
	run nbd_add 2 51712
	assert_failed backend/vbd/2/51712 busy 'is in use, read-only'
}

@test "shared=y gives a guest an export that another guest writes" {
	disk host=127.0.0.1,export=disk
	disk host=127.0.0.1,export=disk,shared=y 2
	nbd_add 1 51712
	nbd_add 2 51712
	[[ "$(nbd_devices)" == $'nbd0\nnbd1' ]]
}

@test "both ends of a migration, and a device model's domain, share the export" {
	domain 3 0000-1
	domain 4
	store_set /local/domain/4/target 1
	disk host=127.0.0.1,export=disk
	disk host=127.0.0.1,export=disk 3
	disk host=127.0.0.1,export=disk 4
	nbd_add 1 51712
	nbd_add 3 51712
	nbd_add 4 51712
	disk host=127.0.0.1,export=disk 2
	run nbd_add 2 51712
	assert_failed backend/vbd/2/51712 busy 'is in use'
}

@test "one of many parallel attaches of an export succeeds" {
	local domid pids=() pid got=0
	for domid in {11..16}; do
		domain "$domid"
		disk host=127.0.0.1,export=disk "$domid"
		nbd_add "$domid" 51712 >"$BATS_TEST_TMPDIR/said.$domid" 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		! wait "$pid" || got=$((got + 1))
	done
	cat "$BATS_TEST_TMPDIR"/said.*
	[[ "$got" == 1 && "$(nbd_devices)" == nbd0 ]]
	[[ "$(grep -l 'is in use, read-write, by guest' "$BATS_TEST_TMPDIR"/said.* | wc -l)" == 5 ]]
}

@test "plan prints what an attach would do" {
	disk host=127.0.0.1,export=disk
	run call block-nbd plan vbd 1 51712
	[[ "$status" -eq 0 && "$output" == *'nbd 127.0.0.1 10809 disk w 0'* && ! "$(nbd_residue)" ]]
	nbd_add 1 51712
	disk host=127.0.0.1,export=disk 2
	run call block-nbd plan vbd 2 51712
	[[ "$status" -eq 1 && "$output" == *"guest 'guest1'"* ]]
}

@test "check reports a disconnected device and a missing server" {
	disk host=127.0.0.1,export=disk
	nbd_add 1 51712
	call block-nbd check vbd 1 51712
	host nbd-client -disconnect /dev/nbd0
	run call block-nbd check vbd 1 51712
	[[ "$status" -eq 1 && "$output" == *'The NBD device is disconnected.'* ]]
	nbd_remove 1 51712
	disk host=127.0.0.1,export=disk,reconnect=5
	nbd_add 1 51712
	kill -KILL "$(nbd_servers)"
	until_true nbd_servers_gone
	run call block-nbd check vbd 1 51712
	[[ "$status" -eq 1 && "$output" == *'qemu-nbd that served the disk is gone.'* ]]
}

@test "a target with no server, two servers or an unknown parameter is refused" {
	refused export=disk 'Neither host= nor socket= is given'
	refused "host=127.0.0.1,socket=$nbd/socket" 'Both host= and socket= are given'
	refused host=127.0.0.1,exports=disk "The target has 'exports=disk'"
	refused host=127.0.0.1,host=127.0.0.1 'gives the parameter host twice'
	refused host=127.0.0.1,export 'without a value'
	refused host=127.0.0.1,port=0 'Parameter port'
	refused host=127.0.0.1,port=x 'Parameter port'
	refused host=-d 'Parameter host'
	refused socket=run/socket 'Parameter socket'
	refused host=127.0.0.1,reconnect=-1 'Parameter reconnect'
	refused $'host=127.0.0.1,export=a\nb' 'Parameter export'
	refused host=127.0.0.1,shared=w 'Parameter shared'
	refused host=127.0.0.1,export=disk 'mode' error mode x
}

@test "a missing server or export is reported in the program's own words" {
	local way
	for way in '' ,reconnect=5; do
		refused "host=127.0.0.1,port=10810$way" 'Connection refused'
		refused "socket=$nbd/nothing,export=disk$way" "Cannot connect to the NBD server '$nbd/nothing'"
		refused "host=127.0.0.1,export=nothing$way" 'Cannot connect to the NBD server 127.0.0.1:10809: '
	done
	refused host=127.0.0.1,export=nothing 'Server said: Export unknown; see whether it runs, and what it exports.'
	refused host=127.0.0.1,export=nothing,reconnect=5 ': Requested export not available; see whether it runs, and what it exports.'
}

@test "an attach to a server that does not answer fails in time" {
	kill -STOP "$nbd_server_pid"
	refused host=127.0.0.1 'it does not answer; see whether it runs'
	refused host=127.0.0.1,reconnect=5 'it does not answer; see whether it runs'
	kill -CONT "$nbd_server_pid"
}

@test "an export smaller than a sector is refused" {
	truncate -s 100 "$nbd/disk.disk"
	refused host=127.0.0.1,export=disk 'is smaller than a sector'
	refused host=127.0.0.1,export=disk,reconnect=5 'is smaller than a sector'
}

@test "an invalid directory of TLS files is reported in qemu-nbd's own words" {
	mkdir "$nbd/empty"
	refused "host=127.0.0.1,export=disk,tls=$nbd/empty" 'ca-cert.pem'
}

@test "with tls, the connection uses TLS and requires a valid certificate" {
	image tls.img
	nbd_certificates right
	nbd_certificates wrong
	nbd_serve_tls right "$image"
	disk "host=127.0.0.1,port=10810,export=disk,tls=$nbd/right"
	nbd_add 1 51712
	host qemu-io -f raw -c 'write -P 116 0 1k' 'nbd+unix:///?socket=/run/xen-hotplug/qemu-nbd-1-51712.socket'
	[[ "$(head -c 4 "$image")" == tttt ]]
	nbd_remove 1 51712
	refused "host=127.0.0.1,port=10810,export=disk,tls=$nbd/wrong" certificate
	refused host=127.0.0.1,port=10810,export=disk 'Cannot connect to the NBD server'
	kill "$nbd_other"
	wait "$nbd_other" || :
}

@test "a kernel without NBD is reported" {
	program "$BATS_TEST_TMPDIR/bin/modprobe" <<<$'#!/bin/sh\necho "FATAL: Module $1 not found." >&2; exit 1'
	refused host=127.0.0.1,export=disk 'Module nbd not found'
}

@test "no value of the target does harm" {
	local key value refused=0
	subject=disk
	for key in host port socket export reconnect tls shared; do
		for value in '' 'a b' "a'b" 'a"b' $'a\nb' -a -- "\$(touch $BATS_TEST_TMPDIR/pwned)" 'a*' 'a=b' \
			$'\xff\xfe' / "a[\$(touch $BATS_TEST_TMPDIR/pwned)]" 99999999999999999999; do
			sampled || continue
			printf -v moment '%s is %q' "$key" "$value"
			disk "host=127.0.0.1,$key=$value"
			[[ $key != host ]] || disk "export=disk,host=$value"
			run nbd_add 1 51712
			[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
			((status == 0)) || refused=$((refused + 1))
			((status == 0)) || assert_sentence "$(store_get backend/vbd/1/51712/hotplug-error)"
			nbd_remove 1 51712
			[[ ! "$(nbd_residue)" ]]
		done
	done
	say_tried "$refused" 'refused values' 80
}
