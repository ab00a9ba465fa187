/* SPDX-License-Identifier: Apache-2.0 */
/* What others are told of a client that asks or answers (spec 05 §10). */
#include "auth/login.h"
#include "base/clock.h"
#include "broker/party.h"
#include "broker/rights.h"
#include "client/client.h"

static const struct client *client_of_speaker(const struct speaker *s)
{
    return CONTAINER_OF((uintptr_t)s, struct client, speaker);
}

struct str client_user_name(const struct client *c)
{
    if (c->user && c->user->id.n) {
        return c->user->id;
    }
    if (!c->info) {
        return (struct str){0};
    }
    if (c->info->token.n && !c->info->user.n) {
        return STR("[REDACTED]");
    }
    return c->info->nkey.n ? c->info->nkey : c->info->user;
}

static void tell(const struct speaker *s, struct party *out)
{
    const struct client *c = client_of_speaker(s);

    addr_format_ip(&c->conn.addr, c->home->host);
    *out = (struct party){.start_ns = clock_wall_ns() - (clock_now_ns() - c->start_ns),
                          .host = str_of(c->home->host),
                          .id = c->cid,
                          .user = client_user_name(c),
                          .rtt_ns = c->rtt_ns,
                          .server = str_of(c->home->identity->name),
                          .kind = STR("Client"),
                          .client_type = STR("nats")};
    if (c->info) {
        out->name = c->info->name;
        out->lang = c->info->lang;
        out->version = c->info->version;
    }
}

static const struct perms *perms(const struct speaker *s)
{
    const struct client *c = client_of_speaker(s);

    return c->rights ? c->rights->perms : NULL;
}

const struct speaker_ops client_speaker_ops = {.kind = "Client", .tell = tell, .perms = perms};
