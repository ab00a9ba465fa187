/* SPDX-License-Identifier: Apache-2.0 */
/* Judging credentials, and what follows from the verdict. A password hash is made to take long:
 * that is done by the thread pool, with copies, while the connection is suspended and everybody
 * else is served. */
#include "auth/login.h"
#include "base/mem.h"
#include "base/quote.h"
#include "broker/account.h"
#include "broker/rights.h"
#include "client/client.h"
#include "client/client_options.h"
#include "io/job.h"

struct login_job {
    struct job job;
    struct login_rules *rules; // a reference
    struct buf copies;         // what `login` points into
    struct login login;
    struct login_verdict verdict;
    struct shard *shard;
    uint64_t handle; // of the connection, which may go meanwhile
};

static void run(struct job *j)
{
    struct login_job *l = CONTAINER_OF(j, struct login_job, job);

    l->verdict = login_check(l->rules, &l->login);
}

static void done(struct job *j)
{
    struct login_job *l = CONTAINER_OF(j, struct login_job, job);
    struct conn *conn = handle_find(&l->shard->table, l->handle);

    if (conn && !conn_is_closing(conn)) {
        struct client *c = client_of(conn);

        if (c->home->rules == l->rules) {
            client_on_login(c, &l->verdict);
        } else {
            client_login(c); // the rules are others now
        }
        conn_resume(conn);
    }
    login_rules_unref(l->rules);
    buf_deinit(&l->copies);
    mem_free(l);
}

/* Lists the strings of a login. */
static size_t list_strings(struct login *login, struct str *all[7])
{
    struct str *strings[7] = {&login->user, &login->pass,      &login->token, &login->nkey,
                              &login->sig,  &login->proxy_sig, &login->nonce};

    memcpy(all, strings, sizeof(strings));
    return 7;
}

static void copy_strings(struct login_job *l)
{
    struct str *all[7];
    size_t n = list_strings(&l->login, all);

    for (size_t i = 0; i < n; i++) {
        buf_add(&l->copies, *all[i]);
    }
    for (size_t i = 0, at = 0; i < n; at += all[i]->n, i++) {
        all[i]->p = l->copies.p + at;
    }
}

static void start_job(struct client *c, const struct login *login)
{
    struct login_job *l = mem_zalloc(sizeof(*l));

    l->job.run = run;
    l->job.done = done;
    l->rules = login_rules_ref(c->home->rules);
    l->shard = c->conn.shard;
    l->handle = c->conn.handle;
    l->login = *login;
    copy_strings(l);
    conn_suspend(&c->conn);
    job_start(c->conn.shard->worker, &l->job);
}

/* Asks the certificate, where it is what counts. */
static void certify(const struct client *c, struct login *login)
{
    if (!login_is_by_certificate(c->home->rules, login)) {
        return;
    }
    login->certified = client_find_certified(c);
    if (login->certified && login->user.n) {
        struct buf user = {0};

        quote_go(&user, login->user);
        log_warn("User %.*s found in connect proto, but user required from cert",
                 STR_ARG(buf_str(&user)));
        buf_deinit(&user);
    }
}

void client_login(struct client *c)
{
    const struct client_info *i = c->info;
    struct login login = {
        .user = i->user,
        .pass = i->pass,
        .token = i->token,
        .nkey = i->nkey,
        .sig = i->sig,
        .proxy_sig = i->proxy_sig,
        .nonce = {.p = c->nonce, .n = c->nonce ? LOGIN_NONCE_BYTES : 0},
        .type = CONNECTION_STANDARD,
        .wants_account = c->wants_account,
    };

    certify(c, &login);
    if (login_is_costly(c->home->rules, &login)) {
        start_job(c, &login);
        return;
    }
    struct login_verdict verdict = login_check(c->home->rules, &login);
    client_on_login(c, &verdict);
}

void client_login_as_nobody(struct client *c)
{
    struct login login = {.type = CONNECTION_STANDARD};
    struct login_verdict verdict = {0};

    certify(c, &login);
    if (!login_is_costly(c->home->rules, &login)) { // nobody hashes what is not even there
        verdict = login_check(c->home->rules, &login);
    }
    if (!verdict.is_ok) {
        verdict = (struct login_verdict){.reason = CLOSE_AUTHENTICATION_VIOLATION};
        client_on_login(c, &verdict);
        return;
    }
    c->is_auth_pending = false;
    c->parser.connect_only = false;
    c->got_connect = true;
    if (client_enter(c, verdict.user)) {
        client_tell(c, CONN_ENTERED);
        client_arm_timer(c);
    }
}

void client_limit_payload(struct client *c)
{
    int64_t of_server = c->home->options->max_payload;
    int64_t of_account = c->user ? c->user->max_payload : -1;
    bool is_lower = of_account >= 0 && (of_server < 0 || of_account < of_server);

    c->parser.max_payload_bytes = is_lower ? of_account : of_server;
}

void client_refuse_full(struct client *c)
{
    static const char full[] = "maximum account active connections exceeded";

    client_log(c, LOG_ERR, "%s", full); // twice, as the reference does
    client_refuse(c, CLOSE_MAX_ACCOUNT_CONNECTIONS_EXCEEDED, full);
}

void client_set_account(struct client *c, struct account *account)
{
    c->account = account;
    c->conn.tally = account_tally(account, c->conn.shard->index);
    c->origin = (struct msg_origin){.speaker = &c->speaker, .account = account};
}

bool client_enter(struct client *c, const struct login_user *user)
{
    client_set_account(c, user ? user->account : c->home->shared->global);
    if (!account_enter(c->account)) {
        client_refuse_full(c);
        return false;
    }
    c->has_entered = true;
    c->user = user;
    if (user && user->max_subscriptions == 0) {
        client_refuse(c, CLOSE_MAX_SUBSCRIPTIONS_EXCEEDED, "maximum subscriptions exceeded");
        return false;
    }
    c->rights = user && user->perms ? rights_new(user->perms) : NULL;
    client_limit_payload(c);
    return true;
}

void client_leave(struct client *c)
{
    if (c->has_entered) {
        account_leave(c->account);
    }
    c->has_entered = false;
    c->user = NULL;
    c->proxy = NULL;
    rights_unref(c->rights);
    c->rights = NULL;
}
