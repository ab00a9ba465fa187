/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of one size, filled from the front; what is large gets a block of its own. */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_BYTES 4096u

struct arena_block {
    struct arena_block *next;
    size_t n; // [bytes] of room
    alignas(max_align_t) char bytes[];
};

void arena_deinit(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        mem_free(a->blocks);
        a->blocks = next;
    }
    a->n_free = 0;
}

static void add_block(struct arena *a, size_t n)
{
    size_t room = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct arena_block *b = mem_alloc(sizeof(*b) + room);

    b->next = a->blocks;
    b->n = room;
    a->blocks = b;
    a->n_free = room;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t unit = alignof(max_align_t);

    n = (n + unit - 1) / unit * unit;
    if (n > a->n_free) {
        add_block(a, n);
    }
    void *p = a->blocks->bytes + a->blocks->n - a->n_free;
    a->n_free -= n;
    return memset(p, 0, n);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n) {
        memcpy(p, s.p, s.n);
    }
    return (struct str){.p = p, .n = s.n};
}
