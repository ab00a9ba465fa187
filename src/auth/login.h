/* SPDX-License-Identifier: Apache-2.0 */
/* May this client come in? What the configuration asks for, what CONNECT presents, and the
 * verdict. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/** What the configuration asks for. Strings are NULL or "" when not set. */
struct login_rules {
    const char *user;
    const char *pass;
    const char *token;
};

/** What a client presents in CONNECT; absent fields are empty. */
struct login {
    struct str user;
    struct str pass;
    struct str token; // auth_token
};

/**
 * @return  whether clients must present something; then INFO says auth_required and the
 *          authentication timer runs
 * Thread: any.
 */
bool login_is_required(const struct login_rules *rules);

/**
 * @return  whether login_check takes so long (a password hash) that a worker must not call it
 *          itself
 * Thread: any.
 */
bool login_is_costly(const struct login_rules *rules);

/**
 * Judge what a client presented. The time taken tells nothing about how much of a secret was right.
 * @return  whether it may come in; always when nothing is required
 * Thread: any.
 */
bool login_check(const struct login_rules *rules, const struct login *login);

/**
 * @return  whether a password is configured in plain text, which deserves a warning at start
 * Thread: any.
 */
bool login_has_plain_password(const struct login_rules *rules);

/**
 * @return  whether the configured text is a bcrypt hash rather than the secret itself
 * Thread: any.
 */
bool login_is_bcrypt(const char *secret);
