/* Whatever a peer says changes nothing of another's log, nothing of one that was frozen or revoked,
 * and nothing at all when it is unwelcome. */
#include <string.h>

#include "checks.h"

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
	ret->shut = p->node != STRANGER && s->hearing[world_log_of(s->w, p->node)] != HEARING_OPEN;
	ret->count = 0;
	if (!ret->unwelcome && !p->hostile)
		return;
	ret->count = s->machine.log_count;
	for (size_t i = 0; i < ret->count; i++)
		copy(&s->machine.logs[i], &ret->logs[i]);
}

/* ---- credit ---- */

static bool is_harmless(const struct server_action *a)
{
	return a->kind == SERVER_SEND && a->header.kind == WIRE_REFUSED;
}

/* A commit is looked at, if only to find that it does not fit, when there was credit for it. */
static bool was_looked_at(const struct server_host *s)
{
	for (size_t i = 0; i < s->update.count; i++) {
		const struct server_action *a = &s->update.actions[i];

		if (a->kind == SERVER_APPEND || (is_harmless(a) && a->header.code == ERR_GAP))
			return true;
	}
	return false;
}

static void check_credit(struct server_host *s, const struct packet *p)
{
	uint64_t *taken = &s->w->hostile.taken[s->number];

	if (!p->hostile || p->node == STRANGER || p->frame_count < 3 || !was_looked_at(s))
		return;
	*taken += commit_frames_size(p->frames + 2, p->frame_count - 2);
	if (*taken > CREDIT)
		world_fail(s->w, "server %u takes more bytes than it granted", s->number);
}

/* ---- logs that are not to be heard ---- */

static void check_append(struct server_host *s, const struct packet *p, const struct before *before)
{
	if (before->shut)
		world_fail(s->w, "server %u takes events of log %s, which was frozen or revoked",
			   s->number, s->w->nodes[p->node].name.text);
	if (p->lies)
		world_fail(s->w, "server %u takes events that do not give the root that was signed",
			   s->number);
}

void check_turn(struct server_host *s, bool stored)
{
	for (unsigned i = 0; i < LOGS; i++) {
		if (s->hearing[i] == HEARING_CLOSES)
			s->hearing[i] = stored ? HEARING_SHUT : HEARING_OPEN;
	}
}

/* Whoever dies releasing it may have done so. */
void check_act_begins(struct server_host *s, const struct act *a)
{
	if (a->kind == ACT_RELEASE && s->hearing[a->log] == HEARING_SHUT)
		s->hearing[a->log] = HEARING_CLOSES;
}

void check_act(struct server_host *s, const struct act *a, enum err e)
{
	bool unknown = memstore_died(s->disk) || e == ERR_SYNC;

	if (a->kind == ACT_RELEASE)
		check_turn(s, e != ERR_OK && !unknown);
	else if ((a->kind == ACT_FREEZE || a->kind == ACT_REVOKE) && e == ERR_OK)
		s->hearing[a->log] = HEARING_SHUT;
}

void check_after(struct server_host *s, const struct packet *p, const struct before *before)
{
	struct world *w = s->w;
	struct server_log now;
	struct log_name own = p->node == STRANGER ? (struct log_name){""} : w->nodes[p->node].name;

	w->tally.unwelcome += before->unwelcome;
	check_credit(s, p);
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
		else if (a->kind == SERVER_APPEND)
			check_append(s, p, before);
		else if (a->kind == SERVER_FREEZE && p->node != STRANGER)
			s->hearing[world_log_of(w, p->node)] = HEARING_CLOSES;
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
