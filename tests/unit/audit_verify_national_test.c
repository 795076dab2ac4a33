/* The national log against the logs that it accepts, and what its witnesses say. */
#include "audit_verify_fixture.h"

/* ---- the national log ---- */

static void a_log_rolled_back_below_what_was_accepted_is_found(void **state)
{
	struct audit *a = *state;
	struct store *s = a->n->f.store;
	const struct log *l = a->n->l26;

	a->no_view = true;
	for (uint64_t i = 499; i < EVENTS; i++)
		delete (s, l->events, number(a, -1, i));
	delete (s, l->checkpoints, number(a, -1, EVENTS));
	verify(a);
	assert_true(is_found(a, DAMAGE_CHECKPOINT_MISSING, "26", EVENTS));
}

static void what_no_entry_accepted_is_found(void **state)
{
	struct audit *a = *state;
	struct txn *t = NULL;

	assert_ok(txn_begin(a->n->f.store, true, &t));
	assert_ok(log_append(a->n->l26, t, entity_event(a, EVENTS)));
	assert_ok(log_seal(
		a->n->l26, t,
		signed_note(a->n, &a->n->region, EVENTS + 1, tree_root(&a->n->l26->tree))));
	assert_ok(txn_commit(t));
	assert_found(a, DAMAGE_NATIONAL, "26", EVENTS);
}

static void a_mark_above_the_log_is_a_rollback(void **state)
{
	struct audit *a = *state;
	struct txn *t = NULL;
	struct source own;
	const struct verify_watch watch = {a, progress, found};
	struct fixture node;
	struct log *l = NULL;
	struct view view;
	struct keyring *keys = NULL;

	fixture_start(&node);
	l = opened(&node, "26");
	assert_ok(view_open(node.store, true, &view));
	assert_ok(txn_begin(node.store, true, &t));
	for (uint64_t i = 0; i < 40; i++) {
		struct bytes event = entity_event(a, i);

		assert_ok(log_append(l, t, event));
		assert_ok(view_fold_own(a->fold, &view, t, l->name, i, event, &a->arena));
	}
	seal(&node, l, t);
	assert_ok(view_fold_finish(a->fold, &view, t, 40));
	assert_ok(txn_commit(t));
	assert_ok(source_of_store(node.store, "node", &own));
	assert_ok(keyring_new(&keys));
	assert_ok(keyring_trust(keys, &node.signer.key));
	a->options = (struct verify_options){.trusted = keys,
					     .is_store = true,
					     .view = node.store,
					     .scratch = a->scratch,
					     .highwater = 40};
	assert_ok(verify_run(&own, &a->options, &watch, &a->report));
	assert_int_equal(a->count, 0);
	assert_int_equal(a->report.position, 40);
	assert_true(a->report.view_checked);
	a->options.highwater = 41;
	assert_ok(verify_run(&own, &a->options, &watch, &a->report));
	assert_int_equal(a->count, 1);
	assert_true(is_found(a, DAMAGE_ROLLBACK, "26", 40));
	keyring_free(keys);
	source_close(&own);
	fixture_stop(&node);
}

/* An entry that the server's own key seals, whatever it says; its index. */
static uint64_t put_entry(struct audit *a, struct bytes raw)
{
	struct log *national = a->n->national;
	uint64_t index = national->edge.size;
	struct txn *t = NULL;

	assert_ok(txn_begin(a->n->f.store, true, &t));
	assert_ok(log_append(national, t, raw));
	seal_national(a->n, t);
	assert_ok(txn_commit(t));
	return index;
}

static uint64_t put_accepted(struct audit *a, const char *log, uint64_t from, uint64_t size,
			     struct bytes note)
{
	const struct national_entry entry = {.kind = NATIONAL_ACCEPTED,
					     .recorded = {1000},
					     .log = name_of(log),
					     .from = from,
					     .size = size,
					     .checkpoint = note};
	struct buf raw = {0};
	uint64_t index = 0;

	assert_ok(national_encode(&entry, &raw));
	index = put_entry(a, buf_bytes(&raw));
	buf_free(&raw);
	return index;
}

/* One more event in log 26, which no entry accepts yet; its checkpoint. */
static struct bytes grow_unaccepted(struct audit *a)
{
	struct log *l = a->n->l26;
	struct bytes note = {NULL, 0};
	struct txn *t = NULL;

