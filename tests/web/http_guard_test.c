/* Heads as libmicrohttpd hands them out: cut up in the buffer that they came in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/guard.h"

enum { ROOM = 64 * 1024 };

struct cut {
	char buffer[ROOM];
	struct head head;
};

/* A line of `size` bytes ends here: CR LF, or LF alone; what ended it is overwritten with NUL. */
static char *end_line(char *at)
{
	char *end = strchr(at, '\n');

	assert_non_null(end);
	*end = 0;
	if (end > at && end[-1] == '\r')
		end[-1] = 0;
	return end + 1;
}

/* As 0.9.75 takes a head apart: a line ends at LF, a CR before it is dropped, a NUL inside ends a
 * text early.  `text` may hold NULs. */
static const struct head *cut(struct cut *c, const char *text, size_t size)
{
	char *at = c->buffer;
	char *space = NULL;

	assert_true(size < ROOM);
	memcpy(at, text, size);
	at[size] = 0;
	c->head = (struct head){.method = at, .size = size};
	/* strchr would stop at a NUL inside: in the first line there is none here. */
	at = end_line(at);
	space = strchr(c->buffer, ' ');
	*space = 0;
	c->head.target = space + 1;
	space = strchr(space + 1, ' ');
	*space = 0;
	c->head.target_size = (size_t)(space - c->head.target);
	c->head.version = space + 1;
	while (*at != '\r' && *at != '\n') {
		char *line = at;
		char *end = memchr(line, '\n', size);
		char *colon = strchr(line, ':');
		struct head_line *to = &c->head.lines[c->head.line_count++];

		assert_true(c->head.line_count <= HEAD_LINES_MAX && end && colon && colon < end);
		*end = 0;
		if (end[-1] == '\r')
			end[-1] = 0;
		*colon = 0;
		to->name = line;
		to->name_size = strlen(line);
		to->value = colon + 1 + strspn(colon + 1, " \t");
		to->value_size = strlen(to->value);
		at = end + 1;
	}
	return &c->head;
}

static enum guard judge_bytes(const char *text, size_t size)
{
	static struct cut c;

	return guard_head(cut(&c, text, size));
}

static enum guard judge(const char *text)
{
	return judge_bytes(text, strlen(text));
}

#define GET "GET /a HTTP/1.1\r\n"

static void a_clean_head_passes(void **state)
{
	(void)state;
	assert_int_equal(judge(GET "Host: a\r\n\r\n"), GUARD_OK);
	assert_int_equal(judge(GET "Host: [::1]:8080\r\nX:\r\nY:   z  \r\nZ:\t1\r\n\r\n"),
			 GUARD_OK);
	assert_int_equal(judge(GET "Host:a\r\nContent-Length: 0\r\n\r\n"), GUARD_OK);
	assert_int_equal(judge(GET "Host:\ta:80 \t\r\nContent-Length: 0 \r\n\r\n"), GUARD_OK);
	assert_int_equal(judge("GET /a HTTP/1.0\r\n\r\n"), GUARD_OK);
	assert_int_equal(judge("GET /a HTTP/1.0\r\nHost: a\r\n\r\n"), GUARD_OK);
}

static void lines_that_end_in_lf_alone_are_seen(void **state)
{
	(void)state;
	assert_int_equal(judge("GET /a HTTP/1.1\nHost: a\r\n\r\n"), GUARD_FRAMING);
	assert_int_equal(judge(GET "Host: a\nX: y\r\n\r\n"), GUARD_FRAMING);
	assert_int_equal(judge(GET "Host: a\r\nX: y\n\r\n"), GUARD_FRAMING);
	assert_int_equal(judge(GET "Host: a\r\nX: y\r\n\n"), GUARD_FRAMING);
}

static void a_nul_inside_a_line_is_seen(void **state)
{
	static const char inside[] = GET "Host: a\0b\r\nX: y\r\n\r\n";
	static const char last[] = GET "Host: a\r\nX: y\0b\r\n\r\n";
	static const char before_two_lf[] = GET "Host: a\r\nX: y\0b\n\n";

	(void)state;
	assert_int_equal(judge_bytes(inside, sizeof inside - 1), GUARD_FRAMING);
	assert_int_equal(judge_bytes(last, sizeof last - 1), GUARD_FRAMING);
	/* as many bytes as CR LF CR LF */
	assert_int_equal(judge_bytes(before_two_lf, sizeof before_two_lf - 1), GUARD_FRAMING);
}

static void a_folded_line_is_seen(void **state)
{
	static struct cut c;
	static char elsewhere[] = "Xfold";
	const struct head *h = cut(&c, GET "Host: a\r\nX: y\r\nZ: 1\r\n\r\n",
				   strlen(GET "Host: a\r\nX: y\r\nZ: 1\r\n\r\n"));
	struct head folded = *h;

	(void)state;
	assert_int_equal(guard_head(h), GUARD_OK);
	/* 0.9.75 puts name and continuation together in another place. */
	folded.lines[1].name = elsewhere;
	folded.lines[1].name_size = strlen(elsewhere);
	assert_int_equal(guard_head(&folded), GUARD_FRAMING);
}

static void a_line_that_was_passed_over_is_seen(void **state)
{
	static struct cut c;
	const struct head *h = cut(&c, GET "Host: a\r\nX: y\r\nZ: 1\r\n\r\n",
				   strlen(GET "Host: a\r\nX: y\r\nZ: 1\r\n\r\n"));
	struct head fewer = *h;

	(void)state;
	fewer.lines[1] = h->lines[2];
	fewer.line_count = 2;
	assert_int_equal(guard_head(&fewer), GUARD_FRAMING);
	fewer = *h;
	fewer.line_count = 2;
	assert_int_equal(guard_head(&fewer), GUARD_FRAMING);
	fewer = *h;
	fewer.size++;
	assert_int_equal(guard_head(&fewer), GUARD_FRAMING);
}

