/* SPDX-License-Identifier: Apache-2.0 */
/* Both versions begin with bytes that no client sends, so the first few tell. */
#include "proto/proxy.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

#define V1_START STR("PROXY ")
#define V2_START STR("\r\n\r\n\0\r\nQUIT\n")
#define V2_HEAD_BYTES 16u
#define V2_IPV4_BYTES 12u
#define V2_IPV6_BYTES 36u
#define INVALID "invalid PROXY protocol header: "
#define UNSUPPORTED "unsupported PROXY protocol feature: "

PRINTF_LIKE(2, 3) static enum proxy_result refuse(char *why, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, PROXY_WHY_MAX, format, ap);
    va_end(ap);
    return PROXY_BAD;
}

/* ---- version 1: a line of words */

#define MAX_WORDS 6

static size_t split_words(struct str line, struct str words[MAX_WORDS + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < line.n && n <= MAX_WORDS;) {
        size_t start = i;

        while (i < line.n && line.p[i] != ' ') {
            i++;
        }
        if (i > start) {
            words[n++] = (struct str){.p = line.p + start, .n = i - start};
        }
        i++;
    }
    return n;
}

static bool parse_ip(struct str text, unsigned *family, uint8_t ip[16])
{
    char z[INET6_ADDRSTRLEN];

    if (text.n >= sizeof(z)) {
        return false;
    }
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    *family = strchr(z, ':') ? 6 : 4;
    return inet_pton(*family == 6 ? AF_INET6 : AF_INET, z, ip) == 1;
}

/* NULL: it is one; otherwise why it is not, as Go puts it. */
static const char *parse_port(struct str text, uint16_t *out)
{
    unsigned long v = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return "invalid syntax";
        }
        v = v > UINT16_MAX ? v : v * 10 + (unsigned long)(text.p[i] - '0');
    }
    if (v > UINT16_MAX) {
        return "value out of range";
    }
    *out = (uint16_t)v;
    return NULL;
}

static enum proxy_result parse_words(const struct str *words, struct proxy_header *out, char *why)
{
    unsigned family = str_equal(words[1], STR("TCP6")) ? 6 : 4;
    unsigned families[2];
    uint8_t ignored_ip[16];
    uint16_t ignored_port;
    const char *bad;

    if (!parse_ip(words[2], &families[0], out->ip) ||
        !parse_ip(words[3], &families[1], ignored_ip)) {
        return refuse(why, INVALID "invalid address");
    }
    bad = parse_port(words[4], &out->port);
    if (bad) {
        return refuse(why, "invalid source port: strconv.ParseUint: parsing \"%.*s\": %s",
                      STR_ARG(words[4]), bad);
    }
    bad = parse_port(words[5], &ignored_port);
    if (bad) {
        return refuse(why, "invalid dest port: strconv.ParseUint: parsing \"%.*s\": %s",
                      STR_ARG(words[5]), bad);
    }
    if (!str_equal(words[1], STR("TCP4")) && !str_equal(words[1], STR("TCP6"))) {
        return refuse(why, INVALID "invalid protocol %.*s", STR_ARG(words[1]));
    }
    if (families[0] != family || families[1] != family) {
        return refuse(why, INVALID "TCP%u with IPv%u address", family, family == 4 ? 6 : 4);
    }
    out->family = family;
    return PROXY_OK;
}

static enum proxy_result parse_v1(struct str in, struct proxy_header *out, char *why)
{
    size_t most = in.n < PROXY_LINE_MAX ? in.n : PROXY_LINE_MAX;
    const char *lf = memchr(in.p, '\n', most);
    struct str words[MAX_WORDS + 1];

    if (!lf) {
        return in.n < PROXY_LINE_MAX ? PROXY_MORE : refuse(why, INVALID "v1 line too long");
    }
    out->n = (size_t)(lf - in.p) + 1;
    if (lf == in.p || lf[-1] != '\r') {
        return refuse(why, INVALID "invalid v1 format");
    }
    size_t n = split_words((struct str){.p = in.p, .n = out->n - 2}, words);
    if (n >= 2 && str_equal(words[1], STR("UNKNOWN"))) {
        out->family = 0;
        return PROXY_OK;
    }
    return n == MAX_WORDS ? parse_words(words, out, why) : refuse(why, INVALID "invalid v1 format");
}

/* ---- version 2: binary */

static enum proxy_result parse_v2_address(const uint8_t *head, size_t body_n,
                                          struct proxy_header *out, char *why)
{
    unsigned family = head[13] >> 4 == 2 ? 6 : 4;
    size_t ip_n = family == 4 ? 4 : 16;
    size_t least = family == 4 ? V2_IPV4_BYTES : V2_IPV6_BYTES;
    const uint8_t *body = head + V2_HEAD_BYTES;

    if ((head[13] & 0x0f) != 1) {
        return refuse(why, UNSUPPORTED "only STREAM protocol supported");
    }
    if (head[13] >> 4 == 0) { // it does not say
        return PROXY_OK;
    }
    if (head[13] >> 4 > 2) {
        return refuse(why, UNSUPPORTED "unsupported address family 0x%02x", head[13] & 0xf0u);
    }
    if (body_n < least) {
        return refuse(why, "IPv%u address data too short: %zu bytes", family, body_n);
    }
    out->family = family;
    memcpy(out->ip, body, ip_n);
    out->port = (uint16_t)(body[2 * ip_n] << 8 | body[2 * ip_n + 1]);
    return PROXY_OK;
}

static enum proxy_result parse_v2(struct str in, struct proxy_header *out, char *why)
{
    const uint8_t *head = (const uint8_t *)in.p;

    if (in.n < V2_HEAD_BYTES) {
        return PROXY_MORE;
    }
    size_t body_n = (size_t)(head[14] << 8 | head[15]);
    if (head[12] >> 4 != 2) {
        return refuse(why, INVALID "invalid version 0x%02x", head[12] & 0xf0u);
    }
    if ((head[12] & 0x0f) > 1) {
        return refuse(why, "unknown PROXY protocol command: 0x%02x", head[12] & 0x0fu);
    }
    out->n = V2_HEAD_BYTES + body_n;
    if (in.n < out->n) {
        return PROXY_MORE;
    }
    bool is_local = (head[12] & 0x0f) == 0;
    return is_local ? PROXY_OK : parse_v2_address(head, body_n, out, why);
}

static bool may_start(struct str in, struct str start)
{
    size_t n = in.n < start.n ? in.n : start.n;

    return memcmp(in.p, start.p, n) == 0;
}

enum proxy_result proxy_parse(struct str in, struct proxy_header *out, char *why)
{
    *out = (struct proxy_header){0};
    if (in.n == 0) {
        return PROXY_MORE;
    }
    if (may_start(in, V1_START)) {
        return in.n < V1_START.n ? PROXY_MORE : parse_v1(in, out, why);
    }
    if (may_start(in, V2_START)) {
        return in.n < V2_START.n ? PROXY_MORE : parse_v2(in, out, why);
    }
    return PROXY_NONE;
}
