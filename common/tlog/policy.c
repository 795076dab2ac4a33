#include "tlog/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/cosignature.h"
#include "tlog/encoding.h"

#define NONE "none"

static_assert(POLICY_MEMBERS_MAX <= 64, "a group's members are bits of one number");

/* ---- reading ---- */

struct reader {
	struct bytes line; /* what is left of the current one */
	struct policy p;
	uint64_t grouped; /* members of some group: each counts in one way only */
	bool has_quorum;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* False at the end of the line. */
static bool next_item(struct bytes *line, struct bytes *ret)
{
	size_t begin = 0;
	size_t end = 0;

	while (begin < line->size && is_blank(line->data[begin]))
		begin++;
	end = begin;
	while (end < line->size && !is_blank(line->data[end]))
		end++;
	*ret = bytes_of(line->data + begin, end - begin);
	*line = bytes_of(line->data + end, line->size - end);
	return ret->size > 0;
}

/* Nothing is left but, where one may stand, an address: it says how to reach a log or witness,
 * which is not needed here. */
static enum err end_of_line(struct bytes *line, bool address)
{
	struct bytes item = {NULL, 0};

	if (address && next_item(line, &item) && encoding_check_text(item))
		return ERR_ENCODING;
	return next_item(line, &item) ? ERR_DECODE : ERR_OK;
}

static int find(const struct policy *p, struct bytes name)
{
	for (size_t i = 0; i < p->member_count; i++) {
		if (bytes_equal(bytes_of_text(p->members[i].name), name))
			return (int)i;
	}
	return -1;
}

static enum err check_new_name(const struct policy *p, struct bytes name)
{
	if (encoding_check_text(name))
		return ERR_ENCODING;
	if (name.size > POLICY_NAME_BYTES || p->member_count == POLICY_MEMBERS_MAX)
		return ERR_LIMIT;
	if (bytes_equal(name, bytes_of_text(NONE)) || find(p, name) >= 0)
		return ERR_EXISTS;
	return ERR_OK;
}

static bool same_key(const struct vkey *a, const struct vkey *b)
{
	return memcmp(a->public, b->public, SIGN_PUBLIC_BYTES) == 0;
}

static enum err take_key(struct bytes *line, struct vkey *ret)
{
	struct bytes item = {NULL, 0};

	return next_item(line, &item) ? vkey_parse(item, ret) : ERR_DECODE;
}

static enum err add_log(struct policy *p, const struct vkey *key)
{
	if (p->log_count == LOG_KEYS_MAX)
		return ERR_LIMIT;
	if (key->type != KEY_ED25519)
		return ERR_INVALID;
	for (size_t i = 0; i < p->log_count; i++) {
		if (same_key(&p->logs[i], key))
			return ERR_EXISTS;
	}
	p->logs[p->log_count++] = *key;
	return ERR_OK;
}

static enum err add_witness(struct policy *p, struct bytes name, const struct vkey *key)
{
	struct policy_member m = {.key = *key};
	enum err e = check_new_name(p, name);

	if (e)
		return e;
	if (key->type != KEY_COSIGNATURE)
		return ERR_INVALID;
	/* one key under two names would count twice */
	for (size_t i = 0; i < p->member_count; i++) {
		if (!p->members[i].is_group && same_key(&p->members[i].key, key))
			return ERR_EXISTS;
	}
	memcpy(m.name, name.data, name.size);
	p->members[p->member_count++] = m;
	return ERR_OK;
}

static enum err parse_log(struct reader *r)
{
	struct vkey key;
	enum err e = take_key(&r->line, &key);

	if (!e)
		e = end_of_line(&r->line, true);
	return e ? e : add_log(&r->p, &key);
}

static enum err parse_witness(struct reader *r)
{
	struct bytes name = {NULL, 0};
	struct vkey key;
	enum err e = ERR_OK;

	if (!next_item(&r->line, &name))
		return ERR_DECODE;
	e = take_key(&r->line, &key);
	if (!e)
		e = end_of_line(&r->line, true);
	return e ? e : add_witness(&r->p, name, &key);
}

static enum err parse_members(struct reader *r, uint64_t *ret_members, unsigned *ret_count)
{
	struct bytes name = {NULL, 0};
	uint64_t members = 0;
	unsigned count = 0;

	while (next_item(&r->line, &name)) {
		int i = find(&r->p, name);

		if (i < 0)
			return ERR_NOT_FOUND;
		if (r->grouped >> i & 1)
			return ERR_EXISTS;
		r->grouped |= UINT64_C(1) << i;
		members |= UINT64_C(1) << i;
		count++;
	}
	if (count == 0)
		return ERR_DECODE;
	*ret_members = members;
	*ret_count = count;
	return ERR_OK;
}

static enum err parse_needed(struct bytes text, unsigned count, unsigned *ret)
{
	uint64_t needed = 0;

