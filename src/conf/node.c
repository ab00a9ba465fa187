/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at trees of values. */
#include "conf/node.h"

const struct node *node_find(const struct node *map, struct str key)
{
    for (const struct node *n = map->first; n; n = n->next) {
        if (str_equal_nocase(n->key, key)) {
            return n;
        }
    }
    return NULL;
}

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[] = {
        [NODE_STR] = "string",
        [NODE_BOOL] = "bool",
        [NODE_INT] = "int64",
        [NODE_FLOAT] = "float64",
        [NODE_DATE] = "time.Time",
        [NODE_ARRAY] = "[]interface {}",
        [NODE_MAP] = "map[string]interface {}",
    };

    return names[kind];
}
