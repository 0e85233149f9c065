// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants that no driver of Linux makes, for a PV guest that wants to harm its
 * backend. Their numbers are in parameters of this module, 0 where the
 * grant table is not of the version that has them; it never goes away again.
 *
 * The number of a domain that is written to the parameter "plain" grants that one
 * a page as anybody would, which then has the number to be read there. It can pass
 * the page on: that is what "passed" is, for which it has to be told who granted
 * the page ("third"), and the number ("third_gref").
 *
 * Two numbers that are written to the parameter "swap" have their pages exchanged,
 * whoever uses them.
 *
 * Writing to the parameter "version" asks Xen for another version of the grant
 * table behind the kernel's back, which does not survive that for long.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include <xen/grant_table.h>
#include <xen/interface/grant_table.h>

/* None of those that any guest's frontend uses. */
#define SOME_GREF	8
/* Frames of a PC: of its local APIC, of Xen's own image, and beyond all memory. */
#define FRAME_APIC	0xfee00UL
#define FRAME_XEN	0x200UL
#define FRAME_NONE	0xfffffff0UL
/* Of the page that is granted in part. */
#define PART_BYTES	2048

static ushort domid = DOMID_SELF;
module_param(domid, ushort, 0444);
MODULE_PARM_DESC(domid, "Number of this domain, which has to be given");

static ushort backend;
module_param(backend, ushort, 0444);
MODULE_PARM_DESC(backend, "Number of the domain that they are for");

static ushort third;
module_param(third, ushort, 0444);
MODULE_PARM_DESC(third, "Number of the domain that has granted this one a page");

static unsigned int third_gref;
module_param(third_gref, uint, 0444);
MODULE_PARM_DESC(third_gref, "The number of that grant, 0 if there is none");

static unsigned int apic, xen, none, part, chain, loop, passed;
module_param(apic, uint, 0444);
module_param(xen, uint, 0444);
module_param(none, uint, 0444);
module_param(part, uint, 0444);
MODULE_PARM_DESC(part, "The first half of a page, which may be copied only");
module_param(chain, uint, 0444);
MODULE_PARM_DESC(chain, "What the backend's domain is said to have granted to this one");
module_param(loop, uint, 0444);
MODULE_PARM_DESC(loop, "What this domain is said to have granted to itself");
module_param(passed, uint, 0444);
MODULE_PARM_DESC(passed, "What another domain has granted to this one");

static int version_set(const char *text, const struct kernel_param *param)
{
	struct gnttab_set_version op = { 0 };
	int err = kstrtouint(text, 0, &op.version);

	return err ?: HYPERVISOR_grant_table_op(GNTTABOP_set_version, &op, 1);
}

static int version_get(char *text, const struct kernel_param *param)
{
	struct gnttab_get_version op = { .dom = DOMID_SELF };
	int err = HYPERVISOR_grant_table_op(GNTTABOP_get_version, &op, 1);

	return err ?: sysfs_emit(text, "%u\n", op.version);
}

static const struct kernel_param_ops version_ops = {
	.set = version_set, .get = version_get,
};
module_param_cb(version, &version_ops, NULL, 0644);

static unsigned int plain;

static int plain_set(const char *text, const struct kernel_param *param)
{
	unsigned int to;
	int got = kstrtouint(text, 0, &to);
	struct page *page;

	if (got)
		return got;
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	got = gnttab_grant_foreign_access(to, xen_page_to_gfn(page), 0);
	if (got < 0)
		return got;
	plain = got;
	return 0;
}

static int plain_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%u\n", plain);
}

static const struct kernel_param_ops plain_ops = {
	.set = plain_set, .get = plain_get,
};
module_param_cb(plain, &plain_ops, NULL, 0644);

static bool is_version_2(void)
{
	struct gnttab_get_version op = { .dom = DOMID_SELF };

	return !HYPERVISOR_grant_table_op(GNTTABOP_get_version, &op, 1) &&
	       op.version == 2;
}

/**
 * struct window - where an entry of the grant table can be written
 * @place: a page of vmalloc(), which a frame of the table is mapped at
 * @own: what was there before, and has to be again: a guest that has mapped
 *       what is not its own cannot be saved
 * @entry: of the table of version 2
 */
struct window {
	void *place;
	struct page *own;
	union grant_entry_v2 *entry;
};

static int window_map(struct window *window, unsigned long frame)
{
	return HYPERVISOR_update_va_mapping((unsigned long)window->place,
					    mfn_pte(frame, PAGE_KERNEL),
					    UVMF_INVLPG | UVMF_ALL);
}

