/* SPDX-License-Identifier: Apache-2.0 */
/* conn/outq.h against a flat array of bytes, sent through a stream that takes as much as it
 * likes. */
#include "conn/outq.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/stream.h"

#define MODEL_BYTES (4u << 20)
#define N_STEPS 60000u

/** What a queue should hold. */
struct model {
    char *bytes; // MODEL_BYTES of room
    size_t start, end;
    uint32_t n_msgs;
    uint64_t n_msg_bytes;
};

/** A stream that takes random amounts, and what it took. */
struct sink {
    struct stream stream;
    uint64_t random;
    uint32_t mood;          // how much it takes
    int error;              // what the next write says instead
    struct model *expected; // what must come
    unsigned n_calls;
};

static struct chunk_depot depot;
static struct chunk_pool pool;
static char source[64u << 10]; // where random bytes are taken from

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

/* Sizes of all kinds: mostly short, now and then longer than any chunk. */
static size_t random_size(uint64_t *random)
{
    static const uint32_t limits[] = {2, 64, 64, 64, 300, 3000, 20000, 40000};

    return 1 + random_below(random, limits[random_below(random, 8)]);
}

static struct str random_bytes(uint64_t *random)
{
    size_t n = random_size(random);

    return (struct str){.p = source + random_below(random, (uint32_t)(sizeof(source) - n)), .n = n};
}

static size_t model_size(const struct model *m)
{
    return m->end - m->start;
}

static void model_add(struct model *m, struct str s)
{
    if (m->end + s.n > MODEL_BYTES) {
        memmove(m->bytes, m->bytes + m->start, model_size(m));
        m->end -= m->start;
        m->start = 0;
    }
    assert_true(m->end + s.n <= MODEL_BYTES);
    memcpy(m->bytes + m->end, s.p, s.n);
    m->end += s.n;
}

static ssize_t take(struct stream *s, const struct iovec *iov, int n)
{
    struct sink *k = CONTAINER_OF(s, struct sink, stream);
    struct model *m = k->expected;
    size_t total = 0;
    size_t taken = 0;

    k->n_calls++;
    assert_true(n > 0);
    if (k->error) {
        return -k->error;
    }
    for (int i = 0; i < n; i++) {
        total += iov[i].iov_len;
    }
    assert_true(total > 0 && total <= model_size(m));
    size_t most = k->mood == 0 ? 1 : k->mood == 1 ? random_size(&k->random) - 1 : total;
    if (most == 0) {
        return -EAGAIN;
    }
    for (int i = 0; i < n && taken < most; i++) {
        size_t part = iov[i].iov_len < most - taken ? iov[i].iov_len : most - taken;

        assert_memory_equal(iov[i].iov_base, m->bytes + m->start + taken, part);
        taken += part;
    }
    m->start += taken;
    return (ssize_t)taken;
}

static const struct stream_ops sink_ops = {.write = take};

static void check_queue(struct outq *q, const struct model *m)
{
    size_t n = 0;

    outq_seal(q);
    for (const struct chunk *c = q->head; c; c = c->next) {
        assert_true(c->n <= c->cap);
        assert_true(c->next || c == q->tail);
        n += c->n;
    }
    assert_int_equal(n - q->head_sent, q->n_bytes);
    assert_int_equal(q->n_bytes, model_size(m));
    assert_int_equal(q->n_msgs, m->n_msgs);
    assert_int_equal(q->n_msg_bytes, m->n_msg_bytes);
}

/* As the encoder does: room for more than is used. */
static void reserve(struct outq *q, struct model *m, uint64_t *random)
{
    struct str s = random_bytes(random);
    char *at = outq_reserve(q, &pool, s.n + random_below(random, 100));

    memcpy(at, s.p, s.n);
    outq_commit(q, at + s.n);
    q->n_msgs++;
    q->n_msg_bytes += s.n;
    model_add(m, s);
    m->n_msgs++;
    m->n_msg_bytes += s.n;
}

static void write_some(struct outq *q, struct model *m, uint64_t *random)
{
    struct str s = random_bytes(random);

    s.n -= random_below(random, 20) == 0 ? s.n : 0;
    outq_write(q, &pool, s);
    model_add(m, s);
}

/* What another worker staged, much or little, joins the queue. */
static void append(struct outq *q, struct model *m, uint64_t *random)
{
    struct outq from = {0};
    uint32_t n = random_below(random, 6);

    for (uint32_t i = 0; i < n; i++) {
        struct str s = random_bytes(random);

        if (random_below(random, 2)) {
            outq_write(&from, &pool, s);
        } else {
            char *at = outq_reserve(&from, &pool, s.n + 1);

            memcpy(at, s.p, s.n);
            outq_commit(&from, at + s.n);
        }
        from.n_msgs++;
        from.n_msg_bytes += s.n;
        m->n_msgs++;
        m->n_msg_bytes += s.n;
        model_add(m, s);
    }
    outq_append(q, &from, &pool);
    assert_null(from.head);
    assert_int_equal(from.n_bytes, 0);
    assert_int_equal(from.n_msgs, 0);
}

static void send_some(struct outq *q, struct model *m, struct sink *k)
{
    size_t before = model_size(m);

    k->expected = m;
    k->mood = random_below(&k->random, 4);
    k->error = random_below(&k->random, 20) == 0 ? EPIPE : 0;
    k->n_calls = 0;
    int e = outq_send(q, &pool, &k->stream);
    if (k->error && before) {
        assert_int_equal(e, -EPIPE);
        assert_int_equal(model_size(m), before);
    } else if (e == 0) {
        assert_int_equal(model_size(m), 0);
        assert_null(q->head);
    } else {
        assert_int_equal(e, -EAGAIN);
        assert_true(model_size(m) > 0);
    }
    assert_true(before > 0 || k->n_calls == 0);
}

