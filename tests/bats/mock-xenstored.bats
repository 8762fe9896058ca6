# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# mock-xenstored: the protocol as real clients see it, and every fault it can be told to have.

bats_require_minimum_version 1.5.0
load ../lib/store
load ../lib/untraced

# The client for what xenstore-utils cannot do. MOCK_CLIENT: one that has been built before.
setup_file() {
	export MOCK_CLIENT=${MOCK_CLIENT:-$BATS_FILE_TMPDIR/mock-client}
	[[ -x $MOCK_CLIENT ]] || "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o "$MOCK_CLIENT" \
		"$BATS_TEST_DIRNAME/../mock-xenstored/client/mock-client.c" -lxenstore
}

setup() {
	untraced
	xs7=$BATS_TEST_TMPDIR/store/xs7
	store_start --listen "$xs7:7"
}

teardown() {
	store_stop
}

# is <expected> <actual>
# Fails, and shows both, unless they are the same.
is() {
	[[ $2 == "$1" ]] || {
		printf 'expected: %q\nactual:   %q\n' "$1" "$2"
		return 1
	}
}

# as7 <command>...
# Runs it as domain 7.
as7() {
	XENSTORED_PATH=$xs7 "$@"
}

# steps
# Runs mock-client on standard input, with the connections 0 (domain 0) and 7 open.
steps() {
	{
		printf '%s\n' "0 open $XENSTORED_PATH" "7 open $xs7"
		cat
	} | "$MOCK_CLIENT" steps | tail -n +3
}

# le32 <number>...
# Prints them as the protocol's integers.
le32() {
	local n hex
	for n; do
		printf -v hex '%08x' "$n"
		printf '%b' "\\x${hex:6:2}\\x${hex:4:2}\\x${hex:2:2}\\x${hex:0:2}"
	done
}

# message <type> <req_id> <tx_id> <payload>
# Prints a message; the payload is a printf format.
message() {
	local length
	# shellcheck disable=SC2059 # that is what it is for
	length=$(printf "$4" | wc -c)
	le32 "$1" "$2" "$3" "$length"
	# shellcheck disable=SC2059 # as above
	printf "$4"
}

# raw
# Sends standard input and then a message that is too long, on which the mock hangs up; prints
# what has come back until then.
raw() {
	{
		cat
		le32 2 0 0 $((0x7fffffff))
	} | "$MOCK_CLIENT" raw "$XENSTORED_PATH"
}

# words
# Prints standard input as the protocol's integers.
words() {
	od -An -v -tu4 -w4 | tr -d ' ' | paste -sd ' '
}

# Types of requests.
READ=2 WRITE=11

@test "a written value is read back" {
	store_set /a/b/c hello
	is hello "$(store_get /a/b/c)"
	is '' "$(store_get /a/b)"
	is $'a\nlocal' "$(xenstore-list /)"
	run ! store_has /a/x
}

@test "values are binary" {
	{
		message "$WRITE" 1 0 '/bin\0a\0b\n\377'
		message "$READ" 2 0 '/bin\0'
	} | raw >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/out" <(message "$WRITE" 1 0 'OK\0' && message "$READ" 2 0 'a\0b\n\377')
	store_set /text $'two\nlines \\x41'
	is $'two\nlines \\x41' "$(store_get /text)"
}

@test "a node is removed with its subtree" {
	store_set /a/b/c 1
	run -0 steps <<-'EOF'
		0 rm /a/b
		0 read /a/b/c
		0 rm /a/b
		0 rm /a/b/c
		0 rm /
	EOF
	is $'0 rm ok\n0 read ENOENT\n0 rm ok\n0 rm ENOENT\n0 rm EINVAL' "$output"
}

@test "mkdir makes parents and leaves existing nodes alone" {
	store_set /a 1
	run -0 steps <<-'EOF'
		0 mkdir /a/b/c
		0 mkdir /a
		0 read /a
		0 list /a
	EOF
	is $'0 mkdir ok\n0 mkdir ok\n0 read ok 1\n0 list ok b' "$output"
}

@test "relative paths are below the home of the socket's domain" {
	as7 store_set data/x seven
	is seven "$(store_get /local/domain/7/data/x)"
	is seven "$(as7 store_get data/x)"
	store_set data/x zero
	is zero "$(store_get /local/domain/0/data/x)"
}

