/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is known of a device's state, without asking its script. */
#include "devices/state.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "disk/backend.h"
#include "number.h"

/* xen/include/public/io/xenbus.h */
#define XENBUS_CLOSING '5'
#define XENBUS_CLOSED '6'

/* Sets the state, and the reason (printf-like, without a full stop). */
__attribute__((format(printf, 3, 4))) static void set(
	struct judgement *judgement, enum state state, const char *format, ...)
{
	char said[SENTENCE_LIMIT];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	size_t kept = length < 0 ? 0 : strlen(said);
	if (kept && said[kept - 1] == '.')
		kept--;
	judgement->state = state;
	escape(judgement->reason, SENTENCE_LIMIT, said, kept, ESCAPE_TEXT);
}

static bool node_is(const struct entry *entry, enum node node, const char *value)
{
	return entry->nodes[node] && !strcmp(entry->nodes[node], value);
}

static bool is_vif(const struct entry *entry)
{
	return !strcmp(entry->device.type, "vif");
}

static bool is_closing(const struct entry *entry)
{
	const char *state = entry->nodes[NODE_STATE];

	return state && (state[0] == XENBUS_CLOSING || state[0] == XENBUS_CLOSED) && !state[1];
}

/* Journals of older versions do not say when a vif was complete, but its nodes do. */
static bool is_complete(const struct entry *entry)
{
	bool connected = node_is(entry, NODE_HOTPLUG_STATUS, "connected");

	if (entry->emulated)
		return entry->dev != NULL;
	return connected && (entry->dev || is_vif(entry));
}

static void judge_without_journal(const struct entry *entry, struct judgement *judgement)
{
	const char *error = entry->nodes[NODE_HOTPLUG_ERROR];

	if (entry->locked)
		set(judgement, is_closing(entry) ? STATE_DETACHING : STATE_ATTACHING, "%s", "");
	else if (entry->loop)
		set(judgement, STATE_BROKEN, "its journal is lost, and it has the loop device %s",
			entry->loop->path);
	else if (node_is(entry, NODE_HOTPLUG_STATUS, "connected"))
		set(judgement, STATE_OTHERS, "%s", "");
	else if (error && *error)
		set(judgement, STATE_FAILED, "%s", error);
	else if (node_is(entry, NODE_HOTPLUG_STATUS, "error") ||
		 node_is(entry, NODE_HOTPLUG_STATUS, "busy"))
		set(judgement, STATE_FAILED, "its script did not say why");
	else
		set(judgement, STATE_WAITING, "%s", "");
}

/* Whether the kernel still has the disk that was published. */
static void judge_disk(const struct entry *entry, struct judgement *judgement)
{
	const char *node = entry->nodes[NODE_PHYSICAL_DEVICE];
	char path[64], file[LOOP_FILE_SIZE];
	dev_t number;

	if (!entry->number || !*entry->number || !parse_physical_device(entry->number, &number))
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(number), minor(number));
	if (!node || strcmp(node, entry->number) != 0)
		set(judgement, STATE_BROKEN, "its node physical-device is '%s' instead of '%s'",
			node ? node : "", entry->number);
	else if (access(path, F_OK) && errno == ENOENT)
		set(judgement, STATE_BROKEN, "its block device %s is gone", entry->dev);
	else if (major(number) == LOOP_MAJOR_NUMBER && !loop_file(number, file))
		set(judgement, STATE_BROKEN, "its loop device %s has no file any more", entry->dev);
}

static void judge_interface(const struct entry *entry, struct judgement *judgement)
{
	char path[PATH_MAX];
	const char *name = entry->dev ? entry->dev : entry->name;

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	if (!strchr(name, '/') && access(path, F_OK) && errno == ENOENT)
		set(judgement, STATE_BROKEN, "its interface %s is gone", name);
}

static void judge_with_journal(const struct entry *entry, struct judgement *judgement)
{
	const char *error = entry->nodes[NODE_HOTPLUG_ERROR];

	if (entry->locked && is_closing(entry))
		set(judgement, STATE_DETACHING, "%s", "");
	else if (entry->locked && !is_complete(entry))
		set(judgement, STATE_ATTACHING, "%s", "");
	else if (!journal_is_current(&entry->head))
		set(judgement, STATE_BROKEN, "its journal is of an earlier boot of this host");
	else if (!is_complete(entry) && error && *error)
		set(judgement, STATE_BROKEN, "%s", error);
	else if (!is_complete(entry))
		set(judgement, STATE_BROKEN, "its attach was not completed; detach it");
	else if (is_vif(entry))
		judge_interface(entry, judgement);
	else
		judge_disk(entry, judgement);
}

static void judge_without_nodes(const struct entry *entry, struct judgement *judgement)
{
	if (entry->locked)
		set(judgement, STATE_DETACHING, "%s", "");
	else if ((!entry->journalled || journal_is_current(&entry->head)) &&
		 backend_in_kernel(&entry->device))
		set(judgement, STATE_BROKEN,
			"the store has lost it, and the kernel still serves domain %u",
			entry->device.domid);
	else
		set(judgement, STATE_STALE, "%s", "");
}

