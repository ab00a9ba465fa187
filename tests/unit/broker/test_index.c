/* SPDX-License-Identifier: Apache-2.0 */
/* broker/index.h: behaviour, a million random operations against a naive model, and threads. */
#include "broker/index.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "broker/sub.h"
#include "index_model.h"
#include "proto/subject.h"

static struct sub *add(struct index *ix, const char *subject, const char *queue)
{
    struct sub *s = sub_new(0, NULL, str_of(subject), str_of(queue), STR("1"));

    index_add(ix, s);
    return s;
}

/* Removes a subscription and drops the last reference to it. */
static void drop(struct index *ix, struct sub *s)
{
    assert_true(index_remove(ix, s));
    assert_int_equal(atomic_load(&s->refs), 1);
    sub_unref(s);
}

static struct match *match(struct index *ix, const char *subject)
{
    uint64_t generation;

    return index_match(ix, 0, str_of(subject), &generation);
}

/* Subscriptions that a subject reaches, members of groups included. */
static unsigned count(struct index *ix, const char *subject)
{
    struct match *m = match(ix, subject);
    unsigned n = m ? m->n_plain : 0;

    for (unsigned i = 0; m && i < m->n_groups; i++) {
        n += m->groups[i].n;
    }
    match_free(m);
    return n;
}

static void test_plain(void **state)
{
    struct index *ix = index_new(1);
    struct sub *s = add(ix, "a.b", "");
    struct match *m = match(ix, "a.b");

    (void)state;
    assert_non_null(m);
    assert_int_equal(m->n_plain, 1);
    assert_int_equal(m->n_groups, 0);
    assert_null(m->groups);
    assert_ptr_equal(m->subs[0], s);
    assert_int_equal(atomic_load(&s->refs), 3);
    assert_int_equal(index_count(ix), 1);
    assert_true(index_remove(ix, s));
    assert_false(index_remove(ix, s));
    assert_int_equal(index_count(ix), 0);
    assert_int_equal(atomic_load(&s->refs), 2); // the match still holds it
    match_free(m);
    assert_null(match(ix, "a.b"));
    sub_unref(s);
    index_free(ix);
    index_free(NULL);
    match_free(NULL);
}

static void test_wildcards(void **state)
{
    static const char *const subjects[] = {"a", "a.b", "a.*", "a.>", "*", "*.b", ">", "*.*", "*.>"};
    struct index *ix = index_new(1);
    struct sub *subs[ARRAY_SIZE(subjects)];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        subs[i] = add(ix, subjects[i], "");
    }
    assert_int_equal(count(ix, "a"), 3);     // a * >
    assert_int_equal(count(ix, "a.b"), 7);   // a.b a.* a.> *.b > *.* *.>
    assert_int_equal(count(ix, "a.c"), 5);   // a.* a.> > *.* *.>
    assert_int_equal(count(ix, "c.b"), 4);   // *.b > *.* *.>
    assert_int_equal(count(ix, "a.b.c"), 3); // a.> > *.>
    assert_int_equal(count(ix, "c"), 2);     // * >
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        drop(ix, subs[i]);
    }
    assert_null(match(ix, "a.b"));
    index_free(ix);
}

/* Published tokens are literal; empty ones reach nothing. */
static void test_literal_subjects(void **state)
{
    struct index *ix = index_new(1);
    struct sub *star = add(ix, "foo.*", "");
    struct sub *rest = add(ix, ">", "");
    struct sub *bar = add(ix, "foo.bar", "");

    (void)state;
    assert_int_equal(count(ix, "foo.*"), 2);
    assert_int_equal(count(ix, "foo.>"), 2);
    assert_int_equal(count(ix, "*"), 1);
    assert_int_equal(count(ix, "foo.bar"), 3);
    assert_int_equal(count(ix, ""), 0);
    assert_int_equal(count(ix, "."), 0);
    assert_int_equal(count(ix, ".foo"), 0);
    assert_int_equal(count(ix, "foo."), 0);
    assert_int_equal(count(ix, "foo..bar"), 0);
    assert_int_equal(count(ix, "x.y.z..bar"), 0);
    assert_int_equal(count(ix, "foo.bar."), 0);
    drop(ix, star);
    drop(ix, rest);
    drop(ix, bar);
    index_free(ix);
}

