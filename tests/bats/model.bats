# SPDX-License-Identifier: LGPL-2.1-only
# The invariant of disks, by model (tests/model): a few random schedules, and
# that scripts which break it are found out. `make model` plays thousands.

bats_require_minimum_version 1.5.0
root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
model=$root/tests/model/run

# broken <sed expression>
# Copies of the scripts, whose resource disk is changed so, are those under test now.
broken() {
	local tree=$BATS_TEST_TMPDIR/broken
	mkdir "$tree"
	cp -R "$root/hotplug" "$tree"
	ln -s "$root/helpers" "$tree/helpers"
	sed -i "$1" "$tree/hotplug/common/resources/disk.sh"
	run ! cmp "$root/hotplug/common/resources/disk.sh" "$tree/hotplug/common/resources/disk.sh"
	export HOTPLUG_SCRIPTS=$tree/hotplug/Linux
}

# found_out <number of schedules> <what is said>
# One of so many random schedules breaks the invariant, and it is said how to play it again.
found_out() {
	run "$model" --schedules "$1" 3>&-
	echo "$output"
	[[ $status == 1 && $output == *"$2"* ]]
	[[ $output =~ 'the schedule of seed '([0-9]+) ]]
	[[ $output == *"HOTPLUG_SCRIPTS='$HOTPLUG_SCRIPTS' tests/model/run --seed ${BASH_REMATCH[1]} --schedules 1 --times 100"* ]]
}

@test "30 random schedules: no two guests hold the same bytes, journals tell the truth, nothing is left" {
	run "$model" --schedules 30 3>&-
	echo "$output"
	[[ $status == 0 ]]
	[[ ${lines[-1]} =~ 'model: 30 schedules, '.*' attached '[0-9]{2,}', refused '[0-9]{2,}', removed '[0-9]{3,}', killed '[0-9]{2,}'; the invariant holds' ]]
}

@test "a seed draws the same schedules again, and another seed others" {
	"$model" --print --seed 7 --schedules 20 >"$BATS_TEST_TMPDIR/one"
	"$model" --print --seed 7 --schedules 20 | cmp - "$BATS_TEST_TMPDIR/one"
	"$model" --print --seed 26 --schedules 1 | cmp - <(sed -n '/^seed 26$/,$p' "$BATS_TEST_TMPDIR/one")
	(($(sed '/^seed/d' "$BATS_TEST_TMPDIR/one" | sort | uniq -d | wc -l) < 40))
	grep -q ' kill .* script remove$' "$BATS_TEST_TMPDIR/one"
	run "$model" --seed x
	[[ $status == 2 ]]
}

@test "what was played is the schedule that its seed draws" {
	broken '/^disk_release/a return 0'
	run "$model" --seed 7 --schedules 1 3>&-
	diff <(sed -n '/^    targets/,/^What the scripts/s/^    \(.*\)/\1/p' <<<"$output" | sed 's/:.*//; s/ *$//' | head -n 4) \
		<("$model" --print --seed 7 --schedules 1 | sed -n 's/^    //p' | sed 's/ - - - -$//' | head -n 4)
}

@test "a claim that looks for nobody is found out: two guests hold the same bytes" {
	broken "s/--mode \"[$]2\"/--mode 'w!'/"
	found_out 20 'Two guests hold the same bytes: '
}

@test "a claim without a lock is found out" {
	broken 's/--lock "[$]run_lock"//'
	found_out 200 'Two guests hold the same bytes: '
}

@test "a release that does nothing is found out: a loop device is left" {
	broken '/^disk_release/a return 0'
	found_out 5 'Nobody has it, but it is still there: /dev/loop'
}

@test "a refusal without a reason is found out" {
	broken 's/--mode "[$]2"/--mode w/'
	found_out 30 'although nobody in its way had it: '
}

@test "a journal that names another device is found out" {
	broken 's/device "[$]dev"/device other/'
	found_out 5 'is attached, but its journal is '
}
