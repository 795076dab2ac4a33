/* What the parts of the preload shim share: see powerloss.c. */
#ifndef SPLOT_FAULTS_POWERLOSS_H
#define SPLOT_FAULTS_POWERLOSS_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* POSIX says that dlsym's pointer may be called; ISO C has no word for it. */
#define NEXT(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

enum power_op { OP_WRITE, OP_META, OP_SYNC, OP_RENAME, OP_CREATE };

/* The program that it is loaded into has names of its own. */
#pragma GCC visibility push(hidden)

extern const char *power_journal, *power_rules; /* NULL: none */

_Noreturn void power_die(const char *what, const char *detail);

/* What is to become of this call: nothing (NULL), or the word of a rule.  Under the lock. */
const char *power_fate(enum power_op op, const char *path);
/* Sets errno; true when the call is to fail. */
bool power_fails(const char *what);

/* Notes what stands in [at, at + size) of this file, and how long the file is. */
void power_note(const char *path, int fd, uint64_t at, uint64_t size);
/* How long the notes of this file are (fd < 0: those of names). */
off_t power_noted(int fd);
/* What this file's notes from `from` to `to` tell of is on the disk. */
void power_end_notes(int fd, off_t from, off_t to);
void power_note_name(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Another name for a file that loses its own; "-" when there is none. */
void power_keep(const char *path, char ret[static 64]);

#pragma GCC visibility pop

#endif
