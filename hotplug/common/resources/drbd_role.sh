# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The role Primary, without which a DRBD resource's devices cannot be opened. All
# devices of this host share it: the first attach promotes the resource, and the
# last detach demotes it. The state is read from `drbdsetup events2`, whose format
# is for programs, and the same in DRBD 8.4 and 9.

library journal-read

drbd_role_patience=8 # seconds that blkback and udev may take to close the device

# Set by drbd_role_parse:
drbd_role_resource=''
drbd_role_volume=''

# Set by drbd_role_read; all are empty if the resource is not up:
drbd_role_now=''    # Primary, Secondary or Unknown
drbd_role_minor=''  # the minor number of the volume's device
drbd_role_disk=''   # the state of its local disk: UpToDate, Inconsistent, Diskless, …
drbd_role_quorum='' # yes or no; DRBD 8.4 has none
drbd_role_peer=''   # a peer that is Primary
drbd_role_fresh=''  # set if a peer has the volume's current data

drbd_role_value='' # set by drbd_role_field

drbd_role_arguments='RESOURCE[/VOLUME]'

# drbd_role_acquire <resource[/volume]>
# Sets dev.
drbd_role_acquire() {
	local ours=n
	drbd_role_parse "$1"
	lock "drbd $drbd_role_resource" || fail "$reason"
	drbd_role_require
	# If another device of ours promoted it, the last of us demotes it.
	[[ $drbd_role_now == Primary ]] && ! journal_shared "drbd $drbd_role_resource" y || ours=y
	journal_remember "drbd $drbd_role_resource" "$ours"
	[[ $drbd_role_now == Primary ]] || drbd_role_promote
	dev=/dev/drbd$drbd_role_minor
}

# drbd_role_plan <resource[/volume]>
drbd_role_plan() {
	drbd_role_parse "$1"
	drbd_role_require
}

# drbd_role_expect <resource[/volume]>
# Only DRBD knows the device, which cannot be opened before it is Primary.
drbd_role_expect() {
	dev=''
}

# drbd_role_release <resource[/volume]>
# Keeps the role if the resource was Primary before us, or if another device of ours
# needs it. LINBIT's script, recognized by the missing node `node`, always promotes
# and always demotes.
drbd_role_release() {
	local ours
	drbd_role_parse "$1"
	journal_recall ours "drbd $drbd_role_resource"
	[[ $resource_mode != collect || ! ${store_value["physical-device"]-} || ${store_value[node]+set} ]] || ours=y
	[[ $ours == y ]] || return 0
	lock "drbd $drbd_role_resource" || return 1
	journal_others "drbd $drbd_role_resource"
	((${#journal_theirs[@]})) || drbd_role_demote
}

# drbd_role_check <resource[/volume]>
drbd_role_check() {
	drbd_role_parse "$1"
	drbd_role_read || return
	[[ $drbd_role_now == Primary ]] || reason="The DRBD resource '$drbd_role_resource' is no longer Primary."
	[[ ! $reason ]] || return
	drbd_role_usable || drbd_role_explain
	[[ ! $reason ]]
}

# drbd_role_parse <resource[/volume]>
# Fails with expected set, like a type. Refuses `all`, which drbdadm takes for
# several resources.
drbd_role_parse() {
	expected='the name of a DRBD resource, or RESOURCE/VOLUME: letters, digits and the characters . _ + -, not beginning with a dash'
	[[ $1 =~ ^([A-Za-z0-9._+][A-Za-z0-9._+-]{0,126})(/(0|[1-9][0-9]{0,4}))?$ && ${BASH_REMATCH[1]} != all ]] || return
	drbd_role_resource=${BASH_REMATCH[1]} drbd_role_volume=${BASH_REMATCH[3]:-0}
}

# drbd_role_require
# Reads the state; fails if the resource is not up or has no usable data.
drbd_role_require() {
	local what="The DRBD resource '$drbd_role_resource'"
	drbd_role_read || fail "Cannot read the state of DRBD: $reason"
	[[ $drbd_role_now ]] || drbd_role_missing
	[[ $drbd_role_minor ]] || fail "$what has no volume $drbd_role_volume; correct the guest's configuration."
	[[ $drbd_role_now != Primary ]] || drbd_role_usable && return 0
	drbd_role_explain
	fail "$reason"
}

# drbd_role_missing
# Fails: the resource is not up.
drbd_role_missing() {
	local why=$reason
	run drbdadm sh-dev "$drbd_role_resource" ||
		fail "There is no DRBD resource '$drbd_role_resource' on this host: $reason"
	fail "The DRBD resource '$drbd_role_resource' is not up; start it (drbdadm up $drbd_role_resource), then try again.${why:+ DRBD says: $why}"
}

# drbd_role_read
# Sets the variables above. Fails with reason set if drbdsetup fails; if the kernel
# has no DRBD, or if drbdsetup does not list the resource, that is not up.
drbd_role_read() {
	local line lines
	drbd_role_now='' drbd_role_minor='' drbd_role_disk='' drbd_role_quorum='' drbd_role_peer='' drbd_role_fresh=''
	reason=''
	run drbdsetup events2 --now "$drbd_role_resource" || [[ ! -e /sys/module/drbd ]] || return 1
	mapfile -t lines <<<"$run_output"
	for line in "${lines[@]}"; do
		[[ " $line " != *" name:$drbd_role_resource "* ]] || drbd_role_take "$line "
	done
}

# drbd_role_take <line of drbdsetup events2, and a space>
drbd_role_take() {
	local ours=''
	[[ $1 != *" volume:$drbd_role_volume "* ]] || ours=1
	case $1 in
	'exists resource '*) drbd_role_field role "$1" && drbd_role_now=$drbd_role_value ;;
	'exists connection '*' role:Primary '*) drbd_role_field conn-name "$1" && drbd_role_peer=$drbd_role_value ;;
	'exists peer-device '*' peer-disk:UpToDate '*) drbd_role_fresh+=$ours ;;
	'exists device '*)
		[[ $ours ]] || return 0
		drbd_role_field minor "$1" && drbd_role_minor=$drbd_role_value
		drbd_role_field disk "$1" && drbd_role_disk=$drbd_role_value
		drbd_role_field quorum "$1" && drbd_role_quorum=$drbd_role_value
		;;
	esac
}

