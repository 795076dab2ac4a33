/* Whose site this is: what its configuration says, and whose register it shows. */
#include <string.h>

#include "api/endpoints.h"
#include "api/pieces.h"

static void write_texts(struct json *j, const struct api_context *x)
{
	json_key(j, "texts");
	json_open(j, '{');
	for (size_t i = 0; i < x->site_count; i++) {
		json_text(j, x->site[i].name); /* a key of somebody else's: escaped */
		buf_add_u8(j->out, ':');
		j->after_key = true;
		if (*x->site[i].value)
			json_text(j, x->site[i].value);
		else
			json_null(j);
	}
	json_close(j, '}');
}

/* At a node: its own region. */
static const char *own_region(const struct control_reply *status)
{
	struct log_name log;
	int region = REGION_NONE;

	if (status && strcmp(status->role, "node") == 0 &&
	    log_name_parse(bytes_of_text(status->identity), &log) == ERR_OK)
		region = log_name_region(log);
	return region == REGION_NONE ? "" : region_at(region)->code;
}

enum err endpoint_site(const struct api_context *x, const struct api_request *rq,
		       struct api_answer *ret)
{
	struct json j = json_to(ret->body);

	(void)rq;
	ret->status = 200;
	ret->type = "application/json";
	ret->live = true;
	json_open(&j, '{');
	write_texts(&j, x);
	write_or_null(&j, "role", x->status ? x->status->role : "");
	write_or_null(&j, "identity", x->status ? x->status->identity : "");
	write_or_null(&j, "realm", x->status ? x->status->realm : "");
	write_or_null(&j, "region", own_region(x->status));
	json_key(&j, "languages");
	json_open(&j, '[');
	json_text(&j, "pl");
	json_text(&j, "en");
	json_close(&j, ']');
	json_field_text(&j, "version", SPLOT_VERSION);
	json_field_bool(&j, "export", x->export_folder != NULL);
	json_field_bool(&j, "terc", x->powiats != NULL);
	return answer_end(&j, ret);
}