/* The time of the attach; older journals do not say it, but they end with it. */
static long long find_since(const struct entry *entry)
{
	char path[JOURNAL_PATH_SIZE];
	struct stat st;

	if (!entry->journalled || entry->head.began)
		return entry->head.began;
	journal_path(path, &entry->device, entry->emulated ? JOURNAL_EMULATED : "");
	return lstat(path, &st) ? 0 : (long long)st.st_mtime;
}

void state_judge(const struct entry *entry, struct judgement *judgement)
{
	const char *format = entry->journal.bytes ? journal_unknown_format(&entry->journal) : NULL;

	*judgement = (struct judgement){.state = STATE_OK, .since = find_since(entry)};
	if (entry->node_error)
		set(judgement, STATE_UNKNOWN, "its nodes cannot be read (%s)",
			strerror(entry->node_error));
	else if (entry->journalled && entry->journal_error == EPERM)
		set(judgement, STATE_UNKNOWN, "its journal is no file that root has written");
	else if (entry->journalled && entry->journal_error)
		set(judgement, STATE_UNKNOWN, "its journal cannot be read (%s)",
			strerror(entry->journal_error));
	else if (format)
		set(judgement, STATE_UNKNOWN, "its journal has the format '%s' of another version",
			format);
	else if (!entry->nodes[NODE_SELF])
		judge_without_nodes(entry, judgement);
	else if (entry->journalled)
		judge_with_journal(entry, judgement);
	else
		judge_without_journal(entry, judgement);
}

const char *state_word(enum state state)
{
	static const char *const words[] = {
		[STATE_OK] = "ok",
		[STATE_BROKEN] = "broken",
		[STATE_STALE] = "stale",
		[STATE_ATTACHING] = "attaching",
		[STATE_DETACHING] = "detaching",
		[STATE_FAILED] = "failed",
		[STATE_WAITING] = "waiting",
		[STATE_OTHERS] = "others",
		[STATE_UNKNOWN] = "unknown",
	};

	return words[state];
}

const char *state_text(const struct judgement *judgement, long long now, char text[STATE_TEXT_SIZE])
{
	const char *word = state_word(judgement->state);

	if (judgement->state == STATE_OTHERS)
		snprintf(text, STATE_TEXT_SIZE, "by Xen's scripts");
	else if (judgement->state == STATE_WAITING)
		snprintf(text, STATE_TEXT_SIZE, "waiting for its script");
	else if (judgement->state == STATE_ATTACHING && judgement->since)
		snprintf(text, STATE_TEXT_SIZE, "%s for %lld s", word,
			now > judgement->since ? now - judgement->since : 0);
	else
		snprintf(text, STATE_TEXT_SIZE, "%s%s%s", word, *judgement->reason ? ": " : "",
			judgement->reason);
	return text;
}

/* The argument of a resource that tells a person what the device is. */
static const char *find_argument(const struct entry *entry)
{
	static const struct {
		const char *resource;
		size_t argument;
	} known[] = {
		{"iscsi_session", 0},
		{"nbd_export", 3},
		{"drbd_role", 0},
		{"image", 0},
		{"disk", 0},
		{"bridge_port", 1},
		{"ovs_port", 1},
		{"routed", 1},
	};
	const char *at = entry->journal.bytes, *end = at + entry->journal.length;
	struct record record;

	while (journal_next(&at, end, &record)) {
		if (strcmp(record.word, "use") != 0)
			continue;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			const char *argument = record_field(&record, 1 + known[i].argument);

			if (!strcmp(record.field, known[i].resource) && argument && *argument)
				return argument;
		}
	}
	return NULL;
}

/* The bridge of which the interface is a port now. Open vSwitch's are ports of its datapath. */
static bool find_bridge(const struct entry *entry, char bridge[BRIDGE_SIZE])
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *name = entry->dev ? entry->dev : entry->name;

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", name);
	ssize_t length = strchr(name, '/') ? -1 : readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(bridge, BRIDGE_SIZE, "%.*s", BRIDGE_SIZE - 1, slash ? slash + 1 : target);
	return strcmp(bridge, "ovs-system") != 0;
}

const char *state_what(const struct entry *entry, char bridge[BRIDGE_SIZE])
{
	const enum node nodes[] = {is_vif(entry) ? NODE_BRIDGE : NODE_PARAMS, NODE_IP};
	const char *what = entry->journal.bytes ? find_argument(entry) : NULL;

	if (is_vif(entry) && find_bridge(entry, bridge))
		return bridge;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && (!what || !*what); i++)
		what = entry->nodes[nodes[i]];
	return what && *what ? what : NULL;
}

const char *state_script(const struct entry *entry)
{
	return entry->head.script[0] ? entry->head.script : entry->nodes[NODE_SCRIPT];
}
