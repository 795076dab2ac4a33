/* The files of keys beside an export's logs, held against the national log's acts. */
#include "audit_verify_fixture.h"

static void enrol_24(struct audit *a)
{
	struct party by;

	party_make(&by, REALM "/region/24", KEY_ED25519, 24);
	(void)nation_enrol(a->n, "24", &by, &a->n->witnesses[1]);
}

/* The same log, another witness key. */
static void enrol_24_anew(struct audit *a)
{
	struct party by;
	struct party witness;

	party_make(&by, REALM "/region/24", KEY_ED25519, 24);
	party_make(&witness, REALM "/witness/24", KEY_COSIGNATURE, 200);
	(void)nation_enrol(a->n, "24", &by, &witness);
}

static void exported(struct audit *a)
{
	struct export_report report;

	assert_ok(export_all(a->n, &report));
}

/* Damage of this kind, and of no other. */
static void assert_keys(struct audit *a, const char *what)
{
	bool is_told = false;

	verify_export(a);
	for (size_t i = 0; i < a->count; i++) {
		assert_string_equal(damage_code(a->told[i].damage), "keys");
		is_told = is_told || strstr(a->told[i].what, what);
	}
	if (!is_told)
		tell_all(a);
	assert_true(is_told);
}

static void assert_good(struct audit *a)
{
	verify_export(a);
	assert_int_equal(a->count, 0);
}

static void add_line(struct buf *text, const char *before, const struct vkey *key)
{
	char line[VKEY_BYTES];

	vkey_text(key, line);
	buf_printf(text, "%s%s\n", before, line);
}

static void a_bit_of_the_witnesses_keys_is_found(void **state)
{
	struct audit *a = *state;
	struct bytes was = {NULL, 0};

	enrol_24(a);
	exported(a);
	assert_good(a);
	was = file_of(a->n, "witnesses.vkeys");
	for (size_t bit = 0; bit < 8 * was.size; bit += 8 * was.size / 11) {
		struct bytes other = kept(a->n, was);

		((uint8_t *)(uintptr_t)other.data)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		put_file(a->n, "witnesses.vkeys", other);
		assert_keys(a, "witnesses.vkeys");
	}
	put_file(a->n, "witnesses.vkeys", bytes_of(was.data, was.size / 2));
	assert_keys(a, "lacks");
	put_file(a->n, "witnesses.vkeys", was);
	assert_good(a);
}

static void a_file_that_is_missing_is_found_where_a_national_log_is(void **state)
{
	struct audit *a = *state;
	struct export_report report;
	struct exporter *x = NULL;

	exported(a);
	unlink_file(a, "policy");
	assert_keys(a, "policy is missing");
	exported(a); /* mended */
	assert_good(a);
	unlink_file(a, "witnesses.vkeys");
	assert_keys(a, "witnesses.vkeys is missing");
	unlink_file(a, "policy");
	unlink_file(a, "national/checkpoint");
	assert_good(a);
	/* A region's log alone says nothing of whose they are. */
	assert_ok(exporter_open(a->n->folder, &x));
	assert_ok(exporter_run(x, &a->n->source, a->n->keys, NULL, name_of("26"), NULL, NULL,
			       &report));
	exporter_close(x);
	assert_good(a);
}

static void a_witness_that_is_not_active_or_not_the_newest_is_found(void **state)
{
	struct audit *a = *state;
	const struct national_entry freeze = {.recorded = {1100},
					      .kind = NATIONAL_ACT,
					      .log = name_of("24"),
					      .act = "freeze",
					      .by = "root",
					      .reason = "stolen"};
	struct bytes both = {NULL, 0};

	enrol_24(a);
	exported(a);
	both = file_of(a->n, "witnesses.vkeys");
	(void)nation_act(a->n, &freeze);
	exported(a);
	assert_good(a);
	put_file(a->n, "witnesses.vkeys", both);
	assert_keys(a, "splot.test/witness/24: not the key of an active witness");
	enrol_24_anew(a);
	exported(a);
	assert_good(a);
	put_file(a->n, "witnesses.vkeys", both);
	assert_keys(a, "splot.test/witness/24: not the key of an active witness");
}

