/* Whatever a peer says changes nothing of another's log, and nothing at all when it is unwelcome.
 */
#include <string.h>

#include "world.h"

static bool is_unwelcome(struct server_host *s, const struct packet *p)
{
	const struct server_log *log = NULL;

	if (p->node == STRANGER)
		return true;
	log = server_machine_log(&s->machine, s->w->nodes[p->node].name);
	return !log || log->state == LOG_REVOKED;
}

/* How often somebody spoke and was refused is counted, also of who is unwelcome: no matter here. */
static void copy(const struct server_log *from, struct server_log *to)
{
	memcpy(to, from, sizeof(*to));
	memset(to->refused, 0, sizeof(to->refused));
	memset(&to->messages, 0, sizeof(to->messages));
	memset(&to->bytes, 0, sizeof(to->bytes));
	memset(&to->hellos, 0, sizeof(to->hellos));
	memset(&to->refusals, 0, sizeof(to->refusals));
	memset(&to->handshakes, 0, sizeof(to->handshakes));
}

void check_before(struct server_host *s, const struct packet *p, struct before *ret)
{
	ret->unwelcome = is_unwelcome(s, p);
	ret->count = 0;
	if (!ret->unwelcome && !p->hostile)
		return;
	ret->count = s->machine.log_count;
	for (size_t i = 0; i < ret->count; i++)
		copy(&s->machine.logs[i], &ret->logs[i]);
}

static bool is_harmless(const struct server_action *a)
{
	return a->kind == SERVER_SEND && a->header.kind == WIRE_REFUSED;
}

void check_after(struct server_host *s, const struct packet *p, const struct before *before)
{
	struct world *w = s->w;
	struct server_log now;
	struct log_name own = p->node == STRANGER ? (struct log_name){""} : w->nodes[p->node].name;

	w->tally.unwelcome += before->unwelcome;
	for (size_t i = 0; i < s->update.count; i++) {
		const struct server_action *a = &s->update.actions[i];

		if (before->unwelcome && !is_harmless(a))
			world_fail(w, "server %u does something for a peer that is unwelcome",
				   s->number);
		if ((a->kind == SERVER_APPEND || a->kind == SERVER_FREEZE ||
		     a->kind == SERVER_COSIGNED) &&
		    !log_name_equal(a->log, own))
			world_fail(w, "server %u: a peer changes log %s, and is not its node",
				   s->number, a->log.text);
	}
	for (size_t i = 0; i < before->count; i++) {
		if (!before->unwelcome && log_name_equal(before->logs[i].card.log, own))
			continue;
		copy(&s->machine.logs[i], &now);
		if (!bytes_equal(bytes_of(&now, sizeof(now)),
				 bytes_of(&before->logs[i], sizeof(now))))
			world_fail(w, "server %u: what a peer said changed log %s", s->number,
				   now.card.log.text);
	}
}
