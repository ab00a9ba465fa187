/* SPDX-License-Identifier: Apache-2.0 */
/* Reports are copied into pages, which go when the last of theirs has gone. A report as it comes
 * lies among what a worker had on its heap: ten thousand of them, kept there, would keep as many
 * pages of memory that a burst of connections left empty otherwise. */
#include "monitor/closed_ring.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/mem.h"
#include "conn/conn_report.h"

#define PAGE 32u // reports
#define FIRST_PAGES 4u

struct closed_page {
    struct arena arena; // of its reports
    size_t n_bytes;     // that they take
    bool has_lists;
    const struct conn_report *at[PAGE]; // by number modulo PAGE; NULL: gone or still to come
};

static struct closed_page **page_of(const struct closed_ring *r, uint64_t number)
{
    return &r->pages[number / PAGE % r->n_pages];
}

static void put(struct closed_page *p, uint64_t number, const struct conn_report *report)
{
    const struct conn_report *copy = conn_report_copy(report, &p->arena);

    p->at[number % PAGE] = copy;
    p->n_bytes += copy->n_bytes;
    p->has_lists = p->has_lists || copy->n_listed_subs > 0;
}

static size_t list_bytes(const struct closed_page *p)
{
    return p->has_lists ? p->n_bytes : 0;
}

/* A page without the lists of this one. */
static struct closed_page *strip_page(struct closed_page *take_page)
{
    struct closed_page *p = mem_zalloc(sizeof(*p));

    for (unsigned i = 0; i < PAGE; i++) {
        if (take_page->at[i]) {
            struct conn_report bare = *take_page->at[i];

            bare.n_listed_subs = bare.n_certs = 0;
            put(p, i, &bare);
        }
    }
    arena_deinit(&take_page->arena);
    mem_free(take_page);
    return p;
}

/* Lists of the pages begun first go, until few enough are left. */
static void strip(struct closed_ring *r)
{
    uint64_t first = closed_ring_first(r) / PAGE;
    uint64_t end = r->n_added / PAGE; // that one is still being filled

    for (uint64_t i = r->n_stripped > first ? r->n_stripped : first;
         r->n_list_bytes > CLOSED_RING_LIST_BYTES && i < end; i++) {
        struct closed_page **p = page_of(r, i * PAGE);

        if ((*p)->has_lists) {
            r->n_list_bytes -= list_bytes(*p);
            *p = strip_page(*p);
        }
        r->n_stripped = i + 1;
    }
}

static void drop_page(struct closed_ring *r, struct closed_page **p)
{
    if (*p) {
        r->n_list_bytes -= list_bytes(*p);
        arena_deinit(&(*p)->arena);
        mem_free(*p);
        *p = NULL;
    }
}

static void drop_oldest(struct closed_ring *r)
{
    uint64_t number = closed_ring_first(r);
    struct closed_page **p = page_of(r, number);

    (*p)->at[number % PAGE] = NULL;
    r->n--;
    if (r->n == 0 || (number + 1) % PAGE == 0) {
        drop_page(r, p);
    }
}

void closed_ring_resize(struct closed_ring *r, size_t cap)
{
    r->cap = cap;
    while (r->n > cap) {
        drop_oldest(r);
    }
}

/* Has a place for the page of the next one. */
static void make_place(struct closed_ring *r)
{
    uint64_t first = closed_ring_first(r) / PAGE;
    uint64_t last = r->n_added / PAGE;

    if (last - first < r->n_pages) {
        return;
    }
    struct closed_ring grown = *r;
    grown.n_pages = r->n_pages ? r->n_pages * 2 : FIRST_PAGES;
    grown.pages = mem_zalloc(grown.n_pages * sizeof(grown.pages[0]));
    for (uint64_t i = first; i < first + r->n_pages; i++) {
        *page_of(&grown, i * PAGE) = *page_of(r, i * PAGE);
    }
    mem_free(r->pages);
    *r = grown;
}

void closed_ring_add(struct closed_ring *r, const struct conn_report *report)
{
    if (r->cap == 0) {
        r->n_added++;
        return;
    }
    if (r->n == r->cap) {
        drop_oldest(r);
    }
    make_place(r);

    struct closed_page **p = page_of(r, r->n_added);
    if (!*p) {
        *p = mem_zalloc(sizeof(**p));
    }
    r->n_list_bytes -= list_bytes(*p);
    put(*p, r->n_added, report);
    r->n_list_bytes += list_bytes(*p);
    r->n_added++;
    r->n++;
    strip(r);
}

const struct conn_report *closed_ring_find(const struct closed_ring *r, uint64_t number)
{
    bool is_there = number >= closed_ring_first(r) && number < r->n_added;

    return is_there ? (*page_of(r, number))->at[number % PAGE] : NULL;
}

const struct conn_report *closed_ring_at(const struct closed_ring *r, size_t i)
{
    return closed_ring_find(r, closed_ring_first(r) + i);
}

void closed_ring_deinit(struct closed_ring *r)
{
    closed_ring_resize(r, 0);
    mem_free(r->pages);
    *r = (struct closed_ring){0};
}
