# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An Open vSwitch for one test, which switches in user space: it needs nothing
# of the kernel. Sourced by bats files, after host.bash.

# ovs_start
# In the test's host, where /run is its own. Sets ovs_database and ovs_switch, their process ids.
ovs_start() {
	mkdir -p "$BATS_TEST_TMPDIR/run/openvswitch"
	host ovsdb-tool create "$BATS_TEST_TMPDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovs_start_database
	ovs_start_switch
}

# ovs_start_database
# It must not be running. Returns when it answers: its socket is there before that.
ovs_start_database() {
	ovs_run ovsdb-server "$BATS_TEST_TMPDIR/conf.db" --remote=punix:/run/openvswitch/db.sock \
		--unixctl=/run/openvswitch/database.ctl
	ovs_database=$ovs_pid
	until_true test -S "$BATS_TEST_TMPDIR/run/openvswitch/db.sock"
	host ovs-vsctl --retry --timeout="$generous" --no-wait init
}

# ovs_start_switch
# It must not be running.
ovs_start_switch() {
	ovs_run ovs-vswitchd unix:/run/openvswitch/db.sock --unixctl=/run/openvswitch/switch.ctl
	ovs_switch=$ovs_pid
}

# ovs_run <daemon> [argument...]
# In the background, until the test ends. Sets ovs_pid.
ovs_run() {
	setpriv --pdeathsig KILL nsenter --target "$host_pid" --mount --net --wd=/ -- \
		"$@" -vconsole:off -vsyslog:off --log-file="$BATS_TEST_TMPDIR/$1.log" </dev/null >/dev/null 2>&1 3>&- &
	ovs_pid=$!
}

# ovs_end <process id>
ovs_end() {
	kill -CONT "$1"
	kill "$1"
	wait "$1" || :
}

# ovs_stop
# For teardown, after host_stop, which detaches; tolerates half a set-up.
ovs_stop() {
	local pid
	for pid in "${ovs_switch-}" "${ovs_database-}"; do
		[[ ! $pid ]] || ovs_end "$pid" 2>/dev/null || :
	done
}

# ovs_bridge <name>...
ovs_bridge() {
	local name
	for name; do
		host ovs-vsctl --timeout="$generous" add-br "$name" -- set bridge "$name" datapath_type=netdev
	done
}

# ovs_get <table> <record> <column>[:key]
# As ovs-vsctl prints it; an empty line where there is no such key.
ovs_get() {
	host ovs-vsctl --timeout="$generous" --if-exists get "$@"
}

# ovs_ports
# Of all bridges, each port in a line, with its bridge.
ovs_ports() {
	local bridge
	host ovs-vsctl --timeout="$generous" list-br | while IFS= read -r bridge; do
		host ovs-vsctl --timeout="$generous" list-ports "$bridge" | sed "s|^|$bridge |"
	done
}
