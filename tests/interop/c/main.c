/* SPDX-License-Identifier: Apache-2.0 */
// Runs one interop case with the official C client: client CASE URL [NAME=VALUE]…
// Exit code 0 means that the case passed.
#include "interop.h"

#include <nats/nats.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct interop_case {
    const char *name;
    void (*run)(const struct target *target);
};

static const struct interop_case cases[] = {
    {"connect", case_connect},
    {"pubsub", case_pubsub},
    {"wildcard", case_wildcard},
    {"queue", case_queue},
    {"request", case_request},
    {"headers", case_headers},
    {"no_responders", case_no_responders},
    {"drain_subscription", case_drain_subscription},
    {"drain_connection", case_drain_connection},
    {"auto_unsubscribe", case_auto_unsubscribe},
    {"flush_rtt", case_flush_rtt},
    {"order", case_order},
    {"large_payload", case_large_payload},
    {"reconnect", case_reconnect},
    {"lame_duck", case_lame_duck},
    {"login", case_login},
    {"login_refused", case_login_refused},
    {"tls_refused", case_tls_refused},
    {"permissions", case_permissions},
    {"accounts", case_accounts},
    {"reload", case_reload},
};

struct counter {
    pthread_mutex_t lock;
    pthread_cond_t raised;
    int n; // guarded by: lock
};

void check(bool is_true, const char *what, const char *file, int line)
{
    if (!is_true) {
        fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
        exit(1);
    }
}

void check_status(natsStatus status, natsStatus wanted, const char *what, const char *file,
                  int line)
{
    if (status != wanted) {
        natsStatus last = NATS_OK;
        const char *detail = nats_GetLastError(&last);
        fprintf(stderr, "%s:%d: %s: %s, wanted: %s (last error: %s)\n", file, line, what,
                natsStatus_GetText(status), natsStatus_GetText(wanted), detail ? detail : "none");
        exit(1);
    }
}

const char *setting(const struct target *target, const char *name)
{
    size_t len = strlen(name);

    for (char **word = target->settings; *word; word++) {
        if (strncmp(*word, name, len) == 0 && (*word)[len] == '=') {
            return *word + len + 1;
        }
    }
    return NULL;
}

/* One signature in 256 begins with a zero byte. Version 3.4.1 of the library does not send those,
 * and the login fails: say so instead, and open_connection asks the server for another nonce. */
#define NOT_SENT NATS_MISMATCH

static natsStatus sign_nonce(char **error, unsigned char **signature, int *len, const char *nonce,
                             void *seed)
{
    natsStatus status = nats_Sign(seed, nonce, signature, len);

    (void)error;
    return status == NATS_OK && (*signature)[0] == 0 ? NOT_SENT : status;
}

static void set_login(natsOptions *opts, const struct target *target)
{
    const char *user = setting(target, "user");
    const char *token = setting(target, "token");
    const char *nkey = setting(target, "nkey");

    if (user) {
        OK(natsOptions_SetUserInfo(opts, user, setting(target, "pass")));
    }
    if (token) {
        OK(natsOptions_SetToken(opts, token));
    }
    if (nkey) {
        OK(natsOptions_SetNKey(opts, nkey, sign_nonce, (void *)(uintptr_t)setting(target, "seed")));
    }
}

static void set_tls(natsOptions *opts, const struct target *target)
{
    const char *ca = setting(target, "ca");
    const char *cert = setting(target, "cert");

    if (ca) {
        OK(natsOptions_SetSecure(opts, true));
        OK(natsOptions_LoadCATrustedCertificates(opts, ca));
    }
    if (cert) {
        OK(natsOptions_LoadCertificatesChain(opts, cert, setting(target, "key")));
    }
}

natsOptions *target_options(const struct target *target)
{
    natsOptions *opts = NULL;

    OK(natsOptions_Create(&opts));
    OK(natsOptions_SetURL(opts, target->url));
    OK(natsOptions_SetTimeout(opts, WAIT_MS));
    OK(natsOptions_SetName(opts, "interop-c"));
    set_login(opts, target);
    set_tls(opts, target);
    return opts;
}

