/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of ways to log in (spec 04 §1). Each way says whether it is the one for this client;
 * the first that is decides. JWT become further rows. */
#include "auth/login.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "auth/cert_names.h"
#include "auth/nkey.h"
#include "auth/secret.h"
#include "base/arena.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/perms.h"

#define NONCE_RAW_BYTES 11
#define SIGNATURE_BYTES crypto_sign_BYTES
#define SIGNATURE_TEXT_MAX 256u // more is none, whatever it is
#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define BASE64 sodium_base64_VARIANT_ORIGINAL

struct login_rules {
    _Atomic uint32_t refs;
    struct arena arena;       // all strings
    struct login_user *users; // sorted by id
    size_t n_users;
    bool has_users; // there are users
    bool has_nkeys;
    struct dn *dns; // the name of each user as one, empty if it is none; NULL: certificates name
                    // nobody
    struct login_user single; // who comes by `user` or `token`
    const char *user, *token; // "": not configured
    const struct login_user *anonymous;
    bool hides_anonymous;     // INFO asks for a login all the same (spec 03 C7)
    struct login_user nobody; // of the global account: the hidden one
    struct login_proxy *proxies;
    size_t n_proxies;
};

/* ---- making rules */

static const char *keep(struct login_rules *r, const char *text)
{
    return arena_str(&r->arena, str_of(text ? text : "")).p;
}

static struct perms *ref_perms(struct perms *own, struct perms *defaults)
{
    struct perms *p = own ? own : defaults;

    return p ? perms_ref(p) : NULL;
}

static void add_users(struct login_rules *r, const struct user_list *l, struct account *account,
                      struct perms *defaults, const struct account_options *limits)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct user_options *o = &l->at[i];
        struct login_user *u = &r->users[r->n_users++];
        enum nkey_kind kind;

        *u = (struct login_user){
            .is_nkey = o->nkey[0],
            .password = keep(r, o->password),
            .account = account,
            .perms = ref_perms(o->perms, defaults),
            .connection_types = o->connection_types,
            .proxy_required = o->proxy_required,
            .max_subscriptions = limits ? limits->max_subscriptions : -1,
            .max_payload = limits ? limits->max_payload : -1,
        };
        u->id = str_of(keep(r, u->is_nkey ? o->nkey : o->name));
        if (u->is_nkey) {
            ENSURE(nkey_decode(u->id, &kind, u->key) == ST_OK); // the option was checked
            r->has_nkeys = true;
        }
    }
}

static int compare_users(const void *a, const void *b)
{
    const struct login_user *ua = a;
    const struct login_user *ub = b;

    return str_compare(ua->id, ub->id);
}

static void add_all_users(struct login_rules *r, const struct auth_options *o,
                          struct accounts *accounts)
{
    size_t n = o->users.n;

    for (size_t i = 0; i < o->accounts.n; i++) {
        n += o->accounts.at[i].users.n;
    }
    r->users = mem_zalloc((n ? n : 1) * sizeof(*r->users));
    r->has_users = n > 0;
    add_users(r, &o->users, accounts_get(accounts, ACCOUNT_GLOBAL), o->default_perms, NULL);
    for (size_t i = 0; i < o->accounts.n; i++) {
        const struct account_options *a = &o->accounts.at[i];
        struct account *account = accounts_get(accounts, a->name);

        account_set_limit(account, a->max_connections);
        add_users(r, &a->users, account, a->default_perms, a);
    }
    qsort(r->users, r->n_users, sizeof(*r->users), compare_users);
}

/* Certificates name users by name, never those with nkeys. */
static void add_dns(struct login_rules *r)
{
    struct dn *dns = arena_alloc(&r->arena, (r->n_users ? r->n_users : 1) * sizeof(*dns));

    for (size_t i = 0; i < r->n_users; i++) {
        const struct login_user *u = &r->users[i];

        if (!u->is_nkey) {
            r->dns = dns;
            if (!dn_parse(&r->arena, u->id, &dns[i])) {
                dns[i] = (struct dn){0};
            }
        }
    }
}

static void add_proxies(struct login_rules *r, const struct option_list *l)
{
    enum nkey_kind kind;

    r->proxies = mem_zalloc((l->n ? l->n : 1) * sizeof(*r->proxies));
    for (size_t i = 0; i < l->n; i++) {
        struct login_proxy *p = &r->proxies[r->n_proxies++];

        p->nkey = str_of(keep(r, l->at[i]));
        ENSURE(nkey_decode(p->nkey, &kind, p->key) == ST_OK); // the option was checked
    }
}

