/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and their places as the reference has them, which visits the members in any order. */
#include "auth/callout_options.h"

#include "auth/account_options.h"
#include "auth/auth_options.h"
#include "auth/nkey.h"
#include "base/diag.h"
#include "conf/node.h"

static const char *refuse_issuer(struct str text)
{
    return nkey_is_valid(text, NKEY_ACCOUNT)
               ? NULL
               : "Expected callout user to be a valid public account nkey, got \"%v\"";
}

static const char *refuse_xkey(struct str text)
{
    return nkey_is_valid(text, NKEY_CURVE)
               ? NULL
               : "Expected callout xkey to be a valid public xkey, got \"%v\"";
}

const struct option callout_options_rows[] = {
    OPTION_CHECKED("issuer", STR, .refuse = refuse_issuer,
                   .doc = "Not supported yet: public key of the account that signs answers."),
    OPTION_CHECKED("auth_users", LIST, .aliases = "users",
                   .doc = "Not supported yet: users, or nkeys, that log in without the service."),
    OPTION_CHECKED("account", STR, .aliases = "acc",
                   .doc = "Not supported yet: account in which the service answers."),
    OPTION_CHECKED("xkey", STR, .refuse = refuse_xkey,
                   .doc = "Not supported yet: public key that requests are encrypted for."),
    OPTION_LIST("allowed_accounts", struct auth_options, callout_accounts,
                .doc = "Not supported yet: accounts that the service may put users in."),
    OPTION_END};

/* Lists, where other options take a single word as well. */
static enum status check_array(const struct node *value, const char *wrong, struct option_reader *r)
{
    return !value || value->kind == NODE_ARRAY ? ST_OK : option_report(r, value, wrong);
}

enum status callout_options_check_block(void *base, const struct node *block,
                                        struct option_reader *r)
{
    struct auth_options *o = base;
    const struct node *users = node_find(block, STR("auth_users"));
    const struct diag_place *at = &block->at;
    const char *missing = NULL;

    users = users ? users : node_find(block, STR("users"));
    if (check_array(users, "Expected auth_users field to be an array, got %T", r) != ST_OK ||
        check_array(node_find(block, STR("allowed_accounts")),
                    "Expected allowed accounts field to be an array, got %T", r) != ST_OK) {
        return ST_FAILED;
    }
    for (const struct node *n = block->first; n; n = n->next) {
        at = &n->at;
    }
    if (!node_find(block, STR("issuer"))) {
        missing = "an issuer";
    } else if (!users || !users->first) {
        missing = "authorized users";
    }
    if (missing) {
        diag_error(r->d, at, "Authorization callouts require %s to be specified", missing);
        return ST_FAILED;
    }
    o->later = "authorization.auth_callout";
    return ST_OK;
}

enum status callout_options_check(const struct auth_options *o, struct diag *d)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < o->callout_accounts.n; i++) {
        if (!account_list_find(&o->accounts, str_of(o->callout_accounts.at[i]))) {
            diag_error(d, NULL,
                       "auth_callout allowed account \"%s\" not found in configured accounts",
                       o->callout_accounts.at[i]);
            st = ST_FAILED;
        }
    }
    return st;
}