	assert_ok(txn_begin(a->n->f.store, true, &t));
	assert_ok(log_append(l, t, entity_event(a, l->edge.size)));
	note = signed_note(a->n, &a->n->region, l->edge.size, tree_root(&l->tree));
	assert_ok(log_seal(l, t, note));
	assert_ok(txn_commit(t));
	return note;
}

/* What a log begun anew says first, here by a log of no such name. */
static struct bytes quote_of(struct audit *a, const struct party *old)
{
	char key[VKEY_BYTES];
	struct hash root = {{7}};
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .recorded = {1000},
				     .log = name_of("national"),
				     .act = "continues",
				     .by = "a01",
				     .reason = "its disk was lost",
				     .document = signed_note(a->n, old, 9, root),
				     .size = 9};
	struct buf raw = {0};
	struct bytes copy = {NULL, 0};

	vkey_text(&old->signer.key, key);
	act.other = bytes_of_text(key);
	assert_ok(national_encode(&act, &raw));
	copy = kept(a->n, buf_bytes(&raw));
	buf_free(&raw);
	return copy;
}

static void a_log_that_did_not_begin_anew_quotes_no_other(void **state)
{
	struct audit *a = *state;

	assert_found(a, DAMAGE_NATIONAL, "national", put_entry(a, quote_of(a, &a->n->server)));
}

static void a_log_begun_anew_that_quotes_nothing_is_found(void **state)
{
	struct audit *a = *state;
	struct bytes quote = quote_of(a, &a->n->server);

	a->no_view = true;
	party_make(&a->n->server, REALM "/national/centrum/2", KEY_ED25519, 98);
	(void)put_entry(a, quote); /* too late */
	verify(a);
	assert_true(is_found(a, DAMAGE_NATIONAL, "national", 0));
	assert_true(is_found(a, DAMAGE_NATIONAL, "national", a->n->national->edge.size - 1));
}

static void an_entry_that_goes_on_elsewhere_is_found(void **state)
{
	struct audit *a = *state;
	struct bytes note = grow_unaccepted(a);
	uint64_t index = put_accepted(a, "26", EVENTS - 1, EVENTS + 1, note);

	assert_found(a, DAMAGE_NATIONAL, "national", index);
}

static void an_entry_about_another_size_than_its_checkpoints_is_found(void **state)
{
	struct audit *a = *state;
	struct bytes note = get(a, a->n->f.store, a->n->l26->checkpoints, number(a, -1, EVENTS));
	uint64_t index = 0;

	(void)grow_unaccepted(a);
	index = put_accepted(a, "26", EVENTS, EVENTS + 1, note);
	assert_found(a, DAMAGE_NATIONAL, "national", index);
}

static void an_entry_with_a_checkpoint_by_another_key_is_found(void **state)
{
	struct audit *a = *state;
	struct hash root;
	uint64_t index = 0;

	(void)grow_unaccepted(a);
	root = tree_root(&a->n->l26->tree);
	index = put_accepted(a, "26", EVENTS, EVENTS + 1,
			     signed_note(a->n, &a->n->server, EVENTS + 1, root));
	assert_found(a, DAMAGE_NATIONAL, "national", index);
}

static void an_entry_with_another_root_is_found(void **state)
{
	struct audit *a = *state;
	uint64_t index = 0;

	(void)grow_unaccepted(a);
	index = put_accepted(a, "26", EVENTS, EVENTS + 1,
			     signed_note(a->n, &a->n->region, EVENTS + 1, hash_empty()));
	assert_found(a, DAMAGE_NATIONAL, "national", index);
}

static void an_entry_about_a_log_that_is_not_here_is_found(void **state)
{
	struct audit *a = *state;
	uint64_t index =
		put_accepted(a, "24", 0, 1, signed_note(a->n, &a->n->region, 1, hash_empty()));

	assert_found(a, DAMAGE_NATIONAL, "national", index);
}

static void an_entry_that_does_not_decode_is_found(void **state)
{
	struct audit *a = *state;
	uint64_t index = put_entry(a, bytes_of_text("this is none"));

	assert_found(a, DAMAGE_LEAF_UNREADABLE, "national", index);
}

