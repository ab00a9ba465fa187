/* SPDX-License-Identifier: Apache-2.0 */
/* May this client come in, and as whom? What the configuration asks for, made ready; what CONNECT
 * presents; the verdict (spec 04 §1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth_options.h"
#include "base/str.h"
#include "conn/close_reason.h"

struct account;
struct accounts;
struct cert_name;
struct perms;

/** Who a client may become. Immutable, and part of its rules. */
struct login_user {
    struct str id;           // name, or nkey
    bool is_nkey;            // then there is no password
    uint8_t key[32];         // of an nkey
    const char *password;    // as configured
    struct account *account; // borrowed
    struct perms *perms;     // a reference of the rules; NULL: may do all
    uint32_t connection_types;
    bool proxy_required;
    int64_t max_subscriptions, max_payload; // of its account; -1: no limit
};

/** Who may say for whom it speaks: clients that come by it show a signature of its. Immutable, and
 * part of its rules. */
struct login_proxy {
    struct str nkey;
    uint8_t key[32];
};

/** Who may come in: immutable, shared by all workers, reference-counted. */
struct login_rules;

/** A nonce is so many characters. */
#define LOGIN_NONCE_BYTES 15

/** What a client presents in CONNECT; absent fields are empty. */
struct login {
    struct str user;
    struct str pass;
    struct str token; // auth_token
    struct str nkey;
    struct str sig;
    struct str proxy_sig;
    struct str nonce; // that it was to sign
    enum connection_type type;
    bool wants_account;                 // it names an account: nobody may
    const struct login_user *certified; // whom its certificate names; NULL: nobody
};

struct login_verdict {
    bool is_ok;
    const struct login_user *user;   // NULL: nobody in particular; valid as long as the rules
                                     // of a refusal: who it would be without having said so
    const struct login_proxy *proxy; // by which it came; NULL: by none; valid as long as the rules
    enum close_reason reason;        // of a refusal
    const char *notes[2];            // of a refusal: what the debug log is told; NULL: nothing
};

/**
 * Make rules of what is configured; accounts that are new are added to the table.
 * @param is_mapping  certificates name users, if there are any (verify_and_map)
 * Thread: control.
 */
struct login_rules *login_rules_new(const struct auth_options *o, struct accounts *accounts,
                                    bool is_mapping);

/** Take one more reference. @return r. Thread: any that holds one. */
struct login_rules *login_rules_ref(struct login_rules *r);

/** Give a reference back; NULL is allowed. Thread: any. */
void login_rules_unref(struct login_rules *r);

/**
 * @return  whether clients must log in; until then the authentication timer runs, and INFO after
 *          CONNECT says auth_required
 * Thread: any (as for all that follow).
 */
bool login_is_required(const struct login_rules *r);

/** @return  whether the first INFO says auth_required: not if there is a user for those who have no
 * credentials */
bool login_is_announced(const struct login_rules *r);

/** @return  whether INFO must have a nonce to sign */
bool login_wants_nonce(const struct login_rules *r);

/** @return  whom clients become that present nothing; NULL: nobody */
const struct login_user *login_anonymous(const struct login_rules *r);

/** @return  the user of that name or nkey; NULL: there is none */
const struct login_user *login_find(const struct login_rules *r, struct str id);

/** @return  whether it is the certificate that names the user: `certified` is to be set */
bool login_is_by_certificate(const struct login_rules *r, const struct login *login);

/**
 * Find the user that one name of a certificate stands for.
 * @return  NULL: nobody, or nobody who may come in that way
 */
const struct login_user *login_find_certified(const struct login_rules *r,
                                              const struct cert_name *name,
                                              enum connection_type type);

/** @return  whether login_check takes so long (a password hash) that a worker must not call it
 * itself */
bool login_is_costly(const struct login_rules *r, const struct login *login);

/** Judge what a client presented. */
struct login_verdict login_check(const struct login_rules *r, const struct login *login);

/** What became of a user in other rules. */
enum login_change {
    LOGIN_SAME,    // it is still there, though it may have other permissions
    LOGIN_GONE,    // there is none of that name, or it is in another account
    LOGIN_CHANGED, // whoever logged in as it would not be let in so now
};

/**
 * Find a user again.
 * @param user  of `from`; NULL: nobody in particular
 * @param out   if LOGIN_SAME: the user of `to`; may be NULL likewise
 */
enum login_change login_follow(const struct login_rules *from, const struct login_rules *to,
                               const struct login_user *user, const struct login_user **out);

/** @return  the trusted proxy of that nkey; NULL: there is none */
const struct login_proxy *login_find_proxy(const struct login_rules *r, struct str nkey);

/** Draw a nonce. @param out LOGIN_NONCE_BYTES */
void login_draw_nonce(char *out);
