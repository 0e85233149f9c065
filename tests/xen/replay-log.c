// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay-log: what a disk without a battery has kept, by a log of dm-log-writes.
 *
 *	replay-log LOG			lists it: sectors, flags, first sector or text
 *	replay-log LOG DISK MARK
 *
 * The latter writes to DISK what was durable when MARK was set: what was written before the last
 * flush before it, and what was written through the cache (FUA) by then. All else is lost. Exits
 * with 1 if the log has no such mark, and with 2 if it cannot be read.
 *
 * The log has a sector that describes it, and then for each write a sector that describes that and
 * the data. A write is in there when it was completed before a flush was issued; see
 * Documentation/admin-guide/device-mapper/log-writes.rst. A discard has no data: nobody may rely on
 * what is read afterwards, so it is left out.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC		0x6a736677736872ull
#define VERSION		1
#define NO_MARK		1
#define BAD_LOG		2

struct super {
	__u64 magic;
	__u64 version;
	__u64 nr_entries;
	__u32 sector_size;
};

struct entry {
	__u64 sector;
	__u64 nr_sectors;
	__u64 flags;
	__u64 data_len;	/* of the text of a mark, which follows at once */
};

/* Flags of an entry. */
enum {
	FLUSH = 1,
	FUA = 2,
	DISCARD = 4,
	MARK = 8,
};

/* A place in the log. */
struct cursor {
	__u64 number;	/* of the entry */
	off_t offset;
	struct entry entry;
	char text[128];		/* of a mark */
};

static int log_fd, disk_fd;
static struct super super;

static void get(void *to, size_t length, off_t offset)
{
	if (pread(log_fd, to, length, offset) != (ssize_t)length)
		err(BAD_LOG, "reading the log at %llu", (unsigned long long)offset);
}

static void get_entry(struct cursor *at)
{
	size_t length;

	get(&at->entry, sizeof(at->entry), at->offset);
	length = at->entry.data_len;
	if (length >= sizeof(at->text))
		length = sizeof(at->text) - 1;
	get(at->text, length, at->offset + sizeof(at->entry));
	at->text[length] = '\0';
}

static void next_entry(struct cursor *at)
{
	off_t sectors = 1;

	if (!(at->entry.flags & DISCARD))
		sectors += at->entry.nr_sectors;
	at->number++;
	at->offset += sectors * super.sector_size;
	if (at->number < super.nr_entries)
		get_entry(at);
}

static void replay_entry(const struct cursor *at)
{
	size_t length = at->entry.nr_sectors * super.sector_size;
	char *data;

	if (length == 0 || at->entry.flags & DISCARD)
		return;
	data = malloc(length);
	if (!data)
		err(BAD_LOG, "memory for %zu bytes", length);
	get(data, length, at->offset + super.sector_size);
	if (pwrite(disk_fd, data, length, at->entry.sector * super.sector_size) != (ssize_t)length)
		err(BAD_LOG, "writing to the disk");
	free(data);
}

/* Up to a flush, all is durable. In the order of the log, so those written through come again. */
static void replay(struct cursor *from, const struct cursor *end)
{
	while (from->number < end->number) {
		replay_entry(from);
		next_entry(from);
	}
}

static struct cursor first_entry(void)
{
	struct cursor at = { .offset = super.sector_size };

	if (super.nr_entries)
		get_entry(&at);
	return at;
}

static bool replay_until(const char *mark)
{
	struct cursor at = first_entry(), durable;

	for (durable = at; at.number < super.nr_entries; next_entry(&at)) {
		if (at.entry.flags & MARK && !strcmp(at.text, mark))
			return true;
		if (at.entry.flags & FLUSH)
			replay(&durable, &at);
		if (at.entry.flags & FUA)
			replay_entry(&at);
	}
	return false;
}

static void list(void)
{
	struct cursor at;

	for (at = first_entry(); at.number < super.nr_entries; next_entry(&at)) {
		printf("%llu %s%s%s%s- ", at.entry.nr_sectors, at.entry.flags & FLUSH ? "F" : "",
		       at.entry.flags & FUA ? "U" : "", at.entry.flags & DISCARD ? "D" : "",
		       at.entry.flags & MARK ? "M" : "");
		if (at.entry.flags & MARK)
			printf("%s\n", at.text);
		else
			printf("%llu\n", at.entry.sector);
	}
}

static void open_log(const char *path)
{
	log_fd = open(path, O_RDONLY);
	if (log_fd < 0)
		err(BAD_LOG, "%s", path);
	get(&super, sizeof(super), 0);
	if (super.magic != MAGIC || super.version != VERSION)
		errx(BAD_LOG, "%s is no log of dm-log-writes", path);
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 4)
		errx(BAD_LOG, "usage: replay-log LOG [DISK MARK]");
	open_log(argv[1]);
	if (argc == 2) {
		list();
		return 0;
	}
	disk_fd = open(argv[2], O_WRONLY);
	if (disk_fd < 0)
		err(BAD_LOG, "%s", argv[2]);
	if (!replay_until(argv[3])) {
		warnx("the log has no mark '%s' in its %llu entries", argv[3],
		      (unsigned long long)super.nr_entries);
		return NO_MARK;
	}
	if (fsync(disk_fd))
		err(BAD_LOG, "%s", argv[2]);
	return 0;
}