	if (bytes_equal(text, bytes_of_text("any")))
		needed = 1;
	else if (bytes_equal(text, bytes_of_text("all")))
		needed = count;
	else if (encoding_number(text, &needed))
		return ERR_DECODE;
	if (needed == 0 || needed > count)
		return ERR_INVALID;
	*ret = (unsigned)needed;
	return ERR_OK;
}

static enum err parse_group(struct reader *r)
{
	struct policy_member m = {.is_group = true};
	struct bytes name = {NULL, 0};
	struct bytes needed = {NULL, 0};
	unsigned count = 0;
	enum err e = ERR_OK;

	if (!next_item(&r->line, &name) || !next_item(&r->line, &needed))
		return ERR_DECODE;
	e = check_new_name(&r->p, name);
	if (!e)
		e = parse_members(r, &m.members, &count);
	if (!e)
		e = parse_needed(needed, count, &m.needed);
	if (e)
		return e;
	memcpy(m.name, name.data, name.size);
	r->p.members[r->p.member_count++] = m;
	return ERR_OK;
}

static enum err parse_quorum(struct reader *r)
{
	struct bytes name = {NULL, 0};

	if (!next_item(&r->line, &name) || end_of_line(&r->line, false))
		return ERR_DECODE;
	if (r->has_quorum)
		return ERR_EXISTS;
	r->p.quorum = find(&r->p, name);
	if (r->p.quorum < 0 && !bytes_equal(name, bytes_of_text(NONE)))
		return ERR_NOT_FOUND;
	r->has_quorum = true;
	return ERR_OK;
}

static enum err check_octets(struct bytes line)
{
	for (size_t i = 0; i < line.size; i++) {
		if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
			return ERR_ENCODING;
	}
	return ERR_OK;
}

static enum err parse_line(struct reader *r)
{
	static const struct {
		const char *word;
		enum err (*parse)(struct reader *r);
	} LINES[] = {
		{"log", parse_log},
		{"witness", parse_witness},
		{"group", parse_group},
		{"quorum", parse_quorum},
	};
	struct bytes word = {NULL, 0};

	if (check_octets(r->line))
		return ERR_ENCODING;
	if (!next_item(&r->line, &word) || word.data[0] == '#')
		return ERR_OK;
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		if (bytes_equal(word, bytes_of_text(LINES[i].word)))
			return LINES[i].parse(r);
	}
	return ERR_DECODE;
}

enum err policy_parse(struct bytes text, struct policy *ret, unsigned *ret_line)
{
	struct reader *r = NULL;
	unsigned line = 1;
	enum err e = ERR_OK;

	if (text.size > POLICY_BYTES_MAX)
		return ERR_LIMIT;
	r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_NOMEM;
	r->p.quorum = -1;
	for (; !e && text.size > 0; line += !e) {
		e = encoding_cut(&text, '\n', &r->line);
		if (!e)
			e = parse_line(r);
	}
	if (!e && !r->has_quorum)
		e = ERR_DECODE;
	if (!e)
		*ret = r->p;
	else if (ret_line)
		*ret_line = line;
	free(r);
	return e;
}

/* ---- writing ---- */

enum err policy_text(const struct policy *p, struct buf *ret)
{
	char key[VKEY_BYTES];

	if (p->quorum >= (int)p->member_count)
		return ERR_ARGUMENT;
	for (size_t i = 0; i < p->log_count; i++) {
		vkey_text(&p->logs[i], key);
		buf_printf(ret, "log %s\n", key);
	}
	for (size_t i = 0; i < p->member_count; i++) {
		const struct policy_member *m = &p->members[i];

		if (!m->is_group) {
			vkey_text(&m->key, key);
			buf_printf(ret, "witness %s %s\n", m->name, key);
			continue;
		}
		buf_printf(ret, "group %s %u", m->name, m->needed);
		for (size_t k = 0; k < i; k++) {
			if (m->members >> k & 1)
				buf_printf(ret, " %s", p->members[k].name);
		}
		buf_add_u8(ret, '\n');
	}
	buf_printf(ret, "quorum %s\n", p->quorum < 0 ? NONE : p->members[p->quorum].name);
	return buf_check(ret);
}

/* ---- the usual policy ---- */

/* "26/2" of "splot.example/witness/26/2". */
static struct bytes short_name(const struct vkey *witness)
{
	static const char mark[] = "/witness/";
	const char *at = NULL;
	const char *slash = strrchr(witness->name, '/');

	for (const char *next = strstr(witness->name, mark); next; next = strstr(at, mark))
		at = next + sizeof(mark) - 1; /* the last one: a realm may hold such a part */
	if (at)
		return bytes_of_text(at);
	return bytes_of_text(slash ? slash + 1 : witness->name);
}

