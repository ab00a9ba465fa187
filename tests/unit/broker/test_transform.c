/* SPDX-License-Identifier: Apache-2.0 */
/* broker/transform.h: the vectors observed on nats-server 2.15.1, more that it was asked, and a
 * million random transforms against a model that works token by token. */
#include "broker/transform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/subject.h"
#include "subject_model.h"
#include "vectors.h"

static bool ends_with(struct str s, struct str end)
{
    return s.n >= end.n && str_equal((struct str){.p = s.p + (s.n - end.n), .n = end.n}, end);
}

static void expect(struct str got, struct str wanted, struct str source, struct str dest)
{
    if (!str_equal(got, wanted)) {
        fail_msg("%.*s -> %.*s: %.*s instead of %.*s", STR_ARG(source), STR_ARG(dest), STR_ARG(got),
                 STR_ARG(wanted));
    }
}

/* ---- vectors */

static void check_mapping(struct str source, struct str dest, struct str input,
                          const struct vector_row *row)
{
    struct str kind = row->field[4];
    struct str wanted = row->field[5];
    struct transform *t = NULL;
    struct buf why = {0};
    struct buf out = {0};
    enum status st = transform_new(source, dest, &t, &why);

    assert_int_equal(st, str_equal(kind, STR("error")) ? ST_BAD_VALUE : ST_OK);
    if (st != ST_OK) {
        struct str end = str_starts_with(wanted, STR("Subject")) ? (struct str){0} : buf_str(&why);

        expect(buf_str(&why), ends_with(wanted, end) ? buf_str(&why) : wanted, source, dest);
    } else if (subject_matches(input, source)) {
        transform_apply(t, input, 0, &out);
        if (str_equal(kind, STR("drop"))) {
            assert_false(subject_is_valid(buf_str(&out)));
        } else {
            expect(buf_str(&out), wanted, source, dest);
        }
    } else {
        expect(input, wanted, source, dest);
    }
    transform_free(t);
    buf_deinit(&out);
    buf_deinit(&why);
}

/* What nats-server accepts though it makes no sense (and crashes for, in the case of a stream). */
static bool is_refused_by_us(struct str to)
{
    return str_equal(to, STR("bar.$1.$1")) || str_equal(to, STR("..x"));
}

static void check_import(struct str subject, struct str to, struct str input,
                         const struct vector_row *row)
{
    bool is_error = str_equal(row->field[4], STR("error")) || is_refused_by_us(to);
    bool is_service = str_equal(row->field[0], STR("service-import"));
    struct str wanted = row->field[5];
    struct transform_pair pair;
    struct buf why = {0};
    struct buf out = {0};
    enum status st = transform_pair_init(subject, to, &pair, &why);
    const struct transform *t = is_service ? pair.to_remote : pair.to_local;

    assert_int_equal(st, is_error ? ST_BAD_VALUE : ST_OK);
    if (st != ST_OK) {
        assert_true(is_refused_by_us(to) || ends_with(wanted, buf_str(&why)));
    } else {
        assert_true(subject_matches(input, is_service ? buf_str(&pair.local) : subject));
        if (t) {
            transform_apply(t, input, 0, &out);
        } else {
            buf_add(&out, input);
        }
        expect(buf_str(&out), wanted, subject, to);
    }
    transform_pair_deinit(&pair);
    buf_deinit(&out);
    buf_deinit(&why);
}

static void test_vectors(void **state)
{
    FILE *f = vectors_open("transforms.tsv");
    struct vector_row row;
    unsigned n = 0;

    (void)state;
    for (; vectors_next(f, &row); n++) {
        struct str context = row.field[0];

        assert_int_equal(row.n_fields, 6);
        if (str_equal(context, STR("mapping"))) {
            check_mapping(row.field[1], row.field[2], row.field[3], &row);
        } else if (row.field[2].n && !str_equal(context, STR("stream-import-prefix"))) {
            check_import(row.field[1], row.field[2], row.field[3], &row);
        }
    }
    assert_true(n > 200);
    (void)fclose(f);
}