@test "paths that break the rules are refused" {
	local name long=/
	printf -v long '/%03072d' 0
	for name in // /a/ /a//b '/a:b' @x ./x '' "$long" "${long:1:2049}"; do
		run "$MOCK_CLIENT" steps <<<"0 open"$'\n'"0 read $name"
		is $'0 open ok\n0 read EINVAL' "$output"
	done
	run -0 steps <<<"0 read ${long:0:3072}"$'\n'"0 read ${long:1:2048}"
	is $'0 read ENOENT\n0 read ENOENT' "$output"
}

@test "a directory too large for one message is listed in parts" {
	printf '/dir/a-rather-long-name-%s\n' {1..2000} >"$BATS_TEST_TMPDIR/nodes"
	store_stop
	store_start --load "$BATS_TEST_TMPDIR/nodes"
	xenstore-list /dir | sort >"$BATS_TEST_TMPDIR/listed"
	diff "$BATS_TEST_TMPDIR/listed" <(sed 's,.*/,,' "$BATS_TEST_TMPDIR/nodes" | sort)
	is 1 "$(store_requests DIRECTORY)"
	grep -q ' DIRECTORY [0-9]* /dir -> E2BIG$' "$STORE_LOG"
	(($(store_requests DIRECTORY_PART) > 10))
}

@test "nodes are loaded from a file, with spaces in values and with empty values" {
	printf '%s\n' '# a remark' '/a/b one  two ' '' '/c' '/d ' >"$BATS_TEST_TMPDIR/nodes"
	store_stop
	store_start --load "$BATS_TEST_TMPDIR/nodes"
	is $'/a = ""\n/a/b = "one  two "\n/c = ""\n/d = ""' "$(xenstore-ls -f / | grep -v /local)"
	printf '/fine x\nbad y\n' >"$BATS_TEST_TMPDIR/nodes"
	run -2 "$MOCK_XENSTORED" --listen "$BATS_TEST_TMPDIR/xs" --load "$BATS_TEST_TMPDIR/nodes"
	[[ $output == *'nodes: line 2: '*bad* ]]
	run -1 "$MOCK_XENSTORED" --listen "$BATS_TEST_TMPDIR/xs" --load /nonexistent
}

@test "a node's permissions control another domain's access" {
	store_set /secret s /open o
	xenstore-chmod /open n0 r7
	run -0 steps <<-'EOF'
		7 read /secret
		7 read /open
		7 write /open x
		7 read /missing
		7 read /open/missing
		7 write /new x
		7 write own x
		7 introduce 9
		7 control check
	EOF
	is "$(printf '7 %s\n' 'read EACCES' 'read ok o' 'write EACCES' 'read EACCES' 'read ENOENT' \
		'write EACCES' 'write ok' 'introduce EACCES' 'control EACCES')" "$output"
	is '/open = "o"   (n0,r7)' "$(xenstore-ls -fp / | grep open)"
}

@test "only the owner may change a node's permissions, but not its ownership" {
	as7 store_set mine x
	as7 xenstore-chmod mine n7 b3
	is '/local/domain/7/mine = "x"   (n7,b3)' "$(xenstore-ls -fp / | grep mine)"
	run -1 as7 xenstore-chmod mine n3
	run -1 as7 xenstore-chmod /local n7
	store_set /shared x
	xenstore-chmod /shared b0
	as7 store_set /shared/sub y
	is '/shared/sub = "y"   (b7)' "$(xenstore-ls -fp / | grep sub)"
}

@test "a watch reports changes below its path" {
	local events line
	exec {events}< <(timeout "$generous" xenstore-watch -n 5 /w)
	read -r line <&"$events" && is /w "$line"
	store_set /w/a/b 1
	read -r line <&"$events" && is /w/a/b "$line"
	xenstore-chmod /w/a r0
	read -r line <&"$events" && is /w/a "$line"
	store_set /elsewhere 1
	xenstore-rm /w/a
	read -r line <&"$events" && is /w/a "$line"
	xenstore-rm /w
	read -r line <&"$events" && is /w "$line"
}

@test "a relative watch reports relative paths" {
	run -0 steps <<-'EOF'
		7 watch data t1
		7 event
		0 write /local/domain/7/data/x 1
		7 event
		7 unwatch data t1
		0 write /local/domain/7/data/x 2
		7 read data/x
		7 noevent
		7 unwatch data t1
	EOF
	is "$(printf '%s\n' '7 watch ok' '7 event ok data t1' '0 write ok' '7 event ok data/x t1' \
		'7 unwatch ok' '0 write ok' '7 read ok 2' '7 noevent ok' '7 unwatch ENOENT')" "$output"
}

