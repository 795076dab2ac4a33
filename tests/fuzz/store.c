/* Rows of a store, damaged in any way: whatever is read from them is an answer or a named refusal.
 * An event that is served is the one that was signed: while the newest checkpoint and the tree
 * under it hold, no other bytes come out.  The input is a script of damages to a small store of a
 * server: logs, national log, view, trust, evidence, cosigned checkpoints. */
#include "fuzz.h"
#include "replies.h"
#include "signers.h"
#include "store_input.h"

#include "ledger/answer.h"
#include "ledger/national.h"
#include "ledger/rows.h"
#include "server/evidence.h"
#include "server/trust.h"

enum { EVENTS = 10, COMMIT = 5, TABLES = 18, ROWS_MAX = 600, DAMAGES_MAX = 16, LISTED = 16 };

static const char *const TABLE_NAMES[TABLES] = {
	"26.events",
	"26.tiles",
	"26.checkpoints",
	"national.events",
	"national.tiles",
	"national.checkpoints",
	"national.cosigned",
	"trust",
	"evidence",
	"records",
	"versions",
	"counts",
	"links",
	"changes",
	"times",
	"status",
	"view",
	"redacted",
};

struct row {
	size_t table;
	struct buf key, value;
};

static struct store *store;
static struct table tables[TABLES];
static struct row rows[ROWS_MAX]; /* as they are, undamaged */
static size_t row_count;
static struct fuzz_key log_key, nation_key, witness_key;
static struct buf events[EVENTS], newest;
static struct log logs[2]; /* 26, national: as the store was made */

static const struct log *find_log(void *context, struct log_name name)
{
	struct log *found = context;

	return log_name_equal(found[0].name, name) ? &found[0] : NULL;
}

/* ---- the store, made once ---- */

static void make_events(void)
{
	for (size_t i = 0; i < EVENTS; i++) {
		struct arena arena = {.head = NULL};
		struct event e = sample_event(&arena);

		e.recorded.ms += (int64_t)i;
		e.change_count = 1 + i % SAMPLE_CHANGES;
		ALWAYS(event_encode(&e, &arena, &events[i]) == ERR_OK);
		arena_free(&arena);
	}
}

static void make_enrolment(struct txn *t, struct trust *trust)
{
	struct card card = {.realm = FUZZ_REALM,
			    .log = {"26"},
			    .log_key = log_key.signer.key,
			    .witness_key = witness_key.signer.key};
	struct buf note = {.data = NULL};
	struct national_entry act = {.recorded = {1764000000000},
				     .kind = NATIONAL_ACT,
				     .log = {"26"},
				     .act = "enrol",
				     .by = "a01",
				     .reason = "new"};

	ALWAYS(card_sign(&card, &log_key.signer, &note) == ERR_OK);
	act.document = buf_bytes(&note);
	ALWAYS(national_act(&logs[1], t, &act) == ERR_OK);
	ALWAYS(trust_enrol(trust, t, &card, act.document, act.recorded) == ERR_OK);
	buf_free(&note);
}

static void make_commits(struct txn *t)
{
	struct bytes slices[EVENTS];

	for (size_t i = 0; i < EVENTS; i++)
		slices[i] = buf_bytes(&events[i]);
	for (size_t from = 0; from < EVENTS; from += COMMIT) {
		struct tree tree = logs[0].tree;

		for (size_t i = from; i < from + COMMIT; i++)
			tree_append(&tree, hash_leaf(slices[i]));
		buf_clear(&newest);
		fuzz_checkpoint(&log_key, tree.size, tree_root(&tree), &newest);
		ALWAYS(national_accept(&logs[1], &logs[0], t, (struct wall_ms){1764000001000},
				       slices + from, COMMIT, buf_bytes(&newest)) == ERR_OK);
	}
}

