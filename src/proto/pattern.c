/* SPDX-License-Identifier: Apache-2.0 */
/* Token by token, from the left: nothing is allocated. */
#include "proto/pattern.h"

#include <string.h>

#include "proto/subject.h"

static bool is_star(struct str token)
{
    return token.n == 1 && token.p[0] == '*';
}

static bool is_rest(struct str token)
{
    return token.n == 1 && token.p[0] == '>';
}

bool pattern_is_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (memchr(" \t\n\r\f", s.p[i], 5)) {
            return false;
        }
    }
    return subject_is_valid(s);
}

bool pattern_has_wildcard(struct str s)
{
    bool has = false;

    while (s.p && !has) {
        struct str token = subject_next_token(&s);

        has = is_star(token) || is_rest(token);
    }
    return has;
}

bool pattern_covers(struct str outer, struct str inner)
{
    while (outer.p && inner.p) {
        struct str o = subject_next_token(&outer);
        struct str i = subject_next_token(&inner);

        if (is_rest(o)) {
            return true;
        }
        if (is_rest(i) || (!is_star(o) && !str_equal(o, i))) {
            return false;
        }
    }
    return !outer.p && !inner.p;
}

bool pattern_overlaps(struct str a, struct str b)
{
    while (a.p && b.p) {
        struct str ta = subject_next_token(&a);
        struct str tb = subject_next_token(&b);

        if (is_rest(ta) || is_rest(tb)) {
            return true;
        }
        if (!is_star(ta) && !is_star(tb) && !str_equal(ta, tb)) {
            return false;
        }
    }
    return !a.p && !b.p;
}

bool pattern_intersect(struct str a, struct str b, struct buf *out)
{
    bool is_first = true;

    while (a.p && b.p) {
        struct str rest_a = a;
        struct str rest_b = b;
        struct str x = subject_next_token(&rest_a);
        struct str y = subject_next_token(&rest_b);
        bool is_last = is_rest(x) || is_rest(y);

        if (!is_first) {
            buf_add_char(out, '.');
        }
        if (is_last) { // the other one's
            buf_add(out, is_rest(x) ? b : a);
            return true;
        }
        if (!is_star(x) && !is_star(y) && !str_equal(x, y)) {
            return false;
        }
        buf_add(out, is_star(x) ? y : x);
        is_first = false;
        a = rest_a;
        b = rest_b;
    }
    return !a.p && !b.p;
}
