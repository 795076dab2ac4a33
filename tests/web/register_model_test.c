/* The catalog and its questions against the plainest program that could answer them: a list of
 * records, passed from the first to the last. */
#include "register/collate.h"
#include "register/fold.h"
#include "register_support.h"

enum { RECORDS_MAX = 400, IDS = 120, FIELDS_MAX = 48, STEPS = 60, PUTS = 40, QUESTIONS = 25 };

struct plain {
	enum record_kind kind;
	bool there;
	const char *texts[FIELDS_MAX]; /* of the vocabulary, or an id: they stay */
};

struct plain_register {
	struct plain records[RECORDS_MAX];
	size_t count;
	struct collator *collator;
	uint64_t chance;
};

static char ids[IDS][32];

static const char *const texts[] = {"",
				    "Łódź",
				    "Łódzki Klub",
				    "Żary",
				    "Lublin",
				    "klub nr 2",
				    "Klub nr 10",
				    "KIS „Nadzieja” w Łodzi",
				    "A\xffx",
				    "Święty Krzyż;002.pdf",
				    "zażółć gęślą",
				    "26",
				    "active",
				    "9",
				    "2016"};
static const char *const dates[] = {"",     "2016",       "2016-03",     "2016-03-14", "2016-12-31",
				    "2019", "2019-01-01", "wiosna 2019", "2019-1-1"};
static const char *const numbers[] = {"", "9", "9.0", "10", "-3", "0", "2016", "około 6", "0.5"};
static const char *const words[] = {"active", "", "CIS", "KIS", "źródło", "26", "PL", "2604"};

#define choose(chance, from) (from)[any(chance, sizeof(from) / sizeof(from)[0])]

static const char *any_text(uint64_t *chance, enum field_type type)
{
	if (any(chance, 3) == 0)
		return "";
	switch ((int)type) {
	case FIELD_TEXT:
	case FIELD_LIST:
		return choose(chance, texts);
	case FIELD_DATE:
		return choose(chance, dates);
	case FIELD_UINT:
	case FIELD_DECIMAL:
		return choose(chance, numbers);
	case FIELD_REF:
		return ids[any(chance, IDS)];
	default:
		return choose(chance, words);
	}
}

static const struct plain *plain_find(const struct plain_register *p, enum record_kind kind,
				      const char *id)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->records[i].kind == kind && strcmp(p->records[i].texts[0], id) == 0)
			return &p->records[i];
	}
	return NULL;
}

/* One version to both: a record of chance, or its end. */
static void put_both(struct fixture *f, struct plain_register *p)
{
	enum record_kind kind = (enum record_kind)(
		RECORD_KIND_FIRST + any(&p->chance, RECORD_KIND_LAST - RECORD_KIND_FIRST + 1));
	const char *id = ids[any(&p->chance, IDS)];
	size_t at = 0;
	struct plain *record = NULL;
	struct record *r = NULL;
	struct version v;

	while (at < p->count && &p->records[at] != plain_find(p, kind, id))
		at++;
	if (any(&p->chance, 5) == 0) {
		retire(f, kind, id);
		if (at < p->count)
			p->records[at] = p->records[--p->count];
		return;
	}
	if (at == p->count && p->count == RECORDS_MAX)
		return;
	p->count += at == p->count;
	record = &p->records[at];
	*record = (struct plain){.kind = kind, .texts = {id}};
	r = record_new(&f->records, kind);
	for (size_t k = 0; k < kind_of(kind)->field_count; k++) {
		if (k)
			record->texts[k] = any_text(&p->chance, kind_of(kind)->fields[k].type);
		assert_ok(record_set(r, &f->records, k, bytes_of_text(record->texts[k])));
	}
	v = version_of(f, id, kind, r);
	assert_ok(catalog_put(f->catalog, &v));
	arena_reset(&f->records);
}

static void both_hold_the_same(struct fixture *f, const struct plain_register *p)
{
	size_t counts[RECORD_KIND_LAST + 1] = {0};
	size_t row = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct plain *x = &p->records[i];

		counts[x->kind]++;
		assert_ok(catalog_find(f->catalog, x->kind, x->texts[0], NULL, &row));
		for (size_t k = 0; k < kind_of(x->kind)->field_count; k++)
			assert_string_equal(catalog_text(f->catalog, x->kind, row, k), x->texts[k]);
	}
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
		assert_int_equal(catalog_count(f->catalog, (enum record_kind)k), counts[k]);
}

/* ---- the plain answers ---- */

/* The first and last day that a date may mean; false for what is none. */
static bool days_of(const char *date, char first[16], char last[16])
{
	static const char digit[] = "0123456789";
	size_t size = strlen(date);
	bool is = strspn(date, digit) == 4;

	if (is && size > 4)
		is = date[4] == '-' && strspn(date + 5, digit) == 2;
	if (is && size > 7)
		is = date[7] == '-' && strspn(date + 8, digit) == 2;
	if (!is || (size != 4 && size != 7 && size != 10))
		return false;
	(void)snprintf(first, 16, "%s%s", date, &"-01-01"[size - 4]);
	(void)snprintf(last, 16, "%s%s", date, &"-12-31"[size - 4]);
	return true;
}

