/* SPDX-License-Identifier: Apache-2.0 */
/* Lines with tabs between the fields; those that begin with "#" are comments. */
#include "vectors.h"

#include <stdlib.h>

#include "base/attr.h"

static size_t put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    to[0] = (char)(0xe0 | c >> 12);
    to[1] = (char)(0x80 | (c >> 6 & 0x3f));
    to[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

/* Undoes the escape after a backslash. @return  bytes of it */
static size_t unescape(const char *p, char *to, size_t *n)
{
    char hex[5] = {0};
    size_t digits = *p == 'x' ? 2 : *p == 'u' ? 4 : 0;

    if (digits) {
        memcpy(hex, p + 1, digits);
        unsigned c = (unsigned)strtoul(hex, NULL, 16);

        if (digits == 2) {
            *to = (char)c;
            *n = 1;
        } else {
            *n = put_utf8(to, c);
        }
        return 1 + digits;
    }
    *to = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
    *n = 1;
    return 1;
}

static void parse_row(const char *p, struct vector_row *row)
{
    char *to = row->bytes;
    char *start = to;

    row->n_fields = 0;
    for (;; p++) {
        if (*p == '\t' || *p == '\n' || *p == '\0') {
            ENSURE(row->n_fields < VECTORS_MAX_FIELDS);
            row->field[row->n_fields++] = (struct str){.p = start, .n = (size_t)(to - start)};
            start = to;
            if (*p != '\t') {
                return;
            }
        } else if (*p == '\\') {
            size_t n;

            p += unescape(p + 1, to, &n);
            to += n;
        } else {
            *to++ = *p;
        }
    }
}

bool vectors_next(FILE *f, struct vector_row *row)
{
    char line[VECTORS_MAX_LINE];

    while (fgets(line, sizeof(line), f)) {
        if (line[0] != '#') {
            parse_row(line, row);
            return true;
        }
    }
    return false;
}

FILE *vectors_open(const char *name)
{
    static struct vector_row header;
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS, name);
    FILE *f = fopen(path, "r");

    ENSURE(f != NULL && vectors_next(f, &header));
    return f;
}
