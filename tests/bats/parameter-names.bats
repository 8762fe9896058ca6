# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the scripts, which expand it
# A parameter may have any name: one that the framework uses is refused with its
# line; every other one keeps its value, whatever the framework does.

load ../lib/host
load ../lib/enumerate

setup_file() {
	names_of_variables >"$BATS_FILE_TMPDIR/names"
	(($(wc -l <"$BATS_FILE_TMPDIR/names") > 300))
}

setup() {
	names=$BATS_FILE_TMPDIR/names
	host_start
	domain 1
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
}

teardown() {
	host_stop
}

# names_of_variables
# Every name that a function of the framework, or a file of it, assigns or reads.
names_of_variables() {
	local file
	for file in "$scripts"/hotplug.sh "$scripts"/../common/{,lib/,resources/}*.sh; do
		[[ $file == */hook-shell.sh ]] || shfmt --to-json <"$file"
	done | jq --raw-output '.. | objects | .Type as $type
		| if $type == "ParamExp" then .Param.Value
		elif $type == "CallExpr" then .Assigns[]?.Name.Value, (.Args[]?.Parts[] | select(.Type == "Lit") | .Value)
		elif $type == "DeclClause" then .Args[].Name.Value // empty
		elif $type == "WordIter" then .Name.Value
		elif $type == "Word" then .Parts[0] | select(.Type == "Lit") | .Value
		else empty end' | grep -x '[a-z][a-z0-9_]*' | sort -u
}

# split block|vif
# Writes those that such a script may declare to the file free, and the others to taken.
split() {
	program "$scripts/split" <<-'END'
		#!/bin/bash
		. "${0%/*}/hotplug.sh"
		device "$1" 'A device.'
		while read -r NAME; do
			if parameters_is_taken "$NAME"; then echo "$NAME" >&2; else echo "$NAME"; fi
		done
		lifecycle_answer 0
	END
	host "$scripts/split" "$1" <"$names" >"$BATS_TEST_TMPDIR/free" 2>"$BATS_TEST_TMPDIR/taken"
	(($(cat "$BATS_TEST_TMPDIR"/{free,taken} | wc -l) == $(wc -l <"$names")))
	(($(wc -l <"$BATS_TEST_TMPDIR/free") > 50 && $(wc -l <"$BATS_TEST_TMPDIR/taken") > 150))
}

# declaring block|vif <resource line>...
# Makes the script named, which declares all names in free, each with its own name as
# its value, and looks at all of them wherever code of its own runs.
declaring() {
	local name
	{
		printf '#!/bin/bash\n. "${0%%/*}/hotplug.sh"\ndevice %s "A device."\n' "$1"
		while read -r name; do echo "param $name same $name 'A word.'"; done <"$BATS_TEST_TMPDIR/free"
		printf '%s\n' 'resources() {' '	looks resources' "${@:2}" '	use thing' '}'
		cat <<-'END'
			library lib/sysfs
			looks() {
				for NAME in "${parameters[@]}"; do
					[[ ${!NAME-unset} == "$NAME" ]] || fail "In $1, the parameter $NAME is '${!NAME-unset}'."
				done
			}
			type_same() {
				for NAME in "${parameters[@]}"; do
					[[ ${!NAME-$NAME} == "$NAME" ]] || fail "In a type, the parameter $NAME is '${!NAME}'."
				done
				[[ $1 ]]
			}
			thing_acquire() { looks acquire; sysfs_await 1 thing there; }
			thing_is_there() { looks await; }
			thing_expect() { looks expect; }
			thing_plan() { looks plan; }
			thing_check() { :; }
			thing_release() { [[ $resource_mode != collect ]] || looks release; }
			hotplug "$@"
		END
	} | program "$scripts/named"
}

# goes <type> <devid> <attach> <detach> [argument]
# The script helps, plans, attaches, checks and detaches.
goes() {
	host "$scripts/named" help
	call named plan "$1" 1 "$2"
	call named "$3" "$1" 1 "$2" "${@:5}"
	call named check "$1" 1 "$2"
	call named "$4" "$1" 1 "$2" "${@:5}"
}

@test "a disk's parameter may have every name that is not refused" {
	local list
	split block
	declaring block "	use disk $BATS_TEST_TMPDIR/disk.img w"
	image disk.img
	# A node has at most 4096 bytes; the other parameters have their defaults.
	list=$(awk 'size < 3900 { size += 2 * length($0) + 2; printf "%s%s=%s", comma, $0, $0; comma = "," }' "$BATS_TEST_TMPDIR/free")
	vbd 1 51712 "$list"
	goes vbd 51712 add remove
	vbd 1 51728 "$list" node /dev/none
	call named remove vbd 1 51728
	assert_residue_free
}

@test "an interface's parameter may have every name that is not refused, and hooks get it" {
	local name nodes=()
	split vif
	# These are nodes that libxl has written.
	sed -i -E '/^(script|state)$/d' "$BATS_TEST_TMPDIR/free"
	declaring vif '	use interface "$vif" "$vifname"' '	use address_filter "$dev" "$mac" 10.0.0.1' \
		'	use forwarding "$dev"' '	use bridge_port "$dev" "" ""' '	use hooks'
	mkdir -p "$scripts/vif-post.d"
	for name in 50-program 60-sourced.hook; do
		program "$scripts/vif-post.d/$name" <<-END
			#!/bin/bash
			set -eu
			while read -r NAME; do [[ \${!NAME} == "\$NAME" ]] || { echo "\$NAME is \${!NAME}" >&2; exit 1; }; done <"$BATS_TEST_TMPDIR/free"
			echo "$name \$command" >>"$BATS_TEST_TMPDIR/calls"
		END
	done
	bridge xenbr0
	while read -r name; do nodes+=("$name" "$name"); done <"$BATS_TEST_TMPDIR/free"
	vif 1 0 "${nodes[@]}"
	goes vif 0 online offline type_if=vif
	[[ "$(<"$BATS_TEST_TMPDIR/calls")" == $'50-program online\n60-sourced.hook online\n50-program offline\n60-sourced.hook offline' ]]
	vif 2 0 "${nodes[@]}"
	call named offline vif 2 0 type_if=vif
	assert_residue_free
}

# refused <script>
# Its help refuses the parameter that is in its name, in line 5.
refused() {
	local said name=${1##*/}
	! said=$(host "$1" help 2>&1)
	echo "$name: $said"
	[[ $said == "$1, line 5: the parameter ${name##*-} has a name that the framework uses for something else; give it another." ]]
}

@test "a name that the framework uses is refused with file and line, in help, too" {
	local name kind script
	for kind in block vif; do
		split "$kind"
		while read -r name; do
			! sampled || printf '#!/bin/bash\n. "${0%%/*}/hotplug.sh"\ndevice %s "A device."\n\nparam %s word "" "A word."\nhotplug "$@"\n' \
				"$kind" "$name" >"$scripts/named-$kind-$name"
		done <"$BATS_TEST_TMPDIR/taken"
	done
	local named=("$scripts"/named-*)
	chmod +x "${named[@]}"
	for script in "${named[@]}"; do
		refused "$script"
	done
	say_tried "${#named[@]}" names 880
}
