/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What count.c uses of QEMU's interface for plugins, version 1. Debian does not package the header.
 * See "QEMU TCG Plugins" in QEMU's documentation.
 */
#ifndef QEMU_H
#define QEMU_H

#include <linux/types.h>
#include <stddef.h>

/* Functions and variables that QEMU looks for. */
#define EXPORTED __attribute__((visibility("default")))

/* Straight code that QEMU translates as a whole, and an instruction in it. */
struct qemu_plugin_tb;
struct qemu_plugin_insn;

/* The function called does not look at registers. */
#define QEMU_PLUGIN_CB_NO_REGS	0

typedef void (*translated_fn)(__u64 plugin, struct qemu_plugin_tb *tb);
typedef void (*executed_fn)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(__u64 plugin, translated_fn fn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed_fn fn, int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_fn fn,
					    int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
__u64 qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

#endif
