# SPDX-License-Identifier: LGPL-2.1-only
# The hooks of vif-post.d: what they are told, when, and what follows where one fails.

load ../lib/host
load ../lib/observe
load ../lib/enumerate

setup() {
	host_start
	domain 1
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	calls=$BATS_TEST_TMPDIR/calls
	: >"$calls"
	bridge xenbr0
}

teardown() {
	host_stop
}

# hook <name> <line>...
# Puts an executable file into vif-post.d: a hook that is sourced, or a program.
hook() {
	local first='#!/bin/bash'
	mkdir -p "$scripts/vif-post.d"
	printf '%s\n' "$first" "${@:2}" >"$scripts/vif-post.d/$1"
	chmod +x "$scripts/vif-post.d/$1"
}

# noting <name>...
# Hooks that say that they were called, for what, and how the link is then.
noting() {
	local name
	for name; do
		hook "$name" "echo $name \$command \$dev \$(ip -o link show dev \"\$dev\" | grep -c xenbr0) >>$calls"
	done
}

# assert_calls [line...]
# The hooks have said exactly this.
assert_calls() {
	(($# == 0)) || printf '%s\n' "$@" | diff -u - "$calls"
	(($# > 0)) || diff -u /dev/null "$calls"
}

@test "hooks are called in order of their names while the port exists" {
	noting 10-first.hook 20-second 30-third.hook
	vif 1 0 bridge xenbr0 vifname web
	online 1 0
	assert_calls '10-first.hook online web 1' '20-second online web 1' '30-third.hook online web 1'
	: >"$calls"
	offline 1 0
	assert_calls '10-first.hook offline web 1' '20-second offline web 1' '30-third.hook offline web 1'
	assert_residue_free
}

@test "a tap's hooks are called with add and remove" {
	noting 10-first
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	tap_remove 1 0
	assert_calls '10-first add vif1.0-emu 1' '10-first remove vif1.0-emu 1'
}

@test "a program has the documented variables in its environment, whatever the caller's environment has" {
	# shellcheck disable=SC2016 # the hook expands
	hook facts 'echo "$command $type_if $domid $devid $vif $vifname $dev $bridge $mtu $XENBUS_PATH" >>'"$calls"
	vif 1 0 bridge xenbr0 vifname web mtu 1400
	bridge=wrong dev=wrong command=wrong domid=9 online 1 0
	bridge=wrong dev=wrong command=wrong domid=9 offline 1 0
	assert_calls 'online vif 1 0 vif1.0 web web xenbr0 1400 backend/vif/1/0' \
		'offline vif 1 0 vif1.0 web web xenbr0 1400 backend/vif/1/0'
}

@test "a *.hook is sourced with Xen's variables and functions under the calling script's name" {
	# shellcheck disable=SC2016 # the hook expands
	hook 10.hook 'do_or_die true; do_without_error false; log debug hello' \
		'id=$(xenstore_read "$XENBUS_PATH/frontend-id")' \
		'none=$(xenstore_read_default "$XENBUS_PATH/none" none)' \
		'echo "$(basename "$0") $* $id $none $dir" >>'"$calls"
	vif 1 0 bridge xenbr0
	online 1 0
	assert_calls "vif-bridge online type_if=vif 1 none $scripts"
}

# refused_hook <part of the sentence>
# The attach fails with it, and leaves nothing.
refused_hook() {
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "$1"
	assert_residue_free
	assert_link_down vif1.0
}

@test "a failed hook rolls back the attach" {
	local sentence
	vif 1 0 bridge xenbr0
	hook 50-program 'echo "There is no shaper." >&2; exit 3'
	refused_hook "The hook $scripts/vif-post.d/50-program failed: There is no shaper."
	rm "$scripts"/vif-post.d/*
	hook 50.hook 'fatal "There is no gate."'
	refused_hook "The hook $scripts/vif-post.d/50.hook failed: There is no gate."
	rm "$scripts"/vif-post.d/*
	hook 50.hook false
	refused_hook "The hook $scripts/vif-post.d/50.hook failed with exit status 1"
	rm "$scripts"/vif-post.d/*
	online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "a failed hook and the hooks before it are called for the detach" {
	noting 10-first 90-last
	hook 50-second "echo 50-second \$command >>$calls; [[ \$command != online ]]"
	vif 1 0 bridge xenbr0
	run online 1 0
	assert_calls '10-first online vif1.0 1' '50-second online' \
		'10-first offline vif1.0 1' '50-second offline' '90-last offline vif1.0 1'
	assert_residue_free
}

@test "a hook that hangs fails the attach in time" {
	local started=$SECONDS
	hook 50-slow 'sleep 60'
	vif 1 0 bridge xenbr0
	refused_hook "The hook $scripts/vif-post.d/50-slow did not end within"
	((SECONDS - started < in_time))
}

@test "a hook that fails at the detach is reported" {
	vif 1 0 bridge xenbr0
	hook 50-first "[[ \$command == online ]] || { echo Never. >&2; exit 1; }"
	noting 60-second
	online 1 0
	run offline 1 0
	[[ "$status" -eq 0 ]]
	[[ $output == "The hook $scripts/vif-post.d/50-first failed: Never." ]]
	grep "^err: The hook .*50-first failed: Never" "$log"
	assert_calls '60-second online vif1.0 1' '60-second offline vif1.0 1'
	assert_residue_free
}

@test "hooks installed after the attach have the device's variables at the detach" {
	vif 1 0 bridge xenbr0 vifname web
	online 1 0
	noting 10-first
	offline 1 0
	assert_calls '10-first offline web 1'
}

@test "hooks are called at the detach of an interface that other scripts attached" {
	vif 1 0 bridge xenbr0 vifname web
	host ip link set vif1.0 name web
	host ip link set web master xenbr0
	of_xenbus web backend/vif/1/0
	noting 10-first
	offline 1 0
	assert_calls '10-first offline web 1'
}

@test "hooks are not called at the detach if the attach was killed before them" {
	vif 1 0 bridge xenbr0
	# shellcheck disable=SC2016 # the hook expands
	hook 50-killer 'read -r _ _ _ worker _ </proc/$$/stat' 'read -r _ _ _ script _ </proc/$worker/stat' \
		'kill -KILL "$script"'
	noting 10-first
	run online 1 0
	[[ "$status" -eq 137 ]]
	rm "$scripts/vif-post.d/50-killer"
	offline 1 0
	assert_calls '10-first online vif1.0 1' '10-first offline vif1.0 1'
	assert_residue_free
}

@test "files that are not executable, and backups of editors and packages, are not called" {
	noting 10-first~ 10-first.dpkg-old 10-first.hook.rpmsave .hidden off
	chmod -x "$scripts/vif-post.d/off"
	mkdir "$scripts/vif-post.d/directory"
	ln -s /nowhere "$scripts/vif-post.d/dangling"
	vif 1 0 bridge xenbr0
	online 1 0
	assert_calls
}

@test "without hooks no program is started" {
	local environment none
	load ../bench/measure
	libxl_environment vif 1 0
	vif 1 0 bridge xenbr0
	offline 1 0
	none=$(programs "$scripts/vif-bridge" online)
	offline 1 0
	hook 10 :
	[[ "$(programs "$scripts/vif-bridge" online)" == $((none + 2)) ]]
}

@test "the worked example of docs/hooks.md limits what a guest sends" {
	# shellcheck disable=SC2016 # backticks of Markdown
	sed -n '/^```bash 50-shape$/,/^```$/p' "$root/docs/hooks.md" | sed '1d;$d' >"$BATS_TEST_TMPDIR/50-shape"
	[[ -s "$BATS_TEST_TMPDIR/50-shape" ]]
	mkdir -p "$scripts/vif-post.d"
	install "$BATS_TEST_TMPDIR/50-shape" "$scripts/vif-post.d/"
	vif 1 0 bridge xenbr0
	online 1 0
	host tc qdisc show dev vif1.0 | grep -q '^qdisc tbf .* root .* rate 100Mbit'
	offline 1 0
	host tc qdisc show dev vif1.0 | run ! grep tbf
}

@test "a hook is told parameters whatever their names" {
	local name names=(file facts began notes status name value)
	hook 50-tell "echo \"\${file-} \${facts-} \${began-} \${notes-} \${status-} \${name-} \${value-}\" >>$calls"
	{
		printf '#!/bin/bash\n. %q\ndevice vif "A port."\n' "$scripts/hotplug.sh"
		for name in "${names[@]}"; do echo "param $name word '' 'A word.'"; done
		# shellcheck disable=SC2016 # the script expands
		printf '%s\n' 'resources() {' '	use interface "$vif" "$vifname"' '	use hooks' '}' 'hotplug "$@"'
	} | program "$scripts/vif-words"
	vif 1 0 file 1 facts 2 began 3 notes 4 status 5 name 6 value 7
	call vif-words online vif 1 0 type_if=vif
	call vif-words offline vif 1 0 type_if=vif
	assert_calls '1 2 3 4 5 6 7' '1 2 3 4 5 6 7'
}
