# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Resources: what a device is made of. A resource NAME is a few functions, in
# resources/NAME.sh or in the script itself:
#
#   NAME_acquire [argument...]  make it so, or `fail`; sets what later resources need
#   NAME_release [argument...]  undo it; what is gone already is fine; `complain`, or a
#                               status that is not 0, for what cannot be undone
#   NAME_check [argument...]    is it still so? otherwise not 0, with reason set (optional:
#                               without it, the resource is not checked)
#   NAME_repair [argument...]   make it so again, where check fails because other programs have
#                               removed it (optional). It uses what acquire has noted, and no
#                               node of the store. Acquire notes `rules` where these are the
#                               device's own, and `shared rules` (which) where devices share
#                               them, so that `xen-hotplug repair` finds the device.
#   NAME_sweep [argument...]    undo what outlives a boot, such as files: instead of release,
#                               where this host has booted since (optional)
#   NAME_plan [argument...]     the same questions as acquire, no change (optional)
#   NAME_expect [argument...]   sets what acquire would, from arguments and nodes alone
#                               (optional: for a resource that sets something)
#   NAME_arguments='A B'        the arguments that it must have, between single spaces
#                               (optional)
#
# All are idempotent, and each may find any half of acquire done.

resource_mode=''  # the meaning of use, as resources_use has it
resources_last='' # $_ of the script, set by the trap of resources_watch

# resources_use acquire|collect|plan|look
# Has the script's resources() say what the device is made of: to acquire it, to
# note it as if it had been acquired, to print it, or to find mistakes.
resources_use() {
	resource_mode=$1
	# The functions and subshells of resources() have its trap, too.
	set -T
	resources_watch
	resources
	set +T
	trap - DEBUG
}

# resources_look
# Refuses mistakes of resources(), for help and check, which do not need it: the
# parameters have their defaults, and a failure that is no mistake only ends this.
resources_look() {
	local resources_at
	failure_hide y
	for ((resources_at = 0; resources_at < ${#parameters_declared[@]}; resources_at += 4)); do
		resources_default "${parameters_declared[@]:resources_at:3}"
	done
	resources_use look
}

# resources_default <name> <type> <=DEFAULT, or nothing>
# The type may set variables for resources().
resources_default() {
	"type_${2%%:*}" "${3#=}" "${2#*:}" || :
	parameters_set "$1" "${3#=}" ''
}

# resources_watch
# Has bash look at each command before it runs: a verb must be called by use alone.
resources_watch() {
	trap 'resources_last=$_; [[ $BASH_COMMAND == "use "* || ${FUNCNAME[0]} == @(use|resources_*) ]] || resources_refuse "$BASH_COMMAND"; : "$resources_last"' DEBUG
}

# resources_refuse <command>
# Fails the run if the command is a verb, of which a detach would not know, or the
# name of a resource.
resources_refuse() {
	local called=${1%% *}
	[[ $called != [a-z]*_@(acquire|release|check|repair|sweep|plan|expect) ]] || ! resource_read "${called%_*}" ||
		failure_author "resources() calls $called, so a detach would not release it; write 'use ${called%_*}' instead."
	type -t "$called" >/dev/null || ! resource_read "$called" ||
		failure_author "resources() calls $called, which is a resource; write 'use $called' instead."
}

# use <resource> [argument...]
# In a script's resources(): the device has this, too.
use() {
	trap - DEBUG # verbs may call each other
	resource_find "$1"
	resource_accepts "${1}_arguments" "$@"
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
		plan_print "$@"
		resource_optional expect "$@"
		resource_optional plan "$@"
		;;
	look) resource_optional expect "$@" ;;
	esac
	resources_watch
}

# resource_find <resource>
# Fails the run where there is no such resource.
resource_find() {
	resource_read "$1" || failure_author "there is no resource ${1@Q}; correct its name, or write ${1}_acquire and ${1}_release."
}

# resource_accepts NAME_arguments <resource> [argument...]
# Fails the run where arguments are missing.
resource_accepts() {
	local names=${!1-} spaces
	spaces=${names//[! ]/}
	[[ ! $names ]] || (($# - 2 > ${#spaces})) || failure_author "$2 lacks an argument; write 'use $2 $names'."
}

# resource_read <resource>
# Reads the resource's file, unless the script or an earlier use brought it.
# Fails where there is none.
resource_read() {
	[[ $library_names != *" resources/$1 "* ]] || return 0
	declare -F "${1}_acquire" >/dev/null && return 0
	[[ $1 == [a-z]*([a-z0-9_]) && -f $hotplug_common/resources/$1.sh ]] || return
	library "resources/$1"
}

# resource_has_sweep <resource>
# Does it undo what outlives a boot? One that is unknown does not.
resource_has_sweep() {
	resource_read "$1" && declare -F "${1}_sweep" >/dev/null
}

# resource_optional expect|plan|check <resource> [argument...]
# Calls the function where the resource has it.
resource_optional() {
	! declare -F "${2}_$1" >/dev/null || "${2}_$1" "${@:3}"
}
