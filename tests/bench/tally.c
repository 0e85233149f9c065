// SPDX-License-Identifier: GPL-2.0-only
/*
 * tally: how often dom0 has called Xen, from what xentrace has recorded on a host of one CPU.
 *
 *	tally <TRACE
 *
 * Prints one line: all hypercalls; calls for grants, and how many grants they were about; of these
 * calls those that map, unmap and copy; and calls about event channels.
 */
/* Without, Xen's headers mean the hypercalls of long ago. */
#define __XEN_TOOLS__
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <xen/grant_table.h>
#include <xen/trace.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#define MAX_EXTRA	7

/* TRC_SCHED_RUNSTATE_CHANGE has the old state in bits 8 to 11 and the new one in bits 4 to 7. */
#define EVENT(e)	((e) & ~0xff0U)
#define NEW_STATE(e)	((e) >> 4 & 0xf)
/* The first word of a hypercall has its number; whether two arguments are there is in it, too. */
#define HYPERCALL(word)	((word) & 0xfffff)

struct tally {
	unsigned long hypercalls, grant_calls, grants, maps, unmaps, copies, event_calls;
	bool in_dom0;
};

static void count_grants(struct tally *tally, unsigned int command, unsigned int count)
{
	tally->grant_calls++;
	tally->grants += count;
	switch (command) {
	case GNTTABOP_map_grant_ref:
		tally->maps++;
		break;
	case GNTTABOP_unmap_grant_ref:
	case GNTTABOP_unmap_and_replace:
		tally->unmaps++;
		break;
	case GNTTABOP_copy:
		tally->copies++;
		break;
	}
}

/* Xen records the arguments that matter: the command, and for grants also how many there are. */
static void count_hypercall(struct tally *tally, const unsigned int *word)
{
	tally->hypercalls++;
	switch (HYPERCALL(word[0])) {
	case __HYPERVISOR_grant_table_op:
		count_grants(tally, word[1], word[2]);
		break;
	case __HYPERVISOR_event_channel_op:
		tally->event_calls++;
		break;
	}
}

/* Words that an event does not have are 0. Returns false if records were lost. */
static bool count_event(struct tally *tally, unsigned int event, const unsigned int *word)
{
	switch (event) {
	case TRC_LOST_RECORDS:
		return false;
	case TRC_SCHED_CONTINUE_RUNNING:
		tally->in_dom0 = !(word[0] >> 16);
		return true;
	case TRC_PV_HYPERCALL_V2:
	case TRC_PV_HYPERCALL_SUBCALL:
		if (tally->in_dom0)
			count_hypercall(tally, word);
		return true;
	}
	if (EVENT(event) == TRC_SCHED_RUNSTATE_CHANGE && NEW_STATE(event) == RUNSTATE_running)
		tally->in_dom0 = !(word[0] >> 16);
	return true;
}

int main(void)
{
	struct tally tally = { 0 };
	unsigned int header, stamp[2];

	while (fread(&header, sizeof(header), 1, stdin) == 1) {
		unsigned int word[MAX_EXTRA] = { 0 };
		size_t words = TRC_HD_EXTRA(header);

		if (TRC_HD_INCLUDES_CYCLE_COUNT(header) &&
		    fread(stamp, sizeof(stamp), 1, stdin) != 1)
			break;
		if (fread(word, sizeof(*word), words, stdin) != words)
			break;
		if (!count_event(&tally, TRC_HD_TO_EVENT(header), word)) {
			fprintf(stderr, "tally: xentrace has lost records\n");
			return 1;
		}
	}
	printf("hypercalls=%lu event_calls=%lu ", tally.hypercalls, tally.event_calls);
	printf("grant_calls=%lu grants=%lu maps=%lu unmaps=%lu copies=%lu\n", tally.grant_calls,
	       tally.grants, tally.maps, tally.unmaps, tally.copies);
	return 0;
}
