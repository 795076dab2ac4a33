/* Follows a view from another process, as programs that show it do, and prints a line of JSON for
 * each status that the daemon puts there, and for each opening and closing of the store.
 *
 *     splot-told FOLDER once      the present status; 1 when there is none
 *     splot-told FOLDER follow    each new one, until it is ended
 *
 * Only the read-only opening is used.  A status that says "rewriting" closes the store until the
 * files are others or some seconds have passed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/store.h"
#include "ledger/view.h"
#include "model/control.h"
#include "model/json.h"

enum { MISUSED = 2, TICK_MS = 10, PATIENCE_MS = 5000 };

struct told {
	const char *folder;
	struct store *store;
	struct view view;
	uint64_t stamp, written_ms;
	ino_t inode;      /* of the store that was closed */
	int64_t again_ms; /* when it is opened again anyhow */
	struct arena arena;
	struct buf line;
};

static void print(struct told *w)
{
	buf_add_text(&w->line, "\n");
	(void)fwrite(w->line.data, 1, w->line.size, stdout);
	(void)fflush(stdout);
	buf_clear(&w->line);
}

static void print_event(struct told *w, const char *what)
{
	struct json j = json_to(&w->line);

	json_open(&j, '{');
	json_field_text(&j, "event", what);
	json_field_int(&j, "now_ms", wall_now().ms);
	json_close(&j, '}');
	print(w);
}

static void print_peers(struct json *j, const struct control_reply *r)
{
	json_key(j, "peers");
	json_open(j, '[');
	for (size_t i = 0; i < r->peer_count; i++) {
		json_open(j, '{');
		json_field_text(j, "name", r->peers[i].name);
		json_field_text(j, "state", r->peers[i].state);
		json_field_uint(j, "size", r->peers[i].size);
		json_key(j, "checkpoint");
		json_bytes_text(j, r->peers[i].checkpoint);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void print_histograms(struct json *j, const struct control_reply *r)
{
	json_key(j, "histograms");
	json_open(j, '{');
	for (size_t i = 0; i < r->histogram_count; i++) {
		uint64_t count = 0;

		for (size_t k = 0; k <= r->histograms[i].bound_count; k++)
			count += r->histograms[i].counts[k];
		json_field_uint(j, r->histograms[i].name, count);
	}
	json_close(j, '}');
}

static void print_status(struct told *w, const struct control_reply *r, uint64_t position)
{
	struct json j = json_to(&w->line);

	json_open(&j, '{');
	json_field_text(&j, "role", r->role);
	json_field_text(&j, "state", r->state);
	json_field_text(&j, "verified", r->verified);
	json_field_uint(&j, "size", r->size);
	json_field_uint(&j, "position", position);
	json_field_uint(&j, "written_ms", r->written_ms);
	json_field_uint(&j, "interval_ms", r->interval_ms);
	json_field_int(&j, "now_ms", wall_now().ms);
	json_field_bool(&j, "quorum", r->quorum);
	json_field_uint(&j, "witnesses", r->witness_count);
	json_field_uint(&j, "refusals", r->refusal_count);
	json_key(&j, "checkpoint");
	json_bytes_text(&j, r->checkpoint);
	print_peers(&j, r);
	print_histograms(&j, r);
	json_close(&j, '}');
	print(w);
}

static enum err read_status(struct told *w, struct control_reply *ret, uint64_t *ret_position)
{
	struct txn *t = NULL;
	struct bytes raw = {NULL, 0};
	enum err e = txn_begin(w->store, false, &t);

	arena_reset(&w->arena);
	if (e == ERR_OK)
		e = view_status(&w->view, t, &raw);
	if (e == ERR_OK)
		e = control_reply_decode(raw, &w->arena, ret);
	if (e == ERR_OK)
		e = view_position(&w->view, t, ret_position);
	txn_abort(t);
	return e;
}

static ino_t inode_of(const struct told *w)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/data.mdb", w->folder);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static enum err open_view(struct told *w)
{
	const struct store_options options = {.read_only = true};
	enum err e = store_open(w->folder, &options, &w->store);

	if (e == ERR_OK)
		e = view_open(w->store, false, &w->view);
	if (e == ERR_OK)
		return ERR_OK;
	store_close(w->store);
	w->store = NULL;
	return e;
}

static void close_view(struct told *w, const char *why)
{
	w->inode = inode_of(w);
	w->again_ms = mono_now().ms + PATIENCE_MS;
	store_close(w->store);
	w->store = NULL;
	w->stamp = 0;
	print_event(w, why);
}

static void look(struct told *w)
{
	struct control_reply status;
	uint64_t position = 0;
	uint64_t stamp = 0;

	if (store_replaced(w->store)) {
		close_view(w, "replaced");
		w->inode = 0;
		return;
	}
	stamp = store_stamp(w->store);
	if (stamp == w->stamp)
		return;
	w->stamp = stamp;
	if (read_status(w, &status, &position) != ERR_OK || status.written_ms == w->written_ms)
		return;
	w->written_ms = status.written_ms;
	print_status(w, &status, position);
	if (strcmp(status.state, "rewriting") == 0)
		close_view(w, "closed");
}

static void follow(struct told *w)
{
	const struct timespec tick = {.tv_nsec = TICK_MS * 1000L * 1000L};

	for (;;) {
		if (w->store)
			look(w);
		else if ((inode_of(w) != w->inode || mono_now().ms >= w->again_ms) &&
			 open_view(w) == ERR_OK)
			print_event(w, "opened");
		(void)nanosleep(&tick, NULL);
	}
}

int main(int argc, char **argv)
{
	struct told told = {.folder = argc > 1 ? argv[1] : ""};
	struct control_reply status;
	uint64_t position = 0;
	enum err e = ERR_OK;

	if (argc != 3 || (strcmp(argv[2], "once") != 0 && strcmp(argv[2], "follow") != 0)) {
		(void)fputs("splot-told FOLDER once|follow\n", stderr);
		return MISUSED;
	}
	if (strcmp(argv[2], "follow") == 0)
		follow(&told);
	e = open_view(&told);
	if (e == ERR_OK)
		e = read_status(&told, &status, &position);
	if (e == ERR_OK)
		print_status(&told, &status, position);
	else
		(void)fprintf(stderr, "splot-told: %s: %s\n", argv[1], err_text(e));
	store_close(told.store);
	arena_free(&told.arena);
	buf_free(&told.line);
	return e == ERR_OK ? 0 : 1;
}