static void test_partitions(void **state)
{
    FILE *f = vectors_open("partitions.tsv");
    struct vector_row row;
    struct buf dest = {0};
    struct buf out = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(f, &row); n++) {
        struct str form = row.field[0]; // "partition(N,1) of a.*"
        const char *end = memchr(form.p, ')', form.n);
        struct str source = {.p = end + 5, .n = (size_t)(form.p + form.n - end - 5)};
        struct transform *t;

        if (str_equal(source, STR("g"))) {
            continue; // these rows are not true: without wildcards nothing is hashed
        }
        dest.n = out.n = 0;
        buf_printf(&dest, "{{partition(%.*s%.*s}}", STR_ARG(row.field[3]),
                   (int)(end + 1 - form.p - 11), form.p + 11);
        assert_int_equal(transform_new(source, buf_str(&dest), &t, &out), ST_OK);
        transform_apply(t, row.field[1], 0, &out);
        expect(buf_str(&out), row.field[4], form, row.field[1]);
        transform_free(t);
    }
    assert_true(n > 90);
    buf_deinit(&dest);
    buf_deinit(&out);
    (void)fclose(f);
}

/* ---- more that the server was asked */

#define ARGUMENT "function argument is invalid or in the wrong format"
#define RANGE "wildcard index out of range"

static void test_errors(void **state)
{
    static const char *const rows[][3] = {
        {"foo.>", "$1.>", RANGE " in $1: [1]"},
        {"foo.*", "$9999999999", RANGE " in $9999999999: [9999999999]"},
        {"foo.*x", "bar.$1", RANGE " in $1"},
        {"foo.*x.*", "bar.$2", RANGE " in $2: [2]"},
        {"foo", "$0", RANGE " in $0"},
        {"foo.*", "{{partition(10,1,8)}}", RANGE " in {{partition(10,1,8)}}: [8]"},
        {"foo.*", "{{left(5,0)}}", RANGE " in {{left(5,0)}}: [5]"},
        {"foo", "{{left(1,x)}}", ARGUMENT " in {{left(1,x)}}"},
        {"foo.*", "{{wildcard(99999999999999999999)}}",
         ARGUMENT " in {{wildcard(99999999999999999999)}}"},
        {"foo.*", "{{left(1,-3000000000)}}", ARGUMENT " in {{left(1,-3000000000)}}"},
        {"foo.*", "{{wildcard(\t1)}}", ARGUMENT " in {{wildcard(\t1)}}"},
        {"foo.*", "{{wildcard(1))}}", ARGUMENT " in {{wildcard(1))}}"},
        {"foo.*", "{{wildcard( )}}", ARGUMENT " in {{wildcard( )}}"},
        {"foo.*", "{{wildcard(- 1)}}", ARGUMENT " in {{wildcard(- 1)}}"},
        {"foo.*", "{{partition(,1)}}", ARGUMENT " in {{partition(,1)}}"},
        {"foo.*", "{{partition(10,5,x)}}", ARGUMENT " in {{partition(10,5,x)}}"},
        {"foo.*", "{{split(1,- )}}", ARGUMENT " in {{split(1,- )}}"},
        {"foo.*", "{{random()}}", ARGUMENT " in {{random()}}"},
        {"foo.*", "{{wildcard()}}",
         "not enough arguments passed to the function in {{wildcard()}}"},
        {"foo.*", "{{random(,)}}", "not enough arguments passed to the function in {{random(,)}}"},
        {"foo", "{{wildcard(1,2)}}",
         "too many arguments passed to the function in {{wildcard(1,2)}}"},
        {"foo.*", "{{ }}", "unknown function in {{ }}"},
        {"foo.*", "{{wildcard(1)x}}", "unknown function in {{wildcard(1)x}}"},
        {"foo.*", "{{WildCard(1)}}", "unknown function in {{WildCard(1)}}"},
        {"foo", "", "invalid transform"},
        {"foo", "a\nb", "invalid transform"},
        {"foo.>", "a.>.>", "invalid transform in >"},
        /* Which mistake comes first: */
        {"foo", "{{foo(1)}}.>", "unknown function in {{foo(1)}}"},
        {"foo.*", "$5.{{foo(1)}}", "unknown function in {{foo(1)}}"},
        {"foo.*", "a.{{foo(1)}}.b c", "unknown function in {{foo(1)}}"},
        {"foo.*", "a.b c.{{foo(1)}}", "invalid transform"},
        {"foo", "a..b.>", "invalid transform"},
        {"foo.*", "$5.{{left(1)}}", RANGE " in $5: [5]"},
    };
    struct buf why = {0};
    struct transform *t;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str source = str_of(rows[i][0]);
        struct str dest = str_of(rows[i][1]);
        struct buf wanted = {0};

        why.n = 0;
        buf_printf(&wanted, "invalid mapping destination: %s", rows[i][2]);
        assert_int_equal(transform_new(source, dest, &t, &why), ST_BAD_VALUE);
        expect(buf_str(&why), buf_str(&wanted), source, dest);
        buf_deinit(&wanted);
    }
    why.n = 0;
    assert_int_equal(transform_new(STR("foo"), STR("{{left(1)}}.>"), &t, &why), ST_BAD_VALUE);
    expect(buf_str(&why), STR("invalid subject"), STR("foo"), STR("{{left(1)}}.>"));
    buf_deinit(&why);
}

