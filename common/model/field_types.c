/* The rules of single columns. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/limits.h"
#include "model/field_rules.h"
#include "model/region.h"
#include "model/text.h"

enum {
	YEAR_MIN = 1000,
	YEAR_MAX = 2999,
	UINT_DIGITS_MAX = 8, /* no count is above the number of people; and no telephone fits */
	DECIMAL_BYTES_MAX = 32,
};

/* ---- any text ---- */

/* Code points that are in normal form whatever stands beside them, and make up nearly all
 * text: below the combining marks, and the dashes and quotes of print. */
static bool surely_normal(uint32_t code)
{
	return code < 0x300 || (code >= 0x2010 && code <= 0x2027);
}

static enum fault normal_form_fault(const char *text, enum err *ret_err)
{
	const utf8proc_uint8_t *raw = (const utf8proc_uint8_t *)text;
	utf8proc_uint8_t *normal = utf8proc_NFC(raw);
	enum fault fault = FAULT_NONE;

	if (!normal) {
		*ret_err = ERR_NOMEM;
		return FAULT_NONE;
	}
	if (strcmp((const char *)normal, text) != 0)
		fault = FAULT_NOT_NFC;
	free(normal);
	return fault;
}

static bool is_control(uint32_t code)
{
	return (code < 0x20 && code != '\n' && code != '\r') || (code >= 0x7f && code <= 0x9f);
}

/* What is wrong with one valid character; whether its form is beyond doubt follows. */
static enum fault character_fault(struct bytes rest, bool *sure)
{
	uint32_t code = utf8_code_point(rest);

	if (code == 0xfffd)
		return FAULT_REPLACEMENT;
	if (is_control(code))
		return FAULT_CONTROL;
	*sure = *sure && surely_normal(code);
	return FAULT_NONE;
}

/* Nearly all of nearly every text. */
static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

enum fault text_fault(const char *text, size_t bytes_max, enum err *ret_err)
{
	struct bytes rest = bytes_of_text(text);
	enum fault fault = FAULT_NONE;
	bool sure = true;

	if (rest.size > bytes_max)
		return FAULT_TOO_LONG;
	while (rest.size) {
		size_t size = is_plain(rest.data[0]) ? 1 : utf8_character(rest);

		if (size == 0)
			return FAULT_ENCODING; /* whatever else was found before */
		if (fault == FAULT_NONE && !is_plain(rest.data[0]))
			fault = character_fault(rest, &sure);
		rest = bytes_of(rest.data + size, rest.size - size);
	}
	if (fault != FAULT_NONE)
		return fault;
	return sure ? FAULT_NONE : normal_form_fault(text, ret_err);
}

/* ---- ids ---- */

bool id_well_formed(const char *id, bool membership)
{
	size_t size = strlen(id);
	unsigned doubles = 0;

	if (size == 0 || size > ID_BYTES_MAX || !is_lower(id[0]) || id[size - 1] == '-')
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!is_lower(id[i]) && !is_digit(id[i]) && id[i] != '-')
			return false;
		if (id[i] == '-' && id[i + 1] == '-') {
			doubles++;
			if (id[i + 2] == '-')
				return false;
		}
	}
	return doubles == (membership ? 1 : 0);
}

static bool valid_id(const struct field *field, const char *text)
{
	(void)field;
	return id_well_formed(text, kind_of_id(bytes_of_text(text)) == RECORD_MEMBERSHIP);
}

static bool valid_ref(const struct field *field, const char *text)
{
	struct bytes id = bytes_of_text(text);

	return id_well_formed(text, field->refers_to == RECORD_MEMBERSHIP) &&
	       kind_of_id(id) == field->refers_to && id_owner(id) != REGION_NONE;
}

/* ---- words ---- */

static bool valid_text(const struct field *field, const char *text)
{
	(void)field;
	(void)text;
	return true;
}

static bool valid_enum(const struct field *field, const char *text)
{
	size_t size = strlen(text);
	const char *at = field->values;

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == size && memcmp(at, text, size) == 0)
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}

static bool valid_list(const struct field *field, const char *text)
{
	const char *part = text;

	(void)field;
	for (;;) {
		size_t size = strcspn(part, ";");

		if (size == 0 || part[0] == ' ' || part[size - 1] == ' ')
			return false;
		if (!part[size])
			return true;
		part += size + 1;
	}
}

static bool valid_region(const struct field *field, const char *text)
{
	(void)field;
	return region_by_code(bytes_of_text(text)) != REGION_NONE;
}

static bool valid_bool(const struct field *field, const char *text)
{
	(void)field;
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

/* ---- dates ---- */

static unsigned days_in(unsigned year, unsigned month)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* "0000-00-00" with any digit for 0, or the first 4 or 7 characters of it. */
static bool date_shape(const char *text, size_t size)
{
	if (size != 4 && size != 7 && size != 10)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool hyphen = i == 4 || i == 7;

		if (hyphen ? text[i] != '-' : !is_digit(text[i]))
			return false;
	}
	return true;
}

