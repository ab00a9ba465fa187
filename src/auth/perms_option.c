/* SPDX-License-Identifier: Apache-2.0 */
/* { publish: …, subscribe: …, allow_responses: … }; a list of subjects is one subject, an array, or
 * { allow: …, deny: … } of these. */
#include "auth/perms_option.h"

#include "broker/perms.h"

/** Which lists of the permissions one side fills. */
struct side {
    struct perms *perms;
    enum perms_list allow, deny;
};

/* @param at  where an error is said to be; NULL: nowhere, as the reference has it */
static enum status add_entry(struct perms *p, enum perms_list list, const struct node *entry,
                             const struct diag_place *at, struct option_reader *r)
{
    struct buf why = {0};

    if (entry->kind != NODE_STR) {
        diag_error(r->d, &entry->at, "Subject in permissions array cannot be cast to string");
        return ST_FAILED;
    }
    enum status st = perms_add(p, list, entry->text, &why);
    if (st != ST_OK) {
        diag_error(r->d, at, "%.*s", STR_ARG(buf_str(&why)));
    }
    buf_deinit(&why);
    return st;
}

/* One subject, or an array of them. @param at  as for add_entry */
static enum status add_entries(struct perms *p, enum perms_list list, const struct node *value,
                               const struct diag_place *at, struct option_reader *r)
{
    if (value->kind == NODE_STR) {
        return add_entry(p, list, value, at, r);
    }
    if (value->kind != NODE_ARRAY) {
        diag_error(r->d, at,
                   "Expected subject permissions to be a subject, or array of subjects, got %s",
                   node_kind_name(value->kind));
        return ST_FAILED;
    }
    for (const struct node *n = value->first; n; n = n->next) {
        if (add_entry(p, list, n, at, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    return ST_OK;
}

static enum status set_allow(void *base, const struct node *value, struct option_reader *r)
{
    const struct side *s = base;

    return add_entries(s->perms, s->allow, value, &value->at, r);
}

static enum status set_deny(void *base, const struct node *value, struct option_reader *r)
{
    const struct side *s = base;

    return add_entries(s->perms, s->deny, value, &value->at, r);
}

static const struct option side_rows[] = {
    OPTION_CUSTOM("allow", set_allow, .doc = "Subjects that are allowed; none: all."),
    OPTION_CUSTOM("deny", set_deny, .doc = "Subjects that are not, although they are allowed."),
    OPTION_END};

static const struct option side_block = OPTION_BLOCK(
    "", side_rows,
    .unknown =
        "Unknown field name \"%.*s\" parsing subject permissions, only 'allow' or 'deny' are "
        "permitted");

static enum status read_side(struct side s, const struct node *value, struct option_reader *r)
{
    if (value->kind == NODE_MAP) {
        return option_read_block(&side_block, &s, value, r);
    }
    return add_entries(s.perms, s.allow, value, NULL, r);
}

/* ---- the whole map; base: a struct permissions */

struct permissions {
    struct perms *perms;
};

static enum status set_publish(void *base, const struct node *value, struct option_reader *r)
{
    struct permissions *p = base;
    struct side s = {.perms = p->perms, .allow = PERMS_PUB_ALLOW, .deny = PERMS_PUB_DENY};

    return read_side(s, value, r);
}

static enum status set_subscribe(void *base, const struct node *value, struct option_reader *r)
{
    struct permissions *p = base;
    struct side s = {.perms = p->perms, .allow = PERMS_SUB_ALLOW, .deny = PERMS_SUB_DENY};

    return read_side(s, value, r);
}

struct responses {
    int64_t max;
    int64_t expires_ns;
};

static const struct option responses_rows[] = {
    OPTION_INT("max", struct responses, max, .aliases = "max_msgs max_messages max_responses",
               .doc = "Replies to one request; less than 0: any number."),
    OPTION_DURATION("expires", struct responses, expires_ns, .aliases = "expiration ttl",
                    .plain = OPTION_PLAIN_REFUSED,
                    .wrong = "error parsing expires, not a duration string",
                    .doc = "Time after the request; less than 0: for ever."),
    OPTION_END};

static const struct option responses_block =
    OPTION_BLOCK("", responses_rows, .unknown = "Unknown field \"%.*s\" parsing permissions");

static enum status set_responses(void *base, const struct node *value, struct option_reader *r)
{
    struct permissions *p = base;
    struct responses responses = {0};

    if (value->kind == NODE_BOOL) {
        if (value->truth) {
            perms_allow_responses(p->perms, 0, 0);
        }
        return ST_OK;
    }
    if (value->kind != NODE_MAP) {
        diag_error(r->d, &value->at,
                   "error parsing response permissions, expected a boolean or a "
                   "map");
        return ST_FAILED;
    }
    enum status st = option_read_block(&responses_block, &responses, value, r);
    if (st == ST_OK) {
        perms_allow_responses(p->perms, responses.max, responses.expires_ns);
    }
    return st;
}

static const struct option permissions_rows[] = {
    OPTION_CUSTOM("publish", set_publish, .aliases = "pub import",
                  .doc = "Subjects to publish to: one, an array, or { allow, deny }."),
    OPTION_CUSTOM("subscribe", set_subscribe, .aliases = "sub export",
                  .doc = "Subjects, or \"subject queue\", to subscribe to."),
    OPTION_CUSTOM("allow_responses", set_responses, .aliases = "publish_allow_responses",
                  .doc = "Allow to publish to the reply subject of each request that came."),
    OPTION_END};

static const struct option permissions_block =
    OPTION_BLOCK("", permissions_rows, .unknown = "Unknown field \"%.*s\" parsing permissions");

static enum status read_perms(void *field, const struct node *value, struct option_reader *r)
{
    struct perms **at = field;
    struct permissions p = {.perms = perms_new()};

    if (value->kind != NODE_MAP) {
        struct buf got = {0};

        node_print(value, &got);
        diag_error(r->d, &value->at, "Expected permissions to be a map/struct, got %.*s",
                   STR_ARG(buf_str(&got)));
        buf_deinit(&got);
        perms_unref(p.perms);
        return ST_FAILED;
    }
    enum status st = option_read_block(&permissions_block, &p, value, r);
    perms_unref(*at);
    *at = p.perms;
    return st;
}

static void release_perms(void *field)
{
    struct perms **at = field;

    perms_unref(*at);
    *at = NULL;
}

static bool are_equal(const void *a, const void *b)
{
    const struct perms *const *pa = a;
    const struct perms *const *pb = b;

    return *pa && *pb ? perms_equal(*pa, *pb) : *pa == *pb;
}

const struct option_type perms_option_type = {
    .read = read_perms,
    .release = release_perms,
    .equal = are_equal,
    .rows = permissions_rows,
};
