# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Resources: what a device is made of. A resource NAME is a few functions, in
# resources/NAME.sh or in the script itself:
#
#   NAME_acquire [argument...]  make it so, or `fail`; sets what later resources need
#   NAME_release [argument...]  undo it; what is gone already is fine; `complain`, or a
#                               status that is not 0, for what cannot be undone
#   NAME_check [argument...]    is it still so? (optional) otherwise not 0, with reason set
#   NAME_plan [argument...]     the same questions as acquire, no change (optional)
#   NAME_expect [argument...]   sets what acquire would, from arguments and nodes alone
#                               (optional: for a resource that sets something)
#
# All are idempotent, and each may find any half of acquire done.

resource_mode=acquire # what use does: acquire, collect or plan

# use <resource> [argument...]
# In a script's resources(): the device has this, too.
use() {
	resource_find "$1"
	case $resource_mode in
	acquire)
		journal_begin "$@"
		"${1}_acquire" "${@:2}"
		;;
	collect)
		journal_add "$@"
		resource_optional expect "$@"
		;;
	plan)
		help_plan_line "$@"
		resource_optional expect "$@"
		resource_optional plan "$@"
		;;
	esac
}

# resource_find <resource>
# Reads the resource's file, unless the script or an earlier use brought it.
resource_find() {
	declare -F "${1}_acquire" >/dev/null && return 0
	[[ $1 =~ ^[a-z][a-z0-9_]*$ && -f $hotplug_common/resources/$1.sh ]] ||
		fail "There is no resource ${1@Q}: neither ${1}_acquire in $hotplug_name nor a file of that name in $hotplug_common/resources."
	# shellcheck source=/dev/null
	. "$hotplug_common/resources/$1.sh"
}

# resource_optional expect|plan|check <resource> [argument...]
# Calls the function where the resource has it.
resource_optional() {
	! declare -F "${2}_$1" >/dev/null || "${2}_$1" "${@:3}"
}

# resources_release
# Releases all that the journal names, the last one first, and goes on where
# one of them fails.
resources_release() {
	local first name
	for ((journal_at = ${#journal_name[@]} - 1; journal_at >= 0; journal_at--)); do
		name=${journal_name[journal_at]}
		first=${journal_first[journal_at]}
		reason="The release of $name failed."
		resource_find "$name"
		"${name}_release" "${journal_values[@]:first:journal_count[journal_at]}" ||
			complain "$reason"
	done
}

# resources_check
# Says of each resource in the journal whether it is still there; fails where
# one is not.
resources_check() {
	local first name verdict status=0
	for ((journal_at = 0; journal_at < ${#journal_name[@]}; journal_at++)); do
		name=${journal_name[journal_at]}
		first=${journal_first[journal_at]}
		reason='' verdict=ok
		resource_find "$name"
		resource_optional check "$name" "${journal_values[@]:first:journal_count[journal_at]}" ||
			verdict=broken status=1
		printf '%-7s %s%s\n' "$verdict" "$name" "${reason:+: $reason}"
	done
	return "$status"
}
