#include "audit/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/event.h"

static const char ACTIVE[] = "active";
static const char NATIONAL[] = "national";

struct keyring {
	char realm[REALM_BYTES_MAX + 1]; /* of the first key; "": none yet */
	size_t count;
	struct log_keys logs[LOGS_MAX + 1];
	uint64_t accepted[LOGS_MAX + 1]; /* of each: size in the newest entry taken in */
	struct redaction *redactions;    /* owned; by log and index */
	size_t redaction_count, redaction_room;
	struct arena scratch;
};

enum err keyring_new(struct keyring **ret)
{
	struct keyring *k = calloc(1, sizeof *k);

	if (!k)
		return ERR_NOMEM;
	*ret = k;
	return ERR_OK;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	free(k->redactions);
	arena_free(&k->scratch);
	free(k);
}

enum err keyring_copy(const struct keyring *k, struct keyring **ret)
{
	struct keyring *copy = malloc(sizeof *copy);

	if (!copy)
		return ERR_NOMEM;
	*copy = *k;
	copy->scratch = (struct arena){.head = NULL};
	copy->redaction_room = k->redaction_count;
	copy->redactions = NULL;
	if (k->redaction_count) {
		copy->redactions = reallocarray(NULL, k->redaction_count, sizeof *copy->redactions);
		if (!copy->redactions) {
			free(copy);
			return ERR_NOMEM;
		}
		memcpy(copy->redactions, k->redactions,
		       k->redaction_count * sizeof *copy->redactions);
	}
	*ret = copy;
	return ERR_OK;
}

enum err keyring_of_acts(const struct keyring *k, struct keyring **ret)
{
	const struct log_keys *national = keyring_log(k, (struct log_name){"national"});
	enum err e = keyring_new(ret);

	for (size_t i = 0; e == ERR_OK && national && i < national->count; i++)
		e = keyring_trust_from(*ret, &national->keys[i].key, national->keys[i].from);
	if (e != ERR_OK) {
		keyring_free(*ret);
		*ret = NULL;
	}
	return e;
}

/* ---- keys ---- */

static struct log_keys *find(struct keyring *k, struct log_name log)
{
	for (size_t i = 0; i < k->count; i++)
		if (log_name_equal(k->logs[i].log, log))
			return &k->logs[i];
	return NULL;
}

static enum err find_or_add(struct keyring *k, struct log_name log, struct log_keys **ret)
{
	*ret = find(k, log);
	if (*ret)
		return ERR_OK;
	if (k->count == sizeof k->logs / sizeof *k->logs)
		return ERR_LIMIT;
	*ret = &k->logs[k->count++];
	**ret = (struct log_keys){.log = log, .state = ACTIVE};
	return ERR_OK;
}

static bool same_key(const struct vkey *a, const struct vkey *b)
{
	return a->id == b->id && a->type == b->type && strcmp(a->name, b->name) == 0 &&
	       memcmp(a->public, b->public, SIGN_PUBLIC_BYTES) == 0;
}

/* Puts a key in its place; one that is there already moves when it is said to begin later. */
static enum err put_key(struct log_keys *l, uint64_t from, const struct vkey *key)
{
	size_t at = 0;

	while (at < l->count && !same_key(&l->keys[at].key, key))
		at++;
	if (at < l->count && l->keys[at].from >= from)
		return ERR_OK;
	if (at < l->count) {
		l->count--;
		memmove(&l->keys[at], &l->keys[at + 1], (l->count - at) * sizeof *l->keys);
	}
	if (l->count == LOG_KEYS_MAX)
		return ERR_LIMIT;
	for (at = l->count; at > 0 && l->keys[at - 1].from > from; at--)
		l->keys[at] = l->keys[at - 1];
	l->keys[at] = (struct log_key){.from = from, .key = *key};
	l->count++;
	return ERR_OK;
}

static void put_witness(struct log_keys *l, const struct vkey *key)
{
	if (l->has_witness && !same_key(&l->witness, key)) {
		if (l->past_count == LOG_KEYS_MAX)
			memmove(&l->past[0], &l->past[1], --l->past_count * sizeof *l->past);
		l->past[l->past_count++] = l->witness;
	}
	l->has_witness = true;
	l->witness = *key;
}

