# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Processes that outlive the script that started them. A process is known by its id
# and its start time, because ids are used again. Its arguments prove nothing,
# because each user chooses those of his own processes.

process_start='' # set by process_look

# process_look <process id>
# Sets process_start to the time when the process started, in ticks since the boot;
# to nothing if it has ended.
process_look() {
	local line='' fields
	process_start=''
	# The name of the program, in parentheses, may contain anything.
	IFS= read -r -d '' line 2>/dev/null <"/proc/$1/stat" || :
	read -r -a fields <<<"${line##*) }"
	[[ ${fields[0]-Z} == [ZX] ]] || process_start=${fields[19]}
}

# process_is_root <process id>
# Does it run as root? The owner of its directory in /proc does not tell that.
process_is_root() {
	local key='' ids=''
	while read -r key ids; do
		[[ $key != Uid: ]] || break
	done 2>/dev/null <"/proc/$1/status"
	[[ $key == Uid: && $ids =~ ^0[[:space:]]+0[[:space:]]+0[[:space:]]+0$ ]]
}

# process_runs <process id> <program>
# Does it run this program of this host's?
process_runs() {
	hash -- "$2" 2>/dev/null && [[ /proc/$1/exe -ef ${BASH_CMDS[$2]} ]]
}
