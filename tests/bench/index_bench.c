/* SPDX-License-Identifier: Apache-2.0 */
/* Time and memory of the subject index.  index_bench [subscriptions [readers]]
 * The subjects are those of `natsload subs`: unique, below 4,096 prefixes, 10 % with wildcards. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/ptrset.h"
#include "broker/index.h"
#include "broker/sub.h"

#define N_MATCHES 1000000u
#define N_FAN_OUT 100000u
#define N_MEMBERS 10000u
#define BATCH 256u // subjects made before the clock runs

static uint64_t g_random = 1;

static uint32_t random_below(uint32_t n)
{
    g_random = g_random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((g_random >> 32) * n >> 32);
}

/* [bytes] of memory that the process has resident. */
static long resident_bytes(void)
{
    long total = 0;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f) {
        if (fscanf(f, "%ld %ld", &total, &pages) != 2) {
            pages = 0;
        }
        (void)fclose(f);
    }
    return pages * 4096;
}

struct text {
    char p[64];
};

static struct str make_subject(struct text *t, uint64_t i)
{
    unsigned x = (unsigned)(i % 64);
    unsigned y = (unsigned)(i / 64 % 64);
    int n;

    if (i * 37 % 100 >= 10) {
        n = snprintf(t->p, sizeof(t->p), "load.x.%u.%u.%llu", x, y, (unsigned long long)i);
    } else if (i & 1) {
        n = snprintf(t->p, sizeof(t->p), "load.*.%u.*.%llu.>", x, (unsigned long long)i);
    } else {
        n = snprintf(t->p, sizeof(t->p), "load.x.%u.%u.*.%llu", x, y, (unsigned long long)i);
    }
    return (struct str){.p = t->p, .n = (size_t)n};
}

static struct str make_sid(struct text *t, uint64_t i)
{
    int n = snprintf(t->p, sizeof(t->p), "%llu", (unsigned long long)i);

    return (struct str){.p = t->p, .n = (size_t)n};
}

static uint64_t sid_hash(const void *element, const void *arg)
{
    (void)arg;
    return hash_str(sub_sid(element));
}

static void report(const char *what, int64_t ns, size_t n)
{
    printf("%-44s %9.0f ns\n", what, (double)ns / (double)n);
}

static void shuffle(struct sub **subs, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below((uint32_t)i);
        struct sub *s = subs[i - 1];

        subs[i - 1] = subs[j];
        subs[j] = s;
    }
}

static void fill(struct index *ix, struct sub **subs, struct ptrset *sids, size_t n)
{
    static struct text subjects[BATCH];
    static struct text names[BATCH];
    static struct str subject[BATCH];
    static struct str sid[BATCH];
    int64_t new_ns = 0;
    int64_t sid_ns = 0;
    int64_t add_ns = 0;
    int64_t worst_ns = 0;
    long before = resident_bytes();

    for (size_t i = 0; i < n; i += BATCH) {
        size_t m = n - i < BATCH ? n - i : BATCH;
        int64_t t;

        for (size_t k = 0; k < m; k++) {
            subject[k] = make_subject(&subjects[k], i + k);
            sid[k] = make_sid(&names[k], i + k);
        }
        t = clock_now_ns();
        for (size_t k = 0; k < m; k++) {
            subs[i + k] = sub_new(i + k, NULL, subject[k], (struct str){0}, sid[k]);
        }
        new_ns += clock_now_ns() - t;
        t = clock_now_ns();
        for (size_t k = 0; k < m; k++) {
            ptrset_add(sids, hash_str(sid[k]), subs[i + k], sid_hash, NULL);
        }
        sid_ns += clock_now_ns() - t;
        t = clock_now_ns();
        for (size_t k = 0; k < m; k++) {
            index_add(ix, subs[i + k]);
        }
        t = clock_now_ns() - t;
        add_ns += t;
        worst_ns = t > worst_ns ? t : worst_ns;
    }
    report("sub_new", new_ns, n);
    report("sid table add", sid_ns, n);
    report("index_add", add_ns, n);
    report("index_add, worst batch of 256", worst_ns, 1);
    printf("%-44s %9.1f bytes\n", "resident per subscription, all in all",
           (double)(resident_bytes() - before) / (double)n);
}

