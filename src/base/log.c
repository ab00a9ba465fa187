/* SPDX-License-Identifier: Apache-2.0 */
/* The sink of the log: stderr, a file that rotates, or syslog. The state below is the program's
 * only global state. Every thread writes lines; all fields of the sink are guarded by its lock, the
 * levels are atomics of their own because they are asked far more often than lines are written.
 * A line is formatted on the caller's stack, behind room for its prefix, before the lock is
 * taken. */
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log_syslog.h"
#include "base/mem.h"
#include "base/os_error.h"
#include "base/status.h"
#include "base/str.h"

#define PREFIX_BYTES 80 // room for "[pid] date time [LVL] " with colours
#define LINE_BYTES 4096 // longer messages are formatted on the heap
#define BACKUP_TIME "YYYY.MM.DD.hh.mm.ss.nnnnnnnnn" // what a rotated file's name ends in

static struct {
    pthread_mutex_t lock;
    // guarded by: lock
    int fd;     // of stderr or the file; not used with syslog
    char *path; // of the file; NULL: not a file
    struct log_syslog *syslog;
    bool has_colour;
    bool has_time;
    bool is_utc;
    int64_t file_bytes; // size of the file
    int64_t rotate_at;  // [bytes] size beyond which the file is rotated; 0: never
    int64_t size_limit; // [bytes] as configured
    int64_t max_files;  // kept, the current one included; 0: all
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO, .has_time = true};

static _Atomic bool debug_on;
static _Atomic bool trace_on;
static _Atomic bool headers_only;
static _Atomic int64_t max_traced_bytes;

static size_t format_prefix(enum log_level level, char out[PREFIX_BYTES])
{
    static const struct {
        const char *name;
        const char *colour;
    } levels[] = {
        [LOG_INF] = {"INF", "32"}, [LOG_DBG] = {"DBG", "36"}, [LOG_WRN] = {"WRN", "0;93"},
        [LOG_ERR] = {"ERR", "31"}, [LOG_FTL] = {"FTL", "31"}, [LOG_TRC] = {"TRC", "33"},
    };
    int n = snprintf(out, PREFIX_BYTES, "[%d] ", (int)getpid());

    if (sink.has_time) {
        int64_t now = clock_wall_ns();
        time_t seconds = (time_t)(now / CLOCK_SEC_NS);
        struct tm tm;

        if (sink.is_utc) {
            gmtime_r(&seconds, &tm);
        } else {
            localtime_r(&seconds, &tm);
        }
        n += (int)strftime(out + n, PREFIX_BYTES - (size_t)n, "%Y/%m/%d %H:%M:%S", &tm);
        n +=
            snprintf(out + n, PREFIX_BYTES - (size_t)n, ".%06d ", (int)(now % CLOCK_SEC_NS / 1000));
    }
    if (sink.has_colour) {
        n += snprintf(out + n, PREFIX_BYTES - (size_t)n, "[\033[%sm%s\033[0m] ",
                      levels[level].colour, levels[level].name);
    } else {
        n += snprintf(out + n, PREFIX_BYTES - (size_t)n, "[%s] ", levels[level].name);
    }
    return (size_t)n;
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno != EINTR) {
            return; // a full disk or a closed pipe: nobody is left to tell
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
}

/* Writes one line: the n bytes at text, which has PREFIX_BYTES before it and one byte after it. */
static void put(enum log_level level, char *text, size_t n)
{
    char prefix[PREFIX_BYTES];

    if (sink.syslog) {
        log_syslog_write(sink.syslog, level, (struct str){.p = text, .n = n});
        return;
    }
    size_t n_prefix = format_prefix(level, prefix);
    memcpy(text - n_prefix, prefix, n_prefix);
    text[n] = '\n';
    write_all(sink.fd, text - n_prefix, n_prefix + n + 1);
    sink.file_bytes += (int64_t)(n_prefix + n + 1);
}

/* A line of the sink about itself; it never rotates the file. */
static PRINTF_LIKE(2, 3) void note(enum log_level level, const char *format, ...)
{
    char line[PREFIX_BYTES + LINE_BYTES];
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(line + PREFIX_BYTES, LINE_BYTES, format, ap);
    va_end(ap);
    put(level, line + PREFIX_BYTES, n < LINE_BYTES ? (size_t)n : LINE_BYTES - 1);
}

static int open_log_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* ---- rotation */

static bool is_number(const char *p, size_t n, int min, int max)
{
    int v = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
        v = v * 10 + (p[i] - '0');
    }
    return v >= min && v <= max;
}

