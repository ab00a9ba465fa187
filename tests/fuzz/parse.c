/* SPDX-License-Identifier: Apache-2.0 */
/* Input: three bytes of set-up, then what a client sends. In whatever pieces it arrives, the parser
 * must find the same operations in it. */
#include "proto/parse.h"

#include "base/attr.h"
#include "fuzz.h"
#include "parse_run.h"

#define MAX_CUTS 256u

/* Fills cuts with offsets that rise by random steps of up to `step`. @return  how many there are */
static size_t make_cuts(size_t *cuts, uint64_t seed, size_t step, size_t n)
{
    size_t n_cuts = 0;
    size_t at = 0;

    while (n_cuts < MAX_CUTS) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        at += 1 + (size_t)(seed >> 33) % step;
        if (at >= n) {
            break;
        }
        cuts[n_cuts++] = at;
    }
    return n_cuts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const size_t steps[] = {1, 2, 7, 40};
    size_t cuts[MAX_CUTS];
    struct buf once = {0};
    struct parser setup;
    struct parser p;
    struct str in;

    if (n < 3) {
        return 0;
    }
    setup = (struct parser){.max_line_bytes = 1u + data[1] % 64u,
                            .max_payload_bytes = data[0] & 1 ? 64 : -1,
                            .has_headers = (data[0] & 2) == 0,
                            .connect_only = (data[0] & 12) == 12};
    in = (struct str){.p = (const char *)data + 3, .n = n - 3};
    p = setup;
    parse_run(&p, in, NULL, 0, &once);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        struct buf pieces = {0};

        p = setup;
        parse_run(&p, in, cuts, make_cuts(cuts, data[2], steps[i], in.n), &pieces);
        ENSURE(str_equal(buf_str(&once), buf_str(&pieces)));
        buf_deinit(&pieces);
    }
    buf_deinit(&once);
    return 0;
}
