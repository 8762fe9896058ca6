# SPDX-License-Identifier: LGPL-2.1-only
# That the conformance run tells what passes from what fails, and that
# docs/conformance.md is of this suite. What Xen's own scripts do is run by
# `make conformance-upstream` alone: it takes minutes.

bats_require_minimum_version 1.5.0

setup() {
	root=$BATS_TEST_DIRNAME/../..
	table=$root/docs/conformance.md
	ours=$BATS_TEST_TMPDIR/ours
	upstream=$BATS_TEST_TMPDIR/upstream-4.1.2+3/etc/xen/scripts
	mkdir -p "$BATS_TEST_TMPDIR/suite" "$ours" "$upstream"
}

# titles
# Of the suite's tests.
titles() {
	cat "$root"/tests/conformance/*.bats | sed -n 's/^@test "\(.*\)" {$/\1/p'
}

# suite < tests
# Makes the suite of these tests, which begin with test, as bats knows @test everywhere.
suite() {
	sed 's/^test "/@&/' >"$BATS_TEST_TMPDIR/suite/suite.bats"
}

# conformance [option] directory...
# Runs a suite of two tests: the contract is that there is a file, the defect is what another one says.
conformance() {
	suite <<-'END'
		test "contract: there is (a) *file." {
			[[ -e $HOTPLUG_SCRIPTS/file ]]
		}

		# upstream: seen: bro+ken
		test "defect 1: it is not broken" {
			echo "seen: $(<"$HOTPLUG_SCRIPTS/state")"
			[[ "$(<"$HOTPLUG_SCRIPTS/state")" == whole ]]
		}
	END
	conformance_suite "$@"
}

# conformance_suite [option] directory...
# bats tells the tests that it runs about itself by variables, which another
# bats must not see.
conformance_suite() {
	run env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" TMPDIR="$BATS_TEST_TMPDIR" \
		PACE_MS="${PACE_MS-}" CONFORMANCE_SUITE="$BATS_TEST_TMPDIR/suite" CONFORMANCE_DOCUMENT="$BATS_TEST_TMPDIR/document" \
		timeout $((4 * generous)) "$root/tests/conformance/run" "$@" 3>&-
}

# scripts <directory> <state> [file]
# Stands for a set of scripts.
scripts() {
	echo "$2" >"$1/state"
	(($# == 2)) || touch "$1/$3"
}

@test "the document lists exactly the suite's tests in the suite's order" {
	diff <(titles) <(sed -n 's/^| \(\(contract\|defect [0-9]*\): [^|]*\) |.*/\1/p' "$table")
}

@test "in the document all scripts pass the contract, and only ours pass the defects" {
	run -1 grep -E '^\| contract: ' <(grep -vE '\| pass \| pass \| pass \|$' "$table")
	run -1 grep -E '^\| defect ' <(grep -vE '\| (fails as described|came later) \| fails as described \| pass \|$' "$table")
}

@test "defects.md and the tests of defects have the same numbers" {
	diff <(sed -n '/^## /q; s/^| \([0-9][0-9]*\) |.*/\1/p' "$root/docs/defects.md" | sort -u) \
		<(titles | sed -n 's/^defect \([0-9]*\): .*/\1/p' | sort -u)
}

@test "the run succeeds if ours pass and Xen's fail as described" {
	scripts "$ours" whole file
	scripts "$upstream" broken file
	conformance "$ours" "$upstream"
	[[ "$status" -eq 0 ]]
	[[ $output == *"| test | Xen 4.1 | $ours |"* ]]
	[[ $output == *'| contract: there is (a) *file. | pass | pass |'* ]]
	[[ $output == *'| defect 1: it is not broken | fails as described | pass |'* ]]
}

@test "the run fails and shows the output if our scripts fail the contract" {
	scripts "$ours" whole
	conformance "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| contract: there is (a) *file. | FAILS |'* ]]
	[[ $output == *'HOTPLUG_SCRIPTS/file'* ]]
}

@test "the run fails if our scripts have a defect" {
	scripts "$ours" broken file
	conformance "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| defect 1: it is not broken | FAILS |'* ]]
}

@test "the run fails if Xen's scripts pass the test of a defect" {
	scripts "$ours" whole file
	scripts "$upstream" whole file
	conformance "$ours" "$upstream"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| defect 1: it is not broken | PASSES | pass |'* ]]
}