static void test_queue_groups(void **state)
{
    struct index *ix = index_new(1);
    struct sub *subs[] = {
        add(ix, "a.b", "q1"), add(ix, "a.*", "q1"), add(ix, "a.>", "q2"), add(ix, "a.b", "q1"),
        add(ix, "a.b", ""),   add(ix, ">", "q1"),   add(ix, "x", "q1"),   add(ix, "a.b", "q22"),
    };
    struct match *m = match(ix, "a.b");
    unsigned members = 0;

    (void)state;
    assert_non_null(m);
    assert_int_equal(m->n_plain, 1);
    assert_ptr_equal(m->subs[0], subs[4]);
    assert_int_equal(m->n_groups, 3);
    for (unsigned i = 0; i < m->n_groups; i++) {
        const struct match_group *g = &m->groups[i];
        struct str name = sub_queue(m->subs[g->first]);

        assert_int_equal(g->first, 1 + members);
        assert_int_equal(g->n, str_equal(name, STR("q1")) ? 4 : 1);
        members += g->n;
    }
    assert_int_equal(members, 6);
    match_free(m);
    for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
        drop(ix, subs[i]);
    }
    index_free(ix);
}

static void test_remove_of_others(void **state)
{
    struct index *ix = index_new(1);
    struct sub *in[] = {add(ix, "a.b", ""), add(ix, "a.c", ""), add(ix, "a.c", "q")};
    static const char *const out_subjects[] = {"a.b", "a", "a.b.c", "a.c", "a.*", "a.>", "z"};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(out_subjects); i++) {
        for (unsigned k = 0; k < 3; k++) {
            static const char *const queues[] = {"", "q", "r"};
            struct sub *s = sub_new(0, NULL, str_of(out_subjects[i]), str_of(queues[k]), STR("1"));

            assert_false(index_remove(ix, s));
            index_remove_all(ix, &s, 1);
            assert_int_equal(atomic_load(&s->refs), 1);
            sub_unref(s);
        }
    }
    assert_int_equal(index_count(ix), 3);
    index_remove_all(ix, in, 3);
    assert_int_equal(index_count(ix), 0);
    for (unsigned i = 0; i < 3; i++) {
        sub_unref(in[i]);
    }
    index_free(ix);
}

static void test_free_drops_references(void **state)
{
    struct index *ix = index_new(3);
    struct sub *subs[] = {add(ix, "a", ""),   add(ix, "a", ""),   add(ix, "a", "q"),
                          add(ix, "a", "q"),  add(ix, "b", "q"),  add(ix, "a.*.c", ""),
                          add(ix, "a.*", ""), add(ix, "a.>", ""), add(ix, ">", "")};

    (void)state;
    index_free(ix);
    for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
        assert_int_equal(atomic_load(&subs[i]->refs), 1);
        sub_unref(subs[i]);
    }
}

/* [bytes] that are allocated; 0 where the allocator does not tell. */
static size_t bytes_in_use(void)
{
    return mallinfo2().uordblks;
}

/* What was grown for a subscription goes with it, also long ways that lead to nothing else. */
static void test_memory_comes_back(void **state)
{
    static const char *const ends[] = {"x.d.e.f", "x.d.e.>", ">", "*.d", "x.d", "x"};
    struct index *ix = index_new(1);
    struct sub *first = add(ix, "a.b.c", "");
    struct sub *subs[1000];
    size_t before = 0;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        if (round == 10) { // until then the allocator's own lists may have filled
            before = bytes_in_use();
        }
        for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
            char subject[64];

            snprintf(subject, sizeof(subject), "a.%s.%u.%s", i % 3 ? "b" : "*", i / 7 + round,
                     ends[i % ARRAY_SIZE(ends)]);
            subs[i] = add(ix, subject, i % 2 ? "" : "q");
        }
        for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
            drop(ix, subs[(i * 7 + round) % ARRAY_SIZE(subs)]);
        }
    }
    assert_in_range(bytes_in_use(), 0, before + 4096);
    drop(ix, first);
    index_free(ix);
}

