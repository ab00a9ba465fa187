/* SPDX-License-Identifier: Apache-2.0 */
// Cases about who is let in, by login and by certificate, and about what one is allowed then.
#define _GNU_SOURCE // strcasestr
#include "interop.h"

#include <nats/nats.h>
#include <stdio.h>
#include <string.h>

void case_login(const struct target *target)
{
    natsConnection *nc = connect_to(target);
    natsSubscription *sub = subscribe_sync(nc, "private", NULL);

    OK(natsConnection_PublishString(nc, "private", "secret"));
    expect_text(sub, "secret");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}

void case_login_refused(const struct target *target)
{
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;

    FAILS_WITH(NATS_CONNECTION_AUTH_FAILED, open_connection(&nc, opts));
    CHECK(nc == NULL);
    CHECK(strstr(nats_GetLastError(NULL), "Authorization Violation") != NULL);
    natsOptions_Destroy(opts);
}

void case_tls_refused(const struct target *target)
{
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;
    natsStatus status = natsConnection_Connect(&nc, opts);

    CHECK(status != NATS_OK && status != NATS_TIMEOUT && status != NATS_CONNECTION_AUTH_FAILED);
    CHECK(nc == NULL);
    natsOptions_Destroy(opts);
}

/// Takes the errors that are not an answer to a call.
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus error, void *closure)
{
    (void)nc;
    (void)sub;
    CHECK(error == NATS_NOT_PERMITTED);
    counter_add(closure);
}

static void expect_violation(natsConnection *nc, struct counter *errors, int n, const char *what)
{
    const char *text = NULL;

    flush(nc);
    counter_await(errors, n);
    CHECK(counter_get(errors) == n);
    CHECK(natsConnection_GetLastError(nc, &text) == NATS_NOT_PERMITTED);
    CHECK(strcasestr(text, what) != NULL);
}

void case_permissions(const struct target *target)
{
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;
    natsSubscription *denied[2] = {NULL, NULL};
    struct counter *errors = counter_new();

    OK(natsOptions_SetErrorHandler(opts, on_error, errors));
    OK(natsOptions_SetAllowReconnect(opts, false));
    OK(natsConnection_Connect(&nc, opts));

    OK(natsConnection_PublishString(nc, "secret.a", "x"));
    expect_violation(nc, errors, 1, "Publish to \"secret.a\"");
    OK(natsConnection_SubscribeSync(&denied[0], nc, "secret.b"));
    expect_violation(nc, errors, 2, "Subscription to \"secret.b\"");
    OK(natsConnection_QueueSubscribeSync(&denied[1], nc, "secret.c", "readers"));
    expect_violation(nc, errors, 3, "Subscription to \"secret.c\" using queue \"readers\"");

    natsSubscription *allowed = subscribe_sync(nc, "open", NULL);
    OK(natsConnection_PublishString(nc, "open", "x"));
    expect_text(allowed, "x");
    CHECK(counter_get(errors) == 3);

    natsSubscription_Destroy(allowed);
    natsSubscription_Destroy(denied[1]);
    natsSubscription_Destroy(denied[0]);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    counter_free(errors);
}

/// A connection of the user in the settings user2 and pass2.
static natsConnection *connect_second(const struct target *target)
{
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;

    OK(natsOptions_SetUserInfo(opts, setting(target, "user2"), setting(target, "pass2")));
    OK(natsConnection_Connect(&nc, opts));
    natsOptions_Destroy(opts);
    return nc;
}

void case_accounts(const struct target *target)
{
    natsConnection *ncs[2] = {connect_to(target), connect_second(target)};
    natsSubscription *plain[2];
    natsSubscription *queue[2];
    natsMsg *answer = NULL;

    for (int i = 0; i < 2; i++) {
        plain[i] = subscribe_sync(ncs[i], "news.*", NULL);
        queue[i] = subscribe_sync(ncs[i], "news.today", "readers");
    }
    for (int i = 0; i < 2; i++) {
        OK(natsConnection_PublishString(ncs[i], "news.today", "ours"));
        flush(ncs[i]);
        expect_text(plain[i], "ours");
        expect_text(queue[i], "ours");
        expect_nothing(ncs[!i], plain[!i]);
        expect_nothing(ncs[!i], queue[!i]);
    }
    natsSubscription *service = subscribe_sync(ncs[0], "service", NULL);
    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&answer, ncs[1], "service", "anybody?", WAIT_MS));
    expect_nothing(ncs[0], service);

    natsSubscription_Destroy(service);
    for (int i = 0; i < 2; i++) {
        natsSubscription_Destroy(plain[i]);
        natsSubscription_Destroy(queue[i]);
        natsConnection_Destroy(ncs[i]);
    }
}

static void on_any_error(natsConnection *nc, natsSubscription *sub, natsStatus error, void *closure)
{
    (void)nc;
    (void)sub;
    (void)error;
    counter_add(closure);
}

void case_reload(const struct target *target)
{
    enum { N_BATCH = 10 };
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;
    struct counter *noticed = counter_new();
    char text[32];

    OK(natsOptions_SetAllowReconnect(opts, false));
    OK(natsOptions_SetDisconnectedCB(opts, counter_on_event, noticed));
    OK(natsOptions_SetErrorHandler(opts, on_any_error, noticed));
    OK(natsConnection_Connect(&nc, opts));
    natsSubscription *sub = subscribe_sync(nc, "tick", NULL);
    say_ready();
    for (int n = 0; !input_ended(); n += N_BATCH) {
        for (int i = 0; i < N_BATCH; i++) {
            snprintf(text, sizeof(text), "%d", n + i);
            OK(natsConnection_PublishString(nc, "tick", text));
        }
        for (int i = 0; i < N_BATCH; i++) {
            snprintf(text, sizeof(text), "%d", n + i);
            expect_text(sub, text);
        }
    }
    expect_nothing(nc, sub);
    CHECK(counter_get(noticed) == 0);

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    counter_free(noticed);
}