natsStatus open_connection(natsConnection **nc, natsOptions *opts)
{
    natsStatus status;

    do {
        status = natsConnection_Connect(nc, opts);
    } while (status == NOT_SENT);
    return status;
}

natsConnection *connect_to(const struct target *target)
{
    natsOptions *opts = target_options(target);
    natsConnection *nc = NULL;

    OK(open_connection(&nc, opts));
    natsOptions_Destroy(opts);
    return nc;
}

natsSubscription *subscribe_sync(natsConnection *nc, const char *subject, const char *queue)
{
    natsSubscription *sub = NULL;

    if (queue) {
        OK(natsConnection_QueueSubscribeSync(&sub, nc, subject, queue));
    } else {
        OK(natsConnection_SubscribeSync(&sub, nc, subject));
    }
    flush(nc);
    return sub;
}

natsMsg *next_msg(natsSubscription *sub)
{
    natsMsg *msg = NULL;

    OK(natsSubscription_NextMsg(&msg, sub, WAIT_MS));
    return msg;
}

void expect_text(natsSubscription *sub, const char *text)
{
    natsMsg *msg = next_msg(sub);

    CHECK(natsMsg_GetDataLength(msg) == (int)strlen(text));
    CHECK(memcmp(natsMsg_GetData(msg), text, strlen(text)) == 0);
    natsMsg_Destroy(msg);
}

void expect_nothing(natsConnection *nc, natsSubscription *sub)
{
    int n_msgs = -1;

    flush(nc);
    OK(natsSubscription_GetPending(sub, &n_msgs, NULL));
    CHECK(n_msgs == 0);
}

void flush(natsConnection *nc)
{
    OK(natsConnection_FlushTimeout(nc, WAIT_MS));
}

void say_ready(void)
{
    CHECK(puts("ready") >= 0);
    CHECK(fflush(stdout) == 0);
}

bool input_ended(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    int n_ready = poll(&input, 1, 0);

    CHECK(n_ready >= 0);
    return n_ready == 1;
}

struct counter *counter_new(void)
{
    struct counter *counter = calloc(1, sizeof(*counter));

    CHECK(counter != NULL);
    CHECK(pthread_mutex_init(&counter->lock, NULL) == 0);
    CHECK(pthread_cond_init(&counter->raised, NULL) == 0);
    return counter;
}

void counter_free(struct counter *counter)
{
    pthread_cond_destroy(&counter->raised);
    pthread_mutex_destroy(&counter->lock);
    free(counter);
}

void counter_add(struct counter *counter)
{
    pthread_mutex_lock(&counter->lock);
    counter->n++;
    pthread_cond_broadcast(&counter->raised);
    pthread_mutex_unlock(&counter->lock);
}

int counter_get(struct counter *counter)
{
    pthread_mutex_lock(&counter->lock);
    int n = counter->n;
    pthread_mutex_unlock(&counter->lock);
    return n;
}

void counter_await(struct counter *counter, int wanted)
{
    struct timespec deadline;
    int error = 0;

    CHECK(clock_gettime(CLOCK_REALTIME, &deadline) == 0);
    deadline.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&counter->lock);
    while (counter->n < wanted && error == 0) {
        error = pthread_cond_timedwait(&counter->raised, &counter->lock, &deadline);
    }
    int n = counter->n;
    pthread_mutex_unlock(&counter->lock);
    CHECK(n >= wanted);
}

void counter_on_event(natsConnection *nc, void *closure)
{
    (void)nc;
    counter_add(closure);
}

static const struct interop_case *find_case(const char *name)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, name) == 0) {
            return &cases[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct interop_case *wanted = argc >= 3 ? find_case(argv[1]) : NULL;

    if (!wanted) {
        fprintf(stderr, "usage: %s CASE URL [NAME=VALUE]…\n", argv[0]);
        return 2;
    }
    const struct target target = {.url = argv[2], .settings = argv + 3};
    wanted->run(&target);
    nats_Close();
    return 0;
}
