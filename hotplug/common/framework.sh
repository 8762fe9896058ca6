# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The framework's parts, in the order in which they build on each other.
# docs/architecture.md shows how they work together.

set +o posix # which POSIXLY_CORRECT in the environment would set
set -Eeuo pipefail
shopt -s inherit_errexit
# Lengths and patterns are of bytes, messages of tools are in English.
export LC_ALL=C PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
umask 077

libraries=' ' # those that were read

# library <name>
# Reads common/NAME.sh, unless it was read.
library() {
	[[ $libraries != *" $1 "* ]] || return 0
	libraries+="$1 "
	# shellcheck source=/dev/null
	. "$hotplug_common/$1.sh"
}

# framework_rest
# Reads what nobody needs before the store has answered.
framework_rest() {
	library types
	library resources
}

library failure
library run
# The helper starts while bash reads on.
[[ ${1-} == @(help|--help|-h) ]] || run_start 2>/dev/null || :
for hotplug_part in store journal parameters lifecycle; do
	library "$hotplug_part"
done
run_meanwhile=(framework_rest)
unset hotplug_part
