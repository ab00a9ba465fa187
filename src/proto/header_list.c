/* SPDX-License-Identifier: Apache-2.0 */
/* An array that is sorted when it is written. */
#include "proto/header_list.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

void header_list_add(struct header_list *l, struct header h)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->at = mem_realloc(l->at, l->cap * sizeof(*l->at));
    }
    l->at[l->n++] = h;
}

void header_list_deinit(struct header_list *l)
{
    mem_free(l->at);
    *l = (struct header_list){0};
}

char header_letter(struct str name, size_t i)
{
    return name.p[i];
}

char header_letter_canonical(struct str name, size_t i)
{
    bool is_capital = i == 0 || name.p[i - 1] == '-';
    char c = name.p[i];

    if (is_capital && c >= 'a' && c <= 'z') {
        return (char)(c - 'a' + 'A');
    }
    return !is_capital && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_names(struct str a, struct str b, header_letter_fn letter)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        unsigned char x = (unsigned char)letter(a, i);
        unsigned char y = (unsigned char)letter(b, i);

        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

/* Orders by name; under the same name, as they come. */
static int compare(const void *left, const void *right, void *arg)
{
    const struct header *a = left;
    const struct header *b = right;
    int order = compare_names(a->name, b->name, *(header_letter_fn *)arg);

    return order ? order : a->name.p < b->name.p ? -1 : 1;
}

static void write_key(struct json *j, struct str name, header_letter_fn letter, struct buf *scratch)
{
    scratch->n = 0;
    for (size_t i = 0; i < name.n; i++) {
        buf_add_char(scratch, letter(name, i));
    }
    buf_add_char(scratch, '\0');
    json_key(j, scratch->p);
}

void header_list_write(struct header_list *l, header_letter_fn letter, struct json *j)
{
    struct buf scratch = {0};

    if (l->n) {
        qsort_r(l->at, l->n, sizeof(*l->at), compare, &letter);
    }
    json_open_object(j);
    for (size_t i = 0; i < l->n;) {
        struct str name = l->at[i].name;

        write_key(j, name, letter, &scratch);
        json_open_array(j);
        for (; i < l->n && compare_names(l->at[i].name, name, letter) == 0; i++) {
            json_str(j, l->at[i].value);
        }
        json_close_array(j);
    }
    json_close_object(j);
    buf_deinit(&scratch);
}
