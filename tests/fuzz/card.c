/* Enrolments and server cards: only what its own key signed opens, and opens to what is written
 * again.  The first byte may have the text signed by the harness, so that changed ones are, too. */
#include "fuzz.h"
#include "signers.h"

#include "session/card.h"

enum { SIGN = 1, AS_ORIGIN = 2 };

static struct fuzz_key node_key, server_key, witness_key;

static void make_keys(void)
{
	static bool made;

	if (made)
		return;
	made = true;
	fuzz_log_key(&node_key, "region/26", 1);
	fuzz_log_key(&server_key, "national/a", 2);
	fuzz_log_key(&witness_key, "witness/26", 3);
}

static void try_origin(struct bytes text)
{
	struct origin_parts p;
	char again[ORIGIN_BYTES_MAX + 1];
	enum err e = origin_parse(text, &p);

	if (e != ERR_OK) {
		ALWAYS(e == ERR_INVALID);
		return;
	}
	if (p.kind == ORIGIN_NATIONAL)
		e = national_origin(p.realm, p.server, p.generation, again, sizeof again);
	else if (p.kind == ORIGIN_WITNESS)
		e = witness_origin(p.realm, p.log, again, sizeof again);
	else
		e = log_origin(p.realm, p.log, again, sizeof again);
	ALWAYS(e == ERR_OK && bytes_equal(bytes_of_text(again), text));
}

static void try_card(struct bytes raw)
{
	struct card c;
	struct note n;
	char fingerprint[20];
	char name[KEY_NAME_BYTES_MAX + 1];

	if (card_open(raw, &c) != ERR_OK)
		return;
	ALWAYS(note_parse(raw, &n) == ERR_OK && note_verify(&n, &c.log_key) == ERR_OK);
	ALWAYS(c.server == (strcmp(c.log.text, "national") == 0));
	if (c.server)
		ALWAYS(national_origin(c.realm, c.server_name, c.generation, name, sizeof name) ==
		       ERR_OK);
	else
		ALWAYS(log_origin(c.realm, c.log, name, sizeof name) == ERR_OK);
	ALWAYS(strcmp(name, c.log_key.name) == 0);
	ALWAYS(c.server || c.witness_key.type == KEY_COSIGNATURE);
	card_fingerprint(&c, fingerprint);
	ALWAYS(strlen(fingerprint) == 19);
}

/* A text that our keys signed opens, if at all, to a card that is signed to the same bytes. */
static void try_signed(struct bytes text, const struct fuzz_key *by)
{
	struct buf note = {.data = NULL};
	struct buf again = {.data = NULL};
	struct card c;

	if (note_sign(text, &by->signer, &note) == ERR_OK &&
	    card_open(buf_bytes(&note), &c) == ERR_OK) {
		ALWAYS(memcmp(c.log_key.public, by->signer.key.public, SIGN_PUBLIC_BYTES) == 0);
		ALWAYS(card_sign(&c, &by->signer, &again) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&note), buf_bytes(&again)));
		try_card(buf_bytes(&note));
	}
	buf_free(&note);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes copy = fuzz_copy(bytes_of(data + (size > 0), size - (size > 0)));
	unsigned how = size ? data[0] : 0;
	struct note n;

	make_keys();
	if (how & AS_ORIGIN) {
		try_origin(copy);
	} else if (how & SIGN) {
		struct bytes text = note_parse(copy, &n) == ERR_OK ? n.text : copy;

		try_signed(text, &node_key);
		try_signed(text, &server_key);
	} else {
		try_card(copy);
	}
	fuzz_free(copy);
	return 0;
}

static void add(struct seeds *to, const char *name, unsigned how, struct bytes rest)
{
	struct buf b = {.data = NULL};

	buf_add_u8(&b, (uint8_t)how);
	buf_add_bytes(&b, rest);
	seed_add(to, name, fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	static const char *const origins[] = {"fuzz.example/region/26", "a/region/b/region/26/2",
					      "fuzz.example/national/a", "x/witness/PL",
					      "fuzz.example/national/a/2"};
	struct card node = {.realm = FUZZ_REALM, .log = {"26"}};
	struct card server = {
		.realm = FUZZ_REALM, .log = {"national"}, .server_name = "a", .server = true};
	struct buf b = {.data = NULL};

	make_keys();
	node.log_key = node_key.signer.key;
	node.witness_key = witness_key.signer.key;
	server.log_key = server_key.signer.key;
	ALWAYS(card_sign(&node, &node_key.signer, &b) == ERR_OK);
	add(to, "enrolment", 0, buf_bytes(&b));
	add(to, "enrolment-signed", SIGN, buf_bytes(&b));
	buf_clear(&b);
	ALWAYS(card_sign(&server, &server_key.signer, &b) == ERR_OK);
	add(to, "card", 0, buf_bytes(&b));
	add(to, "card-signed", SIGN, buf_bytes(&b));
	for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "origin-%zu", i);
		add(to, name, AS_ORIGIN, bytes_of_text(origins[i]));
	}
	buf_free(&b);
}
