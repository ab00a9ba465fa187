/* SPDX-License-Identifier: Apache-2.0 */
/* A party as JSON. */
#include "broker/party.h"

static void opt_time(struct json *j, const char *key, int64_t wall_ns)
{
    if (wall_ns) {
        json_add_time(j, key, wall_ns);
    }
}

void party_write(const struct party *p, struct json *j)
{
    json_open_object(j);
    opt_time(j, "start", p->start_ns);
    json_opt_str(j, "host", p->host);
    json_opt_uint(j, "id", p->id);
    json_opt_str(j, "acc", p->account);
    json_opt_str(j, "svc", p->service);
    json_opt_str(j, "user", p->user);
    json_opt_str(j, "name", p->name);
    json_opt_str(j, "lang", p->lang);
    json_opt_str(j, "ver", p->version);
    json_opt_int(j, "rtt", p->rtt_ns);
    json_opt_str(j, "server", p->server);
    json_opt_str(j, "cluster", p->cluster);
    opt_time(j, "stop", p->stop_ns);
    json_opt_str(j, "name_tag", p->name_tag);
    json_opt_str(j, "kind", p->kind);
    json_opt_str(j, "client_type", p->client_type);
    json_close_object(j);
}
