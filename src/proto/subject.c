/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects as bytes: one pass each, nothing allocated. Which bytes may occur is the parser's
 * business; here only dots, and tokens that are exactly "*" or ">", mean something. */
#include "proto/subject.h"

/* Checks every token of s; `literal` also refuses wildcard tokens. */
static bool check_tokens(struct str s, bool literal)
{
    size_t start = 0; // of the current token

    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.') {
            continue;
        }
        if (i == start) {
            return false;
        }
        if (i - start == 1) {
            char c = s.p[start];

            if ((c == '>' && (literal || i < s.n)) || (c == '*' && literal)) {
                return false;
            }
        }
        start = i + 1;
    }
    return true;
}

bool subject_is_valid(struct str s)
{
    return check_tokens(s, false);
}

bool subject_is_literal(struct str s)
{
    return check_tokens(s, true);
}

uint32_t subject_count_tokens(struct str s)
{
    uint32_t n = 1;

    for (size_t i = 0; i < s.n; i++) {
        n += s.p[i] == '.';
    }
    return n;
}

/* Whether s, from byte `at` on, is one or more tokens, none of them empty. */
static bool has_full_tokens(struct str s, size_t at)
{
    bool was_dot = true;

    for (; at < s.n; at++) {
        bool is_dot = s.p[at] == '.';

        if (is_dot && was_dot) {
            return false;
        }
        was_dot = is_dot;
    }
    return !was_dot;
}

bool subject_matches(struct str literal, struct str pattern)
{
    size_t l = 0;
    size_t p = 0;

    for (;;) { // once per token
        size_t start = l;
        bool is_single = p < pattern.n && (p + 1 == pattern.n || pattern.p[p + 1] == '.');

        if (is_single && pattern.p[p] == '>') {
            return has_full_tokens(literal, l);
        }
        if (is_single && pattern.p[p] == '*') {
            p++;
            while (l < literal.n && literal.p[l] != '.') {
                l++;
            }
        } else {
            while (l < literal.n && p < pattern.n && literal.p[l] == pattern.p[p] &&
                   literal.p[l] != '.') {
                l++;
                p++;
            }
        }
        if (l == start) {
            return false;
        }
        if (l == literal.n || p == pattern.n) {
            return l == literal.n && p == pattern.n;
        }
        if (literal.p[l] != '.' || pattern.p[p] != '.') {
            return false;
        }
        l++;
        p++;
    }
}