/* If nobody but the system account has users, the others come in as before (spec 03 C7). */
static bool is_only_system(const struct auth_options *o)
{
    const char *system = o->system_account[0] ? o->system_account : "$SYS";

    return !o->has_block && o->accounts.n == 1 && o->accounts.at[0].users.n > 0 &&
           strcmp(o->accounts.at[0].name, system) == 0;
}

/* As whom they come in then: the same after a reload. */
static void name_nobody(struct login_rules *r, const char *server_hash)
{
    struct buf name = {0};

    buf_printf(&name, "nats-%s", server_hash);
    r->nobody.id = arena_str(&r->arena, buf_str(&name));
    buf_deinit(&name);
}

struct login_rules *login_rules_new(const struct auth_options *o, struct accounts *accounts,
                                    bool is_mapping)
{
    struct login_rules *r = mem_zalloc(sizeof(*r));

    r->refs = 1;
    r->user = keep(r, o->user);
    r->token = keep(r, o->token);
    r->nobody = (struct login_user){.account = accounts_get(accounts, ACCOUNT_GLOBAL),
                                    .max_subscriptions = -1,
                                    .max_payload = -1};
    r->single = r->nobody;
    r->single.id = str_of(r->user);
    r->single.password = keep(r, o->password);
    r->single.proxy_required = o->proxy_required;
    add_all_users(r, o, accounts);
    if (is_mapping) {
        add_dns(r);
    }
    add_proxies(r, &o->trusted_proxies);
    if (o->no_auth_user[0]) {
        r->anonymous = login_find(r, str_of(o->no_auth_user));
    } else if (is_only_system(o)) {
        name_nobody(r, accounts->server_hash);
        r->anonymous = &r->nobody;
        r->hides_anonymous = true;
    }
    return r;
}

