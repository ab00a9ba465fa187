/* SPDX-License-Identifier: Apache-2.0 */
/* A party as JSON. */
#include "broker/party.h"

#include "base/clock.h"

void party_write(const struct party *p, struct json *j)
{
    json_open_object(j);
    if (p->start_ns) {
        char start[CLOCK_RFC3339_MAX];
        size_t n = clock_format_rfc3339(p->start_ns, start);

        json_add_str(j, "start", (struct str){.p = start, .n = n});
    }
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
    json_opt_str(j, "kind", p->kind);
    json_opt_str(j, "client_type", p->client_type);
    json_close_object(j);
}
