/* Request heads and targets of splot-web.  The head is cut up as libmicrohttpd cuts it; one that
 * the guard passes must be, byte for byte, the head that was received. */
#include "fuzz.h"

#include <ctype.h>

#include "http/guard.h"
#include "http/target.h"

enum { ROOM = 16 * 1024 };

struct cut {
	char buffer[ROOM];
	struct head head;
};

static char *end_line(char *at)
{
	char *end = strchr(at, '\n');

	if (!end)
		return NULL;
	*end = 0;
	if (end > at && end[-1] == '\r')
		end[-1] = 0;
	return end + 1;
}

static bool cut_first(struct cut *c, char **ret_at)
{
	char *space = NULL;

	*ret_at = end_line(c->buffer);
	space = *ret_at ? strchr(c->buffer, ' ') : NULL;
	if (!space)
		return false;
	*space = 0;
	c->head.method = c->buffer;
	c->head.target = space + 1;
	space = strchr(space + 1, ' ');
	if (!space)
		return false;
	*space = 0;
	c->head.target_size = (size_t)(space - c->head.target);
	c->head.version = space + 1;
	return true;
}

/* False: no such head comes out of the library. */
static bool cut(struct cut *c, struct bytes text)
{
	char *at = NULL;
	char *end = c->buffer + text.size;

	if (text.size >= ROOM)
		return false;
	memset(&c->head, 0, sizeof c->head);
	if (text.size > 0)
		memcpy(c->buffer, text.data, text.size);
	*end = 0;
	if (!cut_first(c, &at))
		return false;
	while (at < end && *at != '\n' && !(at[0] == '\r' && at[1] == '\n')) {
		char *line = at;
		char *stop = memchr(line, '\n', (size_t)(end - line));
		char *colon = strchr(line, ':');
		struct head_line *to = &c->head.lines[c->head.line_count];

		if (!stop || !colon || colon > stop || ++c->head.line_count > HEAD_LINES_MAX)
			return false;
		*stop = 0;
		if (stop > line && stop[-1] == '\r')
			stop[-1] = 0;
		*colon = 0;
		to->name = line;
		to->name_size = strlen(line);
		to->value = colon + 1 + strspn(colon + 1, " \t");
		to->value_size = strlen(to->value);
		at = stop + 1;
	}
	c->head.size = (size_t)(at - c->buffer) + (*at == '\r' ? 2 : 1);
	return at < end;
}

static void ends_alike(struct bytes text)
{
	uint8_t *at = (uint8_t *)(uintptr_t)text.data; /* a buffer of ours */

	for (size_t i = 0; i < text.size; i++)
		if (at[i] == '\r' || at[i] == 0)
			at[i] = '\n';
}

/* The head as it must have been, were all as it seems.  What ends
 * lines is NUL by then, and a NUL there cannot be told from it. */
static void reads_as_received(const struct head *h, struct bytes received)
{
	struct buf again = {.data = NULL};
	struct bytes text = fuzz_copy(received);
	size_t hosts = 0;

	buf_printf(&again, "%s ", h->method);
	buf_add(&again, h->target, h->target_size);
	buf_printf(&again, " %s\r\n", h->version);
	for (size_t i = 0; i < h->line_count; i++) {
		const struct head_line *l = &h->lines[i];
		size_t colon = again.size + l->name_size;

		buf_printf(&again, "%s:", l->name);
		/* blanks are as they came */
		while (again.size < text.size &&
		       (text.data[again.size] == ' ' || text.data[again.size] == '\t') &&
		       again.size < colon + 1 + (size_t)(l->value - l->name) - l->name_size - 1)
			buf_add_u8(&again, text.data[again.size]);
		buf_printf(&again, "%s\r\n", l->value);
		if (l->name_size == 4 && tolower(l->name[0]) == 'h' && tolower(l->name[1]) == 'o' &&
		    tolower(l->name[2]) == 's' && tolower(l->name[3]) == 't')
			hosts++;
	}
	buf_add_text(&again, "\r\n");
	ends_alike(bytes_of(again.data, again.size));
	ends_alike(text);
	ALWAYS(bytes_equal(fuzz_done(&again), text));
	ALWAYS(hosts == 1 || (hosts == 0 && strcmp(h->version, "HTTP/1.0") == 0));
	buf_free(&again);
	fuzz_free(text);
}