struct login_rules *login_rules_ref(struct login_rules *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void login_rules_unref(struct login_rules *r)
{
    if (!r || atomic_fetch_sub(&r->refs, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < r->n_users; i++) {
        perms_unref(r->users[i].perms);
    }
    mem_free(r->users);
    mem_free(r->proxies);
    arena_deinit(&r->arena);
    mem_free(r);
}

/* ---- questions */

const struct login_user *login_find(const struct login_rules *r, struct str id)
{
    struct login_user key = {.id = id};

    return id.n ? bsearch(&key, r->users, r->n_users, sizeof(*r->users), compare_users) : NULL;
}

bool login_is_required(const struct login_rules *r)
{
    return r->has_users || r->user[0] || r->token[0];
}

bool login_is_announced(const struct login_rules *r)
{
    return login_is_required(r) && (!r->anonymous || r->hides_anonymous);
}

bool login_wants_nonce(const struct login_rules *r)
{
    return r->has_nkeys || r->n_proxies > 0;
}

const struct login_user *login_anonymous(const struct login_rules *r)
{
    return r->anonymous;
}

void login_draw_nonce(char *out)
{
    unsigned char raw[NONCE_RAW_BYTES];
    char text[LOGIN_NONCE_BYTES + 1];

    randombytes_buf(raw, sizeof(raw));
    sodium_bin2base64(text, sizeof(text), raw, sizeof(raw), BASE64URL);
    memcpy(out, text, LOGIN_NONCE_BYTES);
}

/* ---- signatures of the nonce */

enum decoded {
    DECODED_NOTHING,   // it is not in base64
    DECODED_OTHER,     // not so many bytes as a signature
    DECODED_SIGNATURE, // it is in `out`
};

static enum decoded decode_signature(struct str text, int variant, unsigned char *out)
{
    unsigned char raw[SIGNATURE_TEXT_MAX];
    size_t n;

    if (text.n > sizeof(raw)) {
        return DECODED_OTHER;
    }
    if (sodium_base642bin(raw, sizeof(raw), text.p, text.n, NULL, &n, NULL, variant) != 0) {
        return DECODED_NOTHING;
    }
    if (n != SIGNATURE_BYTES) {
        return DECODED_OTHER;
    }
    memcpy(out, raw, SIGNATURE_BYTES);
    return DECODED_SIGNATURE;
}

static bool is_signed(const unsigned char *raw, struct str nonce, const uint8_t *key)
{
    return crypto_sign_verify_detached(raw, (const unsigned char *)nonce.p, nonce.n, key) == 0;
}

/* Which proxy signed; NULL: none that is trusted, and `v` says so. */
static const struct login_proxy *find_signer(const struct login_rules *r, const struct login *login,
                                             struct login_verdict *v)
{
    unsigned char raw[SIGNATURE_BYTES];
    enum decoded done = decode_signature(login->proxy_sig, BASE64URL, raw);

    for (size_t i = 0; done == DECODED_SIGNATURE && i < r->n_proxies; i++) {
        if (is_signed(raw, login->nonce, r->proxies[i].key)) {
            return &r->proxies[i];
        }
    }
    *v = (struct login_verdict){
        .reason = CLOSE_PROXY_NOT_TRUSTED,
        .notes = {done == DECODED_NOTHING ? "Proxy signature not valid base64" : NULL,
                  "proxy is not trusted"},
    };
    return NULL;
}

/* ---- the ways */

struct way {
    /* Whom this way would make of the client; NULL: it is not the way for it, or leads nowhere. */
    bool (*is_asked)(const struct login_rules *r, const struct login *login);
    const struct login_user *(*find)(const struct login_rules *r, const struct login *login);
    /* Whether its credentials are those of the user; `note` may say what is wrong with them. */
    bool (*check)(const struct login_user *user, const struct login *login, const char **note);
};

static bool asks_nkey(const struct login_rules *r, const struct login *login)
{
    return r->has_nkeys && login->nkey.n;
}

static const struct login_user *find_nkey(const struct login_rules *r, const struct login *login)
{
    const struct login_user *u = login_find(r, login->nkey);

    return u && u->is_nkey ? u : NULL;
}

static bool check_nkey(const struct login_user *user, const struct login *login, const char **note)
{
    unsigned char raw[SIGNATURE_BYTES];
    enum decoded done = decode_signature(login->sig, BASE64URL, raw);

    if (done == DECODED_NOTHING) {
        done = decode_signature(login->sig, BASE64, raw);
    }
    if (done == DECODED_SIGNATURE && is_signed(raw, login->nonce, user->key)) {
        return true;
    }
    *note = !login->sig.n             ? "Signature missing"
            : done == DECODED_NOTHING ? "Signature not valid base64"
                                      : "Signature not verified";
    return false;
}

static bool asks_nothing(const struct login_rules *r, const struct login *login)
{
    return r->anonymous && !login->user.n && !login->pass.n && !login->token.n && !login->nkey.n;
}

static const struct login_user *find_anonymous(const struct login_rules *r,
                                               const struct login *login)
{
    (void)login;
    return r->anonymous;
}

static bool check_nothing(const struct login_user *user, const struct login *login,
                          const char **note)
{
    (void)user;
    (void)login;
    (void)note;
    return true;
}

/* Certificates come before those who have no credentials, unless they become an nkey. */
static bool asks_certificate(const struct login_rules *r, const struct login *login)
{
    return r->dns && !(asks_nothing(r, login) && r->anonymous->is_nkey);
}

static const struct login_user *find_certified(const struct login_rules *r,
                                               const struct login *login)
{
    (void)r;
    return login->certified;
}

static bool asks_user(const struct login_rules *r, const struct login *login)
{
    return r->has_users && login->user.n;
}

static const struct login_user *find_user(const struct login_rules *r, const struct login *login)
{
    const struct login_user *u = login_find(r, login->user);

    return u && !u->is_nkey ? u : NULL;
}

static bool check_password(const struct login_user *user, const struct login *login,
                           const char **note)
{
    (void)note;
    return secret_is(login->pass, user->password);
}

static bool asks_token(const struct login_rules *r, const struct login *login)
{
    (void)login;
    return r->token[0];
}

static const struct login_user *find_token(const struct login_rules *r, const struct login *login)
{
    (void)login;
    return &r->single;
}

static bool asks_single(const struct login_rules *r, const struct login *login)
{
    (void)login;
    return r->user[0];
}

static const struct login_user *find_single(const struct login_rules *r, const struct login *login)
{
    return secret_is(login->user, r->user) ? &r->single : NULL;
}

static const struct way ways[] = {
    {asks_nkey, find_nkey, check_nkey},
    {asks_certificate, find_certified, check_password},
    {asks_nothing, find_anonymous, check_nothing},
    {asks_user, find_user, check_password},
    {asks_token, find_token, NULL}, // the secret is that of the rules
    {asks_single, find_single, check_password},
};

static const struct way *find_way(const struct login_rules *r, const struct login *login)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        if (ways[i].is_asked(r, login)) {
            return &ways[i];
        }
    }
    return NULL;
}

static bool may_connect_so(const struct login_user *u, enum connection_type type)
{
    return u->connection_types == 0 || (u->connection_types & type);
}

bool login_is_by_certificate(const struct login_rules *r, const struct login *login)
{
    const struct way *way = find_way(r, login);

    return way && way->is_asked == asks_certificate;
}

