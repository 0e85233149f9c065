/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests on their way. */
#ifndef REQUEST_H
#define REQUEST_H

#include "conn.h"
#include "wire.h"

/* As @answer_op: the operation of the response is not looked at. */
#define ANY_OP	-1

/**
 * struct request - a request
 * @next: in the list of those without a response
 * @wire: what goes into the slot
 * @queue: on which ring
 * @answer_op: what the response has to name as its operation
 * @got_op: what it did name
 * @status: of the response
 * @done: called when the response is there
 * @forget: called when there will be none
 */
struct request {
	struct request *next;
	struct wire_request wire;
	unsigned int queue;
	int answer_op;
	__u8 got_op;
	int status;
	void (*done)(struct frontend *fe, struct request *req);
	void (*forget)(struct frontend *fe, struct request *req);
};

#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

/* Puts it on its ring, when there is room. The backend does not know until it is pushed. */
void request_submit(struct frontend *fe, struct request *req);
void requests_push(struct frontend *fe);

/* Takes what responses there are; returns how many. */
unsigned int requests_reap(struct frontend *fe);

/* Pushes, and waits until no more than @left are without a response. */
void requests_wait(struct frontend *fe, unsigned int left);

void requests_forget(struct frontend *fe);

const char *status_name(int status);

#endif /* REQUEST_H */
