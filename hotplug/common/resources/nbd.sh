# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk on an NBD server: connected by the kernel directly or, to wait for a lost
# server or to use TLS, through a local qemu-nbd, because the kernel's client can
# do neither.

# shellcheck source=qemu_nbd.sh
resource_find qemu_nbd

nbd_options=() # set by nbd_describe: the arguments of qemu-nbd

nbd_arguments='SERVER PORT EXPORT MODE SECONDS TLS-DIRECTORY'

# nbd_acquire <host, or path of a socket> <port> <export> <mode> <seconds to wait for a lost server> <directory of TLS files, or empty>
# Sets dev and physical_device.
nbd_acquire() {
	nbd_plan "$@"
	if nbd_has_server "$5" "$6"; then nbd_serve "$@"; else nbd_client_acquire "${@:1:4}"; fi
}

# nbd_plan <host, or path of a socket> <port> <export> <mode> <seconds> <directory of TLS files>
nbd_plan() {
	! nbd_has_server "$5" "$6" || parameters_check_tools qemu-nbd
}

# nbd_has_server <seconds> <directory of TLS files>
# Does the connection go through a local qemu-nbd?
nbd_has_server() {
	[[ $1 != 0 || $2 ]]
}

# nbd_release <host, or path of a socket> <port> <export> <mode> <seconds> <directory of TLS files>
nbd_release() {
	if nbd_has_server "$5" "$6"; then qemu_nbd_release "$4"; else nbd_client_release "${@:1:4}"; fi
}

# nbd_sweep <host, or path of a socket> <port> <export> <mode> <seconds> <directory of TLS files>
nbd_sweep() {
	if nbd_has_server "$5" "$6"; then qemu_nbd_sweep "$4"; else nbd_client_sweep "${@:1:4}"; fi
}

# nbd_check <host, or path of a socket> <port> <export> <mode> <seconds> <directory of TLS files>
nbd_check() {
	if nbd_has_server "$5" "$6"; then qemu_nbd_check "$4"; else nbd_client_check "${@:1:4}"; fi
}

# nbd_serve <host, or path of a socket> <port> <export> <mode> <seconds> <directory of TLS files>
# Sets dev and physical_device.
nbd_serve() {
	nbd_client_name "$1" "$2"
	nbd_describe "$@"
	qemu_nbd_open "$4" "${nbd_options[@]}" || nbd_client_failed "$?" "Cannot connect to the NBD server $nbd_client_server"
	nbd_client_judge "The export '$3' of the NBD server $nbd_client_server" "$4"
}

# nbd_describe <host, or path of a socket> <port> <export> <mode> <seconds> <directory of TLS files>
# Sets nbd_options. In qemu-nbd's lists of options a comma is doubled.
nbd_describe() {
	local server="inet,file.server.host=${1//,/,,},file.server.port=$2"
	[[ $1 != /* ]] || server="unix,file.server.path=${1//,/,,}"
	nbd_options=()
	[[ ! $6 ]] || nbd_options=(--object "tls-creds-x509,id=tls,endpoint=client,dir=${6//,/,,}")
	nbd_options+=(--image-opts "driver=raw,file.driver=nbd,file.server.type=$server,file.export=${3//,/,,},file.reconnect-delay=$5${6:+,file.tls-creds=tls}")
}