static void test_results(void **state)
{
    static const char *const rows[][4] = {
        {"foo.*", "bar.$1", "foo.*", "bar.*"},
        {"foo.>", "bar.>", "foo..a", "bar..a"},
        {"foo.>", "bar.>", "foo.", "bar."},
        {"foo.>", "bar.>", "foo.a.>", "bar.a.>"},
        {"foo.*.>", "b.$1.>", "foo.a.*", "b.a.*"},
        {"foo.*x.*", "b.$1", "foo.a.b", "b.b"},
        {"foo.*", "b.{{split(1,-)}}", "foo.-", "b."},
        {"foo.*", "b.{{split(1,-)}}", "foo.--", "b."},
        {"foo.*", "b.{{split(1,-)}}", "foo.--a--b--", "b..a.b"},
        {"foo.*", "b.{{split(1,-)}}.c", "foo.a-", "b.a.c"},
        {"foo.*", "b.{{split(1,)}}", "foo.aéb", "b.a.é.b"},
        {"foo.*", "b.{{split(1,)}}", "foo.\xff\xfe", "b.\xff.\xfe"},
        {"foo.*", "b.{{split(1,aa)}}", "foo.xaaay", "b.x.ay"},
        {"foo.*", "b.{{split(1,é)}}", "foo.aéb", "b.a.b"},
        {"foo.*", "b.{{split(1,\t-)}}", "foo.a\t-b", "b.a.b"},
        {"foo.*", "b.{{partition(-2,1)}}", "foo.a", "b.3826002220"},
        {"foo.*", "b.{{partition(-4294967296,1)}}", "foo.a", "b.0"},
        {"foo.*", "b.{{partition(10,0)}}", "foo.a", "b.3"},
        {"foo.*", "b.{{partition(10,1,0)}}", "foo.a", "b.2"},
        {"foo.>", "b.{{partition(10,-1)}}.>", "foo.a", "b.3.a"},
        {"foo.*", "b.{{partition(2147483647,1)}}", "foo.b", "b.1728851430"},
        {"foo", "b.{{partition(100)}}", "foo", "b.61"},
        {"foo.x", "b.{{partition(1000,0)}}.{{partition(100,7)}}", "foo.x", "b.261.61"},
        {"a.b.c.*", "$0.{{left(0,2)}}.{{wildcard(-3)}}", "a.b.c.x", "a.a.a"},
        {"foo.*", "{{slicefromleft(1,2147483647)}}", "foo.abc", "abc"},
        {"foo.*", "b.>x.*y", "foo.a", "b.>x.*y"},
        {"foo.*", "{{}.{{}}.$x.$.x$1", "foo.a", "{{}.{{}}.$x.$.x$1"},
        {"foo.*", "$99999999999999999999", "foo.a", "$99999999999999999999"},
        {"foo.*", "{{\twildcard\t(1)\n}}", "foo.a", "a"},
        {"foo.*.*", "$2.$1.$2.{{right(1,1)}}", "foo.ab.c", "c.ab.c.b"},
    };
    struct buf out = {0};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str source = str_of(rows[i][0]);
        struct str dest = str_of(rows[i][1]);
        struct transform *t;

        out.n = 0;
        assert_int_equal(transform_new(source, dest, &t, &out), ST_OK);
        transform_apply(t, str_of(rows[i][2]), 0, &out);
        expect(buf_str(&out), str_of(rows[i][3]), source, dest);
        transform_free(t);
    }
    buf_deinit(&out);
}

