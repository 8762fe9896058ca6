# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug call: commands, stores, locks and releases that hang end the call in time.
# bats file_tags=waits

load ../lib/host
load ../lib/observe
load ../lib/call

@test "an attach whose script exits between two changes undoes both" {
	block_script <<-'END'
		thing_acquire() { run touch "$there/one" && run touch "$there/two" && exit 0; }
		thing_release() { run rm -f "$there/one" && run rm -f "$there/two"; }
	END
	run block_add 1 51712
	assert_undone 'stopped with status 0 before it was done'
	[[ ! -e $there/one && ! -e $there/two ]]
}

@test "an exit behind hotplug does not change what the call says" {
	block_script </dev/null
	echo 'exit 7' >>"$scripts/block"
	block_add 1 51712
	assert_node "$path/hotplug-status" connected
	block_remove 1 51712
}

@test "a command that hangs and ignores signals is killed after 10 s" {
	quickly
	block_script <<-'END'
		thing_acquire() {
			run sh -c 'trap "" TERM INT HUP; echo "$$" >"$1/pid"; read -r _ <"$1/never"' - "$there" || fail "$reason"
		}
	END
	begin add "${quick[@]}"
	is_at
	ends
	assert_undone 'did not end within 10 s and was killed.'
	gone "$(<"$there/pid")"
}

@test "commands that hang one after another end the attach after 24 s" {
	quickly
	block_script <<<"thing_acquire() { while :; do $waits || :; done; }"
	begin add "${quick[@]}"
	ends
	assert_undone 'block was not done within 24 s and was ended, as it waited for '
}

@test "a store that hangs at the first read ends the attach after 10 s" {
	quickly
	store_fault 'read:*/hotplug-error@1=hang'
	begin add "${quick[@]}"
	ends
	assert_undone 'The store did not answer within 10 s'
}

@test "a store that hangs for good ends the attach with a sentence on standard error" {
	quickly
	store_fault 'any@1+=hang'
	begin add "${quick[@]}"
	ends
	store_fault_none
	[[ $status == 1 && $output == *'The store did not answer within 10 s'* && $output == *. ]]
	# The report has as long, because a loaded host can be that slow.
	[[ ${output##*$'\n'} == 'The store did not answer within 10 s'* ]]
	assert_residue_free
}

@test "a store that hangs at publishing has the attach undone" {
	quickly
	block_script </dev/null
	store_fault 'transaction_end@1=hang'
	begin add "${quick[@]}"
	ends
	assert_undone 'The store did not answer within 10 s'
}

@test "an attach whose publishing fails, and cannot be taken back, stays whole until the detach" {
	local fault faults
	for fault in 'transaction_end@1=drop-after transaction_end@2=EACCES' \
		'transaction_end@1=drop-after rm:*/physical-device@1+=EACCES' \
		'transaction_end@1=drop-after transaction_start@2=drop read:*/frontend-id@2+=EIO'; do
		block_script <<<"thing_release() { run touch $there/released; }"
		vbd 1 51712 "$image"
		read -ra faults <<<"$fault"
		store_fault "${faults[@]}"
		run block_add 1 51712
		store_fault_none
		((status == 1))
		[[ $(store_get "$path/physical-device") == "$(stat -c %t:%T "$(loop_of "$image")")" ]]
		[[ ! -e $there/released && $(host_residue) == *'journal vbd-1-51712'* ]]
		grep -q "vbd/1/51712 stays attached, because its nodes cannot be removed; detach it\." "$log"
		block_remove 1 51712
		[[ -e $there/released ]]
		assert_residue_free
		rm "$there/released" "$log"
		xenstore-rm "$path"
	done
}

@test "an attach whose publishing is refused is undone, whatever the store refuses then" {
	local fault faults
	for fault in 'transaction_end@1+=EACCES' 'transaction_start@1+=drop' 'write:*/physical-device@1+=EACCES rm:*@1+=EACCES'; do
		vbd 1 51712 "$image"
		read -ra faults <<<"$fault"
		store_fault "${faults[@]}"
		run block_add 1 51712
		store_fault_none
		((status == 1))
		run ! store_has "$path/physical-device"
		assert_residue_free
	done
}

@test "a lock that another process has for good ends the attach after 12 s" {
	mkdir -m 700 "$there/run/xen-hotplug"
	exec 9<>"$there/run/xen-hotplug/lock"
	"$helper" lock 9:vbd/1/51712
	quickly
	begin add "${quick[@]}" 9>&-
	ends
	exec 9>&-
	assert_undone "'vbd/1/51712' has been locked by process"
	assert_refused "$path" error 'for 12 s;'
}

@test "a detach that hangs is ended after 34 s with a sentence" {
	block_script </dev/null
	block_add 1 51712
	quickly
	block_script <<<"thing_release() { $computes; }"
	begin remove "${quick[@]}"
	ends
	[[ $status == 1 && $output == *'block was not done within 34 s and was ended'*. ]]
	block_script </dev/null
	block_remove 1 51712
	assert_residue_free
}