/* Two subjects that part only after thousands of tokens: nothing may recurse. */
static void test_deep_subjects(void **state)
{
    const size_t n_tokens = 200000;
    char *subject = mem_alloc(2 * n_tokens + 1);
    struct index *ix = index_new(1);
    struct sub *subs[4];

    (void)state;
    for (size_t i = 0; i < n_tokens; i++) {
        subject[2 * i] = i % 3 ? 'a' : '*';
        subject[2 * i + 1] = '.';
    }
    for (unsigned i = 0; i < 4; i++) {
        subject[2 * n_tokens - 1] = '\0';
        subject[2 * n_tokens - 2] = "ab*>"[i];
        subs[i] = add(ix, subject, "");
    }
    for (size_t i = 0; i + 1 < n_tokens; i++) {
        subject[2 * i] = 'a';
    }
    subject[2 * n_tokens - 2] = 'b';
    assert_int_equal(count(ix, subject), 3);
    drop(ix, subs[0]);
    drop(ix, subs[1]);
    assert_int_equal(count(ix, subject), 2);
    index_free(ix);
    sub_unref(subs[2]);
    sub_unref(subs[3]);
    mem_free(subject);
}

/* Large fan-out and large groups, gone in the order of joining: neither may be quadratic. */
static void test_many_on_one_subject(void **state)
{
    static struct sub *subs[100000];
    struct index *ix = index_new(1);

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
        char queue[16] = "";

        if (i % 10 == 0) {
            snprintf(queue, sizeof(queue), "q%u", i % 20000); // 2,000 names
        } else if (i % 10 == 1) {
            queue[0] = 'q';
        }
        subs[i] = add(ix, "fan.out", queue);
    }
    struct match *m = match(ix, "fan.out");

    assert_non_null(m);
    assert_int_equal(m->n_plain, 80000);
    assert_int_equal(m->n_groups, 2001);
    match_free(m);
    for (unsigned i = 0; i < 50000; i++) {
        drop(ix, subs[i]);
    }
    assert_int_equal(count(ix, "fan.out"), 50000);
    index_remove_all(ix, subs + 50000, 50000);
    assert_null(match(ix, "fan.out"));
    for (unsigned i = 50000; i < ARRAY_SIZE(subs); i++) {
        sub_unref(subs[i]);
    }
    index_free(ix);
}

/* Whether adding and removing `changed` changes the generation of `watched`. */
static bool concerns(struct index *ix, const char *changed, const char *watched)
{
    struct index_watch w = index_watch(ix, str_of(watched));
    uint64_t at_first = index_generation(&w);
    struct sub *s = add(ix, changed, "");
    uint64_t added = index_generation(&w);

    drop(ix, s);
    assert_int_equal(added != at_first, index_generation(&w) != added);
    return added != at_first;
}

static void test_generations(void **state)
{
    static const char *const yes[][2] = {
        {"a", "a"},       {"a.b", "a.b"},     {"a.*", "a.b"},     {"a.>", "a.b"},
        {"a.>", "a.b.c"}, {"a.b.c", "a.b.c"}, {"a.b.>", "a.b.c"}, {"a.*.c", "a.b.c"},
        {"*", "a"},       {">", "a"},         {">", "a.b.c"},     {"*.b", "a.b"},
        {"*.b", "*.b"},   {"a.*", "a.*"},     {"a.>", "a.>"},     {">", ">"},
        {"a.b*", "a.b*"}, {"a.b.*", "a.b.>"},
    };
    struct index *ix = index_new(2);

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(yes); i++) {
        assert_true(subject_matches(str_of(yes[i][1]), str_of(yes[i][0])));
        assert_true(concerns(ix, yes[i][0], yes[i][1]));
    }
    // The purpose of it all: an inbox that comes and goes leaves other subjects alone.
    unsigned n_other = 0;
    for (unsigned i = 0; i < 1000; i++) {
        char inbox[64];

        snprintf(inbox, sizeof(inbox), "_INBOX.%u.*", i);
        n_other += concerns(ix, inbox, "orders.new");
    }
    assert_in_range(n_other, 0, 40);
    assert_int_equal(index_watch(ix, STR("a")).second == index_watch(ix, STR("b")).second, 1);
    index_free(ix);
}

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

/* A subject of few tokens out of few; valid to subscribe to, or with anything in it. */
static struct str random_subject(uint64_t *random, bool is_pattern, char *out)
{
    static const char *const tokens[] = {"a", "b", "cc", "cd", "*", "*", ">", ""};
    uint32_t n_tokens = 1 + random_below(random, 5);
    uint32_t n_kinds = is_pattern ? 6 : random_below(random, 10) ? 4 : 8;
    size_t n = 0;

