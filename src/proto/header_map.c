/* SPDX-License-Identifier: Apache-2.0 */
/* All headers with a value are listed. */
#include "proto/header_map.h"

#include "proto/header.h"
#include "proto/header_list.h"

void header_map_write(struct str hdr, struct json *j)
{
    struct header_walk w = header_walk(hdr);
    struct header_list l = {0};

    for (struct header h; header_next(&w, &h);) {
        if (h.value.n) {
            header_list_add(&l, h);
        }
    }
    header_list_write(&l, header_letter, j);
    header_list_deinit(&l);
}
