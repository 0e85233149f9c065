// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: how they come and go, and the states between.
 *
 *                 INIT
 *                   | offer written
 *                   v
 *   .--------> WAIT_BDEV -----------------.
 *   |               | disk named, opened  | frontend or toolstack
 *   |               v                     | gives up; disk cannot
 *   |         WAIT_FRONTEND --------------| be opened; frontend is
 *   |               | frontend            | refused
 *   |               | Initialised         |
 *   |               v                     |
 *   |           CONNECTED ----------------|
 *   |               | frontend Closing    | frontend gone or broke
 *   |               v                     | the rules; we are removed
 *   |            CLOSING -----------------|
 *   |                                     v
 *   |                                 DRAINING
 *   |                                     | nothing in flight,
 *   |  frontend starts anew               | frontend gone
 *   `------------------------ CLOSED <----'
 *
 * The work of the device looks where things stand - our state, the frontend's,
 * what the toolstack has written - and takes the next step, until there is none
 * to take. It looks at levels, not at edges: a frontend that changes its mind
 * faster than we look has merely done so unseen. Callbacks on xenwatch do
 * nothing but queue the work, with one exception: see leave().
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "common.h"
#include "trace.h"

static struct workqueue_struct *wq;

/* Per state: its name, what xenstore says meanwhile, and where it may lead. */
static const struct {
	const char *name;
	enum xenbus_state told;
	unsigned int next;
} states[] = {
	[BLKBACK_INIT] = {
		"init", XenbusStateInitialising,
		BIT(BLKBACK_WAIT_BDEV) | BIT(BLKBACK_DRAINING) },
	[BLKBACK_WAIT_BDEV] = {
		"waiting-for-disk", XenbusStateInitWait,
		BIT(BLKBACK_WAIT_FRONTEND) | BIT(BLKBACK_DRAINING) },
	[BLKBACK_WAIT_FRONTEND] = {
		"waiting-for-frontend", XenbusStateInitWait,
		BIT(BLKBACK_CONNECTED) | BIT(BLKBACK_DRAINING) },
	[BLKBACK_CONNECTED] = {
		"connected", XenbusStateConnected,
		BIT(BLKBACK_CLOSING) | BIT(BLKBACK_DRAINING) },
	[BLKBACK_CLOSING] = {
		"closing", XenbusStateClosing, BIT(BLKBACK_DRAINING) },
	[BLKBACK_DRAINING] = {
		"draining", XenbusStateClosing, BIT(BLKBACK_CLOSED) },
	[BLKBACK_CLOSED] = {
		"closed", XenbusStateClosed,
		BIT(BLKBACK_WAIT_BDEV) | BIT(BLKBACK_DRAINING) },
};

static void dev_free(struct kref *ref)
{
	struct blkback_dev *dev = container_of(ref, struct blkback_dev, ref);

	put_device(&dev->xdev->dev);
	budget_put(dev->budget);
	settings_exit(&dev->settings);
	mutex_destroy(&dev->conn_lock);
	kfree(dev->frontend);
	kfree(dev);
}

/**
 * blkback_state_name() - what a state is called
 * @state: of a device
 *
 * Return: a word.
 */
const char *blkback_state_name(enum blkback_state state)
{
	return states[state].name;
}

/**
 * blkback_get() - keep a device from being freed
 * @dev: the device
 */
void blkback_get(struct blkback_dev *dev)
{
	kref_get(&dev->ref);
}

/**
 * blkback_put() - undo blkback_get()
 * @dev: the device
 *
 * Context: may sleep.
 */
void blkback_put(struct blkback_dev *dev)
{
	kref_put(&dev->ref, dev_free);
}

/**
 * blkback_kick() - have the device's work look where things stand
 * @dev: the device
 *
 * Context: any.
 */
void blkback_kick(struct blkback_dev *dev)
{
	kref_get(&dev->ref);
	/*
	 * Queued already: that has a reference of its own. Ours cannot be the
	 * last one, since the caller has one too.
	 */
	if (mod_delayed_work(wq, &dev->work, 0))
		kref_put(&dev->ref, dev_free);
}

/* --- what a step depends on ----------------------------------------------- */

/**
 * struct levels - what others want of a device, at one moment
 * @frontend: state of the frontend; Unknown if it says none
 * @wanted: the toolstack wants the disk to be there
 * @named: it has said which one, if that is what we wait for
 * @told: what xenstore says of our own state, if we are Closed; Unknown if the directory
 *	is gone
 * @removed: the device has no driver any more
 */
struct levels {
	enum xenbus_state frontend;
	bool wanted;
	bool named;
	enum xenbus_state told;
	bool removed;
};

/*
 * @value is left alone if there is no such key. Return 0; or a negative errno if
 * xenstore could not be asked just now, which must not be taken for an answer.
 */
static int read_level(const char *dir, const char *key, int *value)
{
	int found, err = xenbus_scanf(XBT_NIL, dir, key, "%d", &found);

	if (no_answer(err))
		return err;
	if (err != -ENOENT)
		*value = err == 1 ? found : 0;	/* not to be read, or not a number */
	return 0;
}

static int read_levels(struct blkback_dev *dev, struct levels *now)
{
	int frontend = 0, online, named = 0, told = 0, err;

	now->removed = READ_ONCE(dev->removed);
	/* A toolstack that does not say so wants the disk: until it is closed. */
	online = !now->removed;
	err = read_level(dev->frontend, "state", &frontend);
	if (!err && !now->removed)
		err = read_level(dev->xdev->nodename, "online", &online);
	if (!err && dev->state == BLKBACK_WAIT_BDEV)
		named = disk_named(dev);
	/* After online, which may be missing because all of it is. */
	if (!err && !now->removed && dev->state == BLKBACK_CLOSED)
		err = read_level(dev->xdev->nodename, "state", &told);
	now->frontend = frontend;
	now->wanted = online;
	now->told = told;
	now->named = named > 0;
	return err ?: min(named, 0);
}

/* A frontend that says nothing, or nothing known, counts as gone. */
static bool gone(const struct levels *now)
{
	return now->frontend < XenbusStateInitialising ||
	       now->frontend == XenbusStateClosed ||
	       now->frontend > XenbusStateReconfigured;
}

/* Before it has a connection, either side can call it off. */
static bool called_off(const struct levels *now)
{
	return gone(now) || now->frontend == XenbusStateClosing || !now->wanted;
}

/* Initialising: the guest has started anew, we have not seen it close. */
static bool conn_lost(const struct blkback_dev *dev, const struct levels *now)
{
	return gone(now) || now->frontend == XenbusStateInitialising ||
	       now->removed || READ_ONCE(dev->conn->broken);
}

static bool starts_anew(const struct levels *now)
{
	return now->wanted && (now->frontend == XenbusStateInitialising ||
			       now->frontend == XenbusStateInitialised);
}

/* Without a connection: may the device forget about this frontend? */
static bool settled(const struct blkback_dev *dev, const struct levels *now)
{
	return gone(now) || !now->wanted || (!dev->refused && starts_anew(now));
}

/* --- steps ---------------------------------------------------------------- */

static enum blkback_state next_state(struct blkback_dev *dev,
				     const struct levels *now)
{
	enum blkback_state stay = dev->state;

	switch (dev->state) {
	case BLKBACK_INIT:
		return now->removed ? BLKBACK_DRAINING : BLKBACK_WAIT_BDEV;
	case BLKBACK_WAIT_BDEV:
		if (called_off(now))
			return BLKBACK_DRAINING;
		return now->named ? BLKBACK_WAIT_FRONTEND : stay;
	case BLKBACK_WAIT_FRONTEND:
		if (called_off(now))
			return BLKBACK_DRAINING;
		return now->frontend == XenbusStateInitialised ||
		       now->frontend == XenbusStateConnected ?
		       BLKBACK_CONNECTED : stay;
	case BLKBACK_CONNECTED:
		if (conn_lost(dev, now))
			return BLKBACK_DRAINING;
		return called_off(now) ? BLKBACK_CLOSING : stay;
	case BLKBACK_CLOSING:
		return conn_lost(dev, now) ? BLKBACK_DRAINING : stay;
	case BLKBACK_DRAINING:
		return !dev->conn && settled(dev, now) ? BLKBACK_CLOSED : stay;
	case BLKBACK_CLOSED:
		return starts_anew(now) && now->told != XenbusStateUnknown ?
		       BLKBACK_WAIT_BDEV : stay;
	}
	return stay;
}

static int open_disk(struct blkback_dev *dev)
{
	return read_disk(dev) ?: vbd_open(dev) ?: write_opened(dev);
}

/* Connected is told only when all rings run, and after what the disk is like. */
static int connect(struct blkback_dev *dev)
{
	struct blkback_conn *conn = conn_create(dev);
	int err;

	if (IS_ERR(conn))
		return PTR_ERR(conn);
	err = write_disk(conn) ?: write_threads(conn);
	if (err) {
		conn_destroy(conn);
		return err;
	}
	blkback_info(dev, "connected, %u queue%s of %u page%s, %s%s",
		     conn->nr_rings, conn->nr_rings > 1 ? "s" : "",
		     1 << conn->ring_order, conn->ring_order ? "s" : "",
		     conn->abi->protocol,
		     conn->persistent ? ", persistent grants" : "");
	conn_start(conn);
	return 0;
}

static void drain(struct blkback_dev *dev)
{
	if (!dev->conn)
		return;
	conn_stop(dev->conn);
	if (!READ_ONCE(dev->conn->broken))
		return;
	dev->refused = true;
	WRITE_ONCE(dev->ring_errors, dev->ring_errors + 1);
	blkback_error(dev, -EPROTO,
		      "the frontend moved its request index out of bounds; its rings are stopped: have the guest load its driver anew");
}

/* Do what belongs to entering a state. Return where that has led. */
static enum blkback_state enter(struct blkback_dev *dev,
				enum blkback_state next)
{
	int err = 0;

	switch (next) {
	case BLKBACK_WAIT_BDEV:
		dev->refused = false;
		err = write_offer(dev);
		break;
	case BLKBACK_WAIT_FRONTEND:
		err = open_disk(dev);
		break;
	case BLKBACK_CONNECTED:
		err = connect(dev);
		break;
	case BLKBACK_DRAINING:
		drain(dev);
		break;
	case BLKBACK_CLOSED:
		vbd_close(&dev->vbd);
		break;
	case BLKBACK_CLOSING:
	case BLKBACK_INIT:
		break;
	}
	if (!err)
		return next;
	dev->refused = true;
	return BLKBACK_DRAINING;
}

static int is_same(struct device *dev, const void *other)
{
	return dev == other;
}

/* The bus loses sight of a device that is removed before its driver does. */
static bool on_bus(struct xenbus_device *xdev)
{
	struct device *found = bus_find_device(xdev->dev.bus, NULL, &xdev->dev,
					       is_same);

	put_device(found);
	return found;
}

/*
 * Unbound while the last requests were still out: there is nobody left to tell
 * anything but the end. And if the toolstack has lost patience and removed the
 * directory, the one that has this name now is not ours.
 */
static int tell_end(struct blkback_dev *dev)
{
	struct xenbus_device *xdev = dev->xdev;
	int err = 0;

	if (dev->state != BLKBACK_CLOSED)
		return 0;
	device_lock(&xdev->dev);
	if (!xdev->dev.driver && on_bus(xdev))
		err = write_told(xdev, XenbusStateClosed);
	device_unlock(&xdev->dev);
	return err;
}

/* Return a negative errno if the state could not be told just now. */
static int tell_state(struct blkback_dev *dev)
{
	enum xenbus_state state = states[dev->state].told;
	int err;

	if (dev->told == state)
		return 0;
	err = READ_ONCE(dev->removed) ? tell_end(dev) :
					write_told(dev->xdev, state);
	if (no_answer(err))
		return err;
	dev->told = state;
	return 0;
}

/*
 * The toolstack may ask for Closed once more. Return a negative errno if it could not be
 * told just now.
 */
static int confirm_closed(struct blkback_dev *dev, const struct levels *now)
{
	int err;

	if (dev->state != BLKBACK_CLOSED || now->told != XenbusStateClosing)
		return 0;
	err = write_closed_again(dev->xdev);
	return no_answer(err) ? err : 0;
}

static void set_state(struct blkback_dev *dev, enum blkback_state next)
{
	WARN_ONCE(!(states[dev->state].next & BIT(next)), "%s -> %s\n",
		  states[dev->state].name, states[next].name);
	trace_blkback_state(dev, dev->state, next);
	WRITE_ONCE(dev->state, next);
}

/* Return a negative errno if the size could not be told just now. */
static int follow_size(struct blkback_dev *dev)
{
	u64 sectors = bdev_nr_sectors(dev->vbd.bdev);
	u64 old = dev->vbd.told_sectors;
	int err;

	if (sectors == old)
		return 0;
	err = announce_size(dev, sectors);
	if (!err)
		blkback_info(dev, "size changed from %llu to %llu sectors", old, sectors);
	return no_answer(err) ? err : 0;
}

/* A frontend that does nothing but start anew has to let others have their turn. */
static void hold(struct blkback_dev *dev, const char *who, unsigned int times,
		 const char *parameter)
{
	if (dev->held)
		return;
	dev->held = true;
	WRITE_ONCE(dev->restarts_held, dev->restarts_held + 1);
	blkback_error(dev, -EAGAIN,
		      "%s started anew more than %u times in %u seconds: this disk waits until they are over; see why, or raise %s for disks to come",
		      who, times, RESTARTS_SECONDS, parameter);
}

/* Return whether the step may be taken now. */
static bool in_time(struct blkback_dev *dev, enum blkback_state next)
{
	if (dev->state != BLKBACK_CLOSED || next != BLKBACK_WAIT_BDEV)
		return true;
	if (!dev->may_restart && !__ratelimit(&dev->restarts)) {
		hold(dev, "the frontend has", dev->restarts.burst, "max_restarts");
		return false;
	}
	dev->may_restart = true;
	/* Only now: a disk that has to wait takes nothing away from the guest's others. */
	if (!budget_restarts(dev->budget)) {
		hold(dev, "the guest's frontends have",
		     dev->budget->restarts.burst, "max_guest_restarts");
		return false;
	}
	return true;
}

/* Unless there is more to look at before: the reference is that of the work, then. */
static void look_later(struct blkback_dev *dev)
{
	blkback_get(dev);
	if (!queue_delayed_work(wq, &dev->work, HZ))
		blkback_put(dev);
}

/* Return a negative errno if something could not be told just now. */
static int step(struct blkback_dev *dev, const struct levels *now)
{
	enum blkback_state next;
	int err = 0;

	if (dev->state == BLKBACK_DRAINING && dev->conn &&
	    conn_drained(dev->conn))
		conn_destroy(dev->conn);
	if (dev->state == BLKBACK_CONNECTED && !now->removed)
		err = follow_size(dev);
	next = next_state(dev, now);
	if (!in_time(dev, next)) {
		look_later(dev);
		return tell_state(dev);
	}
	if (next != dev->state) {
		dev->held = false;
		dev->may_restart = false;
		set_state(dev, enter(dev, next));
		blkback_kick(dev);	/* only one step at a time, to be fair */
	}
	/* Before Closed is told: whoever waits for that may bind the device at once. */
	if (now->removed && dev->state == BLKBACK_CLOSED)
		blkback_forget(dev);
	return err ?: tell_state(dev) ?: confirm_closed(dev, now);
}

static void retry(struct blkback_dev *dev)
{
	msleep(XENSTORE_RETRY_MS);
	blkback_kick(dev);
}

static void dev_work(struct work_struct *work)
{
	struct blkback_dev *dev = container_of(to_delayed_work(work),
					       struct blkback_dev, work);
	struct levels now;

	if (read_levels(dev, &now) || step(dev, &now))
		retry(dev);
	blkback_put(dev);
}

/* --- how devices come and go ---------------------------------------------- */

/*
 * Nobody will want the disk again: the toolstack says so, or the frontend's
 * directory is gone.
 */
static bool forsaken(const struct blkback_dev *dev)
{
	char *backend;
	int online = 0;

	if (read_level(dev->xdev->nodename, "online", &online))
		return false;
	if (!online)
		return true;
	backend = xenbus_read(XBT_NIL, dev->frontend, "", NULL);
	if (IS_ERR(backend))
		return PTR_ERR(backend) == -ENOENT;
	kfree(backend);
	return false;
}

/* Or whether the toolstack asks for it once more. */
static bool says_closed(const struct blkback_dev *dev)
{
	int state = 0;

	return !read_level(dev->xdev->nodename, "state", &state) &&
	       state != XenbusStateClosing;
}

/*
 * When all is closed and nobody will want the disk again, the device goes. That
 * has to happen on xenwatch, where the xenbus core does the same if our
 * directory vanishes: two at a time would be one too many. It waits for nothing,
 * since all has been released.
 */
static void leave(struct blkback_dev *dev)
{
	struct xenbus_device *xdev = dev->xdev;
	bool unbound;

	/* What is to be written is the work's to write, and word of that comes back here. */
	if (!says_closed(dev)) {
		blkback_kick(dev);
		return;
	}
	/*
	 * Held by somebody who unbinds us, and who may be waiting for xenwatch
	 * to do so. The device goes with its directory then. Who begins to unbind
	 * it only after this has been looked at is in the way still, as he is in
	 * the way of the core when a directory vanishes: that is not ours to mend.
	 */
	if (!device_trylock(&xdev->dev))
		return;
	unbound = READ_ONCE(dev->removed);
	device_unlock(&xdev->dev);
	if (!unbound)
		device_unregister(&xdev->dev);
}

/* On xenwatch, whatever has changed on either side. */
static void look(struct blkback_dev *dev)
{
	if (READ_ONCE(dev->state) == BLKBACK_CLOSED && forsaken(dev))
		leave(dev);	/* may free dev, if the caller has no reference */
	else
		blkback_kick(dev);
}

static void backend_changed(struct xenbus_watch *watch, const char *path,
			    const char *token)
{
	struct blkback_dev *dev = blkback_find_by_path(path);

	if (!dev)
		return;
	look(dev);
	blkback_put(dev);
}

static void frontend_changed(struct xenbus_device *xdev,
			     enum xenbus_state frontend)
{
	look(dev_get_drvdata(&xdev->dev));
}

/*
 * One for all devices: if each had its own, one that could not be ended for want of
 * memory would be in the way of a later device.
 */
static struct xenbus_watch watch = {
	.node = "backend/vbd",
	.callback = backend_changed,
};

static bool watching;
static DEFINE_MUTEX(watch_lock); /* watching */

/* Not when the module is loaded: that may be before there is a xenstore to ask. */
static int watch_all(void)
{
	int err = 0;

	mutex_lock(&watch_lock);
	if (!watching) {
		err = register_xenbus_watch(&watch);
		watching = !err;
	}
	mutex_unlock(&watch_lock);
	return err;
}

static struct blkback_dev *dev_alloc(struct xenbus_device *xdev)
{
	struct blkback_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	get_device(&xdev->dev);
	dev->xdev = xdev;
	mutex_init(&dev->conn_lock);
	settings_init(&dev->settings);
	rate_init(&dev->restarts, RESTARTS_SECONDS,
		  READ_ONCE(blkback_max_restarts));
	budget_dev_init(dev);
	INIT_DELAYED_WORK(&dev->work, dev_work);
	if (kstrtouint(kbasename(xdev->nodename), 10, &dev->number))
		dev->number = 0;	/* not how a toolstack calls a disk */
	dev->frontend = kstrdup(xdev->otherend, GFP_KERNEL);
	read_disk_name(xdev, dev->name);
	dev->budget = budget_get(xdev->otherend_id);
	if (dev->frontend && dev->budget)
		return dev;
	blkback_put(dev);
	return NULL;
}

static int blkback_probe(struct xenbus_device *xdev,
			 const struct xenbus_device_id *id)
{
	struct blkback_dev *dev = dev_alloc(xdev);
	int err;

	if (!dev) {
		xenbus_dev_fatal(xdev, -ENOMEM,
				 "guest %d, disk %s: no memory for the disk%s",
				 xdev->otherend_id, kbasename(xdev->nodename),
				 blkback_what_to_do(-ENOMEM));
		return -ENOMEM;
	}
	err = watch_all();
	if (err) {
		blkback_error(dev, err,
			      "cannot watch xenstore (%pe): see whether xenstored runs",
			      ERR_PTR(err));
		blkback_put(dev);
		return err;
	}
	err = blkback_remember(dev);
	if (err) {
		blkback_error(dev, err,
			      "requests of before are still at the disk: bind it again when they are done");
		blkback_put(dev);
		return err;
	}
	dev_set_drvdata(&xdev->dev, dev);
	blkback_kick(dev);
	return 0;
}

/*
 * Waits for nothing: requests still out come home to a device that is pinned
 * by its connection, and its work clears away then.
 */
static void blkback_remove(struct xenbus_device *xdev)
{
	struct blkback_dev *dev = dev_get_drvdata(&xdev->dev);

	WRITE_ONCE(dev->removed, true);
	debug_remove(dev);	/* another device may come to have its name */
	blkback_kick(dev);
	blkback_put(dev);
}

static const struct xenbus_device_id ids[] = {
	{ "vbd" },
	{ "" }
};

static struct xenbus_driver blkback_driver = {
	.ids = ids,
	.probe = blkback_probe,
	.remove = blkback_remove,
	.otherend_changed = frontend_changed,
	/*
	 * Keeps the core from telling Closed, which is ours to tell; but for a
	 * device that is unbound by hand while it says Closing.
	 */
	.allow_rebind = true,
	.driver.dev_groups = blkback_groups,
};

/**
 * blkback_xenbus_init() - begin to serve disks
 *
 * Return: 0 or a negative errno.
 */
int blkback_xenbus_init(void)
{
	int err;

	/*
	 * Unbound: a disk that takes long to open keeps no other waiting. Not
	 * freezable: xenstored is frozen first, and work that waits for it would
	 * not come to an end then.
	 */
	wq = alloc_workqueue("xen-blkback", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!wq)
		return -ENOMEM;
	err = xenbus_register_backend(&blkback_driver);
	if (err)
		destroy_workqueue(wq);
	return err;
}

/**
 * blkback_xenbus_exit() - serve no more disks
 *
 * The last work may still be clearing away; it is waited for.
 */
void blkback_xenbus_exit(void)
{
	xenbus_unregister_driver(&blkback_driver);
	if (watching)
		unregister_xenbus_watch(&watch);
	destroy_workqueue(wq);
}