static const struct login_user *find_dn(const struct login_rules *r, const struct dn *dn,
                                        bool (*is_equal)(const struct dn *a, const struct dn *b),
                                        enum connection_type type)
{
    for (size_t i = 0; i < r->n_users; i++) {
        const struct dn *of_user = &r->dns[i];

        if (of_user->n && may_connect_so(&r->users[i], type) && is_equal(of_user, dn)) {
            return &r->users[i];
        }
    }
    return NULL;
}

const struct login_user *login_find_certified(const struct login_rules *r,
                                              const struct cert_name *name,
                                              enum connection_type type)
{
    if (name->kind == CERT_NAME_DN) {
        const struct login_user *u = find_dn(r, &name->dn, dn_equal, type);

        return u ? u : find_dn(r, &name->dn, dn_equal_reordered, type);
    }
    const struct login_user *u = login_find(r, name->text);

    return u && !u->is_nkey && may_connect_so(u, type) ? u : NULL;
}

bool login_is_costly(const struct login_rules *r, const struct login *login)
{
    const struct way *way = find_way(r, login);

    if (!way || (way->check && way->check != check_password)) {
        return false;
    }
    if (!way->check) {
        return secret_is_bcrypt(r->token);
    }
    const struct login_user *u = way->find(r, login);
    return u && secret_is_bcrypt(u->password);
}

static bool passes(const struct login_rules *r, const struct login *login, const struct way *way,
                   const struct login_user *user, const char **note)
{
    return way->check ? way->check(user, login, note) : secret_is(login->token, r->token);
}

/* The verdict on a client that has to log in. @param proxy  by which it came; NULL: by none */
static struct login_verdict check_way(const struct login_rules *r, const struct login *login,
                                      const struct login_proxy *proxy)
{
    const struct way *way = find_way(r, login);
    const struct login_user *user = way ? way->find(r, login) : NULL;
    struct login_verdict v = {.reason = CLOSE_AUTHENTICATION_VIOLATION};

    v.user = way && way->find == find_anonymous ? user : login->certified;
    if (!user || !may_connect_so(user, login->type)) {
        return v;
    }
    if (user->proxy_required && !proxy) {
        v.reason = CLOSE_PROXY_REQUIRED;
        v.notes[0] = "proxy connection required";
        return v;
    }
    if (!passes(r, login, way, user, &v.notes[0])) {
        return v;
    }
    return (struct login_verdict){.is_ok = true, .user = user, .proxy = proxy};
}

struct login_verdict login_check(const struct login_rules *r, const struct login *login)
{
    const struct login_proxy *proxy = NULL;
    struct login_verdict v;

    if (login->proxy_sig.n && r->n_proxies) {
        proxy = find_signer(r, login, &v);
        if (!proxy) {
            return v;
        }
    }
    if (login->wants_account) {
        return (struct login_verdict){.user = login->certified,
                                      .reason = CLOSE_AUTHENTICATION_VIOLATION};
    }
    if (!login_is_required(r)) {
        return (struct login_verdict){.is_ok = true, .proxy = proxy};
    }
    return check_way(r, login, proxy);
}

/* ---- reload */

const struct login_proxy *login_find_proxy(const struct login_rules *r, struct str nkey)
{
    for (size_t i = 0; i < r->n_proxies; i++) {
        if (str_equal(r->proxies[i].nkey, nkey)) {
            return &r->proxies[i];
        }
    }
    return NULL;
}

static enum login_change follow_nobody(const struct login_rules *to, const struct login_user **out)
{
    *out = to->anonymous;
    if (login_is_required(to) && !to->anonymous) {
        return LOGIN_CHANGED;
    }
    return to->anonymous && to->anonymous->account != to->nobody.account ? LOGIN_GONE : LOGIN_SAME;
}

static enum login_change follow_single(const struct login_rules *from, const struct login_rules *to,
                                       const struct login_user **out)
{
    *out = &to->single;
    if (!login_is_required(to)) {
        return LOGIN_SAME; // nobody is asked any more
    }
    return strcmp(from->user, to->user) == 0 && strcmp(from->token, to->token) == 0 &&
                   strcmp(from->single.password, to->single.password) == 0 && !to->has_users
               ? LOGIN_SAME
               : LOGIN_CHANGED;
}

enum login_change login_follow(const struct login_rules *from, const struct login_rules *to,
                               const struct login_user *user, const struct login_user **out)
{
    if (!user || user == &from->nobody) {
        return follow_nobody(to, out);
    }
    if (user == &from->single) {
        return follow_single(from, to, out);
    }
    const struct login_user *now = login_find(to, user->id);
    if (!now || now->account != user->account || now->is_nkey != user->is_nkey) {
        return LOGIN_GONE;
    }
    *out = now;
    return strcmp(now->password, user->password) == 0 ? LOGIN_SAME : LOGIN_CHANGED;
}
