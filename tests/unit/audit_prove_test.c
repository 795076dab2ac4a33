/* Proofs made from a source hold by themselves. */
#include "audit_fixture.h"

#include "proof_check.h"

struct opened {
	struct buf raw;
	struct arena arena;
	struct proof_file file;
};

static void open_proof(struct opened *o)
{
	assert_ok(buf_check(&o->raw));
	assert_ok(proof_file_parse(buf_bytes(&o->raw), &o->arena, &o->file));
}

static void close_proof(struct opened *o)
{
	buf_free(&o->raw);
	arena_free(&o->arena);
}

static void check_event(struct nation *n, struct source *s, uint64_t index, uint64_t under_size)
{
	struct opened o = {0};
	struct proved proved;
	struct checkpoint c;

	assert_ok(prove_event(s, name_of("26"), index, &o.raw, &proved));
	assert_int_equal(proved.under.size, under_size);
	open_proof(&o);
	assert_true(o.file.has_extra);
	assert_int_equal(o.file.index, index);
	assert_true(bytes_equal(o.file.extra, plain_event(&n->f, index)));
	assert_ok(proof_file_check(&o.file, hash_leaf(o.file.extra), &n->region.signer.key, &c));
	assert_int_equal(c.size, under_size);
	close_proof(&o);
}

static void an_event_is_proved_under_the_first_checkpoint_that_covers_it(void **state)
{
	struct nation *n = *state;
	struct buf raw = {0};
	struct proved proved;

	nation_grow(n, 5);
	nation_grow(n, 300);
	nation_grow(n, 1000);
	check_event(n, &n->source, 0, 5);
	check_event(n, &n->source, 4, 5);
	check_event(n, &n->source, 5, 300);
	check_event(n, &n->source, 299, 300);
	check_event(n, &n->source, 999, 1000);
	assert_err(prove_event(&n->source, name_of("26"), 1000, &raw, &proved), ERR_NOT_FOUND);
	assert_err(prove_event(&n->source, name_of("24"), 0, &raw, &proved), ERR_NOT_FOUND);
	assert_int_equal(raw.size, 0);
}

static void from_an_export_it_is_proved_under_the_only_one(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct source s = {0};

	nation_grow(n, 5);
	nation_grow(n, 300);
	nation_grow(n, 70000);
	assert_ok(export_all(n, &report));
	assert_ok(source_open(n->folder, &s));
	check_event(n, &s, 0, 70000);
	check_event(n, &s, 65535, 70000);
	check_event(n, &s, 65536, 70000);
	check_event(n, &s, 69999, 70000);
	source_close(&s);
}

static void an_erased_event_is_proved_by_its_hash(void **state)
{
	struct nation *n = *state;
	struct opened o = {0};
	struct proved proved;
	struct checkpoint c;
	struct hash leaf = hash_leaf(plain_event(&n->f, 7));
	struct txn *t = NULL;

	nation_grow(n, 20);
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(log_redact(n->l26, t, 7, leaf));
	assert_ok(txn_commit(t));
	assert_err(prove_event(&n->source, name_of("26"), 7, &o.raw, &proved), ERR_REDACTED);
	open_proof(&o);
	assert_false(o.file.has_extra);
	assert_memory_equal(proved.leaf.b, leaf.b, HASH_BYTES);
	assert_ok(proof_file_check(&o.file, leaf, &n->region.signer.key, &c));
	close_proof(&o);
}

static void a_source_that_does_not_fit_itself_proves_nothing(void **state)
{
	struct nation *n = *state;
	struct buf raw = {0};
	struct proved proved;
	struct txn *t = NULL;
	uint8_t key[9] = {0};
	struct hash hashes[20];

	nation_grow(n, 20);
	for (size_t i = 0; i < 20; i++)
		hashes[i] = hash_leaf(plain_event(&n->f, i));
	hashes[3].b[0] ^= 1;
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(txn_put(t, n->l26->tiles, bytes_of(key, sizeof key),
			  bytes_of(hashes, sizeof hashes)));
	assert_ok(txn_commit(t));
	assert_err(prove_event(&n->source, name_of("26"), 2, &raw, &proved), ERR_CORRUPT);
	/* Its own hash is not part of its proof. */
	assert_ok(prove_event(&n->source, name_of("26"), 3, &raw, &proved));
	buf_clear(&raw);
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(txn_delete(t, n->l26->tiles, bytes_of(key, sizeof key)));
	assert_ok(txn_commit(t));
	assert_err(prove_event(&n->source, name_of("26"), 2, &raw, &proved), ERR_CORRUPT);
	buf_free(&raw);
}

static void check_accepted(struct nation *n, uint64_t size, uint64_t under_size)
{
	struct opened o = {0};
	struct national_entry entry;
	struct proved proved;
	struct checkpoint c;

	assert_ok(prove_accepted(&n->source, name_of("26"), size, &o.raw, &proved));
	open_proof(&o);
	assert_ok(proof_file_check(&o.file, hash_leaf(o.file.extra), &n->server.signer.key, &c));
	assert_int_equal(c.size, under_size);
	assert_ok(national_decode(o.file.extra, &o.arena, &entry));
	assert_int_equal(entry.kind, NATIONAL_ACCEPTED);
	assert_int_equal(entry.size, size);
	close_proof(&o);
}

