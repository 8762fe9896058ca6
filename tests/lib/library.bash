# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The scripts' library alone: no store, no device, no root. Sourced by bats files.
# XEN_HOTPLUG names another build of the helper, such as the one with sanitizers.

bats_require_minimum_version 1.5.0
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
common=${HOTPLUG_SCRIPTS:-$root/hotplug/Linux}/../common

# library <shell code> [argument...]
# Runs the code in a bash of its own, which has read the library: both the
# library and bats have a function called run. A failure is printed as
# `failed: SENTENCE`. The journal is a file of the test's. The helper is no parent, but
# a program that is started for each request.
library() {
	# shellcheck disable=SC2016 # the inner shell expands
	XEN_HOTPLUG=${XEN_HOTPLUG:-$root/helpers/xen-hotplug} LC_ALL=C bash -c '
		hotplug_common=$1 hotplug_helper=$2/no-helper journal_file=$2/journal
		code=$3
		shift 3
		hotplug_seconds=24 hotplug_undo=""
		. "$hotplug_common/framework.sh"
		library journal-read
		run_tell() { :; }
		helper() {
			local status=0
			"$XEN_HOTPLUG" "$@" >"$BATS_TEST_TMPDIR/answer" 2>"$BATS_TEST_TMPDIR/sentence" || status=$?
			mapfile -d "" -t run_reply <"$BATS_TEST_TMPDIR/answer"
			((status == 0)) || reason=$(<"$BATS_TEST_TMPDIR/sentence")
			return "$status"
		}
		journal_file=$BATS_TEST_TMPDIR/journal
		trap '\''[[ ! $failure ]] || printf "failed: %s\n" "$failure"'\'' EXIT
		eval "$code"
	' script "$common" "$BATS_TEST_TMPDIR" "$@"
}

# table <function> < lines
# Calls the function with the words of each line, as a shell reads them; those
# that begin with # are not lines of the table. Fails, at the end, where it
# failed for one; and where the table is empty.
table() {
	local line words rows=0 bad=0
	while IFS= read -r line; do
		[[ $line && $line != '#'* ]] || continue
		eval "words=($line)"
		rows=$((rows + 1))
		"$1" "${words[@]}" || {
			echo "not so: $line"
			bad=1
		}
	done
	((rows > 0 && !bad))
}