static bool number_of(const char *text, double *ret)
{
	char *end = NULL;

	*ret = strtod(text, &end);
	return *text && !*end;
}

static bool plain_in_range(const char *text, const char *bound, enum field_type type, bool from)
{
	char a[2][16];
	char b[2][16];
	double x = 0;
	double y = 0;

	if (type == FIELD_DATE) {
		if (!days_of(text, a[0], a[1]) || !days_of(bound, b[0], b[1]))
			return false;
		return from ? strcmp(a[1], b[0]) >= 0 : strcmp(a[0], b[1]) <= 0;
	}
	return number_of(text, &x) && number_of(bound, &y) && (from ? x >= y : x <= y);
}

static bool plain_holds(const struct plain *r, const struct filter *f)
{
	enum field_type type = kind_of(r->kind)->fields[f->field].type;
	const char *text = r->texts[f->field];

	if (f->condition == IS_FROM || f->condition == IS_TO)
		return plain_in_range(text, f->values[0], type, f->condition == IS_FROM);
	if (f->condition == STARTS)
		return strncmp(text, f->values[0], strlen(f->values[0])) == 0;
	for (size_t i = 0; i < f->value_count; i++) {
		if (strcmp(text, f->values[i]) == 0)
			return true;
	}
	return false;
}

static bool text_has(const char *text, const char *word)
{
	struct buf folded = {.data = NULL};
	char *rest = NULL;
	bool has = false;

	assert_ok(fold_text(bytes_of_text(text), &folded));
	(void)buf_text(&folded);
	for (char *at = strtok_r((char *)folded.data, " ", &rest); at && !has;
	     at = strtok_r(NULL, " ", &rest))
		has = strncmp(at, word, strlen(word)) == 0;
	buf_free(&folded);
	return has;
}

static bool plain_has_word(const struct plain_register *p, const struct plain *r, const char *word)
{
	const struct kind *kind = kind_of(r->kind);

	for (size_t k = 0; k < kind->field_count; k++) {
		const struct field *field = &kind->fields[k];
		const struct plain *other = NULL;

		if (catalog_is_searched(field) && text_has(r->texts[k], word))
			return true;
		if (field->type != FIELD_REF)
			continue;
		other = plain_find(p, field->refers_to, r->texts[k]);
		if (other && text_has(other->texts[catalog_title_field(other->kind)], word))
			return true;
	}
	return false;
}

static bool plain_found(const struct plain_register *p, const struct plain *r,
			const struct query *q, size_t without)
{
	struct buf folded = {.data = NULL};
	char *rest = NULL;
	bool is = r->kind == q->kind;

	for (size_t i = 0; i < q->filter_count && is; i++)
		is = q->filters[i].field == without || plain_holds(r, &q->filters[i]);
	if (is && q->search) {
		assert_ok(fold_text(bytes_of_text(q->search), &folded));
		(void)buf_text(&folded);
		for (char *at = strtok_r((char *)folded.data, " ", &rest); at && is;
		     at = strtok_r(NULL, " ", &rest))
			is = plain_has_word(p, r, at);
		buf_free(&folded);
	}
	return is;
}

static int compare_keys(struct collator *collator, const char *a, const char *b)
{
	struct buf x = {.data = NULL};
	struct buf y = {.data = NULL};
	int order = 0;

	assert_ok(collator_key(collator, bytes_of_text(a), &x));
	assert_ok(collator_key(collator, bytes_of_text(b), &y));
	order = bytes_compare(buf_bytes(&x), buf_bytes(&y));
	buf_free(&x);
	buf_free(&y);
	return order;
}

static int compare_values(struct collator *collator, enum field_type type, const char *a,
			  const char *b)
{
	double x = 0;
	double y = 0;
	bool is_x = number_of(a, &x);
	bool is_y = number_of(b, &y);

	if (type == FIELD_TEXT || type == FIELD_ENUM || type == FIELD_LIST)
		return compare_keys(collator, a, b);
	if (type != FIELD_UINT && type != FIELD_DECIMAL)
		return strcmp(a, b);
	if (is_x != is_y)
		return is_x ? -1 : 1;
	return is_x ? (x > y) - (x < y) : strcmp(a, b);
}

/* Whether a stands before b. */
static bool plain_before(struct collator *collator, const struct plain *a, const struct plain *b,
			 const struct query *q)
{
	const char *x = a ? a->texts[q->sort] : "";
	const char *y = b ? b->texts[q->sort] : "";
	int order = 0;

	if (!a || !b)
		return false;
	if (!*x != !*y)
		return *x != 0;
	if (*x)
		order = compare_values(collator, kind_of(q->kind)->fields[q->sort].type, x, y);
	if (order == 0)
		return strcmp(a->texts[0], b->texts[0]) < 0;
	return q->descending ? order > 0 : order < 0;
}

/* ---- questions of chance ---- */