static void match(struct index *ix, size_t n)
{
    static struct text subjects[BATCH];
    static struct str subject[BATCH];
    int64_t hit_ns = 0;
    size_t n_found = 0;

    for (size_t i = 0; i < N_MATCHES; i += BATCH) {
        int64_t t;

        for (size_t k = 0; k < BATCH; k++) {
            unsigned id = random_below((uint32_t)n);

            subject[k].p = subjects[k].p;
            subject[k].n = (size_t)snprintf(subjects[k].p, sizeof(subjects[k].p), "load.x.%u.%u.%u",
                                            id % 64, id / 64 % 64, id);
        }
        t = clock_now_ns();
        for (size_t k = 0; k < BATCH; k++) {
            uint64_t generation;
            struct match *m = index_match(ix, 0, subject[k], &generation);

            n_found += m ? m->n_plain : 0;
            match_free(m);
        }
        hit_ns += clock_now_ns() - t;
    }
    report("index_match + match_free, random subjects", hit_ns, N_MATCHES);
    printf("%-44s %9.3f\n", "  found per match", (double)n_found / N_MATCHES);
}

/* The same subject again and again: what it costs when all is in the cache. */
static void match_hot(struct index *ix)
{
    struct text subject;
    struct str s = make_subject(&subject, 1000);
    int64_t t = clock_now_ns();

    for (size_t i = 0; i < N_MATCHES; i++) {
        uint64_t generation;

        match_free(index_match(ix, 0, s, &generation));
    }
    report("index_match + match_free, one subject", clock_now_ns() - t, N_MATCHES);
}

/* Many subscriptions to one subject: added, matched, removed in several orders. */
static void one_subject(struct index *ix, const char *queue, size_t n)
{
    static const char *const orders[] = {"first first", "last first", "random"};
    struct sub **subs = mem_alloc(n * sizeof(struct sub *));
    struct text sid;
    int64_t t;

    printf("%zu to one subject, %s\n", n, queue[0] ? "one queue group" : "plain");
    for (size_t i = 0; i < n; i++) {
        subs[i] = sub_new(i, NULL, STR("fan.out"), str_of(queue), make_sid(&sid, i));
    }
    for (unsigned order = 0; order < ARRAY_SIZE(orders); order++) {
        uint64_t generation;
        struct match *m;

        t = clock_now_ns();
        for (size_t i = 0; i < n; i++) {
            index_add(ix, subs[i]);
        }
        report("  index_add", clock_now_ns() - t, n);
        t = clock_now_ns();
        m = index_match(ix, 0, STR("fan.out"), &generation);
        report("  index_match, per subscription", clock_now_ns() - t, n);
        t = clock_now_ns();
        match_free(m);
        report("  match_free, per subscription", clock_now_ns() - t, n);
        if (order == 2) {
            shuffle(subs, n);
        }
        t = clock_now_ns();
        for (size_t i = 0; i < n; i++) {
            index_remove(ix, order == 1 ? subs[n - 1 - i] : subs[i]);
        }
        printf("  %s:", orders[order]);
        report(" index_remove", clock_now_ns() - t, n);
    }
    for (size_t i = 0; i < n; i++) {
        sub_unref(subs[i]);
    }
    mem_free(subs);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    unsigned n_readers = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    struct index *ix = index_new(n_readers);
    struct sub **subs = mem_zalloc(n * sizeof(struct sub *));
    struct ptrset sids = {0};
    int64_t t;

    memset(subs, 1, n * sizeof(*subs)); // resident before anything is counted
    hash_init();
    printf("%zu subscriptions, %u readers\n", n, n_readers);
    fill(ix, subs, &sids, n);
    match(ix, n);
    match_hot(ix);
    ptrset_deinit(&sids);

    shuffle(subs, n);
    t = clock_now_ns();
    for (size_t i = 0; i < n / 2; i++) {
        index_remove(ix, subs[i]);
    }
    report("index_remove, random", clock_now_ns() - t, n / 2);
    t = clock_now_ns();
    index_remove_all(ix, subs + n / 2, n - n / 2);
    report("index_remove_all, random", clock_now_ns() - t, n - n / 2);
    for (size_t i = 0; i < n; i++) {
        sub_unref(subs[i]);
    }
    one_subject(ix, "", N_FAN_OUT);
    one_subject(ix, "workers", N_MEMBERS);
    index_free(ix);
    mem_free(subs);
    return 0;
}
