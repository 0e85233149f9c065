/* SPDX-License-Identifier: GPL-2.0-only */
/* The two directories of a disk in xenstore. */
#ifndef KEYS_H
#define KEYS_H

#include <linux/types.h>
#include <stdbool.h>

/* States as the keys "state" have them. */
enum state {
	STATE_UNKNOWN = 0,	/* there is no such key, or no number in it */
	STATE_INITIALISING = 1,
	STATE_INIT_WAIT = 2,
	STATE_INITIALISED = 3,
	STATE_CONNECTED = 4,
	STATE_CLOSING = 5,
	STATE_CLOSED = 6,
};

struct xs_handle;

/**
 * struct vbd - a disk as xenstore knows it
 * @xs: xenstore
 * @frontend: our directory
 * @backend: the backend's
 * @error: where the backend tells what went wrong
 * @domid: the backend's domain
 * @patience_ms: how long the backend may take for anything
 */
struct vbd {
	struct xs_handle *xs;
	char *frontend;
	char *backend;
	char *error;
	unsigned int domid;
	unsigned int patience_ms;
};

void vbd_open(struct vbd *vbd, unsigned int number);
void vbd_close(struct vbd *vbd);

/* To be freed; NULL if there is no such key. */
char *backend_key(struct vbd *vbd, const char *key);
__u64 backend_number(struct vbd *vbd, const char *key, __u64 missing);

/*
 * What went wrong last; only once, and only if the case lets us read and write there. To be
 * freed; NULL if there is nothing.
 */
char *backend_error(struct vbd *vbd);

void frontend_write(struct vbd *vbd, const char *key, const char *value);
void frontend_remove(struct vbd *vbd, const char *key);
void frontend_state(struct vbd *vbd, enum state state);

enum state backend_state(struct vbd *vbd);

/* Until the backend is in the state; it is wrong if it never is. */
void backend_await(struct vbd *vbd, enum state state);

/* Until it is in the state, true, or Closing, false. */
bool backend_decides(struct vbd *vbd, enum state state);

/**
 * struct key - a key of the frontend
 * @next: in a list
 * @name: below its directory
 * @value: NULL if the key is to be left out
 */
struct key {
	struct key *next;
	char *name;
	char *value;
};

/* Adds the key, or gives it another value. */
void keys_set(struct key **keys, const char *name, const char *value);
void keys_set_number(struct key **keys, const char *name, __u64 value);
/* As @more says. */
void keys_merge(struct key **keys, const struct key *more);
void keys_free(struct key **keys);

#endif /* KEYS_H */
