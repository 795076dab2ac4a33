#include "server/refusals.h"

#include <stdio.h>

#include "base/log.h"

static size_t slot_of(const struct server_machine *m, struct log_name log)
{
	size_t i = 0;

	while (i < m->log_count && !log_name_equal(m->logs[i].card.log, log))
		i++;
	return i;
}

void refusals_note(struct refusals *r, const struct server_machine *m, struct log_name log,
		   enum err code, const char *text)
{
	size_t i = slot_of(m, log);

	if (i == m->log_count || i >= LOGS_MAX)
		return;
	r->last[i].code = code;
	(void)snprintf(r->last[i].text, sizeof r->last[i].text, "%s", text);
}

static void tell_log(struct refusals *r, size_t i, const struct server_log *log)
{
	for (int code = 0; code < ERR_COUNT; code++) {
		uint64_t more = log->refused[code] - r->told[i][code];
		const char *text = (int)r->last[i].code == code && r->last[i].text[0]
					   ? r->last[i].text
					   : err_text((enum err)code);

		if (more == 0)
			continue;
		r->told[i][code] = log->refused[code];
		log_line(LOG_WARN, "log %s: refused %llu message%s (%s) at size %llu: %s",
			 log->card.log.text, (unsigned long long)more, more == 1 ? "" : "s",
			 err_code((enum err)code), (unsigned long long)log->durable.size, text);
	}
}

void refusals_tell(struct refusals *r, const struct server_machine *m, uint64_t rejected)
{
	for (size_t i = 0; i < m->log_count; i++)
		tell_log(r, i, &m->logs[i]);
	for (int code = 0; code < ERR_COUNT; code++) {
		uint64_t more = m->refused_unknown[code] - r->told_unknown[code];

		if (more == 0)
			continue;
		r->told_unknown[code] = m->refused_unknown[code];
		log_line(LOG_WARN, "refused %llu message%s of peers without a log (%s): %s",
			 (unsigned long long)more, more == 1 ? "" : "s", err_code((enum err)code),
			 err_text((enum err)code));
	}
	if (rejected != r->told_rejected) {
		log_line(LOG_WARN,
			 "rejected %llu handshake%s: keys that are not enrolled or are revoked; "
			 "an office that should be heard is enrolled by `splotctl trust add`",
			 (unsigned long long)(rejected - r->told_rejected),
			 rejected - r->told_rejected == 1 ? "" : "s");
		r->told_rejected = rejected;
	}
}
