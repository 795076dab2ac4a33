/* What looks like a person's data.  Wrong guesses cost: one refuses a good row, the other
 * puts somebody into a log that cannot forget.  So a number must fit its own rules (check
 * digit and date; a mobile prefix and a usual grouping), and names of files, amounts, dates
 * and codes of registers must not. */
#include <string.h>
#include <strings.h>

#include "model/field_rules.h"
#include "model/text.h"

/* ---- PESEL ---- */

static bool pesel_date(const char *digits)
{
	static const unsigned days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned month = digits_value(digits + 2, 2) % 20; /* the century is added to the month */
	unsigned day = digits_value(digits + 4, 2);

	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

static bool is_pesel(const char *digits)
{
	static const unsigned weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
	unsigned sum = 0;

	for (size_t i = 0; i < 11; i++)
		sum += (unsigned)(digits[i] - '0') * weights[i];
	return sum % 10 == 0 && pesel_date(digits);
}

/* ---- mobile numbers ---- */

static bool mobile_prefix(const char *digits)
{
	static const char prefixes[][3] = {"45", "50", "51", "53", "57", "60", "66",
					   "69", "72", "73", "78", "79", "88"};

	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		if (memcmp(prefixes[i], digits, 2) == 0)
			return true;
	}
	return false;
}

/* ---- groups of digits, joined by one separator each ---- */

enum { GROUPS_MAX = 4, GROUP_DIGITS_MAX = 14 };

struct group {
	size_t at;    /* in the text */
	size_t size;  /* digits, all of them */
	size_t after; /* bytes of the separator before the next group; 0: the chain ends */
};

/* Bytes of one mark that is usual inside numbers; 0 for anything else. */
static size_t mark_at(struct bytes text)
{
	static const char *const separators[] = {
		" ", "-", ".", "/", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x91", "\xe2\x80\x93",
	};

	for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++) {
		size_t size = strlen(separators[i]);

		if (text.size >= size && memcmp(text.data, separators[i], size) == 0)
			return size;
	}
	return 0;
}

static struct bytes from(struct bytes text, size_t at)
{
	return bytes_of(text.data + at, text.size - at);
}

/* Bytes between two groups: a mark, two spaces, or a bracket that closes and perhaps a mark. */
static size_t separator(struct bytes text)
{
	size_t bracket = text.size && text.data[0] == ')' ? 1 : 0;

	if (text.size >= 2 && memcmp(text.data, "  ", 2) == 0)
		return 2;
	return bracket + mark_at(from(text, bracket));
}

static size_t digits_at(struct bytes text, size_t at)
{
	size_t size = 0;

	while (at + size < text.size && is_digit((char)text.data[at + size]))
		size++;
	return size;
}

/* The groups that begin at `at`, at most GROUPS_MAX. */
static size_t read_groups(struct bytes text, size_t at, struct group groups[static GROUPS_MAX])
{
	size_t count = 0;

	while (count < GROUPS_MAX) {
		struct group *g = &groups[count++];

		*g = (struct group){.at = at, .size = digits_at(text, at)};
		at += g->size;
		g->after = separator(from(text, at));
		if (!g->after || digits_at(text, at + g->after) == 0) {
			g->after = 0;
			break;
		}
		at += g->after;
	}
	return count;
}

static bool same_separators(struct bytes text, const struct group *groups, size_t count)
{
	/* What stands behind "(600)" may differ from the rest. */
	size_t first = count > 2 && text.data[groups[0].at + groups[0].size] == ')' ? 1 : 0;

	for (size_t i = first + 1; i + 1 < count; i++) {
		const struct group *a = &groups[first];
		const struct group *b = &groups[i];

		if (a->after != b->after ||
		    memcmp(text.data + a->at + a->size, text.data + b->at + b->size, a->after) != 0)
			return false;
	}
	return true;
}

/* A hash in a file's name has digits between letters a-f. */
static bool inside_hex(struct bytes text, size_t at, size_t size)
{
	uint8_t before = at > 0 ? text.data[at - 1] : 0;
	uint8_t after = at + size < text.size ? text.data[at + size] : 0;

	return before == '_' || after == '_' || (before >= 'a' && before <= 'f') ||
	       (after >= 'a' && after <= 'f');
}

