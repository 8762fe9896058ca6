# SPDX-License-Identifier: LGPL-2.1-only
# block-iscsi: how it logs in, with a stand-in for open-iscsi: records, secrets,
# what is refused, portals that do not answer.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/iscsi

setup() {
	host_start
	domain 1
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	target=iqn=$iqn,portal=192.0.2.1
	record=$BATS_TEST_TMPDIR/etc/iscsi/nodes/$iqn/$portal
}

teardown() {
	local status=0
	host_stop || status=1
	iscsi_stop || status=1
	return "$status"
}

@test "a portal that does not answer is refused" {
	touch "$ISCSI/down/$portal"
	iscsi_vbd 1 51712 "$target"
	iscsi_refused 1 51712 'at 192.0.2.1:3260 (iscsiadm: connection timed out); see whether the server runs'
}

@test "a target that does not exist is refused" {
	iscsi_vbd 1 51712 "iqn=$iqn-other,portal=192.0.2.1"
	iscsi_refused 1 51712 'login failed); see whether the target exists there'
}

@test "without iscsid, the error is iscsiadm's own" {
	touch "$ISCSI/no-iscsid"
	iscsi_vbd 1 51712 "$target"
	iscsi_refused 1 51712 'can not connect to iSCSI daemon (111)!'
}

@test "without iscsiadm, the error names the missing command" {
	rm "$BATS_TEST_TMPDIR/bin/iscsiadm"
	iscsi_vbd 1 51712 "$target"
	iscsi_refused 1 51712 "needs the command 'iscsiadm'"
}

@test "CHAP: a login with the user's secret succeeds, and leaves the secret in no argument or file" {
	echo 'web the secret' >"$ISCSI/targets/$iqn/chap"
	iscsi_secrets '# a comment' "iqn.2026-01.org.example:other web wrong" "$iqn mail wrong" "$iqn web the secret"
	iscsi_vbd 1 51712 "$target,auth_method=CHAP,user=web"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
	run ! grep -rq 'the secret' "$ISCSI/calls" "$BATS_TEST_TMPDIR/etc/iscsi" "$BATS_TEST_TMPDIR/run" "$log"
	iscsi_remove 1 51712
	iscsi_nothing_left
	xenstore-rm backend/vbd/1/51712
	iscsi_vbd 1 51712 "$target,user=web"
	iscsi_add 1 51712
}

@test "CHAP: a wrong or missing secret is refused" {
	echo 'web the secret' >"$ISCSI/targets/$iqn/chap"
	iscsi_vbd 1 51712 "$target,user=web"
	iscsi_refused 1 51712 'does not exist; create it, mode 600'
	iscsi_secrets "$iqn mail secret"
	iscsi_refused 1 51712 "no secret for the CHAP user 'web' of the target '$iqn'"
	iscsi_secrets "$iqn web wrong"
	iscsi_refused 1 51712 'authorization failure); correct user='
	store_set backend/vbd/1/51712/params "$target"
	iscsi_refused 1 51712 'authorization failure); let this host in'
	run ! grep -rq 'wrong' "$ISCSI/calls" "$log"
}

@test "CHAP: a secrets file that others can read is refused" {
	local mode
	iscsi_vbd 1 51712 "$target,user=web"
	iscsi_secrets "$iqn web secret"
	for mode in 640 604 660 4644; do
		chmod "$mode" "$secrets"
		iscsi_refused 1 51712 'is readable by users other than root'
	done
	chmod 600 "$secrets"
	chown 65534 "$secrets"
	iscsi_refused 1 51712 'is readable by users other than root'
}

@test "a password in the target is refused without being repeated" {
	iscsi_vbd 1 51712 "$target,user=web,password=tell-nobody"
	iscsi_refused 1 51712 'Do not put password= into the target'
	run ! grep -q tell-nobody "$log"
	[[ "$(store_get backend/vbd/1/51712/hotplug-error)" != *tell-nobody* ]]
}

@test "an administrator's record is used" {
	mkdir -p "${record%/*}/$portal,1"
	printf '%s\n' 'node.name = mine' 'node.startup = automatic' 'node.session.initial_login_retry_max = 4' \
		'node.conn[0].timeo.login_timeout = 30' >"${record%/*}/$portal,1/default"
	cp -r "${record%/*}" "$BATS_TEST_TMPDIR/before"
	iscsi_vbd 1 51712 "$target"
	touch "$ISCSI/down/$portal"
	run iscsi_add 1 51712
	assert_failed backend/vbd/1/51712 error 'connection timed out'
	diff -r "$BATS_TEST_TMPDIR/before" "${record%/*}"
	rm "$ISCSI/down/$portal"
	iscsi_add 1 51712
	diff -r "$BATS_TEST_TMPDIR/before" "${record%/*}"
	iscsi_remove 1 51712
	diff -r "$BATS_TEST_TMPDIR/before" "${record%/*}"
	[[ ! "$(iscsi_sessions)" ]]
}

