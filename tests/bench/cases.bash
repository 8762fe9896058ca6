# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The kinds of device that are measured: the script of each, and the state of a
# guest's device before an attach. Servers, and parts of the kernel that a
# machine may lack, are stand-ins.

declare -gA kind_script=([vif]=vif-bridge [ip]=vif-bridge [filter]=vif-bridge [iptables]=vif-bridge
	[route]=vif-route [nat]=vif-nat [ovs]=vif-openvswitch
	[image]=block [device]=block [served]=block [dummy]=block-dummy [shared]=block-shared [iscsi]=block-iscsi [drbd]=block-drbd
	[probe]=block-drbd-probe [nbd]=block-nbd [qcow2]=block-qcow2 [overlay]=block-overlay [tap]=block-tap)
declare -gA kind_title=([ip]='vif-bridge ip=' [filter]='vif-bridge ip=, filters' [iptables]='vif-bridge iptables'
	[image]='block file' [device]='block device' [packets]='packets through a vif' [forward]='packets past iptables'
	[served]='block file, QEMU')
kinds_with_tools='@(ip|iptables|route|nat|ovs|iscsi|drbd|probe|nbd|qcow2|overlay|tap)'
# The type of the backend, where it is not vbd, and the verbs of the type. The
# probe is called once, with a device; packets are measured in two ways.
declare -gA kind_type=([vif]=vif [ip]=vif [filter]=vif [iptables]=vif [route]=vif [nat]=vif [ovs]=vif
	[tap]=vbd3 [probe]=probe [packets]=packets [forward]=forward)
declare -gA type_verbs=([vif]='online offline' [vbd]='add remove' [vbd3]='add remove' [probe]=probe [packets]='open filtered' [forward]=open)

# fresh_vif <domid> <kind>
# The nodes and the interface as they are when libxl calls. Xen's vif-route fails
# with an address of IPv6.
fresh_vif() {
	local nodes=(bridge xenbr0)
	case $2 in
	ip | filter) nodes+=(ip '198.51.100.5 2001:db8:5::5') ;;
	route) nodes=(ip 198.51.100.5) ;;
	nat) nodes=() ;;
	ovs) nodes=(bridge ovs0) ;;
	esac
	new_vif "$1" "${nodes[@]}"
}

# new_vif <domid> [node value]...
new_vif() {
	forget_device vif "$1"
	[[ ! -e /sys/class/net/vif$1.0 ]] || ip link delete "vif$1.0"
	vif "$1" 0 "${@:2}"
}

# fresh_disk <domid> <kind>
# Each guest has a block device of its own. Xen's block-dummy needs a prefix.
fresh_disk() {
	local target=$BENCH_DISKS/image type=${kind_type[$2]-vbd}
	case $2 in
	device) target=${bench_devices[$1 - 1]} ;;
	dummy) target=dummy:$target ;;
	iscsi) target=iqn=$iqn,portal=${portal%,*} ;;
	drbd) target=r0 ;;
	nbd) target=host=127.0.0.1,export=disk ;;
	qcow2) target=file=$BENCH_DISKS/disk.qcow2 ;;
	overlay) target=base=$target,persist=n ;;
	tap) target=vhd:$BENCH_DISKS/disk.vhd ;;
	esac
	forget_device "$type" "$1"
	"$type" "$1" 51712 "$target"
}

# forget_device <type> <domid>
# The toolstack removes these nodes once the device is detached.
forget_device() {
	local path
	for path in "backend/$1/$2" "/local/domain/$2/device"; do
		! store_has "$path" || xenstore-rm "$path"
	done
}
