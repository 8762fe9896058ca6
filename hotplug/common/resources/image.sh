# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An image file whose format only QEMU reads, and the files that it stands on:
# the one for this guest alone, the others with all who only read them. What
# holds them is a loop device over each, which nobody uses.

# shellcheck source=disk.sh
resource_find disk

# image_acquire <file> <format> <mode>
image_acquire() {
	local token
	printf -v token '%x' "$SRANDOM"
	journal_remember token "$token"
	image_claim "$@" --token "$token" --lock "$run_lock" --wait "$lifecycle_lock_wait"
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
# What is below a device cannot be held by a loop device over a file.
image_claim() {
	local file image below=()
	quote image "$1"
	disk_claim "$1" "${@:3}"
	[[ $disk_kind == file ]] || fail "The image $image is a block device; only image files can be kept from other guests."
	image_below "$1" "$2"
	for file in "${below[@]}"; do
		disk_claim "$file" r "${@:4}"
		[[ $disk_kind == file ]] || fail "The image $image stands on a block device, ${file@Q}; only files can be kept from those who write."
	done
}

# image_below <file> <format>
# Sets the caller's below to the files that the image stands on; in sentences it
# is the caller's image.
image_below() {
	local rest key name
	run qemu-img info --format="$2" --backing-chain --output=json -- "$1" ||
		fail "The image $image cannot be read as $2: $reason"
	rest=$output
	# A quote within a string has a backslash, so that no string looks like a key.
	while [[ $rest =~ '"'(filename|full-backing-filename|data-file)'": "'(([^\"\\]|\\.)*)'"'(.*) ]]; do
		rest=${BASH_REMATCH[4]} key=${BASH_REMATCH[1]}
		image_unescape name "${BASH_REMATCH[2]}"
		image_take "$1" "$key" "$name"
	done
}

# image_take <file> filename|full-backing-filename|data-file <name>
# Uses the caller's below and image. What QEMU would write besides the image itself is refused.
image_take() {
	local known
	if [[ $2 == full-backing-filename ]]; then
		[[ $3 == /* ]] || fail "The image $image stands on ${3@Q}, which is no file of this host; convert it (qemu-img convert) to one that stands alone."
		below+=("$3")
		return
	fi
	for known in "$1" "${below[@]}"; do
		[[ $2 == data-file || $3 != "$known" ]] || return 0
	done
	fail "The image $image has its data in another file, ${3@Q}; convert it (qemu-img convert) to one that is a single file."
}

# image_unescape <out-var> <text of a JSON string>
# But for the quote, JSON's escapes are printf's.
image_unescape() {
	local LC_ALL=C.UTF-8
	printf -v "$1" '%b' "${2//\\\"/\"}"
}
