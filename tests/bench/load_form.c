#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "load.h"
#include "model/control.h"

unsigned form_changes = 1;
uint64_t form_salt;

static struct arena arena;

static void set(struct record *r, const char *field, const char *text)
{
	int i = field_named(record_info(r), field);

	if (i < 0)
		fail("no such field", field);
	must(record_set(r, &arena, (size_t)i, bytes_of_text(text)), field);
}

static struct record *make_record(const char *log, const char *id)
{
	struct record *r = record_new(&arena, RECORD_ENTITY);

	if (!r)
		fail("record", "out of memory");
	set(r, "id", id);
	set(r, "region", log);
	set(r, "kind", "KIS");
	set(r, "name", "Klub Integracji Społecznej przy Miejskim Ośrodku Pomocy Społecznej");
	set(r, "operator_name", "Miejski Ośrodek Pomocy Społecznej w Mieście Wojewódzkim");
	set(r, "operator_form", "jst_ops");
	set(r, "operator_sector", "jst");
	set(r, "place", "Miasto Wojewódzkie");
	set(r, "street", "Aleja Tysiąclecia Państwa Polskiego");
	set(r, "building", "12a");
	set(r, "created_on", "2012-03-15");
	set(r, "started_on", "2012-04-01");
	set(r, "status", "active");
	set(r, "status_as_of", "2026-01-31");
	set(r, "source", "report-2025.pdf");
	return r;
}

/* A log's request, made once: the ids in it differ only in a number of fixed width, so that
 * the editors cost little beside what they measure. */
enum { NUMBER_DIGITS = 7, PLACES_MAX = 2 * 1024 };

struct form {
	const char *log;
	struct buf request;
	size_t places[PLACES_MAX]; /* of the number */
	size_t place_count;
};

static struct form forms[FORMS_MAX];
static size_t form_count;

void form_id(char id[static 64], const char *log, uint64_t number, unsigned i)
{
	(void)snprintf(id, 64, "pl%s-kis-b%08llx-%0*llu-%u", log, (unsigned long long)form_salt,
		       NUMBER_DIGITS, (unsigned long long)number, i);
}

static void encode_request(const char *log, struct buf *out)
{
	struct change *list = NULL;
	struct event event = {.editor = "", .reason = "yearly report", .source = "report-2025.pdf"};
	struct control_request request = {
		.verb = CONTROL_EDIT, .id = "", .after = "", .name = "", .reason = ""};
	struct buf draft = {0};
	struct buf body = {0};

	arena_reset(&arena);
	list = arena_alloc(&arena, form_changes * sizeof *list);
	if (!list)
		fail("draft", "out of memory");
	for (unsigned i = 0; i < form_changes; i++) {
		char id[64];

		form_id(id, log, 0, i);
		list[i] = (struct change){.id = arena_text(&arena, bytes_of_text(id)),
					  .kind = RECORD_ENTITY,
					  .record = make_record(log, id)};
	}
	event.changes = list;
	event.change_count = form_changes;
	must(event_encode(&event, &arena, &draft), "draft");
	request.draft = buf_bytes(&draft);
	must(control_request_encode(&request, &body), "request");
	buf_add_u32be(out, (uint32_t)body.size);
	buf_add_bytes(out, buf_bytes(&body));
	must(buf_check(out), "request");
	buf_free(&draft);
	buf_free(&body);
}

static struct form *form_of(const char *log)
{
	char start[64];
	struct form *f = NULL;

	for (size_t i = 0; i < form_count; i++)
		if (strcmp(forms[i].log, log) == 0)
			return &forms[i];
	if (form_count == FORMS_MAX)
		fail("too many logs", log);
	f = &forms[form_count++];
	f->log = log;
	encode_request(log, &f->request);
	(void)snprintf(start, sizeof start, "-b%08llx-", (unsigned long long)form_salt);
	for (uint8_t *at = f->request.data;; at++) {
		size_t left = f->request.size - (size_t)(at - f->request.data);

		at = memmem(at, left, start, strlen(start));
		if (!at)
			break;
		if (f->place_count == PLACES_MAX)
			fail("too many changes", log);
		f->places[f->place_count++] = (size_t)(at - f->request.data) + strlen(start);
	}
	return f;
}

struct bytes form_request(const char *log, uint64_t number)
{
	struct form *f = form_of(log);
	char digits[32];

	(void)snprintf(digits, sizeof digits, "%0*llu", NUMBER_DIGITS, (unsigned long long)number);
	if (strlen(digits) != NUMBER_DIGITS)
		fail("too many edits", log);
	for (size_t i = 0; i < f->place_count; i++)
		memcpy(f->request.data + f->places[i], digits, NUMBER_DIGITS);
	return buf_bytes(&f->request);
}
