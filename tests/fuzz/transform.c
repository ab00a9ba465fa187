/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a source, LF, a destination, LF, a published subject. As a mapping: it is found, and does
 * the same each time. As an import: there and back again. */
#include "broker/transform.h"

#include "base/mem.h"
#include "broker/mapping.h"
#include "fuzz.h"
#include "proto/subject.h"

#define MAX_BYTES 4096u

/* Takes what comes before the next LF, into a block of just its size. */
static struct str take_line(const uint8_t **data, size_t *n)
{
    const uint8_t *lf = *n ? memchr(*data, '\n', *n) : NULL;
    size_t size = lf ? (size_t)(lf - *data) : *n;
    char *p = mem_alloc(size);

    if (size) {
        memcpy(p, *data, size);
    }
    *data += size + (lf != NULL);
    *n -= size + (lf != NULL);
    return (struct str){.p = p, .n = size};
}

static void free_line(struct str s)
{
    mem_free((void *)(uintptr_t)s.p);
}

static void check_mapping(struct str source, struct str dest, struct str subject)
{
    const struct mapping_dest to = {.subject = dest, .weight = 100};
    struct mappings *m = mappings_new((struct str){0});
    struct buf why = {0};
    struct buf first = {0};
    struct buf second = {0};
    enum status st = mappings_add(m, source, &to, 1, &why);
    const struct mapping *one = mappings_find(m, subject);

    ENSURE((st == ST_OK) == (why.n == 0) && (st == ST_OK || !one));
    ENSURE(one || st != ST_OK || !subject_is_literal(subject) || !subject_matches(subject, source));
    if (one) {
        struct str a = mapping_apply(one, subject, 5, &first);
        struct str b = mapping_apply(one, subject, 5, &second);

        ENSURE(str_equal(a, b));
    }
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&why);
    mappings_free(m);
}

static struct str apply(const struct transform *t, struct str subject, struct buf *out)
{
    if (!t) {
        return subject;
    }
    transform_apply(t, subject, 0, out);
    return buf_str(out);
}

static void check_import(struct str subject, struct str to, struct str published)
{
    struct transform_pair pair;
    struct buf why = {0};
    struct buf local = {0};
    struct buf remote = {0};
    enum status st = transform_pair_init(subject, to, &pair, &why);

    ENSURE((st == ST_OK) == (why.n == 0));
    if (st == ST_OK && subject_matches(published, subject)) {
        struct str there = apply(pair.to_local, published, &local);

        ENSURE(subject_matches(there, buf_str(&pair.local)));
        ENSURE(str_equal(apply(pair.to_remote, there, &remote), published));
    }
    buf_deinit(&why);
    buf_deinit(&local);
    buf_deinit(&remote);
    transform_pair_deinit(&pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > MAX_BYTES) {
        return 0;
    }
    struct str source = take_line(&data, &n);
    struct str dest = take_line(&data, &n);
    struct str subject = take_line(&data, &n);

    check_mapping(source, dest, subject);
    check_import(source, dest, subject);
    free_line(source);
    free_line(dest);
    free_line(subject);
    return 0;
}