/* "600 000 000", "515 230 000 zł", "REGON 601…": numbers of something else. */
static bool is_amount(struct bytes text, size_t end, const char *digits)
{
	static const char *const units[] = {"zł", "PLN", "EUR", "euro", "€", "tys", "mln", "%"};
	size_t at = end;

	if (strcmp(digits + 3, "000000") == 0)
		return true;
	if (at < text.size && text.data[at] == ',' && digits_at(text, at + 1) == 2)
		return true; /* grosze */
	while (mark_at(from(text, at)) && text.data[at] != '.' && text.data[at] != '/')
		at += mark_at(from(text, at));
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t size = strlen(units[i]);

		if (text.size - at >= size && memcmp(text.data + at, units[i], size) == 0)
			return true;
	}
	return false;
}

static bool follows_register_name(struct bytes text, size_t at)
{
	static const char *const names[] = {"REGON", "KRS", "NIP", "RSPO"};
	size_t end = at;

	while (end > 0 && strchr(" :.-", text.data[end - 1]))
		end--;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t size = strlen(names[i]);

		if (end >= size &&
		    strncasecmp((const char *)text.data + end - size, names[i], size) == 0)
			return true;
	}
	return false;
}

/* The sizes of the groups of a mobile number, as people write it. */
static const struct {
	size_t count;
	size_t sizes[GROUPS_MAX];
} groupings[] = {
	{1, {9}}, {3, {3, 3, 3}}, {4, {3, 2, 2, 2}}, {4, {2, 3, 2, 2}}, {2, {3, 6}}, {2, {6, 3}},
};

static bool fits_grouping(const struct group *groups, size_t count, size_t form)
{
	if (count < groupings[form].count)
		return false;
	for (size_t i = 0; i < groupings[form].count; i++) {
		if (groups[i].size != groupings[form].sizes[i])
			return false;
	}
	return true;
}

/* "600 123 456 789": a further thousand follows, so it is one large number. */
static bool goes_on(struct bytes text, const struct group *groups, size_t count)
{
	const struct group *last = &groups[count - 1];

	return count > 1 && last->after && last->after == groups[0].after &&
	       digits_at(text, last->at + last->size + last->after) == 3;
}

static bool is_mobile(struct bytes text, const struct group *groups, size_t count)
{
	const struct group *last = &groups[count - 1];
	char digits[16] = "";
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		memcpy(digits + size, text.data + groups[i].at, groups[i].size);
		size += groups[i].size;
	}
	return mobile_prefix(digits) && same_separators(text, groups, count) &&
	       !goes_on(text, groups, count) && !is_amount(text, last->at + last->size, digits) &&
	       !follows_register_name(text, groups[0].at);
}

/* One number in one piece: a PESEL, or a mobile number with or without the country's. */
static enum personal personal_run(struct bytes text, const struct group *g)
{
	const char *digits = (const char *)text.data + g->at;
	struct group local = {g->at + g->size - 9, 9, 0};

	if (g->size > GROUP_DIGITS_MAX || inside_hex(text, g->at, g->size))
		return PERSONAL_NONE;
	if (g->size == 11 && is_pesel(digits))
		return PERSONAL_PESEL;
	if (g->size == 9 || (g->size == 11 && memcmp(digits, "48", 2) == 0) ||
	    (g->size == 13 && memcmp(digits, "0048", 4) == 0))
		return is_mobile(text, &local, 1) ? PERSONAL_MOBILE : PERSONAL_NONE;
	return PERSONAL_NONE;
}

/* "+486xx xxx xxx": the country's number is joined to the first group. */
static void skip_country(struct bytes text, struct group *first)
{
	static const char *const countries[] = {"48", "0048"};

	for (size_t i = 0; i < sizeof countries / sizeof countries[0]; i++) {
		size_t size = strlen(countries[i]);

		if (first->size > size && first->size <= size + 3 &&
		    memcmp(text.data + first->at, countries[i], size) == 0) {
			first->at += size;
			first->size -= size;
			return;
		}
	}
}

/* "000101 00000", "00 01 01 00000". */
static bool pesel_in_groups(struct bytes text, const struct group *groups, size_t count)
{
	static const size_t forms[][GROUPS_MAX] = {{6, 5}, {2, 2, 2, 5}};
	char digits[11];

	for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
		size_t size = 0;

		for (size_t i = 0; i < count && groups[i].size == forms[form][i]; i++) {
			memcpy(digits + size, text.data + groups[i].at, groups[i].size);
			size += groups[i].size;
			if (size == sizeof digits && is_pesel(digits))
				return true;
		}
	}
	return false;
}