static enum err make(const struct vkey *logs, size_t log_count, const struct vkey *witnesses,
		     size_t count, unsigned needed, struct policy *p)
{
	static const char group[] = "regions";
	struct policy_member m = {.is_group = true, .needed = needed};
	enum err e = ERR_OK;

	for (size_t i = 0; !e && i < log_count; i++)
		e = add_log(p, &logs[i]);
	for (size_t i = 0; !e && i < count; i++) {
		struct bytes name = short_name(&witnesses[i]);

		e = name.size ? add_witness(p, name, &witnesses[i]) : ERR_INVALID;
		m.members |= UINT64_C(1) << i;
	}
	if (!e)
		e = check_new_name(p, bytes_of_text(group));
	if (e)
		return e;
	memcpy(m.name, group, sizeof(group));
	p->quorum = (int)p->member_count;
	p->members[p->member_count++] = m;
	return ERR_OK;
}

enum err policy_make(const struct vkey *logs, size_t log_count, const struct vkey *witnesses,
		     size_t count, unsigned needed, struct policy *ret)
{
	struct policy *p = NULL;
	enum err e = ERR_OK;

	if (needed == 0 || needed > count)
		return ERR_INVALID;
	if (count >= POLICY_MEMBERS_MAX)
		return ERR_LIMIT;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	e = make(logs, log_count, witnesses, count, needed, p);
	if (!e)
		*ret = *p;
	free(p);
	return e;
}

/* ---- judging ---- */

static void note_time(struct policy_finding *f, uint64_t at_s)
{
	f->newest_s = at_s > f->newest_s ? at_s : f->newest_s;
	if (f->cosigned == 0 || at_s < f->oldest_s)
		f->oldest_s = at_s;
	f->cosigned++;
}

/* *ret_met: whether the witness cosigned. */
static enum err judge_witness(const struct policy *p, size_t i, const struct note *n,
			      struct policy_finding *f, bool *ret_met)
{
	enum err e = note_cosigned_at(n, &p->members[i].key, &f->at_s[i]);

	*ret_met = e == ERR_OK;
	if (!e)
		note_time(f, f->at_s[i]);
	if (e == ERR_SIGNATURE)
		f->bad++;
	return e == ERR_SIGNATURE || e == ERR_UNKNOWN_KEY ? ERR_OK : e;
}

enum err policy_judge(const struct policy *p, const struct note *n, struct policy_finding *ret)
{
	struct policy_finding f = {0};
	uint64_t met = 0; /* bit i: member i is content */

	for (size_t i = 0; i < p->member_count; i++) {
		const struct policy_member *m = &p->members[i];
		bool is_met = false;
		enum err e = ERR_OK;

		if (m->is_group)
			is_met = (unsigned)__builtin_popcountll(met & m->members) >= m->needed;
		else
			e = judge_witness(p, i, n, &f, &is_met);
		if (e)
			return e;
		met |= (uint64_t)is_met << i;
	}
	f.quorum = p->quorum < 0 || (met >> p->quorum & 1);
	*ret = f;
	return f.quorum ? ERR_OK : ERR_QUORUM;
}

/* ---- what is published ---- */

static enum err put_kept(struct bytes note, const struct note *n, const bool *keep, struct buf *ret)
{
	struct bytes lines = bytes_of(note.data + n->text.size + 1, note.size - n->text.size - 1);
	struct bytes line = {NULL, 0};

	buf_clear(ret);
	buf_add(ret, note.data, n->text.size + 1);
	for (size_t i = 0; i < n->signature_count; i++) {
		if (encoding_cut(&lines, '\n', &line))
			return ERR_DECODE;
		if (!keep[i])
			continue;
		buf_add_bytes(ret, line);
		buf_add_u8(ret, '\n');
	}
	return buf_check(ret);
}

static bool stands(const struct policy *p, struct bytes note)
{
	struct policy_finding finding;
	struct note n;

	return p && note_parse(note, &n) == ERR_OK && policy_judge(p, &n, &finding) == ERR_OK;
}

enum err policy_trim(const struct policy *p, struct bytes note, struct buf *ret)
{
	bool keep[NOTE_SIGNATURES_MAX];
	const bool stood = stands(p, note);
	struct buf shorter = {.limit = NOTE_BYTES_MAX};
	struct bytes text = {NULL, 0};
	struct bytes origin = {NULL, 0};
	struct note n;
	enum err e = note_parse(note, &n);
	size_t count = e ? 0 : n.signature_count;

	memset(keep, 1, sizeof keep);
	text = e ? text : n.text;
	if (!e && encoding_cut(&text, '\n', &origin))
		e = ERR_DECODE;
	for (size_t i = count; !e && i-- > 0 && count > NOTE_LINES_PUBLISHED;) {
		if (bytes_equal(n.signatures[i].name, origin))
			continue;
		keep[i] = false;
		e = put_kept(note, &n, keep, &shorter);
		keep[i] = stood && !e && !stands(p, buf_bytes(&shorter));
		count -= !keep[i];
	}
	if (!e)
		e = put_kept(note, &n, keep, &shorter);
	if (!e) {
		buf_add_bytes(ret, buf_bytes(&shorter));
		e = buf_check(ret);
	}
	buf_free(&shorter);
	return e;
}
