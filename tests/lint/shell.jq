# SPDX-License-Identifier: LGPL-2.1-only
# The rules that the syntax tree of a shell script can tell. Input: a tree for
# each positional argument, in order; $known: what a command may be called;
# $prefixes: an expression for what a framework's variable may begin with.
# shfmt's types are those of mvdan.cc/sh/v3/syntax. A rule gets the list of all
# nodes of a tree, the file itself first: to walk a tree once is slow enough.

# Positions, which are objects with an Offset, are most of a tree: they are not walked.
def walk_nodes: [recurse(.[]? | select(type == "array" or type == "object" and (has("Offset") | not))) | objects];

def finding($rule; $sentence): {line: (.Pos.Line // 1), rule: $rule, sentence: $sentence};

def nodes($type): .[] | select(.Type == $type);

# The word's text where it is nothing but text; else nothing.
def literal: .Parts | select(length == 1 and .[0].Type == "Lit") | .[0].Value;

def name_of_call: select(.Type == "CallExpr" and .Args) | .Args[0] | literal;

def calls($name): .[] | select(name_of_call == $name);

# Statements, which unlike their declarations have the comments.
def functions: .[] | select(.Cmd?.Type == "FuncDecl");

# What bash splits into words and takes as patterns: all words but those of
# assignments, of [[ ]], (( )) and case, and of here-strings.
def split_words: .[] |
	(select(.Type == "CallExpr") | .Args[]?),
	(select(.Type == "WordIter") | .Items[]?),
	(select(.Type == "DeclClause") | .Args[]? | select(.Naked) | .Value | objects),
	(.Elems?[]? | select(.Index | not) | .Value),
	(.Redirs?[]? | select(.Op != 63) | .Word);

# ${#x}, $#, $?, $$ and $! are numbers.
def is_number: .Length or (.Param.Value // "" | IN("#", "?", "$", "!"));

def quoted:
	split_words | .Parts[] | select(.Type == "ParamExp" and (is_number | not) or .Type == "CmdSubst")
	| finding("quoted"; "Quote this expansion, or make an array of the words.");

def no_eval:
	nodes("CallExpr") | [.Args[]? | literal // ""] as $words
	| select($words[0] == "eval" or ($words[0] | IN("command", "builtin")) and $words[1] == "eval")
	| finding("no-eval"; "Do it without eval: printf -v, arrays and functions suffice.");

def no_indirection:
	nodes("ParamExp") | select(.Excl and (.Index | not) and (.Param.Value | test("^([0-9]+|#)$") | not))
	| finding("no-eval"; "Only an argument may name a variable, as in ${!1}, and not a value.");

# The comment directly above, without its lines for tools; a list of lines.
def comment_above:
	.Pos.Line as $line
	| reduce .Comments[]? as $comment ([];
		if .[-1].Pos.Line? == $comment.Pos.Line - 1 then . else [] end + [$comment])
	| if .[-1].Pos.Line? == $line - 1 then . else [] end
	| map(.Text | ltrimstr(" ") | select(test("^(shellcheck |SPDX-)") | not));

# The arguments that the comment's first line names, one string each.
def named_arguments($name): ltrimstr($name) | gsub("<[^>]*>|\\[[^]]*\\]"; "A") | split(" ") | map(select(. != ""));

def used_arguments: [.Cmd | walk_nodes | nodes("ParamExp") | .Param.Value];

# "..." stands for any number.
def names_too_few($line; $named; $used):
	($line | contains("...") | not) and ([$used[] | select(test("^[0-9]+$")) | tonumber] | max // 0) > ($named | length)
	or $named == [] and any($used[]; . == "@" or . == "*");

def documented:
	functions | select(.Pos.Line != .End.Line) | .Cmd.Name.Value as $name | (comment_above[0] // "") as $line
	| ($line | named_arguments($name)) as $named
	| if $line != $name and ($line | startswith($name + " ") | not) then
		finding("documented"; "Directly above \($name) stands no comment that begins with its name and arguments.")
	elif names_too_few($line; $named; used_arguments) then
		finding("documented"; "\($name) uses more arguments than the \($named | length) that its comment names.")
	else empty end;

# A here-document is text, not code.
def code_lines: .End.Line - .Pos.Line - 1
	- ([.Cmd | walk_nodes[] | .Redirs?[]?.Hdoc | objects | .End.Line - .Pos.Line] | add // 0);

def lengths:
	functions | select(.End.Line - .Pos.Line > 21) | code_lines as $lines | select($lines > 20)
	| finding("length"; "\(.Cmd.Name.Value) has \($lines) lines; more than 20 are several functions.");

# kind-vif.sh has vif_, journal-read.sh has journal_, resources.sh has resources_ and resource_.
def stem($file): $file | split("/")[-1] | rtrimstr(".sh") | ltrimstr("kind-") | sub("-.*"; "") | rtrimstr("s");

def prefix($file):
	stem($file) as $stem
	| functions | select(.Cmd.Name.Value | test("^\($stem)s?_") or IN("device", "param", "target", "needs",
		"use", "hotplug", "fail", "complain", "warn", "quote", "run", "helper", "library", "lock", "unlock") | not)
	| finding("prefix"; "\(.Cmd.Name.Value) does not begin with its file's name, \($stem)_.");

# The variables that have no prefix: those of the device, which a script's
# resources() and its hooks read; and the words in which a function and a type
# say why they failed.
def shared: IN("action", "command", "dev", "device_id", "devid", "domid", "ip", "mac", "main_ip", "mode", "mtu",
	"physical_device", "target", "type", "type_if", "verb", "vif", "vifname", "accepted", "expected", "reason");

# The functions that fill a variable which their caller names.
def fills_for_caller: IN("config_get", "journal_recall", "parameters_set", "quote",
	"sysfs_read", "vif_accept_optional");

def variable($node; $name): {Pos: $node.Pos, name: $name};

# The words in which these commands name the variables that they fill; the value
# is the options that take an argument.
def filled:
	(.Args[0] | literal // "") as $command
	| ({read: "[dutnNpi]", mapfile: "[dnOsuCc]", unset: "$^", printf: "$^"}[$command] // empty) as $valued
	| if $command == "printf" then select((.Args[1] | literal // "") == "-v") | .Args[2]
	else reduce .Args[1:][] as $word ({words: [], skip: false}; ($word | literal // "") as $text
		| if .skip then .skip = false
		elif .words == [] and ($text | startswith("-")) then .skip = ($text | test("^-[a-zA-Z]*\($valued)$"))
		else .words += [$word] end) | .words[] end;

# The name of a word's first part is that of an element: a[1].
def word_name: .Parts[0] | if .Type == "Lit" then .Value | sub("\\[.*"; "") elif .Short then .Param.Value else null end;

# ++, --, =, += and the like.
def changes: .Type == "UnaryArithm" and (.Op | IN(36, 37)) or .Type == "BinaryArithm" and (.Op == 74 or .Op >= 44 and .Op <= 53);

# declare, but -F, -f and -p only ask.
def declared: select(any(.Args[]; .Naked and (.Value // {} | literal // "" | test("^-[A-Za-z]*[Ffp]"))) | not) | .Args[]
	| if .Name then variable(.; .Name.Value) else variable(.; .Value.Parts[0] | select(.Type != "Lit") | null) end;

# The variables that a function assigns; the name is null where it is an argument's value.
def assigned:
	.[] | if .Type == "CallExpr" then
		if .Args then filled | variable(.; word_name) else .Assigns[]? | variable(.; .Name.Value) end
	elif .Type == "DeclClause" then select(.Variant.Value != "local") | declared
	elif .Type == "WordIter" then variable(.Name | {Pos: .ValuePos}; .Name.Value)
	elif changes then variable(.; .X | word_name)
	elif .Type == "ParamExp" then select(.Exp.Op? | IN(74, 75)) | variable(.; .Param.Value)
	else empty end;

def in_arithmetic: select(.Type == "Word" and (.Parts | length == 1)) | variable(.; .Parts[0] | select(.Type == "Lit") | .Value);

# The variables that a function reads.
def used:
	.[] | if .Type == "ParamExp" then variable(.; .Param.Value), (.Slice? | objects | .Offset, .Length | objects | in_arithmetic)
	elif .Type == "BinaryArithm" then .X, .Y | in_arithmetic
	elif .Type | IN("UnaryArithm", "ParenArithm", "ArithmExp", "ArithmCmd") then .X | objects | in_arithmetic
	else empty end;

# What a variable of this file begins with, as an expression: the file's name, or
# a word of device scripts that it defines (device_kind). nbd_client_x is not nbd.sh's.
def own_prefixes($file):
	stem($file) as $stem
	| ([$prefixes | split("|")[] | select(startswith($stem + "_"))] | join("|")) as $longer
	| (if $longer == "" then "" else "(?!(\($longer))(_|$))" end)
		+ "(" + ([$stem + "s?", (functions.Cmd.Name.Value | select(contains("_") | not))] | join("|")) + ")";

def globals($file):
	own_prefixes($file) as $own
	| functions | .Cmd.Name.Value as $function | .Cmd | walk_nodes
	| [nodes("DeclClause") | select(.Variant.Value == "local") | .Args[].Name.Value // empty] as $local
	| [assigned] as $assigned
	# In ASCII, a name of small letters is between these two.
	| def foreign($allowed): unique_by(.name)[] | select(.name >= "a" and .name < "{")
		| select(.name | IN($local[]) or shared or test("^(\($allowed))(_|$)") | not);
	($assigned | map(select(.name)) | foreign($own)
		| finding("globals"; "\(.name) is not local here and does not begin with the file's name: whose variable is it?")),
	($assigned[] | select(.name == null and ($function | fills_for_caller | not))
		| finding("globals"; "Do not fill the caller's variable: set a global that begins with the file's name.")),
	(nodes("DeclClause") | select(.Variant.Value == "local" and (.Args[0].Value? // {} | literal // "") == "-n")
		| finding("globals"; "Do not write through a nameref: set a global that begins with the file's name.")),
	([used | select(.name | IN($assigned[].name) | not)] | foreign("\($own)|\($prefixes)")
		| finding("globals"; "\(.name) is not local here and begins with no file's name: pass it as an argument."));

# A command that is neither a word of bash nor a function is a program. A
# computed name is a function's if a part of it says so: "type_$1".
def is_program($ours):
	(.Args | length) as $words | .Args[0] | (literal // "") as $name
	| if $name == "" then any(.Parts[] | ., .Parts[]? | select(.Type == "Lit") | .Value; contains("_")) | not
	elif $name == "exec" then $words > 1
	else all($ours[]; . != $name) end;

def programs:
	([functions.Cmd.Name.Value] + ($known | split("\n")) - ["command", "builtin", "enable"]) as $ours
	| (nodes("CallExpr") | select(.Args) | select(is_program($ours))),
	nodes("CoprocClause")
	| finding("programs"; "Start programs with run or helper: they have a deadline there.");

def subshell:
	.[] | select((.Type | IN("CmdSubst", "ProcSubst", "Subshell"))
		or .Type == "BinaryCmd" and (.Op == 12 or .Op == 13) or .Background)
	| finding("subshell"; "This starts a subshell: give the result in a variable.");

def exits:
	.[0].Stmts[]? | select(.Cmd.Type != "FuncDecl" or (.Cmd.Name.Value | IN("fail", "failure_end") | not)) | walk_nodes | calls("exit")
	| finding("exit"; "Return a status, or fail: only those may exit who know what is to be undone.");

def release:
	functions | select(.Cmd.Name.Value | endswith("_release")) | [.Cmd | walk_nodes[]] | calls("fail")
	| finding("release"; "A release does all it can: complain, or return a status with reason set.");

# The text that a word ends in, or nothing where that is an expansion.
def ending: .Parts[-1] | if .Type == "DblQuoted" then .Parts[-1] else . end
	| select(.Type == "Lit" or .Type == "SglQuoted") | .Value // "";

def full_stop:
	((calls("fail"), calls("complain"), calls("warn")) | .Args[1] // empty),
	(nodes("CallExpr") | .Assigns[]? | select(.Name.Value == "reason") | .Value // empty)
	| select(ending | . != "" and (endswith(".") | not))
	| finding("full-stop"; "A person reads this sentence: end it with a full stop.");

# The last command's status is that of the list; in a loop it is lost, too.
def unchecked:
	.[] | ((.Stmts?, .Then?) | arrays | .[:-1][]), (.Do? | arrays | .[])
	| select(.Negated | not) | .Cmd | select(name_of_call | IN("run", "run_with", "helper"))
	| finding("unchecked"; "Say what follows where this fails: || fail, || return …");

def computes: walk_nodes | any(nodes("CmdSubst"); true);

# A statement that is a call of one of these, and nothing else.
def is_call($names): (.Redirs or .Negated or .Background or .Cmd.Assigns | not)
	and any(.Cmd | name_of_call; IN($names[])) and (computes | not);

def is_end: is_call(["hotplug"]) and (.Cmd.Args[1:] | walk_nodes | [nodes("ParamExp").Param.Value] == ["@"]);

# Where there is none, the file stands for it.
def statement($index): .[0] | .Stmts[$index] // .;

def declares_in_order:
	(statement(0) | select(is_call(["."]) | not) | finding("declares"; "A device script first reads hotplug.sh.")),
	(statement(1) | select(is_call(["device"]) | not) | finding("declares"; "A device script says second what device it is for.")),
	(statement(-1) | select(is_end | not) | finding("declares"; "A device script ends with: hotplug \"$@\""));

def declares_only:
	.[0].Stmts[2:-1][]?
	| select(if .Cmd.Type == "FuncDecl" then .Cmd.Name.Value | test("^resources$|^type_|_(acquire|release|check|sweep|plan|expect)$")
		else is_call(["param", "target", "needs"]) end | not)
	| finding("declares"; "A device script declares; what is to be done, a resource does.");

def declares_resources:
	functions | select(.Cmd.Name.Value == "resources") | .Cmd.Body.Cmd.Stmts[]?
	| select(is_call(["use"]) or .Cmd.Type == "DeclClause" and (computes | not) | not)
	| finding("declares"; "resources() says what to use, and does nothing itself.");

def strict:
	.[0] | select(any(.Stmts[0].Comments[]?; .Pos.Line == 1 and (.Text | test("^!.*bash"))))
	| select(any(.Stmts[]?.Cmd | select(name_of_call == "set") | [.Args[] | literal]; . == ["set", "-Eeuo", "pipefail"]) | not)
	| .Pos.Line = 1 | finding("strict"; "A program sets -Eeuo pipefail.");

# In the background it is something to end, not something to wait for.
def sleeps:
	.[] | select(.Cmd? and (.Background | not)) | .Cmd | select(name_of_call == "sleep")
	| finding("sleep"; "Wait for the event (until_true), not for a time.");

def skips: calls("skip") | select(.Args | length < 2) | finding("skip"; "Say what this machine lacks.");

# Which rules hold where.
def findings($file):
	def below($place): $file | test("(^|/)" + $place);
	# A hook's shell is a process of its own, with the names of Xen's functions.
	# hotplug.sh starts the helper, before there is a framework.
	def framework: below("hotplug/") and ($file | test("/(hook-shell|hotplug)[.]sh$") | not);
	walk_nodes | quoted, lengths,
	(select(below("tests/lib/") | not) | no_eval),
	(select(below("(hotplug/common|tests/lib)/")) | documented),
	(select(framework and below("hotplug/common/")) | prefix($file), globals($file)),
	(select(below("hotplug/")) | no_indirection, subshell, full_stop, unchecked),
	(select(below("hotplug/(common/resources|Linux)/")) | release),
	(select(framework and ($file | endswith("/run.sh") | not)) | programs),
	(select(framework and ($file | endswith("/lifecycle.sh") | not)) | exits),
	# What libxl asks of block-drbd-probe is about no device.
	if below("hotplug/Linux/[^/.]+$") and ($file | endswith("/block-drbd-probe") | not) then declares_in_order, declares_only, declares_resources else strict end,
	(select($file | endswith(".bats")) | skips),
	(select(($file | endswith(".bats")) and (below("tests/e2e/") | not)) | sleeps);

foreach inputs as $tree (-1; . + 1; $ARGS.positional[.] as $file
	| $tree | findings($file) | "\($file):\(.line): \(.rule): \(.sentence)")
