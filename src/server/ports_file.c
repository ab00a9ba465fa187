/* SPDX-License-Identifier: Apache-2.0 */
/* The ports file. It is written under another name and renamed, because tests poll for it. */
#include "server/ports_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os_error.h"
#include "base/str.h"

static void add_url(struct json *j, const char *scheme, const char *ip, int port)
{
    struct buf url = {0};
    bool is_v6 = strchr(ip, ':') != NULL;

    buf_printf(&url, "%s://%s%s%s:%d", scheme, is_v6 ? "[" : "", ip, is_v6 ? "]" : "", port);
    json_str(j, buf_str(&url));
    buf_deinit(&url);
}

static bool format_ip(const struct sockaddr *sa, char out[INET6_ADDRSTRLEN])
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)sa;

        return inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN) != NULL;
    }
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)sa;

        return inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN) != NULL;
    }
    return false;
}

/* An address of this machine, and where it comes in the list. */
struct local_address {
    unsigned interface;
    size_t order; // in what getifaddrs returned: IPv4 before IPv6
    char ip[INET6_ADDRSTRLEN];
};

static int compare_addresses(const void *a, const void *b)
{
    const struct local_address *x = a;
    const struct local_address *y = b;

    if (x->interface != y->interface) {
        return x->interface < y->interface ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Every address of this machine, interface by interface. */
static void add_all_addresses(struct json *j, const char *scheme, int port)
{
    struct ifaddrs *list;
    struct local_address *found = NULL;
    size_t n = 0;

    if (getifaddrs(&list) != 0) {
        return;
    }
    for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
        struct local_address one = {.interface = if_nametoindex(a->ifa_name), .order = n};

        if (a->ifa_addr && format_ip(a->ifa_addr, one.ip)) {
            found = mem_realloc(found, (n + 1) * sizeof(*found));
            found[n++] = one;
        }
    }
    freeifaddrs(list);
    if (n) {
        qsort(found, n, sizeof(*found), compare_addresses);
    }
    for (size_t i = 0; i < n; i++) {
        add_url(j, scheme, found[i].ip, port);
    }
    mem_free(found);
}

static bool is_wildcard(const char *host)
{
    return !host[0] || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* The address that a host name stands for, as the listener found it. */
static void add_host(struct json *j, const struct ports_file_entry *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char ip[INET6_ADDRSTRLEN];

    if (getaddrinfo(e->host, NULL, &hints, &found) == 0 && format_ip(found->ai_addr, ip)) {
        add_url(j, e->scheme, ip, e->port);
    } else {
        add_url(j, e->scheme, e->host, e->port);
    }
    if (found) {
        freeaddrinfo(found);
    }
}

static void format_entries(const struct ports_file_entry *entries, size_t n_entries,
                           struct buf *out)
{
    struct json j = json_to(out);

    json_open_object(&j);
    for (size_t i = 0; i < n_entries; i++) {
        const struct ports_file_entry *e = &entries[i];

        if (!e->port) {
            continue;
        }
        json_key(&j, e->key);
        json_open_array(&j);
        if (is_wildcard(e->host)) {
            add_all_addresses(&j, e->scheme, e->port);
        } else {
            add_host(&j, e);
        }
        json_close_array(&j);
    }
    json_close_object(&j);
}

/* Writes content to a file; 0 or an errno. */
static int write_all(const char *path, struct str content)
{
    int err = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0) {
        return errno;
    }
    ssize_t done = write(fd, content.p, content.n);
    if (done != (ssize_t)content.n) {
        err = done < 0 ? errno : ENOSPC;
    }
    if (close(fd) != 0 && !err) {
        err = errno;
    }
    return err;
}

/* As write_all, but the file appears with all its content. */
static int replace_file(const char *path, struct str content)
{
    struct buf temporary = {0};

    buf_printf(&temporary, "%s.tmp", path);
    buf_add_char(&temporary, '\0');
    int err = write_all(temporary.p, content);
    if (!err && rename(temporary.p, path) != 0) {
        err = errno;
    }
    if (err) {
        (void)unlink(temporary.p);
    }
    buf_deinit(&temporary);
    return err;
}

char *ports_file_write(const char *dir, const char *program, const struct ports_file_entry *entries,
                       size_t n_entries)
{
    struct buf path = {0};
    struct buf content = {0};

    if (!dir || !dir[0]) {
        return NULL;
    }
    size_t n_dir = strlen(dir);
    bool has_slash = dir[n_dir - 1] == '/';
    buf_printf(&path, "%s%s%s_%d.ports", dir, has_slash ? "" : "/", program, (int)getpid());
    buf_add_char(&path, '\0');
    format_entries(entries, n_entries, &content);
    int err = replace_file(path.p, buf_str(&content));
    if (err) {
        log_error("Error writing ports file (%s): open %s: %s", path.p, path.p, os_error(err).text);
    }
    buf_deinit(&content);
    return path.p;
}

void ports_file_take_remove(char *take_path)
{
    if (take_path && unlink(take_path) != 0) {
        log_error("Error cleaning up ports file %s: remove %s: %s", take_path, take_path,
                  os_error(errno).text);
    }
    mem_free(take_path);
}