@test "a watch below a removed node fires with its own path, and never for unreadable nodes" {
	store_set /a/b/c 1 /local/domain/7/open 1
	run -0 steps <<-'EOF'
		0 watch /a/b/c low
		0 event
		0 watch /a/b/x none
		0 event
		7 watch / all
		7 event
		0 rm /a
		0 event
		0 read /local
		0 noevent
		0 write /local/domain/7/open 2
		7 event
	EOF
	is "$(printf '%s\n' '0 watch ok' '0 event ok /a/b/c low' '0 watch ok' '0 event ok /a/b/x none' \
		'7 watch ok' '7 event ok / all' '0 rm ok' '0 event ok /a/b/c low' '0 read ok' \
		'0 noevent ok' '0 write ok' '7 event ok /local/domain/7/open all')" "$output"
}

@test "special watches report domains that start and end" {
	run -0 steps <<-'EOF'
		0 introduced 7
		0 introduced 9
		0 watch @introduceDomain i
		0 event
		0 watch @releaseDomain r
		0 event
		0 introduce 9
		0 event
		0 introduced 9
		0 release 9
		0 event
		0 release 9
		0 home 9
		0 control check
	EOF
	is "$(printf '0 %s\n' 'introduced ok yes' 'introduced ok no' 'watch ok' \
		'event ok @introduceDomain i' 'watch ok' 'event ok @releaseDomain r' 'introduce ok' \
		'event ok @introduceDomain i' 'introduced ok yes' 'release ok' \
		'event ok @releaseDomain r' 'release ENOENT' 'home ok /local/domain/9' \
		'control ok OK')" "$output"
}

@test "a transaction sees a snapshot and its own writes" {
	store_set /a 1 /b 1
	run -0 steps <<-EOF
		1 open $XENSTORED_PATH
		0 watch /b t
		0 event
		1 start
		1 write /local/domain/7/n mine
		1 read /local/domain/7/n
		0 read /local/domain/7/n
		0 write /a 2
		1 commit
		0 read /local/domain/7/n
		1 start
		0 write /a 3
		1 write /b 9
		0 noevent
		1 commit
		0 event
		1 start
		1 write /b 10
		1 abort
		0 read /b
	EOF
	is "$(printf '%s\n' '1 open ok' '0 watch ok' '0 event ok /b t' '1 start ok' '1 write ok' \
		'1 read ok mine' '0 read ENOENT' '0 write ok' '1 commit ok' '0 read ok mine' \
		'1 start ok' '0 write ok' '1 write ok' '0 noevent ok' '1 commit ok' '0 event ok /b t' \
		'1 start ok' '1 write ok' '1 abort ok' '0 read ok 9')" "$output"
}

# conflict <mine> <theirs>
# Prints how a transaction ends that does the first while another client does
# the other.
conflict() {
	steps <<-EOF | tail -n 1
		1 open $XENSTORED_PATH
		1 start
		1 $1
		0 $2
		1 commit
	EOF
}

@test "a transaction conflicts only with changes of nodes it read or wrote" {
	store_set /a/x 1 /a/y 1 /b 1
	is '1 commit EAGAIN' "$(conflict 'read /a/x' 'write /a/x 2')"
	is '1 commit EAGAIN' "$(conflict 'write /a/x 3' 'write /a/x 4')"
	is 4 "$(store_get /a/x)"
	is '1 commit EAGAIN' "$(conflict 'read /a/new' 'write /a/new 1')"
	is '1 commit EAGAIN' "$(conflict 'list /a' 'write /a/newer 1')"
	is '1 commit EAGAIN' "$(conflict 'list /a' 'rm /a/newer')"
	is '1 commit EAGAIN' "$(conflict 'rm /a' 'write /a/y 2')"
	is '1 commit EAGAIN' "$(conflict 'write /a/mine 1' 'write /a/theirs 1')"
	is '1 commit ok' "$(conflict 'read /a/x' 'write /a/y 3')"
	is '1 commit ok' "$(conflict 'write /a/x 5' 'write /b 2')"
	is '1 commit ok' "$(conflict 'read /b' 'read /b')"
}