static void make_view(void)
{
	const struct log_finder finder = {logs, find_log};
	struct view view;
	struct view_fold *fold = NULL;
	struct arena arena = {.head = NULL};
	struct buf status = {.data = NULL};
	struct txn *t = NULL;
	uint64_t position = 0;
	size_t folded = 0;

	sample_reply_encode(6, &status);
	ALWAYS(view_open(store, true, &view) == ERR_OK && view_fold_new(&fold) == ERR_OK);
	ALWAYS(txn_begin(store, true, &t) == ERR_OK);
	ALWAYS(national_fold(&logs[1], &finder, t, &view, t, fold, &arena, 1000, &position,
			     &folded) == ERR_OK &&
	       folded == EVENTS);
	ALWAYS(view_put_status(&view, t, buf_bytes(&status)) == ERR_OK);
	ALWAYS(txn_commit(t) == ERR_OK);
	view_fold_free(fold);
	arena_free(&arena);
	buf_free(&status);
}

static void make_logs(void)
{
	struct trust trust = {.count = 0};
	struct evidence evidence;
	struct table cosigned;
	struct buf note = {.data = NULL};
	struct txn *t = NULL;

	ALWAYS(log_open(store, (struct log_name){"26"}, true, &logs[0]) == ERR_OK);
	ALWAYS(log_open(store, (struct log_name){"national"}, true, &logs[1]) == ERR_OK);
	ALWAYS(trust_open(&trust, store) == ERR_OK && evidence_open(&evidence, store) == ERR_OK);
	ALWAYS(cosigned_open(store, true, &cosigned) == ERR_OK);
	ALWAYS(txn_begin(store, true, &t) == ERR_OK);
	make_enrolment(t, &trust);
	make_commits(t);
	fuzz_checkpoint(&nation_key, logs[1].tree.size, tree_root(&logs[1].tree), &note);
	ALWAYS(log_seal(&logs[1], t, buf_bytes(&note)) == ERR_OK);
	ALWAYS(cosigned_put(cosigned, t, logs[1].tree.size, buf_bytes(&note)) == ERR_OK);
	ALWAYS(evidence_put(&evidence, t, logs[0].name, 1, buf_bytes(&note), buf_bytes(&newest)) ==
	       ERR_OK);
	ALWAYS(txn_commit(t) == ERR_OK);
	trust_free(&trust);
	buf_free(&note);
}

/* Every row, so that they can be put back. */
static void remember(void)
{
	struct txn *t = NULL;
	struct scan *scan = NULL;
	struct bytes key, value;

	for (size_t i = 0; i < TABLES; i++)
		ALWAYS(store_table(store, TABLE_NAMES[i], true, &tables[i]) == ERR_OK);
	ALWAYS(txn_begin(store, false, &t) == ERR_OK);
	for (size_t i = 0; i < TABLES; i++) {
		ALWAYS(scan_open(t, tables[i], &scan) == ERR_OK);
		while (scan_next(scan, &key, &value) == ERR_OK) {
			ALWAYS(row_count < ROWS_MAX);
			rows[row_count].table = i;
			buf_add_bytes(&rows[row_count].key, key);
			buf_add_bytes(&rows[row_count++].value, value);
		}
		scan_close(scan);
	}
	txn_abort(t);
}

static void make_store(void)
{
	if (store)
		return;
	fuzz_log_key(&log_key, "region/26", 1);
	fuzz_log_key(&nation_key, "national/a", 2);
	fuzz_log_key(&witness_key, "witness/26", 3);
	store = store_input();
	make_events();
	make_logs();
	make_view();
	remember();
}

/* ---- damage ---- */

static struct bytes some_bytes(struct cursor *in)
{
	size_t size = cursor_u8(in);

	return cursor_bytes(in, size < cursor_left(in) ? size : cursor_left(in));
}