static bool valid_date(const struct field *field, const char *text)
{
	size_t size = strlen(text);
	unsigned year = 0;
	unsigned month = 1;
	unsigned day = 1;

	(void)field;
	if (!date_shape(text, size))
		return false;
	year = digits_value(text, 4);
	if (size >= 7)
		month = digits_value(text + 5, 2);
	if (size == 10)
		day = digits_value(text + 8, 2);
	return year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days_in(year, month);
}

/* ---- numbers ---- */

static bool valid_uint(const struct field *field, const char *text)
{
	(void)field;
	return all_digits(text) && strlen(text) <= UINT_DIGITS_MAX && (text[0] != '0' || !text[1]);
}

static bool valid_decimal(const struct field *field, const char *text)
{
	const char *at = text + (text[0] == '-');
	size_t whole = strspn(at, "0123456789");
	size_t fraction = 0;

	(void)field;
	if (whole == 0 || (at[0] == '0' && whole > 1) || strlen(text) > DECIMAL_BYTES_MAX)
		return false;
	at += whole;
	if (!*at)
		return true;
	if (*at++ != '.')
		return false;
	fraction = strspn(at, "0123456789");
	return fraction > 0 && !at[fraction];
}

static bool digits_of(const char *text, size_t count)
{
	return strlen(text) == count && all_digits(text);
}

static bool valid_postcode(const struct field *field, const char *text)
{
	(void)field;
	return strlen(text) == 6 && text[2] == '-' && strspn(text, "0123456789") == 2 &&
	       all_digits(text + 3);
}

static bool valid_teryt4(const struct field *field, const char *text)
{
	(void)field;
	return digits_of(text, 4) && region_by_code(bytes_of(text, 2)) != REGION_NONE &&
	       digits_value(text + 2, 2) != 0;
}

static bool valid_teryt7(const struct field *field, const char *text)
{
	(void)field;
	/* The last digit is the kind of gmina: 6 and 7 do not exist. */
	return digits_of(text, 7) && region_by_code(bytes_of(text, 2)) != REGION_NONE &&
	       digits_value(text + 2, 2) != 0 && digits_value(text + 4, 2) != 0 &&
	       strchr("1234589", text[6]);
}

/* ---- registers with check digits ---- */

static unsigned weighted(const char *text, const char *weights)
{
	unsigned sum = 0;

	for (size_t i = 0; weights[i]; i++)
		sum += (unsigned)(text[i] - '0') * (unsigned)(weights[i] - '0');
	return sum % 11;
}

static bool valid_krs(const struct field *field, const char *text)
{
	(void)field;
	return digits_of(text, 10) && strspn(text, "0") < 10;
}

static bool valid_nip(const struct field *field, const char *text)
{
	(void)field;
	/* A remainder of 10 is no digit, so such a number does not exist. */
	return digits_of(text, 10) && strspn(text, "0") < 10 &&
	       weighted(text, "657234567") == (unsigned)(text[9] - '0');
}

static bool valid_regon(const struct field *field, const char *text)
{
	(void)field;
	if (!digits_of(text, 9) && !digits_of(text, 14))
		return false;
	if (strspn(text, "0") >= 9 || weighted(text, "89234567") % 10 != (unsigned)(text[8] - '0'))
		return false;
	return !text[9] || weighted(text, "2485097361248") % 10 == (unsigned)(text[13] - '0');
}

/* ---- the table ---- */

static const struct {
	bool (*valid)(const struct field *field, const char *text);
	enum fault fault;
} types[] = {
	[FIELD_ID] = {valid_id, FAULT_ID},
	[FIELD_TEXT] = {valid_text, FAULT_NONE},
	[FIELD_ENUM] = {valid_enum, FAULT_ENUM},
	[FIELD_LIST] = {valid_list, FAULT_LIST},
	[FIELD_REF] = {valid_ref, FAULT_REF},
	[FIELD_REGION] = {valid_region, FAULT_REGION},
	[FIELD_DATE] = {valid_date, FAULT_DATE},
	[FIELD_BOOL] = {valid_bool, FAULT_BOOL},
	[FIELD_UINT] = {valid_uint, FAULT_UINT},
	[FIELD_DECIMAL] = {valid_decimal, FAULT_DECIMAL},
	[FIELD_POSTCODE] = {valid_postcode, FAULT_POSTCODE},
	[FIELD_TERYT4] = {valid_teryt4, FAULT_TERYT4},
	[FIELD_TERYT7] = {valid_teryt7, FAULT_TERYT7},
	[FIELD_KRS] = {valid_krs, FAULT_KRS},
	[FIELD_NIP] = {valid_nip, FAULT_NIP},
	[FIELD_REGON] = {valid_regon, FAULT_REGON},
};

static bool space_at_end(const char *text)
{
	static const char *const spaces[] = {" ", "\xc2\xa0"}; /* and the one that does not break */
	size_t size = strlen(text);

	for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
		size_t width = strlen(spaces[i]);

		if (size >= width && (memcmp(text, spaces[i], width) == 0 ||
				      memcmp(text + size - width, spaces[i], width) == 0))
			return true;
	}
	return false;
}

enum fault field_fault(const struct field *field, const char *text)
{
	if (types[field->type].valid(field, text))
		return FAULT_NONE;
	return space_at_end(text) ? FAULT_SPACE : types[field->type].fault;
}
