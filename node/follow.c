/* Which national log of each server this node follows.  A server that lost its log begins another
 * one, under another name and other keys: its card is put into the configuration, and the link is
 * held until somebody says FOLLOW, which is recorded.
 *
 * Before this node witnesses such a log, the log's first entry has to bear out what the node
 * witnessed of those before it. */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "session/anew.h"

/* Generations of one server that a node may know: each is an administrator's act there and another
 * one here. */
enum { SEEN_MAX = 64 };

struct seen {
	size_t count;
	struct anew_seen items[SEEN_MAX];
};

static const struct card *card_of(const struct node *n, size_t link)
{
	return &n->settings.servers[link].card;
}

/* ---- what is known of a server: tables "cards" (origin -> verifier key), "witnessed" ---- */

/* The generation that a row's origin names, when it is of the link's server; 0. */
static uint32_t generation_of(const struct node *n, size_t link, struct bytes origin)
{
	const struct card *card = card_of(n, link);
	struct origin_parts parts;

	if (origin_parse(origin, &parts) != ERR_OK || parts.kind != ORIGIN_NATIONAL ||
	    strcmp(parts.realm, card->realm) != 0 || strcmp(parts.server, card->server_name) != 0)
		return 0;
	return parts.generation;
}

static struct anew_seen *seen_at(struct seen *s, uint32_t generation)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].generation == generation)
			return &s->items[i];
	if (s->count == SEEN_MAX)
		return NULL;
	s->items[s->count] = (struct anew_seen){.generation = generation};
	return &s->items[s->count++];
}

static enum err take_row(struct anew_seen *seen, bool is_card, struct bytes value)
{
	enum err e = ERR_OK;

	if (!seen)
		return ERR_LIMIT;
	if (!is_card) {
		seen->note = value;
		return ERR_OK;
	}
	e = vkey_parse(value, &seen->key);
	seen->has_key = e == ERR_OK;
	return e == ERR_OK ? ERR_OK : ERR_CORRUPT;
}

/* Those below `below`; notes are valid as long as the transaction. */
static enum err read_seen(const struct node *n, struct txn *t, size_t link, uint32_t below,
			  struct seen *ret)
{
	const struct table tables[] = {n->cards, n->witnessed};
	enum err e = ERR_OK;

	ret->count = 0;
	for (size_t i = 0; i < 2 && e == ERR_OK; i++) {
		struct scan *scan = NULL;
		struct bytes key, value;

		e = scan_open(t, tables[i], &scan);
		if (e == ERR_OK)
			e = scan_next(scan, &key, &value);
		while (e == ERR_OK) {
			uint32_t generation = generation_of(n, link, key);

			if (generation > 0 && generation < below)
				e = take_row(seen_at(ret, generation), i == 0, value);
			if (e == ERR_OK)
				e = scan_next(scan, &key, &value);
		}
		scan_close(scan);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return e;
}

static uint32_t newest_of(const struct seen *s)
{
	uint32_t newest = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].generation > newest)
			newest = s->items[i].generation;
	return newest;
}

static enum err put_card(struct node *n, struct txn *write, size_t link)
{
	char text[VKEY_BYTES];

	vkey_text(&card_of(n, link)->log_key, text);
	return txn_put(write, n->cards, bytes_of_text(card_of(n, link)->log_key.name),
		       bytes_of_text(text));
}

/* ---- at the start ---- */

static enum err judge_card(struct node *n, struct txn *write, size_t link)
{
	const struct card *card = card_of(n, link);
	struct link *l = &n->links[link];
	struct seen seen;
	enum err e = read_seen(n, write, link, UINT32_MAX, &seen);

	if (e != ERR_OK)
		return e;
	l->card = anew_card_is(&card->log_key, card->generation, seen.items, seen.count);
	l->followed = newest_of(&seen);
	if (l->card != ANEW_FIRST && l->card != ANEW_SAME)
		return ERR_OK;
	l->followed = card->generation;
	for (size_t i = 0; i < seen.count; i++)
		if (seen.items[i].generation == card->generation && seen.items[i].has_key)
			return ERR_OK;
	return put_card(n, write, link);
}

