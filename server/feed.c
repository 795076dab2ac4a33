#include "server/feed.h"

#include "base/log.h"
#include "model/wire.h"
#include "server/bundles.h"

enum { FEED_FRAMES_MAX = 3 + COMMIT_FRAMES_MAX };

enum err feed_open(struct feed *f, struct network *n, const char *bind, const struct curve *curve)
{
	*f = (struct feed){.network = n, .bind = bind, .curve = *curve};
	return bind ? endpoint_publisher(n, bind, curve, &f->publisher) : ERR_OK;
}

void feed_close(struct feed *f)
{
	endpoint_close(f->publisher);
	f->publisher = NULL;
	arena_free(&f->arena);
	buf_free(&f->header);
}

static enum err publish_entry(struct feed *f, struct archive *a, struct txn *read, uint64_t index)
{
	struct wire_header header = {.kind = WIRE_FEED, .index = index};
	struct bundles bundles = {.count = 0};
	struct bytes frames[FEED_FRAMES_MAX];
	struct bytes raw = {NULL, 0};
	struct national_entry entry;
	const struct log *log = NULL;
	size_t count = 3;
	enum err e = log_event(a->national, read, index, &raw);

	arena_reset(&f->arena);
	if (e == ERR_OK)
		e = national_decode(raw, &f->arena, &entry);
	if (e == ERR_OK && entry.kind == NATIONAL_ACCEPTED) {
		header.log = entry.log;
		header.from = entry.from;
		header.count = (uint32_t)(entry.size - entry.from);
		log = archive_log(a, entry.log);
		e = log ? bundles_read(&bundles, log, read, entry.from, header.count)
			: ERR_INTERNAL;
	}
	buf_clear(&f->header);
	if (e == ERR_OK)
		e = wire_encode(&header, &f->header);
	if (bundles.bytes.size > FEED_EVENTS_BYTES_MAX)
		bundles_free(&bundles); /* what a slow reader holds in memory stays small */
	if (e == ERR_OK) {
		frames[0] = buf_bytes(&f->header);
		frames[1] = buf_bytes(&a->note);
		frames[2] = raw;
		count += bundles_frames(&bundles, frames + 3);
		e = endpoint_send(f->publisher, bytes_of("", 0), frames, count);
	}
	bundles_free(&bundles);
	return e == ERR_AGAIN || e == ERR_CLOSED ? ERR_OK : e; /* readers notice the gap */
}

enum err feed_publish(struct feed *f, struct archive *a, uint64_t from)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	if (!f->publisher || from == a->size || !endpoint_wanted(f->publisher))
		return ERR_OK;
	e = txn_begin(a->store, false, &read);
	for (uint64_t i = from; i < a->size && e == ERR_OK; i++)
		e = publish_entry(f, a, read, i);
	txn_abort(read);
	return e;
}

void feed_rebind(struct feed *f)
{
	if (!f->publisher)
		return;
	if (endpoint_rebind(f->publisher, &f->curve) == ERR_OK)
		return;
	endpoint_close(f->publisher);
	f->publisher = NULL; /* nobody hears it rather than a revoked key; feed_tick goes on */
}

void feed_tick(struct feed *f)
{
	enum err e = ERR_OK;

	if (!f->bind || f->publisher)
		return;
	e = endpoint_publisher(f->network, f->bind, &f->curve, &f->publisher);
	if (e != ERR_OK)
		log_line(LOG_DEBUG, "feed: %s is not free yet (%s); tried again in a second",
			 f->bind, err_text(e));
}
