/* The body of the targets of configuration files: each names its program's settings and seeds.  Two
 * files can be named in a configuration: descriptors 101 (a server's card) and 102 (a table of
 * TERYT codes). */
#ifndef SPLOT_TESTS_FUZZ_CONFIG_BODY_H
#define SPLOT_TESTS_FUZZ_CONFIG_BODY_H

#include "file_input.h"
#include "fuzz.h"

#include "base/log.h"

enum { CONFIG_FD = 100, CARD_FD, TERC_FD };

static void config_check(const struct settings *s);
/* Makes the files that are named. */
static void config_files(void);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings s;
	char why[WHY_BYTES] = "";
	enum err e = ERR_OK;

	log_level((enum log_priority)0);
	config_files();
	memset(&s, 0, sizeof s);
	e = settings_load(file_input(CONFIG_FD, bytes_of(data, size)), &s, why);
	if (e == ERR_OK) {
		config_check(&s);
		settings_free(&s);
		return 0;
	}
	ALWAYS(e == ERR_CONFIG || e == ERR_LIMIT);
	ALWAYS(*why && strnlen(why, sizeof why) < sizeof why);
	return 0;
}

static inline void config_terc(void)
{
	(void)file_input(TERC_FD, bytes_of_text("teryt,name\n2661,Kielce\n2661011,x\n"));
}

#endif
