/* Policy files: what parses is written and parsed to the same; whether a quorum stands agrees with
 * a count over all groups; a trimmed note keeps it. */
#include "fuzz.h"
#include "signers.h"

#include "tlog/policy.h"

enum { WITNESSES = 5 };

static struct fuzz_key log_key, witnesses[WITNESSES];
static struct buf note;

static void make_keys(void)
{
	static bool made;
	struct note n;
	struct buf line = {.data = NULL};

	if (made)
		return;
	made = true;
	fuzz_log_key(&log_key, "national/a", 1);
	fuzz_checkpoint(&log_key, 7, hash_empty(), &note);
	ALWAYS(note_parse(buf_bytes(&note), &n) == ERR_OK);
	for (uint8_t i = 0; i < WITNESSES; i++) {
		char path[32];

		(void)snprintf(path, sizeof path, "witness/%02u", 2u * i + 2);
		fuzz_log_key(&witnesses[i], path, (uint8_t)(10 + i));
		if (i < 3) /* the others did not cosign */
			ALWAYS(note_cosign(n.text, 1764000000u + i, &witnesses[i].signer, &line) ==
			       ERR_OK);
	}
	buf_add_bytes(&note, buf_bytes(&line));
	ALWAYS(buf_check(&note) == ERR_OK);
	buf_free(&line);
}

/* Members are defined before the groups that hold them, so one pass is enough. */
static bool stands(const struct policy *p, const struct policy_finding *f)
{
	bool good[POLICY_MEMBERS_MAX] = {false};

	for (size_t i = 0; i < p->member_count; i++) {
		unsigned have = 0;

		for (size_t k = 0; k < i; k++)
			have += p->members[i].is_group && (p->members[i].members >> k & 1) &&
				good[k];
		good[i] = p->members[i].is_group ? have >= p->members[i].needed : f->at_s[i] > 0;
	}
	return p->quorum < 0 || good[p->quorum];
}

static void judge(const struct policy *p)
{
	struct policy_finding found;
	struct policy_finding trimmed;
	struct buf less = {.data = NULL};
	struct note n;
	enum err e = ERR_OK;

	ALWAYS(note_parse(buf_bytes(&note), &n) == ERR_OK);
	e = policy_judge(p, &n, &found);
	ALWAYS(e == ERR_OK || e == ERR_QUORUM);
	ALWAYS(found.quorum == (e == ERR_OK) && found.quorum == stands(p, &found));
	ALWAYS(found.cosigned <= 3 && found.oldest_s <= found.newest_s);
	ALWAYS(policy_trim(p, buf_bytes(&note), &less) == ERR_OK);
	ALWAYS(note_parse(buf_bytes(&less), &n) == ERR_OK);
	ALWAYS((policy_judge(p, &n, &trimmed) == ERR_OK) == found.quorum);
	buf_free(&less);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes copy = fuzz_copy(bytes_of(data, size));
	struct buf text = {.data = NULL};
	struct buf again_text = {.data = NULL};
	static struct policy p, again;
	unsigned line = 0;

	make_keys();
	if (policy_parse(copy, &p, &line) != ERR_OK) {
		ALWAYS(line <= size + 1);
		fuzz_free(copy);
		return 0;
	}
	ALWAYS(p.log_count <= LOG_KEYS_MAX && p.member_count <= POLICY_MEMBERS_MAX);
	ALWAYS(p.quorum < (int)p.member_count);
	ALWAYS(policy_text(&p, &text) == ERR_OK);
	ALWAYS(policy_parse(buf_bytes(&text), &again, &line) == ERR_OK);
	ALWAYS(policy_text(&again, &again_text) == ERR_OK);
	ALWAYS(bytes_equal(buf_bytes(&text), buf_bytes(&again_text)));
	ALWAYS(p.member_count == again.member_count && p.quorum == again.quorum);
	judge(&p);
	buf_free(&text);
	buf_free(&again_text);
	fuzz_free(copy);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	struct vkey keys[WITNESSES];
	static struct policy p;
	struct buf text = {.data = NULL};
	char key[WITNESSES][VKEY_BYTES];
	char log[VKEY_BYTES];

	make_keys();
	vkey_text(&log_key.signer.key, log);
	for (size_t i = 0; i < WITNESSES; i++) {
		keys[i] = witnesses[i].signer.key;
		vkey_text(&keys[i], key[i]);
	}
	for (unsigned needed = 1; needed <= WITNESSES; needed += 2) {
		char name[32];

		ALWAYS(policy_make(&log_key.signer.key, 1, keys, WITNESSES, needed, &p) == ERR_OK);
		buf_clear(&text);
		ALWAYS(policy_text(&p, &text) == ERR_OK);
		(void)snprintf(name, sizeof name, "usual-%u", needed);
		seed_add(to, name, buf_bytes(&text));
	}
	buf_clear(&text);
	buf_printf(&text,
		   "# groups of groups\nlog %s https://a.example\nwitness a %s\nwitness b %s\n"
		   "witness c %s x\ngroup g any a b\ngroup h all g c\nquorum h\n",
		   log, key[0], key[3], key[2]);
	seed_add(to, "groups", fuzz_done(&text));
	buf_clear(&text);
	buf_printf(&text, "log %s\nwitness a %s\nquorum a\n", log, key[4]);
	seed_add(to, "one", fuzz_done(&text));
	buf_clear(&text);
	for (unsigned i = 0; i <= POLICY_MEMBERS_MAX; i++) /* one more than there may be */
		buf_printf(&text, "group g%u any %s%u\n", i, i ? "g" : "", i ? i - 1 : 0);
	seed_add(to, "groups-of-nobody", fuzz_done(&text));
	buf_clear(&text);
	buf_printf(&text, "log %s\nwitness w %s\ngroup g0 any w\n", log, key[4]);
	for (unsigned i = 1; i <= POLICY_MEMBERS_MAX; i++)
		buf_printf(&text, "group g%u any g%u\n", i, i - 1);
	buf_add_text(&text, "quorum g0\n");
	seed_add(to, "groups-too-many", fuzz_done(&text));
	seed_add(to, "none", bytes_of_text("quorum none\n"));
	buf_free(&text);
}
