/* SPDX-License-Identifier: Apache-2.0 */
// Cases about what is delivered, to whom and in which order. Publisher and subscriber are always
// two connections, so that a message has to cross the server.
#include "interop.h"

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void case_pubsub(const struct target *target)
{
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *sub = subscribe_sync(subscriber, "greet", NULL);
    natsSubscription *other = subscribe_sync(subscriber, "greeting", NULL);

    OK(natsConnection_PublishString(publisher, "greet", "hello"));
    OK(natsConnection_PublishString(publisher, "greet", ""));
    OK(natsConnection_PublishString(publisher, "greet", "PUB greet 3\r\n"));
    OK(natsConnection_PublishRequestString(publisher, "greet", "answer.here", "with reply"));
    flush(publisher);
    expect_text(sub, "hello");
    expect_text(sub, "");
    expect_text(sub, "PUB greet 3\r\n");

    natsMsg *msg = next_msg(sub);
    CHECK(strcmp(natsMsg_GetSubject(msg), "greet") == 0);
    CHECK(strcmp(natsMsg_GetReply(msg), "answer.here") == 0);
    natsMsg_Destroy(msg);

    OK(natsSubscription_Unsubscribe(sub));
    flush(subscriber);
    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&msg, publisher, "greet", "anybody?", WAIT_MS));
    expect_nothing(subscriber, other);

    natsSubscription_Destroy(other);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
}

void case_wildcard(const struct target *target)
{
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *token = subscribe_sync(subscriber, "a.*.c", NULL);
    natsSubscription *tail = subscribe_sync(subscriber, "a.>", NULL);
    natsSubscription *all = subscribe_sync(subscriber, ">", NULL);
    static const char *const subjects[] = {"a", "a.b", "a.b.c", "a.x.c", "a.b.c.d", "b.b.c"};

    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        OK(natsConnection_PublishString(publisher, subjects[i], subjects[i]));
    }
    flush(publisher);

    expect_text(token, "a.b.c");
    expect_text(token, "a.x.c");
    expect_text(tail, "a.b");
    expect_text(tail, "a.b.c");
    expect_text(tail, "a.x.c");
    expect_text(tail, "a.b.c.d");
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        natsMsg *msg = next_msg(all);
        CHECK(strcmp(natsMsg_GetSubject(msg), subjects[i]) == 0);
        natsMsg_Destroy(msg);
    }
    expect_nothing(subscriber, token);
    expect_nothing(subscriber, tail);
    expect_nothing(subscriber, all);

    natsSubscription_Destroy(all);
    natsSubscription_Destroy(tail);
    natsSubscription_Destroy(token);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
}

void case_queue(const struct target *target)
{
    enum { N_MSGS = 600, N_MEMBERS = 3 };
    natsConnection *publisher = connect_to(target);
    natsConnection *first = connect_to(target);
    natsConnection *second = connect_to(target);
    natsSubscription *members[N_MEMBERS] = {
        subscribe_sync(first, "work", "workers"),
        subscribe_sync(first, "work", "workers"),
        subscribe_sync(second, "work", "workers"),
    };
    natsSubscription *audit = subscribe_sync(second, "work", "audit");
    natsSubscription *plain = subscribe_sync(second, "work", NULL);

    for (int i = 0; i < N_MSGS; i++) {
        OK(natsConnection_PublishString(publisher, "work", "job"));
    }
    flush(publisher);
    for (int i = 0; i < N_MSGS; i++) {
        expect_text(audit, "job");
        expect_text(plain, "job");
    }
    expect_nothing(second, audit);
    expect_nothing(second, plain);
    flush(first);

    int n_total = 0;
    for (int i = 0; i < N_MEMBERS; i++) {
        int n_msgs = 0;
        OK(natsSubscription_GetPending(members[i], &n_msgs, NULL));
        CHECK(n_msgs > 0);
        n_total += n_msgs;
        natsSubscription_Destroy(members[i]);
    }
    CHECK(n_total == N_MSGS);

    natsSubscription_Destroy(plain);
    natsSubscription_Destroy(audit);
    natsConnection_Destroy(second);
    natsConnection_Destroy(first);
    natsConnection_Destroy(publisher);
}

/// Answers every request with its own payload.
static void on_request(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    (void)closure;
    OK(natsConnection_Publish(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg),
                              natsMsg_GetDataLength(msg)));
    natsMsg_Destroy(msg);
}

void case_request(const struct target *target)
{
    enum { N_REQUESTS = 100 };
    natsConnection *client = connect_to(target);
    natsConnection *service = connect_to(target);
    natsSubscription *sub = NULL;

    OK(natsConnection_Subscribe(&sub, service, "echo", on_request, NULL));
    flush(service);
    for (int i = 0; i < N_REQUESTS; i++) {
        char question[32];
        natsMsg *answer = NULL;
        snprintf(question, sizeof(question), "question %d", i);
        OK(natsConnection_RequestString(&answer, client, "echo", question, WAIT_MS));
        CHECK(natsMsg_GetDataLength(answer) == (int)strlen(question));
        CHECK(memcmp(natsMsg_GetData(answer), question, strlen(question)) == 0);
        natsMsg_Destroy(answer);
    }

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(service);
    natsConnection_Destroy(client);
}

