/* SPDX-License-Identifier: LGPL-2.1-only */
/* The requests of the protocol, one function each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "path.h"
#include "request.h"

/* The most strings that a request has, of those that have a fixed number of them. */
#define STRINGS_MAX 3

#define LAST_DOMID 0x7fef /* higher ones are not domains, but have a meaning of their own */

/*
 * Points `strings` (`most` of them) at the terminated strings in the request. Returns how many
 * there are in total, or -1 when the last one is not terminated.
 */
static int split(const struct request *request, const char *strings[], int most)
{
	const char *next = request->body;
	const char *end = next + request->header->len;
	int count = 0;

	if (next != end && end[-1] != '\0')
		return -1;
	for (; next != end; next += strlen(next) + 1) {
		if (count < most)
			strings[count] = next;
		count++;
	}
	return count;
}

/* Resolves the path that is the request's only argument. */
static int only_path(const struct request *request, char *path)
{
	const char *sent;

	if (split(request, &sent, 1) != 1)
		return EINVAL;
	return path_resolve(path, sent, request->connection->domid);
}

/* Resolves the path that other arguments follow; they begin at `*rest`. */
static int first_path(const struct request *request, char *path, const char **rest)
{
	const char *end = memchr(request->body, '\0', request->header->len);

	if (!end)
		return EINVAL;
	*rest = end + 1;
	return path_resolve(path, request->body, request->connection->domid);
}

static int find_node(struct request *request, const char *path, struct node **node)
{
	return store_find(&request->server->store, request->trans, path, request->connection->domid,
		PERM_READ, node);
}

static int run_read(struct request *request)
{
	char path[PATH_ROOM];
	struct node *node;
	int error = only_path(request, path);

	if (!error)
		error = find_node(request, path, &node);
	if (error)
		return error;
	if (node->value)
		buf_add(&request->reply, node->value->data, node->value->length);
	return 0;
}

static int run_directory(struct request *request)
{
	char path[PATH_ROOM];
	struct node *node;
	int error = only_path(request, path);

	if (!error)
		error = find_node(request, path, &node);
	if (error)
		return error;
	for (size_t i = 0; i < node->child_count; i++) {
		buf_add_string(&request->reply, node->children[i]->name);
		if (buf_length(&request->reply) > XENSTORE_PAYLOAD_MAX)
			return E2BIG;
	}
	return 0;
}

/*
 * Appends the part of the list of children that begins `offset` bytes into it, as whole names, as
 * far as there is room. An empty name tells that the list ends here.
 */
static int add_children(struct buf *reply, const struct node *node, uint64_t offset)
{
	size_t position = 0;
	size_t i = 0;

	for (; i < node->child_count && position < offset; i++)
		position += node->children[i]->name_length + 1;
	if (position != offset && i < node->child_count)
		return EINVAL;
	for (; i < node->child_count; i++) {
		const struct node *child = node->children[i];

		/* One byte stays free for the end of the list. */
		if (buf_length(reply) + child->name_length + 1 >= XENSTORE_PAYLOAD_MAX)
			return 0;
		buf_add_string(reply, child->name);
	}
	buf_add(reply, "", 1);
	return 0;
}

static int run_directory_part(struct request *request)
{
	const char *strings[2];
	char generation[24];
	char path[PATH_ROOM];
	struct node *node;
	uint64_t offset;
	int error;

	if (split(request, strings, 2) != 2 || !number_parse(&offset, strings[1], UINT32_MAX))
		return EINVAL;
	error = path_resolve(path, strings[0], request->connection->domid);
	if (!error)
		error = find_node(request, path, &node);
	if (error)
		return error;
	snprintf(generation, sizeof(generation), "%" PRIu64, node->generation);
	buf_add_string(&request->reply, generation);
	return add_children(&request->reply, node, offset);
}

static int run_get_perms(struct request *request)
{
	char path[PATH_ROOM];
	struct node *node;
	int error = only_path(request, path);

	if (!error)
		error = find_node(request, path, &node);
	if (error)
		return error;
	perms_format(node->perms, &request->reply);
	return 0;
}

/* Does an operation on the node at the resolved `path`; takes what `op` owns. */
static int change(struct request *request, const char *path, struct op *op)
{
	struct server *server = request->server;

	op->domid = request->connection->domid;
	op->path = alloc_string(path, strlen(path));
	return store_do(
		&server->store, request->trans, op, server->watch_count ? &request->changes : NULL);
}

static int run_write(struct request *request)
{
	struct op op = {.kind = OP_WRITE};
	char path[PATH_ROOM];
	const char *value;
	int error = first_path(request, path, &value);

	if (error)
		return error;
	op.value = blob_new(value, (size_t)(request->body + request->header->len - value));
	return change(request, path, &op);
}

