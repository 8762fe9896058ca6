# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Where the model's files lie: an overlay with its layers, a file system inside the
# file n, and a file server that can be stopped.
#
# upper, lower, work, merged  the overlay of f (upper layer) and g (lower layer, until it is copied up)
# nested                      where the host mounts n, by a loop device of its own if there is no n-all
# real, served                what the server has, and shows

places_server=''    # the server's process
places_nested_on='' # what the host mounts: n-all, or a loop device of its own over n

# places_make
# Makes the directories, and starts the server.
places_make() {
	mkdir "$model_dir"/{upper,lower,work,merged,nested,real,served}
	[[ ${target_kind["s-fuse"]} == silent ]] || return 0
	fuse_mount "$model_dir/real" "$model_dir/served"
	places_server=$fuse_pid
}

# places_fill
# Makes the file system inside n, with its files.
places_fill() {
	local name
	mkfs.ext4 -q -O ^has_journal -N 16 "${target_path[n]}"
	mount -o loop "${target_path[n]}" "$model_dir/nested"
	for name in "${target_names[@]}"; do
		[[ ${target_kind[$name]} != inner ]] || truncate -s "${target_length[$name]}K" "${target_path[$name]}"
	done
	umount "$model_dir/nested"
}

# places_can_overlay
# Can the kernel mount one? It loads its module for the first.
places_can_overlay() {
	local status=0
	mkdir -p "$model_dir"/try/{lower,upper,work,merged}
	places_mount "$model_dir/try" 2>/dev/null || status=1
	((status)) || umount "$model_dir/try/merged"
	rm -rf -- "$model_dir/try"
	return "$status"
}

# places_mount <directory of the layers>
places_mount() {
	mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/merged"
}

# places_overlay
# Mounts the overlay, unless it is.
places_overlay() {
	mountpoint -q "$model_dir/merged" || places_mount "$model_dir"
}

# places_no_overlay
# Unmounts it, and what was copied up is gone.
places_no_overlay() {
	[[ $(</proc/self/mountinfo) == *" $model_dir/merged "* ]] || return 0
	umount "$model_dir/merged"
	rm -rf -- "${target_path["g-up"]}" "$model_dir/work"
	mkdir "$model_dir/work"
}

# places_are_nested
# Has the host mounted n?
places_are_nested() {
	[[ $(</proc/self/mountinfo) == *" $model_dir/nested "* ]]
}

# places_nested_loop
# Sets places_nested_on.
places_nested_loop() {
	[[ ! $places_nested_on ]] || return 0
	places_nested_on=${target_path["n-all"]-}
	[[ $places_nested_on ]] || places_nested_on=$(losetup --find --show "${target_path[n]}")
}

# places_settle
# After a step: the loop device goes, unless it is mounted.
places_settle() {
	[[ $places_nested_on ]] && ! places_are_nested || return 0
	[[ $places_nested_on == "${target_path["n-all"]-}" ]] || losetup --detach "$places_nested_on"
	places_nested_on=''
}
