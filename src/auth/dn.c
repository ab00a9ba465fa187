/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and comparing distinguished names. Where nats-server is laxer than RFC 4514 this is as
 * well, as user names were written for it; what it only loses by accident (an empty value at the
 * end, all before a second "=") is kept. */
#include "auth/dn.h"

/* ---- reading */

struct reader {
    const char *at, *end;
    char *out; // where characters without escapes go: never more than were read
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads what follows a backslash: one of the special characters, or a byte in hex. */
static bool read_escaped(struct reader *r)
{
    size_t n = (size_t)(r->end - r->at);

    if (n >= 1 && r->at[0] && strchr(" \"#+,;<=>\\", r->at[0])) {
        *r->out++ = *r->at++;
        return true;
    }
    int high = n >= 2 ? hex_digit(r->at[0]) : -1;
    int low = n >= 2 ? hex_digit(r->at[1]) : -1;
    if (high < 0 || low < 0) {
        return false;
    }
    *r->out++ = (char)(high << 4 | low);
    r->at += 2;
    return true;
}

/* Reads up to one of the stops, or the end. */
static bool read_token(struct reader *r, const char *stops, struct str *token)
{
    const char *begin = r->out;
    const char *end = r->out; // without the blanks at the end

    while (r->at < r->end && !(*r->at && strchr(stops, *r->at))) {
        char c = *r->at++;

        if (c == '\\') {
            if (!read_escaped(r)) {
                return false;
            }
            end = r->out;
        } else if (c != ' ') {
            *r->out++ = c;
            end = r->out;
        } else if (r->out > begin) {
            *r->out++ = c;
        }
    }
    *token = (struct str){.p = begin, .n = (size_t)(end - begin)};
    return true;
}

static bool read_part(struct reader *r, struct dn_part *part)
{
    if (!read_token(r, "=,+", &part->type) || part->type.n == 0 || r->at == r->end ||
        *r->at != '=') {
        return false;
    }
    r->at++;
    part->is_der = r->at < r->end && *r->at == '#';
    return read_token(r, ",+", &part->value);
}

static size_t count_parts(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++) {
        n += text.p[i] == ',' || text.p[i] == '+';
    }
    return n;
}

bool dn_parse(struct arena *a, struct str text, struct dn *out)
{
    size_t max = count_parts(text);
    struct dn_part *part = arena_alloc(a, max * sizeof(*part));
    struct dn dn = {.rdns = arena_alloc(a, max * sizeof(*dn.rdns))};
    struct reader r = {.at = text.p, .out = arena_alloc(a, text.n + 1)};
    bool is_new = true; // the next part begins an RDN

    r.end = text.n ? text.p + text.n : text.p; // nothing may be added to NULL
    while (r.at < r.end) {
        struct dn_rdn *rdn = &dn.rdns[is_new ? dn.n++ : dn.n - 1];

        rdn->parts = is_new ? part : rdn->parts;
        rdn->n++;
        if (!read_part(&r, part++)) {
            return false;
        }
        is_new = r.at == r.end || *r.at == ',';
        r.at += r.at < r.end;
    }
    if (!is_new) { // a plus is followed by something
        return false;
    }
    *out = dn;
    return true;
}

/* ---- comparing */

static bool are_parts_equal(const struct dn_part *a, const struct dn_part *b)
{
    return !a->is_der && !b->is_der && str_equal_nocase(a->type, b->type) &&
           str_equal(a->value, b->value);
}

/* How many parts of an RDN are equal to this one. */
static size_t count_part(const struct dn_rdn *in, const struct dn_part *part)
{
    size_t n = 0;

    for (size_t i = 0; i < in->n; i++) {
        n += are_parts_equal(&in->parts[i], part);
    }
    return n;
}

static bool are_rdns_equal(const struct dn_rdn *a, const struct dn_rdn *b)
{
    bool is_equal = a->n == b->n;

    for (size_t i = 0; i < a->n && is_equal; i++) {
        size_t n = count_part(a, &a->parts[i]);

        is_equal = n > 0 && n == count_part(b, &a->parts[i]);
    }
    return is_equal;
}

static size_t count_rdn(const struct dn *in, const struct dn_rdn *rdn)
{
    size_t n = 0;

    for (size_t i = 0; i < in->n; i++) {
        n += are_rdns_equal(&in->rdns[i], rdn);
    }
    return n;
}

bool dn_equal(const struct dn *a, const struct dn *b)
{
    bool is_equal = a->n == b->n;

    for (size_t i = 0; i < a->n && is_equal; i++) {
        is_equal = are_rdns_equal(&a->rdns[i], &b->rdns[i]);
    }
    return is_equal;
}

bool dn_equal_reordered(const struct dn *a, const struct dn *b)
{
    bool is_equal = a->n == b->n;

    for (size_t i = 0; i < a->n && is_equal; i++) {
        size_t n = count_rdn(a, &a->rdns[i]);

        is_equal = n > 0 && n == count_rdn(b, &a->rdns[i]);
    }
    return is_equal;
}
