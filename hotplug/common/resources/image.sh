# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An image file in a format that only QEMU reads, and its backing files: claims the
# image for this guest, and the backing files for reading. An unused loop device on
# each file holds the claim. A guest can write any name of a backing file into the
# header of its image, so only those that its configuration names are opened, and
# QEMU gets them as open files.

# shellcheck source=disk.sh
resource_find disk

# Set by image_claim:
image_held=()    # the image and its backing files, each as LOOP=PATH (xen-hotplug run --held)
image_source=''  # these, as descriptors from 3 on, as a file name of QEMU's
image_formats=() # of the image and its backing files

image_arguments='FILE FORMAT MODE BACKING-FILES'

# image_acquire <file> <format> <mode> <backing files, or empty>
image_acquire() {
	local token
	printf -v token '%x' "$SRANDOM"
	journal_remember token "$token"
	image_claim "$@" --token "$token" --lock "$lock_descriptor" --wait "$lock_wait"
}

# image_plan <file> <format> <mode> <backing files, or empty>
image_plan() {
	image_claim "$@" --plan
}

# image_release <file> <format> <mode> <backing files, or empty>
image_release() {
	disk_release "$1" "$3"
}

# image_claim <file> <format> <mode> <backing files, or empty> <option of claim>...
# The image, and then each backing file, whose own header must name the next one.
image_claim() {
	local file=$1 next=$4 mode=$3
	image_held=() image_formats=("$2")
	while :; do
		image_claim_file "$file" "$mode" "${@:5}"
		[[ ${image_formats[-1]} != raw ]] || break
		image_examine "$file" "${next%%:*}" "${@:5}"
		[[ $next ]] || break
		file=${next%%:*} next=${next#"$file"} mode=r
		next=${next#:}
	done
	[[ ! $next ]] || fail "The backing file ${file@Q} is raw and has no backing file, but backing= names more; correct backing= in the guest's configuration."
	image_describe
}

# image_claim_file <file> <mode> <option of claim>...
# Refuses block devices, because the claim is held by a loop device on a file.
image_claim_file() {
	local image known
	quote image "$1"
	disk_claim "$@"
	# Not before: the claim waits for a silent file server with a deadline of its own.
	for known in "${image_held[@]}"; do
		[[ ! $disk_target -ef ${known#*=} ]] || fail "The backing files of an image are a loop: $image is in it twice; restore the image, or correct it with qemu-img rebase."
	done
	[[ $disk_kind == file ]] || fail "The image $image is a block device, which this script cannot keep from other guests; use an image file."
	image_held+=("$dev=$disk_target")
}

# image_examine <file> <its backing file, or empty> <option of claim>...
# Fails unless the header of the file names that backing file. Adds the format of
# that to image_formats.
image_examine() {
	local options=(--format "${image_formats[-1]}")
	[[ ! $2 ]] || options+=(--backing "$2")
	[[ $3 == --plan ]] || options+=(--held "${image_held[-1]}")
	helper image "${options[@]}" -- "$1" || fail "$reason"
	[[ ! $2 ]] || image_formats+=("${run_reply[0]#backing-format=}")
}

# image_describe
# Sets image_source. A backing file that is null keeps QEMU from opening the one that
# a header names.
image_describe() {
	local i backing=null
	for ((i = ${#image_formats[@]} - 1; i >= 0; i--)); do
		printf -v image_source '{"driver":"%s","file":{"driver":"file","filename":"/proc/self/fd/%s"}' \
			"${image_formats[i]}" "$((3 + i))"
		[[ ${image_formats[i]} == raw ]] || image_source+=",\"backing\":$backing"
		image_source+='}'
		backing=$image_source
	done
	image_source=json:$image_source
}
