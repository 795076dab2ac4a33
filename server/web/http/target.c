#include "http/target.h"

#include <stdlib.h>
#include <string.h>

/* ---- UTF-8 ---- */

/* Bytes of the character that begins here; 0 for none. */
static size_t character(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first_least, first_most, second_least, second_most;
		size_t size;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (at[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (at[0] < forms[i].first_least || at[0] > forms[i].first_most)
			continue;
		if (left < forms[i].size || at[1] < forms[i].second_least ||
		    at[1] > forms[i].second_most)
			return 0;
		for (size_t k = 2; k < forms[i].size; k++)
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].size;
	}
	return 0;
}

bool is_utf8(const char *text, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t step = 0;

	for (size_t i = 0; i < size; i += step) {
		step = character(at + i, size - i);
		if (step == 0)
			return false;
	}
	return true;
}

/* ---- decoding ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent signs, and in a query plus signs, become what they stand for.  NULL without memory;
 * INVALID for a broken percent sign, a control character or what is no UTF-8. */
static enum err decode(struct bytes raw, bool query, struct arena *arena, const char **ret)
{
	char *text = arena_alloc(arena, raw.size + 1);
	size_t size = 0;

	if (!text)
		return ERR_NOMEM;
	for (size_t i = 0; i < raw.size; i++) {
		char c = (char)raw.data[i];

		if (c == '%') {
			bool whole = raw.size - i > 2;
			int high = whole ? hex((char)raw.data[i + 1]) : -1;
			int low = whole ? hex((char)raw.data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return ERR_INVALID;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && query) {
			c = ' ';
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return ERR_INVALID;
		text[size++] = c;
	}
	text[size] = 0;
	if (!is_utf8(text, size))
		return ERR_INVALID;
	*ret = text;
	return ERR_OK;
}

/* ---- path ---- */

/* Whether a raw path hides a separator: what stands before us may have cut there, or not. */
static bool hides(struct bytes raw)
{
	for (size_t i = 0; i + 2 < raw.size; i++) {
		const uint8_t *at = raw.data + i;

		if (at[0] == '%' && ((at[1] == '2' && (at[2] == 'f' || at[2] == 'F')) ||
				     (at[1] == '5' && (at[2] == 'c' || at[2] == 'C'))))
			return true;
	}
	return memchr(raw.data, '\\', raw.size) != NULL;
}

static bool has_odd_segment(const char *path)
{
	const char *at = path;

	while (*at == '/') {
		size_t size = strcspn(at + 1, "/");
		bool last = at[1 + size] == 0;

		if ((size == 0 && !last) || (size == 1 && at[1] == '.') ||
		    (size == 2 && at[1] == '.' && at[2] == '.'))
			return true;
		at += 1 + size;
	}
	return false;
}

static enum err parse_path(struct bytes raw, struct arena *arena, struct target *ret,
			   const char **why)
{
	enum err e = ERR_OK;

	*why = "the path is too long";
	if (raw.size > TARGET_PATH_MAX)
		return ERR_LIMIT;
	*why = "the path has an encoded slash or a backslash in it";
	if (hides(raw))
		return ERR_INVALID;
	*why = "the path is no text in UTF-8, or has a control character in it";
	e = decode(raw, false, arena, &ret->path);
	if (e != ERR_OK)
		return e;
	*why = "the path has an empty segment, \".\" or \"..\" in it";
	return ret->path[0] != '/' || has_odd_segment(ret->path) ? ERR_INVALID : ERR_OK;
}

/* ---- query ---- */

static int by_name(const void *a, const void *b)
{
	const struct param *x = a;
	const struct param *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->value, y->value);
}

static enum err parse_param(struct bytes raw, struct arena *arena, struct target *ret)
{
	const uint8_t *equals = memchr(raw.data, '=', raw.size);
	size_t size = equals ? (size_t)(equals - raw.data) : raw.size;
	struct param *param = &ret->params[ret->param_count];
	enum err e = ERR_OK;

	if (ret->param_count == TARGET_PARAMS_MAX)
		return ERR_LIMIT;
	e = decode(bytes_of(raw.data, size), true, arena, &param->name);
	if (e != ERR_OK)
		return e;
	param->value = "";
	if (equals)
		e = decode(bytes_of(equals + 1, raw.size - size - 1), true, arena, &param->value);
	if (e == ERR_OK)
		ret->param_count++;
	return e;
}

static enum err parse_query(struct bytes raw, struct arena *arena, struct target *ret,
			    const char **why)
{
	enum err e = ERR_OK;

	*why = "a parameter is no text in UTF-8, or has a control character in it";
	while (raw.size > 0 && e == ERR_OK) {
		const uint8_t *end = memchr(raw.data, '&', raw.size);
		size_t size = end ? (size_t)(end - raw.data) : raw.size;

		if (size > 0)
			e = parse_param(bytes_of(raw.data, size), arena, ret);
		size += end ? 1 : 0;
		raw = bytes_of(raw.data + size, raw.size - size);
	}
	if (e == ERR_LIMIT)
		*why = "there are too many parameters";
	if (e == ERR_OK && ret->param_count > 1)
		qsort(ret->params, ret->param_count, sizeof *ret->params, by_name);
	return e;
}

enum err target_parse(struct bytes raw, struct arena *arena, struct target *ret, const char **why)
{
	const uint8_t *mark = memchr(raw.data, '?', raw.size);
	size_t size = mark ? (size_t)(mark - raw.data) : raw.size;
	enum err e = ERR_OK;

	ret->param_count = 0;
	e = parse_path(bytes_of(raw.data, size), arena, ret, why);
	if (e == ERR_OK && mark)
		e = parse_query(bytes_of(mark + 1, raw.size - size - 1), arena, ret, why);
	return e;
}

void target_key(const struct target *t, struct buf *ret)
{
	buf_add_text(ret, t->path);
	for (size_t i = 0; i < t->param_count; i++) {
		buf_add_u8(ret, 0);
		buf_add_text(ret, t->params[i].name);
		buf_add_u8(ret, 1); /* neither can be in a decoded text */
		buf_add_text(ret, t->params[i].value);
	}
}

const char *target_param(const struct target *t, const char *name)
{
	for (size_t i = 0; i < t->param_count; i++)
		if (strcmp(t->params[i].name, name) == 0)
			return t->params[i].value;
	return NULL;
}