static enum err check_realm(struct keyring *k, struct bytes realm)
{
	if (realm.size > REALM_BYTES_MAX)
		return ERR_INVALID;
	if (!*k->realm)
		memcpy(k->realm, realm.data, realm.size);
	return bytes_equal(realm, bytes_of_text(k->realm)) ? ERR_OK : ERR_INVALID;
}

enum err keyring_trust_from(struct keyring *k, const struct vkey *key, uint64_t from)
{
	struct bytes realm = {NULL, 0};
	struct log_keys *l = NULL;
	struct log_name log;
	bool witness = false;
	enum err e = source_origin_log(bytes_of_text(key->name), &realm, &log, &witness);

	if (e == ERR_OK && key->type != (witness ? KEY_COSIGNATURE : KEY_ED25519))
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = check_realm(k, realm);
	if (e == ERR_OK)
		e = find_or_add(k, log, &l);
	if (e != ERR_OK)
		return e;
	if (!witness)
		return put_key(l, from, key);
	put_witness(l, key);
	return ERR_OK;
}

enum err keyring_trust(struct keyring *k, const struct vkey *key)
{
	return keyring_trust_from(k, key, 0);
}

/* An enrolment's keys, of checkpoints above `from`. */
static enum err put_card(struct keyring *k, struct log_name log, uint64_t from,
			 struct bytes enrolment)
{
	struct log_keys *l = NULL;
	struct card card;
	enum err e = card_open(enrolment, &card);

	if (e == ERR_OK && (card.server || !log_name_equal(card.log, log)))
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = check_realm(k, bytes_of_text(card.realm));
	if (e == ERR_OK)
		e = find_or_add(k, log, &l);
	if (e == ERR_OK)
		e = put_key(l, from, &card.log_key);
	if (e != ERR_OK)
		return e;
	put_witness(l, &card.witness_key);
	return ERR_OK;
}

enum err keyring_take_rotation(struct keyring *k, struct log_name log, uint64_t index,
			       struct bytes enrolment)
{
	uint64_t from = 0;

	if (__builtin_add_overflow(index, (uint64_t)1, &from))
		return ERR_INVALID;
	return put_card(k, log, from, enrolment);
}

/* ---- acts ---- */

static int redaction_order(const struct redaction *r, struct log_name log, uint64_t index)
{
	int order = strncmp(r->log.text, log.text, sizeof log.text);

	if (order != 0)
		return order;
	return r->index < index ? -1 : r->index > index;
}