static void a_checkpoint_is_proved_in_the_national_log(void **state)
{
	struct nation *n = *state;
	struct proved proved;
	struct buf raw = {0};
	uint64_t cosigned = 0;

	nation_grow(n, 5);
	nation_grow(n, 9);
	cosigned = nation_cosign(n, 1);
	nation_grow(n, 12);
	check_accepted(n, 5, cosigned);
	check_accepted(n, 9, cosigned);
	check_accepted(n, 12, n->national->edge.size); /* nobody cosigned that yet */
	assert_err(prove_accepted(&n->source, name_of("26"), 7, &raw, &proved), ERR_NOT_FOUND);
	assert_err(prove_accepted(&n->source, name_of("24"), 5, &raw, &proved), ERR_NOT_FOUND);
}

static void an_entry_of_the_national_log_is_proved_as_well(void **state)
{
	struct nation *n = *state;
	struct opened o = {0};
	struct proved proved;
	struct checkpoint c;
	uint64_t cosigned = 0;

	nation_grow(n, 5);
	cosigned = nation_cosign(n, 1);
	nation_grow(n, 9);
	assert_ok(prove_event(&n->source, name_of("national"), 0, &o.raw, &proved));
	assert_int_equal(proved.under.size, cosigned);
	open_proof(&o);
	assert_ok(proof_file_check(&o.file, hash_leaf(o.file.extra), &n->server.signer.key, &c));
	buf_clear(&o.raw);
	assert_ok(prove_event(&n->source, name_of("national"), cosigned, &o.raw, &proved));
	assert_int_equal(proved.under.size, n->national->edge.size);
	buf_clear(&o.raw);
	assert_err(prove_event(&n->source, name_of("national"), cosigned + 1, &o.raw, &proved),
		   ERR_NOT_FOUND);
	close_proof(&o);
}

/* All sixteen regions cosigned: with the log's own that is one line more than others read. */
static void a_proof_has_no_more_lines_than_every_verifier_accepts(void **state)
{
	struct nation *n = *state;
	struct party witness;
	struct opened o = {0};
	struct proved proved;
	struct buf all = {0};
	struct note note;
	struct policy policy;
	struct policy_finding finding;
	struct vkey enrolled[NATION_WITNESSES];
	struct txn *t = NULL;
	char name[64];

	nation_grow(n, 5);
	buf_add_bytes(&all, signed_note(n, &n->server, n->national->edge.size,
					tree_root(&n->national->tree)));
	assert_ok(note_parse(buf_bytes(&all), &note));
	for (uint8_t i = 0; i < WITNESSES_MAX - 1; i++) {
		struct bytes text = kept(n, note.text);

		(void)snprintf(name, sizeof name, REALM "/witness/%02u/2", 2u * i + 2);
		party_make(&witness, name, KEY_COSIGNATURE, (uint8_t)(150 + i));
		assert_ok(note_cosign(text, 1700000000, &witness.signer, &all));
		assert_ok(note_parse(buf_bytes(&all), &note));
	}
	/* The one that is enrolled comes last, and its line is kept. */
	assert_ok(note_cosign(kept(n, note.text), 1700000000, &n->witnesses[0].signer, &all));
	assert_ok(note_parse(buf_bytes(&all), &note));
	assert_int_equal(note.signature_count, NOTE_LINES_PUBLISHED + 1);
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(cosigned_put(n->cosigned, t, n->national->edge.size, buf_bytes(&all)));
	assert_ok(txn_commit(t));
	assert_ok(prove_accepted(&n->source, name_of("26"), 5, &o.raw, &proved));
	open_proof(&o);
	assert_ok(note_parse(o.file.note, &note));
	assert_int_equal(note.signature_count, NOTE_LINES_PUBLISHED);
	nation_read_keys(n);
	assert_int_equal(keyring_witnesses(n->keys, enrolled, NATION_WITNESSES), 1);
	assert_ok(keyring_policy(n->keys, &policy));
	assert_ok(policy_judge(&policy, &note, &finding));
	buf_clear(&o.raw);
	assert_ok(prove_event(&n->source, name_of("national"), 0, &o.raw, &proved));
	open_proof(&o);
	assert_ok(note_parse(o.file.note, &note));
	assert_int_equal(note.signature_count, NOTE_LINES_PUBLISHED);
	close_proof(&o);
	buf_free(&all);
}

#define NATION(test) cmocka_unit_test_setup_teardown(test, nation_setup, nation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATION(an_event_is_proved_under_the_first_checkpoint_that_covers_it),
		NATION(from_an_export_it_is_proved_under_the_only_one),
		NATION(an_erased_event_is_proved_by_its_hash),
		NATION(a_source_that_does_not_fit_itself_proves_nothing),
		NATION(a_checkpoint_is_proved_in_the_national_log),
		NATION(an_entry_of_the_national_log_is_proved_as_well),
		NATION(a_proof_has_no_more_lines_than_every_verifier_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