static void any_filter(struct plain_register *p, struct query *q)
{
	const struct kind *kind = kind_of(q->kind);
	struct filter *f = &q->filters[q->filter_count++];
	enum field_type type = FIELD_ID;

	*f = (struct filter){.field = any(&p->chance, kind->field_count), .value_count = 1};
	type = kind->fields[f->field].type;
	f->values[0] = any_text(&p->chance, type);
	if ((type == FIELD_DATE || type == FIELD_UINT || type == FIELD_DECIMAL) &&
	    any(&p->chance, 2)) {
		f->condition = any(&p->chance, 2) ? IS_FROM : IS_TO;
	} else if (any(&p->chance, 4) == 0) {
		f->condition = STARTS;
		f->values[0] = any(&p->chance, 2) ? "2" : "Kl";
	} else {
		f->values[f->value_count++] = any_text(&p->chance, type);
	}
}

static void any_question(struct plain_register *p, struct query *q)
{
	static const char *const searches[] = {"lod", "klub",   "KLUB NR 1",    "odz",
					       "b",   "pdf 00", "zażółć gesla", "nadziej w lodzi",
					       "„”",  "pl26",   "klub k kl lo", "26 9"};

	*q = (struct query){.kind = (enum record_kind)(
				    RECORD_KIND_FIRST +
				    any(&p->chance, RECORD_KIND_LAST - RECORD_KIND_FIRST + 1))};
	for (uint64_t i = any(&p->chance, 4); i > 0; i--)
		any_filter(p, q);
	if (any(&p->chance, 2))
		q->search = choose(&p->chance, searches);
	q->sort = any(&p->chance, kind_of(q->kind)->field_count);
	q->descending = any(&p->chance, 2);
	q->facets[q->facet_count++] = any(&p->chance, kind_of(q->kind)->field_count);
	if (q->filter_count)
		q->facets[q->facet_count++] = q->filters[0].field;
}

static void rows_are_the_same(struct fixture *f, struct plain_register *p, const struct query *q,
			      const struct query_result *r)
{
	size_t expected = 0;

	for (size_t i = 0; i < p->count; i++)
		expected += plain_found(p, &p->records[i], q, SIZE_MAX);
	assert_int_equal(r->total, expected);
	assert_int_equal(r->row_count, expected);
	for (size_t i = 0; i < r->row_count; i++) {
		const char *id = catalog_text(f->catalog, q->kind, r->rows[i], 0);
		const struct plain *x = plain_find(p, q->kind, id);

		assert_non_null(x);
		assert_true(plain_found(p, x, q, SIZE_MAX));
		if (i > 0) {
			const char *before = catalog_text(f->catalog, q->kind, r->rows[i - 1], 0);

			assert_true(
				plain_before(p->collator, plain_find(p, q->kind, before), x, q));
		}
	}
}

static size_t plain_count(const struct plain_register *p, const struct query *q, size_t field,
			  const char *value)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++)
		count += plain_found(p, &p->records[i], q, field) &&
			 strcmp(p->records[i].texts[field], value) == 0;
	return count;
}

static void facets_are_the_same(struct fixture *f, struct plain_register *p, const struct query *q,
				const struct query_result *r)
{
	for (size_t i = 0; i < q->facet_count; i++) {
		const struct facet *facet = &r->facets[i];
		size_t sum = 0;
		size_t expected = 0;

		assert_int_equal(facet->field, q->facets[i]);
		assert_true(facet->value_count == facet->distinct ||
			    facet->value_count == QUERY_FACET_VALUES);
		for (size_t k = 0; k < facet->value_count; k++) {
			const char *value = catalog_of(f->catalog, facet->values[k].value);

			assert_int_equal(facet->values[k].count,
					 plain_count(p, q, facet->field, value));
			assert_true(k == 0 || facet->values[k - 1].count >= facet->values[k].count);
			sum += facet->values[k].count;
		}
		for (size_t k = 0; k < p->count; k++)
			expected += plain_found(p, &p->records[k], q, facet->field);
		if (facet->value_count == facet->distinct)
			assert_int_equal(sum, expected);
	}
}

static void catalogs_of_chance_answer_as_the_plain_list_does(void **state)
{
	struct plain_register *p = calloc(1, sizeof *p);
	struct query *q = malloc(sizeof *q);
	struct query_result r;
	struct fixture f;

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	fixture_open(&f);
	assert_ok(collator_new(&p->collator));
	p->chance = seed_of_run();
	for (size_t i = 0; i < IDS; i++)
		(void)snprintf(ids[i], sizeof ids[i], "pl26-kis-%zu", i);
	for (int step = 0; step < STEPS; step++) {
		for (int i = 0; i < PUTS; i++)
			put_both(&f, p);
		both_hold_the_same(&f, p);
		for (int i = 0; i < QUESTIONS; i++) {
			any_question(p, q);
			assert_ok(query_run(f.catalog, q, &f.answers, &r, f.why));
			rows_are_the_same(&f, p, q, &r);
			facets_are_the_same(&f, p, q, &r);
			arena_reset(&f.answers);
		}
	}
	assert_true(p->count > 100);
	collator_free(p->collator);
	fixture_close(&f);
	free(p);
	free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catalogs_of_chance_answer_as_the_plain_list_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
