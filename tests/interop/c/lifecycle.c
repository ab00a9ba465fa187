/* SPDX-License-Identifier: Apache-2.0 */
// Cases about connections: what INFO said, drain, reconnect, lame duck.
#include "interop.h"

#include <inttypes.h>
#include <nats/nats.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void case_connect(const struct target *target)
{
    natsConnection *nc = connect_to(target);
    char server_id[128];
    uint64_t client_id = 0;
    char *client_ip = NULL;

    CHECK(natsConnection_Status(nc) == NATS_CONN_STATUS_CONNECTED);
    OK(natsConnection_GetConnectedServerId(nc, server_id, sizeof(server_id)));
    OK(natsConnection_GetClientID(nc, &client_id));
    OK(natsConnection_GetClientIP(nc, &client_ip));
    // The test compares this with the INFO line that the server sends.
    printf("{\"server_id\": \"%s\", \"client_id\": %" PRIu64 ", \"client_ip\": \"%s\","
           " \"max_payload\": %" PRId64 ", \"headers\": %s}\n",
           server_id, client_id, client_ip, natsConnection_GetMaxPayload(nc),
           natsConnection_HasHeaderSupport(nc) == NATS_OK ? "true" : "false");
    free(client_ip);
    natsConnection_Close(nc);
    CHECK(natsConnection_IsClosed(nc));
    natsConnection_Destroy(nc);
}

void case_flush_rtt(const struct target *target)
{
    natsConnection *nc = connect_to(target);
    int64_t rtt_ns = 0;

    for (int i = 0; i < 10; i++) {
        OK(natsConnection_PublishString(nc, "nobody.listens", "x"));
        flush(nc);
        CHECK(natsConnection_Buffered(nc) == 0);
    }
    OK(natsConnection_GetRTT(nc, &rtt_ns));
    CHECK(rtt_ns > 0);
    natsConnection_Destroy(nc);
}

/// The state of a subscription whose first message waits until the drain has begun.
struct drain {
    struct counter *is_draining;
    struct counter *received;
};

static struct drain drain_new(void)
{
    return (struct drain){.is_draining = counter_new(), .received = counter_new()};
}

static void drain_free(struct drain drain)
{
    counter_free(drain.is_draining);
    counter_free(drain.received);
}

/// Answers each message that wants an answer.
static void on_drain_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    const struct drain *drain = closure;

    (void)sub;
    counter_await(drain->is_draining, 1);
    if (natsMsg_GetReply(msg)) {
        OK(natsConnection_Publish(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg),
                                  natsMsg_GetDataLength(msg)));
    }
    counter_add(drain->received);
    natsMsg_Destroy(msg);
}

void case_drain_subscription(const struct target *target)
{
    enum { N_MSGS = 500 };
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *sub = NULL;
    natsMsg *answer = NULL;
    struct drain drain = drain_new();

    OK(natsConnection_Subscribe(&sub, subscriber, "drain.me", on_drain_msg, &drain));
    flush(subscriber);
    for (int i = 0; i < N_MSGS; i++) {
        OK(natsConnection_PublishString(publisher, "drain.me", "x"));
    }
    flush(publisher);
    OK(natsSubscription_DrainTimeout(sub, WAIT_MS));
    counter_add(drain.is_draining);
    OK(natsSubscription_WaitForDrainCompletion(sub, WAIT_MS));
    OK(natsSubscription_DrainCompletionStatus(sub));
    CHECK(counter_get(drain.received) == N_MSGS);

    CHECK(natsConnection_Status(subscriber) == NATS_CONN_STATUS_CONNECTED);
    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&answer, publisher, "drain.me", "late", WAIT_MS));

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
    drain_free(drain);
}