static void a_name_is_a_token_right_before_its_colon(void **state)
{
	(void)state;
	assert_int_equal(judge(GET "Host : a\r\n\r\n"), GUARD_NAME);
	assert_int_equal(judge(GET "Host: a\r\n: y\r\n\r\n"), GUARD_NAME);
	assert_int_equal(judge(GET "Host: a\r\n X: y\r\n\r\n"), GUARD_NAME);
	assert_int_equal(judge(GET "Host: a\r\nX\tY: y\r\n\r\n"), GUARD_NAME);
	assert_int_equal(judge(GET "Host: a\r\nX(: y\r\n\r\n"), GUARD_NAME);
}

static void a_value_has_no_control_characters(void **state)
{
	(void)state;
	assert_int_equal(judge(GET "Host: a\rX: y\r\n\r\n"), GUARD_VALUE);
	assert_int_equal(judge(GET "Host: a\r\nX: \x7f\r\n\r\n"), GUARD_VALUE);
	assert_int_equal(judge(GET "Host: a\r\nX: a\tb\r\n\r\n"), GUARD_OK);
}

static void a_request_names_one_host(void **state)
{
	(void)state;
	assert_int_equal(judge(GET "\r\n"), GUARD_HOST);
	assert_int_equal(judge(GET "Host:\r\n\r\n"), GUARD_HOST);
	assert_int_equal(judge(GET "Host: a\r\nhost: a\r\n\r\n"), GUARD_HOST);
	assert_int_equal(judge(GET "Host: a b\r\n\r\n"), GUARD_HOST);
	assert_int_equal(judge(GET "Host: a/b\r\n\r\n"), GUARD_HOST);
	assert_int_equal(judge("GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), GUARD_HOST);
}

static void a_body_or_anything_like_one_is_refused(void **state)
{
	(void)state;
	assert_int_equal(judge(GET "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"), GUARD_CODING);
	assert_int_equal(judge(GET "Host: a\r\nTransfer-Encoding: identity\r\n\r\n"), GUARD_CODING);
	assert_int_equal(
		judge(GET "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
		GUARD_CODING);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n"),
			 GUARD_LENGTH);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: 5\r\n\r\n"), GUARD_BODY);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: -5\r\n\r\n"), GUARD_LENGTH);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: +0\r\n\r\n"), GUARD_LENGTH);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: 0, 0\r\n\r\n"), GUARD_LENGTH);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: 0x0\r\n\r\n"), GUARD_LENGTH);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length:\r\n\r\n"), GUARD_LENGTH);
	assert_int_equal(judge(GET "Host: a\r\nContent-Length: 00000000000000000000\r\n\r\n"),
			 GUARD_LENGTH);
}

static void a_target_is_a_plain_path(void **state)
{
	(void)state;
	assert_int_equal(judge("GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n"), GUARD_TARGET);
	assert_int_equal(judge("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), GUARD_TARGET);
	assert_int_equal(judge("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), GUARD_TARGET);
}

static void only_two_versions_are_spoken(void **state)
{
	(void)state;
	assert_int_equal(judge("GET /a HTTP/1.2\r\nHost: a\r\n\r\n"), GUARD_VERSION);
	assert_int_equal(judge("GET /a HTTP/1.1 \r\nHost: a\r\n\r\n"), GUARD_VERSION);
}

static void what_is_too_much_has_a_status_of_its_own(void **state)
{
	static char text[ROOM];
	static struct cut c;
	struct head many = {.line_count = HEAD_LINES_MAX + 1};
	size_t size = 0;

	(void)state;
	assert_int_equal(guard_status(guard_head(&many)), 431);
	memcpy(text, "GET /", 5);
	memset(text + 5, 'a', TARGET_BYTES_MAX);
	size = 5 + TARGET_BYTES_MAX;
	memcpy(text + size, " HTTP/1.1\r\nHost: a\r\n\r\n", 22);
	assert_int_equal(guard_status(guard_head(cut(&c, text, size + 22))), 414);
	many = (struct head){.size = HEAD_BYTES_MAX + 1};
	assert_int_equal(guard_status(guard_head(&many)), 431);
}

static void the_only_value_of_a_name_is_found(void **state)
{
	static struct cut c;
	static const char text[] = GET "Host: a\r\nAccept: x\r\nETag: 1\r\netag: 2\r\n\r\n";
	const struct head *h = cut(&c, text, sizeof text - 1);

	(void)state;
	assert_string_equal(head_value(h, "accept"), "x");
	assert_null(head_value(h, "ETag"));
	assert_null(head_value(h, "Other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_head_passes),
		cmocka_unit_test(lines_that_end_in_lf_alone_are_seen),
		cmocka_unit_test(a_nul_inside_a_line_is_seen),
		cmocka_unit_test(a_folded_line_is_seen),
		cmocka_unit_test(a_line_that_was_passed_over_is_seen),
		cmocka_unit_test(a_name_is_a_token_right_before_its_colon),
		cmocka_unit_test(a_value_has_no_control_characters),
		cmocka_unit_test(a_request_names_one_host),
		cmocka_unit_test(a_body_or_anything_like_one_is_refused),
		cmocka_unit_test(a_target_is_a_plain_path),
		cmocka_unit_test(only_two_versions_are_spoken),
		cmocka_unit_test(what_is_too_much_has_a_status_of_its_own),
		cmocka_unit_test(the_only_value_of_a_name_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
