/* Proof files of single events, made from the exported logs. */
#include <stdio.h>
#include <string.h>

#include "api/endpoints.h"
#include "api/pieces.h"
#include "api/request.h"
#include "audit/prove.h"

/* How a log is written in a path: as its folder in the export. */
static bool parse_log(const char *text, struct log_name *ret)
{
	return text && source_folder_log(text, ret) == ERR_OK &&
	       log_name_region(*ret) != REGION_NONE;
}

/* What a proof that could not be made is answered with. */
static enum err refuse(struct api_answer *ret, enum err e, const char *log, uint64_t index,
		       bool national)
{
	const unsigned long long n = (unsigned long long)index;
	char text[TEXT_BYTES_MAX];

	if (e == ERR_REDACTED) {
		(void)snprintf(text, sizeof text,
			       "Event %llu of the log %s was erased by an act of the national log.",
			       n, log);
		return api_problem(ret, 410, "Gone", text,
				   "Its hash is still in the tree: see redacted and the tiles of "
				   "the log.");
	}
	if (e == ERR_NOT_FOUND && national)
		return problem_missing(
			ret, "Ask again in a minute: the exported logs are a little behind.",
			"The exported national log does not cover event %llu of the log %s yet.", n,
			log);
	if (e == ERR_NOT_FOUND)
		return problem_missing(
			ret, "Ask again in a minute: the exported logs are a little behind.",
			"Event %llu of the log %s is not exported, or not yet.", n, log);
	if (e == ERR_NOMEM)
		return e;
	(void)snprintf(text, sizeof text, "The exported log %s cannot be read: %s.", log,
		       err_text(e));
	return api_problem(ret, 503, "Service Unavailable", text,
			   "Ask again in a minute. If it stays so, tell who runs this site.");
}

/* The second file proves the checkpoint that the first one stands under: that of `size`, or where
 * that is 0, the one that the first file would have now. */
static enum err prove(struct source *s, struct log_name log, uint64_t index, bool national,
		      uint64_t size, struct buf *ret)
{
	struct proved proved = {.under = {.size = size}};
	struct buf first = {.data = NULL};
	enum err e = ERR_OK;

	if (!national || !size)
		e = prove_event(s, log, index, &first, &proved);
	if (e == ERR_OK && national)
		e = prove_accepted(s, log, proved.under.size, ret, &proved);
	else if (e == ERR_OK)
		buf_add_bytes(ret, buf_bytes(&first));
	buf_free(&first);
	return e == ERR_OK ? buf_check(ret) : e;
}

static enum err answer_proof(const struct api_context *x, struct log_name log, uint64_t index,
			     bool national, uint64_t size, struct api_answer *ret)
{
	struct source source = {.ops = NULL};
	char folder[LOG_NAME_BYTES];
	enum err e = source_open_export(x->export_folder, &source);

	source_folder_name(log, folder);
	if (e == ERR_OK)
		e = prove(&source, log, index, national, size, ret->body);
	source_close(&source);
	if (e != ERR_OK)
		return refuse(ret, e, log.text, index, national);
	ret->status = 200;
	ret->type = "text/plain; charset=utf-8";
	ret->live = true;
	(void)snprintf(ret->filename, sizeof ret->filename, "splot-%s-%llu%s.tlog-proof", folder,
		       (unsigned long long)index, national ? ".national" : "");
	return ERR_OK;
}

enum err endpoint_proof(const struct api_context *x, const struct api_request *rq,
			struct api_answer *ret)
{
	const char *text = request_segment_text(x, rq, 1);
	const char *national = request_param(rq, "national");
	const char *size_text = request_param(rq, "size");
	struct log_name log;
	uint64_t index = 0;
	uint64_t size = 0;

	if (!x->export_folder)
		return problem_missing(ret, "Ask who runs this site for the exported logs.",
				       "The logs are not served here.");
	if (!parse_log(text, &log) || !number_parse(request_segment(rq, 3), &index))
		return problem_missing(ret,
				       "A proof is at " API_ROOT "/logs/26/proof/INDEX, with the "
				       "log and index of a version.",
				       "There is nothing at %s.", rq->path);
	if (national && strcmp(national, "1") != 0)
		return problem_invalid(ret, "Give national=1, or leave it away.",
				       "national=%s is not allowed.", national);
	if (size_text &&
	    (!national || !number_parse(bytes_of_text(size_text), &size) || size <= index))
		return problem_invalid(ret,
				       "Give the size that the checkpoint in the first file says, "
				       "with national=1.",
				       "size=%s is no checkpoint's that covers event %llu.",
				       size_text, (unsigned long long)index);
	return answer_proof(x, log, index, national != NULL, size, ret);
}
