/* The rules between the columns of one record. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "model/field_rules.h"
#include "model/region.h"
#include "model/text.h"

static const char *get(const struct check *c, const char *column)
{
	return record_get_named(c->record, column);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- the id against the rest ---- */

/* The part of an entity's id that names its kind: "pl26-kis-…" -> "kis-…". */
static const char *after_owner(const char *id)
{
	const char *hyphen = strchr(id, '-');

	return hyphen ? hyphen + 1 : "";
}

static bool id_fits_kind(const struct check *c, const char *id)
{
	const char *kind = get(c, "kind");
	const char *rest = after_owner(id);
	size_t size = strlen(kind);

	if (kind_of_id(bytes_of_text(id)) != record_kind(c->record))
		return false;
	if (record_kind(c->record) != RECORD_ENTITY || !*kind)
		return true;
	return strncasecmp(rest, kind, size) == 0 && rest[size] == '-' && rest[size + 1];
}

static void check_id(struct check *c)
{
	const char *id = get(c, "id");

	if (!id_well_formed(id, kind_of_id(bytes_of_text(id)) == RECORD_MEMBERSHIP))
		return; /* reported with its column */
	if (id_owner(bytes_of_text(id)) != c->region)
		check_report(c, "id", id, FAULT_ID_OWNER, "");
	if (!id_fits_kind(c, id))
		check_report(c, "id", id, FAULT_ID_KIND, "");
}

static void check_region(struct check *c)
{
	const char *code = get(c, "region");
	int region = region_by_code(bytes_of_text(code));

	if (region != REGION_NONE && region != c->region)
		check_report(c, "region", code, FAULT_REGION_OWNER, "");
}

/* ---- memberships ---- */

static void check_membership(struct check *c)
{
	const char *id = get(c, "id");
	const char *network = get(c, "network_id");
	const char *entity = get(c, "entity_id");
	const char *operator= get(c, "operator_id");
	const char *member = *entity ? entity : operator;
	char expected[2 * ID_BYTES_MAX + 3];

	if (!*entity == !*operator) {
		check_report(c, "entity_id", entity, FAULT_MEMBER_ONE, "");
		return;
	}
	if (!*id || !*network || strlen(network) > ID_BYTES_MAX || strlen(member) > ID_BYTES_MAX)
		return;
	(void)snprintf(expected, sizeof expected, "%s--%s", network, member);
	if (strcmp(expected, id) != 0)
		check_report(c, "id", id, FAULT_MEMBER_ID, expected);
}

/* ---- where an entity lies ---- */

static void check_terc(struct check *c, const char *column,
		       bool (*known)(const void *context, const char *code))
{
	const char *code = get(c, column);
	const struct kind *kind = record_info(c->record);
	int field = field_named(kind, column);

	if (!*code || !known || field < 0 || field_fault(&kind->fields[field], code) != FAULT_NONE)
		return;
	if (!known(c->terc->context, code))
		check_report(c, column, code, FAULT_TERYT_UNKNOWN, "");
}

static void check_place(struct check *c)
{
	const char *powiat = get(c, "powiat");
	const char *gmina = get(c, "gmina");
	const char *code = region_at(c->region) ? region_at(c->region)->code : "";

	if (c->terc) {
		check_terc(c, "powiat", c->terc->powiat_known);
		check_terc(c, "gmina", c->terc->gmina_known);
	}
	if (c->region != REGION_PL && *powiat && !starts_with(powiat, code))
		check_report(c, "powiat", powiat, FAULT_TERYT_REGION, "");
	if (c->region != REGION_PL && *gmina && !starts_with(gmina, code))
		check_report(c, "gmina", gmina, FAULT_TERYT_REGION, "");
	else if (*gmina && *powiat && !starts_with(gmina, powiat))
		check_report(c, "gmina", gmina, FAULT_TERYT_POWIAT, "");
}

/* ---- numbers and words that hang together ---- */

static void check_participants(struct check *c)
{
	const char *least = get(c, "participants_per_year_min");
	const char *most = get(c, "participants_per_year_max");
	size_t least_size = strlen(least);
	size_t most_size = strlen(most);

	if (!*least != !*most) {
		check_report(c, *least ? "participants_per_year_max" : "participants_per_year_min",
			     "", FAULT_PAIR, "");
		return;
	}
	/* Numbers without leading zeros: the longer is the greater. */
	if (all_digits(least) && all_digits(most) &&
	    (least_size > most_size || (least_size == most_size && strcmp(least, most) > 0)))
		check_report(c, "participants_per_year_min", least, FAULT_ORDER, "");
}

static const struct {
	const char *form_prefix;
	const char *sector;
} sectors[] = {
	{"jst_", "jst"},
	{"stowarzyszenie", "ngo"},
	{"fundacja", "ngo"},
	{"koscielny", "koscielny"},
	{"spoldzielnia_socjalna", "spoldzielnia"},
	{"other", "other"},
};

static void check_sector(struct check *c, const char *form_column, const char *sector_column)
{
	const char *form = get(c, form_column);
	const char *sector = get(c, sector_column);

	if (!*form || !*sector)
		return;
	for (size_t i = 0; i < sizeof sectors / sizeof sectors[0]; i++) {
		if (starts_with(form, sectors[i].form_prefix) &&
		    strcmp(sector, sectors[i].sector) != 0)
			check_report(c, sector_column, sector, FAULT_SECTOR, sectors[i].sector);
	}
}

/* ---- which rules a kind has ---- */

static void check_operator(struct check *c)
{
	check_sector(c, "form", "sector");
}

static void check_entity(struct check *c)
{
	check_place(c);
	check_participants(c);
	check_sector(c, "operator_form", "operator_sector");
}

static const struct {
	enum record_kind kind;
	void (*check)(struct check *c);
} kinds[] = {
	{RECORD_OPERATOR, check_operator},
	{RECORD_ENTITY, check_entity},
	{RECORD_MEMBERSHIP, check_membership},
};

void check_relations(struct check *c)
{
	check_id(c);
	check_region(c);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (kinds[i].kind == record_kind(c->record))
			kinds[i].check(c);
	}
}