    for (uint32_t i = 0; i < n_tokens; i++) {
        const char *token = tokens[random_below(random, n_kinds)];

        if (is_pattern && i + 1 == n_tokens && random_below(random, 5) == 0) {
            token = ">";
        }
        n += (size_t)snprintf(out + n, 16, "%s%s", i ? "." : "", token);
    }
    return (struct str){.p = out, .n = n};
}

static void run_random(uint64_t seed, size_t n_subs, uint32_t n_operations)
{
    static const char *const queues[] = {"", "", "q", "r", "qq"};
    uint64_t random = seed;
    size_t n_found = 0;
    char bytes[80];
    struct model m;

    model_init(&m);
    for (uint32_t i = 0; i < MODEL_WATCHES; i++) {
        model_watch(&m, random_subject(&random, i % 4 == 0, bytes));
    }
    for (uint32_t i = 0; i < n_operations; i++) {
        uint32_t dice = random_below(&random, 100);

        if (dice < 34) {
            n_found += model_check_match(&m, random_subject(&random, false, bytes));
        } else if (dice < 38) {
            n_found += model_check_reverse(&m, random_subject(&random, true, bytes),
                                           i % 2 ? TRIE_COVERED : TRIE_OVERLAPS);
        } else if (dice < 40) {
            struct str subject = random_subject(&random, dice == 38, bytes);

            model_toggle_listener(&m, random_below(&random, MODEL_LISTENERS), subject,
                                  str_of(queues[random_below(&random, ARRAY_SIZE(queues))]));
        } else if (random_below(&random, (uint32_t)(2 * n_subs)) >= m.n) {
            struct str subject = random_subject(&random, true, bytes);

            assert_true(subject_is_valid(subject));
            model_add(&m, subject, str_of(queues[random_below(&random, ARRAY_SIZE(queues))]));
        } else if (m.n && dice >= 97 && dice < 99) {
            model_exchange(&m, random_below(&random, (uint32_t)m.n),
                           random_subject(&random, true, bytes),
                           str_of(queues[random_below(&random, ARRAY_SIZE(queues))]));
        } else if (m.n > 8 && dice == 99) {
            model_remove_all(&m, random_below(&random, (uint32_t)m.n - 8), 8);
        } else if (m.n) {
            model_remove(&m, random_below(&random, (uint32_t)m.n));
        }
    }
    assert_true(n_found > n_operations / 20);
    model_deinit(&m);
}

static void test_against_model(void **state)
{
    (void)state;
    run_random(1, 2, 300000);
    run_random(2, 10, 400000);
    run_random(3, 60, 400000);
    run_random(4, 600, 50000);
}

/* A node whose children are many enough to be kept in many sets, and few again, while they come and
 * go. */
static void test_wide_nodes(void **state)
{
    static struct sub *subs[20000];
    struct index *ix = index_new(1);
    struct sub *star = add(ix, "w.*.x", "");
    uint64_t random = 1;
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < 320000; i++) {
        bool is_growing = i / 80000 % 2 == 0;
        bool is_wanted = random_below(&random, 64) < (is_growing ? 56 : 1);
        uint32_t k = random_below(&random, ARRAY_SIZE(subs));
        char subject[32];

        snprintf(subject, sizeof(subject), k % 5 ? "w.%u" : "w.%u.x", k);
        assert_int_equal(count(ix, subject), (subs[k] != NULL) + (k % 5 == 0));
        if (subs[k] && !is_wanted) {
            drop(ix, subs[k]);
            subs[k] = NULL;
            n--;
        } else if (!subs[k] && is_wanted) {
            subs[k] = add(ix, subject, "");
            n++;
        }
        if (i % 5000 == 0) {
            struct index_census census = {.subject = STR("w.>")};

            assert_int_equal(index_count_matches(ix, 0, &census), n + 1);
        }
    }
    assert_in_range(n, 1, 700);
    for (unsigned k = 0; k < ARRAY_SIZE(subs); k++) {
        if (subs[k]) {
            drop(ix, subs[k]);
        }
    }
    assert_int_equal(count(ix, "w.5.x"), 1);
    drop(ix, star);
    index_free(ix);
}

#define N_READERS 3u
#define N_ROUNDS 1000u

