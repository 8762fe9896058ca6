/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a script declares, checked against the nodes of a device. */
#ifndef ACCEPT_H
#define ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "disk/device.h"
#include "message.h"
#include "type.h"

/* The words of a parameter: NAME TYPE DEFAULT ABOUT; DEFAULT is "" or =VALUE. */
#define PARAMETER_WORDS 4
/* The name of the parameter that is the whole target of a disk. */
#define PARAMETER_TARGET "target"

/* The nodes that a script has besides its parameters, at most. */
#define MOST_NODES 8

struct parameter {
	const char *name, *type;
	const char *fallback; /* its default; NULL: it must be given */
};

/* Room for what a sentence calls a parameter. */
#define TITLE_SIZE QUOTE_LIMIT

/* What a sentence calls the parameter of that name. Result: title. */
const char *parameter_title(const char *name, char title[TITLE_SIZE]);

struct node {
	const char *name; /* relative to the backend's directory */
	char *value;	  /* NULL if it is absent; to be filled in, to be freed */
};

/* A device, and what its script declares. All zero but `script`, before declared_parse(). */
struct declared {
	struct device device;
	const char *base;      /* the backend's directory in the store */
	const char *script;    /* the name of its file, or "" */
	const char *interface; /* the kernel's name; NULL: it is a disk */
	bool is_tap;
	bool may_go; /* the device may be about to be removed */
	struct parameter *parameters;
	size_t parameter_count;
	struct node *nodes;
	size_t node_count;
};

/* A variable that the script gets. */
struct variable {
	const char *name;
	char *value;
	bool unchecked; /* the script has to check the value, whose type is its own */
};

/* Room for a sentence about a value, which quotes up to three. */
#define REFUSAL_SIZE SENTENCE_LIMIT

struct accepted {
	char device[REFUSAL_SIZE];     /* why the device is not accepted, or "" */
	char parameters[REFUSAL_SIZE]; /* the same of its parameters */
	struct variable *variables;    /* of no meaning where something is not accepted */
	size_t count;
};

/*
 * Takes the words of the parameters, to which `declared` will refer, and lists the nodes to read.
 * Result: false if memory ran out. declared_free() frees what it holds, in any case.
 */
bool declared_parse(struct declared *declared, char *words[], size_t count);

/* Frees what it holds. */
void declared_free(struct declared *declared);

/*
 * Checks the nodes, whose values are filled in. Result: false if memory ran out. accepted_free()
 * frees what it holds, in any case.
 */
bool accept_declared(const struct declared *declared, struct accepted *accepted);

/* Frees what it holds. */
void accepted_free(struct accepted *accepted);

#endif