static enum err judge_cards(struct node *n)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	for (size_t i = 0; i < n->settings.server_count && e == ERR_OK; i++)
		e = judge_card(n, write, i);
	if (e == ERR_OK)
		return txn_commit(write);
	txn_abort(write);
	return e;
}

enum err follow_load(struct node *n)
{
	enum err e = judge_cards(n);

	while (e != ERR_OK && batch_grow(n, e) == ERR_OK)
		e = judge_cards(n);
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "log %s: which national log of each server is followed cannot be read or "
			 "kept in %s: %s; %s",
			 n->log.name.text, n->settings.data, err_text(e), room_advice(e));
	return e;
}

bool follow_held(const struct node *n, size_t link)
{
	return n->links[link].card != ANEW_FIRST && n->links[link].card != ANEW_SAME;
}

void follow_hold(struct node *n)
{
	for (size_t i = 0; i < n->settings.server_count; i++) {
		struct node_event hold = {.kind = NODE_EV_HOLD, .link = i};
		char text[2 * TEXT_BYTES_MAX];

		if (!follow_held(n, i))
			continue;
		follow_text(n, i, text, sizeof text);
		log_line(LOG_WARN, "log %s: server %s: held: %s", n->log.name.text,
			 n->settings.servers[i].name, text);
		links_step(n, &hold);
	}
}

/* ---- what to do about a held link ---- */

void follow_text(const struct node *n, size_t link, char *text, size_t size)
{
	const struct card *card = card_of(n, link);
	const char *name = n->settings.servers[link].name;
	unsigned followed = n->links[link].followed;
	char fingerprint[20];

	card_fingerprint(card, fingerprint);
	if (n->links[link].card == ANEW_LATER)
		(void)snprintf(text, size,
			       "its card is of %s, which begins anew (generation %u, this node "
			       "follows %u): compare the fingerprint %s with that server's "
			       "administrator by telephone, then `splotctl follow %s --reason …`",
			       card->log_key.name, (unsigned)card->generation, followed,
			       fingerprint, name);
	else if (n->links[link].card == ANEW_EARLIER)
		(void)snprintf(text, size,
			       "its card is of %s, and this node follows generation %u of that "
			       "server already: a lower one is never followed; put the newer card "
			       "back and restart",
			       card->log_key.name, followed);
	else
		(void)snprintf(text, size,
			       "its card names %s with another key than this node knows that log "
			       "by, and a national log keeps its key: somebody else may speak in "
			       "that name; compare the fingerprint %s with that server's "
			       "administrator, put the right card back and restart",
			       card->log_key.name, fingerprint);
}

/* ---- FOLLOW ---- */

/* One row of "follows": when (8 bytes, big-endian) and which link -> what, who, why. */
static enum err record(struct node *n, size_t link, const struct act *act, const char *from)
{
	struct buf key = {0};
	struct buf row = {0};
	struct txn *write = NULL;
	enum err e = ERR_OK;

	buf_add_u64be(&key, (uint64_t)wall_now().ms);
	buf_add_u8(&key, (uint8_t)link);
	buf_printf(&row, "server %s\nby %s\nfrom %s\nto %s\nreason %s\n",
		   n->settings.servers[link].name, act->account, from,
		   card_of(n, link)->log_key.name, act->reason);
	e = buf_check(&row);
	if (e == ERR_OK)
		e = buf_check(&key);
	if (e == ERR_OK)
		e = txn_begin(n->store, true, &write);
	if (e == ERR_OK)
		e = txn_put(write, n->follows, buf_bytes(&key), buf_bytes(&row));
	if (e == ERR_OK)
		e = put_card(n, write, link);
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	buf_free(&row);
	buf_free(&key);
	return e;
}

/* Stores it; what was followed before, and is said of it, in `from`. */
static enum err follow(struct node *n, size_t link, const struct act *act, char *from, size_t size)
{
	const struct card *card = card_of(n, link);
	enum err e = national_origin(card->realm, card->server_name, n->links[link].followed, from,
				     size);

	if (e == ERR_OK)
		e = record(n, link, act, from);
	while (e != ERR_OK && batch_grow(n, e) == ERR_OK)
		e = record(n, link, act, from);
	if (e == ERR_SYNC)
		n->fault = e;
	return e;
}