@test "the guest's configuration overrides CHAP of the administrator's record" {
	mkdir -p "${record%/*}"
	printf '%s\n' 'node.session.auth.authmethod = CHAP' 'node.session.auth.username = host' \
		'node.session.auth.password = other' >"$record"
	echo 'host other' >"$ISCSI/targets/$iqn/chap"
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_remove 1 51712
	echo 'web secret' >"$ISCSI/targets/$iqn/chap"
	iscsi_secrets "$iqn web secret"
	xenstore-rm backend/vbd/1/51712
	iscsi_vbd 1 51712 "$target,user=web"
	iscsi_add 1 51712
	iscsi_remove 1 51712
	xenstore-rm backend/vbd/1/51712
	iscsi_vbd 1 51712 "$target,auth_method=None"
	run iscsi_add 1 51712
	assert_failed backend/vbd/1/51712 error 'authorization failure'
	rm "$ISCSI/targets/$iqn/chap"
	sed -i '/auth/d' "$record"
	iscsi_add 1 51712
}

@test "a record of ours left by a crash of the host is used and then deleted" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	host rm -r /run/xen-hotplug
	rm -r "$ISCSI"/class/{iscsi_session,scsi_disk,block}/*
	[[ -e $record ]]
	xenstore-rm backend/vbd/1/51712
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_remove 1 51712
	iscsi_nothing_left
}

@test "a record of ours does not make the host log in at boot" {
	ISCSI_STARTUP=automatic iscsi_settings
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	[[ "$(grep startup "$record" | tail -n 1)" == 'node.startup = manual' ]]
}

@test "a login that iscsid completes after iscsiadm was killed is ended by the detach" {
	iscsi_delay 2
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712 3>&- &
	until_true grep -q login "$ISCSI/calls"
	# What libxl kills is the script alone; and other tests run that script, too.
	kill -KILL "$(pgrep -P "$!")"
	wait "$!" || :
	iscsi_remove 1 51712
	iscsi_nothing_left
	until_true iscsi_is_quiet
	iscsi_nothing_left
}

@test "the first of several portals that works is used" {
	printf '%s\n' 192.0.2.2,3260 >>"$ISCSI/targets/$iqn/portals"
	iscsi_lun "$iqn" 1
	touch "$ISCSI/down/$portal"
	iscsi_vbd 1 51712 "iqn=$iqn,portal=192.0.2.1+192.0.2.2:3260"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1 192.0.2.2,3260)"
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.2" ]]
	iscsi_remove 1 51712
	iscsi_nothing_left
}

@test "discovery finds the portals of a target without leaving a record" {
	printf '%s\n' 198.51.100.1,3260 >"$ISCSI/targets/$iqn/portals"
	rm -r "$ISCSI/targets/$iqn/luns/1"
	iscsi_lun "$iqn" 1
	iscsi_target iqn.2026-01.org.example:other "$portal"
	iscsi_vbd 1 51712 "$target,discovery=y"
	iscsi_refused 1 51712 "has no target $iqn, or does not show it"
	iscsi_target "$iqn" "$portal" 198.51.100.1,3260
	iscsi_lun "$iqn" 1
	touch "$ISCSI/down/$portal"
	iscsi_refused 1 51712 'No route to host'
	store_set backend/vbd/1/51712/params "$target+198.51.100.1,discovery=y"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1 198.51.100.1,3260)"
	iscsi_remove 1 51712
	iscsi_nothing_left
}

@test "an unknown parameter or an invalid value is refused before iscsiadm is called" {
	local tried=0 params
	iscsi_vbd 1 51712 x
	for params in '' "iqn=$iqn" portal=192.0.2.1 "$target,lun" "$target,luns=1" "$target,lun=1,lun=2" "$target,lun=x" "$target,lun=-1" \
		"$target,multipath=yes" "$target,auth_method=SRP" "$target,user=a b" "$target,user=-a" "$target,auth_method=CHAP" \
		"$target,auth_method=None,user=web" iqn=disk1,portal=192.0.2.1 iqn=iqn.2026-01.org.example,portal=example.org \
		iqn=iqn.2026-01.x/../../x,portal=192.0.2.1 'iqn=iqn.2026-01.a b,portal=192.0.2.1' $'iqn=iqn.2026-01.a\nb,portal=192.0.2.1' \
		"iqn=iqn.2026-01.\$(touch $BATS_TEST_TMPDIR/pwned),portal=192.0.2.1" "iqn=$iqn,portal=" "iqn=$iqn,portal=192.0.2.1:0" \
		"iqn=$iqn,portal=192.0.2.1:65536" "iqn=$iqn,portal=192.0.2.256" "iqn=$iqn,portal=fd00::1" "iqn=$iqn,portal=[fd00::1" \
		"iqn=$iqn,portal=[fd00::1::2]" "iqn=$iqn,portal=192.0.2.1+" "iqn=$iqn,portal=192.0.2.1+192.0.2.1:3260" "iqn=$iqn,portal=192.0.2.1 192.0.2.2" \
		"iqn=$iqn,portal=1.1.1.1+1.1.1.2+1.1.1.3+1.1.1.4+1.1.1.5" "iqn=$iqn,portal=--version" "iqn=$iqn,portal=192.0.2.010"; do
		sampled || continue
		store_set backend/vbd/1/51712/params "$params"
		iscsi_refused 1 51712 .
		[[ ! -e "$ISCSI/calls" && ! -e "$BATS_TEST_TMPDIR/pwned" ]]
		tried=$((tried + 1))
	done
	say_tried "$tried" values 33
}