static void clear(struct outq *q, struct model *m)
{
    outq_clear(q, &pool);
    m->start = m->end = 0;
    assert_null(q->head);
}

static void run_random(uint64_t seed)
{
    struct model m = {.bytes = mem_alloc(MODEL_BYTES)};
    struct sink k = {.stream.ops = &sink_ops, .random = seed};
    struct outq q = {0};
    uint64_t random = seed;

    for (uint32_t i = 0; i < N_STEPS; i++) {
        uint32_t what = random_below(&random, 100);

        if (what < 35) {
            reserve(&q, &m, &random);
        } else if (what < 50) {
            write_some(&q, &m, &random);
        } else if (what < 70) {
            append(&q, &m, &random);
        } else if (what < 99 || random_below(&random, 5)) {
            send_some(&q, &m, &k);
        } else {
            clear(&q, &m);
        }
        if (model_size(&m) > MODEL_BYTES / 2) {
            k.expected = &m;
            k.mood = 3;
            k.error = 0;
            assert_int_equal(outq_send(&q, &pool, &k.stream), 0);
        }
        check_queue(&q, &m);
    }
    clear(&q, &m);
    mem_free(m.bytes);
}

static void test_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run_random(seed);
    }
}

static void fill(struct outq *q, size_t n, size_t piece)
{
    for (size_t at = 0; at < n; at += piece) {
        outq_write(q, &pool, (struct str){.p = source, .n = n - at < piece ? n - at : piece});
    }
}

/* Little is copied behind what is there, much is linked. */
static void test_append_both_ways(void **state)
{
    struct outq to = {0};
    struct outq from = {0};

    (void)state;
    fill(&to, 100, 100);
    fill(&from, 1000, 10);
    outq_append(&to, &from, &pool);
    assert_ptr_equal(to.head, to.tail);
    assert_int_equal(to.n_bytes, 1100);

    fill(&from, 5000, 100);
    struct chunk *head = from.head;
    outq_append(&to, &from, &pool);
    assert_ptr_equal(to.head->next, head);
    assert_int_equal(to.head->n, 1100);
    assert_int_equal(to.n_bytes, 6100);

    fill(&from, 10, 10); // goes on in the chunk that was linked
    struct chunk *tail = to.tail;
    outq_append(&to, &from, &pool);
    assert_ptr_equal(to.tail, tail);
    outq_append(&to, &from, &pool); // nothing
    assert_int_equal(to.n_bytes, 6110);

    struct outq empty = {0};
    outq_append(&empty, &to, &pool);
    assert_int_equal(empty.n_bytes, 6110);
    assert_null(to.head);
    outq_append(&empty, &to, &pool);
    outq_append(&to, &to, &pool); // both empty
    outq_clear(&empty, &pool);
    assert_int_equal(empty.n_bytes, 0);
}

/* The bytes that a queue has sent of its first chunk stay sent when it moves to an empty one. */
static void test_append_half_sent(void **state)
{
    struct model m = {.bytes = mem_alloc(MODEL_BYTES)};
    struct sink k = {.stream.ops = &sink_ops, .random = 1, .mood = 0, .expected = &m};
    struct outq to = {0};
    struct outq from = {0};

    (void)state;
    fill(&from, 6000, 6000);
    model_add(&m, (struct str){.p = source, .n = 6000});
    assert_int_equal(outq_send(&from, &pool, &k.stream), -EAGAIN);
    assert_int_equal(outq_send(&from, &pool, &k.stream), -EAGAIN);
    assert_int_equal(from.n_bytes, 5998);
    outq_append(&to, &from, &pool);
    check_queue(&to, &m);
    k.mood = 3;
    assert_int_equal(outq_send(&to, &pool, &k.stream), 0);
    assert_int_equal(model_size(&m), 0);
    mem_free(m.bytes);
}

/* More chunks than one system call takes. */
static void test_many_chunks(void **state)
{
    struct model m = {.bytes = mem_alloc(MODEL_BYTES)};
    struct sink k = {.stream.ops = &sink_ops, .random = 1, .mood = 3, .expected = &m};
    struct outq q = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        fill(&q, CHUNK_LARGE_BYTES, 5000);
        for (size_t at = 0; at < CHUNK_LARGE_BYTES; at += 5000) {
            size_t n = CHUNK_LARGE_BYTES - at < 5000 ? CHUNK_LARGE_BYTES - at : 5000;

            model_add(&m, (struct str){.p = source, .n = n});
        }
    }
    check_queue(&q, &m);
    assert_int_equal(outq_send(&q, &pool, &k.stream), 0);
    assert_true(k.n_calls > 1);
    assert_int_equal(model_size(&m), 0);
    assert_null(q.head);
    mem_free(m.bytes);
}

static int start(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(source); i++) {
        source[i] = (char)random_below(&random, 256);
    }
    chunk_depot_init(&depot);
    chunk_pool_init(&pool, &depot);
    return 0;
}

static int end(void **state)
{
    (void)state;
    chunk_pool_deinit(&pool);
    chunk_depot_deinit(&depot);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_append_both_ways),
        cmocka_unit_test(test_append_half_sent),
        cmocka_unit_test(test_many_chunks),
    };

    return cmocka_run_group_tests(tests, start, end);
}
