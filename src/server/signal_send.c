/* SPDX-License-Identifier: Apache-2.0 */
/* Finds servers through /proc by the base name of their argv[0], so it finds those that were
 * installed or linked under another name than ours as well, if that is the name that we run
 * under. */
#include "server/signal_send.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/os_error.h"
#include "base/quote.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/value.h"

#define MAX_EXPRESSION 256 // longest content of a pid file that is looked at

struct pids {
    pid_t *p;
    size_t n;
};

static bool find_signal(struct str command, int *out)
{
    static const struct {
        const char *command;
        int signal;
    } rows[] = {{"stop", SIGKILL},   {"quit", SIGINT},   {"term", SIGTERM},
                {"reopen", SIGUSR1}, {"reload", SIGHUP}, {"ldm", SIGUSR2}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (str_equal(command, str_of(rows[i].command))) {
            *out = rows[i].signal;
            return true;
        }
    }
    return false;
}

/* The first n bytes of a file, as many as there are; -1 when it cannot be read. */
static ssize_t read_start(const char *path, char *out, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    ssize_t done = read(fd, out, n);
    close(fd);
    return done;
}

/* Whether the process runs the program: /proc has its argv[0] up to the first NUL. */
static bool is_running(const char *pid_text, const char *program)
{
    char path[64];
    char argv0[4097];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid_text);
    n = read_start(path, argv0, sizeof(argv0) - 1);
    if (n <= 0) {
        return false; // gone, a zombie, or a thread of the kernel
    }
    argv0[n] = '\0';
    const char *slash = strrchr(argv0, '/');
    return strcmp(slash ? slash + 1 : argv0, program) == 0;
}

/* All other processes of the program. */
static bool list_processes(const char *program, struct pids *out)
{
    DIR *dir = opendir("/proc");
    const struct dirent *e;

    *out = (struct pids){0};
    if (!dir) {
        return false;
    }
    while ((e = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): dir belongs to this thread
        int64_t pid;

        if (value_parse_int(str_of(e->d_name), &pid) == ST_OK && pid != getpid() &&
            is_running(e->d_name, program)) {
            out->p = mem_realloc(out->p, (out->n + 1) * sizeof(*out->p));
            out->p[out->n++] = (pid_t)pid;
        }
    }
    closedir(dir);
    return true;
}

static void send_to(pid_t pid, int number, struct str command, struct diag *d)
{
    if (kill(pid, number) != 0) {
        diag_error(d, NULL, "\nsignal \"%.*s\" %d: %s", STR_ARG(command), (int)pid,
                   os_error(errno).text);
    }
}

static struct str trim(struct str s)
{
    while (s.n && isspace((unsigned char)s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && isspace((unsigned char)s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

static bool is_all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i])) {
            return false;
        }
    }
    return true;
}

/* "12*": every server whose process id begins so. */
static void send_to_matching(const char *program, struct str prefix, int number, struct str command,
                             struct diag *d)
{
    struct pids found;

    if (!list_processes(program, &found)) {
        diag_error(d, NULL, "unable to resolve pid, try providing one");
        return;
    }
    if (found.n == 0) {
        diag_error(d, NULL, "no %s processes running", program);
    }
    for (size_t i = 0; i < found.n; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", (int)found.p[i]);
        if (str_starts_with(str_of(text), prefix)) {
            send_to(found.p[i], number, command, d);
        }
    }
    mem_free(found.p);
}

/* Without a process id there must be one server, not more. */
static void send_to_only(const char *program, int number, struct str command, struct diag *d)
{
    struct pids found;

    if (!list_processes(program, &found)) {
        diag_error(d, NULL, "unable to resolve pid, try providing one");
    } else if (found.n == 0) {
        diag_error(d, NULL, "no %s processes running", program);
    } else if (found.n == 1) {
        send_to(found.p[0], number, command, d);
    } else {
        struct buf list = {0};

        for (size_t i = 0; i < found.n; i++) {
            buf_printf(&list, "\n%d", (int)found.p[i]);
        }
        diag_error(d, NULL, "multiple %s processes running:%.*s", program, STR_ARG(buf_str(&list)));
        buf_deinit(&list);
    }
    mem_free(found.p);
}

static void send_to_expression(const char *program, struct str expression, int number,
                               struct str command, struct diag *d)
{
    int64_t pid = 0;

    if (expression.n && expression.p[expression.n - 1] == '*') {
        expression.n--;
        if (is_all_digits(expression)) {
            send_to_matching(program, expression, number, command, d);
        } else {
            diag_error(d, NULL, "invalid pid: %.*s", STR_ARG(expression));
        }
        return;
    }
    if (!is_all_digits(expression) || value_parse_int(expression, &pid) != ST_OK || pid < 1 ||
        pid > INT32_MAX) {
        diag_error(d, NULL, "invalid pid: %.*s", STR_ARG(expression));
        return;
    }
    send_to((pid_t)pid, number, command, d);
}

enum status signal_send(const char *program, const char *argument, struct diag *d)
{
    uint32_t n_before = d->n_errors;
    const char *equals = strchr(argument, '=');
    struct str command = {.p = argument,
                          .n = equals ? (size_t)(equals - argument) : strlen(argument)};
    const char *target = equals ? equals + 1 : "";
    const char *second = strchr(target, '=');
    char content[MAX_EXPRESSION];
    struct str expression = str_of(target);
    int number;

    if (second) {
        struct buf rest = {0};

        for (const char *p = second + 1; *p; p++) {
            buf_add_char(&rest, (char)(*p == '=' ? ' ' : *p));
        }
        diag_error(d, NULL, "invalid signal parameters: [%.*s]", STR_ARG(buf_str(&rest)));
        buf_deinit(&rest);
        return ST_FAILED;
    }
    if (!find_signal(command, &number)) {
        struct buf quoted = {0};

        quote_go(&quoted, command);
        diag_error(d, NULL, "unknown signal %.*s", STR_ARG(buf_str(&quoted)));
        buf_deinit(&quoted);
        return ST_FAILED;
    }
    if (!expression.n) {
        send_to_only(program, number, command, d);
    } else {
        ssize_t n = read_start(target, content, sizeof(content));

        if (n >= 0) {
            expression = trim((struct str){.p = content, .n = (size_t)n});
        }
        send_to_expression(program, expression, number, command, d);
    }
    return d->n_errors > n_before ? ST_FAILED : ST_OK;
}
