/* SPDX-License-Identifier: Apache-2.0 */
/* accounts: an array of names, or a map from names to what belongs to the account (spec 03 C7).
 * Anything else is ignored, as the reference does. */
#include "auth/account_options.h"

#include "auth/account_jetstream.h"
#include "auth/auth_options.h"
#include "auth/export_options.h"
#include "auth/import_options.h"
#include "auth/mapping_options.h"
#include "auth/nkey.h"
#include "auth/perms_option.h"
#include "auth/trace_options.h"
#include "auth/user_options.h"
#include "base/mem.h"
#include "broker/account.h"

static const struct option limits_rows[] = {
    OPTION_INT("max_connections", struct account_options, max_connections, .aliases = "max_conn",
               .def = "-1", .doc = "Clients of the account at a time; -1: any number."),
    OPTION_INT("max_subscriptions", struct account_options, max_subscriptions,
               .aliases = "max_subs", .def = "-1",
               .doc = "Subscriptions of each of its connections."),
    OPTION_SIZE("max_payload", struct account_options, max_payload, .aliases = "max_pay",
                .def = "-1", .doc = "Largest message that its clients may publish."),
    OPTION_INT("max_leafnodes", struct account_options, max_leafnodes, .aliases = "max_leafs",
               .def = "-1", .doc = "Leaf nodes of the account."),
    OPTION_END};

static const char *refuse_nkey(struct str text)
{
    return nkey_is_valid(text, NKEY_ACCOUNT) ? NULL
                                             : "Not a valid public nkey for an account: \"%v\"";
}

/* What does not exist yet is noted, so that a start can be refused. */
static enum status note_jetstream(void *base, const struct node *value, struct option_reader *r)
{
    struct account_options *a = base;
    bool is_asked = false;
    enum status st = account_jetstream_check(value, &is_asked, r);

    a->later = is_asked ? "jetstream" : a->later;
    return st;
}

static const struct option account_rows[] = {
    OPTION_STR("nkey", struct account_options, nkey, .refuse = refuse_nkey,
               .doc = "Public nkey of the account, for information."),
    OPTION_OTHER("users", struct account_options, users, &user_list_type,
                 .doc = "Who logs in to the account."),
    OPTION_OTHER("default_permissions", struct account_options, default_perms, &perms_option_type,
                 .doc = "Permissions of users without their own."),
    OPTION_OTHER("exports", struct account_options, exports, &export_list_type,
                 .doc = "Streams and services that other accounts may import."),
    OPTION_OTHER("imports", struct account_options, imports, &import_list_type,
                 .doc = "Streams and services of other accounts that are used in this one."),
    OPTION_OTHER("mappings", struct account_options, mappings, &mapping_list_type,
                 .aliases = "maps", .doc = "Other subjects for what is published to a subject."),
    OPTION_CUSTOM("jetstream", note_jetstream, .has_no_field = true, .doc = "Not supported yet."),
    OPTION_OTHER("msg_trace", struct account_options, trace, &trace_type, .aliases = "trace_dest",
                 .doc = "Subject for traces that messages ask for by a traceparent header, or "
                        "{ dest, sampling }, the latter in percent."),
    OPTION_BLOCK("limits", limits_rows, .unknown = "Unknown field \"%.*s\" parsing account limits",
                 .wrong = "Expected account limits to be a map/struct, got %v",
                 .doc = "What the account may have of each."),
    OPTION_END};

static const struct option account_block = OPTION_BLOCK("", account_rows, .doc = "An account.");

static void release_list(void *field)
{
    struct account_list *l = field;

    for (size_t i = 0; i < l->n; i++) {
        mem_free((char *)(uintptr_t)l->at[i].name);
        option_deinit_block(&account_block, &l->at[i]);
    }
    mem_free(l->at);
    *l = (struct account_list){0};
}

static struct account_options *add_account(struct account_list *l, struct str name)
{
    l->at = mem_realloc(l->at, (l->n + 1) * sizeof(*l->at));
    struct account_options *a = &l->at[l->n++];

    *a = (struct account_options){0};
    option_init_block(&account_block, a);
    a->name = mem_strndup(name.p, name.n);
    return a;
}

const struct account_options *account_list_find(const struct account_list *l, struct str name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (str_equal(str_of(l->at[i].name), name)) {
            return &l->at[i];
        }
    }
    return NULL;
}

static enum status check_name(struct str name, const struct diag_place *at, struct option_reader *r)
{
    if (str_equal(name, STR(ACCOUNT_GLOBAL))) {
        diag_error(r->d, at, "\"$G\" is a Reserved Account");
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status read_names(struct account_list *l, const struct node *value,
                              struct option_reader *r)
{
    enum status st = ST_OK;

    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_STR) {
            return option_wrong_type(r, n, "string");
        }
        if (check_name(n->text, &n->at, r) != ST_OK) {
            st = ST_FAILED;
        } else if (account_list_find(l, n->text)) {
            diag_error(r->d, &n->at, "Duplicate Account Entry: %.*s", STR_ARG(n->text));
            st = ST_FAILED;
        } else {
            add_account(l, n->text);
        }
    }
    return st;
}

static enum status read_map(struct account_list *l, const struct node *value,
                            struct option_reader *r)
{
    enum status st = ST_OK;

    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_MAP && n->is_variable) {
            continue;
        }
        if (n->kind != NODE_MAP) {
            diag_error(r->d, &n->at, "Expected map entries for accounts");
            st = ST_FAILED;
        } else if (check_name(n->key, &n->at, r) != ST_OK ||
                   option_read_block(&account_block, add_account(l, n->key), n, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

static enum status read_list(void *field, const struct node *value, struct option_reader *r)
{
    struct account_list *l = field;

    release_list(l);
    switch (value->kind) {
    case NODE_ARRAY:
        return read_names(l, value, r);
    case NODE_MAP:
        return read_map(l, value, r);
    default:
        return ST_OK;
    }
}

const struct option_type account_list_type = {
    .read = read_list, .release = release_list, .rows = account_rows, .element = "NAME"};
