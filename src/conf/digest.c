/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a configuration: SHA-256 of its compact JSON, which is hashed while it is written.
 * The walk has a stack of its own, so that depth costs heap only. */
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "conf/parse.h"

#define FLUSH_BYTES 16384u
#define DIGITS_MAX 17 // as many as a double can need

/* A map or an array that is being written. */
struct level {
    struct level *outer;
    bool is_map;
    size_t n;
    size_t at;
    const struct node *members[]; // of a map: sorted
};

struct writer {
    crypto_hash_sha256_state hash;
    struct buf text; // JSON that was not hashed yet
    struct buf word; // scratch
    struct json json;
    struct level *level;
};

/* ---- scalars */

/* The text with U+FFFD for each byte that is no character, and a NUL behind it. */
static struct str clean(struct writer *w, struct str s)
{
    w->word.n = 0;
    while (s.n) {
        uint32_t c;
        size_t n = utf8_decode(s, &c);

        buf_add(&w->word, n ? (struct str){.p = s.p, .n = n} : STR("\xef\xbf\xbd"));
        n = n ? n : 1;
        s = (struct str){.p = s.p + n, .n = s.n - n};
    }
    buf_add_char(&w->word, '\0');
    return (struct str){.p = w->word.p, .n = w->word.n - 1};
}

/* The shortest digits that read back as v, which is not negative. They are all behind the point:
 * 0.digits × 10^exponent. */
static size_t shortest_digits(double v, char digits[DIGITS_MAX + 1], int *exponent)
{
    char text[DIGITS_MAX + 8]; // d.ddde-308
    int n = 0;

    do {
        snprintf(text, sizeof(text), "%.*e", n++, v);
    } while (n < DIGITS_MAX && strtod(text, NULL) != v);
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, (size_t)n - 1);
    *exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    return (size_t)n;
}

static void add_zeros(struct buf *out, int n)
{
    for (int i = 0; i < n; i++) {
        buf_add_char(out, '0');
    }
}

/* 0.digits × 10^exponent without an exponent. */
static void add_plain(struct buf *out, struct str digits, int exponent)
{
    size_t n_whole = exponent <= 0 ? 0 : (size_t)exponent;

    n_whole = n_whole < digits.n ? n_whole : digits.n;
    buf_add(out, n_whole ? (struct str){.p = digits.p, .n = n_whole} : STR("0"));
    add_zeros(out, exponent - (int)digits.n);
    if (n_whole < digits.n) {
        buf_add_char(out, '.');
        add_zeros(out, -exponent);
        buf_add(out, (struct str){.p = digits.p + n_whole, .n = digits.n - n_whole});
    }
}

static void add_float(struct writer *w, double v)
{
    char digits[DIGITS_MAX + 1];
    int exponent;
    struct str all = {.p = digits, .n = shortest_digits(fabs(v), digits, &exponent)};

    w->word.n = 0;
    if (signbit(v)) {
        buf_add_char(&w->word, '-');
    }
    if (v == 0) {
        buf_add_char(&w->word, '0');
    } else if (fabs(v) >= 1e-6 && fabs(v) < 1e21) {
        add_plain(&w->word, all, exponent);
    } else {
        add_plain(&w->word, all, 1);
        buf_printf(&w->word, "e%+d", exponent - 1);
    }
    json_raw(&w->json, buf_str(&w->word));
}

static void add_date(struct writer *w, int64_t date_s)
{
    time_t seconds = date_s;
    struct tm t;
    char text[80]; // also of a year that nobody lives to see

    gmtime_r(&seconds, &t);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1,
             t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    json_str(&w->json, str_of(text));
}

/* ---- the walk */

static int compare_keys(const void *a, const void *b)
{
    return str_compare((*(const struct node *const *)a)->key,
                       (*(const struct node *const *)b)->key);
}

static void open_level(struct writer *w, const struct node *n)
{
    size_t n_members = 0;

    for (const struct node *m = n->first; m; m = m->next) {
        n_members++;
    }
    struct level *level = mem_zalloc(sizeof(*level) + n_members * sizeof(level->members[0]));
    *level = (struct level){.outer = w->level, .is_map = n->kind == NODE_MAP};
    for (const struct node *m = n->first; m; m = m->next) {
        level->members[level->n++] = m;
    }
    if (level->is_map) {
        qsort(level->members, level->n, sizeof(level->members[0]), compare_keys);
        json_open_object(&w->json);
    } else {
        json_open_array(&w->json);
    }
    w->level = level;
}

static void close_level(struct writer *w)
{
    struct level *level = w->level;

    if (level->is_map) {
        json_close_object(&w->json);
    } else {
        json_close_array(&w->json);
    }
    w->level = level->outer;
    mem_free(level);
}

static void add_node(struct writer *w, const struct node *n)
{
    switch (n->kind) {
    case NODE_STR:
        json_str(&w->json, clean(w, n->text));
        break;
    case NODE_BOOL:
        json_bool(&w->json, n->truth);
        break;
    case NODE_INT:
        json_int(&w->json, n->number);
        break;
    case NODE_FLOAT:
        add_float(w, n->real);
        break;
    case NODE_DATE:
        add_date(w, n->date_s);
        break;
    case NODE_ARRAY:
    case NODE_MAP:
        open_level(w, n);
        break;
    }
}

static void hash_text(struct writer *w)
{
    crypto_hash_sha256_update(&w->hash, (const unsigned char *)w->text.p, w->text.n);
    w->text.n = 0;
}

static void add_next(struct writer *w)
{
    struct level *level = w->level;

    if (level->at == level->n) {
        close_level(w);
        return;
    }
    const struct node *n = level->members[level->at++];
    if (level->is_map) {
        json_key(&w->json, clean(w, n->key).p);
    }
    add_node(w, n);
    if (w->text.n > FLUSH_BYTES) {
        hash_text(w);
    }
}

void conf_digest(const struct node *root, char *out)
{
    struct writer w = {0};
    unsigned char sum[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_init(&w.hash);
    w.json = json_to(&w.text);
    add_node(&w, root);
    while (w.level) {
        add_next(&w);
    }
    buf_add_char(&w.text, '\n');
    hash_text(&w);
    crypto_hash_sha256_final(&w.hash, sum);

    int n = snprintf(out, CONF_DIGEST_MAX, "sha256:");
    for (size_t i = 0; i < sizeof(sum); i++) {
        n += snprintf(out + n, CONF_DIGEST_MAX - (size_t)n, "%02x", sum[i]);
    }
    buf_deinit(&w.text);
    buf_deinit(&w.word);
}
