# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An image file in a format that only QEMU reads, and its backing files: claims the
# image for this guest, and the backing files for reading. An unused loop device on
# each file holds the claim.

# shellcheck source=disk.sh
resource_find disk

image_backing=() # set by image_below: the backing files
image_name=''    # set by image_unescape

# image_acquire <file> <format> <mode>
image_acquire() {
	local token
	printf -v token '%x' "$SRANDOM"
	journal_remember token "$token"
	image_claim "$@" --token "$token" --lock "$lock_descriptor" --wait "$lock_wait"
}

# image_plan <file> <format> <mode>
image_plan() {
	image_claim "$@" --plan
}

# image_release <file> <format> <mode>
image_release() {
	disk_release "$1" "$3"
}

# image_claim <file> <format> <mode> <option of claim>...
# Refuses block devices, because the claim is held by a loop device on a file.
image_claim() {
	local file image
	quote image "$1"
	disk_claim "$1" "${@:3}"
	[[ $disk_kind == file ]] || fail "The image $image is a block device, which this script cannot keep from other guests; use an image file."
	image_below "$1" "$2" "$image"
	for file in "${image_backing[@]}"; do
		disk_claim "$file" r "${@:4}"
		[[ $disk_kind == file ]] || fail "The image $image has a block device, ${file@Q}, as its backing file, which this script cannot keep from writers; use a file."
	done
}

# image_below <file> <format> <file, as messages name it>
# Sets image_backing.
image_below() {
	local rest key
	run qemu-img info --format="$2" --backing-chain --output=json -- "$1" ||
		fail "The image $3 cannot be read as $2: $reason"
	image_backing=()
	rest=$run_output
	# Quotes in a string are escaped, so no string can look like a key.
	while [[ $rest =~ '"'(filename|full-backing-filename|data-file)'": "'(([^\"\\]|\\.)*)'"'(.*) ]]; do
		rest=${BASH_REMATCH[4]} key=${BASH_REMATCH[1]}
		image_unescape "${BASH_REMATCH[2]}"
		image_take "$1" "$key" "$image_name" "$3"
	done
}

# image_take <file> filename|full-backing-filename|data-file <name> <file, as messages name it>
# Adds a backing file to image_backing; refuses an external data file, which QEMU
# would write to.
image_take() {
	local known
	if [[ $2 == full-backing-filename ]]; then
		[[ $3 == /* ]] || fail "The image $4 has the backing file ${3@Q}, which is not a local file; flatten it with qemu-img convert."
		image_backing+=("$3")
		return
	fi
	for known in "$1" "${image_backing[@]}"; do
		[[ $2 == data-file || $3 != "$known" ]] || return 0
	done
	fail "The image $4 keeps its data in another file, ${3@Q}; convert it to a single file with qemu-img convert."
}

# image_unescape <text of a JSON string>
# Sets image_name to what it stands for. Apart from the quote, JSON's escapes are the same as printf's.
image_unescape() {
	local LC_ALL=C.UTF-8
	printf -v image_name '%b' "${1//\\\"/\"}"
}