static int run_mkdir(struct request *request)
{
	struct op op = {.kind = OP_MKDIR};
	char path[PATH_ROOM];
	int error = only_path(request, path);

	return error ? error : change(request, path, &op);
}

static int run_rm(struct request *request)
{
	struct op op = {.kind = OP_RM};
	char path[PATH_ROOM];
	int error = only_path(request, path);

	return error ? error : change(request, path, &op);
}

static int run_set_perms(struct request *request)
{
	struct op op = {.kind = OP_SET_PERMS};
	char path[PATH_ROOM];
	const char *strings;
	int count = split(request, NULL, 0);
	int error;

	if (count < 2)
		return EINVAL;
	error = first_path(request, path, &strings);
	if (error)
		return error;
	op.perms = perms_parse(strings, (size_t)count - 1);
	if (!op.perms)
		return EINVAL;
	return change(request, path, &op);
}

/*
 * Fills in a watch from the request: `path` (PATH_ROOM bytes) is where its path is put. What may
 * follow the token is reserved by the protocol.
 */
static int parse_watch(const struct request *request, struct watch *watch, char *path)
{
	unsigned int domid = request->connection->domid;
	const char *strings[2];
	char home[PATH_ROOM];
	int error;

	if (split(request, strings, 2) < 2)
		return EINVAL;
	watch->path = path;
	watch->prefix = 0;
	watch->token = (char *)strings[1]; /* only to be copied */
	if (strings[0][0] == '@') {
		if (strlen(strings[0]) > XENSTORE_REL_PATH_MAX)
			return EINVAL;
		path_copy(path, strings[0]);
		return 0;
	}
	error = path_resolve(path, strings[0], domid);
	if (!error && strings[0][0] != '/')
		watch->prefix = path_home(home, domid) + 1;
	return error;
}

static uint64_t watches_of(const struct server *server, unsigned int domid)
{
	uint64_t count = 0;

	for (const struct connection *c = server->connections; c; c = c->next) {
		if (c->domid == domid && !c->dead)
			count += c->watches.count;
	}
	return count;
}

static int run_watch(struct request *request)
{
	struct connection *connection = request->connection;
	struct server *server = request->server;
	char path[PATH_ROOM];
	struct watch watch;
	int error = parse_watch(request, &watch, path);

	if (error)
		return error;
	error = watches_add(&connection->watches, &watch);
	if (error)
		return error;
	server->watch_count++;
	if (connection->domid != 0 &&
		watches_of(server, connection->domid) > server->store.quota.watches) {
		watches_remove(&connection->watches, watch.path, watch.token);
		server->watch_count--;
		return E2BIG;
	}
	request->new_watch = &connection->watches.list[connection->watches.count - 1];
	return 0;
}

static int run_unwatch(struct request *request)
{
	char path[PATH_ROOM];
	struct watch watch;
	int error = parse_watch(request, &watch, path);

	if (!error)
		error = watches_remove(&request->connection->watches, watch.path, watch.token);
	if (!error)
		request->server->watch_count--;
	return error;
}

static struct trans **find_transaction(struct connection *connection, uint32_t id)
{
	struct trans **link = &connection->transactions;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	return link;
}

void verb_discard_transaction(struct connection *connection, uint32_t id)
{
	struct trans **link = find_transaction(connection, id);
	struct trans *trans = *link;

	if (!trans)
		return;
	*link = trans->next;
	trans_free(trans);
}

void verb_reset(struct connection *connection)
{
	connection->server->watch_count -= connection->watches.count;
	watches_free(&connection->watches);
	while (connection->transactions)
		verb_discard_transaction(connection, connection->transactions->id);
}

static int run_reset_watches(struct request *request)
{
	verb_reset(request->connection);
	return 0;
}

static uint32_t new_transaction_id(struct server *server)
{
	/* 0 stands for no transaction. */
	if (++server->last_transaction == 0)
		server->last_transaction = 1;
	return server->last_transaction;
}

static int run_transaction_start(struct request *request)
{
	struct connection *connection = request->connection;
	struct server *server = request->server;
	struct trans *trans;
	uint64_t count = 0;
	char id[16];

	if (request->trans)
		return EBUSY;
	for (trans = connection->transactions; trans; trans = trans->next)
		count++;
	if (connection->domid != 0 && count >= server->store.quota.transactions)
		return ENOSPC;
	trans = trans_start(&server->store, connection->domid);
	trans->id = new_transaction_id(server);
	trans->next = connection->transactions;
	connection->transactions = trans;
	snprintf(id, sizeof(id), "%" PRIu32, trans->id);
	buf_add_string(&request->reply, id);
	return 0;
}