/* Where the redaction of that event is, or belongs. */
static size_t redaction_place(const struct keyring *k, struct log_name log, uint64_t index)
{
	size_t low = 0;
	size_t high = k->redaction_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (redaction_order(&k->redactions[middle], log, index) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Room for one more at `at`. */
static enum err make_room(struct keyring *k, size_t at)
{
	struct redaction *more = NULL;
	size_t room = 0;

	if (k->redaction_count == k->redaction_room) {
		room = k->redaction_room ? 2 * k->redaction_room : 16;
		more = reallocarray(k->redactions, room, sizeof *more);
		if (!more)
			return ERR_NOMEM;
		k->redactions = more;
		k->redaction_room = room;
	}
	memmove(&k->redactions[at + 1], &k->redactions[at],
		(k->redaction_count - at) * sizeof *k->redactions);
	k->redaction_count++;
	return ERR_OK;
}

/* The newest act about an event counts, the first of those that name the same leaf: one that came
 * ahead of the event may have named another by mistake. */
static enum err take_redaction(struct keyring *k, uint64_t national_index,
			       const struct national_entry *act)
{
	size_t at = redaction_place(k, act->log, act->index);
	const struct redaction *before = keyring_redaction(k, act->log, act->index);
	enum err e = ERR_OK;

	if (act->leaf.size != HASH_BYTES)
		return ERR_INVALID;
	if (before && memcmp(before->leaf.b, act->leaf.data, HASH_BYTES) == 0)
		return ERR_OK;
	if (!before)
		e = make_room(k, at);
	if (e != ERR_OK)
		return e;
	k->redactions[at] = (struct redaction){
		.log = act->log, .index = act->index, .national_index = national_index};
	memcpy(k->redactions[at].leaf.b, act->leaf.data, HASH_BYTES);
	return ERR_OK;
}

/* What an act makes of its log's state; NULL: nothing. */
static const char *state_after(const char *act)
{
	static const struct {
		const char *act, *state;
	} moves[] = {{"enrol", ACTIVE},
		     {"release", ACTIVE},
		     {"revoke", "revoked"},
		     {"freeze", "frozen"}};

	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (strcmp(moves[i].act, act) == 0)
			return moves[i].state;
	return NULL;
}

static enum err take_act(struct keyring *k, uint64_t index, const struct national_entry *act)
{
	struct log_keys *l = find(k, act->log);
	const char *state = state_after(act->act);
	enum err e = ERR_OK;

	if (strcmp(act->act, "redact") == 0)
		return take_redaction(k, index, act);
	if (strcmp(act->act, "rotate") == 0)
		return keyring_take_rotation(k, act->log, act->index, act->document);
	/* A log enrolled once more: its new keys begin where the server stands. */
	if (strcmp(act->act, "enrol") == 0)
		e = put_card(k, act->log, l ? k->accepted[l - k->logs] : 0, act->document);
	if (e == ERR_OK && state)
		e = find_or_add(k, act->log, &l);
	if (e == ERR_OK && state)
		l->state = state;
	return e;
}

enum err keyring_take_entry(struct keyring *k, uint64_t index, struct bytes entry)
{
	struct national_entry act;
	struct log_keys *l = NULL;
	enum err e = ERR_OK;

	arena_reset(&k->scratch);
	e = national_decode(entry, &k->scratch, &act);
	if (e == ERR_OK && act.kind == NATIONAL_ACT)
		return take_act(k, index, &act);
	if (e != ERR_OK || act.kind != NATIONAL_ACCEPTED)
		return e;
	l = find(k, act.log);
	if (l)
		k->accepted[l - k->logs] = act.size;
	return ERR_OK;
}

/* ---- reading a source ---- */

bool keyring_passes_over(enum err e)
{
	return e == ERR_DECODE || e == ERR_LIMIT || e == ERR_ENCODING || e == ERR_INVALID ||
	       e == ERR_ORIGIN || e == ERR_SIGNATURE || e == ERR_VERSION;
}

static enum err take_event(struct keyring *k, struct log_name log, uint64_t index, struct bytes raw)
{
	struct event event;
	enum err e = ERR_OK;

	arena_reset(&k->scratch);
	e = event_decode(raw, &k->scratch, &event);
	if (e == ERR_OK && event.act == EVENT_ROTATES)
		e = keyring_take_rotation(k, log, index, event.document);
	return e;
}

static enum err read_log(struct keyring *k, struct source *s, struct log_name log, bool national)
{
	struct source_leaves *run = malloc(sizeof *run);
	struct buf note = {0};
	uint64_t size = 0;
	uint64_t at = 0;
	enum err e = run ? s->ops->newest(s, log, &size, &note) : ERR_NOMEM;

	while (e == ERR_OK && at < size) {
		e = s->ops->leaves(s, log, at, size, run);
		for (size_t i = 0; e == ERR_OK && i < run->count; i++, at++) {
			e = national ? keyring_take_entry(k, at, run->items[i])
				     : take_event(k, log, at, run->items[i]);
			if (keyring_passes_over(e))
				e = ERR_OK;
		}
	}
	free(run);
	buf_free(&note);
	/* an empty log, or one with a gap; what is damaged is named by whoever verifies */
	return e == ERR_NOT_FOUND || e == ERR_CORRUPT ? ERR_OK : e;
}

static enum err read_duties(struct keyring *k, struct source *s, struct log_name log)
{
	struct buf raw = {0};
	uint64_t index = 0;
	uint64_t from = 0;
	enum err e = ERR_OK;

	while (s->ops->duty && e == ERR_OK) {
		buf_clear(&raw);
		e = s->ops->duty(s, log, from, &index, &raw);
		if (e != ERR_OK)
			break;
		e = keyring_take_entry(k, UINT64_MAX, buf_bytes(&raw));
		if (keyring_passes_over(e))
			e = ERR_OK;
		if (__builtin_add_overflow(index, (uint64_t)1, &from))
			break;
	}
	buf_free(&raw);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err keyring_read(struct keyring *k, struct source *s)
{
	struct source_names names;
	enum err e = s->ops->names(s, &names);

	if (e != ERR_OK)
		return e;
	if (names.count > 0 && strcmp(names.items[names.count - 1].text, NATIONAL) == 0)
		return read_log(k, s, names.items[names.count - 1], true);
	for (size_t i = 0; e == ERR_OK && i < names.count; i++) {
		e = read_log(k, s, names.items[i], false);
		if (e == ERR_OK)
			e = read_duties(k, s, names.items[i]);
	}
	return e;
}

/* ---- asking ---- */

const struct log_keys *keyring_log(const struct keyring *k, struct log_name log)
{
	for (size_t i = 0; i < k->count; i++)
		if (log_name_equal(k->logs[i].log, log))
			return &k->logs[i];
	return NULL;
}

const struct redaction *keyring_redaction(const struct keyring *k, struct log_name log,
					  uint64_t index)
{
	size_t at = redaction_place(k, log, index);

	return at < k->redaction_count && redaction_order(&k->redactions[at], log, index) == 0
		       ? &k->redactions[at]
		       : NULL;
}

size_t keyring_redactions(const struct keyring *k, const struct redaction **ret)
{
	*ret = k->redactions;
	return k->redaction_count;
}

static bool has_witness(const struct log_keys *l)
{
	int region = log_name_region(l->log);

	return l->has_witness && region != REGION_NONE && region != REGION_PL;
}

size_t keyring_witnesses(const struct keyring *k, struct vkey *ret, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < k->count && count < most; i++) {
		const struct log_keys *l = &k->logs[i];

		if (!has_witness(l) || strcmp(l->state, ACTIVE) != 0)
			continue;
		ret[count++] = l->witness;
	}
	return count;
}

bool keyring_was_witness(const struct keyring *k, const struct vkey *key)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct log_keys *l = &k->logs[i];

		if (!has_witness(l))
			continue;
		if (same_key(&l->witness, key))
			return true;
		for (size_t p = 0; p < l->past_count; p++)
			if (same_key(&l->past[p], key))
				return true;
	}
	return false;
}

