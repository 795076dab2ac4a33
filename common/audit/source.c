#include "audit/source.h"

#include <string.h>

void source_close(struct source *s)
{
	if (!s || !s->ops)
		return;
	s->ops->close(s);
	memset(s, 0, sizeof *s);
}

enum err source_open(const char *folder, struct source *ret)
{
	enum err e = source_open_store(folder, ret);

	return e == ERR_NOT_FOUND ? source_open_export(folder, ret) : e;
}

/* ---- names ---- */

void source_folder_name(struct log_name log, char ret[static LOG_NAME_BYTES])
{
	memcpy(ret, log.text, LOG_NAME_BYTES);
	for (size_t i = 0; i < LOG_NAME_BYTES; i++)
		if (ret[i] == '/')
			ret[i] = '-';
}

enum err source_folder_log(const char *folder, struct log_name *ret)
{
	char text[LOG_NAME_BYTES];
	size_t size = strlen(folder);

	if (size >= sizeof text || memchr(folder, '/', size))
		return ERR_INVALID;
	memcpy(text, folder, size + 1);
	for (size_t i = 0; i < size; i++)
		if (text[i] == '-')
			text[i] = '/';
	return log_name_parse(bytes_of(text, size), ret);
}

/* What stands behind the last `part` of `name`; false when it is not in it. */
static bool cut_behind(struct bytes name, const char *part, struct bytes *ret_realm,
		       struct bytes *ret_rest)
{
	size_t size = strlen(part);

	for (size_t i = name.size; i > size; i--) {
		if (memcmp(name.data + i - size, part, size) != 0)
			continue;
		*ret_realm = bytes_of(name.data, i - size);
		*ret_rest = bytes_of(name.data + i, name.size - i);
		return ret_realm->size > 0 && ret_rest->size > 0;
	}
	return false;
}

enum err source_origin_log(struct bytes origin, struct bytes *ret_realm, struct log_name *ret,
			   bool *ret_witness)
{
	struct bytes realm = {NULL, 0};
	struct bytes rest = {NULL, 0};
	struct log_name log = {""};
	bool witness = false;

	if (cut_behind(origin, "/national/", &realm, &rest)) {
		rest = bytes_of_text("national");
	} else {
		witness = cut_behind(origin, "/witness/", &realm, &rest);
		if (!witness && !cut_behind(origin, "/region/", &realm, &rest))
			return ERR_INVALID;
		if (bytes_equal(rest, bytes_of_text("national")))
			return ERR_INVALID;
	}
	if (log_name_parse(rest, &log) != ERR_OK)
		return ERR_INVALID;
	*ret_realm = realm;
	*ret = log;
	*ret_witness = witness;
	return ERR_OK;
}