/* Whether the text has the form of BACKUP_TIME, so that the file is one of our backups. */
static bool is_backup_time(const char *t)
{
    static const char form[] = BACKUP_TIME;

    if (strlen(t) != sizeof(form) - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if ((form[i] == '.') != (t[i] == '.')) {
            return false;
        }
    }
    return is_number(t, 4, 0, 9999) && is_number(t + 5, 2, 1, 12) && is_number(t + 8, 2, 1, 31) &&
           is_number(t + 11, 2, 0, 23) && is_number(t + 14, 2, 0, 59) &&
           is_number(t + 17, 2, 0, 60) && is_number(t + 20, 9, 0, 999999999);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the backups in dir, oldest first, each owned by the caller like the array. */
static char **list_backups(DIR *dir, const char *base, size_t *n_names)
{
    size_t n_base = strlen(base);
    size_t cap = 0;
    char **names = NULL;
    const struct dirent *e;

    *n_names = 0;
    while ((e = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): dir belongs to this thread
        if (strncmp(e->d_name, base, n_base) != 0 || e->d_name[n_base] != '.' ||
            !is_backup_time(e->d_name + n_base + 1)) {
            continue;
        }
        if (*n_names == cap) {
            cap = cap ? cap * 2 : 16;
            names = mem_realloc(names, cap * sizeof(*names));
        }
        names[(*n_names)++] = mem_strndup(e->d_name, strlen(e->d_name));
    }
    if (*n_names) {
        qsort(names, *n_names, sizeof(*names), compare_names);
    }
    return names;
}

/* Deletes the oldest backups beyond max_files. */
static void purge(void)
{
    const char *slash = strrchr(sink.path, '/');
    const char *base = slash ? slash + 1 : sink.path;
    char *dir_path =
        slash ? mem_strndup(sink.path, (size_t)(base - sink.path)) : mem_strndup(".", 1);
    DIR *dir = opendir(dir_path);
    size_t n_names;

    mem_free(dir_path);
    if (!dir) {
        note(LOG_ERR, "Unable to list log files to purge: %s", os_error(errno).text);
        return;
    }
    char **names = list_backups(dir, base, &n_names);
    for (size_t i = 0; i < n_names; i++) {
        if ((int64_t)(n_names - i) >= sink.max_files) {
            // NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions): an open folder has a number
            if (unlinkat(dirfd(dir), names[i], 0) == 0) {
                note(LOG_INF, "Purged log file \"%s\"\r", names[i]);
            } else {
                note(LOG_ERR, "Unable to purge log file \"%s\": %s", names[i],
                     os_error(errno).text);
            }
        }
        mem_free(names[i]);
    }
    mem_free(names);
    closedir(dir);
}

/* Gives the file a name of its own and starts a new one. When that fails the file just grows on,
 * until it has grown by the limit once more. */
static void rotate(void)
{
    int64_t now = clock_wall_ns();
    time_t seconds = (time_t)(now / CLOCK_SEC_NS);
    struct tm tm;
    char when[40];
    struct buf backup = {0};

    localtime_r(&seconds, &tm);
    (void)strftime(when, sizeof(when), "%Y.%m.%d.%H.%M.%S", &tm);
    buf_printf(&backup, "%s.%s.%09d", sink.path, when, (int)(now % CLOCK_SEC_NS));
    buf_add_char(&backup, '\0');

    int err = 0;
    int fd = -1;
    if (rename(sink.path, backup.p) != 0) {
        err = errno;
    } else {
        fd = open_log_file(sink.path);
        if (fd < 0) {
            err = errno;
            if (rename(backup.p, sink.path) != 0) {
                err = errno;
            }
        }
    }
    if (err) {
        sink.rotate_at = sink.file_bytes + sink.size_limit;
        note(LOG_ERR, "Unable to rotate logfile \"%s\": %s", sink.path, os_error(err).text);
    } else {
        close(sink.fd);
        sink.fd = fd;
        sink.file_bytes = 0;
        sink.rotate_at = sink.size_limit;
        note(LOG_INF, "Rotated log, backup saved as \"%s\"\r", backup.p);
        if (sink.max_files > 0) {
            purge();
        }
    }
    buf_deinit(&backup);
}

static bool is_too_large(void)
{
    return sink.path && sink.rotate_at > 0 && sink.file_bytes > sink.rotate_at;
}

/* The file is open at sink.fd: learn its size; one that is too large already is rotated at once. */
static void adopt_file(void)
{
    struct stat info;

    sink.file_bytes = fstat(sink.fd, &info) == 0 ? info.st_size : 0;
    sink.rotate_at = sink.size_limit;
    if (is_too_large()) {
        note(LOG_INF, "Rotating logfile...");
        rotate();
    }
}

/* ---- the sink */

/* Ends the current sink: stderr takes over. */
static void release_sink(void)
{
    if (sink.path) {
        close(sink.fd);
    }
    log_syslog_close(sink.syslog);
    mem_free(sink.path);
    sink.fd = STDERR_FILENO;
    sink.path = NULL;
    sink.syslog = NULL;
    sink.has_colour = false;
    sink.rotate_at = 0;
}

static bool is_set(const char *z)
{
    return z && z[0];
}

enum status log_open(const struct log_options *o, const char *tag, struct diag *d)
{
    struct log_syslog *syslog = NULL;
    int fd = -1;
    struct stat info;

    if (is_set(o->log_file)) {
        fd = open_log_file(o->log_file);
        if (fd < 0) {
            diag_error(d, NULL, "error opening file: open %s: %s", o->log_file,
                       os_error(errno).text);
            return ST_FAILED;
        }
    } else if (is_set(o->remote_syslog)) {
        if (log_syslog_open_url(o->remote_syslog, tag, &syslog, d) != ST_OK) {
            return ST_FAILED;
        }
    } else if (o->syslog) {
        if (log_syslog_open_local(tag, &syslog, d) != ST_OK) {
            return ST_FAILED;
        }
    }
    tzset();
    pthread_mutex_lock(&sink.lock);
    release_sink();
    sink.has_time = o->logtime;
    sink.is_utc = o->logtime_utc;
    sink.size_limit = o->logfile_size_limit > 0 ? o->logfile_size_limit : 0;
    sink.max_files = o->logfile_max_num;
    sink.syslog = syslog;
    if (fd >= 0) {
        sink.fd = fd;
        sink.path = mem_strndup(o->log_file, strlen(o->log_file));
        adopt_file();
    } else {
        sink.has_colour = fstat(STDERR_FILENO, &info) == 0 && S_ISCHR(info.st_mode);
    }
    pthread_mutex_unlock(&sink.lock);
    atomic_store_explicit(&debug_on, o->debug, memory_order_relaxed);
    atomic_store_explicit(&trace_on, o->trace || o->trace_verbose || o->trace_headers,
                          memory_order_relaxed);
    atomic_store_explicit(&headers_only, o->trace_headers, memory_order_relaxed);
    atomic_store_explicit(&max_traced_bytes, o->max_traced_msg_len, memory_order_relaxed);
    return ST_OK;
}

void log_close(void)
{
    pthread_mutex_lock(&sink.lock);
    release_sink();
    pthread_mutex_unlock(&sink.lock);
}

void log_reopen(void)
{
    pthread_mutex_lock(&sink.lock);
    if (!sink.path) {
        note(LOG_INF, "File log re-open ignored, not a file logger");
    } else {
        int fd = open_log_file(sink.path);

        if (fd < 0) {
            note(LOG_ERR, "Unable to re-open log file: open %s: %s", sink.path,
                 os_error(errno).text);
        } else {
            close(sink.fd);
            sink.fd = fd;
            adopt_file();
            note(LOG_INF, "File log re-opened");
        }
    }
    pthread_mutex_unlock(&sink.lock);
}

bool log_enabled(enum log_level level)
{
    if (level == LOG_DBG) {
        return atomic_load_explicit(&debug_on, memory_order_relaxed);
    }
    if (level == LOG_TRC) {
        return atomic_load_explicit(&trace_on, memory_order_relaxed);
    }
    return true;
}

bool log_traces_headers_only(void)
{
    return atomic_load_explicit(&headers_only, memory_order_relaxed);
}

int64_t log_max_traced_bytes(void)
{
    return atomic_load_explicit(&max_traced_bytes, memory_order_relaxed);
}

/* ---- lines */

/* Nobody outside is to end a line, or to reach the terminal with a control sequence.
 * @param kept  white space that stays */
static void blank_control_characters(char *p, size_t n, const char *kept)
{
    for (size_t i = 0; i < n; i++) {
        if (((unsigned char)p[i] < 0x20 && !(p[i] && strchr(kept, p[i]))) || p[i] == 0x7f) {
            p[i] = ' ';
        }
    }
}

static PRINTF_LIKE(3, 0) void write_line(enum log_level level, const char *kept, const char *format,
                                         va_list ap)
{
    char line[PREFIX_BYTES + LINE_BYTES];
    char *heap = NULL;
    char *text = line + PREFIX_BYTES;
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(text, LINE_BYTES, format, ap);
    if (n >= LINE_BYTES) {
        heap = mem_alloc(PREFIX_BYTES + (size_t)n + 1);
        text = heap + PREFIX_BYTES;
        vsnprintf(text, (size_t)n + 1, format, again);
    }
    va_end(again);
    n = n < 0 ? 0 : n;
    blank_control_characters(text, (size_t)n, kept);

    pthread_mutex_lock(&sink.lock);
    put(level, text, (size_t)n);
    if (is_too_large()) {
        rotate();
    }
    pthread_mutex_unlock(&sink.lock);
    mem_free(heap);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list ap;

    if (!log_enabled(level)) {
        return;
    }
    va_start(ap, format);
    write_line(level, "\t", format, ap);
    va_end(ap);
}

void log_lines(enum log_level level, const char *format, ...)
{
    va_list ap;

    if (!log_enabled(level)) {
        return;
    }
    va_start(ap, format);
    write_line(level, "\t\n", format, ap);
    va_end(ap);
}

void log_limited(struct log_rate *slot, enum log_level level, const char *format, ...)
{
    int64_t now = clock_now_ns();
    int64_t next = atomic_load_explicit(&slot->next_ns, memory_order_relaxed);
    va_list ap;

    if (!log_enabled(level) || now < next ||
        !atomic_compare_exchange_strong_explicit(&slot->next_ns, &next, now + CLOCK_SEC_NS,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        return;
    }
    va_start(ap, format);
    write_line(level, "\t", format, ap);
    va_end(ap);
}
