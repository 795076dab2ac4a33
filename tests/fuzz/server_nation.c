#include "server_nation.h"

struct nation nation = {.names = {"26", "24", "26/2", "PL"}};

struct history *nation_history(size_t log)
{
	return &nation.histories[(const int[]){0, 2, 3, 4}[log]];
}

static void make_roots(void)
{
	struct tree t;

	tree_init(&t);
	nation.roots[0] = tree_root(&t);
	for (size_t i = 0; i < NATION_MAX; i++) {
		tree_append(&t, hash_leaf(bytes_of(&i, sizeof i)));
		nation.roots[i + 1] = tree_root(&t);
	}
}

static void make_keys(void)
{
	fuzz_log_key(&nation.key, "national/a", 90);
	fuzz_log_key(&nation.stranger, "region/26", 91);
	fuzz_log_key(&nation.next_key, "region/26", 92);
	for (uint8_t i = 0; i < LOGS; i++) {
		char path[32];

		(void)snprintf(path, sizeof path, "region/%s", nation.names[i]);
		fuzz_log_key(&nation.log_keys[i], path, (uint8_t)(1 + i));
		(void)snprintf(path, sizeof path, "witness/%s", nation.names[i]);
		fuzz_log_key(&nation.witness_keys[i], path, (uint8_t)(50 + i));
	}
}

static void make_histories(void)
{
	struct card next;
	struct buf note = {.data = NULL};

	for (size_t i = 0; i < HISTORIES; i++)
		history_begin(&nation.histories[i],
			      nation.names[(const int[]){0, 0, 1, 2, 3, 1}[i]],
			      &nation.log_keys[(const int[]){0, 0, 1, 2, 3, 1}[i]]);
	for (size_t i = 0; i < LOGS; i++)
		history_card(nation_history(i), &nation.log_keys[i], &nation.witness_keys[i],
			     (uint8_t)i, &nation.cards[i]);
	history_grow(&nation.histories[0], 5, "common");
	history_grow(&nation.histories[1], 5, "common");
	history_grow(&nation.histories[0], 5, "first");
	history_grow(&nation.histories[1], 20, "second");
	history_card(&nation.histories[0], &nation.next_key, &nation.witness_keys[0], 0, &next);
	history_rotate(&nation.histories[0], &nation.next_key, &next);
	history_grow(&nation.histories[0], 10, "later");
	history_grow(&nation.histories[2], 20, "first");
	history_note(&nation.histories[0], 8, &note);
	history_add(&nation.histories[3], (struct event){.reason = "anew",
							 .act = EVENT_CONTINUES,
							 .old_log = nation.histories[0].log,
							 .old_size = 8,
							 .document = fuzz_done(&note)});
	history_grow(&nation.histories[3], 5, "anew");
	history_grow(&nation.histories[4], 5, "ministry");
	history_grow(&nation.histories[5], 2, "first");
	history_add_raw(&nation.histories[5], bytes_of_text("no event"));
	history_add_raw(&nation.histories[5], buf_bytes(&nation.histories[0].events[0]));
	history_add_raw(&nation.histories[5], buf_bytes(&nation.histories[3].events[0]));
	buf_free(&note);
}

void nation_make(void)
{
	static bool made;

	if (made)
		return;
	made = true;
	make_roots();
	make_keys();
	make_histories();
}