static void change_value(struct buf *value, uint8_t what, struct cursor *in)
{
	uint16_t at = cursor_u16be(in);

	switch (what % 5) {
	case 0:
		value->size = value->size ? at % value->size : 0;
		break;
	case 1:
		if (value->size > 0)
			value->data[at % value->size] ^= (uint8_t)(1 + what / 5);
		break;
	case 2:
		buf_clear(value);
		buf_add_bytes(value, some_bytes(in));
		break;
	case 3:
		buf_add_bytes(value, some_bytes(in));
		break;
	default:
		buf_clear(value);
		buf_add_bytes(value, buf_bytes(&rows[at % row_count].value));
	}
}

/* Returns the table that is not as it was. */
static size_t damage(struct txn *t, struct cursor *in)
{
	const struct row *row = &rows[cursor_u16be(in) % row_count];
	uint8_t what = cursor_u8(in);
	struct buf value = {.data = NULL};
	struct bytes key = buf_bytes(&row->key);
	struct bytes now = {NULL, 0};
	enum err e = ERR_OK;

	if (txn_get(t, tables[row->table], key, &now) == ERR_OK) /* damaged before, maybe */
		buf_add_bytes(&value, now);
	if (what >= 240) {
		fuzz_any(txn_delete(t, tables[row->table], key));
	} else {
		if (what >= 200)
			key = some_bytes(in);
		change_value(&value, what, in);
		if (key.size > 0 && key.size <= 500)
			e = txn_put(t, tables[row->table], key, buf_bytes(&value));
		ALWAYS(e == ERR_OK);
	}
	buf_free(&value);
	return row->table;
}

static void put_back(const bool *touched)
{
	struct txn *t = NULL;

	ALWAYS(txn_begin(store, true, &t) == ERR_OK);
	for (size_t i = 0; i < TABLES; i++)
		if (touched[i])
			ALWAYS(txn_clear(t, tables[i]) == ERR_OK);
	for (size_t i = 0; i < row_count; i++)
		if (touched[rows[i].table])
			ALWAYS(txn_put(t, tables[rows[i].table], buf_bytes(&rows[i].key),
				       buf_bytes(&rows[i].value)) == ERR_OK);
	ALWAYS(txn_commit(t) == ERR_OK);
}

/* ---- reading ---- */

static void read_events(const struct log *l, struct txn *t)
{
	struct tree tree;
	struct bytes note, raw;
	struct checkpoint c;
	struct hash leaf;
	uint64_t size = 0;
	bool stands = log_newest(l, t, &size, &note) == ERR_OK &&
		      checkpoint_open(note, &log_key.signer.key, &c) == ERR_OK &&
		      log_tree_proved(l, t, c.size, &tree) == ERR_OK &&
		      hash_equal(tree_root(&tree), c.root);

	for (uint64_t i = 0; i < EVENTS + 2; i++) {
		enum err e = log_event(l, t, i, &raw);

		if (e == ERR_OK) {
			if (log_leaf(l, t, i, &leaf) == ERR_OK)
				ALWAYS(hash_equal(leaf, hash_leaf(raw)));
			if (stands && i < c.size && strcmp(l->name.text, "26") == 0)
				ALWAYS(bytes_equal(raw, buf_bytes(&events[i])));
		}
		fuzz_any(log_tree_at(l, t, i, &tree));
	}
}

static void read_log(struct txn *t, const char *name)
{
	static struct log l;
	struct bytes note;
	uint64_t size = 0;
	uint32_t count = 0;

	/* Handles are the store's: what was opened undamaged reads the damaged rows as well. */
	l = logs[strcmp(name, "26") != 0];
	read_events(&l, t);
	fuzz_any(log_size_at(&l, t, (struct wall_ms){1764000000005}, &size));
	fuzz_any(log_chunk(&l, t, 3, &size, &note));
	fuzz_any(log_fit(&l, t, 2, EVENTS, 4096, &count));
	fuzz_any(log_checkpoint(&l, t, COMMIT, &note));
	fuzz_any(log_last(&l, t, &note));
	fuzz_any(log_reload(&l, t));
	fuzz_any(national_size_of(&logs[1], t, logs[0].name, 3, &size));
}