@test "a transaction's reads do not see later changes of the store" {
	store_set /a 1
	run -0 steps <<-EOF
		1 open $XENSTORED_PATH
		1 start
		0 write /a 2
		0 write /b 2
		1 read /a
		1 read /b
		1 commit
	EOF
	is $'1 open ok\n1 start ok\n0 write ok\n0 write ok\n1 read ok 1\n1 read ENOENT\n1 commit EAGAIN' \
		"$output"
}

@test "an unknown transaction and an unknown request are errors" {
	{
		message "$READ" 1 77 '/\0'
		message 99 2 0 ''
		message 6 3 0 ''
		message 7 4 1 'maybe\0'
		message 7 5 1 'T\0'
		message 7 6 1 'T\0'
	} | raw >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/out" <(
		message 16 1 77 'ENOENT\0'
		message 16 2 0 'ENOSYS\0'
		message 6 3 0 '1\0'
		message 16 4 1 'EINVAL\0'
		message 7 5 1 'OK\0'
		message 16 6 1 'ENOENT\0'
	)
}

@test "RESET_WATCHES forgets watches and transactions" {
	{
		message 4 1 0 '/a\0t\0'
		message 6 2 0 ''
		message 21 3 0 ''
		message 5 4 0 '/a\0t\0'
		message "$READ" 5 1 '/\0'
	} | raw >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/out" <(
		message 4 1 0 'OK\0'
		message 15 0 0 '/a\0t\0'
		message 6 2 0 '1\0'
		message 21 3 0 'OK\0'
		message 16 4 0 'ENOENT\0'
		message 16 5 1 'ENOENT\0'
	)
}

@test "quotas hold for other domains and not for domain 0" {
	store_stop
	store_start --listen "$xs7:7" --quota-nodes 3 --quota-size 4 --quota-watches 2 \
		--quota-transactions 1
	# Its home is the first of the three.
	run -0 steps <<-'EOF'
		7 write a 1234
		7 write a 12345
		7 write b/c 1
		7 write b 1
		7 write c 1
		7 rm a
		7 write c 1
		0 write /local/domain/0/a/b/c/d 12345
		7 watch a
		7 watch b
		7 watch c
		7 watch a
		7 start
		7 start
	EOF
	is "$(printf '%s\n' '7 write ok' '7 write ENOSPC' '7 write ENOSPC' '7 write ok' \
		'7 write ENOSPC' '7 rm ok' '7 write ok' '0 write ok' '7 watch ok' '7 watch ok' \
		'7 watch E2BIG' '7 watch EEXIST' '7 start ok' '7 start ENOSPC')" "$output"
}

@test "the log has a line for each request" {
	store_set /a 'b c'
	run ! store_get /x
	printf 'WRITE 0 /a -> ok\nREAD 0 /x -> ENOENT\n' |
		diff - <(grep -E ' (READ|WRITE) ' "$STORE_LOG" | cut -d ' ' -f 4-)
	message "$READ" 1 0 '/a b\\\377\0' | raw >/dev/null
	is '0 READ 0 /a\x20b\x5c\xff -> EINVAL' "$(tail -n 1 "$STORE_LOG" | cut -d ' ' -f 3-)"
	is 2 "$(store_requests read)"
	is "$(wc -l <"$STORE_LOG")" "$(store_requests)"
}

@test "a fault can return an error for the Nth request of a type and path" {
	store_set /a 1 /b 1
	store_fault 'read:/a@2=EIO' 'write@1+=ENOSPC'
	run -0 steps <<-'EOF'
		0 read /a
		0 read /b
		0 read /a
		0 read /a
		0 write /a 2
		0 write /b 2
		0 read /a
	EOF
	is "$(printf '0 %s\n' 'read ok 1' 'read ok 1' 'read EIO' 'read ok 1' 'write ENOSPC' \
		'write ENOSPC' 'read ok 1')" "$output"
	grep -q ' READ 0 /a -> fault:EIO$' "$STORE_LOG"
	store_fault_none
	store_set /a 2
}

@test "faults count requests from the moment they are set" {
	store_set /a 1
	store_fault 'read@2=EIO'
	store_get /a
	store_fault 'any:/a*@2=EIO'
	store_get /a
	run ! store_get /a
	store_get /a
}

@test "a transaction whose end fails by a fault is over" {
	store_stop
	store_start --listen "$xs7:7" --quota-transactions 1 --fault 'transaction_end:T@1=EAGAIN'
	run -0 steps <<<$'7 start\n7 write a 1\n7 commit\n7 read a\n7 start\n7 write a 2\n7 commit\n7 read a'
	is "$(printf '7 %s\n' 'start ok' 'write ok' 'commit EAGAIN' 'read ENOENT' 'start ok' \
		'write ok' 'commit ok' 'read ok 2')" "$output"
	# xenstore-write tries again on its own.
	store_fault 'transaction_end@1=EAGAIN'
	store_set /x 1 /y 2
	is 2 "$(store_get /y)"
}

