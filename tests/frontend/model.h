/* SPDX-License-Identifier: GPL-2.0-only */
/* What a disk should have in it. */
#ifndef MODEL_H
#define MODEL_H

#include <linux/types.h>
#include <stdbool.h>

#include "util.h"

/**
 * struct model - a disk
 * @sectors: its size, 0 if there is no model yet
 * @data: what is in it
 * @known: per sector, whether @data says what is there
 * @users: per sector, requests that are on their way there
 */
struct model {
	__u64 sectors;
	unsigned char *data;
	bool *known;
	unsigned char *users;
};

/* A model of which nothing is known. */
void model_init(struct model *model, __u64 sectors);
void model_free(struct model *model);

/*
 * Requests that are out at the same time have no order, so they must not meet,
 * unless they only read. Return false if somebody is there already.
 */
bool model_claim(struct model *model, __u64 sector, __u64 count, bool change);
void model_release(struct model *model, __u64 sector, __u64 count, bool change);

unsigned char *model_at(struct model *model, __u64 sector);

/* What is there from now on: chance, nobody knows, zeroes. */
void model_scramble(struct model *model, __u64 sector, __u64 count,
		    struct rng *rng);
void model_forget(struct model *model, __u64 sector, __u64 count);
void model_zero(struct model *model, __u64 sector, __u64 count);

/* Learn or compare one sector. */
void model_learn(struct model *model, __u64 sector, const void *data);
bool model_agrees(struct model *model, __u64 sector, const void *data);

#endif /* MODEL_H */
