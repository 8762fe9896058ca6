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
		CONFORMANCE_SUITE="$BATS_TEST_TMPDIR/suite" CONFORMANCE_DOCUMENT="$BATS_TEST_TMPDIR/document" \
		timeout $((4 * generous)) "$root/tests/conformance/run" "$@" 3>&-
}

# scripts <directory> <state> [file]
# Stands for a set of scripts.
scripts() {
	echo "$2" >"$1/state"
	(($# == 2)) || touch "$1/$3"
}

@test "the document has exactly the suite's tests, in its order" {
	diff <(titles) <(sed -n 's/^| \(\(contract\|defect [0-9]*\): [^|]*\) |.*/\1/p' "$table")
}

@test "in the document all pass the contract, and only ours the defects" {
	run -1 grep -E '^\| contract: ' <(grep -vE '\| pass \| pass \| pass \|$' "$table")
	run -1 grep -E '^\| defect ' <(grep -vE '\| (fails as described|came later) \| fails as described \| pass \|$' "$table")
}

@test "each defect of the list has a test, and each test of a defect is in the list" {
	diff <(sed -n '/^## /q; s/^| \([0-9][0-9]*\) |.*/\1/p' "$root/docs/defects.md" | sort -u) \
		<(titles | sed -n 's/^defect \([0-9]*\): .*/\1/p' | sort -u)
}

@test "scripts that pass, and Xen's that fail as described, are a success" {
	scripts "$ours" whole file
	scripts "$upstream" broken file
	conformance "$ours" "$upstream"
	[[ "$status" -eq 0 ]]
	[[ $output == *"| test | Xen 4.1 | $ours |"* ]]
	[[ $output == *'| contract: there is (a) *file. | pass | pass |'* ]]
	[[ $output == *'| defect 1: it is not broken | fails as described | pass |'* ]]
}

@test "scripts that fail the contract are a failure, and its output is shown" {
	scripts "$ours" whole
	conformance "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| contract: there is (a) *file. | FAILS |'* ]]
	[[ $output == *'HOTPLUG_SCRIPTS/file'* ]]
}

@test "scripts that have a defect are a failure" {
	scripts "$ours" broken file
	conformance "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| defect 1: it is not broken | FAILS |'* ]]
}

@test "Xen's scripts that pass the test of a defect are a failure" {
	scripts "$ours" whole file
	scripts "$upstream" whole file
	conformance "$ours" "$upstream"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| defect 1: it is not broken | PASSES | pass |'* ]]
}

@test "Xen's scripts that fail the test of a defect for another reason are a failure" {
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

@test "a defect that came with newer scripts of Xen's is not looked for in older ones" {
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

@test "Xen's scripts that fail the contract are a failure" {
	scripts "$ours" whole file
	scripts "$upstream" broken
	conformance "$ours" "$upstream"
	[[ "$status" -eq 1 ]]
	[[ $output == *'| contract: there is (a) *file. | FAILS | pass |'* ]]
}

@test "what Xen's scripts fail at once and pass alone is a success" {
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

@test "a test that is skipped is a failure" {
	suite <<<'test "contract: a" { skip "there is no a here"; }'
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *'there is no a here'* ]]
}

@test "a suite that bats cannot read is a failure" {
	suite <<<'test "contract: a" { if; }'
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
}

@test "a test of a defect that does not say how Xen's scripts fail it is an error, and so is one of neither kind" {
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

@test "two tests of one title are an error" {
	echo '@test "contract: a" { true; }' >"$BATS_TEST_TMPDIR/suite/1.bats"
	echo '@test "contract: a" { true; }' >"$BATS_TEST_TMPDIR/suite/2.bats"
	conformance_suite "$ours"
	[[ "$status" -eq 1 ]]
	[[ $output == *"two tests 'contract: a'"* ]]
}

@test "--table writes the document, with the versions, and --check fails where it says something else, whatever the package's revision" {
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

@test "--table does not write a document of a run that failed" {
	scripts "$ours" broken file
	conformance --table "$ours"
	[[ "$status" -eq 1 ]]
	[[ ! -e "$BATS_TEST_TMPDIR/document" ]]
}
