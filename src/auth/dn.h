/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names in the text form of RFC 4514, "CN=name,OU=unit+L=place,O=company": the
 * subjects of certificates, and users that are named after them (spec 04 §11). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"

/** One attribute: "CN=name". */
struct dn_part {
    struct str type;
    struct str value; // without escapes; as it stands if is_der
    bool is_der;      // the value is given in hex, "#0c03…": it is equal to nothing
};

/** The parts between two commas; all have a meaning together, in any order. */
struct dn_rdn {
    struct dn_part *parts;
    size_t n;
};

/** All zero: an empty name. */
struct dn {
    struct dn_rdn *rdns;
    size_t n;
};

/**
 * Read a name. Blanks around types and values do not count unless they are escaped, and neither
 * does a comma at the end.
 * @param a    owns what `out` consists of
 * @param out  written if it is one
 * @return     false: it is none. The empty text is one.
 * Thread: the owner of a.
 */
MUST_USE bool dn_parse(struct arena *a, struct str text, struct dn *out);

/** @return  whether both have the same parts in the same order, but for that within an RDN. Types
 * are compared without their case. Thread: any. */
bool dn_equal(const struct dn *a, const struct dn *b);

/** @return  whether both are made of the same RDNs, in any order. Thread: any. */
bool dn_equal_reordered(const struct dn *a, const struct dn *b);