static void test_draws(void **state)
{
    unsigned counts[20] = {0};
    struct transform *t;
    struct buf out = {0};

    (void)state;
    assert_int_equal(transform_new(STR("f"), STR("{{random(4)}}.{{random(-5)}}"), &t, &out), ST_OK);
    for (uint32_t i = 0; i < 20000; i++) {
        out.n = 0;
        transform_apply(t, STR("f"), i * 214748u, &out);
        assert_int_equal(out.n, 3);
        counts[(out.p[0] - '0') * 5 + (out.p[2] - '0')]++;
    }
    for (unsigned i = 0; i < 20; i++) { // each pair, equally often
        assert_in_range(counts[i], 900, 1100);
    }
    transform_free(t);
    buf_deinit(&out);
}

/* ---- imports */

static void test_pair_errors(void **state)
{
    static const char *const rows[][3] = {
        {"foo.*.*", "bar.$1", "not using all of the token wildcard(s) in bar.$1"},
        {"foo.*", "bar.*.*", RANGE " in $2: [2]"},
        {"foo.*", "bar.$0", RANGE " in $0: [0]"},
        {"foo.>", "bar.$1.>", RANGE " in $1: [1]"},
        {"foo.*.*", "bar.*.$1", "wildcard used more than once in $1"},
        {"foo.*", "{{foo(1)}}", "unknown function in {{foo(1)}}"},
        {"foo.*", "{{left(1)}}", "not enough arguments passed to the function in {{left(1)}}"},
        {"foo.*.*", "$3.$1.{{left(1,1)}}", RANGE " in $3: [3]"},
        {"foo.*", "bar.>", NULL},
        {"foo.>", "bar.*", NULL},
        {"foo", "bar..x", NULL},
        {"foo", "bar baz", NULL},
        {"foo", "bar.>.x", NULL},
        {"foo.*", "bar..$1", NULL},
        {"foo.*", "bar baz.$1", NULL},
        {"foo.*", "", NULL},
        {"foo..a", "x", NULL},
    };
    struct transform_pair pair;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str subject = str_of(rows[i][0]);
        struct str to = str_of(rows[i][1]);
        struct buf why = {0};
        struct buf wanted = {0};

        if (rows[i][2]) {
            buf_printf(&wanted, "invalid mapping destination: %s", rows[i][2]);
        } else {
            buf_add(&wanted, STR("invalid subject"));
        }
        assert_int_equal(transform_pair_init(subject, to, &pair, &why), ST_BAD_VALUE);
        expect(buf_str(&why), buf_str(&wanted), subject, to);
        transform_pair_deinit(&pair);
        buf_deinit(&why);
        buf_deinit(&wanted);
    }
}

static void apply_or_keep(const struct transform *t, const char *subject, struct buf *out)
{
    out->n = 0;
    if (t) {
        transform_apply(t, str_of(subject), 0, out);
    } else {
        buf_add(out, str_of(subject));
    }
}

