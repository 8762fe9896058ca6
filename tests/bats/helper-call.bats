# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug call: the protocol between it and a script, on scripts that read the
# framework's run.sh alone. They are called with plan, for which there is no lock.

bats_require_minimum_version 1.5.0

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
}

teardown() {
	helper_teardown
}

# script
# Makes the script of standard input, whose exit status is that of the call.
script() {
	{
		printf '#!%s call\n. %q\nrun_tell phase answer\nhome=%q\n' "$helper" "$root/hotplug/common/run.sh" "$home"
		cat
	} >script
	chmod +x script
}

# call_script
# Calls it. Sets status, reply (the fields that it printed), and error.
call_script() {
	status=0
	timeout --signal KILL "$generous" ./script plan >out 2>err 9>&- 3>&- || status=$?
	mapfile -d '' -t reply <out
	error=$(<err)
}

@test "a script asks several times" {
	store_set "$home/a" 'one value' "$home/b" ''
	script <<-'END'
		helper load "$home" a b c && printf '%s\0' "${run_reply[@]}"
		helper load "$home" b && printf '%s\0' "${run_reply[@]}"
	END
	call_script
	done_with '=one value' '=' - '='
}

@test "arguments and fields may be empty and have newlines and any other byte" {
	store_set "$home/frontend" x
	script <<-'END'
		all=$(printf '%b' "$(printf '\\x%02x' {1..255})")
		helper publish "$home" $'k=two\nlines\n' l= "m=$all" || exit
		helper load "$home" k l m
		[[ ${run_reply[0]} == $'=two\nlines\n' && ${run_reply[1]} == '=' && ${run_reply[2]} == "=$all" ]] || exit
		run printf '%s|' '' $'a\n' '' "$all"
		[[ $run_output == $'|a\n||'"$all|" ]]
	END
	call_script
	done_with
}

@test "a request may have 1,000 arguments" {
	script <<-'END'
		keys=({1..1000})
		helper load "$home" "${keys[@]}" && printf '%s\0' "${#run_reply[@]}"
		run printf '%s ' "${keys[@]}" && [[ $run_output == "${keys[*]} " ]]
	END
	call_script
	done_with 1000
}

@test "a request that fails has its status and one sentence" {
	script <<-'END'
		helper claim --device vbd/1/2 --mode w -- /no/such/image || printf '%s\0' "$?" "$reason"
		helper nonsense || printf '%s\0' "$?" "$reason"
		helper load || printf '%s\0' "$?" "$reason"
		helper load "$home" a && printf '%s\0' "${run_reply[@]}"
	END
	call_script
	[[ $status == 0 && ${#reply[@]} == 7 && ! $error ]]
	[[ ${reply[0]} == 1 && ${reply[1]} == *'/no/such/image'*. && ${reply[1]} != *$'\n'* ]]
	[[ ${reply[2]} == 2 && ${reply[3]} == "'nonsense' is not a subcommand;"* ]]
	[[ ${reply[4]} == 2 && ${reply[5]} == *"see 'xen-hotplug load --help'." ]]
	[[ ${reply[6]} == - ]]
}

@test "a command that fails prints nothing, but has its status and its own sentence" {
	script <<-'END'
		run sh -c 'printf half; echo why >&2; exit 7' || printf '%s\0' "$?" "$run_output" "$reason"
		run true && printf '%s\0' "${#run_reply[@]}" "$run_output"
	END
	call_script
	done_with 7 $'\'sh -c printf half; echo why >&2; exit 7\' failed: why.\n' \
		"'sh -c printf half; echo why >&2; exit 7' failed: why." 0 ''
}

@test "a worker that is killed has failed" {
	script <<-'END'
		run sh -c 'kill -KILL $PPID' || printf '%s\0' "$?" "$reason"
		run echo next && printf '%s\0' "$run_output"
	END
	call_script
	[[ $status == 0 && ${reply[0]} != 0 && ${reply[1]} == *'ended without a word'*. && ${reply[2]} == $'next\n' ]]
}

@test "a request of almost 4 MiB is served" {
	script <<-'END'
		printf -v text '%04194200d' 0
		run_with "$text" wc -c && printf '%s\0' "${run_output//[!0-9]/}"
	END
	call_script
	done_with 4194200
}

@test "a request of more than 4 MiB is answered by a sentence" {
	script <<-'END'
		printf -v text '%04194304d' 0
		run_with "$text" wc -c || printf '%s\0' "$?" "$reason"
		run echo next && printf '%s\0' "$run_output"
	END
	call_script
	done_with 2 'A command or its input has more than 4 MiB, which is not taken; give it a file.' $'next\n'
}

@test "requests that arrive together, or in pieces, are served in order" {
	script <<-'END'
		printf '%s\0' 15 run -- echo 11 15 run -- echo 22 >&3
		for piece in 1 '5\0' r 'un\0--' '\0' 'echo\0' 33 '\0'; do printf -- "$piece" >&3; done
		mapfile -d '' -n 9 -t run_reply <&3
		printf '%s\0' "${run_reply[@]}"
	END
	call_script
	done_with 0 1 $'11\n' 0 1 $'22\n' 0 1 $'33\n'
}

@test "bytes that are no request end the call with a sentence" {
	local bytes tried=0
	while read -r bytes; do
		script <<-END
			printf -- '$bytes' >&3
			read -r -d '' -u 3 _
			printf 'served\0'
		END
		call_script
		ended 1 'script has sent what is no request; it must not use descriptor 3.' || {
			echo "bytes: $bytes"
			return 1
		}
		tried=$((tried + 1))
	done <<-'END'
		nonsense\0x\0
		\0
		0\0
		-5\0load\0
		+5\0load\0
		5 \0load\0
		99999999999\0load\0
		2147483648\0load\0
		00000000000000000005\0load\0
		5\0loads
		nothing that ends
	END
	((tried == 11))
}

@test "a script that ends in the middle of a request is not served" {
	script <<-'END'
		printf '100\0run\0--\0touch\0%s/pwned\0' "${0%/*}" >&3
	END
	call_script
	done_with
	[[ ! -e pwned ]]
}

@test "a script may close the descriptor" {
	script <<-'END'
		exec 3>&-
		echo closed
		exit 5
	END
	call_script
	[[ $status == 5 && $(<out) == closed && ! $error ]]
}

@test "an answer that nobody reads does not keep a script from its end" {
	script <<-'END'
		printf -v text '%01000000d' 0
		run_tell run --input "$text" -- cat
		run_tell run -- true
	END
	call_script
	done_with
}

@test "the script's standard output and error are the caller's" {
	script <<-'END'
		echo out
		echo err >&2
		exit 3
	END
	call_script
	[[ $status == 3 && $(<out) == out && $error == err ]]
}

@test "the script has the caller's arguments, unchanged" {
	local arguments=(plan '' 'a b' $'new\nline' --help -x '*' $'\xff')
	script <<-'END'
		printf '%s\0' "$0" "$@"
	END
	status=0
	"$PWD/script" "${arguments[@]}" >out 2>err 9>&- || status=$?
	mapfile -d '' -t reply <out
	error=$(<err)
	done_with "$PWD/script" "${arguments[@]}"
}

@test "a script that does not exist is an error of one sentence" {
	call call /no/such/script plan
	[[ $status == 1 && ! -s out && ${error##*$'\n'} == "script stopped with status 127: "*'/no/such/script'*'No such file or directory'*. ]]
}
