/* SPDX-License-Identifier: Apache-2.0 */
/* An array of { stream: { account, subject }, … } and { service: { account, subject }, … }. What
 * needs other accounts to be judged is judged in tenancy_make.c. */
#include "auth/import_options.h"

#include "base/mem.h"
#include "base/quote.h"

/* ---- { account, subject } */

static const struct option source_rows[] = {
    OPTION_STR("account", struct import_options, account, .doc = "Account that exports it."),
    OPTION_STR("subject", struct import_options, subject,
               .doc = "Subject there, or a part of what is exported."),
    OPTION_END};

static enum status check_source(void *base, const struct node *value, struct option_reader *r)
{
    const struct import_options *i = base;

    return i->account[0] && i->subject[0]
               ? ST_OK
               : option_report(r, value, "Expect an account name and a subject");
}

/* ---- one import */

static enum status set_trace(void *base, const struct node *value, struct option_reader *r)
{
    struct import_options *i = base;

    if (i->is_service) {
        return option_report(r, value, "Detected allow_trace directive on a non-stream");
    }
    if (value->kind != NODE_BOOL) {
        return option_wrong_type(r, value, node_kind_name(NODE_BOOL));
    }
    i->allow_trace = value->truth;
    return ST_OK;
}

static const struct option import_rows[] = {
    OPTION_BLOCK("stream", source_rows, .check = check_source,
                 .wrong = "Stream entry should be an account map, got %T",
                 .doc = "Messages of another account."),
    OPTION_BLOCK("service", source_rows, .check = check_source,
                 .wrong = "Service entry should be an account map, got %T",
                 .doc = "Requests to another account."),
    OPTION_STR("prefix", struct import_options, prefix,
               .doc = "Put before the subjects of a stream."),
    OPTION_STR("to", struct import_options, to,
               .doc = "Subject in this account; $1 stands for the first wildcard of the subject."),
    OPTION_BOOL("share", struct import_options, share,
                .doc = "Tell the service who asks: address, user, name."),
    OPTION_CUSTOM("allow_trace", set_trace,
                  .doc = "Traces of messages go on in this account, for a stream."),
    OPTION_END};

/* Reports a key that must not stand beside another one. */
static enum status check_import(void *base, const struct node *value, struct option_reader *r)
{
    const struct import_options *i = base;
    const struct node *stream = node_find(value, STR("stream"));
    const struct node *service = node_find(value, STR("service"));

    for (const struct node *n = value->first; n && stream && service; n = n->next) {
        if (n == stream) {
            return option_report(r, service, "Detected service but already saw a stream");
        }
        if (n == service) {
            return option_report(r, stream, "Detected stream but already saw a service");
        }
    }
    if (stream && i->prefix[0] && i->to[0]) {
        return option_report(r, node_find(value, STR("to")),
                             "Stream import can not have a 'prefix' and a 'to' property");
    }
    return ST_OK;
}

static const struct option import_block = OPTION_BLOCK("", import_rows, .check = check_import);

/* ---- the list */

static void release_list(void *field)
{
    struct import_list *l = field;

    for (size_t i = 0; i < l->n; i++) {
        option_deinit_block(&import_block, &l->at[i]);
    }
    mem_free(l->at);
    *l = (struct import_list){0};
}

static struct import_options *add(struct import_list *l)
{
    l->at = mem_realloc(l->at, (l->n + 1) * sizeof(*l->at));
    struct import_options *i = &l->at[l->n++];

    *i = (struct import_options){0};
    option_init_block(&import_block, i);
    return i;
}

static const char *local_of(const struct import_options *i)
{
    return i->to[0] ? i->to : i->subject;
}

/* An import of the same local subject from the same account; NULL: there is none. */
static const struct import_options *find_twin(const struct import_list *l,
                                              const struct import_options *i)
{
    for (const struct import_options *o = l->at; o < i; o++) {
        if (o->is_service && strcmp(o->account, i->account) == 0 &&
            strcmp(local_of(o), local_of(i)) == 0) {
            return o;
        }
    }
    return NULL;
}

/* Checks the last import of the list. */
static enum status check_unique(const struct import_list *l, const struct node *value,
                                struct option_reader *r)
{
    const struct import_options *i = &l->at[l->n - 1];
    const struct import_options *twin = i->is_service && i->subject[0] ? find_twin(l, i) : NULL;
    struct buf text = {0};

    if (!twin) {
        return ST_OK;
    }
    buf_add(&text, STR("Duplicate service import subject "));
    quote_go(&text, str_of(local_of(i)));
    buf_add(&text, STR(", previously used in import for account "));
    quote_go(&text, str_of(twin->account));
    buf_add(&text, STR(", subject "));
    quote_go(&text, str_of(twin->subject));
    diag_error(r->d, &value->at, "%.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
    return ST_FAILED;
}

static enum status read_list(void *field, const struct node *value, struct option_reader *r)
{
    struct import_list *l = field;
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        return option_report(r, value, "Imports should be an array, got %T");
    }
    release_list(l);
    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_MAP) {
            st = option_report(r, n, "Import Items should be a map with type entry, got %T");
            continue;
        }
        struct import_options *i = add(l);

        i->is_service = node_find(n, STR("service")) != NULL;
        if (option_read_block(&import_block, i, n, r) != ST_OK || check_unique(l, n, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

const struct option_type import_list_type = {
    .read = read_list, .release = release_list, .rows = import_rows, .element = "[]"};
