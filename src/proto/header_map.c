/* SPDX-License-Identifier: Apache-2.0 */
/* Headers are listed and sorted; those of one name are written together. */
#include "proto/header_map.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/header.h"

struct list {
    struct header *at;
    size_t n, cap;
};

static void list_add(struct list *l, struct header h)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->at = mem_realloc(l->at, l->cap * sizeof(*l->at));
    }
    l->at[l->n++] = h;
}

/* Orders by name; under the same name, as they come. */
static int compare(const void *left, const void *right)
{
    const struct header *a = left;
    const struct header *b = right;
    int order = str_compare(a->name, b->name);

    return order ? order : a->name.p < b->name.p ? -1 : 1;
}

static void write_key(struct json *j, struct str name, struct buf *scratch)
{
    scratch->n = 0;
    buf_add(scratch, name);
    buf_add_char(scratch, '\0');
    json_key(j, scratch->p);
}

void header_map_write(struct str hdr, struct json *j)
{
    struct header_walk w = header_walk(hdr);
    struct list l = {0};
    struct buf scratch = {0};

    for (struct header h; header_next(&w, &h);) {
        if (h.value.n) {
            list_add(&l, h);
        }
    }
    if (l.n) {
        qsort(l.at, l.n, sizeof(*l.at), compare);
    }
    json_open_object(j);
    for (size_t i = 0; i < l.n;) {
        struct str name = l.at[i].name;

        write_key(j, name, &scratch);
        json_open_array(j);
        for (; i < l.n && str_equal(l.at[i].name, name); i++) {
            json_str(j, l.at[i].value);
        }
        json_close_array(j);
    }
    json_close_object(j);
    buf_deinit(&scratch);
    mem_free(l.at);
}