void act_follow(struct node *n, struct open_call *call)
{
	struct node_event opened = {.kind = NODE_EV_FOLLOW};
	size_t link = 0;
	char text[2 * TEXT_BYTES_MAX];
	char from[ORIGIN_BYTES_MAX + 1] = "";
	struct act act;
	enum err e = ERR_OK;

	if (!act_begin(n, call, &act) || !act_link(n, call, &link))
		return;
	if (!follow_held(n, link)) {
		(void)snprintf(text, sizeof text, "this node follows %s already",
			       card_of(n, link)->log_key.name);
		act_reply(n, call, ERR_EXISTS, text);
		return;
	}
	if (n->links[link].card != ANEW_LATER) {
		follow_text(n, link, text, sizeof text);
		act_reply(n, call, n->links[link].card == ANEW_EARLIER ? ERR_OLD : ERR_UNKNOWN_KEY,
			  text);
		return;
	}
	e = follow(n, link, &act, from, sizeof from);
	if (e != ERR_OK) {
		act_reply(n, call, e, "it could not be recorded; nothing was changed");
		return;
	}
	n->links[link].card = ANEW_SAME;
	n->links[link].followed = card_of(n, link)->generation;
	log_line(LOG_NOTICE, "log %s: server %s: %s is followed from here on, after %s, by %s: %s",
		 n->log.name.text, n->settings.servers[link].name, card_of(n, link)->log_key.name,
		 from, act.account, act.reason);
	opened.link = link;
	links_step(n, &opened);
	act_reply(n, call, ERR_OK, "");
}

/* ---- the first entry of a log begun anew ---- */

static enum err judge_entry(struct node *n, size_t link, const struct national_entry *entry,
			    char *why)
{
	const struct card *card = card_of(n, link);
	struct anew_quote quote;
	struct seen seen;
	struct txn *read = NULL;
	enum err e = anew_entry(card->log_key.name, 0, entry, &quote);

	if (e != ERR_OK) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "the first entry of %s does not quote the log before it as it has "
			       "to: %s",
			       card->log_key.name, err_text(e));
		return ERR_INVALID;
	}
	e = txn_begin(n->store, false, &read);
	if (e == ERR_OK)
		e = read_seen(n, read, link, card->generation, &seen);
	if (e != ERR_OK)
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "what this node witnessed could not be read: %s", err_text(e));
	else
		e = anew_judge(&quote, seen.items, seen.count, why);
	txn_abort(read);
	return e;
}

void follow_entry(struct node *n, size_t link, const struct national_entry *entry,
		  struct bytes note)
{
	struct link *l = &n->links[link];
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = judge_entry(n, link, entry, why);
	bool news = false;

	buf_clear(&l->begun_by);
	buf_add_bytes(&l->begun_by, note);
	if (e == ERR_OK)
		e = buf_check(&l->begun_by);
	if (e == ERR_NOMEM)
		(void)snprintf(why, sizeof why, "%s", err_text(e));
	news = l->begun != (e == ERR_OK) || strcmp(l->declined, why) != 0;

	l->begun = e == ERR_OK;
	l->declines = e;
	memcpy(l->declined, why, sizeof l->declined);
	if (!news) /* every session begins with it */
		return;
	if (e == ERR_OK)
		log_line(LOG_NOTICE,
			 "log %s: server %s: the first entry of %s bears out what this node "
			 "witnessed of the log before it",
			 n->log.name.text, n->settings.servers[link].name,
			 card_of(n, link)->log_key.name);
	else
		log_line(LOG_ERROR, "log %s: server %s: its national log is not witnessed: %s",
			 n->log.name.text, n->settings.servers[link].name, why);
}

bool follow_may_witness(const struct node *n, size_t link, enum err *ret_code, const char **ret_why)
{
	const struct link *l = &n->links[link];

	if (card_of(n, link)->generation < 2 || l->begun)
		return true;
	*ret_code = l->declines != ERR_OK ? l->declines : ERR_AGAIN;
	*ret_why = l->declined[0] ? l->declined
				  : "the first entry of this national log was not shown yet";
	return false;
}