# drbd_role_field <key> <line of drbdsetup events2, and a space>
# Sets drbd_role_value; it is empty if the line has no such key.
drbd_role_field() {
	drbd_role_value=''
	[[ $2 != *" $1:"* ]] || drbd_role_value=${2#*" $1:"}
	drbd_role_value=${drbd_role_value%% *}
}

# drbd_role_usable
# Does the device give access to current data?
drbd_role_usable() {
	[[ $drbd_role_quorum != no && ($drbd_role_disk == UpToDate || $drbd_role_fresh) ]]
}

# drbd_role_promote
drbd_role_promote() {
	run drbdadm primary "$drbd_role_resource" && return 0
	drbd_role_explain
	fail "$reason"
}

# drbd_role_explain
# Sets reason to the obstacle, followed by DRBD's own message if reason had one.
drbd_role_explain() {
	local what="DRBD resource '$drbd_role_resource'" says=${reason:+ (${reason%.})}
	if [[ $drbd_role_quorum == no ]]; then
		reason="The $what has no quorum: too few of its hosts see each other; connect them, then try again$says."
	elif [[ $drbd_role_peer ]]; then
		reason="The $what is Primary on '$drbd_role_peer'; end the guest there, or set allow-two-primaries in its net section for live migration$says."
	elif ! drbd_role_usable; then
		reason="The disk of the $what is $drbd_role_disk here, and no connected peer is UpToDate; connect one (drbdadm status $drbd_role_resource), then try again$says."
	else
		reason="Cannot make the $what Primary: $reason"
	fi
}

# drbd_role_demote
# A resource that is down, or gone, is not Primary. Retries, because blkback or
# udev may close the device a moment after the guest is gone. (Within an exit trap,
# a plain return would return the status from before the trap.)
drbd_role_demote() {
	local end=$((SECONDS + drbd_role_patience)) why=''
	while drbd_role_read; do
		[[ $drbd_role_now == Primary ]] || return 0
		((SECONDS <= end)) || break
		run drbdadm secondary "$drbd_role_resource" && return 0
		why=$reason
		run_pause 0.2 || break
	done
	reason="Cannot make the DRBD resource '$drbd_role_resource' Secondary: ${why:-$reason}"
	return 1
}