static void read_view(const struct view *v, struct txn *t, struct arena *arena)
{
	struct version found[LISTED];
	struct view_change changes[LISTED];
	struct count *counts = NULL;
	struct control_reply status;
	struct bytes raw;
	struct wall_ms at;
	uint64_t position = 0;
	size_t count = 0;
	bool more = false;

	fuzz_any(view_position(v, t, &position));
	for (int k = RECORD_KIND_FIRST; k <= (int)RECORD_KIND_LAST; k++) {
		fuzz_any(view_list(v, t, (enum record_kind)k, "", k % 2 ? 3 : 0, true, LISTED,
				   65536, arena, found, &count, &more));
		fuzz_any(view_history(v, t, (enum record_kind)k, bytes_of_text("pl26-cis-a"),
				      (struct version_place){0, 0}, LISTED, 65536, arena, found,
				      &count, &more));
	}
	fuzz_any(view_get(v, t, RECORD_ENTITY, bytes_of_text("pl26-cis-a"), arena, found));
	fuzz_any(view_get_at(v, t, RECORD_OPERATOR, bytes_of_text("pl26-op-a"), 2, arena, found));
	fuzz_any(view_id_used(v, t, bytes_of_text("pl26-op-a"), &more));
	fuzz_any(
		view_changes(v, t, NULL, false, 100, LISTED, 65536, arena, changes, &count, &more));
	fuzz_any(view_changes(v, t, NULL, true, 100, LISTED, 65536, arena, changes, &count, &more));
	fuzz_any(view_time(v, t, 2, &at));
	fuzz_any(view_position_at(v, t, (struct wall_ms){1764000001000}, &position));
	fuzz_any(view_counts(v, t, NULL, 65536, arena, &counts, &count, &more));
	if (view_status(v, t, &raw) == ERR_OK)
		fuzz_any(control_reply_decode(raw, arena, &status));
}

/* The fold is total over what the logs hold: only what is not there or damaged stops it. */
static void fold_anew(const struct view *v, struct arena *arena)
{
	const struct log_finder finder = {logs, find_log};
	struct view_fold *fold = NULL;
	struct txn *t = NULL;
	uint64_t position = 0;
	size_t folded = 0;

	ALWAYS(view_fold_new(&fold) == ERR_OK && txn_begin(store, true, &t) == ERR_OK);
	ALWAYS(view_clear(v, t) == ERR_OK);
	fuzz_any(national_fold(&logs[1], &finder, t, v, t, fold, arena, 1000, &position, &folded));
	view_fold_abandon(fold);
	view_fold_free(fold);
	txn_abort(t);
}

static void read_tables(struct txn *t, struct arena *arena)
{
	struct trust trust = {.count = 0};
	struct evidence evidence = {tables[8]};
	struct control_request q = {.verb = CONTROL_EVIDENCE};
	struct control_reply reply = {.code = ERR_OK};
	struct log_name bad;
	struct bytes note;
	uint64_t size = 0;
	bool any = false;

	trust.logs = tables[7];
	trust.entries = calloc(LOGS_MAX, sizeof *trust.entries);
	ALWAYS(trust.entries);
	if (trust_load(&trust, t, &bad) == ERR_OK)
		for (size_t i = 0; i < trust.count; i++)
			ALWAYS(trust.entries[i].past.count < LOG_KEYS_MAX);
	trust_free(&trust);
	fuzz_any(evidence_answer(&evidence, t, &logs[1], &q, arena, &reply));
	fuzz_any(evidence_against(&evidence, t, logs[0].name, &any));
	fuzz_any(cosigned_at(tables[6], t, UINT64_MAX, &size, &note));
}