@test "the fault delay delays one connection and serves the others" {
	store_set /slow 1 /fast 2
	store_fault 'read:/slow@1=delay:60000' 'read:/slow@2=delay:50'
	timeout "$generous" xenstore-read /slow >"$BATS_TEST_TMPDIR/slow" 3>&- &
	local slow=$! begin deadline=$((SECONDS + generous))
	until grep -q ' READ 0 /slow -> fault:delay:60000$' "$STORE_LOG"; do
		((SECONDS < deadline))
	done
	is 2 "$(timeout "$generous" xenstore-read /fast)"
	begin=${EPOCHREALTIME/[.,]/}
	is 1 "$(timeout "$generous" xenstore-read /slow)"
	((${EPOCHREALTIME/[.,]/} - begin >= 50000))
	kill "$slow"
	[[ ! -s $BATS_TEST_TMPDIR/slow ]]
	is 2 "$(store_get /fast)"
}

@test "the fault hang neither executes nor answers the request" {
	store_fault 'write:/h@1=hang'
	run -124 timeout 0.2 xenstore-write /h 1
	run ! store_has /h
	grep -q ' WRITE 0 /h -> fault:hang$' "$STORE_LOG"
}

@test "the faults drop and drop-after close the connection before and after the request is executed" {
	store_fault 'write:/a@1=drop' 'write:/b@1=drop-after'
	is '' "$({ message "$WRITE" 1 0 '/a\0x' && message "$WRITE" 2 0 '/c\0x'; } | raw)"
	is '' "$(message "$WRITE" 1 0 '/b\0x' | raw)"
	run -1 xenstore-exists /a
	run -1 xenstore-exists /c
	is x "$(store_get /b)"
	store_fault 'read@1=drop'
	run -1 timeout "$generous" xenstore-read /b
	is x "$(store_get /b)"
}

@test "the fault garbage answers with the same bytes each time" {
	store_fault 'read@1+=garbage'
	message "$READ" 1 0 '/\0' | raw >"$BATS_TEST_TMPDIR/one"
	message "$READ" 1 0 '/\0' | raw >"$BATS_TEST_TMPDIR/two"
	[[ -s $BATS_TEST_TMPDIR/one ]]
	cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
	run -1 timeout "$generous" xenstore-read /
}

@test "the faults badtype and badid answer with a wrong header" {
	store_set /a 1
	store_fault 'read@1=badtype' 'read@2=badid'
	message "$READ" 5 0 '/a\0' | raw | cmp - <(message $((0xffff)) 5 0 1)
	message "$READ" 5 0 '/a\0' | raw | cmp - <(message "$READ" $((0xfffffffa)) 0 1)
	store_fault 'read@1=badtype'
	run -1 timeout "$generous" xenstore-read /a
}

@test "the fault oversize announces two gigabytes" {
	store_fault 'read@1+=oversize'
	is "2 5 0 $((0x7fffffff))" "$(message "$READ" 5 0 '/\0' | raw | words)"
	run -1 timeout "$generous" xenstore-read /
}

@test "the fault short sends half an answer and closes the connection" {
	store_set /a 12345678
	store_fault 'read@1+=short'
	is '2 5 0' "$(message "$READ" 5 0 '/a\0' | "$MOCK_CLIENT" raw "$XENSTORED_PATH" | words)"
	run -1 timeout "$generous" xenstore-read /a
}

@test "the fault empty executes the request and answers without a payload" {
	store_set /a 1
	store_fault 'read@1=empty' 'write@1=empty'
	is '2 5 0 0' "$(message "$READ" 5 0 '/a\0' | raw | words)"
	is '11 5 0 0' "$(message "$WRITE" 5 0 '/a\0002' | raw | words)"
	is 2 "$(store_get /a)"
}

@test "an unknown fault is refused and named" {
	local spec
	for spec in '' read read@1 read@0=EIO read@x=EIO reed@1=EIO read@1=EWHAT read@1=delay:x @1=EIO; do
		run -2 "$MOCK_XENSTORED" --listen "$BATS_TEST_TMPDIR/xs" --fault "$spec"
		[[ $output == *"--fault: invalid: $spec" ]]
		run -2 store_fault "$spec"
	done
	printf 'nonsense\nread@1=EIO\n' >"$STORE_FAULTS.new"
	mv "$STORE_FAULTS.new" "$STORE_FAULTS"
	run -1 store_get /
	grep -qx '# not a fault: nonsense' "$STORE_LOG"
}