static void test_pairs(void **state)
{
    static const char *const rows[][5] = {
        /* subject, to, pattern, one subject, the same as local */
        {"foo.*.*", "bar.$2.*", "bar.*.*", "foo.x.y", "bar.y.x"},
        {"foo.*.*", "*.{{wildcard(2)}}", "*.*", "foo.x.y", "x.y"},
        {"foo.*.>", "$1.b.>", "*.b.>", "foo.x.y.z", "x.b.y.z"},
        {"foo.*", "*x.$x.$1", "*x.$x.*", "foo.b", "*x.$x.b"},
        {"foo.$1.*", "b.*", "b.*", "foo.$1.x", "b.x"},
        {">", "my.>", "my.>", "a.b", "my.a.b"},
        {"foo.*.*", "foo.$2.$1", "foo.*.*", "foo.a.b", "foo.b.a"},
        {"foo", "bar.$1", "bar.$1", "foo", "bar.$1"},
        {"foo.*.>", "foo.$1.>", "foo.*.>", "foo.a.b", "foo.a.b"},
    };
    struct transform_pair pair;
    struct buf out = {0};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str subject = str_of(rows[i][0]);
        struct str to = str_of(rows[i][1]);

        assert_int_equal(transform_pair_init(subject, to, &pair, &out), ST_OK);
        expect(buf_str(&pair.local), str_of(rows[i][2]), subject, to);
        apply_or_keep(pair.to_local, rows[i][3], &out);
        expect(buf_str(&out), str_of(rows[i][4]), subject, to);
        apply_or_keep(pair.to_remote, rows[i][4], &out);
        expect(buf_str(&out), str_of(rows[i][3]), subject, to);
        transform_pair_deinit(&pair);
    }
    assert_int_equal(transform_pair_init(STR("a.*.>"), STR("a.*.>"), &pair, &out), ST_OK);
    assert_null(pair.to_local);
    assert_null(pair.to_remote);
    transform_pair_deinit(&pair);
    /* A pattern in the place of a subject: all of it leads there. */
    assert_int_equal(transform_pair_init(STR("a"), STR("b.>"), &pair, &out), ST_OK);
    apply_or_keep(pair.to_remote, "b.x.y", &out);
    expect(buf_str(&out), STR("a"), STR("a"), STR("b.>"));
    transform_pair_deinit(&pair);
    buf_deinit(&out);
}

/* ---- random cases */

#define MAX_TOKENS 6u
#define N_TRANSFORMS 250000u
#define N_SUBJECTS 4u // per transform

static uint64_t random_state = 7;

