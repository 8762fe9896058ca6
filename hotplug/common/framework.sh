# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The framework's parts, in the order in which they build on each other.
# docs/architecture.md shows how they work together.

set -Eeuo pipefail
shopt -s inherit_errexit

library_names=' ' # those that were read, each between spaces

# library <name>
# Reads common/NAME.sh, unless it was read.
library() {
	[[ $library_names != *" $1 "* ]] || return 0
	library_names+="$1 "
	# shellcheck source=/dev/null
	. "$hotplug_common/$1.sh"
}

library run
library failure
library store
library lib/lock
library journal
library types
library parameters
library resources
library lifecycle
