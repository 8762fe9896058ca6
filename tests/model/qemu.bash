# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A stand-in for a guest's QEMU: a process of that name has the images open, and libxl's
# nodes say which it serves. libxl asks no script, so it may open what another
# guest has; only those that come later have to see it.

declare -A qemu_pid      # of each device that runs
declare -A qemu_recorded # whether libxl has a record of the process
declare -A qemu_hidden   # of each device that has, or had at last, a process without a record
qemu_ended=()            # those that are killed, and not yet gone

# Opens the files, tells so, and waits for ever.
# shellcheck disable=SC2016 # that bash expands
qemu_program='
	for file in "${@:2}"; do
		if [[ $file == r:* ]]; then exec {fd}<"${file#?:}"; else exec {fd}<>"${file#?:}"; fi
	done
	echo ready
	exec >/dev/null
	read -r _ <"$1"'

# qemu_make
# Its executable, which is a bash.
qemu_make() {
	cp "$BASH" "$model_dir/qemu-system-i386"
}

# qemu_start
# The caller's call at number at: adds to its pairs. What is not there, or read-only, cannot be opened.
qemu_start() {
	local target=${call_target[at]} mode=${call_mode[at]} ready
	device_target["$device"]=$target device_mode["$device"]=$mode
	if [[ ! -e ${target_path[$target]-} || $mode:${target_kind[$target]} == w:readonly ]]; then
		call_status[at]=1
		return
	fi
	unset "qemu_hidden[$device]"
	[[ ${call_verb[at]} == add ]] || qemu_hidden["$device"]=1
	qemu_files
	exec {ready}< <(exec "$model_dir/qemu-system-i386" -c "$qemu_program" qemu "$model_dir/never" "${qemu_files[@]}")
	qemu_pid[$device]=$!
	read -r -t "$generous" -u "$ready"
	exec {ready}<&-
	qemu_nodes
}

# qemu_files
# Sets qemu_files to what it opens: the backing file to read.
qemu_files() {
	qemu_files=("$mode:${target_path[$target]}")
	[[ ${target_kind[$target]} != qcow2 ]] || qemu_files+=("r:${target_path[$target_backing]}")
}

# qemu_nodes
qemu_nodes() {
	local format=raw domid=${device_domid[$device]}
	[[ ${target_kind[$target]} != qcow2 ]] || format=qcow2
	pairs+=("$path/params" "$format:${target_path[$target]}" "$path/mode" "$mode" "$path/dev" xvdq)
	device_nodes["$device"]=1
	[[ ${call_verb[at]} == add ]] || return 0
	pairs+=("/local/domain/$domid/image/device-model-pid" "${qemu_pid[$device]}" "device-model/$domid/state" running)
	qemu_recorded[$device]=1
}

# qemu_kill
# The caller's device's.
qemu_kill() {
	[[ ${qemu_pid[$device]-} ]] || return 0
	kill -KILL "${qemu_pid[$device]}"
	qemu_ended+=("${qemu_pid[$device]}")
	unset "qemu_pid[$device]"
}

# qemu_reap
# Waits for the end of those that are killed.
qemu_reap() {
	local pid
	for pid in "${qemu_ended[@]}"; do
		wait "$pid" || :
	done
	qemu_ended=()
}

# qemu_forgets <device>
# Adds libxl's record, which goes, to the caller's gone.
qemu_forgets() {
	[[ ${qemu_recorded[$1]-} ]] || return 0
	gone+=("/local/domain/${device_domid[$1]}/image" "device-model/${device_domid[$1]}")
	unset "qemu_recorded[$1]"
}

# qemu_judge <device>
# It holds what its process has open, says the kernel.
qemu_judge() {
	local name names=("${judge_target[$1]-}") mode file start length
	[[ ${qemu_pid[$1]-} ]] || return 0
	[[ ${target_kind[${names[0]}]} != qcow2 ]] || names+=("$target_backing")
	for name in "${names[@]}"; do
		file='' start=0 length=${target_length[$name]}
		qemu_mode "$1" "${target_path[$name]}"
		if target_is_file "$name"; then
			target_bytes_at "${target_path[$name]}"
		else
			holder_bytes "/sys/class/block/${target_path[$name]##*/}"
		fi
		holders+=("$1 $file $start $length $mode -")
	done
}

# qemu_mode <device> <path>
# Sets the caller's mode, r or w, to that with which its process has the file open.
qemu_mode() {
	local link flags
	mode=''
	for link in "/proc/${qemu_pid[$1]}/fd"/*; do
		[[ $link -ef $2 ]] || continue
		flags=$(<"${link/\/fd\//\/fdinfo\/}")
		# The last octal digit of open(2)'s flags.
		[[ $flags =~ flags:[[:space:]]*[0-7]*([0-7]) ]] && ((BASH_REMATCH[1] & 3)) && mode=w || mode=r
	done
	[[ $mode ]] || violation "QEMU of $1 has not $2 open, which is a defect of the model."
}