static uint32_t below(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

/** A text, as it is made. */
struct text {
    char p[1024];
    size_t n;
};

static void put(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);

static void put(struct text *t, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    t->n += (size_t)vsnprintf(t->p + t->n, sizeof(t->p) - t->n, format, ap);
    va_end(ap);
    assert_true(t->n < sizeof(t->p));
}

static struct str text_str(const struct text *t)
{
    return (struct str){.p = t->p, .n = t->n};
}

/** A token of a destination, before it is written down. */
struct wish {
    unsigned kind; // of names, below
    int index;
    int n;
    char delimiter[3];
};

enum { LITERAL, WILD, PART, SPLIT_L, SPLIT_R, SLICE_L, SLICE_R, LEFT, RIGHT, SPLIT, KINDS };

static void write_wish(struct text *t, const struct wish *w)
{
    static const char *const names[KINDS] = {"",
                                             "",
                                             "Partition",
                                             "splitfromleft",
                                             "SplitFromRight",
                                             "sliceFromLeft",
                                             "sliceFromright",
                                             "left",
                                             "Right",
                                             "split"};

    if (w->kind == LITERAL) {
        put(t, "l%d", w->n);
    } else if (w->kind == WILD) {
        put(t, w->n % 2 ? "$%d" : "{{ wildcard( %d ) }}", w->index);
    } else if (w->kind == PART) {
        put(t, "{{%s(%d,%d, %d)}}", names[PART], w->n, w->index, w->index);
    } else if (w->kind == SPLIT) {
        put(t, "{{%s(%d,%s)}}", names[SPLIT], w->index, w->delimiter);
    } else {
        put(t, "{{%s(%d,%d)}}", names[w->kind], w->index, w->n);
    }
}

/* Where a token is cut, by the table of spec 05: before byte i of n. */
static bool is_cut(const struct wish *w, int i, int n)
{
    switch (w->kind) {
    case SPLIT_L:
        return i == w->n;
    case SPLIT_R:
        return i == n - w->n;
    case SLICE_L:
        return i % w->n == 0;
    default:
        return (n - i) % w->n == 0;
    }
}

static void grant_split(struct text *t, struct str token, const char *delimiter)
{
    struct str parts[64];
    unsigned n_parts = 1;
    size_t width = strlen(delimiter);

    parts[0] = (struct str){.p = token.p};
    for (size_t i = 0; i < token.n;) {
        bool is_delimiter =
            width && i + width <= token.n && memcmp(token.p + i, delimiter, width) == 0;

        if (is_delimiter || (!width && i)) {
            parts[n_parts++] = (struct str){.p = token.p + i + width};
        }
        i += is_delimiter ? width : 1;
        parts[n_parts - 1].n += !is_delimiter;
    }
    for (unsigned i = 0; i < n_parts; i++) {
        bool is_glued = i == 0 || !parts[i].n || (i == 1 && !parts[0].n);

        put(t, "%s%.*s", is_glued ? "" : ".", STR_ARG(parts[i]));
    }
}

static void grant(struct text *t, const struct wish *w, struct str token)
{
    int n = (int)token.n;

    if (w->kind == LITERAL) {
        put(t, "l%d", w->n);
    } else if (w->kind == WILD) {
        put(t, "%.*s", STR_ARG(token));
    } else if (w->kind == SPLIT) {
        grant_split(t, token, w->delimiter);
    } else if (w->kind == PART) {
        uint32_t hash = 2166136261u;

        for (int i = 0; i < 2 * n; i++) {
            hash = (hash ^ (unsigned char)token.p[i % n]) * 16777619u;
        }
        put(t, "%u", w->n ? hash % (uint32_t)w->n : 0);
    } else if (w->n <= 0 || w->n >= n) {
        put(t, "%.*s", STR_ARG(token));
    } else if (w->kind == LEFT || w->kind == RIGHT) {
        put(t, "%.*s", w->n, w->kind == LEFT ? token.p : token.p + n - w->n);
    } else {
        for (int i = 0; i < n; i++) {
            put(t, "%s%c", i && is_cut(w, i, n) ? "." : "", token.p[i]);
        }
    }
}

/** What is transformed, and to what. */
struct sample {
    struct text source;
    struct text dest;
    struct wish wishes[MAX_TOKENS];
    unsigned n_wishes;
    unsigned star_at[MAX_TOKENS + 1]; // of each index, the token; 0 for index 0
    int n_stars;
    unsigned n_tokens; // of the source, without ">"
    bool has_rest;
};

static void make_source(struct sample *s)
{
    s->n_tokens = 1 + below(MAX_TOKENS - 1);
    s->has_rest = below(3) == 0;
    for (unsigned i = 0; i < s->n_tokens; i++) {
        bool is_star = below(2);

        if (is_star) {
            s->star_at[++s->n_stars] = i;
        }
        put(&s->source, "%s%s", i ? "." : "", is_star ? "*" : "s");
    }
    put(&s->source, "%s", s->has_rest ? ".>" : "");
}

/* @return  whether it is valid */
static bool make_dest(struct sample *s)
{
    static const char *const delimiters[] = {"-", "--", "a", ""};
    bool is_valid = true;

    s->n_wishes = 1 + below(MAX_TOKENS);
    for (unsigned i = 0; i < s->n_wishes; i++) {
        struct wish *w = &s->wishes[i];

        *w = (struct wish){.kind = below(KINDS), .n = (int)below(6) - 1};
        w->index = (int)below((uint32_t)s->n_stars + 2); // one in a few is too high
        w->index = below(4) ? w->index % (s->n_stars + 1) : w->index;
        w->n = w->kind == PART && w->n < 0 ? 7 : w->n;
        snprintf(w->delimiter, sizeof(w->delimiter), "%s", delimiters[below(4)]);
        bool has_wildcards = s->n_stars || s->has_rest;
        bool is_constant = w->kind == PART && !has_wildcards; // whatever its index

        is_valid &= w->kind == LITERAL || is_constant || (has_wildcards && w->index <= s->n_stars);
        put(&s->dest, "%s", i ? "." : "");
        write_wish(&s->dest, w);
    }
    put(&s->dest, "%s", s->has_rest ? ".>" : "");
    return is_valid;
}

static void make_subject(const struct sample *s, struct text *subject)
{
    static const char alphabet[] = "a-b-c";
    struct str rest = text_str(&s->source);

    while (rest.p) {
        struct str token = subject_next_token(&rest);
        uint32_t n_tokens = str_equal(token, STR(">")) ? 1 + below(3) : 1;

        for (uint32_t i = 0; i < n_tokens; i++) {
            uint32_t n = str_equal(token, STR("s")) ? 0 : 1 + below(9);

            put(subject, "%s%s", subject->n ? "." : "", n ? "" : "s");
            for (uint32_t k = 0; k < n; k++) {
                put(subject, "%c", alphabet[below(5)]);
            }
        }
    }
}

static void check_sample(const struct sample *s, const struct transform *t)
{
    static struct model_tokens tokens;
    struct text subject = {.n = 0};
    struct text wanted = {.n = 0};
    struct buf out = {0};

    make_subject(s, &subject);
    model_split(text_str(&subject), &tokens);
    assert_true(subject_matches(text_str(&subject), text_str(&s->source)));
    for (unsigned i = 0; i < s->n_wishes; i++) {
        const struct wish *w = &s->wishes[i];
        bool is_constant = w->kind == PART && !s->n_stars && !s->has_rest;

        put(&wanted, "%s", i ? "." : "");
        if (is_constant) {
            grant(&wanted, w, (struct str){0});
        } else {
            grant(&wanted, w, tokens.token[s->star_at[w->kind == LITERAL ? 0 : w->index]]);
        }
    }
    for (unsigned i = s->n_tokens; s->has_rest && i < tokens.n; i++) {
        put(&wanted, ".%.*s", STR_ARG(tokens.token[i]));
    }
    transform_apply(t, text_str(&subject), 0, &out);
    if (!str_equal(buf_str(&out), text_str(&wanted))) {
        fail_msg("%s -> %s of %s: %.*s instead of %s", s->source.p, s->dest.p, subject.p,
                 (int)out.n, out.p, wanted.p);
    }
    buf_deinit(&out);
}

static void test_random(void **state)
{
    unsigned n_valid = 0;

    (void)state;
    for (unsigned i = 0; i < N_TRANSFORMS; i++) {
        struct sample s = {.n_stars = 0};
        struct transform *t = NULL;
        struct buf why = {0};

        make_source(&s);
        bool is_valid = make_dest(&s);
        enum status st = transform_new(text_str(&s.source), text_str(&s.dest), &t, &why);

        if ((st == ST_OK) != is_valid) {
            fail_msg("%s -> %s: %.*s", s.source.p, s.dest.p, (int)why.n, why.p);
        }
        for (unsigned k = 0; is_valid && k < N_SUBJECTS; k++) {
            check_sample(&s, t);
        }
        n_valid += is_valid;
        transform_free(t);
        buf_deinit(&why);
    }
    assert_in_range(n_valid, N_TRANSFORMS / 3, N_TRANSFORMS / 10 * 9);
}

/* There and back again. */
static void check_pair(const struct sample *s)
{
    struct transform_pair pair;
    struct text subject = {.n = 0};
    struct buf local = {0};
    struct buf back = {0};
    bool is_paired;

    make_subject(s, &subject);
    is_paired =
        transform_pair_init(text_str(&s->source), text_str(&s->dest), &pair, &back) == ST_OK;
    assert_true(is_paired);
    apply_or_keep(pair.to_local, subject.p, &local);
    assert_true(subject_matches(buf_str(&local), buf_str(&pair.local)));
    buf_add_char(&local, '\0');
    apply_or_keep(pair.to_remote, local.p, &back);
    expect(buf_str(&back), text_str(&subject), text_str(&s->source), text_str(&s->dest));
    transform_pair_deinit(&pair);
    buf_deinit(&local);
    buf_deinit(&back);
}

static void test_random_pairs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_TRANSFORMS; i++) {
        struct sample s = {.n_stars = 0};
        int order[MAX_TOKENS];

        make_source(&s);
        for (int k = 0; k < s.n_stars; k++) { // a permutation
            int other = (int)below((uint32_t)k + 1);

            order[k] = order[other];
            order[other] = k + 1;
        }
        put(&s.dest, "to");
        for (int k = 0; k < s.n_stars; k++) {
            put(&s.dest, below(2) ? ".$%d" : ".x.{{wildcard(%d)}}", order[k]);
        }
        put(&s.dest, "%s", s.has_rest ? ".>" : "");
        check_pair(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),      cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_results),
        cmocka_unit_test(test_draws),        cmocka_unit_test(test_pair_errors),
        cmocka_unit_test(test_pairs),        cmocka_unit_test(test_random),
        cmocka_unit_test(test_random_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
