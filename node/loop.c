#include "node/node.h"

#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "io/daemon.h"

enum {
	TICK_MS = 250,  /* the machine's clock */
	FLUSH_MS = 500, /* for replies that still wait when the node stops */
	ITEMS_MAX = 1 + SERVERS_MAX + CONTROL_CLIENTS_MAX + 1,
};

/* ---- SIGHUP ---- */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Which national log it is of: the start judges whether that one is followed. */
static bool same_log(const struct card *a, const struct card *b)
{
	return strcmp(a->log_key.name, b->log_key.name) == 0 &&
	       memcmp(a->log_key.public, b->log_key.public, SIGN_PUBLIC_BYTES) == 0;
}

/* Links are known to the machine by number: which servers there are is fixed. */
static bool same_servers(const struct settings *a, const struct settings *b)
{
	if (a->server_count != b->server_count)
		return false;
	for (size_t i = 0; i < a->server_count; i++)
		if (!same_text(a->servers[i].name, b->servers[i].name) ||
		    !same_log(&a->servers[i].card, &b->servers[i].card))
			return false;
	return true;
}

static bool needs_restart(const struct settings *old, const struct settings *new)
{
	return !same_text(old->keys, new->keys) || !same_text(old->data, new->data) ||
	       !same_text(old->control, new->control) || old->control_mode != new->control_mode ||
	       old->map_bytes != new->map_bytes || old->map_bytes_max != new->map_bytes_max ||
	       !same_servers(old, new);
}

static void reread(struct node *n)
{
	char why[WHY_BYTES] = "";
	struct settings old = n->settings;
	struct settings new;
	enum err e = settings_load(n->config_path, &new, why);

	if (e == ERR_OK) {
		e = settings_fit_realm(&new, n->realm, why);
		if (e != ERR_OK)
			settings_free(&new);
	}
	if (e != ERR_OK) {
		log_line(LOG_ERROR, "SIGHUP: %s; the node goes on as before", why);
		return;
	}
	if (needs_restart(&old, &new)) {
		log_line(
			LOG_ERROR,
			"SIGHUP: %s: keys, data, control, the map's sizes, the list of servers and "
			"the log keys of their cards are read at the start only; the node goes on "
			"as before: restart it",
			n->config_path);
		settings_free(&new);
		return;
	}
	n->settings = new;
	n->terc = terc_of(&n->settings.terc);
	log_level(new.log_level);
	for (size_t i = 0; i < new.server_count; i++)
		if (!same_text(old.servers[i].address, new.servers[i].address) ||
		    memcmp(old.servers[i].card.curve_public, new.servers[i].card.curve_public,
			   CURVE_BYTES) != 0)
			link_drop(n, i);
	settings_free(&old);
	/* the folder of that name was just freed */
	daemon_name_store_on_fault(n->settings.data);
	log_line(LOG_NOTICE, "SIGHUP: %s: editors, TERC, servers' addresses and log level reread",
		 n->config_path);
}

static void take_signals(struct node *n)
{
	int number = 0;

	while ((number = daemon_signal(n->signals)) != 0) {
		if (number == SIGHUP) {
			reread(n);
			continue;
		}
		log_line(LOG_NOTICE, "log %s: asked to stop", n->log.name.text);
		n->asked = true;
		n->stopping = true;
	}
}

/* ---- one turn ---- */

struct waiting {
	struct poll_item items[ITEMS_MAX];
	size_t count;
	size_t control; /* where the control socket's items begin */
};

static void gather(struct node *n, struct waiting *w)
{
	w->count = 0;
	w->items[w->count++] = (struct poll_item){.fd = n->signals, .want = POLL_READ};
	for (size_t i = 0; i < n->machine.link_count; i++)
		if (n->links[i].endpoint)
			w->items[w->count++] = (struct poll_item){.endpoint = n->links[i].endpoint,
								  .want = POLL_READ};
	w->control = w->count;
	w->count += control_items(n->control, w->items + w->count, ITEMS_MAX - w->count);
}

static void tick(struct node *n, struct mono_ms *next)
{
	struct node_event event = {.kind = NODE_EV_TICK};
	struct node_event due = {.kind = NODE_EV_DUE};
	struct mono_ms now = mono_now();

	if (now.ms >= node_machine_due_ms(&n->machine))
		links_step(n, &due);
	if (now.ms < next->ms)
		return;
	next->ms = now.ms + TICK_MS;
	signing_tick(n);
	node_settle_mark(n, now.ms);
	links_step(n, &event);
}

static void turn(struct node *n, struct mono_ms *next_tick)
{
	struct waiting w;
	int64_t until_ms = node_machine_due_ms(&n->machine);
	long timeout = 0;
	enum err e = ERR_OK;

	if (next_tick->ms < until_ms)
		until_ms = next_tick->ms;
	timeout = (long)(until_ms - mono_now().ms);

	gather(n, &w);
	if (timeout < 0 || calls_wait(n))
		timeout = 0;
	e = network_poll(n->network, w.items, w.count, timeout);
	if (e != ERR_OK) {
		log_line(LOG_ERROR, "log %s: waiting failed: %s; stopping: start again",
			 n->log.name.text, err_text(e));
		n->fault = e;
		return;
	}
	if (w.items[0].got)
		take_signals(n);
	control_turn(n->control, w.items + w.control, w.count - w.control, mono_now());
	calls_turn(n);
	links_receive(n);
	tick(n, next_tick);
	confirmed_watch(n);
	links_tell(n);
	if (n->fault == ERR_OK)
		tell_tick(n);
}

/* What was accepted is told before the socket closes. */
static void flush_replies(struct node *n)
{
	struct mono_ms end = {mono_now().ms + FLUSH_MS};
	struct waiting w;
	bool writing = true;

	while (writing && mono_now().ms < end.ms) {
		writing = false;
		gather(n, &w);
		for (size_t i = w.control; i < w.count; i++)
			writing = writing || (w.items[i].want & POLL_WRITE);
		if (!writing || network_poll(n->network, w.items, w.count, TICK_MS) != ERR_OK)
			return;
		control_turn(n->control, w.items + w.control, w.count - w.control, mono_now());
	}
}

void loop_run(struct node *n)
{
	struct mono_ms next_tick = mono_now();

	while (!n->stopping && n->fault == ERR_OK)
		turn(n, &next_tick);
	while (calls_wait(n) && n->fault == ERR_OK)
		calls_turn(n);
	flush_replies(n);
	confirmed_save_last(n);
	tell_state(n, n->again && !n->asked ? "rewriting" : "stopped");
	node_settle_mark(n, INT64_MAX);
	if (n->fault == ERR_SYNC)
		log_line(LOG_ERROR,
			 "log %s: the disk of %s, or that of %s, did not confirm a write: nothing "
			 "of "
			 "it was acknowledged; check the disk, then start again",
			 n->log.name.text, n->settings.data, n->settings.keys);
}
