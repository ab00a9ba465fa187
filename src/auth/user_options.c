/* SPDX-License-Identifier: Apache-2.0 */
/* Users come with a password or an nkey. Names are unique over all lists, which is checked once all
 * have been read (auth_options.c). */
#include "auth/user_options.h"

#include "auth/auth_options.h"
#include "auth/nkey.h"
#include "auth/perms_option.h"
#include "base/mem.h"

static const struct {
    const char *name;
    enum connection_type bit;
} connection_types[] = {
    {"STANDARD", CONNECTION_STANDARD},
    {"WEBSOCKET", CONNECTION_WEBSOCKET},
    {"LEAFNODE", CONNECTION_LEAFNODE},
    {"LEAFNODE_WS", CONNECTION_LEAFNODE_WS},
    {"MQTT", CONNECTION_MQTT},
    {"MQTT_WS", CONNECTION_MQTT_WS},
    {"IN_PROCESS", CONNECTION_IN_PROCESS},
};

static uint32_t find_connection_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(connection_types); i++) {
        if (str_equal_nocase(str_of(connection_types[i].name), name)) {
            return connection_types[i].bit;
        }
    }
    return 0;
}

/* One name, or an array of them; unknown ones are named together. */
static enum status set_connection_types(void *base, const struct node *value,
                                        struct option_reader *r)
{
    struct user_options *u = base;
    struct buf unknown = {0};
    bool is_array = value->kind == NODE_ARRAY;
    enum status st = ST_OK;

    if (!is_array && value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "error parsing allowed connection types: unsupported type %s",
                   node_kind_name(value->kind));
        return ST_FAILED;
    }
    u->connection_types = 0;
    for (const struct node *n = is_array ? value->first : value; n; n = is_array ? n->next : NULL) {
        if (n->kind != NODE_STR) {
            diag_error(r->d, &n->at,
                       "error parsing allowed connection types: unsupported type in array %s",
                       node_kind_name(n->kind));
            buf_deinit(&unknown);
            return ST_FAILED;
        }
        uint32_t bit = find_connection_type(n->text);
        u->connection_types |= bit;
        if (!bit) {
            buf_add(&unknown, unknown.n ? STR(" \"") : STR("\""));
            for (size_t i = 0; i < n->text.n; i++) {
                char c = n->text.p[i];

                buf_add_char(&unknown, (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
            }
            buf_add_char(&unknown, '"');
        }
    }
    if (unknown.n) {
        diag_error(r->d, &value->at, "invalid connection types [%.*s]", STR_ARG(buf_str(&unknown)));
        st = ST_FAILED;
    }
    buf_deinit(&unknown);
    return st;
}

static const char *refuse_nkey(struct str text)
{
    return !text.n || nkey_is_valid(text, NKEY_USER) ? NULL : "Not a valid public nkey for a user";
}

static const struct option user_rows[] = {
    OPTION_STR("user", struct user_options, name, .aliases = "username",
               .doc = "Name that the user logs in with."),
    OPTION_SECRET("password", struct user_options, password, .aliases = "pass",
                  .doc = "Password, plain or a bcrypt hash."),
    OPTION_STR("nkey", struct user_options, nkey, .refuse = refuse_nkey,
               .doc = "Public nkey that the user proves to have, instead of a name."),
    OPTION_OTHER("permissions", struct user_options, perms, &perms_option_type,
                 .aliases = "permission authorization",
                 .doc = "What the user may publish and subscribe to."),
    OPTION_CUSTOM("allowed_connection_types", set_connection_types,
                  .aliases = "connection_types clients",
                  .doc = "Ways in which the user may connect: STANDARD, WEBSOCKET, …; none: all."),
    OPTION_BOOL("proxy_required", struct user_options, proxy_required,
                .doc = "Only by way of a trusted proxy."),
    OPTION_END};

static enum status check_user(void *base, const struct node *value, struct option_reader *r)
{
    const struct user_options *u = base;

    if (u->nkey[0] && (u->name[0] || u->password[0])) {
        diag_error(r->d, &value->at, "Nkey users do not take usernames or passwords");
        return ST_FAILED;
    }
    if (!u->nkey[0] && !u->name[0]) {
        diag_error(r->d, &value->at, "User entry requires a user");
        return ST_FAILED;
    }
    return ST_OK;
}

static const struct option user_block = OPTION_BLOCK("", user_rows, .check = check_user);

static void release_list(void *field)
{
    struct user_list *l = field;

    for (size_t i = 0; i < l->n; i++) {
        option_deinit_block(&user_block, &l->at[i]);
    }
    mem_free(l->at);
    *l = (struct user_list){0};
}

static enum status refuse(struct option_reader *r, const struct node *value, const char *why)
{
    struct buf got = {0};

    node_print(value, &got);
    diag_error(r->d, &value->at, "%s, got %.*s", why, STR_ARG(buf_str(&got)));
    buf_deinit(&got);
    return ST_FAILED;
}

static enum status read_list(void *field, const struct node *value, struct option_reader *r)
{
    struct user_list *l = field;
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        return refuse(r, value, "Expected users field to be an array");
    }
    release_list(l);
    l->is_set = true;
    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_MAP) {
            st = refuse(r, n, "Expected user entry to be a map/struct");
            continue;
        }
        l->at = mem_realloc(l->at, (l->n + 1) * sizeof(*l->at));
        l->at[l->n] = (struct user_options){0};
        option_init_block(&user_block, &l->at[l->n]);
        l->n++;
        if (option_read_block(&user_block, &l->at[l->n - 1], n, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

static bool are_users_equal(const struct user_options *a, const struct user_options *b)
{
    for (const struct option *row = user_rows; row->kind != OPTION_KIND_END; row++) {
        if (!option_equal(row, a, b)) {
            return false;
        }
    }
    return a->connection_types == b->connection_types;
}

static bool are_lists_equal(const void *a, const void *b)
{
    const struct user_list *la = a;
    const struct user_list *lb = b;

    if (la->n != lb->n || la->is_set != lb->is_set) {
        return false;
    }
    for (size_t i = 0; i < la->n; i++) {
        if (!are_users_equal(&la->at[i], &lb->at[i])) {
            return false;
        }
    }
    return true;
}

const struct option_type user_list_type = {
    .read = read_list,
    .release = release_list,
    .equal = are_lists_equal,
    .rows = user_rows,
    .element = "[]",
};