static void window_close(struct window *window)
{
	if (window->entry &&
	    window_map(window, xen_page_to_gfn(window->own)))
		return;		/* it cannot be freed with what is there */
	vfree(window->place);
}

/* The kernel's own mapping of the table is not for modules: this is another one. */
static int window_open(struct window *window, grant_ref_t ref)
{
	unsigned int per_frame = PAGE_SIZE / sizeof(union grant_entry_v2);
	unsigned int index = ref / per_frame;
	struct gnttab_setup_table op = {
		.dom = DOMID_SELF, .nr_frames = index + 1,
	};
	xen_pfn_t *frames = kcalloc(index + 1, sizeof(*frames), GFP_KERNEL);
	int err = -ENOMEM;

	window->entry = NULL;
	window->place = vmalloc(PAGE_SIZE);
	if (!frames || !window->place)
		goto out;
	window->own = vmalloc_to_page(window->place);
	set_xen_guest_handle(op.frame_list, frames);
	err = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1) ?: op.status;
	if (!err)
		err = window_map(window, frames[index]);
	if (!err)
		window->entry = (union grant_entry_v2 *)window->place + ref % per_frame;
out:
	kfree(frames);
	if (err)
		window_close(window);
	return err;
}

/* Only where the table is of version 2. */
static int swap_set(const char *text, const struct kernel_param *param)
{
	struct window one, other;
	grant_ref_t refs[2];
	int err;

	if (sscanf(text, "%u %u", &refs[0], &refs[1]) != 2)
		return -EINVAL;
	if (!is_version_2())
		return -EOPNOTSUPP;
	err = window_open(&one, refs[0]);
	if (err)
		return err;
	err = window_open(&other, refs[1]);
	if (!err) {
		swap(one.entry->full_page.frame, other.entry->full_page.frame);
		window_close(&other);
	}
	window_close(&one);
	return err;
}

static const struct kernel_param_ops swap_ops = { .set = swap_set };
module_param_cb(swap, &swap_ops, NULL, 0200);

static int grant_frame(unsigned int *ref, unsigned long frame)
{
	int got = gnttab_grant_foreign_access(backend, frame, 0);

	*ref = got < 0 ? 0 : got;
	return got < 0 ? got : 0;
}

/* A grant that is @with, instead of what the kernel has made of it. */
static int grant_otherwise(unsigned int *ref, union grant_entry_v2 with)
{
	union grant_entry_v2 *entry;
	struct window window;
	unsigned int kind = with.hdr.flags;
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	int err;

	if (!page)
		return -ENOMEM;
	err = grant_frame(ref, xen_page_to_gfn(page));
	if (err)
		return err;
	err = window_open(&window, *ref);
	if (err)
		return err;
	entry = window.entry;
	WRITE_ONCE(entry->hdr.flags, 0);
	wmb(); /* nobody uses it while it changes */
	with.hdr.flags = 0;
	if (kind & GTF_sub_page)
		with.sub_page.frame = xen_page_to_gfn(page);
	*entry = with;
	wmb(); /* it is whole before it is valid */
	WRITE_ONCE(entry->hdr.flags, kind);
	window_close(&window);
	return 0;
}

static int make_those_of_version_2(void)
{
	union grant_entry_v2 in_part = { .sub_page = {
		.hdr = { .flags = GTF_permit_access | GTF_sub_page, .domid = backend },
		.length = PART_BYTES,
	} };
	union grant_entry_v2 passed_on = { .transitive = {
		.hdr = { .flags = GTF_transitive, .domid = backend },
		.trans_domid = backend, .gref = SOME_GREF,
	} };
	int err;

	err = grant_otherwise(&part, in_part);
	if (!err)
		err = grant_otherwise(&chain, passed_on);
	passed_on.transitive.trans_domid = domid;
	if (!err)
		err = grant_otherwise(&loop, passed_on);
	passed_on.transitive.trans_domid = third;
	passed_on.transitive.gref = third_gref;
	if (!err && third_gref)
		err = grant_otherwise(&passed, passed_on);
	return err;
}

static int __init oddgrants_init(void)
{
	int err;

	err = grant_frame(&apic, FRAME_APIC);
	if (!err)
		err = grant_frame(&xen, FRAME_XEN);
	if (!err)
		err = grant_frame(&none, FRAME_NONE);
	if (!err && is_version_2())
		err = make_those_of_version_2();
	return err;
}

module_init(oddgrants_init);

MODULE_DESCRIPTION("Grants that no driver makes, for tests of blkback");
MODULE_LICENSE("GPL");
