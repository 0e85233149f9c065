// SPDX-License-Identifier: GPL-2.0-only
/* What a disk should have in it. */
#include <stdlib.h>
#include <string.h>

#include "../../blkif.h"
#include "model.h"

/* In @users: somebody changes the sector. */
#define CHANGED	255

void model_init(struct model *model, __u64 sectors)
{
	model_free(model);
	model->sectors = sectors;
	model->data = zalloc(sectors * BLKIF_SECTOR_SIZE);
	model->known = zalloc(sectors * sizeof(*model->known));
	model->users = zalloc(sectors);
}

void model_free(struct model *model)
{
	free(model->data);
	free(model->known);
	free(model->users);
	memset(model, 0, sizeof(*model));
}

bool model_claim(struct model *model, __u64 sector, __u64 count, bool change)
{
	unsigned char *users = model->users + sector;
	__u64 i;

	for (i = 0; i < count; i++)
		if (change ? users[i] : users[i] >= CHANGED - 1)
			return false;
	for (i = 0; i < count; i++)
		users[i] = change ? CHANGED : users[i] + 1;
	return true;
}

void model_release(struct model *model, __u64 sector, __u64 count, bool change)
{
	unsigned char *users = model->users + sector;
	__u64 i;

	for (i = 0; i < count; i++)
		users[i] = change ? 0 : users[i] - 1;
}

unsigned char *model_at(struct model *model, __u64 sector)
{
	return model->data + sector * BLKIF_SECTOR_SIZE;
}

static void mark(struct model *model, __u64 sector, __u64 count, bool known)
{
	memset(model->known + sector, known, count);
}

void model_scramble(struct model *model, __u64 sector, __u64 count,
		    struct rng *rng)
{
	__u64 *word = (__u64 *)model_at(model, sector);
	__u64 i;

	for (i = 0; i < count * BLKIF_SECTOR_SIZE / sizeof(*word); i++)
		word[i] = rng_next(rng);
	mark(model, sector, count, true);
}

void model_forget(struct model *model, __u64 sector, __u64 count)
{
	mark(model, sector, count, false);
}

void model_zero(struct model *model, __u64 sector, __u64 count)
{
	memset(model_at(model, sector), 0, count * BLKIF_SECTOR_SIZE);
	mark(model, sector, count, true);
}

void model_learn(struct model *model, __u64 sector, const void *data)
{
	memcpy(model_at(model, sector), data, BLKIF_SECTOR_SIZE);
	mark(model, sector, 1, true);
}

bool model_agrees(struct model *model, __u64 sector, const void *data)
{
	return !model->known[sector] ||
	       !memcmp(model_at(model, sector), data, BLKIF_SECTOR_SIZE);
}
