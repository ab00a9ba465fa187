/* SPDX-License-Identifier: Apache-2.0 */
/* The names by which a certificate may stand for a user, in the order in which they are tried (spec
 * 04 §11). */
#pragma once

#include <stddef.h>

#include "auth/dn.h"
#include "base/arena.h"
#include "base/str.h"

enum cert_name_kind {
    CERT_NAME_EMAIL,
    CERT_NAME_DNS,
    CERT_NAME_URI,
    CERT_NAME_DN,      // the subject, to be compared part by part
    CERT_NAME_WITH_DC, // its text, its domain components last
    CERT_NAME_SUBJECT, // its text, without them
};

struct cert_name {
    enum cert_name_kind kind;
    struct str text;
    struct dn dn; // of CERT_NAME_DN
};

/** All zero: none. Alternative names come first, e-mails, hosts and URIs, then the subject. */
struct cert_names {
    struct arena arena;
    struct cert_name *at;
    size_t n;
    struct str subject; // its text, for messages
};

/** Add an alternative name. Thread: the owner (as for all functions here). */
void cert_names_add(struct cert_names *l, enum cert_name_kind kind, struct str text);

/**
 * Add what can be made of the subject; nothing follows it. An empty one alone adds nothing. A
 * subject with attributes that nats-server has no name for is not compared part by part, and its
 * text is without them.
 * @param text  as RFC 2253 has it: the last part first
 */
void cert_names_add_subject(struct cert_names *l, struct str text);

/** Release what it owns. */
void cert_names_deinit(struct cert_names *l);
