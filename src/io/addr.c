/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses to and from their compact form. */
#include "io/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

struct addr addr_of(const struct sockaddr_storage *ss)
{
    struct addr a = {.family = AF_UNSPEC};

    if (ss->ss_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, ss, sizeof(in));
        a.family = AF_INET;
        a.port = ntohs(in.sin_port);
        memcpy(a.ip, &in.sin_addr, 4);
    } else if (ss->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, ss, sizeof(in6));
        a.port = ntohs(in6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            a.family = AF_INET;
            memcpy(a.ip, in6.sin6_addr.s6_addr + 12, 4);
        } else {
            a.family = AF_INET6;
            memcpy(a.ip, &in6.sin6_addr, 16);
        }
    }
    return a;
}

/* Every connection's: faster than inet_ntop, which prints. */
static void format_ipv4(const uint8_t *ip, char *out)
{
    for (size_t i = 0; i < 4; i++) {
        out = decimal_write(out, ip[i]);
        *out++ = i < 3 ? '.' : '\0';
    }
}

void addr_format_ip(const struct addr *a, char *out)
{
    if (a->family == AF_INET) {
        format_ipv4(a->ip, out);
    } else if (a->family == AF_UNSPEC || !inet_ntop(a->family, a->ip, out, ADDR_TEXT_MAX)) {
        snprintf(out, ADDR_TEXT_MAX, "-");
    }
}
