/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as text, for tests. */
#include "conf_rows.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/parse.h"

static void print_members(const struct node *n, struct buf *out)
{
    buf_add_char(out, n->kind == NODE_MAP ? '{' : '[');
    for (const struct node *m = n->first; m; m = m->next) {
        if (n->kind == NODE_MAP) {
            buf_add(out, m->key);
            buf_add(out, STR(": "));
        }
        conf_rows_print(m, out);
        buf_add(out, m->next ? STR(", ") : STR(""));
    }
    buf_add_char(out, n->kind == NODE_MAP ? '}' : ']');
}

void conf_rows_print(const struct node *n, struct buf *out)
{
    switch (n->kind) {
    case NODE_STR:
        buf_add_char(out, '"');
        buf_add(out, n->text);
        buf_add_char(out, '"');
        break;
    case NODE_BOOL:
        buf_add(out, n->truth ? STR("true") : STR("false"));
        break;
    case NODE_INT:
        buf_printf(out, "%" PRId64, n->number);
        break;
    case NODE_FLOAT:
        buf_printf(out, "%#.10g", n->real);
        break;
    case NODE_DATE:
        buf_printf(out, "@%" PRId64, n->date_s);
        break;
    case NODE_ARRAY:
    case NODE_MAP:
        print_members(n, out);
        break;
    }
}

static void check_row(const struct conf_row *row)
{
    struct conf_tree tree;
    struct diag d = {0};
    struct buf got = {0};

    if (conf_parse_text("t.conf", row->text, &tree, &d) == ST_OK) {
        conf_rows_print(tree.root, &got);
    } else {
        buf_add_char(&got, '!');
        buf_add(&got, diag_first(&d));
    }
    if (!str_equal(buf_str(&got), row->want)) {
        fail_msg("\"%.*s\"\ngives  %.*s\nwanted %.*s", STR_ARG(row->text), STR_ARG(buf_str(&got)),
                 STR_ARG(row->want));
    }
    buf_deinit(&got);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

void conf_rows_check(const struct conf_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_row(&rows[i]);
    }
}
