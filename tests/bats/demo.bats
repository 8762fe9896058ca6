# SPDX-License-Identifier: LGPL-2.1-only
# The demo shows what the README says that it shows, and leaves nothing.
# bats file_tags=waits

@test "the demo attaches, refuses and detaches" {
	run "$BATS_TEST_DIRNAME/../demo"
	[[ $status == 0 ]]
	[[ $output == *'vif1.0@guest1.0'*'master xenbr0'* ]]
	[[ $output == *"Disk '/other-name.img' is in use, read-write, by guest 'web' (domain 1) as xvda;"* ]]
	[[ $output == *"The bridge 'xenbr7' does not exist;"* ]]
	[[ $output == *$'$ ls /run/xen-hotplug\n    lock\n'* ]]
}

@test "the README quotes the demo as the demo prints it" {
	local line
	run "$BATS_TEST_DIRNAME/../demo"
	sed -n '/^# libxl calls/,/^```$/p' "$BATS_TEST_DIRNAME/../../README.md" | grep -v '^```$' |
		while IFS= read -r line; do
			[[ $output == *"$line"* ]] || {
				echo "the demo does not print: $line"
				exit 1
			}
		done
}
