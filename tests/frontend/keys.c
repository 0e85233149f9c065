// SPDX-License-Identifier: GPL-2.0-only
/* The two directories of a disk in xenstore. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenstore.h>

#include "keys.h"
#include "util.h"

static char *read_key(struct vbd *vbd, const char *dir, const char *key)
{
	char *path = format("%s/%s", dir, key);
	char *value = xs_read(vbd->xs, XBT_NULL, path, NULL);

	free(path);
	return value;
}

static __u64 number_of(char *text, __u64 missing)
{
	__u64 value;

	if (!text || !parse_number(text, &value))
		value = missing;
	free(text);
	return value;
}

/* Where the backend tells what went wrong, next to its own directory. */
static char *error_path(const struct vbd *vbd)
{
	const char *tail = strstr(vbd->backend, "/backend/");

	if (!tail)
		broken("%s is not a backend's directory", vbd->backend);
	return format("%.*s/error%s/error", (int)(tail - vbd->backend),
		      vbd->backend, tail);
}

void vbd_open(struct vbd *vbd, unsigned int number)
{
	vbd->xs = xs_open(0);
	if (!vbd->xs)
		broken("xenstore: %s", strerror(errno));
	vbd->frontend = format("device/vbd/%u", number);
	vbd->backend = read_key(vbd, vbd->frontend, "backend");
	if (!vbd->backend)
		broken("there is no %s/backend", vbd->frontend);
	vbd->domid = number_of(read_key(vbd, vbd->frontend, "backend-id"), 0);
	vbd->error = error_path(vbd);
}

void vbd_close(struct vbd *vbd)
{
	xs_close(vbd->xs);
	free(vbd->frontend);
	free(vbd->backend);
	free(vbd->error);
}

char *backend_key(struct vbd *vbd, const char *key)
{
	return read_key(vbd, vbd->backend, key);
}

char *backend_error(struct vbd *vbd)
{
	char *text = xs_read(vbd->xs, XBT_NULL, vbd->error, NULL);

	if (text && !xs_rm(vbd->xs, XBT_NULL, vbd->error))
		broken("cannot remove %s: %s", vbd->error, strerror(errno));
	return text;
}

__u64 backend_number(struct vbd *vbd, const char *key, __u64 missing)
{
	return number_of(backend_key(vbd, key), missing);
}

void frontend_write(struct vbd *vbd, const char *key, const char *value)
{
	char *path = format("%s/%s", vbd->frontend, key);

	if (!xs_write(vbd->xs, XBT_NULL, path, value, strlen(value)))
		broken("cannot write %s: %s", path, strerror(errno));
	free(path);
}

void frontend_remove(struct vbd *vbd, const char *key)
{
	char *path = format("%s/%s", vbd->frontend, key);

	if (!xs_rm(vbd->xs, XBT_NULL, path) && errno != ENOENT)
		broken("cannot remove %s: %s", path, strerror(errno));
	free(path);
}

void frontend_state(struct vbd *vbd, enum state state)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", state);
	frontend_write(vbd, "state", text);
}

enum state backend_state(struct vbd *vbd)
{
	return backend_number(vbd, "state", STATE_UNKNOWN);
}

/* A backend that refuses says Closing and waits for us to leave. */
static bool in_vain(enum state wanted, enum state now)
{
	return wanted == STATE_CONNECTED && now == STATE_CLOSING;
}

void backend_await(struct vbd *vbd, enum state state)
{
	static const struct timespec pause = { .tv_nsec = 5000000 };
	long long end = now_ms() + vbd->patience_ms;
	enum state now;

	while ((now = backend_state(vbd)) != state) {
		if (now_ms() > end || in_vain(state, now))
			wrong("the backend is in state %d, not in %d", now, state);
		nanosleep(&pause, NULL);
	}
}

bool backend_decides(struct vbd *vbd, enum state state)
{
	static const struct timespec pause = { .tv_nsec = 5000000 };
	long long end = now_ms() + vbd->patience_ms;
	enum state now;

	while ((now = backend_state(vbd)) != state) {
		if (now == STATE_CLOSING)
			return false;
		if (now_ms() > end)
			wrong("the backend stays in state %d", now);
		nanosleep(&pause, NULL);
	}
	return true;
}

static struct key *keys_find(struct key **keys, const char *name)
{
	struct key *key;

	for (key = *keys; key; key = key->next)
		if (!strcmp(key->name, name))
			return key;
	key = zalloc(sizeof(*key));
	key->name = format("%s", name);
	key->next = *keys;
	*keys = key;
	return key;
}

void keys_set(struct key **keys, const char *name, const char *value)
{
	struct key *key = keys_find(keys, name);

	free(key->value);
	key->value = value ? format("%s", value) : NULL;
}

void keys_set_number(struct key **keys, const char *name, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	keys_set(keys, name, text);
}

void keys_merge(struct key **keys, const struct key *more)
{
	for (; more; more = more->next)
		keys_set(keys, more->name, more->value);
}

void keys_free(struct key **keys)
{
	struct key *key;

	while ((key = *keys)) {
		*keys = key->next;
		free(key->name);
		free(key->value);
		free(key);
	}
}
