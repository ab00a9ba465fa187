/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a distinguished name. Written anew with every character escaped it is read as the same;
 * the texts that are made of a subject are read, too. */
#include "auth/dn.h"

#include "auth/cert_names.h"
#include "base/attr.h"
#include "base/buf.h"
#include "fuzz.h"

static void write_token(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        buf_printf(out, "\\%02x", (unsigned char)s.p[i]);
    }
}

/* False: there is a value in DER, which is equal to nothing. */
static bool write_dn(struct buf *out, const struct dn *dn)
{
    for (size_t i = 0; i < dn->n; i++) {
        for (size_t k = 0; k < dn->rdns[i].n; k++) {
            const struct dn_part *part = &dn->rdns[i].parts[k];

            if (part->is_der) {
                return false;
            }
            write_token(out, part->type);
            buf_add_char(out, '=');
            write_token(out, part->value);
            buf_add_char(out, k + 1 < dn->rdns[i].n ? '+' : ',');
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {.p = (const char *)data, .n = n};
    struct arena a = {0};
    struct buf again = {0};
    struct cert_names names = {0};
    struct dn dn = {0};
    struct dn same = {0};

    if (dn_parse(&a, text, &dn) && write_dn(&again, &dn)) {
        ENSURE(dn_parse(&a, buf_str(&again), &same));
        ENSURE(dn_equal(&dn, &same) && dn_equal_reordered(&same, &dn));
    }
    cert_names_add_subject(&names, text);
    ENSURE(dn_parse(&a, names.subject, &same));
    cert_names_deinit(&names);
    buf_deinit(&again);
    arena_deinit(&a);
    return 0;
}
