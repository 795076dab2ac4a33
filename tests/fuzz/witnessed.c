/* The file beside a node's keys that says what was witnessed (KEYS.witnessed): what is taken over
 * from it is notes with a checkpoint, each of its own origin, signed where the server is known, and
 * what is written again is read to the same. */
#include "node/node.h"

#include "fuzz.h"
#include "signers.h"
#include "store_input.h"

#include "base/log.h"

enum { PATH_BYTES = 80 };

static struct node node;
static struct fuzz_key known, other; /* of a server in the configuration, and of another one */
static char keys_path[PATH_BYTES], file_path[PATH_BYTES + 16];

static void remove_file(void)
{
	(void)unlink(file_path);
}

static void make_node(void)
{
	if (node.store)
		return;
	log_level((enum log_priority)0);
	(void)snprintf(keys_path, sizeof keys_path, "%s/splot-fuzz-node-%d",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
	(void)snprintf(file_path, sizeof file_path, "%s.witnessed", keys_path);
	ALWAYS(atexit(remove_file) == 0);
	node.settings.keys = keys_path;
	node.store = store_input();
	node.log.name = (struct log_name){"26"};
	ALWAYS(store_table(node.store, "witnessed", true, &node.witnessed) == ERR_OK);
	ALWAYS(store_table(node.store, "cards", true, &node.cards) == ERR_OK);
	fuzz_log_key(&known, "national/a", 1);
	fuzz_log_key(&other, "national/b/2", 2);
	node.settings.server_count = 1;
	node.settings.servers[0].card.log_key = known.signer.key;
}

static void forget(void)
{
	struct txn *t = NULL;

	ALWAYS(txn_begin(node.store, true, &t) == ERR_OK);
	ALWAYS(txn_clear(t, node.witnessed) == ERR_OK && txn_commit(t) == ERR_OK);
}

/* Every row in order, behind its sizes; `ret_origin`: of the last one. */
static size_t rows(struct buf *ret, char ret_origin[static ORIGIN_BYTES_MAX + 1],
		   struct buf *ret_note)
{
	struct txn *t = NULL;
	struct scan *scan = NULL;
	struct bytes key, value;
	size_t count = 0;

	ALWAYS(txn_begin(node.store, false, &t) == ERR_OK);
	ALWAYS(scan_open(t, node.witnessed, &scan) == ERR_OK);
	for (; scan_next(scan, &key, &value) == ERR_OK; count++) {
		struct checkpoint c;

		ALWAYS(log_note_read(value, &c) == ERR_OK);
		ALWAYS(bytes_equal(key, bytes_of_text(c.origin)));
		if (strcmp(c.origin, known.signer.key.name) == 0)
			ALWAYS(checkpoint_open(value, &known.signer.key, &c) == ERR_OK);
		buf_add_u32be(ret, (uint32_t)value.size);
		buf_add_bytes(ret, value);
		memcpy(ret_origin, c.origin, sizeof c.origin);
		buf_clear(ret_note);
		buf_add_bytes(ret_note, value);
	}
	scan_close(scan);
	txn_abort(t);
	return count;
}

static void again(void)
{
	struct buf before = {.data = NULL};
	struct buf after = {.data = NULL};
	struct buf note = {.data = NULL};
	char origin[ORIGIN_BYTES_MAX + 1] = "";

	if (rows(&before, origin, &note) > 0) {
		ALWAYS(witnessed_write_down(&node, origin, buf_bytes(&note)) == ERR_OK);
		forget();
		ALWAYS(witnessed_recall(&node) == ERR_OK);
		(void)rows(&after, origin, &note);
		ALWAYS(bytes_equal(fuzz_done(&before), fuzz_done(&after)));
	}
	buf_free(&before);
	buf_free(&after);
	buf_free(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f = NULL;
	enum err e = ERR_OK;

	make_node();
	f = fopen(file_path, "wb");
	ALWAYS(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
	e = witnessed_recall(&node);
	if (e == ERR_OK)
		again();
	else
		ALWAYS(e == ERR_DECODE || e == ERR_LIMIT || e == ERR_UNKNOWN_KEY ||
		       e == ERR_SIGNATURE || e == ERR_ENCODING);
	forget();
	return 0;
}

static void add(struct seeds *to, const char *name, const struct buf *notes, size_t count)
{
	struct buf file = {.data = NULL};

	for (size_t i = 0; i < count; i++) {
		buf_printf(&file, "%zu\n", notes[i].size);
		buf_add_bytes(&file, buf_bytes(&notes[i]));
	}
	seed_add(to, name, fuzz_done(&file));
	buf_free(&file);
}

void fuzz_seeds(struct seeds *to)
{
	struct buf notes[4] = {{.data = NULL}};

	make_node();
	fuzz_checkpoint(&known, 3, hash_empty(), &notes[0]);
	fuzz_checkpoint(&other, 9, hash_empty(), &notes[1]);
	fuzz_checkpoint(&known, 7, hash_empty(), &notes[2]);
	fuzz_checkpoint(&known, 5, hash_empty(), &notes[3]);
	add(to, "nothing", notes, 0);
	add(to, "one", notes, 1);
	add(to, "two", notes, 2);
	add(to, "newer-and-older", notes, 4);
	seed_add(to, "no-note", bytes_of_text("3\nabc"));
	for (size_t i = 0; i < 4; i++)
		buf_free(&notes[i]);
}