static int run_transaction_end(struct request *request)
{
	struct server *server = request->server;
	const char *how;
	int error = 0;

	if (split(request, &how, 1) != 1 || (strcmp(how, "T") != 0 && strcmp(how, "F") != 0))
		return EINVAL;
	if (!request->trans)
		return ENOENT;
	if (*how == 'T')
		error = trans_commit(request->trans, &server->store,
			server->watch_count ? &request->changes : NULL);
	verb_discard_transaction(request->connection, request->header->tx_id);
	request->trans = NULL;
	return error;
}

/* Parses the request's first string, of at least `least`, as the id of a domain. */
static int parse_domid(const struct request *request, int least, unsigned int *domid)
{
	const char *strings[STRINGS_MAX];
	uint64_t number;

	if (split(request, strings, STRINGS_MAX) < least)
		return EINVAL;
	if (!number_parse(&number, strings[0], UINT16_MAX))
		return EINVAL;
	*domid = (unsigned int)number;
	return 0;
}

static int run_get_domain_path(struct request *request)
{
	char path[PATH_ROOM];
	unsigned int domid;
	int error = parse_domid(request, 1, &domid);

	if (error)
		return error;
	path_home(path, domid);
	buf_add_string(&request->reply, path);
	return 0;
}

static int run_is_domain_introduced(struct request *request)
{
	unsigned int domid;
	int error = parse_domid(request, 1, &domid);

	if (error)
		return error;
	buf_add_string(&request->reply, request->server->introduced[domid] ? "T" : "F");
	return 0;
}

/* Of the requests on other domains, which only domain 0 may send. */
static int parse_other_domid(const struct request *request, int least, unsigned int *domid)
{
	int error = parse_domid(request, least, domid);

	if (request->connection->domid != 0)
		return EACCES;
	if (error)
		return error;
	return *domid == 0 || *domid > LAST_DOMID ? EINVAL : 0;
}

static int run_introduce(struct request *request)
{
	unsigned int domid;
	int error = parse_other_domid(request, 3, &domid);

	if (error)
		return error;
	request->server->introduced[domid] = true;
	request->special = "@introduceDomain";
	return 0;
}

static int run_release(struct request *request)
{
	unsigned int domid;
	int error = parse_other_domid(request, 1, &domid);

	if (error)
		return error;
	if (!request->server->introduced[domid])
		return ENOENT;
	request->server->introduced[domid] = false;
	request->special = "@releaseDomain";
	return 0;
}

static int run_resume(struct request *request)
{
	unsigned int domid;
	int error = parse_other_domid(request, 1, &domid);

	if (error)
		return error;
	return request->server->introduced[domid] ? 0 : ENOENT;
}

/* There is nothing to control: every command is fine, and does nothing. */
static int run_control(struct request *request)
{
	const char *command;

	if (request->connection->domid != 0)
		return EACCES;
	return split(request, &command, 1) < 1 ? EINVAL : 0;
}

static const struct verb {
	int (*run)(struct request *request);
	bool in_transaction; /* the transaction id in the header means something */
} verbs[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {run_control, false},
	[XS_DIRECTORY] = {run_directory, true},
	[XS_READ] = {run_read, true},
	[XS_GET_PERMS] = {run_get_perms, true},
	[XS_WATCH] = {run_watch, false},
	[XS_UNWATCH] = {run_unwatch, false},
	[XS_TRANSACTION_START] = {run_transaction_start, true},
	[XS_TRANSACTION_END] = {run_transaction_end, true},
	[XS_INTRODUCE] = {run_introduce, false},
	[XS_RELEASE] = {run_release, false},
	[XS_GET_DOMAIN_PATH] = {run_get_domain_path, false},
	[XS_WRITE] = {run_write, true},
	[XS_MKDIR] = {run_mkdir, true},
	[XS_RM] = {run_rm, true},
	[XS_SET_PERMS] = {run_set_perms, true},
	[XS_IS_DOMAIN_INTRODUCED] = {run_is_domain_introduced, false},
	[XS_RESUME] = {run_resume, false},
	[XS_RESET_WATCHES] = {run_reset_watches, false},
	[XS_DIRECTORY_PART] = {run_directory_part, true},
};

int verb_run(struct request *request)
{
	const struct xsd_sockmsg *header = request->header;
	const struct verb *verb;

	if (header->type >= XS_TYPE_COUNT || !verbs[header->type].run)
		return ENOSYS;
	verb = &verbs[header->type];
	if (verb->in_transaction && header->tx_id != 0) {
		request->trans = *find_transaction(request->connection, header->tx_id);
		if (!request->trans)
			return ENOENT;
	}
	return verb->run(request);
}
