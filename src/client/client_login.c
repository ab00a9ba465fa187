/* SPDX-License-Identifier: Apache-2.0 */
/* Judging credentials. A password hash is made to take long: that is done by the thread pool, with
 * copies, while the connection is suspended and everybody else is served. */
#include "auth/login.h"
#include "base/mem.h"
#include "client/client.h"
#include "io/job.h"

struct login_job {
    struct job job;
    const struct login_rules *rules;
    struct buf secrets; // what `login` points into
    struct login login;
    struct shard *shard;
    uint64_t handle; // of the connection, which may go meanwhile
    bool is_ok;
};

static void run(struct job *j)
{
    struct login_job *l = CONTAINER_OF(j, struct login_job, job);

    l->is_ok = login_check(l->rules, &l->login);
}

static void done(struct job *j)
{
    struct login_job *l = CONTAINER_OF(j, struct login_job, job);
    struct conn *conn = handle_find(&l->shard->table, l->handle);

    if (conn && !conn_is_closing(conn)) {
        client_on_login(client_of(conn), l->is_ok);
        conn_resume(conn);
    }
    buf_deinit(&l->secrets);
    mem_free(l);
}

static void start_job(struct client *c, const struct login *login)
{
    struct login_job *l = mem_zalloc(sizeof(*l));

    l->job.run = run;
    l->job.done = done;
    l->rules = c->shared->login;
    l->shard = c->conn.shard;
    l->handle = c->conn.handle;
    buf_reserve(&l->secrets, login->user.n + login->pass.n + login->token.n);
    buf_add(&l->secrets, login->user);
    buf_add(&l->secrets, login->pass);
    buf_add(&l->secrets, login->token);
    const char *at = l->secrets.p;
    l->login.user = (struct str){.p = at, .n = login->user.n};
    l->login.pass = (struct str){.p = at + login->user.n, .n = login->pass.n};
    l->login.token = (struct str){.p = at + login->user.n + login->pass.n, .n = login->token.n};
    conn_suspend(&c->conn);
    job_start(c->conn.shard->worker, &l->job);
}

void client_login(struct client *c)
{
    const struct client_info *i = c->info;
    struct login login = {.user = i->user, .pass = i->pass, .token = i->token};

    if (login_is_costly(c->shared->login)) {
        start_job(c, &login);
    } else {
        client_on_login(c, login_check(c->shared->login, &login));
    }
}
