/* The worked example of docs/PROTOCOL.md is what the code makes. */
#include "session_fixture.h"

static struct buf page;
static struct arena arena;

static int set_up(void **state)
{
	FILE *file = fopen(SPLOT_SOURCE "/docs/PROTOCOL.md", "rb");
	char line[1024];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		buf_add_text(&page, line);
	(void)fclose(file);
	assert_ok(buf_check(&page));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_free(&page);
	arena_free(&arena);
	return 0;
}

static void the_page_has(const char *text)
{
	if (!strstr(buf_text(&page), text))
		fail_msg("docs/PROTOCOL.md lacks \"%s\"", text);
}

static void the_page_has_hex(const char *before, struct bytes x)
{
	char text[1024];
	size_t at = strlen(before);

	assert_true(at + 2 * x.size < sizeof(text));
	memcpy(text, before, at);
	for (size_t i = 0; i < x.size; i++)
		(void)snprintf(text + at + 2 * i, 3, "%02x", x.data[i]);
	the_page_has(text);
}

static void make_key(uint8_t *secret, struct signer *ret)
{
	uint8_t seed[SIGN_SEED_BYTES];
	uint8_t public[SIGN_PUBLIC_BYTES];

	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make("splot.example/region/26", KEY_ED25519, public, &ret->key));
	ret->secret = secret;
}

static void make_events(struct buf events[static 2])
{
	static const char *const FIELDS[][2] = {
		{"id", "pl26-op-caritas"}, {"name", "Caritas"}, {"region", "26"}};
	struct record *record = record_new(&arena, RECORD_OPERATOR);
	struct change changes[2] = {
		{.id = "pl26-op-caritas", .kind = RECORD_OPERATOR, .record = record},
		{.id = "pl26-op-caritas",
		 .kind = RECORD_OPERATOR,
		 .retired = true,
		 .has_supersedes = true,
		 .supersedes = 0},
	};

	assert_non_null(record);
	for (size_t i = 0; i < 3; i++)
		assert_ok(record_set(record, &arena,
				     (size_t)field_named(kind_of(RECORD_OPERATOR), FIELDS[i][0]),
				     bytes_of_text(FIELDS[i][1])));
	for (int i = 0; i < 2; i++) {
		struct event e = {.recorded = {1795253400123 + 1000 * i},
				  .editor = "e07",
				  .reason = i ? "closed" : "new",
				  .source = "PS.1",
				  .change_count = 1,
				  .changes = &changes[i]};

		assert_ok(event_encode(&e, &arena, &events[i]));
	}
}

static void the_worked_log_is_what_the_code_makes(void **state)
{
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	struct buf events[2] = {{0}, {0}};
	struct checkpoint c = {.origin = "splot.example/region/26", .size = 2};
	struct buf note = {0};
	struct tree tree;

	(void)state;
	make_key(secret, &signer);
	make_events(events);
	tree_init(&tree);
	for (size_t i = 0; i < 2; i++) {
		struct hash leaf = hash_leaf(buf_bytes(&events[i]));

		the_page_has_hex(i ? "event 1    " : "event 0    ", buf_bytes(&events[i]));
		the_page_has_hex(i ? "leaf 1     " : "leaf 0     ", bytes_of(leaf.b, HASH_BYTES));
		the_page_has_hex(i ? " ‖ 00" : "    00",
				 bytes_of(&(uint8_t){(uint8_t)events[i].size}, 1));
		tree_append(&tree, leaf);
		buf_free(&events[i]);
	}
	c.root = tree_root(&tree);
	the_page_has_hex("root of 2  ", bytes_of(c.root.b, HASH_BYTES));
	assert_ok(checkpoint_sign(&c, &signer, &note));
	the_page_has(buf_text(&note));
	buf_free(&note);
}

static void the_worked_headers_are_what_the_code_makes(void **state)
{
	struct wire_header hello = {
		.kind = WIRE_HELLO, .protocol = WIRE_PROTOCOL, .log = {"26"}, .size = 2};
	struct wire_header commit = {.kind = WIRE_COMMIT, .session = 7, .from = 0, .count = 2};
	struct buf raw = {0};

	(void)state;
	assert_ok(wire_encode(&hello, &raw));
	the_page_has_hex("HELLO    ", buf_bytes(&raw));
	buf_clear(&raw);
	assert_ok(wire_encode(&commit, &raw));
	the_page_has_hex("COMMIT   ", buf_bytes(&raw));
	buf_free(&raw);
}

static void the_worked_enrolment_is_what_the_code_makes(void **state)
{
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	struct card card = {.realm = "splot.example", .log = {"26"}};
	struct buf raw = {0};
	char fingerprint[20];
	const char *end = NULL;

	(void)state;
	make_key(secret, &signer);
	card.log_key = signer.key;
	assert_ok(vkey_make("splot.example/witness/26", KEY_COSIGNATURE, signer.key.public,
			    &card.witness_key));
	for (size_t i = 0; i < sizeof(card.curve_public); i++)
		card.curve_public[i] = (uint8_t)(32 + i);
	assert_ok(card_sign(&card, &signer, &raw));
	end = strstr(buf_text(&raw), "\n\n");
	assert_non_null(end);
	raw.size = (size_t)(end - (const char *)raw.data) + 1;
	the_page_has(buf_text(&raw));
	card_fingerprint(&card, fingerprint);
	the_page_has(fingerprint);
	buf_free(&raw);
}

/* Every stable code is spoken of. */
static void every_code_is_in_the_table_of_codes(void **state)
{
	char text[64];

	(void)state;
	for (int i = 0; i < ERR_COUNT; i++) {
		(void)snprintf(text, sizeof(text), "`%s`", err_code((enum err)i));
		the_page_has(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worked_log_is_what_the_code_makes),
		cmocka_unit_test(the_worked_headers_are_what_the_code_makes),
		cmocka_unit_test(the_worked_enrolment_is_what_the_code_makes),
		cmocka_unit_test(every_code_is_in_the_table_of_codes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
