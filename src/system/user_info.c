/* SPDX-License-Identifier: Apache-2.0 */
/* Answered at once, by the worker that delivers the request: whoever asks is at hand there. */
#include "base/json.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/msg_origin.h"
#include "broker/party.h"
#include "broker/peer.h"
#include "broker/perms.h"
#include "broker/server_block.h"
#include "system/system.h"

static void write_list(struct json *j, const char *key, const struct perms *p, enum perms_list list)
{
    size_t n;
    const struct str *entries = perms_entries(p, list, &n);

    if (n == 0) {
        return;
    }
    json_key(j, key);
    json_open_array(j);
    for (size_t i = 0; i < n; i++) {
        json_str(j, entries[i]);
    }
    json_close_array(j);
}

static void write_pair(struct json *j, const char *key, const struct perms *p,
                       enum perms_list allow, enum perms_list deny)
{
    json_key(j, key);
    json_open_object(j);
    write_list(j, "allow", p, allow);
    write_list(j, "deny", p, deny);
    json_close_object(j);
}

static void write_perms(struct json *j, const struct perms *p)
{
    json_key(j, "permissions");
    json_open_object(j);
    write_pair(j, "publish", p, PERMS_PUB_ALLOW, PERMS_PUB_DENY);
    write_pair(j, "subscribe", p, PERMS_SUB_ALLOW, PERMS_SUB_DENY);
    if (perms_allows_responses(p)) {
        struct perms_responses r = perms_responses(p);

        json_key(j, "responses");
        json_open_object(j);
        json_add_int(j, "max", r.max);
        json_add_int(j, "ttl", r.expires_ns);
        json_close_object(j);
    }
    json_close_object(j);
}

static void write_answer(struct delivery *d, const struct msg_origin *o, struct buf *out)
{
    const struct perms *perms = o->speaker->ops->perms(o->speaker);
    struct str account = str_of(o->account->name);
    struct json j = json_to(out);
    struct party who;

    o->speaker->ops->tell(o->speaker, &who);
    json_open_object(&j);
    json_key(&j, "server");
    server_block_write(d->server, &j);
    json_key(&j, "data");
    json_open_object(&j);
    json_add_str(&j, "user", who.user);
    json_add_str(&j, "account", account);
    json_opt_str(&j, "account_name", account);
    if (perms) {
        write_perms(&j, perms);
    }
    json_close_object(&j);
    json_close_object(&j);
}

static size_t answer(struct delivery *d, struct account *a, struct msg *m, struct sub *s,
                     uint64_t except)
{
    struct buf json = {0};

    (void)s;
    (void)except;
    if (m->reply.n && m->origin->speaker) {
        write_answer(d, m->origin, &json);
        deliver_own(d, a, m->reply, buf_str(&json));
        buf_deinit(&json);
    }
    return 1;
}

const struct peer_ops user_info_ops = {
    .kind = "System", .write_msg = deliver_afterwards, .handle = answer};