/* ---- a log begun anew ---- */

/* Log 26/2, whose first event quotes `note` as the old log's checkpoint of `size`. */
static void begin_anew(struct audit *a, uint64_t size, struct bytes note)
{
	struct fixture *f = &a->n->f;
	struct log *anew = opened(f, "26/2");
	struct party by;
	struct party witness;
	struct event e = event_of(NULL, 0);
	struct bytes event = {NULL, 0};
	struct txn *t = NULL;
	struct tree tree;

	party_make(&by, REALM "/region/26/2", KEY_ED25519, 62);
	party_make(&witness, REALM "/witness/26/2", KEY_COSIGNATURE, 63);
	(void)nation_enrol(a->n, "26/2", &by, &witness);
	e.act = EVENT_CONTINUES;
	e.old_log = name_of("26");
	e.old_size = size;
	e.document = note;
	event = encoded(f, &e);
	tree = anew->tree;
	tree_append(&tree, hash_leaf(event));
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_accept(a->n->national, anew, t, (struct wall_ms){1000}, &event, 1,
				  signed_note(a->n, &by, 1, tree_root(&tree))));
	seal_national(a->n, t);
	assert_ok(txn_commit(t));
	a->anew = anew;
	fold_all(a);
}

static void a_log_begun_anew_is_held_against_the_old_one(void **state)
{
	struct audit *a = *state;

	begin_anew(a, 460, get(a, a->n->f.store, a->n->l26->checkpoints, number(a, -1, 460)));
	assert_whole(a);
	assert_int_equal(a->report.log_count, 3);
	assert_int_equal(a->report.records, 100);
}

static void an_old_log_that_is_quoted_wrongly_is_found(void **state)
{
	struct audit *a = *state;

	begin_anew(a, 460, signed_note(a->n, &a->n->region, 460, hash_empty()));
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26/2", 0);
}

/* The note of log 26 at `size`, by `by`, of what stands there or of another root. */
static struct bytes quote_by(struct audit *a, const struct party *by, uint64_t size, bool true_root)
{
	struct hash root = hash_empty();
	struct txn *t = NULL;
	struct tree tree;

	assert_ok(txn_begin(a->n->f.store, false, &t));
	assert_ok(log_tree_at(a->n->l26, t, size, &tree));
	txn_abort(t);
	if (true_root)
		root = tree_root(&tree);
	return signed_note(a->n, by, size, root);
}

/* A thief may have rotated the keys: the server compares what it says, and so do we. */
static void a_quote_by_keys_that_nobody_knows_counts_by_what_it_says(void **state)
{
	struct audit *a = *state;
	struct party stranger;

	party_make(&stranger, REALM "/region/26", KEY_ED25519, 77);
	begin_anew(a, 460, quote_by(a, &stranger, 460, true));
	assert_whole(a);
}

static void a_quote_by_keys_that_nobody_knows_of_another_root_is_found(void **state)
{
	struct audit *a = *state;
	struct party stranger;

	party_make(&stranger, REALM "/region/26", KEY_ED25519, 77);
	begin_anew(a, 460, quote_by(a, &stranger, 460, false));
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26/2", 0);
}

static void a_quote_by_keys_of_another_log_is_found(void **state)
{
	struct audit *a = *state;
	struct party stranger;

	party_make(&stranger, REALM "/region/24", KEY_ED25519, 77);
	begin_anew(a, 460, quote_by(a, &stranger, 460, true));
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26/2", 0);
}

/* One that no key vouches for, of more than what is here. */
static void a_quote_that_nothing_shows_is_found(void **state)
{
	struct audit *a = *state;
	struct party stranger;

	party_make(&stranger, REALM "/region/26", KEY_ED25519, 77);
	begin_anew(a, EVENTS + 1, signed_note(a->n, &stranger, EVENTS + 1, hash_empty()));
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26/2", 0);
}

static void a_quote_of_another_size_than_it_says_is_found(void **state)
{
	struct audit *a = *state;

	begin_anew(a, 459, get(a, a->n->f.store, a->n->l26->checkpoints, number(a, -1, 460)));
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26/2", 0);
}

