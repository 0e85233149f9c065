// SPDX-License-Identifier: GPL-2.0-only
/*
 * To whom in the host the I/O of a disk is charged.
 *
 * A cgroup of version 2 can have limits and weights for I/O, of a disk or of all of
 * them. The kernel charges to it what is submitted by its processes, and by threads of
 * the kernel that say so: see settings_take().
 */
#include <linux/cgroup.h>
#include <linux/err.h>

#include "common.h"

/**
 * io_cgroup_get() - find a cgroup that I/O can be charged to
 * @path: from the root of the hierarchy on, as in /proc/PID/cgroup
 *
 * One that has no io controller of its own is an error: its I/O would be charged to one
 * above it, and go on to be if it got a controller, and limits, later.
 *
 * Context: may sleep.
 * Return: to be given back with io_cgroup_put(); or ERR_PTR(), of which -EOPNOTSUPP is
 * that error.
 */
struct cgroup_subsys_state *io_cgroup_get(const char *path)
{
	struct cgroup_subsys_state *css;
	struct cgroup *cgroup;
	bool own;

	if (*path != '/')
		return ERR_PTR(-EINVAL);
	cgroup = cgroup_get_from_path(path);
	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	css = cgroup_get_e_css(cgroup, &io_cgrp_subsys);
	own = css->cgroup == cgroup;
	cgroup_put(cgroup);
	if (own)
		return css;
	css_put(css);
	return ERR_PTR(-EOPNOTSUPP);
}

/**
 * io_cgroup_gone() - whether I/O is not charged to a cgroup any more
 * @css: from io_cgroup_get(), or NULL
 *
 * Who removes the cgroup, or takes the io controller away from it, is not kept waiting by
 * those who have it: their I/O is charged to the nearest one above from then on. If it is
 * made anew it is another one.
 *
 * Context: any.
 * Return: if so, true.
 */
bool io_cgroup_gone(struct cgroup_subsys_state *css)
{
	return css && css_is_dying(css);
}

/**
 * io_cgroup_put() - undo io_cgroup_get()
 * @css: from there, or NULL
 */
void io_cgroup_put(struct cgroup_subsys_state *css)
{
	if (css)
		css_put(css);
}
