// SPDX-License-Identifier: GPL-2.0-only
/*
 * count: a plugin for QEMU that counts what a Xen host of one CPU executes, by its place.
 *
 *	-plugin FILE,out=FOLDER
 *
 * Counts from one mark to the next; meter.c, which runs in dom0, has them. What it has counted
 * the first time is in FOLDER/1 then, and so on. A line for each piece of straight code that ran:
 *
 *	ADDRESS INSTRUCTIONS TIMES-BY-DOM0 TIMES-BY-GUESTS	(the first in hexadecimal)
 *
 * Which domain it is that runs, or that Xen runs for, is told by where its kernel lies: at the same
 * virtual addresses in all of them, but each in memory of its own. The first to run is dom0's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "qemu.h"

/* Where Linux has its own code, without modules. */
#define KERNEL_START	0xffffffff81000000ULL
#define KERNEL_END	0xffffffffa0000000ULL

#define BUCKETS		65536

enum domain { DOM0, GUEST, DOMAINS };

/* There may be several at an address: of other lengths, and of other address spaces. */
struct block {
	struct block *next;		/* in its bucket */
	__u64 address;
	__u64 distance;			/* from there to where it is in QEMU's memory */
	__u64 length;			/* in instructions */
	__u64 executed[DOMAINS];	/* how often since the last mark */
};

EXPORTED int qemu_plugin_version = 1;

static struct block *blocks[BUCKETS];
static enum domain current;
static const char *folder;

static void executed(unsigned int vcpu, void *data)
{
	struct block *block = data;

	(void)vcpu;
	block->executed[current]++;
}

/* Xen has switched from the other domain a while before; that much is counted for the wrong one. */
static void executed_kernel(unsigned int vcpu, void *data)
{
	static __u64 dom0_distance;
	struct block *block = data;

	if (!dom0_distance)
		dom0_distance = block->distance;
	current = block->distance == dom0_distance ? DOM0 : GUEST;
	executed(vcpu, data);
}

static struct block *new_block(__u64 address, __u64 distance, __u64 length)
{
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		abort();
	block->address = address;
	block->distance = distance;
	block->length = length;
	return block;
}

/* QEMU translates the same code again and again. */
static struct block *find_block(__u64 address, __u64 distance, __u64 length)
{
	struct block **bucket = &blocks[(address ^ address >> 16 ^ distance >> 12) % BUCKETS];
	struct block *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address && block->distance == distance &&
		    block->length == length)
			return block;
	block = new_block(address, distance, length);
	block->next = *bucket;
	*bucket = block;
	return block;
}

static void walk_blocks(void (*fn)(struct block *block, FILE *file), FILE *file)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *block = blocks[i]; block; block = block->next)
			fn(block, file);
}

static void forget(struct block *block, FILE *file)
{
	(void)file;
	memset(block->executed, 0, sizeof(block->executed));
}

static void print(struct block *block, FILE *file)
{
	if (block->executed[DOM0] || block->executed[GUEST])
		fprintf(file, "%llx %llu %llu %llu\n", block->address, block->length,
			block->executed[DOM0], block->executed[GUEST]);
}

static FILE *open_next(void)
{
	static int number;
	char name[4096];
	FILE *file;

	snprintf(name, sizeof(name), "%s/%d", folder, ++number);
	file = fopen(name, "w");
	if (!file)
		perror(name);
	return file;
}

static void start(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	walk_blocks(forget, NULL);
}

static void end(unsigned int vcpu, void *data)
{
	FILE *file = open_next();

	(void)vcpu;
	(void)data;
	if (!file)
		return;
	walk_blocks(print, file);
	fclose(file);
}

/* No-ops, with operands that no compiler would give them. */
static const unsigned char start_mark[] = { 0x0f, 0x1f, 0x80, 'm', 'e', 't', '0' };
static const unsigned char end_mark[] = { 0x0f, 0x1f, 0x80, 'm', 'e', 't', '1' };

static void look_for_mark(struct qemu_plugin_insn *insn, const unsigned char *mark, executed_fn fn)
{
	if (qemu_plugin_insn_size(insn) == sizeof(start_mark) &&
	    !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(start_mark)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void count(struct qemu_plugin_tb *tb, size_t length)
{
	__u64 address = qemu_plugin_tb_vaddr(tb);
	__u64 memory = (uintptr_t)qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0));
	bool kernel = address >= KERNEL_START && address < KERNEL_END;

	qemu_plugin_register_vcpu_tb_exec_cb(tb, kernel ? executed_kernel : executed,
					     QEMU_PLUGIN_CB_NO_REGS,
					     find_block(address, memory - address, length));
}

static void translated(__u64 plugin, struct qemu_plugin_tb *tb)
{
	size_t length = qemu_plugin_tb_n_insns(tb);

	(void)plugin;
	count(tb, length);
	for (size_t i = 0; i < length; i++) {
		look_for_mark(qemu_plugin_tb_get_insn(tb, i), start_mark, start);
		look_for_mark(qemu_plugin_tb_get_insn(tb, i), end_mark, end);
	}
}

EXPORTED int qemu_plugin_install(__u64 plugin, const void *qemu, int argc, char **argv)
{
	(void)qemu;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: out=FOLDER is wanted\n");
		return 1;
	}
	folder = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, translated);
	return 0;
}