static void a_log_that_goes_on_from_another_in_its_midst_is_found(void **state)
{
	struct audit *a = *state;
	struct event e = event_of(NULL, 0);
	struct bytes event = {NULL, 0};

	e.act = EVENT_CONTINUES;
	e.old_log = name_of("26");
	e.old_size = 460;
	e.document = get(a, a->n->f.store, a->n->l26->checkpoints, number(a, -1, 460));
	event = encoded(&a->n->f, &e);
	nation_commit(a->n, &event, 1);
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26", EVENTS);
}

/* ---- witnesses ---- */

static void witnesses_are_counted_and_their_lines_checked(void **state)
{
	struct audit *a = *state;
	struct store *s = a->n->f.store;
	struct party other;
	uint64_t size = 0;
	struct bytes note;

	party_make(&other, REALM "/region/24", KEY_ED25519, 24);
	(void)nation_enrol(a->n, "24", &other, &a->n->witnesses[1]);
	size = nation_cosign(a->n, 2);
	a->options.quorum_needed = true;
	verify(a);
	assert_int_equal(a->report.cosigned_size, size);
	assert_true(a->report.policy_known);
	note = get(a, s, a->n->cosigned, number(a, -1, size));
	flip(a, s, a->n->cosigned, number(a, -1, size), note.size - 10);
	verify(a);
	assert_true(is_found(a, DAMAGE_COSIGNATURE, "national", size));
	put(s, a->n->cosigned, number(a, -1, size + 100), note);
	verify(a);
	assert_true(is_found(a, DAMAGE_CHECKPOINT, "national", size + 100));
}

static void fewer_cosignatures_than_wanted_are_damage_only_when_asked(void **state)
{
	struct audit *a = *state;

	assert_whole(a);
	assert_false(a->report.witnesses.quorum);
	a->options.quorum_needed = true;
	assert_found(a, DAMAGE_QUORUM, "national", 0);
}

/* A store that was put back from an older copy, and then filled with other events. */
static void a_cosigned_checkpoint_that_the_log_does_not_give_is_found(void **state)
{
	struct audit *a = *state;
	struct store *s = a->n->f.store;

	put(s, a->n->cosigned, number(a, -1, 5), signed_note(a->n, &a->n->server, 5, hash_empty()));
	assert_found(a, DAMAGE_ROOT, "national", 5);
	delete (s, a->n->cosigned, number(a, -1, 5));
	put(s, a->n->cosigned, number(a, -1, 100),
	    signed_note(a->n, &a->n->server, 100, hash_empty()));
	assert_found(a, DAMAGE_ROLLBACK, "national", 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUDIT(a_log_rolled_back_below_what_was_accepted_is_found),
		AUDIT(what_no_entry_accepted_is_found),
		AUDIT(a_mark_above_the_log_is_a_rollback),
		AUDIT(a_log_that_did_not_begin_anew_quotes_no_other),
		AUDIT(a_log_begun_anew_that_quotes_nothing_is_found),
		AUDIT(an_entry_that_goes_on_elsewhere_is_found),
		AUDIT(an_entry_about_another_size_than_its_checkpoints_is_found),
		AUDIT(an_entry_with_a_checkpoint_by_another_key_is_found),
		AUDIT(an_entry_with_another_root_is_found),
		AUDIT(an_entry_about_a_log_that_is_not_here_is_found),
		AUDIT(an_entry_that_does_not_decode_is_found),
		AUDIT(a_log_begun_anew_is_held_against_the_old_one),
		AUDIT(a_quote_by_keys_that_nobody_knows_counts_by_what_it_says),
		AUDIT(a_quote_by_keys_that_nobody_knows_of_another_root_is_found),
		AUDIT(a_quote_by_keys_of_another_log_is_found),
		AUDIT(a_quote_that_nothing_shows_is_found),
		AUDIT(an_old_log_that_is_quoted_wrongly_is_found),
		AUDIT(a_quote_of_another_size_than_it_says_is_found),
		AUDIT(a_log_that_goes_on_from_another_in_its_midst_is_found),
		AUDIT(witnesses_are_counted_and_their_lines_checked),
		AUDIT(fewer_cosignatures_than_wanted_are_damage_only_when_asked),
		AUDIT(a_cosigned_checkpoint_that_the_log_does_not_give_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
