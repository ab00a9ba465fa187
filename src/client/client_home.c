/* SPDX-License-Identifier: Apache-2.0 */
/* The home of a worker's clients, and what the configuration makes of it. */
#include "auth/login.h"
#include "base/clock.h"
#include "broker/deliver.h"
#include "client/client.h"
#include "client/client_options.h"
#include "io/tls_context.h"

#define AUTH_TIMEOUT_NS (2 * CLOCK_SEC_NS)

static struct conn_limits limits_of(const struct client_options *o)
{
    return (struct conn_limits){
        .max_pending_bytes = o->max_pending,
        .high_pending_bytes = (size_t)(o->max_pending / 4 * 3),
        .drops_when_high = o->no_fast_producer_stall,
        .retries_writes = o->write_timeout == CLIENT_WRITE_TIMEOUT_RETRY,
        .write_deadline_ns = o->write_deadline_ns,
    };
}

void client_home_init(struct client_home *h, struct client_shared *shared, struct shard *shard,
                      struct delivery *take_delivery, const struct client_options *options)
{
    *h = (struct client_home){
        .shared = shared, .shard = shard, .delivery = take_delivery, .identity = &shared->identity};
    client_home_furnish(h, options);
}

void client_home_furnish(struct client_home *h, const struct client_options *options)
{
    h->options = options;
    h->limits = limits_of(options);
    h->delivery->drops_when_high = options->no_fast_producer_stall;
}

void client_home_admit(struct client_home *h, struct login_rules *take_rules, int64_t timeout_ns)
{
    login_rules_unref(h->rules);
    h->rules = take_rules;
    h->auth_timeout_ns = client_auth_timeout_ns(h->options, timeout_ns);
}

int64_t client_auth_timeout_ns(const struct client_options *o, int64_t configured_ns)
{
    if (configured_ns) {
        return configured_ns;
    }
    return o->tls.is_on ? o->tls.timeout_ns + CLOCK_SEC_NS : AUTH_TIMEOUT_NS;
}

void client_home_identify(struct client_home *h, const struct server_identity *id)
{
    h->identity = id;
}

void client_home_secure(struct client_home *h, struct tls_context *take_tls)
{
    tls_context_unref(h->tls);
    h->tls = take_tls;
}

void client_home_deinit(struct client_home *h)
{
    client_home_settle(h);
    delivery_free(h->delivery);
    tls_context_unref(h->tls);
    login_rules_unref(h->rules);
}
