/* SPDX-License-Identifier: Apache-2.0 */
/* Values in messages, as the reference shows them. */
#include <inttypes.h>

#include "base/buf.h"
#include "conf/node.h"

static void print_items(const struct node *first, struct buf *out)
{
    for (const struct node *n = first; n; n = n->next) {
        node_print(n, out);
        buf_add(out, n->next ? STR(" ") : STR(""));
    }
}

void node_print(const struct node *n, struct buf *out)
{
    switch (n->kind) {
    case NODE_STR:
        buf_add(out, n->text);
        break;
    case NODE_BOOL:
        buf_add(out, n->truth ? STR("true") : STR("false"));
        break;
    case NODE_INT:
        buf_printf(out, "%" PRId64, n->number);
        break;
    case NODE_FLOAT:
        buf_printf(out, "%g", n->real);
        break;
    case NODE_DATE:
        buf_printf(out, "%" PRId64, n->date_s);
        break;
    case NODE_ARRAY:
        buf_add_char(out, '[');
        print_items(n->first, out);
        buf_add_char(out, ']');
        break;
    case NODE_MAP:
        buf_add(out, STR("a map"));
        break;
    }
}
