#include "http/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/limits.h"

/* ---- names ---- */

/* Moves past a text; false when it is not there. */
static bool pass(const char **at, const char *text)
{
	size_t size = strlen(text);

	if (strncmp(*at, text, size) != 0)
		return false;
	*at += size;
	return true;
}

/* Moves past least … most digits. */
static bool pass_digits(const char **at, size_t least, size_t most)
{
	size_t count = strspn(*at, "0123456789");

	if (count < least || count > most)
		return false;
	*at += count;
	return true;
}

/* "26", "26-2", "PL", "PL-2", "national", and the slash behind it. */
static bool pass_log(const char **at)
{
	if (pass(at, "national"))
		return pass(at, "/");
	if (!pass(at, "PL") && !pass_digits(at, 2, 2))
		return false;
	if (pass(at, "-") && !pass_digits(at, 1, 3))
		return false;
	return pass(at, "/");
}

/* "0/x001/234" or "entries/234", and for a partial one ".p/17". */
static enum file_name tile_kind(const char *at)
{
	enum { GROUPS_MAX = 7 }; /* of three digits: more than any log has */

	if (!pass(&at, "entries/") && (!pass_digits(&at, 1, 2) || !pass(&at, "/")))
		return FILE_NONE;
	for (int i = 0; i < GROUPS_MAX && *at == 'x'; i++) {
		at++;
		if (!pass_digits(&at, 3, 3) || !pass(&at, "/"))
			return FILE_NONE;
	}
	if (!pass_digits(&at, 3, 3))
		return FILE_NONE;
	if (*at == 0)
		return FILE_SETTLED;
	return pass(&at, ".p/") && pass_digits(&at, 1, 3) && *at == 0 ? FILE_CHANGES : FILE_NONE;
}

enum file_name file_name_kind(const char *name)
{
	const char *at = name;

	if (strcmp(at, "witnesses.vkeys") == 0 || strcmp(at, "policy") == 0)
		return FILE_CHANGES;
	if (!pass_log(&at))
		return FILE_NONE;
	if (strcmp(at, "checkpoint") == 0 || strcmp(at, "log.vkey") == 0 ||
	    strcmp(at, "redacted") == 0)
		return FILE_CHANGES;
	return pass(&at, "tile/") ? tile_kind(at) : FILE_NONE;
}

/* ---- files ---- */

void files_open(struct files *f, const char *folder)
{
	f->folder_fd = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

void files_close(struct files *f)
{
	if (f->folder_fd >= 0)
		(void)close(f->folder_fd);
	f->folder_fd = -1;
}

static int open_below(int folder_fd, const char *name)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, folder_fd, name, &how, sizeof how);
}

/* An entry that is erased makes its bundle another one, even a full one; hashes stay. */
static const char *cache_control(const char *name, enum file_name kind)
{
	if (kind == FILE_CHANGES || strstr(name, "/tile/entries/"))
		return "no-cache";
	return "public, max-age=31536000, immutable";
}

enum err files_page(const struct files *f, struct door *d, const char *name, struct page **ret)
{
	enum file_name kind = file_name_kind(name);
	bool text = kind == FILE_CHANGES && !strstr(name, "/tile/");
	const struct page_draft draft = {.kind = PAGE_FILE,
					 .status = 200,
					 .type = text ? "text/plain; charset=utf-8"
						      : "application/octet-stream",
					 .cache_control = cache_control(name, kind)};
	struct stat st;
	int fd = -1;

	if (kind == FILE_NONE || f->folder_fd < 0)
		return ERR_NOT_FOUND;
	fd = open_below(f->folder_fd, name);
	if (fd < 0)
		return errno == EACCES || errno == EMFILE || errno == ENFILE ? ERR_IO
									     : ERR_NOT_FOUND;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
		(void)close(fd);
		return ERR_NOT_FOUND;
	}
	return page_of_file(d, &draft, fd, (size_t)st.st_size,
			    (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec, ret);
}
