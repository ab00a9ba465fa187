/* SPDX-License-Identifier: Apache-2.0 */
/* broker/interest.h by way of an index: who is told of what, and in which order when several
 * threads change it. The random comparison with a naive model is in test_index.c. */
#include "broker/interest.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "broker/index.h"
#include "broker/sub.h"

/** A listener that writes down what it is told: "+subject queue" or "-subject queue", ";". */
struct ear {
    struct interest_listener l;
    char heard[512];
    size_t n;
};

static void write_down(struct interest_listener *l, const struct interest_change *change)
{
    struct ear *e = (struct ear *)(void *)l;

    e->n += (size_t)snprintf(e->heard + e->n, sizeof(e->heard) - e->n, "%c%.*s %.*s;",
                             change->is_there ? '+' : '-', STR_ARG(change->subject),
                             STR_ARG(change->queue));
}

static struct ear *ear_new(const char *subject, const char *queue)
{
    struct ear *e = mem_zalloc(sizeof(*e));

    e->l = (struct interest_listener){
        .on_change = write_down, .subject = str_of(subject), .queue = str_of(queue)};
    return e;
}

/* Compares with what was heard since the last time. */
static void assert_heard(struct ear *e, const char *what)
{
    assert_string_equal(e->heard, what);
    e->n = 0;
    e->heard[0] = '\0';
}

static void end(struct index *ix, struct ear *e)
{
    assert_true(index_remove_listener(ix, &e->l));
    assert_false(index_remove_listener(ix, &e->l));
    assert_heard(e, "");
    mem_free(e);
}

static struct sub *add(struct index *ix, const char *subject, const char *queue)
{
    struct sub *s = sub_new(0, NULL, str_of(subject), str_of(queue), STR("1"));

    index_add(ix, s);
    return s;
}

static void drop(struct index *ix, struct sub *s)
{
    assert_true(index_remove(ix, s));
    sub_unref(s);
}

/* First and last of the very subject; no pattern, no queue group. */
static void test_one_subject(void **state)
{
    struct index *ix = index_new(1);
    struct ear *e = ear_new("a.b", "");
    struct sub *subs[4];

    (void)state;
    assert_true(index_add_listener(ix, &e->l));
    assert_heard(e, "-a.b ;");
    subs[0] = add(ix, "a.b", "");
    assert_heard(e, "+a.b ;");
    subs[1] = add(ix, "a.b", "");
    subs[2] = add(ix, "a.*", "");
    subs[3] = add(ix, "a.b", "q");
    drop(ix, subs[0]);
    assert_heard(e, "");
    drop(ix, subs[1]);
    assert_heard(e, "-a.b ;");
    drop(ix, subs[2]);
    drop(ix, subs[3]);
    end(ix, e);
    index_free(ix);
}

static void test_queue(void **state)
{
    struct index *ix = index_new(1);
    struct ear *e = ear_new("a", "q");
    struct sub *subs[] = {add(ix, "a", "q"), add(ix, "a", "q"), add(ix, "a", ""),
                          add(ix, "a", "r")};

    (void)state;
    assert_true(index_add_listener(ix, &e->l));
    assert_heard(e, "+a q;");
    drop(ix, subs[2]);
    drop(ix, subs[3]);
    drop(ix, subs[0]);
    assert_heard(e, "");
    drop(ix, subs[1]);
    assert_heard(e, "-a q;");
    end(ix, e);
    index_free(ix);
}

static void test_refused(void **state)
{
    static const char *const subjects[][2] = {
        {"a.*", ""}, {">", ""}, {"a..b", ""}, {"a.", "q"}, {"", "q"},
    };
    struct index *ix = index_new(1);
    struct ear *twice = ear_new("a", "");

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct ear *e = ear_new(subjects[i][0], subjects[i][1]);

        assert_false(index_add_listener(ix, &e->l));
        assert_false(index_remove_listener(ix, &e->l));
        assert_heard(e, "");
        mem_free(e);
    }
    assert_true(index_add_listener(ix, &twice->l));
    assert_heard(twice, "-a ;");
    assert_false(index_add_listener(ix, &twice->l));
    end(ix, twice);
    index_free(ix);
}

/* Several may listen to the same, and go in any order. */
static void test_several(void **state)
{
    for (unsigned gone = 0; gone < 3; gone++) {
        struct index *ix = index_new(1);
        struct ear *ears[3];
        struct sub *s;

        (void)state;
        for (unsigned i = 0; i < 3; i++) {
            ears[i] = ear_new("a", "");
            assert_true(index_add_listener(ix, &ears[i]->l));
            assert_heard(ears[i], "-a ;");
        }
        end(ix, ears[gone]);
        s = add(ix, "a", "");
        assert_heard(ears[(gone + 1) % 3], "+a ;");
        assert_heard(ears[(gone + 2) % 3], "+a ;");
        end(ix, ears[(gone + 1) % 3]);
        drop(ix, s);
        assert_heard(ears[(gone + 2) % 3], "-a ;");
        end(ix, ears[(gone + 2) % 3]);
        index_free(ix);
    }
}

