# SPDX-License-Identifier: LGPL-2.1-only
# Our own rules (tests/lint) find what breaks them and nothing else, and
# STYLE.md and they say the same.

bats_require_minimum_version 1.5.0
root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$root/.shellcheckrc" .
}

# licence <file>
# Gives a file its first line.
licence() {
	sed -i '1i # SPDX-License-Identifier: LGPL-2.1-only' "$1"
}

# judged <path> [line:rule]... <code
# The lint finds this, and no more, in such a file; its licence is its line 1.
# TEST stands for @test, which bats would take for a test of this file.
judged() {
	local path=$1
	mkdir -p "${path%/*}"
	sed 's/^TEST /@test /' >"$path"
	licence "$path"
	shift
	run "$root/tests/lint/run" "$path"
	diff -u <(printf '%s\n' "$@") <(sed -E "s|^$path:([0-9]+): ([a-z-]+): .+\.?$|\1:\2|" <<<"$output")
	[[ "$status" -eq $(($# > 0)) ]]
}

# snippets
# Each snippet of STYLE.md becomes the file VERDICT/RULE/PATH.
snippets() {
	local line file='' fence='^```(bash|c) (wrong|right):([^ ]+)( (.+))?$'
	while IFS= read -r line; do
		if [[ $line =~ $fence ]]; then
			file=${BASH_REMATCH[2]}/${BASH_REMATCH[3]}/${BASH_REMATCH[5]:-hotplug/common/example.sh}
			mkdir -p "${file%/*}"
		elif [[ $line == '```' ]]; then
			[[ $file == */spdx/* || $(head -c 2 "$file") == '#!' ]] || licence "$file"
			file=''
		elif [[ $file ]]; then
			printf '%s\n' "$line" >>"$file"
		fi
	done <"$root/STYLE.md"
}

# judge_snippets
# Prints what our rules and shellcheck find in the snippets, as FILE RULE. Those
# of our rules are lines out of any function; shellcheck reads only its own.
judge_snippets() {
	local all checked
	mapfile -t all < <(find wrong right -type f)
	mapfile -t checked < <(find wrong/SC* right/SC* -type f)
	"$root/tests/lint/run" "${all[@]}" | sed -E 's/^([^:]+):[0-9]+: ([a-z-]+): .*/\1 \2/'
	shellcheck --format gcc "${checked[@]}" | sed -E 's/^([^:]+):.*\[(SC[0-9]+)\]$/\1 \2/'
}

@test "each wrong snippet of STYLE.md breaks its own rule only" {
	local file rule
	snippets
	judge_snippets | sort -u >found
	find wrong -type f | while IFS=/ read -r file rule path; do
		printf '%s %s\n' "$file/$rule/$path" "$rule"
	done | sort >expected
	(($(wc -l <expected) >= 20))
	diff -u expected found
}

@test "in STYLE.md each wrong snippet is followed by its right one" {
	grep '^```[a-z]* [wr]' "$root/STYLE.md" | paste - - >pairs
	(($(wc -l <pairs) >= 20))
	# shellcheck disable=SC2016 # backticks of Markdown
	run grep -vE '^(```[a-z]+) wrong:(.*)	\1 right:\2$' pairs
	echo "$output"
	[[ "$status" -eq 1 ]]
}

@test "STYLE.md names exactly the rules that exist, with a snippet for each" {
	grep -oh 'finding("[a-z-]*"' "$root"/tests/lint/{shell.jq,lines.awk} | cut -d '"' -f 2 | sort -u >rules
	(($(wc -l <rules) > 15))
	# shellcheck disable=SC2016 # backticks of Markdown
	grep -o '`lint: [a-z-]*`' "$root/STYLE.md" | tr -d '`' | cut -d ' ' -f 2 | sort -u | diff -u rules -
	grep -o 'wrong:[a-z-]*' "$root/STYLE.md" | cut -d : -f 2 | sort -u | grep . >shown
	# A function that is too long is too long for STYLE.md.
	diff -u <(grep -vx length rules) shown
}

@test "each file that STYLE.md names exists" {
	local file
	# shellcheck disable=SC2016 # backticks of Markdown
	grep -oE '`(tests|helpers|hotplug)/[a-z0-9/._-]+`' "$root/STYLE.md" | tr -d '`' >files
	(($(wc -l <files) > 5))
	while read -r file; do
		echo "$file"
		[[ -e $root/$file ]]
	done <files
}

@test "quoted: each expansion in a word that bash would split" {
	judged tests/bench/example 2:quoted 3:quoted 4:quoted 5:quoted 6:quoted 7:quoted 8:quoted 10:quoted <<-'END'
		printf '%s' "$a" b$a
		printf '%s' ${a[@]}
		printf '%s' ${a:-"$b"} >/dev/null
		list=(a $a)
		: >$a
		declare -g $a
		for a in "$a" ${b%,}; do :; done
		printf '%s' "${a:-"$(
			printf '%s' $a
		)"}"
	END
}

@test "quoted: no finding where bash does not split, and none for a number" {
	judged tests/bench/example <<-'END'
		a=$b c=$(true) d[$e]=$f
		local g=$h
		case $a in $b) ;; esac
		[[ $a == $b && -e $c ]]
		((a = $b))
		cat <<<$a
		cat <<END2
		$a
		END2
		printf '%s' $# $? $! $$ ${#a} ${#a[@]} $((a + 1)) '$a' "$(true "$a")"
		declare -A e=([a]=$a)
	END
}

@test "no-eval: every form of eval, and every variable that a value names" {
	judged hotplug/common/example.sh 2:no-eval 3:no-eval 3:programs 4:no-eval 4:programs 5:no-eval <<-'END'
		eval "$a"
		command eval "$a"
		if builtin eval :; then :; fi
		printf '%s' "${!a}"
		printf '%s' "${!1}" "${!#}" "${!a[@]}" 'eval' "eval"
	END
	judged tests/bats/example.bats 3:no-eval <<-'END'
		TEST "a" {
			eval "$a"
		}
	END
	judged tests/lib/example.bash <<-'END'
		eval "$a"
	END
}

@test "documented: a comment directly above begins with the name and has all arguments" {
	judged hotplug/common/example.sh 2:documented 7:documented 12:documented 17:documented 22:documented 27:documented <<-'END'
		example_none() {
			:
		}

		# What it does.
		example_name() {
			:
		}
		# example_far

		example_far() {
			:
		}

		# example_names
		example_name() {
			:
		}

		# example_one <a>
		example_one() {
			: "$1" "${2:-}"
		}

		# example_all
		example_all() {
			: "$@"
		}
	END
}

@test "documented: all accepted forms of arguments" {
	judged tests/lib/example.bash <<-'END'
		# Of the file.

		# example_all <a> on|off [some thing] <out-var>
		# More.
		# shellcheck disable=SC2317 # called
		example_all() {
			: "$1" "$4" "$@"
		}

		# example_more <a>...
		example_more() {
			: "$1" "$2"
		}
		example_line() { :; }

		# example_none
		example_none() {
			awk '{ print $1 }'
		}
	END
	judged tests/bench/example <<<$'example() {\n\t:\n}'
}

@test "documented: each declaration of a header" {
	judged helpers/example.h 4:documented 8:documented <<-'END'
		/* A comment of the file. */

		int example_a(void);
		struct example {
		    int (*call)(void);
		};
		__attribute__((noreturn)) void example_b(
			int a);

		/*
		 * What it does.
		 */
		int example_c(void);
		#define EXAMPLE(x) (x)
		extern const int example;
	END
	judged helpers/example.c <<<'static int example_a(void);'
}

@test "length: at most 20 lines of shell without here-documents, or 40 of C" {
	local twenty forty
	printf -v twenty '\t:\n%.0s' {1..20}
	printf -v forty '\t;\n%.0s' {1..40}
	judged tests/demo <<<"f() {"$'\n'"$twenty}"
	judged tests/demo 2:length <<<"f() {"$'\n'"$twenty"$'\t:\n}'
	judged tests/demo <<<"f() {"$'\n\tcat <<-END\n'"$twenty"$'\tEND\n}'
	judged helpers/example.c <<<$'int f(void)\n{\n'"$forty}"
	judged helpers/example.c 3:length <<<$'int f(void)\n{\n'"$forty"$'\t;\n}'
}

@test "spdx: in the first three lines" {
	printf '%s\n' 1 2 '# SPDX-License-Identifier: LGPL-2.1-only' >third.c
	printf '%s\n' 1 2 3 '# SPDX-License-Identifier: LGPL-2.1-only' >fourth.c
	printf '%s\n' '# SPDX-License-Identifier: GPL-2.0-only' >other.sh
	run "$root/tests/lint/run" third.c fourth.c other.sh
	cut -d : -f 1-3 <<<"$output" | diff -u <(printf '%s:1: spdx\n' fourth.c other.sh) -
}

@test "prefix: the file's name, or a word of device scripts" {
	judged hotplug/common/kind-vif.sh 2:prefix 3:prefix <<-'END'
		load() { :; }
		vifload() { :; }
		vif_load() { :; }
		complain() { :; }
		warn() { :; }
	END
	judged hotplug/common/resources.sh 4:prefix <<-'END'
		resource_a() { :; }
		resources_a() { :; }
		store_a() { :; }
	END
}

@test "globals: every form of assignment to what is neither local nor the file's" {
	judged hotplug/common/example.sh {3..22}:globals <<-'END'
		# example_a
		example_a() { a=1; }
		example_b() { local c=1; d+=$c; }
		example_c() { a[1]=1; }
		example_d() { a=(1 2); }
		example_e() { ((a = 1)); }
		example_f() { ((a += 1, 2)); }
		example_g() { ((a++)); }
		example_h() { ((a[1]--)) || :; }
		example_i() { : "$((a <<= 1))"; }
		example_j() { for a in 1 2; do :; done; }
		example_k() { for ((a = 1; 0; )); do :; done; }
		example_l() { local b; IFS=: read -r -t 3 b a; }
		example_m() { read -ra a; }
		example_n() { mapfile -t -d '' a; }
		example_o() { printf -v a '%s' 1; }
		example_p() { printf -v "a[1]" '%s' 1; }
		example_q() { declare -g a=1; }
		example_r() { unset a; }
		example_s() { : "${a:=1}"; }
		example_t() { export a; }
	END
}

@test "globals: every form of reading what is neither local nor a file's" {
	judged hotplug/common/example.sh {3..9}:globals <<-'END'
		# example_a
		example_a() { : "$a"; }
		example_b() { : "${#a[@]}"; }
		example_c() { : "${a:-1}"; }
		example_d() { ((a == 1)); }
		example_e() { ((!a)); }
		example_f() { : "$((a))"; }
		example_g() { : "${1:a}"; }
	END
}

@test "globals: a variable that an argument names, and a nameref" {
	judged hotplug/common/example.sh {3..7}:globals <<-'END'
		# example_a
		example_a() { printf -v "$1" '%s' 1; }
		example_b() { read -r "$1"; }
		example_c() { declare -g "$1=1"; }
		example_d() { local -n b=$1; }
		example_e() { unset "$1"; }
	END
	judged hotplug/common/failure.sh <<-'END'
		quote() { printf -v "$1" '%s' "$2"; }
	END
}

@test "globals: no finding for locals, the file's own, words of device scripts, and what it reads of other files" {
	judged hotplug/common/example.sh <<-'END'
		a=1
		for b in "$a"; do read -r c; done
		example_a() { local a=1 b=(1) c; a=2 b+=(3) c=$((a++)); example_d=$c example_e[1]=${b[0]}; }
		example_b() { IFS=: LC_ALL=C read -ra example_f <<<"$journal_file"; }
		example_c() { dev=$mode reason="No $expected."; PATH=$REPLY; }
		example_d() { : "$parameters" "${device_kind}" "${store_value[params]}" "$library_names" "$1" "$?" "$@"; }
		example_e() { declare -F resources && [[ -v a ]] || read -r -u "$lock_descriptor" _; }
	END
	judged hotplug/common/parameters.sh 3:globals <<-'END'
		device() { device_kind=$1; parameters+=("$1"); parameter_type=$1; }
		param() { target_type=$1; }
	END
	judged hotplug/common/kind-vif.sh 2:globals <<-'END'
		vif_a() { vif_b=$1 vif=$1 kind_a=$1; }
	END
	judged hotplug/common/resources/nbd.sh 2:globals <<-'END'
		nbd_a() { nbd_b=1 nbd_client_device=1; }
	END
	judged tests/lib/example.bash <<-'END'
		example() { a=1; }
	END
}

@test "programs: every command that is neither a builtin nor our function" {
	judged hotplug/common/example.sh 2:programs 3:programs 4:programs 5:programs 6:programs 7:programs <<-'END'
		ip link show
		[[ ! $a ]] || /bin/true
		"$a" b
		exec ip link show
		command ip link show
		coproc helper session
		"example_$a" && "${a}_b" && example_own && printf '' && run ip link show || exec 3>&-
		example_own() { :; }
	END
}

@test "subshell: subshells of any kind" {
	judged hotplug/common/example.sh 2:subshell 3:subshell 4:subshell 5:subshell 6:subshell <<-'END'
		a=$(printf '')
		(printf '')
		printf '' | read -r a
		read -r a < <(printf '')
		printf '' &
		a=$((1 + 2)) && { printf ''; } || ((a))
	END
}

@test "exit: allowed only in fail and in lifecycle.sh" {
	judged hotplug/common/failure.sh 6:exit 8:exit <<-'END'
		# fail <sentence>
		fail() {
			exit 1
		}
		[[ $a ]] || exit
		failure_a() { return; }
		failure_b() { exit 1; }
	END
	judged hotplug/common/lifecycle.sh <<<'exit 1'
}

@test "full-stop: in arguments of fail, complain and warn, and in reason" {
	judged hotplug/common/example.sh 2:full-stop 3:full-stop 4:full-stop 5:full-stop 8:full-stop <<-'END'
		fail 'No full stop'
		complain "No $a: really" busy
		[[ $a ]] || fail "No ${a}!"
		reason="No $a?"
		reason='' && reason='One.' && reason="One $a." && reason=$a
		fail 'One.' || complain "One: $reason" || fail "$reason" busy
		warn "No full stop"
	END
}

@test "unchecked: a command whose failure nothing handles" {
	judged hotplug/common/example.sh 4:unchecked 5:unchecked 6:unchecked 8:unchecked <<-'END'
		# example_a
		example_a() {
			run a
			if [[ $reason ]]; then run_with b c && run d; helper b; run c; fi
			for reason in b; do run c; done
			if run a; then
				run b
				run c
			fi
			run a || return
			run a
		}
	END
}

@test "release: a resource's release does not call fail" {
	judged hotplug/common/resources/example.sh 7:release <<-'END'
		# example_acquire
		example_acquire() { fail 'No.'; }

		# example_release
		example_release() {
			[[ ! $dev ]] || fail 'No.'
		}
	END
}

@test "declares: a device script contains only declarations" {
	judged hotplug/Linux/example 3:declares 4:declares 5:declares 6:declares 7:declares 9:declares 10:declares 12:declares 13:declares <<-'END'
		. "${BASH_SOURCE[0]%/*}/hotplug.sh"
		param a word 'A.'
		a=b
		printf ''
		device block 'A.' >/dev/null
		[[ $a ]] || needs ip
		resources() {
			mode=$a
			run ip link show
		}
		example() { :; }
		hotplug add
	END
	judged hotplug/Linux/example 2:declares 4:declares <<-'END'
		device block 'A.'
		device block 'A.'
		hotplug "$@"
		hotplug "$@"
	END
	judged hotplug/Linux/example 1:declares 1:declares 1:declares <<<''
}

@test "declares: the scripts of docs/writing-a-script.md pass" {
	local name
	for name in block-pool block-scratch; do
		sed -n "/^\`\`\`bash $name\$/,/^\`\`\`\$/p" "$root/docs/writing-a-script.md" | sed '1d;$d' |
			judged "hotplug/Linux/$name"
		(($(wc -l <"hotplug/Linux/$name") > 8))
	done
}

@test "strict: every bash program that is no device script" {
	local licence='# SPDX-License-Identifier: LGPL-2.1-only'
	printf '%s\n' '#!/bin/bash' "$licence" 'true && set -Eeuo pipefail' >loose
	printf '%s\n' '#!/bin/bash' "$licence" 'set -Eeuo pipefail' >strict
	printf '%s\n' '#!/usr/bin/env bats' "$licence" >program.bats
	run "$root/tests/lint/run" loose strict program.bats
	[[ "$status" -eq 1 ]]
	[[ "$output" == 'loose:1: strict: '* && "${#lines[@]}" -eq 1 ]]
}

@test "disable, sleep and skip: a missing reason or a fixed wait is found" {
	judged tests/demo 2:disable <<<"# shellcheck disable=SC2016,SC2086"
	judged tests/bats/example.bats 3:sleep 5:skip <<-'END'
		TEST "a" {
			true && sleep 1
			# shellcheck disable=SC2016 # a reason
			skip
			skip "reason"
			sleep 100 &
		}
	END
	judged tests/e2e/suite/example.bats <<<'sleep 1'
}

@test "an unreadable file is an error" {
	echo 'if' >bad.sh
	run "$root/tests/lint/run" bad.sh
	[[ "$status" -ne 0 && "$output" == *bad.sh:1* ]]
	run "$root/tests/lint/run" absent.sh
	[[ "$status" -ne 0 ]]
	run "$root/tests/lint/run" absent.c
	[[ "$status" -ne 0 ]]
	run "$root/tests/lint/run"
	[[ "$status" -eq 2 ]]
}

@test "make lint checks all of our own sources" {
	cd "$root"
	find hotplug helpers manual tests .ci -type f \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -name '*.[ch]' \
		-o -name '*.jq' -o -name '*.awk' -o ! -name '*.*' -exec grep -qsm 1 '^#!/bin/bash' {} \; \) -print | sort >"$BATS_TEST_TMPDIR/ours"
	(($(wc -l <"$BATS_TEST_TMPDIR/ours") > 150))
	make --silent --dry-run lint-rules | grep -o '[^ ]*/[^ ]*' | sort -u | comm -23 "$BATS_TEST_TMPDIR/ours" - >"$BATS_TEST_TMPDIR/missed"
	diff /dev/null "$BATS_TEST_TMPDIR/missed"
}
