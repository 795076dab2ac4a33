/* Records and events as the programs make them, for seeds. */
#ifndef SPLOT_TESTS_FUZZ_SAMPLES_H
#define SPLOT_TESTS_FUZZ_SAMPLES_H

#include "fuzz.h"

#include "model/event.h"

static inline struct record *sample_record(struct arena *arena, enum record_kind kind,
					   const char *id)
{
	struct record *r = record_new(arena, kind);
	static const char *const values[][2] = {
		{"name", "Centrum \xc5\x81\xc4\x85ka"},
		{"kind", "CIS"},
		{"region", "26"},
		{"teryt4", "2661"},
		{"nip", "5252344078"},
		{"regon", "012100784"},
		{"krs", "0000012345"},
		{"as_of", "2026-11"},
		{"measure", "active_count"},
		{"value", "17"},
		{"postcode", "25-001"},
		{"network_id", "pl26-net-a"},
		{"entity_id", "pl26-cis-a"},
		{"operator_id", "pl26-op-a"},
	};

	ALWAYS(r);
	ALWAYS(record_set(r, arena, 0, bytes_of_text(id)) == ERR_OK);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		int field = field_named(kind_of(kind), values[i][0]);

		if (field > 0)
			ALWAYS(record_set(r, arena, (size_t)field, bytes_of_text(values[i][1])) ==
			       ERR_OK);
	}
	return r;
}

/* One change of each kind, the last one a retirement. */
enum { SAMPLE_CHANGES = 6 };
static inline struct event sample_event(struct arena *arena)
{
	static const char *const ids[] = {"pl26-op-a",           "pl26-cis-a",
					  "pl26-net-a",          "pl26-net-a--pl26-cis-a",
					  "st-26-2026-11-count", "pl26-kis-old"};
	struct change *changes = arena_alloc(arena, SAMPLE_CHANGES * sizeof *changes);

	ALWAYS(changes);
	for (size_t i = 0; i < SAMPLE_CHANGES; i++) {
		enum record_kind kind = (enum record_kind)(RECORD_KIND_FIRST + (int)i);

		changes[i] = (struct change){
			.id = ids[i], .kind = kind, .has_supersedes = i % 2 == 1, .supersedes = i};
		if (i + 1 < SAMPLE_CHANGES)
			changes[i].record = sample_record(arena, kind, ids[i]);
	}
	changes[SAMPLE_CHANGES - 1].kind = RECORD_ENTITY;
	changes[SAMPLE_CHANGES - 1].retired = true;
	return (struct event){.recorded = {1764000000000},
			      .editor = "e07",
			      .reason = "Zmiana adresu",
			      .source = "DPS.12.2026",
			      .change_count = SAMPLE_CHANGES,
			      .changes = changes};
}

#endif