static void expect_header(natsMsg *msg, const char *key, const char *const *wanted, int n_wanted)
{
    const char **values = NULL;
    int n_values = 0;

    OK(natsMsgHeader_Values(msg, key, &values, &n_values));
    CHECK(n_values == n_wanted);
    for (int i = 0; i < n_wanted; i++) {
        CHECK(strcmp(values[i], wanted[i]) == 0);
    }
    free((void *)values);
}

void case_headers(const struct target *target)
{
    static const char *const upper[] = {"one", "two", "three"};
    static const char *const lower[] = {"not the same key"};
    static const char *const mixed[] = {"a: b; c=\"d\", gr\xc3\xbc\xc3\x9f"};
    static const char *const payloads[] = {"payload", ""};
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *sub = subscribe_sync(subscriber, "with.headers", NULL);

    OK(natsConnection_HasHeaderSupport(publisher));
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        natsMsg *sent = NULL;
        OK(natsMsg_Create(&sent, "with.headers", "answer.here", payloads[i],
                          (int)strlen(payloads[i])));
        OK(natsMsgHeader_Add(sent, "X-Multi", upper[0]));
        OK(natsMsgHeader_Add(sent, "X-Multi", upper[1]));
        OK(natsMsgHeader_Add(sent, "X-Multi", upper[2]));
        OK(natsMsgHeader_Add(sent, "x-multi", lower[0]));
        OK(natsMsgHeader_Add(sent, "cAmEl-Key", mixed[0]));
        OK(natsConnection_PublishMsg(publisher, sent));
        flush(publisher);
        natsMsg_Destroy(sent);

        natsMsg *got = next_msg(sub);
        const char **keys = NULL;
        int n_keys = 0;
        expect_header(got, "X-Multi", upper, 3);
        expect_header(got, "x-multi", lower, 1);
        expect_header(got, "cAmEl-Key", mixed, 1);
        OK(natsMsgHeader_Keys(got, &keys, &n_keys));
        CHECK(n_keys == 3);
        free((void *)keys);
        CHECK(strcmp(natsMsg_GetReply(got), "answer.here") == 0);
        CHECK(natsMsg_GetDataLength(got) == (int)strlen(payloads[i]));
        CHECK(memcmp(natsMsg_GetData(got), payloads[i], strlen(payloads[i])) == 0);
        natsMsg_Destroy(got);
    }

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
}

void case_no_responders(const struct target *target)
{
    natsConnection *nc = connect_to(target);
    natsMsg *answer = NULL;

    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&answer, nc, "nobody.home", "hello?", WAIT_MS));
    CHECK(answer == NULL);
    natsConnection_Destroy(nc);
}

void case_auto_unsubscribe(const struct target *target)
{
    enum { MAX = 5 };
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *sub = NULL;
    natsMsg *msg = NULL;

    OK(natsConnection_SubscribeSync(&sub, subscriber, "few"));
    OK(natsSubscription_AutoUnsubscribe(sub, MAX));
    flush(subscriber);
    for (int i = 0; i < 2 * MAX; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        OK(natsConnection_PublishString(publisher, "few", text));
    }
    flush(publisher);
    for (int i = 0; i < MAX; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        expect_text(sub, text);
    }
    FAILS_WITH(NATS_MAX_DELIVERED_MSGS, natsSubscription_NextMsg(&msg, sub, WAIT_MS));
    // The library drops what is too much; that the server has forgotten the subscription shows
    // here.
    FAILS_WITH(NATS_NO_RESPONDERS,
               natsConnection_RequestString(&msg, publisher, "few", "anybody?", WAIT_MS));

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
}

void case_order(const struct target *target)
{
    enum { N_MSGS = 10000 };
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *sub = subscribe_sync(subscriber, "order.*", NULL);

    for (int i = 0; i < N_MSGS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        OK(natsConnection_PublishString(publisher, i % 2 ? "order.odd" : "order.even", text));
    }
    flush(publisher);
    for (int i = 0; i < N_MSGS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        expect_text(sub, text);
    }
    expect_nothing(subscriber, sub);

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
}

void case_large_payload(const struct target *target)
{
    enum { SIZE = 1024 * 1024 };
    static const char protocol[] = "\r\nPUB large 3\r\nabc\r\nPING\r\n";
    natsConnection *publisher = connect_to(target);
    natsConnection *subscriber = connect_to(target);
    natsSubscription *sub = subscribe_sync(subscriber, "large", NULL);
    char *payload = malloc(SIZE + 1);

    CHECK(payload != NULL);
    for (int i = 0; i <= SIZE; i++) {
        payload[i] = (char)(i * 31 + i / 256); // every byte value
    }
    memcpy(payload + SIZE / 2, protocol, sizeof(protocol));
    CHECK(natsConnection_GetMaxPayload(publisher) == SIZE);
    OK(natsConnection_Publish(publisher, "large", payload, SIZE));
    FAILS_WITH(NATS_MAX_PAYLOAD, natsConnection_Publish(publisher, "large", payload, SIZE + 1));
    flush(publisher);

    natsMsg *msg = next_msg(sub);
    CHECK(natsMsg_GetDataLength(msg) == SIZE);
    CHECK(memcmp(natsMsg_GetData(msg), payload, SIZE) == 0);
    natsMsg_Destroy(msg);
    expect_nothing(subscriber, sub);

    free(payload);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(subscriber);
    natsConnection_Destroy(publisher);
}