@test "the command line is checked" {
	run -2 "$MOCK_XENSTORED"
	run -2 "$MOCK_XENSTORED" --listen "$BATS_TEST_TMPDIR/xs" --quota-nodes many
	run -2 "$MOCK_XENSTORED" --listen "$BATS_TEST_TMPDIR/xs" more
	run -2 "$MOCK_XENSTORED" --nonsense
	run -1 "$MOCK_XENSTORED" --listen /nonexistent/xs
	run -0 "$MOCK_XENSTORED" --help
	[[ $output == *'--quota-transactions N'* && $output == *drop-after* ]]
}

@test "garbage from a client closes only its own connection" {
	local i
	store_set /a 1
	for i in {1..20}; do
		head -c 100000 /dev/urandom | "$MOCK_CLIENT" raw "$XENSTORED_PATH" >/dev/null
	done
	# Well-formed headers, senseless payloads.
	for i in {0..30}; do
		{
			message "$i" 1 0 ''
			message "$i" 2 0 '\0'
			message "$i" 3 0 'x'
			message "$i" 4 0 '\0\0\0\0'
			message "$i" 5 9 '/b\0\377\0\0'
			le32 "$i" 6 0 4096 && head -c 4096 /dev/urandom
		} | raw >/dev/null
	done
	is 1 "$(store_get /a)"
}

@test "a message over 4096 bytes closes the connection" {
	{
		message "$READ" 1 0 '/\0'
		le32 "$READ" 2 0 4097
		head -c 4097 /dev/zero
		message "$READ" 3 0 '/\0'
	} | "$MOCK_CLIENT" raw "$XENSTORED_PATH" | cmp - <(message "$READ" 1 0 '')
}

@test "a client that does not read its answers does not block others" {
	local i
	store_set /big "$(printf '%02000d' 0)"
	message "$READ" 1 0 '/big\0' >"$BATS_TEST_TMPDIR/many"
	for ((i = 0; i < 12; i++)); do
		cat "$BATS_TEST_TMPDIR/many" "$BATS_TEST_TMPDIR/many" >"$BATS_TEST_TMPDIR/twice"
		mv "$BATS_TEST_TMPDIR/twice" "$BATS_TEST_TMPDIR/many"
	done
	is $((4096 * 2016)) "$(raw <"$BATS_TEST_TMPDIR/many" | wc -c)"
	is 1 "$(store_set /a 1 && store_get /a)"
}

@test "the daemon ends with its parent and removes its sockets" {
	sleep 300 3>&- &
	local parent=$! pid dir=$BATS_TEST_TMPDIR/other
	mkdir "$dir"
	"$MOCK_XENSTORED" --daemon --parent "$parent" --pid-file "$dir/pid" --listen "$dir/xs" \
		--listen "$dir/xs3:3"
	pid=$(<"$dir/pid")
	XENSTORED_PATH=$dir/xs xenstore-exists /local/domain/3
	kill "$parent"
	store_gone "$pid"
	[[ ! -e $dir/xs && ! -e $dir/xs3 ]]
}

@test "the daemon ends on SIGTERM and removes its sockets" {
	local pid
	pid=$(<"$STORE_DIR/pid")
	kill "$pid"
	store_gone "$pid"
	[[ ! -e $XENSTORED_PATH && ! -e $xs7 ]]
	# The store may be gone already when a test is over.
	store_stop
}

@test "the daemon keeps none of the descriptors it inherited" {
	local pid
	pid=$(<"$STORE_DIR/pid")
	run -0 find "/proc/$pid/fd" -mindepth 1 -printf '%l\n'
	[[ $output == *"$STORE_LOG"* && $output != *pipe:* ]]
}

@test "Xen's own test-xenstore passes" {
	local test=${TEST_XENSTORE:-}
	if [[ ! $test ]]; then
		test=$("$BATS_TEST_DIRNAME/../lib/upstream.sh")
		test=$(compgen -G "$test/usr/lib/xen-*/bin/test-xenstore")
	fi
	run -0 timeout "$generous" "$test"
	[[ $output == *'ta err'* ]]
}