static enum personal personal_groups(struct bytes text, size_t at)
{
	struct group groups[GROUPS_MAX];
	size_t count = read_groups(text, at, groups);
	enum personal found = personal_run(text, &groups[0]);

	if (found != PERSONAL_NONE || inside_hex(text, at, groups[0].size))
		return found;
	if (pesel_in_groups(text, groups, count))
		return PERSONAL_PESEL;
	skip_country(text, &groups[0]);
	for (size_t form = 1; form < sizeof groupings / sizeof groupings[0]; form++) {
		if (fits_grouping(groups, count, form) &&
		    is_mobile(text, groups, groupings[form].count))
			return PERSONAL_MOBILE;
	}
	return PERSONAL_NONE;
}

/* ---- private mailboxes ---- */

static const char *const mailbox_domains[] = {
	"gmail.com",      "googlemail.com", "wp.pl",        "wp.eu",      "o2.pl",
	"go2.pl",         "tlen.pl",        "prokonto.pl",  "onet.pl",    "onet.eu",
	"onet.com.pl",    "op.pl",          "vp.pl",        "poczta.fm",  "interia.pl",
	"interia.eu",     "interia.com",    "intmail.pl",   "adres.pl",   "ogarnij.se",
	"pacz.to",        "gazeta.pl",      "buziaczek.pl", "amorki.pl",  "autograf.pl",
	"spoko.pl",       "poczta.pl",      "post.pl",      "int.pl",     "neostrada.pl",
	"outlook.com",    "outlook.pl",     "hotmail.com",  "hotmail.pl", "live.com",
	"msn.com",        "yahoo.com",      "yahoo.pl",     "ymail.com",  "icloud.com",
	"me.com",         "mac.com",        "aol.com",      "gmx.com",    "gmx.net",
	"mail.com",       "mail.ru",        "yandex.com",   "proton.me",  "pm.me",
	"protonmail.com", "tutanota.com",
};

static bool domain_char(uint8_t c)
{
	return is_digit((char)c) || is_lower((char)(c | 0x20)) || c == '-' || c == '.';
}

static bool private_domain(const char *domain, size_t size)
{
	while (size > 0 && (domain[size - 1] == '.' || domain[size - 1] == '-'))
		size--;
	for (size_t i = 0; i < sizeof mailbox_domains / sizeof mailbox_domains[0]; i++) {
		size_t known = strlen(mailbox_domains[i]);

		if (size >= known &&
		    strncasecmp(domain + size - known, mailbox_domains[i], known) == 0 &&
		    (size == known || domain[size - known - 1] == '.'))
			return true;
	}
	return false;
}

/* `at` is the place of an at sign; spaces beside it do not hide it. */
static bool private_mailbox(struct bytes text, size_t at)
{
	size_t before = at;
	size_t start = at + 1;
	size_t size = 0;

	while (before > 0 && text.data[before - 1] == ' ')
		before--;
	while (start < text.size && text.data[start] == ' ')
		start++;
	while (start + size < text.size && domain_char(text.data[start + size]))
		size++;
	return before > 0 && size > 0 && private_domain((const char *)text.data + start, size);
}

/* ---- the whole text ---- */

enum personal personal_kind(struct bytes text)
{
	for (size_t at = 0; at < text.size; at++) {
		bool starts = is_digit((char)text.data[at]) &&
			      (at == 0 || !is_digit((char)text.data[at - 1]));
		enum personal found = starts ? personal_groups(text, at) : PERSONAL_NONE;

		if (found != PERSONAL_NONE)
			return found;
		if (text.data[at] == '@' && private_mailbox(text, at))
			return PERSONAL_MAILBOX;
	}
	return PERSONAL_NONE;
}

enum personal personal_kind_of_id(struct bytes id)
{
	for (size_t at = 0; at < id.size; at++) {
		struct group run = {at, digits_at(id, at), 0};
		enum personal found = PERSONAL_NONE;

		if (run.size == 0)
			continue;
		found = personal_run(id, &run);
		if (found != PERSONAL_NONE)
			return found;
		at += run.size - 1;
	}
	return PERSONAL_NONE;
}

bool looks_personal(struct bytes text)
{
	return personal_kind(text) != PERSONAL_NONE;
}

/* ---- pseudonyms ---- */

bool is_pseudonym(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= EDITOR_BYTES_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == size &&
	       !looks_personal(bytes_of_text(text));
}
