# SPDX-License-Identifier: LGPL-2.1-only
# The invariant of disks, by model (tests/model): a few random schedules, and
# that scripts which break it are found out. `make model` plays thousands.
# bats file_tags=waits

bats_require_minimum_version 1.5.0
root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
model=$root/tests/model/run
# shellcheck source=../lib/sample.bash
. "$root/tests/lib/sample.bash"

# broken <sed expression>
# Copies of the scripts, whose resource disk is changed so, are those under test now.
broken() {
	local tree=$BATS_TEST_TMPDIR/broken file=common/resources/disk.sh
	mkdir "$tree"
	cp -R "$root/hotplug" "$tree"
	ln -s "$root/helpers" "$tree/helpers"
	sed -i "$1" "$tree/hotplug/$file"
	run ! cmp "$root/hotplug/$file" "$tree/hotplug/$file"
	export HOTPLUG_SCRIPTS=$tree/hotplug/Linux
}

# broken_helper <what>
# The helper is broken in this way of tests/unit/broken.c. To be called once HOTPLUG_SCRIPTS is set.
broken_helper() {
	export BROKEN=$1 LD_PRELOAD=$root/build/unit/broken.so
}

# found_out <regular expression> <option of the model's>...
# The invariant is broken, this is said of it, and how to play the same again.
found_out() {
	run "$model" "${@:2}" 3>&-
	echo "$output"
	[[ $status == 1 && $output =~ $1 ]]
	[[ $output =~ 'the schedule of seed '([0-9]+) ]]
	[[ ! ${HOTPLUG_SCRIPTS-} || $output == *"HOTPLUG_SCRIPTS='$HOTPLUG_SCRIPTS' tests/model/run"* ]]
	[[ $output == *"tests/model/run --seed ${BASH_REMATCH[1]} --schedules 1 --times 100"* ]]
}

@test "random schedules: no two guests hold the same bytes, journals are correct, nothing is left" {
	local length=(--schedules 12)
	((${TEST_SAMPLE:-1} > 1)) || length=(--schedules 100000 --seconds 60)
	run "$model" --seed "${TEST_SEED:-$RANDOM}" "${length[@]}" 3>&-
	echo "$output"
	echo "# ${lines[-1]}" >&3
	[[ $status == 0 ]]
	[[ ${lines[-1]} =~ 'model: '([0-9]+)' schedules, '.*' attached '[1-9][0-9]*', refused '[0-9]+', removed '[1-9][0-9]*', killed '[0-9]+'; the invariant holds' ]]
	((BASH_REMATCH[1] == 12 || BASH_REMATCH[1] > 0 && ${#length[@]} > 2))
}

@test "a seed gives the same schedules again" {
	"$model" --print --seed 7 --schedules 20 >"$BATS_TEST_TMPDIR/one"
	"$model" --print --seed 7 --schedules 20 | cmp - "$BATS_TEST_TMPDIR/one"
	"$model" --print --seed 26 --schedules 1 | cmp - <(sed -n '/^seed 26$/,$p' "$BATS_TEST_TMPDIR/one")
	(($(sed '/^seed/d' "$BATS_TEST_TMPDIR/one" | sort | uniq -d | wc -l) < 40))
	grep -q ' kill .* script remove$' "$BATS_TEST_TMPDIR/one"
	run "$model" --seed x
	[[ $status == 2 ]]
}

@test "the schedule played is the one that its seed gives" {
	broken '/^disk_release/a return 0'
	run "$model" --seed 7 --schedules 1 3>&-
	diff <(sed -n '/^    targets/,/^What the scripts/s/^    \(.*\)/\1/p' <<<"$output" | sed 's/:.*//; s/ *$//' | head -n 4) \
		<("$model" --print --seed 7 --schedules 1 | sed -n 's/^    //p' | sed 's/ - - - -$//' | head -n 4)
}

# What is broken, and what the model says of it: one function each. Of seed 1650, the first step lets
# three guests write one file, by two names, at once; of seed 1289, two read one partition.

defect_users() { # a claim ignores other users
	broken "s/--mode \"[$]2\"/--mode 'w!'/"
	found_out 'Two guests hold the same bytes: ' --seed 1650 --schedules 1
}

defect_lock() { # a claim takes no lock
	broken 's/--lock "[$]lock_descriptor"//'
	found_out 'Two guests hold the same bytes: ' --seed 1650 --schedules 1 --times 100
}

defect_refusal() { # a refusal has no reason
	broken 's/--mode "[$]2"/--mode w/'
	found_out 'although nobody in its way had it: ' --seed 1289 --schedules 1
}

defect_release() { # a release does nothing
	broken '/^disk_release/a return 0'
	found_out 'Nobody has it, but it is still there: /dev/loop|although nobody in its way had it: ' --schedules 5
}

defect_journal() { # a journal names another device
	broken 's/device "[$]dev"/device other/'
	found_out 'is attached, but its journal is ' --schedules 5
}

# Of seed 367, the first step gives a file to write, and then the same file on an overlay to read; of
# seed 2537, the host mounts the file system in a guest's image, and another guest wants a file there;
# of seed 8, a guest's QEMU has a file open that another guest wants; of seed 2, gc runs beside guests
# that have disks; of seed 14, a script of another's and ours want one partition at once; of seed 2799,
# the file server is silent during an attach of another disk.

defect_overlay() { # a claim does not look below an overlay
	broken_helper overlay
	found_out 'Two guests hold the same bytes: 1a has f-over .*, 2a has f ' --seed 367 --schedules 1 --times 20
}

defect_nested() { # a claim does not look below a file system
	broken_helper nested
	found_out 'Two guests hold the same bytes: .* has n-2 .* has n ' --seed 2537 --schedules 1 --times 20
}

defect_served() { # a claim does not see what QEMU has open
	broken_helper served
	found_out 'Two guests hold the same bytes: .*, 1q has ' --seed 8 --schedules 1 --times 20
}

defect_stale() { # gc takes what a guest has
	broken_helper stale
	found_out 'is attached, but its journal is ' --seed 2 --schedules 1 --times 20
}

defect_xen_lock() { # a claim ignores the lock of Xen's scripts
	broken 's/ --xen-lock "[^"]*"//'
	found_out 'Two guests hold the same bytes: .*[0-9]x has ' --seed 14 --schedules 1 --times 200
}

defect_server() { # an attach asks the server of another guest's image
	# shellcheck disable=SC2016 # the script expands
	broken '/^disk_acquire() {/a for file in /sys/block/loop*/loop/backing_file; do { read -r file <"$file" && [[ -e $file ]]; } 2>/dev/null || :; done'
	found_out 'still waits for the silent file server|has failed to attach' --seed 2799 --schedules 1 --times 20
}

defects=(users lock refusal release journal overlay nested served stale xen_lock server)

# can_have <defect>
# Has this kernel what it needs?
can_have() {
	case $1 in
	overlay | served) [[ -w / ]] && grep -qw overlay /proc/filesystems ;;
	server) [[ -c /dev/fuse ]] ;;
	esac
}

@test "the model detects a claim, a release, a journal and a gc that are broken" {
	local defect tried=0
	sample_of "${#defects[@]}"
	for defect in "${defects[@]}"; do
		sampled || continue
		can_have "$defect" || {
			sample_next
			continue
		}
		echo "broken: $defect"
		rm -rf "$BATS_TEST_TMPDIR/broken"
		("defect_$defect")
		tried=$((tried + 1))
	done
	say_tried "$tried" 'broken scripts' 7
}