static bool is_national(const struct keyring *k, const struct vkey *key)
{
	const struct log_keys *l = keyring_log(k, (struct log_name){"national"});

	for (size_t i = 0; l && i < l->count; i++)
		if (same_key(&l->keys[i].key, key))
			return true;
	return false;
}

bool keyring_contradicts(const struct keyring *k, struct log_name log, const struct vkey *key)
{
	const struct log_keys *l = keyring_log(k, log);
	bool named = false;

	for (size_t i = 0; l && i < l->count; i++) {
		if (same_key(&l->keys[i].key, key))
			return false;
		named = named || strcmp(l->keys[i].key.name, key->name) == 0;
	}
	return named;
}

const struct vkey *keyring_stranger(const struct keyring *k, const struct policy *p)
{
	for (size_t i = 0; i < p->log_count; i++)
		if (!is_national(k, &p->logs[i]))
			return &p->logs[i];
	for (size_t i = 0; i < p->member_count; i++)
		if (!p->members[i].is_group && !keyring_was_witness(k, &p->members[i].key))
			return &p->members[i].key;
	return NULL;
}

enum err keyring_policy(const struct keyring *k, struct policy *ret)
{
	struct vkey witnesses[WITNESSES_MAX];
	struct vkey logs[LOG_KEYS_MAX];
	size_t count = keyring_witnesses(k, witnesses, WITNESSES_MAX);
	size_t log_count = 0;

	if (count == 0)
		return ERR_QUORUM;
	for (size_t i = 0; i < k->count; i++) {
		const struct log_keys *l = &k->logs[i];

		if (strcmp(l->log.text, NATIONAL) != 0)
			continue;
		while (log_count < l->count) {
			logs[log_count] = l->keys[log_count].key;
			log_count++;
		}
	}
	return policy_make(logs, log_count, witnesses, count,
			   count < QUORUM_USUAL ? (unsigned)count / 2 + 1 : QUORUM_USUAL, ret);
}

enum err keyring_source_policy(const struct keyring *k, struct source *s, struct policy *ret)
{
	struct buf text = {0};
	enum err e = s->ops->policy(s, &text);

	if (e == ERR_OK)
		e = policy_parse(buf_bytes(&text), ret, NULL);
	else if (e == ERR_NOT_FOUND)
		e = keyring_policy(k, ret);
	buf_free(&text);
	return e;
}
