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

enum err source_origin_log(struct bytes origin, struct bytes *ret_realm, struct log_name *ret,
			   bool *ret_witness)
{
	struct origin_parts o;
	enum err e = origin_parse(origin, &o);

	if (e != ERR_OK)
		return e;
	*ret_realm = bytes_of(origin.data, strlen(o.realm));
	*ret = o.log;
	*ret_witness = o.kind == ORIGIN_WITNESS;
	return ERR_OK;
}