static void a_policy_is_judged_by_its_keys_alone(void **state)
{
	struct audit *a = *state;
	struct party other;
	struct buf own = {0};

	enrol_24(a);
	exported(a);
	/* An administrator's: other names, groups, fewer witnesses, none needed. */
	buf_add_text(&own, "# ours\n");
	add_line(&own, "log ", &a->n->server.signer.key);
	add_line(&own, "witness slaskie ", &a->n->witnesses[1].signer.key);
	buf_add_text(&own, "group some 1 slaskie\nquorum none\n");
	put_file(a->n, "policy", buf_bytes(&own));
	assert_good(a);
	/* A key that was there before is the national log's word as well. */
	enrol_24_anew(a);
	exported(a);
	put_file(a->n, "policy", buf_bytes(&own));
	assert_good(a);
	party_make(&other, REALM "/witness/26", KEY_COSIGNATURE, 77);
	add_line(&own, "witness other ", &other.signer.key);
	put_file(a->n, "policy", buf_bytes(&own));
	assert_keys(a, "policy: splot.test/witness/26: neither");
	buf_clear(&own);
	party_make(&other, REALM "/national/centrum", KEY_ED25519, 78);
	add_line(&own, "log ", &other.signer.key);
	buf_add_text(&own, "quorum none\n");
	put_file(a->n, "policy", buf_bytes(&own));
	assert_keys(a, "policy: splot.test/national/centrum: neither");
	buf_add_text(&own, "quorum all\n");
	put_file(a->n, "policy", buf_bytes(&own));
	assert_keys(a, "policy, line 3");
	buf_free(&own);
}

/* The exported national log may end before an act that the store holds already. */
static void keys_wait_until_the_exported_national_log_names_them(void **state)
{
	struct audit *a = *state;
	struct nation *n = a->n;
	const struct vkey keys[] = {n->witnesses[0].signer.key, n->witnesses[1].signer.key};
	const struct log_name all = {""};
	struct export_report report;
	struct exporter *x = NULL;
	struct policy policy;
	struct buf text = {0};
	uint64_t cosigned = nation_cosign(n, 1);

	assert_ok(policy_make(&n->server.signer.key, 1, keys, 2, 1, &policy));
	enrol_24(a);
	nation_read_keys(n);
	assert_ok(exporter_open(n->folder, &x));
	assert_ok(exporter_run(x, &n->source, n->keys, &policy, all, NULL, NULL, &report));
	assert_int_equal(report.cosigned, cosigned);
	assert_good(a);
	add_line(&text, "", &keys[0]);
	assert_true(bytes_equal(file_of(n, "witnesses.vkeys"), buf_bytes(&text)));
	(void)nation_cosign(n, 2);
	assert_ok(exporter_run(x, &n->source, n->keys, &policy, all, NULL, NULL, &report));
	assert_int_equal(report.cosigned, cosigned + 1);
	assert_good(a);
	assert_int_equal(file_of(n, "witnesses.vkeys").size, 2 * text.size);
	buf_clear(&text);
	assert_ok(policy_text(&policy, &text));
	assert_true(bytes_equal(file_of(n, "policy"), buf_bytes(&text)));
	exporter_close(x);
	buf_free(&text);
}

static void a_national_log_alone_is_said_to_be_unmatched(void **state)
{
	const struct verify_watch watch = {*state, progress, found};
	struct audit *a = *state;
	struct source source;
	char folder[NATION_PATH_BYTES];

	exported(a);
	assert_good(a);
	assert_false(a->report.unmatched);
	path_in(a->n, "national", folder);
	assert_ok(source_open_export(folder, &source));
	assert_ok(verify_run(&source, &a->options, &watch, &a->report));
	assert_int_equal(a->count, 0); /* what is beside it is not looked at */
	assert_true(a->report.unmatched);
	source_close(&source);
	path_in(a->n, "26", folder);
	assert_ok(source_open_export(folder, &source));
	assert_ok(verify_run(&source, &a->options, &watch, &a->report));
	assert_false(a->report.unmatched);
	source_close(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUDIT(a_bit_of_the_witnesses_keys_is_found),
		AUDIT(a_file_that_is_missing_is_found_where_a_national_log_is),
		AUDIT(a_witness_that_is_not_active_or_not_the_newest_is_found),
		AUDIT(a_policy_is_judged_by_its_keys_alone),
		AUDIT(keys_wait_until_the_exported_national_log_names_them),
		AUDIT(a_national_log_alone_is_said_to_be_unmatched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