static void read_answers(struct arena *arena)
{
	static const char *const asked[] = {"events",   "tiles",   "checkpoints",
					    "cosigned", "records", "versions",
					    "changes",  "times",   "view"};
	struct control_reply reply;
	struct log l;

	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		struct control_request q = {.verb = CONTROL_ROWS,
					    .id = "",
					    .after = "",
					    .name = i < 4 ? (i < 3 ? "26" : "national") : "view",
					    .table = asked[i],
					    .limit = 10,
					    .reverse = i % 2};

		fuzz_any(rows_answer(store, &q, arena, &reply));
	}
	for (int i = 0; i < 2; i++)
		if (log_open(store, logs[i].name, false, &l) == ERR_OK)
			ALWAYS(l.edge.size == l.tree.size);
}

static void read_all(void)
{
	struct arena arena = {.head = NULL};
	struct view view;
	struct txn *t = NULL;
	enum err opened = view_open(store, false, &view);

	ALWAYS(txn_begin(store, false, &t) == ERR_OK);
	read_log(t, "26");
	read_log(t, "national");
	read_tables(t, &arena);
	if (opened == ERR_OK)
		read_view(&view, t, &arena);
	txn_abort(t);
	if (opened == ERR_OK)
		fold_anew(&view, &arena);
	read_answers(&arena);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor in = cursor_of(bytes_of(data, size));
	bool touched[TABLES] = {false};
	struct txn *t = NULL;

	make_store();
	ALWAYS(txn_begin(store, true, &t) == ERR_OK);
	for (int i = 0; i < DAMAGES_MAX && fuzz_more(&in); i++)
		touched[damage(t, &in)] = true;
	ALWAYS(txn_commit(t) == ERR_OK);
	read_all();
	put_back(touched);
	return 0;
}

/* A row of trust with more keys of before than there may be. */
static void add_past_keys(struct seeds *to)
{
	enum { PARTS = 5, PART_BYTES = 250, KEYS = 33 };
	struct buf b = {.data = NULL};
	size_t i = 0;

	while (strcmp(TABLE_NAMES[rows[i].table], "trust") != 0)
		i++;
	for (int part = 0; part <= PARTS; part++) {
		buf_add_u16be(&b, (uint16_t)i);
		buf_add_u8(&b, part ? 3 : 2); /* more bytes, after other ones */
		buf_add_u16be(&b, 0);
		buf_add_u8(&b, part ? PART_BYTES : 19);
		if (part == 0) { /* format, state, since, size, count */
			buf_add(&b, "\x03\x01", 2);
			buf_add_u64be(&b, 1764000000000);
			buf_add_u64be(&b, UINT64_MAX);
			buf_add_u8(&b, KEYS);
		}
		for (int k = 0; part && k < PART_BYTES; k++)
			buf_add_u8(&b, (uint8_t)k);
	}
	seed_add(to, "past-keys-too-many", fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	char name[32];
	size_t last = TABLES;

	make_store();
	seed_add(to, "whole", bytes_of_text(""));
	add_past_keys(to);
	for (size_t i = 0; i < row_count; i++) {
		const uint8_t cut[] = {(uint8_t)(i >> 8), (uint8_t)i, 0, 0, 3};
		const uint8_t flip[] = {(uint8_t)(i >> 8), (uint8_t)i, 1, 0, 5};
		const uint8_t gone[] = {(uint8_t)(i >> 8), (uint8_t)i, 240};

		if (rows[i].table == last)
			continue;
		last = rows[i].table;
		(void)snprintf(name, sizeof name, "cut-%zu", last);
		seed_add(to, name, bytes_of(cut, sizeof cut));
		(void)snprintf(name, sizeof name, "flip-%zu", last);
		seed_add(to, name, bytes_of(flip, sizeof flip));
		(void)snprintf(name, sizeof name, "gone-%zu", last);
		seed_add(to, name, bytes_of(gone, sizeof gone));
	}
}