/* A key's separators are in no text, so that two questions never have one key. */
static void one_form(const struct target *t, struct bytes key)
{
	size_t names = 0;
	size_t values = 0;

	for (size_t i = 0; i < key.size; i++) {
		names += key.data[i] == 0;
		values += key.data[i] == 1;
	}
	ALWAYS(names == t->param_count && values == t->param_count);
}

static void try_target(struct bytes raw)
{
	static struct target t;
	struct arena arena = {.head = NULL};
	struct buf key = {.data = NULL};
	const char *why = NULL;
	enum err e = target_parse(raw, &arena, &t, &why);

	ALWAYS(e == ERR_OK || e == ERR_INVALID || e == ERR_LIMIT);
	if (e == ERR_OK) {
		ALWAYS(t.path[0] == '/' && !strstr(t.path, "/../") && !strstr(t.path, "//"));
		ALWAYS(strlen(t.path) <= TARGET_PATH_MAX && t.param_count <= TARGET_PARAMS_MAX);
		ALWAYS(is_utf8(t.path, strlen(t.path)));
		for (size_t i = 0; i < t.param_count; i++) {
			int order = i ? strcmp(t.params[i - 1].name, t.params[i].name) : 0;

			ALWAYS(order <= 0);
			ALWAYS(is_utf8(t.params[i].value, strlen(t.params[i].value)));
			ALWAYS(target_param(&t, t.params[i].name));
		}
		target_key(&t, &key);
		one_form(&t, fuzz_done(&key));
	} else {
		ALWAYS(why && *why);
	}
	buf_free(&key);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cut c;
	struct bytes rest = bytes_of(data + (size > 0), size - (size > 0));
	enum guard g = GUARD_OK;

	if (size > 0 && data[0] % 2) {
		struct bytes copy = fuzz_copy(rest);

		try_target(copy);
		fuzz_free(copy);
		return 0;
	}
	if (!cut(&c, rest))
		return 0;
	g = guard_head(&c.head);
	ALWAYS(g < GUARD_COUNT && guard_status(g) >= 200 && guard_text(g) && guard_metric(g));
	if (g == GUARD_OK) {
		reads_as_received(&c.head, bytes_of(rest.data, c.head.size));
		try_target(bytes_of(c.head.target, c.head.target_size));
	}
	(void)head_value(&c.head, "accept");
	return 0;
}

static void add(struct seeds *to, const char *name, uint8_t how, const char *text)
{
	struct buf b = {.data = NULL};

	buf_add_u8(&b, how);
	buf_add_text(&b, text);
	seed_add(to, name, fuzz_done(&b));
	buf_free(&b);
}

#define GET "GET /a HTTP/1.1\r\n"

void fuzz_seeds(struct seeds *to)
{
	struct buf many = {.data = NULL};

	buf_add_text(&many, "/a?b=c");
	for (int i = 0; i < TARGET_PARAMS_MAX; i++) /* one more than there may be */
		buf_add_text(&many, "&d=e");
	add(to, "params-too-many", 1, buf_text(&many));
	buf_free(&many);
	add(to, "clean", 0, GET "Host: a\r\nAccept: */*\r\nX:\r\nY:   z  \r\n\r\n");
	add(to, "old", 0, "GET /a?b=c HTTP/1.0\r\n\r\n");
	add(to, "length", 0, GET "Host: a\r\nContent-Length: 0\r\n\r\n");
	add(to, "coding", 0, GET "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	add(to, "lf", 0, GET "Host: a\nX: y\r\n\r\n");
	add(to, "space", 0, GET "Host : a\r\n\r\n");
	add(to, "two-hosts", 0, GET "Host: a\r\nhost: a\r\n\r\n");
	add(to, "target", 1, "/api/v1/entities?kind=KIS&name=%C5%81%C4%85ka&q=a+b&&x");
	add(to, "target-dots", 1, "/a/%2e%2e/b");
	add(to, "target-slash", 1, "/a%2Fb//c");
}