/** What the threads share. `round` is odd while the subscription of its round is surely in the
 * index. */
struct shared {
    struct index *ix;
    struct sub *lasting;
    _Atomic uint32_t round;
    _Atomic uint32_t next_reader;
    _Atomic bool is_over;
    _Atomic uint64_t n_seen;
};

static void *read_index(void *arg)
{
    struct shared *sh = arg;
    unsigned reader = atomic_fetch_add(&sh->next_reader, 1);
    struct index_watch watch = index_watch(sh->ix, STR("t.now"));
    uint64_t last = 0;

    while (!atomic_load(&sh->is_over)) {
        uint32_t round = atomic_load(&sh->round);
        uint64_t generation;
        struct match *m = index_match(sh->ix, reader, STR("t.now"), &generation);

        ENSURE(m);
        ENSURE(generation >= last);
        ENSURE(index_generation(&watch) >= generation);
        last = generation;
        if (round % 2 == 1 && atomic_load(&sh->round) == round) {
            bool is_there = false;

            for (uint32_t i = 0; i < m->n_plain; i++) {
                is_there |= m->subs[i]->owner == round;
            }
            ENSURE(is_there);
            atomic_fetch_add(&sh->n_seen, 1);
        }
        match_free(m);
    }
    return NULL;
}

/* Comes and goes next to what the readers watch. */
static void *write_noise(void *arg)
{
    struct shared *sh = arg;

    for (unsigned i = 0; !atomic_load(&sh->is_over); i++) {
        struct sub *subs[8];
        char subject[32];

        for (unsigned k = 0; k < ARRAY_SIZE(subs); k++) {
            snprintf(subject, sizeof(subject), k % 2 ? "t.%u.x" : "*.now", i % 50);
            subs[k] = add(sh->ix, subject, k % 3 ? "" : "q");
        }
        index_remove_all(sh->ix, subs, ARRAY_SIZE(subs));
        for (unsigned k = 0; k < ARRAY_SIZE(subs); k++) {
            sub_unref(subs[k]);
        }
    }
    return NULL;
}

/* What has no owner is the server's own, and listed apart. */
static void test_own(void **state)
{
    struct index *ix = index_new(1);
    struct sub *own = add(ix, "a.>", "");
    struct sub *other = sub_new(7, NULL, STR("a.b"), (struct str){0}, STR("1"));
    struct sub **list;
    size_t n;

    (void)state;
    index_add(ix, other);
    list = index_list_own(ix, 0, &n);
    assert_int_equal(n, 1);
    assert_ptr_equal(list[0], own);
    sub_unref(list[0]);
    mem_free(list);
    drop(ix, own);
    list = index_list_own(ix, 0, &n);
    assert_int_equal(n, 0);
    mem_free(list);
    drop(ix, other);
    index_free(ix);
}

static void test_threads(void **state)
{
    struct shared sh = {.ix = index_new(N_READERS)};
    pthread_t threads[N_READERS + 1];

    (void)state;
    sh.lasting = add(sh.ix, "t.>", "");
    for (unsigned i = 0; i <= N_READERS; i++) {
        void *(*run)(void *) = i < N_READERS ? read_index : write_noise;

        assert_int_equal(pthread_create(&threads[i], NULL, run, &sh), 0);
    }
    for (uint32_t round = 1; round < N_ROUNDS || atomic_load(&sh.n_seen) < 20; round += 2) {
        const char *subject = round % 4 == 1 ? "t.now" : "t.*";
        struct sub *s = sub_new(round, NULL, str_of(subject), (struct str){0}, STR("1"));

        index_add(sh.ix, s);
        atomic_store(&sh.round, round);
        sched_yield();
        atomic_store(&sh.round, round + 1);
        assert_true(index_remove(sh.ix, s));
        sub_unref(s);
    }
    atomic_store(&sh.is_over, true);
    for (unsigned i = 0; i <= N_READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(index_count(sh.ix), 1);
    drop(sh.ix, sh.lasting);
    index_free(sh.ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_literal_subjects),
        cmocka_unit_test(test_queue_groups),
        cmocka_unit_test(test_remove_of_others),
        cmocka_unit_test(test_free_drops_references),
        cmocka_unit_test(test_memory_comes_back),
        cmocka_unit_test(test_deep_subjects),
        cmocka_unit_test(test_many_on_one_subject),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_wide_nodes),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