static void test_all(void **state)
{
    struct index *ix = index_new(2);
    struct ear *e = ear_new("", "");
    struct sub *subs[5] = {add(ix, "a", ""), add(ix, "a", "q"), add(ix, "a", "q")};

    (void)state;
    assert_true(index_add_listener(ix, &e->l));
    assert_heard(e, "+a ;+a q;");
    subs[3] = add(ix, "a.*", "r");
    subs[4] = add(ix, "a.*", "r");
    assert_heard(e, "+a.* r;");
    index_remove_all(ix, subs, ARRAY_SIZE(subs));
    assert_heard(e, "-a ;-a q;-a.* r;");
    index_remove_all(ix, subs, ARRAY_SIZE(subs)); // none of them is there
    assert_false(index_remove(ix, subs[0]));
    for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
        sub_unref(subs[i]);
    }
    end(ix, e);
    subs[0] = add(ix, "a", "");
    sub_unref(subs[0]);
    index_free(ix); // with nobody listening
}

#define N_WRITERS 3u
#define N_ROUNDS 20000u

/** What the threads share: all come and go on the same few subjects. */
struct shared {
    struct index *ix;
    _Atomic unsigned next_writer;
    atomic_bool is_over;
};

/** A listener to all that keeps a sum; its field is touched by one thread at a time. */
struct sum {
    struct interest_listener l;
    int n[2][2];
};

static void sum_up(struct interest_listener *l, const struct interest_change *change)
{
    struct sum *s = (struct sum *)(void *)l;
    int *n = &s->n[change->subject.p[0] == 'b'][change->queue.n != 0];

    *n += change->is_there ? 1 : -1;
    ENSURE(*n == 0 || *n == 1); // else two changes were told in the wrong order, or one was not
}

static void *write_index(void *arg)
{
    struct shared *sh = arg;
    unsigned id = atomic_fetch_add(&sh->next_writer, 1);

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        struct sub *subs[2] = {add(sh->ix, i % 2 ? "a" : "b", i % 3 ? "" : "q"),
                               add(sh->ix, i % 5 ? "b" : "a", i % 7 ? "" : "q")};

        if ((i + id) % 2) {
            index_remove_all(sh->ix, subs, 2);
        } else {
            ENSURE(index_remove(sh->ix, subs[0]) && index_remove(sh->ix, subs[1]));
        }
        sub_unref(subs[0]);
        sub_unref(subs[1]);
    }
    return NULL;
}

/* Whoever listens only now and then must find the right state at once. */
static void *come_and_go(void *arg)
{
    struct shared *sh = arg;

    while (!atomic_load(&sh->is_over)) {
        struct sum sum = {.l.on_change = sum_up};

        ENSURE(index_add_listener(sh->ix, &sum.l));
        for (unsigned i = 0; i < 5; i++) {
            index_has_interest(sh->ix, 1, STR("a"));
        }
        ENSURE(index_remove_listener(sh->ix, &sum.l));
    }
    return NULL;
}

static void run_threads(bool with_lasting)
{
    struct shared sh = {.ix = index_new(2)};
    struct sum lasting = {.l.on_change = sum_up};
    pthread_t writers[N_WRITERS];
    pthread_t guest;

    if (with_lasting) {
        assert_true(index_add_listener(sh.ix, &lasting.l));
    }
    assert_int_equal(pthread_create(&guest, NULL, come_and_go, &sh), 0);
    for (unsigned i = 0; i < N_WRITERS; i++) {
        assert_int_equal(pthread_create(&writers[i], NULL, write_index, &sh), 0);
    }
    for (unsigned i = 0; i < N_WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    atomic_store(&sh.is_over, true);
    pthread_join(guest, NULL);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(lasting.n[i / 2][i % 2], 0);
    }
    assert_int_equal(index_remove_listener(sh.ix, &lasting.l), with_lasting);
    assert_int_equal(index_count(sh.ix), 0);
    index_free(sh.ix);
}

static void test_threads(void **state)
{
    (void)state;
    run_threads(true);
    run_threads(false); // listening begins and ends all the time
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_subject), cmocka_unit_test(test_queue),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_several),
        cmocka_unit_test(test_all),         cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