void case_drain_connection(const struct target *target)
{
    enum { N_MSGS = 500 };
    natsConnection *client = connect_to(target);
    natsConnection *service = NULL;
    natsSubscription *answers = subscribe_sync(client, "answers", NULL);
    natsSubscription *subs[2] = {NULL, NULL};
    natsOptions *opts = target_options(target);
    struct counter *closed = counter_new();
    struct drain drain = drain_new();
    natsMsg *answer = NULL;

    OK(natsOptions_SetClosedCB(opts, counter_on_event, closed));
    OK(natsConnection_Connect(&service, opts));
    OK(natsConnection_Subscribe(&subs[0], service, "work.a", on_drain_msg, &drain));
    OK(natsConnection_QueueSubscribe(&subs[1], service, "work.b", "workers", on_drain_msg, &drain));
    flush(service);
    for (int i = 0; i < N_MSGS; i++) {
        OK(natsConnection_PublishRequestString(client, i % 2 ? "work.a" : "work.b", "answers",
                                               "x"));
    }
    flush(client);
    OK(natsConnection_DrainTimeout(service, WAIT_MS));
    counter_add(drain.is_draining);
    for (int i = 0; i < N_MSGS; i++) {
        expect_text(answers, "x");
    }
    counter_await(closed, 1);
    CHECK(natsConnection_IsClosed(service));
    CHECK(counter_get(drain.received) == N_MSGS);
    expect_nothing(client, answers);
    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&answer, client, "work.a", "late", WAIT_MS));

    natsSubscription_Destroy(subs[0]);
    natsSubscription_Destroy(subs[1]);
    natsSubscription_Destroy(answers);
    natsConnection_Destroy(service);
    natsConnection_Destroy(client);
    natsOptions_Destroy(opts);
    drain_free(drain);
    counter_free(closed);
}

void case_reconnect(const struct target *target)
{
    enum { MAX = 5, N_BEFORE = 2 };
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;
    struct counter *lost = counter_new();
    struct counter *back = counter_new();
    char old_id[128];
    char new_id[128];

    OK(natsOptions_SetMaxReconnect(opts, -1));
    OK(natsOptions_SetReconnectWait(opts, 20));
    OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    OK(natsOptions_SetDisconnectedCB(opts, counter_on_event, lost));
    OK(natsOptions_SetReconnectedCB(opts, counter_on_event, back));
    OK(natsConnection_Connect(&nc, opts));
    OK(natsConnection_GetConnectedServerId(nc, old_id, sizeof(old_id)));

    natsSubscription *plain = subscribe_sync(nc, "news", NULL);
    natsSubscription *tail = subscribe_sync(nc, "deep.>", NULL);
    natsSubscription *queue = subscribe_sync(nc, "news", "readers");
    natsSubscription *few = subscribe_sync(nc, "few", NULL);
    OK(natsSubscription_AutoUnsubscribe(few, MAX));
    for (int i = 0; i < N_BEFORE; i++) {
        OK(natsConnection_PublishString(nc, "few", "before"));
        expect_text(few, "before");
    }
    say_ready();

    counter_await(back, 1);
    CHECK(counter_get(lost) >= 1);
    flush(nc);
    OK(natsConnection_GetConnectedServerId(nc, new_id, sizeof(new_id)));
    CHECK(strcmp(old_id, new_id) != 0);

    OK(natsConnection_PublishString(nc, "news", "fresh"));
    OK(natsConnection_PublishString(nc, "deep.down.here", "deep"));
    for (int i = 0; i < MAX; i++) {
        OK(natsConnection_PublishString(nc, "few", "after"));
    }
    expect_text(plain, "fresh");
    expect_text(queue, "fresh");
    expect_text(tail, "deep");
    for (int i = N_BEFORE; i < MAX; i++) {
        expect_text(few, "after");
    }
    expect_nothing(nc, plain);
    expect_nothing(nc, queue);
    expect_nothing(nc, tail);
    natsMsg *msg = NULL;
    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&msg, nc, "few", "anybody?", WAIT_MS));

    natsSubscription_Destroy(few);
    natsSubscription_Destroy(queue);
    natsSubscription_Destroy(tail);
    natsSubscription_Destroy(plain);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    counter_free(lost);
    counter_free(back);
}

void case_lame_duck(const struct target *target)
{
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;
    struct counter *notices = counter_new();

    OK(natsOptions_SetLameDuckModeCB(opts, counter_on_event, notices));
    OK(natsConnection_Connect(&nc, opts));
    flush(nc);
    CHECK(counter_get(notices) == 0);
    say_ready();
    counter_await(notices, 1);

    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    counter_free(notices);
}
