// SPDX-License-Identifier: GPL-2.0-only
/*
 * Word of disks that change their size.
 *
 * The block layer tells nobody inside the kernel when a disk grows or shrinks,
 * but it does send a "change" uevent. So we listen to those, as udev does, and
 * need no timer that looks at every disk again and again. A partition moved under
 * our feet (BLKPG) sends none; a ring notices that at its next request.
 */
#include <linux/kdev_t.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "common.h"

/* The kernel's own uevents; udev passes them on, changed, to group 2. */
#define KERNEL_UEVENTS	1

static struct socket *uevents;

/* A uevent is "ACTION@PATH" and then "KEY=VALUE"s, each ended by a 0. */
static bool find_number(const struct sk_buff *skb, const char *key,
			unsigned int *value)
{
	const char *at = skb->data, *end = at + skb->len;
	size_t len = strlen(key);

	for (; at < end; at += strnlen(at, end - at) + 1)
		if (end - at > len && !strncmp(at, key, len))
			return !kstrtouint(at + len, 10, value);
	return false;
}

static void uevent(const struct sk_buff *skb)
{
	unsigned int major, minor;

	/* Ended by a 0 in any case, or the parsing above is not safe. */
	if (!skb->len || skb->data[skb->len - 1])
		return;
	if (strstarts(skb->data, "change@") &&
	    strstr(skb->data, "/block/") &&
	    find_number(skb, "MAJOR=", &major) &&
	    find_number(skb, "MINOR=", &minor))
		blkback_kick_disk(MKDEV(major, minor));
}

/* Runs in the thread that sends the uevent. Leaves the queue empty. */
static void uevents_ready(struct sock *sk)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->sk_receive_queue))) {
		uevent(skb);
		consume_skb(skb);
	}
}

/**
 * capacity_init() - begin to listen
 *
 * Return: 0 or a negative errno.
 */
int capacity_init(void)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = KERNEL_UEVENTS,
	};
	int err, on = 1;

	err = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW,
			       NETLINK_KOBJECT_UEVENT, &uevents);
	if (err)
		return err;
	uevents->sk->sk_data_ready = uevents_ready;
	/* Or else one message lost for lack of memory would be the last. */
	uevents->ops->setsockopt(uevents, SOL_NETLINK, NETLINK_NO_ENOBUFS,
				 KERNEL_SOCKPTR(&on), sizeof(on));
	err = kernel_bind(uevents, (struct sockaddr *)&addr, sizeof(addr));
	if (err)
		sock_release(uevents);
	return err;
}

/**
 * capacity_exit() - listen no more
 *
 * When it returns, no uevent comes here any longer: the socket leaves its group only
 * when no sender is looking at the group.
 */
void capacity_exit(void)
{
	sock_release(uevents);
}
