# SPDX-License-Identifier: LGPL-2.1-only
# Every step of docs/writing-a-script.md, on an installed copy: the scripts are
# written from the page, its commands are run, and must print what it says.

load ../lib/host

setup() {
	host_start
	domain 1
	domain 2
	page=$root/docs/writing-a-script.md
	XL_SCRIPTS=$BATS_TEST_TMPDIR/etc/xen/scripts
	make -s -C "$root" install SYSCONFDIR="$BATS_TEST_TMPDIR/etc" PREFIX="$BATS_TEST_TMPDIR/usr" >/dev/null
	cp "$root/tests/stand-ins/xl" "$BATS_TEST_TMPDIR/usr/"
	export XL_SCRIPTS PATH=$BATS_TEST_TMPDIR/usr:$PATH
}

teardown() {
	host_stop
}

# here
# The page's places, in the test's directory.
here() {
	sed -e "s|/etc/xen|$BATS_TEST_TMPDIR/etc/xen|g" -e "s|/srv/pool|$BATS_TEST_TMPDIR/pool|g"
}

# write_scripts
# Each block that is headed by a script's name becomes that script.
write_scripts() {
	local name
	# shellcheck disable=SC2016 # backticks of Markdown
	sed -n 's/^```bash \(.*\)/\1/p' "$page" | while read -r name; do
		sed -n "/^\`\`\`bash $name\$/,/^\`\`\`\$/p" "$page" | sed '1d;$d' | here >"$XL_SCRIPTS/$name"
	done
}

# transcript
# The page's consoles: commands behind a dollar sign, and what they print.
transcript() {
	# shellcheck disable=SC2016 # backticks of Markdown
	sed -n '/^```console$/,/^```$/p' "$page" | grep -v '^```' | here
}

# play
# The transcript's commands with what they really print.
play() {
	local line
	while IFS= read -r line; do
		[[ $line == '$ '* ]] || continue
		printf '%s\n' "$line"
		host bash -c "${line#'$ '}" 2>&1 </dev/null || :
	done < <(transcript)
}

@test "the page's scripts and commands print what the page says" {
	write_scripts
	[[ "$(transcript | grep -c '^\$')" -gt 10 ]]
	diff -u <(transcript) <(play)
	assert_residue_free
	[[ -z "$(ls "$BATS_TEST_TMPDIR"/pool/*-*.img 2>/dev/null)" ]]
}

@test "the page's first script has ten lines" {
	write_scripts
	[[ "$(grep -c . "$XL_SCRIPTS/block-pool")" -le 10 ]]
	cp "$root/.shellcheckrc" "$XL_SCRIPTS"
	shellcheck "$XL_SCRIPTS/block-pool" "$XL_SCRIPTS/block-scratch"
}

@test "the page names every type and every resource" {
	local name names
	mapfile -t names < <(sed -n 's/^type_\([a-z]*\)().*/\1/p' "$root/hotplug/common/types.sh" &&
		basename -s .sh "$root"/hotplug/common/resources/*.sh)
	for name in "${names[@]}"; do
		grep -q "\`${name}[\` :]" "$page" || {
			echo "the page does not name $name"
			return 1
		}
	done
}
