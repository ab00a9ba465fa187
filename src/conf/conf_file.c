/* SPDX-License-Identifier: Apache-2.0 */
/* Paths are simplified by their text alone, as the reference does it: "a/../b" is "b" even where
 * "a" is a link. */
#include "conf/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_error.h"

#define READ_BYTES 16384u

/* Takes the last name off a path, "a/b" to "a". False: there is none that can be taken. */
static bool remove_name(struct buf *path)
{
    const char *slash = path->n ? memrchr(path->p, '/', path->n) : NULL;
    size_t at = slash ? (size_t)(slash - path->p) : 0;
    struct str name = {.p = path->p + at + (slash != NULL), .n = path->n - at - (slash != NULL)};

    if (name.n == 0 || str_equal(name, STR(".."))) {
        return false;
    }
    path->n = slash == path->p ? 1 : at; // the root stays
    return true;
}

static void add_name(struct buf *path, struct str name)
{
    bool is_at_root = path->n == 1 && path->p[0] == '/';

    if (name.n == 0 || str_equal(name, STR("."))) {
        return;
    }
    if (str_equal(name, STR("..")) && (is_at_root || remove_name(path))) {
        return;
    }
    if (path->n && !is_at_root) {
        buf_add_char(path, '/');
    }
    buf_add(path, name);
}

static void add_names(struct buf *path, struct str names)
{
    while (names.n) {
        const char *slash = memchr(names.p, '/', names.n);
        size_t n = slash ? (size_t)(slash - names.p) : names.n;

        add_name(path, (struct str){.p = names.p, .n = n});
        n += slash != NULL;
        names = (struct str){.p = names.p + n, .n = names.n - n};
    }
}

const char *conf_file_resolve(struct arena *a, const char *includer, struct str written)
{
    const char *slash = strrchr(includer, '/');
    struct buf path = {0};

    if (includer[0] == '/') {
        buf_add_char(&path, '/');
    }
    add_names(&path, (struct str){.p = includer, .n = slash ? (size_t)(slash - includer) : 0});
    add_names(&path, written);
    if (path.n == 0) {
        buf_add_char(&path, '.');
    }
    const char *result = arena_str(a, buf_str(&path)).p;
    buf_deinit(&path);
    return result;
}

static int read_all(int fd, struct buf *out)
{
    for (;;) {
        ssize_t n = read(fd, buf_reserve(out, READ_BYTES), READ_BYTES);

        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        out->n += n > 0 ? (size_t)n : 0;
    }
}

enum status conf_file_read(const char *path, struct buf *out, struct conf_file_id *id,
                           struct buf *why)
{
    struct stat st = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        buf_printf(why, "open %s: %s", path, os_error(errno).text);
        return ST_FAILED;
    }
    int err = fstat(fd, &st) == 0 ? read_all(fd, out) : errno;
    close(fd);
    if (err) {
        buf_printf(why, "read %s: %s", path, os_error(err).text);
        return ST_FAILED;
    }
    *id = (struct conf_file_id){.device = st.st_dev, .inode = st.st_ino};
    return ST_OK;
}