@test "the run fails if Xen's scripts fail the test of a defect for another reason" {
	scripts "$ours" whole file
	scripts "$upstream" 'not there' file
	conformance "$ours" "$upstream"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| defect 1: it is not broken | FAILS | pass |'* ]]
}

# later <version>
# Runs a suite of one test, of a defect that came with this version, on 4.1's scripts.
later() {
	suite <<-END
		# upstream: from $1: seen: broken
		test "defect 1: it is not broken" {
			echo "seen: \$(<"\$HOTPLUG_SCRIPTS/state")"
			[[ "\$(<"\$HOTPLUG_SCRIPTS/state")" == whole ]]
		}
	END
	conformance_suite "$ours" "$upstream"
}

@test "a defect of newer scripts of Xen's is not expected in older ones" {
	local version
	scripts "$ours" whole
	scripts "$upstream" whole
	for version in 4.2 4.10 5; do
		later "$version"
		[[ "$status" -eq 0 ]]
		[[ $output == *'| defect 1: it is not broken | came later | pass |'* ]]
	done
	for version in 4.1 4.0 3.9; do
		later "$version"
		[[ "$status" -eq 1 ]]
		[[ $output == *'| defect 1: it is not broken | PASSES | pass |'* ]]
	done
	scripts "$upstream" broken
	later 4.1
	[[ "$status" -eq 0 ]]
	scripts "$ours" broken
	later 4.2
	[[ "$status" -eq 1 ]]
}

@test "the run fails if Xen's scripts fail the contract" {
	scripts "$ours" whole file
	scripts "$upstream" broken
	conformance "$ours" "$upstream"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| contract: there is (a) *file. | FAILS | pass |'* ]]
}

@test "the run succeeds if Xen's scripts pass a test when it is repeated alone" {
	scripts "$ours" whole file
	scripts "$upstream" broken
	suite <<-'END'
		test "contract: the second time it is there" {
			[[ $HOTPLUG_SCRIPTS != *upstream* || -e $HOTPLUG_SCRIPTS/file ]] || {
				touch "$HOTPLUG_SCRIPTS/file"
				false
			}
		}
	END
	conformance_suite "$ours" "$upstream"
	[[ "$status" -eq 0 ]]
	[[ $output == *'again, alone, try 1: contract: the second time it is there'* ]]
}

@test "the run fails if a test is skipped" {
	suite <<<'test "contract: a" { skip "there is no a here"; }'
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *'there is no a here'* ]]
}

@test "the run fails if bats cannot read the suite" {
	suite <<<'test "contract: a" { if; }'
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
}

@test "a test of a defect without an upstream line, or of neither kind, is an error" {
	suite <<<'test "defect 1: a" { true; }'
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *"'defect 1: a' is neither"* ]]
	suite <<<'test "a" { true; }'
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
}

@test "a suite without tests is an error" {
	suite </dev/null
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
}

@test "two tests with one title are an error" {
	echo '@test "contract: a" { true; }' >"$BATS_TEST_TMPDIR/suite/1.bats"
	echo '@test "contract: a" { true; }' >"$BATS_TEST_TMPDIR/suite/2.bats"
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *"two tests 'contract: a'"* ]]
}

@test "--table writes the document with the versions" {
	scripts "$ours" whole file
	scripts "$upstream" broken file
	conformance --table "$ours" "$upstream"
	[[ "$status" -eq 0 ]]
	grep -F '4.1.2+3' "$BATS_TEST_TMPDIR/document"
	conformance --check "$ours" "$upstream"
	[[ "$status" -eq 0 ]]
	sed -i 's/4.1.2+3/4.1.2+4/' "$BATS_TEST_TMPDIR/document"
	conformance --check "$ours" "$upstream"
	[[ "$status" -eq 0 ]]
	sed -i 's/4.1:/4.0:/' "$BATS_TEST_TMPDIR/document"
	conformance --check "$ours" "$upstream"
	[[ "$status" -eq 1 ]]
	[[ $output == *'make conformance-table writes it anew'* ]]
}

@test "--table writes no document after a failed run" {
	scripts "$ours" broken file
	conformance --table "$ours"
	[[ "$status" -eq 1 ]]
	[[ ! -e "$BATS_TEST_TMPDIR/document" ]]
}
