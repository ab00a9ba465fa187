/* SPDX-License-Identifier: Apache-2.0 */
/* The environment says how many descriptors were passed, to which process, and their names. Of
 * what kind they are is seen by who takes them. */
#include "server/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/os_error.h"
#include "base/str.h"
#include "conf/option.h"
#include "conf/value.h"
#include "server/server_config.h"

#define FIRST_FD 3

/* ---- what was passed */

/* @return  whether the environment's number is one, and not negative */
static bool read_number(const char *name, int64_t *out)
{
    const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe): the only thread

    return text && value_parse_int(str_of(text), out) == ST_OK && *out >= 0;
}

/* Gives each socket its name: they are separated by colons. @return  how many names there are */
static size_t split_names(struct activation *a)
{
    size_t n = 0;

    for (char *name = a->names; name; n++) {
        char *colon = strchr(name, ':');

        if (n < a->n) {
            a->passed[n].name = name;
        }
        if (colon) {
            *colon++ = '\0';
        }
        name = colon;
    }
    return n;
}

static enum status read_names(struct activation *a)
{
    const char *text = getenv("LISTEN_FDNAMES"); // NOLINT(concurrency-mt-unsafe): likewise

    if (!text || a->n == 0) {
        return ST_OK;
    }
    a->names = mem_strndup(text, strlen(text));
    size_t n = split_names(a);
    if (n != a->n) {
        log_fatal("LISTEN_FDS passes %zu sockets, LISTEN_FDNAMES names %zu", a->n, n);
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status accept_passed(struct activation *a)
{
    int64_t n;

    if (!read_number("LISTEN_FDS", &n) || n > ACTIVATION_MAX) {
        log_fatal("LISTEN_FDS is not a number of sockets from 0 to %d", ACTIVATION_MAX);
        return ST_FAILED;
    }
    for (int i = 0; i < (int)n; i++) {
        int fd = FIRST_FD + i;

        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
            log_fatal("LISTEN_FDS passes descriptor %d: %s", fd, os_error(errno).text);
            return ST_FAILED;
        }
        a->passed[a->n++] = (struct passed_socket){.fd = fd, .name = ""};
    }
    return read_names(a);
}

/* ---- who gets it */

static bool has_no_name(const char *name)
{
    static const struct str unit = STR_INIT(".socket");
    size_t n = strlen(name);

    return !n || strcmp(name, "unknown") == 0 ||
           (n > unit.n && memcmp(name + n - unit.n, unit.p, unit.n) == 0);
}

/* @return  its place among those that were passed; n: there is none */
static size_t find(const struct activation *a, const char *name)
{
    size_t i = 0;

    while (i < a->n && strcmp(a->passed[i].name, name) != 0) {
        i++;
    }
    if (i == a->n && strcmp(name, "client") == 0) {
        for (i = 0; i < a->n && !has_no_name(a->passed[i].name); i++) {
        }
    }
    return i;
}

int activation_take(struct activation *a, const char *name)
{
    size_t i = find(a, name);

    if (i == a->n) {
        return -1;
    }
    int fd = a->passed[i].fd;
    a->n--;
    memmove(&a->passed[i], &a->passed[i + 1], (a->n - i) * sizeof(a->passed[0]));
    return fd;
}

/* ---- where clients reach us */

static void find_host(struct activation *a)
{
    size_t i = find(a, "client");
    struct sockaddr_storage ss = {0};
    socklen_t n = sizeof(ss);

    if (i == a->n || getsockname(a->passed[i].fd, (struct sockaddr *)&ss, &n)) {
        return;
    }
    struct addr from = addr_of(&ss);
    a->port = -1;
    if (from.family != AF_UNSPEC) {
        addr_format_ip(&from, a->host);
        a->port = from.port;
    }
}

enum status activation_open(struct activation *a)
{
    int64_t pid;
    enum status st = ST_OK;

    *a = (struct activation){.n = 0};
    if (read_number("LISTEN_PID", &pid) && pid == getpid()) {
        st = accept_passed(a);
    }
    unsetenv("LISTEN_PID");     // NOLINT(concurrency-mt-unsafe): likewise
    unsetenv("LISTEN_FDS");     // NOLINT(concurrency-mt-unsafe): likewise
    unsetenv("LISTEN_FDNAMES"); // NOLINT(concurrency-mt-unsafe): likewise
    if (st == ST_OK) {
        find_host(a);
    }
    return st;
}

static void set_host(struct server_config *config, const char *host)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct option_slot slot;
    struct diag d = {0};

    server_config_tables(config, tables);
    ENSURE(option_find(tables, STR("host"), &slot));
    ENSURE(option_set_text(&slot, STR("host"), str_of(host), &d) == ST_OK);
    diag_deinit(&d);
}

void activation_override(const struct activation *a, struct server_config *config)
{
    if (a->port) {
        config->server.port = a->port;
    }
    if (a->host[0]) {
        set_host(config, a->host);
    }
}

void activation_close_rest(struct activation *a)
{
    for (size_t i = 0; i < a->n; i++) {
        log_warn("Nothing listens on the socket passed as descriptor %d, \"%s\": closing it",
                 a->passed[i].fd, a->passed[i].name);
        close(a->passed[i].fd);
    }
    a->n = 0;
}

void activation_deinit(struct activation *a)
{
    for (size_t i = 0; i < a->n; i++) {
        close(a->passed[i].fd);
    }
    a->n = 0;
    mem_free(a->names);
    a->names = NULL;
}
